/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Lines of a decoded frame: "   TCP: Window = 8192 (0x2000)", the layer in front, numbers decimal
 * and hexadecimal, what makes a field remarkable behind it.
 */
#include <tern/addr.h>

#include "names.h"

#include <stdint.h>
#include <stdio.h>

enum {
    APP_INDENT = 3,
    APP_FLAG_LETTERS = 8,
    APP_MAC_TEXT_BYTES = 24,
};

/** Where to, what to call hosts, and what stands in front of each line. */
struct app_page {
    FILE *out;
    const struct app_hosts *hosts;
    const char *layer;
    int indent;
};

/** A line in the words of `format`. */
__attribute__((format(printf, 2, 3))) void app_page_line(
    const struct app_page *p, const char *format, ...);

/** NAME = 8192 (0x2000) */
void app_page_number(const struct app_page *p, const char *name, uint32_t value);

/** NAME = 6 (0x6), MEANING. @param meaning  NULL: there is no word for it */
void app_page_named(
    const struct app_page *p, const char *name, uint32_t value, const char *meaning);

/** NAME = 198.18.0.1 (what the user calls it) */
void app_page_address(const struct app_page *p, const char *name, const union tern_addr *a);

/** Bytes in hexadecimal, a space before each, within a line. */
void app_page_bytes(const struct app_page *p, const uint8_t *bytes, uint32_t n);

/** "02:60:8C:9E:18:8B". @param n  at most 8 @return buf */
char *app_mac_text(const uint8_t *mac, uint32_t n, char buf[APP_MAC_TEXT_BYTES]);

/** ".A..S." in the order UAPRSF; CWR and ECE stand in front where one is set. @return in buf */
const char *app_flags_text(uint8_t flags, char buf[APP_FLAG_LETTERS + 1]);
