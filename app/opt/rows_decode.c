/* SPDX-License-Identifier: BSD-3-Clause */
/* How a capture file is shown. None of it is for a configuration file. */
#include "rows.h"

static int add_name(struct app_settings *s, const char *text, struct tern_error *err)
{
    return app_hosts_add(&s->decode.hosts, text, err);
}

/* In the order of enum app_detail and enum app_time_base. */
static const char *const details[] = {"summary", "fields", "hex", NULL};
static const char *const times[] = {"auto", "first", "delta", "epoch", NULL};

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "capture", .arg = "FILE", .positional = true, .line_only = true, .group = APP_GROUP_DECODE, .commands = CMD_DECODE,
        APP_TEXT(decode.path),
        .help = "the capture, pcap or pcapng; '-' for stdin"},
    {.name = "explain", .line_only = true, .group = APP_GROUP_DECODE, .commands = CMD_DECODE, APP_FLAG(decode.explain),
        .help = "the state that both ends of the connection are in after each segment, what the segment is besides, and the RFC section that says so"},
    {.name = "detail", .arg = "LEVEL", .line_only = true, .group = APP_GROUP_DECODE, .commands = CMD_DECODE,
        APP_CHOICE(decode.detail, uint32_t, details), .standard = "hex",
        .help = "a line a frame; also a line a field; also the bytes"},
    {.name = "time", .arg = "BASE", .line_only = true, .group = APP_GROUP_DECODE, .commands = CMD_DECODE,
        APP_CHOICE(decode.time, uint32_t, times), .standard = "auto",
        .help = "seconds since the first frame shown, the one before, or 1970; auto is first, or as in the file when its clock began with the capture"},
    {.name = "name", .arg = "IP=NAME", .line_only = true, .many = true, .group = APP_GROUP_DECODE, .commands = CMD_DECODE,
        APP_CALL(add_name),
        .help = "what to call a host"},
    {.name = "filter", .arg = "EXPR", .line_only = true, .group = APP_GROUP_DECODE, .commands = CMD_DECODE,
        APP_TEXT(decode.filter),
        .help = "only frames that pass this expression of pcap-filter(7)"},
    {.name = "packets", .arg = "N", .line_only = true, .group = APP_GROUP_DECODE, .commands = CMD_DECODE,
        APP_U64(decode.packets_max, 1, UINT64_MAX),
        .help = "end after so many frames; without it all are shown"},
};
// clang-format on

const struct app_opt_rows app_rows_decode = APP_OPT_ROWS(rows);
