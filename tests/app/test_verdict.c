/* SPDX-License-Identifier: BSD-3-Clause */
/* Which results may not be believed, and why: a finished run in figures, and the reason that is
 * given. */
#include "unit.h"
#include "verdict.h"

struct row {
    const char *name;
    uint32_t n_ends, n_workers;
    uint64_t begun[3];
    double busy[3];
    const char *reason; /* NULL: valid */
};

// clang-format off
static const struct row rows[] = {
    {"one worker", 1, 1, {5000}, {0.9}, NULL},
    {"even", 1, 3, {5000, 5001, 4999}, {0.9, 0.8, 0.85}, NULL},
    {"as uneven as may be", 1, 2, {4000, 2000}, {0.2, 0.1}, NULL},
    {"one began less", 1, 3, {4000, 4001, 2000}, {0.2, 0.2, 0.1}, "lcore 11 began 4001, on lcore 12 2000: give each an idle CPU with --lcores"},
    {"one began nothing", 1, 2, {4000, 0}, {0.2, 0.1}, "on lcore 11 0:"},
    {"in a pair, too", 2, 2, {4001, 2000}, {0.9, 0.9}, "lcore 10 began 4001"},
    {"too few to tell", 1, 2, {999, 0}, {0.2, 0.1}, NULL},
    {"one was less busy", 1, 2, {5000, 5000}, {0.3, 0.7}, "lcore 11 was 70.0 % busy, on lcore 10 30.0 %: add --ip"},
    {"mostly idle", 1, 2, {5000, 5000}, {0.1, 0.49}, NULL},
    {"in a pair a busy worker says nothing", 2, 2, {5000, 5000}, {0.3, 0.99}, NULL},
    {"too busy", 1, 2, {5000, 5000}, {0.96, 0.9}, "lcore 10 was 96.0 % busy: raise --workers"},
};
// clang-format on

static void workers_that_were_held_up_are_told(void **state)
{
    static struct app_result r;
    struct app_load load = {.cfg = {.scenario = &app_scenario_handshake}};
    const struct app_run run = {.load = &load};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        r = (struct app_result){.n_ends = row->n_ends};
        r.ends[0].n_workers = row->n_workers;
        for (uint32_t w = 0; w < row->n_workers; w++) {
            r.ends[0].workers[w].lcore = 10 + w;
            r.ends[0].busy[w] = row->busy[w];
            r.begun[w] = row->begun[w];
        }
        app_verdict_judge(&r, &run);
        if (r.n_invalid != (row->reason != NULL)
            || (row->reason != NULL && strstr(r.invalid[0], row->reason) == NULL))
            fail_msg("%s: %u reasons: %s", row->name, r.n_invalid, r.invalid[0]);
    }
}

/* A transfer may be on one worker, and connections that are held do nothing. */
static void streams_and_held_connections_need_not_be_even(void **state)
{
    static struct app_result r;
    struct app_load load = {.cfg = {.scenario = &app_scenario_hold}};
    const struct app_stream_config stream = {.bytes = 0};
    const struct app_run run = {.load = &load}, streams = {.load = &load, .stream = &stream};
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        r = (struct app_result){.n_ends = 1, .begun = {5000, 0}};
        r.held = (struct app_held){.wanted = i, .open = i};
        r.ends[0].n_workers = 2;
        r.ends[0].busy[0] = 0.9;
        app_verdict_judge(&r, i == 0 ? &streams : &run);
        assert_int_equal(r.n_invalid, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_that_were_held_up_are_told),
        cmocka_unit_test(streams_and_held_connections_need_not_be_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
