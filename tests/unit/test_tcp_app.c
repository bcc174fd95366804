/* SPDX-License-Identifier: BSD-3-Clause */
/* The callbacks of tern/conn.h: what is called when, that an application may do anything in any of
 * them, and how payload is handed over. When memory runs out: test_tcp_shortage. */
#include "tcp_app.h"

/* ---- what is called when ---- */

static void passive_life_is_told_in_order(void **state)
{
    struct peer *p = *state;
    establish_app(p);
    inject(p, ACK, 1, 1, 10);
    inject(p, FIN | ACK, 11, 1, 0);
    skip_segments(p);
    tern_close(p->sh, seen.c);
    expect_segment(p, FIN | ACK, 1, 12, 0);
    inject(p, ACK, 12, 2, 0);
    assert_string_equal(seen.log, "odpC");
    assert_int_equal(seen.why, TERN_CLOSE_NORMAL);
}

static void active_life_is_told_in_order(void **state)
{
    struct peer *p = *state;
    seen = (struct seen){0};
    struct tern_conn *c = connect_app(p);
    expect_segment(p, SYN, 0, 0, 0);
    inject_syn(p, SYN | ACK, 1);
    expect_segment(p, ACK, 1, 1, 0);
    tern_shutdown(p->sh, c);
    expect_segment(p, FIN | ACK, 1, 1, 0);
    inject(p, ACK, 1, 2, 10);
    inject(p, FIN | ACK, 11, 2, 0); /* in FIN-WAIT-2: told, too, as only one half was closed */
    skip_segments(p);
    assert_string_equal(seen.log, "odpC");
    assert_int_equal(seen.why, TERN_CLOSE_NORMAL);
}

static void refused_connect_is_told_once(void **state)
{
    struct peer *p = *state;
    seen = (struct seen){0};
    connect_app(p);
    expect_segment(p, SYN, 0, 0, 0);
    inject(p, RST | ACK, 0, 1, 0);
    assert_string_equal(seen.log, "C");
    assert_int_equal(seen.why, TERN_CLOSE_REFUSED);
}

static void shard_that_stops_tells_every_connection(void **state)
{
    struct peer *p = *state;
    establish_app(p);
    inject(p, ACK, 101, 1, 10); /* something is held */
    tern_send_bytes(p->sh, seen.c, "abc", 3);
    p->no_pattern = true;
    skip_segments(p);
    peer_close(p);
    assert_string_equal(seen.log, "oC");
    assert_int_equal(seen.why, TERN_CLOSE_STOPPED);
}

static void after_close_nothing_but_the_end_is_told(void **state)
{
    struct peer *p = *state;
    establish_app(p);
    tern_close(p->sh, seen.c);
    expect_segment(p, FIN | ACK, 1, 1, 0);
    inject(p, FIN | ACK, 1, 2, 0);
    skip_segments(p);
    assert_string_equal(seen.log, "oC");
}

/* ---- anything, anywhere ---- */

static void do_abort(struct tern_shard *sh, struct tern_conn *c)
{
    tern_abort(sh, c);
}

static void do_close(struct tern_shard *sh, struct tern_conn *c)
{
    tern_close(sh, c);
}

static void do_everything(struct tern_shard *sh, struct tern_conn *c)
{
    struct tern_conn_info info;
    tern_consume(sh, c, 100);
    tern_send_bytes(sh, c, "x", 1);
    assert_int_equal(tern_conn_set(sh, c, TERN_CONN_TTL, 3), 0);
    assert_int_equal(tern_timer_arm(sh, c, 1000), 0);
    tern_timer_cancel(sh, c);
    tern_conn_describe(sh, c, &info);
    tern_shutdown(sh, c);
    tern_close(sh, c);
    tern_abort(sh, c);
}

/** Bring about every callback, acting in `where`. */
static void live_and_act(
    struct peer *p, char where, void (*act)(struct tern_shard *, struct tern_conn *))
{
    static uint8_t bytes[3000];
    peer_restart(p);
    p->no_pattern = p->no_edge = true;
    p->cfg.stack.snd_buf_bytes = 2000;
    p->cfg.stack.nodelay = true;
    listen_with_app(p);
    seen.act_on = where;
    seen.act = act;
    shake_hands(p);
    if (seen.c != NULL)
        assert_int_equal(tern_timer_arm(p->sh, seen.c, 1000000), 0);
    advance_ms(p, 2);
    if (seen.c != NULL)
        tern_send_bytes(p->sh, seen.c, bytes, sizeof bytes);
    skip_segments(p);
    inject(p, ACK, 1, 2001, 0);
    inject(p, ACK, 11, 2001, 10);
    inject(p, ACK, 1, 2001, 10);
    inject(p, FIN | ACK, 21, 2001, 0);
    inject(p, RST, 22, 0, 0);
    skip_segments(p);
    advance_ms(p, 300000); /* where all that came in vain, it is given up */
    const char *closed = strchr(seen.log, 'C');
    assert_non_null(closed);
    assert_int_equal(closed[1], 0); /* once, and last */
}

static void application_may_abort_in_any_callback(void **state)
{
    struct peer *p = *state;
    for (const char *where = "odpstC"; *where != 0; where++)
        live_and_act(p, *where, do_abort);
    live_and_act(p, 0, NULL);
    assert_string_equal(seen.log, "otsddpC");
}

static void application_may_close_in_any_callback(void **state)
{
    struct peer *p = *state;
    for (const char *where = "odpstC"; *where != 0; where++)
        live_and_act(p, *where, do_close);
}

static void application_may_do_everything_in_any_callback(void **state)
{
    struct peer *p = *state;
    for (const char *where = "odpstC"; *where != 0; where++)
        live_and_act(p, *where, do_everything);
}

static void close_in_on_data_resets_for_what_was_held(void **state)
{
    struct peer *p = *state;
    establish_app(p);
    inject(p, ACK, 11, 1, 10);
    skip_segments(p);
    seen.act_on = 'd';
    seen.act = do_close;
    inject(p, ACK, 1, 1, 10);
    expect_flags(p, RST | ACK);
    expect_nothing(p);
    assert_string_equal(seen.log, "odC");
    assert_int_equal(seen.n_bytes, 10);
}

static void abort_in_on_data_delivers_nothing_more(void **state)
{
    struct peer *p = *state;
    establish_app(p);
    inject(p, ACK, 11, 1, 10);
    skip_segments(p);
    seen.act_on = 'd';
    seen.act = do_abort;
    inject(p, FIN | ACK, 1, 1, 10);
    expect_flags(p, RST | ACK);
    expect_nothing(p);
    assert_string_equal(seen.log, "odC");
}

static struct peer *reconnecting;
static int reconnect_result;

static void do_reconnect(struct tern_shard *sh, struct tern_conn *c)
{
    (void)c;
    const struct tern_connect_opts opts = {
        .remote = reconnecting->them, .rport = PEER_PORT, .lport = TERN_PORT, .app = &app};
    reconnect_result = tern_connect(sh, &opts, NULL);
}

static void connect_in_on_closed_works(void **state)
{
    struct peer *p = *state;
    seen = (struct seen){.act_on = 'C', .act = do_reconnect};
    reconnecting = p;
    connect_app(p);
    expect_segment(p, SYN, 0, 0, 0);
    inject(p, RST | ACK, 0, 1, 0);
    assert_int_equal(reconnect_result, 0); /* the same four-tuple: it is free already */
    expect_flags(p, SYN);
}

static void connect_in_on_closed_of_a_stopping_shard_is_refused(void **state)
{
    struct peer *p = *state;
    establish_app(p);
    seen.act_on = 'C';
    seen.act = do_reconnect;
    reconnecting = p;
    peer_close(p);
    assert_int_equal(reconnect_result, -ENETDOWN);
}

/* ---- timers of the application ---- */

static void timer_fires_once_at_its_time(void **state)
{
    struct peer *p = *state;
    establish_app(p);
    assert_int_equal(tern_timer_arm(p->sh, seen.c, ms_to_ns(5000)), 0);
    assert_int_equal(tern_timer_arm(p->sh, seen.c, ms_to_ns(100)), 0); /* replaces */
    tern_shard_settle(p->sh);
    advance_ms(p, 99);
    assert_string_equal(seen.log, "o");
    advance_ms(p, 2);
    assert_string_equal(seen.log, "ot");
    advance_ms(p, 10000);
    assert_string_equal(seen.log, "ot");
}

static void timer_cancelled_does_not_fire(void **state)
{
    struct peer *p = *state;
    establish_app(p);
    assert_int_equal(tern_timer_arm(p->sh, seen.c, ms_to_ns(100)), 0);
    advance_ms(p, 50);
    tern_timer_cancel(p->sh, seen.c);
    advance_ms(p, 10000);
    assert_string_equal(seen.log, "o");
}

static void timer_beyond_39_hours_is_cut(void **state)
{
    struct peer *p = *state;
    establish_app(p);
    assert_int_equal(tern_timer_arm(p->sh, seen.c, UINT64_MAX / 2), 0);
    advance_ms(p, 39ull * 3600 * 1000);
    assert_string_equal(seen.log, "o");
    advance_ms(p, 3600 * 1000);
    assert_string_equal(seen.log, "ot");
}

/* ---- sending ---- */

/** A chain of buffers with `n` bytes of the stream from `*at` on, `piece` in each. */
static struct rte_mbuf *chain_of(struct peer *p, uint32_t *at, uint32_t n, uint32_t piece)
{
    struct rte_mbuf *head = NULL;
    while (n > 0) {
        const uint32_t here = n < piece ? n : piece;
        struct rte_mbuf *m = tern_shard_mbuf(p->sh);
        assert_non_null(m);
        uint8_t *to = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)here);
        for (uint32_t i = 0; i < here; i++)
            to[i] = pattern((*at)++);
        n -= here;
        if (head == NULL)
            head = m;
        else
            assert_int_equal(rte_pktmbuf_chain(head, m), 0);
    }
    return head;
}

static void send_copied(struct peer *p, uint32_t *at, uint32_t n)
{
    uint8_t bytes[2000];
    assert_true(n <= sizeof bytes);
    for (uint32_t i = 0; i < n; i++)
        bytes[i] = pattern((*at)++);
    assert_int_equal(tern_send_bytes(p->sh, seen.c, bytes, n), n);
}

/** Chains, bytes and a shared body in turn; check_always() compares every byte on the wire. */
static void all_ways_of_sending_make_one_stream(void **state)
{
    struct peer *p = *state;
    enum { BODY = 50000 };
    static uint8_t body[BODY];
    establish_app(p);
    for (uint32_t i = 0; i < BODY; i++)
        body[i] = pattern(1 + i);
    struct tern_static *s = tern_static_new(p->sh, body, BODY);
    assert_non_null(s);
    uint32_t at = 1, acked = 1;
    for (uint32_t round = 0; at < BODY - 5000; round++) {
        struct rte_mbuf *m = chain_of(p, &at, 1 + round * 37 % 1500, 1 + round * 13 % 200);
        assert_int_equal(tern_send_mbufs(p->sh, seen.c, &m, 1), 1);
        send_copied(p, &at, 1 + round * 101 % 900);
        const uint32_t n = 1 + round * 211 % 1900;
        assert_int_equal(tern_send_static(p->sh, seen.c, s, at - 1, n), n);
        at += n;
        for (; poll_segment(p); p->has_heard = false) {
            assert_int_equal(p->heard.seq, acked);
            acked += p->heard.len;
        }
        if (round % 7 == 3) { /* one is lost: everything again */
            advance_ms(p, 61000);
            skip_segments(p);
        }
        inject(p, ACK, 1, acked, 0);
        for (; poll_segment(p); p->has_heard = false)
            acked = p->heard.seq + p->heard.len;
        inject(p, ACK, 1, acked, 0);
    }
    tern_close(p->sh, seen.c);
    while (seen.c != NULL) {
        for (; poll_segment(p); p->has_heard = false)
            acked = p->heard.seq + p->heard.len + !!(p->heard.flags & FIN);
        inject(p, ACK, 1, acked, 0);
        if (acked == at + 1)
            inject(p, FIN | ACK, 1, acked, 0);
    }
    skip_segments(p);
    assert_int_equal(stats(p)->tx_payload_bytes, at - 1);
    tern_static_free(s);
}

static void segments_of_many_tiny_buffers_stay_within_a_chain(void **state)
{
    struct peer *p = *state;
    establish_app(p);
    uint32_t at = 1;
    struct rte_mbuf *m = chain_of(p, &at, 2000, 10);
    assert_int_equal(tern_send_mbufs(p->sh, seen.c, &m, 1), 1);
    uint32_t sent = 0;
    for (int i = 0; i < 100 && sent < 2000; i++) {
        for (; poll_segment(p); p->has_heard = false)
            sent = p->heard.seq + p->heard.len - 1;
        inject(p, ACK, 1, 1 + sent, 0);
    }
    assert_int_equal(sent, 2000);
}

static void send_cut_short_is_told_when_half_has_drained(void **state)
{
    struct peer *p = *state;
    static uint8_t bytes[12000];
    p->cfg.stack.snd_buf_bytes = 10000;
    p->no_pattern = true;
    establish_app(p);
    assert_int_equal(tern_send_bytes(p->sh, seen.c, bytes, sizeof bytes), 10000);
    skip_segments(p);
    inject(p, ACK, 1, 4001, 0);
    skip_segments(p);
    assert_string_equal(seen.log, "o");
    inject(p, ACK, 1, 5001, 0);
    assert_string_equal(seen.log, "os");
    inject(p, ACK, 1, 8001, 0);
    assert_string_equal(seen.log, "os"); /* once for each time it was cut short */
    skip_segments(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(passive_life_is_told_in_order),
        BOTH(active_life_is_told_in_order),
        BOTH(refused_connect_is_told_once),
        BOTH(shard_that_stops_tells_every_connection),
        BOTH(after_close_nothing_but_the_end_is_told),
        BOTH(application_may_abort_in_any_callback),
        BOTH(application_may_close_in_any_callback),
        BOTH(application_may_do_everything_in_any_callback),
        BOTH(close_in_on_data_resets_for_what_was_held),
        BOTH(abort_in_on_data_delivers_nothing_more),
        BOTH(connect_in_on_closed_works),
        BOTH(connect_in_on_closed_of_a_stopping_shard_is_refused),
        BOTH(timer_fires_once_at_its_time),
        BOTH(timer_cancelled_does_not_fire),
        BOTH(timer_beyond_39_hours_is_cut),
        BOTH(all_ways_of_sending_make_one_stream),
        BOTH(segments_of_many_tiny_buffers_stay_within_a_chain),
        BOTH(send_cut_short_is_told_when_half_has_drained),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
