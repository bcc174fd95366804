/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stddef.h>

void report_add(struct totals *sum, const struct totals *add)
{
    uint64_t *to = (uint64_t *)(void *)sum;
    const uint64_t *from = (const uint64_t *)(const void *)add;
    for (size_t i = 0; i < TOTALS_WORDS; i++)
        to[i] += from[i];
}

/** The plain counters, as they are printed and written. */
struct row {
    const char *group, *name;
    size_t offset;
};
#define ROW(group, field)                                                                          \
    {                                                                                              \
        group, #field, offsetof(struct totals, field)                                              \
    }
static const struct row rows[] = {
    ROW("run", seeds),
    ROW("run", failed),
    ROW("run", events),
    ROW("run", packets),
    ROW("run", payload_bytes),
    ROW("run", pairs_checked),
    ROW("host faults", steals),
    ROW("host faults", tx_stalls),
    ROW("host faults", late_timers),
    ROW("host faults", jumps),
    ROW("host faults", deaths),
    ROW("host faults", exact_resets_spared),
    ROW("outcomes", ends_ok),
    ROW("outcomes", ends_left),
    ROW("outcomes", ends_reset),
    ROW("outcomes", ends_timeout),
    ROW("outcomes", ends_refused),
    ROW("outcomes", ends_other),
    ROW("outcomes", ends_dead),
    ROW("outcomes", excused),
    ROW("connections", conns),
    ROW("connections", ghosts),
    ROW("connections", retransmits),
    ROW("connections", rto_expired),
    ROW("connections", probes),
    ROW("connections", challenge_acks),
    ROW("connections", fast_segments),
};
enum { N_ROWS = sizeof rows / sizeof rows[0], NS_PER_HOUR_THOUSANDS = 3600 };

static uint64_t value_of(const struct totals *t, const struct row *r)
{
    return *(const uint64_t *)(const void *)((const char *)t + r->offset);
}

static double hours(const struct totals *t)
{
    return (double)t->virtual_ns / 1e9 / 3600;
}

void report_print(const struct totals *t, double seconds)
{
    const char *group = "";
    for (size_t i = 0; i < N_ROWS; i++) {
        printf("%s%s%s %" PRIu64,
            rows[i].group == group ? ", "
            : i == 0               ? ""
                                   : "\n",
            rows[i].group == group ? "" : rows[i].group,
            rows[i].group == group ? rows[i].name : ":", value_of(t, &rows[i]));
        if (rows[i].group != group)
            printf(" %s", rows[i].name);
        group = rows[i].group;
    }
    printf("\nlink faults:");
    for (int f = 0; f < TERN_LINK_FAULT_COUNT; f++)
        printf(" %s %" PRIu64, tern_link_fault_name((enum tern_link_fault)f), t->link_faults[f]);
    printf("\nsim: %" PRIu64 " seeds, %" PRIu64
           " failed; %.1f hours simulated in %.1f s, %.0f seeds/s\n",
        t->seeds, t->failed, hours(t), seconds, (double)t->seeds / seconds);
}

bool report_write_json(const struct totals *t, double seconds, const char *path)
{
    json_t *root = json_object(), *faults = json_object();
    for (size_t i = 0; i < N_ROWS; i++)
        json_object_set_new(root, rows[i].name, json_integer((json_int_t)value_of(t, &rows[i])));
    for (int f = 0; f < TERN_LINK_FAULT_COUNT; f++)
        json_object_set_new(faults, tern_link_fault_name((enum tern_link_fault)f),
            json_integer((json_int_t)t->link_faults[f]));
    json_object_set_new(root, "link_faults", faults);
    json_object_set_new(root, "simulated_hours", json_real(hours(t)));
    json_object_set_new(root, "seconds", json_real(seconds));
    json_object_set_new(root, "seeds_per_second", json_real((double)t->seeds / seconds));
    const bool written = json_dump_file(root, path, JSON_INDENT(2)) == 0;
    json_decref(root);
    if (!written)
        fprintf(stderr, "sim: cannot write %s\n", path);
    return written;
}
