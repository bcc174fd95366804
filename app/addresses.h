/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The endpoint's addresses, gateways and static neighbours from the command line, and whether they
 * can work together. All fill in a tern_stack_config and return 0, or -EINVAL with one line in
 * *err.
 */
#include <tern/config.h>

#include <stdbool.h>

/** --ip: "A", "A/len", "A-B" or "A-B/len" (every address of the range). Without a length: /24, /64.
 */
int app_addresses_add(struct tern_stack_config *cfg, const char *text, struct tern_error *err);

/** Make all of `span` own addresses, which one by one have the prefix `len_bits`. */
int app_addresses_own(struct tern_stack_config *cfg, const struct tern_addr_range *span,
    uint8_t len_bits, struct tern_error *err);

/** --gw: one for each family. */
int app_addresses_set_gateway(
    struct tern_stack_config *cfg, const char *text, struct tern_error *err);

/** --neighbour IP=MAC. */
int app_addresses_add_neighbour(
    struct tern_stack_config *cfg, const char *text, struct tern_error *err);

/** Whether the whole configuration can work: the library's check, in the words of the command line.
 */
int app_addresses_check(const struct tern_stack_config *cfg, struct tern_error *err);

/** Whether `target` is a host that one of our addresses can talk to. */
int app_addresses_check_target(
    const struct tern_stack_config *cfg, const union tern_addr *target, struct tern_error *err);

/** "a multicast" */
const char *app_addresses_class_name(enum tern_addr_class class);

/** Next address in numeric order. */
void app_addresses_next(union tern_addr *a);

/** True when both are IPv4 or both IPv6. */
static inline bool app_addresses_same_family(const union tern_addr *a, const union tern_addr *b)
{
    return tern_addr_is_v4(a) == tern_addr_is_v4(b);
}
