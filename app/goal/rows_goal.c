/* SPDX-License-Identifier: BSD-3-Clause */
/* What a load is to reach. */
#include "../error.h"
#include "../opt/rows.h"
#include "../value.h"

/* Finer than a thousandth no two steps of a search agree. */
enum { RESOLUTION_MIN_PPM = 1000, RESOLUTION_MAX_PPM = 500000, RATE_MAX = 1000000000 };
#define MS_NS       UINT64_C(1000000)
#define STEP_MAX_NS UINT64_C(3600000000000)

static int add_slo(struct app_settings *s, const char *text, struct tern_error *err)
{
    return app_slo_add(&s->goal.slo, text, err);
}

static int set_resolution(struct app_settings *s, const char *text, struct tern_error *err)
{
    uint64_t ppm;
    const int rc = app_value_ppm("--search-resolution", text, RESOLUTION_MAX_PPM, &ppm, err);
    if (rc == 0 && ppm < RESOLUTION_MIN_PPM)
        return app_refuse(
            err, "--search-resolution: %s is less than 0.1%%; type a share above", text);
    if (rc == 0)
        s->goal.resolution_ppm = ppm;
    return rc;
}

#define GOAL .group = APP_GROUP_GOAL, .commands = CMD_LOAD | CMD_PAIR

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "slo", .arg = "GOALS", GOAL, .many = true, APP_CALL(add_slo),
        .help = "what is to be met, such as 'p99<2ms,failed<0.01%': pN, mean or max (with :connect, :first_byte, :complete or :close), failed, rate, retransmits; exits with 3 when missed, with 4 when the result is not valid"},
    {.name = "search", GOAL, APP_FLAG(goal.searches),
        .help = "find the highest rate that meets --slo: doubling, then halving what is open; --rate is the highest that is tried, --duration the longest that it takes"},
    {.name = "search-from", .arg = "N", GOAL, APP_U64(goal.from, 1, RATE_MAX), .unit = "connections a second",
        .standard = "1 % of --rate, or 1000",
        .help = "the first rate that is tried, http-keepalive: requests"},
    {.name = "search-resolution", .arg = "PART", GOAL, APP_CALL(set_resolution), .standard = "1%",
        .help = "how close the highest rate met and the lowest missed come, 0.1%..50%"},
    {.name = "search-step", .arg = "T", GOAL, APP_NS(goal.step_ns, 100 * MS_NS, STEP_MAX_NS), .standard = "5s",
        .help = "how long a rate is measured, and longer where a percentile needs more samples"},
};
// clang-format on

const struct app_opt_rows app_rows_goal = APP_OPT_ROWS(rows);
