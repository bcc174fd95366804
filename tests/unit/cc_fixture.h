/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A connection made by hand for the tests of congestion control, and a path to try it on: one
 * bottleneck of a rate with a buffer in front of it, and a round trip behind. The tests link cc*.c
 * alone; the few functions that those call outside are below.
 */
#include "tcp/cc.h"
#include "tcp/host.h"
#include "tcp/sent.h"
#include "unit.h"

#include <stdlib.h>

enum { CC_IDX = 1, CC_RECORDS = 2 };

/** One connection with a queue, and the tables that it indexes. */
struct world {
    struct tern_tcp *t;
    struct tern_conn conns[CC_RECORDS];
    struct tern_txq txqs[CC_RECORDS];
    struct tern_cong congs[CC_RECORDS];
    struct tern_conn *c;
    struct tern_txq *q;
};

static bool world_has_cong; /* whether tern_host_cong_new() finds one */

uint32_t tern_conn_payload_max(const struct tern_tcp *t, const struct tern_conn *c)
{
    (void)t;
    return c->mss_bytes;
}

uint32_t tern_host_cong_new(struct tern_tcp *t)
{
    if (!world_has_cong)
        return 0;
    memset(&t->congs[CC_IDX], 0, sizeof t->congs[CC_IDX]);
    return CC_IDX;
}

static inline struct tern_cong *cong(struct world *w)
{
    return &w->congs[CC_IDX];
}

static inline void set_us(struct world *w, uint64_t us)
{
    tern_tcp_set_time(w->t, us * TERN_NS_PER_US);
}

/** A round trip as if it had always been that. */
static inline void set_rtt(struct world *w, uint32_t rtt_us)
{
    w->c->srtt_us8 = rtt_us * 8;
    w->c->rttvar_us4 = rtt_us / 2 + 1;
}

/** `flight` bytes outstanding. */
static inline void set_flight(struct world *w, uint32_t flight)
{
    w->c->snd.nxt = tern_seq_add(w->c->snd.una, flight);
}

static inline struct world *world_new(enum tern_cc_kind cc, uint16_t mss)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->t = calloc(1, sizeof *w->t);
    assert_non_null(w->t);
    w->t->conns = w->conns;
    w->t->txqs = w->txqs;
    w->t->congs = w->congs;
    w->t->cfg.cc = cc;
    w->t->cfg.init_cwnd_segs = 10;
    w->c = &w->conns[CC_IDX];
    w->q = &w->txqs[CC_IDX];
    w->c->txq = CC_IDX;
    w->c->mss_bytes = mss;
    w->c->flags = TERN_CF_SACK;
    w->c->snd.una.v = w->c->snd.nxt.v = 1;
    world_has_cong = true;
    set_us(w, 1000000);
    return w;
}

/** The same, with its path record and a window. */
static inline struct world *world_with(enum tern_cc_kind cc, uint16_t mss, uint32_t cwnd_bytes)
{
    struct world *w = world_new(cc, mss);
    assert_non_null(tern_conn_cong_need(w->t, w->c));
    w->c->cwnd_bytes = cwnd_bytes;
    return w;
}

static inline void world_free(struct world *w)
{
    free(w->t);
    free(w);
}

/** An ACK of `acked` bytes of a window that was full before and is again. */
static inline void ack_full(struct world *w, uint32_t acked)
{
    const struct tern_ack a = {
        .acked_bytes = acked,
        .delivered_bytes = acked,
        .prior_pipe_bytes = w->c->cwnd_bytes,
        .was_filled = true,
    };
    w->c->snd.una = tern_seq_add(w->c->snd.una, acked);
    set_flight(w, w->c->cwnd_bytes);
    tern_cc_acked(w->t, w->c, &a);
}

/** A window's worth of ACKs, each of `segs` segments. */
static inline void ack_window(struct world *w, uint32_t segs)
{
    for (uint32_t left = w->c->cwnd_bytes; left > 0;) {
        const uint32_t n = RTE_MIN(left, segs * w->c->mss_bytes);
        ack_full(w, n);
        left -= n;
    }
}

/** Congestion, as recovery.c answers it when it is over. */
static inline void reduce(struct world *w, enum tern_cc_cause cause)
{
    set_flight(w, w->c->cwnd_bytes);
    const uint32_t ssthresh = tern_cc_reduce(w->t, w->c, cause);
    if (!tern_conn_cc(w->t, w->c)->owns_window)
        w->c->cwnd_bytes = cause == TERN_CAUSE_TIMEOUT ? w->c->mss_bytes : ssthresh;
}

/* ---- a path ---- */

enum { PATH_PACKETS = 1 << 16, PATH_REORDER = 3 };

struct packet {
    uint64_t sent_us, acked_us;
    struct tern_seq end;
    uint32_t delivered_bytes, delivered_us, first_sent_us, pipe_bytes, lost_total_bytes;
    bool lost, marked, limited;
};

struct path {
    uint64_t bytes_per_s;
    uint32_t rtt_us, buffer_bytes;
    uint32_t loss_per_million; /* at random, apart from the buffer's */
    uint32_t mark_bytes;       /* CE from this much in the buffer on; 0: never */
    uint32_t app_bytes;        /* the application keeps this much in flight; 0: no limit */
    /* state */
    struct packet packets[PATH_PACKETS];
    uint32_t head, tail; /* oldest not resolved, next to send */
    double free_us;      /* the bottleneck is busy until then */
    uint64_t random;
    struct tern_seq recover, cwr_end;
    bool cwr;
    /* what was seen */
    uint64_t delivered, sent, dropped;
    uint32_t n_recoveries, queue_max_bytes, cwnd_min_bytes;
    double queue_us_sum;
    uint64_t queue_samples;
};

static inline struct path *path_new(uint64_t bytes_per_s, uint32_t rtt_us, uint32_t buffer_bytes)
{
    struct path *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->bytes_per_s = bytes_per_s;
    p->rtt_us = rtt_us;
    p->buffer_bytes = buffer_bytes;
    p->random = 88172645463325252u;
    return p;
}

static inline void path_forget(struct path *p)
{
    p->delivered = p->sent = p->dropped = p->queue_samples = 0;
    p->n_recoveries = p->queue_max_bytes = 0;
    p->queue_us_sum = 0;
    p->cwnd_min_bytes = UINT32_MAX;
}

static inline bool path_loses(struct path *p)
{
    p->random = p->random * 6364136223846793005u + 1442695040888963407u;
    return (p->random >> 33) % 1000000 < p->loss_per_million;
}

static inline uint32_t world_pipe(const struct world *w)
{
    return tern_sent_pipe(w->c, w->q);
}

static inline uint64_t now_us(const struct world *w)
{
    return w->t->now_ns / TERN_NS_PER_US;
}

static inline void path_send(struct path *p, struct world *w)
{
    struct tern_cong *g = cong(w);
    const uint32_t mss = w->c->mss_bytes;
    const uint64_t now = now_us(w);
    if (world_pipe(w) == 0)
        g->first_sent_us = g->delivered_us = w->t->now_us;
    w->c->snd.nxt = tern_seq_add(w->c->snd.nxt, mss);
    struct packet *k = &p->packets[p->tail++ % PATH_PACKETS];
    *k = (struct packet){
        .sent_us = now,
        .end = w->c->snd.nxt,
        .delivered_bytes = g->delivered_bytes,
        .delivered_us = g->delivered_us,
        .first_sent_us = g->first_sent_us,
        .pipe_bytes = world_pipe(w),
        .lost_total_bytes = g->lost_total_bytes,
        .limited = p->app_bytes != 0 || tern_seq_before(w->c->snd.una, g->limited_end),
    };
    assert_true(p->tail - p->head < PATH_PACKETS);
    const double start = p->free_us > (double)now ? p->free_us : (double)now;
    const uint32_t queued = (uint32_t)((start - (double)now) * 1e-6 * (double)p->bytes_per_s);
    p->queue_max_bytes = RTE_MAX(p->queue_max_bytes, queued);
    p->queue_us_sum += start - (double)now;
    p->queue_samples++;
    p->sent += mss;
    k->lost = queued + mss > p->buffer_bytes || path_loses(p);
    k->marked = p->mark_bytes != 0 && queued >= p->mark_bytes;
    if (k->lost)
        p->dropped += mss;
    else
        p->free_us = start + mss * 1e6 / (double)p->bytes_per_s;
    k->acked_us = (uint64_t)(k->lost ? start : p->free_us) + p->rtt_us;
    tern_cc_sent(w->t, w->c, mss);
}

static inline void path_lost(struct path *p, struct world *w)
{
    if (w->q->flags & TERN_TXQ_FAST)
        return;
    p->n_recoveries++;
    /* Here SND.UNA passes the holes, and the last are known three packets later. */
    p->recover = tern_seq_add(w->c->snd.nxt, PATH_REORDER * w->c->mss_bytes);
    const uint32_t ssthresh = tern_cc_reduce(w->t, w->c, TERN_CAUSE_LOSS);
    w->q->flags |= TERN_TXQ_FAST;
    if (!tern_conn_cc(w->t, w->c)->owns_window)
        w->c->cwnd_bytes = ssthresh;
}

static inline void path_marked(struct path *p, struct world *w)
{
    if (p->cwr && tern_seq_before(w->c->snd.una, p->cwr_end))
        return;
    p->cwr = true;
    p->cwr_end = w->c->snd.nxt;
    const uint32_t ssthresh = tern_cc_reduce(w->t, w->c, TERN_CAUSE_ECE);
    if (!tern_conn_cc(w->t, w->c)->owns_window)
        w->c->cwnd_bytes = ssthresh;
}

/** The ACK of a packet is here; of the lost ones, those three back are known to be. */
static inline void path_acked(struct path *p, struct world *w, struct packet *k)
{
    struct tern_cong *g = cong(w);
    const uint32_t mss = w->c->mss_bytes, idx = p->head - 1;
    const uint32_t rtt_us = (uint32_t)(now_us(w) - k->sent_us);
    struct tern_ack a = {
        .acked_bytes = mss,
        .delivered_bytes = mss,
        .prior_pipe_bytes = world_pipe(w),
        .rtt_us = rtt_us,
        .ece = k->marked,
        .prior_delivered_bytes = k->delivered_bytes,
        .sent_pipe_bytes = k->pipe_bytes,
        .rate_limited = k->limited,
    };
    a.was_filled = 2 * (uint64_t)a.prior_pipe_bytes >= w->c->cwnd_bytes;
    w->c->snd.una = k->end;
    w->c->srtt_us8 =
        w->c->srtt_us8 == 0 ? rtt_us * 8 : w->c->srtt_us8 + rtt_us - w->c->srtt_us8 / 8;
    w->c->rttvar_us4 = 4 * 1000;
    g->delivered_bytes += mss;
    g->delivered_us = w->t->now_us;
    g->first_sent_us = (uint32_t)k->sent_us;
    a.rate_bytes = g->delivered_bytes - k->delivered_bytes;
    a.interval_us =
        RTE_MAX((uint32_t)k->sent_us - k->first_sent_us, g->delivered_us - k->delivered_us);
    struct packet *old = &p->packets[(idx - PATH_REORDER) % PATH_PACKETS];
    if (old->lost) {
        old->lost = false;
        a.lost_bytes = mss;
        g->lost_total_bytes += mss;
    }
    a.sent_lost_bytes = g->lost_total_bytes - k->lost_total_bytes;
    if ((w->q->flags & TERN_TXQ_FAST) && !tern_seq_before(w->c->snd.una, p->recover))
        w->q->flags &= (uint16_t)~TERN_TXQ_FAST;
    if (a.lost_bytes > 0)
        path_lost(p, w);
    if (a.ece)
        path_marked(p, w);
    tern_cc_acked(w->t, w->c, &a);
    p->delivered += mss;
    p->cwnd_min_bytes = RTE_MIN(p->cwnd_min_bytes, w->c->cwnd_bytes);
}

/** When something happens next: an ACK, or the timer that pacing waits for. */
static inline uint64_t path_next_us(const struct path *p, const struct world *w)
{
    uint64_t next = UINT64_MAX;
    for (uint32_t i = p->head; i != p->tail && next == UINT64_MAX; i++)
        if (!p->packets[i % PATH_PACKETS].lost)
            next = p->packets[i % PATH_PACKETS].acked_us;
    const struct tern_cong *g = &w->congs[CC_IDX];
    if ((g->flags & TERN_CG_PACE_WAIT) && g->pace_ns > w->t->now_ns) {
        const uint64_t tick = (g->pace_ns >> TERN_TICK_SHIFT) + 1;
        next = RTE_MIN(next, ((tick << TERN_TICK_SHIFT) + 999) / TERN_NS_PER_US);
    }
    return next;
}

static inline bool path_has_room(const struct path *p, const struct world *w)
{
    const uint32_t wanted = world_pipe(w) + w->c->mss_bytes;
    return wanted <= w->c->cwnd_bytes && (p->app_bytes == 0 || wanted <= p->app_bytes);
}

/** A bulk transfer over the path for `span_us`. @return bytes a second that arrived */
static inline double path_run(struct path *p, struct world *w, uint64_t span_us)
{
    const uint64_t end = now_us(w) + span_us, before = p->delivered;
    while (now_us(w) < end) {
        while (path_has_room(p, w) && tern_cc_may_send_now(w->t, w->c))
            path_send(p, w);
        const uint64_t next = path_next_us(p, w);
        if (next == UINT64_MAX) { /* all lost: a timeout later they are sent again */
            set_us(w, now_us(w) + 1000000);
            p->head = p->tail;
            w->c->snd.una = w->c->snd.nxt;
            continue;
        }
        set_us(w, RTE_MAX(next, now_us(w)));
        while (p->head != p->tail && p->packets[p->head % PATH_PACKETS].acked_us <= now_us(w)) {
            struct packet *k = &p->packets[p->head++ % PATH_PACKETS];
            if (!k->lost)
                path_acked(p, w, k);
        }
    }
    return (double)(p->delivered - before) * 1e6 / (double)span_us;
}
