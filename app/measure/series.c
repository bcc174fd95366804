/* SPDX-License-Identifier: BSD-3-Clause */
#include "series.h"

#include <stdlib.h>

enum { ROOM_AT_FIRST = 64 };

const char *app_phase_name(enum app_phase p)
{
    static const char *const names[] = {"ramp", "steady", "drain"};
    return names[p];
}

static bool make_room(struct app_series *s)
{
    if (s->n < s->room)
        return true;
    const uint32_t twice = s->room == 0 ? ROOM_AT_FIRST : 2 * s->room;
    const uint32_t room = twice < APP_SECONDS_MAX ? twice : APP_SECONDS_MAX;
    void *larger = s->n == APP_SECONDS_MAX ? NULL : realloc(s->seconds, room * sizeof *s->seconds);
    if (larger == NULL)
        return false;
    s->seconds = larger;
    s->room = room;
    return true;
}

void app_series_add(struct app_series *s, const struct app_second *second)
{
    if (!make_room(s)) {
        s->n_lost++;
        return;
    }
    struct app_second *kept = &s->seconds[s->n++];
    *kept = *second;
    kept->times = kept->times_so_far = NULL;
    kept->so_far = NULL;
}

void app_series_free(struct app_series *s)
{
    free(s->seconds);
    *s = (struct app_series){.n = 0};
}
