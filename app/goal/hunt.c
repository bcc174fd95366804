/* SPDX-License-Identifier: BSD-3-Clause */
#include "hunt.h"

#define PPM UINT64_C(1000000)

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What the resolution leaves open at this rate; a start a second at least. */
static uint64_t close_to(const struct app_hunt *h, uint64_t rate)
{
    const uint64_t gap = rate / PPM * h->resolution_ppm + rate % PPM * h->resolution_ppm / PPM;
    return gap > 0 ? gap : 1;
}

static void confirm(struct app_hunt *h)
{
    h->phase = APP_HUNT_CONFIRMS;
    h->rate = h->met;
}

static void seek(struct app_hunt *h, bool met)
{
    if (met)
        h->met = h->rate;
    else
        h->missed = h->rate;
    if (h->met == h->max)
        confirm(h);
    else if (h->missed == 0)
        h->rate = h->met > h->max / 2 ? h->max : 2 * h->met;
    else if (h->missed == 1)
        h->phase = APP_HUNT_NOTHING;
    else if (h->met == 0)
        h->rate = h->missed / 2;
    else if (h->missed - h->met <= close_to(h, h->met))
        confirm(h);
    else
        h->rate = h->met + (h->missed - h->met) / 2;
}

static void end_confirming(struct app_hunt *h, bool met)
{
    if (met) {
        h->met = h->rate;
        h->phase = h->met == h->max ? APP_HUNT_CEILING : APP_HUNT_FOUND;
        return;
    }
    h->met = 0;
    h->missed = h->rate;
    if (h->went_down || h->rate == 1) {
        h->phase = APP_HUNT_UNSTEADY;
        return;
    }
    h->went_down = true;
    h->rate -= lesser(h->rate - 1, close_to(h, h->rate));
}

void app_hunt_tell(struct app_hunt *h, bool met)
{
    if (h->phase == APP_HUNT_SEEKS)
        seek(h, met);
    else
        end_confirming(h, met);
}
