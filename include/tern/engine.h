/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The process: devices, worker cores and their shards. One engine at a time; after it is closed
 * another may be opened. An engine has one endpoint, or two joined in memory (`pair`); an endpoint
 * is a device with one or more workers, each with a shard of its own.
 *
 * DPDK starts with the first engine and stays: without hugepages its memory is then fixed, and a
 * later engine that needs more is refused (mem_mib gives the first one more). The driver of `tap:`
 * raises a real-time signal for every burst it gets: leave those unblocked in one thread at least,
 * and expect sleeps to return early (EINTR).
 */
#include <tern/config.h>
#include <tern/conn.h>
#include <tern/impair.h>
#include <tern/stats.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

TERN_BEGIN_DECLS

struct tern_engine;

enum {
    TERN_ENDPOINTS_MAX = 2,
    TERN_WORKERS_MAX = 64, /**< per endpoint */
    TERN_DEVICE_TEXT_BYTES = 256,
};

/** What runs on the workers of an endpoint. All on the worker's own thread. NULL members are
 * skipped. */
struct tern_worker_app {
    /** Once, before the first packet (own addresses may still be probed: see addrs_ready). Listen
     * here. @return 0 or -errno, which fails the start */
    int (*start)(struct tern_shard *sh, void *ctx);
    /** After every poll that left nothing to receive or to send. Open connections here. @return
     * true when work was done (for the busy figure) */
    bool (*tick)(struct tern_shard *sh, void *ctx, uint64_t now_ns);
    /** A stop was asked for: open nothing more. Connections still live are then closed by the
     * engine. */
    void (*drain)(struct tern_shard *sh, void *ctx);
    /** Last call, after every connection is gone. */
    void (*stop)(struct tern_shard *sh, void *ctx);
    void *ctx;
};

/** One device and what runs on it. */
struct tern_endpoint_config {
    /**
     * Device, as design.md §9: "pair", "0000:3b:00.0", "eth1", "tap:tern0",
     * "memif:/run/x.sock[,server][,ring=1024]", "pcap:in.pcap,out.pcap", "vdev:net_null0,…".
     */
    const char *device;
    uint32_t n_workers; /**< 1..TERN_WORKERS_MAX; default 1 */
    uint32_t n_queues;  /**< 0 = as many as workers and device allow (a pair: as the smaller end);
                           default 0 */
    uint16_t n_rx_desc, n_tx_desc; /**< 0 = 1024, clamped to the device's limits */
    bool promiscuous;
    struct tern_impair impair[TERN_IMPAIR_DIRS]; /**< a bad network in between; default none */
    bool no_offload;       /**< ignore what the device could do: software checksums, no TSO */
    uint64_t static_bytes; /**< of bodies that a worker's app makes (tern_static_new()), for the
                              memory plan; default 0 */
    struct tern_stack_config stack; /**< mac all zero = the device's; seed all zero = drawn */
    struct tern_worker_app app;
};

/** Bytes kept of a packet, at least: headers with all options; and at most. */
enum { TERN_CAPTURE_SNAP_MIN = 128, TERN_CAPTURE_SNAP_MAX = 65000 };

enum { TERN_SHARED_NAME_MAX = 32 };

/** What passes endpoint 0's device, both ways, kept in a file. */
struct tern_capture_config {
    const char *path;   /**< a regular file, made or emptied, pcapng; NULL: no capture (default) */
    const char *filter; /**< pcap-filter(7); NULL: all packets */
    uint64_t packets_max; /**< kept at most; 0 = no limit */
    /** Of each packet; 0 = a frame of the device's MTU, so that what a device is to cut into
     * segments is cut off. */
    uint32_t snap_bytes;
};

/** The process. */
struct tern_config {
    struct tern_endpoint_config endpoints[TERN_ENDPOINTS_MAX];
    uint32_t n_endpoints; /**< 1, or 2 when both devices are "pair" */
    const char *lcores; /**< CPU list for the workers, "2,3" or "2-5"; NULL = chosen (device's node
                           first) */
    bool no_huge;       /**< never use hugepages; default false = use them when reserved */
    uint32_t mem_mib;   /**< memory for mbufs, 0 = computed */
    uint32_t mbufs;     /**< per worker, 0 = computed */
    uint32_t drain_ms;  /**< bound on the orderly end; default 3000 */
    /** From the beginning of a poll that found little work to the next one, where that does not
     * lower the rate; 0..1000000, 0: never wait; default 10000. A latency may grow by so much. */
    uint32_t moderation_ns;
    /** Answer DPDK's telemetry socket: /tern/info, /tern/stats, /tern/drops, /tern/conns. The first
     * engine of a process decides for all; where the socket cannot be had the device's note says
     * so. Default false. */
    bool telemetry;
    struct tern_capture_config capture;
    /** Other DPDK processes may attach to this one under this name (dpdk-dumpcap's --file-prefix);
     * needs hugepages. [1..TERN_SHARED_NAME_MAX] letters, digits, '-', '_'; NULL: none may,
     * default. Until the process ends. */
    const char *shared;
};

TERN_API void tern_config_init(struct tern_config *cfg);
TERN_API void tern_endpoint_config_init(struct tern_endpoint_config *ep);

/**
 * Start EAL, devices and memory; no worker runs yet.
 * @return 0; or -errno with one line in *err (cause, evidence, what to type next). After a failure
 *         nothing is left behind.
 */
TERN_API TERN_MUST_CHECK int tern_engine_open(
    const struct tern_config *cfg, struct tern_engine **out, struct tern_error *err);

/** Launch the workers; returns when every start() has been called and every own address is usable
 * (or DAD took 3 s). @return 0; -EADDRINUSE: another station has one; or what a start() said. Then
 * close the engine. */
TERN_API TERN_MUST_CHECK int tern_engine_start(struct tern_engine *e, struct tern_error *err);

/**
 * Where this user's engines have their telemetry sockets: dpdk_telemetry.v2 and, of those that
 * started later, dpdk_telemetry.v2:1 and so on.
 * @param dir [n_bytes] @return 0, or -ENAMETOOLONG
 */
TERN_API TERN_MUST_CHECK int tern_telemetry_dir(char *dir, size_t n_bytes);

/** Ask for an orderly end: drain, then workers stop. Async-signal-safe. */
TERN_API void tern_engine_stop(struct tern_engine *e);

/** Block until the workers have ended, at most `timeout_ms`. @return true when they have */
TERN_API bool tern_engine_wait(struct tern_engine *e, uint32_t timeout_ms);

/** What was not given back; all zero is the only right answer. */
struct tern_leaks {
    uint64_t mbufs, conns, halves, time_waits, records, timers;
};

/** After tern_engine_wait() returned true: close devices, free everything. @param leaks may be NULL
 */
TERN_API void tern_engine_close(struct tern_engine *e, struct tern_leaks *leaks);

/** Sum over the workers of endpoint `ep`. Callable from any thread while running and until close.
 */
TERN_API void tern_engine_stats(const struct tern_engine *e, uint32_t ep, struct tern_stats *out);

/** How one worker fares. */
struct tern_worker_info {
    uint32_t lcore, cpu;
    int numa_node;
    double busy; /**< share of time since start spent in polls that found work, 0..1 */
    uint64_t polls, rx_packets, tx_packets;
    uint64_t busy_cycles, total_cycles; /**< growing; differences give the share of an interval */
};
TERN_API uint32_t tern_engine_n_workers(const struct tern_engine *e, uint32_t ep);
TERN_API void tern_engine_worker(
    const struct tern_engine *e, uint32_t ep, uint32_t worker, struct tern_worker_info *out);

/** Runs on a worker's own thread, once a poll until it returns true. What it does with the shard is
 * as in a tick; it must not wait, and do a poll's work at most. */
typedef bool tern_worker_call(struct tern_shard *sh, void *ctx);

/**
 * Have `fn` run by a worker between two polls, and wait for its end. One call a worker at a time;
 * from any thread but a worker's own, between open and close.
 *
 * @return 0: fn has returned true; -EBUSY: another call is under way; -ESHUTDOWN: the worker has
 *         ended; -EINVAL: there is no such worker; -ETIMEDOUT. Where it is not 0, fn has run any
 *         number of times, and will not any more.
 */
TERN_API TERN_MUST_CHECK int tern_engine_call(struct tern_engine *e, uint32_t ep, uint32_t worker,
    tern_worker_call *fn, void *ctx, uint32_t timeout_ms);

/** What the device turned out to be, for the banner. */
struct tern_device_info {
    char name[TERN_DEVICE_TEXT_BYTES]; /**< as typed */
    char driver[64];
    char steering[96]; /**< "rss", "hash over rings (1 queue, 2 workers)", "one worker" */
    char offloads[128];
    uint64_t memory_bytes; /**< the plan's sum: tables and mbufs of all workers */
    char memory[224]; /**< the plan: bytes per connection × limit, what is shared, mbufs, total */
    char pages[48];   /**< "2 MiB hugepages", "4 KiB pages (--no-huge)" */
    char note[256]; /**< what is odd: AF_XDP not to be had, no link, workers off the device's node;
                       or empty */
    uint8_t mac[6];
    uint32_t n_rx_queues, n_tx_queues;
    uint16_t mtu_bytes;
    int numa_node;
    bool is_link_up;                          /**< now */
    uint64_t rx_missed, rx_errors, tx_errors; /**< from the device, now */
};
TERN_API void tern_engine_device(
    const struct tern_engine *e, uint32_t ep, struct tern_device_info *out);

/** Packets of a capture. taken = written + all dropped, once it is over. */
struct tern_capture_stats {
    uint64_t seen;    /**< the device gave or took, until packets_max were taken */
    uint64_t taken;   /**< passed the filter */
    uint64_t written; /**< are in the file */
    uint64_t dropped_ring, dropped_mbuf; /**< the file's writer was behind; no room for a copy */
    uint64_t dropped_disk;               /**< could not be written */
    int disk_errno;                      /**< why, the first time; 0: none was lost so */
};

/** The counts so far; all zero without a capture. From any thread until close. */
TERN_API void tern_engine_capture(const struct tern_engine *e, struct tern_capture_stats *out);

/** After tern_engine_wait() returned true: write what is under way and close the file. Waits for
 * the disk. Called by tern_engine_close() otherwise. */
TERN_API void tern_engine_capture_end(struct tern_engine *e);

TERN_END_DECLS
