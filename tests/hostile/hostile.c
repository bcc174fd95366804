/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ./dev hostile NAME: load that tries to kill. Each scenario prints its figures beside their bounds
 * and says whether all of them held; the exit code says the same. In virtual time: a run with equal
 * arguments gives equal figures, on any machine.
 */
#include <tern/embed.h>

#include "floods.h"
#include "scenario.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

enum {
    SECONDS = 5,
    CHURN_SECONDS = 100 /* 100000 a second */,
    SECONDS_MAX = 3600,
    MEM_MIB = 512,
    EXIT_USAGE = 2
};

struct scenario {
    const char *name, *row;
    scenario_fn *run;
    const void *what;
    uint32_t seconds; /* that it lasts, unless told otherwise */
};

static const struct scenario scenarios[] = {
    {"synflood", "SYN flood, random sources", siege_run, &flood_syn, SECONDS},
    {"ackflood", "ACK flood, half of it in established connections' names", siege_run, &flood_ack,
        SECONDS},
    {"rstflood", "RST flood, half of it in established connections' names", siege_run, &flood_rst,
        SECONDS},
    {"finflood", "FIN flood, half of it in established connections' names", siege_run, &flood_fin,
        SECONDS},
    {"syndata", "SYN with data, half of it in established connections' names", siege_run,
        &flood_syn_data, SECONDS},
    {"pingflood", "ICMP echo flood", siege_run, &flood_ping, SECONDS},
    {"fragments", "flood of first fragments", siege_run, &flood_fragment, SECONDS},
    {"arpflood", "ARP / NDP flood, half of it in the clients' name", siege_run, &flood_neighbour,
        SECONDS},
    {"table", "The table at 110 % of its limit, ten cycles", table_run, NULL, SECONDS},
    {"tuples", "A million adversarial four-tuples", tuples_run, NULL, SECONDS},
    {"held", "90 % of slots held by peers that never finish", held_run, NULL, SECONDS},
    {"drought", "Ten seconds without buffers, transmit room, receive descriptors", drought_run,
        NULL, SECONDS},
    {"amplify", "Bytes out for bytes in, to addresses that nobody verified", amplify_run, NULL,
        SECONDS},
    {"samples", "What must not be guessed, a million times", samples_run, NULL, SECONDS},
    {"churn", "Ten million connections opened and closed", churn_run, NULL, CHURN_SECONDS},
};

enum { N_SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

struct options {
    struct scenario_options scenario;
    bool document;
};

static void usage(FILE *to)
{
    fprintf(to,
        "usage: hostile [--seconds N] [--seed N] [--document] NAME...\n\n"
        "  --seconds N   of virtual time under load, 1..%d (default %d; churn %d)\n"
        "  --seed N      of the dice (default 1)\n"
        "  --document    write docs/reliability.md to the standard output\n\nNAME is all, or of\n",
        SECONDS_MAX, SECONDS, CHURN_SECONDS);
    for (int i = 0; i < N_SCENARIOS; i++)
        fprintf(to, "  %-10s  %s\n", scenarios[i].name, scenarios[i].row);
}

/** A whole number in lo..hi; anything else ends the process with one line. */
static uint64_t number(const char *option, const char *text, uint64_t lo, uint64_t hi)
{
    char *end;
    errno = 0;
    const unsigned long long n = strtoull(text, &end, 10);
    if (errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && n >= lo && n <= hi)
        return n;
    fprintf(stderr, "hostile: %s is '%s'; it takes a whole number, %llu..%llu\n", option, text,
        (unsigned long long)lo, (unsigned long long)hi);
    exit(EXIT_USAGE);
}

static void read_options(int argc, char **argv, struct options *o)
{
    static const struct option known[] = {{"seconds", required_argument, NULL, 's'},
        {"seed", required_argument, NULL, 'e'}, {"document", no_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'}, {0}};
    int c;
    while ((c = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (c) {
        case 's':
            o->scenario.seconds = (uint32_t)number("--seconds", optarg, 1, SECONDS_MAX);
            break;
        case 'e': o->scenario.seed = number("--seed", optarg, 0, UINT64_MAX); break;
        case 'd': o->document = true; break;
        case 'h': usage(stdout); exit(EXIT_SUCCESS);
        default: usage(stderr); exit(EXIT_USAGE);
        }
    }
}

/** @return held */
static bool run(const struct scenario *s, const struct options *o)
{
    struct sheet *sheet = calloc(1, sizeof *sheet);
    if (sheet == NULL)
        abort();
    struct scenario_options opt = o->scenario;
    if (opt.seconds == 0)
        opt.seconds = s->seconds;
    s->run(s->what, &opt, sheet);
    const bool holds = sheet_holds(sheet);
    if (o->document) {
        printf("## %s\n\n`./dev hostile --seconds %u %s`: **%s**\n\n", s->row, opt.seconds, s->name,
            holds ? "held" : "BROKEN");
        sheet_print_markdown(sheet);
        printf("\n");
    } else {
        printf("%s: %s\n", s->name, s->row);
        sheet_print(sheet);
        printf("  %s\n\n", holds ? "HELD" : "BROKEN");
    }
    fflush(stdout);
    free(sheet);
    return holds;
}

/** @param known  set when there is a scenario of that name @return held */
static bool run_named(const char *name, const struct options *o, bool *known)
{
    bool holds = true;
    const bool all = strcmp(name, "all") == 0;
    for (int i = 0; i < N_SCENARIOS; i++) {
        if (!all && strcmp(name, scenarios[i].name) != 0)
            continue;
        *known = true;
        holds = run(&scenarios[i], o) && holds;
    }
    return holds;
}

/** The CPU's name as the kernel has it. */
static void print_cpu(void)
{
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        const char *value = strchr(line, ':');
        if (value == NULL || strncmp(line, "model name", strlen("model name")) != 0)
            continue;
        printf("%.*s", (int)strcspn(value + 2, "\n"), value + 2);
        break;
    }
    if (f != NULL)
        fclose(f);
}

static void print_head(const struct options *o)
{
    struct utsname machine = {0};
    (void)uname(&machine);
    printf(
        "# Reliability under attack\n\n"
        "Written by `./dev hostile --write`; nothing here is typed. A server, its clients and an "
        "attacker in\nmemory, in virtual time, dice seeded with %" PRIu64
        ". Equal arguments give equal figures on any machine;\nthese were found on ",
        o->scenario.seed);
    print_cpu();
    printf(", %s %s %s.\nWhat virtual time means for these figures: "
           "[design/0022](design/0022-hostile-loads.md).\n\n",
        machine.sysname, machine.release, machine.machine);
}

int main(int argc, char **argv)
{
    struct options o = {.scenario = {.seed = 1}};
    struct tern_error err;
    bool holds = true;
    read_options(argc, argv, &o);
    if (optind == argc) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (tern_embed_start(MEM_MIB, &err) != 0) {
        fprintf(stderr, "hostile: %s\n", err.text);
        return EXIT_FAILURE;
    }
    if (o.document)
        print_head(&o);
    for (int i = optind; i < argc; i++) {
        bool known = false;
        holds = run_named(argv[i], &o, &known) && holds;
        if (!known) {
            fprintf(stderr, "hostile: there is no '%s'; see --help for the names\n", argv[i]);
            return EXIT_USAGE;
        }
    }
    return holds ? EXIT_SUCCESS : EXIT_FAILURE;
}
