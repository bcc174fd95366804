/* SPDX-License-Identifier: BSD-3-Clause */
/* What the two SYNs agree on: MSS, window scale, SACK, timestamps (RFC 9293 §3.7.1, RFC 7323, RFC
 * 2018). */
#include "tcp_peer.h"

enum { WITH_TS = 1, WITH_SACK = 2, WITH_WSCALE = 4, ALL_OFFERS = 8 };

static void offer(struct peer *p, int what)
{
    p->offer.has_ts = what & WITH_TS;
    p->offer.sack_ok = what & WITH_SACK;
    p->offer.has_wscale = what & WITH_WSCALE;
    p->offer.wscale = 5;
}

static void configure(struct peer *p, int what)
{
    p->cfg.stack.timestamps = what & WITH_TS;
    p->cfg.stack.sack = what & WITH_SACK;
    p->cfg.stack.window_scale = what & WITH_WSCALE;
}

static void assert_agreed(const struct peer *p, int what)
{
    const struct tern_conn_info info = describe(p);
    assert_int_equal(info.timestamps, !!(what & WITH_TS));
    assert_int_equal(info.sack, !!(what & WITH_SACK));
    assert_int_equal(info.window_scale, !!(what & WITH_WSCALE));
    assert_int_equal(info.snd_wscale, what & WITH_WSCALE ? 5 : 0);
    assert_int_equal(info.rcv_wscale, what & WITH_WSCALE ? 3 : 0); /* 256 KiB of buffer */
    assert_int_equal(
        info.mss_bytes, (p->v6 ? 1440 : 1460) - (what & WITH_TS ? 12 : 0)); /* 6691-1 */
}

static void assert_options(const struct heard *h, int what)
{
    assert_true(h->opts.has_mss);
    assert_int_equal(h->opts.has_ts, !!(what & WITH_TS));
    assert_int_equal(h->opts.sack_ok, !!(what & WITH_SACK));
    assert_int_equal(h->opts.has_wscale, !!(what & WITH_WSCALE));
}

static void start_afresh(struct peer *p)
{
    peer_restart(p);
    p->cfg.mbufs = 64;
}

/** Each option is in use when both sides want it, and the SYN-ACK carries no other. */
static void passive_agrees_on_what_both_want(void **state)
{
    struct peer *p = *state;
    for (int ours = 0; ours < ALL_OFFERS; ours++) {
        for (int theirs = 0; theirs < ALL_OFFERS; theirs++) {
            start_afresh(p);
            configure(p, ours);
            offer(p, theirs);
            listen_here(p);
            inject_syn(p, SYN, 0);
            assert_options(expect_segment(p, SYN | ACK, 0, 1, 0), ours & theirs);
            inject(p, ACK, 1, 1, 0);
            accept_one(p);
            assert_agreed(p, ours & theirs);
        }
    }
}

static void active_agrees_on_what_both_want(void **state)
{
    struct peer *p = *state;
    for (int ours = 0; ours < ALL_OFFERS; ours++) {
        for (int theirs = 0; theirs < ALL_OFFERS; theirs++) {
            start_afresh(p);
            configure(p, ours);
            offer(p, theirs);
            connect_out(p);
            assert_options(expect_segment(p, SYN, 0, 0, 0), ours);
            inject_syn(p, SYN | ACK, 1);
            const struct heard *h = expect_segment(p, ACK, 1, 1, 0);
            assert_int_equal(h->opts.has_ts, !!(ours & theirs & WITH_TS));
            assert_agreed(p, ours & theirs);
        }
    }
}

static void simultaneous_agrees_on_what_both_want(void **state)
{
    struct peer *p = *state;
    for (int theirs = 0; theirs < ALL_OFFERS; theirs++) {
        start_afresh(p);
        offer(p, theirs);
        connect_out(p);
        expect_segment(p, SYN, 0, 0, 0);
        inject_syn(p, SYN, 0);
        assert_options(expect_segment(p, SYN | ACK, 0, 1, 0), theirs);
        inject(p, ACK, 1, 1, 0);
        assert_agreed(p, theirs);
    }
}

/** Largest segment sent when the peer's SYN says this. */
static uint32_t largest_segment(struct peer *p, bool active)
{
    start_afresh(p);
    if (active)
        establish_actively(p);
    else
        establish(p);
    write_bytes(p, 4000);
    const uint32_t len = expect_flags(p, ACK)->len;
    skip_segments(p);
    return len;
}

static void mss_of_peer_bounds_segments(struct peer *p, bool active)
{
    const uint32_t own = p->v6 ? 1440 : 1460;
    const struct {
        bool has;
        uint16_t mss;
        uint32_t want;
    } cases[] = {
        {false, 0, p->v6 ? 1220 : 536},   /* MUST-15 */
        {true, 0, 64},                    /* the floor */
        {true, 63, 64}, {true, 600, 600}, /* MUST-14 */
        {true, 65535, own},               /* MUST-16 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        p->offer = (struct opts){.has_mss = cases[i].has, .mss = cases[i].mss};
        assert_int_equal(largest_segment(p, active), cases[i].want);
        p->offer.has_ts = true;
        assert_int_equal(largest_segment(p, active), cases[i].want - 12);
    }
}

/* V003 */
static void mss_of_peer_bounds_segments_of_passive(void **state)
{
    mss_of_peer_bounds_segments(*state, false);
}

/* V003 */
static void mss_of_peer_bounds_segments_of_active(void **state)
{
    mss_of_peer_bounds_segments(*state, true);
}

static void mtu_and_mss_max_shape_what_is_announced(void **state) /* MUST-67 */
{
    struct peer *p = *state;
    p->cfg.stack.mtu_bytes = 9000;
    connect_out(p);
    assert_int_equal(expect_flags(p, SYN)->opts.mss, p->v6 ? 8940 : 8960);
    start_afresh(p);
    p->cfg.stack.mss_max = 1000;
    connect_out(p);
    assert_int_equal(expect_flags(p, SYN)->opts.mss, 1000);
}

/** V022. */
static void wscale_15_is_read_as_14(void **state) /* 7323-2 */
{
    struct peer *p = *state;
    p->offer.has_wscale = true;
    p->offer.wscale = 15;
    p->wnd = 100;
    establish(p);
    assert_int_equal(describe(p).snd_wscale, 14);
    assert_int_equal(describe(p).snd_wnd_bytes, 100u << 14);
}

static void wscale_follows_the_receive_buffer(void **state)
{
    struct peer *p = *state;
    static const struct {
        uint32_t buf_bytes;
        uint8_t shift;
    } cases[] = {{536, 0}, {65535, 0}, {65536, 1}, {1u << 20, 5}, {1u << 30, 14}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start_afresh(p);
        p->cfg.stack.rcv_buf_bytes = cases[i].buf_bytes;
        connect_out(p);
        const struct heard *h = expect_flags(p, SYN);
        assert_int_equal(h->opts.wscale, cases[i].shift);
        assert_int_equal(h->wnd, cases[i].buf_bytes < 65535 ? cases[i].buf_bytes : 65535);
    }
}

static void window_of_the_handshake_ack_is_scaled(void **state)
{
    struct peer *p = *state;
    offer(p, WITH_WSCALE);
    listen_here(p);
    inject_syn(p, SYN, 0);
    expect_flags(p, SYN | ACK);
    p->wnd = 10;
    inject(p, ACK, 1, 1, 0);
    accept_one(p);
    assert_int_equal(describe(p).snd_wnd_bytes, 10 << 5);
}

/** Odd places and unknown kinds (MUST-4, MUST-6, MUST-64). */
static void syn_options_in_odd_places_are_read(void **state)
{
    struct peer *p = *state;
    static const uint8_t opt[] = {1, 200, 6, 0, 0, 0, 0, 2, 4, 0x02, 0x58, 1, 3, 3, 5, 0};
    p->offer = (struct opts){.has_wscale = true};
    listen_here(p);
    inject_raw(p, SYN, 0, 0, 0, opt, sizeof opt);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    inject(p, ACK, 1, 1, 0);
    accept_one(p);
    assert_int_equal(describe(p).mss_bytes, 600);
    assert_int_equal(describe(p).snd_wscale, 5);
}

static void illegal_option_lengths_do_no_harm(void **state) /* MUST-7 */
{
    struct peer *p = *state;
    establish(p);
    for (unsigned len = 0; len < 256; len++) {
        const uint8_t opt[] = {200, (uint8_t)len, 0, 0};
        inject_raw(p, ACK, p->seq, 1, 1, opt, sizeof opt);
        p->seq++;
    }
    skip_segments(p);
    expect_read(p, 256);
}

/** V022. */
static void options_without_negotiation_are_ignored(void **state) /* MUST-5, 2018-2 */
{
    struct peer *p = *state;
    establish(p);
    inject_opts(p, ACK, 1, 1, 10, &(struct opts){.has_ts = true, .ts_val = 1, .ts_ecr = 2});
    assert_false(expect_segment(p, ACK, 1, 11, 0)->opts.has_ts);
    inject_opts(p, ACK, 11, 1, 10, &(struct opts){.has_mss = true, .mss = 100});
    expect_segment(p, ACK, 1, 21, 0);
    assert_int_equal(describe(p).mss_bytes, p->offer.mss);
    inject(p, ACK, 1000, 1, 10);
    assert_int_equal(expect_segment(p, ACK, 1, 21, 0)->opts.n_sack, 0);
    expect_read(p, 20);
}

static void mss_option_of_a_connection_bounds_its_segments(void **state)
{
    struct peer *p = *state;
    establish(p);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_MSS_MAX, 700), 0);
    write_bytes(p, 1400);
    expect_segment(p, ACK, 1, 1, 700);
    expect_segment(p, ACK, 701, 1, 700);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_MSS_MAX, 63), -EINVAL);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_MSS_MAX, 65536), -EINVAL);
    assert_int_equal(tern_sock_get(p->s, TERN_CONN_MSS_MAX), 700);
}

static void dscp_and_ttl_are_on_the_wire(void **state) /* MUST-48, MUST-49, SHLD-21, SHLD-22 */
{
    struct peer *p = *state;
    p->cfg.stack.ttl = 77;
    p->cfg.stack.dscp = 11;
    listen_here(p);
    inject_syn(p, SYN, 0);
    const struct heard *h = expect_flags(p, SYN | ACK);
    assert_int_equal(h->ttl, 77);
    assert_int_equal(h->tos, 11 << 2);
    inject(p, ACK, 1, 1, 0);
    accept_one(p);
    for (uint32_t dscp = 0; dscp < 64; dscp++) {
        assert_int_equal(tern_sock_set(p->s, TERN_CONN_DSCP, dscp), 0);
        assert_int_equal(tern_sock_set(p->s, TERN_CONN_TTL, 100 + dscp), 0);
        write_bytes(p, 1);
        h = expect_segment(p, ACK, 1 + dscp, 1, 1);
        assert_int_equal(h->tos, dscp << 2);
        assert_int_equal(h->ttl, 100 + dscp);
        inject(p, ACK, 1, 2 + dscp, 0);
    }
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_DSCP, 64), -EINVAL);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_TTL, 0), -EINVAL);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_TTL, 256), -EINVAL);
    tern_sock_abort(p->s);
    h = expect_flags(p, RST | ACK);
    assert_int_equal(h->ttl, 163);
    inject(p, ACK, 1, 1, 0); /* no connection any more: the defaults */
    assert_int_equal(expect_flags(p, RST)->ttl, 77);
}

static void options_of_a_listener_pass_to_its_connections(void **state)
{
    struct peer *p = *state;
    listen_here(p);
    assert_int_equal(tern_sock_set(p->listener, TERN_CONN_TTL, 9), 0);
    assert_int_equal(tern_sock_set(p->listener, TERN_CONN_NODELAY, 1), 0);
    establish(p);
    assert_int_equal(tern_sock_get(p->s, TERN_CONN_TTL), 9);
    assert_int_equal(tern_sock_get(p->s, TERN_CONN_NODELAY), 1);
    write_bytes(p, 1);
    assert_int_equal(expect_flags(p, ACK)->ttl, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(passive_agrees_on_what_both_want),
        BOTH(active_agrees_on_what_both_want),
        BOTH(simultaneous_agrees_on_what_both_want),
        BOTH(mss_of_peer_bounds_segments_of_passive),
        BOTH(mss_of_peer_bounds_segments_of_active),
        BOTH(mtu_and_mss_max_shape_what_is_announced),
        BOTH(wscale_15_is_read_as_14),
        BOTH(wscale_follows_the_receive_buffer),
        BOTH(window_of_the_handshake_ack_is_scaled),
        BOTH(syn_options_in_odd_places_are_read),
        BOTH(illegal_option_lengths_do_no_harm),
        BOTH(options_without_negotiation_are_ignored),
        BOTH(mss_option_of_a_connection_bounds_its_segments),
        BOTH(dscp_and_ttl_are_on_the_wire),
        BOTH(options_of_a_listener_pass_to_its_connections),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
