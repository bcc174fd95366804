/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP options that loop, lie about their length or carry numbers that no path has. A segment with
 * such options is still a segment: the walk ends, and what follows is as if they were not there.
 */
#include "attack.h"
#include "tcp/proto.h"
#include "wire/tcp_opt.h"

enum { OPTIONS_MAX = 40, UNKNOWN_KIND = 200, TCP_AO = 29 };

/** The option bytes in a segment of the live connection: it is taken, and its byte is read. */
static void take_on_live(struct attack *a, bool v6, const uint8_t *opt, uint32_t n_opt)
{
    struct live *c = &a->live[v6];
    struct frame f;
    char byte;
    attack_segment(a, &f, v6, TERN_TCP_ACK, opt, n_opt, 1);
    assert_drop(arrive_exact(a, &f), TERN_DROP_NONE);
    assert_int_equal(tern_sock_recv(c->s, &byte, 1), 1);
    c->seq++;
}

/** The same options in a SYN from another port. @return its SYN-ACK, where the SYN is reset */
static const uint8_t *take_in_syn(struct attack *a, bool v6, const uint8_t *opt, uint32_t n_opt)
{
    static uint8_t tcp[60];
    struct frame f;
    attack_segment(a, &f, v6, TERN_TCP_SYN, opt, n_opt, 0);
    put16(f.b + f.l4, LIVE_PORT + 1);
    frame_seal(&f);
    arrive_exact(a, &f);
    assert_int_equal(a->n_replies, 1);
    const uint32_t l4 = 14u + (v6 ? 40 : 20);
    memset(tcp, 0, sizeof tcp);
    memcpy(tcp, a->reply + l4, a->n_reply_bytes - l4);
    assert_int_equal(tcp[13] & (TERN_TCP_SYN | TERN_TCP_ACK), TERN_TCP_SYN | TERN_TCP_ACK);
    f.b[f.l4 + 13] = TERN_TCP_RST;
    put32(f.b + f.l4 + 4, a->live[v6].seq + 1);
    frame_seal(&f);
    arrive_exact(a, &f);
    assert_int_equal(a->n_replies, 0);
    return tcp;
}

/** Options of every kind that matters to the walk, everywhere. */
static void take_everywhere(struct attack *a, const uint8_t *opt, uint32_t n_opt)
{
    for (int v6 = 0; v6 <= 1; v6++) {
        take_on_live(a, v6, opt, n_opt);
        take_in_syn(a, v6, opt, n_opt);
        assert_unmoved(a);
    }
}

/** `kind` with the length octet `len` at every place of an option area of every size. */
static void place_everywhere(struct attack *a, uint8_t kind, uint8_t len)
{
    for (uint32_t n_opt = 4; n_opt <= OPTIONS_MAX; n_opt += 4) {
        for (uint32_t at = 0; at < n_opt; at++) {
            uint8_t opt[OPTIONS_MAX];
            memset(opt, TERN_OPT_NOP, sizeof opt);
            opt[at] = kind;
            if (at + 1 < n_opt)
                opt[at + 1] = len;
            take_everywhere(a, opt, n_opt);
        }
    }
}

/** V010, V011, V012: an option of length 0 or 1 ends the walk, wherever it lies. */
static void short_length_ends_the_walk(void **state)
{
    for (uint8_t len = 0; len <= 1; len++) {
        place_everywhere(*state, UNKNOWN_KIND, len);
        place_everywhere(*state, TERN_OPT_TS, len);
        place_everywhere(*state, TERN_OPT_SACK, len);
    }
}

/** V013, V017: a length that crosses the data offset ends the walk; nothing behind is read. */
static void long_length_ends_the_walk(void **state)
{
    static const uint8_t lens[] = {OPTIONS_MAX + 1, 127, 128, 255};
    for (size_t i = 0; i < sizeof lens; i++) {
        place_everywhere(*state, UNKNOWN_KIND, lens[i]);
        place_everywhere(*state, TERN_OPT_MSS, lens[i]);
    }
}

/** V013: forty kinds, none of them EOL or NOP. */
static void kinds_without_lengths_end_the_walk(void **state)
{
    for (int kind = 2; kind <= UINT8_MAX; kind++) {
        uint8_t opt[OPTIONS_MAX];
        memset(opt, kind, sizeof opt);
        take_everywhere(*state, opt, sizeof opt);
    }
}

/** V021: an option tern does not know, TCP-AO among them, is skipped and changes nothing. */
static void unknown_kinds_are_skipped(void **state)
{
    for (uint8_t len = 2; len <= OPTIONS_MAX; len++) {
        uint8_t opt[OPTIONS_MAX];
        memset(opt, TERN_OPT_NOP, sizeof opt);
        opt[0] = TCP_AO;
        opt[1] = len;
        take_everywhere(*state, opt, sizeof opt);
    }
}

/** V021: the same with URG and a pointer that leads anywhere. */
static void unknown_kind_with_urg_changes_nothing(void **state)
{
    struct attack *a = *state;
    static const uint8_t opt[4] = {TCP_AO, 0, 0, 0};
    for (int v6 = 0; v6 <= 1; v6++) {
        struct frame f;
        attack_segment(a, &f, v6, TERN_TCP_ACK | TERN_TCP_URG, opt, sizeof opt, 0);
        put16(f.b + f.l4 + 18, UINT16_MAX);
        frame_seal(&f);
        arrive_exact(a, &f);
        assert_unmoved(a);
    }
}

/** V017: a SYN-ACK is the same whatever lay behind the cut options of its SYN. */
static void truncated_options_leak_nothing(void **state)
{
    struct attack *a = *state;
    for (int v6 = 0; v6 <= 1; v6++) {
        const uint8_t cut[4] = {TERN_OPT_NOP, TERN_OPT_NOP, TERN_OPT_MSS, 4};
        const uint8_t *tcp = take_in_syn(a, v6, cut, sizeof cut);
        assert_int_equal(tcp[12] >> 4, 6); /* its own MSS and nothing else */
        assert_int_equal(tcp[20], TERN_OPT_MSS);
    }
}

/** What tern takes the MSS of a peer for whose SYN has these options. */
static uint32_t mss_taken(struct attack *a, bool v6, const uint8_t *opt, uint32_t n_opt)
{
    struct tern_conn_info info;
    struct frame f;
    attack_segment(a, &f, v6, TERN_TCP_SYN, opt, n_opt, 0);
    put16(f.b + f.l4, LIVE_PORT + 2);
    frame_seal(&f);
    arrive_exact(a, &f);
    const uint32_t iss = get32(reply_tcp(a, v6) + 4);
    attack_ip(&f, v6, 6);
    frame_tcp(&f, TERN_TCP_ACK, "", 0);
    put16(f.b + f.l4, LIVE_PORT + 2);
    put32(f.b + f.l4 + 4, a->live[v6].seq + 1);
    put32(f.b + f.l4 + 8, iss + 1);
    frame_seal(&f);
    arrive_exact(a, &f);
    struct tern_sock *s = tern_sock_accept(a->listener);
    assert_non_null(s);
    assert_true(tern_sock_describe(s, &info));
    tern_sock_abort(s);
    take_replies(a);
    assert_unmoved(a);
    return info.mss_bytes;
}

/** V015, V016, V018, V019: any MSS is held between the floor and the path. */
static void mss_is_clamped(void **state)
{
    static const uint16_t values[] = {0, 1, 7, 40, TERN_MSS_MIN - 1, TERN_MSS_MIN, UINT16_MAX};
    for (int v6 = 0; v6 <= 1; v6++) {
        const uint32_t path = 1500 - 20 - (v6 ? 40 : 20);
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            uint8_t opt[4] = {TERN_OPT_MSS, 4};
            put16(opt + 2, values[i]);
            const uint32_t mss = mss_taken(*state, v6, opt, sizeof opt);
            assert_in_range(mss, TERN_MSS_MIN, path);
            assert_int_equal(mss == path, values[i] == UINT16_MAX);
        }
    }
}

/** V015: an MSS option of another length than 4 is none. */
static void mss_of_wrong_length_is_ignored(void **state)
{
    for (int v6 = 0; v6 <= 1; v6++) {
        const uint32_t none = mss_taken(*state, v6, (const uint8_t *)"", 0);
        for (uint8_t len = 0; len <= 8; len++) {
            const uint8_t opt[8] = {TERN_OPT_MSS, len, 2, 2, 1, 1, 1, 1};
            assert_int_equal(mss_taken(*state, v6, opt, sizeof opt) == none, len != 4);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ATTACK(short_length_ends_the_walk),
        ATTACK(long_length_ends_the_walk),
        ATTACK(kinds_without_lengths_end_the_walk),
        ATTACK(unknown_kinds_are_skipped),
        ATTACK(unknown_kind_with_urg_changes_nothing),
        ATTACK(truncated_options_leak_nothing),
        ATTACK(mss_is_clamped),
        ATTACK(mss_of_wrong_length_is_ignored),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
