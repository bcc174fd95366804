/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Defaults and limits of an endpoint's configuration, as include/tern/config.h states them.
 *
 * Plain numbers are a table: name, place, least, most. What needs more than one field to be judged
 * (addresses, gateways, ports, MTU) is a function each. The first thing wrong ends the check with
 * one line that begins with the field's name and value.
 */
#include <tern/config.h>

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
    V4_BITS = 32,
    V6_BITS = 128,
    PREFIX_TEXT_BYTES = TERN_ADDR_TEXT_BYTES + 4,
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

__attribute__((format(printf, 2, 3))) static int refuse(
    struct tern_error *err, const char *format, ...)
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
static const struct range ranges[] = {
    {FIELD(n_addrs),         1,             TERN_ADDRS_MAX},
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
            return refuse(err, "%s %u: must be %u..%u", r->name, v, r->min, r->max);
    }
    return 0;
}

/* ---- addresses ---- */

static bool is_unspecified(const union tern_addr *a)
{
    return a->q[0] == 0 && a->q[1] == 0;
}

static const char *class_text(enum tern_addr_class class)
{
    switch (class) {
    case TERN_ADDR_UNICAST: return "unicast";
    case TERN_ADDR_UNSPECIFIED: return "unspecified";
    case TERN_ADDR_LOOPBACK: return "loopback";
    case TERN_ADDR_MULTICAST: return "multicast";
    case TERN_ADDR_BROADCAST: return "broadcast";
    case TERN_ADDR_RESERVED: return "reserved";
    }
    return "impossible";
}

static char *prefix_text(const struct tern_prefix *p, char *buf)
{
    tern_addr_format(&p->addr, buf);
    const size_t n = strlen(buf);
    snprintf(buf + n, PREFIX_TEXT_BYTES - n, "/%u", p->len_bits);
    return buf;
}

/* "network" or "broadcast" when `a` is that of the IPv4 prefix p (RFC 1122 §3.2.1.3), else NULL. */
static const char *broadcast_kind(const struct tern_prefix *p, const union tern_addr *a)
{
    /* RFC 3021: a /31 has two hosts and nothing else. */
    if (!tern_addr_is_v4(&p->addr) || p->len_bits >= V4_BITS - 1 || !tern_prefix_contains(p, a))
        return NULL;
    const uint32_t host_mask = UINT32_MAX >> p->len_bits;
    const uint32_t host = __builtin_bswap32(a->w[3]) & host_mask;
    if (host == 0)
        return "network";
    return host == host_mask ? "broadcast" : NULL;
}

static int check_own(const struct tern_stack_config *cfg, uint32_t i, struct tern_error *err)
{
    const struct tern_prefix *p = &cfg->addrs[i];
    const unsigned bits = tern_addr_is_v4(&p->addr) ? V4_BITS : V6_BITS;
    const enum tern_addr_class class = tern_addr_classify(&p->addr);
    char text[PREFIX_TEXT_BYTES];
    prefix_text(p, text);

    if (class != TERN_ADDR_UNICAST)
        return refuse(err, "addrs[%u] %s: must be a unicast address, this one is %s", i, text,
            class_text(class));
    if (p->len_bits > bits)
        return refuse(err, "addrs[%u] %s: prefix length must be 0..%u", i, text, bits);
    const char *kind = broadcast_kind(p, &p->addr);
    if (kind != NULL)
        return refuse(err, "addrs[%u] %s: must be a host's address, not its subnet's %s address", i,
            text, kind);
    for (uint32_t j = 0; j < i; j++) {
        if (tern_addr_equal(&cfg->addrs[j].addr, &p->addr))
            return refuse(err, "addrs[%u] %s: must differ from addrs[%u]", i, text, j);
    }
    return 0;
}

static int check_addrs(const struct tern_stack_config *cfg, struct tern_error *err)
{
    for (uint32_t i = 0; i < cfg->n_addrs; i++) {
        const int bad = check_own(cfg, i, err);
        if (bad != 0)
            return bad;
    }
    return 0;
}

/* Index of the own address that equals `a`, or n_addrs. */
static uint32_t find_own(const struct tern_stack_config *cfg, const union tern_addr *a)
{
    uint32_t i = 0;
    while (i < cfg->n_addrs && !tern_addr_equal(&cfg->addrs[i].addr, a))
        i++;
    return i;
}

static bool has_family(const struct tern_stack_config *cfg, bool v4)
{
    for (uint32_t i = 0; i < cfg->n_addrs; i++) {
        if (tern_addr_is_v4(&cfg->addrs[i].addr) == v4)
            return true;
    }
    return false;
}

/* The subnet of ours that holds `a`, or NULL. */
static const struct tern_prefix *find_subnet(
    const struct tern_stack_config *cfg, const union tern_addr *a)
{
    for (uint32_t i = 0; i < cfg->n_addrs; i++) {
        if (tern_prefix_contains(&cfg->addrs[i], a))
            return &cfg->addrs[i];
    }
    return NULL;
}

/* An IPv6 router is best named by its link-local address (RFC 4861 §6.1.2), which needs no prefix.
 */
static bool is_link_local6(const union tern_addr *a)
{
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

static int check_gateway(const struct tern_stack_config *cfg, const char *name,
    const union tern_addr *gateway, bool v4, struct tern_error *err)
{
    if (is_unspecified(gateway))
        return 0;
    char text[TERN_ADDR_TEXT_BYTES];
    tern_addr_format(gateway, text);
    if (tern_addr_is_v4(gateway) != v4)
        return refuse(err, "%s %s: must be an %s address", name, text, v4 ? "IPv4" : "IPv6");
    const enum tern_addr_class class = tern_addr_classify(gateway);
    if (class != TERN_ADDR_UNICAST)
        return refuse(
            err, "%s %s: must be a unicast address, this one is %s", name, text, class_text(class));
    const uint32_t own = find_own(cfg, gateway);
    if (own < cfg->n_addrs)
        return refuse(err, "%s %s: must not be our own address (addrs[%u])", name, text, own);
    if (!v4 && is_link_local6(gateway) && has_family(cfg, false))
        return 0;
    const struct tern_prefix *subnet = find_subnet(cfg, gateway);
    if (subnet == NULL)
        return refuse(err, "%s %s: must lie inside the prefix of one of addrs[]", name, text);
    const char *kind = broadcast_kind(subnet, gateway);
    if (kind != NULL)
        return refuse(
            err, "%s %s: must be a host's address, not its subnet's %s address", name, text, kind);
    return 0;
}

static int check_gateways(const struct tern_stack_config *cfg, struct tern_error *err)
{
    const int bad = check_gateway(cfg, "gateway4", &cfg->gateway4, true, err);
    return bad != 0 ? bad : check_gateway(cfg, "gateway6", &cfg->gateway6, false, err);
}

/* ---- link ---- */

static bool is_zero_mac(const uint8_t *mac)
{
    static const uint8_t zero[TERN_MAC_BYTES];
    return memcmp(mac, zero, sizeof zero) == 0;
}

static bool is_group_mac(const uint8_t *mac)
{
    return mac[0] & 1;
}

static int check_neighbour(const struct tern_stack_config *cfg, uint32_t i, struct tern_error *err)
{
    const struct tern_static_neighbour *n = &cfg->neighbours[i];
    const enum tern_addr_class class = tern_addr_classify(&n->addr);
    char text[TERN_ADDR_TEXT_BYTES];
    tern_addr_format(&n->addr, text);

    if (class != TERN_ADDR_UNICAST)
        return refuse(err, "neighbours[%u] %s: must be a unicast address, this one is %s", i, text,
            class_text(class));
    const uint32_t own = find_own(cfg, &n->addr);
    if (own < cfg->n_addrs)
        return refuse(
            err, "neighbours[%u] %s: must not be our own address (addrs[%u])", i, text, own);
    if (is_zero_mac(n->mac) || is_group_mac(n->mac))
        return refuse(err,
            "neighbours[%u] %s: MAC %02x:%02x:%02x:%02x:%02x:%02x must be a station's, neither "
            "zero "
            "nor a group",
            i, text, n->mac[0], n->mac[1], n->mac[2], n->mac[3], n->mac[4], n->mac[5]);
    for (uint32_t j = 0; j < i; j++) {
        if (tern_addr_equal(&cfg->neighbours[j].addr, &n->addr))
            return refuse(err, "neighbours[%u] %s: must differ from neighbours[%u]", i, text, j);
    }
    return 0;
}

static int check_neighbours(const struct tern_stack_config *cfg, struct tern_error *err)
{
    for (uint32_t i = 0; i < cfg->n_neighbours; i++) {
        const int bad = check_neighbour(cfg, i, err);
        if (bad != 0)
            return bad;
    }
    const uint32_t n_fixed = cfg->n_neighbours + (is_unspecified(&cfg->gateway4) ? 0u : 1u)
                             + (is_unspecified(&cfg->gateway6) ? 0u : 1u);
    if (cfg->neighbours_max <= n_fixed)
        return refuse(err, "neighbours_max %u: must exceed the %u static neighbours and gateways",
            cfg->neighbours_max, n_fixed);
    return 0;
}

static int check_link(const struct tern_stack_config *cfg, struct tern_error *err)
{
    if (!cfg->l3 && is_group_mac(cfg->mac))
        return refuse(err, "mac %02x:%02x:%02x:%02x:%02x:%02x: must be a station's, not a group's",
            cfg->mac[0], cfg->mac[1], cfg->mac[2], cfg->mac[3], cfg->mac[4], cfg->mac[5]);
    if (cfg->mtu_bytes < IP6_MTU_MIN && has_family(cfg, false))
        return refuse(err, "mtu_bytes %u: must be %u..9216 with an IPv6 address (RFC 8200 §5)",
            cfg->mtu_bytes, IP6_MTU_MIN);
    if (cfg->numa_node < -1)
        return refuse(err, "numa_node %d: must be a node number, or -1 for any", cfg->numa_node);
    return 0;
}

/* ---- protocol ---- */

static int check_timeouts(const struct tern_stack_config *cfg, struct tern_error *err)
{
    if (cfg->rto_min_ms > cfg->rto_max_ms)
        return refuse(
            err, "rto_min_ms %u: must not exceed rto_max_ms %u", cfg->rto_min_ms, cfg->rto_max_ms);
    if (cfg->rto_initial_ms > cfg->rto_max_ms)
        return refuse(err, "rto_initial_ms %u: must not exceed rto_max_ms %u", cfg->rto_initial_ms,
            cfg->rto_max_ms);
    return 0;
}

static int check_ports(const struct tern_stack_config *cfg, struct tern_error *err)
{
    if (cfg->port_min > cfg->port_max)
        return refuse(
            err, "port_min %u: must not exceed port_max %u", cfg->port_min, cfg->port_max);
    if (cfg->port_phase >= cfg->port_stride)
        return refuse(
            err, "port_phase %u: must be below port_stride %u", cfg->port_phase, cfg->port_stride);
    /* The first port at or above port_min that is port_phase modulo port_stride. */
    const uint32_t stride = cfg->port_stride;
    const uint32_t ahead = (cfg->port_phase + stride - cfg->port_min % stride) % stride;
    if (cfg->port_min + ahead > cfg->port_max)
        return refuse(err,
            "port_min %u: no port up to port_max %u is %u modulo port_stride %u; must be at least "
            "one",
            cfg->port_min, cfg->port_max, cfg->port_phase, cfg->port_stride);
    return 0;
}

static int check_pins(const struct tern_stack_config *cfg, struct tern_error *err)
{
    const struct tern_test_pins *pins = &cfg->pins;
    if (pins->has_ip_id && pins->n_ip_id > 0 && pins->ip_id == NULL)
        return refuse(err, "pins.ip_id NULL: must have n_ip_id = %u elements", pins->n_ip_id);
    if (pins->has_padding && pins->n_ip_id > 0 && pins->padding == NULL)
        return refuse(err, "pins.padding NULL: must have n_ip_id = %u elements", pins->n_ip_id);
    return 0;
}

int tern_stack_config_check(const struct tern_stack_config *cfg, struct tern_error *err)
{
    static int (*const checks[])(const struct tern_stack_config *, struct tern_error *) = {
        check_ranges, /* first: the others trust the counts */
        check_addrs,  /* before what is compared with them */
        check_gateways,
        check_neighbours,
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
