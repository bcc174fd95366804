/* SPDX-License-Identifier: BSD-3-Clause */
#include "measure.h"

#include <errno.h>
#include <stdlib.h>

const char *app_metric_name(enum app_metric m)
{
#define NAME(name, json) json,
    static const char *const names[] = {APP_METRIC_LIST(NAME)};
#undef NAME
    return names[m];
}

const char *app_end_name(uint32_t end)
{
    if (end == TERN_CLOSE_NORMAL)
        return "ok";
    return end < TERN_CLOSE_COUNT ? tern_close_name((enum tern_close_reason)end)
                                  : app_fail_name((enum app_fail)(end - TERN_CLOSE_COUNT));
}

/* Zeroed pages, of which those are taken that times fall into. */
int app_measure_init(struct app_measure *m, bool keeps_times)
{
    *m = (struct app_measure){.hist = NULL};
    if (!keeps_times)
        return 0;
    m->hist = calloc(APP_METRIC_COUNT, sizeof *m->hist);
    return m->hist == NULL ? -ENOMEM : 0;
}

void app_measure_fini(struct app_measure *m)
{
    free(m->hist);
    m->hist = NULL;
}

static void add(uint64_t *sum, const uint64_t *from)
{
    *sum += __atomic_load_n(from, __ATOMIC_RELAXED);
}

void app_ledger_add(struct app_ledger *sum, const struct app_ledger *from)
{
    for (int counts = 0; counts < 2; counts++) {
        add(&sum->begun[counts], &from->begun[counts]);
        for (uint32_t end = 0; end < APP_ENDS; end++)
            add(&sum->ended[counts][end], &from->ended[counts][end]);
    }
    add(&sum->late, &from->late);
    add(&sum->held_back, &from->held_back);
    const uint64_t late_max_ns = __atomic_load_n(&from->late_max_ns, __ATOMIC_RELAXED);
    if (late_max_ns > sum->late_max_ns)
        sum->late_max_ns = late_max_ns;
}

uint64_t app_ledger_n_ended(const struct app_ledger *l, bool counts)
{
    uint64_t n = 0;
    for (uint32_t end = 0; end < APP_ENDS; end++)
        n += l->ended[counts][end];
    return n;
}
