/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What an engine is made of: an engine has endpoints, an endpoint a port and workers, a worker a
 * shard. Fields that threads share are read and written with __atomic builtins, and say so.
 */
#include <tern/engine.h>

#include "capture.h"
#include "clock.h"
#include "device.h"
#include "eal.h"
#include "impair.h"
#include "mailbox.h"
#include "memory.h"
#include "moderation.h"
#include "pair.h"
#include "shard/shard.h"
#include "steering.h"

#include <rte_mbuf.h>

#include <assert.h>
#include <pthread.h>
#include <stddef.h>

enum {
    TERN_BACKLOG_MAX = 1024, /* packets a worker keeps for a device that takes no more */
    TERN_OUTBOUND_BURST = 256,
    TERN_OUTBOX_MAX = TERN_BACKLOG_MAX + TERN_SHARD_TX_MAX + TERN_OUTBOUND_BURST,
};

/** Packets on their way to the device, oldest first. */
struct tern_outbox {
    uint32_t n;
    struct rte_mbuf *pkts[TERN_OUTBOX_MAX];
};

/** Segments of one received burst for another worker. */
struct tern_handover {
    uint32_t n;
    struct rte_mbuf *pkts[TERN_BURST_MAX];
};

/** How far a worker has come; only ever grows. */
enum tern_worker_phase {
    TERN_WORKER_STARTING,
    TERN_WORKER_STARTED, /* start() has returned; waits for the others */
    TERN_WORKER_ENDED,   /* the shard is closed */
};

/** A function that another thread wants run by the worker; call.c. */
struct tern_call_slot {
    pthread_mutex_t lock; /* held while the function runs */
    pthread_cond_t moved; /* it is done, or will never be */
    tern_worker_call *fn; /* NULL: nothing is left to do */
    void *ctx;
    bool is_taken;  /* by an asker, who still waits */
    bool is_closed; /* the worker polls no more */
};

/** A page: a worker's memory lies on its node, and no other's shares a line with it. */
enum { TERN_WORKER_ALIGN = 4096 };

/**
 * Three parts, each on cache lines of its own: what other workers read while they hand over, what
 * the worker writes at every poll, what others wait for or ask.
 */
struct tern_worker {
    /* Set up once */
    struct tern_engine *engine;
    struct tern_endpoint *ep;
    uint32_t idx; /* among the endpoint's */
    const struct tern_cpu *cpu;
    bool shares_cpu; /* another worker runs on the same one */
    bool has_call;   /* atomic: `call` asks for something; read at every poll, rarely written */
    int tx_queue;    /* -1: none, packets go to the mailbox of worker `tx_proxy` */
    uint32_t tx_proxy;
    struct rte_mempool *pool, *reserve;
    struct tern_mailbox mail;        /* read by all workers of the endpoint */
    struct tern_handover *handovers; /* [ep->cfg.n_workers], NULL with one worker */
    struct tern_impair_way *impair[TERN_IMPAIR_DIRS]; /* NULL: as good as the device is */
    struct tern_capture_worker *capture;              /* NULL: nothing is captured here */
    pthread_t thread;
    bool has_thread;
    uint32_t lcore;

    /* The worker's own while it runs; the counters are read by other threads (relaxed) */
    struct tern_shard *sh __rte_cache_aligned;
    uint64_t last_cycles;    /* when the books were closed last: the current poll's begin */
    uint64_t blocked_cycles; /* clock since when the device takes nothing; 0: it does */
    bool worked;             /* the last poll found work */
    bool is_behind;          /* this poll: there is more to receive, or to send, than it can take */
    uint32_t n_idle_polls;   /* in a row, since the last yield */
    struct tern_moderation moderation;
    bool is_drained; /* no connection lives any more */
    bool has_recess; /* joined: DPDK's handlers run in its pauses alone (recess.h) */
    uint64_t polls, busy_cycles, total_cycles, rx_packets, tx_packets;
    uint64_t passive_ports[(UINT16_MAX + 1) / 64]; /* bit set: a listener has or had the port */
    struct tern_outbox out;

    /* Shared */
    bool addrs_ready __rte_cache_aligned; /* atomic */
    bool has_conflict;                    /* atomic; the two after it are written before */
    union tern_addr conflict_addr;        /* one of ours that another station has … */
    uint8_t conflict_mac[TERN_MAC_BYTES]; /* … which is this one */
    enum tern_worker_phase phase;         /* under engine->lock */
    int start_rc;                         /* under engine->lock */
    struct tern_stats final_stats;        /* under engine->lock, valid when sh is NULL */
    struct tern_shard_leaks leaks;        /* written before ENDED */
    struct tern_call_slot call;
} __rte_aligned(TERN_WORKER_ALIGN);

static_assert(offsetof(struct tern_worker, sh) % RTE_CACHE_LINE_SIZE == 0
                  && offsetof(struct tern_worker, addrs_ready) % RTE_CACHE_LINE_SIZE == 0,
    "what one worker writes and others read are never one line");

struct tern_endpoint {
    struct tern_endpoint_config cfg; /* stack: as configured, MTU and MAC filled in */
    uint32_t idx;
    struct tern_device_spec spec;
    uint32_t n_queues; /* asked for */
    struct tern_port port;
    struct tern_steering steering;
    struct tern_rss *rss;           /* what steering.rss refers to, or NULL */
    struct rte_mempool *umem;       /* AF_XDP's own pool, or NULL */
    struct tern_memory_plan tables; /* of one worker */
    uint32_t n_mbufs;               /* of one worker */
    uint64_t mbuf_bytes;            /* of one mbuf */
    struct tern_worker *workers;    /* [cfg.n_workers] */
};

struct tern_engine {
    struct tern_config cfg;
    uint32_t n_endpoints;
    struct tern_endpoint endpoints[TERN_ENDPOINTS_MAX];
    uint32_t n_workers; /* of all endpoints */
    struct tern_topology *topology;
    uint32_t n_remote;    /* workers off their device's node */
    uint32_t n_far_pools; /* workers whose mbufs are off theirs */
    bool use_huge;
    uint64_t huge_page_bytes;
    struct tern_eal_log *log;
    char telemetry_note[TERN_TELEMETRY_NOTE_BYTES]; /* why there is none, or empty */
    struct tern_pair pair;
    struct tern_capture *capture; /* NULL: none */
    struct tern_clock clock;

    bool stop;          /* atomic: an orderly end is asked for */
    uint32_t n_drained; /* atomic: workers without a live connection */

    /* Taken for every look at the counters: apart from what workers read at every poll. */
    pthread_mutex_t lock __rte_cache_aligned;
    pthread_cond_t changed;                              /* a worker's phase, or `go` */
    enum { TERN_GO_WAIT, TERN_GO_RUN, TERN_GO_HOME } go; /* under lock */
    struct tern_error start_error;                       /* under lock; the first one */
};

/* ---- engine.c ---- */

/** A condition whose timed waits are by the monotonic clock, as this says it. */
void tern_cond_init(pthread_cond_t *cond);
struct timespec tern_deadline_in_ms(uint32_t ms);

/* ---- call.c ---- */

void tern_call_slot_init(struct tern_call_slot *slot);
void tern_call_slot_fini(struct tern_call_slot *slot);
/** The worker's thread, when has_call is set. @return true: it did something */
bool tern_worker_take_call(struct tern_worker *w);
/** The worker's thread will take no more. */
void tern_worker_refuse_calls(struct tern_worker *w);

/* ---- worker.c ---- */

/** Poll until a stop is asked for. */
void tern_worker_run(struct tern_worker *w);
/** The orderly end: close every connection, poll until all workers are done or drain_ms is over. */
void tern_worker_drain(struct tern_worker *w);
/** It will not touch the device any more. */
void tern_worker_leave_recess(struct tern_worker *w);

/* ---- worker_thread.c ---- */

/** Thread of a worker: shard open, start(), poll until the end, stop(), shard close. */
void *tern_worker_main(void *worker);

/* ---- setup.c ---- */

/** Everything of tern_engine_open() behind the checks. What is half done tern_engine_close()
 * undoes. */
TERN_MUST_CHECK int tern_engine_set_up(struct tern_engine *e, struct tern_error *err);
/** The reverse. @return mbufs that did not come back */
uint64_t tern_engine_take_down(struct tern_engine *e);

/* ---- check.c ---- */

/** What can be refused without looking at the machine. @return 0 or -EINVAL with one line in *err
 */
TERN_MUST_CHECK int tern_engine_check(const struct tern_config *cfg, struct tern_error *err);
