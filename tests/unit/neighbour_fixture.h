/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A neighbour table with a link that records: frames sent are decoded here byte by byte (nothing of
 * wire/ is used), drops are counted by reason, failures by index, and time is a number.
 */
#include <tern/stats.h>

#include "eal_fixture.h"
#include "shard/neighbour.h"
#include "shard/route.h"

enum { POOL_MBUFS = 4095, SENT_MAX = 4096, MS = 1000000 };
#define SEC UINT64_C(1000000000)

/** A frame that went out. */
struct sent {
    uint8_t dst[6], src[6];
    uint16_t ethertype, vlan; /* 0: untagged */
    uint32_t n_bytes;
    bool is_arp, is_ndp; /* neither: a packet that had waited */
    bool is_answer, solicited, override, has_mac;
    union tern_addr sender, target, ip_dst; /* ip_dst: NDP; with ARP the target protocol address */
    uint8_t mac[6];
};

struct bed {
    struct tern_stack_config cfg;
    struct tern_routes routes;
    struct tern_stats stats;
    struct tern_neigh_table t;
    struct rte_mempool *pool;
    bool no_mbufs;
    bool announces;
    struct sent sent[SENT_MAX];
    uint32_t n_sent;
    uint32_t drops[TERN_DROP_COUNT];
    uint32_t n_failed;
    uint16_t failed_idx;
    uint64_t now;
};

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 0xa};
static const uint8_t mac_b[6] = {2, 0, 0, 0, 0, 0xb};
static const uint8_t to_all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t zero_mac[6];

static inline union tern_addr addr(const char *text)
{
    union tern_addr a;
    assert_int_equal(tern_addr_parse(text, &a), 0);
    return a;
}

static inline union tern_addr v4_host(uint32_t n) /* 10.1.0.0 + n, on link */
{
    return tern_addr_from_v4(__builtin_bswap32(0x0a010000u + n));
}

/* ---- the link ---- */

static inline struct rte_mbuf *bed_alloc(void *ctx)
{
    struct bed *b = ctx;
    return b->no_mbufs ? NULL : rte_pktmbuf_alloc(b->pool);
}

static inline union tern_addr read_v4(const uint8_t *at)
{
    uint32_t be;
    memcpy(&be, at, sizeof be);
    return tern_addr_from_v4(be);
}

static inline void decode_arp(struct sent *s, const uint8_t *arp)
{
    s->is_arp = true;
    s->is_answer = arp[7] == 2;
    s->has_mac = true;
    memcpy(s->mac, arp + 8, 6);
    s->sender = read_v4(arp + 14);
    s->ip_dst = s->target = read_v4(arp + 24);
}

static inline void decode_ip6(struct sent *s, const uint8_t *ip)
{
    const uint8_t *icmp = ip + 40;
    s->is_ndp = ip[6] == 58 && ip[7] == 255 && (icmp[0] == 135 || icmp[0] == 136);
    if (!s->is_ndp)
        return;
    memcpy(s->sender.b, ip + 8, 16);
    memcpy(s->ip_dst.b, ip + 24, 16);
    memcpy(s->target.b, icmp + 8, 16);
    s->is_answer = icmp[0] == 136;
    s->solicited = icmp[4] & 0x40;
    s->override = icmp[4] & 0x20;
    s->has_mac = ip[5] == 32;
    if (s->has_mac)
        memcpy(s->mac, icmp + 26, 6);
}

static inline void decode(struct sent *s, const uint8_t *f, uint32_t n_bytes)
{
    *s = (struct sent){.n_bytes = n_bytes};
    memcpy(s->dst, f, 6);
    memcpy(s->src, f + 6, 6);
    f += 12;
    if (f[0] == 0x81) {
        s->vlan = (uint16_t)((f[2] << 8 | f[3]) & 0xfff);
        f += 4;
    }
    s->ethertype = (uint16_t)(f[0] << 8 | f[1]);
    if (s->ethertype == 0x0806)
        decode_arp(s, f + 2);
    else if (s->ethertype == 0x86dd && n_bytes >= 14 + 40 + 24)
        decode_ip6(s, f + 2);
}

static inline void bed_send(void *ctx, struct rte_mbuf *m)
{
    struct bed *b = ctx;
    assert_true(b->n_sent < SENT_MAX);
    decode(&b->sent[b->n_sent++], rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_pkt_len(m));
    rte_pktmbuf_free(m);
}

static inline void bed_drop(void *ctx, struct rte_mbuf *m, enum tern_drop why)
{
    struct bed *b = ctx;
    b->drops[why]++;
    rte_pktmbuf_free(m);
}

static inline void bed_failed(void *ctx, uint16_t idx)
{
    struct bed *b = ctx;
    b->n_failed++;
    b->failed_idx = idx;
}

/* ---- setting up ---- */

static inline void add_own(struct bed *b, const char *text)
{
    assert_int_equal(tern_prefix_parse(text, &b->cfg.addrs[b->cfg.n_addrs++]), 0);
}

/** 10.1.0.1/16 and 2001:db8::1/64, no gateway, no probing, room for 8 neighbours. Not started. */
static inline int bed_setup(void **state)
{
    static struct bed bed;
    struct bed *b = &bed;
    memset(b, 0, sizeof *b);
    tern_stack_config_init(&b->cfg);
    memcpy(b->cfg.mac, our_mac, 6);
    add_own(b, "10.1.0.1/16");
    add_own(b, "2001:db8::1/64");
    b->cfg.dad = false;
    b->cfg.neighbours_max = 8;
    b->announces = true;
    b->now = 1000 * SEC;
    b->pool = eal_pool_new("bed", POOL_MBUFS);
    *state = b;
    return 0;
}

/** Everything went back to the pool, whatever the test did. */
static inline int bed_teardown(void **state)
{
    struct bed *b = *state;
    tern_neigh_fini(&b->t);
    eal_pool_free(b->pool);
    return 0;
}

static inline int bed_init(struct bed *b)
{
    struct tern_error err;
    if (tern_stack_config_check(&b->cfg, &err) != 0)
        fail_msg("%s", err.text);
    tern_routes_init(&b->routes, &b->cfg);
    const struct tern_neigh_params params = {
        .cfg = &b->cfg,
        .routes = &b->routes,
        .io = {.ctx = b,
            .alloc = bed_alloc,
            .send = bed_send,
            .drop = bed_drop,
            .failed = bed_failed},
        .stats = &b->stats,
        .announces = b->announces,
        .now_ns = b->now,
    };
    return tern_neigh_init(&b->t, &params);
}

/** Init with what is in b->cfg now, and the first advance. */
static inline void bed_start(struct bed *b)
{
    assert_int_equal(bed_init(b), 0);
    tern_neigh_advance(&b->t, b->now);
}

/* ---- acting ---- */

static inline void forget_sent(struct bed *b)
{
    b->n_sent = 0;
}

static inline void wait_ns(struct bed *b, uint64_t ns)
{
    b->now += ns;
    tern_neigh_advance(&b->t, b->now);
}

/** Step from deadline to deadline until `ns` have passed. */
static inline void live_ns(struct bed *b, uint64_t ns)
{
    const uint64_t end = b->now + ns;
    uint64_t at;
    while (tern_neigh_next_deadline(&b->t, &at) && at <= end) {
        if (at > b->now)
            b->now = at;
        tern_neigh_advance(&b->t, b->now);
    }
    b->now = end;
    tern_neigh_advance(&b->t, b->now);
}

static inline uint16_t get(struct bed *b, union tern_addr a)
{
    return tern_neigh_get(&b->t, &a, b->now);
}

/** Output of a small packet. When it is ready, it counts as sent. @return ready? */
static inline bool output(struct bed *b, uint16_t idx)
{
    static const uint8_t packet[40];
    struct rte_mbuf *m = eal_mbuf_of(b->pool, packet, sizeof packet);
    const bool ready = tern_neigh_output(&b->t, idx, m);
    if (ready)
        bed_send(b, m);
    return ready;
}

static inline enum tern_drop rx_answer(
    struct bed *b, union tern_addr target, const uint8_t *mac, bool override, bool solicited)
{
    struct tern_neigh_msg msg = {.sender = target,
        .target = target,
        .has_mac = true,
        .is_answer = true,
        .solicited = solicited,
        .override = override};
    memcpy(msg.mac, mac, 6);
    return tern_neigh_rx(&b->t, &msg, false, b->now);
}

static inline enum tern_drop rx_reply(struct bed *b, union tern_addr target, const uint8_t *mac)
{
    return rx_answer(b, target, mac, true, true);
}

/** @param mac may be NULL: an NDP question without link address */
static inline enum tern_drop rx_question(
    struct bed *b, union tern_addr sender, union tern_addr target, const uint8_t *mac)
{
    struct tern_neigh_msg msg = {.sender = sender, .target = target, .has_mac = mac != NULL};
    if (mac != NULL)
        memcpy(msg.mac, mac, 6);
    return tern_neigh_rx(&b->t, &msg, false, b->now);
}

static inline enum tern_neigh_state state_of(const struct bed *b, uint16_t idx)
{
    return tern_neigh_state(&b->t, idx);
}

/** A handshake with `a` was completed from `mac`, and its next hop is `idx`. */
static inline void learn(struct bed *b, uint16_t idx, union tern_addr a, const uint8_t *mac)
{
    tern_neigh_learn_at(&b->t, idx, &a, mac, b->now);
}

/** An entry of ours that is held and REACHABLE at `mac`. */
static inline uint16_t get_reachable(struct bed *b, union tern_addr a, const uint8_t *mac)
{
    const uint16_t idx = get(b, a);
    learn(b, idx, a, mac);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_REACHABLE);
    return idx;
}

static inline void assert_addr_equal(union tern_addr a, union tern_addr b)
{
    assert_memory_equal(&a, &b, sizeof a);
}

static inline void assert_mac(const struct bed *b, uint16_t idx, const uint8_t *mac)
{
    assert_memory_equal(b->t.entries[idx].l2, mac, 6);
}

/** Frame `i` of those sent is a question for `target` to all. */
static inline void assert_asks_all(const struct bed *b, uint32_t i, union tern_addr target)
{
    assert_true(i < b->n_sent);
    const struct sent *s = &b->sent[i];
    assert_true(s->is_arp || s->is_ndp);
    assert_false(s->is_answer);
    assert_addr_equal(s->target, target);
    assert_true(s->dst[0] & 1);
    assert_memory_equal(s->src, our_mac, 6);
}
