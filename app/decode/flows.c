/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A chained hash table over one array, with a list of its records by last use. The hash is keyed
 * with a random number, so that a capture cannot be made whose connections all meet in one chain.
 */
#include "flows.h"

#include "states.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { NONE = APP_FLOWS_MAX }; /* no record */

struct app_flows {
    uint64_t key, seen, forgotten;
    uint32_t n, n_max; /* records in use; they are never given back, only taken over */
    uint32_t hash_shift;
    TAILQ_HEAD(app_flow_list, app_flow) lru;
    uint32_t *buckets;       /* [n_max], behind the records: chains of one */
    struct app_flow flows[]; /* [n_max] */
};

struct app_flows *app_flows_new(uint32_t n_max)
{
    const size_t records = n_max * sizeof(struct app_flow);
    assert(n_max >= 2 && n_max <= APP_FLOWS_MAX && (n_max & (n_max - 1)) == 0);
    struct app_flows *t = calloc(1, sizeof *t + records + n_max * sizeof t->buckets[0]);
    if (t == NULL)
        return NULL;
    if (getrandom(&t->key, sizeof t->key, 0) != (ssize_t)sizeof t->key)
        t->key = 0; /* then it is only not keyed */
    TAILQ_INIT(&t->lru);
    t->n_max = n_max;
    t->hash_shift = 64 - (uint32_t)__builtin_ctz(n_max);
    t->buckets = (uint32_t *)(t->flows + n_max);
    for (uint32_t i = 0; i < n_max; i++)
        t->buckets[i] = NONE;
    return t;
}

void app_flows_free(struct app_flows *t)
{
    free(t);
}

/* One round of a multiply and fold; the constant is 2^64 divided by the golden ratio. */
static uint64_t mix(uint64_t h, uint64_t word)
{
    const __uint128_t product = (__uint128_t)(h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_end(uint64_t key, const union tern_addr *a, uint16_t port)
{
    return mix(mix(mix(key, a->q[0]), a->q[1]), port);
}

/* The same for both directions: the ends' hashes are added. */
static uint32_t bucket_of(const struct app_flows *t, const struct app_flow_key *k)
{
    const uint64_t both = hash_end(t->key, &k->src, k->sport) + hash_end(t->key, &k->dst, k->dport);
    return (uint32_t)(mix(t->key, both) >> t->hash_shift);
}

static bool is_end(const struct app_end *e, const union tern_addr *a, uint16_t port)
{
    return e->port == port && tern_addr_equal(&e->addr, a);
}

/* Which end of the connection sent it, or -1: it is of another connection. */
static int sender_in(const struct app_flow *f, const struct app_flow_key *k)
{
    if (is_end(&f->ends[0], &k->src, k->sport) && is_end(&f->ends[1], &k->dst, k->dport))
        return 0;
    if (is_end(&f->ends[1], &k->src, k->sport) && is_end(&f->ends[0], &k->dst, k->dport))
        return 1;
    return -1;
}

static void forget(struct app_flows *t, struct app_flow *f)
{
    const struct app_flow_key k = {
        .src = f->ends[0].addr,
        .dst = f->ends[1].addr,
        .sport = f->ends[0].port,
        .dport = f->ends[1].port,
    };
    uint32_t *at = &t->buckets[bucket_of(t, &k)];
    while (&t->flows[*at] != f)
        at = &t->flows[*at].next_idx;
    *at = f->next_idx;
    TAILQ_REMOVE(&t->lru, f, lru);
    t->forgotten++;
}

static struct app_flow *take_record(struct app_flows *t)
{
    if (t->n < t->n_max)
        return &t->flows[t->n++];
    struct app_flow *oldest = TAILQ_LAST(&t->lru, app_flow_list);
    forget(t, oldest);
    return oldest;
}

static struct app_flow *add(struct app_flows *t, const struct app_flow_key *k, uint32_t *bucket)
{
    struct app_flow *f = take_record(t); /* may change *bucket */
    *f = (struct app_flow){.number = ++t->seen, .next_idx = *bucket};
    f->ends[0] = (struct app_end){.addr = k->src, .port = k->sport, .state = APP_STATE_UNKNOWN};
    f->ends[1] = (struct app_end){.addr = k->dst, .port = k->dport, .state = APP_STATE_UNKNOWN};
    *bucket = (uint32_t)(f - t->flows);
    TAILQ_INSERT_HEAD(&t->lru, f, lru);
    return f;
}

struct app_flow *app_flows_find(struct app_flows *t, const struct app_flow_key *key, uint32_t *from)
{
    uint32_t *bucket = &t->buckets[bucket_of(t, key)];
    *from = 0;
    for (uint32_t i = *bucket; i != NONE; i = t->flows[i].next_idx) {
        struct app_flow *f = &t->flows[i];
        const int sender = sender_in(f, key);
        if (sender < 0)
            continue;
        *from = (uint32_t)sender;
        TAILQ_REMOVE(&t->lru, f, lru);
        TAILQ_INSERT_HEAD(&t->lru, f, lru);
        return f;
    }
    return add(t, key, bucket);
}

void app_end_renew(struct app_end *e)
{
    *e = (struct app_end){.addr = e->addr, .port = e->port, .state = e->state};
}

void app_flow_renew(struct app_flows *t, struct app_flow *f)
{
    f->number = ++t->seen;
    for (int i = 0; i < 2; i++)
        app_end_renew(&f->ends[i]);
}

uint64_t app_flows_seen(const struct app_flows *t)
{
    return t->seen;
}

uint64_t app_flows_forgotten(const struct app_flows *t)
{
    return t->forgotten;
}
