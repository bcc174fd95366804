/* SPDX-License-Identifier: BSD-3-Clause */
#include "script.h"

/*
 * Names of configuration fields and of connection options. A field that include/tern/config.h gains
 * is one line here, and scripts can set it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum type { TYPE_BOOL, TYPE_U8, TYPE_U16, TYPE_U32, TYPE_COOKIES, TYPE_POLICY, TYPE_CC, TYPE_ECN };

#define FIELD(name, type)                                                                          \
    {                                                                                              \
#        name, offsetof(struct tern_stack_config, name), type                                      \
    }

static const struct setting {
    const char *name;
    size_t offset;
    enum type type;
} settings[] = {
    FIELD(mtu_bytes, TYPE_U16),
    FIELD(conns_max, TYPE_U32),
    FIELD(half_open_max, TYPE_U32),
    FIELD(time_wait_max, TYPE_U32),
    FIELD(listeners_max, TYPE_U32),
    FIELD(rcv_buf_bytes, TYPE_U32),
    FIELD(rcv_buf_max_bytes, TYPE_U32),
    FIELD(persist_timeout_ms, TYPE_U32),
    FIELD(snd_buf_bytes, TYPE_U32),
    FIELD(sending_max, TYPE_U32),
    FIELD(sent_max, TYPE_U32),
    FIELD(syn_cookies, TYPE_COOKIES),
    FIELD(ack_policy, TYPE_POLICY),
    FIELD(timestamps, TYPE_BOOL),
    FIELD(sack, TYPE_BOOL),
    FIELD(window_scale, TYPE_BOOL),
    FIELD(nodelay, TYPE_BOOL),
    FIELD(cc, TYPE_CC),
    FIELD(ecn, TYPE_ECN),
    FIELD(pacing, TYPE_BOOL),
    FIELD(ttl, TYPE_U8),
    FIELD(dscp, TYPE_U8),
    FIELD(mss_max, TYPE_U16),
    FIELD(init_cwnd_segs, TYPE_U32),
    FIELD(rto_min_ms, TYPE_U32),
    FIELD(rto_initial_ms, TYPE_U32),
    FIELD(rto_max_ms, TYPE_U32),
    FIELD(delayed_ack_ms, TYPE_U32),
    FIELD(time_wait_ms, TYPE_U32),
    FIELD(fin_wait2_ms, TYPE_U32),
    FIELD(syn_timeout_ms, TYPE_U32),
    FIELD(user_timeout_ms, TYPE_U32),
    FIELD(keepalive_ms, TYPE_U32),
    FIELD(port_min, TYPE_U16),
    FIELD(port_max, TYPE_U16),
    FIELD(icmp_rate_per_s, TYPE_U32),
    FIELD(rst_rate_per_s, TYPE_U32),
    FIELD(tso_bytes_max, TYPE_U32),
};

enum { SETTINGS = sizeof settings / sizeof settings[0] };

/** Index of `value` in `names`, or -1. */
static int choice(const char *value, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(value, names[i]) == 0)
            return i;
    return -1;
}

static const char *const cookie_names[] = {"auto", "always", "never"};
static const char *const policy_names[] = {"quick-start", "delayed", "every-burst"};
static const char *const cc_names[TERN_CC_COUNT] = {[TERN_CC_CUBIC] = "cubic",
    [TERN_CC_NEWRENO] = "newreno",
    [TERN_CC_BBR] = "bbr",
    [TERN_CC_DCTCP] = "dctcp"};
static const char *const ecn_names[] = {
    [TERN_ECN_OFF] = "off", [TERN_ECN_ACCEPT] = "accept", [TERN_ECN_REQUEST] = "request"};
static const char *const bool_names[] = {"off", "on"};

/** The value as a number, or -1. */
static int64_t value_of(enum type type, const char *value)
{
    char *end;
    switch (type) {
    case TYPE_BOOL: return choice(value, bool_names, 2);
    case TYPE_COOKIES: return choice(value, cookie_names, 3);
    case TYPE_POLICY: return choice(value, policy_names, 3);
    case TYPE_CC: return choice(value, cc_names, TERN_CC_COUNT);
    case TYPE_ECN: return choice(value, ecn_names, 3);
    case TYPE_U8:
    case TYPE_U16:
    case TYPE_U32: break;
    }
    const int64_t n = strtoll(value, &end, 0);
    const int64_t max = type == TYPE_U8 ? UINT8_MAX : type == TYPE_U16 ? UINT16_MAX : UINT32_MAX;
    return end == value || *end != '\0' || n > max ? -1 : n;
}

static const char *accepted(enum type type)
{
    switch (type) {
    case TYPE_BOOL: return "on or off";
    case TYPE_COOKIES: return "auto, always or never";
    case TYPE_POLICY: return "quick-start, delayed or every-burst";
    case TYPE_CC: return "cubic, newreno, bbr or dctcp";
    case TYPE_ECN: return "off, accept or request";
    case TYPE_U8: return "a number 0..255";
    case TYPE_U16: return "a number 0..65535";
    case TYPE_U32: return "a number 0..4294967295";
    }
    return "";
}

static void store(struct tern_stack_config *cfg, const struct setting *f, int64_t v)
{
    char *at = (char *)cfg + f->offset;
    switch (f->type) {
    case TYPE_BOOL: *(bool *)(void *)at = v != 0; break;
    case TYPE_U8: *(uint8_t *)(void *)at = (uint8_t)v; break;
    case TYPE_U16: *(uint16_t *)(void *)at = (uint16_t)v; break;
    case TYPE_U32:
    case TYPE_COOKIES:
    case TYPE_POLICY:
    case TYPE_CC:
    case TYPE_ECN: *(uint32_t *)(void *)at = (uint32_t)v; break;
    }
}

static void list_names(char *why, size_t cap)
{
    size_t n = (size_t)snprintf(why, cap, "no such setting; there are isn peer_isn second_address");
    for (size_t i = 0; i < SETTINGS && n < cap; i++)
        n += (size_t)snprintf(why + n, cap - n, " %s", settings[i].name);
}

/** Settings that are no plain field. @return false: not one of them */
static bool set_special(struct script *s, const char *name, const char *value)
{
    if (strcmp(name, "isn") == 0) {
        s->cfg.stack.pins.has_isn = true;
        s->cfg.stack.pins.isn = (uint32_t)strtoul(value, NULL, 0);
    } else if (strcmp(name, "peer_isn") == 0) {
        s->has_peer_isn = true;
        s->peer_isn = (uint32_t)strtoul(value, NULL, 0);
    } else if (strcmp(name, "second_address") == 0) {
        s->has_second_addr = strcmp(value, "on") == 0;
    } else {
        return false;
    }
    return true;
}

bool setting_set(struct script *s, const char *name, const char *value, char *why, size_t cap)
{
    if (set_special(s, name, value))
        return true;
    size_t i = 0;
    while (i < SETTINGS && strcmp(name, settings[i].name) != 0)
        i++;
    if (i == SETTINGS) {
        list_names(why, cap);
        return false;
    }
    const int64_t v = value_of(settings[i].type, value);
    if (v < 0) {
        snprintf(why, cap, "%s wants %s", name, accepted(settings[i].type));
        return false;
    }
    store(&s->cfg.stack, &settings[i], v);
    return true;
}

int setting_conn_opt(const char *name, char *why, size_t cap)
{
    static const char *const names[] = {
        [TERN_CONN_NODELAY] = "nodelay",
        [TERN_CONN_ACK_POLICY] = "ack_policy",
        [TERN_CONN_KEEPALIVE_MS] = "keepalive_ms",
        [TERN_CONN_USER_TIMEOUT_MS] = "user_timeout_ms",
        [TERN_CONN_MSS_MAX] = "mss_max",
        [TERN_CONN_DSCP] = "dscp",
        [TERN_CONN_TTL] = "ttl",
        [TERN_CONN_CC] = "cc",
        [TERN_CONN_PACING] = "pacing",
        [TERN_CONN_LINGER_MS] = "linger_ms",
    };
    const int opt = choice(name, names, sizeof names / sizeof names[0]);
    if (opt < 0)
        snprintf(why, cap,
            "no such option; there are nodelay ack_policy keepalive_ms user_timeout_ms mss_max "
            "dscp ttl cc pacing linger_ms");
    return opt;
}
