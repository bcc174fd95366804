/* SPDX-License-Identifier: BSD-3-Clause */
/* What a load is to reach. */
#include "../error.h"
#include "../opt/rows.h"

static int add_slo(struct app_settings *s, const char *text, struct tern_error *err)
{
    return app_slo_add(&s->goal.slo, text, err);
}

#define GOAL .group = APP_GROUP_GOAL, .commands = CMD_LOAD | CMD_PAIR

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "slo", .arg = "GOALS", GOAL, .many = true, APP_CALL(add_slo),
        .help = "what is to be met, such as 'p99<2ms,failed<0.01%': pN, mean or max (with :connect, :first_byte, :complete or :close), failed, rate, retransmits; exits with 3 when missed, with 4 when the result is not valid"},
};
// clang-format on

const struct app_opt_rows app_rows_goal = APP_OPT_ROWS(rows);
