/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A file that grows by whole lines while a run goes on: each addition is one write(2), so what was
 * added is there whatever becomes of this process. An addition that finds no room is taken back
 * whole, told once, and counted; later ones are tried again, as room may have been made.
 */
#include <tern/config.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app_lines {
    const char *option, *path; /**< "--csv", as typed */
    int fd;                    /**< -1: closed */
    bool is_file;              /**< what was half written can be taken back */
    uint64_t n_bytes;          /**< whole additions, in the file */
    uint64_t n_added, n_lost;  /**< additions */
    int why;                   /**< errno of the first one lost */
};

/** Make the file, or empty it. @return 0, or -EINVAL with one line in *err */
int app_lines_open(
    struct app_lines *l, const char *option, const char *path, struct tern_error *err);

/** Add [n_bytes] of text. @return 0, or -errno: it is not in the file */
int app_lines_add(struct app_lines *l, const char *text, size_t n_bytes);

/** As above, and what is lost is told on stderr, the first time. */
void app_lines_add_or_tell(struct app_lines *l, const char *text, size_t n_bytes);

/** Once all is added: tell how much is missing, when something is. */
void app_lines_tell_lost(const struct app_lines *l);

void app_lines_close(struct app_lines *l);
