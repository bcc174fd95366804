/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A shard under a program of up to 200 events: segments and ICMP errors from a peer that knows the
 * connection's own numbers (so the fuzzer need not guess a sequence number or a checksum), the
 * application's calls, and time. After every event the invariants of invariants.h are asserted, and
 * for every packet sent check_sent(); what is delivered is compared with what was sent.
 *
 * The input: CONFIG_BYTES bytes of configuration, then events, each a byte (kind, slot, variant)
 * and what its kind takes from the tape. Removing bytes leaves a valid program.
 *
 * There are four slots, a four-tuple each: two that the peer opens to a listener, two that we open;
 * IPv4 and IPv6. The byte at absolute sequence number n of the peer's stream is peer_byte(n), so
 * every segment it sends tells the same story, overlapping as it may.
 */
#include <tern/conn.h>

#include "fuzz_memory.h"
#include "invariants.h"
#include "wire/build.h"
#include "wire/bytes.h"
#include "wire/csum.h"

enum {
    EVENTS_MAX = 200,
    SLOTS = 4,
    APPS = 16,  /* connections the application knows at once */
    POOL = 512, /* mbufs */
    SENT_PERIOD = 1024,
    BODY_BYTES = 16384,
    PACKET_MAX = 1500,
    START_NS = 1000000000,
};

static const uint32_t first_peer_iss = 0xfffff000; /* wraps within the first 4 KiB */

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
    uint64_t now_ns;
    uint32_t event, collected; /* this event; the last one after which the packets were taken */
    struct slot slots[SLOTS];
    struct app_conn apps[APPS];
    int listener;    /* -1: closed */
    uint8_t mode[2]; /* what the callbacks do */
    bool liar;       /* a payload byte was changed: the stream is not checked any more */
    bool offload;    /* checksums and segmentation are the device's */
    bool keeps_tx;   /* nobody collects what is to be sent */
    bool bursts;     /* segments wait for one another */
    uint32_t n_burst, n_stolen;
    struct rte_mbuf *burst[TERN_BURST_MAX], *stolen[POOL];
};

static struct world w; /* one at a time; callbacks have no other way to it */
static struct rte_mempool *pool;
static struct tern_static *body;
static uint8_t sent_bytes[BODY_BYTES]; /* sent_bytes[n % SENT_PERIOD] is byte n of our stream */

static uint8_t peer_byte(uint32_t seq)
{
    return (uint8_t)((seq * 2654435761u) >> 21);
}

/** A length or number out of a byte: mostly small, some at the edges that matter. */
static uint32_t amount(uint8_t b)
{
    static const uint32_t edges[] = {0, 1, 2, 63, 64, 191, 192, 193, 535, 536, 1023, 1024, 1219,
        1220, 1440, 1448, 1460, 2920, 4096, 8191, 16384, 32768, 65535, 65536, 1u << 20, UINT32_MAX};
    enum { N = sizeof edges / sizeof edges[0] };
    return b < 128 ? b : b < 128 + N ? edges[b - 128] : (b - 128u - N) * 16;
}

/* ---- the application ---- */

static struct app_conn *app_of(const struct tern_conn *c)
{
    return tern_conn_user(c);
}

static struct app_conn *app_new(struct tern_conn *c, uint32_t slot)
{
    for (int i = 0; i < APPS; i++) {
        if (w.apps[i].c != NULL)
            continue;
        w.apps[i] = (struct app_conn){.c = c, .slot = slot, .born = w.event};
        return &w.apps[i];
    }
    return NULL;
}

static void app_send(struct app_conn *a, uint32_t n)
{
    n = RTE_MIN(n, (uint32_t)BODY_BYTES - SENT_PERIOD);
    const uint32_t at = a->n_sent % SENT_PERIOD;
    a->n_sent += (uint32_t)tern_send_bytes(w.sh, a->c, sent_bytes + at, n);
}

static void app_send_static(struct app_conn *a, uint32_t n)
{
    n = RTE_MIN(n, (uint32_t)BODY_BYTES - SENT_PERIOD);
    a->n_sent += (uint32_t)tern_send_static(w.sh, a->c, body, a->n_sent % SENT_PERIOD, n);
}

/** One chain of up to three buffers. */
static void app_send_mbufs(struct app_conn *a, uint32_t n)
{
    struct rte_mbuf *chain = NULL;
    uint32_t at = a->n_sent;
    n = RTE_MIN(n, 1500u);
    for (uint32_t part = 0; part < 3 && n > 0; part++) {
        struct rte_mbuf *m = tern_shard_mbuf(w.sh);
        if (m == NULL)
            break;
        const uint32_t here = part == 2 ? n : n / 2 + 1;
        memcpy(rte_pktmbuf_append(m, (uint16_t)here), sent_bytes + at % SENT_PERIOD, here);
        at += here;
        n -= here;
        if (chain == NULL)
            chain = m;
        else
            assert(rte_pktmbuf_chain(chain, m) == 0);
    }
    if (chain == NULL)
        return;
    if (tern_send_mbufs(w.sh, a->c, &chain, 1) == 1)
        a->n_sent = at;
    else
        rte_pktmbuf_free(chain);
}

static void app_consume(struct app_conn *a, uint32_t n)
{
    tern_consume(w.sh, a->c, n);
    a->unread -= RTE_MIN(n, a->unread);
}

static void app_connect(uint32_t slot);

/** What a callback does beside its duty. */
static void app_reacts(struct app_conn *a, uint8_t how)
{
    switch (how & 7) {
    case 1: app_send(a, 100); break;
    case 2: app_send_static(a, 3000); break;
    case 3: tern_shutdown(w.sh, a->c); break;
    case 4: tern_close(w.sh, a->c); break;
    case 5: tern_abort(w.sh, a->c); break;
    case 6: app_connect(2 + (w.event & 1)); break;
    case 7: app_send_mbufs(a, 700); break;
    default: break;
    }
}

static uint32_t slot_of(const struct tern_conn *c)
{
    const struct tern_flow_key key = tern_conn_key(&w.sh->tcp, c);
    for (uint32_t i = 0; i < SLOTS; i++)
        if (tern_flow_key_equal(&key, &w.slots[i].key))
            return i;
    return 0; /* opened by a raw packet */
}

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    struct app_conn *a = app_of(c);
    if (a == NULL)
        a = app_new(c, slot_of(c));
    if (a == NULL) {
        tern_abort(sh, c);
        return;
    }
    tern_conn_set_user(c, a);
    assert(a->c == c);
    a->first = c->snd.una;
    app_reacts(a, w.mode[0]);
}

static void check_delivered(const struct tern_conn *c, struct rte_mbuf *m, uint32_t n)
{
    uint32_t seq = c->rcv.nxt.v - n;
    for (; m != NULL && !w.liar; m = m->next)
        for (uint32_t i = 0; i < m->data_len; i++)
            assert(rte_pktmbuf_mtod(m, const uint8_t *)[i] == peer_byte(seq++));
}

/** The payload goes back to where it came from, as it is. */
static void app_echoes(struct app_conn *a, struct rte_mbuf *m, uint32_t n)
{
    app_consume(a, n);
    a->echoes = true;
    if (tern_send_mbufs(w.sh, a->c, &m, 1) == 1)
        a->n_sent += n;
    else
        rte_pktmbuf_free(m);
}

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    (void)sh;
    struct app_conn *a = app_of(c);
    const uint32_t n = check_chain(m);
    check_delivered(c, m, n);
    if (a == NULL) { /* refused in on_open() */
        rte_pktmbuf_free(m);
        return;
    }
    assert(!(c->slow & TERN_SLOW_DEAF)); /* nothing is delivered after CLOSE */
    a->unread += n;
    if (w.mode[0] & 8) {
        app_echoes(a, m, n);
    } else {
        if (w.mode[0] & 16)
            app_consume(a, n);
        rte_pktmbuf_free(m);
    }
    app_reacts(a, w.mode[0] >> 5);
}

static void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    assert(tern_sendable_bytes(sh, c) > 0 || !tern_state_can_send((enum tern_state)c->state)
           || (c->flags & TERN_CF_FIN_QUEUED));
    if (app_of(c) != NULL)
        app_reacts(app_of(c), w.mode[1]);
}

static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    (void)sh;
    if (app_of(c) != NULL)
        app_reacts(app_of(c), w.mode[1] >> 3);
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    (void)sh;
    struct app_conn *a = app_of(c);
    assert(why < TERN_CLOSE_COUNT);
    if (a == NULL)
        return;
    assert(a->c == c); /* once for each */
    a->c = NULL;
    if (w.mode[1] & 0x80)
        app_connect(a->slot);
}

static void on_timer(struct tern_shard *sh, struct tern_conn *c)
{
    (void)sh;
    if (app_of(c) != NULL)
        app_reacts(app_of(c), w.mode[1] >> 4);
}

static const struct tern_app app = {
    .on_open = on_open,
    .on_data = on_data,
    .on_sendable = on_sendable,
    .on_peer_closed = on_peer_closed,
    .on_closed = on_closed,
    .on_timer = on_timer,
};

static void app_connect(uint32_t slot)
{
    const struct slot *s = &w.slots[slot];
    struct app_conn *a = s->active ? app_new((struct tern_conn *)&w, slot) : NULL;
    if (a == NULL)
        return;
    const struct tern_connect_opts opts = {
        .remote = s->key.remote,
        .rport = s->key.rport,
        .local = s->key.local,
        .lport = s->key.lport,
        .app = &app,
        .user = a,
    };
    struct tern_conn *c = NULL;
    if (tern_connect(w.sh, &opts, &c) != 0) {
        a->c = NULL;
        return;
    }
    a->c = c;
    a->first = tern_seq_add(c->snd.una, 1);
}

static void app_listen(void)
{
    if (w.listener >= 0) {
        tern_unlisten(w.sh, w.listener);
        w.listener = -1;
        return;
    }
    w.listener = tern_listen(w.sh, NULL, w.slots[0].key.lport, &app, NULL);
    assert(w.listener >= 0);
}

/** The application's connection on a slot, or NULL. */
static struct app_conn *app_at(uint32_t slot)
{
    for (int i = 0; i < APPS; i++)
        if (w.apps[i].c != NULL && w.apps[i].slot == slot)
            return &w.apps[i];
    return NULL;
}

/* ---- what leaves ---- */

static struct slot *slot_of_packet(const struct tern_pkt *p)
{
    const struct tern_flow_key key = {
        .remote = tern_pkt_addr(p, p->dst),
        .local = tern_pkt_addr(p, p->src),
        .rport = p->dport,
        .lport = p->sport,
    };
    for (uint32_t i = 0; i < SLOTS; i++)
        if (tern_flow_key_equal(&key, &w.slots[i].key))
            return &w.slots[i];
    return NULL; /* an answer to a raw packet */
}

/** What the application queued, and nothing else; the same whenever it is sent. */
static void check_payload(const struct app_conn *a, const struct tern_pkt *p, const uint8_t *at)
{
    const uint32_t off = p->seq.v - a->first.v;
    assert(off <= a->n_sent && p->len_bytes <= a->n_sent - off);
    for (uint32_t i = 0; i < p->len_bytes && !a->echoes; i++)
        assert(at[i] == sent_bytes[(off + i) % SENT_PERIOD]);
}

/** Against the connection it comes from, where that is the one of before this event. */
static void check_against_conn(const struct tern_conn *c, const struct tern_pkt *p)
{
    if (p->flags & (TERN_TCP_SYN | TERN_TCP_RST))
        return;
    assert(p->flags & TERN_TCP_ACK);
    assert(seq_at_most(p->ack, c->rcv.nxt)); /* nothing is acknowledged that has not come */
    const uint32_t wnd = (uint32_t)p->wnd << tern_conn_rcv_wscale(&w.sh->tcp, c);
    assert(seq_at_most(tern_seq_add(p->ack, wnd), c->rcv.adv));
    const uint32_t span = p->len_bytes + !!(p->flags & TERN_TCP_FIN);
    assert(seq_at_most(tern_seq_add(p->seq, span), c->snd.nxt));
}

static void check_options(const struct tern_pkt *p, const struct tern_tcp_opts *o)
{
    assert(!(o->has & TERN_HAS_MALFORMED));
    if (!(p->flags & TERN_TCP_SYN)) /* MUST-65, RFC 7323 §2.2, RFC 2018 §2 */
        assert(!(o->has & (TERN_HAS_MSS | TERN_HAS_WSCALE | TERN_HAS_SACK_OK)));
    else
        assert(!(o->has & TERN_HAS_SACK) && (o->has & TERN_HAS_MSS));
    assert(w.cfg.timestamps || !(o->has & TERN_HAS_TS));
    assert(w.cfg.sack || !(o->has & (TERN_HAS_SACK | TERN_HAS_SACK_OK)));
    for (int i = 0; i < o->n_sack; i++) {
        assert(tern_seq_before(o->sack[i].left, o->sack[i].right));
        /* Beyond what is acknowledged (RFC 2018 §3), but for a D-SACK, which is first (RFC 2883).
         */
        assert(i == 0 || tern_seq_before(p->ack, o->sack[i].right));
    }
}

static void check_segment(const uint8_t *frame, const struct tern_pkt *p, bool is_tso)
{
    struct tern_tcp_opts o;
    tern_pkt_tcp_opts(frame, p, &o);
    check_options(p, &o);
    assert(p->urg == 0 && !(p->flags & TERN_TCP_URG));
    if (p->flags & TERN_TCP_RST)
        assert(p->wnd == 0 && p->len_bytes == 0);
    assert(is_tso || p->end_off <= w.cfg.mtu_bytes);
    struct slot *s = slot_of_packet(p);
    if (s == NULL)
        return;
    s->last_end = p->seq.v + p->len_bytes + !!(p->flags & (TERN_TCP_SYN | TERN_TCP_FIN));
    if (p->flags & TERN_TCP_ACK)
        s->last_ack = p->ack.v;
    if (o.has & TERN_HAS_TS)
        s->last_ts = o.ts_val;
    const struct app_conn *a = app_at((uint32_t)(s - w.slots));
    if (a == NULL || a->born > w.collected || a->c->state == TERN_CLOSED)
        return; /* or it may be from the connection before it */
    check_against_conn(a->c, p);
    if (p->len_bytes > 0)
        check_payload(a, p, frame + p->payload_off);
}

static void check_sent(struct rte_mbuf *m)
{
    static uint8_t flat[UINT16_MAX + 1];
    const uint32_t n = check_chain(m);
    assert(n <= sizeof flat);
    const void *frame = rte_pktmbuf_read(m, 0, n, flat);
    const struct tern_pkt_input in = {
        .frame = frame,
        .n_contiguous = n,
        .n_total = n,
        .rx_flags = w.offload ? TERN_RX_IP_CSUM_GOOD | TERN_RX_L4_CSUM_GOOD : 0,
        .l3 = true,
    };
    struct tern_pkt p;
    assert(tern_pkt_parse(&in, &p) == TERN_DROP_NONE);
    assert(p.end_off == n);
    if (p.kind == TERN_PKT_TCP)
        check_segment(frame, &p, m->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
}

static void collect(void)
{
    static struct rte_mbuf *out[TERN_SHARD_TX_MAX];
    uint32_t n;
    do { /* what waits for room on the list comes when there is some */
        n = tern_shard_take_tx(w.sh, out);
        for (uint32_t i = 0; i < n; i++) {
            check_sent(out[i]);
            tern_shard_tx_done(w.sh, 1, out[i]->pkt_len);
            rte_pktmbuf_free(out[i]);
        }
        tern_shard_settle(w.sh);
    } while (n > 0);
    w.collected = w.event;
}

/* ---- what arrives ---- */

static void flush_burst(void)
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
        .proto = proto};
    if (tern_addr_is_v4(&s->key.local)) {
        tern_build_ip4(at, &f, true);
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
    if (v->ts)
        add_ts(&g, v->ts_recent + 1, v->last_ts);
    return g;
}

/* ---- events ---- */

static void event_reply(struct slot *s, uint8_t variant)
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

static void event_crafted(struct slot *s, uint8_t variant)
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

static void event_syn(struct slot *s, uint8_t variant)
{
    const struct view v = look(s);
    const uint8_t offer = take8(&w.tape);
    if (variant & 2)
        s->peer_iss += amount(take8(&w.tape));
    struct spec g = syn_spec(s, &v, offer, variant & 1);
    g.wnd = (uint16_t)(65535 >> (offer & 15));
    say(s, &g);
}

/** ACK again, with what the peer holds beyond it. */
static void event_duplicate_acks(struct slot *s, uint8_t variant)
{
    const struct view v = look(s);
    struct spec g = next_spec(s, &v);
    g.ack = v.una;
    choose_sack(&v, &g, variant);
    for (int i = 0; i < 3; i++)
        say(s, &g);
}

static void event_out_of_order(struct slot *s, uint8_t variant)
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
static void event_partial_ack(struct slot *s, uint8_t variant)
{
    const struct view v = look(s);
    struct spec g = next_spec(s, &v);
    g.ack = v.una + (uint32_t)((uint64_t)(v.nxt - v.una) * take8(&w.tape) / 255);
    g.wnd = (uint16_t)amount(take8(&w.tape));
    choose_sack(&v, &g, variant);
    say(s, &g);
}

static void event_rst(struct slot *s, uint8_t variant)
{
    const struct view v = look(s);
    struct spec g = {.flags = TERN_TCP_RST, .seq = v.rcv_nxt, .ack = v.nxt};
    if (variant & 1)
        g.flags |= TERN_TCP_ACK;
    if (variant & 2)
        g.seq = choose_seq(&v, take8(&w.tape));
    say(s, &g);
}

static void event_icmp(struct slot *s, uint8_t variant)
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
        tern_build_ip4(quoted, &f, true);
    uint8_t *tcp = quoted + n_ip;
    tern_store16(tcp, s->key.lport);
    tern_store16(tcp + 2, s->key.rport);
    tern_store32(tcp + 4, variant & 1 ? choose_ack(&v, take8(&w.tape)) : v.una);
    seal(packet, l4, l4 + n, v6 ? TERN_IPPROTO_ICMP6 : TERN_IPPROTO_ICMP, 2);
    inject(packet, l4 + n, 0, 0);
}

/** Bytes as they come, behind an IP header or not. */
static void event_raw(struct slot *s, uint8_t variant)
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

static void event_send(struct app_conn *a, uint8_t variant)
{
    const uint32_t n = amount(take8(&w.tape));
    switch (variant) {
    case 0: app_send(a, n); break;
    case 1: app_send_static(a, n); break;
    case 2: app_send_mbufs(a, n); break;
    default:
        for (int i = 0; i < 20; i++) /* many and small: no segment can refer to all of them */
            app_send_mbufs(a, n % 32);
    }
}

static void event_control(struct app_conn *a, uint8_t variant)
{
    switch (variant) {
    case 0: tern_shutdown(w.sh, a->c); break;
    case 1: tern_close(w.sh, a->c); break;
    case 2: tern_abort(w.sh, a->c); break;
    default: app_listen();
    }
}

static void event_option(struct app_conn *a, uint8_t variant)
{
    const enum tern_conn_opt opt = (enum tern_conn_opt)(take8(&w.tape) % (TERN_CONN_LINGER_MS + 1));
    const uint32_t value = amount(take8(&w.tape));
    struct tern_conn_info info;
    if (variant == 3) {
        tern_timer_cancel(w.sh, a->c);
    } else if (variant == 2) {
        (void)!tern_timer_arm(w.sh, a->c, (uint64_t)value * TERN_NS_PER_MS);
    } else if (tern_conn_set(w.sh, a->c, opt, value) == 0 && opt != TERN_CONN_NODELAY
               && opt != TERN_CONN_USER_TIMEOUT_MS) {
        assert(tern_conn_get(w.sh, a->c, opt) == value);
    }
    tern_conn_describe(w.sh, a->c, &info);
    assert(info.unread_bytes == a->unread || a->c->state == TERN_CLOSED);
}

/** In steps that the timer wheel can tell from a step back (shard/wheel.h: less than 78 h). */
static void pass_time(uint64_t ns)
{
    const uint64_t step_max_ns = (uint64_t)TERN_TICKS_MAX << TERN_TICK_SHIFT;
    flush_burst();
    do {
        const uint64_t step = RTE_MIN(ns, step_max_ns);
        w.now_ns += step;
        tern_shard_advance(w.sh, w.now_ns);
        ns -= step;
    } while (ns > 0);
}

static void event_time(uint8_t variant)
{
    enum { US = 1000, MS = 1000 * US };
    static const uint64_t huge_s[] = {
        60, 121, 3600, 86400, 70 * 3600, 1u << 20, 1u << 22, 1u << 23};
    const uint8_t b = take8(&w.tape);
    uint64_t at_ns;
    switch (variant) {
    case 0: pass_time(200u * US * b); return;
    case 1: pass_time((uint64_t)10 * MS * b); return;
    case 2:
        flush_burst();
        for (int i = 0; i < (b & 15) + 1; i++) {
            if (!w.keeps_tx)
                collect(); /* what waits to be collected is due now */
            if (!tern_shard_next_deadline(w.sh, &at_ns))
                return;
            assert(at_ns > w.now_ns || i == 0 || w.keeps_tx); /* time goes on */
            pass_time(at_ns > w.now_ns ? at_ns - w.now_ns : 0);
        }
        return;
    default: pass_time(huge_s[b & 7] * 1000 * MS);
    }
}

static void give_back(void)
{
    rte_pktmbuf_free_bulk(w.stolen, w.n_stolen);
    w.n_stolen = 0;
}

/** Leave the pool with few buffers. */
static void steal(uint32_t n_left)
{
    while (rte_mempool_avail_count(pool) > n_left)
        w.stolen[w.n_stolen++] = rte_pktmbuf_alloc(pool);
}

static void event_misc(uint8_t variant)
{
    const uint8_t b = take8(&w.tape);
    switch (variant) {
    case 0: w.keeps_tx = b & 1; break;
    case 1: w.bursts = b & 1; break;
    case 2:
        give_back();
        if (b & 0x80)
            steal(b & 31);
        break;
    default: w.mode[0] = b; w.mode[1] = take8(&w.tape);
    }
}

static void event(uint8_t op)
{
    const uint8_t kind = op & 15, variant = op >> 6;
    struct slot *s = &w.slots[op >> 4 & 3];
    if (kind >= 9)
        flush_burst();
    struct app_conn *a = app_at((uint32_t)(s - w.slots));
    switch (kind) {
    case 0: event_reply(s, variant); return;
    case 1: event_crafted(s, variant); return;
    case 2: event_syn(s, variant); return;
    case 3: event_duplicate_acks(s, variant); return;
    case 4: event_out_of_order(s, variant); return;
    case 5: event_partial_ack(s, variant); return;
    case 6: event_rst(s, variant); return;
    case 7: event_icmp(s, variant); return;
    case 8: event_raw(s, variant); return;
    case 13: app_connect(op >> 4 & 3); return;
    case 14: event_time(variant); return;
    case 15: event_misc(variant); return;
    default: break;
    }
    if (a == NULL)
        return;
    switch (kind) {
    case 9: event_send(a, variant); return;
    case 10: app_consume(a, amount(take8(&w.tape))); return;
    case 11: event_control(a, variant); return;
    default: event_option(a, variant);
    }
}

/* ---- a run ---- */

static union tern_addr address(const char *text)
{
    union tern_addr a;
    assert(tern_addr_parse(text, &a) == 0);
    return a;
}

static void configure(void)
{
    static const uint32_t rcv_buf[] = {536, 4096, 65535, 1u << 20};
    static const uint32_t snd_buf[] = {536, 3000, 65536, 1u << 20};
    struct tern_stack_config *c = &w.cfg;
    uint8_t b[6];
    take_bytes(&w.tape, b, sizeof b);
    tern_stack_config_init(c);
    c->addrs[0] = (struct tern_prefix){address("192.0.2.1"), 24};
    c->addrs[1] = (struct tern_prefix){address("2001:db8::1"), 64};
    c->n_addrs = 2;
    c->l3 = true;
    c->dad = false;
    c->timestamps = !(b[0] & 1);
    c->sack = !(b[0] & 2);
    c->window_scale = !(b[0] & 4);
    c->nodelay = b[0] & 8;
    c->pins.slow_path_only = b[0] & 16;
    c->syn_cookies = (enum tern_syn_cookies)((b[0] >> 5 & 3) % 3);
    const uint32_t n = b[0] & 0x80 ? 2 : 8; /* records to have too few of */
    c->conns_max = n;
    c->half_open_max = c->time_wait_max = n / 2;
    c->listeners_max = 2;
    c->neighbours_max = 8;
    c->rcv_buf_bytes = rcv_buf[b[1] & 3];
    c->snd_buf_bytes = snd_buf[b[1] >> 2 & 3];
    c->ack_policy = (enum tern_ack_policy)((b[1] >> 4 & 3) % 3);
    c->mtu_bytes = b[1] & 0x40 ? 1280 : 1500;
    c->tx_multi_seg = !(b[1] & 0x80);
    c->init_cwnd_segs = 1u << (b[2] & 7);
    c->keepalive_ms = b[2] & 8 ? 1000 : 0;
    c->mss_max = b[2] & 16 ? 100 : 0;
    c->time_wait_ms = b[2] & 32 ? 100 : 60000;
    w.offload = b[2] & 64;
    c->tx_ip_csum = c->tx_tcp_csum = w.offload;
    c->tso_bytes_max = w.offload && c->tx_multi_seg && (b[2] & 128) ? 65000 : 0;
    c->seed[0] = b[3];
    w.now_ns = START_NS + ((uint64_t)b[3] << 32) * 4000; /* ms wrap within its range */
    w.mode[0] = b[4];
    w.mode[1] = b[5];
}

static void make_slots(void)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        const bool v6 = i & 1, active = i & 2;
        w.slots[i] = (struct slot){
            .active = active,
            .peer_iss = first_peer_iss + i,
            .key = {.remote = address(v6 ? "2001:db8::2" : "192.0.2.2"),
                .local = w.cfg.addrs[v6].addr,
                .rport = active ? 7 : 4321,
                .lport = active ? 2000 : 80},
        };
    }
}

static void open_world(const uint8_t *data, size_t size)
{
    struct tern_error err;
    w = (struct world){.tape = {data, data + size}, .listener = -1};
    configure();
    make_slots();
    const struct tern_shard_params params = {
        .cfg = &w.cfg, .pool = pool, .reserve = pool, .now_ns = w.now_ns};
    if (tern_shard_open(&params, &w.sh, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    if (body == NULL)
        body = tern_static_new(w.sh, sent_bytes, sizeof sent_bytes);
    app_listen();
}

/** The right edge stays or moves right (SHLD-14), and what is unread is what the peer is told of.
 */
static void check_apps(void)
{
    for (int i = 0; i < APPS; i++) {
        struct app_conn *a = &w.apps[i];
        if (a->c == NULL || a->c->state == TERN_CLOSED)
            continue;
        assert(app_of(a->c) == a && a->c->unread_bytes == a->unread);
        if (a->c->state == TERN_SYN_SENT)
            continue;
        if (a->knows_edge && a->born != w.event)
            assert(seq_at_most(a->edge, a->c->rcv.adv));
        a->edge = a->c->rcv.adv;
        a->knows_edge = true;
    }
}

/** FUZZ_TRACE=1 in the environment: a line an event and connection, to read a find by. */
static void trace(uint8_t op)
{
    static int wanted = -1;
    if (wanted < 0)
        wanted = getenv("FUZZ_TRACE") != NULL;
    if (!wanted)
        return;
    fprintf(stderr, "%u: kind %u slot %u variant %u, %.6f s, %u mbufs free\n", w.event, op & 15u,
        op >> 4 & 3u, op >> 6, (double)w.now_ns / 1e9, rte_mempool_avail_count(pool));
    for (int i = 0; i < APPS; i++) {
        const struct tern_conn *c = w.apps[i].c;
        if (c != NULL)
            fprintf(stderr, "   slot %u %s una +%u nxt +%u wnd %u rcv %u..%u flags %x slow %x\n",
                w.apps[i].slot, tern_state_name((enum tern_state)c->state),
                c->snd.una.v - w.apps[i].first.v, c->snd.nxt.v - w.apps[i].first.v,
                c->snd.wnd_bytes, c->rcv.nxt.v, c->rcv.adv.v, c->flags, c->slow);
    }
}

static void check_world(void)
{
    if (!w.keeps_tx)
        collect();
    if (w.n_burst > 0)
        return;
    tern_shard_settle(w.sh);
    check_shard(w.sh);
    check_apps();
}

static void close_world(void)
{
    struct tern_shard_leaks leaks;
    flush_burst();
    give_back();
    w.mode[1] = 0; /* nobody connects again */
    collect();
    check_shard(w.sh);
    tern_shard_stop(w.sh);
    assert(tern_stats_balance(tern_shard_stats(w.sh)));
    for (int i = 0; i < APPS; i++)
        assert(w.apps[i].c == NULL); /* on_closed() came for each */
    tern_shard_close(w.sh, &leaks);
    const struct tern_shard_leaks none = {0};
    assert(memcmp(&leaks, &none, sizeof none) == 0);
    assert(rte_mempool_in_use_count(pool) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (pool == NULL) {
        pool = poisoned_pool("fuzz", POOL);
        for (uint32_t i = 0; i < BODY_BYTES; i++)
            sent_bytes[i] = (uint8_t)((i % SENT_PERIOD * 40503u) >> 8);
    }
    open_world(data, size);
    for (w.event = 1; w.event <= EVENTS_MAX && !tape_ended(&w.tape); w.event++) {
        const uint8_t op = take8(&w.tape);
        event(op);
        trace(op);
        check_world();
    }
    close_world();
    return 0;
}
