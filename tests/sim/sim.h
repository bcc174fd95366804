/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* One run: what its parts know of each other. The essay is on top of sim.c. */
#include "checker.h"
#include "event.h"
#include "link/link.h"
#include "mix.h"
#include "wire_check.h"

#include <stdarg.h>
#include <stdio.h>

#define SIM_NEVER UINT64_MAX

enum { SIM_FAILURE_BYTES = 400 };

/** One end of a conversation while it runs. */
struct flow_end {
    struct tern_sock *sock; /* NULL: not yet, or no more */
    bool opened, shut, eof, done;
    int error;              /* what recv told last, positive; 0: nothing */
    uint32_t written, read; /* bytes */
    uint64_t next_read_ns, next_write_ns, next_open_ns;
};

struct flow {
    struct flow_end end[2];
};

/** An endpoint and what is wrong with the machine it runs on. */
struct host {
    struct tern_embed *e;
    struct tern_sock *listener;
    struct tern_prng prng;
    uint64_t timer_at_ns, app_at_ns; /* events under way; SIM_NEVER: none */
    bool dead, stalled;
    uint32_t n_stolen;
    struct rte_mbuf **stolen; /* [n_stolen] */
    struct checker checker;
};

/** What all runs together have seen. Plain counters: runs of other processes are added. */
struct totals {
    uint64_t seeds, failed, events, packets, virtual_ns, payload_bytes;
    uint64_t link_faults[TERN_LINK_FAULT_COUNT];
    uint64_t steals, tx_stalls, late_timers, jumps, deaths, exact_resets_spared;
    uint64_t ends_ok, ends_left, ends_reset, ends_timeout, ends_refused, ends_other, ends_dead;
    uint64_t conns, ghosts, excused, pairs_checked;
    uint64_t retransmits, rto_expired, probes, challenge_acks, fast_segments;
};
enum { TOTALS_WORDS = sizeof(struct totals) / sizeof(uint64_t) };

struct sim {
    struct mix mix;
    uint64_t now_ns, begin_ns, n_events, n_same_time, hash;
    struct tern_heap heap;
    struct host host[2];
    struct tern_link link[2];
    struct link_end {
        struct sim *sim;
        uint8_t from;
    } link_end[2];
    struct flow flow[FLOWS_MAX];
    uint32_t n_done; /* ends */
    bool healed, slow_path;
    bool left_over;    /* a connection outlived the drain, for a reason that is nobody's fault */
    uint64_t leapt_ns; /* by clock jumps, so far */
    struct wire_check wire;
    struct totals *totals;
    FILE *trace; /* NULL: none */
    bool failed;
    char failure[SIM_FAILURE_BYTES];
};

/** Note a failure; the first one counts and ends the run at its next event. */
void sim_fail(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Enter an event. */
void sim_at(struct sim *s, uint64_t at_ns, enum event_kind kind, uint8_t host, uint32_t n);
static inline bool sim_tampers(const struct sim *s)
{
    return mix_has(&s->mix, MIX_TAMPER);
}

/* host.c */
bool host_open(struct sim *s, uint8_t h);
/** Let applications act, collect packets, look when to be woken. */
void host_settle(struct sim *s, uint8_t h);
void host_arrival(struct sim *s, const struct event *e);
void host_timer(struct sim *s, const struct event *e);
void host_app(struct sim *s, const struct event *e);
void host_fault(struct sim *s, const struct event *e);
/** Faults inside the host end. */
void host_heal(struct sim *s, uint8_t h);
/** Nothing is left of any connection. */
bool host_is_idle(const struct sim *s, uint8_t h);
/** Close, and see that everything came back. */
void host_close(struct sim *s, uint8_t h);
const struct tern_stats *host_stats(const struct sim *s, uint8_t h);

/* apps.c */
/** Every application of host `h` does what it can. @return something moved */
bool apps_run(struct sim *s, uint8_t h);
/** When the next one wants to act by itself, or SIM_NEVER. */
uint64_t apps_next_ns(const struct sim *s, uint8_t h);
/** A connection was lost for a reason that is nobody's fault. */
bool apps_excused(const struct sim *s);
/** End whatever still runs. */
void apps_abort_all(struct sim *s, uint8_t h);
/** Byte `pos` of direction `d` of flow `f` and those behind it. @return [PATTERN_RUN] */
const uint8_t *apps_pattern(uint32_t flow, int d, uint32_t pos);
enum { PATTERN_RUN = 16384 };

/* trace.c */
void trace_hash(struct sim *s, const void *bytes, uint32_t n);
void trace_number(struct sim *s, uint64_t v);
void trace_packet(struct sim *s, uint8_t from, const uint8_t *bytes, uint32_t n);
void trace_arrival(struct sim *s, const struct event *e);
void trace_note(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void trace_mix(struct sim *s);
