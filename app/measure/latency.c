/* SPDX-License-Identifier: BSD-3-Clause */
#include "latency.h"

#include <inttypes.h>
#include <stdlib.h>

#define PERCENT(name, percent, json) percent,
static const double percents[] = {APP_PERCENTILE_LIST(PERCENT)};
#undef PERCENT
#define NAME(name, percent, json) json,
static const char *const names[] = {APP_PERCENTILE_LIST(NAME)};
#undef NAME

void app_latency_of(const struct app_hist *h, struct app_latency *out)
{
    *out = (struct app_latency){
        .n = app_hist_n(h),
        .mean_ns = app_hist_mean_ns(h),
        .max_ns = h->max_ns,
    };
    app_hist_percentiles(h, percents, APP_PERCENTILE_COUNT, out->percentile_ns);
}

/* ---- for people ---- */

char *app_latency_text(double ns, char buf[APP_LATENCY_TEXT_BYTES])
{
    static const char *const units[] = {"ns", "us", "ms", "s "};
    uint32_t unit = 0;
    for (; ns >= 999.5 && unit < 3; unit++)
        ns /= 1000;
    const int decimals = unit == 0 || ns >= 99.95 ? 0 : ns >= 9.995 ? 1 : 2;
    snprintf(buf, APP_LATENCY_TEXT_BYTES, "%.*f %s", decimals, ns, units[unit]);
    return buf;
}

static void print_time(FILE *out, double ns)
{
    char text[APP_LATENCY_TEXT_BYTES];
    fprintf(out, " %9s", app_latency_text(ns, text));
}

static void print_row(FILE *out, const char *name, const struct app_latency *l)
{
    static const enum app_percentile shown[] = {APP_P50, APP_P90, APP_P99, APP_P99_9, APP_P99_99};
    fprintf(out, "    %-10s %11" PRIu64, name, l->n);
    print_time(out, l->mean_ns);
    for (uint32_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        print_time(out, (double)l->percentile_ns[shown[i]]);
    print_time(out, (double)l->max_ns);
    fputc('\n', out);
}

void app_latency_report(FILE *out, const struct app_hist *hist)
{
    bool any = false;
    for (uint32_t m = 0; m < APP_METRIC_COUNT; m++) {
        struct app_latency l;
        app_latency_of(&hist[m], &l);
        if (l.n == 0)
            continue;
        if (!any)
            fprintf(out, "  latency %18s %9s %9s %9s %9s %9s %9s %9s\n", "n", "mean", "p50", "p90",
                "p99", "p99.9", "p99.99", "max");
        any = true;
        print_row(out, app_metric_name((enum app_metric)m), &l);
    }
}

/* ---- for programs ---- */

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

/* One line, where an array would be thousands. */
static json_t *buckets(const struct app_hist *h)
{
    char *text = NULL;
    size_t n_bytes = 0;
    FILE *out = open_memstream(&text, &n_bytes);
    if (out == NULL)
        return NULL;
    const char *comma = "";
    for (uint32_t i = 0; i < APP_HIST_BUCKETS; i++)
        if (h->counts[i] != 0) {
            fprintf(out, "%s%" PRIu64 ":%" PRIu64, comma, app_hist_highest_ns(i), h->counts[i]);
            comma = ",";
        }
    json_t *list = fclose(out) == 0 ? json_string(text) : NULL;
    free(text);
    return list;
}

static json_t *metric(const struct app_hist *h)
{
    struct app_latency l;
    app_latency_of(h, &l);
    json_t *o = json_pack(
        "{s:o, s:f, s:o}", "n", count(l.n), "mean_ns", l.mean_ns, "max_ns", count(l.max_ns));
    json_t *p = json_object();
    for (uint32_t i = 0; i < APP_PERCENTILE_COUNT; i++)
        json_object_set_new(p, names[i], count(l.percentile_ns[i]));
    json_object_set_new(o, "percentiles_ns", p);
    json_object_set_new(o, "histogram", buckets(h));
    return o;
}

json_t *app_latency_json(const struct app_hist *hist)
{
    json_t *o = json_object();
    for (uint32_t m = 0; m < APP_METRIC_COUNT; m++)
        if (app_hist_n(&hist[m]) != 0)
            json_object_set_new(o, app_metric_name((enum app_metric)m), metric(&hist[m]));
    return o;
}
