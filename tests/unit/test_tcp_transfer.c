/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams both ways between two instances over links that lose, duplicate and reorder, with buffers
 * small and large, with and without each option. What arrives is what was sent, all of it, in
 * order; then both sides close and nothing is left behind. The fast path on or off gives the same
 * trace.
 */
#include "tcp_pair.h"

enum { LIMIT_MS = 3600 * 1000, CHUNK = 3000 };

/** A scenario: every field is drawn from the seed or set by the test. */
struct scenario {
    uint64_t seed;
    bool v6, slow_path_only;
    uint32_t n_bytes; /* each way */
    struct pair_faults faults;
    uint32_t rcv_buf, snd_buf;
    uint16_t mss_max;
    bool timestamps, sack, window_scale, nodelay;
    enum tern_ack_policy ack_policy;
    enum tern_syn_cookies cookies;
};

/** One end's progress. Byte i of a stream is byte_at(i). */
struct end {
    struct tern_sock *s;
    uint32_t sent, received;
    bool fin_sent, eof;
};

static uint8_t byte_at(uint32_t i)
{
    return (uint8_t)(i * 7 + (i >> 8) * 13 + (i >> 16));
}

static void write_some(struct end *e, const struct scenario *sc)
{
    uint8_t buf[CHUNK];
    while (e->sent < sc->n_bytes) {
        uint32_t n = sc->n_bytes - e->sent < CHUNK ? sc->n_bytes - e->sent : CHUNK;
        for (uint32_t i = 0; i < n; i++)
            buf[i] = byte_at(e->sent + i);
        const ssize_t took = tern_sock_send(e->s, buf, n);
        if (took <= 0)
            return;
        e->sent += (uint32_t)took;
    }
    if (!e->fin_sent && e->sent == sc->n_bytes && (tern_sock_ready(e->s) & TERN_READY_WRITE)) {
        tern_sock_shutdown(e->s);
        e->fin_sent = true;
    }
}

static void read_some(struct end *e)
{
    uint8_t buf[CHUNK];
    ssize_t n;
    while ((n = tern_sock_recv(e->s, buf, sizeof buf)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            if (buf[i] != byte_at(e->received + (uint32_t)i))
                fail_msg("byte %u is wrong", e->received + (uint32_t)i);
        e->received += (uint32_t)n;
    }
    if (n == 0)
        e->eof = true;
}

static void configure(struct pair *p, const struct scenario *sc)
{
    pair_init(p, sc->v6, sc->seed);
    p->faults = sc->faults;
    for (int i = 0; i < 2; i++) {
        struct tern_stack_config *s = &p->cfg[i].stack;
        s->rcv_buf_bytes = sc->rcv_buf;
        s->snd_buf_bytes = sc->snd_buf;
        s->mss_max = sc->mss_max;
        s->timestamps = sc->timestamps;
        s->sack = sc->sack;
        s->window_scale = sc->window_scale;
        s->nodelay = sc->nodelay;
        s->ack_policy = sc->ack_policy;
        s->syn_cookies = sc->cookies;
        s->user_timeout_ms = LIMIT_MS;
        s->pins.slow_path_only = sc->slow_path_only;
        p->cfg[i].mbufs = 16384;
    }
    pair_open(p);
}

static bool is_done(const struct end *e, const struct scenario *sc)
{
    return e->s != NULL && e->eof && e->fin_sent && e->received == sc->n_bytes;
}

/** Run it. @return the hash of everything that went over the link */
static uint64_t transfer(const struct scenario *sc, uint64_t *fast)
{
    struct pair p;
    struct end client = {0}, server = {0};
    struct tern_sock *listener;
    configure(&p, sc);
    assert_int_equal(tern_sock_listen(p.e[1], NULL, 80, 8, &listener), 0);
    assert_int_equal(tern_sock_connect(p.e[0], &p.addr[1], 80, NULL, 0, &client.s), 0);
    const uint64_t end_ns = p.now_ns + (uint64_t)LIMIT_MS * PAIR_MS;
    while (!is_done(&client, sc) || !is_done(&server, sc)) {
        if (!pair_step(&p) || p.now_ns > end_ns)
            fail_msg("TERN_SEED=%lu stands still: client %u/%u sent %u/%u received, server %u %u, "
                     "%lu ms",
                sc->seed, client.sent, sc->n_bytes, client.received, sc->n_bytes, server.sent,
                server.received, p.now_ns / PAIR_MS);
        if (server.s == NULL)
            server.s = tern_sock_accept(listener);
        struct end *const ends[] = {&client, &server};
        for (int i = 0; i < 2; i++) {
            if (ends[i]->s == NULL)
                continue;
            read_some(ends[i]);
            write_some(ends[i], sc);
        }
    }
    tern_sock_close(client.s);
    tern_sock_close(server.s);
    p.faults.loss = p.faults.reorder = p.faults.duplicate = 0;
    pair_run_ms(&p, LIMIT_MS);
    for (int i = 0; i < 2; i++) {
        const struct tern_stats *st = tern_shard_stats(tern_embed_shard(p.e[i]));
        /* A late duplicate of the handshake's ACK opens anew under cookies: they keep no memory. */
        const uint64_t ghosts = st->syn_cookies_accepted > 1 ? st->syn_cookies_accepted - 1 : 0;
        if (st->open_now != ghosts || st->closed[TERN_CLOSE_NORMAL] != 1)
            fail_msg("TERN_SEED=%lu: end %d did not close in good order", sc->seed, i);
        *fast += st->rx_fast;
    }
    const uint64_t hash = p.hash;
    pair_close(&p);
    return hash;
}

static struct scenario plain(uint64_t seed)
{
    return (struct scenario){.seed = seed,
        .n_bytes = 1 << 20,
        .faults = {.delay_ns = 10 * PAIR_MS},
        .rcv_buf = 262144,
        .snd_buf = 1 << 20,
        .timestamps = true,
        .sack = true,
        .window_scale = true};
}

/** Every knob from the seed. */
static struct scenario drawn(uint64_t seed)
{
    static const uint16_t mss[] = {0, 0, 536, 100, 1220};
    static const uint32_t bufs[] = {536, 4096, 65535, 262144, 1 << 20};
    static const uint32_t loss[] = {0, 0, 10, 50, 200};
    struct pair dice = {.rng = seed * 0x2545f4914f6cdd1du + 99};
    struct scenario sc = plain(seed);
    for (int i = 0; i < 8; i++)
        pair_random(&dice);
    sc.v6 = pair_random(&dice) & 1;
    sc.mss_max = mss[pair_random(&dice) % 5];
    sc.rcv_buf = bufs[pair_random(&dice) % 5];
    sc.snd_buf = bufs[pair_random(&dice) % 5];
    sc.timestamps = pair_random(&dice) & 1;
    sc.sack = pair_random(&dice) & 1;
    sc.window_scale = pair_random(&dice) & 1;
    sc.nodelay = pair_random(&dice) & 1;
    sc.ack_policy = (enum tern_ack_policy)(pair_random(&dice) % 3);
    sc.cookies = (enum tern_syn_cookies)(pair_random(&dice) % 3);
    sc.faults.loss = loss[pair_random(&dice) % 5];
    sc.faults.reorder = loss[pair_random(&dice) % 5];
    sc.faults.duplicate = loss[pair_random(&dice) % 5];
    sc.faults.delay_ns = (1 + pair_random(&dice) % 100) * (uint64_t)PAIR_MS;
    sc.n_bytes = 1 + pair_random(&dice) % 100000;
    if (sc.mss_max == 100 && sc.v6)
        sc.mss_max = 0;
    return sc;
}

static void streams_arrive_whole_over_a_good_link(void **state)
{
    (void)state;
    uint64_t fast = 0;
    for (int v6 = 0; v6 < 2; v6++) {
        struct scenario sc = plain(1);
        sc.v6 = v6;
        transfer(&sc, &fast);
    }
    assert_true(fast > 100); /* the fast path has seen most of it */
}

static void streams_arrive_whole_whatever_the_link_does(void **state)
{
    (void)state;
    uint64_t fast = 0;
    const char *only = getenv("TERN_SEED");
    if (only != NULL) {
        const struct scenario sc = drawn(strtoull(only, NULL, 10));
        transfer(&sc, &fast);
        return;
    }
    for (uint64_t seed = 1; seed <= 200; seed++) {
        const struct scenario sc = drawn(seed);
        transfer(&sc, &fast);
    }
}

static void fast_path_off_gives_the_same_trace(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t with = 0, without = 0;
        struct scenario sc = drawn(seed);
        const uint64_t hash = transfer(&sc, &with);
        sc.slow_path_only = true;
        if (transfer(&sc, &without) != hash)
            fail_msg("TERN_SEED=%lu: the fast path changes the wire", seed);
        assert_int_equal(without, 0);
    }
}

static void same_seed_gives_the_same_trace(void **state)
{
    (void)state;
    uint64_t fast = 0;
    const struct scenario sc = drawn(7), other = drawn(8);
    const uint64_t hash = transfer(&sc, &fast);
    assert_true(transfer(&sc, &fast) == hash);
    assert_true(transfer(&other, &fast) != hash);
}

static int start(void **state)
{
    (void)state;
    struct tern_error err = {0};
    return tern_embed_start(512, &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_arrive_whole_over_a_good_link),
        cmocka_unit_test(streams_arrive_whole_whatever_the_link_does),
        cmocka_unit_test(fast_path_off_gives_the_same_trace),
        cmocka_unit_test(same_seed_gives_the_same_trace),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
