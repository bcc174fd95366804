/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Two tern instances in virtual time, joined by a link that may lose, duplicate and delay packets.
 * One generator from one seed draws every fault, so a failure is repeated by its seed alone.
 * Everything that goes over the link is also hashed: equal scenarios must lead to equal hashes.
 */
#include <tern/embed.h>

#include "unit.h"

#include <stdlib.h>

enum { PAIR_MS = 1000000, PAIR_PACKET_MAX = 9300 };

struct pair_packet {
    uint64_t at_ns;
    uint64_t order; /* of sending; breaks ties */
    struct pair_packet *next;
    size_t n;
    uint8_t bytes[];
};

struct pair_faults {
    uint32_t loss, duplicate, reorder; /* per thousand */
    uint64_t delay_ns;
};

struct pair {
    struct tern_embed_config cfg[2];
    struct tern_embed *e[2];
    struct pair_packet *link[2]; /* under way to e[i], by time */
    struct pair_faults faults;
    union tern_addr addr[2];
    uint64_t now_ns, rng, n_sent, hash;
    uint32_t n_lost;
};

static inline uint32_t pair_random(struct pair *p)
{
    p->rng ^= p->rng << 13;
    p->rng ^= p->rng >> 7;
    p->rng ^= p->rng << 17;
    return (uint32_t)(p->rng >> 16);
}

static inline bool pair_happens(struct pair *p, uint32_t per_thousand)
{
    return pair_random(p) % 1000 < per_thousand;
}

/** Configurations with every default; change them, then pair_open(). */
static inline void pair_init(struct pair *p, bool v6, uint64_t seed)
{
    static const char *const text[2][2] = {
        {"198.18.0.1/24", "198.18.0.2/24"}, {"2001:2::1/64", "2001:2::2/64"}};
    *p = (struct pair){.rng = seed * 0x9e3779b97f4a7c15u + 1, .now_ns = 1000 * (uint64_t)PAIR_MS};
    p->faults.delay_ns = 10 * PAIR_MS;
    for (int i = 0; i < 2; i++) {
        tern_embed_config_init(&p->cfg[i]);
        assert_int_equal(tern_prefix_parse(text[v6][i], &p->cfg[i].stack.addrs[0]), 0);
        p->addr[i] = p->cfg[i].stack.addrs[0].addr;
        p->cfg[i].stack.n_addrs = 1;
        p->cfg[i].stack.seed[0] = seed;
        p->cfg[i].stack.seed[1] = (uint64_t)i;
        p->cfg[i].stack.time_wait_ms = 100;
    }
}

static inline void pair_open(struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        struct tern_error err = {0};
        if (tern_embed_open(&p->cfg[i], p->now_ns, &p->e[i], &err) != 0)
            fail_msg("%s", err.text);
    }
}

static inline void pair_put(struct pair *p, int to, const uint8_t *bytes, size_t n, uint64_t at_ns)
{
    struct pair_packet *k = malloc(sizeof *k + n);
    assert_non_null(k);
    *k = (struct pair_packet){.at_ns = at_ns, .order = p->n_sent, .n = n};
    memcpy(k->bytes, bytes, n);
    struct pair_packet **link = &p->link[to];
    while (*link != NULL && (*link)->at_ns <= at_ns)
        link = &(*link)->next;
    k->next = *link;
    *link = k;
}

static inline void pair_carry(struct pair *p, int from, const uint8_t *bytes, size_t n)
{
    p->n_sent++;
    for (size_t i = 0; i < n; i++)
        p->hash = (p->hash ^ bytes[i]) * 0x100000001b3u;
    p->hash ^= p->now_ns;
    if (pair_happens(p, p->faults.loss)) {
        p->n_lost++;
        return;
    }
    uint64_t at_ns = p->now_ns + p->faults.delay_ns;
    if (pair_happens(p, p->faults.reorder))
        at_ns += pair_random(p) % (3 * p->faults.delay_ns);
    pair_put(p, 1 - from, bytes, n, at_ns);
    if (pair_happens(p, p->faults.duplicate))
        pair_put(p, 1 - from, bytes, n, at_ns + pair_random(p) % (2 * p->faults.delay_ns));
}

/** Everything that is ready to be sent goes onto the link. */
static inline void pair_flush(struct pair *p)
{
    static uint8_t buf[PAIR_PACKET_MAX];
    for (int i = 0; i < 2; i++) {
        size_t n;
        while ((n = tern_embed_output(p->e[i], buf, sizeof buf)) > 0)
            pair_carry(p, i, buf, n);
    }
}

/** When the next thing happens. @return false: nothing will */
static inline bool pair_next(const struct pair *p, uint64_t *at_ns)
{
    bool any = false;
    for (int i = 0; i < 2; i++) {
        uint64_t t;
        if (p->link[i] != NULL && (!any || p->link[i]->at_ns < *at_ns)) {
            *at_ns = p->link[i]->at_ns;
            any = true;
        }
        if (tern_embed_deadline(p->e[i], &t) && (!any || t < *at_ns)) {
            *at_ns = t;
            any = true;
        }
    }
    return any;
}

/** One event: time moves to it, due packets arrive, timers fire. @return false: nothing is left */
static inline bool pair_step(struct pair *p)
{
    uint64_t at_ns = 0;
    pair_flush(p);
    if (!pair_next(p, &at_ns))
        return false;
    if (at_ns > p->now_ns)
        p->now_ns = at_ns;
    for (int i = 0; i < 2; i++) {
        while (p->link[i] != NULL && p->link[i]->at_ns <= p->now_ns) {
            struct pair_packet *k = p->link[i];
            p->link[i] = k->next;
            tern_embed_input(p->e[i], k->bytes, k->n, p->now_ns);
            free(k);
        }
        tern_embed_advance(p->e[i], p->now_ns);
    }
    return true;
}

/** Let time pass until nothing is left to happen, at most `ms`. */
static inline void pair_run_ms(struct pair *p, uint64_t ms)
{
    const uint64_t end_ns = p->now_ns + ms * PAIR_MS;
    uint64_t at_ns = 0;
    for (pair_flush(p); pair_next(p, &at_ns) && at_ns <= end_ns; pair_flush(p))
        pair_step(p);
}

/** Close both; nothing may be left behind, and the books close. */
static inline void pair_close(struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        struct tern_embed_leaks leaks;
        assert_true(tern_stats_balance(tern_shard_stats(tern_embed_shard(p->e[i]))));
        tern_embed_close(p->e[i], &leaks);
        assert_int_equal(leaks.mbufs, 0);
        assert_int_equal(leaks.records, 0);
        assert_int_equal(leaks.timers, 0);
        while (p->link[i] != NULL) {
            struct pair_packet *k = p->link[i];
            p->link[i] = k->next;
            free(k);
        }
    }
}
