/* SPDX-License-Identifier: BSD-3-Clause */
/* What only both ends together know. */
#include "rows.h"

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "ipv6", .letter = '6', .group = APP_GROUP_PAIR, .commands = CMD_PAIR, APP_FLAG(v6),
        .help = "IPv6 instead of IPv4"},
};
// clang-format on

const struct app_opt_rows app_rows_pair = APP_OPT_ROWS(rows);
