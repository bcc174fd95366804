/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What tests of a whole instance have in common, be the other side a script (tcp_peer.h) or a
 * second instance (tcp_pair.h): time, payload that tells its place, the books, and a clean end.
 */
#include <tern/embed.h>

#include "shard/shard.h"
#include "unit.h"

enum { START_MS = 1000000, ONE_SECOND = 1000 /* ms */ };

static inline uint64_t ms_to_ns(uint64_t ms)
{
    return ms * 1000000;
}

static inline uint8_t pattern(uint32_t rel)
{
    return (uint8_t)((rel * 2654435761u) >> 21);
}

/** Reasons for packets that were not sent; all others are about packets received. */
static inline bool is_about_sending(int drop)
{
    return drop == TERN_DROP_NO_MBUF || drop == TERN_DROP_TX_FULL || drop == TERN_DROP_STOPPING
           || (drop >= TERN_DROP_NEIGH_QUEUE_FULL && drop <= TERN_DROP_NO_ROUTE);
}

/** Every packet received, every SYN and every connection is accounted for. */
static inline void assert_books_balance(struct tern_shard *sh)
{
    const struct tern_stats *st = tern_shard_stats(sh);
    uint64_t judged = 0;
    for (int i = 0; i < TERN_DROP_COUNT; i++)
        judged += is_about_sending(i) ? 0 : st->drops[i];
    if (st->drops[TERN_DROP_NO_MBUF] == 0)
        assert_int_equal(judged, st->rx_packets);
    assert_true(tern_stats_balance(st));
    const uint64_t halves = tern_shard_n_live(sh) - st->open_now - st->opening_now;
    const uint64_t by_ack = st->passive_established - st->syn_cookies_accepted - st->tfo_accepted;
    assert_int_equal(
        st->half_opened, halves + by_ack + st->half_expired + st->half_reset + st->half_refused);
}

static inline void assert_clean_close(struct tern_embed *e)
{
    struct tern_embed_leaks leaks;
    tern_embed_close(e, &leaks);
    assert_int_equal(leaks.mbufs, 0);
    assert_int_equal(leaks.records, 0);
    assert_int_equal(leaks.timers, 0);
}

static inline int eal_start(void **state)
{
    (void)state;
    struct tern_error err = {0};
    return tern_embed_start(256, &err);
}
