/* SPDX-License-Identifier: BSD-3-Clause */
#include "flight.h"

/*
 * Why a record of its own: as queue and stretch a response of one segment wrote three lines and a
 * buffer of two when it left, and read them when it was acknowledged; with a million connections
 * each of these is a miss of its own, one behind the other. The line of a flight is one, and its
 * place is known from the connection.
 *
 * Rejected: room for it in tern_conn (an idle connection would pay), and holding the buffer that
 * was sent (a driver may keep it for long, and its lines are as cold).
 */
#include "cc.h"
#include "host.h"
#include "mbuf.h"
#include "pmtu.h"
#include "sendq.h"
#include "sent.h"

/* ---- starting ---- */

/** A flight without bytes, or NULL. */
static struct tern_flight *make(struct tern_tcp *t, struct tern_conn *c)
{
    const uint32_t idx = tern_host_txq_take(t);
    if (unlikely(idx == 0))
        return NULL;
    c->txq = idx | TERN_FLIGHT_BIT;
    return tern_conn_flight(t, c);
}

bool tern_flight_start_static(struct tern_tcp *t, struct tern_conn *c, struct tern_static *body,
    size_t off_bytes, uint32_t n_bytes)
{
    struct tern_flight *f = make(t, c);
    if (f == NULL)
        return false;
    *f = (struct tern_flight){.body = body,
        .off_bytes = off_bytes,
        .len_bytes = n_bytes,
        .max_wnd_bytes = c->snd.wnd_bytes,
        .flags = TERN_FLIGHT_STATIC};
    return true;
}

bool tern_flight_start_mbuf(struct tern_tcp *t, struct tern_conn *c, struct rte_mbuf *m, bool ours)
{
    struct tern_flight *f = make(t, c);
    if (f == NULL)
        return false;
    *f = (struct tern_flight){.m = m,
        .len_bytes = m->data_len,
        .max_wnd_bytes = c->snd.wnd_bytes,
        .flags = ours ? TERN_FLIGHT_TAIL_OURS : 0};
    return true;
}

/* ---- payload ---- */

/** A static body's bytes, copied where they are few or the device takes no chains. */
static struct rte_mbuf *static_payload(
    struct tern_tcp *t, const struct tern_flight *f, struct rte_mbuf *m)
{
    if (f->len_bytes <= TERN_COPY_BYTES_MAX || !t->cfg.tx_multi_seg) {
        char *to = rte_pktmbuf_append(m, (uint16_t)f->len_bytes);
        if (to != NULL) {
            memcpy(to, tern_host_static_bytes(f->body, f->off_bytes), f->len_bytes);
            return m;
        }
    } else if ((m->next = tern_host_static_mbuf(t, f->body, f->off_bytes, f->len_bytes)) != NULL) {
        m->nb_segs = 2;
        m->pkt_len = f->len_bytes;
        return m;
    }
    rte_pktmbuf_free(m);
    return NULL;
}

struct rte_mbuf *tern_flight_payload(struct tern_tcp *t, const struct tern_flight *f)
{
    if (f->flags & TERN_FLIGHT_STATIC) {
        struct rte_mbuf *m = tern_mbuf_data(t);
        return likely(m != NULL) ? static_payload(t, f, m) : NULL;
    }
    uint32_t len = f->len_bytes;
    struct rte_mbuf *m = tern_sendq_payload_of(t, f->m, &len);
    if (likely(m == NULL || len == f->len_bytes))
        return m;
    rte_pktmbuf_free(m);
    return NULL;
}

/* ---- the end ---- */

static void forget(struct tern_tcp *t, struct tern_conn *c)
{
    tern_host_txq_free(t, c->txq & ~(uint32_t)TERN_FLIGHT_BIT);
    c->txq = 0;
}

void tern_flight_acked(struct tern_tcp *t, struct tern_conn *c)
{
    const struct tern_flight *f = tern_conn_flight(t, c);
    const uint32_t span = tern_seq_span(c->snd.una, c->snd.nxt);
    assert(f->flags & TERN_FLIGHT_SENT);
    tern_pmtu_arrived(t, c, f->seg_bytes, span, span);
    tern_conn_rtt_sample(c, t->now_us - f->sent_us);
    if (!(f->flags & TERN_FLIGHT_STATIC))
        tern_mbuf_recycle(t, f->m);
    forget(t, c);
    if (2 * (uint64_t)span >= c->cwnd_bytes) /* RFC 7661 §4.2 */
        tern_cc_slow_start(t, c, UINT32_MAX, span);
}

void tern_flight_drop(struct tern_tcp *t, struct tern_conn *c)
{
    const struct tern_flight *f = tern_conn_flight(t, c);
    if (!(f->flags & TERN_FLIGHT_STATIC))
        rte_pktmbuf_free(f->m);
    forget(t, c);
}

/* ---- anything else ---- */

bool tern_flight_unfold(struct tern_tcp *t, struct tern_conn *c)
{
    const struct tern_flight f = *tern_conn_flight(t, c);
    struct rte_mbuf *m = f.m;
    if (f.flags & TERN_FLIGHT_STATIC)
        m = tern_host_static_mbuf(t, f.body, f.off_bytes, f.len_bytes);
    if (m == NULL) {
        t->stats.drops[TERN_DROP_NO_MBUF]++;
        return false;
    }
    c->txq &= ~(uint32_t)TERN_FLIGHT_BIT;
    struct tern_txq *q = &t->txqs[c->txq];
    memset(q, 0, sizeof *q);
    tern_sendq_init(t, c, q);
    tern_sendq_push(q, m, f.len_bytes);
    q->max_wnd_bytes = f.max_wnd_bytes;
    if (f.flags & TERN_FLIGHT_TAIL_OURS)
        q->flags |= TERN_TXQ_TAIL_OURS;
    if (!(f.flags & TERN_FLIGHT_SENT))
        return true;
    q->rtt_seq = c->snd.una;
    q->rto_at = f.rto_at;
    if (f.flags & TERN_FLIGHT_PTO)
        q->flags |= TERN_TXQ_PTO;
    tern_sendq_advance(q, f.len_bytes);
    tern_sent_restore(t, c, q, f.sent_us, f.seg_bytes);
    return true;
}

/* ---- for tests ---- */

void tern_flight_check(const struct tern_tcp *t, const struct tern_conn *c)
{
    const struct tern_flight *f = tern_conn_flight(t, c);
    const uint32_t out = tern_seq_span(c->snd.una, c->snd.nxt);
    assert(f->len_bytes > 0 && f->len_bytes <= TERN_FLIGHT_BYTES_MAX);
    assert(c->cong == 0 && c->snd.wnd_bytes != 0 && t->fast_path);
    assert(
        (f->flags & TERN_FLIGHT_STATIC) || (f->m->next == NULL && f->m->data_len == f->len_bytes));
    if (f->flags & TERN_FLIGHT_SENT)
        assert(out == f->len_bytes + !!(c->flags & TERN_CF_FIN_SENT) && f->seg_bytes > 0);
    else
        assert(out == 0);
}
