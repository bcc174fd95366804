/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP Fast Open (RFC 7413): the client against scripted servers, what it keeps of each and whom it
 * leaves alone. */
#include "tcp_peer.h"

enum { COOKIE_BYTES = 8, REQUEST_BYTES = 100, MINUTE_MS = 60000 };

/** Connect with `n` early bytes. */
static void connect_early(struct peer *p, uint32_t n)
{
    uint8_t bytes[4096];
    assert_true(n <= sizeof bytes);
    for (uint32_t i = 0; i < n; i++)
        bytes[i] = pattern(1 + i);
    p->cfg.stack.tfo_connect = true;
    peer_open(p);
    p->n_sent = n;
    assert_int_equal(
        tern_sock_connect_early(p->e, &p->them, p->port, NULL, p->tern_port, bytes, n, &p->s), 0);
}

static void answer(struct peer *p, uint32_t ack, const uint8_t *cookie, uint8_t n_cookie)
{
    struct opts o = p->offer;
    o.ts_val = p->ts_val;
    o.ts_ecr = p->ts_ecr;
    o.has_tfo = n_cookie > 0;
    o.n_tfo = n_cookie;
    if (n_cookie > 0)
        memcpy(o.tfo, cookie, n_cookie);
    inject_opts(p, SYN | ACK, 0, ack, 0, &o);
}

static const uint8_t given[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/** End the connection of the test without a trace and make ready for the next. */
static void next_connect(struct peer *p)
{
    tern_sock_abort(p->s);
    skip_segments(p);
    p->s = NULL;
    p->tern_port++;
    p->iss += 100000;
    p->ts = p->edge_known = false;
    p->n_read = p->n_sent = 0;
}

/** A first connection that brings a cookie. */
static void learn_cookie(struct peer *p, uint8_t n_cookie)
{
    connect_early(p, REQUEST_BYTES);
    const struct heard *h = expect_segment(p, SYN, 0, 0, 0);
    assert_true(h->opts.has_tfo);
    assert_int_equal(h->opts.n_tfo, 0);
    answer(p, 1, given, n_cookie);
    expect_segment(p, ACK, 1, 1, REQUEST_BYTES);
    assert_state(p, TERN_ESTABLISHED);
    next_connect(p);
}

/** A connection whose SYN, by the cookie of the one before, has carried REQUEST_BYTES. */
static void send_early_request(struct peer *p)
{
    learn_cookie(p, COOKIE_BYTES);
    connect_early(p, REQUEST_BYTES);
    expect_segment(p, SYN, 0, 0, REQUEST_BYTES);
}

static void client_without_early_data_is_as_ever(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.tfo_connect = true;
    connect_out(p);
    assert_false(expect_segment(p, SYN, 0, 0, 0)->opts.has_tfo);
    assert_int_equal(tern_sock_send(p->s, "x", 1), -EAGAIN);
}

static void client_early_data_without_fast_open_follows_the_handshake(void **state)
{
    struct peer *p = *state;
    uint8_t bytes[REQUEST_BYTES];
    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = pattern(1 + i);
    peer_open(p);
    assert_int_equal(tern_sock_connect_early(
                         p->e, &p->them, p->port, NULL, p->tern_port, bytes, sizeof bytes, &p->s),
        0);
    assert_false(expect_segment(p, SYN, 0, 0, 0)->opts.has_tfo);
    answer(p, 1, NULL, 0);
    expect_segment(p, ACK, 1, 1, REQUEST_BYTES);
}

static void client_early_data_beyond_the_queue_is_refused(void **state)
{
    struct peer *p = *state;
    static const uint8_t bytes[2000];
    p->cfg.stack.snd_buf_bytes = 1000;
    peer_open(p);
    assert_int_equal(
        tern_sock_connect_early(p->e, &p->them, p->port, NULL, 0, bytes, 1001, &p->s), -EINVAL);
    assert_int_equal(
        tern_sock_connect_early(p->e, &p->them, p->port, NULL, 0, NULL, 1, &p->s), -EINVAL);
    assert_int_equal(
        tern_sock_connect_early(p->e, &p->them, p->port, NULL, 0, bytes, 1000, &p->s), 0);
}

static void client_asks_then_sends_data_in_the_syn(void **state)
{
    struct peer *p = *state;
    learn_cookie(p, COOKIE_BYTES);
    connect_early(p, REQUEST_BYTES);
    const struct heard *h = expect_segment(p, SYN, 0, 0, REQUEST_BYTES);
    assert_int_equal(h->opts.n_tfo, COOKIE_BYTES);
    assert_memory_equal(h->opts.tfo, given, COOKIE_BYTES);
    assert_true(h->opts.has_mss && h->opts.has_ts && h->opts.sack_ok && h->opts.has_wscale);
    answer(p, 1 + REQUEST_BYTES, NULL, 0);
    expect_segment(p, ACK, 1 + REQUEST_BYTES, 1, 0);
    assert_state(p, TERN_ESTABLISHED);
    assert_int_equal(describe(p).unacked_bytes, 0);
    assert_int_equal(stats(p)->tfo_data_acked, 1);
    assert_int_equal(stats(p)->tfo_data_again, 0);
    write_bytes(p, 10);
    expect_segment(p, ACK, 1 + REQUEST_BYTES, 1, 10);
    inject(p, ACK, 1, 11 + REQUEST_BYTES, 0);
    expect_silence_ms(p, 10000);
}

static void client_longest_cookie_fits(void **state)
{
    struct peer *p = *state;
    learn_cookie(p, 16);
    connect_early(p, REQUEST_BYTES);
    const struct heard *h = expect_segment(p, SYN, 0, 0, REQUEST_BYTES);
    assert_int_equal(h->opts.n_tfo, 16);
    assert_memory_equal(h->opts.tfo, given, 16);
    assert_true(h->opts.has_ts && h->opts.sack_ok && h->opts.has_wscale);
}

static void client_sends_what_fits_by_the_mss_it_was_told(void **state) /* RFC 7413 §4.2.1 */
{
    struct peer *p = *state;
    p->offer.mss = 600;
    learn_cookie(p, COOKIE_BYTES);
    connect_early(p, 1500);
    const uint32_t opts = 20 + 12; /* mss, sackOK, TS, wscale; nop, nop, cookie */
    expect_segment(p, SYN, 0, 0, 600 - opts);
    answer(p, 1 + 600 - opts, NULL, 0);
    expect_segment(p, ACK, 1 + 600 - opts, 1, 600);
    inject(p, ACK, 1, 1 + 1200 - opts, 0);
    expect_segment(p, ACK, 1 + 1200 - opts, 1, 300 + opts);
    inject(p, ACK, 1, 1501, 0);
    expect_silence_ms(p, 10000);
}

static void client_data_that_is_not_acked_is_sent_again(void **state)
{
    struct peer *p = *state;
    send_early_request(p);
    answer(p, 1, NULL, 0);
    expect_segment(p, ACK, 1, 1, REQUEST_BYTES);
    assert_int_equal(stats(p)->tfo_data_again, 1);
    inject(p, ACK, 1, 1 + REQUEST_BYTES, 0);
    expect_silence_ms(p, 10000);
}

static void client_data_acked_in_part_goes_on_from_there(void **state)
{
    struct peer *p = *state;
    send_early_request(p);
    answer(p, 41, NULL, 0);
    expect_segment(p, ACK, 41, 1, REQUEST_BYTES - 40);
}

static void client_refuses_acks_of_what_it_never_sent(void **state)
{
    struct peer *p = *state;
    send_early_request(p);
    answer(p, 2 + REQUEST_BYTES, NULL, 0);
    expect_flags(p, RST);
    answer(p, 0, NULL, 0);
    expect_flags(p, RST);
    assert_state(p, TERN_SYN_SENT);
    inject(p, RST | ACK, 0, 2 + REQUEST_BYTES, 0);
    assert_state(p, TERN_SYN_SENT);
    inject(p, RST | ACK, 0, 1 + REQUEST_BYTES, 0);
    assert_over(p, ECONNREFUSED);
}

static void client_repeats_the_syn_bare(void **state) /* RFC 7413 §4.1.3.1 */
{
    struct peer *p = *state;
    send_early_request(p);
    expect_after_ms(p, 1000);
    assert_false(expect_segment(p, SYN, 0, 0, 0)->opts.has_tfo);
    answer(p, 1, NULL, 0);
    expect_segment(p, ACK, 1, 1, REQUEST_BYTES);
    inject(p, ACK, 1, 1 + REQUEST_BYTES, 0);
    expect_silence_ms(p, 10000);
}

static void client_late_answer_to_the_first_syn_counts(void **state)
{
    struct peer *p = *state;
    send_early_request(p);
    expect_after_ms(p, 1000);
    expect_segment(p, SYN, 0, 0, 0);
    answer(p, 1 + REQUEST_BYTES, NULL, 0);
    expect_segment(p, ACK, 1 + REQUEST_BYTES, 1, 0);
    assert_int_equal(describe(p).queued_bytes, 0);
}

/** What the next connect's SYN does. */
static const struct heard *next_syn(struct peer *p)
{
    next_connect(p);
    connect_early(p, REQUEST_BYTES);
    return expect_flags(p, SYN);
}

static void client_leaves_a_server_alone_that_drops_the_option(void **state)
{
    struct peer *p = *state;
    connect_early(p, REQUEST_BYTES);
    uint32_t wait_ms = MINUTE_MS;
    for (int i = 0; i < 4; i++, wait_ms *= 2) {
        assert_true(expect_segment(p, SYN, 0, 0, 0)->opts.has_tfo);
        expect_after_ms(p, 1000);
        assert_false(expect_segment(p, SYN, 0, 0, 0)->opts.has_tfo);
        answer(p, 1, NULL, 0); /* only the bare one gets through */
        assert_false(next_syn(p)->opts.has_tfo);
        advance_ms(p, wait_ms - 1000);
        skip_segments(p);
        assert_false(next_syn(p)->opts.has_tfo);
        advance_ms(p, 1000);
        next_connect(p);
        connect_early(p, REQUEST_BYTES);
    }
}

static void client_leaves_a_server_alone_that_has_no_cookies(void **state)
{
    struct peer *p = *state;
    connect_early(p, REQUEST_BYTES);
    assert_true(expect_segment(p, SYN, 0, 0, 0)->opts.has_tfo);
    answer(p, 1, NULL, 0);
    expect_segment(p, ACK, 1, 1, REQUEST_BYTES);
    assert_false(next_syn(p)->opts.has_tfo);
    advance_ms(p, MINUTE_MS);
    assert_true(next_syn(p)->opts.has_tfo);
    answer(p, 1, given, COOKIE_BYTES); /* it has them now */
    assert_int_equal(next_syn(p)->opts.n_tfo, COOKIE_BYTES);
}

static void client_success_ends_the_distrust(void **state)
{
    struct peer *p = *state;
    send_early_request(p);
    answer(p, 1, NULL, 0);
    assert_int_equal(next_syn(p)->len, 0);
    advance_ms(p, MINUTE_MS);
    assert_int_equal(next_syn(p)->len, REQUEST_BYTES); /* the cookie was kept */
    answer(p, 1 + REQUEST_BYTES, NULL, 0);
    assert_int_equal(next_syn(p)->len, REQUEST_BYTES);
    answer(p, 1, NULL, 0);
    next_connect(p);
    advance_ms(p, MINUTE_MS); /* one minute again, not two */
    connect_early(p, REQUEST_BYTES);
    expect_segment(p, SYN, 0, 0, REQUEST_BYTES);
}

static void client_takes_over_a_new_cookie(void **state)
{
    struct peer *p = *state;
    send_early_request(p);
    answer(p, 1, given + 4, 6);
    expect_segment(p, ACK, 1, 1, REQUEST_BYTES);
    const struct heard *h = next_syn(p);
    assert_int_equal(h->opts.n_tfo, 6);
    assert_memory_equal(h->opts.tfo, given + 4, 6);
}

static void client_cookies_are_by_server_and_bounded(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.tfo_peers_max = 4;
    learn_cookie(p, COOKIE_BYTES);
    for (uint8_t i = 1; i <= 5; i++) { /* others take all places, by turns */
        p->them.b[15] = (uint8_t)(2 + i);
        learn_cookie(p, COOKIE_BYTES);
    }
    for (uint8_t i = 0; i <= 5; i++) {
        p->them.b[15] = (uint8_t)(7 - i); /* the last first */
        connect_early(p, REQUEST_BYTES);
        expect_segment(p, SYN, 0, 0, i < 4 ? REQUEST_BYTES : 0);
        next_connect(p);
    }
}

static void client_crossed_syn_takes_the_data_back(void **state)
{
    struct peer *p = *state;
    send_early_request(p);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    inject(p, ACK, 1, 1, 0);
    assert_state(p, TERN_ESTABLISHED);
    expect_segment(p, ACK, 1, 1, REQUEST_BYTES);
}

static void client_that_gives_up_frees_its_data(void **state)
{
    struct peer *p = *state;
    send_early_request(p);
    while (state_of(p->s) == TERN_SYN_SENT)
        advance_ms(p, 1000);
    skip_segments(p);
    assert_over(p, ETIMEDOUT);
}

static void client_leaves_a_server_alone_that_never_answered(void **state) /* RFC 7413 §4.1.3.1 */
{
    struct peer *p = *state;
    p->cfg.stack.syn_timeout_ms = 3000;
    send_early_request(p);
    while (state_of(p->s) == TERN_SYN_SENT)
        advance_ms(p, 100);
    skip_segments(p);
    const struct heard *h = next_syn(p);
    assert_false(h->opts.has_tfo);
    assert_int_equal(h->len, 0);
    advance_ms(p, MINUTE_MS);
    skip_segments(p);
    assert_int_equal(next_syn(p)->len, REQUEST_BYTES);
}

static void client_may_queue_more_behind_early_data(void **state)
{
    struct peer *p = *state;
    uint8_t bytes[4000];
    static const struct tern_app app = {0};
    p->cfg.stack.tfo_connect = true;
    peer_open(p);
    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = pattern(1 + i);
    const struct tern_connect_opts opts = {.remote = p->them,
        .rport = p->port,
        .lport = p->tern_port,
        .app = &app,
        .early = bytes,
        .n_early = 10};
    struct tern_conn *c;
    assert_int_equal(tern_connect(p->sh, &opts, &c), 0);
    assert_int_equal(tern_send_bytes(p->sh, c, bytes + 10, 3990), 3990);
    assert_true(expect_segment(p, SYN, 0, 0, 0)->opts.has_tfo);
    answer(p, 1, given, COOKIE_BYTES);
    assert_int_equal(hear_payload(p), 4000 - 4000 % full_segment(p)); /* the rest is Nagle's */
    inject(p, ACK, 1, 4001, 0);
    tern_abort(p->sh, c);
    skip_segments(p);
    p->tern_port++;
    p->iss += 100000;
    p->ts = p->edge_known = false;
    connect_early(p, REQUEST_BYTES);
    expect_segment(p, SYN, 0, 0, REQUEST_BYTES); /* the cookie was not lost on the way */
}

/** The queue of data that the SYN-ACK took is free for others: there is only one. */
static void client_taken_data_frees_its_queue(void **state)
{
    struct peer *p = *state;
    struct tern_sock *other;
    const uint8_t first = pattern(1);
    p->cfg.stack.sending_max = 1;
    send_early_request(p);
    const uint64_t n_opens = stats(p)->active_opens;
    assert_int_equal(
        tern_sock_connect_early(p->e, &p->them, 99, NULL, 0, &first, 1, &other), -ENOBUFS);
    expect_nothing(p); /* not even a SYN: what it should carry found no queue */
    assert_int_equal(stats(p)->active_opens, n_opens);
    answer(p, 1 + REQUEST_BYTES, NULL, 0);
    expect_segment(p, ACK, 1 + REQUEST_BYTES, 1, 0);
    assert_state(p, TERN_ESTABLISHED);
    assert_int_equal(tern_sock_connect_early(p->e, &p->them, 99, NULL, 0, &first, 1, &other), 0);
    assert_int_equal(expect_flags(p, SYN)->len, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(client_without_early_data_is_as_ever),
        BOTH(client_early_data_without_fast_open_follows_the_handshake),
        BOTH(client_early_data_beyond_the_queue_is_refused),
        BOTH(client_asks_then_sends_data_in_the_syn),
        BOTH(client_longest_cookie_fits),
        BOTH(client_sends_what_fits_by_the_mss_it_was_told),
        BOTH(client_data_that_is_not_acked_is_sent_again),
        BOTH(client_data_acked_in_part_goes_on_from_there),
        BOTH(client_refuses_acks_of_what_it_never_sent),
        BOTH(client_repeats_the_syn_bare),
        BOTH(client_late_answer_to_the_first_syn_counts),
        BOTH(client_leaves_a_server_alone_that_drops_the_option),
        BOTH(client_leaves_a_server_alone_that_has_no_cookies),
        BOTH(client_success_ends_the_distrust),
        BOTH(client_takes_over_a_new_cookie),
        BOTH(client_cookies_are_by_server_and_bounded),
        BOTH(client_crossed_syn_takes_the_data_back),
        BOTH(client_that_gives_up_frees_its_data),
        BOTH(client_leaves_a_server_alone_that_never_answered),
        BOTH(client_may_queue_more_behind_early_data),
        BOTH(client_taken_data_frees_its_queue),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
