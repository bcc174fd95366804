/* SPDX-License-Identifier: BSD-3-Clause */
/* What the ACK of a flight (tcp/flight.h) tells beside the arrival of its bytes: the size that gets
 * through, the round trip, that the window was put to use. Each by itself, and all of it as a send
 * queue in the flight's place learns it. */
#include "tcp/flight.h"
#include "tcp/proto.h"
#include "tcp_app.h"

enum { FLIGHT_MS = 20, WND_BYTES = 65535 };

/** An established connection. @param cwnd_segs  its initial window */
static struct tern_conn *establish_with(struct peer *p, uint32_t cwnd_segs)
{
    peer_restart(p);
    p->cfg.stack.init_cwnd_segs = cwnd_segs;
    p->ack = 1;
    establish_app(p);
    return seen.c;
}

static uint32_t payload_max(const struct peer *p)
{
    return tern_conn_payload_max(tern_tcp_of(p->sh), seen.c);
}

/** `n` bytes leave in one segment. */
static void fly(struct peer *p, uint32_t n, bool fin)
{
    uint8_t bytes[2000];
    assert_true(n <= sizeof bytes);
    for (uint32_t i = 0; i < n; i++)
        bytes[i] = pattern(p->ack + i);
    assert_int_equal(tern_send_bytes(p->sh, seen.c, bytes, n), n);
    if (fin)
        tern_shutdown(p->sh, seen.c);
    expect_segment(p, ACK | (fin ? FIN : 0), p->ack, 1, n);
    p->ack += n + fin;
}

static void ack_after_ms(struct peer *p, uint32_t ms)
{
    advance_ms(p, ms);
    inject(p, ACK, 1, p->ack, 0);
}

/** A flight of `n` bytes arrives. */
static void fly_and_ack(struct peer *p, uint32_t n, uint32_t ms)
{
    fly(p, n, false);
    assert_true(tern_conn_has_flight(seen.c));
    ack_after_ms(p, ms);
    assert_false(tern_conn_has_flight(seen.c));
}

/* ---- one by one ---- */

static void full_segment_acked_gets_through(void **state)
{
    struct peer *p = *state;
    const struct tern_conn *c = establish_with(p, 10);
    assert_false(c->slow & TERN_FULL_ARRIVED);
    fly_and_ack(p, payload_max(p), FLIGHT_MS);
    assert_true(c->slow & TERN_FULL_ARRIVED);
}

static void shorter_segment_acked_tells_nothing_of_the_size(void **state)
{
    struct peer *p = *state;
    const struct tern_conn *c = establish_with(p, 10);
    fly_and_ack(p, 1, FLIGHT_MS);
    fly_and_ack(p, payload_max(p) - 1, FLIGHT_MS);
    assert_false(c->slow & TERN_FULL_ARRIVED);
}

/** Slow start adds what was acknowledged, once half of the window was in use (RFC 7661 §4.2). */
static void window_put_to_use_grows_by_what_was_acked(void **state)
{
    struct peer *p = *state;
    const struct tern_conn *c = establish_with(p, 1);
    const uint32_t cwnd = c->cwnd_bytes;
    assert_int_equal(cwnd, full_segment(p));
    assert_int_equal(cwnd % 4, 0);
    fly_and_ack(p, 1, FLIGHT_MS);
    fly_and_ack(p, cwnd / 2 - 1, FLIGHT_MS);
    assert_int_equal(c->cwnd_bytes, cwnd);
    fly_and_ack(p, cwnd / 2, FLIGHT_MS);
    assert_int_equal(c->cwnd_bytes, cwnd + cwnd / 2);
    fly_and_ack(p, cwnd, FLIGHT_MS);
    assert_int_equal(c->cwnd_bytes, 2 * cwnd + cwnd / 2);
}

static void round_trip_is_sampled(void **state)
{
    struct peer *p = *state;
    const struct tern_conn *c = establish_with(p, 10);
    assert_int_equal(c->srtt_us8, 0);
    fly_and_ack(p, 100, 100);
    assert_int_equal(c->srtt_us8, 8 * 100 * 1000);
    fly_and_ack(p, 100, 20);
    assert_int_equal(c->srtt_us8, (7 * 100 + 20) * 1000); /* RFC 6298 §2.3 */
}

/* ---- as a queue ---- */

/** What a connection has learned. */
struct learned {
    uint32_t cwnd_bytes, srtt_us8, rttvar_us4, mss_bytes, slow, backoff;
};

enum how {
    AT_ONCE,
    IN_PARTS,
    AFTER_NEWS, /* the window moves first */
    HOW_COUNT
};

static void acknowledge(struct peer *p, enum how how, uint32_t n)
{
    const uint32_t end = p->ack;
    if (how != AT_ONCE) {
        p->ack -= how == IN_PARTS ? n / 2 : n;
        p->wnd = how == AFTER_NEWS ? WND_BYTES - 1000 : WND_BYTES;
        ack_after_ms(p, FLIGHT_MS);
    }
    p->ack = end;
    ack_after_ms(p, FLIGHT_MS);
}

/** A connection whose only segment had `n` bytes. */
static struct learned learn(struct peer *p, bool slow_only, uint32_t n, bool fin, enum how how)
{
    p->wnd = WND_BYTES;
    p->cfg.stack.pins.slow_path_only = slow_only;
    const struct tern_conn *c = establish_with(p, 1);
    fly(p, n, fin);
    assert_int_equal(tern_conn_has_flight(c), !slow_only);
    acknowledge(p, how, n + fin);
    assert_int_equal(c->txq, 0);
    return (struct learned){.cwnd_bytes = c->cwnd_bytes,
        .srtt_us8 = c->srtt_us8,
        .rttvar_us4 = c->rttvar_us4,
        .mss_bytes = c->mss_bytes,
        .slow = c->slow,
        .backoff = c->backoff};
}

static void flight_teaches_what_a_queue_does(void **state)
{
    struct peer *p = *state;
    for (int ts = 0; ts <= 1; ts++) {
        p->offer.has_ts = ts;
        establish_with(p, 1);
        const uint32_t full = payload_max(p), lens[] = {2, full / 2 - 1, full / 2, full - 1, full};
        for (size_t i = 0; i < 2 * sizeof lens / sizeof lens[0]; i++) {
            for (enum how how = AT_ONCE; how < HOW_COUNT; how++) {
                const struct learned quick = learn(p, false, lens[i / 2], i % 2, how);
                const struct learned slow = learn(p, true, lens[i / 2], i % 2, how);
                assert_memory_equal(&quick, &slow, sizeof slow);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(full_segment_acked_gets_through),
        BOTH(shorter_segment_acked_tells_nothing_of_the_size),
        BOTH(window_put_to_use_grows_by_what_was_acked),
        BOTH(round_trip_is_sampled),
        BOTH(flight_teaches_what_a_queue_does),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
