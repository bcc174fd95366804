/* SPDX-License-Identifier: BSD-3-Clause */
/* Workers, their CPUs, and memory. */
#include "../value.h"
#include "rows.h"

enum {
    CONNS_MAX = 1u << 28,
    MODERATION_MAX_NS = 1000000,
};

/* Spread a small number over the 256 bits of the secrets (splitmix64, Steele et al. 2014). */
static void spread_seed(uint64_t seed, uint64_t out[4])
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += UINT64_C(0x9e3779b97f4a7c15));
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        out[i] = z ^ (z >> 31);
    }
}

static int set_seed(struct app_settings *s, const char *text, struct tern_error *err)
{
    uint64_t seed = 0;
    const int rc = app_value_u64("--seed", text, 0, UINT64_MAX, &seed, err);
    if (rc == 0)
        spread_seed(seed, s->stack.seed);
    return rc;
}

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "workers", .letter = 't', .arg = "N", .group = APP_GROUP_ENGINE, .commands = CMD_ENDS,
        APP_U32(n_workers, 1, TERN_WORKERS_MAX), .standard = "1",
        .help = "worker threads an end, each with a queue and a shard; wrk's -t"},
    {.name = "lcores", .arg = "LIST", .group = APP_GROUP_ENGINE, .commands = CMD_ENDS,
        APP_TEXT(lcores), .standard = "chosen, the device's node first",
        .help = "CPUs for the workers, such as 2,3 or 2-5"},
    {.name = "queues", .arg = "N", .group = APP_GROUP_ENGINE, .commands = CMD_ENDS,
        APP_U32(n_queues, 1, TERN_WORKERS_MAX), .standard = "as many as workers and device allow",
        .help = "device queues"},
    {.name = "no-huge", .group = APP_GROUP_ENGINE, .commands = CMD_ENDS,
        APP_FLAG(no_huge),
        .help = "never use hugepages"},
    {.name = "no-offload", .group = APP_GROUP_ENGINE, .commands = CMD_ENDS,
        APP_FLAG(no_offload),
        .help = "checksums and segmentation in software, whatever the device can do"},
    {.name = "no-telemetry", .group = APP_GROUP_ENGINE, .commands = CMD_ENDS,
        APP_FLAG(no_telemetry),
        .help = "no socket for 'tern top' and dpdk-telemetry.py"},
    {.name = "moderation", .arg = "T", .group = APP_GROUP_ENGINE, .commands = CMD_ENDS,
        APP_NS(moderation_ns, 0, MODERATION_MAX_NS), .standard = "10us",
        .help = "how long a worker that found little waits for more, where that costs no rate"},
    {.name = "conns-max", .arg = "N", .group = APP_GROUP_ENGINE, .commands = CMD_ENDS,
        APP_U32(conns_max, 1, CONNS_MAX), .standard = "what the load may have open", .unit = "connections",
        .help = "connections a worker has room for"},
    {.name = "seed", .arg = "N", .group = APP_GROUP_ENGINE, .commands = CMD_ENDS,
        APP_CALL(set_seed),
        .help = "fix what is random: ISNs, ports, timestamps (for tests only)"},
};
// clang-format on

const struct app_opt_rows app_rows_engine = APP_OPT_ROWS(rows);
