/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A mix has no callbacks of its own: each connection is opened with those of the scenario whose
 * turn it is (round_robin.h), and carries the number of its part in its stamp. Weights are of
 * starts: over any stretch of as many as they sum up to, a worker opens exactly so many of each.
 * With
 * --conns those that last long therefore take most of the places, as they do at a real server.
 */
#include "churn.h"

#include "../error.h"
#include "../value.h"

#include <string.h>

enum { MIX_CHARS_MAX = 256 };

const struct app_scenario app_scenario_churn = {.name = "churn", .serves = "several"};

static int read_port(struct app_mix_part *part, char *name, struct tern_error *err)
{
    char *at = strchr(name, '@');
    if (at == NULL)
        return 0;
    *at = '\0';
    return app_value_u16("--mix", at + 1, 1, UINT16_MAX, &part->port, err);
}

static int read_scenario(
    const struct app_mix *mix, struct app_mix_part *part, const char *name, struct tern_error *err)
{
    const int rc = app_scenario_find("--mix", name, &part->scenario, err);
    if (rc != 0)
        return rc;
    if (part->scenario == &app_scenario_churn)
        return app_refuse(err, "--mix: churn is the mix itself; type one of its scenarios");
    for (uint32_t i = 0; i < mix->n; i++)
        if (mix->of[i].scenario == part->scenario)
            return app_refuse(err, "--mix: %s is there twice; add its weights up", name);
    return 0;
}

/* "NAME[@PORT]:WEIGHT", which is taken apart. */
static int read_part(struct app_mix *mix, char *text, struct tern_error *err)
{
    struct app_mix_part part = {.port = 0};
    char *weight = strchr(text, ':');
    if (weight == NULL)
        return app_refuse(
            err, "--mix: '%.40s' has no weight; type it like http:80,stream:15,hold:5", text);
    *weight++ = '\0';
    int rc = read_port(&part, text, err);
    if (rc == 0)
        rc = read_scenario(mix, &part, text, err);
    if (rc == 0)
        rc = app_value_u32("--mix", weight, 1, APP_WEIGHT_MAX, &part.weight, err);
    if (rc == 0)
        mix->of[mix->n++] = part; /* not too many: there are fewer scenarios, each but once */
    return rc;
}

int app_mix_parse(struct app_mix *mix, const char *text, struct tern_error *err)
{
    char copy[MIX_CHARS_MAX];
    struct app_mix read = {.n = 0};
    int rc = 0;
    if (strlen(text) >= sizeof copy)
        return app_refuse(err, "--mix: more than %d characters; type less", MIX_CHARS_MAX - 1);
    strcpy(copy, text);
    for (char *rest = copy, *part; rc == 0 && (part = strsep(&rest, ",")) != NULL;)
        rc = read_part(&read, part, err);
    if (rc == 0)
        *mix = read;
    return rc;
}

void app_mix_make(
    const struct app_mix *mix, const struct app_load_config *whole, struct app_load_mix *out)
{
    out->n = mix->n;
    for (uint32_t i = 0; i < mix->n; i++) {
        out->weights[i] = mix->of[i].weight;
        out->of[i] = *whole;
        out->of[i].scenario = mix->of[i].scenario;
        out->of[i].port = mix->of[i].port;
        out->of[i].rate = 0; /* is of connections, and the load's business */
        out->of[i].mix = NULL;
    }
    app_round_robin_make(&out->turns, out->weights, out->n);
}
