/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A scenario fails a connection by resetting it, which the library books as "aborted"; here it
 * moves to the scenario's name for it, so that nothing is counted twice.
 */
#include "books.h"

static void add_failure(struct app_books *b, const char *name, uint64_t count)
{
    if (count == 0)
        return;
    b->failed += count;
    b->failures[b->n_failures].name = name;
    b->failures[b->n_failures++].count = count;
}

static uint64_t sum_of(const uint64_t *counts, int n)
{
    uint64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += counts[i];
    return sum;
}

void app_books_of_client(
    struct app_books *b, const struct tern_stats *s, const struct app_load_counts *load)
{
    *b = (struct app_books){
        .opened = s->active_opens,
        .established = s->active_established,
        .closed = s->closed[TERN_CLOSE_NORMAL] + s->active_failed[TERN_CLOSE_NORMAL],
    };
    const uint64_t by_scenario = sum_of(load->failed, APP_FAIL_COUNT);
    for (int why = TERN_CLOSE_NORMAL + 1; why < TERN_CLOSE_COUNT; why++) {
        uint64_t n = s->active_failed[why] + s->closed[why];
        if (why == TERN_CLOSE_ABORTED)
            n -= n < by_scenario ? n : by_scenario;
        add_failure(b, tern_close_name((enum tern_close_reason)why), n);
    }
    for (int why = 0; why < APP_FAIL_COUNT; why++)
        add_failure(b, app_fail_name((enum app_fail)why), load->failed[why]);
}

void app_books_of_server(struct app_books *b, const struct tern_stats *s)
{
    *b = (struct app_books){
        .opened = s->half_opened + s->syn_cookies_sent + s->tfo_accepted,
        .established = s->passive_established,
        .closed = s->closed[TERN_CLOSE_NORMAL],
    };
    for (int why = TERN_CLOSE_NORMAL + 1; why < TERN_CLOSE_COUNT; why++)
        add_failure(b, tern_close_name((enum tern_close_reason)why), s->closed[why]);
    add_failure(b, "half_expired", s->half_expired);
    add_failure(b, "half_reset", s->half_reset);
    add_failure(b, "half_refused", s->half_refused);
}

bool app_drop_is_loss(enum tern_drop reason)
{
    return reason != TERN_DROP_NONE && reason != TERN_DROP_ICMP_DONE && reason != TERN_DROP_ARP_DONE
           && reason != TERN_DROP_NDP_DONE && reason != TERN_DROP_TCP_DONE;
}
