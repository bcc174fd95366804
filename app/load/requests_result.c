/* SPDX-License-Identifier: BSD-3-Clause */
#include "requests_result.h"

#include <inttypes.h>

static uint64_t n_asked(const struct app_load_counts *c)
{
    return c->asked[false] + c->asked[true];
}

/* ---- for people ---- */

static void print_count(FILE *out, const char *label, uint64_t n)
{
    if (n != 0)
        fprintf(out, "    %-22s %14" PRIu64 "\n", label, n);
}

void app_requests_report(FILE *out, const struct app_load_counts *c)
{
    char label[] = "answers 1xx";
    if (n_asked(c) == 0)
        return;
    fprintf(out, "  requests\n");
    print_count(out, "asked", n_asked(c));
    print_count(out, "answered", c->answered);
    for (int why = 0; why < APP_FAIL_COUNT; why++)
        print_count(out, app_fail_name((enum app_fail)why), c->wrong[why]);
    print_count(out, "unanswered", c->unanswered);
    for (int i = 1; i < APP_STATUS_CLASSES; i++) {
        label[sizeof "answers"] = (char)('0' + i);
        print_count(out, label, c->status[i]);
    }
    print_count(out, "answers of no class", c->status[0]);
}

/* ---- for programs ---- */

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *failed(const struct app_load_counts *c)
{
    json_t *o = json_object();
    for (int why = 0; why < APP_FAIL_COUNT; why++)
        if (c->wrong[why] != 0)
            json_object_set_new(o, app_fail_name((enum app_fail)why), count(c->wrong[why]));
    return o;
}

static json_t *statuses(const struct app_load_counts *c)
{
    static const char *const names[APP_STATUS_CLASSES] = {
        "other", "1xx", "2xx", "3xx", "4xx", "5xx"};
    json_t *o = json_object();
    for (int i = 0; i < APP_STATUS_CLASSES; i++)
        if (c->status[i] != 0)
            json_object_set_new(o, names[i], count(c->status[i]));
    return o;
}

json_t *app_requests_json(const struct app_load_counts *c, const double *per_s)
{
    json_t *o = json_pack("{s:o}", "answered", count(c->answered));
    if (per_s != NULL)
        json_object_set_new(o, "per_s", json_real(*per_s));
    if (n_asked(c) == 0)
        return o;
    json_object_set_new(o, "asked", count(n_asked(c)));
    json_object_set_new(o, "failed", failed(c));
    json_object_set_new(o, "unanswered", count(c->unanswered));
    json_object_set_new(o, "status", statuses(c));
    return o;
}
