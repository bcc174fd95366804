/* SPDX-License-Identifier: BSD-3-Clause */
/* Own addresses, sources, gateways, neighbours, VLAN. `pair` chooses its own. */
#include "../addresses.h"
#include "../error.h"
#include "../value.h"
#include "rows.h"

#include <string.h>

enum { PAIR_SOURCES_MAX = 65536 };

static int add_ip(struct app_settings *s, const char *text, struct tern_error *err)
{
    return app_addresses_add(&s->stack, text, err);
}

static int set_gateway(struct app_settings *s, const char *text, struct tern_error *err)
{
    return app_addresses_set_gateway(&s->stack, text, err);
}

static int add_neighbour(struct app_settings *s, const char *text, struct tern_error *err)
{
    return app_addresses_add_neighbour(&s->stack, text, err);
}

/* A bare number is for `pair`, which chooses the addresses. */
static int set_n_sources(struct app_settings *s, const char *text, struct tern_error *err)
{
    if (s->command == CMD_LOAD)
        return app_refuse(err,
            "--sources: '%s' is a number, which is for pair; type addresses, such as "
            "198.18.64.0/18",
            text);
    return app_value_u32("--sources", text, 1, PAIR_SOURCES_MAX, &s->n_sources, err);
}

static int add_sources(struct app_settings *s, const char *text, struct tern_error *err)
{
    const bool is_number = text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
    const int rc =
        is_number ? set_n_sources(s, text, err) : app_sources_add(&s->sources, text, err);
    if (rc == 0 && s->n_sources != 0 && s->sources.n != 0)
        return app_refuse(
            err, "--sources: '%s': addresses, and a number of them; type one or the other", text);
    return rc;
}

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "ip", .arg = "A[/LEN]", .many = true, .group = APP_GROUP_ADDRESS, .commands = CMD_SERVE | CMD_LOAD,
        APP_CALL(add_ip),
        .help = "own address, IPv4 or IPv6; again for more, or A-B for a range, of which up to 256 addresses in all are probed one by one and of a longer one the first (LEN: default 24 or 64)"},
    {.name = "sources", .arg = "LIST", .many = true, .group = APP_GROUP_ADDRESS, .commands = CMD_LOAD | CMD_PAIR,
        APP_CALL(add_sources), .standard = "every --ip of the target's family, of pair 64 addresses",
        .help = "addresses to open connections from, in turn: A, A-B, A/LEN (all of the network but its subnet's network and broadcast address), with commas between them; of pair also their number, 1..65536; more than 256 stand behind this end, as behind a router, and only the first of a range is probed"},
    {.name = "random-sources", .group = APP_GROUP_ADDRESS, .commands = CMD_LOAD | CMD_PAIR,
        APP_FLAG(random_sources),
        .help = "sources in an order drawn once, from --seed if there is one; each still comes once a round"},
    {.name = "gw", .arg = "A", .many = true, .group = APP_GROUP_ADDRESS, .commands = CMD_SERVE | CMD_LOAD,
        APP_CALL(set_gateway), .standard = "everything is on link",
        .help = "gateway, one a family"},
    {.name = "neighbour", .arg = "IP=MAC", .many = true, .group = APP_GROUP_ADDRESS, .commands = CMD_SERVE | CMD_LOAD,
        APP_CALL(add_neighbour),
        .help = "a neighbour that is not asked for by ARP or NDP; again for more"},
    {.name = "vlan", .arg = "ID", .group = APP_GROUP_ADDRESS, .commands = CMD_SERVE | CMD_LOAD,
        APP_U16(stack.vlan, 1, 4094), .standard = "untagged frames",
        .help = "802.1Q tag on every frame"},
};
// clang-format on

const struct app_opt_rows app_rows_address = APP_OPT_ROWS(rows);
