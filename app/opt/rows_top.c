/* SPDX-License-Identifier: BSD-3-Clause */
/* Which instance is looked at, and which of its connections. None of it is for a configuration
 * file.
 */
#include "../error.h"
#include "rows.h"

#include <string.h>
#include <strings.h>

enum { PID_MAX = 1 << 22 /* Linux's own limit */ };
#define EVERY_MIN_NS UINT64_C(100000000)
#define EVERY_MAX_NS UINT64_C(3600000000000)
#define ROUNDS_MAX   (UINT64_C(1) << 32)

static int set_addr(struct app_settings *s, const char *text, struct tern_error *err)
{
    s->top.has_addr = true;
    if (tern_prefix_parse(text, &s->top.addr) == 0)
        return 0;
    return app_refuse(err,
        "--addr: '%.60s' is neither an address nor a prefix; type one such as 198.18.0.0/15", text);
}

/* What completion offers. ss's words are known, too. */
static const char *const states[] = {"syn-sent", "syn-received", "established", "fin-wait-1",
    "fin-wait-2", "close-wait", "closing", "last-ack", "time-wait", NULL};

static const struct {
    const char *ss, *rfc;
} words[] = {{"estab", "established"}, {"syn-recv", "syn-received"}};

static const char *rfc_word(const char *text)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(text, words[i].ss) == 0)
            return words[i].rfc;
    return text;
}

static int add_state(struct app_settings *s, const char *text, struct tern_error *err)
{
    const char *word = rfc_word(text);
    for (int state = TERN_SYN_SENT; state < TERN_STATE_COUNT; state++) {
        if (strcasecmp(word, tern_state_name((enum tern_state)state)) != 0)
            continue;
        s->top.states |= 1u << state;
        return 0;
    }
    return app_refuse(err,
        "--state: '%.60s' is no state of a connection; type one of syn-sent, syn-received, "
        "established, fin-wait-1, fin-wait-2, close-wait, closing, last-ack, time-wait",
        text);
}

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "process", .arg = "PID", .positional = true, .line_only = true, .group = APP_GROUP_TOP, .commands = CMD_TOP,
        APP_U64(top.pid, 1, PID_MAX),
        .help = "which, where more than one runs"},
    {.name = "every", .arg = "T", .line_only = true, .group = APP_GROUP_TOP, .commands = CMD_TOP,
        APP_NS(top.every_ns, EVERY_MIN_NS, EVERY_MAX_NS),
        .help = "look again after each such time, with the rates between; without it once"},
    {.name = "rounds", .arg = "N", .line_only = true, .group = APP_GROUP_TOP, .commands = CMD_TOP,
        APP_U64(top.rounds, 1, ROUNDS_MAX), .standard = "until the process ends, or Ctrl-C",
        .help = "with --every: end after so many looks"},
    {.name = "addr", .arg = "ADDR[/LEN]", .line_only = true, .group = APP_GROUP_TOP, .commands = CMD_TOP,
        APP_CALL(set_addr),
        .help = "only connections of which one end has this address, or one in this network"},
    {.name = "port", .arg = "N", .line_only = true, .group = APP_GROUP_TOP, .commands = CMD_TOP,
        APP_U16(top.port, 1, UINT16_MAX),
        .help = "only connections of which one end has this port"},
    {.name = "state", .arg = "STATE", .line_only = true, .many = true, .group = APP_GROUP_TOP, .commands = CMD_TOP,
        APP_CALL(add_state), .choices = states,
        .help = "only connections in this state, or, said again, in that; without it all but syn-received and time-wait"},
};
// clang-format on

const struct app_opt_rows app_rows_top = APP_OPT_ROWS(rows);
