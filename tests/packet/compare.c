/* SPDX-License-Identifier: BSD-3-Clause */
#include "compare.h"

#include <inttypes.h>
#include <string.h>

/* ---- showing ---- */

static void show_flags(FILE *to, uint8_t flags)
{
    static const char names[8][4] = {"SYN", "FIN", "RST", "PSH", "URG", "ECE", "CWR", "ACK"};
    static const uint8_t bits[8] = {SYN, FIN, RST, PSH, URG, ECE, CWR, ACK};
    const char *plus = "";
    for (int i = 0; i < 8; i++) {
        if (!(flags & bits[i]))
            continue;
        fprintf(to, "%s%s", plus, names[i]);
        plus = "+";
    }
    if (flags == 0)
        fprintf(to, "none");
}

static void show_span(FILE *to, struct span s)
{
    fprintf(to, " %" PRId64, s.lo);
    if (s.hi != s.lo)
        fprintf(to, "..%" PRId64, s.hi);
}

static void show_ts(FILE *to, const struct options *o)
{
    fprintf(to, " ts");
    if (!o->any_val)
        show_span(to, o->ts_val);
    if (o->any_ecr)
        return;
    if (o->ts_ecr == ECR_NONE)
        fprintf(to, " ecr none");
    else
        fprintf(to, " ecr %" PRId64, o->ts_ecr);
}

static void show_sack(FILE *to, const struct options *o)
{
    fprintf(to, " sack");
    for (uint32_t i = 0; i < o->n_sack; i++)
        fprintf(to, " %" PRId64 "..%" PRId64, o->sack[i].left, o->sack[i].right);
}

static void show_options(FILE *to, const struct options *o)
{
    if (o->has & HAS_MSS)
        fprintf(to, " mss %u", o->mss);
    if (o->has & HAS_SACKOK)
        fprintf(to, " sackok");
    if (o->has & HAS_TS)
        show_ts(to, o);
    if (o->has & HAS_WS)
        fprintf(to, " ws %u", o->ws);
    if (o->has & HAS_SACK)
        show_sack(to, o);
    if (o->has & HAS_OTHER)
        fprintf(to, " opt ");
    for (uint32_t i = 0; i < o->n_raw; i++)
        fprintf(to, "%02x", o->raw[i]);
    if (o->open)
        fprintf(to, " ...");
}

void segment_show(FILE *to, const struct segment *g)
{
    show_flags(to, g->flags);
    fprintf(to, " %" PRId64, g->seq);
    if (g->len > 0)
        fprintf(to, "..%" PRId64, g->seq + g->len);
    if ((g->given & GIVEN_ACK) && (g->flags & ACK))
        fprintf(to, " ack %" PRId64, g->ack);
    if (g->given & GIVEN_WIN)
        fprintf(to, " win %u", g->win);
    if ((g->given & GIVEN_URG) && (g->urg != 0 || (g->flags & URG)))
        fprintf(to, " urg %u", g->urg);
    show_options(to, &g->opts);
    if ((g->given & GIVEN_TTL) && g->ttl != 64)
        fprintf(to, " ttl %u", g->ttl);
    if (g->tos_mask != 0 && g->tos != 0)
        fprintf(to, " tos %u", g->tos);
}

/* ---- comparing ---- */

static bool options_differ(const struct segment *want, const struct segment *got)
{
    const unsigned uninvited = got->opts.has & ~want->opts.has & ~(unsigned)HAS_TS;
    if ((want->opts.has & ~got->opts.has) != 0)
        return true;
    if (want->opts.no_ts && (got->opts.has & HAS_TS))
        return true;
    const bool ts_too_many = (want->flags & SYN) && (got->opts.has & ~want->opts.has & HAS_TS) != 0;
    return !want->opts.open && (uninvited != 0 || ts_too_many);
}

static bool ts_differs(const struct options *want, const struct options *got)
{
    if (!(want->has & got->has & HAS_TS))
        return false;
    return (!want->any_val
               && (got->ts_val.lo < want->ts_val.lo || got->ts_val.lo > want->ts_val.hi))
           || (!want->any_ecr && want->ts_ecr != got->ts_ecr);
}

static bool sack_differs(const struct options *want, const struct options *got)
{
    if (!(want->has & got->has & HAS_SACK))
        return false;
    bool same = want->n_sack == got->n_sack;
    for (uint32_t i = 0; same && i < want->n_sack; i++)
        same = want->sack[i].left == got->sack[i].left && want->sack[i].right == got->sack[i].right;
    return !same;
}

static bool other_differs(const struct options *want, const struct options *got)
{
    if (!(want->has & got->has & HAS_OTHER))
        return false;
    return want->n_raw != got->n_raw || memcmp(want->raw, got->raw, want->n_raw) != 0;
}

static bool differs_where_both(unsigned given, unsigned has, unsigned bit, bool differs)
{
    return (given & has & bit) && differs;
}

void segment_differences(const struct segment *w, const struct segment *g, char *to, size_t cap)
{
    const struct options *wo = &w->opts, *go = &g->opts;
    const struct {
        bool differs;
        const char *name;
    } parts[] = {
        {w->flags != g->flags, "control bits"},
        {w->seq != g->seq, "sequence"},
        {w->len != g->len, "length"},
        {(w->flags & g->flags & ACK) && w->ack != g->ack, "ack"},
        {(w->given & GIVEN_WIN) && w->win != g->win, "win"},
        {(w->given & GIVEN_URG) && w->urg != g->urg, "urg"},
        {options_differ(w, g), "the set of options"},
        {differs_where_both(wo->has, go->has, HAS_MSS, wo->mss != go->mss), "mss"},
        {differs_where_both(wo->has, go->has, HAS_WS, wo->ws != go->ws), "ws"},
        {ts_differs(wo, go), "ts"},
        {sack_differs(wo, go), "sack"},
        {other_differs(wo, go), "opt"},
        {(w->given & GIVEN_TTL) && w->ttl != g->ttl, "ttl"},
        {((w->tos ^ g->tos) & w->tos_mask) != 0, "tos"},
        {(w->given & GIVEN_DF) && w->df != g->df, "df"},
        {(w->given & GIVEN_ID) && w->id != g->id, "id"},
    };
    size_t n = 0;
    to[0] = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i].differs && n < cap)
            n += (size_t)snprintf(to + n, cap - n, "%s%s", n > 0 ? ", " : "", parts[i].name);
}
