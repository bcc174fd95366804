/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The two files that check a configuration share these. */
#include <tern/config.h>

/** Write the one line, if anybody wants it. @return -EINVAL */
__attribute__((format(printf, 2, 3))) int tern_config_refuse(
    struct tern_error *err, const char *format, ...);

/** Addresses, ranges, gateways and static neighbours; their counts are in range. */
int tern_config_check_addrs(const struct tern_stack_config *cfg, struct tern_error *err);

/** Is one of addrs[] of that family? */
bool tern_config_has_family(const struct tern_stack_config *cfg, bool v4);

static inline bool tern_config_is_group_mac(const uint8_t *mac)
{
    return mac[0] & 1;
}
