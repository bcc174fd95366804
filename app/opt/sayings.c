/* SPDX-License-Identifier: BSD-3-Clause */
/* A list that is only added to, with a bound. */
#include "sayings.h"

#include "../error.h"

int app_sayings_add(
    struct app_sayings *s, const struct app_opt_row *row, const char *text, struct tern_error *err)
{
    if (s->n == APP_SAYINGS_MAX)
        return app_refuse(err,
            "--%s: more than %d options; type fewer, with ranges such as --ip A-B", row->name,
            APP_SAYINGS_MAX);
    s->of[s->n++] = (struct app_saying){.row = row, .text = text};
    return 0;
}

const struct app_saying *app_sayings_last(
    const struct app_sayings *s, const struct app_opt_row *row)
{
    for (uint32_t i = s->n; i > 0; i--)
        if (s->of[i - 1].row == row)
            return &s->of[i - 1];
    return NULL;
}
