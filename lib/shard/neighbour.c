/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a neighbour entry.
 *
 *   UNKNOWN --output--> INCOMPLETE --answer--> REACHABLE --30 s--> STALE --output--> DELAY
 *      ^                    | 3 tries              ^ upper layer or answer  +5 s | PROBE
 *      +---3 s--- FAILED <--+                      +-----------------------------+--> asked again
 *
 * A state implies its timer and until when the link address is used without a thought: one table
 * below, one function that moves. REACHABLE has no timer; its age is looked at when it is used, as
 * RFC 4861 §7.3.2 allows. Each timer has one duration, so its queue is sorted by construction.
 *
 * Floods (attacks V175, V179, V180): no message from outside makes an entry. Whoever needs one
 * holds it by a reference; only idle ones are reused, those without a link address first, so that
 * names that nobody answers to push out each other and never a gateway, a static neighbour or a
 * peer with connections. Packets that wait are counted per entry and in all, broadcast questions a
 * second are limited, and who did not answer is not asked again for a while.
 */
#include "neighbour.h"

#include <tern/stats.h>

#include "arena.h"
#include "neighbour_entry.h"
#include "wire/build.h"
#include "wire/hint.h"

#include <assert.h>
#include <errno.h>

/* What a state implies. Ages: 0 = think each time, UINT64_MAX = a timer or nothing ends it. */
// clang-format off
static const struct {
    uint8_t timer;
    uint64_t fresh_ns;
} implied[TERN_NEIGH_STATE_COUNT] = {
    [TERN_NEIGH_UNKNOWN]    = {TERN_NEIGH_TIMER_NONE,   0},
    [TERN_NEIGH_INCOMPLETE] = {TERN_NEIGH_TIMER_RETRY,  0},
    [TERN_NEIGH_FAILED]     = {TERN_NEIGH_TIMER_FAILED, 0},
    [TERN_NEIGH_REACHABLE]  = {TERN_NEIGH_TIMER_NONE,   TERN_NEIGH_REACHABLE_NS},
    [TERN_NEIGH_STALE]      = {TERN_NEIGH_TIMER_NONE,   0},
    [TERN_NEIGH_DELAY]      = {TERN_NEIGH_TIMER_DELAY,  UINT64_MAX},
    [TERN_NEIGH_PROBE]      = {TERN_NEIGH_TIMER_RETRY,  UINT64_MAX},
    [TERN_NEIGH_STATIC]     = {TERN_NEIGH_TIMER_NONE,   UINT64_MAX},
};

static const uint64_t duration_ns[TERN_NEIGH_TIMER_COUNT] = {
    [TERN_NEIGH_TIMER_RETRY]  = TERN_NEIGH_RETRY_NS,
    [TERN_NEIGH_TIMER_DELAY]  = TERN_NEIGH_DELAY_NS,
    [TERN_NEIGH_TIMER_FAILED] = TERN_NEIGH_FAILED_NS,
};
// clang-format on

/* ---- timers: queues through timer_next, timer_prev ---- */

static void cancel_timer(struct tern_neigh_table *t, uint16_t idx)
{
    struct tern_neighbour *e = tern_neigh_at(t, idx);
    if (e->timer == TERN_NEIGH_TIMER_NONE)
        return;
    struct tern_neigh_list *l = &t->timers[e->timer];
    if (e->timer_prev != 0)
        tern_neigh_at(t, e->timer_prev)->timer_next = e->timer_next;
    else
        l->head = e->timer_next;
    if (e->timer_next != 0)
        tern_neigh_at(t, e->timer_next)->timer_prev = e->timer_prev;
    else
        l->tail = e->timer_prev;
    e->timer = TERN_NEIGH_TIMER_NONE;
}

static void arm_timer(struct tern_neigh_table *t, uint16_t idx, uint8_t timer)
{
    cancel_timer(t, idx);
    if (timer == TERN_NEIGH_TIMER_NONE)
        return;
    struct tern_neighbour *e = tern_neigh_at(t, idx);
    struct tern_neigh_list *l = &t->timers[timer];
    e->timer = timer;
    e->due_ns = t->now_ns + duration_ns[timer];
    e->timer_next = 0;
    e->timer_prev = l->tail;
    if (l->tail != 0)
        tern_neigh_at(t, l->tail)->timer_next = idx;
    else
        l->head = idx;
    l->tail = idx;
}

/* The armed entry that is due first, or 0. */
static uint16_t first_armed(const struct tern_neigh_table *t)
{
    uint16_t first = 0;
    for (int timer = TERN_NEIGH_TIMER_NONE + 1; timer < TERN_NEIGH_TIMER_COUNT; timer++) {
        const uint16_t head = t->timers[timer].head;
        if (head == 0)
            continue;
        if (first == 0 || tern_neigh_at(t, head)->due_ns < tern_neigh_at(t, first)->due_ns)
            first = head;
    }
    return first;
}

/* ---- idle entries: queues through idle_next, idle_prev ---- */

static struct tern_neigh_list *idle_list_of(
    struct tern_neigh_table *t, const struct tern_neighbour *e)
{
    return tern_neigh_has_mac(e) ? &t->idle_known : &t->idle_unknown;
}

static void idle_append(struct tern_neigh_table *t, uint16_t idx)
{
    struct tern_neighbour *e = tern_neigh_at(t, idx);
    struct tern_neigh_list *l = idle_list_of(t, e);
    e->idle_next = 0;
    e->idle_prev = l->tail;
    if (l->tail != 0)
        tern_neigh_at(t, l->tail)->idle_next = idx;
    else
        l->head = idx;
    l->tail = idx;
}

static void idle_remove(struct tern_neigh_table *t, uint16_t idx)
{
    const struct tern_neighbour *e = tern_neigh_at(t, idx);
    struct tern_neigh_list *l = idle_list_of(t, e);
    if (e->idle_prev != 0)
        tern_neigh_at(t, e->idle_prev)->idle_next = e->idle_next;
    else
        l->head = e->idle_next;
    if (e->idle_next != 0)
        tern_neigh_at(t, e->idle_next)->idle_prev = e->idle_prev;
    else
        l->tail = e->idle_prev;
}

static void hold_ref(struct tern_neigh_table *t, uint16_t idx)
{
    struct tern_neighbour *e = tern_neigh_at(t, idx);
    if (e->n_refs++ == 0)
        idle_remove(t, idx);
}

/* ---- by address: chains through hash_next ---- */

static uint16_t *bucket_of(const struct tern_neigh_table *t, const union tern_addr *a)
{
    const uint64_t words[2] = {a->q[0], a->q[1]};
    return &t->buckets[tern_siphash13(t->hash_key, words, 2) & (t->n_buckets - 1)];
}

uint16_t tern_neigh_find(const struct tern_neigh_table *t, const union tern_addr *addr)
{
    if (t->l2_bytes == 0)
        return 0;
    uint16_t idx = *bucket_of(t, addr);
    while (idx != 0 && !tern_addr_equal(&tern_neigh_at(t, idx)->addr, addr))
        idx = tern_neigh_at(t, idx)->hash_next;
    return idx;
}

static void unhash(struct tern_neigh_table *t, uint16_t idx)
{
    struct tern_neighbour *e = tern_neigh_at(t, idx);
    uint16_t *link = bucket_of(t, &e->addr);
    while (*link != idx)
        link = &tern_neigh_at(t, *link)->hash_next;
    *link = e->hash_next;
    e->hashed = false;
}

/* ---- states ---- */

static uint64_t fresh_until(uint64_t now_ns, uint64_t fresh_ns)
{
    const bool is_never_or_always = fresh_ns == 0 || fresh_ns == UINT64_MAX;
    return is_never_or_always ? fresh_ns : now_ns + fresh_ns;
}

void tern_neigh_enter(struct tern_neigh_table *t, uint16_t idx, enum tern_neigh_state next)
{
    struct tern_neighbour *e = tern_neigh_at(t, idx);
    const bool moves = e->n_refs == 0 && tern_neigh_has_mac(e) != (next >= TERN_NEIGH_REACHABLE);
    if (moves)
        idle_remove(t, idx);
    e->state = (uint8_t)next;
    e->n_asked = 0;
    e->doubted = false;
    e->fresh_until_ns = fresh_until(t->now_ns, implied[next].fresh_ns);
    arm_timer(t, idx, implied[next].timer);
    if (moves)
        idle_append(t, idx);
}

/* ---- packets that wait ---- */

static struct rte_mbuf *take_oldest_pending(struct tern_neigh_table *t, struct tern_neighbour *e)
{
    struct rte_mbuf *oldest = e->pending[0];
    e->n_pending--;
    t->n_pending--;
    memmove(&e->pending[0], &e->pending[1], e->n_pending * sizeof e->pending[0]);
    return oldest;
}

static void drop_pending(struct tern_neigh_table *t, uint16_t idx, enum tern_drop why)
{
    struct tern_neighbour *e = tern_neigh_at(t, idx);
    while (e->n_pending > 0)
        t->io.drop(t->io.ctx, take_oldest_pending(t, e), why);
}

/* The newest packets are worth most (RFC 1122 §2.3.2.2, RFC 4861 §7.2.2): the oldest makes room. */
static void add_pending(struct tern_neigh_table *t, uint16_t idx, struct rte_mbuf *m)
{
    struct tern_neighbour *e = tern_neigh_at(t, idx);
    if (e->n_pending == TERN_NEIGH_PENDING || t->n_pending == TERN_NEIGH_PENDING_ALL) {
        struct rte_mbuf *out = e->n_pending > 0 ? take_oldest_pending(t, e) : m;
        t->io.drop(t->io.ctx, out, TERN_DROP_NEIGH_QUEUE_FULL);
        if (out == m)
            return;
    }
    e->pending[e->n_pending++] = m;
    t->n_pending++;
}

static void send_pending(struct tern_neigh_table *t, uint16_t idx)
{
    struct tern_neighbour *e = tern_neigh_at(t, idx);
    while (e->n_pending > 0) {
        struct rte_mbuf *m = take_oldest_pending(t, e);
        if (tern_neigh_output(t, idx, m))
            t->io.send(t->io.ctx, m);
    }
}

/* ---- asking ---- */

bool tern_neigh_emit(struct tern_neigh_table *t, const struct tern_neigh_msg *msg,
    const uint8_t *dst_mac, const union tern_addr *dst)
{
    struct rte_mbuf *m = t->io.alloc(t->io.ctx);
    if (m == NULL)
        return false;
    struct tern_neigh_msg ours = *msg;
    ours.has_mac = true;
    memcpy(ours.mac, t->mac, sizeof ours.mac);
    uint8_t *at = (uint8_t *)rte_pktmbuf_append(m, TERN_NEIGH_FRAME_MAX);
    assert(at != NULL);
    const uint32_t n_bytes = tern_neigh_msg_build(at, &ours, dst_mac, dst, t->vlan);
    rte_pktmbuf_trim(m, (uint16_t)(TERN_NEIGH_FRAME_MAX - n_bytes));
    t->io.send(t->io.ctx, m);
    if (tern_addr_is_v4(&msg->target))
        t->stats->arp_sent++;
    else
        t->stats->ndp_sent++;
    return true;
}

/*
 * One question: to all while INCOMPLETE, to the known link address while PROBE (RFC 4861 §7.3.3).
 * One that cannot be sent now does not count as a try; the timer comes back to it.
 */
static void ask(struct tern_neigh_table *t, uint16_t idx)
{
    struct tern_neighbour *e = tern_neigh_at(t, idx);
    const union tern_addr *source = tern_route_source(t->routes, &e->addr);
    /* RFC 5227 §2.1.1, RFC 4862 §5.4: nothing is sent from an address that is still being probed.
     */
    if (source == NULL || !tern_neigh_addrs_ready(t))
        return;
    const bool to_all = e->state == TERN_NEIGH_INCOMPLETE;
    if (to_all && !tern_rate_take(&t->asks, t->now_ns))
        return;
    const struct tern_neigh_msg question = {.sender = *source, .target = e->addr};
    if (tern_neigh_emit(t, &question, to_all ? NULL : e->l2, to_all ? NULL : &e->addr))
        e->n_asked++;
}

void tern_neigh_start_asking(
    struct tern_neigh_table *t, uint16_t idx, enum tern_neigh_state incomplete_or_probe)
{
    tern_neigh_enter(t, idx, incomplete_or_probe);
    ask(t, idx);
}

/* ---- timers fire ---- */

/* Nobody answered. Last thing a caller does: the callback may change anything. */
static void fail(struct tern_neigh_table *t, uint16_t idx)
{
    tern_neigh_enter(t, idx, TERN_NEIGH_FAILED);
    drop_pending(t, idx, TERN_DROP_NEIGH_FAILED);
    if (tern_neigh_at(t, idx)->n_refs > 0)
        t->io.failed(t->io.ctx, idx);
}

/* The link address is not answered at any more: forget it (RFC 4861 §7.3.3), look for another. */
static void lose(struct tern_neigh_table *t, uint16_t idx)
{
    if (tern_neigh_at(t, idx)->n_refs > 0)
        tern_neigh_start_asking(t, idx, TERN_NEIGH_INCOMPLETE);
    else
        tern_neigh_enter(t, idx, TERN_NEIGH_UNKNOWN);
}

static void retry_or(void (*give_up)(struct tern_neigh_table *, uint16_t),
    struct tern_neigh_table *t, uint16_t idx, uint8_t tries)
{
    if (tern_neigh_at(t, idx)->n_asked >= tries) {
        give_up(t, idx);
        return;
    }
    arm_timer(t, idx, TERN_NEIGH_TIMER_RETRY);
    ask(t, idx);
}

static void expire(struct tern_neigh_table *t, uint16_t idx)
{
    const struct tern_neighbour *e = tern_neigh_at(t, idx);
    /* Where another link address was claimed, one silent second of the old one is enough. */
    const uint8_t probes = e->doubted ? 1 : TERN_NEIGH_TRIES;
    switch ((enum tern_neigh_state)e->state) {
    case TERN_NEIGH_INCOMPLETE: retry_or(fail, t, idx, TERN_NEIGH_TRIES); break;
    case TERN_NEIGH_PROBE: retry_or(lose, t, idx, probes); break;
    case TERN_NEIGH_DELAY: tern_neigh_start_asking(t, idx, TERN_NEIGH_PROBE); break;
    case TERN_NEIGH_FAILED: tern_neigh_enter(t, idx, TERN_NEIGH_UNKNOWN); break;
    case TERN_NEIGH_UNKNOWN:
    case TERN_NEIGH_REACHABLE:
    case TERN_NEIGH_STALE:
    case TERN_NEIGH_STATIC:
    case TERN_NEIGH_STATE_COUNT: assert(false); /* they have no timer */
    }
}

void tern_neigh_advance(struct tern_neigh_table *t, uint64_t now_ns)
{
    tern_neigh_heed_time(t, now_ns);
    tern_neigh_own_advance(t);
    for (int n = 0; n < TERN_NEIGH_TIMERS_PER_CALL; n++) {
        const uint16_t idx = first_armed(t);
        if (idx == 0 || tern_neigh_at(t, idx)->due_ns > t->now_ns)
            return;
        expire(t, idx);
    }
}

bool tern_neigh_next_deadline(const struct tern_neigh_table *t, uint64_t *at_ns)
{
    const uint16_t idx = first_armed(t);
    uint64_t at = t->phase_at_ns;
    if (idx != 0 && tern_neigh_at(t, idx)->due_ns < at)
        at = tern_neigh_at(t, idx)->due_ns;
    if (at == UINT64_MAX)
        return false;
    *at_ns = at;
    return true;
}

/* ---- output ---- */

bool tern_neigh_output_slow(struct tern_neigh_table *t, uint16_t idx, struct rte_mbuf *m)
{
    const struct tern_neighbour *e = tern_neigh_at(t, idx);
    if (idx == 0) {
        t->io.drop(t->io.ctx, m, TERN_DROP_NEIGH_TABLE_FULL);
        return false;
    }
    switch ((enum tern_neigh_state)e->state) {
    case TERN_NEIGH_UNKNOWN:
        tern_neigh_start_asking(t, idx, TERN_NEIGH_INCOMPLETE);
        add_pending(t, idx, m);
        return false;
    case TERN_NEIGH_INCOMPLETE: add_pending(t, idx, m); return false;
    case TERN_NEIGH_FAILED: t->io.drop(t->io.ctx, m, TERN_DROP_NEIGH_FAILED); return false;
    case TERN_NEIGH_REACHABLE:
    case TERN_NEIGH_STALE:
        /* RFC 4861 §7.3.3: sent as ever, and if no upper layer confirms it soon, asked. */
        tern_neigh_enter(t, idx, TERN_NEIGH_DELAY);
        break;
    case TERN_NEIGH_DELAY:
    case TERN_NEIGH_PROBE:
    case TERN_NEIGH_STATIC: break;
    case TERN_NEIGH_STATE_COUNT: assert(false);
    }
    tern_neigh_prepend(t, e, m);
    return true;
}

/* ---- getting, learning, confirming ---- */

/* An idle entry to reuse: one without a link address before one with, longest idle first; or 0, and
 * the newcomer is refused (V186). */
static uint16_t find_victim(const struct tern_neigh_table *t)
{
    return t->idle_unknown.head != 0 ? t->idle_unknown.head : t->idle_known.head;
}

static void evict(struct tern_neigh_table *t, uint16_t idx)
{
    tern_neigh_enter(t, idx, TERN_NEIGH_UNKNOWN);
    drop_pending(t, idx, TERN_DROP_NEIGH_TABLE_FULL);
    if (tern_neigh_at(t, idx)->hashed)
        unhash(t, idx);
}

/* A new, idle, UNKNOWN entry for `addr`, which has none; or 0. */
static TERN_RARE uint16_t make_entry(struct tern_neigh_table *t, const union tern_addr *addr)
{
    static const uint8_t no_mac[TERN_MAC_BYTES];
    const uint16_t idx = find_victim(t);
    if (idx == 0)
        return 0;
    evict(t, idx);
    struct tern_neighbour *e = tern_neigh_at(t, idx);
    uint16_t *bucket = bucket_of(t, addr);
    e->addr = *addr;
    e->doubt_again_ns = 0;
    e->hash_next = *bucket;
    e->hashed = true;
    *bucket = idx;
    const uint16_t ethertype = tern_addr_is_v4(addr) ? TERN_ETHERTYPE_IP4 : TERN_ETHERTYPE_IP6;
    tern_build_eth(e->l2, no_mac, t->mac, t->vlan, ethertype);
    return idx;
}

static uint16_t find_or_make(struct tern_neigh_table *t, const union tern_addr *addr)
{
    const uint16_t idx = tern_neigh_find(t, addr);
    return idx != 0 ? idx : make_entry(t, addr);
}

enum { L3_IDX = 1 };

uint16_t tern_neigh_get(struct tern_neigh_table *t, const union tern_addr *hop, uint64_t now_ns)
{
    tern_neigh_heed_time(t, now_ns);
    uint16_t idx = t->last_idx;
    const struct tern_neighbour *last = &t->entries[idx];
    if (t->l2_bytes == 0)
        idx = L3_IDX;
    else if (!last->hashed || !tern_addr_equal(&last->addr, hop)) /* seldom: most have one router */
        idx = t->last_idx = find_or_make(t, hop);
    if (idx != 0)
        hold_ref(t, idx);
    return idx;
}

void tern_neigh_put(struct tern_neigh_table *t, uint16_t idx)
{
    if (idx == 0)
        return;
    struct tern_neighbour *e = tern_neigh_at(t, idx);
    assert(idx <= t->capacity && e->n_refs > 0);
    if (--e->n_refs == 0)
        idle_append(t, idx);
}

void tern_neigh_accept(
    struct tern_neigh_table *t, uint16_t idx, const uint8_t mac[6], enum tern_neigh_state next)
{
    assert(next >= TERN_NEIGH_REACHABLE);
    memcpy(tern_neigh_at(t, idx)->l2, mac, TERN_MAC_BYTES);
    tern_neigh_enter(t, idx, next);
    send_pending(t, idx);
}

void tern_neigh_confirm_slow(struct tern_neigh_table *t, uint16_t idx, uint64_t now_ns)
{
    const struct tern_neighbour *e = tern_neigh_at(t, idx);
    tern_neigh_heed_time(t, now_ns);
    if (tern_neigh_has_mac(e) && e->state != TERN_NEIGH_STATIC)
        tern_neigh_enter(t, idx, TERN_NEIGH_REACHABLE);
}

void tern_neigh_doubt(struct tern_neigh_table *t, uint16_t idx, uint64_t now_ns)
{
    tern_neigh_heed_time(t, now_ns);
    struct tern_neighbour *e = tern_neigh_at(t, idx);
    const bool is_settled = e->state == TERN_NEIGH_REACHABLE || e->state == TERN_NEIGH_STALE
                            || e->state == TERN_NEIGH_DELAY;
    if (idx == 0 || !is_settled || t->now_ns < e->doubt_again_ns)
        return;
    e->doubt_again_ns = t->now_ns + TERN_NEIGH_LOCK_NS;
    tern_neigh_start_asking(t, idx, TERN_NEIGH_PROBE);
}

void tern_neigh_learn_at(struct tern_neigh_table *t, uint16_t idx, const union tern_addr *addr,
    const uint8_t mac[6], uint64_t now_ns)
{
    const struct tern_neighbour *e = tern_neigh_at(t, idx);
    tern_neigh_heed_time(t, now_ns);
    /* What comes from behind a router says nothing about which router (V174). */
    if (t->l2_bytes == 0 || idx == 0 || !tern_addr_equal(&e->addr, addr))
        return;
    if (tern_neigh_has_mac(e)) {
        if (memcmp(e->l2, mac, TERN_MAC_BYTES) == 0)
            tern_neigh_confirm(t, idx, now_ns);
    } else if (tern_neigh_is_station(t, mac)) {
        tern_neigh_accept(t, idx, mac, TERN_NEIGH_REACHABLE);
    }
}

enum tern_neigh_state tern_neigh_state(const struct tern_neigh_table *t, uint16_t idx)
{
    const struct tern_neighbour *e = tern_neigh_at(t, idx);
    if (e->state == TERN_NEIGH_REACHABLE && t->now_ns >= e->fresh_until_ns)
        return TERN_NEIGH_STALE;
    return (enum tern_neigh_state)e->state;
}

/* ---- making and ending ---- */

static uint32_t n_buckets_for(uint32_t capacity)
{
    uint32_t n = 1;
    while (n < 2 * capacity)
        n *= 2;
    return n;
}

static size_t entries_bytes(uint32_t capacity)
{
    return ((size_t)capacity + 1) * sizeof(struct tern_neighbour);
}

size_t tern_neigh_bytes(uint32_t neighbours_max)
{
    return entries_bytes(neighbours_max) + n_buckets_for(neighbours_max) * sizeof(uint16_t);
}

static int map_memory(struct tern_neigh_table *t, int numa_node)
{
    t->mapped_bytes = tern_neigh_bytes(t->capacity);
    uint8_t *base = tern_arena_map(t->mapped_bytes, numa_node, NULL);
    if (base == NULL)
        return -ENOMEM;
    t->entries = (struct tern_neighbour *)(void *)base;
    t->buckets = (uint16_t *)(void *)(base + entries_bytes(t->capacity));
    t->n_buckets = n_buckets_for(t->capacity);
    for (uint32_t idx = 1; idx <= t->capacity; idx++)
        idle_append(t, (uint16_t)idx);
    return 0;
}

/* An entry that the table itself holds for good. */
static void install(struct tern_neigh_table *t, const union tern_addr *addr, const uint8_t *mac)
{
    const uint16_t idx = tern_neigh_get(t, addr, t->now_ns);
    assert(idx != 0);
    if (mac != NULL)
        tern_neigh_accept(t, idx, mac, TERN_NEIGH_STATIC);
}

static void install_configured(struct tern_neigh_table *t, const struct tern_stack_config *cfg)
{
    for (uint32_t i = 0; i < cfg->n_neighbours; i++)
        install(t, &cfg->neighbours[i].addr, cfg->neighbours[i].mac);
    if (t->routes->has_gateway4)
        install(t, &t->routes->gateway4, NULL);
    if (t->routes->has_gateway6)
        install(t, &t->routes->gateway6, NULL);
}

static uint32_t l2_bytes_of(const struct tern_stack_config *cfg)
{
    if (cfg->l3)
        return 0;
    return cfg->vlan != 0 ? TERN_ETH_BYTES + TERN_VLAN_BYTES : TERN_ETH_BYTES;
}

int tern_neigh_init(struct tern_neigh_table *t, const struct tern_neigh_params *params)
{
    static const uint64_t label[1] = {0x6e65696768ull}; /* "neigh" */
    const struct tern_stack_config *cfg = params->cfg;
    const struct tern_siphash_key secret = {cfg->seed[0], cfg->seed[1]};
    *t = (struct tern_neigh_table){
        .now_ns = params->now_ns,
        .capacity = cfg->l3 ? L3_IDX : cfg->neighbours_max,
        .l2_bytes = l2_bytes_of(cfg),
        .hash_key = {tern_siphash24(secret, label, 1), cfg->seed[2]},
        .asks = tern_rate_make(TERN_NEIGH_ASKS_PER_S, params->now_ns),
        .routes = params->routes,
        .stats = params->stats,
        .io = params->io,
        .vlan = cfg->vlan,
        .announces = params->announces,
    };
    assert(t->capacity <= TERN_NEIGH_CAPACITY_MAX);
    memcpy(t->mac, cfg->mac, sizeof t->mac);
    const int err = map_memory(t, cfg->numa_node);
    if (err != 0)
        return err;
    tern_neigh_own_init(t, cfg->dad && !cfg->l3, params->now_ns);
    if (cfg->l3)
        tern_neigh_enter(t, L3_IDX, TERN_NEIGH_STATIC);
    else
        install_configured(t, cfg);
    return 0;
}

void tern_neigh_fini(struct tern_neigh_table *t)
{
    if (t->entries == NULL)
        return;
    for (uint32_t idx = 1; idx <= t->capacity && t->n_pending > 0; idx++)
        drop_pending(t, (uint16_t)idx, TERN_DROP_STOPPING);
    tern_arena_unmap(t->entries, t->mapped_bytes);
    memset(t, 0, sizeof *t);
}
