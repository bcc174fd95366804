/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What the files of fuzz_conn share: the world of one run, and who acts in it.
 *
 *   fuzz_conn.c   the configuration, the events, time, and the run
 *   conn_app.c    the application: its calls, its callbacks, what it expects
 *   conn_peer.c   the peer and the network before it: everything that arrives
 *   conn_sent.c   what leaves, and what must be true of it
 */
#include <tern/conn.h>

#include "fuzz.h"
#include "invariants.h"

#include <rte_mbuf.h>

enum {
    SLOTS = 4,
    APPS = 16,  /* connections the application knows at once */
    POOL = 512, /* mbufs */
    SENT_PERIOD = 1024,
    BODY_BYTES = 16384,
};

/** A four-tuple, and what was last seen on it. */
struct slot {
    struct tern_flow_key key;
    bool active; /* we open it */
    uint32_t peer_iss;
    uint32_t last_end, last_ack, last_ts; /* of the last segment that we sent */
};

/** What the application keeps of a connection. */
struct app_conn {
    struct tern_conn *c; /* NULL: free */
    uint32_t slot, born; /* event */
    struct tern_seq first;
    uint32_t n_sent, unread;
    struct tern_seq edge; /* rcv.adv at the last event */
    bool knows_edge, echoes;
};

struct world {
    struct tape tape;
    struct tern_shard *sh;
    struct tern_stack_config cfg;
    uint64_t start_ns, now_ns;
    uint32_t event, collected; /* this event; the last one after which the packets were taken */
    struct slot slots[SLOTS];
    struct app_conn apps[APPS];
    int listener;    /* -1: closed */
    uint8_t mode[2]; /* what the callbacks do */
    bool liar;       /* a payload byte was changed: the stream is not checked any more */
    bool offload;    /* checksums and segmentation are the device's */
    bool keeps_tx;   /* nobody collects what is to be sent */
    bool bursts;     /* segments wait for one another */
    bool peer_ecn;   /* peers ask for ECN, and agree to it */
    bool peer_ece;   /* … and report that the path marks what we send */
    uint8_t mark;    /* ECN field of what peers send */
    uint32_t n_burst, n_stolen;
    struct rte_mbuf *burst[TERN_BURST_MAX], *stolen[POOL];
};

extern struct world w; /* one at a time; callbacks have no other way to it */
extern struct rte_mempool *pool;
extern struct tern_static *body;
extern uint8_t sent_bytes[BODY_BYTES]; /* sent_bytes[n % SENT_PERIOD] is byte n of our stream */

/** Byte n of the peer's stream. */
static inline uint8_t peer_byte(uint32_t seq)
{
    return (uint8_t)((seq * 2654435761u) >> 21);
}

/** A length or number out of a byte: mostly small, some at the edges that matter. */
static inline uint32_t amount(uint8_t b)
{
    static const uint32_t edges[] = {0, 1, 2, 63, 64, 191, 192, 193, 535, 536, 1023, 1024, 1219,
        1220, 1440, 1448, 1460, 2920, 4096, 8191, 16384, 32768, 65535, 65536, 1u << 20, UINT32_MAX};
    enum { N = sizeof edges / sizeof edges[0] };
    return b < 128 ? b : b < 128 + N ? edges[b - 128] : (b - 128u - N) * 16;
}

/* ---- conn_app.c ---- */

/** The application's connection on a slot, or NULL. */
struct app_conn *app_at(uint32_t slot);
void app_connect(uint32_t slot);
/** Listen, or stop to. */
void app_listen(void);
void app_consume(struct app_conn *a, uint32_t n);
/** The events that are the application's; each takes from the tape what it needs. */
void event_send(struct app_conn *a, uint8_t variant);
void event_control(struct app_conn *a, uint8_t variant);
void event_option(struct app_conn *a, uint8_t variant);
/** What the application knows is what its connections say. */
void check_apps(void);

/* ---- conn_peer.c ---- */

/** Hand over the segments that wait for one another. */
void flush_burst(void);
/** The events that are the peer's. */
void event_reply(struct slot *s, uint8_t variant);
void event_crafted(struct slot *s, uint8_t variant);
void event_syn(struct slot *s, uint8_t variant);
void event_duplicate_acks(struct slot *s, uint8_t variant);
void event_out_of_order(struct slot *s, uint8_t variant);
void event_partial_ack(struct slot *s, uint8_t variant);
void event_rst(struct slot *s, uint8_t variant);
void event_icmp(struct slot *s, uint8_t variant);
void event_raw(struct slot *s, uint8_t variant);

/* ---- conn_sent.c ---- */

/** Take what is to be sent, check it and give it back. */
void collect(void);
