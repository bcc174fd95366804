/* SPDX-License-Identifier: BSD-3-Clause */
#include "host.h"
#include "packet.h"

/*
 * TIME-WAIT (RFC 9293 §3.6.1 MUST-13): a 64-byte record that answers a repeated FIN, keeps old
 * duplicates from reaching a new connection, and gives its four-tuple to a SYN that is surely new
 * (RFC 6191, MAY-2).
 */

static bool has_timestamps(const struct tern_tw *tw)
{
    return (tw->ts_recent | tw->ts_offset) != 0;
}

static enum tern_drop answer(struct tern_tcp *t, const struct tern_tw *tw, struct tern_seg *seg)
{
    if (!tern_rate_take(&t->rst_rate, t->now_ns))
        return TERN_DROP_TCP_CHALLENGE_RATE;
    uint8_t opt[TERN_TS_OPT_BYTES];
    struct tern_packet p = {
        .key = &tw->key,
        .seq = tw->snd_nxt,
        .ack = tw->rcv_nxt,
        .flags = TERN_TCP_ACK,
        /* Says nothing any more, but the right edge stays where it was at the least (SHLD-14). */
        .wnd = (uint16_t)RTE_MIN(t->cfg.rcv_buf_max_bytes, 0xffffu),
        .ttl = t->cfg.ttl,
        .tos = (uint8_t)(t->cfg.dscp << 2),
        .opt = opt,
    };
    if (has_timestamps(tw))
        p.opt_bytes = tern_packet_ts_opt(opt, tern_ts_now(t, tw->ts_offset), tw->ts_recent);
    tern_packet_reply(t, seg, &p);
    return TERN_DROP_TCP_TIME_WAIT;
}

/** V066, V132:
 * RFC 6191 §2 (SHLD-4, MAY-2): a SYN may open anew when its timestamp or sequence shows that it is
 * not an old one. */
static bool is_new_syn(const struct tern_tw *tw, const struct tern_seg *seg)
{
    if (has_timestamps(tw) && (seg->opts.has & TERN_HAS_TS)) {
        const int32_t newer = (int32_t)(seg->opts.ts_val - tw->ts_recent);
        if (newer != 0)
            return newer > 0;
    }
    return tern_seq_before(tw->rcv_nxt, seg->p.seq);
}

/* V132, V133 */
enum tern_drop tern_tw_rx(
    struct tern_tcp *t, struct tern_tw *tw, struct tern_seg *seg, bool *reopen)
{
    const uint8_t flags = seg->p.flags;
    *reopen = false;
    if (flags & TERN_TCP_RST) /* RFC 1337 §3 F1: a RST does not end TIME-WAIT */
        return TERN_DROP_TCP_RST_WINDOW;
    tern_pkt_tcp_opts(seg->frame, &seg->p, &seg->opts);
    if ((flags & (TERN_TCP_SYN | TERN_TCP_ACK)) == TERN_TCP_SYN && is_new_syn(tw, seg)) {
        *reopen = true;
        return TERN_DROP_NONE;
    }
    if (!(flags & (TERN_TCP_SYN | TERN_TCP_ACK)))
        return TERN_DROP_TCP_NO_ACK;
    if (!(flags & TERN_TCP_SYN) && has_timestamps(tw) && !(seg->opts.has & TERN_HAS_TS))
        return TERN_DROP_TCP_TS_MISSING; /* RFC 7323 §3.2 */
    const bool repeated_fin =
        (flags & TERN_TCP_FIN) && tern_seq_add(seg->p.seq, seg->p.len_bytes + 1).v == tw->rcv_nxt.v;
    if (repeated_fin)
        tern_host_tw_timer(
            t, tw, t->now_tick + tern_ticks_from_ms(t->cfg.time_wait_ms)); /* MUST-13 */
    const bool empty = seg->p.len_bytes == 0 && !(flags & (TERN_TCP_FIN | TERN_TCP_SYN));
    if (empty) /* it asks for nothing, and two ends out of step would answer each other for ever */
        return TERN_DROP_TCP_TIME_WAIT;
    return answer(t, tw, seg);
}
