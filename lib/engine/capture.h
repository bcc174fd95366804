/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What passes a device, kept in a file. Workers copy (capture_copy.c), a thread of its own writes
 * (capture_writer.c), a ring lies between them:
 *
 *   burst --filter--> copies --ring--> writer --> file
 *
 * No worker waits: what finds no mbuf or no place in the ring is counted.
 */
#include <tern/engine.h>

#include "capture_filter.h"
#include "clock.h"
#include "shard/shard.h"

#include <rte_common.h>
#include <rte_pcapng.h>
#include <rte_ring.h>

#include <assert.h>
#include <pthread.h>
#include <string.h>

struct rte_mbuf;
struct tern_engine;

/** The largest packet and a tag. */
enum { TERN_CAPTURE_FLAT_BYTES = UINT16_MAX + 4 };

/** A packet that may have to be kept. */
struct tern_capture_copy {
    struct rte_mbuf *m; /* NULL: there was none for it */
    bool matches;       /* the filter takes it */
};

/** One worker's part, on lines of its own; the counters are read by other threads (relaxed). */
struct tern_capture_worker {
    struct tern_capture *capture;
    uint32_t queue; /* as the file has it: the worker's number */
    uint64_t seen, taken, dropped_ring, dropped_mbuf;
    uint32_t n_copies;
    struct tern_capture_copy copies[TERN_BURST_MAX]; /* [n_copies] of the burst under way */
    uint8_t flat[TERN_CAPTURE_FLAT_BYTES]; /* a frame for the filter that lies in several buffers */
} __rte_cache_aligned;

struct tern_capture {
    /* Set up once */
    struct tern_capture_config cfg; /* snap_bytes filled in */
    struct tern_capture_filter filter;
    struct tern_clock clock;
    uint64_t epoch_ns; /* what the clock's 0 is since 1970 */
    uint16_t port_id;
    uint32_t n_workers;
    uint16_t room_bytes; /* of an mbuf */
    uint32_t n_slots;    /* of the ring */
    uint32_t n_mbufs;
    struct rte_mempool *pool;
    struct rte_ring *ring;
    struct tern_capture_worker *workers; /* [n_workers] */

    /* The writer's: */
    int fd; /* -1: not open */
    rte_pcapng_t *pcapng;
    pthread_t writer;
    bool has_writer;
    uint64_t file_bytes; /* whole blocks in the file */
    bool is_torn;        /* part of a block could not be taken back: nothing may follow it */
    bool ends;           /* atomic: no worker will add anything */
    uint64_t written, dropped_disk; /* atomic */
    int disk_errno;                 /* atomic */

    uint64_t n_reserved __rte_cache_aligned; /* atomic: of packets_max */
    bool is_full;                            /* atomic: all of them are taken */
};

/** A block of the file: type, length and interface, the time in two words, … */
enum { TERN_CAPTURE_TIME_OFF = 12, TERN_CAPTURE_TIME_BYTES = 8 };

/**
 * Write a time into the block at `block`. The library's own is not to be used: the one of 22.11
 * keeps state that all threads write, and is 2^63 ns off.
 */
static inline void tern_capture_put_time(
    const struct tern_capture *c, uint64_t now_cycles, uint8_t *time)
{
    const uint64_t ns = c->epoch_ns + tern_clock_ns(&c->clock, now_cycles);
    const uint32_t words[] = {(uint32_t)(ns >> 32), (uint32_t)ns};
    static_assert(sizeof words == TERN_CAPTURE_TIME_BYTES, "as the format has it");
    memcpy(time, words, sizeof words);
}

/* ---- capture.c ---- */

/** Refuse what cannot work, and make the file, if a capture is wanted; before DPDK starts. */
TERN_MUST_CHECK int tern_capture_prepare(struct tern_engine *e, struct tern_error *err);
/** Memory that it will want from DPDK. */
uint64_t tern_capture_bytes(const struct tern_capture *c);
/** The port is open, workers do not run yet. From here on it captures. */
TERN_MUST_CHECK int tern_capture_start(struct tern_engine *e, struct tern_error *err);
/** Workers have ended, the port is still open. @return mbufs that did not come back */
uint64_t tern_capture_close(struct tern_capture *c);

/* ---- capture_copy.c: for workers ---- */

/** A burst came from the device; not yet changed by anyone. */
void tern_capture_received(struct tern_capture_worker *w, struct rte_mbuf *const *pkts, uint32_t n);
/** A burst is about to be given to the device, which may free it. */
void tern_capture_sending(struct tern_capture_worker *w, struct rte_mbuf *const *pkts, uint32_t n);
/** It took the first `n` of them; the others will come again, or never leave. */
void tern_capture_sent(struct tern_capture_worker *w, uint32_t n);

/* ---- capture_writer.c ---- */

/** Write what the ring holds, and go on until c->ends. @return 0 or -errno */
TERN_MUST_CHECK int tern_capture_writer_start(struct tern_capture *c, const cpu_set_t *cpus);
/** Write the rest. */
void tern_capture_writer_end(struct tern_capture *c);
