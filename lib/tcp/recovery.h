/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Losses: how they are noticed (rack.c: RACK-TLP, RFC 8985) and what is done about them
 * (recovery.c: RFC 6675, PRR, F-RTO, undo).
 */
#include "cc.h"
#include "sent.h"

/* ---- rack.c ---- */

/** RACK.rtt, RACK.xmit_ts and reordering from what an ACK delivered (RFC 8985 §6.2 steps 1-3). */
void tern_rack_update(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, const struct tern_delivered *d);

/** What was sent at `sent_us` and ends at `end` has arrived, and for certain (§6.2 step 2). */
void tern_rack_arrived(
    const struct tern_tcp *t, struct tern_txq *q, uint32_t sent_us, struct tern_seq end);

/** A duplicate was reported: the reordering window may be too small (§6.2 step 4). */
void tern_rack_dsack(struct tern_tcp *t, struct tern_conn *c);

/** A recovery is over: the reordering window shrinks again in time. */
void tern_rack_recovered(struct tern_tcp *t, struct tern_conn *c);

/** Mark lost what was sent a reordering window before something that arrived (§6.2 step 5), and arm
 * the timer for what will be. @return bytes newly lost to congestion, a path MTU probe not counted
 */
uint32_t tern_rack_detect(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q);

/** The tail may be probed, tern_tlp_after_us() from now (§7.2). */
bool tern_tlp_may_probe(const struct tern_conn *c, const struct tern_txq *q);
/** … where all in flight was sent once, and nothing is known of it. */
bool tern_tlp_may_follow(const struct tern_conn *c);
uint64_t tern_tlp_after_us(const struct tern_tcp *t, const struct tern_conn *c);

/** The probe timer ran out: send new data, or the last segment again (§7.3). */
void tern_tlp_expired(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q);

/** @return true: the probe repaired a loss, which congestion control must hear of (§7.4) */
bool tern_tlp_acked(const struct tern_conn *c, struct tern_txq *q, const struct tern_ack *a);

/* ---- recovery.c ---- */

/** What an ACK means for recovery, losses and cwnd; after scoreboard and SND.UNA have moved. */
void tern_recovery_acked(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q,
    struct tern_ack *a, const struct tern_seg *seg);

/** All is acknowledged, and a duplicate was reported since: was the last reduction for nothing? */
void tern_recovery_undo_late(struct tern_tcp *t, struct tern_conn *c);

/** A timer has found `n_bytes` lost. */
void tern_recovery_lost(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, uint32_t n_bytes);

/** The retransmission timer ran out (RFC 5681 §3.1, RFC 6298 §5, RFC 5682). */
void tern_recovery_timeout(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q);

/** `n_bytes` have been sent, first time or again. */
void tern_recovery_sent(struct tern_tcp *t, struct tern_conn *c, const struct tern_txq *q,
    uint32_t n_bytes, bool again);
