/* SPDX-License-Identifier: BSD-3-Clause */
#include "shard_struct.h"

/*
 * A received burst, in stages over all its packets, so that what one stage will read the stage
 * before has asked the memory for (design.md §2):
 *
 *   parse and sort   headers; ARP, NDP and ICMP are dealt with at once
 *   hash             home buckets of the flow table
 *   look             the records that tags point at, or the other buckets
 *   act              one segment after the other, in the order they came
 *   settle           once a connection: data, acknowledgement, timer, release
 */
#include "tcp/host.h"
#include "tcp/mbuf.h"
#include "tcp/syn_secret.h"
#include "wire/bytes.h"

enum { PREFETCH_AHEAD = 4 };

/* ---- parse ---- */

static uint8_t device_verdict(uint64_t ol_flags)
{
    const uint64_t ip = ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
    const uint64_t l4 = ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
    if (likely((ip | l4) == (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)))
        return TERN_RX_IP_CSUM_GOOD | TERN_RX_L4_CSUM_GOOD;
    if ((ip | l4) == 0) /* virtual devices look at nothing */
        return 0;
    uint8_t flags = 0;
    if (ip == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
        flags |= TERN_RX_IP_CSUM_GOOD;
    else if (ip == RTE_MBUF_F_RX_IP_CKSUM_BAD)
        flags |= TERN_RX_IP_CSUM_BAD;
    if (l4 == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
        flags |= TERN_RX_L4_CSUM_GOOD;
    else if (l4 == RTE_MBUF_F_RX_L4_CKSUM_BAD)
        flags |= TERN_RX_L4_CSUM_BAD;
    return flags;
}

/** What the frames of a burst have in common. */
static struct tern_pkt_input input_of(const struct tern_shard *sh)
{
    const struct tern_stack_config *cfg = &sh->tcp.cfg;
    return (struct tern_pkt_input){.l3 = cfg->l3, .vlan = cfg->vlan, .mac = cfg->mac};
}

static enum tern_drop parse_once(
    struct tern_pkt_input *in, const struct rte_mbuf *m, struct tern_pkt *p)
{
    in->frame = rte_pktmbuf_mtod(m, const uint8_t *);
    in->n_contiguous = m->data_len;
    in->n_total = m->pkt_len;
    if (m->next != NULL)
        in->tail_sum = tern_mbuf_sum(m->next);
    in->rx_flags = device_verdict(m->ol_flags);
    in->vlan_stripped = m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED;
    in->vlan_tci = m->vlan_tci;
    return tern_pkt_parse(in, p);
}

/** Headers lie in several buffers: join them and parse again. *m may be replaced. */
static TERN_ASIDE enum tern_drop parse_joined(
    struct tern_shard *sh, struct tern_pkt_input *in, struct rte_mbuf **m, struct tern_pkt *p)
{
    if ((*m)->next == NULL || (*m)->pkt_len > rte_pktmbuf_data_room_size(sh->tcp.pool))
        return TERN_DROP_LINEARISE;
    struct rte_mbuf *joined = rte_pktmbuf_copy(*m, sh->tcp.pool, 0, UINT32_MAX);
    if (joined == NULL)
        return TERN_DROP_NO_MBUF;
    rte_pktmbuf_free(*m);
    *m = joined;
    return joined->next == NULL ? parse_once(in, joined, p) : TERN_DROP_LINEARISE;
}

/** Any frame. *m may be replaced. */
static TERN_ASIDE enum tern_drop parse_any(
    struct tern_shard *sh, struct rte_mbuf **m, struct tern_pkt *p)
{
    struct tern_pkt_input in = input_of(sh);
    const enum tern_drop why = parse_once(&in, *m, p);
    return likely(why != TERN_DROP_LINEARISE) ? why : parse_joined(sh, &in, m, p);
}

/* ---- ARP, NDP, ICMP ---- */

static enum tern_drop take_arp(
    struct tern_shard *sh, const struct rte_mbuf *m, const struct tern_pkt *p, bool replica)
{
    struct tern_neigh_msg msg;
    const enum tern_drop why = tern_arp_parse(rte_pktmbuf_mtod(m, const uint8_t *), p, &msg);
    if (why != TERN_DROP_NONE)
        return why;
    return tern_neigh_rx(&sh->neighbours, &msg, replica, sh->tcp.now_ns);
}

/** An ICMP error: find the connection whose segment it quotes (MUST-54). */
static enum tern_drop take_icmp_error(struct tern_shard *sh, const struct tern_icmp_verdict *v)
{
    const struct tern_icmp_quote *q = &v->quote;
    const struct tern_flow_key key = {
        .remote = q->dst, .local = q->src, .rport = q->dport, .lport = q->sport};
    const uint32_t ref = tern_records_find(sh, &key, tern_flow_hash(&sh->tcp, &key));
    if (ref == 0 || tern_ref_kind(ref) != TERN_REF_CONN)
        return TERN_DROP_ICMP_QUOTE;
    struct tern_conn *c = &sh->tcp.conns[tern_ref_idx(ref)];
    return tern_conn_icmp(&sh->tcp, c, (int)v->kind, q->seq, q->mtu_bytes, q->quoted_ip_bytes);
}

static enum tern_drop take_icmp(
    struct tern_shard *sh, struct rte_mbuf **m, struct tern_pkt *p, bool replica)
{
    if (!tern_mbuf_is_writable(*m)) { /* the reply is written over the request */
        struct rte_mbuf *copy = rte_pktmbuf_copy(*m, sh->tcp.pool, 0, UINT32_MAX);
        if (copy == NULL || copy->next != NULL) {
            rte_pktmbuf_free(copy);
            return TERN_DROP_NO_MBUF;
        }
        rte_pktmbuf_free(*m);
        *m = copy;
        struct tern_pkt_input in = input_of(sh);
        const enum tern_drop why = parse_once(&in, copy, p);
        if (why != TERN_DROP_NONE)
            return why;
    }
    uint8_t *frame = rte_pktmbuf_mtod(*m, uint8_t *);
    const struct tern_icmp_verdict v = tern_icmp_in(&sh->icmp, frame, p, replica, sh->tcp.now_ns);
    if (v.is_error)
        return take_icmp_error(sh, &v);
    if (!v.send_reply)
        return v.why;
    rte_pktmbuf_trim(*m, (uint16_t)((*m)->pkt_len - p->end_off));
    (*m)->ol_flags = 0;
    sh->tcp.stats.icmp_echo_replies++;
    tern_link_send(sh, *m);
    *m = NULL;
    return TERN_DROP_NONE;
}

static void take_control(
    struct tern_shard *sh, struct rte_mbuf *m, struct tern_pkt *p, bool replica)
{
    const enum tern_drop why =
        p->kind == TERN_PKT_ARP ? take_arp(sh, m, p, replica) : take_icmp(sh, &m, p, replica);
    tern_drop_mbuf(&sh->tcp, m, why);
}

/* ---- TCP ---- */

/** Is this one of our addresses? Most often the one that it was before. */
static inline bool is_mine(struct tern_shard *sh, const union tern_addr *a)
{
    if (likely(tern_addr_equal(a, &sh->mine_last)))
        return true;
    if (!tern_route_is_mine(&sh->routes, a))
        return false;
    sh->mine_last = *a;
    return true;
}

/** Why is a segment between these addresses not one for us? (1122-6, MUST-57, MUST-63; V050, V051,
 * V094) */
static TERN_ASIDE enum tern_drop address_fault(
    const struct tern_shard *sh, const struct tern_flow_key *k)
{
    if (!tern_route_is_mine(&sh->routes, &k->local))
        return tern_route_is_subnet_broadcast(&sh->routes, &k->local) ? TERN_DROP_IP_DST
                                                                      : TERN_DROP_IP_DST_NOT_MINE;
    return tern_route_is_mine(&sh->routes, &k->remote) ? TERN_DROP_IP_SRC_MINE : TERN_DROP_IP_SRC;
}

/* V189 */
static TERN_ASIDE bool refuse(struct tern_shard *sh, struct rte_mbuf *m, enum tern_drop why)
{
    tern_drop_mbuf(&sh->tcp, m, why);
    return false;
}

/** seg->p is a TCP segment in `m`. @return as sort() */
static inline bool sort_tcp(struct tern_shard *sh, struct rte_mbuf *m, struct tern_seg *seg)
{
    const struct tern_flow_key key = {
        .remote = tern_pkt_addr(&seg->p, seg->p.src),
        .local = tern_pkt_addr(&seg->p, seg->p.dst),
        .rport = seg->p.sport,
        .lport = seg->p.dport,
    };
    seg->m = m;
    seg->frame = rte_pktmbuf_mtod(m, const uint8_t *);
    seg->key = key;
    if (likely(is_mine(sh, &key.local) && !tern_route_is_known(&sh->routes, &key.remote)))
        return true;
    return refuse(sh, m, address_fault(sh, &seg->key));
}

/** sort() for any frame. */
static TERN_ASIDE bool sort_any(struct tern_shard *sh, struct rte_mbuf *m, struct tern_seg *seg)
{
    const enum tern_drop why = parse_any(sh, &m, &seg->p);
    if (unlikely(why != TERN_DROP_NONE))
        return refuse(sh, m, why);
    if (likely(seg->p.kind == TERN_PKT_TCP))
        return sort_tcp(sh, m, seg);
    take_control(sh, m, &seg->p, false);
    return false;
}

/** Are the checksums of a plain segment right? The device has not said so. */
static TERN_ASIDE enum tern_drop check_sums(const struct rte_mbuf *m, const struct tern_pkt *p)
{
    return tern_pkt_check_sums(
        rte_pktmbuf_mtod(m, const uint8_t *), p, device_verdict(m->ol_flags));
}

/** Parse one packet. @return true: *seg is a TCP segment for us; false: dealt with */
static inline bool sort(struct tern_shard *sh, struct rte_mbuf *m, struct tern_seg *seg)
{
    const uint64_t told =
        m->ol_flags
        & (RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK | RTE_MBUF_F_RX_VLAN_STRIPPED);
    if (unlikely(m->pkt_len != m->data_len || (told & RTE_MBUF_F_RX_VLAN_STRIPPED)
                 || !tern_plain_parse(
                     &sh->plain, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, &seg->p)))
        return sort_any(sh, m, seg);
    if (unlikely(told != (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD))) {
        const enum tern_drop why = check_sums(m, &seg->p);
        if (unlikely(why != TERN_DROP_NONE))
            return refuse(sh, m, why);
    }
    return sort_tcp(sh, m, seg);
}

/** Parse a burst. @return segments in segs[n] */
static TERN_ASIDE uint32_t sort_all(
    struct tern_shard *sh, struct rte_mbuf **pkts, uint32_t n, struct tern_seg *segs)
{
    struct tern_seg *seg = segs;
    uint64_t n_bytes = 0;
    for (uint32_t i = 0; i < n && i < PREFETCH_AHEAD; i++)
        rte_prefetch0(rte_pktmbuf_mtod(pkts[i], const void *));
    for (uint32_t i = 0; i < n; i++) {
        if (i + PREFETCH_AHEAD < n)
            rte_prefetch0(rte_pktmbuf_mtod(pkts[i + PREFETCH_AHEAD], const void *));
        n_bytes += pkts[i]->pkt_len;
        seg += sort(sh, pkts[i], seg);
    }
    const uint32_t n_segs = (uint32_t)(seg - segs);
    sh->tcp.stats.rx_packets += n;
    sh->tcp.stats.rx_bytes += n_bytes;
    sh->tcp.stats.rx_segments += n_segs;
    return n_segs;
}

/** Ask for the home buckets of all. Apart from parsing, so that the rounds of one packet's cipher
 * run beside those of the next; the SYNs' second one apart again, so that each loop has its key in
 * registers. */
static inline void hash(const struct tern_shard *sh, struct tern_seg *segs, uint32_t n)
{
    struct tern_seg *syns[TERN_BURST_MAX];
    uint32_t n_syns = 0;
    for (struct tern_seg *seg = segs; seg < segs + n; seg++) {
        seg->hash = tern_flow_hash(&sh->tcp, &seg->key);
        tern_flow_prefetch(&sh->flow, seg->hash);
        syns[n_syns] = seg;
        n_syns += (seg->p.flags & (TERN_TCP_SYN | TERN_TCP_ACK)) == TERN_TCP_SYN;
    }
    if (n_syns != 0)
        tern_syn_prepare(&sh->tcp, syns, n_syns, tern_syn_gets_cookie(&sh->tcp));
}

static bool find_listener(
    const struct tern_shard *sh, const struct tern_flow_key *k, struct tern_listen_ctx *out)
{
    const struct tern_listener *l = tern_listeners_find(&sh->listeners, &k->local, k->lport);
    if (l == NULL)
        return false;
    *out = (struct tern_listen_ctx){.app = l->app, .user = l->user};
    return true;
}

static enum tern_drop no_connection(struct tern_shard *sh, struct tern_seg *seg)
{
    struct tern_listen_ctx l;
    return find_listener(sh, &seg->key, &l) ? tern_listen_rx(&sh->tcp, &l, seg)
                                            : tern_closed_rx(&sh->tcp, seg);
}

static enum tern_drop half_open(struct tern_shard *sh, uint32_t idx, struct tern_seg *seg)
{
    struct tern_listen_ctx l;
    const bool listening = find_listener(sh, &seg->key, &l);
    return tern_half_rx(&sh->tcp, listening ? &l : NULL, tern_pool_at(&sh->halves, idx), seg);
}

static enum tern_drop time_wait(struct tern_shard *sh, uint32_t idx, struct tern_seg *seg)
{
    struct tern_tw *tw = tern_pool_at(&sh->tws, idx);
    struct tern_listen_ctx l;
    bool reopen;
    const enum tern_drop why = tern_tw_rx(&sh->tcp, tw, seg, &reopen);
    if (!reopen)
        return why;
    if (!find_listener(sh, &seg->key, &l))
        return tern_closed_rx(&sh->tcp, seg);
    l.reopens = true;
    l.old_nxt = tw->snd_nxt;
    sh->tcp.stats.time_wait_reused++;
    tern_host_tw_free(&sh->tcp, tw);
    return tern_listen_rx(&sh->tcp, &l, seg);
}

/**
 * The record of a segment, as of now: records of one tuple change within a burst. What the slot
 * said when the burst was looked over still holds if it says so again, and the key is the judge.
 */
static inline uint32_t find(const struct tern_shard *sh, const struct tern_seg *seg)
{
    if (seg->slot != NULL && *seg->slot == seg->guess
        && tern_ref_has_key(sh, seg->guess, &seg->key))
        return seg->guess;
    if (seg->is_absent && !tern_flow_is_late(&sh->flow, seg->hash))
        return 0;
    return tern_records_find(sh, &seg->key, seg->hash);
}

/** One segment. */
static void act(struct tern_shard *sh, struct tern_seg *seg)
{
    const uint32_t ref = find(sh, seg);
    const uint32_t idx = tern_ref_idx(ref);
    if (likely(ref != 0 && tern_ref_kind(ref) == TERN_REF_CONN)) { /* before listeners: MUST-41 */
        tern_conn_rx(&sh->tcp, &sh->tcp.conns[idx], seg);
        return;
    }
    enum tern_drop why;
    if (ref == 0)
        why = no_connection(sh, seg);
    else
        why =
            tern_ref_kind(ref) == TERN_REF_HALF ? half_open(sh, idx, seg) : time_wait(sh, idx, seg);
    if (why != TERN_DROP_NONE || seg->m != NULL)
        tern_seg_done(&sh->tcp, seg, why);
}

/* ---- the burst ---- */

/** Ask for the record that a segment's slot names. */
static inline void ask_for_record(const struct tern_shard *sh, struct tern_seg *seg)
{
    seg->guess = *seg->slot;
    const struct tern_pool *pool = sh->pool_of[tern_ref_kind(seg->guess)];
    const uint8_t *record = pool->base + (size_t)tern_ref_idx(seg->guess) * pool->stride;
    rte_prefetch0(record);
    if (pool->stride > RTE_CACHE_LINE_SIZE)
        rte_prefetch0(record + RTE_CACHE_LINE_SIZE);
}

/** Ask for the records of all; those that may be away from home take another round. */
static void look(struct tern_shard *sh, struct tern_seg *segs, uint32_t n)
{
    struct tern_seg *away[TERN_BURST_MAX];
    uint32_t n_away = 0;
    tern_flow_begin(&sh->flow);
    for (uint32_t i = 0; i < n; i++) {
        struct tern_seg *seg = &segs[i];
        seg->slot = tern_flow_home_match(&sh->flow, seg->hash);
        seg->is_absent = false;
        if (seg->slot != NULL)
            ask_for_record(sh, seg);
        else if (tern_flow_prefetch_other(&sh->flow, seg->hash))
            away[n_away++] = seg;
        else
            seg->is_absent = true;
    }
    for (uint32_t i = 0; i < n_away; i++) {
        away[i]->slot = tern_flow_other_match(&sh->flow, away[i]->hash);
        if (away[i]->slot != NULL)
            ask_for_record(sh, away[i]);
        else
            away[i]->is_absent = true;
    }
}

void tern_shard_rx(struct tern_shard *sh, struct rte_mbuf **pkts, uint32_t n, uint64_t now_ns)
{
    struct tern_tcp *t = &sh->tcp;
    struct tern_seg segs[TERN_BURST_MAX];
    assert(n <= TERN_BURST_MAX);
    tern_shard_leap(sh, now_ns);
    tern_tcp_set_time(t, now_ns);
    const uint32_t n_segs = sort_all(sh, pkts, n, segs);
    hash(sh, segs, n_segs);
    look(sh, segs, n_segs);
    for (uint32_t i = 0; i < n_segs; i++)
        act(sh, &segs[i]);
    tern_tcp_settle(t);
    tern_tcp_free_spares(t);
}

void tern_shard_rx_replica(struct tern_shard *sh, struct rte_mbuf *m, uint64_t now_ns)
{
    struct tern_pkt p;
    tern_shard_leap(sh, now_ns);
    tern_tcp_set_time(&sh->tcp, now_ns);
    const enum tern_drop why = parse_any(sh, &m, &p);
    if (why != TERN_DROP_NONE || p.kind == TERN_PKT_TCP)
        tern_drop_mbuf(&sh->tcp, m, why);
    else
        take_control(sh, m, &p, true);
    tern_tcp_settle(&sh->tcp);
}

/* ---- for the engine's steering ---- */

static bool is_shared_icmp6(const uint8_t *ip, uint32_t n)
{
    if (n <= TERN_IP6_BYTES || ip[6] != TERN_IPPROTO_ICMP6)
        return false;
    const uint8_t type = ip[TERN_IP6_BYTES];
    return type < 128
           || (type >= 133 && type <= 137); /* errors and NDP (RFC 4443 §2.1, RFC 4861) */
}

static bool is_shared_icmp4(const uint8_t *ip, uint32_t n)
{
    const uint32_t ihl = (ip[0] & 0xfu) * 4;
    if (n <= ihl || ihl < TERN_IP4_BYTES || ip[9] != TERN_IPPROTO_ICMP)
        return false;
    const uint8_t type = ip[ihl];
    return type == 3 || type == 11 || type == 12;
}

bool tern_shard_is_shared_frame(const struct tern_shard *sh, const struct rte_mbuf *m)
{
    const uint8_t *at = rte_pktmbuf_mtod(m, const uint8_t *);
    uint32_t n = m->data_len;
    if (!sh->tcp.cfg.l3) {
        if (n < TERN_ETH_BYTES)
            return false;
        uint16_t type = tern_load16(at + 12);
        uint32_t skip = TERN_ETH_BYTES;
        if (type == TERN_ETHERTYPE_VLAN && n >= skip + TERN_VLAN_BYTES) {
            type = tern_load16(at + 16);
            skip += TERN_VLAN_BYTES;
        }
        if (type == TERN_ETHERTYPE_ARP)
            return true;
        at += skip;
        n -= skip;
    }
    if (n < TERN_IP4_BYTES)
        return false;
    return at[0] >> 4 == 6 ? is_shared_icmp6(at, n) : is_shared_icmp4(at, n);
}
