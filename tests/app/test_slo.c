/* SPDX-License-Identifier: BSD-3-Clause */
/* Goals: what is one, and when it is met. */
#include "goal/goal.h"
#include "goal/slo.h"
#include "opt/row.h"
#include "opt/settings.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

/* ---- text ---- */

static void goals_are_read_by_their_parts(void **state)
{
    static const struct {
        const char *text;
        struct app_slo_goal want;
    } rows[] = {
        {"p99<2ms", {.percent = 99, .metric = APP_METRIC_COMPLETE, .limit = 2e6}},
        {"p99.99:connect<=5us",
            {.percent = 99.99, .says_metric = true, .order = APP_SLO_AT_MOST, .limit = 5e3}},
        {" max : close < 1 s ",
            {.figure = APP_SLO_MAX, .metric = APP_METRIC_CLOSE, .says_metric = true, .limit = 1e9}},
        {"mean:first_byte<300us", {.figure = APP_SLO_MEAN,
                                      .metric = APP_METRIC_FIRST_BYTE,
                                      .says_metric = true,
                                      .limit = 3e5}},
        {"failed<0.01%", {.figure = APP_SLO_FAILED, .is_share = true, .limit = 1e-4}},
        {"failed<=3", {.figure = APP_SLO_FAILED, .order = APP_SLO_AT_MOST, .limit = 3}},
        {"rate>=99%",
            {.figure = APP_SLO_RATE, .order = APP_SLO_AT_LEAST, .is_share = true, .limit = 0.99}},
        {"rate>10k", {.figure = APP_SLO_RATE, .order = APP_SLO_ABOVE, .limit = 1e4}},
        {"retransmits<0.1%", {.figure = APP_SLO_RETRANSMITS, .is_share = true, .limit = 1e-3}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct app_slo slo = {.n = 0};
        struct tern_error err;
        assert_int_equal(app_slo_add(&slo, rows[i].text, &err), 0);
        const struct app_slo_goal *got = &slo.of[0], *want = &rows[i].want;
        assert_int_equal(slo.n, 1);
        assert_int_equal(got->figure, want->figure);
        assert_int_equal(got->order, want->order);
        assert_int_equal(got->is_share, want->is_share);
        assert_int_equal(got->says_metric, want->says_metric);
        assert_true(got->percent == want->percent && got->limit == want->limit);
        if (app_slo_is_time(want))
            assert_int_equal(got->metric, want->metric);
    }
}

static void a_comma_is_and(void **state)
{
    struct app_slo slo = {.n = 0};
    struct tern_error err;
    (void)state;
    assert_int_equal(app_slo_add(&slo, "p99<2ms, failed<0.01%", &err), 0);
    assert_int_equal(app_slo_add(&slo, "rate>=99%", &err), 0);
    assert_int_equal(slo.n, 3);
    assert_string_equal(slo.of[1].text, "failed<0.01%");
}

static void what_is_no_goal_is_refused_with_its_reason(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "no limit"},
        {"p99", "no limit"},
        {"p99<", "no limit"},
        {"p99<2ms,", "no limit"},
        {"<2ms", "no known figure"},
        {"p100<2ms", "no known figure"},
        {"p0<2ms", "no known figure"},
        {"p<2ms", "no known figure"},
        {"p9.9.9<2ms", "no known figure"},
        {"p99.123456789<2ms", "no known figure"},
        {"p.5<2ms", "no known figure"},
        {"p-9<2ms", "no known figure"},
        {"median<2ms", "no known figure"},
        {"p99:failed<2ms", "no known figure"},
        {"p99:<2ms", "no known figure"},
        {"failed:connect<2", "no known figure"},
        {"p99<2parsecs", "unknown unit"},
        {"p99<10%", "unknown unit"},
        {"p99<0s", "outside"},
        {"p99<2h", "outside"},
        {"failed<101%", "more than 100%"},
        {"failed<-1%", "not a number"},
        {"failed<0.00001%", "not whole"},
        {"p99>2ms", "what is worse"},
        {"rate<99%", "what is worse"},
        {"p99<2000000000000000000000000000000000000000000000ms", "too long"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct app_slo slo = {.n = 0};
        struct tern_error err = {.text = "(nothing)"};
        if (app_slo_add(&slo, rows[i].text, &err) == 0 || strstr(err.text, rows[i].says) == NULL)
            fail_msg("'%s' should say '%s': %s", rows[i].text, rows[i].says, err.text);
        assert_non_null(strstr(err.text, "--slo"));
    }
}

static void goals_are_bounded(void **state)
{
    struct app_slo slo = {.n = 0};
    struct tern_error err;
    (void)state;
    for (int i = 0; i < APP_SLO_GOALS_MAX; i++)
        assert_int_equal(app_slo_add(&slo, "max<1s", &err), 0);
    assert_int_not_equal(app_slo_add(&slo, "max<1s", &err), 0);
    assert_int_equal(slo.n, APP_SLO_GOALS_MAX);
}

/* ---- against the rest of the line ---- */

static int check(const struct app_scenario *scenario, const char *text, struct app_settings *s)
{
    struct tern_error err;
    app_settings_init(s, CMD_PAIR);
    s->scenario = scenario;
    assert_int_equal(app_slo_add(&s->goal.slo, text, &err), 0);
    return app_goal_check(s, &err);
}

static void goals_fit_the_scenario(void **state)
{
    static struct app_settings s;
    struct tern_error err;
    (void)state;
    assert_int_equal(check(&app_scenario_http, "p99<2ms", &s), 0);
    assert_int_equal(s.goal.slo.of[0].metric, APP_METRIC_COMPLETE);
    assert_int_equal(check(&app_scenario_handshake, "p99<2ms", &s), 0);
    assert_int_equal(s.goal.slo.of[0].metric, APP_METRIC_CONNECT);
    assert_int_equal(check(&app_scenario_handshake, "p99:close<2ms", &s), 0);
    assert_int_not_equal(check(&app_scenario_handshake, "p99:first_byte<2ms", &s), 0);
    assert_int_equal(check(&app_scenario_http, "rate>=10", &s), 0);
    assert_int_not_equal(check(&app_scenario_http, "rate>=90%", &s), 0);
    s.rate = 10;
    assert_int_equal(app_goal_check(&s, &err), 0);
    assert_int_equal(check(&app_scenario_http, "failed<1%,p50<1s", &s), 0);
    s.no_latency = true;
    assert_int_not_equal(app_goal_check(&s, &err), 0);
}

/* ---- verdicts ---- */

/* So many of 1 ms, and as many as are beyond of 10 ms, all of one metric. */
static struct app_hist *times(enum app_metric m, uint32_t n, uint32_t n_beyond)
{
    struct app_hist *h = calloc(APP_METRIC_COUNT, sizeof *h);
    for (uint32_t i = 0; i < n + n_beyond; i++)
        app_hist_add(&h[m], i < n ? 1000000 : 10000000);
    return h;
}

static enum app_slo_verdict judge(const char *text, const struct app_slo_facts *facts)
{
    struct app_slo slo = {.n = 0};
    struct app_slo_outcome o;
    struct tern_error err;
    assert_int_equal(app_slo_add(&slo, text, &err), 0);
    app_slo_judge(&slo, facts, &o);
    assert_int_equal(o.met, o.of[0].verdict == APP_SLO_MET);
    return o.of[0].verdict;
}

static void a_time_is_met_missed_or_not_known(void **state)
{
    static const struct {
        const char *goal;
        uint32_t n, n_beyond;
        enum app_slo_verdict want;
    } rows[] = {
        {"p99<2ms", 990, 10, APP_SLO_MET},
        {"p99<2ms", 989, 11, APP_SLO_MISSED},
        {"p99<2ms", 999, 0, APP_SLO_TOO_FEW},
        {"p99.9<2ms", 9990, 0, APP_SLO_TOO_FEW},
        {"p99.9<2ms", 10000, 0, APP_SLO_MET},
        {"p50<2ms", 19, 0, APP_SLO_TOO_FEW},
        {"p50<2ms", 20, 0, APP_SLO_MET},
        {"max<2ms", 20, 0, APP_SLO_MET},
        {"max<2ms", 20, 1, APP_SLO_MISSED},
        {"max<2ms", 0, 0, APP_SLO_TOO_FEW},
        {"max<=10ms", 20, 1, APP_SLO_MET},
        {"max<10ms", 20, 1, APP_SLO_MISSED},
        {"mean<3ms", 9, 1, APP_SLO_MET},
        {"mean<1.8ms", 9, 1, APP_SLO_MISSED},
        {"p99:connect<2ms", 9999, 0, APP_SLO_TOO_FEW},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct app_hist *h = times(APP_METRIC_COMPLETE, rows[i].n, rows[i].n_beyond);
        const struct app_slo_facts f = {.times = h};
        const enum app_slo_verdict got = judge(rows[i].goal, &f);
        if (got != rows[i].want)
            fail_msg("row %zu: %s is %s", i, rows[i].goal, app_slo_verdict_name(got));
        free(h);
    }
    assert_int_equal(judge("max<1s", &(struct app_slo_facts){.times = NULL}), APP_SLO_TOO_FEW);
}

static void shares_and_counts_are_of_what_was_due(void **state)
{
    const struct app_slo_facts f = {.attempts = 10000,
        .failed = 1,
        .rate = 990,
        .rate_goal = 1000,
        .retransmits = 7,
        .segments = 70000};
    const struct app_slo_facts none = {.rate = 0};
    (void)state;
    assert_int_equal(judge("failed<0.01%", &f), APP_SLO_MISSED);
    assert_int_equal(judge("failed<=0.01%", &f), APP_SLO_MET);
    assert_int_equal(judge("failed<2", &f), APP_SLO_MET);
    assert_int_equal(judge("failed<=0", &f), APP_SLO_MISSED);
    assert_int_equal(judge("failed<1%", &none), APP_SLO_TOO_FEW);
    assert_int_equal(judge("rate>=99%", &f), APP_SLO_MET);
    assert_int_equal(judge("rate>99%", &f), APP_SLO_MISSED);
    assert_int_equal(judge("rate>=991", &f), APP_SLO_MISSED);
    assert_int_equal(judge("rate>=1", &none), APP_SLO_MISSED);
    assert_int_equal(judge("retransmits<0.01%", &f), APP_SLO_MISSED);
    assert_int_equal(judge("retransmits<0.02%", &f), APP_SLO_MET);
    assert_int_equal(judge("retransmits<7", &f), APP_SLO_MISSED);
}

static void all_goals_must_be_met(void **state)
{
    struct app_slo slo = {.n = 0};
    struct app_slo_outcome o;
    struct tern_error err;
    char why[128];
    const struct app_slo_facts f = {.attempts = 100, .failed = 2, .rate = 50};
    (void)state;
    assert_int_equal(app_slo_add(&slo, "rate>=40,failed<1%", &err), 0);
    app_slo_judge(&slo, &f, &o);
    assert_false(o.met);
    assert_string_equal(app_slo_why(&slo, &o, why, sizeof why), "failed<1%: 2.0000 %, missed");
}

/* ---- what failed ---- */

static void starts_that_were_never_made_have_failed(void **state)
{
    struct app_slo_facts f = {.rate = 0};
    const struct app_load_counts none = {.opened = 0};
    const struct app_ledger l = {.begun = {[false] = 50, [true] = 100},
        .ended = {[false] = {[TERN_CLOSE_REFUSED] = 50},
            [true] = {[TERN_CLOSE_NORMAL] = 97, [TERN_CLOSE_TIMEOUT] = 2}}};
    (void)state;
    app_goal_count(&f, false, &l, &none, 20);
    assert_int_equal(f.attempts, 120);
    assert_int_equal(f.failed, 23); /* two, one that never ended, twenty that never began */
}

static void requests_fail_by_themselves_and_with_their_connection(void **state)
{
    struct app_slo_facts f = {.rate = 0};
    const struct app_load_counts c = {.asked = {10, 990},
        .answered = 980,
        .wrong = {[APP_FAIL_HTTP_STATUS] = 12},
        .unanswered = 8};
    const struct app_ledger l = {.begun = {[true] = 4},
        .ended = {[true] = {[TERN_CLOSE_NORMAL] = 3, [TERN_CLOSE_RESET] = 1}}};
    (void)state;
    app_goal_count(&f, true, &l, &c, 5);
    assert_int_equal(f.attempts, 1006);
    assert_int_equal(f.failed, 12 + 8 + 1 + 5);
}

/* ---- what a run exits with ---- */

static void exit_status_tells_missed_from_not_known(void **state)
{
    static struct app_result r;
    static const struct app_load_config cfg = {.scenario = &app_scenario_handshake};
    struct app_slo slo = {.n = 0};
    struct tern_error err;
    (void)state;
    r = (struct app_result){.slo = &slo, .cps = 50};
    app_goal_judge(&r, &cfg);
    assert_int_equal(app_goal_status(&r, &err), APP_EXIT_OK);
    assert_int_equal(app_slo_add(&slo, "rate>=40", &err), 0);
    app_goal_judge(&r, &cfg);
    assert_int_equal(app_goal_status(&r, &err), APP_EXIT_OK);
    r.cps = 30;
    app_goal_judge(&r, &cfg);
    assert_int_equal(app_goal_status(&r, &err), APP_EXIT_SLO);
    r.n_invalid = 1;
    assert_int_equal(app_goal_status(&r, &err), APP_EXIT_INVALID);
    r.slo = NULL;
    assert_int_equal(app_goal_status(&r, &err), APP_EXIT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goals_are_read_by_their_parts),
        cmocka_unit_test(a_comma_is_and),
        cmocka_unit_test(what_is_no_goal_is_refused_with_its_reason),
        cmocka_unit_test(goals_are_bounded),
        cmocka_unit_test(goals_fit_the_scenario),
        cmocka_unit_test(a_time_is_met_missed_or_not_known),
        cmocka_unit_test(shares_and_counts_are_of_what_was_due),
        cmocka_unit_test(all_goals_must_be_met),
        cmocka_unit_test(starts_that_were_never_made_have_failed),
        cmocka_unit_test(requests_fail_by_themselves_and_with_their_connection),
        cmocka_unit_test(exit_status_tells_missed_from_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
