/* SPDX-License-Identifier: BSD-3-Clause */
/* What a server is. The size of a body is also the server's of a pair. */
#include "../serve/listen.h"
#include "../value.h"
#include "rows.h"

#define BODY_MAX  (1u << 30)
#define BYTES_MAX (UINT64_C(1) << 50)

static const char *const services[] = {"http", "echo", "discard", "chargen", "stream", NULL};
static const char *const directions[] = {
    [APP_STREAM_UP] = "up", [APP_STREAM_DOWN] = "down", [APP_STREAM_BOTH] = "both", NULL};

static int set_service(struct app_settings *s, const char *text, struct tern_error *err)
{
    uint32_t i = 0;
    const int rc = app_value_choice("--app", text, services, app_opt_n_choices(services), &i, err);
    if (rc == 0)
        s->service = services[i];
    return rc;
}

/* Kept as it was typed; read here only so that a mistake in a file is told with its line. */
static int add_listener(struct app_settings *s, const char *text, struct tern_error *err)
{
    const int rc = app_listen_check(s->listen, s->n_listen, text, err);
    if (rc == 0)
        s->listen[s->n_listen++] = text;
    return rc;
}

#define SERVE .group = APP_GROUP_SERVICE, .commands = CMD_SERVE

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "dev", .arg = "DEVICE", .positional = true, SERVE, APP_TEXT(device),
        .help = "a kernel interface (eth1), tap:NAME, a PCI address (0000:3b:00.0), memif:SOCKET[,server][,ring=N], pcap:IN,OUT or vdev:DPDK-DEVICE"},
    {.name = "app", .arg = "NAME", SERVE, APP_CALL(set_service), .choices = services, .standard = "http",
        .help = "the service"},
    {.name = "listen", .arg = "PORT[-PORT]=APP[,KEY=VALUE]", .many = true, SERVE, APP_CALL(add_listener),
        .standard = "--app on --port",
        .help = "a listener; again for more, up to 16. Keys of http: status=503, body=4k, file=PATH, type=text/html, close, keep-alive, "
                "any-method, delay=20ms|exp:20ms|uniform:5ms-20ms, stall=1s@10s, max-rate=20k (503 beyond it), burst=N, "
                "header-timeout=10s (408 beyond it), min-rate=500 (bytes a second of a body or reply, over a minute; 0: any); "
                "of stream: direction=WAY, bytes=N, verify"},
    {.name = "port", .arg = "N", SERVE, APP_U16(port, 1, UINT16_MAX), .standard = "the service's: 80, 7, 9, 19 or 5001",
        .help = "port to listen on"},
    {.name = "body-bytes", .arg = "N", .group = APP_GROUP_SERVICE, .commands = CMD_SERVE | CMD_PAIR,
        APP_U32(body_bytes, 0, BODY_MAX), .standard = "1", .unit = "bytes",
        .help = "http: bytes of each body"},
    {.name = "direction", .arg = "WAY", SERVE, APP_CHOICE(stream.direction, enum app_stream_direction, directions), .standard = "up",
        .help = "stream: up takes, down sends"},
    {.name = "bytes", .arg = "N", SERVE, APP_U64(bytes, 1, BYTES_MAX), .standard = "until the client ends", .unit = "bytes",
        .help = "stream: bytes to send on a connection"},
    {.name = "verify", SERVE, APP_FLAG(stream.verify),
        .help = "stream: compare what is received with the pattern that tern sends"},
};
// clang-format on

const struct app_opt_rows app_rows_serve = APP_OPT_ROWS(rows);
