/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * Everything about a connection that an outsider must not be able to compute: initial sequence
 * number (RFC 6528), timestamp offset (RFC 7323 §7.1), place in the flow table. Each is a keyed
 * pseudo-random function of the four-tuple under a key of its own, so that learning one says
 * nothing about another.
 */
#include "tuple.h"

enum {
    PRF_KEY_LABEL = 200, /* apart from those of the other keys */
    TFO_KEY_LABEL = 100,
    ISN_BEYOND_OLD = 1 << 17, /* sequence space between an old connection and its successor */
};

/* V081 */
static struct tern_prf of_tuple(const struct tern_prf_key *key, const struct tern_flow_key *k)
{
    return tern_tuple_prf(key, k, 0, (struct tern_prf){0});
}

/* V081..V085 */
void tern_keys_init(struct tern_keys *k, const uint64_t seed[4])
{
    const struct tern_siphash_key master = {seed[0], seed[1]};
    const uint64_t both[] = {seed[2], seed[3]};
    const struct tern_siphash_key own = {
        tern_siphash24(master, both, 2), tern_siphash24(master, both, 1)};
    struct tern_prf_key *const prfs[] = {&k->place, &k->isn, &k->cookie, &k->period, &k->ts};
    for (uint64_t i = 0; i < sizeof prfs / sizeof prfs[0]; i++)
        tern_prf_init(prfs[i], own, PRF_KEY_LABEL + i);

    struct tern_siphash_key *const keys[] = {&k->bbr, &k->port, &k->tfo_peers};
    for (uint64_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const uint64_t a[] = {2 * i, seed[2], seed[3]};
        const uint64_t b[] = {2 * i + 1, seed[2], seed[3]};
        keys[i]->k0 = tern_siphash24(master, a, 3);
        keys[i]->k1 = tern_siphash24(master, b, 3);
    }
    /* A client that had its Fast Open cookie from one worker may come to another: seed[3] is what
     * the workers of an endpoint differ by. */
    const uint64_t a[] = {TFO_KEY_LABEL, seed[2]}, b[] = {TFO_KEY_LABEL + 1, seed[2]};
    k->tfo = (struct tern_siphash_key){tern_siphash24(master, a, 2), tern_siphash24(master, b, 2)};
}

uint64_t tern_flow_hash(const struct tern_tcp *t, const struct tern_flow_key *key)
{
    return of_tuple(&t->keys.place, key).lo;
}

struct tern_seq tern_isn_from(const struct tern_tcp *t, struct tern_prf secret)
{
    if (unlikely(t->cfg.pins.has_isn))
        return (struct tern_seq){t->cfg.pins.isn};
    /* RFC 6528 §3: ISN = M + F (6528-1, SHLD-1). M advances every 4 µs (MUST-8), and F is keyed
     * (MUST-9). */
    const uint32_t m = (uint32_t)(t->now_ns / (4 * TERN_NS_PER_US));
    return (struct tern_seq){m + (uint32_t)secret.lo};
}

struct tern_seq tern_isn(const struct tern_tcp *t, const struct tern_flow_key *key)
{
    return tern_isn_from(t, of_tuple(&t->keys.isn, key));
}

struct tern_seq tern_isn_beyond(
    const struct tern_tcp *t, struct tern_seq isn, struct tern_seq old_nxt)
{
    if (t->cfg.pins.has_isn || tern_seq_before(old_nxt, isn))
        return isn;
    return tern_seq_add(old_nxt, ISN_BEYOND_OLD);
}

uint32_t tern_ts_offset(const struct tern_tcp *t, const struct tern_flow_key *key)
{
    return (uint32_t)of_tuple(&t->keys.ts, key).lo;
}
