/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Log format 1.3: a line an interval and a metric, the metric as the tag. What is timed behind the
 * last whole second goes into lines of their own at the end, made of all times less those written,
 * so that the file adds up to the run. A second that the disk had no room for is among them, too.
 */
#include "hlog.h"

#include "../error.h"
#include "../run.h"
#include "hdr.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HEADER_BYTES = 512 };

static int write_header(struct app_hlog *log)
{
    char text[HEADER_BYTES], date[64] = "";
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    if (gmtime_r(&now.tv_sec, &utc) != NULL)
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    const int n = snprintf(text, sizeof text,
        "#[Times in ns, from the intended start; written by tern %s]\n"
        "#[Histogram log format version 1.3]\n"
        "#[StartTime: %lld.%03ld (seconds since epoch), %s]\n"
        "#[BaseTime: %lld.%03ld (seconds since epoch)]\n"
        "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
        "\"Interval_Compressed_Histogram\"\n",
        TERN_VERSION, (long long)now.tv_sec, now.tv_nsec / 1000000, date, (long long)now.tv_sec,
        now.tv_nsec / 1000000);
    return app_lines_add(&log->lines, text, (size_t)n);
}

static int begin(void *self, const struct app_run *run, struct tern_error *err)
{
    struct app_hlog *log = self;
    if (run->load == NULL || run->load->cfg.no_times)
        return app_refuse(err, "--hlog: this run times nothing; leave --hlog out");
    log->ramp_ns = run->load->cfg.ramp_ns;
    int rc = app_lines_open(&log->lines, "--hlog", log->path, err);
    if (rc != 0)
        return rc;
    log->written = calloc(APP_METRIC_COUNT, sizeof *log->written);
    if (log->written == NULL)
        return app_refuse(err, "--hlog: out of memory; leave --hlog out");
    rc = write_header(log);
    log->lines.n_added = 0; /* seconds, from here on */
    if (rc != 0)
        app_refuse(
            err, "--hlog: cannot write %.200s: %s; type another path", log->path, strerror(-rc));
    return rc;
}

static void put_interval(
    FILE *out, enum app_metric m, const struct app_hist *h, uint64_t from_ns, uint64_t length_ns)
{
    static const double all = 100;
    uint64_t max_ns;
    app_hist_percentiles(h, &all, 1, &max_ns);
    char *encoded = app_hist_n(h) == 0 ? NULL : app_hdr_encode(h);
    if (encoded != NULL)
        fprintf(out, "Tag=%s,%.3f,%.3f,%.3f,%s\n", app_metric_name(m), (double)from_ns / 1e9,
            (double)length_ns / 1e9, (double)max_ns / 1e6, encoded);
    free(encoded);
}

/* The lines of an interval are added together, or not at all. */
static void add_interval(
    struct app_hlog *log, const struct app_hist *times, uint64_t from_ns, uint64_t length_ns)
{
    char *text = NULL;
    size_t n_bytes = 0;
    FILE *out = open_memstream(&text, &n_bytes);
    if (out == NULL)
        return;
    for (int m = 0; m < APP_METRIC_COUNT; m++)
        put_interval(out, (enum app_metric)m, &times[m], from_ns, length_ns);
    const uint64_t n_added = log->lines.n_added;
    if (fclose(out) == 0 && n_bytes != 0)
        app_lines_add_or_tell(&log->lines, text, n_bytes);
    free(text);
    for (int m = 0; m < APP_METRIC_COUNT && log->lines.n_added != n_added; m++)
        app_hist_merge(&log->written[m], &times[m]);
}

static void second(void *self, const struct app_second *s)
{
    struct app_hlog *log = self;
    if (s->times != NULL)
        add_interval(log, s->times, s->at_ns - s->length_ns, s->length_ns);
    log->last_ns = s->at_ns;
}

/* What is in no line yet. @param end_ns  of the steady part */
static void add_rest(struct app_hlog *log, const struct app_hist *all, uint64_t end_ns)
{
    const uint64_t length_ns = end_ns > log->last_ns ? end_ns - log->last_ns : 0;
    struct app_hist *rest = calloc(APP_METRIC_COUNT, sizeof *rest);
    for (int m = 0; m < APP_METRIC_COUNT && rest != NULL; m++) {
        rest[m] = all[m];
        app_hist_subtract(&rest[m], &log->written[m]);
    }
    if (rest != NULL)
        add_interval(log, rest, log->last_ns, length_ns);
    free(rest);
}

static int end(void *self, const struct app_result *r, struct tern_error *err)
{
    struct app_hlog *log = self;
    (void)err;
    if (r->times != NULL)
        add_rest(log, r->times, log->ramp_ns + (uint64_t)(r->duration_s * 1e9));
    app_lines_tell_lost(&log->lines);
    return 0;
}

static void close_hlog(void *self)
{
    struct app_hlog *log = self;
    app_lines_close(&log->lines);
    free(log->written);
    log->written = NULL;
}

const struct app_observer_ops app_hlog_observer = {
    .name = "hlog",
    .begin = begin,
    .second = second,
    .end = end,
    .close = close_hlog,
};
