/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim.h"

/*
 * What a run leaves behind: a hash of everything that was emitted and of what the applications saw,
 * each with its time; and, with --trace, a time-line for a person.
 */
#include "link/packet.h"

#include <inttypes.h>
#include <string.h>

enum { NS_PER_S = 1000000000, LINE_BYTES = 512 };

void trace_number(struct sim *s, uint64_t v)
{
    s->hash = tern_prng_mix(s->hash * UINT64_C(0x9e3779b97f4a7c15) ^ v);
}

void trace_hash(struct sim *s, const void *bytes, uint32_t n)
{
    const uint8_t *at = bytes;
    uint64_t h = s->hash, word;
    for (; n >= sizeof word; n -= (uint32_t)sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    word = n;
    memcpy(&word, at, n);
    s->hash = tern_prng_mix(h ^ word);
}

static double seconds(const struct sim *s)
{
    return (double)(s->now_ns - s->begin_ns) / NS_PER_S;
}

void trace_note(struct sim *s, const char *format, ...)
{
    if (s->trace == NULL)
        return;
    va_list args;
    fprintf(s->trace, "%12.6f  ", seconds(s));
    va_start(args, format);
    vfprintf(s->trace, format, args);
    va_end(args);
    fputc('\n', s->trace);
}

/* ---- a packet in one line ---- */

static int write_options(const struct sim *s, int flow, uint8_t from, const uint8_t *at,
    const struct tern_packet_view *v, char *text, size_t cap)
{
    const uint32_t peer_base = flow >= 0 ? s->wire.end[flow][!from].base : 0;
    const uint8_t *o = tern_packet_option(at, v, 2);
    int n = o != NULL ? snprintf(text, cap, " mss %u", tern_packet_get16(o + 2)) : 0;
    if ((o = tern_packet_option(at, v, 3)) != NULL)
        n += snprintf(text + n, cap - (size_t)n, " ws %u", o[2]);
    if (tern_packet_option(at, v, 4) != NULL)
        n += snprintf(text + n, cap - (size_t)n, " sackOK");
    if ((o = tern_packet_option(at, v, 8)) != NULL)
        n += snprintf(text + n, cap - (size_t)n, " ts %" PRIu32 "/%" PRIu32,
            tern_packet_get32(o + 2), tern_packet_get32(o + 6));
    if ((o = tern_packet_option(at, v, 5)) != NULL)
        for (int i = 2; i + 8 <= o[1]; i += 8)
            n += snprintf(text + n, cap - (size_t)n, " sack %" PRIu32 "-%" PRIu32,
                tern_packet_get32(o + i) - peer_base, tern_packet_get32(o + i + 4) - peer_base);
    text[n] = 0;
    return n;
}

static void describe(
    const struct sim *s, uint8_t from, const uint8_t *at, uint32_t n, char *text, size_t cap)
{
    static const char letters[] = "FSRP.UEC";
    struct tern_packet_view v;
    char flags[9], options[LINE_BYTES / 2] = "";
    if (!tern_packet_read(at, n, &v) || !v.is_tcp) {
        snprintf(text, cap, "%" PRIu32 " bytes, no TCP", n);
        return;
    }
    int k = 0;
    for (int i = 0; i < 8; i++)
        if (v.flags >> i & 1)
            flags[k++] = letters[i];
    flags[k] = 0;
    const int flow = wire_flow_of(v.sport, v.dport);
    const uint32_t base = flow >= 0 ? s->wire.end[flow][from].base : 0;
    const uint32_t peer_base = flow >= 0 ? s->wire.end[flow][!from].base : 0;
    write_options(s, flow, from, at, &v, options, sizeof options);
    snprintf(text, cap,
        "#%d [%s] seq %" PRIu32 ":%" PRIu32 " ack %" PRIu32 " win %u len %" PRIu32 "%s", flow,
        flags, v.seq - base, v.seq - base + v.len, v.ack - peer_base, v.wnd, v.len, options);
}

void trace_packet(struct sim *s, uint8_t from, const uint8_t *bytes, uint32_t n)
{
    trace_number(s, s->now_ns * 2 + from);
    trace_hash(s, bytes, n);
    if (s->trace == NULL)
        return;
    char text[LINE_BYTES];
    describe(s, from, bytes, n, text, sizeof text);
    trace_note(s, "%c > %s", 'A' + from, text);
}

void trace_arrival(struct sim *s, const struct event *e)
{
    if (s->trace == NULL)
        return;
    char text[LINE_BYTES];
    describe(s, !e->host, e->bytes, e->n, text, sizeof text);
    trace_note(s, "    > %c %s%s", 'A' + e->host, e->forged ? "(bad) " : "", text);
}

/* ---- the mix ---- */

static void trace_link(struct sim *s, int d)
{
    const struct tern_link_config *c = &s->mix.link[d];
    fprintf(s->trace,
        "link %c: delay %.3f ms, jitter %.3f ms%s, rate %" PRIu64 " B/s, queue %u B, loss %u ppm, "
        "burst %u/%u/%u, syn %u, ack %u, nth %u, dup %u, reorder %u by %.1f ms, corrupt %u, tamper "
        "%u, inflate %u, truncate %u, pad %u, mtu %u%s, pause %.1f of %.1f ms, forge %u/%u/%u/%u, "
        "split %u, dupack %u\n",
        'A' + d, (double)c->delay_ns / 1e6, (double)c->jitter_ns / 1e6,
        c->jitter_keeps_order ? " in order" : "", c->rate_bytes_per_s, c->queue_bytes, c->loss_ppm,
        c->burst_begin_ppm, c->burst_end_ppm, c->burst_loss_ppm, c->syn_loss_ppm, c->ack_loss_ppm,
        c->nth_loss, c->duplicate_ppm, c->reorder_ppm, (double)c->reorder_ns / 1e6, c->corrupt_ppm,
        c->tamper_ppm, c->inflate_ppm, c->truncate_ppm, c->pad_ppm, c->mtu_bytes,
        c->mtu_tells ? " told" : "", (double)c->pause_for_ns / 1e6, (double)c->pause_every_ns / 1e6,
        c->forge_rst_ppm, c->forge_syn_ppm, c->forge_ack_ppm, c->forge_icmp_ppm, c->split_ack_ppm,
        c->spoof_dupack_ppm);
}

static void trace_config(struct sim *s, int h)
{
    const struct tern_stack_config *c = &s->mix.cfg[h].stack;
    const struct host_plan *p = &s->mix.host[h];
    fprintf(s->trace,
        "host %c: mtu %u, mss_max %u, rcv %u, snd %u, ts %d, sack %d, ws %d, nodelay %d, ack %d, "
        "cookies %d, cwnd %u, rto %u/%u/%u, delack %u, tw %u, tables %u/%u/%u, mbufs %u, isn %s%u, "
        "late %.1f ms, steal %.1f of %.1f ms, stall %.1f of %.1f ms, cc %d, ecn %d, pacing %d, "
        "sent "
        "%u, sending %u\n",
        'A' + h, c->mtu_bytes, c->mss_max, c->rcv_buf_bytes, c->snd_buf_bytes, c->timestamps,
        c->sack, c->window_scale, c->nodelay, (int)c->ack_policy, (int)c->syn_cookies,
        c->init_cwnd_segs, c->rto_min_ms, c->rto_initial_ms, c->rto_max_ms, c->delayed_ack_ms,
        c->time_wait_ms, c->conns_max, c->half_open_max, c->time_wait_max, s->mix.cfg[h].mbufs,
        c->pins.has_isn ? "" : "any ", c->pins.isn, (double)p->late_ns / 1e6,
        (double)p->steal_for_ns / 1e6, (double)p->steal_every_ns / 1e6,
        (double)p->tx_stall_for_ns / 1e6, (double)p->tx_stall_every_ns / 1e6, (int)c->cc,
        (int)c->ecn, c->pacing, c->sent_max, c->sending_max);
}

static void trace_flow(struct sim *s, uint32_t i)
{
    static const char *const leaves[] = {"shutdown", "close", "abort", "unread"};
    const struct flow_plan *f = &s->mix.flow[i];
    fprintf(s->trace, "flow %u: opener %u at %.3f s, %u messages%s;", i, f->opener,
        (double)f->start_ns / NS_PER_S, f->n_messages, f->may_fail ? ", may fail" : "");
    for (int h = 0; h < 2; h++) {
        const struct end_plan *e = &f->end[h];
        fprintf(s->trace,
            " %c: %u bytes, reads %u every %.1f ms, writes %u every %.1f ms, %s after %u, "
            "keepalive "
            "%u, timeout %u;",
            'A' + h, f->total[h], e->read_chunk, (double)e->read_every_ns / 1e6, e->write_chunk,
            (double)e->write_every_ns / 1e6, leaves[e->leave], e->leave_after, e->keepalive_ms,
            e->user_timeout_ms);
    }
    fputc('\n', s->trace);
}

void trace_mix(struct sim *s)
{
    if (s->trace == NULL)
        return;
    fprintf(s->trace, "seed %" PRIu64 ": IPv%d, faults for %.3f s:", s->mix.seed, s->mix.v6 ? 6 : 4,
        (double)s->mix.faults_end_ns / NS_PER_S);
    for (int f = 0; f < MIX_FAULT_COUNT; f++)
        if (mix_has(&s->mix, (enum mix_fault)f))
            fprintf(s->trace, " %s", mix_fault_name((enum mix_fault)f));
    fputc('\n', s->trace);
    for (int h = 0; h < 2; h++) {
        trace_config(s, h);
        trace_link(s, h);
    }
    for (uint32_t i = 0; i < s->mix.n_flows; i++)
        trace_flow(s, i);
}
