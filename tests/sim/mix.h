/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What a seed draws: two endpoints, two links, conversations, and what goes wrong with them. */
#include <tern/embed.h>

#include "link/link.h"
#include "link/prng.h"

enum {
    FLOWS_MAX = 64,
    MESSAGES_MAX = 12, /* exchanges of a request-response conversation */

    PORT_LISTEN = 80,
    PORT_CLIENT = 10000, /* flow i connects from PORT_CLIENT + i … */
    PORT_CROSS = 30000,  /* … and in a simultaneous open meets PORT_CROSS + i */
};

/** The streams of chance that a seed is split into. */
enum stream {
    STREAM_FAULTS = 1, /* which fault kinds are on, and how strong */
    STREAM_CONFIG0,
    STREAM_CONFIG1,
    STREAM_FLOWS,
    STREAM_HOSTS,
    STREAM_LINK0,
    STREAM_LINK1,
    STREAM_HOST0,
    STREAM_HOST1,
    STREAM_SENDING0,
    STREAM_SENDING1,
};

/** How an endpoint of a flow takes its leave. */
enum leave {
    LEAVE_SHUTDOWN, /* FIN behind the last byte, read on, close at EOF */
    LEAVE_CLOSE,    /* close behind the last byte (only where the peer sends nothing) */
    LEAVE_ABORT,    /* RST after some bytes */
    LEAVE_UNREAD,   /* close after some bytes with what came meanwhile unread */
};

/** One end of a conversation. */
struct end_plan {
    uint32_t read_chunk, write_chunk; /* bytes at a time; 0: as many as there are */
    uint64_t read_every_ns,
        write_every_ns; /* 0: at once; slow ends are a fault and stop with them */
    enum leave leave;
    uint32_t leave_after; /* ABORT, UNREAD: bytes written or read before it */
    uint32_t keepalive_ms, user_timeout_ms;
    bool toggles; /* options change while it runs, congestion control among them */
};

/** One conversation. Direction d carries total[d] bytes from host d to host !d. */
struct flow_plan {
    uint64_t start_ns;
    uint8_t opener;      /* host 0 or 1; 2: both at once */
    uint32_t n_messages; /* 0: both directions run freely; else in turns, opener first */
    uint32_t message[2][MESSAGES_MAX];
    uint32_t total[2];
    struct end_plan end[2];
    bool may_fail; /* it aborts, or may time out: only what was delivered is judged */
};

/** What goes wrong inside a host. */
struct host_plan {
    uint64_t late_ns;                            /* deadlines are served up to this much late */
    uint64_t steal_every_ns, steal_for_ns;       /* the mbuf pool is empty for a while */
    uint64_t tx_stall_every_ns, tx_stall_for_ns; /* nothing is taken from the tx ring */
    bool advances_first; /* time is told before each arrival, not only at deadlines */
};

/** Kinds of faults, as they are switched on. X(NAME, "name") */
// clang-format off
#define MIX_FAULT_LIST(X) \
    X(LOSS, "loss") X(BURST, "burst") X(SYN_LOSS, "synloss") X(ACK_LOSS, "ackloss") X(NTH, "nth") \
    X(QUEUE, "queue") X(MTU, "mtu") X(CORRUPT, "corrupt") X(TAMPER, "tamper") X(INFLATE, "inflate") X(TRUNCATE, "truncate") \
    X(DUPLICATE, "duplicate") X(REORDER, "reorder") X(JITTER, "jitter") X(PAUSE, "pause") X(ECN, "ecn") \
    X(FORGE_RST, "rst") X(FORGE_SYN, "syn") X(FORGE_ACK, "ack") X(FORGE_ICMP, "icmp") \
    X(STEAL, "mbufs") X(TX_STALL, "txstall") X(SLOW_READ, "slowread") X(SLOW_WRITE, "slowwrite") \
    X(LATE, "late") X(JUMP, "jump") X(DEATH, "death") X(ABORT, "abort") X(TIMEOUT, "timeout") \
    X(SMALL_TABLES, "tables") X(SPLIT_ACK, "splitack") X(SPOOF_DUPACK, "dupack")
// clang-format on
#define MIX_FAULT_ENUM(name, text) MIX_##name,
enum mix_fault { MIX_FAULT_LIST(MIX_FAULT_ENUM) MIX_FAULT_COUNT };
#undef MIX_FAULT_ENUM

struct mix {
    uint64_t seed;
    uint64_t faults; /* 1 << enum mix_fault */
    bool v6;
    struct tern_embed_config cfg[2];
    struct tern_link_config link[2]; /* [d]: from host d to host !d */
    struct host_plan host[2];
    struct flow_plan flow[FLOWS_MAX];
    uint32_t n_flows;
    uint64_t faults_end_ns;       /* from the start; then only good links and quick applications */
    uint64_t jump_at_ns, jump_ns; /* 0: none */
    uint64_t death_at_ns;
    uint8_t dies; /* with MIX_DEATH: which host */
};

static inline bool mix_has(const struct mix *m, enum mix_fault f)
{
    return m->faults >> f & 1;
}

const char *mix_fault_name(enum mix_fault f);
/** @return the fault of that name, or MIX_FAULT_COUNT */
enum mix_fault mix_fault_by_name(const char *name);

/**
 * Draw everything from `seed`.
 * @param only  bits of the faults to allow (--mix); ~0: what the seed draws
 * @param must  bits of the faults to force on
 */
void mix_draw(struct mix *m, uint64_t seed, uint64_t only, uint64_t must);

/** mix_config.c: one endpoint's configuration. */
void mix_draw_config(struct mix *m, int host);
/** mix_flows.c: the conversations. Needs faults and configurations. */
void mix_draw_flows(struct mix *m);
