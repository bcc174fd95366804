/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two embedded endpoints that talk to each other through sockets, with the fuzzer in the middle: it
 * says which packet arrives, is lost, doubled, overtaken or changed (checksum repaired), what the
 * applications do, and how time passes. After every event both shards are checked (invariants.h).
 * While nobody has changed a packet, what is read must be a prefix of what was written.
 *
 * At the end the faults stop: everything arrives, both sides read, and (again while nobody has
 * changed a packet) within CALM_STEPS steps all that was written must have been taken or the
 * connection have ended.
 *
 * The input: CONFIG_BYTES bytes for each end, then events of one byte and what their kind takes.
 *
 * The instances are put together here instead of in tern_embed_open(), which makes a packet pool
 * each time: the pool is one for all runs. Everything else is lib/embed's own.
 */
#include "embed/embed.h"
#include "fuzz_memory.h"
#include "invariants.h"
#include "wire/bytes.h"
#include "wire/csum.h"

#include <errno.h>

enum {
    EVENTS_MAX = 200,
    ENDS = 2,
    POOL = 1024,
    WIRE_MAX = 64, /* packets under way in one direction */
    PACKET_MAX = 1500,
    SOCKS_MAX = 4, /* connections of one end */
    PORT = 80,
    CONFIG_BYTES = 4, /* of each end */
    CALM_STEPS = 3000,
    IO_MAX = 4096,
    MS = 1000000,
};

static const uint64_t start_ns = UINT64_C(1000) * 1000 * MS;

struct packet {
    uint32_t n;
    uint8_t bytes[PACKET_MAX];
};

/** What one end holds, and the packets on their way to it. */
struct end {
    struct tern_embed *e;
    struct tern_sock *listener, *socks[SOCKS_MAX];
    uint32_t n_written[SOCKS_MAX], n_read[SOCKS_MAX];
    struct packet wire[WIRE_MAX];
    uint32_t n_wire;
};

struct world {
    struct tape tape;
    struct end ends[ENDS];
    uint64_t now_ns;
    bool v6, liar;
};

static struct world w;
static struct rte_mempool *pools[ENDS];
static uint8_t stream[IO_MAX + 256]; /* stream[n % 256 ..] are bytes n.. of what anybody writes */

/* ---- instances ---- */

static struct tern_embed *open_end(int i)
{
    static const uint32_t buf[] = {65536, 536, 4096, 1u << 20};
    static const char *const text[2][ENDS] = {
        {"192.0.2.1/24", "192.0.2.2/24"}, {"2001:db8::1/64", "2001:db8::2/64"}};
    struct tern_embed_config cfg;
    struct tern_error err;
    static const enum tern_ecn ecn[] = {
        TERN_ECN_ACCEPT, TERN_ECN_OFF, TERN_ECN_REQUEST, TERN_ECN_REQUEST};
    uint8_t b[CONFIG_BYTES];
    take_bytes(&w.tape, b, sizeof b);
    tern_embed_config_init(&cfg);
    struct tern_stack_config *c = &cfg.stack;
    assert(tern_prefix_parse(text[w.v6][i], &c->addrs[0]) == 0);
    c->n_addrs = 1;
    c->conns_max = c->half_open_max = c->time_wait_max = 8;
    c->neighbours_max = 8;
    c->timestamps = !(b[0] & 1);
    c->sack = !(b[0] & 2);
    c->window_scale = !(b[0] & 4);
    c->nodelay = b[0] & 8;
    c->ack_policy = (enum tern_ack_policy)((b[0] >> 4 & 3) % 3);
    c->syn_cookies = (enum tern_syn_cookies)((b[0] >> 6) % 3);
    c->rcv_buf_bytes = buf[b[1] & 3];
    c->snd_buf_bytes = buf[b[1] >> 2 & 3];
    c->init_cwnd_segs = 1 + (b[1] >> 4);
    c->mss_max = b[2] & 1 ? 100 : 0;
    c->keepalive_ms = b[2] & 2 ? 500 : 0;
    c->time_wait_ms = b[2] & 4 ? 10 : 60000;
    c->mtu_bytes = b[2] & 8 ? 1280 : 1500;
    c->cc = (enum tern_cc_kind)(b[3] & 3);
    c->ecn = ecn[b[3] >> 2 & 3];
    c->pacing = b[3] & 16;
    if (b[3] & 32) /* too few of these */
        c->sent_max = 1;
    c->seed[0] = (uint64_t)i + 1;
    c->seed[1] = b[2];
    c->tx_multi_seg = true;
    struct tern_embed *e = calloc(1, sizeof *e);
    assert(e != NULL);
    e->pool = pools[i];
    const struct tern_shard_params params = {
        .cfg = c, .pool = e->pool, .reserve = e->pool, .now_ns = w.now_ns};
    if (tern_shard_open(&params, &e->shard, &err) != 0)
        abort();
    tern_shard_set_user(e->shard, e);
    return e;
}

static void close_end(struct end *end)
{
    struct tern_shard_leaks leaks;
    const struct tern_shard_leaks none = {0};
    struct tern_embed *e = end->e;
    while (e->next_out < e->n_out)
        rte_pktmbuf_free(e->out[e->next_out++]);
    tern_shard_stop(e->shard);
    assert(tern_stats_balance(tern_shard_stats(e->shard)));
    tern_shard_close(e->shard, &leaks);
    tern_socks_free(e);
    assert(memcmp(&leaks, &none, sizeof none) == 0);
    assert(rte_mempool_in_use_count(e->pool) == 0);
    free(e);
}

/* ---- the wire ---- */

/** A sound packet, whatever was done to its sender. */
static void check_packet(const struct packet *p)
{
    const struct tern_pkt_input in = {
        .frame = p->bytes, .n_contiguous = p->n, .n_total = p->n, .l3 = true};
    struct tern_pkt parsed;
    assert(tern_pkt_parse(&in, &parsed) == TERN_DROP_NONE);
    assert(parsed.kind == TERN_PKT_TCP && parsed.end_off == p->n);
    struct tern_tcp_opts o;
    tern_pkt_tcp_opts(p->bytes, &parsed, &o);
    assert(!(o.has & TERN_HAS_MALFORMED));
}

/** Take what one end wants sent; what does not fit on the wire is lost. */
static void collect(int from)
{
    struct end *to = &w.ends[!from];
    static struct packet p;
    while ((p.n = (uint32_t)tern_embed_output(w.ends[from].e, p.bytes, PACKET_MAX)) > 0) {
        check_packet(&p);
        if (to->n_wire < WIRE_MAX)
            to->wire[to->n_wire++] = p;
    }
}

static void take_off(struct end *to, uint32_t at)
{
    to->n_wire--;
    memmove(&to->wire[at], &to->wire[at + 1], (to->n_wire - at) * sizeof to->wire[0]);
}

static void deliver(struct end *to, uint32_t at)
{
    static struct packet p;
    p = to->wire[at];
    take_off(to, at);
    tern_embed_input(to->e, p.bytes, p.n, w.now_ns);
}

/** One byte anew, and the checksums right again. Addresses and ports stay, or it gets nowhere. */
static void change(struct packet *p)
{
    const uint32_t l4 = w.v6 ? TERN_IP6_BYTES : TERN_IP4_BYTES;
    const uint32_t at = l4 + 4 + take16(&w.tape) % (p->n - l4 - 4);
    uint8_t *tcp = p->bytes + l4;
    p->bytes[at] ^= take8(&w.tape);
    memset(tcp + TERN_TCP_OFF_CSUM, 0, 2);
    const uint64_t pseudo =
        w.v6 ? tern_csum_pseudo6(p->bytes + 8, p->bytes + 24, TERN_IPPROTO_TCP, p->n - l4)
             : tern_csum_pseudo4(p->bytes + 12, p->bytes + 16, TERN_IPPROTO_TCP, p->n - l4);
    const uint16_t csum = (uint16_t)~tern_csum_fold(tern_csum_add(pseudo, tcp, p->n - l4));
    memcpy(tcp + TERN_TCP_OFF_CSUM, &csum, 2);
    w.liar = true;
}

/** A router has a queue: CE on what says that it is ECN-capable (RFC 3168 §5). */
static void mark(struct packet *p)
{
    enum { TOS4_OFF = 1, CSUM4_OFF = 10, CLASS6_SHIFT = 4 };
    const unsigned shift = w.v6 ? CLASS6_SHIFT : 0;
    if ((p->bytes[TOS4_OFF] >> shift & TERN_ECN_MASK) == 0)
        return;
    p->bytes[TOS4_OFF] |= (uint8_t)(TERN_ECN_CE << shift);
    if (w.v6)
        return;
    memset(p->bytes + CSUM4_OFF, 0, 2);
    const uint16_t csum = (uint16_t)~tern_csum_fold(tern_csum_add(0, p->bytes, TERN_IP4_BYTES));
    memcpy(p->bytes + CSUM4_OFF, &csum, 2);
}

/* ---- the applications ---- */

/** Bytes of the stream from `n` on. */
static const uint8_t *bytes_from(uint32_t n)
{
    return stream + n % 256;
}

static void do_accept(struct end *end)
{
    for (int i = 0; i < SOCKS_MAX && end->listener != NULL; i++) {
        if (end->socks[i] != NULL)
            continue;
        end->socks[i] = tern_sock_accept(end->listener);
        end->n_written[i] = end->n_read[i] = 0;
        if (end->socks[i] == NULL)
            return;
    }
}

static void do_connect(int from, int i)
{
    struct end *end = &w.ends[from];
    const struct tern_shard *there = w.ends[!from].e->shard;
    if (end->socks[i] != NULL)
        return;
    if (tern_sock_connect(end->e, &there->tcp.cfg.addrs[0].addr, PORT, NULL, 0, &end->socks[i])
        != 0)
        end->socks[i] = NULL;
    end->n_written[i] = end->n_read[i] = 0;
}

static void do_listen(struct end *end)
{
    if (end->listener != NULL) {
        tern_sock_close(end->listener);
        end->listener = NULL;
    } else {
        assert(tern_sock_listen(end->e, NULL, PORT, SOCKS_MAX, &end->listener) == 0);
    }
}

static void do_write(struct end *end, int i, uint32_t n)
{
    const ssize_t took = tern_sock_send(end->socks[i], bytes_from(end->n_written[i]), n);
    assert(took == -EAGAIN || took == -EPIPE || (took >= 0 && (size_t)took <= n));
    if (took > 0)
        end->n_written[i] += (uint32_t)took;
}

/** @return what tern_sock_recv() says */
static ssize_t do_read(struct end *end, int i, uint32_t n)
{
    uint8_t *buf = malloc(2 * (size_t)n + 1);
    assert(buf != NULL);
    const ssize_t peeked = tern_sock_peek(end->socks[i], buf + n, n);
    const ssize_t got = tern_sock_recv(end->socks[i], buf, n);
    if (peeked >= 0)
        assert(got == peeked && memcmp(buf, buf + n, (size_t)got) == 0);
    if (got > 0) {
        if (!w.liar)
            assert(memcmp(buf, bytes_from(end->n_read[i]), (size_t)got) == 0);
        end->n_read[i] += (uint32_t)got;
    }
    free(buf);
    return got;
}

static void do_describe(const struct tern_sock *s)
{
    struct tern_conn_info info;
    const unsigned ready = tern_sock_ready(s);
    if (tern_sock_describe(s, &info))
        assert(info.state > TERN_LISTEN && info.state < TERN_TIME_WAIT);
    else
        assert(!(ready & TERN_READY_WRITE));
}

static void do_finish(struct end *end, int i, uint8_t how)
{
    if (how == 0) {
        tern_sock_shutdown(end->socks[i]);
        return;
    }
    if (how == 1)
        tern_sock_close(end->socks[i]);
    else
        tern_sock_abort(end->socks[i]);
    end->socks[i] = NULL;
}

/* ---- events ---- */

static void wire_event(struct end *to, uint8_t kind, uint8_t at)
{
    enum { MARKED = 0x80 };
    const bool marked = at & MARKED;
    if (to->n_wire == 0)
        return;
    at = (uint8_t)(at % to->n_wire);
    if (marked)
        mark(&to->wire[at]);
    switch (kind) {
    case 0: /* all of them, in order */
        for (uint32_t n = to->n_wire; n > 0; n--)
            deliver(to, 0);
        return;
    case 1: deliver(to, at); return; /* overtakes those before it */
    case 2: take_off(to, at); return;
    case 3: /* arrives, and once more later */
        tern_embed_input(to->e, to->wire[at].bytes, to->wire[at].n, w.now_ns);
        return;
    default: change(&to->wire[at]);
    }
}

static void pass_time(uint64_t ns)
{
    w.now_ns += ns;
    for (int i = 0; i < ENDS; i++)
        tern_embed_advance(w.ends[i].e, w.now_ns);
}

/** @return false: nothing will happen by itself */
static bool pass_to_deadline(void)
{
    uint64_t at_ns, first_ns = UINT64_MAX;
    for (int i = 0; i < ENDS; i++)
        if (tern_embed_deadline(w.ends[i].e, &at_ns))
            first_ns = RTE_MIN(first_ns, at_ns);
    if (first_ns == UINT64_MAX)
        return false;
    pass_time(first_ns > w.now_ns ? first_ns - w.now_ns : 0);
    return true;
}

static void sock_event(struct end *end, uint8_t kind, int i)
{
    const uint8_t b = take8(&w.tape);
    struct tern_sock *s = end->socks[i];
    if (s == NULL)
        return;
    switch (kind) {
    case 8: do_write(end, i, b < 200 ? b * 4u : (uint32_t)IO_MAX); return;
    case 9: (void)do_read(end, i, b < 200 ? b * 4u : (uint32_t)IO_MAX); return;
    case 10: do_finish(end, i, b % 3); return;
    case 11:
        (void)!tern_sock_set(
            s, (enum tern_conn_opt)(b % (TERN_CONN_LINGER_MS + 1)), take16(&w.tape));
        return;
    default: do_describe(s); (void)tern_sock_error(s);
    }
}

/* low nibble: what; bit 4: which end; bits 5, 6: which socket */
static void event(uint8_t op)
{
    const uint8_t kind = op & 15;
    const int which = op >> 4 & 1, i = op >> 5 & 3;
    struct end *end = &w.ends[which];
    switch (kind) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4: wire_event(end, kind, kind == 0 ? 0 : take8(&w.tape)); return;
    case 5: pass_time((uint64_t)take8(&w.tape) * MS); return;
    case 6: (void)pass_to_deadline(); return;
    case 7: pass_time((uint64_t)take8(&w.tape) * 1000 * MS); return;
    case 13: do_connect(which, i); return;
    case 14: do_accept(end); return;
    case 15: do_listen(end); return;
    default: sock_event(end, kind, i);
    }
}

static void check_world(void)
{
    for (int i = 0; i < ENDS; i++)
        collect(i);
    for (int i = 0; i < ENDS; i++) {
        tern_shard_settle(w.ends[i].e->shard);
        check_shard(w.ends[i].e->shard);
        if (w.now_ns - start_ns < scoreboard_span_ns)
            check_scoreboards(w.ends[i].e->shard);
    }
}

/* ---- the end ---- */

/** Read all there is. @return true: something was */
static bool read_all(void)
{
    bool any = false;
    for (int e = 0; e < ENDS; e++) {
        struct tern_sock *more;
        do_accept(&w.ends[e]);
        while (w.ends[e].listener != NULL && (more = tern_sock_accept(w.ends[e].listener)) != NULL)
            tern_sock_abort(more); /* nobody would read it */
        for (int i = 0; i < SOCKS_MAX; i++)
            while (w.ends[e].socks[i] != NULL && do_read(&w.ends[e], i, IO_MAX) > 0)
                any = true;
    }
    return any;
}

static bool is_waiting(const struct tern_sock *s)
{
    struct tern_conn_info info;
    if (s == NULL || !tern_sock_describe(s, &info))
        return false;
    return info.unacked_bytes > 0 || info.queued_bytes > 0 || info.state == TERN_SYN_SENT
           || info.state == TERN_SYN_RCVD;
}

/** Nothing is on the wire, and no connection has anything that the other has not taken. */
static bool is_calm(void)
{
    for (int e = 0; e < ENDS; e++) {
        if (w.ends[e].n_wire > 0)
            return false;
        for (int i = 0; i < SOCKS_MAX; i++)
            if (is_waiting(w.ends[e].socks[i]))
                return false;
    }
    return true;
}

/** Liveness: without faults everything that was written is taken, or its connection ends. */
static void calm_down(void)
{
    for (int step = 0; step < CALM_STEPS; step++) {
        check_world();
        read_all();
        for (int e = 0; e < ENDS; e++)
            wire_event(&w.ends[e], 0, 0);
        check_world();
        if (is_calm())
            return;
        if (w.ends[0].n_wire + w.ends[1].n_wire == 0 && !pass_to_deadline())
            break;
    }
    check_world();
    assert(w.liar || is_calm()); /* ends that were told different things may never agree */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (pools[0] == NULL) {
        pools[0] = poisoned_pool("fuzz0", POOL);
        pools[1] = poisoned_pool("fuzz1", POOL);
        for (uint32_t i = 0; i < sizeof stream; i++)
            stream[i] = (uint8_t)(i % 256 * 151u);
    }
    w.tape = (struct tape){data, data + size};
    w.now_ns = start_ns;
    w.v6 = take8(&w.tape) & 1;
    w.liar = false;
    for (int i = 0; i < ENDS; i++) {
        struct end *end = &w.ends[i];
        end->e = open_end(i);
        end->listener = NULL;
        end->n_wire = 0;
        memset(end->socks, 0, sizeof end->socks);
    }
    do_listen(&w.ends[0]);
    for (int n = 0; n < EVENTS_MAX && !tape_ended(&w.tape); n++) {
        event(take8(&w.tape));
        check_world();
    }
    calm_down();
    for (int i = 0; i < ENDS; i++)
        close_end(&w.ends[i]);
    return 0;
}
