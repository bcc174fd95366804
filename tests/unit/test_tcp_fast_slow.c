/* SPDX-License-Identifier: BSD-3-Clause */
/* The fast path is an optimisation: switched off, the same scenario gives the same wire, byte for
 * byte. */
#include "tcp_pair.h"

struct outcome {
    uint64_t trace, rx_fast;
};

static struct outcome play(bool v6, uint64_t seed, bool slow_only)
{
    struct run run;
    run_init(&run, v6);
    struct pair *pair = &run.pair;
    uint64_t dice = seed * 7919;
    pair->random = seed;
    run_draw(&run, &dice, 30);
    run_slow_path_only(&run, slow_only);
    for (int i = 0; i < 2; i++) {
        struct tern_stack_config *c = &pair->cfg[i].stack;
        c->rcv_buf_bytes = 1000 + next_random(&dice) % 100000;
        c->snd_buf_bytes = 1000 + next_random(&dice) % 100000;
    }

    pair->ctx = &run;
    pair->hook = random_fate;
    pair_open(pair);
    pair_connect(pair);
    run_streams(&run, pair->client, pair->server, 60000);
    pump(pair);
    pair_run_ms(pair, 300000);
    assert_true(run_is_done(&run));
    const struct outcome o = {
        pair->trace, pair_stats(pair, 0)->rx_fast + pair_stats(pair, 1)->rx_fast};
    pair_close(pair);
    return o;
}

static void same_seed_gives_the_same_wire(void **state)
{
    const struct outcome a = play(*state != NULL, 1, false), b = play(*state != NULL, 1, false);
    assert_int_equal(a.trace, b.trace);
    assert_int_not_equal(a.trace, play(*state != NULL, 2, false).trace);
}

static void slow_path_alone_gives_the_same_wire(void **state)
{
    uint64_t fast = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        const struct outcome quick = play(*state != NULL, seed, false);
        const struct outcome slow = play(*state != NULL, seed, true);
        if (quick.trace != slow.trace)
            fail_msg("seed %llu: the wires differ", (unsigned long long)seed);
        assert_int_equal(slow.rx_fast, 0);
        fast += quick.rx_fast;
    }
    assert_true(fast > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAMILIES(same_seed_gives_the_same_wire),
        FAMILIES(slow_path_alone_gives_the_same_wire),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
