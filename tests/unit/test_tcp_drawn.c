/* SPDX-License-Identifier: BSD-3-Clause */
/* The numbers an instance draws, as they show on the wire: ports, initial sequence numbers,
 * timestamps. The functions behind them: test_tcp_ports, test_tcp_isn. */
#include "tcp_peer.h"

enum { CONNECTS = 500 };

/** Connect from a chosen port. @return that port */
static uint16_t connect_anywhere(struct peer *p, uint32_t *abs_seq, uint32_t *ts_val)
{
    struct tern_sock *s;
    assert_int_equal(tern_sock_connect(p->e, &p->them, 80, NULL, 0, &s), 0);
    const struct heard *h = expect_flags(p, SYN);
    *abs_seq = h->abs_seq;
    *ts_val = h->opts.ts_val;
    return h->sport;
}

/* V086, V212 */
static void ephemeral_ports_are_spread_and_never_repeat(void **state) /* 6056-1 */
{
    struct peer *p = *state;
    static bool taken[65536];
    uint32_t n_steps_of_one = 0, n_low = 0, isn, ts;
    uint16_t last = 0;
    memset(taken, 0, sizeof taken);
    p->cfg.mbufs = 1024;
    peer_open(p);
    for (int i = 0; i < CONNECTS; i++) {
        const uint16_t port = connect_anywhere(p, &isn, &ts);
        assert_in_range(port, 1024, 65535);
        assert_false(taken[port]);
        taken[port] = true;
        n_low += port < 1024 + 64512 / 2;
        n_steps_of_one += (uint16_t)(port - last) == 1 || (uint16_t)(last - port) == 1;
        last = port;
    }
    assert_in_range(n_low, CONNECTS * 4 / 10, CONNECTS * 6 / 10);
    assert_in_range(n_steps_of_one, 0, 2);
}

/* V212 */
static void ephemeral_range_exhausted_is_refused(void **state)
{
    struct peer *p = *state;
    struct tern_sock *s;
    uint32_t isn, ts, sum = 0;
    p->cfg.stack.port_min = 5000;
    p->cfg.stack.port_max = 5009;
    peer_open(p);
    for (int i = 0; i < 10; i++)
        sum += connect_anywhere(p, &isn, &ts);
    assert_int_equal(sum, 5000 * 10 + 45); /* each once */
    assert_int_equal(tern_sock_connect(p->e, &p->them, 80, NULL, 0, &s), -EADDRNOTAVAIL);
    assert_int_equal(tern_sock_connect(p->e, &p->them, 81, NULL, 0, &s), 0); /* another tuple */
    expect_flags(p, SYN);
}

/* V212 */
static void ephemeral_ports_avoid_listeners_and_time_wait(void **state) /* 6056-2 */
{
    struct peer *p = *state;
    struct tern_sock *s;
    uint32_t isn, ts;
    p->cfg.stack.port_min = 5000;
    p->cfg.stack.port_max = 5003;
    p->cfg.stack.timestamps = false; /* with them TIME-WAIT may be taken over (RFC 6191) */
    p->port = 80;
    p->tern_port = 5001;
    establish_actively(p);
    reach(p, TERN_TIME_WAIT);
    assert_int_equal(tern_sock_listen(p->e, NULL, 5002, 1, &p->listener), 0);
    const uint32_t sum = connect_anywhere(p, &isn, &ts) + connect_anywhere(p, &isn, &ts);
    assert_int_equal(sum, 5000 + 5003);
    assert_int_equal(tern_sock_connect(p->e, &p->them, 80, NULL, 0, &s), -EADDRNOTAVAIL);
    advance_ms(p, 61000);
    skip_segments(p);
    assert_int_equal(connect_anywhere(p, &isn, &ts), 5001);
}

/* V083 */
static void isn_follows_the_clock(void **state) /* MUST-8, 6528-1 */
{
    struct peer *p = *state;
    connect_out(p);
    const uint32_t first = expect_flags(p, SYN)->abs_seq;
    tern_sock_abort(p->s);
    expect_nothing(p);
    advance_ms(p, ONE_SECOND);
    connect_out(p);
    assert_int_equal(expect_flags(p, SYN)->abs_seq - first, 250000);
}

/* V081, V088 */
static void isns_and_timestamps_of_tuples_are_unrelated(void **state) /* MUST-9, SHLD-1, 7323-10 */
{
    struct peer *p = *state;
    enum { N = 64 };
    uint32_t isn[N], ts[N], n_near = 0;
    peer_open(p);
    for (int i = 0; i < N; i++)
        connect_anywhere(p, &isn[i], &ts[i]);
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < i; j++) {
            n_near += isn[i] - isn[j] + (1u << 20) < 1u << 21;
            n_near += ts[i] - ts[j] + (1u << 20) < 1u << 21;
        }
    }
    assert_in_range(n_near, 0, 12); /* 2016 pairs, twice, each near by chance once in 2048 */
}

static void other_seeds_give_other_numbers(void **state) /* 6528-2 */
{
    struct peer *p = *state;
    uint32_t isn[2], ts[2];
    uint16_t port[2];
    for (int i = 0; i < 2; i++) {
        p->cfg.stack.seed[1] = (uint64_t)i;
        peer_open(p);
        port[i] = connect_anywhere(p, &isn[i], &ts[i]);
        peer_close(p);
    }
    assert_int_not_equal(isn[0], isn[1]);
    assert_int_not_equal(ts[0], ts[1]);
    assert_int_not_equal(port[0], port[1]);
}

static void timestamps_tick_in_milliseconds(void **state) /* 7323-10 */
{
    struct peer *p = *state;
    connect_out(p);
    const uint32_t first = expect_flags(p, SYN)->opts.ts_val;
    expect_after_ms(p, 1000);
    assert_in_range(expect_flags(p, SYN)->opts.ts_val - first, 1000, 1001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(ephemeral_ports_are_spread_and_never_repeat),
        BOTH(ephemeral_range_exhausted_is_refused),
        BOTH(ephemeral_ports_avoid_listeners_and_time_wait),
        BOTH(isn_follows_the_clock),
        BOTH(isns_and_timestamps_of_tuples_are_unrelated),
        BOTH(other_seeds_give_other_numbers),
        BOTH(timestamps_tick_in_milliseconds),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
