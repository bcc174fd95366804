/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A target without a scheme is read as the host part of a URL, so that both forms share
 * http-parser's URL rules (brackets around IPv6, port range) and this file has none of its own.
 * Names are not resolved: a load test should not depend on, or load, somebody's DNS.
 */
#include "target.h"

#include "../error.h"

#include <errno.h>
#include <http_parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HTTP_PORT = 80, PORT_DIGITS_MAX = 5 };
static const char scheme[] = "http://";

/* Copy one field of the URL. @return false when it is absent */
static bool copy_field(
    const char *url, const struct http_parser_url *u, enum http_parser_url_fields f, char *out)
{
    out[0] = '\0';
    if ((u->field_set & (1u << f)) == 0)
        return false;
    memcpy(out, url + u->field_data[f].off, u->field_data[f].len);
    out[u->field_data[f].len] = '\0';
    return true;
}

static bool split_url(const char *url, struct http_parser_url *u)
{
    http_parser_url_init(u);
    return http_parser_parse_url(url, strlen(url), 0, u) == 0
           && (u->field_set & (1u << UF_HOST)) != 0 && (u->field_set & (1u << UF_USERINFO)) == 0;
}

/* http-parser leaves the brackets out of the field, so an address with colons had them. */
static void make_host(struct app_target *t, const char *addr, bool has_port)
{
    const bool is_v6 = strchr(addr, ':') != NULL;
    const int n =
        snprintf(t->host, sizeof t->host, "%s%.64s%s", is_v6 ? "[" : "", addr, is_v6 ? "]" : "");
    if (has_port && t->port != HTTP_PORT)
        snprintf(t->host + n, sizeof t->host - (size_t)n, ":%u", t->port);
}

/* Path and query, as the request line wants them. */
static void make_path(struct app_target *t, const char *url, const struct http_parser_url *u)
{
    char query[APP_TARGET_BYTES];
    if (!copy_field(url, u, UF_PATH, t->path))
        strcpy(t->path, "/");
    if (!copy_field(url, u, UF_QUERY, query))
        return;
    const size_t n = strlen(t->path);
    snprintf(t->path + n, sizeof t->path - n, "?%s", query);
}

/* Take the last port of a range, "-89" behind the digits of the first, out of the URL. @return 0:
 * there is none; UINT32_MAX: it is no port */
static uint32_t cut_last_port(char *url)
{
    char *host = url + strlen(scheme);
    char *end = host + strcspn(host, "/?#");
    char *dash = memchr(host, '-', (size_t)(end - host));
    if (dash == NULL)
        return 0;
    const size_t n_digits = strspn(dash + 1, "0123456789");
    if (n_digits == 0 || n_digits > PORT_DIGITS_MAX || dash + 1 + n_digits != end)
        return UINT32_MAX;
    const uint32_t last = (uint32_t)strtoul(dash + 1, NULL, 10);
    memmove(dash, end, strlen(end) + 1);
    return last != 0 ? last : UINT32_MAX;
}

/* The ports of a target that begins with t->port. */
static int set_ports(
    struct app_target *t, const char *text, bool has_port, uint32_t last, struct tern_error *err)
{
    if (!has_port || last < t->port || last > UINT16_MAX)
        return app_refuse(err,
            "target '%.80s': its ports are no range; type them like :80-89, the lower one first",
            text);
    t->n_ports = (uint16_t)(last - t->port + 1);
    return 0;
}

int app_target_parse(struct app_target *t, const char *text, struct tern_error *err)
{
    char url[APP_TARGET_BYTES], addr[APP_TARGET_BYTES];
    struct http_parser_url u;
    *t = (struct app_target){.port = HTTP_PORT, .n_ports = 1};
    t->is_http = strncmp(text, scheme, strlen(scheme)) == 0;
    const char *prefix = t->is_http ? "" : scheme;
    const int n = snprintf(url, sizeof url, "%s%s", prefix, text);
    const bool fits = n < (int)sizeof url;
    const uint32_t last = fits ? cut_last_port(url) : 0;
    const bool bare_rest = !t->is_http && strpbrk(text, "/?#") != NULL;
    if (!fits || bare_rest || !split_url(url, &u))
        return app_refuse(err,
            "target '%.80s' is not ADDR:PORT, [V6]:PORT or http://ADDR[:PORT]/PATH with a port of "
            "1..65535; type one of these",
            text);
    const bool has_port = (u.field_set & (1u << UF_PORT)) != 0;
    if (!has_port && !t->is_http)
        return app_refuse(err, "target '%.80s' has no port; type %.80s:80", text, text);
    if (has_port && u.port == 0)
        return app_refuse(err, "target '%.80s': port 0 is no port; type 1..65535", text);
    copy_field(url, &u, UF_HOST, addr);
    if (tern_addr_parse(addr, &t->addr) != 0)
        return app_refuse(err,
            "target '%.80s': '%.60s' is not an address, and names are not resolved; type the "
            "address",
            text, addr);
    if (has_port)
        t->port = u.port;
    if (last != 0 && set_ports(t, text, has_port, last, err) != 0)
        return -EINVAL;
    snprintf(t->text, sizeof t->text, "%s", text);
    make_host(t, addr, has_port);
    make_path(t, url, &u);
    return 0;
}
