/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP options. The input is an options area (cut at 40 bytes); it is read by tern_tcp_opts_parse()
 * and by a reader of another form below, and both must agree on every field. What the builders then
 * write must read back as what was given to them.
 *
 * The second reader first lists the options (RFC 9293 §3.2) and then asks the list for each kind.
 */
#include "fuzz.h"
#include "wire/tcp_opt.h"

struct option {
    const uint8_t *body;
    uint32_t kind, n_body;
};

struct options {
    uint32_t n;
    bool malformed;
    struct option list[TERN_TCP_OPT_BYTES_MAX];
};

static void list_options(const uint8_t *area, uint32_t n, struct options *out)
{
    out->n = 0;
    out->malformed = false;
    for (uint32_t at = 0; at < n && area[at] != TERN_OPT_EOL;) {
        if (area[at] == TERN_OPT_NOP) {
            at++;
            continue;
        }
        if (at + 1 == n || area[at + 1] < 2 || at + area[at + 1] > n) { /* MUST-7 */
            out->malformed = true;
            return;
        }
        out->list[out->n++] = (struct option){area + at + 2, area[at], area[at + 1] - 2u};
        at += area[at + 1];
    }
}

static uint32_t number(const uint8_t *at, uint32_t n_bytes)
{
    uint32_t v = 0;
    while (n_bytes-- > 0)
        v = v << 8 | *at++;
    return v;
}

/** The first option of this kind and length, or NULL. */
static const uint8_t *first(const struct options *o, uint32_t kind, uint32_t n_body)
{
    for (uint32_t i = 0; i < o->n; i++)
        if (o->list[i].kind == kind && o->list[i].n_body == n_body)
            return o->list[i].body;
    return NULL;
}

static bool is_sound_sack(const struct option *o)
{
    const uint32_t n = o->n_body / 8;
    if (o->kind != TERN_OPT_SACK || o->n_body % 8 != 0 || n < 1 || n > 4)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (number(o->body + 8 * i, 4) - number(o->body + 8 * i + 4, 4) < UINT32_C(1) << 31)
            return false;
    return true;
}

static void check_sack(const struct options *list, const struct tern_tcp_opts *got)
{
    const struct option *sack = NULL;
    for (uint32_t i = 0; i < list->n && sack == NULL; i++)
        if (is_sound_sack(&list->list[i]))
            sack = &list->list[i];
    assert(!!(got->has & TERN_HAS_SACK) == (sack != NULL));
    assert(got->n_sack == (sack != NULL ? sack->n_body / 8 : 0));
    for (uint32_t i = 0; i < got->n_sack; i++) {
        assert(got->sack[i].left.v == number(sack->body + 8 * i, 4));
        assert(got->sack[i].right.v == number(sack->body + 8 * i + 4, 4));
    }
}

static void check_parse(const uint8_t *area, uint32_t n, const struct tern_tcp_opts *got)
{
    struct options list;
    list_options(area, n, &list);
    const uint8_t *mss = first(&list, TERN_OPT_MSS, 2);
    const uint8_t *shift = first(&list, TERN_OPT_WSCALE, 1);
    const uint8_t *ts = first(&list, TERN_OPT_TS, 8);
    const uint8_t *sack_ok = first(&list, TERN_OPT_SACK_OK, 0);

    assert(!!(got->has & TERN_HAS_MALFORMED) == list.malformed);
    assert(!!(got->has & TERN_HAS_MSS) == (mss != NULL));
    assert(!!(got->has & TERN_HAS_WSCALE) == (shift != NULL));
    assert(!!(got->has & TERN_HAS_TS) == (ts != NULL));
    assert(!!(got->has & TERN_HAS_SACK_OK) == (sack_ok != NULL));
    assert(got->mss == (mss != NULL ? number(mss, 2) : 0));
    const uint32_t asked = shift != NULL ? *shift : 0;
    assert(got->wscale == (asked > 14 ? 14 : asked)); /* RFC 7323 §2.3 */
    assert(got->ts_val == (ts != NULL ? number(ts, 4) : 0));
    assert(got->ts_ecr == (ts != NULL ? number(ts + 4, 4) : 0));
    check_sack(&list, got);
}

/** What a SYN states reads back; its options do not overlap and fill whole words. */
static void check_build_syn(const struct tern_tcp_opts *o)
{
    const uint8_t in_syn = TERN_HAS_MSS | TERN_HAS_WSCALE | TERN_HAS_SACK_OK | TERN_HAS_TS;
    uint8_t *buf = exact_copy((uint8_t[TERN_TCP_OPT_BYTES_MAX]){0}, TERN_TCP_OPT_BYTES_MAX);
    const uint32_t n = tern_tcp_opts_build_syn(o, buf);
    struct tern_tcp_opts back;
    assert(n % 4 == 0 && n <= TERN_TCP_OPT_BYTES_MAX);
    tern_tcp_opts_parse(buf, n, &back);
    assert(back.has == (o->has & in_syn));
    assert(back.mss == o->mss && back.wscale == o->wscale);
    assert(back.ts_val == o->ts_val && back.ts_ecr == o->ts_ecr);
    free(buf);
}

static void check_build(const struct tern_tcp_opts *o)
{
    uint8_t *buf = exact_copy((uint8_t[TERN_TCP_OPT_BYTES_MAX]){0}, TERN_TCP_OPT_BYTES_MAX);
    const uint32_t n = tern_tcp_opts_build(o, buf);
    struct tern_tcp_opts back;
    assert(n % 4 == 0 && n <= TERN_TCP_OPT_BYTES_MAX);
    tern_tcp_opts_parse(buf, n, &back);
    assert(back.has == (o->has & (TERN_HAS_TS | TERN_HAS_SACK)));
    assert(back.ts_val == o->ts_val && back.ts_ecr == o->ts_ecr);
    const uint32_t fit = o->has & TERN_HAS_TS ? 3 : 4; /* RFC 2018 §3 */
    assert(back.n_sack == (o->n_sack < fit ? o->n_sack : fit));
    for (uint32_t i = 0; i < back.n_sack; i++) {
        assert(back.sack[i].left.v == o->sack[i].left.v);
        assert(back.sack[i].right.v == o->sack[i].right.v);
    }
    free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint32_t n = size < TERN_TCP_OPT_BYTES_MAX ? (uint32_t)size : TERN_TCP_OPT_BYTES_MAX;
    uint8_t *area = exact_copy(data, n);
    struct tern_tcp_opts got;
    tern_tcp_opts_parse(area, n, &got);
    check_parse(area, n, &got);
    check_build_syn(&got);
    check_build(&got);
    free(area);
    return 0;
}
