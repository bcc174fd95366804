/* SPDX-License-Identifier: BSD-3-Clause */
#include "conn_world.h"

/*
 * What arrives at the shard of fuzz_conn: segments of peers that know the connection's own numbers,
 * so that the fuzzer only chooses where beside them a segment lies; ICMP errors; bytes as they
 * come.
 */
#include "wire/build.h"
#include "wire/bytes.h"
#include "wire/csum.h"

enum { PACKET_MAX = 1500 };

void flush_burst(void)
{
    if (w.n_burst > 0)
        tern_shard_rx(w.sh, w.burst, w.n_burst, w.now_ns);
    w.n_burst = 0;
}

static void arrive(struct rte_mbuf *m)
{
    w.burst[w.n_burst++] = m;
    if (!w.bursts || w.n_burst == TERN_BURST_MAX)
        flush_burst();
}

/** A packet, in two buffers where `split` says so. */
static void inject(const uint8_t *packet, uint32_t n, uint32_t split, uint64_t ol_flags)
{
    const uint32_t front = split > 0 && split < n ? split : n;
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
    struct rte_mbuf *rest = front < n ? rte_pktmbuf_alloc(pool) : NULL;
    if (m == NULL || (front < n && rest == NULL)) {
        rte_pktmbuf_free(m);
        return; /* the device had no buffer for it */
    }
    memcpy(rte_pktmbuf_append(m, (uint16_t)front), packet, front);
    if (rest != NULL) {
        memcpy(rte_pktmbuf_append(rest, (uint16_t)(n - front)), packet + front, n - front);
        assert(rte_pktmbuf_chain(m, rest) == 0);
    }
    m->ol_flags |= ol_flags;
    arrive(m);
}

static void seal(uint8_t *ip, uint32_t l4, uint32_t n, uint8_t proto, uint32_t csum_off)
{
    const bool v6 = l4 == TERN_IP6_BYTES;
    uint64_t sum = 0;
    if (v6)
        sum = tern_csum_pseudo6(ip + 8, ip + 24, proto, n - l4);
    else if (proto == TERN_IPPROTO_TCP)
        sum = tern_csum_pseudo4(ip + 12, ip + 16, proto, n - l4);
    memset(ip + l4 + csum_off, 0, 2);
    const uint16_t csum = (uint16_t)~tern_csum_fold(tern_csum_add(sum, ip + l4, n - l4));
    memcpy(ip + l4 + csum_off, &csum, 2);
}

/** IP header from the peer of a slot to us. @return its bytes */
static uint32_t write_ip(const struct slot *s, uint8_t *at, uint8_t proto, uint32_t n_l4)
{
    const struct tern_ip_fields f = {.src = &s->key.remote,
        .dst = &s->key.local,
        .l4_bytes = n_l4,
        .df = true,
        .ttl = 64,
        .tos = w.mark,
        .proto = proto};
    if (tern_addr_is_v4(&s->key.local)) {
        tern_build_ip4(at, &f);
        return TERN_IP4_BYTES;
    }
    tern_build_ip6(at, &f);
    return TERN_IP6_BYTES;
}

/** What the peer of a slot would know: the shard's own numbers, or the last ones it was told. */
struct view {
    int kind; /* enum tern_ref_kind, 0: no record */
    bool syn_sent, ts;
    uint32_t rcv_nxt, rcv_adv, una, nxt, ts_recent, last_ts;
};

static struct view look(const struct slot *s)
{
    const uint32_t ref = tern_records_find(w.sh, &s->key, tern_flow_hash(&w.sh->tcp, &s->key));
    struct view v = {.rcv_nxt = s->peer_iss + 1,
        .una = s->last_end,
        .nxt = s->last_end,
        .last_ts = s->last_ts,
        .ts = true};
    if (ref == 0)
        return v;
    v.kind = (int)tern_ref_kind(ref);
    if (v.kind == TERN_REF_CONN) {
        const struct tern_conn *c = &w.sh->tcp.conns[tern_ref_idx(ref)];
        v.syn_sent = c->state == TERN_SYN_SENT;
        v.una = c->snd.una.v;
        v.nxt = c->snd.nxt.v;
        v.ts_recent = c->ts_recent;
        v.ts = c->flags & TERN_CF_TS;
        if (!v.syn_sent) {
            v.rcv_nxt = c->rcv.nxt.v;
            v.rcv_adv = c->rcv.adv.v;
        }
    } else if (v.kind == TERN_REF_HALF) {
        const struct tern_half *h = tern_pool_at(&w.sh->halves, tern_ref_idx(ref));
        v.rcv_nxt = h->irs.v + 1;
        v.una = h->iss.v;
        v.nxt = h->iss.v + 1;
        v.ts_recent = h->ts_recent;
        v.ts = h->wscale_sack_ts & TERN_HALF_TS;
    } else {
        const struct tern_tw *tw = tern_pool_at(&w.sh->tws, tern_ref_idx(ref));
        v.rcv_nxt = tw->rcv_nxt.v;
        v.una = v.nxt = tw->snd_nxt.v;
        v.ts_recent = tw->ts_recent;
    }
    return v;
}

/** A segment from the peer. */
struct spec {
    uint8_t flags, n_opt;
    uint16_t wnd, urg, split;
    uint32_t seq, ack, len;
    bool bad_csum, lies_about_csum;
    uint8_t opt[TERN_TCP_OPT_BYTES_MAX];
};

static void say(const struct slot *s, const struct spec *g)
{
    uint8_t packet[PACKET_MAX];
    const uint32_t n_opt = (g->n_opt + 3u) & ~3u;
    const bool v6 = !tern_addr_is_v4(&s->key.local);
    const uint32_t room = PACKET_MAX - (v6 ? 40u : 20u) - TERN_TCP_BYTES - n_opt;
    const uint32_t len = RTE_MIN(g->len, room), n_l4 = TERN_TCP_BYTES + n_opt + len;
    const uint32_t l4 = write_ip(s, packet, TERN_IPPROTO_TCP, n_l4);
    const struct tern_tcp_fields f = {
        .sport = s->key.rport,
        .dport = s->key.lport,
        .seq = {g->seq},
        .ack = {g->flags & TERN_TCP_ACK ? g->ack : 0},
        .doff_bytes = (uint8_t)(TERN_TCP_BYTES + n_opt),
        .flags = g->flags,
        .wnd = g->wnd,
        .urg = g->urg,
    };
    tern_build_tcp(packet + l4, &f);
    uint8_t *at = packet + l4 + TERN_TCP_BYTES;
    memset(at, TERN_OPT_EOL, n_opt);
    memcpy(at, g->opt, g->n_opt);
    at += n_opt;
    const uint32_t first = g->seq + !!(g->flags & TERN_TCP_SYN);
    for (uint32_t i = 0; i < len; i++)
        at[i] = peer_byte(first + i);
    seal(packet, l4, l4 + n_l4, TERN_IPPROTO_TCP, TERN_TCP_OFF_CSUM);
    uint64_t ol_flags = 0;
    if (g->bad_csum)
        packet[l4 + TERN_TCP_OFF_CSUM] ^= 0x55;
    if (g->lies_about_csum)
        ol_flags = g->bad_csum ? RTE_MBUF_F_RX_L4_CKSUM_GOOD : RTE_MBUF_F_RX_L4_CKSUM_BAD;
    inject(packet, l4 + n_l4, g->split, ol_flags);
}

static void add_ts(struct spec *g, uint32_t val, uint32_t ecr)
{
    uint8_t *at = g->opt + g->n_opt;
    if (g->n_opt + TERN_TS_OPT_BYTES > TERN_TCP_OPT_BYTES_MAX)
        return;
    tern_store32(at, TERN_TS_OPT_WORD);
    tern_store32(at + 4, val);
    tern_store32(at + 8, ecr);
    g->n_opt = (uint8_t)(g->n_opt + TERN_TS_OPT_BYTES);
}

/** As many of the blocks as fit. */
static void add_sack(struct spec *g, const struct tern_sack_block *blocks, uint32_t n)
{
    const uint32_t room = TERN_TCP_OPT_BYTES_MAX - g->n_opt;
    uint8_t *at = g->opt + g->n_opt;
    n = RTE_MIN(n, room < 4 ? 0 : (room - 4) / 8);
    if (n == 0)
        return;
    memcpy(at, (uint8_t[]){TERN_OPT_NOP, TERN_OPT_NOP, TERN_OPT_SACK, (uint8_t)(2 + 8 * n)}, 4);
    for (uint32_t i = 0; i < n; i++) {
        tern_store32(at + 4 + 8 * i, blocks[i].left.v);
        tern_store32(at + 8 + 8 * i, blocks[i].right.v);
    }
    g->n_opt = (uint8_t)(g->n_opt + 4 + 8 * n);
}

/** Fast Open in the peer's SYN or SYN-ACK. */
enum { TFO_NONE, TFO_ASKS, TFO_COOKIE, TFO_BAD_COOKIE, TFO_LEN_SHIFT = 2, TFO_LEN_UNIT = 24 };

/** @param how  TFO_*; a SYN carries the cookie that the shard would give, a SYN-ACK any */
static void add_tfo(struct spec *g, const struct slot *s, uint8_t how)
{
    static const struct tern_tcp_opts asking = {.has = TERN_HAS_TFO};
    static const uint8_t any[8] = "cookie!";
    const uint32_t before = g->n_opt;
    uint32_t n = before;
    if (how == TFO_ASKS)
        n = tern_tcp_opts_add_tfo(g->opt, before, NULL, 0);
    else if (how >= TFO_COOKIE && (g->flags & TERN_TCP_ACK))
        n = tern_tcp_opts_add_tfo(g->opt, before, any, how == TFO_COOKIE ? sizeof any : 4);
    else if (how >= TFO_COOKIE)
        n = tern_tfo_offer(&w.sh->tcp, &s->key, &asking, g->opt, before);
    if (how == TFO_BAD_COOKIE && n > before)
        g->opt[n - 1] ^= 1;
    g->n_opt = (uint8_t)n;
}

/** The peer's SYN or SYN-ACK: what it offers is a byte's worth. */
static struct spec syn_spec(
    const struct slot *s, const struct view *v, uint8_t offer, bool with_ack)
{
    static const uint16_t mss[] = {1460, 1220, 536, 0, 64, 65535, 1, 100};
    struct spec g = {.flags = TERN_TCP_SYN, .seq = s->peer_iss, .wnd = 65535};
    struct tern_tcp_opts o = {.mss = mss[offer & 7], .ts_val = 1000, .wscale = offer >> 5};
    o.has = (uint8_t)((offer & 7) == 3 ? 0 : TERN_HAS_MSS);
    if (offer & 8)
        o.has |= TERN_HAS_TS;
    if (offer & 16)
        o.has |= TERN_HAS_SACK_OK;
    if (o.wscale != 0)
        o.has |= TERN_HAS_WSCALE;
    if (with_ack) {
        g.flags |= TERN_TCP_ACK;
        g.ack = v->nxt;
        o.ts_ecr = v->last_ts;
    }
    if (w.peer_ecn)
        g.flags |= with_ack ? TERN_TCP_ECE : TERN_TCP_ECE | TERN_TCP_CWR;
    g.n_opt = (uint8_t)tern_tcp_opts_build_syn(&o, g.opt);
    return g;
}

/** What a peer would say that took everything: the next step of a handshake, else an ACK. */
static struct spec next_spec(const struct slot *s, const struct view *v)
{
    const uint8_t everything = 8 | 16 | 2 << 5;
    if (v->kind == 0 && s->last_ack != s->peer_iss + 1) /* not under a cookie either */
        return syn_spec(s, v, everything, false);
    if (v->syn_sent)
        return syn_spec(s, v, everything, true);
    struct spec g = {.flags = TERN_TCP_ACK, .seq = v->rcv_nxt, .ack = v->nxt, .wnd = 65535};
    if (w.peer_ece)
        g.flags |= TERN_TCP_ECE;
    if (v->ts)
        add_ts(&g, v->ts_recent + 1, v->last_ts);
    return g;
}

/* ---- events ---- */

void event_reply(struct slot *s, uint8_t variant)
{
    const struct view v = look(s);
    struct spec g = next_spec(s, &v);
    static const uint32_t len[] = {0, 100, 1400, 0};
    if (!(g.flags & TERN_TCP_SYN)) {
        g.len = len[variant];
        g.flags |= variant == 3 ? TERN_TCP_FIN : variant == 2 ? TERN_TCP_PSH : 0;
    }
    say(s, &g);
}

/** A place on the peer's stream, by the window's edges. */
static uint32_t choose_seq(const struct view *v, uint8_t b)
{
    const uint32_t wnd = v->rcv_adv - v->rcv_nxt;
    const uint32_t near = (b >> 3 & 15u) - 8u; /* -8..7 */
    switch (b & 7) {
    case 0: return v->rcv_nxt;
    case 1: return v->rcv_nxt + near;
    case 2: return v->rcv_adv + near;
    case 3: return v->rcv_nxt + wnd / 16 * (b >> 4);
    case 4: return v->rcv_nxt - 100 * (b >> 3);
    case 5: return v->rcv_nxt + 100 * (b >> 3);
    case 6: return v->rcv_nxt + (UINT32_C(1) << 31) + near;
    default: return take32(&w.tape);
    }
}

/** A place on ours. */
static uint32_t choose_ack(const struct view *v, uint8_t b)
{
    const uint32_t flight = v->nxt - v->una;
    const uint32_t near = (b >> 3 & 15u) - 8u;
    switch (b & 7) {
    case 0: return v->nxt;
    case 1: return v->una;
    case 2: return v->nxt + near;
    case 3: return v->una + near;
    case 4: return v->una + (uint32_t)((uint64_t)flight * (b >> 3) / 32);
    case 5: return v->una - 1000 * (b >> 3);
    case 6: return v->una + (UINT32_C(1) << 31) + near;
    default: return take32(&w.tape);
    }
}

static void choose_sack(const struct view *v, struct spec *g, uint32_t n_blocks)
{
    const uint32_t flight = v->nxt - v->una;
    struct tern_sack_block blocks[TERN_SACK_BLOCKS_MAX];
    for (uint32_t i = 0; i < n_blocks; i++) {
        const uint8_t b = take8(&w.tape);
        uint32_t left = v->una + (uint32_t)((uint64_t)flight * (b >> 4) / 16);
        uint32_t right = v->una + (uint32_t)((uint64_t)flight * ((b & 15u) + 1) / 16);
        if (b == 0xff) { /* from anywhere to anywhere */
            left = choose_ack(v, take8(&w.tape));
            right = choose_ack(v, take8(&w.tape));
        }
        blocks[i] = (struct tern_sack_block){{left}, {right}};
    }
    add_sack(g, blocks, n_blocks);
}

static void choose_options(const struct view *v, struct spec *g, uint8_t how)
{
    static const uint32_t ts_step[] = {1, 0, UINT32_MAX, UINT32_C(1) << 31};
    if (how & 0x80) {
        g->n_opt = take8(&w.tape) % (TERN_TCP_OPT_BYTES_MAX + 1);
        take_bytes(&w.tape, g->opt, g->n_opt);
        return;
    }
    if (how & 1)
        add_ts(g, v->ts_recent + ts_step[how >> 1 & 3], how & 8 ? v->last_ts : take32(&w.tape));
    choose_sack(v, g, how >> 4 & 3);
}

void event_crafted(struct slot *s, uint8_t variant)
{
    const struct view v = look(s);
    struct spec g = {.flags = take8(&w.tape)};
    g.seq = choose_seq(&v, take8(&w.tape));
    g.ack = choose_ack(&v, take8(&w.tape));
    g.len = variant & 1 ? amount(take8(&w.tape)) : 0;
    g.wnd = (uint16_t)amount(take8(&w.tape));
    choose_options(&v, &g, take8(&w.tape));
    if (variant & 2) {
        const uint8_t how = take8(&w.tape);
        g.bad_csum = how & 1;
        g.lies_about_csum = how & 2;
        g.urg = how & 4 ? 1 : 0;
        g.split = how & 8 ? 20 + (how >> 4) * 8 : 0;
        w.liar |= g.bad_csum && g.lies_about_csum; /* taken for good: it is, but for its sum */
    }
    say(s, &g);
}

void event_syn(struct slot *s, uint8_t variant)
{
    const struct view v = look(s);
    const uint8_t offer = take8(&w.tape);
    if (variant & 2)
        s->peer_iss += amount(take8(&w.tape));
    struct spec g = syn_spec(s, &v, offer, variant & 1);
    g.wnd = (uint16_t)(65535 >> (offer & 15));
    if (w.cfg.tfo_accept || w.cfg.tfo_connect) {
        const uint8_t how = take8(&w.tape);
        add_tfo(&g, s, how & 3);
        g.len = (uint32_t)(how >> TFO_LEN_SHIFT) * TFO_LEN_UNIT;
    }
    say(s, &g);
}

/** ACK again, with what the peer holds beyond it. */
void event_duplicate_acks(struct slot *s, uint8_t variant)
{
    const struct view v = look(s);
    struct spec g = next_spec(s, &v);
    g.ack = v.una;
    choose_sack(&v, &g, variant);
    for (int i = 0; i < 3; i++)
        say(s, &g);
}

void event_out_of_order(struct slot *s, uint8_t variant)
{
    const struct view v = look(s);
    struct spec g = next_spec(s, &v);
    g.seq += take8(&w.tape) * 50u;
    g.len = amount(take8(&w.tape));
    if (variant & 1)
        g.flags |= TERN_TCP_FIN;
    g.split = variant & 2 ? 100 : 0;
    say(s, &g);
}

/** The peer takes a part, and says how much more it will. */
void event_partial_ack(struct slot *s, uint8_t variant)
{
    const struct view v = look(s);
    struct spec g = next_spec(s, &v);
    g.ack = v.una + (uint32_t)((uint64_t)(v.nxt - v.una) * take8(&w.tape) / 255);
    g.wnd = (uint16_t)amount(take8(&w.tape));
    choose_sack(&v, &g, variant);
    say(s, &g);
}

void event_rst(struct slot *s, uint8_t variant)
{
    const struct view v = look(s);
    struct spec g = {.flags = TERN_TCP_RST, .seq = v.rcv_nxt, .ack = v.nxt};
    if (variant & 1)
        g.flags |= TERN_TCP_ACK;
    if (variant & 2)
        g.seq = choose_seq(&v, take8(&w.tape));
    say(s, &g);
}

void event_icmp(struct slot *s, uint8_t variant)
{
    enum { ICMP = 8, QUOTED = 8 };
    const struct view v = look(s);
    const bool v6 = !tern_addr_is_v4(&s->key.local);
    const uint32_t n_ip = v6 ? TERN_IP6_BYTES : TERN_IP4_BYTES, n = ICMP + n_ip + QUOTED;
    uint8_t packet[2 * TERN_IP6_BYTES + ICMP + QUOTED] = {0};
    const uint32_t l4 = write_ip(s, packet, v6 ? TERN_IPPROTO_ICMP6 : TERN_IPPROTO_ICMP, n);
    uint8_t *icmp = packet + l4, *quoted = icmp + ICMP;
    const uint8_t type = take8(&w.tape);
    icmp[0] = type >> 4;
    icmp[1] = type & 15;
    tern_store16(icmp + 6, take16(&w.tape));
    const struct tern_ip_fields f = {.src = &s->key.local,
        .dst = &s->key.remote,
        .l4_bytes = 20 + amount(take8(&w.tape)) % 1400,
        .proto = TERN_IPPROTO_TCP};
    if (v6)
        tern_build_ip6(quoted, &f);
    else
        tern_build_ip4(quoted, &f);
    uint8_t *tcp = quoted + n_ip;
    tern_store16(tcp, s->key.lport);
    tern_store16(tcp + 2, s->key.rport);
    tern_store32(tcp + 4, variant & 1 ? choose_ack(&v, take8(&w.tape)) : v.una);
    seal(packet, l4, l4 + n, v6 ? TERN_IPPROTO_ICMP6 : TERN_IPPROTO_ICMP, 2);
    inject(packet, l4 + n, 0, 0);
}

/** Bytes as they come, behind an IP header or not. */
void event_raw(struct slot *s, uint8_t variant)
{
    uint8_t packet[TERN_IP6_BYTES + UINT8_MAX + 1];
    const uint32_t n = 1u + take8(&w.tape);
    uint32_t l4 = 0;
    if (variant & 1)
        l4 = write_ip(s, packet, take8(&w.tape), n);
    take_bytes(&w.tape, packet + l4, n);
    if ((variant & 3) == 3 && n >= TERN_TCP_BYTES)
        seal(packet, l4, l4 + n, packet[tern_addr_is_v4(&s->key.local) ? 9 : 6], 16);
    w.liar = true;
    inject(packet, l4 + n, 0, 0);
}
