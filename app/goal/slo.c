/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A goal is read by its parts: figure, order, limit. What each figure may be compared with stands
 * in one table: a time with a duration, the rest with a number or with a part of something.
 *
 * A percentile is the time of a rank. Where fewer than APP_SLO_BEYOND_MIN times lie beyond it, the
 * next run would put another time there: such a goal is neither met nor missed, but has too few
 * samples, and the run did not show what was asked of it.
 */
#include "slo.h"

#include "../error.h"
#include "../value.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_NS   UINT64_C(3600000000000)
#define COUNT_MAX (UINT64_C(1) << 48)
#define PPM       1e6
#define KNOWN                                                                                        \
    "p50…p99.999, mean, max (each with :connect, :first_byte, :complete or :close), failed, rate " \
    "or retransmits"

/* ---- from text ---- */

static const struct {
    const char *name;
    enum app_slo_figure figure;
} figures[] = {
    {"mean", APP_SLO_MEAN},
    {"max", APP_SLO_MAX},
    {"failed", APP_SLO_FAILED},
    {"rate", APP_SLO_RATE},
    {"retransmits", APP_SLO_RETRANSMITS},
};
enum { N_FIGURES = sizeof figures / sizeof figures[0] };

/* "p99.9": digits with a fraction, below 100. */
static bool read_percentile(struct app_slo_goal *g, const char *name)
{
    enum { DIGITS_MAX = 8 };
    const char *digits = name + 1;
    const size_t n = strspn(digits, "0123456789."), n_whole = strspn(digits, "0123456789");
    if (name[0] != 'p' || n_whole == 0 || n > DIGITS_MAX || digits[n] != '\0')
        return false;
    char *end;
    g->figure = APP_SLO_PERCENTILE;
    g->percent = strtod(digits, &end);
    return *end == '\0' && g->percent > 0 && g->percent < 100;
}

static bool read_figure(struct app_slo_goal *g, const char *name)
{
    for (int i = 0; i < N_FIGURES; i++)
        if (strcmp(figures[i].name, name) == 0) {
            g->figure = figures[i].figure;
            return true;
        }
    return read_percentile(g, name);
}

/* @param name  behind the colon; NULL: none */
static bool read_metric(struct app_slo_goal *g, const char *name)
{
    g->metric = APP_METRIC_COMPLETE;
    g->says_metric = name != NULL;
    if (name == NULL)
        return true;
    for (int m = 0; m < APP_METRIC_FAILED; m++)
        if (strcmp(app_metric_name((enum app_metric)m), name) == 0) {
            g->metric = (enum app_metric)m;
            return app_slo_is_time(g);
        }
    return false;
}

static int read_limit(struct app_slo_goal *g, const char *text, struct tern_error *err)
{
    uint64_t n = 0;
    int rc;
    const bool has_share_unit = strchr(text, '%') != NULL || strstr(text, "ppm") != NULL;
    g->is_share = !app_slo_is_time(g) && has_share_unit;
    if (app_slo_is_time(g))
        rc = app_value_ns("--slo", text, 1, HOUR_NS, &n, err);
    else if (g->is_share)
        rc = app_value_ppm("--slo", text, (uint64_t)PPM, &n, err);
    else
        rc = app_value_u64("--slo", text, 0, COUNT_MAX, &n, err);
    g->limit = g->is_share ? (double)n / PPM : (double)n;
    return rc;
}

/* A rate has a lower bound, everything else an upper one: the other way round is a slip. */
static int check_order(const struct app_slo_goal *g, struct tern_error *err)
{
    const bool is_least = g->order >= APP_SLO_ABOVE;
    if (is_least == (g->figure == APP_SLO_RATE))
        return 0;
    return app_refuse(
        err, "--slo: '%s' asks for what is worse; type it with %s", g->text, is_least ? "<" : ">=");
}

/* `text` is cut into its parts. */
static int read_goal(struct app_slo_goal *g, char *text, struct tern_error *err)
{
    char *order = text + strcspn(text, "<>");
    const bool has_equal = order[0] != '\0' && order[1] == '=';
    char *limit = order + (order[0] == '\0' ? 0 : 1 + has_equal);
    if (order[0] == '>')
        g->order = has_equal ? APP_SLO_AT_LEAST : APP_SLO_ABOVE;
    else
        g->order = has_equal ? APP_SLO_AT_MOST : APP_SLO_BELOW;
    if (*limit == '\0')
        return app_refuse(err, "--slo: '%s' has no limit; type such as p99<2ms", g->text);
    *order = '\0';
    char *metric = strchr(text, ':');
    if (metric != NULL)
        *metric++ = '\0';
    if (!read_figure(g, text) || !read_metric(g, metric))
        return app_refuse(err, "--slo: '%s' begins with no known figure; type " KNOWN, g->text);
    const int rc = read_limit(g, limit, err);
    return rc == 0 ? check_order(g, err) : rc;
}

static int add_goal(struct app_slo *slo, const char *text, size_t n, struct tern_error *err)
{
    if (slo->n == APP_SLO_GOALS_MAX)
        return app_refuse(err, "--slo: more than %d goals; leave some out", APP_SLO_GOALS_MAX);
    struct app_slo_goal *g = &slo->of[slo->n];
    char copy[APP_SLO_TEXT_BYTES];
    size_t n_kept = 0;
    *g = (struct app_slo_goal){.percent = 0};
    for (size_t i = 0; i < n; i++) {
        if (isspace((unsigned char)text[i]))
            continue;
        if (n_kept == sizeof copy - 1)
            return app_refuse(
                err, "--slo: '%.*s…' is too long; type such as p99<2ms", (int)n_kept, text);
        g->text[n_kept] = copy[n_kept] = text[i];
        n_kept++;
    }
    copy[n_kept] = '\0';
    const int rc = read_goal(g, copy, err);
    slo->n += rc == 0;
    return rc;
}

int app_slo_add(struct app_slo *slo, const char *text, struct tern_error *err)
{
    for (;;) {
        const size_t n = strcspn(text, ",");
        const int rc = add_goal(slo, text, n, err);
        if (rc != 0 || text[n] == '\0')
            return rc;
        text += n + 1;
    }
}

uint64_t app_slo_samples(const struct app_slo *slo)
{
    double most = 0;
    for (uint32_t i = 0; i < slo->n; i++) {
        const struct app_slo_goal *g = &slo->of[i];
        const double needs =
            g->figure == APP_SLO_PERCENTILE ? APP_SLO_BEYOND_MIN * 100 / (100 - g->percent) : 0;
        most = needs > most ? needs : most;
    }
    return (uint64_t)most + (most > 0);
}

/* ---- verdicts ---- */

const char *app_slo_verdict_name(enum app_slo_verdict v)
{
    static const char *const names[] = {"met", "missed", "too few samples"};
    return names[v];
}

static bool is_met(const struct app_slo_goal *g, double value)
{
    switch (g->order) {
    case APP_SLO_BELOW: return value < g->limit;
    case APP_SLO_AT_MOST: return value <= g->limit;
    case APP_SLO_ABOVE: return value > g->limit;
    case APP_SLO_AT_LEAST: return value >= g->limit;
    }
    return false;
}

/* Of n that were timed. */
static bool supports(const struct app_slo_goal *g, uint64_t n)
{
    if (g->figure != APP_SLO_PERCENTILE)
        return n > 0;
    return (double)n * (100 - g->percent) / 100 >= APP_SLO_BEYOND_MIN * (1 - 1e-9);
}

static double time_of(const struct app_slo_goal *g, const struct app_hist *h)
{
    uint64_t ns = h->max_ns;
    if (g->figure == APP_SLO_MEAN)
        return app_hist_mean_ns(h);
    if (g->figure == APP_SLO_PERCENTILE)
        app_hist_percentiles(h, &g->percent, 1, &ns);
    return (double)ns;
}

static double part(double value, double of, bool is_share)
{
    if (!is_share)
        return value;
    return of > 0 ? value / of : 0;
}

/* @return false: what was counted says nothing about it */
static bool figure_of(const struct app_slo_goal *g, const struct app_slo_facts *f, double *out)
{
    switch (g->figure) {
    case APP_SLO_PERCENTILE:
    case APP_SLO_MEAN:
    case APP_SLO_MAX: {
        const struct app_hist *h = f->times == NULL ? NULL : &f->times[g->metric];
        *out = h == NULL ? 0 : time_of(g, h);
        return h != NULL && supports(g, app_hist_n(h));
    }
    case APP_SLO_FAILED:
        *out = part((double)f->failed, (double)f->attempts, g->is_share);
        return f->attempts > 0;
    case APP_SLO_RATE: *out = part(f->rate, f->rate_goal, g->is_share); return true;
    case APP_SLO_RETRANSMITS:
        *out = part((double)f->retransmits, (double)f->segments, g->is_share);
        return f->segments > 0;
    }
    return false;
}

void app_slo_judge(
    const struct app_slo *slo, const struct app_slo_facts *facts, struct app_slo_outcome *out)
{
    out->met = true;
    for (uint32_t i = 0; i < slo->n; i++) {
        const struct app_slo_goal *g = &slo->of[i];
        const bool says = figure_of(g, facts, &out->of[i].value);
        const bool met = is_met(g, out->of[i].value);
        out->of[i].verdict = !says ? APP_SLO_TOO_FEW : met ? APP_SLO_MET : APP_SLO_MISSED;
        out->met = out->met && out->of[i].verdict == APP_SLO_MET;
    }
}

/* ---- to text ---- */

enum { VALUE_BYTES = 32 };

static char *value_text(const struct app_slo_goal *g, double value, char buf[VALUE_BYTES])
{
    if (app_slo_is_time(g))
        snprintf(buf, VALUE_BYTES, "%.3f ms", value / 1e6);
    else if (g->is_share)
        snprintf(buf, VALUE_BYTES, "%.4f %%", 100 * value);
    else
        snprintf(buf, VALUE_BYTES, "%.0f", value);
    return buf;
}

char *app_slo_why(
    const struct app_slo *slo, const struct app_slo_outcome *o, char *buf, size_t n_bytes)
{
    char value[VALUE_BYTES];
    uint32_t i = 0;
    while (i < slo->n && o->of[i].verdict == APP_SLO_MET)
        i++;
    buf[0] = '\0';
    if (i < slo->n)
        snprintf(buf, n_bytes, "%s: %s, %s", slo->of[i].text,
            value_text(&slo->of[i], o->of[i].value, value), app_slo_verdict_name(o->of[i].verdict));
    return buf;
}

void app_slo_report(FILE *out, const struct app_slo *slo, const struct app_slo_outcome *o)
{
    char value[VALUE_BYTES];
    fprintf(out, "  goals\n");
    for (uint32_t i = 0; i < slo->n; i++)
        fprintf(out, "    %-22s %14s  %s\n", slo->of[i].text,
            value_text(&slo->of[i], o->of[i].value, value), app_slo_verdict_name(o->of[i].verdict));
}

static const char *unit_of(const struct app_slo_goal *g)
{
    if (app_slo_is_time(g))
        return "ns";
    if (g->is_share)
        return "share";
    return g->figure == APP_SLO_RATE ? "per_s" : "count";
}

json_t *app_slo_json(const struct app_slo *slo, const struct app_slo_outcome *o)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < slo->n; i++)
        json_array_append_new(list,
            json_pack("{s:s, s:f, s:s, s:s}", "goal", slo->of[i].text, "value", o->of[i].value,
                "unit", unit_of(&slo->of[i]), "verdict", app_slo_verdict_name(o->of[i].verdict)));
    return list;
}
