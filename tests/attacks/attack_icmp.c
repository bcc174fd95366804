/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP: what is not an echo request to us, an error about a segment of ours or NDP is dropped by
 * its type; nothing is ever answered but an echo, and no error is sent.
 */
#include "attack.h"

enum { MLD_FIRST = 130, MLD_LAST = 132, MLD2_REPORT = 143, IGMP = 2, UNREACHABLE = 3, ECHO4 = 8 };
enum { ECHO6 = 128, MLD_BYTES = 64, FLOOD = 100000 };

static void build_icmp(struct frame *f, bool v6, uint8_t type, uint8_t code, uint32_t n)
{
    attack_ip(f, v6, v6 ? 58 : 1);
    frame_icmp(f, type, code, 0x01020304);
    frame_fill(f, 0x11, n);
    frame_seal(f);
}

/** The start of a live connection's segment, as an error quotes it. */
static void add_quote(const struct attack *a, struct frame *f, uint32_t seq)
{
    struct frame s;
    attack_segment(a, &s, f->v6, TERN_TCP_ACK, "", 0, 0);
    uint8_t *ip = s.b + s.l3;
    const uint32_t at = f->v6 ? 8 : 12, n = f->v6 ? 16 : 4;
    memcpy(ip + at, f->v6 ? my_ip6 : my_ip4, n);
    memcpy(ip + at + n, f->v6 ? peer_ip6 : peer_ip4, n);
    put16(s.b + s.l4, ATTACK_PORT);
    put16(s.b + s.l4 + 2, LIVE_PORT);
    put32(s.b + s.l4 + 4, seq);
    frame_add(f, ip, s.n - s.l3);
}

/** V168, V161, V164: every type of ICMP that RFC 792 and its heirs know, of every length. */
static void other_types_of_icmp_are_ignored(void **state)
{
    static const uint8_t types[] = {0, 1, 2, 4, 5, 6, 9, 10, 13, 14, 15, 16, 17, 18, 30, 40, 255};
    for (size_t i = 0; i < sizeof types; i++)
        for (uint32_t n = 0; n <= 28; n += 4) {
            struct frame f;
            build_icmp(&f, false, types[i], 0, n);
            refuse(*state, &f, TERN_DROP_ICMP_TYPE);
        }
}

/** V168: the same for ICMPv6, private and reserved types among them. */
static void other_types_of_icmp6_are_ignored(void **state)
{
    for (uint32_t type = 0; type <= UINT8_MAX; type++) {
        struct frame f;
        if ((type >= 1 && type <= 4) || type == ECHO6 || (type >= 133 && type <= 137))
            continue;
        build_icmp(&f, true, (uint8_t)type, 0, 24);
        refuse(*state, &f, TERN_DROP_ICMP_TYPE);
    }
}

/** V164, V161: a redirect and a source quench that quote a live connection change nothing. */
static void redirect_and_quench_of_a_live_connection_are_ignored(void **state)
{
    struct attack *a = *state;
    static const uint8_t types[] = {4, 5};
    for (size_t i = 0; i < sizeof types; i++)
        for (uint8_t code = 0; code <= 3; code++) {
            struct frame f;
            build_icmp(&f, false, types[i], code, 0);
            add_quote(a, &f, a->live[0].ack);
            frame_seal(&f);
            refuse(a, &f, TERN_DROP_ICMP_TYPE);
        }
}

/** V166, V167: to broadcast, groups and by a group's MAC: no reply and no error. */
static void echo_to_many_is_not_answered(void **state)
{
    static const uint8_t v4[][4] = {
        {255, 255, 255, 255}, {192, 0, 2, 255}, {192, 0, 2, 0}, {224, 0, 0, 1}, {0, 0, 0, 0}};
    struct frame f;
    for (size_t i = 0; i < sizeof v4 / sizeof v4[0]; i++) {
        build_icmp(&f, false, ECHO4, 0, 16);
        memcpy(f.b + f.l3 + 16, v4[i], 4);
        frame_seal(&f);
        const bool subnet = v4[i][0] == 192;
        refuse(*state, &f, subnet ? TERN_DROP_IP_DST_NOT_MINE : TERN_DROP_IP_DST);
    }
    build_icmp(&f, false, ECHO4, 0, 16);
    memset(f.b, 0xff, 6);
    refuse(*state, &f, TERN_DROP_IP_DST);
    build_icmp(&f, true, ECHO6, 0, 16);
    unhex("ff020000000000000000000000000001", f.b + f.l3 + 24);
    frame_seal(&f);
    assert_drop(arrive_exact(*state, &f), TERN_DROP_IP_DST_NOT_MINE);
    assert_int_equal(((struct attack *)*state)->n_replies, 0);
}

/** V166: what would call for an error gets none: nobody's source, fragments, errors, closed UDP. */
static void no_error_is_ever_sent(void **state)
{
    struct attack *a = *state;
    static const uint8_t nobody[16];
    struct frame f;
    for (int v6 = 0; v6 <= 1; v6++) {
        attack_ip(&f, v6, 17);
        frame_fill(&f, 0, 8);
        frame_seal(&f);
        refuse(a, &f, TERN_DROP_IP_PROTO);
        memcpy(f.b + f.l3 + (v6 ? 8 : 12), nobody, v6 ? 16 : 4);
        frame_seal(&f);
        refuse(a, &f, TERN_DROP_IP_SRC);
        for (uint8_t code = 0; code <= 15; code++) {
            build_icmp(&f, v6, v6 ? 1 : UNREACHABLE, code, 0);
            arrive_exact(a, &f);
            assert_int_equal(a->n_replies, 0);
            assert_unmoved(a);
        }
    }
}

/** V160, V162, V147: errors that quote a live connection, all of it acknowledged: stale. */
static void errors_about_nothing_in_flight_are_stale(void **state)
{
    struct attack *a = *state;
    static const struct {
        bool v6;
        uint8_t type, code;
    } errors[] = {
        {false, 3, 2}, {false, 3, 3}, {false, 3, 4}, {true, 1, 1}, {true, 1, 4}, {true, 2, 0}};
    static const uint32_t offsets[] = {0, 1, UINT32_MAX, 0x7fffffff, 0x80000000};
    static const uint32_t mtus[] = {0, 1, 68, 296, 551, 1279, 1280, 65535};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        for (size_t o = 0; o < sizeof offsets / sizeof offsets[0]; o++)
            for (size_t m = 0; m < sizeof mtus / sizeof mtus[0]; m++) {
                struct frame f;
                build_icmp(&f, errors[i].v6, errors[i].type, errors[i].code, 0);
                put32(f.b + f.l4 + 4, mtus[m]);
                add_quote(a, &f, a->live[errors[i].v6].ack + offsets[o]);
                frame_seal(&f);
                refuse_one(a, mbuf_exact(a, f.b, f.n), TERN_DROP_ICMP_STALE);
            }
}

/** V171, V170: MLD of every version, whole and in buffers of one octet. */
static void mld_in_many_buffers_is_dropped(void **state)
{
    struct attack *a = *state;
    static const uint8_t types[] = {MLD_FIRST, MLD_FIRST + 1, MLD_LAST, MLD2_REPORT};
    for (size_t i = 0; i < sizeof types; i++) {
        struct frame f;
        build_icmp(&f, true, types[i], 0, MLD_BYTES);
        refuse(a, &f, TERN_DROP_ICMP_TYPE);
        for (uint32_t step = 1; step <= 9; step++)
            refuse_one(a, mbuf_chain(a, f.b, f.n, 1, step), TERN_DROP_ICMP_TYPE);
    }
}

/** V170: a flood of it leaves memory as it was. */
static void flood_of_mld_costs_no_memory(void **state)
{
    struct attack *a = *state;
    struct frame f;
    build_icmp(&f, true, MLD_FIRST, 0, MLD_BYTES);
    for (uint32_t i = 0; i < FLOOD; i++)
        assert_drop(arrive(a, mbuf_whole(a, f.b, f.n)), TERN_DROP_ICMP_TYPE);
    assert_unmoved(a);
}

/** V172: IGMP queries and reports, in fragments, with and without the router alert. */
static void igmp_is_dropped(void **state)
{
    static const uint8_t alert[4] = {0x94, 4, 0, 0};
    static const uint8_t types[] = {0x11, 0x12, 0x16, 0x17, 0x22};
    for (size_t i = 0; i < sizeof types; i++)
        for (uint32_t n = 1; n <= 16; n += 5) {
            struct frame f;
            frame_eth(&f, 0x0800);
            frame_ip4(&f, IGMP, alert, sizeof alert);
            frame_fill(&f, types[i], n);
            frame_seal(&f);
            refuse(*state, &f, TERN_DROP_IP_PROTO);
            f.b[f.l3 + 6] = 0x20;
            frame_sum_ip4(&f);
            refuse(*state, &f, TERN_DROP_IP_FRAGMENT);
        }
}

/** V171: every parser reads the same, in whatever buffers its packet lies. */
static void echo_split_anywhere_is_answered_the_same(void **state)
{
    struct attack *a = *state;
    for (int v6 = 0; v6 <= 1; v6++) {
        struct frame f;
        uint8_t want[200];
        build_icmp(&f, v6, v6 ? ECHO6 : ECHO4, 0, 21);
        arrive_exact(a, &f);
        assert_int_equal(a->n_replies, 1);
        assert_int_equal(a->n_reply_bytes, f.n);
        memcpy(want, a->reply, f.n);
        for (uint32_t front = 1; front < f.n; front++)
            for (uint32_t step = 1; step < f.n; step += 6) {
                assert_drop(arrive(a, mbuf_chain(a, f.b, f.n, front, step)), TERN_DROP_NONE);
                assert_int_equal(a->n_replies, 1);
                assert_memory_equal(a->reply, want, f.n);
                assert_unmoved(a);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ATTACK(other_types_of_icmp_are_ignored),
        ATTACK(other_types_of_icmp6_are_ignored),
        ATTACK(redirect_and_quench_of_a_live_connection_are_ignored),
        ATTACK(echo_to_many_is_not_answered),
        ATTACK(no_error_is_ever_sent),
        ATTACK(errors_about_nothing_in_flight_are_stale),
        ATTACK(mld_in_many_buffers_is_dropped),
        ATTACK(flood_of_mld_costs_no_memory),
        ATTACK(igmp_is_dropped),
        ATTACK(echo_split_anywhere_is_answered_the_same),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
