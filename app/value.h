/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Text from the command line to values, strictly: the whole text must be the value, within the
 * range. Numbers are decimal, may have a fraction, and may end in k M G (powers of 1000) or Ki Mi
 * Gi (powers of 1024): "1.5M". Durations end in ns us ms s m h; a bare number is seconds.
 *
 * Each returns 0, or -EINVAL with one line in *err that starts with the option's name; then *out is
 * untouched.
 */
#include <tern/config.h>

#include <stddef.h>
#include <stdint.h>

int app_value_u64(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *out,
    struct tern_error *err);
int app_value_u32(const char *option, const char *text, uint32_t min, uint32_t max, uint32_t *out,
    struct tern_error *err);
int app_value_u16(const char *option, const char *text, uint16_t min, uint16_t max, uint16_t *out,
    struct tern_error *err);

/** A share, "1%" or "100ppm", in a million. @param max_ppm  inclusive */
int app_value_ppm(
    const char *option, const char *text, uint64_t max_ppm, uint64_t *out, struct tern_error *err);

/** A duration. @param min_ns,max_ns  range, inclusive */
int app_value_ns(const char *option, const char *text, uint64_t min_ns, uint64_t max_ns,
    uint64_t *out, struct tern_error *err);
/** A duration that is a whole number of milliseconds. */
int app_value_ms(const char *option, const char *text, uint32_t min_ms, uint32_t max_ms,
    uint32_t *out, struct tern_error *err);

/** One of `names`, [n], exactly. @param out  its index */
int app_value_choice(const char *option, const char *text, const char *const *names, size_t n,
    uint32_t *out, struct tern_error *err);

/** A station's MAC address "02:00:5e:00:00:01", neither a group address nor zero. */
int app_value_mac(
    const char *option, const char *text, uint8_t out[TERN_MAC_BYTES], struct tern_error *err);

enum { APP_NS_TEXT_BYTES = 32, APP_MS_NS = 1000000 };
/** The duration in its largest unit that keeps it whole: "90s", "200ms". @return buf */
char *app_value_ns_text(uint64_t ns, char buf[APP_NS_TEXT_BYTES]);
/** The number, when it is long in the largest unit that keeps it whole: "9216", "256Mi". @return
 * buf
 */
char *app_value_count_text(uint64_t n, char buf[APP_NS_TEXT_BYTES]);
