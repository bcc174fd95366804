/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The books of an end: what became of every connection, each under exactly one name, made from the
 * library's counters and, for a load, the scenario's own.
 */
#include <tern/stats.h>

#include "load/load.h"

#include <stdbool.h>
#include <stdint.h>

enum { APP_FAILURES_MAX = TERN_CLOSE_COUNT + APP_FAIL_COUNT + 3 };

struct app_books {
    uint64_t opened; /**< SYNs sent (client); SYN cache entries and cookies (server) */
    uint64_t established;
    uint64_t closed; /**< in order, by FIN in both directions, and the scenario content */
    uint64_t failed; /**< sum of the failures */
    uint32_t n_failures;
    struct {
        const char *name;
        uint64_t count; /**< not zero */
    } failures[APP_FAILURES_MAX];
};

/** Books of an end that connects. @param load  what the scenario counted */
void app_books_of_client(
    struct app_books *b, const struct tern_stats *s, const struct app_load_counts *load);

/** Books of an end that listens. */
void app_books_of_server(struct app_books *b, const struct tern_stats *s);

/** A packet counted under this reason was lost; the others were acted upon or are no packets. */
bool app_drop_is_loss(enum tern_drop reason);
