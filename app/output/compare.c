/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Noise is what the seconds of a run differ by among themselves. Two runs differ when the middle
 * halves of their steady seconds do not overlap: half of all seconds of the one were beyond the
 * usual of the other. That needs no distribution, is not moved by a few wild seconds, and does not
 * call a difference real because a run was long. Counts of failures have no seconds to speak of:
 * their noise is that of counting (Poisson), of which three standard deviations are asked.
 *
 * Seconds of one run do not show what differs from run to run; the text says so.
 *
 * Rejected: a t-test over seconds. They are neither normal nor independent, and it finds
 * "significant" differences of no size in every long run.
 */
#include "compare.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { SECONDS_MIN = 10, DEVIATIONS = 3 };
#define FLOOR 0.005 /* of a figure: less is not told from the instrument's own grain */

static const char differs[] = "differs", within[] = "within noise",
                  too_short[] = "too short to tell";
static const char note[] =
    "'differs': the middle halves of the steady seconds do not overlap, or the counts are three "
    "deviations apart. This is the noise within a run; repeat one to see how much runs differ.";

/* ---- figures ---- */

static const char *judge_spreads(const struct app_spread *a, const struct app_spread *b)
{
    if (a->n < SECONDS_MIN || b->n < SECONDS_MIN)
        return too_short;
    const bool apart = a->low > b->high || b->low > a->high;
    return apart && fabs(a->median - b->median) > FLOOR * fmax(a->median, b->median) ? differs
                                                                                     : within;
}

static struct app_figure *next_figure(struct app_comparison *c, const char *unit)
{
    if (c->n_figures == APP_FIGURES_MAX)
        return NULL;
    struct app_figure *f = &c->figures[c->n_figures];
    *f = (struct app_figure){.unit = unit};
    return f;
}

/* Nothing where one of them has no such figure, or both have none of it. */
static void add_series(
    struct app_comparison *c, const char *name, const char *column, const char *unit, bool a_second)
{
    struct app_figure *f = next_figure(c, unit);
    if (f == NULL)
        return;
    snprintf(f->name, sizeof f->name, "%s", name);
    app_kept_spread(c->a, column, a_second, &f->of_a);
    app_kept_spread(c->b, column, a_second, &f->of_b);
    if (f->of_a.n == 0 || f->of_b.n == 0 || (f->of_a.high <= 0 && f->of_b.high <= 0))
        return;
    f->has_spread = true;
    f->a = f->of_a.median;
    f->b = f->of_b.median;
    f->verdict = judge_spreads(&f->of_a, &f->of_b);
    c->n_figures++;
}

static void add_rates(struct app_comparison *c)
{
    add_series(c, "connections a second", "established", "count", true);
    add_series(c, "requests a second", "requests", "count", true);
    add_series(c, "bytes up a second", "up_bytes", "count", true);
    add_series(c, "bytes down a second", "down_bytes", "count", true);
}

static void add_times(struct app_comparison *c)
{
    static const char *const metrics[] = {"connect", "first_byte", "complete", "close"};
    static const char *const shown[] = {"p50", "p99", "p99_9", "max"};
    for (size_t m = 0; m < sizeof metrics / sizeof metrics[0]; m++)
        for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
            char name[APP_FIGURE_BYTES], column[APP_FIGURE_BYTES];
            snprintf(name, sizeof name, "%s %s", metrics[m], shown[i]);
            snprintf(column, sizeof column, "%s_%s_ns", metrics[m], shown[i]);
            for (char *p = name; *p != '\0'; p++)
                *p = *p == '_' ? (p[1] == '9' ? '.' : ' ') : *p;
            add_series(c, name, column, "ns", false);
        }
}

static void add_failed(struct app_comparison *c)
{
    uint64_t fail_a, fail_b, n_a, n_b;
    struct app_figure *f = next_figure(c, "share");
    app_kept_failed(c->a, &fail_a, &n_a);
    app_kept_failed(c->b, &fail_b, &n_b);
    if (f == NULL || n_a == 0 || n_b == 0)
        return;
    snprintf(f->name, sizeof f->name, "failed");
    f->a = (double)fail_a / (double)n_a;
    f->b = (double)fail_b / (double)n_b;
    const double all = (double)(fail_a + fail_b) / (double)(n_a + n_b);
    const double deviation = sqrt(all * (1 - all) * (1 / (double)n_a + 1 / (double)n_b));
    f->verdict = fabs(f->a - f->b) > DEVIATIONS * deviation ? differs : within;
    c->n_figures++;
}

/* ---- options ---- */

static void add_option(json_t *list, const char *name, json_t *a, json_t *b)
{
    json_array_append_new(list, json_pack("{s:s, s:O?, s:O?}", "name", name, "a", a, "b", b));
}

/* Those of A that B has otherwise or not; then those that only B has. */
static json_t *differing_options(const struct app_kept *a, const struct app_kept *b)
{
    json_t *of_a = json_object_get(a->root, "options"), *of_b = json_object_get(b->root, "options");
    json_t *list = json_array(), *value;
    const char *name;
    static const char *const asked[] = {"command", "scenario", "device"};
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
        if (json_equal(json_object_get(a->root, asked[i]), json_object_get(b->root, asked[i])) == 0)
            add_option(list, asked[i], json_object_get(a->root, asked[i]),
                json_object_get(b->root, asked[i]));
    json_object_foreach(of_a, name, value) if (json_equal(value, json_object_get(of_b, name)) == 0)
        add_option(list, name, value, json_object_get(of_b, name));
    json_object_foreach(of_b, name, value) if (json_object_get(of_a, name) == NULL)
        add_option(list, name, NULL, value);
    return list;
}

void app_compare(const struct app_kept *a, const struct app_kept *b, struct app_comparison *out)
{
    *out = (struct app_comparison){.a = a, .b = b, .options = differing_options(a, b)};
    add_rates(out);
    add_times(out);
    add_failed(out);
}

void app_compare_free(struct app_comparison *c)
{
    json_decref(c->options);
}

/* ---- for people ---- */

enum { CELL_BYTES = 32, OPTION_BYTES = 256 };

static char *figure_text(double x, const char *unit, char buf[CELL_BYTES])
{
    static const char *const units[] = {"ns", "us", "ms", "s"};
    uint32_t i = 0;
    if (strcmp(unit, "share") == 0)
        snprintf(buf, CELL_BYTES, "%.3g %%", 100 * x);
    else if (strcmp(unit, "count") == 0)
        snprintf(buf, CELL_BYTES, "%.0f", x);
    else {
        for (; x >= 999.5 && i < 3; i++)
            x /= 1000;
        snprintf(buf, CELL_BYTES, "%.3g %s", x, units[i]);
    }
    return buf;
}

static void print_figure(FILE *out, const struct app_figure *f)
{
    char a[CELL_BYTES], b[CELL_BYTES], ratio[CELL_BYTES] = "-";
    if (f->a > 0)
        snprintf(ratio, sizeof ratio, "%.3f", f->b / f->a);
    fprintf(out, "    %-22s %14s %14s %8s  %s\n", f->name, figure_text(f->a, f->unit, a),
        figure_text(f->b, f->unit, b), ratio, f->verdict);
}

/* As it was typed, with what a terminal would act on made harmless. */
static const char *option_text(const json_t *value, char buf[OPTION_BYTES])
{
    size_t used = 0;
    buf[0] = '\0';
    const size_t n = json_is_array(value) ? json_array_size(value) : 1;
    for (size_t i = 0; i < n && used < OPTION_BYTES; i++) {
        const char *text =
            json_string_value(json_is_array(value) ? json_array_get(value, i) : value);
        const int more = snprintf(
            buf + used, OPTION_BYTES - used, "%s%s", i == 0 ? "" : ",", text == NULL ? "-" : text);
        used += more > 0 ? (size_t)more : 0;
    }
    for (char *p = buf; *p != '\0'; p++)
        *p = (unsigned char)*p < ' ' || *p == '\x7f' ? '?' : *p;
    return buf;
}

static void print_options(FILE *out, const struct app_comparison *c)
{
    char a[OPTION_BYTES], b[OPTION_BYTES], name[OPTION_BYTES];
    const size_t n = json_array_size(c->options);
    fprintf(out, n == 0 ? "  both were asked the same\n" : "  options that differ\n");
    for (size_t i = 0; i < n; i++) {
        const json_t *o = json_array_get(c->options, i);
        fprintf(out, "    %-22s %14s %14s\n", option_text(json_object_get(o, "name"), name),
            option_text(json_object_get(o, "a"), a), option_text(json_object_get(o, "b"), b));
    }
}

static void print_validity(FILE *out, const char *which, const struct app_kept *k)
{
    char text[OPTION_BYTES];
    if (json_is_true(json_object_get(k->root, "valid")))
        return;
    fprintf(out, "  %s is NOT VALID\n", which);
    const json_t *reasons = json_object_get(k->root, "invalid_reasons");
    for (size_t i = 0; i < json_array_size(reasons); i++)
        fprintf(out, "    %s\n", option_text(json_array_get(reasons, i), text));
}

void app_compare_print(FILE *out, const struct app_comparison *c)
{
    fprintf(out, "A  %s\nB  %s\n", c->a->path, c->b->path);
    print_options(out, c);
    print_validity(out, "A", c->a);
    print_validity(out, "B", c->b);
    fprintf(out, "  %-24s %14s %14s %8s\n", "median of a second", "A", "B", "B/A");
    for (uint32_t i = 0; i < c->n_figures; i++)
        print_figure(out, &c->figures[i]);
    fprintf(out, "\n%s\n", note);
}

/* ---- for the page ---- */

static json_t *spread_json(const struct app_figure *f, const struct app_spread *s)
{
    return f->has_spread ? json_pack("[f, f]", s->low, s->high) : json_null();
}

static json_t *figure_json(const struct app_figure *f)
{
    return json_pack("{s:s, s:s, s:f, s:f, s:o, s:o, s:o, s:s}", "name", f->name, "unit", f->unit,
        "a", f->a, "b", f->b, "ratio", f->a > 0 ? json_real(f->b / f->a) : json_null(), "spread_a",
        spread_json(f, &f->of_a), "spread_b", spread_json(f, &f->of_b), "verdict", f->verdict);
}

json_t *app_compare_json(const struct app_comparison *c)
{
    json_t *rows = json_array();
    for (uint32_t i = 0; i < c->n_figures; i++)
        json_array_append_new(rows, figure_json(&c->figures[i]));
    const bool same_name = strcmp(c->a->name, c->b->name) == 0;
    return json_pack("{s:[{s:s, s:O}, {s:s, s:O}], s:{s:s, s:O, s:o}}", "runs", "name",
        same_name ? c->a->path : c->a->name, "result", c->a->root, "name",
        same_name ? c->b->path : c->b->name, "result", c->b->root, "compare", "note", note,
        "options", c->options, "rows", rows);
}
