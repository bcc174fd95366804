/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A tern that runs, asked over its telemetry socket. What comes back was made by another process:
 * everything in it is looked at before it is believed.
 */
#include <tern/config.h>

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { APP_PROCESS_TITLE_BYTES = 256 };

struct app_process {
    int fd;
    uint64_t pid;
    char title[APP_PROCESS_TITLE_BYTES]; /**< its command line; only plain characters */
    char *answer;                        /**< [answer_max] */
    size_t answer_max;
};

/**
 * Find one of this user's and connect.
 * @param pid  which; 0: the only one there is
 * @return 0, or -EINVAL with one line in *err
 */
int app_process_open(struct app_process *p, uint64_t pid, struct tern_error *err);
void app_process_close(struct app_process *p);

/**
 * Ask for a command, "/tern/stats" or with parameters "/tern/stats,1".
 * @param out  the answer's dictionary; json_decref() it
 * @return 0; -ESHUTDOWN: it has ended; -EINVAL; each with one line in *err
 */
int app_process_ask(
    struct app_process *p, const char *command, json_t **out, struct tern_error *err);

/** A number of a dictionary; 0 where it has none of that name. */
uint64_t app_number(const json_t *dict, const char *name);
