/* SPDX-License-Identifier: BSD-3-Clause */
#include "conn_world.h"

/*
 * A shard under a program of up to 200 events: segments and ICMP errors from a peer that knows the
 * connection's own numbers (so the fuzzer need not guess a sequence number or a checksum), the
 * application's calls, and time. After every event the invariants of invariants.h are asserted, and
 * for every packet sent those of conn_sent.c; what is delivered is compared with what was sent.
 *
 * The input: CONFIG_BYTES bytes of configuration, then events, each a byte (kind, slot, variant)
 * and what its kind takes from the tape. Removing bytes leaves a valid program.
 *
 * There are four slots, a four-tuple each: two that the peer opens to a listener, two that we open;
 * IPv4 and IPv6. The byte at absolute sequence number n of the peer's stream is peer_byte(n), so
 * every segment it sends tells the same story, overlapping as it may.
 */
#include "fuzz_memory.h"

enum {
    EVENTS_MAX = 200,
    START_NS = 1000000000,
    CONFIG_BYTES = 8,
};

static const uint32_t first_peer_iss = 0xfffff000; /* wraps within the first 4 KiB */

struct world w;
struct rte_mempool *pool;
struct tern_static *body;
uint8_t sent_bytes[BODY_BYTES];

/* ---- events ---- */

static void pass_time(uint64_t ns)
{
    flush_burst();
    w.now_ns += ns;
    tern_shard_advance(w.sh, w.now_ns);
}

static void event_time(uint8_t variant)
{
    enum { US = 1000, MS = 1000 * US };
    static const uint64_t huge_s[] = {
        60, 121, 3600, 86400, 70 * 3600, 1u << 20, 1u << 22, 1u << 23};
    const uint8_t b = take8(&w.tape);
    uint64_t at_ns;
    switch (variant) {
    case 0: pass_time(200u * US * b); return;
    case 1: pass_time((uint64_t)10 * MS * b); return;
    case 2:
        flush_burst();
        for (int i = 0; i < (b & 15) + 1; i++) {
            if (!w.keeps_tx)
                collect(); /* what waits to be collected is due now */
            if (!tern_shard_next_deadline(w.sh, &at_ns))
                return;
            assert(at_ns > w.now_ns || i == 0 || w.keeps_tx); /* time goes on */
            pass_time(at_ns > w.now_ns ? at_ns - w.now_ns : 0);
        }
        return;
    default: pass_time(huge_s[b & 7] * 1000 * MS);
    }
}

static void give_back(void)
{
    rte_pktmbuf_free_bulk(w.stolen, w.n_stolen);
    w.n_stolen = 0;
}

/** Leave the pool with few buffers. */
static void steal(uint32_t n_left)
{
    while (rte_mempool_avail_count(pool) > n_left)
        w.stolen[w.n_stolen++] = rte_pktmbuf_alloc(pool);
}

static void event_misc(uint8_t variant)
{
    const uint8_t b = take8(&w.tape);
    switch (variant) {
    case 0:
        w.keeps_tx = b & 1;
        w.mark = b >> 1 & 3;
        w.peer_ece = b & 8;
        break;
    case 1: w.bursts = b & 1; break;
    case 2:
        give_back();
        if (b & 0x80)
            steal(b & 31);
        break;
    default: w.mode[0] = b; w.mode[1] = take8(&w.tape);
    }
}

static void event(uint8_t op)
{
    const uint8_t kind = op & 15, variant = op >> 6;
    struct slot *s = &w.slots[op >> 4 & 3];
    if (kind >= 9)
        flush_burst();
    struct app_conn *a = app_at((uint32_t)(s - w.slots));
    switch (kind) {
    case 0: event_reply(s, variant); return;
    case 1: event_crafted(s, variant); return;
    case 2: event_syn(s, variant); return;
    case 3: event_duplicate_acks(s, variant); return;
    case 4: event_out_of_order(s, variant); return;
    case 5: event_partial_ack(s, variant); return;
    case 6: event_rst(s, variant); return;
    case 7: event_icmp(s, variant); return;
    case 8: event_raw(s, variant); return;
    case 13: app_connect(op >> 4 & 3); return;
    case 14: event_time(variant); return;
    case 15: event_misc(variant); return;
    default: break;
    }
    if (a == NULL)
        return;
    switch (kind) {
    case 9: event_send(a, variant); return;
    case 10: app_consume(a, amount(take8(&w.tape))); return;
    case 11: event_control(a, variant); return;
    default: event_option(a, variant);
    }
}

/* ---- a run ---- */

static union tern_addr address(const char *text)
{
    union tern_addr a;
    assert(tern_addr_parse(text, &a) == 0);
    return a;
}

static void configure(void)
{
    static const enum tern_ecn ecn[] = {
        TERN_ECN_ACCEPT, TERN_ECN_OFF, TERN_ECN_REQUEST, TERN_ECN_REQUEST};
    static const enum tern_plpmtud plpmtud[] = {
        TERN_PLPMTUD_BLACKHOLE, TERN_PLPMTUD_OFF, TERN_PLPMTUD_ALWAYS, TERN_PLPMTUD_ALWAYS};
    static const uint32_t rcv_buf[] = {536, 4096, 65535, 1u << 20};
    static const uint32_t snd_buf[] = {536, 3000, 65536, 1u << 20};
    struct tern_stack_config *c = &w.cfg;
    uint8_t b[CONFIG_BYTES];
    take_bytes(&w.tape, b, sizeof b);
    tern_stack_config_init(c);
    c->addrs[0] = (struct tern_prefix){address("192.0.2.1"), 24};
    c->addrs[1] = (struct tern_prefix){address("2001:db8::1"), 64};
    c->n_addrs = 2;
    c->l3 = true;
    c->dad = false;
    c->timestamps = !(b[0] & 1);
    c->sack = !(b[0] & 2);
    c->window_scale = !(b[0] & 4);
    c->nodelay = b[0] & 8;
    c->pins.slow_path_only = b[0] & 16;
    c->syn_cookies = (enum tern_syn_cookies)((b[0] >> 5 & 3) % 3);
    const uint32_t n = b[0] & 0x80 ? 2 : 8; /* records to have too few of */
    c->conns_max = n;
    c->half_open_max = c->time_wait_max = n / 2;
    c->listeners_max = 2;
    c->neighbours_max = 8;
    c->rcv_buf_bytes = rcv_buf[b[1] & 3];
    c->snd_buf_bytes = snd_buf[b[1] >> 2 & 3];
    c->ack_policy = (enum tern_ack_policy)((b[1] >> 4 & 3) % 3);
    c->mtu_bytes = b[1] & 0x40 ? 1280 : 1500;
    c->tx_multi_seg = !(b[1] & 0x80);
    c->init_cwnd_segs = 1u << (b[2] & 7);
    c->keepalive_ms = b[2] & 8 ? 1000 : 0;
    c->mss_max = b[2] & 16 ? 100 : 0;
    c->time_wait_ms = b[2] & 32 ? 100 : 60000;
    w.offload = b[2] & 64;
    c->tx_ip_csum = c->tx_tcp_csum = w.offload;
    c->tso_bytes_max = w.offload && c->tx_multi_seg && (b[2] & 128) ? 65000 : 0;
    c->seed[0] = b[3];
    w.start_ns = w.now_ns = START_NS + ((uint64_t)b[3] << 32) * 4000; /* ms wrap within its range */
    w.mode[0] = b[4];
    w.mode[1] = b[5];
    c->cc = (enum tern_cc_kind)(b[6] & 3);
    c->ecn = ecn[b[6] >> 2 & 3];
    c->pacing = b[6] & 16;
    c->tfo_accept = b[6] & 32;
    c->tfo_connect = b[6] & 64;
    w.peer_ecn = b[6] & 128;
    c->plpmtud = plpmtud[b[7] & 3];
    if (b[7] & 4) /* too few of these as well */
        c->sent_max = 1;
    if (b[7] & 8)
        c->sending_max = 1;
    c->tfo_pending_max = b[7] & 16 ? 1 : 8;
    c->tfo_peers_max = 4;
}

static void make_slots(void)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        const bool v6 = i & 1, active = i & 2;
        w.slots[i] = (struct slot){
            .active = active,
            .peer_iss = first_peer_iss + i,
            .key = {.remote = address(v6 ? "2001:db8::2" : "192.0.2.2"),
                .local = w.cfg.addrs[v6].addr,
                .rport = active ? 7 : 4321,
                .lport = active ? 2000 : 80},
        };
    }
}

static void open_world(const uint8_t *data, size_t size)
{
    struct tern_error err;
    w = (struct world){.tape = {data, data + size}, .listener = -1};
    configure();
    make_slots();
    const struct tern_shard_params params = {
        .cfg = &w.cfg, .pool = pool, .reserve = pool, .now_ns = w.now_ns};
    if (tern_shard_open(&params, &w.sh, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    if (body == NULL)
        body = tern_static_new(w.sh, sent_bytes, sizeof sent_bytes);
    app_listen();
}

/** FUZZ_TRACE=1 in the environment: a line an event and connection, to read a find by. */
static void trace(uint8_t op)
{
    static int wanted = -1;
    if (wanted < 0)
        wanted = getenv("FUZZ_TRACE") != NULL;
    if (!wanted)
        return;
    fprintf(stderr, "%u: kind %u slot %u variant %u, %.6f s, %u mbufs free\n", w.event, op & 15u,
        op >> 4 & 3u, op >> 6, (double)w.now_ns / 1e9, rte_mempool_avail_count(pool));
    for (int i = 0; i < APPS; i++) {
        const struct tern_conn *c = w.apps[i].c;
        if (c != NULL)
            fprintf(stderr, "   slot %u %s una +%u nxt +%u wnd %u rcv %u..%u flags %x slow %x\n",
                w.apps[i].slot, tern_state_name((enum tern_state)c->state),
                c->snd.una.v - w.apps[i].first.v, c->snd.nxt.v - w.apps[i].first.v,
                c->snd.wnd_bytes, c->rcv.nxt.v, c->rcv.adv.v, c->flags, c->slow);
    }
}

static void check_world(void)
{
    if (!w.keeps_tx)
        collect();
    if (w.n_burst > 0)
        return;
    tern_shard_settle(w.sh);
    check_shard(w.sh);
    if (w.now_ns - w.start_ns < scoreboard_span_ns)
        check_scoreboards(w.sh);
    check_apps();
}

static void close_world(void)
{
    struct tern_shard_leaks leaks;
    flush_burst();
    give_back();
    w.mode[1] = 0; /* nobody connects again */
    collect();
    check_shard(w.sh);
    tern_shard_stop(w.sh);
    assert(tern_stats_balance(tern_shard_stats(w.sh)));
    for (int i = 0; i < APPS; i++)
        assert(w.apps[i].c == NULL); /* on_closed() came for each */
    tern_shard_close(w.sh, &leaks);
    const struct tern_shard_leaks none = {0};
    assert(memcmp(&leaks, &none, sizeof none) == 0);
    assert(rte_mempool_in_use_count(pool) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (pool == NULL) {
        pool = poisoned_pool("fuzz", POOL);
        for (uint32_t i = 0; i < BODY_BYTES; i++)
            sent_bytes[i] = (uint8_t)((i % SENT_PERIOD * 40503u) >> 8);
    }
    open_world(data, size);
    for (w.event = 1; w.event <= EVENTS_MAX && !tape_ended(&w.tape); w.event++) {
        const uint8_t op = take8(&w.tape);
        event(op);
        trace(op);
        check_world();
    }
    close_world();
    return 0;
}
