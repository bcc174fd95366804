/* SPDX-License-Identifier: BSD-3-Clause */
#include "conn_query.h"

#include "error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    TEXT_BYTES = 512,
    KEYS_MAX = 32,       /* "state" may be said for each */
    QUOTED_BYTES = 32,   /* of what was typed, in a refusal */
    U64_DIGITS_MAX = 19, /* more may not fit */
    STATES_BY_DEFAULT = ~(1 << TERN_SYN_RCVD | 1 << TERN_TIME_WAIT),
};

bool tern_query_number(const char *text, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;
    const size_t n_digits = strspn(text, "0123456789");
    if (n_digits == 0 || n_digits > U64_DIGITS_MAX || text[n_digits] != '\0')
        return false;
    for (const char *p = text; *p != '\0'; p++)
        n = n * 10 + (uint64_t)(*p - '0');
    if (n > max)
        return false;
    *out = n;
    return true;
}

/* ---- keys ---- */

static int read_state(struct tern_conn_query *q, const char *text)
{
    for (int s = 0; s < TERN_STATE_COUNT; s++) {
        if (strcasecmp(text, tern_state_name((enum tern_state)s)) != 0)
            continue;
        q->states |= 1u << s;
        return 0;
    }
    return -EINVAL;
}

static int read_addr(struct tern_conn_query *q, const char *text)
{
    if (q->has_addr)
        return -EEXIST;
    q->has_addr = true;
    return tern_prefix_parse(text, &q->addr);
}

static int read_port(struct tern_conn_query *q, const char *text)
{
    uint64_t port;
    if (q->port != 0)
        return -EEXIST;
    if (!tern_query_number(text, UINT16_MAX, &port) || port == 0)
        return -EINVAL;
    q->port = (uint16_t)port;
    return 0;
}

static int read_from(struct tern_conn_query *q, const char *text)
{
    if (q->has_from)
        return -EEXIST;
    q->has_from = true;
    return tern_query_number(text, UINT64_MAX, &q->from) ? 0 : -EINVAL;
}

static const struct {
    const char *name;
    int (*read)(struct tern_conn_query *q, const char *text);
    const char *takes;
} keys[] = {
    {"state", read_state, "a state such as ESTABLISHED"},
    {"addr", read_addr, "an address or a prefix such as 198.18.0.0/15"},
    {"port", read_port, "1 to 65535"},
    {"from", read_from, "the 'next' of an earlier answer"},
};
enum { N_KEYS = sizeof keys / sizeof keys[0] };

static int read_key(
    struct tern_conn_query *q, const char *name, const char *value, struct tern_error *err)
{
    for (int i = 0; i < N_KEYS; i++) {
        if (strcmp(keys[i].name, name) != 0)
            continue;
        const int rc = keys[i].read(q, value);
        if (rc == -EEXIST)
            return tern_fail(err, -EINVAL, "%s is said twice; say it once", name);
        if (rc != 0)
            return tern_fail(err, -EINVAL, "%s=%.*s is none; it takes %s", name, QUOTED_BYTES,
                value, keys[i].takes);
        return 0;
    }
    return tern_fail(
        err, -EINVAL, "unknown key '%.*s'; known are state, addr, port, from", QUOTED_BYTES, name);
}

static int read_all(const char *text, struct tern_conn_query *out, struct tern_error *err)
{
    char copy[TEXT_BYTES], *rest = copy;
    if (strlen(text) >= sizeof copy)
        return tern_fail(err, -EINVAL, "longer than %d bytes; ask for less", TEXT_BYTES - 1);
    memcpy(copy, text, strlen(text) + 1);
    for (int i = 0; rest != NULL; i++) {
        char *value = strsep(&rest, ",");
        const char *name = strsep(&value, "=");
        if (i == KEYS_MAX)
            return tern_fail(err, -EINVAL, "more than %d keys; ask for less", KEYS_MAX);
        const int rc = read_key(out, name, value != NULL ? value : "", err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int tern_conn_query_parse(const char *text, struct tern_conn_query *out, struct tern_error *err)
{
    *out = (struct tern_conn_query){0};
    const int rc = text != NULL ? read_all(text, out, err) : 0;
    if (out->states == 0)
        out->states = (uint32_t)STATES_BY_DEFAULT;
    return rc;
}

bool tern_conn_query_takes(const struct tern_conn_query *q, const struct tern_conn_info *c)
{
    if ((q->states >> c->state & 1) == 0)
        return false;
    if (q->port != 0 && q->port != c->lport && q->port != c->rport)
        return false;
    return !q->has_addr || tern_prefix_contains(&q->addr, &c->local)
           || tern_prefix_contains(&q->addr, &c->remote);
}
