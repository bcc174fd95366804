/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A configuration file: YAML, one for both ends. At the top stand maps, each with the options of
 * the line as keys:
 *
 *     common:                  # whoever knows them: load, serve and pair
 *       mtu: 9000
 *     load:
 *       target: http://198.18.0.1/
 *       dev: eth1
 *       ip: [198.18.1.1/15, 198.18.1.2/15]
 *     serve:
 *       dev: eth2
 *       no-huge: true
 *
 * A pair is both ends: it reads `load` and `serve`, of which it takes what it knows, and `pair`.
 */
#include "sayings.h"

enum { APP_CONFIG_BYTES_MAX = 1 << 20 };

/** A map of the file, and whose it is. */
struct app_config_map {
    const char *name;
    uint32_t commands; /**< CMD_* */
    const char *who;
};

uint32_t app_config_map_count(void);
const struct app_config_map *app_config_map_at(uint32_t i);

struct app_config {
    const char *path;
    struct app_sayings said; /**< as in the file; rank means nothing yet */
};

/**
 * Read and check all of it, whichever end asks.
 * @param texts  takes what the file says; outlives *c
 * @return 0, or -EINVAL with one line in *err that begins with the path, line and column
 */
int app_config_read(
    struct app_config *c, const char *path, struct app_texts *texts, struct tern_error *err);

/** Add what the file says to one command. @return 0, or -EINVAL: too much */
int app_config_say(
    const struct app_config *c, uint32_t command, struct app_sayings *said, struct tern_error *err);
