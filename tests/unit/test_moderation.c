/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker and its peers as numbers: packets arrive, a poll takes what is there and costs time for
 * itself and for each packet. Cycles are nanoseconds.
 */
#include "engine/moderation.h"
#include "unit.h"

enum {
    INTERVAL = 10000,
    POLL = 400,   /* what a poll with work costs … */
    PACKET = 300, /* … and each of its packets */
    IDLE_POLL = 50,
    BURST_MAX = 64,
    PEERS_MAX = 1024,
    RETURN = 2000, /* closed loop: from an answer to the next request */
};

struct world {
    struct tern_moderation m;
    uint64_t now, busy, n_polls, n_packets;
    uint64_t gap;             /* open loop: one packet each; 0: closed loop */
    uint64_t n_taken;         /* open loop */
    uint32_t n_peers;         /* closed loop, each with one request under way */
    uint64_t next[PEERS_MAX]; /* … and when it arrives */
};

static uint32_t take_open(struct world *w)
{
    const uint64_t n = w->now / w->gap - w->n_taken;
    const uint32_t n_now = (uint32_t)(n < BURST_MAX ? n : BURST_MAX);
    w->n_taken += n_now;
    return n_now;
}

static uint32_t take_closed(struct world *w)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->n_peers && n < BURST_MAX; i++)
        if (w->next[i] <= w->now) {
            w->next[i] = UINT64_MAX;
            n++;
        }
    return n;
}

static void answer_all(struct world *w)
{
    for (uint32_t i = 0; i < w->n_peers; i++)
        if (w->next[i] == UINT64_MAX)
            w->next[i] = w->now + RETURN;
}

static void poll(struct world *w)
{
    const uint64_t begin = w->now;
    const uint32_t n = w->gap != 0 ? take_open(w) : take_closed(w);
    w->now += n == 0 ? IDLE_POLL : POLL + n * PACKET;
    if (n == 0)
        return;
    answer_all(w);
    w->n_polls++;
    w->n_packets += n;
    w->busy += w->now - begin;
    const uint64_t due = tern_moderation_next(&w->m, begin, n);
    if (due > w->now)
        w->now = due;
}

static void run_ms(struct world *w, uint64_t ms)
{
    const uint64_t end = w->now + ms * 1000000;
    w->busy = w->n_polls = w->n_packets = 0;
    while (w->now < end)
        poll(w);
}

static struct world make_world(uint64_t interval)
{
    return (struct world){.m = tern_moderation_make(interval), .now = 1000000000};
}

static struct world open_loop(uint64_t interval, uint64_t gap)
{
    struct world w = make_world(interval);
    w.gap = gap;
    w.n_taken = w.now / gap;
    return w;
}

static struct world closed_loop(uint64_t interval, uint32_t n_peers)
{
    struct world w = make_world(interval);
    w.n_peers = n_peers;
    for (uint32_t i = 0; i < n_peers; i++)
        w.next[i] = w.now;
    return w;
}

static void a_steady_load_is_taken_in_larger_bursts(void **state)
{
    (void)state;
    struct world plain = open_loop(0, 700), moderated = open_loop(INTERVAL, 700);
    run_ms(&plain, 100);
    run_ms(&moderated, 100);
    assert_in_range(moderated.n_packets, plain.n_packets - 20, plain.n_packets + 20);
    assert_true(plain.n_packets < 3 * plain.n_polls);
    assert_true(moderated.n_packets > 5 * moderated.n_polls);
    assert_true(moderated.busy < plain.busy * 7 / 10);
}

static void peers_that_wait_for_answers_are_not_slowed_down(void **state)
{
    (void)state;
    for (uint32_t n_peers = 1; n_peers <= 8; n_peers *= 2) {
        struct world plain = closed_loop(0, n_peers), moderated = closed_loop(INTERVAL, n_peers);
        run_ms(&plain, 2000);
        run_ms(&moderated, 2000);
        assert_true(moderated.n_packets > plain.n_packets * 97 / 100);
    }
}

static void a_full_burst_is_never_waited_behind(void **state)
{
    (void)state;
    struct world w = closed_loop(INTERVAL, PEERS_MAX);
    run_ms(&w, 100);
    assert_true(w.m.moderated);
    assert_int_equal(tern_moderation_next(&w.m, w.now, TERN_MODERATION_ENOUGH), 0);
    assert_int_equal(
        tern_moderation_next(&w.m, w.now, TERN_MODERATION_ENOUGH - 1), w.now + INTERVAL);
}

static void a_light_load_is_seen_at_once(void **state)
{
    (void)state;
    struct world w = open_loop(INTERVAL, INTERVAL);
    run_ms(&w, 100);
    assert_int_equal(w.n_polls, w.n_packets);
    assert_false(w.m.moderated);
}

static void when_the_load_falls_waiting_ends(void **state)
{
    (void)state;
    struct world w = open_loop(INTERVAL, 700);
    run_ms(&w, 100);
    w.gap = 2 * INTERVAL;
    w.n_taken = w.now / w.gap;
    run_ms(&w, 100);
    assert_false(w.m.moderated);
    w.gap = 700;
    w.n_taken = w.now / w.gap;
    run_ms(&w, 100); /* and begins again */
    assert_true(w.n_packets > 5 * w.n_polls);
}

static void a_silence_is_no_part_of_the_rate(void **state)
{
    (void)state;
    struct world w = open_loop(INTERVAL, 700);
    run_ms(&w, 100);
    w.now += 3600 * UINT64_C(1000000000);
    w.n_taken = w.now / w.gap;
    run_ms(&w, 100);
    assert_true(w.n_packets > 5 * w.n_polls);
}

static void bursts_with_silence_between_are_a_light_load(void **state)
{
    (void)state;
    struct tern_moderation m = tern_moderation_make(INTERVAL);
    for (uint64_t ms = 10; ms < 1000; ms += 10)
        for (uint64_t i = 0; i < 20; i++)
            assert_int_equal(tern_moderation_next(&m, ms * 1000000 + i * 5000, 10), 0);
}

static void an_interval_of_nothing_never_waits(void **state)
{
    (void)state;
    struct tern_moderation m = tern_moderation_make(0);
    for (uint64_t now = 0; now < 100000; now += 500)
        assert_int_equal(tern_moderation_next(&m, now, 10), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_load_is_taken_in_larger_bursts),
        cmocka_unit_test(peers_that_wait_for_answers_are_not_slowed_down),
        cmocka_unit_test(a_full_burst_is_never_waited_behind),
        cmocka_unit_test(a_light_load_is_seen_at_once),
        cmocka_unit_test(when_the_load_falls_waiting_ends),
        cmocka_unit_test(a_silence_is_no_part_of_the_rate),
        cmocka_unit_test(bursts_with_silence_between_are_a_light_load),
        cmocka_unit_test(an_interval_of_nothing_never_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
