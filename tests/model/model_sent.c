/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The scoreboard against an array with one entry an octet in flight: its condition and its last
 * transmission. The twin knows nothing of stretches, but where segments begin.
 *
 * What the real one may do differently is written down in permitted(): without a record fates are
 * told apart less finely, and a SACK block is rounded inward to segments as a stretch counts them,
 * which an ACK in the midst of a segment shifts. Half of the seeds have records in plenty and ACKs
 * of whole segments, and there nothing is permitted.
 *
 * It links sent.c and sent_tree.c alone; the pool of records is below.
 */
#include "model.h"
#include "tcp/host.h"
#include "tcp/sent.h"

#include <string.h>

enum {
    N_OPS = 50000,
    RECORDS_MAX = 1024,
    SPAN = 1 << 11, /* octets in flight at the most */
    BURST_MAX = 12, /* segments */
    CONN = 1,
};

enum condition { OUTSTANDING, SACKED, LOST };

/** What is unsure of an octet: records that are joined forget whose time they had. */
struct octet {
    enum condition is;
    bool again, reported, unsure;
    bool assumed; /* for want of a record it counts as sent again, until an ACK comes */
    uint32_t us;
    uint64_t order; /* of the lost: which is to be sent first */
};

enum op { NEW, ACK, BLOCK, LOSE, LOSE_HEAD, LOSE_ALL, FIND_AGAIN, AGAIN, AGAIN_TAIL, CLEAR };

static struct tern_tcp t;
static struct tern_conn conns[CONN + 1], *const c = &conns[CONN];
static struct tern_txq txqs[CONN + 1], *const q = &txqs[CONN];
static struct tern_sent sents[RECORDS_MAX];

static struct octet twin[SPAN];          /* by sequence, modulo SPAN */
static uint64_t first_order, last_order; /* beyond these none is lost yet */
static uint32_t seg_bytes;
static bool is_wild; /* few records, ACKs anywhere, short segments */
static enum op op;

/* ---- the pool ---- */

static uint32_t unused[RECORDS_MAX], n_unused, n_kept;
static bool was_refused; /* during this operation */

uint32_t tern_host_sent_new(struct tern_tcp *tcp, bool first)
{
    if (!first && !tern_host_sent_left(tcp)) {
        was_refused = true;
        return 0;
    }
    MODEL_CHECK(n_unused > 0);
    const uint32_t i = model_below(n_unused), idx = unused[i];
    unused[i] = unused[--n_unused];
    memset(&sents[idx], 0xa5, sizeof sents[idx]);
    return idx;
}

void tern_host_sent_free(struct tern_tcp *tcp, uint32_t idx, bool last)
{
    (void)tcp;
    MODEL_CHECK(last == (q->n_sent == 0));
    unused[n_unused++] = idx;
}

/** n_kept are never handed out but as the first. */
bool tern_host_sent_left(const struct tern_tcp *tcp)
{
    (void)tcp;
    return n_unused > n_kept;
}

/* ---- the twin ---- */

static struct octet *octet_at(struct tern_seq seq)
{
    return &twin[seq.v % SPAN];
}

static uint32_t in_flight(void)
{
    return tern_seq_span(c->snd.una, c->snd.nxt);
}

static struct tern_seq seq_at(uint32_t n)
{
    return tern_seq_add(c->snd.una, n);
}

static void twin_lose(struct tern_seq from, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct octet *o = octet_at(tern_seq_add(from, i));
        o->is = LOST;
        o->order = ++last_order;
    }
}

static void twin_send(struct tern_seq from, uint32_t n, bool again)
{
    for (uint32_t i = 0; i < n; i++) {
        struct octet *o = octet_at(tern_seq_add(from, i));
        const bool reported = again && o->reported;
        *o = (struct octet){.again = again, .reported = reported, .us = t.now_us};
    }
}

/* ---- the two compared ---- */

/** Where the operation at hand may leave octet `now` other than the twin has it. */
static bool permitted(const struct octet *now, const struct octet *before)
{
    switch (op) {
    case NEW: /* the last stretch covers it, too, as if all had been sent now */
    case AGAIN_TAIL: return was_refused && now->is == OUTSTANDING && now->us == t.now_us;
    case BLOCK: /* rounded inward */
        return (was_refused || is_wild) && now->is == before->is
               && (before->unsure || now->us == before->us);
    case LOSE_HEAD: return was_refused && now->is == LOST && before->is == OUTSTANDING;
    case AGAIN: return was_refused && now->is == OUTSTANDING && now->us == t.now_us;
    case ACK: return before->assumed && now->is == LOST && now->us == before->us;
    case LOSE:
    case LOSE_ALL:
    case FIND_AGAIN:
    case CLEAR:
    default: return false;
    }
}

static enum condition condition_of(const struct tern_sent *s)
{
    if (s->flags & TERN_SENT_SACKED)
        return SACKED;
    return s->flags & TERN_SENT_LOST ? LOST : OUTSTANDING;
}

static bool is_same(const struct octet *now, const struct octet *o)
{
    if (now->is != o->is || now->is == SACKED)
        return now->is == o->is;
    return o->unsure
           || (now->us == o->us && now->again == o->again && now->reported == o->reported);
}

/** What an ACK makes lost, octet by octet, goes before all others. */
static uint64_t next_order(struct tern_seq seq)
{
    return op == ACK ? first_order + tern_seq_span(c->snd.una, seq) : ++last_order;
}

static void compare_octet(
    const struct tern_sent *s, struct tern_seq seq, struct octet *o, const struct octet *before)
{
    const struct octet now = {
        .is = condition_of(s),
        .again = s->flags & TERN_SENT_AGAIN,
        .reported = s->flags & TERN_SENT_REPORTED,
        .us = s->sent_us,
    };
    if (!is_same(&now, o)) {
        MODEL_CHECK(permitted(&now, before));
        const uint64_t order = before->is == LOST ? before->order : next_order(seq);
        *o = now;
        o->order = order;
    }
    o->unsure |= now.is == SACKED; /* until it is sent again */
    o->assumed = s->flags & TERN_SENT_REST;
    MODEL_CHECK(!o->assumed || ((before->assumed || was_refused) && now.is == OUTSTANDING));
}

/** The record that holds `seq`, found in the tree. */
static const struct tern_sent *record_of(uint32_t idx, struct tern_seq seq)
{
    if (idx == 0)
        return NULL;
    const struct tern_sent *s = &sents[idx];
    if (tern_seq_before(seq, s->start))
        return record_of(s->left, seq);
    return tern_seq_before(seq, s->end) ? s : record_of(s->right, seq);
}

static void check_order_of_lost(void)
{
    uint64_t order = 0;
    for (uint32_t x = q->lost_first; x != 0; x = sents[x].newer) {
        for (struct tern_seq at = sents[x].start; tern_seq_before(at, sents[x].end);
             at = tern_seq_add(at, 1)) {
            MODEL_CHECK(octet_at(at)->order > order);
            order = octet_at(at)->order;
        }
    }
}

static void check_order_in_time(void)
{
    for (uint32_t x = q->oldest; x != 0 && sents[x].newer != 0; x = sents[x].newer)
        MODEL_CHECK((int32_t)(sents[sents[x].newer].sent_us - sents[x].sent_us) >= 0);
}

static void compare(const struct octet *before)
{
    const struct tern_sent *s = NULL;
    uint32_t n[3] = {0};
    for (uint32_t i = 0; i < in_flight(); i++) {
        const struct tern_seq at = seq_at(i);
        const struct tern_sent *last = s;
        if (s == NULL || s->end.v == at.v)
            s = record_of(q->root, at);
        MODEL_CHECK(s != NULL);
        if (last != NULL && last != s) /* SACKED neighbours are joined */
            MODEL_CHECK(condition_of(last) != SACKED || condition_of(s) != SACKED);
        compare_octet(s, at, octet_at(at), &before[at.v % SPAN]);
        n[octet_at(at)->is]++;
    }
    tern_sent_check(&t, c);
    MODEL_CHECK(n[SACKED] == q->sacked_bytes && n[LOST] == q->lost_bytes);
    MODEL_CHECK(n[OUTSTANDING] == tern_sent_pipe(c, q));
    check_order_of_lost();
    check_order_in_time();
}

/* ---- what an ACK tells ---- */

struct expected {
    uint32_t bytes;
    bool original, maybe_original, unsure, any;
    uint32_t us;
    struct tern_seq end;
};

/** The twin's octet at `seq` arrives. */
static void arrive(struct tern_seq seq, struct expected *e)
{
    const struct octet *o = octet_at(seq);
    if (o->is == SACKED || o->reported)
        return;
    e->bytes++;
    e->original |= !o->unsure && !o->again;
    e->maybe_original |= o->unsure || !o->again;
    e->unsure |= o->unsure;
    if (!e->any || (int32_t)(o->us - e->us) >= 0) {
        e->us = o->us;
        e->end = tern_seq_add(seq, 1);
        e->any = true;
    }
}

static void check_told(const struct tern_delivered *d, const struct expected *e)
{
    MODEL_CHECK(d->bytes == e->bytes);
    MODEL_CHECK(!e->original || d->original);
    MODEL_CHECK(!d->original || e->maybe_original);
    MODEL_CHECK(d->any == e->any);
    if (!d->any || e->unsure)
        return;
    MODEL_CHECK(d->newest.sent_us == e->us);
    MODEL_CHECK(d->newest.end.v == e->end.v); /* no further than what has arrived */
}

static struct tern_delivered told(void)
{
    return (struct tern_delivered){.now_us = t.now_us};
}

/* ---- operations ---- */

static void op_new(void)
{
    for (uint32_t n = 1 + model_below(BURST_MAX); n > 0; n--) {
        const uint32_t len = is_wild && n == 1 ? 1 + model_below(seg_bytes) : seg_bytes;
        if (in_flight() + len > SPAN || !tern_sent_has_room(&t, q))
            return;
        twin_send(c->snd.nxt, len, false);
        tern_sent_new(&t, c, q, len, seg_bytes);
        c->snd.nxt = tern_seq_add(c->snd.nxt, len);
        MODEL_CHECK(sents[q->last].pipe_bytes == tern_sent_pipe(c, q));
    }
}

/** A number of octets up to n; whole segments unless wild. */
static uint32_t some_of(uint32_t n)
{
    const uint32_t some = 1 + model_below(n);
    return is_wild ? some : some - some % seg_bytes;
}

static void op_ack(void)
{
    const uint32_t n = model_chance(10) ? in_flight() : some_of(in_flight());
    const struct tern_seq una = seq_at(n);
    struct expected e = {0};
    struct tern_delivered d = told();
    for (uint32_t i = 0; i < n; i++)
        arrive(seq_at(i), &e);
    tern_sent_ack(&t, q, una, &d);
    c->snd.una = una;
    check_told(&d, &e);
}

/** Segments begin at every multiple of seg_bytes: they are all whole unless wild. */
static void op_block(void)
{
    const uint32_t from = model_below(in_flight());
    const uint32_t len = model_chance(10) ? in_flight() : 1 + model_below(6 * seg_bytes);
    const uint32_t to = from + len < in_flight() ? from + len : in_flight();
    struct octet said[SPAN];
    struct expected e = {0};
    struct tern_delivered d = told();
    memcpy(said, twin, sizeof said);
    const uint32_t first = (from + seg_bytes - 1) / seg_bytes * seg_bytes;
    const uint32_t end = to == in_flight() ? to : to / seg_bytes * seg_bytes;
    for (uint32_t i = first; i < end; i++) {
        arrive(seq_at(i), &e);
        octet_at(seq_at(i))->is = SACKED;
    }
    if (is_wild) /* anything in the block may be marked, and nothing outside */
        for (uint32_t i = from; i < to; i++)
            octet_at(seq_at(i))->is = SACKED;
    tern_sent_sack(&t, q, seq_at(from), seq_at(to), &d);
    if (!is_wild && !was_refused)
        check_told(&d, &e);
}

static void op_lose(void)
{
    uint32_t x = q->oldest;
    for (uint32_t i = model_below(4); i > 0 && x != 0 && sents[x].newer != 0; i--)
        x = sents[x].newer;
    if (x == 0)
        return;
    twin_lose(sents[x].start, tern_seq_span(sents[x].start, sents[x].end));
    tern_sent_lose(&t, q, x);
}

static void op_lose_head(void)
{
    const struct tern_sent *s = &sents[q->first];
    if (condition_of(s) == OUTSTANDING) {
        const uint32_t len = tern_seq_span(s->start, s->end);
        twin_lose(s->start, len < seg_bytes ? len : seg_bytes);
    }
    tern_sent_lose_head(&t, q, seg_bytes);
}

static void op_lose_all(void)
{
    for (uint32_t i = 0; i < in_flight(); i++)
        octet_at(seq_at(i))->reported |= octet_at(seq_at(i))->is == SACKED;
    twin_lose(c->snd.una, in_flight());
    tern_sent_lose_all(&t, q);
}

static void op_find_again(void)
{
    for (uint32_t i = 0; i < in_flight(); i++)
        if (octet_at(seq_at(i))->is == LOST)
            octet_at(seq_at(i))->is = OUTSTANDING;
    tern_sent_find_again(&t, q);
    MODEL_CHECK(q->lost_first == 0);
}

/** As output does it: one segment after the other from the first that is lost. */
static void op_again(void)
{
    for (uint32_t n = 1 + model_below(5); n > 0 && q->lost_first != 0; n--) {
        const struct tern_sent *s = &sents[q->lost_first];
        const uint32_t len = tern_seq_span(s->start, s->end);
        const uint32_t now = len < seg_bytes ? len : seg_bytes;
        twin_send(s->start, now, true);
        tern_sent_again(&t, c, q, q->lost_first, now);
        MODEL_CHECK(sents[q->newest].pipe_bytes == tern_sent_pipe(c, q));
        if (was_refused)
            return;
    }
}

static void op_again_tail(void)
{
    const struct tern_sent *s = &sents[q->last];
    if (condition_of(s) != OUTSTANDING)
        return;
    const uint32_t len = tern_seq_span(s->start, s->end);
    const uint32_t n = (len - 1) % seg_bytes + 1;
    twin_send(tern_seq_add(s->end, 0u - n), n, true);
    tern_sent_again_tail(&t, c, q, n);
}

static void op_clear(void)
{
    tern_sent_clear(&t, q);
    c->snd.una = c->snd.nxt;
    MODEL_CHECK(q->n_sent == 0 && q->root == 0 && q->oldest == 0 && q->lost_first == 0);
}

static enum op random_op(void)
{
    static const uint8_t percent[] = {[NEW] = 30,
        [ACK] = 15,
        [BLOCK] = 25,
        [LOSE] = 8,
        [LOSE_HEAD] = 4,
        [LOSE_ALL] = 1,
        [FIND_AGAIN] = 1,
        [AGAIN] = 11,
        [AGAIN_TAIL] = 5};
    uint32_t dice = model_below(100);
    if (in_flight() == 0)
        return NEW;
    if (dice == 0 && model_chance(20))
        return CLEAR;
    uint32_t i = NEW;
    for (; dice >= percent[i]; i++)
        dice -= percent[i];
    return (enum op)i;
}

static void one_op(void)
{
    static void (*const does[])(void) = {[NEW] = op_new,
        [ACK] = op_ack,
        [BLOCK] = op_block,
        [LOSE] = op_lose,
        [LOSE_HEAD] = op_lose_head,
        [LOSE_ALL] = op_lose_all,
        [FIND_AGAIN] = op_find_again,
        [AGAIN] = op_again,
        [AGAIN_TAIL] = op_again_tail,
        [CLEAR] = op_clear};
    struct octet before[SPAN];
    memcpy(before, twin, sizeof before);
    if (model_chance(70))
        t.now_us += model_below(1000);
    q->recover = tern_seq_add(c->snd.nxt, SPAN); /* no timeout makes anything less original */
    op = random_op();
    first_order -= SPAN;
    was_refused = false;
    does[op]();
    compare(before);
}

static void run(uint64_t seed)
{
    t = (struct tern_tcp){.conns = conns, .txqs = txqs, .sents = sents};
    memset(twin, 0, sizeof twin);
    *q = (struct tern_txq){0};
    *c = (struct tern_conn){.txq = CONN, .flags = TERN_CF_SACK};
    first_order = last_order = UINT64_C(1) << 32;
    is_wild = seed % 2 == 0;
    seg_bytes = is_wild ? 1 + model_below(20) : 1u << model_below(5);
    c->snd.una.v = c->snd.nxt.v = 0u - model_below(1000) * 16; /* the wrap comes soon */
    t.now_us = 0u - model_below(10000000);
    n_unused = 0;
    for (uint32_t i = 1; i < RECORDS_MAX; i++)
        unused[n_unused++] = i;
    /* at most these: all, or from one to a dozen, or a hundred */
    n_kept = is_wild ? n_unused - model_below(seed % 4 == 0 ? 12 : 100) : 1;
    for (model_op = 0; model_op < N_OPS; model_op++)
        one_op();
    tern_sent_clear(&t, q);
    MODEL_CHECK(n_unused == RECORDS_MAX - 1);
}

int main(int argc, char **argv)
{
    return model_main(argc, argv, run);
}
