/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Two tern instances joined in virtual time: every packet one sends arrives at the other after
 * `delay_ns`, unless the hook has it lost, doubled or held back. Everything is a function of the
 * configuration and the seed, so a failure repeats.
 *
 * A `struct stream` is one direction of payload: it writes pattern bytes on one side as fast as
 * they are taken, reads them on the other and compares.
 */
#include "tcp_instance.h"
#include "wire_frames.h" /* next_random() */

#include <stdio.h>
#include <stdlib.h>

enum { PAIR_PORT = 80, PACKET_MAX = 2000 };

/** What becomes of a packet. */
enum fate {
    ARRIVES,
    IS_LOST,
    ARRIVES_TWICE,
    ARRIVES_LATE, /* behind later ones */
};

struct flying {
    struct flying *next; /* in the order of arrival */
    uint64_t at_ns;
    int to;
    uint32_t n;
    uint8_t packet[];
};

struct pair {
    bool v6;
    struct tern_embed_config cfg[2];
    struct tern_embed *end[2];
    union tern_addr addr[2];
    uint64_t now_ns, delay_ns, random;
    enum fate (*hook)(struct pair *pair, int from, const uint8_t *packet, uint32_t n);
    void (*on_event)(struct pair *pair); /* after every step */
    void *ctx;
    struct flying *flying;
    uint64_t n_packets[2], trace; /* sent by each end; hash of all that was sent, with its time */
    struct tern_sock *listener, *client, *server;
};

static inline void pair_init(struct pair *pair, bool v6)
{
    *pair =
        (struct pair){.v6 = v6, .now_ns = ms_to_ns(START_MS), .delay_ns = ms_to_ns(5), .random = 1};
    for (int i = 0; i < 2; i++) {
        tern_embed_config_init(&pair->cfg[i]);
        char text[32];
        snprintf(text, sizeof text, v6 ? "2001:db8::%d/64" : "192.0.2.%d/24", i + 1);
        struct tern_stack_config *c = &pair->cfg[i].stack;
        assert_int_equal(tern_prefix_parse(text, &c->addrs[0]), 0);
        c->n_addrs = 1;
        c->seed[0] = (uint64_t)i + 1;
        pair->addr[i] = c->addrs[0].addr;
    }
}

static inline void pair_open(struct pair *pair)
{
    struct tern_error err;
    for (int i = 0; i < 2; i++)
        if (tern_embed_open(&pair->cfg[i], pair->now_ns, &pair->end[i], &err) != 0)
            fail_msg("%s", err.text);
}

/** No leak on either side, and both books balance. */
static inline void pair_close(struct pair *pair)
{
    while (pair->flying != NULL) {
        struct flying *f = pair->flying;
        pair->flying = f->next;
        free(f);
    }
    for (int i = 0; i < 2; i++) {
        assert_books_balance(tern_embed_shard(pair->end[i]));
        assert_clean_close(pair->end[i]);
    }
}

static inline const struct tern_stats *pair_stats(const struct pair *pair, int end)
{
    return tern_shard_stats(tern_embed_shard(pair->end[end]));
}

/* ---- the wire ---- */

static inline void fly(struct pair *pair, int to, const uint8_t *packet, uint32_t n, uint64_t at_ns)
{
    struct flying *f = malloc(sizeof *f + n);
    assert_non_null(f);
    *f = (struct flying){.at_ns = at_ns, .to = to, .n = n};
    memcpy(f->packet, packet, n);
    struct flying **link = &pair->flying;
    while (*link != NULL && (*link)->at_ns <= at_ns)
        link = &(*link)->next;
    f->next = *link;
    *link = f;
}

static inline void trace(struct pair *pair, int from, const uint8_t *packet, uint32_t n)
{
    const uint64_t head[] = {pair->now_ns, (uint64_t)from};
    for (size_t i = 0; i < sizeof head; i++)
        pair->trace = (pair->trace ^ ((const uint8_t *)head)[i]) * 0x100000001b3u;
    for (uint32_t i = 0; i < n; i++)
        pair->trace = (pair->trace ^ packet[i]) * 0x100000001b3u;
}

static inline void send_off(struct pair *pair, int from, const uint8_t *packet, uint32_t n)
{
    const enum fate fate = pair->hook != NULL ? pair->hook(pair, from, packet, n) : ARRIVES;
    const uint64_t at_ns = pair->now_ns + pair->delay_ns;
    trace(pair, from, packet, n);
    pair->n_packets[from]++;
    if (fate == IS_LOST)
        return;
    fly(pair, !from, packet, n, fate == ARRIVES_LATE ? at_ns + 3 * pair->delay_ns : at_ns);
    if (fate == ARRIVES_TWICE)
        fly(pair, !from, packet, n, at_ns + pair->delay_ns / 2);
}

static inline void collect_packets(struct pair *pair)
{
    uint8_t packet[PACKET_MAX];
    size_t n;
    for (int i = 0; i < 2; i++)
        while ((n = tern_embed_output(pair->end[i], packet, sizeof packet)) > 0)
            send_off(pair, i, packet, (uint32_t)n);
}

/** When something happens next. @return false: never */
static inline bool next_event(const struct pair *pair, uint64_t *at_ns)
{
    bool any = pair->flying != NULL;
    if (any)
        *at_ns = pair->flying->at_ns;
    for (int i = 0; i < 2; i++) {
        uint64_t at;
        if (!tern_embed_deadline(pair->end[i], &at) || (any && at >= *at_ns))
            continue;
        *at_ns = at;
        any = true;
    }
    if (any && *at_ns < pair->now_ns)
        *at_ns = pair->now_ns;
    return any;
}

static inline void arrive_now(struct pair *pair)
{
    struct flying *f = pair->flying;
    pair->flying = f->next;
    tern_embed_input(pair->end[f->to], f->packet, f->n, pair->now_ns);
    free(f);
}

/** One event: an arrival, or time passing. @return false: nothing until limit_ns */
static inline bool pair_step(struct pair *pair, uint64_t limit_ns)
{
    uint64_t at_ns;
    collect_packets(pair);
    if (!next_event(pair, &at_ns) || at_ns > limit_ns)
        return false;
    pair->now_ns = at_ns;
    for (int i = 0; i < 2; i++)
        tern_embed_advance(pair->end[i], at_ns);
    if (pair->flying != NULL && pair->flying->at_ns <= at_ns)
        arrive_now(pair);
    if (pair->on_event != NULL)
        pair->on_event(pair);
    collect_packets(pair);
    return true;
}

/** Run for `ms`, or until nothing is left to happen. */
static inline void pair_run_ms(struct pair *pair, uint64_t ms)
{
    const uint64_t limit_ns = pair->now_ns + ms_to_ns(ms);
    while (pair_step(pair, limit_ns)) {
    }
    if (pair->now_ns < limit_ns)
        pair->now_ns = limit_ns;
}

/** end[0] connects to end[1]; both sockets are there when it returns. */
static inline void pair_connect(struct pair *pair)
{
    if (pair->listener == NULL)
        assert_int_equal(tern_sock_listen(pair->end[1], NULL, PAIR_PORT, 16, &pair->listener), 0);
    assert_int_equal(
        tern_sock_connect(pair->end[0], &pair->addr[1], PAIR_PORT, NULL, 0, &pair->client), 0);
    pair->server = NULL;
    for (int i = 0; i < 1000 && pair->server == NULL; i++) {
        pair_step(pair, UINT64_MAX);
        pair->server = tern_sock_accept(pair->listener);
    }
    assert_non_null(pair->server);
}

/* ---- payload ---- */

struct stream {
    struct tern_sock *from, *to;
    uint32_t total, written, read; /* bytes */
    bool fin;                      /* shut down behind the last byte */
    bool ended;                    /* EOF was read */
};

static inline void stream_write(struct stream *s)
{
    uint8_t bytes[4096];
    while (s->written < s->total) {
        uint32_t n = s->total - s->written;
        n = n < sizeof bytes ? n : sizeof bytes;
        for (uint32_t i = 0; i < n; i++)
            bytes[i] = pattern(s->written + i);
        const ssize_t took = tern_sock_send(s->from, bytes, n);
        if (took <= 0)
            return;
        s->written += (uint32_t)took;
    }
    if (s->fin) {
        tern_sock_shutdown(s->from);
        s->fin = false;
    }
}

static inline void stream_read(struct stream *s)
{
    uint8_t bytes[4096];
    ssize_t n;
    while ((n = tern_sock_recv(s->to, bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < n; i++)
            assert_int_equal(bytes[i], pattern(s->read++));
    s->ended |= n == 0;
}

static inline bool stream_is_done(const struct stream *s)
{
    return s->ended && s->read == s->total;
}

/* ---- a whole conversation ---- */

struct run {
    struct pair pair;
    struct stream streams[2];
    uint32_t lose, doubles, lates; /* in 1000 */
};

static inline void run_init(struct run *run, bool v6)
{
    memset(run, 0, sizeof *run);
    pair_init(&run->pair, v6);
}

/** Both ends' options and habits, and up to `fates_max` in 1000 of each fate, as the dice fall. */
static inline void run_draw(struct run *run, uint64_t *dice, uint32_t fates_max)
{
    for (int i = 0; i < 2; i++) {
        struct tern_stack_config *c = &run->pair.cfg[i].stack;
        c->timestamps = next_random(dice) % 2;
        c->sack = next_random(dice) % 2;
        c->window_scale = next_random(dice) % 2;
        c->nodelay = next_random(dice) % 2;
        c->ack_policy = (enum tern_ack_policy)(next_random(dice) % 3);
    }
    run->lose = next_random(dice) % fates_max;
    run->doubles = next_random(dice) % fates_max;
    run->lates = next_random(dice) % fates_max;
}

static inline void run_slow_path_only(struct run *run, bool slow_only)
{
    for (int i = 0; i < 2; i++)
        run->pair.cfg[i].stack.pins.slow_path_only = slow_only;
}

static inline enum fate random_fate(struct pair *pair, int from, const uint8_t *packet, uint32_t n)
{
    (void)from, (void)packet, (void)n;
    const struct run *run = pair->ctx;
    const uint32_t dice = next_random(&pair->random) % 1000;
    if (dice < run->lose)
        return IS_LOST;
    if (dice < run->lose + run->doubles)
        return ARRIVES_TWICE;
    return dice < run->lose + run->doubles + run->lates ? ARRIVES_LATE : ARRIVES;
}

static inline void pump(struct pair *pair)
{
    struct run *run = pair->ctx;
    for (int i = 0; i < 2; i++) {
        stream_write(&run->streams[i]);
        stream_read(&run->streams[i]);
    }
}

static inline void run_streams(
    struct run *run, struct tern_sock *a, struct tern_sock *b, uint32_t n)
{
    run->streams[0] = (struct stream){.from = a, .to = b, .total = n, .fin = true};
    run->streams[1] = (struct stream){.from = b, .to = a, .total = n, .fin = true};
    run->pair.on_event = pump;
}

static inline bool run_is_done(const struct run *run)
{
    return stream_is_done(&run->streams[0]) && stream_is_done(&run->streams[1]);
}

/** `n` bytes in each direction over the run's wire, then both FINs, to the end of TIME-WAIT. */
static inline void run_exchange(struct run *run, uint32_t n)
{
    struct pair *pair = &run->pair;
    pair->ctx = run;
    pair->hook = random_fate;
    pair_open(pair);
    pair_connect(pair);
    run_streams(run, pair->client, pair->server, n);
    pump(pair);
    for (int i = 0; i < 1800 && !run_is_done(run); i++)
        pair_run_ms(pair, 1000);
    assert_true(run_is_done(run));
    run->lose = 0;
    pair_run_ms(pair, 200000);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pair_stats(pair, i)->closed[TERN_CLOSE_NORMAL], 1);
        assert_int_equal(tern_shard_n_live(tern_embed_shard(pair->end[i])), 0);
    }
    pair_close(pair);
}

/** A test over both families: *state is not NULL for IPv6. */
#define FAMILIES(test)                                                                             \
    {#test " (IPv4)", test, NULL, NULL, NULL},                                                     \
    {                                                                                              \
#        test " (IPv6)", test, NULL, NULL, (void *)"6"                                             \
    }
