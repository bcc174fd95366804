/* SPDX-License-Identifier: BSD-3-Clause */
/* Two instances, both directions at once: whatever the wire does, every byte arrives once and in
 * order. */
#include "tcp_pair.h"

enum { MIB = 1 << 20 };

static void one_mib_both_ways(void **state)
{
    struct run run;
    run_init(&run, *state != NULL);
    run_exchange(&run, MIB);
}

static void one_mib_both_ways_is_not_retransmitted_without_loss(void **state)
{
    struct run run;
    run_init(&run, *state != NULL);
    run_exchange(&run, MIB);
    assert_in_range(run.pair.n_packets[0] + run.pair.n_packets[1], 2 * MIB / 1448, 4 * MIB / 1448);
}

static void random_wires_lose_nothing(void **state)
{
    static const struct {
        uint32_t lose, doubles, lates;
    } wires[] = {{10, 0, 0}, {0, 50, 0}, {0, 0, 50}, {20, 20, 20}, {100, 50, 50}, {200, 100, 100}};
    for (size_t i = 0; i < sizeof wires / sizeof wires[0]; i++) {
        for (uint64_t seed = 1; seed <= 5; seed++) {
            struct run run;
            run_init(&run, *state != NULL);
            run.pair.random = seed;
            run.lose = wires[i].lose;
            run.doubles = wires[i].doubles;
            run.lates = wires[i].lates;
            run_exchange(&run, 100000);
        }
    }
}

static void odd_configurations_lose_nothing(void **state)
{
    for (int i = 0; i < 8; i++) {
        struct run run;
        run_init(&run, *state != NULL);
        for (int end = 0; end < 2; end++) {
            struct tern_stack_config *c = &run.pair.cfg[end].stack;
            c->timestamps = i & 1;
            c->sack = i & 2;
            c->window_scale = i & 4;
            c->rcv_buf_bytes = end == 0 ? 1000 : 70000;
            c->snd_buf_bytes = end == 0 ? 200000 : 536;
            c->nodelay = i & 1;
            c->ack_policy = (enum tern_ack_policy)(i % 3);
        }
        run.lose = 20;
        run_exchange(&run, 50000);
    }
}

static void tiny_mtu_and_jumbo_frames_carry_the_stream(void **state)
{
    static const uint16_t mtus[] = {68, 576, 1280, 1900};
    for (size_t i = 0; i < sizeof mtus / sizeof mtus[0]; i++) {
        struct run run;
        run_init(&run, *state != NULL);
        if (run.pair.v6 && mtus[i] < 1280)
            continue;
        run.pair.cfg[0].stack.mtu_bytes = mtus[i];
        run.lose = 20;
        run_exchange(&run, 20000);
    }
}

/** Buffers for less than the windows allow: it goes slower, and nothing is lost for good. */
static void small_pools_lose_nothing(void **state)
{
    for (uint32_t mbufs = 64; mbufs <= 256; mbufs *= 2) {
        struct run run;
        run_init(&run, *state != NULL);
        run.pair.cfg[0].mbufs = run.pair.cfg[1].mbufs = mbufs;
        run.pair.cfg[0].stack.user_timeout_ms = run.pair.cfg[1].stack.user_timeout_ms = 3600000;
        run_exchange(&run, 50000);
    }
}

/** Opened by both at the same moment, on a wire that loses. */
static void simultaneous_opens_work_on_lossy_wires(void **state)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct run run;
        run_init(&run, *state != NULL);
        struct pair *pair = &run.pair;
        pair->random = seed;
        pair->ctx = &run;
        pair->hook = random_fate;
        run.lose = 200;
        run.pair.cfg[0].stack.user_timeout_ms = run.pair.cfg[1].stack.user_timeout_ms = 3600000;
        pair_open(pair);
        struct tern_sock *s[2];
        for (int i = 0; i < 2; i++)
            assert_int_equal(
                tern_sock_connect(pair->end[i], &pair->addr[!i], 1000, NULL, 1000, &s[i]), 0);
        run_streams(&run, s[0], s[1], 5000);
        pair_run_ms(pair, 600000);
        assert_true(run_is_done(&run));
        for (int i = 0; i < 2; i++)
            assert_int_equal(pair_stats(pair, i)->active_established, 1);
        pair_close(pair);
    }
}

/* V066 */
static void thousand_connections_open_and_close(void **state)
{
    struct run run;
    run_init(&run, *state != NULL);
    struct pair *pair = &run.pair;
    pair_open(pair);
    for (int i = 0; i < 1000; i++) {
        pair_connect(pair);
        tern_sock_close(i % 2 ? pair->client : pair->server);
        pair_run_ms(pair, 50);
        tern_sock_close(i % 2 ? pair->server : pair->client);
        pair_run_ms(pair, 50);
    }
    pair_run_ms(pair, 100000);
    for (int i = 0; i < 2; i++) {
        const struct tern_stats *st = pair_stats(pair, i);
        assert_int_equal(st->closed[TERN_CLOSE_NORMAL], 1000);
        assert_int_equal(st->time_wait_opened, 500);
        assert_int_equal(st->retransmits, 0);
    }
    pair_close(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAMILIES(one_mib_both_ways),
        FAMILIES(one_mib_both_ways_is_not_retransmitted_without_loss),
        FAMILIES(random_wires_lose_nothing),
        FAMILIES(odd_configurations_lose_nothing),
        FAMILIES(tiny_mtu_and_jumbo_frames_carry_the_stream),
        FAMILIES(small_pools_lose_nothing),
        FAMILIES(simultaneous_opens_work_on_lossy_wires),
        FAMILIES(thousand_connections_open_and_close),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
