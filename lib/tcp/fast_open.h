/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * TCP Fast Open (RFC 7413): data in the SYN. What a shard keeps for it, and where the rest of the
 * protocol calls in. All of it does nothing unless tfo_accept or tfo_connect is set.
 */
#include <tern/addr.h>
#include <tern/config.h>

#include <stdbool.h>
#include <stdint.h>

struct rte_mbuf;
struct tern_tcp;
struct tern_conn;
struct tern_seg;
struct tern_flow_key;
struct tern_tcp_opts;
struct tern_listen_ctx;

/** A server that we asked (RFC 7413 §4.1.3), from one of our addresses: its cookie is for that. */
struct tern_tfo_peer {
    union tern_addr addr; /* unspecified: free entry */
    union tern_addr ours;
    uint8_t cookie[16]; /* [n_cookie]; 0: none was ever sent to us */
    uint8_t n_cookie;
    uint8_t fails;     /* times in a row that it led to nothing */
    uint16_t mss;      /* of its last SYN-ACK */
    uint64_t retry_ns; /* with fails: not to be tried before */
};

struct tern_tfo {
    /* server */
    uint32_t n_pending;    /* opened by a SYN and not confirmed */
    uint32_t n_reset[2];   /* … reset by the peer in this period and the last: they still count */
    uint32_t reset_period; /* the period n_reset[0] is of */
    /* client */
    struct tern_tfo_peer *peers; /* sets of TFO_WAYS, by a keyed hash of the address */
    uint32_t next_victim;
};

/** Memory for tern_tfo.peers; 0: none is needed. */
uint64_t tern_tfo_peers_bytes(const struct tern_stack_config *cfg);

/* ---- server ---- */

/**
 * A SYN came to a listener that may keep state for it. With a cookie of ours it becomes a
 * connection in SYN-RECEIVED, its payload is delivered, and the SYN-ACK acknowledges it.
 * @return true: done with. false: an ordinary handshake follows, and whether its SYN-ACK owes the
 *         peer a cookie is TERN_HAS_TFO in seg->opts
 */
bool tern_tfo_take_syn(struct tern_tcp *t, const struct tern_listen_ctx *l, struct tern_seg *seg);

/** Append to the options of a SYN-ACK the cookie that `peer` asks for. @return bytes in opt now */
uint32_t tern_tfo_offer(struct tern_tcp *t, const struct tern_flow_key *key,
    const struct tern_tcp_opts *peer, uint8_t *opt, uint32_t opt_bytes);

/** An ACK on an early connection: of our SYN-ACK, or refused. @return enum tern_drop */
enum tern_drop tern_tfo_confirmed(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg);

/** An early connection ended before that. */
void tern_tfo_unconfirmed(struct tern_tcp *t, const struct tern_conn *c);

/* ---- client ---- */

/**
 * Our SYN is being written: append the cookie of the server and replace *m by a buffer with early
 * data, or ask for a cookie, or leave both as they are. @return bytes in opt now
 */
uint32_t tern_tfo_ask(
    struct tern_tcp *t, struct tern_conn *c, uint8_t *opt, uint32_t opt_bytes, struct rte_mbuf **m);

/** An acceptable SYN-ACK; SND.UNA is still our ISN. What it does not acknowledge is unsent again.
 */
void tern_tfo_answered(struct tern_tcp *t, struct tern_conn *c, const struct tern_seg *seg);

/** The peer's SYN crossed ours: nobody has taken our early data. */
void tern_tfo_crossed(const struct tern_tcp *t, struct tern_conn *c);
