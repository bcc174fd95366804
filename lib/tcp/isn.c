/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * Everything about a connection that an outsider must not be able to compute: initial sequence
 * number (RFC 6528), timestamp offset (RFC 7323 §7.1), place in the flow table. Each is a SipHash
 * of the four-tuple under a key of its own, so that learning one says nothing about another.
 */
#include <string.h>

enum {
    KEY_WORDS = 5,
    TFO_KEY_LABEL = 100,      /* apart from those of the other keys */
    ISN_BEYOND_OLD = 1 << 17, /* sequence space between an old connection and its successor */
};

/** The four-tuple as words. IPv4 takes two, so that the hash of the common case is short. */
static uint32_t key_words(const struct tern_flow_key *k, uint64_t w[KEY_WORDS])
{
    const uint64_t ports = (uint64_t)k->rport << 16 | k->lport;
    if (tern_addr_is_v4(&k->remote)) {
        w[0] = (uint64_t)k->remote.w[3] << 32 | k->local.w[3];
        w[1] = ports;
        return 2;
    }
    memcpy(w, &k->remote, sizeof k->remote);
    memcpy(w + 2, &k->local, sizeof k->local);
    w[4] = ports;
    return KEY_WORDS;
}

void tern_keys_init(struct tern_keys *k, const uint64_t seed[4])
{
    const struct tern_siphash_key master = {seed[0], seed[1]};
    struct tern_siphash_key *const keys[] = {&k->flow, &k->isn, &k->cookie, &k->port, &k->ts};
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
    uint64_t w[KEY_WORDS];
    const uint32_t n = key_words(key, w);
    return tern_siphash13(t->keys.flow, w, n);
}

struct tern_seq tern_isn(const struct tern_tcp *t, const struct tern_flow_key *key)
{
    if (unlikely(t->cfg.pins.has_isn))
        return (struct tern_seq){t->cfg.pins.isn};
    uint64_t w[KEY_WORDS];
    const uint32_t n = key_words(key, w);
    /* RFC 6528 §3: ISN = M + F (6528-1, SHLD-1). M advances every 4 µs (MUST-8), and F is keyed
     * (MUST-9). */
    const uint32_t m = (uint32_t)(t->now_ns / (4 * TERN_NS_PER_US));
    return (struct tern_seq){m + (uint32_t)tern_siphash24(t->keys.isn, w, n)};
}

struct tern_seq tern_isn_beyond(
    const struct tern_tcp *t, const struct tern_flow_key *key, struct tern_seq old_nxt)
{
    const struct tern_seq isn = tern_isn(t, key);
    if (t->cfg.pins.has_isn || tern_seq_before(old_nxt, isn))
        return isn;
    return tern_seq_add(old_nxt, ISN_BEYOND_OLD);
}

uint32_t tern_ts_offset(const struct tern_tcp *t, const struct tern_flow_key *key)
{
    uint64_t w[KEY_WORDS];
    const uint32_t n = key_words(key, w);
    return (uint32_t)tern_siphash24(t->keys.ts, w, n);
}
