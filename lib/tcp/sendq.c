/* SPDX-License-Identifier: BSD-3-Clause */
#include "sendq.h"

#include "host.h"
#include "mbuf.h"

enum { ATTACH_MAX = 16 /* buffers attached to one segment: what devices take in one chain */ };

/** Where a byte of the queue lies. */
struct spot {
    struct rte_mbuf *m;
    uint32_t off;
};

void tern_sendq_init(const struct tern_tcp *t, const struct tern_conn *c, struct tern_txq *q)
{
    q->max_wnd_bytes = c->snd.wnd_bytes;
    q->shut_ms = t->now_ms; /* if it is */
    q->rtt_seq = c->snd.nxt;
    q->recover = tern_seq_add(c->snd.una, UINT32_MAX);
}

void tern_sendq_push(struct tern_txq *q, struct rte_mbuf *chain, uint32_t n_bytes)
{
    if (q->tail != NULL)
        q->tail->next = chain;
    else
        q->head = chain;
    if (q->cur == NULL) {
        q->cur = chain;
        q->cur_off = 0;
    }
    while (chain->next != NULL)
        chain = chain->next;
    q->tail = chain;
    q->n_bytes += n_bytes;
    q->unsent_bytes += n_bytes;
    q->flags &= (uint16_t)~TERN_TXQ_TAIL_OURS;
}

uint32_t tern_sendq_fill_tail(struct tern_txq *q, const uint8_t *bytes, uint32_t n)
{
    struct rte_mbuf *m = q->tail;
    if (!(q->flags & TERN_TXQ_TAIL_OURS))
        return 0;
    const uint32_t room = rte_pktmbuf_tailroom(m);
    if (n > room)
        n = room;
    if (n == 0)
        return 0;
    if (q->cur == NULL) {
        q->cur = m;
        q->cur_off = m->data_len;
    }
    memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, m->data_len), bytes, n); /* MAY-16 */
    m->data_len = (uint16_t)(m->data_len + n);
    q->n_bytes += n;
    q->unsent_bytes += n;
    return n;
}

void tern_sendq_ack(struct tern_tcp *t, struct tern_txq *q, uint32_t n_bytes)
{
    assert(n_bytes <= q->n_bytes - q->unsent_bytes);
    q->n_bytes -= n_bytes;
    uint32_t off = q->head_off + n_bytes;
    while (q->head != NULL && off >= q->head->data_len) {
        struct rte_mbuf *m = q->head;
        off -= m->data_len;
        q->head = m->next;
        tern_mbuf_recycle(t, m);
    }
    q->head_off = off;
    if (q->head == NULL) {
        q->tail = NULL;
        q->flags &= (uint16_t)~TERN_TXQ_TAIL_OURS;
    }
}

void tern_sendq_clear(struct tern_txq *q)
{
    while (q->head != NULL) {
        struct rte_mbuf *m = q->head;
        q->head = m->next;
        rte_pktmbuf_free_seg(m);
    }
    q->tail = q->cur = NULL;
    q->head_off = q->cur_off = q->n_bytes = q->unsent_bytes = 0;
}

void tern_sendq_rewind(struct tern_txq *q)
{
    q->cur = q->head;
    q->cur_off = q->head_off;
    q->unsent_bytes = q->n_bytes;
}

void tern_sendq_advance(struct tern_txq *q, uint32_t n_bytes)
{
    assert(n_bytes <= q->unsent_bytes);
    q->unsent_bytes -= n_bytes;
    uint32_t off = q->cur_off + n_bytes;
    while (q->cur != NULL && off >= q->cur->data_len) {
        off -= q->cur->data_len;
        q->cur = q->cur->next;
    }
    q->cur_off = off;
}

/** First-time sending starts at cur; sending again walks from the head. */
static struct spot find(const struct tern_txq *q, uint32_t off)
{
    if (off == q->n_bytes - q->unsent_bytes)
        return (struct spot){q->cur, q->cur_off};
    struct spot s = {q->head, q->head_off + off};
    while (s.off >= s.m->data_len) {
        s.off -= s.m->data_len;
        s.m = s.m->next;
    }
    return s;
}

static void copy_to(uint8_t *to, struct spot s, uint32_t len)
{
    if (likely(len <= s.m->data_len - s.off)) {
        memcpy(to, rte_pktmbuf_mtod_offset(s.m, const uint8_t *, s.off), len);
        return;
    }
    while (len > 0) {
        const uint32_t here = RTE_MIN(len, (uint32_t)s.m->data_len - s.off);
        memcpy(to, rte_pktmbuf_mtod_offset(s.m, const uint8_t *, s.off), here);
        to += here;
        len -= here;
        s = (struct spot){s.m->next, 0};
    }
}

/** A buffer that refers to [off, off + len) of `m`, or NULL. What only a packet's first buffer says
 * is left unset. */
static struct rte_mbuf *part_of(struct tern_tcp *t, struct rte_mbuf *m, uint32_t off, uint32_t len)
{
    struct rte_mbuf *part = rte_mbuf_raw_alloc(t->pool);
    if (unlikely(part == NULL))
        return NULL;
    part->ol_flags = 0;
    if (likely(RTE_MBUF_HAS_EXTBUF(m))) {
        tern_host_refer(m->shinfo);
        rte_pktmbuf_attach_extbuf(part, m->buf_addr, rte_mbuf_iova_get(m), m->buf_len, m->shinfo);
    } else {
        rte_pktmbuf_attach(part, m);
    }
    part->data_off = (uint16_t)(m->data_off + off);
    part->data_len = (uint16_t)len;
    part->pkt_len = len;
    return part;
}

/** Attach [s, s + *len) behind `head`, at most ATTACH_MAX buffers. @return false: no mbuf */
static bool attach(struct tern_tcp *t, struct rte_mbuf *head, struct spot s, uint32_t *len)
{
    struct rte_mbuf *last = head;
    uint32_t done = 0;
    for (uint32_t n = 0; done < *len && n < ATTACH_MAX; n++) {
        const uint32_t here = RTE_MIN(*len - done, (uint32_t)s.m->data_len - s.off);
        struct rte_mbuf *part = part_of(t, s.m, s.off, here);
        if (part == NULL)
            return false;
        last->next = part;
        last = part;
        head->nb_segs++;
        head->pkt_len += here;
        done += here;
        s = (struct spot){s.m->next, 0};
    }
    *len = done;
    return true;
}

/** A buffer with the payload at `s`, as tern_sendq_payload() says. */
static struct rte_mbuf *payload_at(struct tern_tcp *t, struct spot s, uint32_t *len_bytes)
{
    struct rte_mbuf *m = tern_mbuf_data(t);
    if (m == NULL)
        return NULL;
    if (*len_bytes <= TERN_COPY_BYTES_MAX || !t->cfg.tx_multi_seg) {
        if (*len_bytes > rte_pktmbuf_tailroom(m))
            *len_bytes = rte_pktmbuf_tailroom(m);
        copy_to((uint8_t *)rte_pktmbuf_append(m, (uint16_t)*len_bytes), s, *len_bytes);
        return m;
    }
    if (attach(t, m, s, len_bytes))
        return m;
    rte_pktmbuf_free(m);
    return NULL;
}

struct rte_mbuf *tern_sendq_payload(
    struct tern_tcp *t, const struct tern_txq *q, uint32_t off_bytes, uint32_t *len_bytes)
{
    return payload_at(t, find(q, off_bytes), len_bytes);
}

struct rte_mbuf *tern_sendq_payload_of(struct tern_tcp *t, struct rte_mbuf *m, uint32_t *len_bytes)
{
    return payload_at(t, (struct spot){m, 0}, len_bytes);
}

struct rte_mbuf *tern_sendq_next(struct tern_tcp *t, struct tern_txq *q, uint32_t *len_bytes)
{
    struct rte_mbuf *m = payload_at(t, (struct spot){q->cur, q->cur_off}, len_bytes);
    if (m != NULL)
        tern_sendq_advance(q, *len_bytes);
    return m;
}
