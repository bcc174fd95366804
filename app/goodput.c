/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The figure of a bulk transfer is the median of its seconds: a start that is slow and a second in
 * which the machine did something else do not move it, and least and most show how far it may be
 * believed.
 */
#include "goodput.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct app_payload app_payload_now(const struct tern_stats *client, const struct tern_stats *server)
{
    return (struct app_payload){
        .up_bytes = server != NULL ? server->rx_payload_bytes : client->tx_payload_bytes,
        .down_bytes = client != NULL ? client->rx_payload_bytes : server->tx_payload_bytes,
    };
}

/* ---- second by second ---- */

/* Without memory the series is shorter; nothing else is lost. */
static bool make_room(struct app_goodput *g)
{
    enum { ROOM_FIRST = 64 };
    if (g->n_per_s < g->room)
        return true;
    const size_t room = g->room == 0 ? ROOM_FIRST : 2 * g->room;
    double *per_s = realloc(g->per_s, room * sizeof *per_s);
    if (per_s == NULL)
        return false;
    g->per_s = per_s;
    g->room = room;
    return true;
}

void app_goodput_add(struct app_goodput *g, double bytes_per_s)
{
    if (make_room(g))
        g->per_s[g->n_per_s++] = bytes_per_s;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void summarise(struct app_goodput *g)
{
    const size_t n = g->n_per_s;
    double *sorted = malloc(n * sizeof *sorted);
    if (sorted == NULL)
        return;
    memcpy(sorted, g->per_s, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    g->median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
    g->least = sorted[0];
    g->most = sorted[n - 1];
    free(sorted);
}

static uint64_t total(const struct app_payload *p)
{
    return p->up_bytes + p->down_bytes;
}

void app_goodput_end(struct app_goodput *g, struct app_payload carried, double duration_s)
{
    g->carried = carried;
    g->duration_s = duration_s;
    g->median = g->least = g->most = (double)total(&carried) / duration_s;
    if (g->n_per_s > 0)
        summarise(g);
}

void app_goodput_free(struct app_goodput *g)
{
    free(g->per_s);
    g->per_s = NULL;
}

/* ---- books ---- */

bool app_goodput_balances(const struct app_goodput *g)
{
    if (g->cfg == NULL || !g->has_client || !g->has_server)
        return true;
    return app_stream_books_agree(&g->client, &g->server);
}

/* ---- for people ---- */

/* "1.742 GB/s (13.9 Gbit/s)" */
static void print_rate(FILE *out, const char *label, double bytes_per_s)
{
    fprintf(out, "    %-22s %14.1f MB/s %10.3f Gbit/s\n", label, bytes_per_s / 1e6,
        bytes_per_s * 8 / 1e9);
}

static void print_bytes(FILE *out, const char *label, uint64_t bytes)
{
    fprintf(out, "    %-22s %14" PRIu64 "\n", label, bytes);
}

static const char *direction_text(const struct app_goodput *g)
{
    static const char *const texts[] = {
        [APP_STREAM_UP] = "up, from the client to the server",
        [APP_STREAM_DOWN] = "down, from the server to the client",
        [APP_STREAM_BOTH] = "both ways at once, rates are the sum",
    };
    return texts[g->cfg->direction];
}

static bool is_received_here(const struct app_goodput *g)
{
    return (g->has_server && g->cfg->direction != APP_STREAM_DOWN)
           || (g->has_client && g->cfg->direction != APP_STREAM_UP);
}

static const char *content_text(const struct app_goodput *g)
{
    if (g->client.n_corrupt + g->server.n_corrupt != 0)
        return "NOT what was sent";
    return g->cfg->verify ? "compared, every byte is right" : "not compared (--verify)";
}

void app_goodput_report(FILE *out, const struct app_goodput *g)
{
    fprintf(out, "  payload %s\n", direction_text(g));
    print_rate(out, "median of the seconds", g->median);
    print_rate(out, "least", g->least);
    print_rate(out, "most", g->most);
    print_rate(out, "whole time", (double)total(&g->carried) / g->duration_s);
    print_bytes(out, "bytes", total(&g->carried));
    if (g->has_client && g->has_server) {
        print_bytes(out, "sent in all", g->client.sent_bytes + g->server.sent_bytes);
        print_bytes(out, "received in all", g->client.received_bytes + g->server.received_bytes);
    }
    if (is_received_here(g))
        fprintf(out, "    content                %s\n", content_text(g));
}

/* ---- for programs ---- */

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *books(const struct app_stream_books *b)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "sent", number(b->sent_bytes), "received",
        number(b->received_bytes), "whole", number(b->n_whole), "corrupt", number(b->n_corrupt));
}

json_t *app_goodput_json(const struct app_goodput *g)
{
    json_t *series = json_array();
    for (size_t i = 0; i < g->n_per_s; i++)
        json_array_append_new(series, json_real(g->per_s[i]));
    json_t *o = json_pack("{s:s, s:b, s:o, s:o, s:o, s:f, s:f, s:f, s:f, s:o}", "direction",
        app_stream_direction_name(g->cfg->direction), "verified", (int)g->cfg->verify, "bytes",
        number(total(&g->carried)), "bytes_up", number(g->carried.up_bytes), "bytes_down",
        number(g->carried.down_bytes), "bytes_per_s", g->median, "bytes_per_s_min", g->least,
        "bytes_per_s_max", g->most, "bytes_per_s_mean", (double)total(&g->carried) / g->duration_s,
        "series", series);
    if (g->has_client)
        json_object_set_new(o, "client", books(&g->client));
    if (g->has_server)
        json_object_set_new(o, "server", books(&g->server));
    return o;
}
