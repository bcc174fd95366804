/* SPDX-License-Identifier: BSD-3-Clause */
/* A bad network in between. */
#include "../opt/rows.h"
#include "spec.h"

static int set_both(struct app_settings *s, const char *text, struct tern_error *err)
{
    return app_impair_parse("--impair", text, &s->impair.said[APP_IMPAIR_BOTH], err);
}

static int set_rx(struct app_settings *s, const char *text, struct tern_error *err)
{
    return app_impair_parse("--impair-rx", text, &s->impair.said[TERN_IMPAIR_RX], err);
}

static int set_tx(struct app_settings *s, const char *text, struct tern_error *err)
{
    return app_impair_parse("--impair-tx", text, &s->impair.said[TERN_IMPAIR_TX], err);
}

#define IMPAIR .group = APP_GROUP_IMPAIR, .commands = CMD_ENDS

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "impair", .arg = "KEY=VALUE[,KEY=VALUE]", IMPAIR, APP_CALL(set_both),
        .help = "a bad network both ways, of delay, jitter, loss, duplicate, corrupt, reorder with reorder-by, "
                "rate (bits a second) with queue, such as loss=1%,delay=20ms; of a pair at the client"},
    {.name = "impair-rx", .arg = "KEY=VALUE[,KEY=VALUE]", IMPAIR, APP_CALL(set_rx),
        .help = "the same for what is received; each key wins over that of --impair"},
    {.name = "impair-tx", .arg = "KEY=VALUE[,KEY=VALUE]", IMPAIR, APP_CALL(set_tx),
        .help = "the same for what is sent"},
    {.name = "impair-seed", .arg = "N", IMPAIR, APP_U64(impair.seed, 0, UINT32_MAX), .standard = "1",
        .help = "chances of its own: the same seed treats the same packets alike"},
    {.name = "impair-packets", .arg = "N", IMPAIR,
        APP_U32(impair.packets_max, TERN_IMPAIR_PACKETS_MIN, TERN_IMPAIR_PACKETS_MAX), .standard = "16384, of each worker and direction",
        .unit = "packets", .help = "packets that may be held back at once"},
};
// clang-format on

const struct app_opt_rows app_rows_impair = APP_OPT_ROWS(rows);
