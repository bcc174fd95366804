/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A bad network in the tester: what a device receives, or is to send, is lost, late, doubled or
 * damaged on purpose. Each direction of each worker is a link of its own with a seed of its own, so
 * the same packets in the same order meet the same fate again.
 */
#include <tern/api.h>

#include <stdbool.h>
#include <stdint.h>

TERN_BEGIN_DECLS

enum tern_impair_dir {
    TERN_IMPAIR_RX, /**< what the device received, before anything looks at it */
    TERN_IMPAIR_TX, /**< what is to be sent, before the device takes it */
    TERN_IMPAIR_DIRS,
};

enum {
    TERN_IMPAIR_PACKETS_DEFAULT = 16384,
    TERN_IMPAIR_PACKETS_MIN = 4096,
    TERN_IMPAIR_PACKETS_MAX = 1 << 22,
    TERN_IMPAIR_QUEUE_MIN = 10000, /**< bytes: a packet of any size fits */
    TERN_IMPAIR_QUEUE_DEFAULT = 256 << 10,
    TERN_IMPAIR_PPM_MAX = 1000000,
};
#define TERN_IMPAIR_TIME_MAX_NS UINT64_C(10000000000)
#define TERN_IMPAIR_RATE_MIN    UINT64_C(1000)         /**< bytes a second */
#define TERN_IMPAIR_RATE_MAX    UINT64_C(125000000000) /**< bytes a second */

/** One direction. All zero is off; ppm: the chance of a packet in a million. */
struct tern_impair {
    uint64_t delay_ns;         /**< of every packet; 0..TERN_IMPAIR_TIME_MAX_NS */
    uint64_t jitter_ns;        /**< 0..this much more; order is kept */
    uint64_t rate_bytes_per_s; /**< of IP packets; 0: no limit */
    uint64_t reorder_ns;       /**< those that are reordered come up to this much later */
    uint32_t loss_ppm, duplicate_ppm, reorder_ppm;
    uint32_t corrupt_ppm; /**< up to 15 bits beside each other, so that a checksum tells */
    uint32_t queue_bytes; /**< with a rate: more is dropped; 0: TERN_IMPAIR_QUEUE_DEFAULT */
    uint32_t packets_max; /**< that a worker may hold; 0: TERN_IMPAIR_PACKETS_DEFAULT */
    uint64_t seed;
};

/** Whether anything is done to packets. */
static inline bool tern_impair_is_on(const struct tern_impair *i)
{
    return (i->delay_ns | i->jitter_ns | i->rate_bytes_per_s | i->loss_ppm | i->duplicate_ppm
               | i->reorder_ppm | i->corrupt_ppm)
           != 0;
}

/** What was done in one direction. X(field) */
// clang-format off
#define TERN_IMPAIRED_LIST(X) \
    X(packets)     /* that entered */ \
    X(lost)        /* by the chance asked for */ \
    X(queue_full)  /* lost: behind the rate as many bytes waited as may */ \
    X(hold_full)   /* lost, unasked: packets_max were held */ \
    X(no_mbuf)     /* not doubled or not passed on: the pool was empty */ \
    X(duplicated) \
    X(reordered) \
    X(corrupted) \
    X(delayed)     /* held for a time */ \
    X(late_max_ns) /* of those, longest beyond their time; of workers, the worst */
// clang-format on

struct tern_impaired {
#define TERN_IMPAIRED_FIELD(name) uint64_t name;
    TERN_IMPAIRED_LIST(TERN_IMPAIRED_FIELD)
#undef TERN_IMPAIRED_FIELD
};

struct tern_engine;

/** Over the workers of endpoint `ep`; callable while running and until close. */
TERN_API void tern_engine_impaired(
    const struct tern_engine *e, uint32_t ep, enum tern_impair_dir dir, struct tern_impaired *out);

TERN_END_DECLS
