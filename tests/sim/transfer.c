/* SPDX-License-Identifier: BSD-3-Clause */
#include "transfer.h"

/*
 * Sender and receiver are two instances behind embed.h, the path two links of link.c: loss, then a
 * drop-tail queue that is emptied at the bottleneck's rate, then delay; the same both ways, so that
 * ACKs are lost as often as data. The sender always has more to send, the receiver's application
 * takes everything at once. Nothing else happens, and the only chance is in the losses: the same
 * seed loses the same packets under every congestion control, as far as they send the same.
 *
 * Measured is the steady part. The warm-up is some round trips and some seconds, enough for the
 * first slow start and its first loss; then bytes delivered in order are counted over time, until
 * enough segments were delivered to average over, or until enough time has passed.
 */
#include <tern/embed.h>

#include "event.h"
#include "link/link.h"
#include "link/packet.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    MS = 1000000, /* ns */
    SECOND = 1000 * MS,
    PORT = 80,
    BODY_BYTES = 65536, /* sent over and over */
    PIECE_BYTES = 4096,
    MBUFS_SPARE = 512,
    BURST_SEGMENTS = 2048, /* what an instance hands out at one time, at most … */
    SEGMENT_MBUFS = 3,     /* … its header, and payload from two pieces */
    QUEUE_PACKETS_MIN = 64,
    MARK_PACKETS = 20, /* DCTCP's K: enough for a data centre's round trips (RFC 8257 §3.1) */
    MARK_PART = 7,     /* … and C·RTT / 7 beyond (Alizadeh et al. 2010, §3.3) */
    WARM_UP_RTTS = 30,
    WARM_UP_MS = 1000,
    SEGMENTS_ENOUGH = 8000,
    MEASURE_RTTS_MIN = 30,      /* whatever the segments say */
    MEASURE_MS_MAX = 300000,    /* whatever they say */
    USER_TIMEOUT_MS = 86400000, /* a third lost both ways is no reason to give up */
    SENDER = 0,
    RECEIVER = 1,
};

struct transfer;

struct end {
    struct transfer *of;
    struct tern_embed *e;
    struct tern_shard *sh;
    struct tern_link link; /* what leaves here */
};

struct transfer {
    const struct transfer_plan *plan;
    struct end end[2];
    struct tern_heap heap;
    uint64_t now_ns, begin_ns;
    struct tern_static *body;
    struct tern_conn *conn; /* the sender's, while it is open */
    uint64_t sent_off;      /* into the endless repetition of the body */
    bool opened, lost;
    uint64_t delivered_bytes, last_delivery_ns, silence_ns;
};

uint32_t transfer_queue_bytes(uint32_t rtt_ms)
{
    const uint32_t bdp = (uint32_t)((uint64_t)TRANSFER_RATE_BYTES_PER_S * rtt_ms / 1000);
    const uint32_t least = QUEUE_PACKETS_MIN * TRANSFER_MTU_BYTES;
    return bdp > least ? bdp : least;
}

static uint32_t mark_bytes(uint32_t rtt_ms)
{
    const uint32_t part =
        (uint32_t)((uint64_t)TRANSFER_RATE_BYTES_PER_S * rtt_ms / 1000 / MARK_PART);
    const uint32_t least = MARK_PACKETS * TRANSFER_MTU_BYTES;
    return part > least ? part : least;
}

/* ---- applications ---- */

/** After every event: whoever waits for on_sendable() refills a queue that has run half empty. */
static void keep_full(struct transfer *t)
{
    struct tern_shard *sh = t->end[SENDER].sh;
    size_t took = 1;
    while (took > 0 && tern_sendable_bytes(sh, t->conn) >= PIECE_BYTES) {
        const size_t off = t->sent_off % BODY_BYTES;
        const size_t n = BODY_BYTES - off < PIECE_BYTES ? BODY_BYTES - off : PIECE_BYTES;
        took = tern_send_static(sh, t->conn, t->body, off, n);
        t->sent_off += took;
    }
}

static void sender_opened(struct tern_shard *sh, struct tern_conn *c)
{
    struct transfer *t = tern_conn_user(c);
    (void)sh;
    t->opened = true;
    t->conn = c;
}

static void closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    struct transfer *t = tern_conn_user(c);
    (void)sh, (void)why;
    t->lost = true;
    t->conn = NULL;
}

/** on_data is left out: the library consumes, and its books say how much. */
static const struct tern_app sender_app = {.on_open = sender_opened, .on_closed = closed};
static const struct tern_app receiver_app = {.on_closed = closed};

static const struct tern_stats *stats(const struct transfer *t, int h)
{
    return tern_shard_stats(t->end[h].sh);
}

/* ---- the wire ---- */

static void trace(
    const struct transfer *t, const char *what, uint8_t from, const uint8_t *bytes, uint32_t n)
{
    struct tern_packet_view v;
    if (t->plan->trace == NULL || !tern_packet_read(bytes, n, &v))
        return;
    fprintf(t->plan->trace, "%12.6f %c %s seq %u ack %u len %u wnd %u flags %02x%s\n",
        (double)(t->now_ns - t->begin_ns) / SECOND, 'A' + from, what, v.seq, v.ack, v.len, v.wnd,
        v.flags, (v.tos & TERN_PACKET_ECN_MASK) == TERN_PACKET_ECN_CE ? " CE" : "");
}

static void link_emits(void *ctx, const struct tern_link_out *out)
{
    const struct end *from = ctx;
    struct transfer *t = from->of;
    const struct event e = {
        .at_ns = out->at_ns,
        .kind = EVENT_ARRIVAL,
        .host = from == &t->end[SENDER] ? RECEIVER : SENDER,
        .n = out->n,
        .bytes = malloc(out->n),
    };
    if (e.bytes == NULL)
        abort();
    memcpy(e.bytes, out->bytes, out->n);
    if (!event_push(&t->heap, e))
        abort();
}

static void link_notes(void *ctx, enum tern_link_fault what)
{
    const struct end *from = ctx;
    const struct transfer *t = from->of;
    fprintf(t->plan->trace, "%12.6f %c %s\n", (double)(t->now_ns - t->begin_ns) / SECOND,
        from == &t->end[SENDER] ? 'A' : 'B', tern_link_fault_name(what));
}

static void send_off(struct transfer *t, uint8_t h)
{
    static uint8_t packet[TERN_PACKET_BYTES_MAX];
    size_t n;
    if (h == SENDER && t->conn != NULL)
        keep_full(t);
    while ((n = tern_embed_output(t->end[h].e, packet, sizeof packet)) > 0) {
        trace(t, ">", h, packet, (uint32_t)n);
        tern_link_enter(&t->end[h].link, t->now_ns, packet, (uint32_t)n);
    }
}

/* ---- setting up ---- */

static uint32_t window_segments(const struct transfer_plan *p)
{
    return p->buf_bytes / TRANSFER_SEGMENT_BYTES + 1;
}

static uint32_t mbufs_to_send(const struct transfer_plan *p)
{
    const uint32_t n = window_segments(p);
    return p->buf_bytes / PIECE_BYTES + SEGMENT_MBUFS * (n < BURST_SEGMENTS ? n : BURST_SEGMENTS);
}

static bool open_end(struct transfer *t, uint8_t h)
{
    const struct transfer_plan *p = t->plan;
    struct tern_embed_config cfg;
    struct tern_error err;
    tern_embed_config_init(&cfg);
    if (tern_prefix_parse(h == SENDER ? "192.0.2.1/24" : "192.0.2.2/24", &cfg.stack.addrs[0]) != 0)
        abort();
    cfg.stack.n_addrs = 1;
    cfg.stack.mtu_bytes = TRANSFER_MTU_BYTES;
    cfg.stack.conns_max = cfg.stack.half_open_max = cfg.stack.time_wait_max = 1;
    cfg.stack.rcv_buf_bytes = cfg.stack.snd_buf_bytes = p->buf_bytes;
    cfg.stack.cc = p->cc;
    cfg.stack.sack = p->sack;
    cfg.stack.user_timeout_ms = USER_TIMEOUT_MS;
    cfg.stack.ecn = p->ecn ? TERN_ECN_REQUEST : TERN_ECN_OFF;
    for (size_t i = 0; i < sizeof cfg.stack.seed / sizeof cfg.stack.seed[0]; i++)
        cfg.stack.seed[i] = tern_prng_mix(i + 4 * h);
    /* The receiver's pool is never low, or what came out of order would not be kept. */
    cfg.mbufs = MBUFS_SPARE + (h == SENDER ? mbufs_to_send(p) : 2 * window_segments(p));
    if (tern_embed_open(&cfg, t->now_ns, &t->end[h].e, &err) != 0) {
        fprintf(stderr, "golden: %s\n", err.text);
        return false;
    }
    t->end[h].sh = tern_embed_shard(t->end[h].e);
    t->end[h].of = t;
    return true;
}

static void set_link(struct transfer *t, uint8_t h)
{
    const struct transfer_plan *p = t->plan;
    const struct tern_link_config cfg = {
        .delay_ns = (uint64_t)p->rtt_ms * MS / 2,
        .rate_bytes_per_s = TRANSFER_RATE_BYTES_PER_S,
        .queue_bytes = transfer_queue_bytes(p->rtt_ms),
        .mark_bytes = p->ecn ? mark_bytes(p->rtt_ms) : 0,
        .loss_ppm = p->loss_ppm,
    };
    tern_link_init(&t->end[h].link, &cfg, tern_link_network, p->seed, h);
    t->end[h].link.out = link_emits;
    t->end[h].link.note = p->trace != NULL ? link_notes : NULL;
    t->end[h].link.ctx = &t->end[h];
}

static bool start(struct transfer *t)
{
    static uint8_t body[BODY_BYTES];
    if (!open_end(t, SENDER) || !open_end(t, RECEIVER))
        return false;
    set_link(t, SENDER);
    set_link(t, RECEIVER);
    t->body = tern_static_new(t->end[SENDER].sh, body, sizeof body);
    struct tern_connect_opts opts = {.rport = PORT, .app = &sender_app, .user = t};
    if (t->body == NULL || tern_addr_parse("192.0.2.2", &opts.remote) != 0
        || tern_listen(t->end[RECEIVER].sh, NULL, PORT, &receiver_app, t) < 0
        || tern_connect(t->end[SENDER].sh, &opts, NULL) != 0)
        return false;
    send_off(t, SENDER);
    return true;
}

/* ---- time ---- */

static void note_delivery(struct transfer *t)
{
    const uint64_t bytes = stats(t, RECEIVER)->rx_payload_bytes;
    if (bytes == t->delivered_bytes)
        return;
    const uint64_t silence_ns = t->now_ns - t->last_delivery_ns;
    if (silence_ns > t->silence_ns)
        t->silence_ns = silence_ns;
    t->delivered_bytes = bytes;
    t->last_delivery_ns = t->now_ns;
}

static void arrive(struct transfer *t)
{
    const struct event e = event_pop(&t->heap);
    t->now_ns = e.at_ns;
    trace(t, "    <", e.host, e.bytes, e.n);
    tern_embed_input(t->end[e.host].e, e.bytes, e.n, t->now_ns);
    free(e.bytes);
    send_off(t, e.host);
    if (e.host == RECEIVER)
        note_delivery(t);
}

/** @return false: nothing will happen any more */
static bool step(struct transfer *t)
{
    uint64_t at_ns = t->heap.n > 0 ? t->heap.dues[0].at_ns : UINT64_MAX;
    int next = -1;
    for (int h = 0; h < 2; h++) {
        uint64_t deadline_ns;
        if (tern_embed_deadline(t->end[h].e, &deadline_ns) && deadline_ns < at_ns) {
            at_ns = deadline_ns;
            next = h;
        }
    }
    if (at_ns == UINT64_MAX)
        return false;
    if (next < 0) {
        arrive(t);
        return true;
    }
    if (at_ns > t->now_ns)
        t->now_ns = at_ns;
    tern_embed_advance(t->end[next].e, t->now_ns);
    send_off(t, (uint8_t)next);
    return true;
}

static void run_until(struct transfer *t, uint64_t end_ns)
{
    while (t->now_ns < end_ns && !t->lost && step(t)) {
    }
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void measure(struct transfer *t, struct transfer_result *out)
{
    const uint64_t rtt_ns = (uint64_t)t->plan->rtt_ms * MS;
    run_until(t, t->begin_ns + larger(WARM_UP_RTTS * rtt_ns, (uint64_t)WARM_UP_MS * MS));
    const uint64_t from_ns = t->now_ns, from_bytes = t->delivered_bytes;
    const struct tern_stats from = *stats(t, SENDER);
    const uint64_t enough_bytes = (uint64_t)SEGMENTS_ENOUGH * TRANSFER_SEGMENT_BYTES;
    t->silence_ns = 0;
    run_until(t, from_ns + MEASURE_RTTS_MIN * rtt_ns);
    while (t->now_ns < from_ns + (uint64_t)MEASURE_MS_MAX * MS
           && t->delivered_bytes < from_bytes + enough_bytes && !t->lost && step(t)) {
    }
    const uint64_t took_ns = t->now_ns - from_ns, bytes = t->delivered_bytes - from_bytes;
    const struct tern_stats *to = stats(t, SENDER);
    *out = (struct transfer_result){
        .goodput_bytes_per_s = bytes * 1000 / (took_ns / MS),
        .segments = (uint32_t)(bytes / TRANSFER_SEGMENT_BYTES),
        .retransmits = (uint32_t)(to->retransmits - from.retransmits),
        .timeouts = (uint32_t)(to->rto_expired - from.rto_expired),
        .measured_ms = took_ns / MS,
        .silence_ms = larger(t->silence_ns, t->now_ns - t->last_delivery_ns) / MS,
    };
}

/** @return what makes the numbers worthless, or NULL */
static const char *verdict(const struct transfer *t)
{
    if (!t->opened || t->lost)
        return t->opened ? "the connection was lost" : "the connection did not open";
    for (int h = 0; h < 2; h++)
        if (stats(t, h)->drops[TERN_DROP_NO_MBUF] != 0)
            return "mbufs ran out";
    return NULL;
}

static void tear_down(struct transfer *t)
{
    while (t->heap.n > 0)
        free(event_pop(&t->heap).bytes);
    free(t->heap.dues);
    for (int h = 0; h < 2; h++)
        if (t->end[h].e != NULL)
            tern_embed_close(t->end[h].e, NULL);
    tern_static_free(t->body);
}

bool transfer_run(const struct transfer_plan *plan, struct transfer_result *out)
{
    struct transfer t = {.plan = plan, .now_ns = SECOND, .begin_ns = SECOND};
    t.last_delivery_ns = t.begin_ns;
    const char *wrong = "an end does not open";
    if (start(&t)) {
        measure(&t, out);
        wrong = verdict(&t);
    }
    tear_down(&t);
    if (wrong != NULL)
        fprintf(stderr, "golden: %u ppm, %u ms, %u bytes: %s\n", plan->loss_ppm, plan->rtt_ms,
            plan->buf_bytes, wrong);
    return wrong == NULL;
}
