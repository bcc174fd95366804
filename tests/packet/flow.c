/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

/* See flow.h. The peer's timestamp clock runs at 1 ms from the start of the flow. */
#include <stdio.h>
#include <string.h>

enum { PEER_TS0 = 500000, NS_PER_MS = 1000000 };

static bool agreed(const struct flow *f, unsigned option)
{
    return f->in_sync && (f->peer_offers & f->tern_offers & option);
}

/* ---- options of the peer ---- */

struct opt_writer {
    uint8_t bytes[OPT_BYTES_MAX + 16];
    uint32_t n;
};

static void put(struct opt_writer *w, const uint8_t *bytes, uint32_t n)
{
    if (w->n + n <= OPT_BYTES_MAX) /* what does not fit is left out */
        memcpy(w->bytes + w->n, bytes, n);
    w->n += w->n + n <= OPT_BYTES_MAX ? n : 0;
}

static void put_u32(struct opt_writer *w, uint32_t v)
{
    put(w, (uint8_t[]){(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v}, 4);
}

static void put_nops(struct opt_writer *w, const struct segment *g)
{
    if (!(g->flags & SYN) && !g->opts.unaligned)
        put(w, (uint8_t[]){KIND_NOP, KIND_NOP}, 2);
}

static void put_ts(
    struct opt_writer *w, const struct flow *f, const struct segment *g, uint64_t now_ns)
{
    const struct options *o = &g->opts;
    const bool natural = !(o->has & HAS_TS);
    const uint32_t elapsed = (uint32_t)((now_ns - f->since_ns) / NS_PER_MS);
    const uint32_t val = natural || o->any_val ? elapsed : (uint32_t)o->ts_val.lo;
    const uint32_t last = f->has_ts0 ? f->tern_ts_last : 0;
    put_nops(w, g);
    put(w, (uint8_t[]){KIND_TS, 10}, 2);
    put_u32(w, PEER_TS0 + val);
    if (natural || o->any_ecr)
        put_u32(w, last);
    else
        put_u32(w, o->ts_ecr == ECR_NONE ? 0 : f->tern_ts0 + (uint32_t)o->ts_ecr);
}

static void put_sack(struct opt_writer *w, const struct flow *f, const struct segment *g)
{
    put_nops(w, g);
    put(w, (uint8_t[]){KIND_SACK, (uint8_t)(2 + 8 * g->opts.n_sack)}, 2);
    for (uint32_t i = 0; i < g->opts.n_sack; i++) {
        put_u32(w, f->irs + (uint32_t)g->opts.sack[i].left);
        put_u32(w, f->irs + (uint32_t)g->opts.sack[i].right);
    }
}

static void put_option(struct opt_writer *w, const struct flow *f, const struct segment *g,
    uint8_t kind, uint64_t now_ns)
{
    const struct options *o = &g->opts;
    switch (kind) {
    case KIND_EOL:
    case KIND_NOP: put(w, &kind, 1); break;
    case KIND_MSS:
        put(w, (uint8_t[]){KIND_MSS, 4, (uint8_t)(o->mss >> 8), (uint8_t)o->mss}, 4);
        break;
    case KIND_WS: put(w, (uint8_t[]){KIND_WS, 3, o->ws}, 3); break;
    case KIND_SACKOK: put(w, (uint8_t[]){KIND_SACKOK, 2}, 2); break;
    case KIND_SACK: put_sack(w, f, g); break;
    case KIND_TS: put_ts(w, f, g, now_ns); break;
    default: put(w, o->raw, o->n_raw); break;
    }
}

static void write_options(
    struct opt_writer *w, const struct flow *f, const struct segment *g, uint64_t now_ns)
{
    const bool ts_by_itself =
        agreed(f, HAS_TS) && !(g->opts.has & HAS_TS) && !g->opts.no_ts && !(g->flags & (SYN | RST));
    if (ts_by_itself)
        put_ts(w, f, g, now_ns);
    for (uint32_t i = 0; i < g->opts.n_order; i++)
        put_option(w, f, g, g->opts.order[i], now_ns);
}

/* ---- segments of the peer ---- */

static void note_peer_syn(struct flow *f, const struct segment *g)
{
    f->peer_offers = g->opts.has;
    if (f->tern_offers != 0 && (g->flags & ACK))
        f->in_sync = true;
}

size_t flow_build(
    struct flow *f, const struct ends *e, const struct segment *g, uint64_t now_ns, uint8_t *to)
{
    struct opt_writer w = {.n = 0};
    if ((g->flags & (SYN | RST)) == SYN && !f->in_sync)
        note_peer_syn(f, g);
    write_options(&w, f, g, now_ns);
    if (g->given & GIVEN_WIN)
        f->win = g->win;
    const struct wire_out p = {
        .v6 = e->v6,
        .src = e->peer,
        .dst = e->tern,
        .sport = f->peer_port,
        .dport = f->tern_port,
        .seq = f->iss + (uint32_t)g->seq,
        .ack = g->flags & ACK ? f->irs + (uint32_t)g->ack : 0,
        .flags = g->flags,
        .win = f->win,
        .urg = g->urg,
        .id = g->id,
        .ttl = g->ttl,
        .tos = g->tos,
        .opts = w.bytes,
        .n_opts = w.n,
        .len = g->len,
        .pattern_at = g->seq + !!(g->flags & SYN),
        .has_fill = g->has_fill,
        .fill = g->fill,
        .damage = &g->damage,
    };
    return wire_build(&p, to);
}

size_t flow_build_icmp(
    const struct flow *f, const struct ends *e, const struct icmp *icmp, uint8_t *to)
{
    static const struct damage none;
    uint8_t quoted[PACKET_BYTES_MAX];
    const struct wire_out p = {
        .v6 = e->v6,
        .src = icmp->wrong_addr ? e->second : e->tern,
        .dst = e->peer,
        .sport = (uint16_t)(f->tern_port + icmp->wrong_port),
        .dport = f->peer_port,
        .seq = f->irs + (uint32_t)icmp->seq,
        .flags = ACK,
        .len = icmp->len,
        .pattern_at = icmp->seq,
        .damage = &none,
    };
    const size_t n = wire_build(&p, quoted);
    return wire_build_icmp(icmp, e->v6, &e->peer, &e->tern, quoted, n, to);
}

/* ---- what tern says ---- */

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static const char *read_sack(const uint8_t *at, const struct flow *f, struct options *o)
{
    const uint8_t n = at[1];
    if ((n - 2) % 8 != 0 || n < 10 || n > 34)
        return "a SACK option is not 1..4 blocks long (RFC 2018 §3)";
    o->has |= HAS_SACK;
    for (o->n_sack = 0; 2 + 8 * o->n_sack < n; o->n_sack++) {
        const uint32_t left = get32(at + 2 + 8 * o->n_sack);
        const uint32_t right = get32(at + 6 + 8 * o->n_sack);
        o->sack[o->n_sack] = (struct block){(int32_t)(left - f->iss), (int32_t)(right - f->iss)};
    }
    return NULL;
}

static void read_other(const uint8_t *at, struct options *o)
{
    o->has |= HAS_OTHER;
    for (uint8_t i = 0; i < at[1] && o->n_raw < OPT_BYTES_MAX; i++)
        o->raw[o->n_raw++] = at[i];
}

/** One option that lies whole inside the header. @return what is wrong with it, or NULL */
static const char *read_option(const uint8_t *at, const struct flow *f, struct options *o)
{
    static const uint8_t length_of[9] = {
        [KIND_MSS] = 4, [KIND_WS] = 3, [KIND_SACKOK] = 2, [KIND_TS] = 10};
    const uint8_t kind = at[0];
    if (kind < sizeof length_of && length_of[kind] != 0 && length_of[kind] != at[1])
        return "an option has a length that is not its own (MUST-68)";
    switch (kind) {
    case KIND_MSS:
        o->has |= HAS_MSS;
        o->mss = (uint16_t)(at[2] << 8 | at[3]);
        break;
    case KIND_WS:
        o->has |= HAS_WS;
        o->ws = at[2];
        break;
    case KIND_SACKOK: o->has |= HAS_SACKOK; break;
    case KIND_TS:
        o->has |= HAS_TS;
        o->ts_val.lo = get32(at + 2);
        o->ts_ecr = get32(at + 6);
        break;
    case KIND_SACK: return read_sack(at, f, o);
    default: read_other(at, o);
    }
    return NULL;
}

static const char *read_options(const struct wire_in *in, const struct flow *f, struct options *o)
{
    uint32_t at = 0;
    while (at < in->n_opts && in->opts[at] != KIND_EOL) {
        if (in->opts[at] == KIND_NOP) {
            at++;
            continue;
        }
        if (at + 1 >= in->n_opts || in->opts[at + 1] < 2 || at + in->opts[at + 1] > in->n_opts)
            return "an option's length leads out of the header (MUST-68)";
        const char *wrong = read_option(in->opts + at, f, o);
        if (wrong != NULL)
            return wrong;
        at += in->opts[at + 1];
    }
    for (; at < in->n_opts; at++)
        if (in->opts[at] != 0)
            return "the header is not padded with zeros (MUST-69)";
    return NULL;
}

static void note_tern_syn(struct flow *f, const struct wire_in *in, const struct options *o)
{
    if (!f->has_irs)
        f->irs = in->seq;
    f->has_irs = true;
    f->tern_offers = o->has;
    if (f->tern_port == 0)
        f->tern_port = in->sport;
    if (f->peer_offers != 0 && (in->flags & ACK))
        f->in_sync = true;
    f->tern_ws = o->ws;
    f->has_edge = false;
}

static void relative_ts(struct flow *f, struct options *o)
{
    if (!(o->has & HAS_TS))
        return;
    if (!f->has_ts0)
        f->tern_ts0 = (uint32_t)o->ts_val.lo;
    f->has_ts0 = true;
    f->tern_ts_last = (uint32_t)o->ts_val.lo;
    o->ts_val.lo = o->ts_val.hi = (int32_t)(f->tern_ts_last - f->tern_ts0);
    o->ts_ecr = o->ts_ecr != 0 ? (int32_t)((uint32_t)o->ts_ecr - PEER_TS0) : ECR_NONE;
}

static const char *check_options(const struct flow *f, const struct segment *g)
{
    const unsigned has = g->opts.has;
    if (!(g->flags & SYN) && (has & (HAS_MSS | HAS_WS | HAS_SACKOK)))
        return "MSS, window scale and SACK-permitted belong on a SYN alone (MUST-65, RFC 7323 "
               "§2.2, RFC 2018 §2)";
    if (!f->has_irs || (g->flags & (SYN | RST)))
        return NULL;
    if ((has & HAS_SACK) && !agreed(f, HAS_SACKOK))
        return "SACK was not agreed on (RFC 2018 §4)";
    if ((has & HAS_TS) && !agreed(f, HAS_TS))
        return "timestamps were not agreed on (RFC 7323 §3.2)";
    if (!(has & HAS_TS) && agreed(f, HAS_TS))
        return "timestamps were agreed on and this has none (RFC 7323 §3.2)";
    return NULL;
}

/** SHLD-14. Scaled, the edge may seem to move by less than a unit (RFC 7323 §2.4). */
static const char *check_edge(struct flow *f, const struct wire_in *in)
{
    if ((in->flags & RST) || !(in->flags & ACK))
        return NULL;
    const uint8_t shift = !(in->flags & SYN) && agreed(f, HAS_WS) ? f->tern_ws : 0;
    const uint32_t edge = in->ack + ((uint32_t)in->win << shift);
    const uint32_t slack = (1u << shift) - 1;
    if (f->has_edge && (int32_t)(edge + slack - f->edge) < 0)
        return "the right edge of the window moved left (SHLD-14)";
    if (!f->has_edge || (int32_t)(edge - f->edge) > 0)
        f->edge = edge;
    f->has_edge = true;
    return NULL;
}

static const char *check_rest(
    const struct ends *e, const struct wire_in *in, size_t n, const struct segment *g)
{
    if (n > e->mtu_bytes)
        return "it is longer than the MTU";
    if (!(in->flags & URG) && in->urg != 0)
        return "the urgent pointer is set without URG";
    if ((in->flags & RST) && in->win != 0)
        return "a RST states a window";
    if (!(in->flags & (ACK | RST | SYN)))
        return "it has none of SYN, ACK and RST";
    for (uint32_t i = 0; i < in->len; i++)
        if (in->data[i] != wire_pattern(g->seq + !!(g->flags & SYN) + i))
            return "its payload is not what was written there";
    return NULL;
}

const char *flow_read(
    struct flow *f, const struct ends *e, const struct wire_in *in, size_t n, struct segment *g)
{
    *g = (struct segment){
        .given = GIVEN_ACK | GIVEN_WIN | GIVEN_URG | GIVEN_TTL | GIVEN_DF | GIVEN_ID,
        .flags = in->flags,
        .len = in->len,
        .win = in->win,
        .urg = in->urg,
        .id = in->id,
        .ttl = in->ttl,
        .tos = in->tos,
        .tos_mask = 0xff,
        .df = in->df,
    };
    const char *wrong = read_options(in, f, &g->opts);
    if ((in->flags & (SYN | RST)) == SYN)
        note_tern_syn(f, in, &g->opts);
    g->seq = (int32_t)(in->seq - f->irs);
    g->ack = in->flags & ACK ? (int32_t)(in->ack - f->iss) : 0;
    relative_ts(f, &g->opts);
    const char *const found[] = {
        wrong, check_options(f, g), check_edge(f, in), check_rest(e, in, n, g)};
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++)
        if (found[i] != NULL)
            return found[i];
    return NULL;
}
