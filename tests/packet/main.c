/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packet [-4|-6] [-v] [--slow-path] [--shows] [--all DIR | FILE]...
 *
 * Runs packet scripts (README.md beside this file). A FILE that differs shows its time-line; with
 * --all every *.pkt below DIR is run and counted by verb, the name of its directory. A script that
 * is expected to fail must fail; one of self/ must fail with the words that it says.
 */
#include "run.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MEM_MIB = 64, PATH_BYTES = 512, VERBS_MAX = 64, SCRIPT_SECONDS_MAX = 20 };

enum { CHILD_GOOD, CHILD_DIFFERS };

enum outcome { PASSED, FAILED, KNOWN, SKIPPED, OUTCOMES };

struct verb_count {
    char verb[NAME_BYTES];
    uint32_t n[OUTCOMES];
};

struct options_given {
    bool v4, v6, verbose, shows, slow_path_only;
};

struct tally {
    struct verb_count verbs[VERBS_MAX];
    uint32_t n_verbs, total[OUTCOMES];
};

/* ---- one script ---- */

/** The words a script of self/ must fail with, all of them. */
static bool says_all(const struct script *s, const char *said)
{
    for (uint32_t i = 0; i < s->n_must_fail; i++) {
        if (strstr(said, s->must_fail[i]) != NULL)
            continue;
        printf("%s: should say '%s', but says:\n%s\n", s->path, s->must_fail[i], said);
        return false;
    }
    return true;
}

static enum outcome report(const struct script *s, const char *said)
{
    printf("FAIL  %s  ipv%d\n      %s\n%s\n", s->path, s->v6 ? 6 : 4, s->title, said);
    return FAILED;
}

/** What a run that came out `good`, having said `said`, means for this script. */
static enum outcome judge(const struct script *s, bool good, const char *said)
{
    const bool expected_to_fail = s->expect_fail[0] != '\0';
    const bool forgotten = expected_to_fail && good;
    if (forgotten)
        said = "--- now passes: remove expect-fail\n";
    if (s->n_must_fail > 0 && (!good || forgotten))
        return says_all(s, said) ? PASSED : FAILED;
    if (s->n_must_fail > 0)
        return report(s, "--- passed, and must not\n");
    if (good && !expected_to_fail)
        return PASSED;
    return expected_to_fail && !forgotten ? KNOWN : report(s, said);
}

/**
 * Run it in a process of its own: an endpoint that falls over or never comes back is a difference
 * like any other, and takes nobody along. Its last words on stderr go to the log, too.
 */
static void child(const struct script *s, int fd)
{
    FILE *log = fdopen(fd, "w");
    if (log == NULL || dup2(fd, STDERR_FILENO) < 0)
        _exit(CHILD_DIFFERS);
    setvbuf(log, NULL, _IOLBF, 0);
    alarm(SCRIPT_SECONDS_MAX);
    const bool good = run_script(s, log);
    fflush(log);
    _exit(good ? CHILD_GOOD : CHILD_DIFFERS);
}

/** All that was written to `fd`. */
static char *read_all(int fd, const char *ending)
{
    const off_t n = lseek(fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)n + strlen(ending) + 1);
    if (n < 0 || text == NULL || pread(fd, text, (size_t)n, 0) != n)
        abort();
    strcpy(text + n, ending);
    return text;
}

/** @param said  gets the time-line; free it */
static bool run_apart(const struct script *s, char **said)
{
    int status = 0;
    const int fd = memfd_create("packet", MFD_CLOEXEC);
    fflush(stdout);
    const pid_t pid = fd >= 0 ? fork() : -1;
    if (pid == 0)
        child(s, fd);
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        perror("packet");
        exit(1);
    }
    const bool ended = WIFEXITED(status) && WEXITSTATUS(status) <= CHILD_DIFFERS;
    *said = read_all(fd, ended ? "" : "--- the endpoint fell over (or took too long) here\n");
    close(fd);
    return WIFEXITED(status) && WEXITSTATUS(status) == CHILD_GOOD;
}

static enum outcome run_read(const struct script *s, bool verbose)
{
    char *said;
    const bool good = run_apart(s, &said);
    const enum outcome o = judge(s, good, said);
    if (verbose && o != FAILED)
        printf("%s  ipv%d  %s\n%s", s->path, s->v6 ? 6 : 4, s->title, said);
    free(said);
    return o;
}

static enum outcome run_family(const char *path, bool v6, const struct options_given *given)
{
    static struct script s;
    enum outcome o;
    if (!script_read(&s, path, v6)) {
        if (s.n_must_fail > 0) {
            o = judge(&s, false, s.error);
        } else {
            printf("%s\n", s.error);
            o = FAILED;
        }
    } else if ((s.only4 && v6) || (s.only6 && !v6)) {
        o = SKIPPED;
    } else {
        s.slow_path_only = given->slow_path_only;
        o = run_read(&s, given->verbose);
    }
    script_free(&s);
    return o;
}

/** One line for each requirement the script shows. */
static void print_shows(const char *path)
{
    static struct script s;
    char *rest = NULL;
    if (!script_read(&s, path, false) && s.n_must_fail == 0)
        printf("%s\n", s.error);
    for (char *id = strtok_r(s.shows, " ", &rest); id != NULL; id = strtok_r(NULL, " ", &rest))
        printf("%-10s %s%s\n", id, path, s.expect_fail[0] != '\0' ? " (expected to fail)" : "");
    script_free(&s);
}

/* ---- many ---- */

/** The name of the directory the file is in. */
static void verb_of(const char *path, char *to)
{
    const char *end = strrchr(path, '/');
    const char *start = end;
    while (start != NULL && start > path && start[-1] != '/')
        start--;
    snprintf(
        to, NAME_BYTES, "%.*s", end != NULL ? (int)(end - start) : 1, end != NULL ? start : ".");
}

static void count(struct tally *t, const char *path, enum outcome o)
{
    char verb[NAME_BYTES];
    verb_of(path, verb);
    uint32_t i = 0;
    while (i < t->n_verbs && strcmp(t->verbs[i].verb, verb) != 0)
        i++;
    t->total[o]++;
    if (i == VERBS_MAX)
        return;
    if (i == t->n_verbs)
        snprintf(t->verbs[t->n_verbs++].verb, NAME_BYTES, "%s", verb);
    t->verbs[i].n[o]++;
}

static void run_file(struct tally *t, const struct options_given *given, const char *path)
{
    if (given->shows) {
        print_shows(path);
        return;
    }
    if (given->v4)
        count(t, path, run_family(path, false, given));
    if (given->v6)
        count(t, path, run_family(path, true, given));
}

static bool is_script(const char *name)
{
    const size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".pkt") == 0;
}

static void run_tree(struct tally *t, const struct options_given *given, const char *dir)
{
    struct dirent **names;
    const int n = scandir(dir, &names, NULL, alphasort);
    if (n < 0) {
        printf("%s: no such directory\n", dir);
        t->total[FAILED]++;
        return;
    }
    for (int i = 0; i < n; i++) {
        char path[PATH_BYTES];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
        if (names[i]->d_name[0] == '.' || stat(path, &st) != 0)
            ;
        else if (S_ISDIR(st.st_mode))
            run_tree(t, given, path);
        else if (is_script(path))
            run_file(t, given, path);
        free(names[i]);
    }
    free(names);
}

static void print_counts(const char *name, const uint32_t n[OUTCOMES])
{
    printf("%-12s %4u passed", name, n[PASSED]);
    if (n[FAILED] > 0)
        printf("  %u FAILED", n[FAILED]);
    if (n[KNOWN] > 0)
        printf("  %u expected to fail", n[KNOWN]);
    if (n[SKIPPED] > 0)
        printf("  %u of the other family", n[SKIPPED]);
    printf("\n");
}

static void print_tally(const struct tally *t)
{
    for (uint32_t i = 0; i < t->n_verbs; i++)
        print_counts(t->verbs[i].verb, t->verbs[i].n);
    if (t->n_verbs > 1)
        print_counts("all", t->total);
}

static int usage(void)
{
    fprintf(stderr, "packet [-4|-6] [-v] [--slow-path] [--shows] [--all DIR | FILE]...\n"
                    "  -4, -6     over this family only; both when neither is given\n"
                    "  -v         the time-line of scripts that pass, too\n"
                    "  --slow-path  never take the fast path: everything must come the same\n"
                    "  --shows    run nothing: which requirement is shown by which script\n"
                    "  --all DIR  every *.pkt below DIR\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct options_given given = {0};
    static struct tally t;
    struct tern_error err;
    int at = 1;
    for (; at < argc && argv[at][0] == '-' && strcmp(argv[at], "--all") != 0; at++) {
        given.v4 |= strcmp(argv[at], "-4") == 0;
        given.v6 |= strcmp(argv[at], "-6") == 0;
        given.verbose |= strcmp(argv[at], "-v") == 0;
        given.shows |= strcmp(argv[at], "--shows") == 0;
        given.slow_path_only |= strcmp(argv[at], "--slow-path") == 0;
        if (strcmp(argv[at], "-h") == 0 || strcmp(argv[at], "--help") == 0)
            return usage();
    }
    if (at == argc)
        return usage();
    if (!given.v4 && !given.v6)
        given.v4 = given.v6 = true;
    if (tern_embed_start(MEM_MIB, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (; at < argc; at++) {
        if (strcmp(argv[at], "--all") == 0 && at + 1 < argc)
            run_tree(&t, &given, argv[++at]);
        else
            run_file(&t, &given, argv[at]);
    }
    if (!given.shows)
        print_tally(&t);
    return t.total[FAILED] > 0;
}
