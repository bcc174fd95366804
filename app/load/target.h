/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What a load is aimed at: ADDR:PORT, [V6]:PORT, or a URL; PORT may be a range, 80-89. */
#include <tern/config.h>

#include <stdbool.h>
#include <stdint.h>

enum { APP_TARGET_BYTES = 1024, APP_TARGETS_MAX = 64 };

struct app_target {
    union tern_addr addr;
    uint16_t port, n_ports; /**< from `port` on */
    bool is_http;
    char text[APP_TARGET_BYTES]; /**< as typed */
    char host[APP_TARGET_BYTES]; /**< for the Host header: "198.18.0.1:8080", "[2001:2::1]"; of a
                                    range the first port */
    char path[APP_TARGET_BYTES]; /**< "/" without a URL */
};

/** @return 0, or -EINVAL with one line in *err */
int app_target_parse(struct app_target *t, const char *text, struct tern_error *err);
