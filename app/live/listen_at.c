/* SPDX-License-Identifier: BSD-3-Clause */
/* The form is that of a target, and read by the same function. */
#include "listen_at.h"

#include "../error.h"
#include "../load/target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT_TEXT_MAX = 8 };

static bool is_number(const char *text)
{
    return *text != '\0' && text[strspn(text, "0123456789")] == '\0'
           && strlen(text) < PORT_TEXT_MAX;
}

int app_listen_at_parse(
    struct app_listen_at *at, const char *option, const char *text, struct tern_error *err)
{
    struct app_target target;
    struct tern_error why;
    char local[sizeof "127.0.0.1:" + PORT_TEXT_MAX];
    snprintf(local, sizeof local, "127.0.0.1:%.*s", PORT_TEXT_MAX, text);
    if (app_target_parse(&target, is_number(text) ? local : text, &why) != 0 || target.is_http
        || target.n_ports != 1)
        return app_refuse(err,
            "%s: '%.80s' is no place to listen; type a port of this machine (9100), ADDR:PORT or "
            "[V6]:PORT",
            option, text);
    *at = (struct app_listen_at){.addr = target.addr, .port = target.port};
    return 0;
}

static socklen_t socket_address(const struct app_listen_at *at, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (tern_addr_is_v4(&at->addr)) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)out;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(at->port);
        v4->sin_addr.s_addr = at->addr.w[3];
        return sizeof *v4;
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(at->port);
    memcpy(&v6->sin6_addr, at->addr.b, sizeof v6->sin6_addr);
    return sizeof *v6;
}

/* A run that follows another one finds the port free, and [::] is not also 0.0.0.0. */
static int listen_on(const struct app_listen_at *at, int backlog)
{
    static const int on = 1;
    struct sockaddr_storage name;
    const socklen_t n_bytes = socket_address(at, &name);
    const int fd = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (name.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&name, n_bytes) == 0 && listen(fd, backlog) == 0)
        return fd;
    const int rc = -errno;
    close(fd);
    return rc;
}

int app_listen_at_open(
    const struct app_listen_at *at, const char *option, int backlog, struct tern_error *err)
{
    char text[TERN_ADDR_TEXT_BYTES];
    const int fd = listen_on(at, backlog);
    if (fd >= 0)
        return fd;
    return app_refuse(err,
        "%s: cannot listen on port %u of %s: %s; type another port, or an address of this machine",
        option, at->port, tern_addr_format(&at->addr, text), strerror(-fd));
}
