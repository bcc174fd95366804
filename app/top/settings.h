/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What `tern top` may be told. */
#include <tern/addr.h>

#include <stdbool.h>
#include <stdint.h>

struct app_top_settings {
    uint64_t pid;      /**< 0: the only one that runs */
    uint64_t every_ns; /**< 0: once */
    uint64_t rounds;   /**< 0: until it ends, or Ctrl-C */
    /* of all connections these; each unset: any */
    uint32_t states; /**< a bit each, 1 << enum tern_state */
    struct tern_prefix addr;
    bool has_addr;
    uint16_t port;
};
