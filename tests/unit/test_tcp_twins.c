/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Twins: two instances that differ in nothing but `slow_path_only` live the same life. Both are
 * given the same bursts of segments, their applications throw the same dice, and after every step
 * they must have sent the same packets in the same order, have called their applications alike,
 * count alike, and think alike of every connection. So a straight path is held against the general
 * one where that is hard to do by hand: connections that are opened, talk and above all close in
 * every order, with segments that come together, again, too early, marked, urgent or shut.
 */
#include "shard/shard.h"
#include "tcp/flight.h"
#include "tcp_peer.h"

#include <stddef.h>

enum {
    SESSIONS = 6, /* at one time */
    LIVES_MAX = 200,
    STEPS = 250,
    SEEDS = 100,
    BURST_MAX = 10,
    AGE_MAX = 25, /* steps until a session is left alone and another one begins */
    BODY_BYTES = 3000,
    PACKET_BYTES_MAX = 2000,
    PORT_MIN = 20000,
    SENT_MAX = 512, /* packets a step */
    QUIET_STEPS_MAX = 4000,
};

enum stage { IDLE, SYN_OUT, SYN_IN, OPEN };

/** What the peer of one connection knows. */
struct session {
    enum stage stage;
    uint16_t port;
    uint32_t nxt;   /* of its own numbers */
    uint32_t heard; /* where what it has heard ends */
    uint32_t acked; /* where what it said it heard ends */
    uint32_t age;
    uint32_t n_stale; /* more times it will say nothing new */
    uint32_t ts_ecr;
    bool ts, has_fin;
};

/** One of the two. */
struct twin {
    struct tern_embed *e;
    struct tern_shard *sh;
    struct tern_static *body;
    struct tern_conn *conns[LIVES_MAX]; /* by the peer's port, while they live */
    uint64_t dice, calls;               /* calls: hash of what the application was called for */
    uint32_t n_sent;
    uint32_t n_bytes[SENT_MAX];
    uint8_t sent[SENT_MAX][PACKET_BYTES_MAX];
};

struct world {
    struct tern_embed_config cfg;
    bool v6;
    union tern_addr us, them;
    struct twin twin[2]; /* quick, slow */
    struct session sessions[SESSIONS];
    uint64_t now_ns, dice;
    uint32_t n_lives;
    struct opts offer;
    bool ecn;
    uint32_t odd; /* in 1000 */
};

static bool chance(uint64_t *dice, uint32_t in_1000)
{
    return next_random(dice) % 1000 < in_1000;
}

/* ---- the application, alike in both ---- */

static struct twin *twin_of(const struct tern_shard *sh)
{
    return tern_shard_user(sh);
}

static uint32_t life_of(const struct tern_conn *c)
{
    return c->rport - PORT_MIN;
}

static void note(struct twin *w, const struct tern_conn *c, uint32_t what, uint32_t value)
{
    const uint32_t words[] = {life_of(c), what, value, c->state};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        w->calls = (w->calls ^ words[i]) * 0x100000001b3u;
}

static void send_some(struct twin *w, struct tern_conn *c)
{
    const uint32_t dice = next_random(&w->dice) % 1000;
    const uint32_t n = 1 + next_random(&w->dice) % (dice < 800 ? 300 : BODY_BYTES);
    uint8_t bytes[BODY_BYTES];
    memset(bytes, (int)dice, n);
    size_t took;
    if (dice % 10 < 6)
        took = tern_send_static(w->sh, c, w->body, 0, n);
    else if (dice % 100 < 98)
        took = tern_send_bytes(w->sh, c, bytes, n);
    else
        took = tern_send_urgent(w->sh, c, bytes, n);
    note(w, c, 'n', (uint32_t)took);
}

/** Whatever an application may do. */
static void act(struct twin *w, struct tern_conn *c)
{
    const uint32_t dice = next_random(&w->dice) % 1000;
    if (dice < 550)
        send_some(w, c);
    if (dice % 10 < 3)
        tern_close(w->sh, c);
    else if (dice % 10 < 4)
        tern_shutdown(w->sh, c);
    else if (dice % 100 == 99)
        tern_abort(w->sh, c);
    else if (dice % 200 == 98)
        assert_int_equal(tern_conn_set(w->sh, c, TERN_CONN_LINGER_MS, 700), 0);
    else if (dice % 200 == 97)
        assert_int_equal(tern_conn_set(w->sh, c, TERN_CONN_KEEPALIVE_MS, 900), 0);
}

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    struct twin *w = twin_of(sh);
    note(w, c, 'o', 0);
    w->conns[life_of(c)] = c;
    if (chance(&w->dice, 300))
        act(w, c);
}

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    struct twin *w = twin_of(sh);
    const uint32_t n = m->pkt_len;
    note(w, c, 'd', n);
    rte_pktmbuf_free(m);
    if (chance(&w->dice, 970))
        tern_consume(sh, c, n);
    if (chance(&w->dice, 700))
        act(w, c);
}

static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    struct twin *w = twin_of(sh);
    note(w, c, 'p', 0);
    if (chance(&w->dice, 400))
        tern_close(sh, c);
    else if (chance(&w->dice, 600))
        act(w, c);
}

static void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    struct twin *w = twin_of(sh);
    note(w, c, 's', 0);
    if (chance(&w->dice, 500))
        send_some(w, c);
}

static void on_urgent(struct tern_shard *sh, struct tern_conn *c, uint32_t n_bytes)
{
    note(twin_of(sh), c, 'u', n_bytes);
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    struct twin *w = twin_of(sh);
    note(w, c, 'c', (uint32_t)why);
    w->conns[life_of(c)] = NULL;
}

static const struct tern_app app = {
    .on_open = on_open,
    .on_data = on_data,
    .on_peer_closed = on_peer_closed,
    .on_sendable = on_sendable,
    .on_urgent = on_urgent,
    .on_closed = on_closed,
};

/* An application that is told of nothing but data. */
static const struct tern_app deaf_app = {
    .on_open = on_open, .on_data = on_data, .on_closed = on_closed};

/* ---- comparing ---- */

static void collect(struct twin *w)
{
    static struct rte_mbuf *out[TERN_SHARD_TX_MAX];
    const uint32_t n = tern_shard_take_tx(w->sh, out);
    for (uint32_t i = 0; i < n; i++) {
        assert_true(w->n_sent < SENT_MAX && out[i]->pkt_len <= PACKET_BYTES_MAX);
        uint8_t *to = w->sent[w->n_sent];
        const void *from = rte_pktmbuf_read(out[i], 0, out[i]->pkt_len, to);
        if (from != to)
            memcpy(to, from, out[i]->pkt_len);
        w->n_bytes[w->n_sent++] = out[i]->pkt_len;
    }
    rte_pktmbuf_free_bulk(out, n);
}

/** What both must think alike of a connection. */
struct view {
    uint32_t words[18];
};

static struct view view_of(const struct twin *w, const struct tern_conn *c)
{
    const struct tern_tcp *t = tern_tcp_of(w->sh);
    const struct tern_queued queued = tern_conn_queued(t, c);
    return (struct view){
        {c->state, c->slow, c->flags & ~(uint32_t)TERN_CF_TOUCHED, c->snd.una.v, c->snd.nxt.v,
            c->snd.wnd_bytes, c->rcv.nxt.v, c->rcv.adv.v, c->flags & TERN_CF_TS ? c->ts_recent : 0,
            c->last_ack_sent.v, c->flags & TERN_CF_RTX ? c->rtx_at : 0,
            c->flags & TERN_CF_ACK_LATER ? c->ack_at : 0, c->srtt_us8 ^ c->rttvar_us4,
            c->cwnd_bytes, c->unread_bytes, c->backoff, queued.n_bytes, queued.unsent_bytes}};
}

static void assert_stats_alike(const struct twin *a, const struct twin *b)
{
    struct tern_stats x = *tern_shard_stats(a->sh), y = *tern_shard_stats(b->sh);
    x.rx_fast = y.rx_fast = 0;
#define ALIKE(name) assert_int_equal(x.name, y.name);
    TERN_STAT_LIST(ALIKE)
#undef ALIKE
    for (int i = 0; i < TERN_DROP_COUNT; i++)
        if (x.drops[i] != y.drops[i])
            fail_msg("%s: %llu and %llu", tern_drop_name((enum tern_drop)i),
                (unsigned long long)x.drops[i], (unsigned long long)y.drops[i]);
    assert_memory_equal(x.closed, y.closed, sizeof x.closed);
}

static void assert_alike(struct world *k)
{
    struct twin *a = &k->twin[0], *b = &k->twin[1];
    assert_int_equal(a->n_sent, b->n_sent);
    for (uint32_t i = 0; i < a->n_sent; i++) {
        assert_int_equal(a->n_bytes[i], b->n_bytes[i]);
        assert_memory_equal(a->sent[i], b->sent[i], a->n_bytes[i]);
    }
    assert_true(a->calls == b->calls && a->dice == b->dice);
    for (uint32_t i = 0; i < k->n_lives; i++) {
        assert_int_equal(a->conns[i] == NULL, b->conns[i] == NULL);
        if (a->conns[i] == NULL)
            continue;
        const struct view x = view_of(a, a->conns[i]), y = view_of(b, b->conns[i]);
        assert_memory_equal(&x, &y, sizeof x);
    }
    assert_stats_alike(a, b);
}

/* ---- what the peers hear ---- */

static struct session *session_at(struct world *k, uint16_t port)
{
    for (int i = 0; i < SESSIONS; i++)
        if (k->sessions[i].port == port && k->sessions[i].stage != IDLE)
            return &k->sessions[i];
    return NULL;
}

static void hear(struct world *k, const uint8_t *packet, uint32_t n_bytes)
{
    const uint8_t *tcp = packet + (k->v6 ? 40 : 20);
    const uint32_t doff = (uint32_t)(tcp[12] >> 4) * 4, seq = get32(tcp + 4);
    const uint8_t flags = tcp[13];
    struct session *s = session_at(k, (uint16_t)get16(tcp + 2));
    if (s == NULL)
        return;
    if (flags & RST) {
        s->stage = IDLE;
        return;
    }
    const struct opts o = opts_read(tcp + 20, doff - 20);
    const uint32_t len = n_bytes - (uint32_t)(tcp - packet) - doff;
    const uint32_t end = seq + len + !!(flags & SYN) + !!(flags & FIN);
    if (flags & SYN) {
        s->ts = o.has_ts && k->offer.has_ts;
        s->heard = end;
        s->stage = flags & ACK ? OPEN : SYN_IN;
    }
    s->ts_ecr = o.has_ts ? o.ts_val : 0;
    if (is_before(s->heard, end))
        s->heard = end;
}

static void after_step(struct world *k)
{
    for (int i = 0; i < 2; i++)
        collect(&k->twin[i]);
    assert_alike(k);
    for (uint32_t i = 0; i < k->twin[0].n_sent; i++)
        hear(k, k->twin[0].sent[i], k->twin[0].n_bytes[i]);
    k->twin[0].n_sent = k->twin[1].n_sent = 0;
}

/* ---- what they say ---- */

struct said {
    uint32_t seq, ack, len;
    uint8_t flags, tos;
    uint16_t wnd, urg;
    struct opts opts;
};

/** The next segment of an orderly peer. */
static struct said plain_segment(struct world *k, struct session *s)
{
    struct said t = {.seq = s->nxt, .ack = s->heard, .flags = ACK, .wnd = 65535};
    t.opts = (struct opts){
        .has_ts = s->ts, .ts_val = (uint32_t)(k->now_ns / 1000000), .ts_ecr = s->ts_ecr};
    if (s->n_stale > 0) {
        s->n_stale--;
        t.ack = s->acked;
        return t;
    }
    if (s->has_fin)
        return t;
    if (chance(&k->dice, 450))
        t.len = 1 + next_random(&k->dice) % (chance(&k->dice, 900) ? 200 : 1400);
    if (t.len > 0 && chance(&k->dice, 700))
        t.flags |= PSH;
    if (chance(&k->dice, 250))
        t.flags |= FIN;
    return t;
}

/** … made odd in one way. */
static void make_odd(struct world *k, struct session *s, struct said *t)
{
    const uint32_t dice = next_random(&k->dice);
    switch (next_random(&k->dice) % 17) {
    case 0: t->ack -= dice % 300; break; /* of less than all */
    case 1: t->ack += 1 + dice % 2000; break;
    case 2: t->seq -= dice % 300; break; /* again, or a part of it */
    case 3: t->seq += 1 + dice % 300; break;
    case 4: t->wnd = (uint16_t)(dice % 3 == 0 ? 0 : dice % 2000); break;
    case 5: t->flags |= ECE; break;
    case 6: t->flags |= CWR; break;
    case 7: t->tos = 3; break;
    case 8:
        t->flags |= URG;
        t->urg = (uint16_t)(dice % 300);
        break;
    case 9: t->opts.ts_val -= dice % 3000; break;
    case 10: t->opts.has_ts = !t->opts.has_ts; break;
    case 11:
        t->opts.n_sack = 1;
        t->opts.left[0] = s->heard - dice % 400;
        t->opts.right[0] = t->opts.left[0] + dice % 200;
        break;
    case 12: t->flags = dice % 3 == 0 ? RST : t->flags & (uint8_t)~ACK; break;
    case 13: t->flags |= FIN; break;
    case 14: s->n_stale = 4; break;
    case 15:
        t->seq -= 1; /* a keep-alive, or our FIN again */
        t->flags |= dice % 2 != 0 ? FIN : 0;
        break;
    default: t->flags |= dice % 2 != 0 ? SYN : PSH; break;
    }
}

static struct said next_segment(struct world *k, struct session *s)
{
    if (s->stage != OPEN) { /* SYN, or SYN-ACK */
        struct said t = {.seq = s->nxt - 1, .flags = SYN, .wnd = 65535, .opts = k->offer};
        t.opts.ts_val = (uint32_t)(k->now_ns / 1000000);
        const bool crosses = s->stage == SYN_IN && chance(&k->dice, 250); /* both call */
        if (k->ecn)
            t.flags |= s->stage == SYN_IN ? ECE : ECE | CWR;
        if (s->stage == SYN_IN && !crosses) {
            t.flags |= ACK;
            t.ack = s->heard;
            t.opts.ts_ecr = s->ts_ecr;
            s->stage = OPEN;
        }
        return t;
    }
    struct said t = plain_segment(k, s);
    const bool odd = chance(&k->dice, k->odd);
    if (odd)
        make_odd(k, s, &t);
    if (!odd || chance(&k->dice, 300)) { /* it counts as said */
        const uint32_t end = t.seq + t.len + !!(t.flags & FIN);
        if (is_before(s->nxt, end))
            s->nxt = end;
        s->has_fin |= (t.flags & FIN) != 0;
        s->acked = t.ack;
    }
    return t;
}

static struct rte_mbuf *as_mbuf(
    const struct world *k, struct twin *w, const struct session *s, const struct said *t)
{
    struct frame f = {0};
    uint8_t opt[64];
    const uint32_t n_opt = opts_write(&t->opts, opt);
    if (k->v6) {
        frame_ip6(&f, 6);
        memcpy(f.b + 8, k->them.b, 16);
        memcpy(f.b + 24, k->us.b, 16);
        f.b[1] = (uint8_t)(t->tos << 4);
    } else {
        frame_ip4(&f, 6, "", 0);
        memcpy(f.b + 12, &k->them.w[3], 4);
        memcpy(f.b + 16, &k->us.w[3], 4);
        f.b[1] = t->tos;
    }
    frame_tcp(&f, t->flags, opt, n_opt);
    uint8_t *tcp = f.b + f.l4;
    put16(tcp, s->port);
    put16(tcp + 2, TERN_PORT);
    put32(tcp + 4, t->seq);
    put32(tcp + 8, t->flags & ACK ? t->ack : 0);
    put16(tcp + 14, t->wnd);
    put16(tcp + 18, t->urg);
    frame_fill(&f, 0x5a, t->len);
    frame_seal(&f);
    struct rte_mbuf *m = tern_shard_mbuf(w->sh);
    assert_non_null(m);
    memcpy(rte_pktmbuf_append(m, (uint16_t)f.n), f.b, f.n);
    return m;
}

/** A new peer; one in four is called by tern. */
static void begin(struct world *k, struct session *s)
{
    const uint16_t port = (uint16_t)(PORT_MIN + k->n_lives++);
    *s = (struct session){.stage = SYN_OUT, .port = port, .nxt = next_random(&k->dice)};
    if (!chance(&k->dice, 250))
        return;
    for (int i = 0; i < 2; i++) {
        const struct tern_connect_opts to = {
            .remote = k->them, .rport = port, .lport = TERN_PORT, .app = &app};
        assert_int_equal(tern_connect(k->twin[i].sh, &to, &k->twin[i].conns[port - PORT_MIN]), 0);
    }
    s->stage = SYN_IN;
}

static void speak(struct world *k)
{
    struct rte_mbuf *in[2][BURST_MAX];
    const uint32_t n = 1 + next_random(&k->dice) % BURST_MAX;
    for (uint32_t i = 0; i < n; i++) {
        struct session *s = &k->sessions[next_random(&k->dice) % SESSIONS];
        const struct said t = next_segment(k, s);
        for (int j = 0; j < 2; j++)
            in[j][i] = as_mbuf(k, &k->twin[j], s, &t);
    }
    for (int j = 0; j < 2; j++)
        tern_shard_rx(k->twin[j].sh, in[j], n, k->now_ns);
    after_step(k);
}

/* ---- time, and applications that act by themselves ---- */

static void pass(struct world *k, uint64_t ns)
{
    k->now_ns += ns;
    for (int i = 0; i < 2; i++)
        tern_shard_advance(k->twin[i].sh, k->now_ns);
    after_step(k);
}

static void call(struct world *k)
{
    const uint32_t life = next_random(&k->dice) % k->n_lives;
    for (int i = 0; i < 2; i++) {
        struct twin *w = &k->twin[i];
        if (w->conns[life] != NULL)
            act(w, w->conns[life]);
        tern_shard_settle(w->sh);
    }
    after_step(k);
}

static void step(struct world *k)
{
    for (int i = 0; i < SESSIONS; i++) {
        struct session *s = &k->sessions[i];
        if ((s->stage == IDLE || s->age++ > AGE_MAX) && k->n_lives < LIVES_MAX)
            begin(k, s);
    }
    speak(k);
    if (chance(&k->dice, 150))
        call(k);
    if (chance(&k->dice, 300))
        pass(k, next_random(&k->dice) % (chance(&k->dice, 900) ? 20000000 : 900000000));
}

/** Nobody speaks any more: timers end what is left. */
static void be_quiet(struct world *k)
{
    uint64_t at_ns;
    for (int i = 0; i < QUIET_STEPS_MAX; i++) {
        if (!tern_shard_next_deadline(k->twin[0].sh, &at_ns))
            return;
        pass(k, at_ns > k->now_ns ? at_ns - k->now_ns : 0);
    }
}

/* ---- */

static void configure(struct world *k, uint64_t seed)
{
    uint64_t dice = seed * 7919;
    struct tern_stack_config *c = &k->cfg.stack;
    tern_embed_config_init(&k->cfg);
    assert_int_equal(tern_prefix_parse(k->v6 ? "2001:db8::1/64" : "192.0.2.1/24", &c->addrs[0]), 0);
    assert_int_equal(tern_addr_parse(k->v6 ? "2001:db8::2" : "192.0.2.2", &k->them), 0);
    k->us = c->addrs[0].addr;
    c->n_addrs = 1;
    c->timestamps = next_random(&dice) % 2;
    c->sack = next_random(&dice) % 2;
    c->window_scale = next_random(&dice) % 2;
    c->nodelay = next_random(&dice) % 2;
    c->ack_policy = (enum tern_ack_policy)(next_random(&dice) % 3);
    k->ecn = next_random(&dice) % 4 == 0;
    c->ecn = k->ecn ? TERN_ECN_REQUEST : TERN_ECN_OFF;
    c->tx_tcp_csum = next_random(&dice) % 2;
    c->tx_ip_csum = next_random(&dice) % 2;
    c->syn_cookies = next_random(&dice) % 4 == 0 ? TERN_SYN_COOKIES_ALWAYS : TERN_SYN_COOKIES_NEVER;
    c->rcv_buf_bytes = next_random(&dice) % 4 == 0 ? 1000 : 100000;
    c->time_wait_max = next_random(&dice) % 4 == 0 ? 2 : 1024;
    c->time_wait_ms = 1 + next_random(&dice) % 2000;
    c->fin_wait2_ms = 1 + next_random(&dice) % 2000;
    c->user_timeout_ms = 3000;
    k->offer = (struct opts){.has_mss = true,
        .mss = 1200,
        .has_ts = next_random(&dice) % 2,
        .sack_ok = next_random(&dice) % 2,
        .has_wscale = next_random(&dice) % 2,
        .wscale = 3};
    k->odd = next_random(&dice) % 3 * 100;
    k->dice = seed;
}

static void open_twins(struct world *k, uint64_t seed)
{
    static const uint8_t body[BODY_BYTES];
    struct tern_error err;
    for (int i = 0; i < 2; i++) {
        struct twin *w = &k->twin[i];
        k->cfg.stack.pins.slow_path_only = i == 1;
        if (tern_embed_open(&k->cfg, k->now_ns, &w->e, &err) != 0)
            fail_msg("%s", err.text);
        w->sh = tern_embed_shard(w->e);
        w->dice = seed;
        w->body = tern_static_new(w->sh, body, sizeof body);
        assert_non_null(w->body);
        tern_shard_set_user(w->sh, w);
        const struct tern_app *a = seed % 4 == 0 ? &deaf_app : &app;
        assert_true(tern_listen(w->sh, NULL, TERN_PORT, a, NULL) >= 0);
    }
}

static void close_twins(struct world *k)
{
    for (int i = 0; i < 2; i++) {
        struct twin *w = &k->twin[i];
        assert_books_balance(w->sh);
        tern_shard_stop(w->sh);
        tern_static_free(w->body);
        assert_clean_close(w->e);
    }
}

/** @return segments that the straight paths took */
static uint64_t live(bool v6, uint64_t seed)
{
    static struct world k;
    memset(&k, 0, sizeof k);
    k.v6 = v6;
    k.now_ns = ms_to_ns(START_MS);
    configure(&k, seed);
    open_twins(&k, seed);
    for (int i = 0; i < STEPS; i++)
        step(&k);
    be_quiet(&k);
    assert_int_equal(tern_shard_stats(k.twin[1].sh)->rx_fast, 0);
    const uint64_t n_fast = tern_shard_stats(k.twin[0].sh)->rx_fast;
    close_twins(&k);
    return n_fast;
}

/* V211 */
static void twins_live_alike(void **state)
{
    uint64_t n_fast = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        n_fast += live(*state != NULL, seed);
    assert_true(n_fast > 150 * SEEDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"twins_live_alike (IPv4)", twins_live_alike, NULL, NULL, NULL},
        {"twins_live_alike (IPv6)", twins_live_alike, NULL, NULL, (void *)"6"},
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
