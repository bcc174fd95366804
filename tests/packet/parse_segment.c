/* SPDX-License-Identifier: BSD-3-Clause */
#include "parse.h"

/*
 * A segment as a script writes it:
 *
 *     ACK 1..1001 ack 1 win 4096 sack 2001..3001 ttl 64
 *
 * Control bits, where it lies, then fields in any order. Each field is a line of a table: its word
 * and the function that reads what follows it. The table is also what a complaint lists.
 */
#include <stdio.h>
#include <string.h>

enum { SEQ_MAX = INT32_MAX };

/* ---- header fields ---- */

static void field_ack(struct words *w, struct segment *g)
{
    g->ack = words_number(w, "ack", -SEQ_MAX, UINT32_MAX);
    g->given |= GIVEN_ACK;
}

static void field_win(struct words *w, struct segment *g)
{
    g->win = (uint16_t)words_number(w, "win", 0, UINT16_MAX);
    g->given |= GIVEN_WIN;
}

static void field_urg(struct words *w, struct segment *g)
{
    g->urg = (uint16_t)words_number(w, "urg", 0, UINT16_MAX);
    g->given |= GIVEN_URG;
}

static void field_by(struct words *w, struct segment *g)
{
    g->by = (uint32_t)words_number(w, "by", 1, UINT16_MAX);
    g->given |= GIVEN_BY;
}

static void field_gap(struct words *w, struct segment *g)
{
    g->gap = (uint32_t)words_number(w, "gap", 1, UINT16_MAX);
}

static void field_ttl(struct words *w, struct segment *g)
{
    g->ttl = (uint8_t)words_number(w, "ttl", 0, UINT8_MAX);
    g->given |= GIVEN_TTL;
}

static void field_tos(struct words *w, struct segment *g)
{
    g->tos = (uint8_t)words_number(w, "tos", 0, UINT8_MAX);
    g->tos_mask = 0xff;
}

static void field_dscp(struct words *w, struct segment *g)
{
    g->tos = (uint8_t)((g->tos & 3) | words_number(w, "dscp", 0, 63) << 2);
    g->tos_mask |= 0xfc;
}

static void field_ecn(struct words *w, struct segment *g)
{
    g->tos = (uint8_t)((g->tos & 0xfc) | words_number(w, "ecn", 0, 3));
    g->tos_mask |= 3;
}

static void field_df(struct words *w, struct segment *g)
{
    (void)w;
    g->df = true;
    g->given |= GIVEN_DF;
}

static void field_id(struct words *w, struct segment *g)
{
    g->id = (uint16_t)words_number(w, "id", 0, UINT16_MAX);
    g->given |= GIVEN_ID;
}

static void field_fill(struct words *w, struct segment *g)
{
    g->fill = (uint8_t)words_number(w, "fill", 0, UINT8_MAX);
    g->has_fill = true;
}

/* ---- options ---- */

static void order_add(struct segment *g, uint8_t kind)
{
    if (g->opts.n_order < OPT_BYTES_MAX)
        g->opts.order[g->opts.n_order++] = kind;
}

static void field_mss(struct words *w, struct segment *g)
{
    order_add(g, KIND_MSS);
    g->opts.has |= HAS_MSS;
    if (words_accept(w, "own"))
        g->opts.mss = (uint16_t)script_own_mss(w->s);
    else
        g->opts.mss = (uint16_t)words_number(w, "mss", 0, UINT16_MAX);
}

static void field_ws(struct words *w, struct segment *g)
{
    order_add(g, KIND_WS);
    g->opts.has |= HAS_WS;
    g->opts.ws = (uint8_t)words_number(w, "ws", 0, UINT8_MAX);
}

static void field_sackok(struct words *w, struct segment *g)
{
    (void)w;
    order_add(g, KIND_SACKOK);
    g->opts.has |= HAS_SACKOK;
}

static void field_ts(struct words *w, struct segment *g)
{
    const char next = *words_peek(w);
    order_add(g, KIND_TS);
    g->opts.has |= HAS_TS;
    g->opts.any_val = words_accept(w, "any") || ((next < '0' || next > '9') && next != '-');
    if (!g->opts.any_val)
        g->opts.ts_val = words_span(w, "ts");
    g->opts.any_ecr = !words_accept(w, "ecr") || words_accept(w, "any");
    if (!g->opts.any_ecr && words_accept(w, "none"))
        g->opts.ts_ecr = ECR_NONE;
    else if (!g->opts.any_ecr)
        g->opts.ts_ecr = words_number(w, "ecr", INT64_MIN / 2, INT64_MAX / 2);
}

static bool is_block(const char *word)
{
    return (*word >= '0' && *word <= '9' && strstr(word, "..") != NULL) || *word == '-';
}

static void field_sack(struct words *w, struct segment *g)
{
    order_add(g, KIND_SACK);
    g->opts.has |= HAS_SACK;
    if (!is_block(words_peek(w)))
        words_fail(w, words_peek(w), "sack wants 1..4 blocks A..B");
    while (is_block(words_peek(w)) && g->opts.n_sack < SACK_BLOCKS_MAX) {
        const struct span s = words_span(w, "sack");
        g->opts.sack[g->opts.n_sack++] = (struct block){s.lo, s.hi};
    }
}

static void field_opt(struct words *w, struct segment *g)
{
    order_add(g, KIND_RAW);
    g->opts.has |= HAS_OTHER;
    g->opts.n_raw = (uint8_t)words_hex(w, g->opts.raw, OPT_BYTES_MAX);
}

static void field_nop(struct words *w, struct segment *g)
{
    (void)w;
    order_add(g, KIND_NOP);
}

static void field_eol(struct words *w, struct segment *g)
{
    (void)w;
    order_add(g, KIND_EOL);
}

static void field_nots(struct words *w, struct segment *g)
{
    (void)w;
    g->opts.no_ts = true;
}

static void field_unaligned(struct words *w, struct segment *g)
{
    (void)w;
    g->opts.unaligned = true;
}

static void field_open(struct words *w, struct segment *g)
{
    (void)w;
    g->opts.open = true;
}

/* ---- damage ---- */

static void field_badsum(struct words *w, struct segment *g)
{
    (void)w;
    g->damage.tcp_sum = true;
}

static void field_badipsum(struct words *w, struct segment *g)
{
    (void)w;
    g->damage.ip_sum = true;
}

static void field_doff(struct words *w, struct segment *g)
{
    g->damage.has_doff = true;
    g->damage.doff_words = (uint8_t)words_number(w, "doff", 0, 15);
}

static void field_iplen(struct words *w, struct segment *g)
{
    g->damage.ip_len_off = (int)words_number(w, "iplen", -2000, 2000);
}

static void field_cut(struct words *w, struct segment *g)
{
    g->damage.cut_bytes = (uint16_t)words_number(w, "cut", 1, 2000);
}

static void field_sport(struct words *w, struct segment *g)
{
    g->damage.has_sport = true;
    g->damage.sport = (uint16_t)words_number(w, "sport", 0, UINT16_MAX);
}

static void field_dport(struct words *w, struct segment *g)
{
    g->damage.has_dport = true;
    g->damage.dport = (uint16_t)words_number(w, "dport", 0, UINT16_MAX);
}

static void read_addr(struct words *w, union tern_addr *to)
{
    const char *word = words_take(w);
    if (tern_addr_parse(word, to) != 0 || tern_addr_is_v4(to) == w->s->v6)
        words_fail(w, word, "wants an IPv%d address", w->s->v6 ? 6 : 4);
}

static void field_src(struct words *w, struct segment *g)
{
    g->damage.has_src = true;
    read_addr(w, &g->damage.src);
}

static void field_dst(struct words *w, struct segment *g)
{
    g->damage.has_dst = true;
    read_addr(w, &g->damage.dst);
}

static void field_ipopt(struct words *w, struct segment *g)
{
    g->damage.n_ip_opts = (uint8_t)words_hex(w, g->damage.ip_opts, OPT_BYTES_MAX);
    if (g->damage.n_ip_opts % 4 != 0)
        words_fail(w, "ipopt", "wants a multiple of 4 bytes");
}

/* ---- the table ---- */

static const struct field {
    const char *word;
    void (*read)(struct words *w, struct segment *g);
} fields[] = {
    {"ack", field_ack},
    {"win", field_win},
    {"urg", field_urg},
    {"by", field_by},
    {"gap", field_gap},
    {"mss", field_mss},
    {"ws", field_ws},
    {"sackok", field_sackok},
    {"ts", field_ts},
    {"nots", field_nots},
    {"sack", field_sack},
    {"opt", field_opt},
    {"nop", field_nop},
    {"eol", field_eol},
    {"unaligned", field_unaligned},
    {"...", field_open},
    {"ttl", field_ttl},
    {"tos", field_tos},
    {"dscp", field_dscp},
    {"ecn", field_ecn},
    {"df", field_df},
    {"id", field_id},
    {"fill", field_fill},
    {"badsum", field_badsum},
    {"badipsum", field_badipsum},
    {"doff", field_doff},
    {"iplen", field_iplen},
    {"cut", field_cut},
    {"sport", field_sport},
    {"dport", field_dport},
    {"src", field_src},
    {"dst", field_dst},
    {"ipopt", field_ipopt},
};

enum { FIELDS = sizeof fields / sizeof fields[0] };

static void fail_unknown(struct words *w, const char *word)
{
    char list[LINE_BYTES] = "";
    size_t n = 0;
    for (size_t i = 0; i < FIELDS; i++)
        n += (size_t)snprintf(list + n, sizeof list - n, " %s", fields[i].word);
    words_fail(w, word, "no field of a segment; there are%s", list);
}

static void parse_field(struct words *w, struct segment *g)
{
    const char *word = words_take(w);
    for (size_t i = 0; i < FIELDS; i++)
        if (strcmp(word, fields[i].word) == 0) {
            fields[i].read(w, g);
            return;
        }
    fail_unknown(w, word);
}

void parse_segment(struct words *w, struct segment *g)
{
    const char *word = words_take(w);
    if (!words_is_flags(word, &g->flags))
        words_fail(w, word,
            "a segment starts with its control bits: FIN SYN RST PSH ACK URG ECE CWR joined by +, "
            "or none");
    const struct span s = words_span(w, "the sequence");
    g->seq = s.lo;
    g->len = (uint32_t)(s.hi - s.lo);
    while (words_left(w))
        parse_field(w, g);
    if ((g->flags & ACK) && !(g->given & GIVEN_ACK))
        words_fail(w, "ACK", "what it acknowledges is missing: add ack N");
    if (!(g->flags & ACK) && (g->given & GIVEN_ACK) && g->ack != 0)
        words_fail(w, "ack", "without ACK among the control bits there is none");
}

/* ---- ICMP ---- */

static void icmp_field(struct words *w, struct icmp *icmp)
{
    if (words_accept(w, "quoting")) {
        const struct span s = words_span(w, "quoting");
        icmp->seq = s.lo;
        icmp->len = (uint32_t)(s.hi - s.lo);
    } else if (words_accept(w, "mtu")) {
        icmp->mtu = (uint32_t)words_number(w, "mtu", 0, UINT32_MAX);
    } else if (words_accept(w, "badsum")) {
        icmp->bad_sum = true;
    } else if (words_accept(w, "wrongport")) {
        icmp->wrong_port = true;
    } else if (words_accept(w, "wrongaddr")) {
        icmp->wrong_addr = true;
    } else {
        words_fail(w, words_peek(w),
            "there are quoting SEQ[..END], mtu N, badsum, wrongport, "
            "wrongaddr");
    }
}

void parse_icmp(struct words *w, struct icmp *icmp)
{
    static const char *const names[ICMP_KINDS] = {
        [ICMP_NET_UNREACHABLE] = "net-unreachable",
        [ICMP_HOST_UNREACHABLE] = "host-unreachable",
        [ICMP_PROTO_UNREACHABLE] = "proto-unreachable",
        [ICMP_PORT_UNREACHABLE] = "port-unreachable",
        [ICMP_PROHIBITED] = "prohibited",
        [ICMP_TOO_BIG] = "too-big",
        [ICMP_TIME_EXCEEDED] = "time-exceeded",
        [ICMP_PARAMETER] = "parameter",
        [ICMP_QUENCH] = "quench",
    };
    const char *word = words_take(w);
    int kind = 0;
    while (kind < ICMP_KINDS && strcmp(word, names[kind]) != 0)
        kind++;
    if (kind == ICMP_KINDS)
        words_fail(w, word,
            "there are net-unreachable host-unreachable proto-unreachable port-unreachable "
            "prohibited too-big time-exceeded parameter quench");
    icmp->kind = (enum icmp_kind)kind;
    while (words_left(w))
        icmp_field(w, icmp);
}
