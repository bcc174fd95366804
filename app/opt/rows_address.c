/* SPDX-License-Identifier: BSD-3-Clause */
/* Own addresses, gateways, neighbours, VLAN. `pair` chooses its own. */
#include "../addresses.h"
#include "rows.h"

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

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "ip", .arg = "A[/LEN]", .many = true, .group = APP_GROUP_ADDRESS, .commands = CMD_SERVE | CMD_LOAD,
        APP_CALL(add_ip),
        .help = "own address, IPv4 or IPv6; again for more, or A-B for a range (LEN: default 24 or 64)"},
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
