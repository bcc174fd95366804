/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Neighbours of one shard: link addresses of next hops, for ARP (RFC 826, RFC 5227) and NDP
 * (RFC 4861 §7, RFC 4862 §5.4) alike. How entries live and what floods cannot do is told on top of
 * neighbour.c.
 *
 * Sans-I/O: time comes in with every call and never runs backwards; frames go out through
 * tern_neigh_io. Not before the first tern_neigh_advance() is anything sent.
 */
#include <tern/addr.h>
#include <tern/config.h>
#include <tern/drop.h>

#include "route.h"
#include "tcp/rate.h"
#include "wire/hint.h"
#include "wire/neighbour_msg.h"
#include "wire/siphash.h"

#include <rte_mbuf.h>

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct tern_stats;

enum {
    TERN_NEIGH_CAPACITY_MAX = 65534, /* indices are 16 bits wide, 0 is none */
    TERN_NEIGH_PENDING = 3,          /* packets that wait for one neighbour (V179) */
    TERN_NEIGH_PENDING_ALL = 256,    /* … and for all neighbours of a shard */
    TERN_NEIGH_TRIES = 3,            /* MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT: RFC 4861 §10 */
    TERN_NEIGH_ASKS_PER_S = 1000,    /* broadcast questions a shard sends at most */
    TERN_NEIGH_TIMERS_PER_CALL = 64, /* expiries one tern_neigh_advance() works off */
    TERN_NEIGH_ANNOUNCEMENTS = 2,    /* ANNOUNCE_NUM: RFC 5227 §1.1 */
};

#define TERN_NEIGH_RETRY_NS     UINT64_C(1000000000)  /* RETRANS_TIMER: RFC 4861 §10 */
#define TERN_NEIGH_REACHABLE_NS UINT64_C(30000000000) /* REACHABLE_TIME: RFC 4861 §10 */
#define TERN_NEIGH_DELAY_NS     UINT64_C(5000000000)  /* DELAY_FIRST_PROBE_TIME: RFC 4861 §10 */
#define TERN_NEIGH_FAILED_NS    UINT64_C(3000000000)  /* not asked again before: RFC 6583 */
#define TERN_NEIGH_LOCK_NS      UINT64_C(1000000000)  /* between doubts about one MAC (V174) */
#define TERN_NEIGH_DEFEND_NS    UINT64_C(10000000000) /* DEFEND_INTERVAL: RFC 5227 §1.1 */
#define TERN_NEIGH_ANNOUNCE_NS  UINT64_C(2000000000)  /* ANNOUNCE_INTERVAL: RFC 5227 §1.1 */
/**
 * From the one duplicate address probe to use of the address. RFC 5227 §2.1.1 wants three probes
 * over five to nine seconds and RFC 4862 §5.1 one over one second; declared deviation, because a
 * load tester's user waits for it. `dad` off skips it.
 */
#define TERN_NEIGH_DAD_NS       UINT64_C(500000000)

/** Where an entry is in its life (RFC 4861 §7.3.2; UNKNOWN and FAILED are ours). */
enum tern_neigh_state {
    TERN_NEIGH_UNKNOWN,    /**< no link address, nobody asked */
    TERN_NEIGH_INCOMPLETE, /**< no link address, asked */
    TERN_NEIGH_FAILED,     /**< no link address, asked in vain, not asked again for a while */
    TERN_NEIGH_REACHABLE,  /**< link address confirmed within REACHABLE_NS */
    TERN_NEIGH_STALE,      /**< link address known, not confirmed lately, not used since */
    TERN_NEIGH_DELAY,      /**< used while stale; an upper layer may confirm it */
    TERN_NEIGH_PROBE,      /**< asked at its link address */
    TERN_NEIGH_STATIC,     /**< configured */
    TERN_NEIGH_STATE_COUNT,
};

/** Timers, each with one duration: a list in the order of arming is one in the order of expiry. */
enum tern_neigh_timer {
    TERN_NEIGH_TIMER_NONE,
    TERN_NEIGH_TIMER_RETRY,  /* INCOMPLETE, PROBE: ask again */
    TERN_NEIGH_TIMER_DELAY,  /* DELAY: ask at last */
    TERN_NEIGH_TIMER_FAILED, /* FAILED: may be asked again */
    TERN_NEIGH_TIMER_COUNT,
};

/** A neighbour. Line 0 is what output reads; line 1 is for resolution. */
struct tern_neighbour {
    /* --- line 0 --- */
    uint64_t fresh_until_ns; /*  0: before this, l2 is used without a thought; see neighbour.c */
    uint8_t l2[18];          /*  8: Ethernet header, tagged or not; EtherType is addr's family */
    uint8_t state;           /* 26: enum tern_neigh_state */
    bool hashed;             /* 27: in use: addr holds */
    uint32_t n_refs;         /* 28: = holders of the index; 0: on an idle list */
    union tern_addr addr;    /* 32 */
    uint64_t doubt_again_ns; /* 48: another MAC is not looked into before */
    uint8_t spare[8];        /* 56 */
    /* --- line 1 --- */
    struct rte_mbuf *pending[TERN_NEIGH_PENDING]; /* 64: oldest first, from the IP header */
    uint64_t due_ns;                              /* 88: while timer is not NONE */
    uint16_t timer_next, timer_prev;              /* 96 */
    uint16_t idle_next, idle_prev;                /* 100 */
    uint16_t hash_next;                           /* 104 */
    uint8_t timer;                                /* 106: enum tern_neigh_timer */
    uint8_t n_pending;                            /* 107 */
    uint8_t n_asked;                              /* 108: questions sent in this state */
    bool doubted;                                 /* 109: PROBE because another MAC was claimed */
    uint8_t spare1[18];
};
static_assert(sizeof(struct tern_neighbour) == 128, "two cache lines a neighbour");
static_assert(offsetof(struct tern_neighbour, pending) == 64, "line 1 starts at pending");

/** Head and tail of a list of entries, oldest first. */
struct tern_neigh_list {
    uint16_t head, tail;
};

/** Who carries our frames. All are needed. */
struct tern_neigh_io {
    void *ctx;
    /** An empty mbuf with room for TERN_NEIGH_FRAME_MAX bytes; or NULL, and NO_MBUF counted. */
    struct rte_mbuf *(*alloc)(void *ctx);
    /** Take over a whole frame, Ethernet header first. Must not call back into the table. */
    void (*send)(void *ctx, struct rte_mbuf *frame);
    /** Count and free a packet. Must not call back into the table. */
    void (*drop)(void *ctx, struct rte_mbuf *m, enum tern_drop why);
    /** Entry `idx`, which somebody holds, did not answer. May call any function of the table. */
    void (*failed)(void *ctx, uint16_t idx);
};

/** What a table is made from. */
struct tern_neigh_params {
    const struct tern_stack_config *cfg; /**< checked; read during init only */
    const struct tern_routes *routes;    /**< kept */
    struct tern_neigh_io io;             /**< copied */
    struct tern_stats *stats; /**< kept; arp_sent, ndp_sent and addr_conflicts are counted there */
    bool announces; /**< sends duplicate address probes and announcements: worker 0 alone */
    uint64_t now_ns;
};

/** Where start-up is. */
enum tern_neigh_phase {
    TERN_NEIGH_PHASE_START,   /* the next advance begins */
    TERN_NEIGH_PHASE_PROBING, /* duplicate address probes are out */
    TERN_NEIGH_PHASE_READY,   /* usable; gateways to be asked for, announcements to come */
    TERN_NEIGH_PHASE_DONE,
    TERN_NEIGH_PHASE_CONFLICT, /* somebody else has one of our addresses: never usable */
};

/** The table. Members are its own business; the struct is open so that output can be inline. */
struct tern_neigh_table {
    struct tern_neighbour *entries; /* [1 + capacity]; 0 is nobody */
    uint64_t now_ns;                /* latest time heard of */
    uint32_t capacity;
    uint32_t l2_bytes;  /* 14, 18 with VLAN, 0 with l3 */
    uint32_t n_pending; /* = sum of n_pending of all entries */
    uint32_t n_buckets; /* a power of two */
    uint16_t *buckets;  /* [n_buckets] first entry of a hash chain */
    uint16_t last_idx;  /* what tern_neigh_get() led to last, or 0 */
    struct tern_siphash_key hash_key;
    struct tern_neigh_list idle_unknown, idle_known; /* unreferenced, without and with MAC */
    struct tern_neigh_list timers[TERN_NEIGH_TIMER_COUNT];
    struct tern_rate asks;
    const struct tern_routes *routes;
    struct tern_stats *stats;
    struct tern_neigh_io io;
    uint8_t mac[6];
    uint16_t vlan;
    bool announces;
    uint8_t phase; /* enum tern_neigh_phase */
    uint8_t n_announced;
    uint64_t phase_at_ns;          /* when the phase ends; UINT64_MAX: never */
    union tern_addr conflict_addr; /* while phase is CONFLICT */
    uint8_t conflict_mac[6];
    /* routes->known[i] is not defended before: an address, or all of a range together */
    uint64_t defend_again_ns[TERN_ADDRS_MAX + TERN_RANGES_MAX];
    size_t mapped_bytes;
};

/** Bytes a table takes beside its struct, for the memory plan. */
size_t tern_neigh_bytes(uint32_t neighbours_max);

/** Take memory, install gateways and static neighbours. @return 0 or -ENOMEM */
__attribute__((warn_unused_result)) int tern_neigh_init(
    struct tern_neigh_table *t, const struct tern_neigh_params *params);

/** Drop what waits (STOPPING) and give the memory back. Right for a zeroed table, too. */
void tern_neigh_fini(struct tern_neigh_table *t);

/**
 * Hold the entry of a next hop, made if need be: idle entries without a link address are reused
 * first, then idle ones, longest idle first. Sends nothing: the first output asks.
 *
 * @param hop   from tern_route_next_hop(); with l3 anything
 * @return      index to be given back with tern_neigh_put(), or 0: all entries are held
 */
uint16_t tern_neigh_get(struct tern_neigh_table *t, const union tern_addr *hop, uint64_t now_ns);

/** Let go of an index; 0 does nothing. The entry stays known while nobody needs its place. */
void tern_neigh_put(struct tern_neigh_table *t, uint16_t idx);

/**
 * Prepend the Ethernet header for neighbour `idx` and set m->l2_len. With l3 nothing is prepended.
 *
 * @param idx   held; 0 drops with NEIGH_TABLE_FULL
 * @param m     starts at its IP header, of the neighbour's family, with headroom for l2_bytes
 * @return      true: *m is a frame to transmit, still the caller's. false: the table took it: it
 *              waits for the link address (and goes out through io.send) or was dropped
 * Cost: a compare and a copy where the link address is fresh.
 */
static inline bool tern_neigh_output(struct tern_neigh_table *t, uint16_t idx, struct rte_mbuf *m);

/** tern_neigh_output() where the link address is fresh. @return false: it is not, and nothing has
 * changed */
static inline bool tern_neigh_output_fresh(
    const struct tern_neigh_table *t, uint16_t idx, struct rte_mbuf *m);

/**
 * The peer made progress only possible if our packets arrive (RFC 4861 §7.3.1): an ACK of something
 * new, a completed handshake. Cheap enough for every burst.
 */
static inline void tern_neigh_confirm(struct tern_neigh_table *t, uint16_t idx, uint64_t now_ns);

/**
 * Upper layers send and are not answered (negative advice, RFC 1122 §3.3.1.4): the link address is
 * asked, and forgotten when it is silent, too. At most once in LOCK_NS for each entry.
 */
void tern_neigh_doubt(struct tern_neigh_table *t, uint16_t idx, uint64_t now_ns);

/**
 * A completed handshake with `addr`, whose next hop is `idx`, came from `mac`. Fills in an entry
 * without link address, confirms one that has this link address, and never replaces another.
 *
 * @param idx   held; 0 does nothing, and an entry that is not `addr` itself (a gateway) is not
 * taught
 * @param mac   ignored where it cannot be a station's
 */
void tern_neigh_learn_at(struct tern_neigh_table *t, uint16_t idx, const union tern_addr *addr,
    const uint8_t mac[6], uint64_t now_ns);

/**
 * Act on a parsed ARP or NDP message.
 *
 * @param replica   another worker received it: learn, but neither answer nor count conflicts
 * @return          ARP_DONE / NDP_DONE, ARP_NOT_MINE / NDP_NOT_MINE (teaches nothing, asks for
 *                  nothing of ours), ARP_BAD / NDP_BAD (an impossible link address, or our own)
 */
enum tern_drop tern_neigh_rx(
    struct tern_neigh_table *t, const struct tern_neigh_msg *msg, bool replica, uint64_t now_ns);

/** Time passes: questions repeated, entries given up, start-up taken further; bounded work. */
void tern_neigh_advance(struct tern_neigh_table *t, uint64_t now_ns);

/** @return true and the time of the next thing to do, or false: nothing will happen by itself. */
bool tern_neigh_next_deadline(const struct tern_neigh_table *t, uint64_t *at_ns);

/** Are our addresses ours to use: probed without an objection, or never to be probed? */
static inline bool tern_neigh_addrs_ready(const struct tern_neigh_table *t);

/**
 * Did duplicate address detection find another owner? Then the addresses never become ready.
 * @param addr, mac  which address, and who has it (zero where the message did not say); may be NULL
 */
bool tern_neigh_conflict(const struct tern_neigh_table *t, union tern_addr *addr, uint8_t mac[6]);

/** State of an entry as of now (a REACHABLE one that has aged reads STALE). */
enum tern_neigh_state tern_neigh_state(const struct tern_neigh_table *t, uint16_t idx);

/** Index of the entry of `addr`, not held, or 0. For inspection. */
uint16_t tern_neigh_find(const struct tern_neigh_table *t, const union tern_addr *addr);

/* ---- */

/** What output does unless the link address is fresh; see there. */
bool tern_neigh_output_slow(struct tern_neigh_table *t, uint16_t idx, struct rte_mbuf *m);
/** What confirm does unless the entry is REACHABLE; see there. */
void tern_neigh_confirm_slow(struct tern_neigh_table *t, uint16_t idx, uint64_t now_ns);

static inline void tern_neigh_prepend(
    const struct tern_neigh_table *t, const struct tern_neighbour *e, struct rte_mbuf *m)
{
    m->l2_len = t->l2_bytes & 0x7f;
    if (t->l2_bytes == 0)
        return;
    char *at = rte_pktmbuf_prepend(m, (uint16_t)t->l2_bytes);
    assert(at != NULL);
    memcpy(at, e->l2, TERN_ETH_BYTES);
    if (t->l2_bytes > TERN_ETH_BYTES)
        memcpy(at + TERN_ETH_BYTES, e->l2 + TERN_ETH_BYTES, TERN_VLAN_BYTES);
}

static inline bool tern_neigh_output_fresh(
    const struct tern_neigh_table *t, uint16_t idx, struct rte_mbuf *m)
{
    const struct tern_neighbour *e = &t->entries[idx];
    if (unlikely(t->now_ns >= e->fresh_until_ns))
        return false;
    tern_neigh_prepend(t, e, m);
    return true;
}

static inline bool tern_neigh_output(struct tern_neigh_table *t, uint16_t idx, struct rte_mbuf *m)
{
    return likely(tern_neigh_output_fresh(t, idx, m)) || tern_neigh_output_slow(t, idx, m);
}

static inline void tern_neigh_confirm(struct tern_neigh_table *t, uint16_t idx, uint64_t now_ns)
{
    struct tern_neighbour *e = &t->entries[idx];
    if (likely(e->state == TERN_NEIGH_REACHABLE))
        e->fresh_until_ns = now_ns + TERN_NEIGH_REACHABLE_NS;
    else
        tern_neigh_confirm_slow(t, idx, now_ns);
}

static inline bool tern_neigh_addrs_ready(const struct tern_neigh_table *t)
{
    return t->phase == TERN_NEIGH_PHASE_READY || t->phase == TERN_NEIGH_PHASE_DONE;
}
