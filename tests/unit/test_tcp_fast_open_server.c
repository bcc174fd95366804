/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP Fast Open (RFC 7413): the server against scripted clients. */
#include "tcp_peer.h"

enum { COOKIE_BYTES = 8, REQUEST_BYTES = 100 };

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

/* ---- cookies ---- */

/* V105 */
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

/* V105 */
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

/* V105 */
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

/* V105 */
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

/* ---- an early connection ---- */

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

/* ---- limits ---- */

/* V105 */
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

/* V105 */
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
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
