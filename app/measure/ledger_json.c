/* SPDX-License-Identifier: BSD-3-Clause */
#include "ledger_json.h"

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

json_t *app_ledger_part_json(const struct app_ledger *l, bool counts)
{
    json_t *ended = json_object();
    for (uint32_t end = 0; end < APP_ENDS; end++)
        if (l->ended[counts][end] != 0)
            json_object_set_new(ended, app_end_name(end), count(l->ended[counts][end]));
    return json_pack("{s:o, s:o}", "begun", count(l->begun[counts]), "ended", ended);
}
