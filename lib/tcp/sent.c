/* SPDX-License-Identifier: BSD-3-Clause */
#include "sent.h"

/*
 * Stretches are found by sequence in a tree (sent_tree.h) and are linked by time while outstanding,
 * in the order to be sent again while lost.
 *
 * Segments of one burst are one stretch: they left at one time and share a fate until the peer
 * tells otherwise. A SACK block splits a stretch at segment boundaries only, rounded inward: what
 * is marked is never more than what the peer said, and a peer cannot cut finer than we sent. SACKED
 * neighbours are joined, so that an ACK that repeats a block costs one look-up.
 *
 * Records come from a pool with one for every connection that sends; when the others are taken,
 * stretches grow and fates are told apart less finely. A lost stretch that cannot be cut goes again
 * a segment a round trip (TERN_SENT_REST).
 *
 * Rejected: a list walked from the head for each block (quadratic in the window at a peer's will),
 * and a record for each segment (four times the work for nothing while all goes well).
 */
#include "host.h"
#include "sent_tree.h"

static struct tern_sent *at(const struct tern_tcp *t, uint32_t idx)
{
    return &t->sents[idx];
}

static uint32_t len_of(const struct tern_sent *s)
{
    return tern_seq_span(s->start, s->end);
}

static uint32_t segs_of(const struct tern_sent *s)
{
    return (len_of(s) + s->seg_bytes - 1) / s->seg_bytes;
}

static bool is_outstanding(const struct tern_sent *s)
{
    return !(s->flags & (TERN_SENT_SACKED | TERN_SENT_LOST));
}

/* ---- lists: the outstanding by time, the lost in the order to be sent ---- */

static uint32_t *head_of(struct tern_txq *q, const struct tern_sent *s)
{
    return s->flags & TERN_SENT_LOST ? &q->lost_first : &q->oldest;
}

static uint32_t *tail_of(struct tern_txq *q, const struct tern_sent *s)
{
    return s->flags & TERN_SENT_LOST ? &q->lost_last : &q->newest;
}

/** Link `x` right behind `prev` (0: in front) in the list of its condition. */
static void list_insert(struct tern_tcp *t, struct tern_txq *q, uint32_t prev, uint32_t x)
{
    struct tern_sent *s = at(t, x);
    uint32_t *head = head_of(q, s), *tail = tail_of(q, s);
    s->older = prev;
    s->newer = prev != 0 ? at(t, prev)->newer : *head;
    if (prev != 0)
        at(t, prev)->newer = x;
    else
        *head = x;
    if (s->newer != 0)
        at(t, s->newer)->older = x;
    else
        *tail = x;
}

static void list_append(struct tern_tcp *t, struct tern_txq *q, uint32_t x)
{
    list_insert(t, q, *tail_of(q, at(t, x)), x);
}

static void list_remove(struct tern_tcp *t, struct tern_txq *q, uint32_t x)
{
    struct tern_sent *s = at(t, x);
    if (s->flags & TERN_SENT_SACKED)
        return; /* in none */
    if (s->older != 0)
        at(t, s->older)->newer = s->newer;
    else
        *head_of(q, s) = s->newer;
    if (s->newer != 0)
        at(t, s->newer)->older = s->older;
    else
        *tail_of(q, s) = s->older;
}

/* ---- records ---- */

/* V002 */
static uint32_t record_new(struct tern_tcp *t, struct tern_txq *q)
{
    const uint32_t x = tern_host_sent_new(t, q->n_sent == 0);
    q->n_sent += x != 0;
    return x;
}

/** The only one, so every list is empty without it. */
static void forget_only(struct tern_txq *q)
{
    q->root = q->first = q->last = 0;
    q->oldest = q->newest = 0;
    q->lost_first = q->lost_last = 0;
}

/** Out of tree and list, and gone. */
static void record_free(struct tern_tcp *t, struct tern_txq *q, uint32_t x)
{
    if (q->n_sent == 1) {
        forget_only(q);
    } else {
        list_remove(t, q, x);
        tern_sent_remove(t, q, x);
    }
    q->n_sent--;
    tern_host_sent_free(t, x, q->n_sent == 0);
}

/** Take `n` bytes (0 < n < length) off the count of the stretch's condition, or put them there. */
static void count(struct tern_txq *q, const struct tern_sent *s, int64_t n_bytes, int64_t n_segs)
{
    if (s->flags & TERN_SENT_SACKED) {
        q->sacked_bytes = (uint32_t)(q->sacked_bytes + n_bytes);
        q->sacked_segs = (uint32_t)(q->sacked_segs + n_segs);
    } else if (s->flags & TERN_SENT_LOST) {
        q->lost_bytes = (uint32_t)(q->lost_bytes + n_bytes);
    }
}

/** Cut a stretch that is not SACKED behind its first `n` bytes. @return the rest, 0: no record */
static uint32_t split(struct tern_tcp *t, struct tern_txq *q, uint32_t x, uint32_t n)
{
    const uint32_t rest = record_new(t, q);
    if (rest == 0)
        return 0;
    struct tern_sent *s = at(t, x), *r = at(t, rest);
    *r = *s;
    r->start = s->end = tern_seq_add(s->start, n);
    tern_sent_insert(t, q, x, rest);
    list_insert(t, q, x, rest);
    return rest;
}

/** The delivery rate's memory of now (draft-cheng-iccrg-delivery-rate-estimation §3.2). */
static void note_rate(const struct tern_tcp *t, const struct tern_conn *c, struct tern_txq *q,
    struct tern_sent *s, uint32_t len)
{
    s->sent_us = t->now_us;
    s->pipe_bytes = tern_sent_pipe(c, q) + len;
    struct tern_cong *g = tern_conn_cong(t, c);
    if (g == NULL)
        return;
    if (s->pipe_bytes == len) { /* a flight begins */
        g->first_sent_us = t->now_us;
        g->delivered_us = t->now_us;
    }
    s->delivered_bytes = g->delivered_bytes;
    s->delivered_us = g->delivered_us;
    s->first_sent_us = g->first_sent_us;
    s->lost_total_bytes = g->lost_total_bytes;
    s->flags &= (uint8_t)~TERN_SENT_LIMITED;
    if (tern_seq_before(c->snd.una, g->limited_end))
        s->flags |= TERN_SENT_LIMITED;
}

/* ---- sending ---- */

static bool same_burst(const struct tern_tcp *t, const struct tern_sent *s, uint32_t seg_bytes)
{
    return s->sent_us == t->now_us && is_outstanding(s) && s->seg_bytes == seg_bytes
           && len_of(s) % seg_bytes == 0;
}

bool tern_sent_has_room(const struct tern_tcp *t, const struct tern_txq *q)
{
    return q->n_sent == 0 || tern_host_sent_left(t) || is_outstanding(at(t, q->last));
}

/** For want of a record the last one covers what is sent now, too, as if all had left now. */
static void lengthen_last(
    struct tern_tcp *t, const struct tern_conn *c, struct tern_txq *q, uint32_t len)
{
    struct tern_sent *s = at(t, q->last);
    assert(is_outstanding(s));
    list_remove(t, q, q->last);
    note_rate(t, c, q, s, len);
    s->end = tern_seq_add(s->end, len);
    s->flags |= TERN_SENT_AGAIN; /* what it is the time of is not known: Karn */
    list_append(t, q, q->last);
}

/** The only stretch: in tree and list alone. A record for it is always to be had. */
static struct tern_sent *make_only(struct tern_tcp *t, struct tern_txq *q, struct tern_seq start,
    struct tern_seq end, uint32_t seg_bytes)
{
    const uint32_t x = record_new(t, q);
    struct tern_sent *s = at(t, x);
    *s = (struct tern_sent){.start = start, .end = end, .seg_bytes = (uint16_t)seg_bytes};
    q->root = q->first = q->last = x;
    q->oldest = q->newest = x;
    return s;
}

void tern_sent_restore(struct tern_tcp *t, const struct tern_conn *c, struct tern_txq *q,
    uint32_t sent_us, uint32_t seg_bytes)
{
    assert(q->n_sent == 0 && c->cong == 0);
    struct tern_sent *s = make_only(t, q, c->snd.una, c->snd.nxt, seg_bytes);
    s->sent_us = sent_us;
    s->pipe_bytes = len_of(s);
}

void tern_sent_new(struct tern_tcp *t, const struct tern_conn *c, struct tern_txq *q, uint32_t len,
    uint32_t seg_bytes)
{
    const struct tern_seq end = tern_seq_add(c->snd.nxt, len);
    if (q->n_sent == 0) {
        note_rate(t, c, q, make_only(t, q, c->snd.nxt, end, seg_bytes), len);
        return;
    }
    struct tern_sent *s = at(t, q->last);
    if (same_burst(t, s, seg_bytes) && !(s->flags & TERN_SENT_AGAIN)) {
        s->end = tern_seq_add(s->end, len);
        s->pipe_bytes = tern_sent_pipe(c, q) + len;
        return;
    }
    const uint32_t x = record_new(t, q);
    if (x == 0) {
        lengthen_last(t, c, q, len);
        return;
    }
    s = at(t, x);
    *s = (struct tern_sent){.start = c->snd.nxt, .end = end, .seg_bytes = (uint16_t)seg_bytes};
    note_rate(t, c, q, s, len);
    tern_sent_insert(t, q, q->last, x);
    list_append(t, q, x);
}

void tern_sent_again(struct tern_tcp *t, const struct tern_conn *c, struct tern_txq *q,
    uint32_t idx, uint32_t n_bytes)
{
    struct tern_sent *s = at(t, idx);
    assert(s->flags & TERN_SENT_LOST && n_bytes <= len_of(s));
    const uint32_t prev = tern_sent_prev(t, idx);
    struct tern_sent *p = at(t, prev);
    q->lost_bytes -= n_bytes;
    /* The size of segments has changed since (pmtu.c). A short last one, or a FIN behind one, is no
     * such sign. */
    if ((n_bytes < s->seg_bytes && n_bytes < len_of(s)) || n_bytes > s->seg_bytes + 1u)
        s->seg_bytes = (uint16_t)n_bytes;
    if (prev != 0 && prev == q->newest && same_burst(t, p, s->seg_bytes)
        && (p->flags & (TERN_SENT_AGAIN | TERN_SENT_REST)) == TERN_SENT_AGAIN
        && !((p->flags ^ s->flags) & TERN_SENT_REPORTED)) { /* the segment before, a moment ago */
        p->end = tern_seq_add(p->end, n_bytes);
        p->pipe_bytes = tern_sent_pipe(c, q);
        s->start = p->end;
        if (s->start.v == s->end.v)
            record_free(t, q, idx);
        return;
    }
    if (n_bytes < len_of(s) && split(t, q, idx, n_bytes) == 0) {
        /* no record: the rest counts as sent, too, until the ACK of what was sent comes */
        q->lost_bytes -= len_of(s) - n_bytes;
        s->flags |= TERN_SENT_REST;
    }
    list_remove(t, q, idx);
    s->flags = (uint8_t)((s->flags & ~TERN_SENT_LOST) | TERN_SENT_AGAIN);
    note_rate(t, c, q, s, 0);
    list_append(t, q, idx);
}

void tern_sent_again_tail(
    struct tern_tcp *t, const struct tern_conn *c, struct tern_txq *q, uint32_t n_bytes)
{
    uint32_t x = q->last;
    if (!is_outstanding(at(t, x)))
        return;
    if (n_bytes < len_of(at(t, x))) {
        const uint32_t rest = split(t, q, x, len_of(at(t, x)) - n_bytes);
        x = rest != 0 ? rest : x;
    }
    struct tern_sent *s = at(t, x);
    list_remove(t, q, x);
    s->flags = (uint8_t)((s->flags & ~TERN_SENT_PROBE) | TERN_SENT_AGAIN);
    if (len_of(s) == n_bytes)
        s->flags &= (uint8_t)~TERN_SENT_REST;
    note_rate(t, c, q, s, 0);
    list_append(t, q, x);
}

/** An outstanding stretch is lost, to be sent again after the lost one `prev`, 0: first of all. */
static void lose_after(struct tern_tcp *t, struct tern_txq *q, uint32_t idx, uint32_t prev)
{
    struct tern_sent *s = at(t, idx);
    assert(is_outstanding(s));
    list_remove(t, q, idx);
    s->flags = (uint8_t)((s->flags & ~(TERN_SENT_PROBE | TERN_SENT_REST)) | TERN_SENT_LOST);
    q->lost_bytes += len_of(s);
    list_insert(t, q, prev, idx);
}

/* ---- what the peer tells ---- */

/** Does the ACK speak of the last transmission of `s`, or of one before (RFC 8985 §6.2 step 2)? */
static bool is_of_last_transmission(const struct tern_sent *s, const struct tern_delivered *d)
{
    if (s->flags & TERN_SENT_REPORTED)
        return false;
    if (!(s->flags & TERN_SENT_AGAIN))
        return true;
    const uint32_t rtt_us = d->now_us - s->sent_us;
    if (rtt_us < d->min_rtt_us)
        return false;
    return !d->has_ecr || (int32_t)(d->ecr_ms - (uint32_t)((d->now64_us - rtt_us) / 1000)) >= 0;
}

/** The first `n_bytes` of a stretch that was not SACKED have arrived. */
static void note_delivered(
    const struct tern_txq *q, const struct tern_sent *s, uint32_t n_bytes, struct tern_delivered *d)
{
    const bool again = s->flags & TERN_SENT_AGAIN;
    const struct tern_seq end = tern_seq_add(s->start, n_bytes);
    if (!(s->flags & TERN_SENT_REPORTED)) {
        d->bytes += n_bytes;
        /* what was sent for the first time after a timeout tells nothing of it (RFC 5682 §3.1) */
        d->original |= !again && !tern_seq_before(q->recover, end);
    }
    d->again |= again;
    d->probe |= (s->flags & TERN_SENT_PROBE) && n_bytes == len_of(s);
    if (!again && !(s->flags & TERN_SENT_REPORTED) && (q->flags & TERN_TXQ_RACK)
        && tern_seq_before(end, q->fack))
        d->reordered = true;
    if (!d->some || tern_seq_before(d->highest, end))
        d->highest = end;
    d->some = true;
    if (is_of_last_transmission(s, d)
        && (!d->any || tern_sent_is_after(s->sent_us, end, d->newest.sent_us, d->newest.end))) {
        d->newest = *s;
        d->newest.end = end;
        d->any = true;
    }
}

const struct tern_sent *tern_sent_newest_once(
    const struct tern_tcp *t, const struct tern_txq *q, struct tern_seq una)
{
    const struct tern_sent *newest = NULL;
    if (q->sacked_bytes != 0 || q->lost_bytes != 0)
        return NULL;
    for (uint32_t x = q->first; x != 0; x = newest->newer) {
        const struct tern_sent *s = at(t, x);
        if (s->flags != 0 || (newest != NULL && s->start.v != newest->end.v))
            return NULL;
        newest = s;
        if (!tern_seq_before(s->end, una))
            return newest;
    }
    return NULL;
}

void tern_sent_ack_once(struct tern_tcp *t, struct tern_txq *q, struct tern_seq una)
{
    while (q->first != 0 && !tern_seq_before(una, at(t, q->first)->end))
        record_free(t, q, q->first);
    struct tern_sent *s = at(t, q->first);
    if (q->first == 0 || !tern_seq_before(s->start, una))
        return;
    s->start = una;
    s->claim = 0; /* such segments get through */
}

void tern_sent_ack(
    struct tern_tcp *t, struct tern_txq *q, struct tern_seq una, struct tern_delivered *d)
{
    while (q->first != 0) {
        const uint32_t x = q->first;
        struct tern_sent *s = at(t, x);
        if (!tern_seq_before(s->start, una))
            return;
        const bool whole = !tern_seq_before(una, s->end);
        const uint32_t n = tern_seq_span(s->start, whole ? s->end : una);
        if (!(s->flags & TERN_SENT_SACKED))
            note_delivered(q, s, n, d);
        if (whole) {
            count(q, s, -(int64_t)n, -(int64_t)segs_of(s));
            record_free(t, q, x);
            continue;
        }
        const uint32_t segs = segs_of(s);
        s->start = una;
        s->claim = 0; /* such segments get through */
        count(q, s, -(int64_t)n, (int64_t)segs_of(s) - segs);
        if (s->flags & TERN_SENT_REST) /* it never left, and is next: a segment a round trip */
            lose_after(t, q, x, 0);
        return;
    }
}

/** Join `x` with the SACKED stretch behind it. */
static void join_next(struct tern_tcp *t, struct tern_txq *q, uint32_t x)
{
    const uint32_t next = tern_sent_next(t, x);
    if (next == 0 || !(at(t, next)->flags & TERN_SENT_SACKED))
        return;
    struct tern_sent *s = at(t, x), *n = at(t, next);
    count(q, s, 0, -(int64_t)(segs_of(s) + segs_of(n)));
    s->end = n->end;
    s->flags |= n->flags;
    count(q, s, 0, segs_of(s));
    record_free(t, q, next);
}

/** @return the stretch that `x` is part of now */
static uint32_t mark_sacked(
    struct tern_tcp *t, struct tern_txq *q, uint32_t x, struct tern_delivered *d)
{
    struct tern_sent *s = at(t, x);
    note_delivered(q, s, len_of(s), d);
    list_remove(t, q, x);
    count(q, s, -(int64_t)len_of(s), 0);
    /* not to be sent again (2018-7) */
    s->flags = (uint8_t)((s->flags & ~(TERN_SENT_LOST | TERN_SENT_PROBE | TERN_SENT_REST))
                         | TERN_SENT_SACKED);
    count(q, s, len_of(s), segs_of(s));
    join_next(t, q, x);
    const uint32_t prev = tern_sent_prev(t, x);
    if (prev == 0 || !(at(t, prev)->flags & TERN_SENT_SACKED))
        return x;
    join_next(t, q, prev);
    return prev;
}

/** Behind its first `n` bytes and before `right` the stretch has a whole segment. */
static bool has_segment(const struct tern_sent *s, uint32_t n, struct tern_seq right)
{
    const uint32_t first = RTE_MIN((uint32_t)s->seg_bytes, len_of(s) - n);
    return !tern_seq_before(right, tern_seq_add(s->start, n + first));
}

/* V001, V002, V004, V005: nothing is split for a block that holds no whole segment */
void tern_sent_sack(struct tern_tcp *t, struct tern_txq *q, struct tern_seq left,
    struct tern_seq right, struct tern_delivered *d)
{
    for (uint32_t x = tern_sent_find(t, q, left); x != 0; x = tern_sent_next(t, x)) {
        struct tern_sent *s = at(t, x);
        if (!tern_seq_before(s->start, right))
            return;
        if (s->flags & TERN_SENT_SACKED)
            continue;
        s->claim = 0; /* such segments get through */
        if (tern_seq_before(s->start, left)) {
            const uint32_t skip = tern_seq_span(s->start, left);
            const uint32_t n = (skip + s->seg_bytes - 1) / s->seg_bytes * s->seg_bytes;
            if (n >= len_of(s))
                continue;
            if (!has_segment(s, n, right))
                return;
            x = split(t, q, x, n);
            if (x == 0)
                return;
            s = at(t, x);
        }
        if (tern_seq_before(right, s->end)) {
            const uint32_t held =
                tern_seq_before(s->start, right) ? tern_seq_span(s->start, right) : 0;
            const uint32_t n = held / s->seg_bytes * s->seg_bytes;
            if (n == 0 || split(t, q, x, n) == 0)
                return;
        }
        x = mark_sacked(t, q, x, d);
    }
}

/* ---- losses ---- */

void tern_sent_lose(struct tern_tcp *t, struct tern_txq *q, uint32_t idx)
{
    lose_after(t, q, idx, q->lost_last);
}

void tern_sent_lose_head(struct tern_tcp *t, struct tern_txq *q, uint32_t n_bytes)
{
    const uint32_t x = q->first;
    if (x == 0 || !is_outstanding(at(t, x)))
        return;
    if (n_bytes < len_of(at(t, x)))
        split(t, q, x, n_bytes); /* without a record all of the stretch is */
    tern_sent_lose(t, q, x);
}

void tern_sent_lose_all(struct tern_tcp *t, struct tern_txq *q)
{
    q->oldest = q->newest = q->lost_first = q->lost_last = 0;
    q->sacked_bytes = q->sacked_segs = q->lost_bytes = 0;
    for (uint32_t x = q->first; x != 0; x = tern_sent_next(t, x)) {
        struct tern_sent *s = at(t, x);
        if (s->flags & TERN_SENT_SACKED)
            s->flags |= TERN_SENT_REPORTED;
        s->flags = (uint8_t)((s->flags & ~(TERN_SENT_SACKED | TERN_SENT_PROBE | TERN_SENT_REST))
                             | TERN_SENT_LOST);
        q->lost_bytes += len_of(s);
        list_append(t, q, x);
    }
}

void tern_sent_join_fin(struct tern_tcp *t, struct tern_txq *q)
{
    const uint32_t fin = q->last, x = fin != 0 ? tern_sent_prev(t, fin) : 0;
    if (x == 0 || len_of(at(t, fin)) != 1
        || !(at(t, fin)->flags & at(t, x)->flags & TERN_SENT_LOST))
        return;
    at(t, x)->end = at(t, fin)->end;
    record_free(t, q, fin);
}

/** Behind the last of the outstanding that were not sent later. */
static void list_insert_by_time(struct tern_tcp *t, struct tern_txq *q, uint32_t x, uint32_t hint)
{
    const struct tern_sent *s = at(t, x);
    uint32_t prev = hint;
    while (
        prev != 0 && tern_sent_is_after(at(t, prev)->sent_us, at(t, prev)->end, s->sent_us, s->end))
        prev = at(t, prev)->older;
    for (uint32_t n; (n = prev != 0 ? at(t, prev)->newer : q->oldest) != 0
                     && tern_sent_is_after(s->sent_us, s->end, at(t, n)->sent_us, at(t, n)->end);)
        prev = n;
    list_insert(t, q, prev, x);
}

void tern_sent_find_again(struct tern_tcp *t, struct tern_txq *q)
{
    uint32_t hint = 0;
    while (q->lost_first != 0) {
        const uint32_t x = q->lost_first;
        struct tern_sent *s = at(t, x);
        list_remove(t, q, x);
        s->flags &= (uint8_t)~TERN_SENT_LOST;
        q->lost_bytes -= len_of(s);
        list_insert_by_time(t, q, x, hint);
        hint = x;
    }
}

struct tern_sent *tern_sent_at(
    const struct tern_tcp *t, const struct tern_txq *q, struct tern_seq seq)
{
    const uint32_t x = tern_sent_find(t, q, seq);
    return x != 0 ? at(t, x) : NULL;
}

void tern_sent_clear(struct tern_tcp *t, struct tern_txq *q)
{
    while (q->root != 0)
        record_free(t, q, q->root);
    q->sacked_bytes = q->sacked_segs = q->lost_bytes = 0;
}

/* ---- for tests ---- */

static void check_list(const struct tern_tcp *t, uint32_t first, uint32_t last, bool lost,
    uint32_t *n, uint32_t *n_bytes)
{
    uint32_t prev = 0;
    for (uint32_t x = first; x != 0; prev = x, x = at(t, x)->newer) {
        const struct tern_sent *s = at(t, x);
        assert(s->older == prev);
        assert(!(s->flags & TERN_SENT_SACKED) && !!(s->flags & TERN_SENT_LOST) == lost);
        assert(lost || prev == 0 || (int32_t)(s->sent_us - at(t, prev)->sent_us) >= 0);
        ++*n;
        *n_bytes += len_of(s);
    }
    assert(last == prev);
}

void tern_sent_check(const struct tern_tcp *t, const struct tern_conn *c)
{
    if (tern_conn_has_flight(c))
        return; /* tern_flight_check() */
    const struct tern_txq *q = tern_conn_txq(t, c);
    if (q == NULL)
        return;
    uint32_t n_sacked = 0, sacked = 0, segs = 0, n = 0;
    struct tern_seq expected = c->snd.una;
    for (uint32_t x = q->first; x != 0; x = tern_sent_next(t, x), n++) {
        const struct tern_sent *s = at(t, x);
        assert(s->start.v == expected.v && tern_seq_before(s->start, s->end));
        if (s->flags & TERN_SENT_SACKED) {
            assert(!(s->flags & TERN_SENT_LOST));
            n_sacked++;
            sacked += len_of(s);
            segs += segs_of(s);
        }
        expected = s->end;
    }
    assert(n == 0 || expected.v == c->snd.nxt.v);
    assert(n == q->n_sent);
    uint32_t n_listed = 0, lost = 0, outstanding = 0;
    check_list(t, q->lost_first, q->lost_last, true, &n_listed, &lost);
    check_list(t, q->oldest, q->newest, false, &n_listed, &outstanding);
    assert(n_listed + n_sacked == n);
    assert(lost == q->lost_bytes && segs == q->sacked_segs);
    /* without SACK, sacked_bytes counts duplicate ACKs instead */
    assert(!(c->flags & TERN_CF_SACK) || sacked == q->sacked_bytes);
    assert(n == 0 || outstanding + sacked + lost == tern_seq_span(c->snd.una, c->snd.nxt));
}
