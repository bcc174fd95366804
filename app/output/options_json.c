/* SPDX-License-Identifier: BSD-3-Clause */
#include "options_json.h"

#include "../opt/row.h"

/* What was said once is a text, what was said more often a list. */
static void add(json_t *o, const struct app_opt_row *row, const char *text)
{
    json_t *value = json_string(row->arg == NULL && text[0] == '\0' ? "true" : text);
    if (value == NULL)
        value = json_string("(not UTF-8)");
    if (!row->many) {
        json_object_set_new(o, row->name, value);
        return;
    }
    if (json_object_get(o, row->name) == NULL)
        json_object_set_new(o, row->name, json_array());
    json_array_append_new(json_object_get(o, row->name), value);
}

json_t *app_options_json(const struct app_settings *s)
{
    json_t *o = json_object();
    for (uint32_t i = 0; i < s->n_texts_set; i++)
        if (s->texts_set[i].row->group != APP_GROUP_REPORT)
            add(o, s->texts_set[i].row, s->texts_set[i].text);
    return o;
}
