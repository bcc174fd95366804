/* SPDX-License-Identifier: BSD-3-Clause */
/* Watching a run while it goes on. */
#include "../opt/rows.h"

static int set_prometheus(struct app_settings *s, const char *text, struct tern_error *err)
{
    return app_listen_at_parse(&s->prometheus, "--prometheus", text, err);
}

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "plain", .group = APP_GROUP_REPORT, .commands = CMD_ENDS,
        APP_FLAG(plain),
        .help = "a line a second on a terminal, too, where there would be a screen"},
    {.name = "prometheus", .arg = "ADDR:PORT", .group = APP_GROUP_REPORT, .commands = CMD_ENDS,
        APP_CALL(set_prometheus),
        .help = "let Prometheus scrape /metrics there while the run goes on; a port alone is one of 127.0.0.1"},
};
// clang-format on

const struct app_opt_rows app_rows_watch = APP_OPT_ROWS(rows);
