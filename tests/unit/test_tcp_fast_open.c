/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP Fast Open (RFC 7413): the server against scripted clients, the client against scripted
 * servers, and both against each other. */
#include "tcp_pair.h"

enum { COOKIE_BYTES = 8, REQUEST_BYTES = 100, MINUTE_MS = 60000 };

/* ---- helpers: the peer is the client ---- */

static void accept_fast(struct peer *p)
{
    p->cfg.stack.tfo_accept = true;
    listen_here(p);
}

/** Another connection of the same peer: new port and ISN, nothing heard yet. */
static void next_tuple(struct peer *p)
{
    p->port++;
    p->iss += 100000;
    p->ts = p->edge_known = false;
    p->n_read = p->n_sent = 0;
}

/** SYN with Fast Open option (n_cookie 0: request) and `len` bytes. */
static void inject_tfo_syn(struct peer *p, const uint8_t *cookie, uint8_t n_cookie, uint32_t len)
{
    struct opts o = p->offer;
    o.ts_val = p->ts_val;
    o.has_tfo = true;
    o.n_tfo = n_cookie;
    if (n_cookie > 0)
        memcpy(o.tfo, cookie, n_cookie);
    inject_opts(p, SYN, 0, 0, len, &o);
}

/** Ask for a cookie on a connection that is then reset. */
static void fetch_cookie(struct peer *p, uint8_t cookie[COOKIE_BYTES])
{
    inject_tfo_syn(p, NULL, 0, 0);
    const struct heard *h = expect_segment(p, SYN | ACK, 0, 1, 0);
    assert_true(h->opts.has_tfo);
    assert_int_equal(h->opts.n_tfo, COOKIE_BYTES);
    memcpy(cookie, h->opts.tfo, COOKIE_BYTES);
    inject(p, RST, 1, 0, 0);
    next_tuple(p);
}

/** A connection in SYN-RECEIVED that has delivered REQUEST_BYTES. */
static void open_fast(struct peer *p)
{
    uint8_t cookie[COOKIE_BYTES];
    if (p->listener == NULL)
        accept_fast(p);
    fetch_cookie(p, cookie);
    inject_tfo_syn(p, cookie, COOKIE_BYTES, REQUEST_BYTES);
    const struct heard *h = expect_segment(p, SYN | ACK, 0, 1 + REQUEST_BYTES, 0);
    assert_false(h->opts.has_tfo);
    accept_one(p);
    assert_state(p, TERN_SYN_RCVD);
    expect_read(p, REQUEST_BYTES);
    p->seq = 1 + REQUEST_BYTES;
    p->ack = 1;
}

/** As the SYN says nothing about a handshake that is ordinary: data is not acknowledged. */
static const struct heard *expect_ordinary_syn_ack(struct peer *p)
{
    const struct heard *h = expect_segment(p, SYN | ACK, 0, 1, 0);
    assert_null(tern_sock_accept(p->listener));
    assert_int_equal(stats(p)->tfo_accepted, 0);
    return h;
}

/* ---- server: cookies ---- */

static void server_off_ignores_option_and_data(void **state)
{
    struct peer *p = *state;
    listen_here(p);
    inject_tfo_syn(p, NULL, 0, REQUEST_BYTES);
    assert_false(expect_ordinary_syn_ack(p)->opts.has_tfo);
    inject(p, ACK, 1, 1, REQUEST_BYTES);
    accept_one(p);
    expect_read(p, REQUEST_BYTES);
}

static void server_sends_cookie_when_asked_and_takes_no_data_with_it(void **state)
{
    struct peer *p = *state;
    accept_fast(p);
    inject_tfo_syn(p, NULL, 0, REQUEST_BYTES);
    const struct heard *h = expect_ordinary_syn_ack(p);
    assert_int_equal(h->opts.n_tfo, COOKIE_BYTES);
    assert_int_equal(stats(p)->tfo_cookies_sent, 1);
    inject(p, ACK, 1, 1, REQUEST_BYTES);
    accept_one(p);
    expect_read(p, REQUEST_BYTES);
    expect_unreadable(p);
}

static void server_without_the_option_is_as_ever(void **state)
{
    struct peer *p = *state;
    accept_fast(p);
    inject_opts(p, SYN, 0, 0, REQUEST_BYTES, &p->offer);
    assert_false(expect_ordinary_syn_ack(p)->opts.has_tfo);
}

static void server_cookie_fits_beside_all_options(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[COOKIE_BYTES];
    p->offer = (struct opts){.has_mss = true,
        .mss = 1400,
        .has_ts = true,
        .sack_ok = true,
        .has_wscale = true,
        .wscale = 7};
    accept_fast(p);
    fetch_cookie(p, cookie);
    inject_tfo_syn(p, cookie, COOKIE_BYTES, 10);
    const struct heard *h = expect_segment(p, SYN | ACK, 0, 11, 0);
    assert_true(h->opts.has_ts && h->opts.sack_ok && h->opts.has_wscale);
    assert_int_equal(h->opts.ts_ecr, p->ts_val);
    accept_one(p);
    inject(p, ACK, 11, 1, 0);
    assert_state(p, TERN_ESTABLISHED);
    const struct tern_conn_info info = describe(p);
    assert_true(info.timestamps && info.sack && info.window_scale);
    assert_int_equal(info.snd_wnd_bytes, 65535u << 7); /* the ACK's window is scaled again */
}

static void server_cookie_of_another_address_is_refused(void **state)
{
    struct peer *p = *state;
    uint8_t mine[COOKIE_BYTES], theirs[COOKIE_BYTES];
    accept_fast(p);
    fetch_cookie(p, mine);
    const union tern_addr was = p->them;
    p->them.b[15] ^= 0x40;
    fetch_cookie(p, theirs);
    assert_memory_not_equal(mine, theirs, COOKIE_BYTES);
    inject_tfo_syn(p, mine, COOKIE_BYTES, REQUEST_BYTES);
    const struct heard *h = expect_ordinary_syn_ack(p);
    assert_memory_equal(h->opts.tfo, theirs, COOKIE_BYTES); /* and is told its own */
    assert_int_equal(stats(p)->tfo_cookies_bad, 1);
    p->them = was;
    next_tuple(p);
    inject_tfo_syn(p, mine, COOKIE_BYTES, REQUEST_BYTES);
    expect_segment(p, SYN | ACK, 0, 1 + REQUEST_BYTES, 0);
}

static void server_any_wrong_bit_or_length_is_refused(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[16] = {0};
    accept_fast(p);
    fetch_cookie(p, cookie);
    for (int bit = 0; bit < 8 * COOKIE_BYTES; bit += 7, next_tuple(p)) {
        cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
        inject_tfo_syn(p, cookie, COOKIE_BYTES, REQUEST_BYTES);
        assert_int_equal(expect_ordinary_syn_ack(p)->opts.n_tfo, COOKIE_BYTES);
        cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (uint8_t n = 4; n <= 16; n += 2, next_tuple(p)) {
        if (n == COOKIE_BYTES)
            continue;
        inject_tfo_syn(p, cookie, n, REQUEST_BYTES);
        assert_int_equal(expect_ordinary_syn_ack(p)->opts.n_tfo, COOKIE_BYTES);
    }
}

static void server_option_of_illegal_length_is_ignored(void **state) /* RFC 7413 §4.1.1 */
{
    struct peer *p = *state;
    static const uint8_t lengths[] = {3, 4, 5, 7, 9, 11, 17, 19, 20};
    accept_fast(p);
    for (size_t i = 0; i < sizeof lengths; i++, next_tuple(p)) {
        uint8_t opt[24] = {34, lengths[i]};
        memset(opt + lengths[i], 1, sizeof opt - lengths[i]);
        inject_raw(p, SYN, 0, 0, REQUEST_BYTES, opt, sizeof opt);
        assert_false(expect_ordinary_syn_ack(p)->opts.has_tfo);
    }
    static const uint8_t cut[] = {1, 1, 34, 18, 1, 2, 3, 4};
    inject_raw(p, SYN, 0, 0, REQUEST_BYTES, cut, sizeof cut);
    assert_false(expect_ordinary_syn_ack(p)->opts.has_tfo);
}

static void server_cookie_is_of_the_endpoint_not_of_the_worker(void **state)
{
    struct peer *p = *state;
    uint8_t first[COOKIE_BYTES], second[COOKIE_BYTES], third[COOKIE_BYTES];
    accept_fast(p);
    fetch_cookie(p, first);
    advance_ms(p, 3600000);
    fetch_cookie(p, second); /* an hour later */
    assert_memory_equal(first, second, COOKIE_BYTES);
    peer_restart(p);
    p->cfg.stack.seed[3]++; /* what workers differ by */
    accept_fast(p);
    fetch_cookie(p, second);
    assert_memory_equal(first, second, COOKIE_BYTES);
    peer_restart(p);
    p->cfg.stack.seed[1]++;
    accept_fast(p);
    fetch_cookie(p, third);
    assert_memory_not_equal(first, third, COOKIE_BYTES);
}

/* ---- server: an early connection ---- */

static void server_delivers_at_once_and_ack_establishes(void **state)
{
    struct peer *p = *state;
    open_fast(p);
    assert_int_equal(stats(p)->tfo_accepted, 1);
    assert_int_equal(stats(p)->open_now, 1);
    advance_ms(p, 30);
    inject(p, ACK, p->seq, 1, 0);
    expect_nothing(p);
    assert_state(p, TERN_ESTABLISHED);
    assert_int_equal(describe(p).srtt_us, 30000);
    assert_int_equal(stats(p)->passive_established, 1);
    inject(p, ACK, p->seq, 1, 50);
    expect_read(p, 50);
    peer_sends_fin(p);
}

static void server_answers_before_the_ack(void **state)
{
    struct peer *p = *state;
    open_fast(p);
    assert_true(tern_sock_ready(p->s) & TERN_READY_WRITE);
    write_bytes(p, 500);
    expect_segment(p, ACK, 1, p->seq, 500);
    assert_state(p, TERN_SYN_RCVD);
    inject(p, ACK, p->seq, 501, 0); /* of SYN-ACK and data in one */
    assert_state(p, TERN_ESTABLISHED);
    assert_int_equal(describe(p).unacked_bytes, 0);
    expect_silence_ms(p, 10000);
}

static void server_answer_is_bounded_by_initial_window(void **state)
{
    struct peer *p = *state;
    open_fast(p);
    write_bytes(p, 50000);
    assert_int_equal(hear_payload(p), 10 * full_segment(p)); /* RFC 6928 */
    advance_ms(p, 900);
    assert_int_equal(hear_payload(p), 0);
    inject(p, ACK, p->seq, 1 + 10 * full_segment(p), 0);
    assert_true(hear_payload(p) > 10 * full_segment(p)); /* slow start goes on from there */
}

static void server_answer_is_bounded_by_the_syns_window(void **state)
{
    struct peer *p = *state;
    p->offer.has_wscale = true;
    p->offer.wscale = 7;
    p->wnd = 1000; /* not scaled in a SYN */
    open_fast(p);
    write_bytes(p, 5000);
    assert_int_equal(hear_payload(p), 1000);
}

static void server_ack_of_syn_alone_keeps_data_in_flight(void **state)
{
    struct peer *p = *state;
    open_fast(p);
    write_bytes(p, 500);
    expect_segment(p, ACK, 1, p->seq, 500);
    advance_ms(p, 20);
    inject(p, ACK, p->seq, 1, 0);
    assert_state(p, TERN_ESTABLISHED);
    assert_int_equal(describe(p).unacked_bytes, 500);
    wait_segment(p, 1000); /* lost: the timer brings it */
    expect_segment(p, ACK, 1, p->seq, 500);
    inject(p, ACK, p->seq, 501, 0);
    expect_silence_ms(p, 10000);
}

static void server_lost_syn_ack_is_sent_again_and_data_follows_its_ack(void **state)
{
    struct peer *p = *state;
    open_fast(p);
    p->no_edge = true; /* data stated a scaled window, the SYN-ACK cannot */
    const uint32_t two = 2 * full_segment(p);
    write_bytes(p, two);
    assert_int_equal(hear_payload(p), two);
    expect_after_ms(p, 1000);
    expect_segment(p, SYN | ACK, 0, p->seq, 0);
    expect_nothing(p); /* no data beside it */
    expect_after_ms(p, 2000);
    expect_segment(p, SYN | ACK, 0, p->seq, 0);
    inject(p, ACK, p->seq, 1, 0);
    assert_state(p, TERN_ESTABLISHED);
    assert_int_equal(hear_payload(p), two / 2); /* (6928-2) */
    inject(p, ACK, p->seq, 1 + two / 2, 0);
    assert_int_equal(hear_payload(p), two / 2);
    inject(p, ACK, p->seq, 1 + two, 0);
    expect_silence_ms(p, 10000);
}

static void server_unanswered_syn_ack_is_given_up(void **state)
{
    struct peer *p = *state;
    open_fast(p);
    for (uint32_t ms = 1000; ms <= 16000; ms *= 2) {
        expect_after_ms(p, ms);
        expect_segment(p, SYN | ACK, 0, p->seq, 0);
    }
    expect_after_ms(p, 32000);
    expect_flags(p, RST | ACK);
    assert_over(p, ETIMEDOUT);
    assert_int_equal(stats(p)->closed[TERN_CLOSE_TIMEOUT], 1);
}

static void server_close_before_the_ack_sends_fin(void **state)
{
    struct peer *p = *state;
    open_fast(p);
    write_bytes(p, 500);
    tern_sock_close(p->s);
    expect_segment(p, FIN | ACK, 1, p->seq, 500);
    inject(p, ACK | FIN, p->seq, 502, 0);
    expect_segment(p, ACK, 502, p->seq + 1, 0);
    assert_int_equal(stats(p)->closed[TERN_CLOSE_NORMAL], 1);
    assert_int_equal(stats(p)->time_wait_opened, 1);
}

static void server_close_without_data_before_the_ack(void **state)
{
    struct peer *p = *state;
    open_fast(p);
    tern_sock_close(p->s);
    expect_segment(p, FIN | ACK, 1, p->seq, 0);
    expect_after_ms(p, 1000);
    expect_segment(p, SYN | ACK, 0, p->seq, 0);
    inject(p, ACK, p->seq, 1, 0); /* the FIN was lost beside the SYN-ACK */
    expect_segment(p, FIN | ACK, 1, p->seq, 0);
    inject(p, FIN | ACK, p->seq, 2, 0);
    expect_segment(p, ACK, 2, p->seq + 1, 0);
    assert_int_equal(stats(p)->closed[TERN_CLOSE_NORMAL], 1);
}

static void server_syn_again_is_answered_again_and_delivered_once(void **state)
{
    struct peer *p = *state;
    open_fast(p);
    inject_syn(p, SYN, 0); /* as RFC 7413 §4.1.3.1 has it: no option, no data */
    expect_segment(p, SYN | ACK, 0, p->seq, 0);
    inject_opts(p, SYN, 0, 0, REQUEST_BYTES, &p->offer); /* a copy of the network's */
    expect_segment(p, SYN | ACK, 0, p->seq, 0);
    expect_unreadable(p);
    inject(p, ACK, p->seq, 1, 0);
    assert_state(p, TERN_ESTABLISHED);
    inject_syn(p, SYN, 0); /* now RFC 5961 holds */
    expect_segment(p, ACK, 1, p->seq, 0);
    assert_int_equal(drops(p, TERN_DROP_TCP_CHALLENGE), 1);
}

static void server_other_syns_are_challenged(void **state) /* RFC 5961 §4 */
{
    struct peer *p = *state;
    open_fast(p);
    inject_opts(p, SYN, 5, 0, 0, &p->offer);
    expect_segment(p, ACK, 1, p->seq, 0);
    advance_ms(p, 900);
    inject_syn(p, SYN | ACK, 1); /* a passive open crosses nobody's */
    expect_segment(p, ACK, 1, p->seq, 0);
    assert_state(p, TERN_SYN_RCVD);
    assert_int_equal(drops(p, TERN_DROP_TCP_CHALLENGE), 2);
}

static void server_data_again_behind_the_ack_is_a_duplicate(void **state)
{
    struct peer *p = *state;
    open_fast(p);
    inject(p, ACK, 1, 1, REQUEST_BYTES + 20); /* a client that did not believe it */
    assert_state(p, TERN_ESTABLISHED);
    p->n_read = REQUEST_BYTES;
    expect_read(p, 20);
    expect_unreadable(p);
}

static void server_ack_of_nothing_sent_is_reset(void **state)
{
    struct peer *p = *state;
    open_fast(p);
    inject(p, ACK, p->seq, 2, 0);
    expect_flags(p, RST);
    inject(p, ACK, p->seq, 0, 0);
    expect_flags(p, RST);
    assert_state(p, TERN_SYN_RCVD);
    assert_int_equal(drops(p, TERN_DROP_TCP_HALF_ACK), 2);
}

static void server_rst_ends_it(void **state)
{
    struct peer *p = *state;
    open_fast(p);
    inject(p, RST, p->seq + 1, 0, 0); /* in the window: RFC 5961 §3 */
    expect_segment(p, ACK, 1, p->seq, 0);
    inject(p, RST, p->seq, 0, 0);
    expect_nothing(p);
    assert_over(p, ECONNRESET);
    assert_int_equal(stats(p)->closed[TERN_CLOSE_RESET], 1);
}

static void server_syn_with_fin_is_nonsense_as_ever(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[COOKIE_BYTES];
    accept_fast(p);
    fetch_cookie(p, cookie);
    struct opts o = {.has_tfo = true, .n_tfo = COOKIE_BYTES};
    memcpy(o.tfo, cookie, COOKIE_BYTES);
    inject_opts(p, SYN | FIN, 0, 0, REQUEST_BYTES, &o);
    expect_nothing(p);
    assert_int_equal(drops(p, TERN_DROP_TCP_FLAGS), 1);
}

static void server_valid_cookie_without_data_may_be_answered(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[COOKIE_BYTES];
    accept_fast(p);
    fetch_cookie(p, cookie);
    inject_tfo_syn(p, cookie, COOKIE_BYTES, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    accept_one(p);
    write_bytes(p, 10); /* a server that speaks first */
    expect_segment(p, ACK, 1, 1, 10);
    inject(p, ACK, 1, 11, 0);
    assert_state(p, TERN_ESTABLISHED);
}

static void server_takes_data_beyond_the_mss_up_to_the_window(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[COOKIE_BYTES];
    p->cfg.stack.mss_max = 536;
    p->cfg.stack.rcv_buf_bytes = 1000;
    accept_fast(p);
    fetch_cookie(p, cookie);
    inject_tfo_syn(p, cookie, COOKIE_BYTES, 1300);
    const struct heard *h = expect_segment(p, SYN | ACK, 0, 1001, 0); /* the rest found no room */
    assert_int_equal(h->wnd, 0);
    accept_one(p);
    expect_read(p, 1000);
    expect_nothing(p);
    inject(p, ACK, 1001, 1, 0);
    assert_state(p, TERN_ESTABLISHED);
    assert_int_equal(expect_segment(p, ACK, 1, 1001, 0)->wnd, 1000);
}

static void server_syn_ack_states_the_room_that_is_left(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[COOKIE_BYTES];
    p->cfg.stack.rcv_buf_bytes = 2000;
    accept_fast(p);
    fetch_cookie(p, cookie);
    inject_tfo_syn(p, cookie, COOKIE_BYTES, 600);
    assert_int_equal(expect_segment(p, SYN | ACK, 0, 601, 0)->wnd, 1400);
}

static void server_full_backlog_resets(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[COOKIE_BYTES];
    p->cfg.stack.tfo_accept = true;
    peer_open(p);
    assert_int_equal(tern_sock_listen(p->e, NULL, p->tern_port, 0, &p->listener), 0);
    fetch_cookie(p, cookie);
    inject_tfo_syn(p, cookie, COOKIE_BYTES, REQUEST_BYTES);
    expect_flags(p, RST | ACK);
    expect_nothing(p);
    assert_int_equal(stats(p)->closed[TERN_CLOSE_ABORTED], 1);
    assert_int_equal(stats(p)->open_now, 0);
}

/* ---- server: limits ---- */

static void server_pending_limit_makes_handshakes_ordinary(void **state) /* RFC 7413 §5.1 */
{
    struct peer *p = *state;
    uint8_t cookie[COOKIE_BYTES];
    p->cfg.stack.tfo_pending_max = 2;
    accept_fast(p);
    fetch_cookie(p, cookie);
    for (int i = 0; i < 2; i++) {
        if (i > 0)
            next_tuple(p);
        inject_tfo_syn(p, cookie, COOKIE_BYTES, REQUEST_BYTES);
        expect_segment(p, SYN | ACK, 0, 1 + REQUEST_BYTES, 0);
    }
    const uint32_t iss = p->iss;
    const uint32_t irs = p->irs;
    next_tuple(p);
    inject_tfo_syn(p, cookie, COOKIE_BYTES, REQUEST_BYTES);
    assert_false(expect_segment(p, SYN | ACK, 0, 1, 0)->opts.has_tfo);
    assert_int_equal(stats(p)->tfo_overflow, 1);
    assert_int_equal(stats(p)->tfo_accepted, 2);

    p->port--; /* one is confirmed: there is room again */
    p->iss = iss;
    p->irs = irs;
    inject(p, ACK, 1 + REQUEST_BYTES, 1, 0);
    expect_nothing(p);
    next_tuple(p);
    next_tuple(p);
    inject_tfo_syn(p, cookie, COOKIE_BYTES, REQUEST_BYTES);
    expect_segment(p, SYN | ACK, 0, 1 + REQUEST_BYTES, 0);
}

static void server_reset_connections_still_count_for_a_while(void **state) /* RFC 7413 §5.1 */
{
    struct peer *p = *state;
    uint8_t cookie[COOKIE_BYTES];
    p->cfg.stack.tfo_pending_max = 1;
    accept_fast(p);
    fetch_cookie(p, cookie);
    inject_tfo_syn(p, cookie, COOKIE_BYTES, REQUEST_BYTES);
    expect_segment(p, SYN | ACK, 0, 1 + REQUEST_BYTES, 0);
    inject(p, RST, 1 + REQUEST_BYTES, 0, 0);
    assert_int_equal(stats(p)->closed[TERN_CLOSE_RESET], 1);
    next_tuple(p);
    inject_tfo_syn(p, cookie, COOKIE_BYTES, REQUEST_BYTES);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    advance_ms(p, 60000);
    skip_segments(p);
    next_tuple(p);
    inject_tfo_syn(p, cookie, COOKIE_BYTES, REQUEST_BYTES);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    advance_ms(p, 140000);
    skip_segments(p);
    next_tuple(p);
    inject_tfo_syn(p, cookie, COOKIE_BYTES, REQUEST_BYTES);
    expect_segment(p, SYN | ACK, 0, 1 + REQUEST_BYTES, 0);
}

static void server_under_syn_cookies_accepts_nothing_early(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[COOKIE_BYTES];
    p->cfg.stack.syn_cookies = TERN_SYN_COOKIES_ALWAYS;
    accept_fast(p);
    inject_tfo_syn(p, NULL, 0, 0);
    memcpy(cookie, expect_segment(p, SYN | ACK, 0, 1, 0)->opts.tfo, COOKIE_BYTES);
    next_tuple(p);
    inject_tfo_syn(p, cookie, COOKIE_BYTES, REQUEST_BYTES);
    expect_ordinary_syn_ack(p);
    inject(p, ACK, 1, 1, REQUEST_BYTES);
    accept_one(p);
    expect_read(p, REQUEST_BYTES);
}

static void server_table_full_makes_handshakes_ordinary(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[COOKIE_BYTES];
    p->cfg.stack.conns_max = 1;
    accept_fast(p);
    fetch_cookie(p, cookie);
    inject_tfo_syn(p, cookie, COOKIE_BYTES, REQUEST_BYTES);
    expect_segment(p, SYN | ACK, 0, 1 + REQUEST_BYTES, 0);
    next_tuple(p);
    inject_tfo_syn(p, cookie, COOKIE_BYTES, REQUEST_BYTES);
    expect_segment(p, SYN | ACK, 0, 1, 0);
}

static void server_time_wait_is_reopened_early(void **state) /* RFC 6191 */
{
    struct peer *p = *state;
    uint8_t cookie[COOKIE_BYTES];
    accept_fast(p);
    fetch_cookie(p, cookie);
    establish(p);
    reach(p, TERN_TIME_WAIT);
    tern_sock_close(p->s);
    const uint32_t old_irs = p->irs;
    p->iss += 100000;
    p->edge_known = false;
    p->n_read = 0;
    inject_tfo_syn(p, cookie, COOKIE_BYTES, REQUEST_BYTES);
    p->irs = 0;
    assert_true(poll_segment(p));
    p->irs = p->heard.abs_seq;
    p->heard.seq = 0;
    expect_segment(p, SYN | ACK, 0, 1 + REQUEST_BYTES, 0);
    assert_true(is_before(old_irs + 1, p->irs));
    assert_int_equal(stats(p)->time_wait_reused, 1);
    accept_one(p);
    expect_read(p, REQUEST_BYTES);
}

static void server_ecn_is_agreed_on_early(void **state) /* RFC 3168 §6.1.1 */
{
    struct peer *p = *state;
    uint8_t cookie[COOKIE_BYTES];
    accept_fast(p);
    fetch_cookie(p, cookie);
    struct opts o = p->offer;
    o.has_tfo = true;
    o.n_tfo = COOKIE_BYTES;
    memcpy(o.tfo, cookie, COOKIE_BYTES);
    inject_opts(p, SYN | ECE | CWR, 0, 0, REQUEST_BYTES, &o);
    expect_segment(p, SYN | ACK | ECE, 0, 1 + REQUEST_BYTES, 0);
    accept_one(p);
    inject(p, ACK, 1 + REQUEST_BYTES, 1, 0);
    assert_true(describe(p).ecn);
}

/* ---- client against a scripted server ---- */

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

/* ---- two instances ---- */

static void pair_fast(struct pair *pair, void **state)
{
    pair_init(pair, *state != NULL);
    pair->cfg[0].stack.tfo_connect = true;
    pair->cfg[1].stack.tfo_accept = true;
}

static uint32_t n_readable(struct tern_sock *s)
{
    uint8_t bytes[4096];
    const ssize_t n = s != NULL ? tern_sock_recv(s, bytes, sizeof bytes) : 0;
    for (ssize_t i = 0; i < n; i++)
        assert_int_equal(bytes[i], pattern((uint32_t)i));
    return n > 0 ? (uint32_t)n : 0;
}

/** Request and answer; how many ms until the client had it. */
static uint32_t exchange_ms(struct pair *pair)
{
    uint8_t bytes[REQUEST_BYTES];
    const uint64_t from_ns = pair->now_ns;
    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = pattern(i);
    if (pair->listener == NULL)
        assert_int_equal(tern_sock_listen(pair->end[1], NULL, PAIR_PORT, 16, &pair->listener), 0);
    assert_int_equal(tern_sock_connect_early(pair->end[0], &pair->addr[1], PAIR_PORT, NULL, 0,
                         bytes, sizeof bytes, &pair->client),
        0);
    uint32_t asked = 0, got = 0;
    pair->server = NULL;
    while (got < sizeof bytes) {
        assert_true(pair_step(pair, from_ns + ms_to_ns(60000)));
        if (pair->server == NULL)
            pair->server = tern_sock_accept(pair->listener);
        const uint32_t n = n_readable(pair->server);
        asked += n;
        if (n > 0)
            assert_int_equal(tern_sock_send(pair->server, bytes, n), n);
        got += n_readable(pair->client);
    }
    assert_int_equal(asked, sizeof bytes); /* once */
    tern_sock_close(pair->client);
    const uint32_t ms = (uint32_t)((pair->now_ns - from_ns) / 1000000);
    pair_run_ms(pair, 1000);
    tern_sock_close(pair->server);
    pair_run_ms(pair, 100000);
    return ms;
}

static void pair_second_exchange_saves_a_round_trip(void **state)
{
    struct pair pair;
    pair_fast(&pair, state);
    pair_open(&pair);
    assert_int_equal(exchange_ms(&pair), 20); /* two round trips of 10 ms */
    assert_int_equal(exchange_ms(&pair), 10);
    assert_int_equal(exchange_ms(&pair), 10);
    assert_int_equal(pair_stats(&pair, 0)->tfo_data_acked, 2);
    assert_int_equal(pair_stats(&pair, 1)->tfo_accepted, 2);
    assert_int_equal(pair_stats(&pair, 1)->closed[TERN_CLOSE_NORMAL], 3);
    pair_close(&pair);
}

/** The server gets another secret: the cookie is refused, replaced, and serves again. */
static void pair_server_with_a_new_secret_is_learned_again(void **state)
{
    struct pair pair;
    struct tern_error err;
    pair_fast(&pair, state);
    pair_open(&pair);
    exchange_ms(&pair);
    assert_clean_close(pair.end[1]);
    pair.cfg[1].stack.seed[0] += 99;
    assert_int_equal(tern_embed_open(&pair.cfg[1], pair.now_ns, &pair.end[1], &err), 0);
    pair.listener = NULL;
    assert_int_equal(exchange_ms(&pair), 20);
    assert_int_equal(exchange_ms(&pair), 10);
    assert_int_equal(pair_stats(&pair, 1)->tfo_cookies_bad, 1);
    assert_int_equal(pair_stats(&pair, 0)->tfo_data_again, 1);
    pair_close(&pair);
}

static enum fate lossy(struct pair *pair, int from, const uint8_t *packet, uint32_t n)
{
    (void)from, (void)packet, (void)n;
    const uint32_t dice = next_random(&pair->random) % 100;
    if (dice < 15)
        return IS_LOST;
    if (dice < 25)
        return ARRIVES_TWICE;
    return dice < 35 ? ARRIVES_LATE : ARRIVES;
}

/** Whatever is lost, doubled or late in 300 exchanges: each ends, and each request arrives once. */
static void pair_survives_loss_duplication_and_delay(void **state)
{
    struct pair pair;
    pair_fast(&pair, state);
    pair.cfg[0].stack.time_wait_ms = pair.cfg[1].stack.time_wait_ms = 1000;
    pair_open(&pair);
    exchange_ms(&pair);
    for (int i = 0; i < 300; i++) {
        pair.hook = lossy;
        exchange_ms(&pair);
        pair.hook = NULL;
        pair_run_ms(&pair, 4000000);
    }
    assert_in_range(pair_stats(&pair, 1)->tfo_accepted, 100, 400);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(server_off_ignores_option_and_data),
        BOTH(server_sends_cookie_when_asked_and_takes_no_data_with_it),
        BOTH(server_without_the_option_is_as_ever),
        BOTH(server_cookie_fits_beside_all_options),
        BOTH(server_cookie_of_another_address_is_refused),
        BOTH(server_any_wrong_bit_or_length_is_refused),
        BOTH(server_option_of_illegal_length_is_ignored),
        BOTH(server_cookie_is_of_the_endpoint_not_of_the_worker),
        BOTH(server_delivers_at_once_and_ack_establishes),
        BOTH(server_answers_before_the_ack),
        BOTH(server_answer_is_bounded_by_initial_window),
        BOTH(server_answer_is_bounded_by_the_syns_window),
        BOTH(server_ack_of_syn_alone_keeps_data_in_flight),
        BOTH(server_lost_syn_ack_is_sent_again_and_data_follows_its_ack),
        BOTH(server_unanswered_syn_ack_is_given_up),
        BOTH(server_close_before_the_ack_sends_fin),
        BOTH(server_close_without_data_before_the_ack),
        BOTH(server_syn_again_is_answered_again_and_delivered_once),
        BOTH(server_other_syns_are_challenged),
        BOTH(server_data_again_behind_the_ack_is_a_duplicate),
        BOTH(server_ack_of_nothing_sent_is_reset),
        BOTH(server_rst_ends_it),
        BOTH(server_syn_with_fin_is_nonsense_as_ever),
        BOTH(server_valid_cookie_without_data_may_be_answered),
        BOTH(server_takes_data_beyond_the_mss_up_to_the_window),
        BOTH(server_syn_ack_states_the_room_that_is_left),
        BOTH(server_full_backlog_resets),
        BOTH(server_pending_limit_makes_handshakes_ordinary),
        BOTH(server_reset_connections_still_count_for_a_while),
        BOTH(server_under_syn_cookies_accepts_nothing_early),
        BOTH(server_table_full_makes_handshakes_ordinary),
        BOTH(server_time_wait_is_reopened_early),
        BOTH(server_ecn_is_agreed_on_early),
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
        FAMILIES(pair_second_exchange_saves_a_round_trip),
        FAMILIES(pair_server_with_a_new_secret_is_learned_again),
        FAMILIES(pair_survives_loss_duplication_and_delay),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
