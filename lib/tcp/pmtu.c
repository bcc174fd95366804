/* SPDX-License-Identifier: BSD-3-Clause */
#include "pmtu.h"

/*
 * A connection starts with the segments that the SYNs agreed on. Two things make them smaller:
 *
 *   a router's word   is taken at once while no segment of the present size was acknowledged
 *                     (TERN_FULL_ARRIVED). Later it is a claim that waits: it is acted on if what
 *                     it quotes is the first thing missing at a timeout, and gone if that arrives.
 *                     So made-up messages cost nothing while data gets through (RFC 5927 §7.2), and
 *                     a true one is not taken for congestion.
 *   a black hole      the second timeout in a row of a segment larger than BASE leads to BASE (the
 *                     fourth, where that size had once arrived: then it is more likely loss), and
 *                     one after the fourth, on IPv4, to the floor (RFC 4821 §7.7, RFC 8899 §4.3).
 *                     If the path was merely down, the first probe, of the old size, puts
 *                     everything back.
 *
 * They grow again by probes alone: one segment of new data that is larger than the others, with
 * PROBE_ESCORT ordinary ones behind it, so that SACK and no timeout tells of its loss. If it
 * arrives, its size is the size from then on. Its loss is no congestion (RFC 4821 §7.5): it goes
 * again in ordinary segments, and PROBE_TRIES losses make the size too big. The search tries the
 * largest size first, then the middle of what is left, down to PROBE_GAP. It begins as soon as data
 * flows out of a black hole, and 10 min after a router's word or the end of the last search.
 *
 * The memory of it is part of a tern_rare. Where none is left, sizes only fall. Without SACK, and
 * with TERN_PLPMTUD_OFF, nothing is probed: the old size returns after 10 min (RFC 1191 §6.3).
 */
#include "flight.h"
#include "host.h"

enum {
    BASE_MTU = 1280,         /* RFC 8899 §5.1.2; RFC 8200 §5 */
    BLACK_HOLE_TIMEOUTS = 2, /* in a row, until BASE; as many again until the floor */
    PROBE_TRIES = 2,
    PROBE_MS = 15000, /* until one is given up on (RFC 8899 §5.1.1 PROBE_TIMER) */
    PROBE_ESCORT = 3,
    PROBE_GAP = 8,        /* bytes; a finer answer is not worth a probe */
    RAISE_MS = 600000,    /* RFC 1191 §6.3; RFC 8899 §5.1.1 PMTU_RAISE_TIMER */
    TOO_BIG_MTU_MIN = 68, /* RFC 791 */
};

/** RFC 1191 §7.1, for routers that name no MTU. */
static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68};

static uint32_t headers_of(const struct tern_conn *c)
{
    return (c->flags & TERN_CF_V6 ? TERN_IP6_BYTES : TERN_IP4_BYTES) + TERN_TCP_BYTES;
}

static uint32_t floor_of(const struct tern_conn *c)
{
    return (c->flags & TERN_CF_V6 ? TERN_PMTU_MIN6 : TERN_PMTU_MIN4) - headers_of(c);
}

static uint32_t base_of(const struct tern_conn *c)
{
    return BASE_MTU - headers_of(c);
}

static struct tern_pmtu *memory_of(const struct tern_tcp *t, const struct tern_conn *c)
{
    struct tern_rare *r = tern_conn_rare(t, c);
    return r != NULL ? &r->pmtu : NULL;
}

/** The size above which there is nothing to gain. */
static uint32_t full_size(const struct tern_tcp *t, const struct tern_conn *c)
{
    const struct tern_rare *r = tern_conn_rare(t, c);
    const uint16_t full = r->pmtu.full;
    return r->mss_max != 0 && r->mss_max < full ? r->mss_max : full;
}

/** The loss of a probe is told apart by SACK alone. */
static bool can_probe(const struct tern_tcp *t, const struct tern_conn *c)
{
    return (c->flags & TERN_CF_SACK) && t->cfg.plpmtud != TERN_PLPMTUD_OFF;
}

/** Nothing is put off for longer than RAISE_MS: what seems further ahead is half a circle past. */
static bool is_past(const struct tern_tcp *t, uint32_t ms)
{
    const uint32_t ahead_ms = ms - t->now_ms;
    return ahead_ms == 0 || ahead_ms > RAISE_MS;
}

/* ---- down ---- */

/** Segments of at most `size` from here on. @return the memory, NULL: none is left */
static struct tern_pmtu *lower(struct tern_tcp *t, struct tern_conn *c, uint32_t size)
{
    struct tern_rare *r = tern_conn_rare_need(t, c);
    if (r != NULL) {
        const uint16_t full = r->pmtu.full != 0 ? r->pmtu.full : c->mss_bytes;
        r->pmtu = (struct tern_pmtu){.full = full};
    }
    c->mss_bytes = (uint16_t)size;
    c->slow &= (uint8_t)~TERN_FULL_ARRIVED;
    return r != NULL ? &r->pmtu : NULL;
}

/** Search anew from `at_ms` on. */
static void search_from(struct tern_pmtu *p, uint32_t at_ms)
{
    p->bad = 0;
    p->tries = 0;
    p->told = false;
    p->next_ms = at_ms;
}

static void lower_as_told(struct tern_tcp *t, struct tern_conn *c, uint32_t size)
{
    t->stats.pmtu_lowered++;
    struct tern_pmtu *p = lower(t, c, size);
    if (p != NULL)
        search_from(p, t->now_ms + RAISE_MS); /* (1191-3) */
}

/* ---- what routers say ---- */

/** The largest plateau below what the packet had (RFC 1191 §5) (1191-4). */
static uint32_t plateau_below(uint32_t n_bytes)
{
    size_t i = 0;
    while (plateaus[i] >= n_bytes && plateaus[i] > TOO_BIG_MTU_MIN)
        i++;
    return plateaus[i];
}

/** The segment that fits into what the router says; 0: it says nothing to be believed. */
static uint32_t size_told(const struct tern_conn *c, uint32_t mtu, uint32_t quoted_bytes)
{
    const bool v6 = c->flags & TERN_CF_V6;
    if (v6 && mtu < TERN_PMTU_MIN6)
        return 0; /* RFC 8201 §4 (8201-1, V147) */
    if (mtu == 0)
        mtu = plateau_below(RTE_MIN(quoted_bytes, c->mss_bytes + headers_of(c)));
    return RTE_MAX(mtu, floor_of(c) + headers_of(c)) - headers_of(c); /* (1191-2, V162) */
}

/** Remember it with the stretch that it is about, and with which it goes. Of two that wait the
 * larger is kept: if it is true and too large still, another message will follow. */
static enum tern_drop keep_claim(struct tern_sent *s, uint32_t size)
{
    if (s == NULL || (s->flags & TERN_SENT_SACKED))
        return TERN_DROP_ICMP_STALE;
    s->claim = (uint16_t)RTE_MAX(size, s->claim);
    return TERN_DROP_ICMP_DONE;
}

enum tern_drop tern_pmtu_too_big(struct tern_tcp *t, struct tern_conn *c, struct tern_seq seq,
    uint32_t mtu, uint32_t quoted_bytes)
{
    const uint32_t size = size_told(c, mtu, quoted_bytes);
    if (!tern_conn_unfold(t, c))
        return TERN_DROP_NO_MBUF;
    const struct tern_txq *q = tern_conn_txq(t, c);
    struct tern_sent *s = q != NULL ? tern_sent_at(t, q, seq) : NULL;
    struct tern_pmtu *p = memory_of(t, c);
    if (p != NULL && s != NULL && (s->flags & TERN_SENT_PROBE) && size >= c->mss_bytes
        && size < p->probe) {
        p->bad = (uint16_t)(size + 1); /* the next is of the size named (RFC 8899 §4.6.2) */
        p->told = true;
        return TERN_DROP_ICMP_DONE;
    }
    if (size == 0 || size >= c->mss_bytes)
        return TERN_DROP_ICMP_STALE; /* only ever smaller: RFC 8201 §4 (8201-2) */
    if (c->slow & TERN_FULL_ARRIVED)
        return keep_claim(s, size); /* (5927-4) */
    lower_as_told(t, c, size);
    if (c->snd.una.v != c->snd.nxt.v)
        tern_conn_resend(t, c); /* at once and in the new size (1191-1, 8201-3) */
    return TERN_DROP_ICMP_DONE;
}

/* ---- timeouts ---- */

/** The first segment in flight is larger than `size`. */
static bool is_larger(
    const struct tern_tcp *t, const struct tern_conn *c, const struct tern_txq *q, uint32_t size)
{
    const struct tern_sent *s = &t->sents[q->first];
    const uint32_t options = c->mss_bytes - tern_conn_payload_max(t, c);
    return RTE_MIN(tern_seq_span(s->start, s->end), (uint32_t)s->seg_bytes) + options > size;
}

static void escape_black_hole(struct tern_tcp *t, struct tern_conn *c, const struct tern_txq *q)
{
    /* Doublings outlive what ended the silence (Karn): only timeouts in a row tell of a hole. */
    const uint32_t timeouts = RTE_MIN(c->backoff & 0xfu, (unsigned)c->backoff >> 4);
    const bool is_base = c->mss_bytes <= base_of(c);
    const uint32_t size = timeouts >= 2 * BLACK_HOLE_TIMEOUTS && is_base ? floor_of(c) : base_of(c);
    /* A path that took this size may have changed, but more likely it just loses. */
    const bool took_it = c->slow & TERN_FULL_ARRIVED;
    const uint32_t enough = took_it ? 2 * BLACK_HOLE_TIMEOUTS : BLACK_HOLE_TIMEOUTS;
    if (timeouts < enough || size >= c->mss_bytes || !is_larger(t, c, q, size))
        return;
    t->stats.pmtu_black_holes++;
    struct tern_pmtu *p = lower(t, c, size);
    if (p != NULL)
        search_from(p, t->now_ms + (can_probe(t, c) ? 0 : RAISE_MS));
}

bool tern_pmtu_expired(struct tern_tcp *t, struct tern_conn *c, const struct tern_txq *q)
{
    struct tern_pmtu *p = memory_of(t, c);
    if (p != NULL && p->probe != 0) { /* that tells nothing of the probe (RFC 4821 §7.6.4) */
        p->probe = 0;
        p->next_ms = t->now_ms + tern_conn_rto_ms(t, c);
    }
    const uint32_t claim = t->sents[q->first].claim;
    if (claim != 0 && claim < c->mss_bytes) {
        lower_as_told(t, c, claim);
        return true;
    }
    if (t->cfg.plpmtud != TERN_PLPMTUD_OFF)
        escape_black_hole(t, c, q);
    return false;
}

/* ---- up ---- */

void tern_pmtu_open(struct tern_tcp *t, struct tern_conn *c)
{
    if (t->cfg.plpmtud != TERN_PLPMTUD_ALWAYS || c->mss_bytes <= base_of(c))
        return;
    if (tern_conn_rare_need(t, c) == NULL)
        return; /* what starts small would stay so */
    search_from(lower(t, c, base_of(c)), t->now_ms);
}

/** The size to try, 0: the search has come to its end. */
static uint32_t next_size(const struct tern_tcp *t, const struct tern_conn *c)
{
    const struct tern_pmtu *p = memory_of(t, c);
    const uint32_t full = full_size(t, c);
    if (p->bad == 0 || p->bad > full)
        return full;
    if (p->bad - c->mss_bytes <= PROBE_GAP)
        return 0;
    return p->told ? p->bad - 1u : (c->mss_bytes + p->bad) / 2u;
}

uint32_t tern_pmtu_probe_size(
    struct tern_tcp *t, struct tern_conn *c, const struct tern_txq *q, uint32_t room)
{
    struct tern_pmtu *p = memory_of(t, c);
    if (p == NULL || p->full == 0 || !is_past(t, p->next_ms))
        return 0;
    p->probe = 0; /* if one is still out, its fate will not be learnt any more */
    if (c->mss_bytes >= full_size(t, c))
        return 0;
    if (!can_probe(t, c)) { /* RFC 1191 §6.3: the old size, and see */
        c->mss_bytes = (uint16_t)full_size(t, c);
        c->slow &= (uint8_t)~TERN_FULL_ARRIVED;
        return 0;
    }
    const uint16_t busy = TERN_TXQ_FAST | TERN_TXQ_RTO;
    if ((q->flags & busy) || q->lost_bytes != 0 || c->backoff != 0)
        return 0;
    const uint32_t size = next_size(t, c);
    if (size == 0) {
        search_from(p, t->now_ms + RAISE_MS);
        return 0;
    }
    return room >= size + PROBE_ESCORT * (uint32_t)c->mss_bytes ? size : 0;
}

void tern_pmtu_probe_sent(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, uint32_t size, uint32_t payload)
{
    struct tern_sent *s = &t->sents[q->last];
    struct tern_pmtu *p = memory_of(t, c);
    t->stats.pmtu_probes++;
    p->next_ms = t->now_ms + PROBE_MS;
    if (tern_seq_span(s->start, s->end) != payload || s->seg_bytes != payload)
        return; /* no record of its own: its fate cannot be told */
    s->flags |= TERN_SENT_PROBE;
    p->probe = (uint16_t)size;
}

void tern_pmtu_probe_arrived(struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_pmtu *p = memory_of(t, c);
    if (p == NULL || p->probe == 0)
        return;
    t->stats.pmtu_raised++;
    c->mss_bytes = p->probe;
    c->slow |= TERN_FULL_ARRIVED;
    p->probe = 0;
    p->tries = 0;
    p->told = false;
    p->next_ms = t->now_ms;
}

void tern_pmtu_probe_lost(struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_pmtu *p = memory_of(t, c);
    tern_conn_touch(t, c); /* it goes again */
    if (p == NULL || p->probe == 0)
        return;
    p->next_ms = t->now_ms + tern_conn_rto_ms(t, c);
    if (p->bad != 0 && p->bad <= p->probe) { /* a router has told why */
        p->next_ms = t->now_ms;
        p->tries = 0;
    } else if (++p->tries >= PROBE_TRIES) {
        p->bad = p->probe;
        p->told = false;
        p->tries = 0;
    }
    p->probe = 0;
}
