/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The send queue: one list of buffers from SND.UNA to the last byte the application queued. Buffers
 * stay until they are acknowledged; what goes on the wire is a header of its own with the payload
 * attached (never copied, but where it is short or the device takes no chains), so sending again
 * costs no copy either.
 *
 *   head ──▶ [ una at head_off ......... ] ─▶ [ ..... cur at cur_off ....... ] ─▶ … ─▶ tail
 *              └────────── in flight ─────────────┘└──────── unsent_bytes ─────────────────┘
 */
#include "tcp.h"

/** A zeroed queue of this connection begins. */
void tern_sendq_init(const struct tern_tcp *t, const struct tern_conn *c, struct tern_txq *q);

/** Append a chain of `n_bytes` (> 0), taking it over. */
void tern_sendq_push(struct tern_txq *q, struct rte_mbuf *chain, uint32_t n_bytes);

/** Append up to `n` bytes into the room behind the tail, if that buffer is ours. @return bytes
 * taken */
uint32_t tern_sendq_fill_tail(struct tern_txq *q, const uint8_t *bytes, uint32_t n);

/** The first `n_bytes` were acknowledged: free their buffers. */
void tern_sendq_ack(struct tern_tcp *t, struct tern_txq *q, uint32_t n_bytes);

/** Free everything. */
void tern_sendq_clear(struct tern_txq *q);

/**
 * A buffer that carries `*len_bytes` payload from `off_bytes` behind SND.UNA, headroom in front.
 * *len_bytes is reduced where the bytes lie in too many buffers.
 * @return NULL: no mbuf to be had
 */
struct rte_mbuf *tern_sendq_payload(
    struct tern_tcp *t, const struct tern_txq *q, uint32_t off_bytes, uint32_t *len_bytes);

/** tern_sendq_payload() of the first bytes never sent, which count as sent from here on. */
struct rte_mbuf *tern_sendq_next(struct tern_tcp *t, struct tern_txq *q, uint32_t *len_bytes);

/** tern_sendq_payload() of all the bytes of a buffer that is in no queue. */
struct rte_mbuf *tern_sendq_payload_of(struct tern_tcp *t, struct rte_mbuf *m, uint32_t *len_bytes);

/** Nothing in the queue counts as sent any more. */
void tern_sendq_rewind(struct tern_txq *q);

/** `n_bytes` at `cur` were sent for the first time. */
void tern_sendq_advance(struct tern_txq *q, uint32_t n_bytes);
