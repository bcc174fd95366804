/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What is in flight: the scoreboard of RFC 6675 §3, kept as stretches of sequence space (struct
 * tern_sent) between SND.UNA and SND.NXT, without holes and without overlap.
 *
 * Each octet is in one of three conditions, and pipe counts the first (RFC 6675 §4):
 *
 *   outstanding ──SACK──▶ SACKED        the peer holds it
 *        │  ▲               │
 *        └──┴── LOST ◀──────┘           to be sent again; a timeout forgets what was SACKED
 *      sent again
 */
#include "tcp.h"

/** What an ACK brought, gathered stretch by stretch. */
struct tern_delivered {
    /* given: how to tell an acknowledged retransmission from its original (RFC 8985 §6.2 step 2) */
    uint32_t now_us, min_rtt_us;
    uint64_t now64_us;
    bool has_ecr;
    uint32_t ecr_ms; /* the echoed timestamp, our offset taken off */
    /* gathered */
    uint32_t bytes; /* each octet once */
    bool original;  /* something sent once only, before the recovery, not reported before */
    bool again;     /* something sent again */
    bool reordered; /* an original below what had been delivered */
    bool some;      /* `highest` is set: where what arrived ends */
    struct tern_seq highest;
    bool any;                /* `newest` is set */
    bool probe;              /* a path MTU probe (pmtu.c) */
    struct tern_sent newest; /* the one sent last, as it was */
};

/** V067: The bytes taken to be in the network. */
static inline uint32_t tern_sent_pipe(const struct tern_conn *c, const struct tern_txq *q)
{
    return tern_seq_span(c->snd.una, c->snd.nxt) - q->sacked_bytes - q->lost_bytes;
}

/** Later in time, or at the same time further on (RFC 8985 §5.1). */
static inline bool tern_sent_is_after(
    uint32_t us1, struct tern_seq end1, uint32_t us2, struct tern_seq end2)
{
    return (int32_t)(us1 - us2) > 0 || (us1 == us2 && tern_seq_before(end2, end1));
}

/** Whether tern_sent_new() can note more: a record is to be had, or the last one can be longer. */
bool tern_sent_has_room(const struct tern_tcp *t, const struct tern_txq *q);

/** [SND.NXT, SND.NXT + len) has been sent for the first time, in segments of seg_bytes. */
void tern_sent_new(struct tern_tcp *t, const struct tern_conn *c, struct tern_txq *q, uint32_t len,
    uint32_t seg_bytes);

/** [SND.UNA, SND.NXT) was sent for the first time at sent_us, and nothing is noted of it so far
 * (flight.h). */
void tern_sent_restore(struct tern_tcp *t, const struct tern_conn *c, struct tern_txq *q,
    uint32_t sent_us, uint32_t seg_bytes);

/** All below `una` is acknowledged. Cost: O(1) a stretch. */
void tern_sent_ack(
    struct tern_tcp *t, struct tern_txq *q, struct tern_seq una, struct tern_delivered *d);

/**
 * The last stretch that an ACK of all below `una` tells of, where every one up to it was sent once
 * and nothing is SACKED or lost; else NULL. What that ACK delivers left in order, so this one is
 * the newest of it, and tern_sent_ack_once() takes it off. Cost: O(1) a stretch.
 *
 * @param una  SND.UNA < una <= SND.NXT
 */
const struct tern_sent *tern_sent_newest_once(
    const struct tern_tcp *t, const struct tern_txq *q, struct tern_seq una);

/** tern_sent_ack() for what tern_sent_newest_once() found, which says all there is to say of it. */
void tern_sent_ack_once(struct tern_tcp *t, struct tern_txq *q, struct tern_seq una);

/** The peer holds [left, right): whole segments of ours in it are SACKED. Cost: O(log n) and O(1) a
 * stretch that was not SACKED before. */
void tern_sent_sack(struct tern_tcp *t, struct tern_txq *q, struct tern_seq left,
    struct tern_seq right, struct tern_delivered *d);

/** An outstanding stretch is lost. */
void tern_sent_lose(struct tern_tcp *t, struct tern_txq *q, uint32_t idx);

/** The first `n_bytes` in flight are lost, unless they are already (RFC 6582: the next hole). */
void tern_sent_lose_head(struct tern_tcp *t, struct tern_txq *q, uint32_t n_bytes);

/** Everything in flight is lost, in order; what was SACKED is forgotten (RFC 2018 §5). O(n). */
void tern_sent_lose_all(struct tern_tcp *t, struct tern_txq *q);

/** A lost FIN that went alone goes again with the payload before it, if that is lost, too. */
void tern_sent_join_fin(struct tern_tcp *t, struct tern_txq *q);

/** What is marked lost was not: outstanding again (RFC 5682 §3). O(n) */
void tern_sent_find_again(struct tern_tcp *t, struct tern_txq *q);

/** The first `n_bytes` of the lost stretch `idx` have been sent again, now. */
void tern_sent_again(struct tern_tcp *t, const struct tern_conn *c, struct tern_txq *q,
    uint32_t idx, uint32_t n_bytes);

/** The last `n_bytes` in flight have been sent again, now (RFC 8985 §7.3); they are outstanding. */
void tern_sent_again_tail(
    struct tern_tcp *t, const struct tern_conn *c, struct tern_txq *q, uint32_t n_bytes);

/** The stretch that holds `seq`, or NULL. O(log n) */
struct tern_sent *tern_sent_at(
    const struct tern_tcp *t, const struct tern_txq *q, struct tern_seq seq);

/** Free all records. */
void tern_sent_clear(struct tern_tcp *t, struct tern_txq *q);

/** Assert every equation of this file; for tests. O(n) */
void tern_sent_check(const struct tern_tcp *t, const struct tern_conn *c);
