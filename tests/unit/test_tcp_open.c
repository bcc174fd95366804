/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening: passive, active, simultaneous; refused, repeated, given up (RFC 9293 §3.5, §3.10.7.2-4).
 */
#include "tcp_peer.h"

/* ---- the three ways ---- */

static void listen_syn_and_ack_establish(void **state)
{
    struct peer *p = *state;
    listen_here(p);
    inject_syn(p, SYN, 0);
    const struct heard *h = expect_segment(p, SYN | ACK, 0, 1, 0);
    assert_int_equal(h->wnd, 65535); /* unscaled, 7323-3 */
    assert_int_equal(h->sport, TERN_PORT);
    assert_int_equal(h->opts.mss, p->v6 ? 1440 : 1460); /* MUST-67 */
    assert_false(h->opts.has_ts || h->opts.sack_ok || h->opts.has_wscale);
    assert_null(tern_sock_accept(p->listener));

    inject(p, ACK, 1, 1, 0);
    expect_nothing(p);
    accept_one(p);
    assert_state(p, TERN_ESTABLISHED);
    assert_int_equal(stats(p)->passive_established, 1);
}

static void syn_sent_syn_ack_establishes(void **state)
{
    struct peer *p = *state;
    connect_out(p);
    assert_state(p, TERN_SYN_SENT);
    const struct heard *h = expect_segment(p, SYN, 0, 0, 0);
    assert_true(h->opts.has_mss && h->opts.has_ts && h->opts.sack_ok && h->opts.has_wscale);
    assert_int_equal(h->abs_ack, 0);
    assert_int_equal(tern_sock_ready(p->s), 0);

    inject_syn(p, SYN | ACK, 1);
    expect_segment(p, ACK, 1, 1, 0);
    assert_state(p, TERN_ESTABLISHED);
    assert_int_equal(tern_sock_ready(p->s), TERN_READY_WRITE);
}

/** Both SYNs cross (RFC 9293 figure 8). @param how  the segment that completes it */
static void open_simultaneously(struct peer *p, uint8_t how)
{
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    assert_state(p, TERN_SYN_RCVD);
    if (how & SYN)
        inject_syn(p, how, 1);
    else
        inject(p, how, 1, 1, 0);
    assert_state(p, TERN_ESTABLISHED);
    expect_nothing(p);
    assert_int_equal(stats(p)->active_established, 1);
}

/* V069 */
static void syn_sent_syn_then_syn_ack_establishes(void **state) /* MUST-10 */
{
    open_simultaneously(*state, SYN | ACK);
}

/* V069 */
static void syn_sent_syn_then_ack_establishes(void **state)
{
    open_simultaneously(*state, ACK);
}

static void simultaneous_syn_ack_window_is_not_scaled(void **state) /* 7323-3 */
{
    struct peer *p = *state;
    p->offer.has_wscale = true;
    p->offer.wscale = 7;
    p->wnd = 1000;
    open_simultaneously(p, SYN | ACK);
    assert_int_equal(describe(p).snd_wnd_bytes, 1000);
}

static void simultaneous_syn_again_is_answered_again(void **state)
{
    struct peer *p = *state;
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    inject(p, ACK, 1, 1, 0);
    assert_state(p, TERN_ESTABLISHED);
}

static void simultaneous_syn_ack_is_repeated_until_answered(void **state)
{
    struct peer *p = *state;
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    expect_after_ms(p, 1000);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    expect_after_ms(p, 2000);
    expect_segment(p, SYN | ACK, 0, 1, 0);
}

/* ---- repeated and given up ---- */

static void syn_sent_silence_repeats_syn_and_gives_up_after_180_s(
    void **state) /* MUST-22, MUST-23 */
{
    struct peer *p = *state;
    const uint64_t start_ns = p->now_ns;
    static const uint32_t gaps_ms[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000};
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    for (size_t i = 0; i < sizeof gaps_ms / sizeof gaps_ms[0]; i++) {
        expect_after_ms(p, gaps_ms[i]);
        expect_segment(p, SYN, 0, 0, 0);
    }
    while (state_of(p->s) == TERN_SYN_SENT)
        advance_ms(p, 100);
    assert_in_range((p->now_ns - start_ns) / 1000000, 180000, 200000);
    expect_nothing(p); /* nobody to tell */
    assert_over(p, ETIMEDOUT);
    assert_int_equal(stats(p)->active_failed[TERN_CLOSE_TIMEOUT], 1);
}

/* V099, V103 */
static void syn_received_silence_repeats_syn_ack_and_expires(void **state)
{
    struct peer *p = *state;
    listen_here(p);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    for (uint32_t ms = 1000; ms <= 16000; ms *= 2) {
        expect_after_ms(p, ms);
        expect_segment(p, SYN | ACK, 0, 1, 0);
    }
    expect_silence_ms(p, 120000);
    assert_int_equal(stats(p)->half_expired, 1);
    inject(p, ACK, 1, 1, 0); /* too late */
    expect_flags(p, RST);
    assert_null(tern_sock_accept(p->listener));
}

static void syn_received_late_ack_establishes(void **state)
{
    struct peer *p = *state;
    listen_here(p);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    expect_after_ms(p, 1000);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    inject(p, ACK, 1, 1, 0);
    accept_one(p);
    expect_silence_ms(p, 100000);
}

/* V070 */
static void syn_received_closed_listener_falls_silent(void **state)
{
    struct peer *p = *state;
    listen_here(p);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    tern_sock_close(p->listener);
    expect_silence_ms(p, 100000);
    assert_int_equal(tern_shard_n_live(p->sh), 0);
}

/* V070 */
static void syn_received_closed_listener_refuses_the_ack(void **state)
{
    struct peer *p = *state;
    listen_here(p);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    tern_sock_close(p->listener);
    inject(p, ACK, 1, 1, 0);
    expect_segment(p, RST, 1, 0, 0);
}

/** Data after an unanswered SYN starts with an RTO of 3 s, until an RTT is known (6298-8). */
static void syn_sent_lost_syn_makes_first_rto_3_s(void **state)
{
    struct peer *p = *state;
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    expect_after_ms(p, 1000);
    expect_segment(p, SYN, 0, 0, 0);
    inject_syn(p, SYN | ACK, 1);
    expect_segment(p, ACK, 1, 1, 0);
    write_bytes(p, 100);
    expect_segment(p, ACK, 1, 1, 100);
    advance_ms(p, 10);
    inject(p, ACK, 1, 101, 0); /* the first sample: 10 ms (RFC 6298 §2.2) */
    assert_in_range(describe(p).srtt_us, 10000, 10200);
    assert_in_range(describe(p).rto_us, 200000, 200000);
}

static void lost_syn_and_lost_data_wait_3_s(void **state)
{
    struct peer *p = *state;
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    expect_after_ms(p, 1000);
    expect_segment(p, SYN, 0, 0, 0);
    inject_syn(p, SYN | ACK, 1);
    expect_segment(p, ACK, 1, 1, 0);
    write_bytes(p, 100);
    expect_segment(p, ACK, 1, 1, 100);
    expect_after_ms(p, 3000);
    expect_segment(p, ACK, 1, 1, 100);
}

static void lost_syn_ack_and_lost_data_wait_3_s(void **state)
{
    struct peer *p = *state;
    listen_here(p);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    expect_after_ms(p, 1000);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    inject(p, ACK, 1, 1, 0);
    accept_one(p);
    write_bytes(p, 100);
    expect_segment(p, ACK, 1, 1, 100);
    expect_after_ms(p, 3000);
    expect_segment(p, ACK, 1, 1, 100);
}

/* ---- RST and bad ACKs while opening ---- */

/* V057 */
static void syn_sent_bad_ack_is_reset_and_survived(void **state)
{
    struct peer *p = *state;
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    for (uint32_t bad = 0; bad <= 2; bad += 2) { /* ISS itself, and beyond what was sent */
        inject(p, ACK, 0, bad, 0);
        const struct heard *h = expect_segment(p, RST, bad, 0, 0);
        assert_int_equal(h->abs_ack, 0);
        inject_syn(p, SYN | ACK, bad);
        expect_segment(p, RST, bad, 0, 0);
        inject(p, RST | ACK, 0, bad, 0);
        expect_nothing(p);
    }
    assert_state(p, TERN_SYN_SENT);
    assert_int_equal(drops(p, TERN_DROP_TCP_SYNSENT_ACK), 6);
}

static void syn_sent_rst_without_ack_is_ignored(void **state)
{
    struct peer *p = *state;
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    inject(p, RST, 0, 0, 0);
    inject(p, ACK, 1, 1, 0); /* good ACK, no SYN */
    inject(p, FIN | ACK, 1, 1, 0);
    expect_nothing(p);
    assert_state(p, TERN_SYN_SENT);
    assert_int_equal(drops(p, TERN_DROP_TCP_SYNSENT_NO_SYN), 3);
}

static void syn_sent_rst_with_good_ack_is_refusal(void **state)
{
    struct peer *p = *state;
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    inject(p, RST | ACK, 0, 1, 0);
    expect_nothing(p);
    assert_over(p, ECONNREFUSED);
    assert_int_equal(stats(p)->active_failed[TERN_CLOSE_REFUSED], 1);
}

/** A half-open connection, SYN-ACK sent. */
static void half_open(struct peer *p)
{
    listen_here(p);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
}

static void syn_received_exact_rst_returns_to_listen(void **state) /* MUST-11, 5961-2 */
{
    struct peer *p = *state;
    half_open(p);
    inject(p, RST, 1, 0, 0);
    expect_silence_ms(p, 5000);
    assert_int_equal(stats(p)->half_reset, 1);
    establish(p); /* the listener is as it was */
}

static void syn_received_rst_in_window_is_challenged(void **state) /* 5961-3, 5961-8 */
{
    struct peer *p = *state;
    half_open(p);
    inject(p, RST, 2, 0, 0);
    expect_segment(p, ACK, 1, 1, 0);
    advance_ms(p, 600);
    inject(p, RST, 65535, 0, 0);
    expect_segment(p, ACK, 1, 1, 0);
    inject(p, ACK, 1, 1, 0);
    accept_one(p);
}

static void syn_received_rst_outside_window_is_dropped(void **state) /* 5961-1 */
{
    struct peer *p = *state;
    half_open(p);
    inject(p, RST, 0, 0, 0);
    inject(p, RST, 1 + 65535, 0, 0);
    expect_nothing(p);
    assert_int_equal(drops(p, TERN_DROP_TCP_RST_WINDOW), 2);
    inject(p, ACK, 1, 1, 0);
    accept_one(p);
}

/* V058 */
static void syn_received_bad_ack_is_reset_and_survived(void **state)
{
    struct peer *p = *state;
    half_open(p);
    for (uint32_t bad = 0; bad <= 2; bad += 2) {
        inject(p, ACK, 1, bad, 0);
        expect_segment(p, RST, bad, 0, 0);
    }
    assert_int_equal(drops(p, TERN_DROP_TCP_HALF_ACK), 2);
    inject(p, ACK, 1, 1, 0);
    accept_one(p);
}

static void syn_received_same_syn_repeats_syn_ack(void **state)
{
    struct peer *p = *state;
    half_open(p);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    assert_int_equal(stats(p)->half_opened, 1);
}

static void syn_received_other_syn_is_challenged(void **state) /* 5961-4 */
{
    struct peer *p = *state;
    half_open(p);
    inject(p, SYN, 77, 0, 0);
    expect_segment(p, ACK, 1, 1, 0);
    inject(p, ACK, 1, 1, 0);
    accept_one(p);
}

static void syn_received_segment_outside_window_is_acked(void **state)
{
    struct peer *p = *state;
    half_open(p);
    inject(p, ACK, 1 + 65535, 1, 0);
    expect_segment(p, ACK, 1, 1, 0);
    assert_null(tern_sock_accept(p->listener));
}

static void syn_received_no_ack_flag_is_dropped(void **state)
{
    struct peer *p = *state;
    half_open(p);
    inject(p, FIN, 1, 0, 0);
    inject(p, PSH, 1, 0, 10);
    expect_nothing(p);
    assert_int_equal(drops(p, TERN_DROP_TCP_NO_ACK), 2);
}

static void syn_received_ack_with_data_and_fin_is_taken_whole(void **state)
{
    struct peer *p = *state;
    half_open(p);
    inject(p, ACK | FIN | PSH, 1, 1, 100);
    expect_segment(p, ACK, 1, 102, 0);
    accept_one(p);
    assert_state(p, TERN_CLOSE_WAIT);
    expect_read(p, 100);
    expect_eof(p);
}

/** SYN-RECEIVED that came from SYN-SENT. */
static void cross_syns(struct peer *p)
{
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
}

static void simultaneous_exact_rst_is_refusal(void **state) /* MUST-11 */
{
    struct peer *p = *state;
    cross_syns(p);
    inject(p, RST, 2, 0, 0);
    expect_segment(p, ACK, 1, 1, 0);
    inject(p, RST, 1, 0, 0);
    expect_nothing(p);
    assert_over(p, ECONNREFUSED);
}

static void simultaneous_bad_ack_is_reset_and_survived(void **state)
{
    struct peer *p = *state;
    cross_syns(p);
    inject(p, ACK, 1, 2, 0);
    expect_segment(p, RST, 2, 0, 0);
    inject(p, ACK, 1, 1, 0);
    assert_state(p, TERN_ESTABLISHED);
}

/* ---- nobody there ---- */

static void closed_port_syn_is_reset(void **state)
{
    struct peer *p = *state;
    p->irs = 0;
    inject(p, SYN, 0, 0, 0);
    const struct heard *h = expect_segment(p, RST | ACK, 0, 1, 0);
    assert_int_equal(h->abs_seq, 0);
    inject(p, SYN, 0, 0, 10);
    expect_segment(p, RST | ACK, 0, 11, 0);
    inject(p, ACK, 5, 9, 10);
    h = expect_segment(p, RST, 9, 0, 0);
    assert_int_equal(h->abs_ack, 0);
    inject(p, FIN, 5, 0, 0);
    expect_segment(p, RST | ACK, 0, 6, 0);
    inject(p, RST, 5, 0, 0);
    inject(p, RST | ACK, 5, 9, 0);
    expect_nothing(p);
    assert_int_equal(drops(p, TERN_DROP_TCP_CLOSED_PORT), 4);
    assert_int_equal(drops(p, TERN_DROP_TCP_RST_NO_CONN), 2);
}

/* V061, V063 */
static void listen_everything_but_syn_is_refused(void **state)
{
    struct peer *p = *state;
    listen_here(p);
    inject(p, RST, 0, 0, 0);
    inject(p, FIN, 0, 0, 0);
    expect_nothing(p);
    inject(p, ACK, 7, 9, 0);
    expect_segment(p, RST, 9, 0, 0);
    inject(p, SYN | ACK, 7, 9, 0);
    expect_segment(p, RST, 9, 0, 0);
    assert_int_equal(drops(p, TERN_DROP_TCP_LISTEN_RST), 1);
    assert_int_equal(drops(p, TERN_DROP_TCP_FLAGS), 1);
    assert_int_equal(drops(p, TERN_DROP_TCP_LISTEN_ACK), 2);
}

/* V062, V063 */
static void rst_rate_bounds_answers_of_closed_ports(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.rst_rate_per_s = 10;
    for (int i = 0; i < 50; i++)
        inject(p, SYN, 0, 0, 0);
    assert_in_range(skip_segments(p), 1, 10);
    assert_in_range(drops(p, TERN_DROP_TCP_RST_RATE), 40, 49);
}

/* V107 */
static void backlog_full_resets_once(void **state)
{
    struct peer *p = *state;
    peer_open(p);
    assert_int_equal(tern_sock_listen(p->e, NULL, TERN_PORT, 1, &p->listener), 0);
    inject_syn(p, SYN, 0);
    expect_flags(p, SYN | ACK);
    inject(p, ACK, 1, 1, 0);
    p->port++;
    inject_syn(p, SYN, 0);
    expect_flags(p, SYN | ACK);
    inject(p, ACK, 1, 1, 0);
    expect_flags(p, RST | ACK);
    expect_nothing(p);
    assert_int_equal(stats(p)->closed[TERN_CLOSE_ABORTED], 1);
}

/* V213 */
static void conns_max_refuses_connect_and_keeps_half_open(void **state)
{
    struct peer *p = *state;
    struct tern_sock *other;
    p->cfg.stack.conns_max = 1;
    establish(p);
    assert_int_equal(tern_sock_connect(p->e, &p->them, 99, NULL, 0, &other), -ENOBUFS);
    p->port++;
    inject_syn(p, SYN, 0);
    expect_flags(p, SYN | ACK);
    inject(p, ACK, 1, 1, 0);
    expect_nothing(p);
    assert_int_equal(drops(p, TERN_DROP_TCP_TABLE_FULL), 1);
    tern_sock_abort(p->s);
    p->port--;
    p->no_edge = true;
    skip_segments(p);
    p->port++;
    inject(p, ACK, 1, 1, 0); /* room now: the record was kept */
    accept_one(p);
}

/* V095 */
static void half_open_max_refuses_silently(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.half_open_max = 1;
    p->cfg.stack.syn_cookies = TERN_SYN_COOKIES_NEVER;
    half_open(p);
    p->port++;
    inject_syn(p, SYN, 0);
    expect_nothing(p);
    assert_int_equal(drops(p, TERN_DROP_TCP_REFUSED), 1);
}

/* ---- SYN with data ---- */

/* V104, V106 */
static void listen_syn_with_data_acks_the_syn_alone(void **state)
{
    struct peer *p = *state;
    listen_here(p);
    inject_opts(p, SYN, 0, 0, 100, &p->offer);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    inject(p, ACK, 1, 1, 100);
    expect_segment(p, ACK, 1, 101, 0);
    accept_one(p);
    expect_read(p, 100);
}

static void syn_sent_syn_ack_with_data_acks_the_syn_alone(void **state)
{
    struct peer *p = *state;
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    inject_opts(p, SYN | ACK, 0, 1, 100, &p->offer);
    expect_segment(p, ACK, 1, 1, 0);
    inject(p, ACK, 1, 1, 100);
    expect_segment(p, ACK, 1, 101, 0);
    expect_read(p, 100);
}

static void connect_early_data_follows_the_handshake(void **state)
{
    struct peer *p = *state;
    static const struct tern_app app = {0};
    struct tern_conn *c;
    peer_open(p);
    const struct tern_connect_opts opts = {
        .remote = p->them, .rport = p->port, .lport = TERN_PORT, .app = &app};
    assert_int_equal(tern_connect(p->sh, &opts, &c), 0);
    const uint8_t bytes[] = {pattern(1), pattern(2), pattern(3)};
    assert_int_equal(tern_send_bytes(p->sh, c, bytes, 3), 3);
    expect_segment(p, SYN, 0, 0, 0);
    inject_syn(p, SYN | ACK, 1);
    expect_segment(p, ACK, 1, 1, 3);
    expect_nothing(p);
}

/* ---- names of the ends ---- */

/* V069 */
static void connect_impossible_destinations_are_refused(void **state) /* MUST-46 */
{
    struct peer *p = *state;
    static const char *const bad[] = {"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255",
        "240.0.0.1", "192.0.2.255", "192.0.2.0", "192.0.2.1", "::", "::1", "ff02::1",
        "2001:db8::1"};
    struct tern_sock *s;
    peer_open(p);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        union tern_addr a;
        assert_int_equal(tern_addr_parse(bad[i], &a), 0);
        const bool subnet = i >= 5 && i <= 7;
        if ((subnet && p->v6) || (i == 11 && !p->v6))
            continue; /* nothing special to an endpoint of the other family */
        assert_int_equal(tern_sock_connect(p->e, &a, 80, NULL, 0, &s), -EINVAL);
    }
    assert_int_equal(tern_sock_connect(p->e, &p->them, 0, NULL, 0, &s), -EINVAL);
    expect_nothing(p);
    assert_int_equal(stats(p)->active_opens, 0);
}

static void connect_chooses_source_by_prefix(void **state) /* MUST-43, MUST-44 */
{
    struct peer *p = *state;
    struct tern_stack_config *c = &p->cfg.stack;
    union tern_addr foreign;
    struct tern_sock *s;
    assert_int_equal(
        tern_prefix_parse(p->v6 ? "2001:db8:1::1/64" : "198.51.100.1/24", &c->addrs[1]), 0);
    assert_int_equal(tern_addr_parse(p->v6 ? "2001:db8:1::9" : "198.51.100.9", &p->them), 0);
    assert_int_equal(tern_addr_parse(p->v6 ? "2001:db8:1::7" : "198.51.100.7", &foreign), 0);
    c->n_addrs = 2;
    p->us = c->addrs[1].addr;
    connect_out(p); /* poll checks the addresses of what is sent */
    expect_segment(p, SYN, 0, 0, 0);

    assert_int_equal(tern_sock_connect(p->e, &p->them, 80, &c->addrs[0].addr, 0, &s), 0);
    p->us = c->addrs[0].addr;
    expect_flags(p, SYN);
    assert_int_equal(tern_sock_connect(p->e, &p->them, 80, &foreign, 0, &s), -EADDRNOTAVAIL);
}

static void connect_other_family_is_unreachable(void **state)
{
    struct peer *p = *state;
    union tern_addr other;
    struct tern_sock *s;
    peer_open(p);
    assert_int_equal(tern_addr_parse(p->v6 ? "192.0.2.9" : "2001:db8::9", &other), 0);
    assert_int_equal(tern_sock_connect(p->e, &other, 80, NULL, 0, &s), -ENETUNREACH);
    assert_int_equal(tern_sock_connect(p->e, &other, 80, &p->us, 0, &s), -EADDRNOTAVAIL);
}

static void tuple_in_use_is_refused(void **state)
{
    struct peer *p = *state;
    struct tern_sock *s;
    connect_out(p);
    assert_int_equal(tern_sock_connect(p->e, &p->them, p->port, NULL, TERN_PORT, &s), -EADDRINUSE);
    assert_int_equal(tern_sock_listen(p->e, NULL, TERN_PORT, 1, &p->listener), 0); /* MUST-42 */
    assert_int_equal(tern_sock_listen(p->e, NULL, TERN_PORT, 1, &s), -EADDRINUSE);
    assert_int_equal(tern_sock_listen(p->e, &p->them, 81, 1, &s), -EADDRNOTAVAIL);
    assert_int_equal(tern_sock_listen(p->e, NULL, 0, 1, &s), -EINVAL);
    expect_segment(p, SYN, 0, 0, 0);
    inject_syn(p, SYN | ACK, 1); /* the connection goes on beside the listener (MUST-41) */
    expect_segment(p, ACK, 1, 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(listen_syn_and_ack_establish),
        BOTH(syn_sent_syn_ack_establishes),
        BOTH(syn_sent_syn_then_syn_ack_establishes),
        BOTH(syn_sent_syn_then_ack_establishes),
        BOTH(simultaneous_syn_ack_window_is_not_scaled),
        BOTH(simultaneous_syn_again_is_answered_again),
        BOTH(simultaneous_syn_ack_is_repeated_until_answered),
        BOTH(syn_sent_silence_repeats_syn_and_gives_up_after_180_s),
        BOTH(syn_received_silence_repeats_syn_ack_and_expires),
        BOTH(syn_received_late_ack_establishes),
        BOTH(syn_received_closed_listener_falls_silent),
        BOTH(syn_received_closed_listener_refuses_the_ack),
        BOTH(syn_sent_lost_syn_makes_first_rto_3_s),
        BOTH(lost_syn_and_lost_data_wait_3_s),
        BOTH(lost_syn_ack_and_lost_data_wait_3_s),
        BOTH(syn_sent_bad_ack_is_reset_and_survived),
        BOTH(syn_sent_rst_without_ack_is_ignored),
        BOTH(syn_sent_rst_with_good_ack_is_refusal),
        BOTH(syn_received_exact_rst_returns_to_listen),
        BOTH(syn_received_rst_in_window_is_challenged),
        BOTH(syn_received_rst_outside_window_is_dropped),
        BOTH(syn_received_bad_ack_is_reset_and_survived),
        BOTH(syn_received_same_syn_repeats_syn_ack),
        BOTH(syn_received_other_syn_is_challenged),
        BOTH(syn_received_segment_outside_window_is_acked),
        BOTH(syn_received_no_ack_flag_is_dropped),
        BOTH(syn_received_ack_with_data_and_fin_is_taken_whole),
        BOTH(simultaneous_exact_rst_is_refusal),
        BOTH(simultaneous_bad_ack_is_reset_and_survived),
        BOTH(closed_port_syn_is_reset),
        BOTH(listen_everything_but_syn_is_refused),
        BOTH(rst_rate_bounds_answers_of_closed_ports),
        BOTH(backlog_full_resets_once),
        BOTH(conns_max_refuses_connect_and_keeps_half_open),
        BOTH(half_open_max_refuses_silently),
        BOTH(listen_syn_with_data_acks_the_syn_alone),
        BOTH(syn_sent_syn_ack_with_data_acks_the_syn_alone),
        BOTH(connect_early_data_follows_the_handshake),
        BOTH(connect_impossible_destinations_are_refused),
        BOTH(connect_chooses_source_by_prefix),
        BOTH(connect_other_family_is_unreachable),
        BOTH(tuple_in_use_is_refused),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
