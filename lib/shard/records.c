/* SPDX-License-Identifier: BSD-3-Clause */
#include "shard_struct.h"

/*
 * The records of a shard and the table that finds them: the part of tcp/host.h that is about
 * memory. A four-tuple has one entry in the flow table whatever record it is in; as it goes from
 * half-open to connection to TIME-WAIT the entry is pointed at the next record and never moves.
 * Each kind of record has its pool. Connections have a wheel of timers; what waits equally long has
 * a queue.
 */
#include "tcp/host.h"

#include <errno.h>

enum {
    EXPIRED_BATCH = 64,   /* connections … */
    EXPIRED_AT_ONCE = 16, /* … and TIME-WAIT records that are looked up beside each other */
    EXPIRED_PER_CALL = 1024,
};

/* ---- sizes ---- */

/** Connections that may be sending at one time. */
static uint32_t n_sending(const struct tern_stack_config *cfg)
{
    return cfg->sending_max != 0 && cfg->sending_max < cfg->conns_max ? cfg->sending_max
                                                                      : cfg->conns_max;
}

/** Few of the connections that are not idle hold gaps or rare options at once. */
static uint32_t n_few(const struct tern_stack_config *cfg)
{
    const uint32_t few = n_sending(cfg) / 8 > 1024 ? n_sending(cfg) / 8 : 1024;
    return few > cfg->conns_max ? cfg->conns_max : few;
}

/** A keep-alive for all makes it all, as does a search for the path MTU. */
static uint32_t n_rare(const struct tern_stack_config *cfg)
{
    const bool all = cfg->keepalive_ms != 0 || cfg->plpmtud == TERN_PLPMTUD_ALWAYS;
    return all ? cfg->conns_max : n_few(cfg);
}

static uint32_t n_rxq(const struct tern_stack_config *cfg)
{
    return n_few(cfg);
}

static bool any_v6(const struct tern_stack_config *cfg)
{
    for (uint32_t i = 0; i < cfg->n_addrs; i++)
        if (!tern_addr_is_v4(&cfg->addrs[i].addr))
            return true;
    return false;
}

static uint32_t n_addr6(const struct tern_stack_config *cfg)
{
    return any_v6(cfg) ? cfg->conns_max : 1;
}

static uint32_t n_half(const struct tern_stack_config *cfg)
{
    return cfg->syn_cookies == TERN_SYN_COOKIES_ALWAYS ? 1 : cfg->half_open_max;
}

static uint32_t n_flow(const struct tern_stack_config *cfg)
{
    return cfg->conns_max + n_half(cfg) + cfg->time_wait_max;
}

void tern_records_plan(const struct tern_stack_config *cfg, struct tern_memory_plan *plan)
{
    plan->conns = tern_pool_bytes(sizeof(struct tern_conn), cfg->conns_max)
                  + tern_pool_bytes(sizeof(struct tern_addr6), n_addr6(cfg));
    plan->flow = tern_flow_bytes_for(n_flow(cfg));
    plan->halves = tern_pool_bytes(sizeof(struct tern_half), n_half(cfg));
    plan->time_waits = tern_pool_bytes(sizeof(struct tern_tw), cfg->time_wait_max);
    plan->records = tern_pool_bytes(sizeof(struct tern_txq), n_sending(cfg))
                    + tern_pool_bytes(sizeof(struct tern_sent), n_sending(cfg) + cfg->sent_max)
                    + tern_pool_bytes(sizeof(struct tern_cong), n_sending(cfg))
                    + tern_pool_bytes(sizeof(struct tern_rxq), n_rxq(cfg))
                    + tern_pool_bytes(sizeof(struct tern_rare), n_rare(cfg));
    plan->other += tern_wheel_bytes();
}

static int init_pools(struct tern_shard *sh)
{
    const struct tern_stack_config *cfg = &sh->tcp.cfg;
    const struct {
        struct tern_pool *pool;
        size_t bytes;
        uint32_t n;
    } pools[] = {
        {&sh->conns, sizeof(struct tern_conn), cfg->conns_max},
        {&sh->addr6s, sizeof(struct tern_addr6), n_addr6(cfg)},
        {&sh->txqs, sizeof(struct tern_txq), n_sending(cfg)},
        {&sh->sents, sizeof(struct tern_sent), n_sending(cfg) + cfg->sent_max},
        {&sh->congs, sizeof(struct tern_cong), n_sending(cfg)},
        {&sh->rxqs, sizeof(struct tern_rxq), n_rxq(cfg)},
        {&sh->rares, sizeof(struct tern_rare), n_rare(cfg)},
        {&sh->halves, sizeof(struct tern_half), n_half(cfg)},
        {&sh->tws, sizeof(struct tern_tw), cfg->time_wait_max},
    };
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++) {
        const int rc =
            tern_pool_init(pools[i].pool, (uint32_t)pools[i].bytes, pools[i].n, cfg->numa_node);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int init_timers(struct tern_shard *sh)
{
    const uint32_t half_off = offsetof(struct tern_half, queue_next);
    for (int i = 0; i < TERN_SYNACK_TRIES_MAX; i++)
        tern_queue_init(&sh->half_queues[i], sh->halves.base, sh->halves.stride, half_off);
    const uint32_t tw_off = offsetof(struct tern_tw, queue_next);
    tern_queue_init(&sh->tw_queue, sh->tws.base, sh->tws.stride, tw_off);
    return tern_wheel_init(&sh->conn_wheel, sh->conns.base, sh->conns.stride,
        offsetof(struct tern_conn, wheel_next), sh->tcp.now_tick, sh->tcp.cfg.numa_node);
}

int tern_records_init(struct tern_shard *sh)
{
    int rc = tern_flow_init(&sh->flow, n_flow(&sh->tcp.cfg), sh->tcp.cfg.numa_node);
    if (rc == 0)
        rc = init_pools(sh);
    if (rc == 0)
        rc = init_timers(sh);
    if (rc != 0) {
        tern_records_fini(sh);
        return rc;
    }
    sh->pool_of[0] = sh->pool_of[TERN_REF_CONN] = &sh->conns; /* 0 is no kind */
    sh->pool_of[TERN_REF_HALF] = &sh->halves;
    sh->pool_of[TERN_REF_TW] = &sh->tws;
    sh->tcp.conns = (struct tern_conn *)(void *)sh->conns.base;
    sh->tcp.addr6s = (struct tern_addr6 *)(void *)sh->addr6s.base;
    sh->tcp.txqs = (struct tern_txq *)(void *)sh->txqs.base;
    sh->tcp.sents = (struct tern_sent *)(void *)sh->sents.base;
    sh->tcp.congs = (struct tern_cong *)(void *)sh->congs.base;
    sh->tcp.rxqs = (struct tern_rxq *)(void *)sh->rxqs.base;
    sh->tcp.rares = (struct tern_rare *)(void *)sh->rares.base;
    return 0;
}

void tern_records_fini(struct tern_shard *sh)
{
    struct tern_pool *const pools[] = {&sh->conns, &sh->addr6s, &sh->txqs, &sh->sents, &sh->congs,
        &sh->rxqs, &sh->rares, &sh->halves, &sh->tws};
    tern_wheel_fini(&sh->conn_wheel);
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++)
        tern_pool_fini(pools[i]);
    tern_flow_fini(&sh->flow);
}

/* ---- finding ---- */

struct match {
    const struct tern_shard *sh;
    const struct tern_flow_key *key;
};

static inline bool same(void *ctx, uint32_t ref)
{
    const struct match *m = ctx;
    return tern_ref_has_key(m->sh, ref, m->key);
}

uint32_t tern_records_find(
    const struct tern_shard *sh, const struct tern_flow_key *key, uint64_t hash)
{
    struct match m = {sh, key};
    return tern_flow_find(&sh->flow, hash, same, &m);
}

void tern_host_prefetch(struct tern_tcp *t, uint64_t hash)
{
    tern_flow_prefetch(&tern_shard_of(t)->flow, hash);
}

struct tern_tw *tern_host_find_tw(
    struct tern_tcp *t, const struct tern_flow_key *key, uint64_t hash, bool *in_use)
{
    struct tern_shard *sh = tern_shard_of(t);
    const uint32_t ref = tern_records_find(sh, key, hash);
    *in_use = ref != 0 && tern_ref_kind(ref) != TERN_REF_TW;
    return ref != 0 && !*in_use ? tern_pool_at(&sh->tws, tern_ref_idx(ref)) : NULL;
}

void tern_records_each(struct tern_shard *sh, void (*fn)(struct tern_shard *, uint32_t ref))
{
    for (uint32_t b = 0; b < sh->flow.n_buckets; b++) {
        const struct tern_flow_bucket *bucket = &sh->flow.buckets[b];
        for (int i = 0; i < TERN_FLOW_SLOTS; i++)
            if (bucket->tag[i] != 0)
                fn(sh, bucket->ref[i]);
    }
}

/* ---- connections ---- */

/** A connection like `as` that holds its key and next hop, not yet in the table; or NULL, and
 * nothing is held. */
static struct tern_conn *conn_make(struct tern_shard *sh, const struct tern_conn *as,
    const struct tern_flow_key *key, uint16_t neighbour)
{
    struct tern_tcp *t = &sh->tcp;
    const uint32_t idx = likely(neighbour != 0) ? tern_pool_get(&sh->conns) : 0;
    if (unlikely(idx == 0)) {
        tern_host_unroute(t, neighbour);
        return NULL;
    }
    struct tern_conn *c = &t->conns[idx];
    *c = *as;
    c->rport = key->rport;
    c->lport = key->lport;
    c->neighbour = neighbour;
    if (likely(tern_addr_is_v4(&key->remote))) {
        c->remote4 = key->remote.w[3];
        c->local4 = key->local.w[3];
    } else {
        c->flags = as->flags | TERN_CF_V6;
        c->remote4 = tern_pool_get(&sh->addr6s); /* as many as connections: never 0 */
        t->addr6s[c->remote4].remote = key->remote;
        t->addr6s[c->remote4].local = key->local;
    }
    return c;
}

static void conn_unmake(struct tern_shard *sh, struct tern_conn *c)
{
    tern_host_unroute(&sh->tcp, c->neighbour);
    if (c->flags & TERN_CF_V6)
        tern_pool_put(&sh->addr6s, c->remote4);
    tern_pool_put(&sh->conns, tern_conn_idx(&sh->tcp, c));
}

/* V213 */
struct tern_conn *tern_host_conn_new(struct tern_tcp *t, const struct tern_conn *as,
    const struct tern_flow_key *key, uint64_t hash, uint16_t neighbour)
{
    struct tern_shard *sh = tern_shard_of(t);
    struct tern_conn *c = conn_make(sh, as, key, neighbour);
    if (c == NULL)
        return NULL;
    if (tern_flow_insert(&sh->flow, hash, tern_ref(TERN_REF_CONN, tern_conn_idx(t, c))) == 0)
        return c;
    conn_unmake(sh, c);
    return NULL;
}

static uint32_t half_idx(const struct tern_shard *sh, const struct tern_half *h)
{
    return (uint32_t)(h - (const struct tern_half *)(const void *)sh->halves.base);
}

static uint32_t tw_idx(const struct tern_shard *sh, const struct tern_tw *tw)
{
    return (uint32_t)(tw - (const struct tern_tw *)(const void *)sh->tws.base);
}

/** Take a half-open record out of the queue it waits in. */
static void half_unqueue(struct tern_shard *sh, struct tern_half *h)
{
    if (h->queue_prev != TERN_QUEUE_OUT)
        tern_queue_remove(&sh->half_queues[(h->tries_queue >> 4) - 1], half_idx(sh, h));
}

/** A four-tuple moves to another record. @param slot  where its entry was last seen, or NULL */
static inline void replace(
    struct tern_shard *sh, uint32_t *slot, uint64_t hash, uint32_t old_ref, uint32_t new_ref)
{
    if (likely(slot != NULL && *slot == old_ref))
        *slot = new_ref;
    else
        tern_flow_replace(&sh->flow, hash, old_ref, new_ref);
}

struct tern_conn *tern_host_conn_from_half(struct tern_tcp *t, const struct tern_conn *as,
    struct tern_half *h, const struct tern_seg *seg, uint16_t neighbour)
{
    struct tern_shard *sh = tern_shard_of(t);
    struct tern_conn *c = conn_make(sh, as, &h->key, neighbour);
    if (c == NULL)
        return NULL;
    const uint32_t idx = half_idx(sh, h);
    replace(sh, seg->slot, seg->hash, tern_ref(TERN_REF_HALF, idx),
        tern_ref(TERN_REF_CONN, tern_conn_idx(t, c)));
    half_unqueue(sh, h);
    tern_pool_put(&sh->halves, idx);
    return c;
}

struct tern_tw *tern_host_tw_from_conn(
    struct tern_tcp *t, const struct tern_conn *c, const struct tern_seg *seg, uint32_t due)
{
    struct tern_shard *sh = tern_shard_of(t);
    const uint32_t idx = tern_pool_get(&sh->tws);
    if (unlikely(idx == 0)) {
        tern_host_conn_forget_at(t, c, seg->hash);
        return NULL;
    }
    struct tern_tw *tw = tern_pool_at(&sh->tws, idx);
    tw->key = seg->key;
    tern_queue_append(&sh->tw_queue, idx, due);
    replace(sh, seg->slot, seg->hash, tern_ref(TERN_REF_CONN, tern_conn_idx(t, c)),
        tern_ref(TERN_REF_TW, idx));
    return tw;
}

void tern_host_conn_forget(struct tern_tcp *t, const struct tern_conn *c)
{
    const struct tern_flow_key key = tern_conn_key(t, c);
    tern_host_conn_forget_at(t, c, tern_flow_hash(t, &key));
}

void tern_host_conn_forget_at(struct tern_tcp *t, const struct tern_conn *c, uint64_t hash)
{
    tern_flow_remove(&tern_shard_of(t)->flow, hash, tern_ref(TERN_REF_CONN, tern_conn_idx(t, c)));
}

void tern_host_conn_free(struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_shard *sh = tern_shard_of(t);
    const uint32_t idx = tern_conn_idx(t, c);
    tern_wheel_cancel(&sh->conn_wheel, idx);
    if (c->txq != 0)
        tern_pool_put(&sh->txqs, c->txq);
    if (c->rare != 0)
        tern_pool_put(&sh->rares, c->rare);
    if (c->cong != 0)
        tern_pool_put(&sh->congs, c->cong);
    conn_unmake(sh, c);
}

/* ---- half-open and TIME-WAIT ---- */

bool tern_host_halves_full(const struct tern_tcp *t)
{
    const struct tern_shard *sh = (const struct tern_shard *)(const void *)t;
    return sh->halves.n_used >= sh->halves.capacity;
}

struct tern_half *tern_host_half_new(
    struct tern_tcp *t, const struct tern_flow_key *key, uint64_t hash)
{
    struct tern_shard *sh = tern_shard_of(t);
    const uint32_t idx = tern_pool_get(&sh->halves);
    if (idx == 0)
        return NULL;
    if (tern_flow_insert(&sh->flow, hash, tern_ref(TERN_REF_HALF, idx)) != 0) {
        tern_pool_put(&sh->halves, idx);
        return NULL;
    }
    struct tern_half *h = tern_pool_at(&sh->halves, idx);
    *h = (struct tern_half){.key = *key, .queue_prev = TERN_QUEUE_OUT};
    return h;
}

void tern_host_half_free(struct tern_tcp *t, struct tern_half *h)
{
    struct tern_shard *sh = tern_shard_of(t);
    const uint32_t idx = half_idx(sh, h);
    tern_flow_remove(&sh->flow, tern_flow_hash(t, &h->key), tern_ref(TERN_REF_HALF, idx));
    half_unqueue(sh, h);
    tern_pool_put(&sh->halves, idx);
}

/** A record that is in no queue any more. */
static void tw_free(struct tern_shard *sh, uint32_t idx, uint64_t hash)
{
    tern_flow_remove(&sh->flow, hash, tern_ref(TERN_REF_TW, idx));
    tern_pool_put(&sh->tws, idx);
}

void tern_host_tw_free(struct tern_tcp *t, struct tern_tw *tw)
{
    struct tern_shard *sh = tern_shard_of(t);
    const uint32_t idx = tw_idx(sh, tw);
    tern_queue_remove(&sh->tw_queue, idx);
    tw_free(sh, idx, tern_flow_hash(t, &tw->key));
}

/* ---- records beside a connection ---- */

/** A zeroed record, or 0. */
static uint32_t get_zeroed(struct tern_pool *pool)
{
    const uint32_t idx = tern_pool_get(pool);
    if (idx != 0)
        memset(tern_pool_at(pool, idx), 0, pool->stride);
    return idx;
}

uint32_t tern_host_txq_new(struct tern_tcp *t)
{
    return get_zeroed(&tern_shard_of(t)->txqs);
}

uint32_t tern_host_txq_take(struct tern_tcp *t)
{
    return tern_pool_get(&tern_shard_of(t)->txqs);
}

void tern_host_txq_free(struct tern_tcp *t, uint32_t idx)
{
    tern_pool_put(&tern_shard_of(t)->txqs, idx);
}

bool tern_host_txq_left(const struct tern_tcp *t)
{
    const struct tern_shard *sh = (const struct tern_shard *)(const void *)t;
    return sh->txqs.n_used < sh->txqs.capacity;
}

uint32_t tern_host_sent_new(struct tern_tcp *t, bool first)
{
    struct tern_shard *sh = tern_shard_of(t);
    if (first)
        return tern_pool_get(&sh->sents); /* as many as send queues: never 0 */
    if (!tern_host_sent_left(t))
        return 0;
    sh->n_sent_more++;
    return tern_pool_get(&sh->sents);
}

void tern_host_sent_free(struct tern_tcp *t, uint32_t idx, bool last)
{
    struct tern_shard *sh = tern_shard_of(t);
    sh->n_sent_more -= !last;
    tern_pool_put(&sh->sents, idx);
}

bool tern_host_sent_left(const struct tern_tcp *t)
{
    const struct tern_shard *sh = (const struct tern_shard *)(const void *)t;
    return sh->n_sent_more < t->cfg.sent_max;
}

uint32_t tern_host_cong_new(struct tern_tcp *t)
{
    return get_zeroed(&tern_shard_of(t)->congs);
}

void tern_host_cong_free(struct tern_tcp *t, uint32_t idx)
{
    tern_pool_put(&tern_shard_of(t)->congs, idx);
}

uint32_t tern_host_rxq_new(struct tern_tcp *t)
{
    return get_zeroed(&tern_shard_of(t)->rxqs);
}

void tern_host_rxq_free(struct tern_tcp *t, uint32_t idx)
{
    tern_pool_put(&tern_shard_of(t)->rxqs, idx);
}

/* V044 */
uint32_t tern_host_rare_new(struct tern_tcp *t)
{
    return get_zeroed(&tern_shard_of(t)->rares);
}

/* ---- timers ---- */

void tern_host_conn_timer(struct tern_tcp *t, struct tern_conn *c, uint32_t due)
{
    tern_wheel_arm(&tern_shard_of(t)->conn_wheel, tern_conn_idx(t, c), due);
}

void tern_host_half_timer(struct tern_tcp *t, struct tern_half *h, uint8_t tries, uint32_t due)
{
    struct tern_shard *sh = tern_shard_of(t);
    half_unqueue(sh, h);
    h->tries_queue = (uint8_t)(tries << 4 | (h->tries_queue & 0xf));
    tern_queue_append(&sh->half_queues[tries - 1], half_idx(sh, h), due);
}

void tern_host_tw_timer(struct tern_tcp *t, struct tern_tw *tw, uint32_t due)
{
    struct tern_shard *sh = tern_shard_of(t);
    const uint32_t idx = tw_idx(sh, tw);
    tern_queue_remove(&sh->tw_queue, idx);
    tern_queue_append(&sh->tw_queue, idx, due);
}

/** A half-open connection lives no longer than its listener (RFC 9293 §3.10.4). */
static void half_expired(struct tern_shard *sh, uint32_t idx)
{
    struct tern_half *h = tern_pool_at(&sh->halves, idx);
    if (tern_listeners_find(&sh->listeners, &h->key.local, h->key.lport) != NULL) {
        tern_half_timer(&sh->tcp, h);
        return;
    }
    sh->tcp.stats.half_refused++;
    tern_host_half_free(&sh->tcp, h);
}

/** Fire what is due in one queue. Each expiry frees its record or appends it to another queue. */
static void advance_halves(struct tern_shard *sh, struct tern_queue *q)
{
    for (uint32_t n = 0; n < EXPIRED_PER_CALL; n++) {
        const uint32_t idx = tern_queue_due(q, sh->tcp.now_tick);
        if (idx == 0)
            return;
        half_expired(sh, idx);
    }
}

/** A TIME-WAIT record that is due. */
struct tw_due {
    uint32_t idx;
    uint64_t hash;
};

/** The first of them leave their queue; what their going will read is asked for. */
static uint32_t tws_due(struct tern_shard *sh, struct tw_due due[EXPIRED_AT_ONCE])
{
    uint32_t n = 0;
    for (uint32_t at = tern_queue_due(&sh->tw_queue, sh->tcp.now_tick);
         at != 0 && n < EXPIRED_AT_ONCE;
         at = tern_queue_next_due(&sh->tw_queue, at, sh->tcp.now_tick)) {
        const struct tern_tw *tw = tern_pool_at(&sh->tws, at);
        const uint64_t hash = tern_flow_hash(&sh->tcp, &tw->key);
        tern_flow_prefetch(&sh->flow, hash);
        due[n++] = (struct tw_due){at, hash};
    }
    if (n > 0)
        tern_queue_shift(&sh->tw_queue, n, due[n - 1].idx);
    return n;
}

static void advance_tws(struct tern_shard *sh)
{
    struct tw_due due[EXPIRED_AT_ONCE];
    uint32_t n = EXPIRED_AT_ONCE;
    for (uint32_t done = 0; n == EXPIRED_AT_ONCE && done < EXPIRED_PER_CALL; done += n) {
        n = tws_due(sh, due);
        for (uint32_t i = 0; i < n; i++)
            tw_free(sh, due[i].idx, due[i].hash);
    }
}

/**
 * Fire what is due on the wheel. An expiry touches no other record's node but through the wheel,
 * and frees nothing (connections are freed when settled), so a batch stays valid.
 */
static void advance_conns(struct tern_shard *sh)
{
    uint32_t expired[EXPIRED_BATCH];
    uint32_t n = EXPIRED_BATCH;
    for (uint32_t done = 0; n == EXPIRED_BATCH && done < EXPIRED_PER_CALL; done += n) {
        n = tern_wheel_advance(&sh->conn_wheel, sh->tcp.now_tick, expired, EXPIRED_BATCH);
        for (uint32_t i = 0; i < n; i++)
            tern_conn_timers(&sh->tcp, &sh->tcp.conns[expired[i]]);
    }
}

void tern_records_advance(struct tern_shard *sh)
{
    advance_conns(sh);
    for (int i = 0; i < TERN_SYNACK_TRIES_MAX; i++)
        advance_halves(sh, &sh->half_queues[i]);
    advance_tws(sh);
}

uint32_t tern_records_n_armed(const struct tern_shard *sh)
{
    uint32_t n = sh->conn_wheel.n_armed + sh->tw_queue.n;
    for (int i = 0; i < TERN_SYNACK_TRIES_MAX; i++)
        n += sh->half_queues[i].n;
    return n;
}

static void sooner(const struct tern_shard *sh, uint32_t *tick, bool *any, uint32_t candidate)
{
    if (!*any || (int32_t)(candidate - sh->tcp.now_tick) < (int32_t)(*tick - sh->tcp.now_tick))
        *tick = candidate;
    *any = true;
}

static void queue_sooner(
    const struct tern_shard *sh, const struct tern_queue *q, uint32_t *tick, bool *any)
{
    if (q->head != 0)
        sooner(sh, tick, any, tern_queue_node(q, q->head)->due);
}

bool tern_records_next_tick(const struct tern_shard *sh, uint32_t *tick)
{
    uint32_t due;
    bool any = false;
    if (tern_wheel_next(&sh->conn_wheel, &due))
        sooner(sh, tick, &any, due);
    for (int i = 0; i < TERN_SYNACK_TRIES_MAX; i++)
        queue_sooner(sh, &sh->half_queues[i], tick, &any);
    queue_sooner(sh, &sh->tw_queue, tick, &any);
    return any;
}
