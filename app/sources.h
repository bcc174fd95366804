/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The own addresses that connections are opened from: ranges, in the order in which they were
 * typed, each address of which has a place, 0 to total - 1. Which address is at a place is
 * computed; nothing is kept for an address, so a range may be a /16 or an IPv6 /48.
 */
#include <tern/config.h>

#include <stdbool.h>
#include <stdint.h>

enum { APP_SOURCES_MAX = TERN_ADDRS_MAX + TERN_RANGES_MAX, APP_SPAN_TEXT_BYTES = 160 };

/** As many as there may be addresses, and places of them. */
__extension__ typedef unsigned __int128 app_u128;

/** No address twice. All zero: none. */
struct app_sources {
    struct tern_addr_range of[APP_SOURCES_MAX]; /**< [n] */
    app_u128 end[APP_SOURCES_MAX];              /**< end[i]: addresses in of[0..i] */
    uint32_t n;
};

/** --sources: "A", "A-B", "A/LEN", or several with commas between them. @return 0 or -EINVAL with
 * one line in *err */
int app_sources_add(struct app_sources *s, const char *text, struct tern_error *err);

/** All own addresses of one family, of which each range continues one (app_addresses_own()). */
void app_sources_of_stack(struct app_sources *s, const struct tern_stack_config *cfg, bool v4);

/**
 * Make them addresses of the endpoint, less the networks and broadcasts of its subnets, which are
 * taken out of *s.
 * @return 0, or -EINVAL with one line in *err
 */
int app_sources_install(
    struct app_sources *s, struct tern_stack_config *cfg, struct tern_error *err);

/**
 * Whether connections from them to `target` are possible: it is of their family, and neither it nor
 * a gateway is one of them. Without any they are.
 * @return 0, or -EINVAL with one line in *err
 */
int app_sources_check(const struct app_sources *s, const struct tern_stack_config *cfg,
    const union tern_addr *target, struct tern_error *err);

static inline app_u128 app_sources_total(const struct app_sources *s)
{
    return s->n == 0 ? 0 : s->end[s->n - 1];
}

/** The address at `place`, which is below the total. */
union tern_addr app_sources_at(const struct app_sources *s, app_u128 place);

/** How many come one by one behind that of `place`, in its range. */
app_u128 app_sources_behind(const struct app_sources *s, app_u128 place);

/** "198.18.64.0 … 198.18.127.255 (16384)". @return buf */
char *app_sources_span_text(const struct tern_addr_range *r, char buf[APP_SPAN_TEXT_BYTES]);
