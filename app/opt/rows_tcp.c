/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP and IP, each a field of struct tern_stack_config in the same range. Buffers and TIME-WAIT are
 * kept aside: where the user says nothing a subcommand or scenario decides.
 */
#include "../error.h"
#include "../value.h"
#include "rows.h"

enum {
    MTU_MIN = 68,
    MTU_MAX = 9216,
    MSS_MIN = 48,
    DSCP_MAX = 63,
    TOS_MAX = 252,
    TOS_STEP = 4, /* one of DSCP */
    BUF_MIN = 536,
    BUF_MAX = 1 << 30,
    INIT_CWND_MAX = 1000,
    DELAYED_ACK_MAX_MS = 499,
    MINUTE_MS = 60000,
};

static const char *const cc_names[] = {
    [TERN_CC_CUBIC] = "cubic",
    [TERN_CC_NEWRENO] = "newreno",
    [TERN_CC_BBR] = "bbr",
    [TERN_CC_DCTCP] = "dctcp",
    [TERN_CC_COUNT] = NULL,
};
static const char *const ecn_names[] = {
    [TERN_ECN_OFF] = "off", [TERN_ECN_ACCEPT] = "accept", [TERN_ECN_REQUEST] = "request", NULL};
static const char *const cookie_names[] = {[TERN_SYN_COOKIES_AUTO] = "auto",
    [TERN_SYN_COOKIES_ALWAYS] = "always",
    [TERN_SYN_COOKIES_NEVER] = "never",
    NULL};
static const char *const ack_names[] = {[TERN_ACK_QUICK_START] = "quick-start",
    [TERN_ACK_DELAYED] = "delayed",
    [TERN_ACK_EVERY_BURST] = "every-burst",
    NULL};

/* The byte that RFC 791 called type of service: the DSCP, and two bits that ECN has now (RFC 3168).
 */
static int set_tos(struct app_settings *s, const char *text, struct tern_error *err)
{
    uint16_t tos = 0;
    const int rc = app_value_u16("--tos", text, 0, TOS_MAX, &tos, err);
    if (rc != 0)
        return rc;
    if (tos % TOS_STEP != 0)
        return app_refuse(err, "--tos: the two low bits of %u are ECN's; type %u, or use --ecn",
            tos, tos - tos % TOS_STEP);
    s->stack.dscp = (uint8_t)(tos / TOS_STEP);
    return 0;
}

#define TCP .group = APP_GROUP_TCP, .commands = CMD_ENDS

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "mtu", .arg = "BYTES", TCP, APP_U16(stack.mtu_bytes, MTU_MIN, MTU_MAX), .standard = "1500", .unit = "bytes",
        .help = "IP MTU, with IPv6 from 1280"},
    {.name = "ttl", .arg = "N", TCP, APP_U8(stack.ttl, 1, UINT8_MAX), .standard = "64",
        .help = "TTL or hop limit"},
    {.name = "dscp", .arg = "N", TCP, APP_U8(stack.dscp, 0, DSCP_MAX), .standard = "0",
        .help = "DSCP of all packets"},
    {.name = "tos", .arg = "N", TCP, APP_CALL(set_tos), .standard = "0",
        .help = "the same as the whole byte, four times the DSCP: 184 is --dscp 46; the later of the two counts"},
    {.name = "mss", .arg = "BYTES", TCP, APP_U16(stack.mss_max, MSS_MIN, MTU_MAX), .standard = "from the MTU", .unit = "bytes",
        .help = "largest MSS to announce"},
    {.name = "rcv-buf", .arg = "BYTES", TCP, APP_U32(rcv_buf_bytes, BUF_MIN, BUF_MAX), .unit = "bytes",
        .standard = "256Ki, grown to 16Mi where the path asks; stream 4Mi",
        .help = "receive buffer of a connection"},
    {.name = "snd-buf", .arg = "BYTES", TCP, APP_U32(snd_buf_bytes, BUF_MIN, BUF_MAX), .unit = "bytes",
        .standard = "1Mi; stream 4Mi, shared by many",
        .help = "send queue of a connection"},
    {.name = "nodelay", TCP, APP_FLAG(stack.nodelay),
        .help = "Nagle's algorithm off"},
    {.name = "cc", .arg = "NAME", TCP, APP_CHOICE(stack.cc, enum tern_cc_kind, cc_names), .standard = "cubic",
        .help = "congestion control"},
    {.name = "ecn", .arg = "MODE", TCP, APP_CHOICE(stack.ecn, enum tern_ecn, ecn_names), .standard = "accept",
        .help = "explicit congestion notification (RFC 3168): accept takes it where the peer asks"},
    {.name = "pacing", TCP, APP_FLAG(stack.pacing),
        .help = "spread the congestion window over the round trip"},
    {.name = "tfo", TCP, APP_FLAG(tfo),
        .help = "TCP Fast Open (RFC 7413): take requests with the SYN, and send them so (http)"},
    {.name = "init-cwnd", .arg = "SEGMENTS", TCP, APP_U32(stack.init_cwnd_segs, 1, INIT_CWND_MAX), .standard = "10", .unit = "segments",
        .help = "initial congestion window (RFC 6928)"},
    {.name = "syn-cookies", .arg = "WHEN", TCP, APP_CHOICE(stack.syn_cookies, enum tern_syn_cookies, cookie_names), .standard = "auto",
        .help = "answer SYNs without keeping state; auto: when the SYN cache is full"},
    {.name = "ack-policy", .arg = "POLICY", TCP, APP_CHOICE(stack.ack_policy, enum tern_ack_policy, ack_names), .standard = "quick-start",
        .help = "when what arrives is acknowledged"},
    {.name = "delayed-ack", .arg = "T", TCP, APP_MS(stack.delayed_ack_ms, 1, DELAYED_ACK_MAX_MS), .standard = "40ms",
        .help = "how long an acknowledgement may wait"},
    {.name = "rto-min", .arg = "T", TCP, APP_MS(stack.rto_min_ms, 1, MINUTE_MS), .standard = "200ms",
        .help = "least retransmission timeout"},
    {.name = "time-wait", .arg = "T", TCP, APP_MS(time_wait_ms, 1, 10 * MINUTE_MS), .standard = "60s, pair 1s",
        .help = "2 MSL"},
    {.name = "no-timestamps", TCP, APP_FLAG_OFF(stack.timestamps),
        .help = "neither offer nor accept timestamps (RFC 7323)"},
    {.name = "no-sack", TCP, APP_FLAG_OFF(stack.sack),
        .help = "neither offer nor accept SACK (RFC 2018)"},
    {.name = "no-wscale", TCP, APP_FLAG_OFF(stack.window_scale),
        .help = "neither offer nor accept window scaling (RFC 7323)"},
};
// clang-format on

const struct app_opt_rows app_rows_tcp = APP_OPT_ROWS(rows);
