/* SPDX-License-Identifier: BSD-3-Clause */
/* Files that a run leaves behind, beside the JSON. */
#include "../error.h"
#include "../opt/rows.h"

static int add_compared(struct app_settings *s, const char *text, struct tern_error *err)
{
    if (s->n_compared == APP_COMPARED)
        return app_refuse(err, "compare: '%.60s' is one too many; two results are compared", text);
    s->compared[s->n_compared++] = text;
    return 0;
}

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "csv", .arg = "FILE", .group = APP_GROUP_REPORT, .commands = CMD_ENDS,
        APP_TEXT(csv),
        .help = "write a row of figures each second, in the file as soon as the second is over"},
    {.name = "html", .arg = "FILE", .group = APP_GROUP_REPORT, .commands = CMD_ENDS | CMD_COMPARE,
        APP_TEXT(html),
        .help = "write the result as a page with plots, which needs nothing but a browser"},
    {.name = "hlog", .arg = "FILE", .group = APP_GROUP_REPORT, .commands = CMD_PAIR | CMD_LOAD,
        APP_TEXT(hlog),
        .help = "write the histograms of each second as a log that HdrHistogram's tools read"},
    {.name = "results", .arg = "A.json B.json", .positional = true, .many = true, .group = APP_GROUP_REPORT, .commands = CMD_COMPARE,
        APP_CALL(add_compared),
        .help = "the two results, as --json wrote them"},
};
// clang-format on

const struct app_opt_rows app_rows_output = APP_OPT_ROWS(rows);
