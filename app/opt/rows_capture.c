/* SPDX-License-Identifier: BSD-3-Clause */
/* What passes the device, in a file. */
#include "rows.h"

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "capture", .arg = "FILE", .group = APP_GROUP_CAPTURE, .commands = CMD_ENDS,
        APP_TEXT(capture.path),
        .help = "write the packets that pass the device as pcapng, both ways; of a pair, the client's"},
    {.name = "capture-filter", .arg = "EXPR", .group = APP_GROUP_CAPTURE, .commands = CMD_ENDS,
        APP_TEXT(capture.filter),
        .help = "capture only what the expression takes, such as 'tcp port 80' (man pcap-filter)"},
    {.name = "capture-packets", .arg = "N", .group = APP_GROUP_CAPTURE, .commands = CMD_ENDS,
        APP_U64(capture.packets_max, 1, UINT64_MAX), .standard = "no limit", .unit = "packets",
        .help = "capture so many and no more; the run goes on"},
    {.name = "capture-snap", .arg = "BYTES", .group = APP_GROUP_CAPTURE, .commands = CMD_ENDS,
        APP_U32(capture.snap_bytes, TERN_CAPTURE_SNAP_MIN, TERN_CAPTURE_SNAP_MAX), .standard = "a frame of the MTU", .unit = "bytes",
        .help = "keep so much of each packet"},
    {.name = "shared", .arg = "NAME", .group = APP_GROUP_CAPTURE, .commands = CMD_ENDS,
        APP_TEXT(shared), .standard = "not shared",
        .help = "let other DPDK programs attach under this name, such as dpdk-dumpcap --file-prefix=NAME; needs hugepages"},
};
// clang-format on

const struct app_opt_rows app_rows_capture = APP_OPT_ROWS(rows);
