/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two hundred scenarios in which everything is drawn from the seed: family, buffers, MSS, options,
 * policies, cookies, delay, loss, duplication and reordering. TERN_SEED=N runs that one alone.
 */
#include "tcp_pair.h"

#include <stdlib.h>

enum { SEEDS = 200, BYTES_MAX = 100000 };

static uint32_t one_of(uint64_t *dice, const uint32_t *values, uint32_t n)
{
    return values[next_random(dice) % n];
}

static void draw_configuration(struct run *run, uint64_t *dice)
{
    static const uint32_t mss[] = {0, 0, 536, 100, 1220},
                          buffers[] = {536, 4096, 65535, 262144, 1 << 20};
    const uint32_t cap = one_of(dice, mss, 5), rcv = one_of(dice, buffers, 5),
                   snd = one_of(dice, buffers, 5);
    const uint32_t bits = next_random(dice), policy = next_random(dice) % 3,
                   cookies = next_random(dice) % 3;
    for (int i = 0; i < 2; i++) {
        struct tern_stack_config *c = &run->pair.cfg[i].stack;
        c->mss_max = (uint16_t)(run->pair.v6 && cap == 100 ? 0 : cap);
        c->rcv_buf_bytes = rcv;
        c->snd_buf_bytes = snd;
        c->timestamps = bits & 1;
        c->sack = bits & 2;
        c->window_scale = bits & 4;
        c->nodelay = bits & 8;
        c->ack_policy = (enum tern_ack_policy)policy;
        c->syn_cookies = (enum tern_syn_cookies)cookies;
        c->user_timeout_ms = 3600000; /* a fifth of all packets is lost in some */
        run->pair.cfg[i].mbufs = 16384;
    }
}

static void draw_wire(struct run *run, uint64_t *dice)
{
    static const uint32_t per_thousand[] = {0, 0, 10, 50, 200};
    const bool cookies = run->pair.cfg[1].stack.syn_cookies == TERN_SYN_COOKIES_ALWAYS;
    run->pair.delay_ns = ms_to_ns(1 + next_random(dice) % 100);
    /* A lost ACK is never sent again, and the server knows nothing of a client that is silent; a
     * late copy of it would open a second connection. Cookies keep no memory. */
    run->lose = cookies ? 0 : one_of(dice, per_thousand, 5);
    run->doubles = cookies ? 0 : one_of(dice, per_thousand, 5);
    run->lates = cookies ? 0 : one_of(dice, per_thousand, 5);
}

static void play(uint64_t seed)
{
    struct run run;
    uint64_t dice = seed * 0x9e3779b97f4a7c15u;
    for (int i = 0; i < 8; i++)
        next_random(&dice);
    print_message("TERN_SEED=%llu\n", (unsigned long long)seed);
    run_init(&run, next_random(&dice) % 2);
    run.pair.random = seed;
    draw_configuration(&run, &dice);
    draw_wire(&run, &dice);
    run_exchange(&run, 1 + next_random(&dice) % BYTES_MAX);
}

static void streams_arrive_whole_whatever_is_drawn(void **state)
{
    (void)state;
    const char *only = getenv("TERN_SEED");
    if (only != NULL) {
        play(strtoull(only, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        play(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_arrive_whole_whatever_is_drawn),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
