/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* What a script wants to be true of the endpoint: state, error, fields, counters, drops. */
#include <inttypes.h>
#include <string.h>

static void want_state(struct world *w)
{
    struct tern_conn_info info = {.state = TERN_CLOSED};
    if (w->flow->sock != NULL && !tern_sock_describe(w->flow->sock, &info))
        info.state = TERN_CLOSED;
    const char *is = tern_state_name(info.state);
    if (strcmp(is, w->st->name) != 0)
        world_differ(w, "it is in %s", is);
}

static void want_error(struct world *w)
{
    if (w->flow->sock == NULL) {
        world_differ(w, "there is no socket");
        return;
    }
    const int error = tern_sock_error(w->flow->sock);
    if (error != w->st->error)
        world_differ(w, "the error is %d (%s)", error, error == 0 ? "none" : strerror(error));
}

static void judge_number(struct world *w, bool known, int64_t is)
{
    if (!known)
        world_differ(w, "there is nothing called %s", w->st->name);
    else if (is < w->st->span.lo || is > w->st->span.hi)
        world_differ(w, "%s is %" PRId64, w->st->name, is);
}

static void want_info(struct world *w)
{
    struct tern_conn_info info;
    if (w->flow->sock == NULL || !tern_sock_describe(w->flow->sock, &info)) {
        world_differ(w, "the connection is over");
        return;
    }
    const struct {
        const char *name;
        int64_t is;
    } fields[] = {
        {"timestamps", info.timestamps},
        {"sack", info.sack},
        {"window_scale", info.window_scale},
        {"snd_wscale", info.snd_wscale},
        {"rcv_wscale", info.rcv_wscale},
        {"mss_bytes", info.mss_bytes},
        {"srtt_us", info.srtt_us},
        {"rttvar_us", info.rttvar_us},
        {"rto_us", info.rto_us},
        {"min_rtt_us", info.min_rtt_us},
        {"cc", info.cc},
        {"ecn", info.ecn},
        {"recovering", info.recovering},
        {"pipe_bytes", info.pipe_bytes},
        {"pacing_bytes_per_s", (int64_t)info.pacing_bytes_per_s},
        {"cwnd_bytes", info.cwnd_bytes},
        {"ssthresh_bytes", info.ssthresh_bytes},
        {"snd_wnd_bytes", info.snd_wnd_bytes},
        {"rcv_wnd_bytes", info.rcv_wnd_bytes},
        {"unacked_bytes", info.unacked_bytes},
        {"queued_bytes", info.queued_bytes},
        {"unread_bytes", info.unread_bytes},
        {"urgent_bytes", info.urgent_bytes},
        {"soft_error", info.soft_error != 0},
    };
    size_t i = 0;
    while (i < sizeof fields / sizeof fields[0] && strcmp(fields[i].name, w->st->name) != 0)
        i++;
    const bool known = i < sizeof fields / sizeof fields[0];
    judge_number(w, known, known ? fields[i].is : 0);
}

static void want_count(struct world *w)
{
    const struct tern_stats *stats = tern_shard_stats(tern_embed_shard(w->e));
#define FIELD(name) {#name, stats->name},
    const struct {
        const char *name;
        uint64_t is;
    } fields[] = {TERN_STAT_LIST(FIELD) FIELD(open_now) FIELD(opening_now)};
#undef FIELD
    size_t i = 0;
    while (i < sizeof fields / sizeof fields[0] && strcmp(fields[i].name, w->st->name) != 0)
        i++;
    const bool known = i < sizeof fields / sizeof fields[0];
    judge_number(w, known, known ? (int64_t)fields[i].is : 0);
}

static void want_drops(struct world *w)
{
    const struct tern_stats *stats = tern_shard_stats(tern_embed_shard(w->e));
    int why = 0;
    while (why < TERN_DROP_COUNT && strcmp(tern_drop_name((enum tern_drop)why), w->st->name) != 0)
        why++;
    const bool known = why < TERN_DROP_COUNT;
    judge_number(w, known, known ? (int64_t)stats->drops[why] : 0);
}

void world_look(struct world *w)
{
    static void (*const wants[])(struct world * w) = {
        [ACT_STATE] = want_state,
        [ACT_ERROR] = want_error,
        [ACT_INFO] = want_info,
        [ACT_COUNT] = want_count,
        [ACT_DROPS] = want_drops,
    };
    wants[w->st->act](w);
}
