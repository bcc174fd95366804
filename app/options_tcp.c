/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options of TCP and IP, each a field of struct tern_stack_config in the same range. Buffers
 * and TIME-WAIT are kept aside: where the user says nothing a subcommand or scenario decides.
 */
#include "options.h"
#include "value.h"

enum {
    MTU_MIN = 68,
    MTU_MAX = 9216,
    MSS_MIN = 48,
    DSCP_MAX = 63,
    BUF_MIN = 536,
    BUF_MAX = 1 << 30,
    MINUTE_MS = 60000,
};

enum option_key {
    OPT_MTU = APP_OPT_TCP,
    OPT_TTL,
    OPT_DSCP,
    OPT_MSS,
    OPT_RCV_BUF,
    OPT_SND_BUF,
    OPT_NODELAY,
    OPT_CC,
    OPT_ECN,
    OPT_PACING,
    OPT_TFO,
    OPT_INIT_CWND,
    OPT_SYN_COOKIES,
    OPT_ACK_POLICY,
    OPT_DELAYED_ACK,
    OPT_RTO_MIN,
    OPT_TIME_WAIT,
    OPT_NO_TIMESTAMPS,
    OPT_NO_SACK,
    OPT_NO_WSCALE,
};

// clang-format off
static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "TCP and IP:", 30},
    {"mtu", OPT_MTU, "BYTES", 0, "IP MTU, 68..9216, with IPv6 from 1280 (default 1500)", 0},
    {"ttl", OPT_TTL, "N", 0, "TTL or hop limit, 1..255 (default 64)", 0},
    {"dscp", OPT_DSCP, "N", 0, "DSCP of all packets, 0..63 (default 0)", 0},
    {"mss", OPT_MSS, "BYTES", 0, "largest MSS to announce, from 48 (default: from the MTU)", 0},
    {"rcv-buf", OPT_RCV_BUF, "BYTES", 0, "receive buffer of a connection, 536..1Gi (default: 256Ki, grown to 16Mi where the path asks; stream: 4Mi)", 0},
    {"snd-buf", OPT_SND_BUF, "BYTES", 0, "send queue of a connection, 536..1Gi (default 1Mi; stream: 4Mi, shared by many)", 0},
    {"nodelay", OPT_NODELAY, NULL, 0, "Nagle's algorithm off", 0},
    {"cc", OPT_CC, "NAME", 0, "congestion control: cubic, newreno, bbr or dctcp (default cubic)", 0},
    {"ecn", OPT_ECN, "MODE", 0, "off, accept (where the peer asks) or request (RFC 3168; default accept)", 0},
    {"pacing", OPT_PACING, NULL, 0, "spread the congestion window over the round trip", 0},
    {"tfo", OPT_TFO, NULL, 0, "TCP Fast Open (RFC 7413): take requests with the SYN, and send them so (http)", 0},
    {"init-cwnd", OPT_INIT_CWND, "SEGMENTS", 0, "initial congestion window, 1..1000 (default 10, RFC 6928)", 0},
    {"syn-cookies", OPT_SYN_COOKIES, "WHEN", 0, "auto (SYN cache full), always or never (default auto)", 0},
    {"ack-policy", OPT_ACK_POLICY, "POLICY", 0, "quick-start, delayed or every-burst (default quick-start)", 0},
    {"delayed-ack", OPT_DELAYED_ACK, "T", 0, "how long an acknowledgement may wait, 1ms..499ms (default 40ms)", 0},
    {"rto-min", OPT_RTO_MIN, "T", 0, "least retransmission timeout, 1ms..60s (default 200ms)", 0},
    {"time-wait", OPT_TIME_WAIT, "T", 0, "2 MSL, 1ms..10m (default 60s; pair: 1s)", 0},
    {"no-timestamps", OPT_NO_TIMESTAMPS, NULL, 0, "neither offer nor accept timestamps (RFC 7323)", 0},
    {"no-sack", OPT_NO_SACK, NULL, 0, "neither offer nor accept SACK (RFC 2018)", 0},
    {"no-wscale", OPT_NO_WSCALE, NULL, 0, "neither offer nor accept window scaling (RFC 7323)", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};
// clang-format on

static int parse_syn_cookies(const char *arg, struct app_options *o)
{
    static const char *const names[] = {"auto", "always", "never"};
    uint32_t i = TERN_SYN_COOKIES_AUTO;
    const int rc = app_value_choice("--syn-cookies", arg, names, 3, &i, o->err);
    o->stack.syn_cookies = (enum tern_syn_cookies)i;
    return rc;
}

static int parse_ack_policy(const char *arg, struct app_options *o)
{
    static const char *const names[] = {"quick-start", "delayed", "every-burst"};
    uint32_t i = TERN_ACK_QUICK_START;
    const int rc = app_value_choice("--ack-policy", arg, names, 3, &i, o->err);
    o->stack.ack_policy = (enum tern_ack_policy)i;
    return rc;
}

static int parse_cc(const char *arg, struct app_options *o)
{
    static const char *const names[TERN_CC_COUNT] = {
        [TERN_CC_CUBIC] = "cubic",
        [TERN_CC_NEWRENO] = "newreno",
        [TERN_CC_BBR] = "bbr",
        [TERN_CC_DCTCP] = "dctcp",
    };
    uint32_t i = TERN_CC_CUBIC;
    const int rc = app_value_choice("--cc", arg, names, TERN_CC_COUNT, &i, o->err);
    o->stack.cc = (enum tern_cc_kind)i;
    return rc;
}

static int parse_ecn(const char *arg, struct app_options *o)
{
    static const char *const names[] = {
        [TERN_ECN_OFF] = "off", [TERN_ECN_ACCEPT] = "accept", [TERN_ECN_REQUEST] = "request"};
    uint32_t i = TERN_ECN_ACCEPT;
    const int rc = app_value_choice("--ecn", arg, names, 3, &i, o->err);
    o->stack.ecn = (enum tern_ecn)i;
    return rc;
}

static int parse_u8(const char *option, const char *arg, uint16_t min, uint16_t max, uint8_t *out,
    struct tern_error *err)
{
    uint16_t value = 0;
    const int rc = app_value_u16(option, arg, min, max, &value, err);
    if (rc == 0)
        *out = (uint8_t)value;
    return rc;
}

/* Packets and buffers. */
static error_t parse_sizes(int key, const char *arg, struct app_options *o)
{
    struct tern_stack_config *s = &o->stack;
    switch (key) {
    case OPT_MTU: return app_value_u16("--mtu", arg, MTU_MIN, MTU_MAX, &s->mtu_bytes, o->err);
    case OPT_TTL: return parse_u8("--ttl", arg, 1, UINT8_MAX, &s->ttl, o->err);
    case OPT_DSCP: return parse_u8("--dscp", arg, 0, DSCP_MAX, &s->dscp, o->err);
    case OPT_MSS: return app_value_u16("--mss", arg, MSS_MIN, MTU_MAX, &s->mss_max, o->err);
    case OPT_RCV_BUF:
        return app_value_u32("--rcv-buf", arg, BUF_MIN, BUF_MAX, &o->rcv_buf_bytes, o->err);
    case OPT_SND_BUF:
        return app_value_u32("--snd-buf", arg, BUF_MIN, BUF_MAX, &o->snd_buf_bytes, o->err);
    case OPT_INIT_CWND:
        return app_value_u32("--init-cwnd", arg, 1, 1000, &s->init_cwnd_segs, o->err);
    default: return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct app_options *o = state->input;
    struct tern_stack_config *s = &o->stack;
    switch (key) {
    case OPT_NODELAY: s->nodelay = true; return 0;
    case OPT_CC: return parse_cc(arg, o);
    case OPT_ECN: return parse_ecn(arg, o);
    case OPT_PACING: s->pacing = true; return 0;
    case OPT_TFO: s->tfo_accept = s->tfo_connect = true; return 0;
    case OPT_SYN_COOKIES: return parse_syn_cookies(arg, o);
    case OPT_ACK_POLICY: return parse_ack_policy(arg, o);
    case OPT_DELAYED_ACK:
        return app_value_ms("--delayed-ack", arg, 1, 499, &s->delayed_ack_ms, o->err);
    case OPT_RTO_MIN: return app_value_ms("--rto-min", arg, 1, MINUTE_MS, &s->rto_min_ms, o->err);
    case OPT_TIME_WAIT:
        return app_value_ms("--time-wait", arg, 1, 10 * MINUTE_MS, &o->time_wait_ms, o->err);
    case OPT_NO_TIMESTAMPS: s->timestamps = false; return 0;
    case OPT_NO_SACK: s->sack = false; return 0;
    case OPT_NO_WSCALE: s->window_scale = false; return 0;
    default: return parse_sizes(key, arg, o);
    }
}

const struct argp app_tcp_argp = {.options = options, .parser = parse};
