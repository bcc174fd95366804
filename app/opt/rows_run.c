/* SPDX-License-Identifier: BSD-3-Clause */
/* How long, and what is written about it. */
#include "rows.h"

#define MS_NS   UINT64_C(1000000)
#define HOUR_NS UINT64_C(3600000000000)
enum { DURATION_MAX_H = 24 * 365 };

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "duration", .letter = 'd', .arg = "T", .group = APP_GROUP_RUN, .commands = CMD_ENDS,
        APP_NS(duration_ns, MS_NS, DURATION_MAX_H * HOUR_NS), .standard = "load 10s, pair 5s, serve until Ctrl-C",
        .help = "how long to run"},
    {.name = "json", .arg = "FILE", .group = APP_GROUP_REPORT, .commands = CMD_ENDS | CMD_DOCTOR,
        APP_TEXT(json),
        .help = "write the result as JSON, '-' for stdout (the rest then goes to stderr)"},
    {.name = "help", .letter = 'h', .group = APP_GROUP_REPORT, .commands = CMD_ENDS | CMD_DOCTOR | CMD_EXPLAIN | CMD_COMPARE | CMD_DECODE | CMD_TOP, .kind = OPT_HELP, .line_only = true,
        .help = "this text"},
};
// clang-format on

const struct app_opt_rows app_rows_run = APP_OPT_ROWS(rows);
