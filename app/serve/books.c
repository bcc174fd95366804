/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A request of HTTP ends in one of two ways: a reply was queued to its last byte, or its connection
 * ended before. Replies are counted one by one and told by their status code, of which several
 * replies may have the same.
 */
#include "books.h"

#include <inttypes.h>

enum { STATUS_END = 600 };

/* A listener, and the sum of what was done for it. */
struct listener_books {
    const struct app_listener *l;
    uint64_t n_opened, n_requests;
    uint64_t by_status[STATUS_END];
    struct app_service_books sum;
};

static void read_books(
    struct listener_books *b, const struct app_server *s, uint32_t i, uint64_t n_established)
{
    *b = (struct listener_books){.l = &s->listeners[i]};
    app_server_books(s, i, &b->sum);
    b->n_opened = s->n_listeners == 1 ? n_established : b->sum.opened;
    b->n_requests = b->sum.unanswered;
    for (int id = 0; id < APP_REPLY_COUNT; id++) {
        const uint64_t n = b->sum.replies[id];
        b->by_status[app_reply_status(&b->l->cfg.http, (enum app_reply_id)id)] += n;
        b->n_requests += n;
    }
}

static double mean_held_s(const struct listener_books *b)
{
    return b->sum.n_held == 0 ? 0 : (double)b->sum.held_ns / (double)b->sum.n_held / 1e9;
}

/* ---- for people ---- */

static void print_count(FILE *out, const char *label, uint64_t n)
{
    fprintf(out, "      %-20s %14" PRIu64 "\n", label, n);
}

static void print_http(FILE *out, const struct listener_books *b)
{
    print_count(out, "requests", b->n_requests);
    for (uint32_t status = 0; status < STATUS_END; status++)
        if (b->by_status[status] != 0)
            fprintf(out, "        %-18" PRIu32 " %14" PRIu64 "\n", status, b->by_status[status]);
    if (b->sum.unanswered != 0)
        fprintf(out, "        %-18s %14" PRIu64 "\n", "unanswered", b->sum.unanswered);
    if (b->sum.n_held == 0)
        return;
    print_count(out, "replies held", b->sum.n_held);
    fprintf(out, "      %-20s %14.3f  at most %.3f longer than meant\n", "held on average, ms",
        1e3 * mean_held_s(b), (double)b->sum.held_late_max_ns / 1e6);
}

void app_server_report(FILE *out, const struct app_server *s, uint64_t n_established)
{
    fprintf(out, "  listeners\n");
    for (uint32_t i = 0; i < s->n_listeners; i++) {
        const struct app_service_config *cfg = &s->listeners[i].cfg;
        struct listener_books b;
        read_books(&b, s, i, n_established);
        fprintf(out, "    %s on port %u", b.l->service->name, cfg->port);
        if (cfg->n_ports > 1)
            fprintf(out, "-%u", cfg->port + cfg->n_ports - 1u);
        fputc('\n', out);
        print_count(out, "connections", b.n_opened);
        if (b.l->service == &app_service_http)
            print_http(out, &b);
    }
}

/* ---- for programs ---- */

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static void add_http(json_t *o, const struct listener_books *b)
{
    json_t *status = json_object();
    for (int code = 0; code < STATUS_END; code++) {
        char name[8];
        snprintf(name, sizeof name, "%d", code);
        if (b->by_status[code] != 0)
            json_object_set_new(status, name, count(b->by_status[code]));
    }
    json_object_set_new(o, "requests", count(b->n_requests));
    json_object_set_new(o, "status", status);
    json_object_set_new(o, "unanswered", count(b->sum.unanswered));
    json_object_set_new(o, "held",
        json_pack("{s:o, s:f, s:f}", "replies", count(b->sum.n_held), "mean_s", mean_held_s(b),
            "longest_late_s", (double)b->sum.held_late_max_ns / 1e9));
}

json_t *app_server_json(const struct app_server *s, uint64_t n_established)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < s->n_listeners; i++) {
        struct listener_books b;
        read_books(&b, s, i, n_established);
        json_t *o = json_pack("{s:s, s:i, s:i, s:o}", "app", b.l->service->name, "port",
            (int)b.l->cfg.port, "ports", (int)b.l->cfg.n_ports, "connections", count(b.n_opened));
        if (b.l->service == &app_service_http)
            add_http(o, &b);
        json_array_append_new(list, o);
    }
    return list;
}
