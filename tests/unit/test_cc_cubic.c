/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc_fixture.h"
#include "tcp/cbrt.h"

/*
 * CUBIC beside RFC 9438 in floating point: `struct ideal` computes every step from the formulas of
 * the RFC, in segments and seconds, and is fed the same ACKs at the same times.
 */
#include <math.h>

#define C    0.4
#define BETA 0.7

struct ideal {
    double cwnd, w_max, prior, est, k, epoch_s;
};

static double ideal_curve(const struct ideal *r, double t)
{
    return C * (t - r->k) * (t - r->k) * (t - r->k) + r->w_max;
}

/** A loss at `cwnd` segments and, recovery being over, the start of the epoch. */
static struct ideal ideal_after_loss(double cwnd, double w_max_before, double now_s)
{
    struct ideal r = {.cwnd = cwnd * BETA, .prior = cwnd, .epoch_s = now_s};
    r.w_max = cwnd < w_max_before ? cwnd * (1 + BETA) / 2 : cwnd;
    r.k = cbrt((r.w_max - r.cwnd) / C);
    r.est = r.cwnd;
    return r;
}

static void ideal_ack(struct ideal *r, double segs, double now_s, double rtt_s)
{
    const double t = now_s - r->epoch_s;
    const double alpha = r->est >= r->prior ? 1 : 3 * (1 - BETA) / (1 + BETA);
    r->est += alpha * segs / r->cwnd;
    if (ideal_curve(r, t) < r->est) {
        r->cwnd = fmax(r->cwnd, r->est);
        return;
    }
    const double target = fmin(fmax(ideal_curve(r, t + rtt_s), r->cwnd), 1.5 * r->cwnd);
    r->cwnd += (target - r->cwnd) / r->cwnd * segs;
}

/** One round trip of ACKs, `n_acks` of them evenly spread; both are told of each. */
static void round_trip(struct world *w, struct ideal *r, uint32_t rtt_us, uint32_t n_acks)
{
    const uint32_t acked = w->c->cwnd_bytes / n_acks;
    for (uint32_t i = 0; i < n_acks; i++) {
        ack_full(w, acked);
        ideal_ack(r, (double)acked / w->c->mss_bytes, (double)now_us(w) * 1e-6, rtt_us * 1e-6);
        set_us(w, now_us(w) + rtt_us / n_acks);
    }
}

static double now_s(const struct world *w)
{
    return (double)now_us(w) * 1e-6;
}

static double segs(const struct world *w)
{
    return (double)w->c->cwnd_bytes / w->c->mss_bytes;
}

/* ---- arithmetic ---- */

static void cube_root_is_exact(void **state)
{
    (void)state;
    assert_int_equal(tern_cbrt(0), 0);
    assert_int_equal(tern_cbrt(UINT64_MAX), 2642245);
    for (uint64_t root = 1; root <= 2642245; root += 1 + root / 1000) {
        const uint64_t cube = root * root * root;
        assert_int_equal(tern_cbrt(cube), root);
        assert_int_equal(tern_cbrt(cube - 1), root - 1);
        assert_int_equal(tern_cbrt(cube + 1), root);
    }
    for (int bit = 0; bit < 64; bit++) {
        const uint64_t x = UINT64_C(1) << bit, root = tern_cbrt(x);
        assert_true(root * root * root <= x);
        assert_true((root + 1) * (root + 1) * (root + 1) > x);
    }
}

/* ---- the curve ---- */

static void window_follows_the_curve_of_the_rfc(void **state)
{
    (void)state;
    const struct {
        uint16_t mss;
        uint32_t segs, rtt_us, rounds;
    } rows[] = {
        {1460, 100, 100000, 200},    /* concave, flat, convex: K = 4.2 s */
        {1460, 1000, 50000, 400},    /* K = 9.1 s */
        {536, 10000, 200000, 250},   /* K = 19.6 s */
        {9000, 119000, 100000, 600}, /* 1 GiB at 100 ms: 86 Gbit/s; K = 44.7 s */
        {1460, 700000, 300000, 500}, /* 1 GiB at 300 ms: K = 80.7 s */
        {1460, 50, 1000, 3000},      /* Reno-friendly all the time */
        {1460, 20, 30000, 300},      /* Reno-friendly at first */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) { /* (9438-2), (9438-3) */
        struct world *w = world_with(TERN_CC_CUBIC, rows[i].mss, rows[i].segs * rows[i].mss);
        set_rtt(w, rows[i].rtt_us);
        reduce(w, TERN_CAUSE_LOSS);
        struct ideal r = ideal_after_loss(rows[i].segs, 0, now_s(w));
        const double widest = 0.95 * (1u << 30) / rows[i].mss;
        for (uint32_t n = 0; n < rows[i].rounds && r.cwnd < widest; n++) {
            round_trip(w, &r, rows[i].rtt_us, 20);
            assert_true(fabs(segs(w) - r.cwnd) <= 0.5 + 0.002 * r.cwnd);
        }
        assert_true(segs(w) > 1.01 * rows[i].segs || r.cwnd >= widest); /* it got beyond W_max */
        world_free(w);
    }
}

static void at_k_it_is_back_and_flat(void **state)
{
    (void)state;
    struct world *w = world_with(TERN_CC_CUBIC, 1460, 1000 * 1460);
    const uint32_t rtt_us = 50000;
    set_rtt(w, rtt_us);
    reduce(w, TERN_CAUSE_LOSS);
    struct ideal r = ideal_after_loss(1000, 0, now_s(w));
    double before_k[2] = {0};
    while (now_s(w) < r.epoch_s + r.k) {
        if (now_s(w) < r.epoch_s + r.k - 1)
            before_k[0] = segs(w);
        else if (before_k[1] == 0)
            before_k[1] = segs(w);
        round_trip(w, &r, rtt_us, 20);
    }
    assert_true(fabs(segs(w) - 1000) < 1.5);
    assert_true(segs(w) - before_k[1] < 1.5); /* the last second: 0.4 segments */
    assert_true(before_k[0] > 995);
    world_free(w);
}

static void stretched_acks_make_no_difference(void **state)
{
    (void)state;
    double end[3];
    const uint32_t n_acks[] = {2, 20, 500};
    for (int i = 0; i < 3; i++) {
        struct world *w = world_with(TERN_CC_CUBIC, 1460, 1000 * 1460);
        set_rtt(w, 50000);
        reduce(w, TERN_CAUSE_LOSS);
        struct ideal r = ideal_after_loss(1000, 0, now_s(w));
        for (int n = 0; n < 300; n++)
            round_trip(w, &r, 50000, n_acks[i]);
        end[i] = segs(w);
        world_free(w);
    }
    assert_true(fabs(end[0] - end[1]) < 0.02 * end[1]);
    assert_true(fabs(end[2] - end[1]) < 0.02 * end[1]);
}

/** A window that grows by less than a byte an ACK still grows. */
static void fractions_are_not_lost(void **state)
{
    (void)state;
    struct world *w = world_with(TERN_CC_CUBIC, 1460, 100000 * 1460);
    set_rtt(w, 100000);
    reduce(w, TERN_CAUSE_LOSS);
    struct ideal r = ideal_after_loss(100000, 0, now_s(w));
    for (int n = 0; n < 5; n++)
        round_trip(w, &r, 100000, 70000); /* every segment acknowledged alone */
    assert_true(fabs(segs(w) - r.cwnd) <= 0.5 + 0.0005 * r.cwnd);
    assert_true(segs(w) > 70001);
    world_free(w);
}

/* ---- events ---- */

static void loss_and_ece_take_three_tenths(void **state)
{
    (void)state;
    struct world *w = world_with(TERN_CC_CUBIC, 1000, 1000000);
    set_flight(w, 1000000);
    assert_int_equal(tern_cc_reduce(w->t, w->c, TERN_CAUSE_LOSS), 700000); /* (9438-1) */
    assert_int_equal(tern_cc_reduce(w->t, w->c, TERN_CAUSE_ECE), 700000);
    assert_int_equal(tern_cc_reduce(w->t, w->c, TERN_CAUSE_TIMEOUT), 700000); /* (9438-5) */
    world_free(w);
}

static void a_second_loss_below_the_first_leaves_room(void **state)
{
    (void)state;
    struct world *w = world_with(TERN_CC_CUBIC, 1000, 1000000);
    reduce(w, TERN_CAUSE_LOSS);
    assert_int_equal(cong(w)->cubic.now.w_max_bytes, 1000000);
    w->c->cwnd_bytes = 800000;
    reduce(w, TERN_CAUSE_LOSS); /* §4.7: 0.85 of where it was (9438-4) */
    assert_int_equal(cong(w)->cubic.now.w_max_bytes, 680000);
    assert_int_equal(cong(w)->cubic.now.prior_bytes, 800000);
    w->c->cwnd_bytes = 900000;
    reduce(w, TERN_CAUSE_LOSS);
    assert_int_equal(cong(w)->cubic.now.w_max_bytes, 900000);
    world_free(w);
}

static void after_a_timeout_it_grows_from_where_slow_start_ended(void **state)
{
    (void)state;
    struct world *w = world_with(TERN_CC_CUBIC, 1460, 100 * 1460);
    set_rtt(w, 100000);
    reduce(w, TERN_CAUSE_TIMEOUT);
    w->q->flags |= TERN_TXQ_RTO;
    for (int n = 0; w->c->cwnd_bytes < cong(w)->ssthresh_bytes && n < 20; n++) {
        ack_window(w, 1);
        set_us(w, now_us(w) + 100000);
    }
    w->q->flags = 0;
    assert_int_equal(cong(w)->ssthresh_bytes, 70 * 1460);
    /* §4.8: K = 0, W_max = cwnd: convex at once, no pull back to the 100 of before */
    assert_int_equal(cong(w)->cubic.now.k_ms, 0);
    assert_in_range(cong(w)->cubic.now.w_max_bytes, 70 * 1460, 71 * 1460);
    struct ideal r = {.cwnd = segs(w), .w_max = 70, .prior = 100, .est = segs(w), .k = 0};
    r.epoch_s = now_s(w) - 0.1;
    for (int n = 0; n < 60; n++)
        round_trip(w, &r, 100000, 20);
    assert_true(fabs(segs(w) - r.cwnd) < 0.5 + 0.03 * r.cwnd);
    world_free(w);
}

static void undo_goes_on_as_if_nothing_had_been(void **state)
{
    (void)state;
    struct world *w = world_with(TERN_CC_CUBIC, 1460, 1000 * 1460);
    set_rtt(w, 50000);
    reduce(w, TERN_CAUSE_LOSS);
    struct ideal r = ideal_after_loss(1000, 0, now_s(w));
    for (int n = 0; n < 100; n++)
        round_trip(w, &r, 50000, 20);
    const uint32_t cwnd = w->c->cwnd_bytes, ssthresh = cong(w)->ssthresh_bytes;
    reduce(w, TERN_CAUSE_LOSS);
    w->c->cwnd_bytes = cwnd; /* as recovery.c does */
    cong(w)->ssthresh_bytes = ssthresh;
    tern_conn_cc(w->t, w->c)->undone(w->t, w->c, cong(w));
    for (int n = 0; n < 100; n++) /* §4.9 */
        round_trip(w, &r, 50000, 20);
    assert_true(fabs(segs(w) - r.cwnd) < 0.5 + 0.002 * r.cwnd);
    world_free(w);
}

/* ---- pauses (§4.2, §5.8) ---- */

/** Ten seconds in which nothing, or little, was sent; the curve must not have run on meanwhile. */
static void assert_pause_does_not_count(bool trickle)
{
    struct world *w = world_with(TERN_CC_CUBIC, 1460, 1000 * 1460);
    set_rtt(w, 50000);
    reduce(w, TERN_CAUSE_LOSS);
    struct ideal r = ideal_after_loss(1000, 0, now_s(w));
    for (int n = 0; n < 200; n++)
        round_trip(w, &r, 50000, 20);
    const struct tern_ack lone = {.acked_bytes = 1460, .delivered_bytes = 1460};
    for (int i = 0; i < 100; i++) {
        set_us(w, now_us(w) + 100000);
        if (trickle)
            tern_cc_acked(w->t, w->c, &lone);
    }
    r.epoch_s += 10;
    for (int n = 0; n < 60; n++)
        round_trip(w, &r, 50000, 20);
    assert_true(fabs(segs(w) - r.cwnd) < 0.5 + 0.03 * r.cwnd); /* a round trip more or less */
    world_free(w);
}

static void idle_time_does_not_count(void **state)
{
    (void)state;
    assert_pause_does_not_count(false);
}

static void application_limited_time_does_not_count(void **state)
{
    (void)state;
    assert_pause_does_not_count(true);
}

/* ---- on a path ---- */

static void fills_a_long_fat_path_better_than_newreno(void **state)
{
    (void)state;
    double rate[2];
    const enum tern_cc_kind kinds[] = {TERN_CC_NEWRENO, TERN_CC_CUBIC};
    for (int i = 0; i < 2; i++) {
        struct world *w = world_with(kinds[i], 1460, 10 * 1460);
        struct path *p = path_new(12500000, 100000, 250000); /* BDP 1.25 MB, a fifth of it buffer */
        p->loss_per_million = 20;
        path_run(p, w, 10000000);
        rate[i] = path_run(p, w, 100000000);
        free(p);
        world_free(w);
    }
    /* RFC 9438 §5.3 gives 626 segments a round trip at this loss, RFC 5681's rule 273; both as
     * averages over much longer times */
    assert_true(rate[1] > 0.55 * 12500000);
    assert_true(rate[1] > 1.3 * rate[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cube_root_is_exact),
        cmocka_unit_test(window_follows_the_curve_of_the_rfc),
        cmocka_unit_test(at_k_it_is_back_and_flat),
        cmocka_unit_test(stretched_acks_make_no_difference),
        cmocka_unit_test(fractions_are_not_lost),
        cmocka_unit_test(loss_and_ece_take_three_tenths),
        cmocka_unit_test(a_second_loss_below_the_first_leaves_room),
        cmocka_unit_test(after_a_timeout_it_grows_from_where_slow_start_ended),
        cmocka_unit_test(undo_goes_on_as_if_nothing_had_been),
        cmocka_unit_test(idle_time_does_not_count),
        cmocka_unit_test(application_limited_time_does_not_count),
        cmocka_unit_test(fills_a_long_fat_path_better_than_newreno),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
