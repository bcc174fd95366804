/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The golden matrix: what one bulk transfer reaches over a range of losses, round trips and buffers
 * under each congestion control, in virtual time, so that it is the same number on every machine.
 *
 *     golden --write golden.tsv            measure, and accept what comes out
 *     golden --check golden.tsv            measure, and tell which cells are other than written
 *     golden --cell 2,100,1024,cubic       one cell, seed by seed (--trace: packet by packet)
 *
 * golden.tsv is committed. A change of the library that moves a number is seen in review as a line
 * of it that differs; whether it was meant is for people to say. transfer.c tells what is measured
 * and how; a cell is the median of SEEDS transfers that lose other packets each.
 *
 * Rejected: a tolerance. The numbers are exact, and a small step down that passes every time is how
 * throughput rots.
 */
#include <tern/embed.h>

#include "transfer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MEM_MIB = 192,
    KIB = 1024,
    SEEDS = 3,
    JOBS_MAX = 64,
    CELLS_MAX = 1000,
    LINE_BYTES = 160,
    PPM_PER_PERCENT = 10000,
    DATA_CENTRE_RTT_MS = 10, /* DCTCP is for networks no longer than that (RFC 8257 §1) */
};

static const uint32_t losses_ppm[] = {
    0, 1000, 5000, 10000, 20000, 30000, 50000, 100000, 200000, 300000};
static const uint32_t rtts_ms[] = {1, 10, 100, 300};
static const uint32_t bufs_kib[] = {64, 1024, 16384};

/** A congestion control as a line of the picture. */
struct kind {
    const char *name;
    enum tern_cc_kind cc;
    bool sack, ecn;
};
static const struct kind kinds[] = {
    {"reno-nosack", TERN_CC_NEWRENO, false, false},
    {"newreno", TERN_CC_NEWRENO, true, false},
    {"cubic", TERN_CC_CUBIC, true, false},
    {"bbr", TERN_CC_BBR, true, false},
    {"dctcp", TERN_CC_DCTCP, true, true},
};
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct cell {
    uint32_t loss_ppm, rtt_ms, buf_kib;
    const struct kind *kind;
    bool measured;
    struct transfer_result result; /* the transfer of the median goodput */
};

/** All of the matrix. Shared by the processes that work on it. */
struct matrix {
    uint32_t n;
    struct cell cells[CELLS_MAX];
};

static void fill(struct matrix *m)
{
    for (size_t r = 0; r < COUNT(rtts_ms); r++)
        for (size_t b = 0; b < COUNT(bufs_kib); b++)
            for (size_t k = 0; k < COUNT(kinds); k++)
                for (size_t l = 0; l < COUNT(losses_ppm); l++) {
                    const struct cell c = {
                        losses_ppm[l], rtts_ms[r], bufs_kib[b], &kinds[k], false, {0}};
                    if (c.kind->cc != TERN_CC_DCTCP || c.rtt_ms <= DATA_CENTRE_RTT_MS)
                        m->cells[m->n++] = c;
                }
}

/* ---- measuring ---- */

static bool run_once(const struct cell *c, uint64_t seed, FILE *trace, struct transfer_result *out)
{
    const struct transfer_plan plan = {
        .loss_ppm = c->loss_ppm,
        .rtt_ms = c->rtt_ms,
        .buf_bytes = c->buf_kib * KIB,
        .cc = c->kind->cc,
        .sack = c->kind->sack,
        .ecn = c->kind->ecn,
        .seed = seed,
        .trace = trace,
    };
    return transfer_run(&plan, out);
}

static int by_goodput(const void *a, const void *b)
{
    const uint64_t x = ((const struct transfer_result *)a)->goodput_bytes_per_s;
    const uint64_t y = ((const struct transfer_result *)b)->goodput_bytes_per_s;
    return (x > y) - (x < y);
}

/** Without losses there is no chance, and one transfer tells all. */
static void measure(struct cell *c)
{
    struct transfer_result results[SEEDS];
    const uint32_t n = c->loss_ppm == 0 ? 1 : SEEDS;
    for (uint32_t i = 0; i < n; i++)
        if (!run_once(c, i + 1, NULL, &results[i]))
            return;
    qsort(results, n, sizeof results[0], by_goodput);
    c->result = results[n / 2];
    c->measured = true;
}

static int run_job(struct matrix *m, uint32_t job, uint32_t n_jobs)
{
    struct tern_error err;
    if (tern_embed_start(MEM_MIB, &err) != 0) {
        fprintf(stderr, "golden: %s\n", err.text);
        return 1;
    }
    for (uint32_t i = job; i < m->n; i += n_jobs)
        measure(&m->cells[i]);
    return 0;
}

/** @return every cell was measured */
static bool measure_all(struct matrix *m, uint32_t n_jobs)
{
    for (uint32_t j = 0; j < n_jobs; j++) {
        fflush(NULL);
        if (fork() == 0)
            _exit(run_job(m, j, n_jobs));
    }
    while (wait(NULL) > 0) {
    }
    bool all = true;
    for (uint32_t i = 0; i < m->n; i++)
        all &= m->cells[i].measured;
    return all;
}

/* ---- the table ---- */

static const char header[] =
    "rtt_ms\tbuf_kib\tcc\tloss_pct\tgoodput_kB_s\tresent_permille\ttimeouts\t"
    "silence_ms\n";

/** What names a cell: the first columns of its line. */
static void write_key(const struct cell *c, char *text, size_t cap)
{
    snprintf(text, cap, "%" PRIu32 "\t%" PRIu32 "\t%s\t%" PRIu32 ".%" PRIu32 "\t", c->rtt_ms,
        c->buf_kib, c->kind->name, c->loss_ppm / PPM_PER_PERCENT,
        c->loss_ppm % PPM_PER_PERCENT / (PPM_PER_PERCENT / 10));
}

static void write_line(const struct cell *c, char *text, size_t cap)
{
    const struct transfer_result *r = &c->result;
    write_key(c, text, cap);
    const size_t at = strlen(text);
    snprintf(text + at, cap - at, "%" PRIu64 "\t%" PRIu64 "\t%" PRIu32 "\t%" PRIu64 "\n",
        (r->goodput_bytes_per_s + 500) / 1000,
        (r->segments > 0 ? UINT64_C(1000) * r->retransmits / r->segments : 0), r->timeouts,
        r->silence_ms);
}

static bool write_table(const struct matrix *m, const char *path)
{
    char line[LINE_BYTES];
    FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    if (f == NULL) {
        perror(path);
        return false;
    }
    fputs(header, f);
    for (uint32_t i = 0; i < m->n; i++) {
        write_line(&m->cells[i], line, sizeof line);
        fputs(line, f);
    }
    return fclose(f) == 0;
}

/** The line of the table that begins with `key`. @return false: there is none */
static bool find_line(const char *table, const char *key, char *line, size_t cap)
{
    for (const char *at = table; at != NULL && *at != 0; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, key, strlen(key)) != 0)
            continue;
        snprintf(line, cap, "%.*s\n", (int)strcspn(at, "\n"), at);
        return true;
    }
    return false;
}

static char *read_all(const char *path)
{
    enum { TABLE_BYTES_MAX = CELLS_MAX * LINE_BYTES };
    FILE *f = fopen(path, "r");
    char *text = calloc(1, TABLE_BYTES_MAX + 1);
    if (f == NULL || text == NULL || fread(text, 1, TABLE_BYTES_MAX, f) == 0) {
        fprintf(stderr, "golden: %s: no table to be read\n", path);
        exit(1);
    }
    fclose(f);
    return text;
}

/** @return lines that differ, each of which was printed */
static uint32_t compare(const struct matrix *m, const char *path)
{
    char key[LINE_BYTES], now[LINE_BYTES], then[LINE_BYTES];
    char *table = read_all(path);
    uint32_t n_lines = 0, n_changed = 0;
    for (const char *p = table; *p != 0; p++)
        n_lines += *p == '\n';
    for (uint32_t i = 0; i < m->n; i++) {
        write_key(&m->cells[i], key, sizeof key);
        write_line(&m->cells[i], now, sizeof now);
        if (!find_line(table, key, then, sizeof then))
            snprintf(then, sizeof then, "(none)\n");
        if (strcmp(now, then) == 0)
            continue;
        if (n_changed++ == 0)
            printf("  %s", header);
        printf("- %s+ %s", then, now);
    }
    if (n_lines != m->n + 1) {
        printf("the table has %" PRIu32 " lines, the matrix %" PRIu32 "\n", n_lines, m->n + 1);
        n_changed++;
    }
    free(table);
    return n_changed;
}

/* ---- one cell ---- */

static const struct kind *kind_by_name(const char *name)
{
    for (size_t k = 0; k < COUNT(kinds); k++)
        if (strcmp(kinds[k].name, name) == 0)
            return &kinds[k];
    return NULL;
}

/** `text` is LOSS_PERCENT,RTT_MS,BUF_KIB,CC: any numbers, those of the matrix or others */
static int show_cell(const char *text, bool traced)
{
    char name[32];
    double percent;
    struct cell c = {0};
    const int n =
        sscanf(text, "%lf,%" SCNu32 ",%" SCNu32 ",%31s", &percent, &c.rtt_ms, &c.buf_kib, name);
    c.kind = n == 4 ? kind_by_name(name) : NULL;
    struct tern_error err;
    if (c.kind == NULL || c.buf_kib == 0 || percent < 0 || percent > 100) {
        fprintf(stderr, "golden: '%s' is no cell; one is 2,100,1024,cubic\n", text);
        return 2;
    }
    c.loss_ppm = (uint32_t)(percent * PPM_PER_PERCENT + 0.5);
    if (tern_embed_start(MEM_MIB, &err) != 0) {
        fprintf(stderr, "golden: %s\n", err.text);
        return 1;
    }
    for (uint64_t seed = 1; seed <= (traced ? 1 : SEEDS); seed++) {
        struct transfer_result r;
        if (!run_once(&c, seed, traced ? stdout : NULL, &r))
            return 1;
        printf("seed %" PRIu64 ": %" PRIu64 " B/s over %" PRIu64 " ms, %" PRIu32
               " segments, %" PRIu32 " sent again, %" PRIu32 " timeouts, longest silence %" PRIu64
               " ms\n",
            seed, r.goodput_bytes_per_s, r.measured_ms, r.segments, r.retransmits, r.timeouts,
            r.silence_ms);
    }
    return 0;
}

/* ---- command line ---- */

static int usage(void)
{
    fputs("usage: golden --write FILE | --check FILE   [--jobs N]\n"
          "       golden --cell LOSS_PERCENT,RTT_MS,BUF_KIB,CC   [--trace]\n",
        stderr);
    return 2;
}

static int run_matrix(const char *write_to, const char *check, uint32_t n_jobs)
{
    struct matrix *m =
        mmap(NULL, sizeof *m, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED)
        return 1;
    fill(m);
    if (!measure_all(m, n_jobs)) {
        fprintf(stderr, "golden: not every cell could be measured\n");
        return 1;
    }
    if (write_to != NULL)
        return !write_table(m, write_to);
    const uint32_t n_changed = compare(m, check);
    printf("golden: %" PRIu32 " of %" PRIu32 " cells changed\n", n_changed, m->n);
    if (n_changed != 0)
        printf("golden: '-' is %s, '+' is measured. If the change is meant: ./dev golden, and "
               "commit the table and the picture\n",
            check);
    return n_changed != 0;
}

int main(int argc, char **argv)
{
    const char *write_to = NULL, *check = NULL, *cell = NULL;
    uint32_t n_jobs = 1;
    bool traced = false;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--trace") == 0)
            traced = true;
        else if (value == NULL)
            return usage();
        else if (strcmp(argv[i], "--write") == 0)
            write_to = argv[++i];
        else if (strcmp(argv[i], "--check") == 0)
            check = argv[++i];
        else if (strcmp(argv[i], "--cell") == 0)
            cell = argv[++i];
        else if (strcmp(argv[i], "--jobs") == 0)
            n_jobs = (uint32_t)strtoul(argv[++i], NULL, 10);
        else
            return usage();
    }
    if (cell != NULL)
        return show_cell(cell, traced);
    if ((write_to == NULL) == (check == NULL) || n_jobs < 1 || n_jobs > JOBS_MAX)
        return usage();
    return run_matrix(write_to, check, n_jobs);
}
