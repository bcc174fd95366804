/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Three groups, one behind the other: what a second counted, what each metric's times came to, how
 * busy each worker was. A column's index says its group and its place there.
 */
#include "columns.h"

#include <stddef.h>
#include <stdio.h>

struct counted {
    const char *name;
    size_t offset; /* of a uint64_t in struct app_second */
};

#define COUNTED(name, field)                                                                       \
    {                                                                                              \
        name, offsetof(struct app_second, field)                                                   \
    }
static const struct counted counted[] = {
    COUNTED("opened", opened),
    COUNTED("established", established),
    COUNTED("closed", closed),
    COUNTED("failed", failed),
    COUNTED("requests", requests),
    COUNTED("open_now", open_now),
    COUNTED("up_bytes", up_bytes),
    COUNTED("down_bytes", down_bytes),
    COUNTED("retransmits", retransmits),
    COUNTED("rx_packets", rx_packets),
    COUNTED("tx_packets", tx_packets),
    COUNTED("drops", drops),
    COUNTED("late", late),
    COUNTED("held_back", held_back),
};

enum { COLUMN_TIME, COLUMN_LENGTH, COLUMN_PHASE, N_PLAIN };
static const char *const plain[N_PLAIN] = {"time_s", "length_s", "phase"};

enum { TIMES_N, TIMES_MEAN, TIMES_PERCENTILES };
enum {
    TIMES_MAX = TIMES_PERCENTILES + APP_PERCENTILE_COUNT,
    N_TIMES,
    N_COUNTED = sizeof counted / sizeof counted[0],
    FIRST_TIMES = N_PLAIN + N_COUNTED,
    FIRST_BUSY = FIRST_TIMES + APP_METRIC_COUNT * N_TIMES,
};

#define NAME(name, percent, text) text,
static const char *const percentile_names[] = {APP_PERCENTILE_LIST(NAME)};
#undef NAME

uint32_t app_columns_n(const struct app_columns *c)
{
    uint32_t n = FIRST_BUSY;
    for (uint32_t ep = 0; ep < c->n_ends; ep++)
        n += c->n_workers[ep];
    return n;
}

/* Which worker of which end column `i` is about. @return the worker */
static uint32_t worker_of(const struct app_columns *c, uint32_t i, uint32_t *ep)
{
    i -= FIRST_BUSY;
    for (*ep = 0; *ep + 1 < c->n_ends && i >= c->n_workers[*ep]; (*ep)++)
        i -= c->n_workers[*ep];
    return i;
}

/* ---- names ---- */

static void name_time(uint32_t i, char buf[APP_COLUMN_NAME_BYTES])
{
    const char *metric = app_metric_name((enum app_metric)(i / N_TIMES));
    const uint32_t what = i % N_TIMES;
    if (what == TIMES_N)
        snprintf(buf, APP_COLUMN_NAME_BYTES, "%s_n", metric);
    else if (what == TIMES_MEAN || what == TIMES_MAX)
        snprintf(
            buf, APP_COLUMN_NAME_BYTES, "%s_%s_ns", metric, what == TIMES_MAX ? "max" : "mean");
    else
        snprintf(buf, APP_COLUMN_NAME_BYTES, "%s_%s_ns", metric,
            percentile_names[what - TIMES_PERCENTILES]);
}

char *app_column_name(const struct app_columns *c, uint32_t i, char buf[APP_COLUMN_NAME_BYTES])
{
    uint32_t ep;
    if (i < N_PLAIN)
        snprintf(buf, APP_COLUMN_NAME_BYTES, "%s", plain[i]);
    else if (i < FIRST_TIMES)
        snprintf(buf, APP_COLUMN_NAME_BYTES, "%s", counted[i - N_PLAIN].name);
    else if (i < FIRST_BUSY)
        name_time(i - FIRST_TIMES, buf);
    else {
        const uint32_t worker = worker_of(c, i, &ep);
        snprintf(buf, APP_COLUMN_NAME_BYTES, "busy_%.32s_%u", c->end_names[ep], worker);
    }
    return buf;
}

bool app_column_is_always(uint32_t i)
{
    return i < FIRST_TIMES || i >= FIRST_BUSY;
}

/* ---- cells ---- */

static struct app_cell count(uint64_t n)
{
    return (struct app_cell){.kind = APP_CELL_COUNT, .count = n};
}

static struct app_cell real(double x)
{
    return (struct app_cell){.kind = APP_CELL_REAL, .real = x};
}

static struct app_cell plain_cell(uint32_t i, const struct app_second *s)
{
    if (i == COLUMN_PHASE)
        return (struct app_cell){.kind = APP_CELL_TEXT, .text = app_phase_name(s->phase)};
    return real((double)(i == COLUMN_TIME ? s->at_ns : s->length_ns) / 1e9);
}

static struct app_cell time_cell(uint32_t i, const struct app_second *s)
{
    const struct app_latency *l = &s->latency[i / N_TIMES];
    const uint32_t what = i % N_TIMES;
    if (what == TIMES_N)
        return count(l->n);
    if (l->n == 0)
        return (struct app_cell){.kind = APP_CELL_EMPTY};
    if (what == TIMES_MEAN)
        return real(l->mean_ns);
    return count(what == TIMES_MAX ? l->max_ns : l->percentile_ns[what - TIMES_PERCENTILES]);
}

struct app_cell app_column_cell(const struct app_columns *c, uint32_t i, const struct app_second *s)
{
    uint32_t ep;
    if (i < N_PLAIN)
        return plain_cell(i, s);
    if (i < FIRST_TIMES)
        return count(*(const uint64_t *)((const char *)s + counted[i - N_PLAIN].offset));
    if (i < FIRST_BUSY)
        return time_cell(i - FIRST_TIMES, s);
    const uint32_t worker = worker_of(c, i, &ep);
    return real((double)s->busy[ep][worker]);
}
