/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The connections of a capture, found by their addresses and ports. The table is bounded: when it
 * is full, the connection that was silent for longest is forgotten, and counted.
 */
#include <tern/addr.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

enum {
    APP_FLOWS_MAX = 65536,
    APP_GAPS_MAX = 8, /**< holes in what an end sent that are remembered; beyond: the oldest go */
};

/** Sequence numbers [from, to). */
struct app_gap {
    uint32_t from, to;
};

/** One end of a connection, from what it was seen to say. */
struct app_end {
    union tern_addr addr;
    uint16_t port;
    uint8_t state;    /**< enum tern_state or APP_STATE_UNKNOWN */
    bool has_sent;    /**< it was seen to say anything; seq_next holds */
    bool has_syn;     /**< iss holds */
    bool has_syn_ack; /**< … and it went with an ACK */
    bool has_wnd;     /**< wnd holds, and is that of no SYN */
    bool has_edge;    /**< edge holds */
    bool has_wscale;  /**< its SYN offered window scaling, by wscale */
    uint8_t wscale;
    bool has_fin;     /**< fin_seq holds */
    bool has_acked;   /**< acked holds */
    bool fin_reached; /**< its FIN has reached the other end, as far as can be known */
    bool fin_acked;
    bool told_half_close;
    uint32_t iss, fin_seq;
    uint32_t seq_next; /**< behind the highest sequence number that it has sent */
    uint32_t acked;    /**< highest acknowledgement that it has sent */
    uint32_t wnd;      /**< window of its last segment, unscaled */
    uint32_t edge;     /**< behind the last number that it has offered a window for */
    uint32_t n_dup_acks;
    uint32_t n_gaps;
    struct app_gap gaps[APP_GAPS_MAX];
};

struct app_flow {
    struct app_end ends[2];    /**< [0] is who was seen first */
    uint64_t number;           /**< from 1, in order of appearance */
    uint32_t next_idx;         /**< in the chain of its bucket */
    TAILQ_ENTRY(app_flow) lru; /**< the one heard of last is first */
};

struct app_flows;

/** @param n_max  room, a power of two, 2..APP_FLOWS_MAX. @return NULL: no memory */
struct app_flows *app_flows_new(uint32_t n_max);
void app_flows_free(struct app_flows *t);

/** Addresses and ports of one segment. */
struct app_flow_key {
    union tern_addr src, dst;
    uint16_t sport, dport;
};

/** The connection of a segment; a new one has both states unknown. @param from  which end sent it
 */
struct app_flow *app_flows_find(
    struct app_flows *t, const struct app_flow_key *key, uint32_t *from);

/** Forget all but who it is and its state. */
void app_end_renew(struct app_end *e);

/** A connection begins again between the same ends; it gets a number of its own. */
void app_flow_renew(struct app_flows *t, struct app_flow *f);

/** Connections seen; and those of them that were forgotten for want of room. */
uint64_t app_flows_seen(const struct app_flows *t);
uint64_t app_flows_forgotten(const struct app_flows *t);
