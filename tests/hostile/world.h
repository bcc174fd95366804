/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A server, its clients and an attacker, in memory and in virtual time.
 *
 * Server and clients are whole shards (tern/embed.h) a path of fixed delay apart; the attacker is
 * whoever calls world_attack(), right at the server's door. The clock moves in steps, and in each
 * everything that is due is done: a run is a function of its arguments and gives the same figures
 * on every machine. What it cannot say is how much a machine stands; what a frame costs is for
 * benchmarks.
 *
 * Frames are Ethernet frames. Server and clients resolve each other's addresses, so that floods of
 * ARP and NDP have something to break; the gateway, behind which the attacker's addresses are, is
 * configured.
 */
#include <tern/embed.h>

#include "link/prng.h"
#include "shot.h"

#include <stdbool.h>
#include <stdint.h>

enum world_end { SERVER, CLIENTS, N_ENDS };

#define WORLD_STEP_NS   UINT64_C(50000)
#define WORLD_DELAY_NS  UINT64_C(1000000) /* one way */
#define WORLD_SECOND_NS UINT64_C(1000000000)

enum {
    WORLD_FRAME_BYTES = 1600,
    WORLD_UNDER_WAY_MAX = 16384, /* frames on the path, one way; more is a fault of the scenario */
};

/** A frame on the path. */
struct passage {
    uint64_t due_ns;
    uint32_t n_bytes;
    uint8_t bytes[WORLD_FRAME_BYTES];
};

/** One direction: first in, first out. */
struct path {
    struct passage *ring; /* [WORLD_UNDER_WAY_MAX] */
    uint64_t head, tail;  /* head - tail of them are under way */
};

/** Frames and their bytes. */
struct tally {
    uint64_t frames, bytes;
};

/** What the server lacks for a while. */
enum world_lack { WORLD_LACKS_NOTHING, WORLD_LACKS_MBUFS, WORLD_LACKS_TX, WORLD_LACKS_RX };

struct world {
    struct tern_embed *end[N_ENDS];
    struct path towards[N_ENDS];
    uint64_t now_ns;
    bool v6;
    struct tern_prng dice;        /* the attacker's */
    struct tally shot, come_back; /* from the attacker, to addresses behind the gateway */
    void (*on_reply)(struct world *w, const uint8_t *frame, uint32_t n_bytes); /* or NULL */
    void *user;                                                                /* … its own */
    enum world_lack lack;
    struct rte_mbuf **withheld; /* [n_withheld] the server's buffers, while it lacks them */
    uint32_t n_withheld;
    uint64_t n_missed; /* frames that found no receive descriptor */
};

/** What may differ between worlds. */
struct world_config {
    bool v6;
    uint64_t seed;
    struct tern_embed_config end[N_ENDS]; /* from world_config_init() */
};

/** Defaults: addresses, gateway, buffers that a window of 16 KiB fits in, TIME-WAIT of a second. */
void world_config_init(struct world_config *cfg, bool v6);

/** Make it and let both ends find each other. Ends the process with a line if there is no memory.
 */
void world_open(struct world *w, const struct world_config *cfg);

/** What both ends together had not given back. */
struct tern_embed_leaks world_close(struct world *w);

/** An own address of an end; the gateway; one behind the gateway, drawn anew each time. */
union tern_addr world_addr(const struct world *w, enum world_end end);
union tern_addr world_stranger(struct world *w);
/** A station on the link that nobody has heard of, drawn anew. */
union tern_addr world_station(struct world *w);

extern const uint8_t world_mac[N_ENDS][TERN_MAC_BYTES];
extern const uint8_t world_gateway_mac[TERN_MAC_BYTES];

/** From now on the server lacks that. */
void world_lack(struct world *w, enum world_lack lack);

/** A frame of the attacker's arrives at the server, now. */
void world_attack(struct world *w, const struct shot *s);

/** A step of time: what is due arrives, timers fire, what is to be sent departs. */
void world_step(struct world *w);

/** Steps until `n_ns` have passed. */
void world_pass(struct world *w, uint64_t n_ns);

/** Pages of memory that the process has mapped. */
uint64_t world_pages_mapped(void);

static inline struct tern_shard *world_shard(const struct world *w, enum world_end end)
{
    return tern_embed_shard(w->end[end]);
}

static inline const struct tern_stats *world_stats(const struct world *w, enum world_end end)
{
    return tern_shard_stats(world_shard(w, end));
}
