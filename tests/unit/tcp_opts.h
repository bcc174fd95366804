/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* TCP options as values, written and read by code that shares nothing with tern's. */
#include "wire_frames.h"

struct opts {
    bool has_mss, has_wscale, sack_ok, has_ts;
    uint16_t mss;
    uint8_t wscale;
    uint32_t ts_val, ts_ecr;
    uint8_t n_sack;
    uint32_t left[4], right[4]; /* SACK blocks, absolute */
    bool has_tfo;
    uint8_t n_tfo, tfo[16]; /* Fast Open cookie; n_tfo 0: the request for one */
};

static inline uint32_t opts_write(const struct opts *o, uint8_t *to)
{
    uint8_t *at = to;
    if (o->has_mss) {
        memcpy(at, (uint8_t[]){2, 4, (uint8_t)(o->mss >> 8), (uint8_t)o->mss}, 4);
        at += 4;
    }
    if (o->has_wscale) {
        memcpy(at, (uint8_t[]){3, 3, o->wscale, 1}, 4);
        at += 4;
    }
    if (o->sack_ok) {
        memcpy(at, (uint8_t[]){1, 1, 4, 2}, 4);
        at += 4;
    }
    if (o->has_ts) {
        memcpy(at, (uint8_t[]){1, 1, 8, 10}, 4);
        put32(at + 4, o->ts_val);
        put32(at + 8, o->ts_ecr);
        at += 12;
    }
    if (o->has_tfo) {
        memcpy(at, (uint8_t[]){1, 1, 34, (uint8_t)(2 + o->n_tfo)}, 4);
        memcpy(at + 4, o->tfo, o->n_tfo);
        at += 4 + o->n_tfo;
        for (; (at - to) % 4 != 0; at++)
            *at = 1;
    }
    if (o->n_sack > 0) {
        memcpy(at, (uint8_t[]){1, 1, 5, (uint8_t)(2 + 8 * o->n_sack)}, 4);
        at += 4;
        for (int i = 0; i < o->n_sack; i++, at += 8) {
            put32(at, o->left[i]);
            put32(at + 4, o->right[i]);
        }
    }
    return (uint32_t)(at - to);
}

static inline void read_sack(const uint8_t *at, uint8_t n_bytes, struct opts *o)
{
    assert_int_equal((n_bytes - 2) % 8, 0);
    o->n_sack = (uint8_t)((n_bytes - 2) / 8);
    assert_in_range(o->n_sack, 1, 4);
    for (int i = 0; i < o->n_sack; i++) {
        o->left[i] = get32(at + 2 + 8 * i);
        o->right[i] = get32(at + 6 + 8 * i);
    }
}

static inline void read_tfo(const uint8_t *at, struct opts *o)
{
    o->has_tfo = true;
    o->n_tfo = (uint8_t)(at[1] - 2);
    assert_in_range(o->n_tfo, 0, sizeof o->tfo);
    memcpy(o->tfo, at + 2, o->n_tfo);
}

/** Read what tern wrote; anything but well-formed known options fails the test (MUST-68, MUST-69).
 */
static inline struct opts opts_read(const uint8_t *at, uint32_t n)
{
    static const uint8_t length_of[9] = {[2] = 4, [3] = 3, [4] = 2, [8] = 10};
    struct opts o = {0};
    for (uint32_t i = 0; i < n; i += at[i] == 1 ? 1 : at[i + 1]) {
        if (at[i] == 1)
            continue;
        assert_true(i + 1 < n && i + at[i + 1] <= n);
        if (at[i] == 34) {
            read_tfo(at + i, &o);
            continue;
        }
        assert_in_range(at[i], 2, 8);
        if (at[i] != 5)
            assert_int_equal(at[i + 1], length_of[at[i]]);
        switch (at[i]) {
        case 2:
            o.has_mss = true;
            o.mss = (uint16_t)get16(at + i + 2);
            break;
        case 3:
            o.has_wscale = true;
            o.wscale = at[i + 2];
            break;
        case 4: o.sack_ok = true; break;
        case 5: read_sack(at + i, at[i + 1], &o); break;
        default:
            o.has_ts = true;
            o.ts_val = get32(at + i + 2);
            o.ts_ecr = get32(at + i + 6);
            break;
        }
    }
    return o;
}
