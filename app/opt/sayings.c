/* SPDX-License-Identifier: BSD-3-Clause */
/* A list that is only added to, with a bound. */
#include "sayings.h"

#include "../error.h"

#include <errno.h>

int app_sayings_add(struct app_sayings *s, const struct app_saying *said, struct tern_error *err)
{
    if (s->n == APP_SAYINGS_MAX)
        return app_refuse(err,
            "--%s: more than %d options; type fewer, with ranges such as --ip A-B", said->row->name,
            APP_SAYINGS_MAX);
    s->of[s->n++] = *said;
    return 0;
}

const struct app_saying *app_sayings_last(
    const struct app_sayings *s, const struct app_opt_row *row)
{
    const struct app_saying *best = NULL;
    for (uint32_t i = 0; i < s->n; i++)
        if (s->of[i].row == row && (best == NULL || s->of[i].rank >= best->rank))
            best = &s->of[i];
    return best;
}

/* What is wrong, and where the user finds it. */
static int refuse_there(const struct app_saying *said, struct tern_error *err)
{
    const struct tern_error cause = *err;
    if (said->rank == APP_RANK_PRESET)
        return app_refuse(err, "--preset %s: %.400s", said->where, cause.text);
    return app_refuse(
        err, "%.200s:%u:%u: %.280s", said->where, said->line, said->column, cause.text);
}

int app_sayings_set(const struct app_sayings *said, struct app_settings *s, struct tern_error *err)
{
    for (uint32_t i = 0; i < said->n; i++) {
        const struct app_saying *one = &said->of[i];
        if (app_sayings_last(said, one->row)->rank > one->rank)
            continue;
        if (app_opt_set(one->row, s, one->text, err) != 0)
            return one->where != NULL ? refuse_there(one, err) : -EINVAL;
    }
    return 0;
}
