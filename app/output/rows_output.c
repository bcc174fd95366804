/* SPDX-License-Identifier: BSD-3-Clause */
/* Files that a run leaves behind, beside the JSON. */
#include "../opt/rows.h"

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "csv", .arg = "FILE", .group = APP_GROUP_REPORT, .commands = CMD_ENDS,
        APP_TEXT(csv),
        .help = "write a row of figures each second, in the file as soon as the second is over"},
    {.name = "html", .arg = "FILE", .group = APP_GROUP_REPORT, .commands = CMD_ENDS,
        APP_TEXT(html),
        .help = "write the result as a page with plots, which needs nothing but a browser"},
};
// clang-format on

const struct app_opt_rows app_rows_output = APP_OPT_ROWS(rows);
