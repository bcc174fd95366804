/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Defaults and limits of an endpoint's configuration, as include/tern/config.h states them.
 *
 * Plain numbers are a table: name, place, least, most. What needs more than one field to be judged
 * (ports, MTU; addresses in config_addrs.c) is a function each. The first thing wrong ends the
 * check with one line that begins with the field's name and value.
 */
#include "config_check.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    RECORDS_MAX = 1 << 28,
    BUF_BYTES_MIN = 536,
    BUF_BYTES_MAX = 1 << 30,
    IP6_MTU_MIN = 1280, /* RFC 8200 §5 */
};

void tern_stack_config_init(struct tern_stack_config *cfg)
{
    *cfg = (struct tern_stack_config){
        .mtu_bytes = 1500,
        .dad = true,
        .conns_max = 65536,
        .half_open_max = 16384,
        .time_wait_max = 65536,
        .listeners_max = 64,
        .neighbours_max = 1024,
        .rcv_buf_bytes = 262144,
        .rcv_buf_max_bytes = 16777216,
        .snd_buf_bytes = 1048576,
        .sent_max = 65536,
        .syn_cookies = TERN_SYN_COOKIES_AUTO,
        .ack_policy = TERN_ACK_QUICK_START,
        .timestamps = true,
        .sack = true,
        .window_scale = true,
        .cc = TERN_CC_CUBIC,
        .ecn = TERN_ECN_ACCEPT,
        .tfo_pending_max = 256,
        .tfo_peers_max = 1024,
        .plpmtud = TERN_PLPMTUD_BLACKHOLE,
        .ttl = 64,
        .init_cwnd_segs = 10,
        .rto_min_ms = 200,
        .rto_initial_ms = 1000,
        .rto_max_ms = 60000,
        .delayed_ack_ms = 40,
        .time_wait_ms = 60000,
        .fin_wait2_ms = 60000,
        .syn_timeout_ms = 183000,  /* MUST-23 */
        .user_timeout_ms = 120000, /* SHLD-11 */
        .port_min = 1024,
        .port_max = 65535,
        .port_stride = 1,
        .icmp_rate_per_s = 1000,
        .rst_rate_per_s = 1000000,
        .numa_node = -1,
    };
}

int tern_config_refuse(struct tern_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (err != NULL)
        vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return -EINVAL;
}

/* ---- numbers ---- */

struct range {
    const char *name;
    size_t offset, n_bytes;
    uint32_t min, max;
};

/* A field read by its size: an enum or uint32_t, uint16_t, uint8_t. */
static uint32_t read_field(const struct tern_stack_config *cfg, const struct range *r)
{
    const uint8_t *at = (const uint8_t *)cfg + r->offset;
    uint16_t half;
    uint32_t word;
    switch (r->n_bytes) {
    case sizeof(uint8_t): return *at;
    case sizeof(uint16_t): memcpy(&half, at, sizeof half); return half;
    default:
        assert(r->n_bytes == sizeof word);
        memcpy(&word, at, sizeof word);
        return word;
    }
}

#define FIELD(name)                                                                                \
#    name, offsetof(struct tern_stack_config, name), sizeof(((struct tern_stack_config *)0)->name)

// clang-format off
static const struct range ranges[] = { /* no number without one (V129) */
    {FIELD(n_addrs),         1,             TERN_ADDRS_MAX},
    {FIELD(n_ranges),        0,             TERN_RANGES_MAX},
    {FIELD(vlan),            0,             4094},
    {FIELD(mtu_bytes),       68,            9216},
    {FIELD(n_neighbours),    0,             TERN_STATIC_NEIGHBOURS_MAX},
    {FIELD(conns_max),       1,             RECORDS_MAX},
    {FIELD(half_open_max),   1,             RECORDS_MAX},
    {FIELD(time_wait_max),   1,             RECORDS_MAX},
    {FIELD(listeners_max),   1,             1024},
    {FIELD(neighbours_max),  8,             65534},
    {FIELD(rcv_buf_bytes),   BUF_BYTES_MIN, BUF_BYTES_MAX},
    {FIELD(rcv_buf_max_bytes), 0,           BUF_BYTES_MAX},
    {FIELD(snd_buf_bytes),   BUF_BYTES_MIN, BUF_BYTES_MAX},
    {FIELD(sending_max),     0,             RECORDS_MAX},
    {FIELD(sent_max),        0,             RECORDS_MAX},
    {FIELD(cc),              TERN_CC_CUBIC, TERN_CC_COUNT - 1},
    {FIELD(ecn),             TERN_ECN_OFF,  TERN_ECN_REQUEST},
    {FIELD(tfo_pending_max), 1,             RECORDS_MAX},
    {FIELD(tfo_peers_max),   4,             65536},
    {FIELD(plpmtud),         TERN_PLPMTUD_OFF, TERN_PLPMTUD_ALWAYS},
    {FIELD(syn_cookies),     TERN_SYN_COOKIES_AUTO, TERN_SYN_COOKIES_NEVER},
    {FIELD(ack_policy),      TERN_ACK_QUICK_START,  TERN_ACK_EVERY_BURST},
    {FIELD(ttl),             1,             255},
    {FIELD(dscp),            0,             63},
    {FIELD(init_cwnd_segs),  1,             1000},
    {FIELD(rto_min_ms),      1,             60000},
    {FIELD(rto_initial_ms),  1,             60000},
    {FIELD(rto_max_ms),      1000,          600000},
    {FIELD(delayed_ack_ms),  1,             499},      /* below 0.5 s: RFC 9293 MUST-40 */
    {FIELD(time_wait_ms),    1,             600000},
    {FIELD(fin_wait2_ms),    1,             3600000},
    {FIELD(syn_timeout_ms),  1,             3600000},
    {FIELD(user_timeout_ms), 1,             86400000},
    {FIELD(persist_timeout_ms), 0,          86400000},
    {FIELD(port_min),        1,             65535},
    {FIELD(port_max),        1,             65535},
    {FIELD(port_stride),     1,             65535},
};
// clang-format on

static int check_ranges(const struct tern_stack_config *cfg, struct tern_error *err)
{
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        const struct range *r = &ranges[i];
        const uint32_t v = read_field(cfg, r);
        if (v < r->min || v > r->max)
            return tern_config_refuse(err, "%s %u: must be %u..%u", r->name, v, r->min, r->max);
    }
    return 0;
}

/* ---- link ---- */

static int check_link(const struct tern_stack_config *cfg, struct tern_error *err)
{
    if (!cfg->l3 && tern_config_is_group_mac(cfg->mac))
        return tern_config_refuse(err,
            "mac %02x:%02x:%02x:%02x:%02x:%02x: must be a station's, not a group's", cfg->mac[0],
            cfg->mac[1], cfg->mac[2], cfg->mac[3], cfg->mac[4], cfg->mac[5]);
    if (cfg->mtu_bytes < IP6_MTU_MIN && tern_config_has_family(cfg, false))
        return tern_config_refuse(err,
            "mtu_bytes %u: must be %u..9216 with an IPv6 address (RFC 8200 §5)", cfg->mtu_bytes,
            IP6_MTU_MIN);
    if (cfg->numa_node < -1)
        return tern_config_refuse(
            err, "numa_node %d: must be a node number, or -1 for any", cfg->numa_node);
    return 0;
}

/* ---- protocol ---- */

static int check_timeouts(const struct tern_stack_config *cfg, struct tern_error *err)
{
    if (cfg->rto_min_ms > cfg->rto_max_ms)
        return tern_config_refuse(
            err, "rto_min_ms %u: must not exceed rto_max_ms %u", cfg->rto_min_ms, cfg->rto_max_ms);
    if (cfg->rto_initial_ms > cfg->rto_max_ms)
        return tern_config_refuse(err, "rto_initial_ms %u: must not exceed rto_max_ms %u",
            cfg->rto_initial_ms, cfg->rto_max_ms);
    return 0;
}

static int check_ports(const struct tern_stack_config *cfg, struct tern_error *err)
{
    if (cfg->port_min > cfg->port_max)
        return tern_config_refuse(
            err, "port_min %u: must not exceed port_max %u", cfg->port_min, cfg->port_max);
    if (cfg->port_phase >= cfg->port_stride)
        return tern_config_refuse(
            err, "port_phase %u: must be below port_stride %u", cfg->port_phase, cfg->port_stride);
    /* The first port at or above port_min that is port_phase modulo port_stride. */
    const uint32_t stride = cfg->port_stride;
    const uint32_t ahead = (cfg->port_phase + stride - cfg->port_min % stride) % stride;
    if (cfg->port_min + ahead > cfg->port_max)
        return tern_config_refuse(err,
            "port_min %u: no port up to port_max %u is %u modulo port_stride %u; must be at least "
            "one",
            cfg->port_min, cfg->port_max, cfg->port_phase, cfg->port_stride);
    return 0;
}

static int check_pins(const struct tern_stack_config *cfg, struct tern_error *err)
{
    const struct tern_test_pins *pins = &cfg->pins;
    if (pins->has_ip_id && pins->n_ip_id > 0 && pins->ip_id == NULL)
        return tern_config_refuse(
            err, "pins.ip_id NULL: must have n_ip_id = %u elements", pins->n_ip_id);
    if (pins->has_padding && pins->n_ip_id > 0 && pins->padding == NULL)
        return tern_config_refuse(
            err, "pins.padding NULL: must have n_ip_id = %u elements", pins->n_ip_id);
    return 0;
}

int tern_stack_config_check(const struct tern_stack_config *cfg, struct tern_error *err)
{
    static int (*const checks[])(const struct tern_stack_config *, struct tern_error *) = {
        check_ranges, /* first: the others trust the counts */
        tern_config_check_addrs,
        check_link,
        check_timeouts,
        check_ports,
        check_pins,
    };
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        const int bad = checks[i](cfg, err);
        if (bad != 0)
            return bad;
    }
    return 0;
}
