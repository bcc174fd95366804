/* SPDX-License-Identifier: BSD-3-Clause */
/* Where else options may stand. */
#include "../value.h"
#include "preset.h"
#include "rows.h"

static int set_preset(struct app_settings *s, const char *text, struct tern_error *err)
{
    uint32_t i = 0;
    const int rc = app_value_choice(
        "--preset", text, app_preset_names, app_opt_n_choices(app_preset_names), &i, err);
    if (rc == 0)
        s->preset = app_preset_names[i];
    return rc;
}

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "config", .arg = "FILE", .line_only = true, .group = APP_GROUP_CONFIG, .commands = CMD_ENDS,
        APP_TEXT(config), .standard = "$TERN_CONFIG, where it is set",
        .help = "read options from a YAML file; the line wins"},
    {.name = "preset", .arg = "NAME", .group = APP_GROUP_CONFIG, .commands = CMD_ENDS | CMD_EXPLAIN,
        APP_CALL(set_preset), .choices = app_preset_names,
        .help = "options under one name, over which file and line win; 'tern explain --preset NAME' lists them"},
    {.name = "file", .arg = "FILE", .positional = true, .group = APP_GROUP_CONFIG, .commands = CMD_EXPLAIN,
        APP_TEXT(config), .standard = "$TERN_CONFIG",
        .help = "the configuration file"},
};
// clang-format on

const struct app_opt_rows app_rows_config = APP_OPT_ROWS(rows);
