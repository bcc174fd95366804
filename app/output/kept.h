/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* A result that was kept: read again from its JSON, and looked up in by name. */
#include <tern/config.h>

#include <jansson.h>
#include <stdint.h>

struct app_kept {
    const char *path, *name; /**< the latter for tables: the former without its directories */
    json_t *root;
};

/** @return 0, or -EINVAL with one line in *err */
int app_kept_read(struct app_kept *k, const char *path, struct tern_error *err);
void app_kept_free(struct app_kept *k);

/** What the steady seconds of a column were: its quartiles. */
struct app_spread {
    uint32_t n; /**< seconds; 0: there is no such column, and the rest is 0 */
    double low, median, high;
};

/** @param a_second  divide each by the length of its second */
void app_kept_spread(
    const struct app_kept *k, const char *column, bool a_second, struct app_spread *out);

/** Connections that count: how many began, and how many of them did not end in order. */
void app_kept_failed(const struct app_kept *k, uint64_t *n_failed, uint64_t *n_begun);
