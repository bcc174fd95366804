/* SPDX-License-Identifier: BSD-3-Clause */
#include "parts_result.h"

#include "../measure/latency.h"
#include "../measure/ledger_json.h"
#include "requests_result.h"

#include <inttypes.h>
#include <stdlib.h>

static void read_part(struct app_part *part, const struct app_load *load, uint32_t i)
{
    *part = (struct app_part){
        .name = load->mix.of[i].scenario->name,
        .weight = load->mix.weights[i],
        .times = load->cfg.no_times ? NULL : calloc(APP_METRIC_COUNT, sizeof *part->times),
    };
    app_load_add_counts(load, i, &part->counts);
    app_load_add_ledger(load, i, &part->ledger);
    for (int m = 0; m < APP_METRIC_COUNT && part->times != NULL; m++)
        app_load_add_times(load, i, (enum app_metric)m, &part->times[m]);
}

void app_parts_read(struct app_parts *parts, const struct app_load *load)
{
    parts->n = load->cfg.mix == NULL ? 0 : load->mix.n;
    for (uint32_t i = 0; i < parts->n; i++)
        read_part(&parts->of[i], load, i);
}

void app_parts_free(struct app_parts *parts)
{
    for (uint32_t i = 0; i < parts->n; i++)
        free(parts->of[i].times);
    parts->n = 0;
}

static uint32_t sum_of_weights(const struct app_parts *parts)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < parts->n; i++)
        sum += parts->of[i].weight;
    return sum;
}

/* ---- for people ---- */

static void print_count(FILE *out, const char *label, uint64_t n)
{
    if (n != 0)
        fprintf(out, "    %-22s %14" PRIu64 "\n", label, n);
}

static void print_part(FILE *out, const struct app_part *part)
{
    const struct app_ledger *l = &part->ledger;
    print_count(out, "opened", part->counts.opened);
    for (uint32_t end = 0; end < APP_ENDS; end++)
        print_count(out, app_end_name(end), l->ended[false][end] + l->ended[true][end]);
    print_count(out, "bytes sent", part->counts.stream.sent_bytes);
    print_count(out, "bytes received", part->counts.stream.received_bytes);
    app_requests_report(out, &part->counts);
    if (part->times != NULL)
        app_latency_report(out, part->times);
}

void app_parts_report(FILE *out, const struct app_parts *parts)
{
    const uint32_t sum = sum_of_weights(parts);
    for (uint32_t i = 0; i < parts->n; i++) {
        fprintf(out, "  %s, %" PRIu32 " of %" PRIu32 " starts\n", parts->of[i].name,
            parts->of[i].weight, sum);
        print_part(out, &parts->of[i]);
    }
}

/* ---- for programs ---- */

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *part_json(const struct app_part *part)
{
    const struct app_load_counts *c = &part->counts;
    json_t *o = json_pack("{s:o, s:o, s:o, s:o}", "weight", count(part->weight), "opened",
        count(c->opened), "counted", app_ledger_part_json(&part->ledger, true), "not_counted",
        app_ledger_part_json(&part->ledger, false));
    if ((c->asked[false] | c->asked[true]) != 0)
        json_object_set_new(o, "requests", app_requests_json(c, NULL));
    if ((c->stream.sent_bytes | c->stream.received_bytes) != 0)
        json_object_set_new(o, "bytes",
            json_pack("{s:o, s:o}", "sent", count(c->stream.sent_bytes), "received",
                count(c->stream.received_bytes)));
    if (part->times != NULL)
        json_object_set_new(o, "latency", app_latency_json(part->times));
    return o;
}

json_t *app_parts_json(const struct app_parts *parts)
{
    json_t *o = json_object();
    for (uint32_t i = 0; i < parts->n; i++)
        json_object_set_new(o, parts->of[i].name, part_json(&parts->of[i]));
    return o;
}
