/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP about connections, within RFC 5927's limits; echo; and addresses that nobody may have. */
#include "tcp_peer.h"

enum kind { PORT_UNREACHABLE, HOST_UNREACHABLE, TIME_EXCEEDED, PARAMETER_PROBLEM, TOO_BIG };

static void begin_error(struct peer *p, struct frame *f, enum kind kind, uint32_t mtu)
{
    static const uint8_t types[2][5][2] = {
        {{3, 3}, {3, 1}, {11, 0}, {12, 0}, {3, 4}}, {{1, 4}, {1, 0}, {3, 0}, {4, 0}, {2, 0}}};
    const uint8_t *type = types[p->v6][kind];
    begin_packet(p, f, p->v6 ? 58 : 1);
    frame_icmp(f, type[0], type[1], kind == TOO_BIG ? mtu : 0);
}

/** The IP header and 8 bytes of the segment that tern is said to have sent. */
static void quote(struct peer *p, struct frame *f, uint16_t sport, uint32_t seq, uint16_t n_bytes)
{
    uint8_t ip[40] = {0}, tcp[8];
    if (p->v6) {
        ip[0] = 0x60;
        put16(ip + 4, n_bytes - 40u);
        ip[6] = 6;
        memcpy(ip + 8, p->us.b, 16);
        memcpy(ip + 24, p->them.b, 16);
    } else {
        ip[0] = 0x45;
        put16(ip + 2, n_bytes);
        ip[8] = 60;
        ip[9] = 6;
        memcpy(ip + 12, &p->us.w[3], 4);
        memcpy(ip + 16, &p->them.w[3], 4);
    }
    put16(tcp, sport);
    put16(tcp + 2, p->port);
    put32(tcp + 4, p->irs + seq);
    frame_add(f, ip, p->v6 ? 40 : 20);
    frame_add(f, tcp, 8);
}

/** An ICMP error that quotes tern's segment at relative `seq`. */
static void inject_error(struct peer *p, enum kind kind, uint32_t seq, uint32_t mtu)
{
    struct frame f;
    begin_error(p, &f, kind, mtu);
    quote(p, &f, TERN_PORT, seq, 1500);
    frame_seal(&f);
    feed(p, &f);
}

/* ---- unreachable ---- */

static void syn_sent_port_unreachable_is_refusal(void **state) /* SHLD-26 */
{
    struct peer *p = *state;
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    inject_error(p, PORT_UNREACHABLE, 0, 0);
    assert_over(p, ECONNREFUSED);
    assert_int_equal(stats(p)->active_failed[TERN_CLOSE_REFUSED], 1);
}

/** V160: in SYN-SENT an error must quote our SYN. */
static void syn_sent_other_sequence_is_ignored(void **state) /* 5927-1 */
{
    struct peer *p = *state;
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    inject_error(p, PORT_UNREACHABLE, 1, 0);
    inject_error(p, PORT_UNREACHABLE, UINT32_MAX, 0);
    assert_state(p, TERN_SYN_SENT);
    assert_int_equal(drops(p, TERN_DROP_ICMP_STALE), 2);
}

static void syn_sent_soft_errors_are_survived_and_told(void **state) /* MUST-47, MUST-56 */
{
    struct peer *p = *state;
    static const enum kind soft[] = {HOST_UNREACHABLE, TIME_EXCEEDED, PARAMETER_PROBLEM};
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    for (size_t i = 0; i < sizeof soft / sizeof soft[0]; i++)
        inject_error(p, soft[i], 0, 0);
    assert_state(p, TERN_SYN_SENT);
    assert_int_equal(describe(p).soft_error, EHOSTUNREACH);
    inject_syn(p, SYN | ACK, 1);
    expect_segment(p, ACK, 1, 1, 0);
}

/** V160: hard errors end no synchronized connection. */
static void synchronized_hard_errors_are_soft(void **state) /* 5927-2 */
{
    struct peer *p = *state;
    static const enum tern_state states[] = {
        TERN_ESTABLISHED, TERN_FIN_WAIT_1, TERN_CLOSE_WAIT, TERN_CLOSING, TERN_LAST_ACK};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        peer_restart(p);
        establish(p);
        reach(p, states[i]);
        if (states[i] == TERN_ESTABLISHED || states[i] == TERN_CLOSE_WAIT)
            write_bytes(p, 10); /* something in flight */
        skip_segments(p);
        inject_error(p, PORT_UNREACHABLE, 1, 0);
        assert_state(p, states[i]);
        assert_int_equal(describe(p).soft_error, ECONNREFUSED);
        assert_int_equal(drops(p, TERN_DROP_ICMP_DONE), 1);
    }
}

/** V160. */
static void sequence_outside_flight_is_ignored(void **state) /* 5927-1 */
{
    struct peer *p = *state;
    establish(p);
    inject_error(p, HOST_UNREACHABLE, 1, 0); /* nothing is in flight */
    write_bytes(p, 100);
    expect_segment(p, ACK, 1, 1, 100);
    inject_error(p, HOST_UNREACHABLE, 0, 0);
    inject_error(p, HOST_UNREACHABLE, 101, 0);
    assert_int_equal(drops(p, TERN_DROP_ICMP_STALE), 3);
    assert_int_equal(describe(p).soft_error, 0);
    inject_error(p, HOST_UNREACHABLE, 100, 0);
    assert_int_equal(describe(p).soft_error, EHOSTUNREACH);
}

static void quotes_of_nobody_are_counted(void **state)
{
    struct peer *p = *state;
    struct frame f;
    establish(p);
    write_bytes(p, 10);
    skip_segments(p);
    begin_error(p, &f, HOST_UNREACHABLE, 0);
    quote(p, &f, TERN_PORT + 1, 1, 1500); /* no such connection */
    frame_seal(&f);
    feed(p, &f);
    begin_error(p, &f, HOST_UNREACHABLE, 0); /* no quotation */
    frame_seal(&f);
    feed(p, &f);
    assert_int_equal(drops(p, TERN_DROP_ICMP_QUOTE), 2);
    assert_int_equal(describe(p).soft_error, 0);
}

/** V161. */
static void source_quench_is_ignored(void **state) /* MUST-55 */
{
    struct peer *p = *state;
    struct frame f;
    establish(p);
    write_bytes(p, 20000);
    skip_segments(p);
    const uint32_t cwnd = describe(p).cwnd_bytes;
    begin_packet(p, &f, 1);
    frame_icmp(&f, 4, 0, 0);
    quote(p, &f, TERN_PORT, 1, 1500);
    frame_seal(&f);
    feed(p, &f);
    assert_int_equal(drops(p, TERN_DROP_ICMP_TYPE), 1);
    assert_int_equal(describe(p).cwnd_bytes, cwnd);
    expect_nothing(p);
}

/* ---- too big ---- */

static void too_big_lowers_the_segment_and_resends_at_once(void **state) /* 1191-1, 8201-3 */
{
    struct peer *p = *state;
    const uint32_t headers = p->v6 ? 60 : 40, mss = 1300 - headers;
    establish(p);
    write_bytes(p, 5 * p->offer.mss);
    assert_int_equal(skip_segments(p), 5);
    const uint32_t cwnd = describe(p).cwnd_bytes, ssthresh = describe(p).ssthresh_bytes;
    inject_error(p, TOO_BIG, 1, 1300);
    uint32_t end = 1;
    for (; poll_segment(p); p->has_heard = false) {
        assert_int_equal(p->heard.seq, end);
        assert_true(p->heard.len <= mss);
        end += p->heard.len;
    }
    assert_int_equal(end, 1 + 5 * p->offer.mss);
    assert_int_equal(describe(p).mss_bytes, mss);
    assert_int_equal(describe(p).cwnd_bytes, cwnd);
    assert_int_equal(describe(p).ssthresh_bytes, ssthresh);
    inject_error(p, TOO_BIG, 1, 1400); /* never up again */
    inject_error(p, TOO_BIG, 1, 9000); /* 8201-2 */
    assert_int_equal(describe(p).mss_bytes, mss);
    expect_nothing(p);
}

/** V162, V147: sizes below the floor. */
static void too_big_has_a_floor(void **state) /* 1191-2, 8201-1 */
{
    struct peer *p = *state;
    establish(p);
    write_bytes(p, 5 * p->offer.mss);
    skip_segments(p);
    if (p->v6) {
        inject_error(p, TOO_BIG, 1, 1279);
        assert_int_equal(describe(p).mss_bytes, p->offer.mss);
        inject_error(p, TOO_BIG, 1, 1280);
        assert_int_equal(describe(p).mss_bytes, 1220);
    } else {
        inject_error(p, TOO_BIG, 1, 20);
        assert_int_equal(describe(p).mss_bytes, 552 - 40);
    }
}

static void too_big_without_mtu_takes_the_next_plateau(void **state) /* 1191-4 */
{
    struct peer *p = *state;
    establish(p);
    static const uint16_t mtus[] = {1492, 1006, 552, 552}; /* 508 is below the floor */
    write_bytes(p, 5 * p->offer.mss);
    for (size_t i = 0; i < sizeof mtus / sizeof mtus[0]; i++) {
        skip_segments(p);
        inject_error(p, TOO_BIG, 1, 0); /* quotes 1500 bytes: more than there were, in the end */
        assert_int_equal(describe(p).mss_bytes, mtus[i] - 40);
    }
}

/** V162. */
static void too_big_concerns_its_connection_alone(void **state) /* MUST-54 */
{
    struct peer *p = *state;
    establish(p);
    struct tern_sock *first = p->s;
    write_bytes(p, 10);
    skip_segments(p);
    p->port++;
    p->n_sent = 0;
    establish(p);
    write_bytes(p, 10);
    skip_segments(p);
    inject_error(p, TOO_BIG, 1, 1300);
    struct tern_conn_info info;
    assert_true(tern_sock_describe(first, &info));
    assert_int_equal(info.mss_bytes, p->offer.mss);
    assert_int_equal(describe(p).mss_bytes, 1300 - (p->v6 ? 60 : 40));
}

/** V162: the quote must be in flight. */
static void too_big_outside_flight_is_ignored(void **state)
{
    struct peer *p = *state;
    establish(p);
    write_bytes(p, 10);
    skip_segments(p);
    inject_error(p, TOO_BIG, 11, 1300);
    assert_int_equal(describe(p).mss_bytes, p->offer.mss);
}

/* ---- echo ---- */

static void build_echo(struct peer *p, struct frame *f)
{
    begin_packet(p, f, p->v6 ? 58 : 1);
    frame_icmp(f, p->v6 ? 128 : 8, 0, 0x12345678);
    frame_add(f, "abcdefg", 7);
    frame_seal(f);
}

static void echo_is_answered(void **state)
{
    struct peer *p = *state;
    struct frame f;
    uint8_t out[200];
    build_echo(p, &f);
    feed(p, &f);
    struct frame r = {.v6 = p->v6, .proto = f.proto, .l4 = f.l4};
    r.n = (uint32_t)tern_embed_output(p->e, out, sizeof out);
    assert_int_equal(r.n, f.n);
    memcpy(r.b, out, r.n);
    const uint32_t at = p->v6 ? 8 : 12, n = p->v6 ? 16 : 4;
    assert_memory_equal(r.b + at, f.b + at + n, n);
    assert_memory_equal(r.b + at + n, f.b + at, n);
    assert_int_equal(slow_l4_sum(&r, r.n - r.l4), 0xffff);
    assert_int_equal(r.b[r.l4], p->v6 ? 129 : 0);
    assert_memory_equal(r.b + r.l4 + 4, f.b + f.l4 + 4, f.n - f.l4 - 4);
    assert_int_equal(stats(p)->icmp_echo_replies, 1);
}

static void echo_is_bounded(void **state)
{
    struct peer *p = *state;
    struct frame f;
    uint8_t out[200];
    p->cfg.stack.icmp_rate_per_s = 10;
    build_echo(p, &f);
    for (int i = 0; i < 100; i++)
        feed(p, &f);
    uint32_t n = 0;
    while (tern_embed_output(p->e, out, sizeof out) > 0)
        n++;
    assert_in_range(n, 1, 10);
    assert_int_equal(drops(p, TERN_DROP_ICMP_RATE), 100 - n);
}

/* ---- addresses ---- */

struct odd_address {
    const char *addr;
    enum tern_drop why;
};

/** A SYN to a listener with one address replaced is dropped silently under its name. */
static void assert_dropped(struct peer *p, const struct odd_address *odd, bool is_source)
{
    struct peer twisted = *p; /* the packet is built with its addresses */
    union tern_addr *which = is_source ? &twisted.them : &twisted.us;
    struct frame f;
    assert_int_equal(tern_addr_parse(odd->addr, which), 0);
    const uint64_t before = drops(p, odd->why);
    write_segment(&twisted, &f, SYN, 0, 0, 0, NULL, 0);
    feed(p, &f);
    expect_nothing(p);
    if (drops(p, odd->why) != before + 1)
        fail_msg("%s is not counted as %s", odd->addr, tern_drop_name(odd->why));
}

/* V050, V051, V053 */
static void impossible_sources_are_dropped(void **state) /* MUST-63 */
{
    struct peer *p = *state;
    static const struct odd_address v4[] = {{"192.0.2.1", TERN_DROP_IP_SRC_MINE}, /* LAND */
        {"0.0.0.0", TERN_DROP_IP_SRC}, {"127.0.0.1", TERN_DROP_IP_SRC},
        {"224.0.0.1", TERN_DROP_IP_SRC}, {"255.255.255.255", TERN_DROP_IP_SRC},
        {"240.0.0.1", TERN_DROP_IP_SRC}, {"192.0.2.255", TERN_DROP_IP_SRC},
        {"192.0.2.0", TERN_DROP_IP_SRC}};
    static const struct odd_address v6[] = {{"2001:db8::1", TERN_DROP_IP_SRC_MINE},
        {"::", TERN_DROP_IP_SRC}, {"::1", TERN_DROP_IP_SRC}, {"ff02::1", TERN_DROP_IP_SRC}};
    listen_here(p);
    for (size_t i = 0; i < (p->v6 ? sizeof v6 : sizeof v4) / sizeof v4[0]; i++)
        assert_dropped(p, p->v6 ? &v6[i] : &v4[i], true);
}

/* V053 */
static void impossible_destinations_are_dropped(void **state) /* MUST-57 */
{
    struct peer *p = *state;
    static const struct odd_address v4[] = {{"192.0.2.9", TERN_DROP_IP_DST_NOT_MINE},
        {"127.0.0.1", TERN_DROP_IP_DST}, {"224.0.0.1", TERN_DROP_IP_DST},
        {"255.255.255.255", TERN_DROP_IP_DST}, {"192.0.2.255", TERN_DROP_IP_DST},
        {"192.0.2.0", TERN_DROP_IP_DST}, {"0.0.0.0", TERN_DROP_IP_DST}};
    static const struct odd_address v6[] = {{"2001:db8::9", TERN_DROP_IP_DST_NOT_MINE},
        {"ff02::1", TERN_DROP_IP_DST}, {"::1", TERN_DROP_IP_DST}, {"::", TERN_DROP_IP_DST}};
    listen_here(p);
    for (size_t i = 0; i < (p->v6 ? sizeof v6 : sizeof v4) / sizeof v4[0]; i++)
        assert_dropped(p, p->v6 ? &v6[i] : &v4[i], false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(syn_sent_port_unreachable_is_refusal),
        BOTH(syn_sent_other_sequence_is_ignored),
        BOTH(syn_sent_soft_errors_are_survived_and_told),
        BOTH(synchronized_hard_errors_are_soft),
        BOTH(sequence_outside_flight_is_ignored),
        BOTH(quotes_of_nobody_are_counted),
        V4_ONLY(source_quench_is_ignored),
        BOTH(too_big_lowers_the_segment_and_resends_at_once),
        BOTH(too_big_has_a_floor),
        V4_ONLY(too_big_without_mtu_takes_the_next_plateau),
        BOTH(too_big_concerns_its_connection_alone),
        BOTH(too_big_outside_flight_is_ignored),
        BOTH(echo_is_answered),
        BOTH(echo_is_bounded),
        BOTH(impossible_sources_are_dropped),
        BOTH(impossible_destinations_are_dropped),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
