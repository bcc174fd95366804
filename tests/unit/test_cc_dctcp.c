/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc_fixture.h"

/* DCTCP: alpha follows the share of marked bytes, the window is cut by half of alpha. */
#include <math.h>

enum { MSS = 1460, CWND = 100 * MSS };

static double alpha(struct world *w)
{
    return cong(w)->dctcp.alpha / (double)(1 << 20);
}

/** A window's worth of ACKs, `marked_pct` per cent of the segments with ECE. */
static void window(struct world *w, uint32_t marked_pct)
{
    const struct tern_seq end = w->c->snd.nxt;
    uint32_t due = 0;
    while (tern_seq_before(w->c->snd.una, end)) {
        due += marked_pct;
        const struct tern_ack a = {.acked_bytes = MSS, .delivered_bytes = MSS, .ece = due >= 100};
        due %= 100;
        w->c->snd.una = tern_seq_add(w->c->snd.una, MSS);
        w->c->snd.nxt = tern_seq_add(w->c->snd.nxt, MSS);
        tern_cc_acked(w->t, w->c, &a);
    }
}

static struct world *opened(void)
{
    struct world *w = world_new(TERN_CC_DCTCP, MSS);
    set_flight(w, CWND);
    assert_non_null(tern_conn_cong_need(w->t, w->c));
    w->c->cwnd_bytes = CWND;
    return w;
}

static void starts_as_careful_as_newreno(void **state)
{
    (void)state;
    struct world *w = opened();
    assert_true(alpha(w) == 1.0); /* RFC 8257 §3.3 */
    assert_int_equal(tern_cc_reduce(w->t, w->c, TERN_CAUSE_ECE), CWND / 2);
    world_free(w);
}

static void alpha_follows_the_share_of_marks(void **state)
{
    (void)state;
    const uint32_t shares[] = {0, 10, 50, 100, 25};
    struct world *w = opened();
    double want = 1.0;
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        for (int n = 0; n < 80; n++) {
            window(w, shares[i]);
            want += (shares[i] / 100.0 - want) / 16; /* §3.3, g = 1/16 */
            assert_true(fabs(alpha(w) - want) < 0.002);
        }
        assert_true(fabs(alpha(w) - shares[i] / 100.0) < 0.01);
    }
    world_free(w);
}

static void alpha_goes_to_zero_without_marks(void **state)
{
    (void)state;
    struct world *w = opened();
    for (int n = 0; n < 300; n++)
        window(w, 0);
    assert_true(alpha(w) < 1e-4);
    world_free(w);
}

static void ece_cuts_by_half_of_alpha(void **state)
{
    (void)state;
    const uint32_t shares[] = {0, 10, 50, 100};
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        struct world *w = opened();
        for (int n = 0; n < 200; n++)
            window(w, shares[i]);
        set_flight(w, CWND);
        const double want = CWND * (1 - alpha(w) / 2); /* §3.4 */
        const double got = tern_cc_reduce(w->t, w->c, TERN_CAUSE_ECE);
        assert_true(fabs(got - want) <= 1.0);
        assert_true(fabs(got - CWND * (1 - shares[i] / 200.0)) < CWND * 0.01);
        world_free(w);
    }
}

static void loss_halves_whatever_alpha_is(void **state)
{
    (void)state;
    struct world *w = opened();
    for (int n = 0; n < 200; n++)
        window(w, 0);
    set_flight(w, CWND);
    assert_int_equal(tern_cc_reduce(w->t, w->c, TERN_CAUSE_LOSS), CWND / 2); /* §3.5 */
    assert_int_equal(tern_cc_reduce(w->t, w->c, TERN_CAUSE_TIMEOUT), CWND / 2);
    world_free(w);
}

static void alpha_moves_once_a_window(void **state)
{
    (void)state;
    struct world *w = opened();
    const struct tern_ack a = {.acked_bytes = MSS, .delivered_bytes = MSS};
    for (int i = 0; i < CWND / MSS - 1; i++) {
        w->c->snd.una = tern_seq_add(w->c->snd.una, MSS);
        tern_cc_acked(w->t, w->c, &a);
        assert_true(alpha(w) == 1.0);
    }
    w->c->snd.una = tern_seq_add(w->c->snd.una, MSS);
    tern_cc_acked(w->t, w->c, &a);
    assert_true(alpha(w) == 1 - 1 / 16.0);
    world_free(w);
}

static void recovery_does_not_blind_it(void **state)
{
    (void)state;
    struct world *w = opened();
    w->q->flags |= TERN_TXQ_FAST;
    window(w, 0);
    assert_true(alpha(w) == 1 - 1 / 16.0);
    world_free(w);
}

/** RFC 8257's point: the queue stays at the marking threshold, and the link full. */
static void keeps_the_queue_at_the_threshold(void **state)
{
    (void)state;
    struct world *w = world_with(TERN_CC_DCTCP, MSS, 10 * MSS);
    struct path *p = path_new(1250000000, 100, 1000000); /* 10 Gbit/s, 100 us: BDP 125 KB */
    p->mark_bytes = 65 * MSS;                            /* 65 packets, as in the paper */
    path_run(p, w, 200000);
    path_forget(p);
    assert_true(path_run(p, w, 1000000) > 0.97 * 1250000000);
    assert_int_equal(p->dropped, 0);
    assert_true(p->queue_max_bytes < 110 * MSS);
    const double mean_bytes = p->queue_us_sum / (double)p->queue_samples * 1250;
    assert_true(mean_bytes < 75 * MSS && mean_bytes > 20 * MSS);
    free(p);
    world_free(w);
}

static void holds_at_a_gibibyte(void **state)
{
    (void)state;
    struct world *w = opened();
    w->c->cwnd_bytes = 1u << 30;
    set_flight(w, 1u << 30);
    const struct tern_ack a = {.acked_bytes = 1u << 30, .delivered_bytes = 1u << 30, .ece = true};
    w->c->snd.una = w->c->snd.nxt;
    tern_cc_acked(w->t, w->c, &a);
    assert_true(alpha(w) == 1.0);
    set_flight(w, 1u << 30);
    assert_int_equal(tern_cc_reduce(w->t, w->c, TERN_CAUSE_ECE), 1u << 29);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_as_careful_as_newreno),
        cmocka_unit_test(alpha_follows_the_share_of_marks),
        cmocka_unit_test(alpha_goes_to_zero_without_marks),
        cmocka_unit_test(ece_cuts_by_half_of_alpha),
        cmocka_unit_test(loss_halves_whatever_alpha_is),
        cmocka_unit_test(alpha_moves_once_a_window),
        cmocka_unit_test(recovery_does_not_blind_it),
        cmocka_unit_test(keeps_the_queue_at_the_threshold),
        cmocka_unit_test(holds_at_a_gibibyte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
