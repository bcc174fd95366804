/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What a bulk transfer carried: payload a second, second by second, and the books of both ends. How
 * to tell it to people and to programs.
 */
#include <tern/stats.h>

#include "stream.h"

#include <jansson.h>
#include <stdio.h>

/** Payload that one end 0 has sent and received, growing. */
struct app_payload {
    uint64_t up_bytes, down_bytes;
};

struct app_goodput {
    const struct app_stream_config *cfg; /**< NULL: not a bulk transfer */
    struct app_payload carried;          /**< in the measured time */
    double duration_s;
    double *per_s; /**< [n_per_s] bytes a second, of each whole second */
    size_t n_per_s, room;
    double median, least, most;             /**< of per_s; without a whole second the mean */
    bool has_client, has_server;            /**< which ends are ours */
    struct app_stream_books client, server; /**< after the drain */
};

/** Payload as far as it is known to have arrived: counted where it is delivered if that end is
 * ours, else where it is sent. @param server  NULL: not ours; likewise client */
struct app_payload app_payload_now(
    const struct tern_stats *client, const struct tern_stats *server);

/** A second is over. */
void app_goodput_add(struct app_goodput *g, double bytes_per_s);

/** The measured time is over. */
void app_goodput_end(struct app_goodput *g, struct app_payload carried, double duration_s);

/** What was sent is what was received, on every connection, as far as both ends are ours. */
bool app_goodput_balances(const struct app_goodput *g);

void app_goodput_report(FILE *out, const struct app_goodput *g);

/** @return a new reference */
json_t *app_goodput_json(const struct app_goodput *g);

void app_goodput_free(struct app_goodput *g);
