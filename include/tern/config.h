/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What a TCP endpoint is told before it starts. One struct serves a worker's shard on a device and
 * an embedded instance alike. tern_stack_config_init() fills in every default; each field states
 * its unit, default and range, and tern_stack_config_check() refuses what lies outside.
 */
#include <tern/addr.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

TERN_BEGIN_DECLS

enum {
    TERN_ADDRS_MAX = 256, /**< own addresses an endpoint may have, one by one … */
    TERN_RANGES_MAX = 16, /**< … and ranges of more */
    TERN_STATIC_NEIGHBOURS_MAX = 64,
    TERN_ERROR_TEXT_BYTES = 512,
    TERN_MAC_BYTES = 6,
};

/** One line for a person: cause, evidence, what to do next. Written only when a call fails. */
struct tern_error {
    char text[TERN_ERROR_TEXT_BYTES];
};

/** When SYNs are answered without keeping state (RFC 4987 §3.6). */
enum tern_syn_cookies {
    TERN_SYN_COOKIES_AUTO, /**< once the SYN cache is full */
    TERN_SYN_COOKIES_ALWAYS,
    TERN_SYN_COOKIES_NEVER,
};

/** When received data is acknowledged (RFC 9293 §3.8.6.3). */
enum tern_ack_policy {
    TERN_ACK_QUICK_START, /**< at once for the first segments of a connection, then delayed */
    TERN_ACK_DELAYED,     /**< delayed from the first segment */
    TERN_ACK_EVERY_BURST, /**< never delayed: one ACK a connection and burst */
};

/** Congestion control (RFC 9293 §3.8.2). A connection may choose its own: TERN_CONN_CC. */
enum tern_cc_kind {
    TERN_CC_CUBIC,   /**< RFC 9438 */
    TERN_CC_NEWRENO, /**< RFC 5681, with the recovery that all share (RFC 6675, RFC 8985, RFC 6937)
                      */
    TERN_CC_BBR,     /**< draft-ietf-ccwg-bbr; paces */
    TERN_CC_DCTCP,   /**< RFC 8257: for networks that mark early; asks for ECN */
    TERN_CC_COUNT,
};

/** Explicit congestion notification (RFC 3168). */
enum tern_ecn {
    TERN_ECN_OFF,
    TERN_ECN_ACCEPT,  /**< where the peer asks for it */
    TERN_ECN_REQUEST, /**< asked for on active opens, too */
};

/** Path MTU discovery beside routers' messages (RFC 4821, RFC 8899). */
enum tern_plpmtud {
    TERN_PLPMTUD_OFF,
    TERN_PLPMTUD_BLACKHOLE, /**< where large segments vanish, and to return to larger ones */
    TERN_PLPMTUD_ALWAYS,    /**< start with 1280-byte packets and search upward from there */
};

/** A neighbour that is configured, never resolved, never aged. */
struct tern_static_neighbour {
    union tern_addr addr;
    uint8_t mac[TERN_MAC_BYTES];
};

/**
 * Values that a real endpoint chooses by clock or secret, fixed for tests that compare bytes. All
 * off by default. Never set them on a network: they remove what RFC 6528 and RFC 6056 protect.
 */
struct tern_test_pins {
    bool has_isn, has_ip_id, has_syn_wnd, has_padding;
    uint32_t isn;          /**< every initial sequence number */
    const uint16_t *ip_id; /**< [n_ip_id] IPv4 identification of the next packets sent, in order */
    uint32_t n_ip_id;
    bool no_df;                  /**< IPv4 don't-fragment off */
    uint16_t syn_wnd;            /**< window field of SYN and SYN-ACK */
    const uint8_t (*padding)[6]; /**< [n_ip_id] bytes that pad each of these frames to 60 */
    bool slow_path_only;         /**< never take the fast path: the wire must look the same */
};

/** Configuration of one TCP endpoint (a shard). */
struct tern_stack_config {
    /* Addresses */
    struct tern_prefix addrs[TERN_ADDRS_MAX]; /**< own addresses, each with its on-link prefix */
    uint32_t n_addrs;                         /**< 1..TERN_ADDRS_MAX */
    /** More own addresses, however many: spoken from and answered for, but neither probed nor
     * announced, which would be a frame for each. They overlap nothing, and addrs[] has an address
     * of each one's family. */
    struct tern_addr_range ranges[TERN_RANGES_MAX];
    uint32_t n_ranges;                  /**< 0..TERN_RANGES_MAX; default 0 */
    union tern_addr gateway4, gateway6; /**< unspecified (all zero): none, everything is on link */
    uint8_t mac[TERN_MAC_BYTES];        /**< the port's; ignored with l3 */
    bool l3;            /**< packets enter and leave at the IP header; default false */
    uint16_t vlan;      /**< 802.1Q id 1..4094, 0 = untagged; default 0 */
    uint16_t mtu_bytes; /**< IP MTU, 68..9216 (1280.. with IPv6); default 1500 */
    struct tern_static_neighbour neighbours[TERN_STATIC_NEIGHBOURS_MAX];
    uint32_t n_neighbours;
    bool dad; /**< probe own addresses before use (RFC 5227, RFC 4862 §5.4); default true, off with
                 l3 */

    /* Limits */
    uint32_t
        conns_max; /**< connections in a synchronized or SYN-SENT state, 1..2^28; default 65536 */
    uint32_t half_open_max;  /**< SYN cache entries, 1..2^28; default 16384 */
    uint32_t time_wait_max;  /**< TIME-WAIT records, 1..2^28; default = conns_max */
    uint32_t listeners_max;  /**< 1..1024; default 64 */
    uint32_t neighbours_max; /**< 8..65534; default 1024 */
    uint32_t rcv_buf_bytes;  /**< receive buffer a connection starts with, 536..2^30; default 262144
                              */
    uint32_t
        rcv_buf_max_bytes;   /**< what it may grow to as the path and the application ask for,
                                  0..2^30, 0 = it does not grow; default 16 MiB (10 Gb/s over 10
                                  ms). The larger of the two decides the window scale announced */
    uint32_t rcv_grow_bytes; /**< what all buffers of a worker together may grow beyond
                                  rcv_buf_bytes, 0 = what its packet buffers hold; default 0 */
    uint32_t snd_buf_bytes;  /**< send queue a connection, 536..2^30; default 1048576 */
    uint32_t sending_max;    /**< connections that send or recover at one time, 0 = conns_max (at
                                  most that); beyond it sends take nothing. An eighth as many, and
                                  1024 at least, may hold gaps or rare options; default 0 */
    uint32_t sent_max;       /**< stretches in flight told apart beyond one a connection, 0..2^28;
                                  without them loss is detected in coarser units; default 65536 */

    /* Protocol */
    enum tern_syn_cookies syn_cookies;   /**< default auto */
    enum tern_ack_policy ack_policy;     /**< default quick start */
    bool timestamps, sack, window_scale; /**< offered and accepted; default all true */
    bool nodelay;                        /**< Nagle off on new connections; default false */
    enum tern_cc_kind cc;                /**< default CUBIC */
    enum tern_ecn ecn;                   /**< default accept */
    enum tern_plpmtud plpmtud;           /**< default where large segments vanish */
    bool pacing;                         /**< spread cwnd over the round trip; default false */
    bool tfo_accept;  /**< TCP Fast Open (RFC 7413): data of a SYN with a valid cookie reaches the
                           application at once. It may reach it twice (§6.1): for idempotent
                           requests only; default false */
    bool tfo_connect; /**< … and connects with early data ask for cookies and use them; default
                           false */
    uint32_t tfo_pending_max; /**< connections opened by a SYN and not confirmed, 1..2^28; beyond it
                                   handshakes are ordinary (RFC 7413 §5.1); default 256 */
    uint32_t tfo_peers_max;   /**< servers remembered with cookie or failure, 4..65536; the memory
                                   is taken with tfo_connect only; default 1024 */
    uint8_t ttl;              /**< TTL / hop limit, 1..255; default 64 */
    uint8_t dscp;             /**< 0..63; default 0 */
    uint16_t mss_max;        /**< upper bound of the MSS we announce, 0 = from the MTU; default 0 */
    uint32_t init_cwnd_segs; /**< 1..1000; default 10 (RFC 6928) */
    uint32_t rto_min_ms;     /**< 1..60000; default 200 (RFC 6298 says 1000; declared) */
    uint32_t rto_initial_ms; /**< 1..60000; default 1000 (RFC 6298 §2.1) */
    uint32_t rto_max_ms;     /**< 1000..600000; default 60000 */
    uint32_t delayed_ack_ms; /**< 1..499; default 40 */
    uint32_t time_wait_ms;   /**< 2·MSL, 1..600000; default 60000 */
    uint32_t
        fin_wait2_ms; /**< wait for the peer's FIN after a full close, 1..3600000; default 60000 */
    uint32_t syn_timeout_ms;  /**< R2 for SYN, 1..3600000; default 183000 (RFC 9293 MUST-23) */
    uint32_t user_timeout_ms; /**< R2 for data, 1..86400000; default 120000 (RFC 9293 SHLD-11) */
    uint32_t
        persist_timeout_ms; /**< abort when the peer keeps its window shut that long,
                                 0..86400000, 0 = bear it while it answers (MUST-37); default 0 */
    /** Idle time before the first probe. Default 0: off (MUST-25), so none of less than two hours
     * (MUST-28). */
    uint32_t keepalive_ms;
    uint16_t port_min,
        port_max; /**< ephemeral ports, 1..65535; default 1024..65535 (RFC 6056 §3.2) */
    /** Ephemeral ports are taken only where (port % port_stride) == port_phase; default 1, 0. */
    uint16_t port_stride, port_phase;
    uint32_t icmp_rate_per_s; /**< echo answers a second, 0 = none; default 1000 */
    uint32_t rst_rate_per_s; /**< RSTs a second to segments without a connection; default 1000000 */

    /* Device abilities (the engine sets them; an embedder leaves them) */
    bool tx_ip_csum, tx_tcp_csum; /**< the device fills checksums in */
    bool tx_multi_seg;            /**< the device takes chained mbufs */
    uint32_t tso_bytes_max;       /**< largest TCP payload the device segments, 0 = none */

    /* Secrets: 128 bits each of independent randomness; equal seeds give equal behaviour. */
    uint64_t seed[4];
    int numa_node; /**< -1 = any; default -1 */
    struct tern_test_pins pins;
};

/** Fill in every default. `seed` stays zero: the engine draws it, an embedder passes its own. */
TERN_API void tern_stack_config_init(struct tern_stack_config *cfg);

/** 0, or -EINVAL with one line in *err that names the field, its value and its range. */
TERN_API TERN_MUST_CHECK int tern_stack_config_check(
    const struct tern_stack_config *cfg, struct tern_error *err);

TERN_END_DECLS
