/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A packet script as values: what tests/packet/README.md describes, read. A script is read for one
 * address family, so that `536|1220` is one number here and nothing later asks which.
 */
#include <tern/embed.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OPT_BYTES_MAX = 40, /* RFC 9293 §3.1: data offset 15 */
    SACK_BLOCKS_MAX = 4,
    FLOWS_MAX = 4, /* connections a script can tell apart: a, b, c, d */
    MUST_FAIL_MAX = 4,
    NAME_BYTES = 32,
    LINE_BYTES = 512,
};

/** Control bits, as the RFC calls them. */
enum {
    FIN = 0x01,
    SYN = 0x02,
    RST = 0x04,
    PSH = 0x08,
    ACK = 0x10,
    URG = 0x20,
    ECE = 0x40,
    CWR = 0x80
};

/** Kinds of TCP options, as on the wire; the last three only stand in a list of them. */
enum {
    KIND_EOL = 0,
    KIND_NOP = 1,
    KIND_MSS = 2,
    KIND_WS = 3,
    KIND_SACKOK = 4,
    KIND_SACK = 5,
    KIND_TS = 8,
    KIND_RAW = 255, /* bytes as the script gives them */
};

/** Which options a segment has. */
enum {
    HAS_MSS = 1u << 0,
    HAS_WS = 1u << 1,
    HAS_SACKOK = 1u << 2,
    HAS_TS = 1u << 3,
    HAS_SACK = 1u << 4,
    HAS_OTHER = 1u << 5,
};

struct span {
    int64_t lo, hi;
};

/** A timestamp echo of 0 on the wire: nothing to echo yet. */
#define ECR_NONE INT64_MIN

struct block {
    int64_t left, right; /* relative, right end excluded */
};

/** TCP options as values. Timestamps and blocks are relative, as everywhere in a script. */
struct options {
    unsigned has;
    bool open;             /* `...`: others may be there, too */
    bool no_ts;            /* `nots`: none although timestamps were agreed on */
    bool unaligned;        /* no NOPs in front of ts and sack */
    bool any_val, any_ecr; /* of ts: not compared; sent: the natural value */
    uint16_t mss;
    uint8_t ws, n_sack;
    struct span ts_val; /* sent: the lower end */
    int64_t ts_ecr;
    struct block sack[SACK_BLOCKS_MAX];
    uint8_t n_order, order[OPT_BYTES_MAX]; /* KIND_*, as written */
    uint8_t n_raw, raw[OPT_BYTES_MAX];     /* unknown options, one behind the other */
};

/** What a script states about a segment beside sequence, length and control bits. */
enum {
    GIVEN_ACK = 1u << 0,
    GIVEN_WIN = 1u << 1,
    GIVEN_URG = 1u << 2,
    GIVEN_TTL = 1u << 3,
    GIVEN_DF = 1u << 4,
    GIVEN_ID = 1u << 5,
    GIVEN_BY = 1u << 6,
};

/** What makes an incoming packet wrong. All zero: nothing. */
struct damage {
    bool tcp_sum, ip_sum;
    bool has_doff;
    uint8_t doff_words;
    int ip_len_off; /* added to the IP length */
    uint16_t cut_bytes;
    bool has_sport, has_dport;
    uint16_t sport, dport;
    bool has_src, has_dst;
    union tern_addr src, dst;
    uint8_t n_ip_opts, ip_opts[OPT_BYTES_MAX];
};

struct segment {
    unsigned given;
    uint8_t flags;
    int64_t seq, ack; /* relative: each end's SYN is 0 */
    uint32_t len;     /* of payload */
    uint32_t by;      /* GIVEN_BY: a train of segments of this many bytes … */
    uint32_t gap;     /* … with so many left out between them */
    uint16_t win, urg, id;
    uint8_t ttl, tos, tos_mask; /* compared where the mask has ones */
    bool df;
    bool has_fill;
    uint8_t fill; /* every byte of the payload, instead of the pattern */
    struct options opts;
    struct damage damage;
};

enum icmp_kind {
    ICMP_NET_UNREACHABLE,
    ICMP_HOST_UNREACHABLE,
    ICMP_PROTO_UNREACHABLE,
    ICMP_PORT_UNREACHABLE,
    ICMP_PROHIBITED,
    ICMP_TOO_BIG,
    ICMP_TIME_EXCEEDED,
    ICMP_PARAMETER,
    ICMP_QUENCH, /* IPv4 only */
    ICMP_KINDS,
};

/** An ICMP error about a segment that tern sent. */
struct icmp {
    enum icmp_kind kind;
    uint32_t mtu;
    int64_t seq; /* quoted, relative */
    uint32_t len;
    bool bad_sum, wrong_port, wrong_addr;
};

enum act {
    ACT_IN,
    ACT_ICMP,
    ACT_PACKET, /* raw bytes */
    ACT_OUT,
    ACT_QUIET,
    ACT_SKIP,
    ACT_FLOW,
    ACT_REOPEN,
    ACT_LISTEN,
    ACT_UNLISTEN,
    ACT_CONNECT,
    ACT_ACCEPT,
    ACT_WRITE,
    ACT_READ,
    ACT_EOF,
    ACT_SHUTDOWN,
    ACT_CLOSE,
    ACT_ABORT,
    ACT_OPTION,
    ACT_STATE,
    ACT_ERROR,
    ACT_INFO,
    ACT_COUNT,
    ACT_DROPS,
};

enum when {
    WHEN_NOW,   /* nothing written: at the time of the step before */
    WHEN_AFTER, /* +T or +T..U from there */
    WHEN_AT,    /* @T or @T..U from the start */
};

struct step {
    enum act act;
    int line;
    const char *text; /* as written, for the time-line */
    enum when when;
    uint64_t lo_ns, hi_ns;
    bool is_range; /* of time: both ends written */
    bool joins;    /* `&<`: in the burst of the segment before */
    struct segment seg;
    struct icmp icmp;
    char name[NAME_BYTES]; /* state, field, counter, flow … */
    struct span span;      /* value or values expected; bytes to read and write */
    bool has_addr;
    union tern_addr addr;
    uint16_t port;
    int error;     /* errno that the call fails with, or to expect; 0: none */
    bool has_span; /* write: how many are accepted; accept: none waits */
    uint32_t value;
    size_t n_bytes;
    uint8_t *bytes; /* ACT_PACKET */
};

struct script {
    const char *path;
    bool v6;
    bool slow_path_only; /* never take the fast path: everything must come the same */
    char title[LINE_BYTES];
    char shows[LINE_BYTES];
    char expect_fail[LINE_BYTES]; /* "": it must pass */
    char must_fail[MUST_FAIL_MAX][LINE_BYTES];
    uint32_t n_must_fail;
    bool only4, only6;
    struct tern_embed_config cfg;
    bool has_second_addr;
    bool has_peer_isn;
    uint32_t peer_isn;
    struct step *steps;
    size_t n_steps;
    char error[2 * LINE_BYTES]; /* one line: why it could not be read */
};

/** The largest segment tern announces: MTU less the fixed headers (MUST-67). */
uint32_t script_own_mss(const struct script *s);

/**
 * Read a script for one family.
 * @return false: s->error tells file, line, word and what is accepted; free it all the same
 */
bool script_read(struct script *s, const char *path, bool v6);
void script_free(struct script *s);

/** Set a configuration field by name. @return false, with what is accepted in `why` */
bool setting_set(struct script *s, const char *name, const char *value, char *why, size_t cap);
/** The option of a connection by name, or -1; `why` gets the names there are. */
int setting_conn_opt(const char *name, char *why, size_t cap);
