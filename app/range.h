/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* "A", "A-B", "A/LEN" and "A-B/LEN", as --ip and --sources take them. */
#include <tern/config.h>

#include <stdbool.h>
#include <stdint.h>

struct app_range {
    struct tern_addr_range span; /**< what stands before the slash; A alone is both ends */
    bool has_last, has_len;
    uint8_t len_bits; /**< 1..32 or 128; while has_len */
};

/**
 * @param option   whose value it is: "--ip"
 * @param example  what to type instead of a text that is no address
 * @return         0, or -EINVAL with one line in *err that starts with the option
 */
int app_range_read(const char *option, const char *example, const char *text, struct app_range *out,
    struct tern_error *err);
