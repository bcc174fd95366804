/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What a good answer is like: one of some statuses, and a body of a length, or of certain bytes. */
#include <tern/config.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { APP_EXPECT_STATUSES = 1000, APP_EXPECT_BODY_BYTES_MAX = 64 << 20 };

struct app_expect {
    uint64_t statuses[APP_EXPECT_STATUSES / 64 + 1]; /**< a bit each */
    int64_t length;                                  /**< of the body; -1: what the answer says */
    const char *body;                                /**< [length]; NULL: anything of that length */
};

/** 2xx, whatever the body. */
void app_expect_init(struct app_expect *e);

/** @param text  such as "2xx,404"; replaces what was expected before. @return 0, or -EINVAL with
 * one line in *err and *e untouched */
int app_expect_statuses(struct app_expect *e, const char *text, struct tern_error *err);

static inline bool app_expect_has(const struct app_expect *e, uint32_t status)
{
    return status < APP_EXPECT_STATUSES && (e->statuses[status / 64] >> status % 64 & 1) != 0;
}
