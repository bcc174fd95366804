/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Where on this machine somebody may look on: ADDR:PORT, [V6]:PORT, or a port of 127.0.0.1. */
#include <tern/config.h>

#include <stdint.h>

struct app_listen_at {
    union tern_addr addr;
    uint16_t port; /**< 0: nowhere */
};

/** @param option  for messages. @return 0, or -EINVAL with one line in *err; then *at is untouched
 */
int app_listen_at_parse(
    struct app_listen_at *at, const char *option, const char *text, struct tern_error *err);

/** A kernel's TCP socket that listens there, close-on-exec, nothing accepted yet.
 * @return it, or -EINVAL with one line in *err */
int app_listen_at_open(
    const struct app_listen_at *at, const char *option, int backlog, struct tern_error *err);
