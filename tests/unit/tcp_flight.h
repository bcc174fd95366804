/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A flight of full segments and the peer that answers it with selective acknowledgements, by
 * segment numbers: segment n of a flight is [f.base + n * f.mss, + f.mss).
 *
 *     struct flight f = fly(p, 10, 100);       ten segments out, round trip 100 ms so far, now
 *     advance_ms(p, 100);
 *     sack(&f, 0, 1, 4);                       ACK 0, the peer holds segments 1, 2, 3
 *     expect_seg(&f, 0);
 *
 * A D-SACK is a first block that lies below the ACK or inside of the second block (RFC 2883 §4).
 */
#include "tcp_peer.h"

enum { RTT_MS = 100 }; /* of the flights in tests that do not ask for another */

struct flight {
    struct peer *p;
    uint32_t base, mss;
};

/** Payload of a full segment beside the options in use. */
static inline uint32_t payload_of(const struct peer *p)
{
    return full_segment(p) - (p->ts ? 12 : 0);
}

/** SACK, a wide window, NewReno (half of what was in flight) unless the test has chosen. */
static inline void offer_sack(struct peer *p)
{
    p->offer.sack_ok = true;
    p->offer.has_wscale = true;
    p->offer.wscale = 7;
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    p->cfg.stack.snd_buf_bytes = 1 << 22;
}

/** A round trip of one full segment, `rtt_ms`: the estimate is that or moves towards it. */
static inline void one_round_trip(struct peer *p, uint32_t rtt_ms)
{
    const uint32_t mss = payload_of(p);
    write_bytes(p, mss);
    expect_segment(p, ACK, p->ack, 1, mss);
    advance_ms(p, rtt_ms);
    p->ack += mss;
    inject(p, ACK, 1, p->ack, 0);
    expect_nothing(p);
}

/** What the next flight starts with, on a connection where all is acknowledged. */
static inline struct flight at_rest(struct peer *p)
{
    return (struct flight){.p = p, .base = 1 + p->n_sent, .mss = payload_of(p)};
}

/** The next segment that tern sends is segment n of the flight, first time or again. */
static inline const struct heard *expect_seg(const struct flight *f, uint32_t n)
{
    return expect_segment(f->p, ACK, f->base + n * f->mss, f->p->seq, f->mss);
}

static inline void expect_segs(const struct flight *f, uint32_t from, uint32_t to)
{
    for (uint32_t n = from; n < to; n++)
        expect_seg(f, n);
}

/** Queue n segments more than are queued; nothing is expected of that. */
static inline void queue_segs(const struct flight *f, uint32_t n)
{
    write_bytes(f->p, n * f->mss);
}

/** Establish as offered, measure a round trip, send n segments in one burst. */
static inline struct flight fly(struct peer *p, uint32_t n, uint32_t rtt_ms)
{
    establish(p);
    /* with timestamps the handshake, which took no time, was the first sample */
    for (int i = 0; rtt_ms > 0 && i < (p->ts ? 40 : 1); i++)
        one_round_trip(p, rtt_ms);
    const struct flight f = at_rest(p);
    queue_segs(&f, n);
    expect_segs(&f, 0, n);
    expect_nothing(p);
    return f;
}

/** The same with SACK. */
static inline struct flight fly_sack(struct peer *p, uint32_t n, uint32_t rtt_ms)
{
    offer_sack(p);
    return fly(p, n, rtt_ms);
}

/** The same a round trip later: the peer's answers are due. */
static inline struct flight fly_rtt(struct peer *p, uint32_t n)
{
    const struct flight f = fly_sack(p, n, RTT_MS);
    advance_ms(p, RTT_MS);
    return f;
}

/** ACK of all below segment n. */
static inline void ack_seg(const struct flight *f, uint32_t n)
{
    f->p->ack = f->base + n * f->mss;
    inject(f->p, ACK, f->p->seq, f->p->ack, 0);
}

/** ACK of all below relative sequence `ack`, with blocks given as pairs of relative sequences. */
static inline void sack_bytes(
    const struct flight *f, uint8_t flags, uint32_t ack, const uint32_t *edges, size_t n_edges)
{
    struct peer *p = f->p;
    struct opts o = {.has_ts = p->ts, .ts_val = p->ts_val, .ts_ecr = p->ts_ecr};
    o.n_sack = (uint8_t)(n_edges / 2);
    for (uint8_t i = 0; i < o.n_sack; i++) {
        o.left[i] = p->irs + edges[2 * i];
        o.right[i] = p->irs + edges[2 * i + 1];
    }
    p->ack = ack;
    inject_opts(p, flags, p->seq, ack, 0, &o);
}

static inline void sack_segs(
    const struct flight *f, uint8_t flags, uint32_t ack, const uint32_t *segs, size_t n_segs)
{
    uint32_t edges[8];
    assert_true(n_segs <= 8);
    for (size_t i = 0; i < n_segs; i++)
        edges[i] = f->base + segs[i] * f->mss;
    sack_bytes(f, flags, f->base + ack * f->mss, edges, n_segs);
}

#define EDGES(...)        (const uint32_t[]){__VA_ARGS__}, sizeof(uint32_t[]){__VA_ARGS__} / 4

/** ACK of all below segment `ack`; the peer holds [left, right) of each pair of segment numbers. */
#define sack(f, ack, ...) sack_segs(f, ACK, ack, EDGES(__VA_ARGS__))

/** cwnd in segments, rounded down. */
static inline uint32_t cwnd_segs(const struct flight *f)
{
    return describe(f->p).cwnd_bytes / f->mss;
}

static inline uint32_t ssthresh_segs(const struct flight *f)
{
    return describe(f->p).ssthresh_bytes / f->mss;
}
