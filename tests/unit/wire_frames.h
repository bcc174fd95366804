/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Frames for the tests of wire/, built byte by byte and summed the slow way: nothing here calls the
 * code under test. A frame grows at its end; frame_seal() then fills in lengths and checksums, and
 * a test breaks what it wants to see refused afterwards.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// clang-format off
#include <setjmp.h> /* these three first: cmocka.h does not include what it needs */
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on

#include <tern/drop.h>

struct frame {
    uint8_t b[4096];
    uint32_t n;
    uint32_t l3, l4; /* offsets */
    uint8_t proto;   /* of l4 */
    bool v6;
};

static const uint8_t my_mac[6] = {0x02, 0, 0, 0, 0, 0x01};
static const uint8_t peer_mac[6] = {0x02, 0, 0, 0, 0, 0x02};
static const uint8_t my_ip4[4] = {192, 0, 2, 1};
static const uint8_t peer_ip4[4] = {198, 51, 100, 7};
static const uint8_t my_ip6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
static const uint8_t peer_ip6[16] = {0x20, 0x01, 0x0d, 0xb8, [14] = 0xff, [15] = 2};

/* ---- the slow way ---- */

static inline uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] * 256u + p[1];
}

static inline uint32_t get32(const uint8_t *p)
{
    return get16(p) * 65536u + get16(p + 2);
}

static inline void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

/* One's complement sum of big-endian words, byte by byte, the carry brought round at every step. */
static inline uint32_t slow_sum(uint32_t sum, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
        if (sum > 0xffff)
            sum -= 0xffff;
    }
    return sum;
}

/* Sum of the L4 bytes and, but for ICMP, their pseudo-header: 0xffff when the checksum is right. */
static inline uint32_t slow_l4_sum(const struct frame *f, uint32_t l4_bytes)
{
    uint32_t sum = 0;
    if (f->proto != 1) {
        uint8_t end[8] = {0};
        put32(end, l4_bytes);
        end[7] = f->proto;
        const uint32_t at = f->v6 ? 8 : 12;
        sum = slow_sum(sum, f->b + f->l3 + at, f->v6 ? 32 : 8);
        sum = slow_sum(sum, end, sizeof end);
    }
    return slow_sum(sum, f->b + f->l4, l4_bytes);
}

/* ---- growing a frame ---- */

static inline void frame_add(struct frame *f, const void *bytes, uint32_t n)
{
    assert_true(f->n + n <= sizeof f->b);
    memcpy(f->b + f->n, bytes, n);
    f->n += n;
}

static inline void frame_fill(struct frame *f, uint8_t value, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        frame_add(f, &value, 1);
}

static inline void frame_eth(struct frame *f, uint32_t ethertype)
{
    *f = (struct frame){0};
    frame_add(f, my_mac, 6);
    frame_add(f, peer_mac, 6);
    uint8_t type[2];
    put16(type, ethertype);
    frame_add(f, type, 2);
}

static inline void frame_ip4(struct frame *f, uint8_t proto, const void *opt, uint32_t n_opt)
{
    f->v6 = false;
    f->l3 = f->n;
    f->proto = proto;
    uint8_t ip[20] = {
        (uint8_t)(0x40 + (20 + n_opt) / 4), 0x28, 0, 0, 0x12, 0x34, 0x40, 0, 61, proto};
    memcpy(ip + 12, peer_ip4, 4);
    memcpy(ip + 16, my_ip4, 4);
    frame_add(f, ip, 20);
    frame_add(f, opt, n_opt);
    f->l4 = f->n;
}

/* `next` is the header's; when extension headers follow, set f->l4 and f->proto behind them. */
static inline void frame_ip6(struct frame *f, uint8_t next)
{
    f->v6 = true;
    f->l3 = f->n;
    f->proto = next;
    uint8_t ip[40] = {0x62, 0x8a, 0xbc, 0xde, 0, 0, next, 63};
    memcpy(ip + 8, peer_ip6, 16);
    memcpy(ip + 24, my_ip6, 16);
    frame_add(f, ip, 40);
    f->l4 = f->n;
}

/* 4321 -> 80, seq 0x01020304, ack 0xa0b0c0d0, window 0xfedc, urgent pointer 0x1357 */
static inline void frame_tcp(struct frame *f, uint8_t flags, const void *opt, uint32_t n_opt)
{
    f->l4 = f->n;
    f->proto = 6;
    uint8_t tcp[20] = {0x10, 0xe1, 0, 80, 1, 2, 3, 4, 0xa0, 0xb0, 0xc0, 0xd0,
        (uint8_t)((20 + n_opt) / 4 * 16), flags, 0xfe, 0xdc, 0, 0, 0x13, 0x57};
    frame_add(f, tcp, 20);
    frame_add(f, opt, n_opt);
}

static inline void frame_icmp(struct frame *f, uint8_t type, uint8_t code, uint32_t word)
{
    f->l4 = f->n;
    f->proto = f->v6 ? 58 : 1;
    uint8_t icmp[8] = {type, code};
    put32(icmp + 4, word);
    frame_add(f, icmp, 8);
}

static inline void frame_sum_ip4(struct frame *f)
{
    uint8_t *ip = f->b + f->l3;
    put16(ip + 10, 0);
    put16(ip + 10, 0xffff - slow_sum(0, ip, (ip[0] & 15u) * 4));
}

static inline uint32_t frame_csum_off(const struct frame *f)
{
    return f->l4 + (f->proto == 6 ? 16 : 2);
}

static inline void frame_sum_l4(struct frame *f)
{
    uint8_t *at = f->b + frame_csum_off(f);
    put16(at, 0);
    put16(at, 0xffff - slow_l4_sum(f, f->n - f->l4));
}

/* Lengths, then checksums, as if the packet ended where the frame does now. */
static inline void frame_seal(struct frame *f)
{
    if (f->v6) {
        put16(f->b + f->l3 + 4, f->n - f->l3 - 40);
    } else {
        put16(f->b + f->l3 + 2, f->n - f->l3);
        frame_sum_ip4(f);
    }
    if (f->proto == 6 || f->proto == 1 || f->proto == 58)
        frame_sum_l4(f);
}

/* A plain, sealed TCP frame: ACK|PSH with n_payload bytes. */
static inline void frame_plain(struct frame *f, bool v6, uint32_t n_payload)
{
    frame_eth(f, v6 ? 0x86dd : 0x0800);
    if (v6)
        frame_ip6(f, 6);
    else
        frame_ip4(f, 6, "", 0);
    frame_tcp(f, 0x18, "", 0);
    for (uint32_t i = 0; i < n_payload; i++)
        frame_fill(f, (uint8_t)(i * 7 + 3), 1);
    frame_seal(f);
}

/* ---- looking at them ---- */

/*
 * A copy in a block of exactly n bytes, so that a sanitizer sees the first byte read too far. It
 * lives until the next call.
 */
static inline uint8_t *exact(const void *bytes, uint32_t n)
{
    static uint8_t *block;
    free(block);
    block = malloc(n > 0 ? n : 1);
    assert_non_null(block);
    memcpy(block, bytes, n);
    return n > 0 ? block : block + 1;
}

static inline const char *drop_name(enum tern_drop d)
{
#define NAME(name, json, text) [TERN_DROP_##name] = #name,
    static const char *const names[] = {TERN_DROP_LIST(NAME)};
#undef NAME
    return names[d];
}

#define assert_drop(got, want) assert_string_equal(drop_name(got), drop_name(want))

/* Hex digits to bytes. @return bytes written */
static inline uint32_t unhex(const char *hex, uint8_t *out)
{
    uint32_t n = 0;
    for (; hex[n * 2] != '\0'; n++) {
        const char pair[3] = {hex[n * 2], hex[n * 2 + 1], '\0'};
        out[n] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return n;
}

/* The seven frames of the seed (Microsoft KB 172983); 1, 2, 3, 5 and 6 are padded, and not with
 * zeros. */
static const char *const seed_frames[7] = {
    "02608c9e188b02608c3b85c108004500002c0d0140008006e14b836b02d6836b02d3040d008b007d747e00000000"
    "60022000f2130000020405b42020",
    "02608c3b85c102608c9e188b08004500002c5b0040008006934c836b02d3836b02d6008b040d0010ee8d007d747f"
    "60122238012d0000020405b42020",
    "02608c9e188b02608c3b85c10800450000280e0140008006e04f836b02d6836b02d3040d008b007d747f0010ee8e"
    "5010223818ea0000202020202020",
    "0020af47935800a0c922f5390800450000289bf540008006214ac05ede7bc05ede57092105480b2096acce66ae02"
    "50112238236c0000",
    "00a0c922f53908000203ba84080045000028d28200003f066bbdc05ede57c05ede7b05480921ce66ae020b2096ad"
    "50107000d5a30000900001008600",
    "00a0c922f53908000203ba84080045000028d29400003f066babc05ede57c05ede7b05480921ce66ae020b2096ad"
    "50117000d5a20000020405b48600",
    "0020af47935800a0c922f539080045000028baf540008006024ac05ede7bc05ede57092105480b2096adce66ae03"
    "50102238236b0000",
};

/* A generator that needs no seed from outside: failures repeat. */
static inline uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}
