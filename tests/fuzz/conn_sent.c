/* SPDX-License-Identifier: BSD-3-Clause */
#include "conn_world.h"

/*
 * What leaves the shard of fuzz_conn: every packet is parsed, and must be one that its connection,
 * the configuration and what the application queued allow.
 */
#include "shard/shard.h"

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
    if (o->has & TERN_HAS_TFO) /* RFC 7413 §4.1.1 */
        assert((p->flags & TERN_TCP_SYN) && (w.cfg.tfo_accept || w.cfg.tfo_connect));
    for (int i = 0; i < o->n_sack; i++) {
        assert(tern_seq_before(o->sack[i].left, o->sack[i].right));
        /* Beyond what is acknowledged (RFC 2018 §3), but for a D-SACK, which is first (RFC 2883).
         */
        assert(i == 0 || tern_seq_before(p->ack, o->sack[i].right));
    }
}

/** Payload sent for the first time may say that it is ECN-capable, nothing else (RFC 3168 §6.1). */
static void check_ecn(const struct tern_pkt *p)
{
    const bool wanted = w.cfg.ecn != TERN_ECN_OFF || w.cfg.cc == TERN_CC_DCTCP;
    if ((p->tos & TERN_ECN_MASK) != 0)
        assert(p->len_bytes > 0 && !(p->flags & TERN_TCP_SYN));
    if ((p->tos & TERN_ECN_MASK) != 0 || (p->flags & (TERN_TCP_ECE | TERN_TCP_CWR)))
        assert(wanted && !(p->flags & TERN_TCP_RST));
}

/** Early data in our SYN: the beginning of what the application queued (RFC 7413 §4.2.1). */
static void check_early(const struct slot *s, const struct tern_pkt *p, const uint8_t *at)
{
    const struct app_conn *a = app_at((uint32_t)(s - w.slots));
    assert(w.cfg.tfo_connect && s->active);
    if (a == NULL || a->first.v != p->seq.v + 1)
        return; /* from the connection before it */
    assert(p->len_bytes <= a->n_sent && memcmp(at, sent_bytes, p->len_bytes) == 0);
}

static void check_segment(const uint8_t *frame, const struct tern_pkt *p, bool is_tso)
{
    struct tern_tcp_opts o;
    tern_pkt_tcp_opts(frame, p, &o);
    check_options(p, &o);
    check_ecn(p);
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
    if ((p->flags & TERN_TCP_SYN) && p->len_bytes > 0) {
        check_early(s, p, frame + p->payload_off);
        return;
    }
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

void collect(void)
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
