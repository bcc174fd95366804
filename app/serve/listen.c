/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keys of each service are rows of one table; a key sets one field and checks its value. What
 * only shows when all keys are there (a body with a status that has none) is checked behind them.
 */
#include "listen.h"

#include "../error.h"
#include "../value.h"

#include <errno.h>
#include <string.h>

enum {
    LISTEN_CHARS_MAX = 1024,
    PORTS_MAX = 1024, /* that a shard can listen on */
    STATUS_MIN = 200, /* a 1xx is no answer */
    STATUS_MAX = 599,
    BODY_BYTES_MAX = 1 << 30,
    TOKENS_MAX = 1 << 30,
    RATE_MAX = 1000000000,
    DEPTH_PER_S = 50, /* a bucket holds 20 ms of its rate: what a worker may be kept from its CPU */
};
#define STREAM_BYTES_MAX      (UINT64_C(1) << 50)
#define HEADER_TIMEOUT_NS_MAX (UINT64_C(3600) * 1000000000)

/* What has been read of a listener. */
struct reading {
    const char *where; /* "--listen 80=http" */
    struct app_listener *l;
    const char *path;               /* of file=; NULL: not given */
    bool reads_file;                /* else the path is believed */
    uint64_t rate, burst;           /* 0: not given */
    bool has_body, says_keep_alive; /* body=, keep-alive */
    uint64_t seen;                  /* keys, a bit each */
    struct tern_error *err;
};

struct key {
    const char *name;
    const struct app_service *service;
    bool is_flag;
    int (*set)(struct reading *r, const char *option, const char *value);
};

/* ---- the keys ---- */

static int set_status(struct reading *r, const char *option, const char *value)
{
    return app_value_u16(option, value, STATUS_MIN, STATUS_MAX, &r->l->cfg.http.status, r->err);
}

static int set_body(struct reading *r, const char *option, const char *value)
{
    uint64_t n = 0;
    const int rc = app_value_u64(option, value, 0, BODY_BYTES_MAX, &n, r->err);
    r->has_body = true;
    r->l->cfg.body_bytes = n;
    return rc;
}

static int set_file(struct reading *r, const char *option, const char *value)
{
    (void)option; /* looked at when all keys are there */
    r->path = value;
    return 0;
}

/* It goes into a header line as it is (RFC 9110 §8.3.1), so nothing may be in it that ends one. */
static int set_type(struct reading *r, const char *option, const char *value)
{
    static const char known[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "!#$&-^_.+/;= \"";
    struct app_http_config *cfg = &r->l->cfg.http;
    const size_t n = strlen(value);
    if (n == 0 || n >= sizeof cfg->type || strspn(value, known) != n || strchr(value, '/') == NULL)
        return app_refuse(
            r->err, "%s: '%.80s' is not a media type; type one such as text/html", option, value);
    memcpy(cfg->type, value, n + 1);
    return 0;
}

static int set_close(struct reading *r, const char *option, const char *value)
{
    (void)option, (void)value;
    r->l->cfg.http.closes = true;
    return 0;
}

static int set_keep_alive(struct reading *r, const char *option, const char *value)
{
    (void)option, (void)value;
    r->says_keep_alive = true;
    return 0;
}

static int set_any_method(struct reading *r, const char *option, const char *value)
{
    (void)option, (void)value;
    r->l->cfg.http.any_method = true;
    return 0;
}

static int set_delay(struct reading *r, const char *option, const char *value)
{
    return app_delay_parse(option, value, &r->l->cfg.http.delay, r->err);
}

static int set_stall(struct reading *r, const char *option, const char *value)
{
    return app_stall_parse(option, value, &r->l->cfg.http.stall, r->err);
}

static int set_max_rate(struct reading *r, const char *option, const char *value)
{
    return app_value_u64(option, value, 1, RATE_MAX, &r->rate, r->err);
}

static int set_burst(struct reading *r, const char *option, const char *value)
{
    return app_value_u64(option, value, 1, TOKENS_MAX, &r->burst, r->err);
}

static int set_header_timeout(struct reading *r, const char *option, const char *value)
{
    return app_value_ns(option, value, 0, HEADER_TIMEOUT_NS_MAX, &r->l->cfg.http.header_ns, r->err);
}

static int set_min_rate(struct reading *r, const char *option, const char *value)
{
    return app_value_u32(option, value, 0, RATE_MAX, &r->l->cfg.http.min_rate, r->err);
}

static int set_direction(struct reading *r, const char *option, const char *value)
{
    (void)option; /* says its own: --direction */
    return app_stream_direction_find(value, &r->l->cfg.stream.direction, r->err);
}

static int set_bytes(struct reading *r, const char *option, const char *value)
{
    return app_value_u64(option, value, 1, STREAM_BYTES_MAX, &r->l->cfg.stream.bytes, r->err);
}

static int set_verify(struct reading *r, const char *option, const char *value)
{
    (void)option, (void)value;
    r->l->cfg.stream.verify = true;
    return 0;
}

// clang-format off
static const struct key keys[] = {
    {"status",     &app_service_http,   false, set_status},
    {"body",       &app_service_http,   false, set_body},
    {"file",       &app_service_http,   false, set_file},
    {"type",       &app_service_http,   false, set_type},
    {"close",      &app_service_http,   true,  set_close},
    {"keep-alive", &app_service_http,   true,  set_keep_alive},
    {"any-method", &app_service_http,   true,  set_any_method},
    {"delay",      &app_service_http,   false, set_delay},
    {"stall",      &app_service_http,   false, set_stall},
    {"max-rate",   &app_service_http,   false, set_max_rate},
    {"burst",      &app_service_http,   false, set_burst},
    {"header-timeout", &app_service_http, false, set_header_timeout},
    {"min-rate",   &app_service_http,   false, set_min_rate},
    {"direction",  &app_service_stream, false, set_direction},
    {"bytes",      &app_service_stream, false, set_bytes},
    {"verify",     &app_service_stream, true,  set_verify},
};
// clang-format on
enum { N_KEYS = sizeof keys / sizeof keys[0] };

/* The key of that name, or -EINVAL with those that the service knows in *err. */
static int find_key(const struct reading *r, const char *name, uint32_t *out)
{
    const char *names[N_KEYS];
    uint32_t at[N_KEYS], n = 0, i = 0;
    for (uint32_t k = 0; k < N_KEYS; k++)
        if (keys[k].service == r->l->service) {
            names[n] = keys[k].name;
            at[n++] = k;
        }
    if (n == 0)
        return app_refuse(r->err, "%s: %s has no settings; leave out '%.60s'", r->where,
            r->l->service->name, name);
    const int rc = app_value_choice(r->where, name, names, n, &i, r->err);
    if (rc == 0)
        *out = at[i];
    return rc;
}

/* "KEY" or "KEY=VALUE", which is taken apart. */
static int read_key(struct reading *r, char *text)
{
    char option[128];
    uint32_t k = 0;
    char *value = strchr(text, '=');
    if (value != NULL)
        *value++ = '\0';
    const int rc = find_key(r, text, &k);
    if (rc != 0)
        return rc;
    if (keys[k].is_flag != (value == NULL))
        return app_refuse(r->err,
            keys[k].is_flag ? "%s: %s takes no value; leave out what is behind it"
                            : "%s: %s has no value; type %s=VALUE",
            r->where, text, text);
    if ((r->seen & UINT64_C(1) << k) != 0)
        return app_refuse(r->err, "%s: %s is there twice; leave one out", r->where, text);
    r->seen |= UINT64_C(1) << k;
    snprintf(option, sizeof option, "%s,%s", r->where, text);
    return keys[k].set(r, option, value);
}

/* ---- all keys together ---- */

static int check_body(const struct reading *r)
{
    const struct app_http_config *cfg = &r->l->cfg.http;
    const bool has_file = r->path != NULL;
    if (has_file && r->has_body)
        return app_refuse(r->err, "%s: body and file are two bodies; leave one out", r->where);
    if ((has_file || r->has_body) && !app_reply_may_have_body(cfg->status))
        return app_refuse(r->err, "%s: a %u has no body; leave out %s", r->where, cfg->status,
            has_file ? "file" : "body");
    return 0;
}

static int read_file(const struct reading *r)
{
    char option[128];
    if (r->path == NULL || !r->reads_file)
        return 0;
    snprintf(option, sizeof option, "%s,file", r->where);
    return app_served_file_read(option, r->path, &r->l->cfg.http.file, r->err);
}

static int finish(struct reading *r)
{
    struct app_http_config *cfg = &r->l->cfg.http;
    if (r->says_keep_alive && cfg->closes)
        return app_refuse(
            r->err, "%s: close and keep-alive exclude each other; leave one out", r->where);
    if (r->burst != 0 && r->rate == 0)
        return app_refuse(r->err, "%s: burst is of a max-rate; add max-rate=N", r->where);
    if (r->rate != 0)
        cfg->limit = app_bucket_plan_make(
            r->rate, r->burst != 0 ? r->burst : (r->rate + DEPTH_PER_S - 1) / DEPTH_PER_S);
    const int rc = check_body(r);
    return rc == 0 ? read_file(r) : rc;
}

/* ---- ports ---- */

/* "PORT" or "PORT-PORT" */
static int read_ports(char *text, struct app_service_config *cfg, struct tern_error *err)
{
    uint16_t last = 0;
    char *mark = strchr(text, '-');
    if (mark != NULL)
        *mark = '\0';
    int rc = app_value_u16("--listen: port", text, 1, UINT16_MAX, &cfg->port, err);
    if (rc == 0 && mark != NULL)
        rc = app_value_u16("--listen: port", mark + 1, 1, UINT16_MAX, &last, err);
    if (rc != 0 || mark == NULL)
        return rc;
    if (last < cfg->port)
        return app_refuse(err, "--listen: ports %s-%s run backwards; type %u-%u", text, mark + 1,
            last, cfg->port);
    if (last - cfg->port >= PORTS_MAX)
        return app_refuse(
            err, "--listen: %s-%s are more than %d ports; type fewer", text, mark + 1, PORTS_MAX);
    cfg->n_ports = (uint16_t)(last - cfg->port + 1);
    return 0;
}

/* No port twice, and not too many. */
static int check_ports(
    const struct app_server *s, const struct app_listener *l, struct tern_error *err)
{
    const uint32_t first = l->cfg.port, last = first + l->cfg.n_ports - 1;
    for (uint32_t i = 0; i < s->n_listeners; i++) {
        const struct app_service_config *other = &s->listeners[i].cfg;
        const uint32_t other_last = other->port + other->n_ports - 1u;
        if (first <= other_last && other->port <= last)
            return app_refuse(err,
                "--listen: port %u is there twice, for %s and for %s; type another",
                first > other->port ? first : other->port, s->listeners[i].service->name,
                l->service->name);
    }
    if (app_server_n_ports(s) + l->cfg.n_ports > PORTS_MAX)
        return app_refuse(err, "--listen: more than %d ports in all; leave some out", PORTS_MAX);
    return 0;
}

/* ---- a listener ---- */

/* @param rest  "APP[,KEY…]", which is taken apart */
static int read_service(
    struct app_listener *l, const char *ports, char *rest, bool reads_file, struct tern_error *err)
{
    char *save, where[96];
    const struct app_service_config of_ports = l->cfg;
    char *name = strtok_r(rest, ",", &save);
    snprintf(where, sizeof where, "--listen %.16s", ports);
    int rc = app_service_find(where, name != NULL ? name : "", &l->service, err);
    if (rc != 0)
        return rc;
    snprintf(where, sizeof where, "--listen %.16s=%s", ports, l->service->name);
    app_service_config_init(&l->cfg, l->service);
    l->cfg.port = of_ports.port;
    l->cfg.n_ports = of_ports.n_ports;
    struct reading r = {.where = where, .l = l, .reads_file = reads_file, .err = err};
    for (char *key; rc == 0 && (key = strtok_r(NULL, ",", &save)) != NULL;)
        rc = read_key(&r, key);
    return rc == 0 ? finish(&r) : rc;
}

static int read_listener(
    struct app_listener *l, const char *text, bool reads_file, struct tern_error *err)
{
    char copy[LISTEN_CHARS_MAX], ports[LISTEN_CHARS_MAX];
    if (strlen(text) >= sizeof copy)
        return app_refuse(
            err, "--listen: more than %d characters; type less", LISTEN_CHARS_MAX - 1);
    strcpy(copy, text);
    char *rest = strchr(copy, '=');
    if (rest == NULL)
        return app_refuse(
            err, "--listen: '%.60s' does not say what is there; type PORT=APP, as 80=http", text);
    *rest++ = '\0';
    strcpy(ports, copy);
    const int rc = read_ports(copy, &l->cfg, err);
    return rc == 0 ? read_service(l, ports, rest, reads_file, err) : rc;
}

static int add(struct app_server *s, const char *text, bool reads_file, struct tern_error *err)
{
    if (s->n_listeners == APP_LISTENERS_MAX)
        return app_refuse(err,
            "--listen: more than %d listeners; put ports together, as 80-89=http",
            APP_LISTENERS_MAX);
    struct app_listener *l = &s->listeners[s->n_listeners];
    *l = (struct app_listener){.cfg.n_ports = 1};
    int rc = read_listener(l, text, reads_file, err);
    if (rc == 0)
        rc = check_ports(s, l, err);
    if (rc != 0)
        app_served_file_free(&l->cfg.http.file);
    else
        s->n_listeners++;
    return rc;
}

int app_server_listen(struct app_server *s, const char *text, struct tern_error *err)
{
    return add(s, text, true, err);
}

int app_listen_check(
    const char *const *before, uint32_t n, const char *text, struct tern_error *err)
{
    struct app_server s; /* nobody looks at its books */
    int rc = 0;
    s.n_listeners = 0;
    for (uint32_t i = 0; i < n && rc == 0; i++)
        rc = add(&s, before[i], false, err);
    return rc == 0 ? add(&s, text, false, err) : rc;
}

char *app_server_text(const struct app_server *s, char buf[APP_SERVER_TEXT_BYTES])
{
    size_t used = 0;
    buf[0] = '\0';
    for (uint32_t i = 0; i < s->n_listeners && used < APP_SERVER_TEXT_BYTES; i++) {
        const struct app_service_config *cfg = &s->listeners[i].cfg;
        char last[8] = "";
        if (cfg->n_ports > 1)
            snprintf(last, sizeof last, "-%u", (uint16_t)(cfg->port + cfg->n_ports - 1));
        used += (size_t)snprintf(buf + used, APP_SERVER_TEXT_BYTES - used, "%s%s on port%s %u%s",
            i == 0 ? "" : ", ", s->listeners[i].service->name, cfg->n_ports > 1 ? "s" : "",
            cfg->port, last);
    }
    return buf;
}
