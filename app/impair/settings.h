/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What may be said about impairment: for both directions, and for one, which then wins. */
#include <tern/impair.h>

/** A direction's number in `said`, or both. */
enum { APP_IMPAIR_BOTH = TERN_IMPAIR_DIRS, APP_IMPAIR_SPECS };

/** "delay=20ms,loss=1%" */
struct app_impair_spec {
    struct tern_impair is;
    uint32_t keys; /**< those that were said, a bit each; spec.c numbers them */
};

struct app_impair_settings {
    struct app_impair_spec said[APP_IMPAIR_SPECS]; /**< [enum tern_impair_dir, or both] */
    uint64_t seed;
    uint32_t packets_max; /**< 0: the engine's */
};
