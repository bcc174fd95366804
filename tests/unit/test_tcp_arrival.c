/* SPDX-License-Identifier: BSD-3-Clause */
/* Segment arrival in synchronized states: RFC 9293 §3.10.7.4 with RFC 5961 and RFC 7323. */
#include "tcp_peer.h"

static const enum tern_state synchronized[] = {TERN_ESTABLISHED, TERN_FIN_WAIT_1, TERN_FIN_WAIT_2,
    TERN_CLOSE_WAIT, TERN_CLOSING, TERN_LAST_ACK};
enum { N_SYNCHRONIZED = sizeof synchronized / sizeof synchronized[0] };

enum { CHALLENGE_MS = 600 /* more than a period of the challenge limit */ };

/** A fresh connection in state `s`. Its receive window is 65535 bytes from p->seq on. */
static void start_in(struct peer *p, enum tern_state s)
{
    peer_restart(p);
    p->cfg.mbufs = 256;
    p->cfg.stack.rcv_buf_bytes = 65535;
    establish(p);
    reach(p, s);
}

static void expect_ack_of_now(struct peer *p)
{
    expect_segment(p, ACK, p->ack, p->seq, 0);
}

/** The window that tern last stated, from p->seq on. */
static uint32_t window(const struct peer *p)
{
    return p->edge - (p->iss + p->seq);
}

/* ---- RST (RFC 5961 §3.2) ---- */

/* V071 */
static void rst_is_judged_by_its_sequence(void **state)
{
    struct peer *p = *state;
    for (int i = 0; i < N_SYNCHRONIZED; i++) {
        start_in(p, synchronized[i]);
        const uint32_t wnd = window(p), outside[] = {p->seq - 1, p->seq - wnd, p->seq + wnd,
                                            p->seq + wnd + 1, p->seq + 0x80000000u};
        for (size_t at = 0; at < sizeof outside / sizeof outside[0]; at++) {
            inject(p, RST, outside[at], 0, 0);
            expect_nothing(p);
            assert_int_equal(drops(p, TERN_DROP_TCP_RST_WINDOW), at + 1);
        }
        const uint32_t inside[] = {p->seq + 1, p->seq + wnd / 2, p->seq + wnd - 1};
        for (size_t at = 0; at < sizeof inside / sizeof inside[0]; at++) {
            advance_ms(p, CHALLENGE_MS);
            skip_segments(p); /* a FIN that is repeated */
            inject(p, RST, inside[at], 0, 0);
            expect_ack_of_now(p);
            assert_int_equal(drops(p, TERN_DROP_TCP_CHALLENGE), at + 1);
        }
        assert_state(p, synchronized[i]);
        inject(p, RST, p->seq, 0, 0);
        expect_nothing(p);
        assert_over(p, ECONNRESET);
    }
}

static void rst_with_data_and_ack_resets(void **state) /* SHLD-2 */
{
    struct peer *p = *state;
    start_in(p, TERN_ESTABLISHED);
    inject(p, RST | ACK, 1, 77, 20); /* its ACK does not matter */
    expect_nothing(p);
    assert_over(p, ECONNRESET);
}

static void rst_at_shut_window_resets(void **state) /* MUST-66 */
{
    struct peer *p = *state;
    p->cfg.stack.rcv_buf_bytes = 2000;
    establish(p);
    inject(p, ACK, 1, 1, 1000);
    inject(p, ACK, 1001, 1, 1000);
    skip_segments(p);
    assert_int_equal(p->heard.wnd, 0);
    inject(p, RST, 2002, 0, 0);
    assert_state(p, TERN_ESTABLISHED);
    inject(p, RST, 2001, 0, 0);
    assert_int_equal(state_of(p->s), TERN_CLOSED);
    expect_read(p, 2000); /* what had come is still there */
    assert_over(p, ECONNRESET);
}

/* V131 */
static void rst_ignores_paws(void **state) /* 7323-9 */
{
    struct peer *p = *state;
    p->offer.has_ts = true;
    establish(p);
    inject_opts(p, RST, 1, 0, 0, &(struct opts){.has_ts = true, .ts_val = p->ts_val - 1000});
    assert_over(p, ECONNRESET);
    peer_restart(p);
    establish(p);
    inject_opts(p, RST, 1, 0, 0, &(struct opts){0});
    assert_over(p, ECONNRESET);
}

/* ---- SYN (RFC 5961 §4.2) ---- */

/* V056, V072 */
static void syn_is_challenged_whatever_its_sequence(void **state)
{
    struct peer *p = *state;
    for (int i = 0; i < N_SYNCHRONIZED; i++) {
        start_in(p, synchronized[i]);
        const uint32_t wnd = window(p),
                       seqs[] = {0, p->seq - 1, p->seq, p->seq + 1, p->seq + wnd, 0x80000000u};
        for (size_t at = 0; at < sizeof seqs / sizeof seqs[0]; at++) {
            advance_ms(p, CHALLENGE_MS);
            skip_segments(p);
            inject(p, at % 2 ? SYN | ACK : SYN, seqs[at], p->ack, 0);
            expect_ack_of_now(p);
        }
        assert_state(p, synchronized[i]);
    }
}

static void syn_without_timestamp_is_challenged_too(void **state)
{
    struct peer *p = *state;
    p->offer.has_ts = true;
    establish(p);
    inject_opts(p, SYN, 4711, 0, 0, &(struct opts){.has_mss = true, .mss = 1000});
    expect_segment(p, ACK, 1, 1, 0);
    advance_ms(p, 2 * CHALLENGE_MS);
    inject_opts(p, SYN, 4711, 0, 0, &(struct opts){.has_ts = true, .ts_val = p->ts_val - 5});
    expect_segment(p, ACK, 1, 1, 0);
    assert_int_equal(drops(p, TERN_DROP_TCP_CHALLENGE), 2);
}

/** A peer that has restarted gets rid of our half by answering the challenge (RFC 9293 §3.5.1). */
static void restarted_peer_resets_by_answering_the_challenge(void **state)
{
    struct peer *p = *state;
    start_in(p, TERN_ESTABLISHED);
    inject(p, SYN, 4711, 0, 0);
    const struct heard *h = expect_segment(p, ACK, 1, 1, 0);
    inject(p, RST, h->ack, 0, 0);
    assert_over(p, ECONNRESET);
}

/* ---- ACK (fifth; RFC 5961 §5.2) ---- */

/* V073, V125 */
static void ack_of_unsent_is_answered_and_dropped(void **state) /* 5961-5 */
{
    struct peer *p = *state;
    for (int i = 0; i < N_SYNCHRONIZED; i++) {
        start_in(p, synchronized[i]);
        inject(p, ACK, p->seq, p->ack + 1, 0);
        expect_ack_of_now(p);
        assert_state(p, synchronized[i]);
        assert_int_equal(drops(p, TERN_DROP_TCP_ACK_RANGE), 1);
        inject(p, ACK, p->seq, p->ack + 0x7fffffff, 10); /* data goes with its ACK */
        assert_int_equal(tern_sock_ready(p->s) & TERN_READY_ERROR, 0);
        assert_int_equal(stats(p)->rx_payload_bytes, 0);
    }
}

/* V073 */
static void ack_older_than_the_largest_window_is_dropped(void **state) /* MAY-12 */
{
    struct peer *p = *state;
    p->wnd = 1000;
    establish(p);
    inject(p, ACK, 1, 1u - 1001, 10);
    expect_segment(p, ACK, 1, 1, 0);
    assert_int_equal(drops(p, TERN_DROP_TCP_ACK_RANGE), 1);
    inject(p, ACK, 1, 1u - 1000, 10);
    expect_segment(p, ACK, 1, 11, 0);
    expect_read(p, 10);
}

static void old_ack_brings_data_but_no_window(void **state)
{
    struct peer *p = *state;
    establish(p);
    write_bytes(p, 100);
    skip_segments(p);
    inject(p, ACK, 1, 101, 0);
    p->wnd = 5;
    inject(p, ACK, 1, 50, 10);
    expect_segment(p, ACK, 101, 11, 0);
    assert_int_equal(describe(p).snd_wnd_bytes, 65535);
}

/* V055 */
static void ack_flag_missing_is_dropped(void **state)
{
    struct peer *p = *state;
    for (int i = 0; i < N_SYNCHRONIZED; i++) {
        start_in(p, synchronized[i]);
        inject(p, PSH, p->seq, 0, 100);
        inject(p, FIN, p->seq, 0, 0);
        inject(p, URG, p->seq, 0, 1);
        expect_nothing(p);
        assert_state(p, synchronized[i]);
        assert_int_equal(drops(p, TERN_DROP_TCP_NO_ACK), 3);
    }
}

static void window_is_taken_from_the_newest_segment_only(void **state) /* SND.WL1, SND.WL2 */
{
    struct peer *p = *state;
    establish(p);
    p->wnd = 2000;
    inject(p, ACK, 1, 1, 100);
    assert_int_equal(describe(p).snd_wnd_bytes, 2000);
    p->wnd = 9000;
    inject(p, ACK, 1, 1, 150); /* sent before: only its tail is new */
    assert_int_equal(describe(p).snd_wnd_bytes, 9000);
    p->wnd = 100;
    inject(p, ACK, 51, 1, 20); /* wholly old */
    assert_int_equal(describe(p).snd_wnd_bytes, 9000);
    p->wnd = 8000;
    inject(p, ACK, 161, 1, 10); /* overtakes … */
    p->wnd = 7000;
    inject(p, ACK, 151, 1, 10); /* … this one */
    assert_int_equal(describe(p).snd_wnd_bytes, 8000);
}

static void window_is_unsigned(void **state) /* MUST-1 */
{
    struct peer *p = *state;
    p->wnd = 0x8000;
    establish(p);
    assert_int_equal(describe(p).snd_wnd_bytes, 0x8000);
    p->wnd = 0xffff;
    inject(p, ACK, 1, 1, 10);
    assert_int_equal(describe(p).snd_wnd_bytes, 0xffff);
    expect_segment(p, ACK, 1, 11, 0);
    write_bytes(p, 1000);
    expect_segment(p, ACK, 1, 11, 1000);
}

/* ---- any control bits ---- */

/** V056:
 * Each of the 64 combinations, in every state, at three sequences: no crash, no leak, books right.
 */
static void all_control_bits_do_no_harm(void **state)
{
    struct peer *p = *state;
    for (unsigned flags = 0; flags < 64; flags++) {
        for (int i = 0; i < N_SYNCHRONIZED; i++) {
            start_in(p, synchronized[i]);
            p->no_edge = true;
            p->urg = 3;
            inject(p, (uint8_t)flags, p->seq + 1, p->ack, 5);
            inject(p, (uint8_t)flags, p->seq, p->ack, 5);
            inject(p, (uint8_t)flags, p->seq - 1, p->ack - 1, 0);
            inject(p, (uint8_t)(flags | ECE | CWR), p->seq, p->ack, 0);
            p->urg = 0;
            skip_segments(p);
            p->no_edge = false;
        }
    }
}

/* V057, V061 */
static void all_control_bits_to_listen_and_syn_sent_do_no_harm(void **state)
{
    struct peer *p = *state;
    for (unsigned flags = 0; flags < 64; flags++) {
        for (int active = 0; active < 2; active++) {
            peer_restart(p);
            if (active)
                connect_out(p);
            else
                listen_here(p);
            skip_segments(p);
            inject(p, (uint8_t)flags, 0, 1, 5);
            inject(p, (uint8_t)flags, 1, 1, 5);
            p->no_edge = true;
            skip_segments(p);
            p->no_edge = false;
        }
    }
}

/* ---- timestamps (RFC 7323) ---- */

static void inject_ts(struct peer *p, uint32_t seq, uint32_t len, uint32_t ts_val)
{
    inject_opts(
        p, ACK, seq, 1, len, &(struct opts){.has_ts = true, .ts_val = ts_val, .ts_ecr = p->ts_ecr});
}

static void establish_with_timestamps(struct peer *p)
{
    p->offer.has_ts = true;
    establish(p);
}

/* V215 */
static void older_timestamp_is_acked_and_dropped(void **state) /* 7323-6 */
{
    struct peer *p = *state;
    establish_with_timestamps(p);
    inject_ts(p, 1, 100, p->ts_val - 1);
    const struct heard *h = expect_segment(p, ACK, 1, 1, 0);
    assert_int_equal(h->opts.ts_ecr, p->ts_val);
    assert_int_equal(drops(p, TERN_DROP_TCP_PAWS), 1);
    inject_ts(p, 1, 100, p->ts_val);
    expect_segment(p, ACK, 1, 101, 0);
}

/* V215 */
static void timestamps_wrap(void **state)
{
    struct peer *p = *state;
    p->ts_val = 0xffffffff;
    establish_with_timestamps(p);
    inject_ts(p, 1, 10, 5);
    assert_int_equal(expect_segment(p, ACK, 1, 11, 0)->opts.ts_ecr, 5);
    inject_ts(p, 11, 10, 0xfffffff0);
    assert_int_equal(expect_segment(p, ACK, 1, 11, 0)->opts.ts_ecr, 5);
}

static void missing_timestamp_is_dropped_silently(void **state) /* 7323-8 */
{
    struct peer *p = *state;
    establish_with_timestamps(p);
    inject_opts(p, ACK, 1, 1, 100, &(struct opts){0});
    expect_nothing(p);
    assert_int_equal(drops(p, TERN_DROP_TCP_TS_MISSING), 1);
}

/* V131 */
static void idle_timestamp_expires_after_24_days(void **state) /* 7323-7 */
{
    struct peer *p = *state;
    establish_with_timestamps(p);
    advance_ms(p, 23ull * 24 * 3600 * 1000);
    inject_ts(p, 1, 10, p->ts_val - 1);
    expect_segment(p, ACK, 1, 1, 0);
    advance_ms(p, 2ull * 24 * 3600 * 1000);
    inject_ts(p, 1, 10, p->ts_val - 1);
    assert_int_equal(expect_segment(p, ACK, 1, 11, 0)->opts.ts_ecr, p->ts_val - 1);
}

/** With a delayed ACK the echo is that of the first of two segments (7323-5). */
static void delayed_ack_echoes_the_first_timestamp(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.ack_policy = TERN_ACK_DELAYED;
    establish_with_timestamps(p);
    inject_ts(p, 1, 1000, p->ts_val + 10);
    expect_nothing(p);
    inject_ts(p, 1001, 1900, p->ts_val + 20);
    assert_int_equal(expect_segment(p, ACK, 1, 2901, 0)->opts.ts_ecr, p->ts_val + 10);
    inject_ts(p, 2901, 10, p->ts_val + 30);
    expect_after_ms(p, 40);
    assert_int_equal(expect_segment(p, ACK, 1, 2911, 0)->opts.ts_ecr, p->ts_val + 30);
}

/* V130 */
static void out_of_order_timestamp_is_not_echoed(void **state)
{
    struct peer *p = *state;
    establish_with_timestamps(p);
    inject_ts(p, 101, 100, p->ts_val + 50);
    assert_int_equal(expect_segment(p, ACK, 1, 1, 0)->opts.ts_ecr, p->ts_val);
    inject_ts(p, 1, 100, p->ts_val + 60);
    assert_int_equal(expect_segment(p, ACK, 1, 201, 0)->opts.ts_ecr, p->ts_val + 60);
}

/** V130: A forged timestamp far ahead must not shut out the peer (CVE-2005-0356). */
static void timestamp_with_bad_ack_is_not_believed(void **state)
{
    struct peer *p = *state;
    establish_with_timestamps(p);
    const struct opts ahead = {.has_ts = true, .ts_val = p->ts_val + 0x7fffffff};
    inject_opts(p, ACK, 1, 999, 10, &ahead);
    inject_opts(p, ACK, 1, 1u - 70000, 10, &ahead);
    inject_opts(p, ACK, 1 + 0x40000000, 1, 10, &ahead);
    skip_segments(p);
    inject_ts(p, 1, 10, p->ts_val);
    assert_int_equal(expect_segment(p, ACK, 1, 11, 0)->opts.ts_ecr, p->ts_val);
}

/* ---- payload at the window's edges ---- */

static void segment_overlapping_the_left_edge_is_trimmed(void **state)
{
    struct peer *p = *state;
    start_in(p, TERN_ESTABLISHED);
    inject(p, ACK, 1, 1, 100);
    expect_segment(p, ACK, 1, 101, 0);
    inject(p, ACK, 51, 1, 100);
    expect_segment(p, ACK, 1, 151, 0);
    inject(p, ACK, 1, 1, 151);
    expect_segment(p, ACK, 1, 152, 0);
    inject(p, FIN | ACK, 100, 1, 100);
    expect_segment(p, ACK, 1, 201, 0);
    expect_read(p, 199);
    expect_eof(p);
}

static void wholly_old_segment_is_acked_at_once(void **state)
{
    struct peer *p = *state;
    start_in(p, TERN_ESTABLISHED);
    inject(p, ACK, 1, 1, 100);
    expect_segment(p, ACK, 1, 101, 0);
    inject(p, ACK, 1, 1, 100);
    expect_segment(p, ACK, 1, 101, 0);
    inject(p, ACK, 100, 1, 1);
    expect_segment(p, ACK, 1, 101, 0);
    assert_int_equal(drops(p, TERN_DROP_TCP_OUT_OF_WINDOW), 2);
    expect_read(p, 100);
}

/* V122 */
static void segment_overlapping_the_right_edge_is_trimmed(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.rcv_buf_bytes = 1000;
    establish(p);
    inject(p, FIN | ACK, 1, 1, 1200);
    const struct heard *h = expect_segment(p, ACK, 1, 1001, 0);
    assert_int_equal(h->wnd, 0);
    expect_read(p, 1000);
    expect_unreadable(p); /* no FIN either: it lies outside */
    assert_int_equal(state_of(p->s), TERN_ESTABLISHED);
}

static void segment_beyond_the_right_edge_is_acked_and_dropped(void **state)
{
    struct peer *p = *state;
    start_in(p, TERN_ESTABLISHED);
    const uint32_t wnd = window(p);
    inject(p, ACK, 1 + wnd, 1, 10);
    expect_segment(p, ACK, 1, 1, 0);
    inject(p, ACK, 1 + 0x7fffff00, 1, 10);
    expect_segment(p, ACK, 1, 1, 0);
    assert_int_equal(drops(p, TERN_DROP_TCP_OUT_OF_WINDOW), 2);
    inject(p, ACK, wnd, 1, 1); /* the last octet of the window: held */
    expect_segment(p, ACK, 1, 1, 0);
    assert_int_equal(drops(p, TERN_DROP_TCP_OUT_OF_WINDOW), 2);
}

/* V078 */
static void shut_window_takes_acks_and_answers_data(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.rcv_buf_bytes = 1000;
    establish(p);
    write_bytes(p, 10);
    inject(p, ACK, 1, 1, 1000);
    skip_segments(p);
    assert_int_equal(p->heard.wnd, 0);
    inject(p, ACK, 1001, 11, 1); /* a probe that acknowledges */
    expect_segment(p, ACK, 11, 1001, 0);
    assert_int_equal(describe(p).unacked_bytes, 0);
    inject(p, ACK, 1001, 11, 0);
    expect_nothing(p);
    expect_read(p, 1000);
    assert_int_equal(expect_segment(p, ACK, 11, 1001, 0)->wnd, 1000);
}

/* ---- challenges are bounded, and nobody answers for ever ---- */

/* V060, V071 */
static void challenges_of_a_connection_are_bounded(void **state) /* 5961-6 */
{
    struct peer *p = *state;
    start_in(p, TERN_ESTABLISHED);
    for (int i = 0; i < 100; i++)
        inject(p, RST, 5, 0, 0);
    assert_int_equal(skip_segments(p), 1);
    assert_int_equal(drops(p, TERN_DROP_TCP_CHALLENGE_RATE), 99);
    for (int i = 0; i < 50; i++) { /* 5 s */
        advance_ms(p, 100);
        inject(p, i % 2 ? RST : SYN, 5, 0, 0);
    }
    assert_in_range(skip_segments(p), 8, 10);
}

/** The limit is the connection's own: it cannot be probed through another (CVE-2016-5696). */
static void challenges_of_connections_are_independent(void **state) /* 5961-7 */
{
    struct peer *p = *state;
    start_in(p, TERN_ESTABLISHED);
    for (int i = 0; i < 500; i++)
        inject(p, RST, 5, 0, 0);
    assert_int_equal(skip_segments(p), 1);
    p->port++;
    establish(p);
    inject(p, RST, 5, 0, 0);
    expect_segment(p, ACK, 1, 1, 0);
}

static void challenges_go_on_for_ever(void **state)
{
    struct peer *p = *state;
    start_in(p, TERN_ESTABLISHED);
    for (int i = 0; i < 600; i++) {
        inject(p, RST, 5, 0, 0);
        assert_int_equal(skip_segments(p), 1);
        advance_ms(p, 550);
    }
}

/** V060, V078: Two ends that disagree: each ACK is out of the other's window; it must die down. */
static void empty_acks_out_of_window_are_not_answered_each(void **state)
{
    struct peer *p = *state;
    start_in(p, TERN_ESTABLISHED);
    uint32_t answers = 0;
    inject(p, ACK, 1 + 200000, 1, 0);
    for (int i = 0; i < 1000 && poll_segment(p); i++) {
        p->has_heard = false;
        answers++;
        inject(p, ACK, 1 + 200000, 1, 0);
    }
    assert_int_equal(answers, 1);
    inject(p, ACK, 1, 99999, 0); /* the same with the acknowledgement out of range */
    expect_nothing(p);
}

/* V078 */
static void keepalive_probe_of_peer_is_answered(void **state) /* MAY-6 */
{
    struct peer *p = *state;
    start_in(p, TERN_ESTABLISHED);
    inject(p, ACK, 0, 1, 0);
    expect_segment(p, ACK, 1, 1, 0);
    inject(p, ACK, 0, 1, 1); /* with a garbage octet */
    expect_segment(p, ACK, 1, 1, 0);
    expect_unreadable(p);
}

/* ---- urgent data is in line (RFC 6093) ---- */

/* V043, V046..V049 */
static void urgent_pointer_is_no_matter(void **state) /* MUST-30, MUST-31 */
{
    struct peer *p = *state;
    static const uint16_t pointers[] = {0, 1, 50, 99, 100, 101, 65535};
    start_in(p, TERN_ESTABLISHED);
    for (uint32_t i = 0; i < sizeof pointers / sizeof pointers[0]; i++) {
        p->urg = pointers[i];
        inject(p, URG | ACK, 1 + 100 * i, 1, 100);
        expect_segment(p, ACK, 1, 101 + 100 * i, 0);
    }
    inject(p, URG | ACK, 701, 1, 0);
    expect_nothing(p);
    expect_read(p, 700);
}

/* ---- sequence numbers wrap ---- */

/* V059 */
static void sequences_wrap_in_both_directions(void **state)
{
    struct peer *p = *state;
    static const uint32_t isns[] = {0, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffff000, 0x7ffff000};
    for (size_t i = 0; i < sizeof isns / sizeof isns[0]; i++) {
        peer_restart(p);
        p->cfg.stack.pins.has_isn = true;
        p->cfg.stack.pins.isn = isns[i];
        p->cfg.stack.nodelay = true;
        p->iss = isns[sizeof isns / sizeof isns[0] - 1 - i];
        p->offer.sack_ok = true;
        establish(p);
        assert_int_equal(p->irs, isns[i]);
        for (uint32_t n = 0; n < 10; n++) {
            inject(p, ACK, 501 + n * 1000, 1 + n * 1000, 500);
            expect_segment(p, ACK, 1 + n * 1000, 1 + n * 1000, 0);
            inject(p, ACK, 1 + n * 1000, 1 + n * 1000, 500);
            expect_segment(p, ACK, 1 + n * 1000, 1001 + n * 1000, 0);
            expect_read(p, 1000);
            write_bytes(p, 1000);
            expect_segment(p, ACK, 1 + n * 1000, 1001 + n * 1000, 1000);
        }
        inject(p, ACK, 10001, 10001, 0);
        p->seq = p->ack = 10001;
        reach(p, TERN_TIME_WAIT);
    }
}

/* ---- checksums and nonsense ---- */

/* V189 */
static void bad_checksum_is_dropped(void **state) /* MUST-3 */
{
    struct peer *p = *state;
    struct frame f;
    start_in(p, TERN_ESTABLISHED);
    for (uint32_t at = 0; at < 10; at++) {
        write_segment(p, &f, ACK, 1, 1, 10, NULL, 0);
        f.b[f.n - 1 - at] ^= 0x40;
        feed(p, &f);
    }
    expect_nothing(p);
    expect_unreadable(p);
    assert_int_equal(drops(p, TERN_DROP_TCP_CSUM), 10);
}

static void packet_bytes_behind_the_ip_length_are_not_payload(void **state)
{
    struct peer *p = *state;
    struct frame f;
    start_in(p, TERN_ESTABLISHED);
    write_segment(p, &f, ACK, 1, 1, 10, NULL, 0);
    frame_fill(&f, 0xee, 36);
    feed(p, &f);
    expect_segment(p, ACK, 1, 11, 0);
    expect_read(p, 10);
    expect_unreadable(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(rst_is_judged_by_its_sequence),
        BOTH(rst_with_data_and_ack_resets),
        BOTH(rst_at_shut_window_resets),
        BOTH(rst_ignores_paws),
        BOTH(syn_is_challenged_whatever_its_sequence),
        BOTH(syn_without_timestamp_is_challenged_too),
        BOTH(restarted_peer_resets_by_answering_the_challenge),
        BOTH(ack_of_unsent_is_answered_and_dropped),
        BOTH(ack_older_than_the_largest_window_is_dropped),
        BOTH(old_ack_brings_data_but_no_window),
        BOTH(ack_flag_missing_is_dropped),
        BOTH(window_is_taken_from_the_newest_segment_only),
        BOTH(window_is_unsigned),
        BOTH(all_control_bits_do_no_harm),
        BOTH(all_control_bits_to_listen_and_syn_sent_do_no_harm),
        BOTH(older_timestamp_is_acked_and_dropped),
        BOTH(timestamps_wrap),
        BOTH(missing_timestamp_is_dropped_silently),
        BOTH(idle_timestamp_expires_after_24_days),
        BOTH(delayed_ack_echoes_the_first_timestamp),
        BOTH(out_of_order_timestamp_is_not_echoed),
        BOTH(timestamp_with_bad_ack_is_not_believed),
        BOTH(segment_overlapping_the_left_edge_is_trimmed),
        BOTH(wholly_old_segment_is_acked_at_once),
        BOTH(segment_overlapping_the_right_edge_is_trimmed),
        BOTH(segment_beyond_the_right_edge_is_acked_and_dropped),
        BOTH(shut_window_takes_acks_and_answers_data),
        BOTH(challenges_of_a_connection_are_bounded),
        BOTH(challenges_of_connections_are_independent),
        BOTH(challenges_go_on_for_ever),
        BOTH(empty_acks_out_of_window_are_not_answered_each),
        BOTH(keepalive_probe_of_peer_is_answered),
        BOTH(urgent_pointer_is_no_matter),
        BOTH(sequences_wrap_in_both_directions),
        BOTH(bad_checksum_is_dropped),
        BOTH(packet_bytes_behind_the_ip_length_are_not_payload),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
