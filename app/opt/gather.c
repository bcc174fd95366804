/* SPDX-License-Identifier: BSD-3-Clause */
/* The line names the file, the file may name the preset: gathered in this order, ranked in the
 * other. */
#include "gather.h"

#include "../value.h"
#include "config.h"
#include "preset.h"

#include <stdlib.h>

/* The file that the line names, else the environment; NULL: none. */
static const char *config_path(uint32_t command, const struct app_sayings *said)
{
    const struct app_saying *one = app_sayings_last(said, app_opt_find(command, "config"));
    if (one != NULL)
        return one->text;
    const char *path = getenv("TERN_CONFIG");
    return path != NULL && path[0] != '\0' ? path : NULL;
}

int app_opt_gather_preset(uint32_t command, struct app_sayings *said, struct tern_error *err)
{
    const struct app_opt_row *row = app_opt_find(command, "preset");
    const struct app_saying *one = app_sayings_last(said, row);
    uint32_t i = 0;
    if (one == NULL)
        return 0;
    const int rc = app_value_choice(
        "--preset", one->text, app_preset_names, app_opt_n_choices(app_preset_names), &i, err);
    return rc == 0 ? app_preset_say(app_preset_find(one->text), command, said, err) : rc;
}

int app_opt_gather(
    uint32_t command, struct app_sayings *said, struct app_texts *texts, struct tern_error *err)
{
    struct app_config config;
    const char *path = config_path(command, said);
    int rc = 0;
    if (path != NULL) {
        rc = app_config_read(&config, path, texts, err);
        if (rc == 0)
            rc = app_config_say(&config, command, said, err);
    }
    return rc == 0 ? app_opt_gather_preset(command, said, err) : rc;
}
