/* SPDX-License-Identifier: BSD-3-Clause */
#include "shard_struct.h"

/*
 * A walk over the flow table for people who watch: every kind of record, told as a connection, in
 * steps that look at a bounded part of the table. What is not wanted is passed over before its
 * record is touched, as a table may hold millions in TIME-WAIT.
 */
#include <tern/conn.h>

static void describe_key(const struct tern_flow_key *key, struct tern_conn_info *out)
{
    out->local = key->local;
    out->remote = key->remote;
    out->lport = key->lport;
    out->rport = key->rport;
}

static void describe_half(
    const struct tern_shard *sh, const struct tern_half *h, struct tern_conn_info *out)
{
    *out = (struct tern_conn_info){
        .state = TERN_SYN_RCVD,
        .timestamps = h->wscale_sack_ts & TERN_HALF_TS,
        .sack = h->wscale_sack_ts & TERN_HALF_SACK,
        .window_scale = h->wscale_sack_ts & TERN_HALF_WSCALE,
        .ecn = h->wscale_sack_ts & TERN_HALF_ECN,
        .snd_wscale = h->wscale_sack_ts & 0xf,
        .mss_bytes = h->mss,
        .ssthresh_bytes = UINT32_MAX,
        .unanswered = (uint8_t)((h->tries_queue & 0xf) - 1),
    };
    describe_key(&h->key, out);
    if (h->queue_prev == TERN_QUEUE_OUT)
        return;
    out->timer = TERN_TIMER_RETRANSMIT;
    out->timer_us = tern_us_until(sh->tcp.now_tick, h->queue_due);
}

static void describe_tw(
    const struct tern_shard *sh, const struct tern_tw *tw, struct tern_conn_info *out)
{
    *out = (struct tern_conn_info){
        .state = TERN_TIME_WAIT,
        .ssthresh_bytes = UINT32_MAX,
        .timer = TERN_TIMER_TIME_WAIT,
        .timer_us = tern_us_until(sh->tcp.now_tick, tw->queue_due),
    };
    describe_key(&tw->key, out);
}

/** @return whether it is of one of the states */
static bool describe(
    struct tern_shard *sh, uint32_t ref, uint32_t states, struct tern_conn_info *out)
{
    const uint32_t idx = tern_ref_idx(ref);
    switch (tern_ref_kind(ref)) {
    case TERN_REF_CONN:
        if ((states >> sh->tcp.conns[idx].state & 1) == 0)
            return false;
        tern_conn_describe(sh, &sh->tcp.conns[idx], out);
        return true;
    case TERN_REF_HALF:
        if ((states >> TERN_SYN_RCVD & 1) == 0)
            return false;
        describe_half(sh, tern_pool_at(&sh->halves, idx), out);
        return true;
    case TERN_REF_TW:
        if ((states >> TERN_TIME_WAIT & 1) == 0)
            return false;
        describe_tw(sh, tern_pool_at(&sh->tws, idx), out);
        return true;
    }
    return false;
}

bool tern_shard_walk(struct tern_shard *sh, struct tern_walk *w, uint64_t n_places,
    struct tern_conn_info *out, uint32_t n_max, uint32_t *n_found)
{
    const uint64_t n_slots = (uint64_t)sh->flow.n_buckets * TERN_FLOW_SLOTS;
    const uint64_t begin = RTE_MIN(w->at, n_slots);
    const uint64_t end = begin + RTE_MIN(n_places, n_slots - begin);
    *n_found = 0;
    for (; w->at < end && *n_found < n_max; w->at++) {
        const struct tern_flow_bucket *b = &sh->flow.buckets[w->at / TERN_FLOW_SLOTS];
        const uint32_t slot = (uint32_t)(w->at % TERN_FLOW_SLOTS);
        if (b->tag[slot] != 0)
            *n_found += describe(sh, b->ref[slot], w->states, &out[*n_found]);
    }
    return w->at < n_slots;
}
