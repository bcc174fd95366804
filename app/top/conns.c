/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The filter travels with every question, so that only what is wanted is sent; each answer says
 * where the next page begins. A page without connections is one for which the time was up, and the
 * walk goes on; where it does not move any more (the workers are asked by somebody else) it rests a
 * moment, and gives up after some.
 */
#include "conns.h"

#include <tern/conn.h>

#include "../error.h"
#include "row.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum {
    COMMAND_BYTES = 512,
    RESTS_MAX = 100,
    REST_NS = 10000000,
};

/* ---- the question ---- */

__attribute__((format(printf, 2, 3))) static void add(
    char command[COMMAND_BYTES], const char *format, ...)
{
    const size_t used = strlen(command);
    va_list args;
    va_start(args, format);
    vsnprintf(command + used, COMMAND_BYTES - used, format, args);
    va_end(args);
}

static void ask_for(char command[COMMAND_BYTES], const struct app_top_settings *s, uint64_t from)
{
    char addr[TERN_ADDR_TEXT_BYTES];
    command[0] = '\0';
    add(command, "/tern/conns,from=%" PRIu64, from);
    if (s->has_addr)
        add(command, ",addr=%s/%u", tern_addr_format(&s->addr.addr, addr), s->addr.len_bits);
    if (s->port != 0)
        add(command, ",port=%u", s->port);
    for (int state = 0; state < TERN_STATE_COUNT; state++)
        if (s->states >> state & 1)
            add(command, ",state=%s", tern_state_name((enum tern_state)state));
}

/* ---- the table ---- */

/** Rows as long as there is room. @return how many had none */
static uint64_t print_page(FILE *out, const json_t *conns, uint32_t *n_room)
{
    uint64_t n_more = 0;
    const char *key;
    json_t *conn;
    json_object_foreach((json_t *)(uintptr_t)conns, key, conn)
    {
        if (*n_room == 0) {
            n_more++;
            continue;
        }
        app_top_print_row(out, conn);
        *n_room -= *n_room != UINT32_MAX;
    }
    return n_more;
}

static uint32_t room_of(uint32_t n_lines_max)
{
    if (n_lines_max == UINT32_MAX)
        return UINT32_MAX;
    const uint32_t n_used = APP_TOP_LINES_OF_HEAD + 1; /* and one for what has no room */
    return n_lines_max > n_used ? (n_lines_max - n_used) / APP_TOP_LINES_A_CONN : 0;
}

/** It stands still. @return false: for too long */
static bool rest(uint32_t *n_rests)
{
    const struct timespec pause = {.tv_nsec = REST_NS};
    nanosleep(&pause, NULL);
    return ++*n_rests < RESTS_MAX;
}

int app_top_print_conns(FILE *out, struct app_process *p, const struct app_top_settings *s,
    uint32_t n_lines_max, struct tern_error *err)
{
    char command[COMMAND_BYTES];
    uint64_t from = 0, n_more = 0;
    uint32_t n_room = room_of(n_lines_max), n_rests = 0;
    app_top_print_head(out);
    do {
        json_t *page;
        ask_for(command, s, from);
        const int rc = app_process_ask(p, command, &page, err);
        if (rc != 0)
            return rc;
        n_more += print_page(out, json_object_get(page, "conns"), &n_room);
        const uint64_t next = app_number(page, "next");
        json_decref(page);
        if (next != 0 && next == from && !rest(&n_rests))
            return app_refuse(err,
                "top: the workers of %" PRIu64 " do not answer; does another one watch it?",
                p->pid);
        from = next;
    } while (from != 0);
    if (n_more > 0)
        fprintf(out, "… and %" PRIu64 " more\n", n_more);
    return 0;
}
