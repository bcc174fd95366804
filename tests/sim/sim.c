/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simulator: tern against itself on a bad network, by the hundred thousand.
 *
 *     sim --seeds 100000 --jobs 2          all must pass
 *     sim --seeds 1 --first 4711 --trace   one again, with what happened
 *
 * A seed draws everything (mix.c): two endpoints with their options and limits, two links with
 * their faults, conversations, and what goes wrong inside the hosts. One thread and a virtual clock
 * run them (run.c): the earliest event is taken, the host it concerns gets it through embed.h
 * (host.c), its applications do what they can (apps.c), and what the host emits goes into the link
 * (link/link.h), from which it comes out as later events. There is no other source of chance than
 * the seed and no other time than the events', so a run repeats to the bit, and its hash tells.
 *
 * Two judges look at every event. wire_check.c sees the packets alone and holds them against what
 * both ends have advertised; checker.c looks into the library's records. Applications compare what
 * they read with what was written. When the faults end everything must be done within a bound that
 * run.c derives, and at the end nothing may be left of any connection.
 *
 * Every run is repeated now and then: the same seed must give the same hash, and so must the same
 * seed with the library's fast path switched off.
 *
 * Reading order: mix.h, link/link.c, hostile.c, host.c, run.c, apps.c, wire_check.c, checker.c.
 */
#include "report.h"
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    MEM_MIB = 512, /* of packets: two pools of 24 MiB at the most, and what DPDK loses */
    JOBS_MAX = 64,
    CRASHES_MAX = 20,      /* processes that may die before the rest is given up */
    SEED_SECONDS_MAX = 30, /* real time for one seed: beyond it something loops */
    SAME_EVERY = 50,       /* every so many seeds are run twice … */
    SLOW_EVERY = 20,       /* … and with the fast path off */
    NS_PER_S = 1000000000,
};

struct options {
    uint64_t n_seeds, first;
    uint32_t jobs;
    bool slow_path, trace;
    const char *json;
    struct run_options run;
};

/** What a job shares with the parent: where it is, and what it has seen. */
struct shared {
    uint64_t next, now; /* seed to run next; seed being run */
    struct totals totals;
};

static struct shared *mine; /* of this job, for the signal handler */

/* ---- failures ---- */

/** Async-signal-safe: a line that replays the seed at which the library asserted or looped. */
static void on_crash(int sig)
{
    char line[160], digits[24];
    size_t n = 0, k = 0;
    uint64_t seed = mine->now;
    do
        digits[k++] = (char)('0' + seed % 10);
    while ((seed /= 10) != 0);
    while (k > 0)
        line[n++] = digits[--k];
    line[n] = 0;
    char text[300] = "sim: seed ";
    strcat(text, line);
    strcat(text, sig == SIGALRM ? ": runs for ever" : sig == SIGABRT ? ": asserts" : ": crashes");
    strcat(text, "; replay: ./dev sim --seeds 1 --first ");
    strcat(text, line);
    strcat(text, " --trace\n");
    if (write(STDOUT_FILENO, text, strlen(text)) < 0)
        _exit(3);
    _exit(2);
}

static void print_failure(uint64_t seed, const char *what)
{
    printf("sim: seed %" PRIu64 ": %s; replay: ./dev sim --seeds 1 --first %" PRIu64 " --trace\n",
        seed, what, seed);
    fflush(stdout);
}

/* ---- one job ---- */

/** The same seed in another way must leave the same trace. */
static void run_again(const struct options *o, uint64_t seed, uint64_t hash, bool slow_path)
{
    struct totals again = {0};
    struct run_result result;
    struct run_options run = o->run;
    run.slow_path = slow_path;
    run.trace = NULL;
    run_seed(seed, &run, &again, &result);
    mine->totals.pairs_checked++;
    if (!result.failed && result.hash == hash)
        return;
    mine->totals.failed++;
    if (result.failed)
        print_failure(seed, result.failure);
    else
        print_failure(seed, slow_path == o->run.slow_path
                                ? "run twice, it leaves another trace"
                                : "with the fast path off it leaves another trace");
}

static void run_one(const struct options *o, uint64_t seed)
{
    struct run_result result;
    mine->now = seed;
    alarm(SEED_SECONDS_MAX);
    run_seed(seed, &o->run, &mine->totals, &result);
    if (o->trace)
        printf("hash %016" PRIx64 "\n", result.hash);
    if (result.failed) {
        print_failure(seed, result.failure);
        return;
    }
    if (seed % SAME_EVERY == 0)
        run_again(o, seed, result.hash, o->run.slow_path);
    if (seed % SLOW_EVERY == 0)
        run_again(o, seed, result.hash, !o->run.slow_path);
}

static int run_job(const struct options *o)
{
    struct tern_error err;
    const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
    if (tern_embed_start(MEM_MIB, &err) != 0) {
        fprintf(stderr, "sim: %s\n", err.text);
        return 1;
    }
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        signal(signals[i], on_crash);
    while (mine->next < o->first + o->n_seeds) {
        const uint64_t seed = mine->next;
        mine->next += o->jobs; /* before the run: who comes after a crash goes on behind it */
        run_one(o, seed);
    }
    return 0;
}

/* ---- all jobs ---- */

static pid_t start_job(const struct options *o, struct shared *of)
{
    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        mine = of;
        _exit(run_job(o));
    }
    return pid;
}

/** Run every job to its end; one that crashes is started again behind the seed that did it. */
static uint64_t run_jobs(const struct options *o, struct shared *shared)
{
    pid_t pids[JOBS_MAX];
    uint64_t crashes = 0;
    int status;
    pid_t pid;
    for (uint32_t j = 0; j < o->jobs; j++) {
        shared[j].next = o->first + j;
        pids[j] = start_job(o, &shared[j]);
    }
    while ((pid = wait(&status)) > 0) {
        uint32_t j = 0;
        while (j < o->jobs && pids[j] != pid)
            j++;
        if (j == o->jobs || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
            continue;
        crashes++;
        shared[j].totals.failed++;
        shared[j].totals.seeds++;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
            return crashes; /* it never began */
        if (crashes < CRASHES_MAX)
            pids[j] = start_job(o, &shared[j]);
    }
    return crashes;
}

/* ---- command line ---- */

static const char usage[] =
    "usage: sim [--seeds N] [--first S] [--jobs J] [--fast on|off] [--trace] [--json FILE]\n"
    "           [--mix NAME[,NAME...]]   only these faults, all of them on\n"
    "           [--without NAME[,NAME...]]\n";

static uint64_t faults_of(const char *names)
{
    uint64_t faults = 0;
    char *copy = strdup(names), *rest = copy, *name;
    while ((name = strsep(&rest, ",")) != NULL) {
        const enum mix_fault f = mix_fault_by_name(name);
        if (f == MIX_FAULT_COUNT) {
            fprintf(stderr, "sim: no fault is called '%s'; there are:", name);
            for (int i = 0; i < MIX_FAULT_COUNT; i++)
                fprintf(stderr, " %s", mix_fault_name((enum mix_fault)i));
            fputc('\n', stderr);
            exit(2);
        }
        faults |= 1ull << f;
    }
    free(copy);
    return faults;
}

static _Noreturn void refuse(const char *arg)
{
    fprintf(stderr, "sim: '%s' is not understood\n%s", arg, usage);
    exit(2);
}

static uint64_t number(const char *text)
{
    char *end;
    errno = 0;
    const uint64_t n = text != NULL ? strtoull(text, &end, 0) : 0;
    if (text == NULL || errno != 0 || *text == 0 || *end != 0)
        refuse(text != NULL ? text : "nothing");
    return n;
}

/** @return arguments used */
static int take_option(struct options *o, char **arg)
{
    const char *value = arg[1];
    if (strcmp(arg[0], "--trace") == 0) {
        o->trace = true;
        o->run.trace = stdout;
        return 1;
    }
    if (value == NULL)
        refuse(arg[0]);
    if (strcmp(arg[0], "--seeds") == 0)
        o->n_seeds = number(value);
    else if (strcmp(arg[0], "--first") == 0)
        o->first = number(value);
    else if (strcmp(arg[0], "--jobs") == 0)
        o->jobs = (uint32_t)number(value);
    else if (strcmp(arg[0], "--fast") == 0)
        o->run.slow_path = strcmp(value, "off") == 0;
    else if (strcmp(arg[0], "--json") == 0)
        o->json = value;
    else if (strcmp(arg[0], "--mix") == 0)
        o->run.only = o->run.must = faults_of(value);
    else if (strcmp(arg[0], "--without") == 0)
        o->run.only &= ~faults_of(value);
    else
        refuse(arg[0]);
    return 2;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / NS_PER_S;
}

int main(int argc, char **argv)
{
    struct options o = {.n_seeds = 2000, .first = 1, .jobs = 1, .run = {.only = UINT64_MAX}};
    for (int i = 1; i < argc;)
        i += take_option(&o, argv + i);
    if (o.jobs < 1 || o.jobs > JOBS_MAX)
        refuse("--jobs");
    struct shared *shared = mmap(
        NULL, o.jobs * sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    const double began_s = now_s();
    run_jobs(&o, shared);
    struct totals totals = {0};
    for (uint32_t j = 0; j < o.jobs; j++)
        report_add(&totals, &shared[j].totals);
    report_print(&totals, now_s() - began_s);
    if (o.json != NULL && !report_write_json(&totals, now_s() - began_s, o.json))
        return 1;
    return totals.failed != 0;
}
