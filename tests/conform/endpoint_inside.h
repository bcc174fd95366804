/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What the files behind endpoint.h share: the endpoint and the words that are exchanged with it.
 *
 *   endpoint.c        the instance, and how a connection gets into a state
 *   endpoint_wire.c   segments, byte by byte
 *   endpoint_judge.c  the segment that is tried, and what came of it
 */
#include "endpoint.h"
#include "shard/shard_struct.h"

enum {
    RCV_BUF_BYTES = 2048,
    PEER_MSS = 1000,
    PEER_WND = 20000, /* MAX.SND.WND */
    UNACKED_BYTES = 2000,
    PACKET_MAX = 2048,
    HEARD_MAX = 4,
};

/** A segment that tern sent to this connection's peer. */
struct heard {
    uint8_t flags;
    uint32_t seq, ack, len, wnd, ts_val;
    bool has_ts;
};

struct used {
    uint32_t conns, halves, tws;
};

struct endpoint {
    struct tern_embed *e;
    struct tern_shard *sh;
    bool v6;
    union tern_addr us, them;
    uint64_t now_ns;
    struct tern_sock *listener;

    /* the connection */
    struct tern_sock *s; /* NULL: none yet */
    struct used before;
    uint16_t port, tern_port;
    bool ts;
    uint32_t ts_echo;
    uint32_t una, nxt;      /* tern's stream: acknowledged, sent */
    uint32_t rcv_nxt, edge; /* the peer's: acknowledged by tern, allowed by tern */
    uint32_t unread;        /* bytes tern holds that filled its window */

    /* the segment tried, and what came back */
    uint32_t seg_seq, seg_ack, seg_len;
    struct heard heard[HEARD_MAX];
    unsigned n_heard;
    struct outcome seen;
};

/* ---- endpoint_wire.c ---- */

/** Byte `seq` of the peer's stream. */
uint8_t pattern(uint32_t seq);
/** A segment of the peer with `len` bytes of it. */
void say_at(
    struct endpoint *e, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len, enum ts_at ts);
/** The same with the timestamp that all segments have that build a state. */
void say(struct endpoint *e, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len);
/** Take what tern sends. */
void hear(struct endpoint *e);

/* ---- endpoint.c ---- */

/** The state tern is in; CLOSED also stands for LISTEN: no record. */
enum state state_now(struct endpoint *e);
