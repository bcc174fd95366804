/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A million four-tuples, chosen by somebody who knows tern's source and not its keys.
 *
 * Toeplitz and CRC are linear over exclusive or: Gaussian elimination gives the changes of a tuple
 * that leave the hash as it is, and every combination of those is another tuple with the very same
 * hash. The function of the flow table is not linear; under a known key tuples are tried until both
 * of their places are in one eighth of the buckets. That each set is as bad as it should be is
 * shown, too: a table that hashed so would refuse most of it.
 *
 * A probe is what a lookup looks at: a bucket, or a record whose tag fits.
 */
#include "link/prng.h"
#include "scenario.h"
#include "shard/flow_table.h"
#include "tcp/tcp.h"
#include "tcp/tuple.h"
#include "wire/bytes.h"

#include <stdlib.h>
#include <string.h>

enum {
    TUPLES = 1000000,
    FREE_BITS = 64, /* the last 32 of the remote address, both ports */
    HASH_BITS = 32,
    INPUT_BYTES_MAX = 36,
    SHARE_SHIFT = 3, /* the set against the unkeyed form has an eighth of the buckets to live in */
    PLACE_KEY_LABEL = 200, /* what isn.c derives the table's key by */
    PROBES_TIMES = 2,
    REFUSED_MIN_PERCENT = 50,
};

#define CRC32C_POLY UINT32_C(0x82f63b78) /* reversed */

/** The key every vendor's documents print as the example, and many drivers use. */
static const uint8_t toeplitz_key[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
    0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb,
    0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

/* ---- tuples: 32 bits of remote address, remote port, local port ---- */

static const union tern_addr net6 = {.b = {0x20, 0x01, 0, 2}};

static struct tern_flow_key key_of(uint64_t tuple, bool v6)
{
    struct tern_flow_key k = {.remote = tern_addr_from_v4(0), .local = tern_addr_from_v4(0)};
    if (v6)
        k.remote = k.local = net6;
    k.remote.w[3] = (uint32_t)(tuple >> 32);
    k.local.w[3] = __builtin_bswap32(1);
    k.rport = (uint16_t)(tuple >> 16);
    k.lport = (uint16_t)tuple;
    return k;
}

/** As RSS takes it in. @return bytes */
static uint32_t input_of(const struct tern_flow_key *k, bool v6, uint8_t in[INPUT_BYTES_MAX])
{
    const uint32_t n = v6 ? 16 : 4;
    memcpy(in, k->remote.b + 16 - n, n);
    memcpy(in + n, k->local.b + 16 - n, n);
    tern_store16(in + 2 * n, k->rport);
    tern_store16(in + 2 * n + 2, k->lport);
    return 2 * n + 4;
}

/* ---- hashes that are not ours ---- */

typedef uint32_t linear_hash(const uint8_t *in, uint32_t n);

static uint32_t toeplitz(const uint8_t *in, uint32_t n)
{
    uint32_t hash = 0;
    uint64_t window = (uint64_t)tern_load32(toeplitz_key) << 8 | toeplitz_key[4];
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t bit = 0; bit < 8; bit++)
            hash ^= (in[i] << bit & 0x80) != 0 ? (uint32_t)(window >> (8 - bit)) : 0;
        window = (window << 8 | (i + 5 < sizeof toeplitz_key ? toeplitz_key[i + 5] : 0))
                 & UINT64_C(0xffffffffff);
    }
    return hash;
}

static uint32_t crc32c(const uint8_t *in, uint32_t n)
{
    uint32_t crc = UINT32_MAX;
    for (uint32_t i = 0; i < n; i++) {
        crc ^= in[i];
        for (uint32_t bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? CRC32C_POLY : 0);
    }
    return ~crc;
}

static uint32_t hash_linearly(linear_hash *hash, uint64_t tuple, bool v6)
{
    uint8_t in[INPUT_BYTES_MAX];
    const struct tern_flow_key k = key_of(tuple, v6);
    return hash(in, input_of(&k, v6, in));
}

/** A change of a tuple, and what it changes in the hash. */
struct pivot {
    uint32_t image;
    uint64_t change;
};

/** Changes of a tuple that its hash does not show. @return how many, at least FREE_BITS - HASH_BITS
 */
static uint32_t find_kernel(linear_hash *hash, bool v6, uint64_t kernel[FREE_BITS])
{
    struct pivot pivots[HASH_BITS] = {{0}};
    const uint32_t origin = hash_linearly(hash, 0, v6);
    uint32_t n = 0;
    for (uint32_t bit = 0; bit < FREE_BITS; bit++) {
        uint64_t change = UINT64_C(1) << bit;
        uint32_t image = hash_linearly(hash, change, v6) ^ origin;
        while (image != 0 && pivots[__builtin_ctz(image)].image != 0) {
            const uint32_t top = (uint32_t)__builtin_ctz(image);
            image ^= pivots[top].image;
            change ^= pivots[top].change;
        }
        if (image == 0)
            kernel[n++] = change;
        else
            pivots[__builtin_ctz(image)] = (struct pivot){image, change};
    }
    return n;
}

/* ---- the sets ---- */

struct set {
    const char *name;
    linear_hash *linear; /* NULL: random, or by the table's function under a known key */
    bool by_known_key;
};

static const struct set sets[] = {
    {.name = "random"},
    {.name = "Toeplitz", .linear = toeplitz},
    {.name = "CRC32C", .linear = crc32c},
    {.name = "the unkeyed form", .by_known_key = true},
};

enum { N_SETS = sizeof sets / sizeof sets[0] };

/** The table's function under the key that an attacker would have if there were no secret. */
static uint64_t hash_unkeyed(uint64_t tuple, bool v6)
{
    static struct tern_prf_key key;
    static bool made;
    if (!made)
        tern_prf_init(&key, (struct tern_siphash_key){0, 0}, PLACE_KEY_LABEL);
    made = true;
    const struct tern_flow_key k = key_of(tuple, v6);
    return tern_tuple_prf(&key, &k, 0, (struct tern_prf){0}).lo;
}

/** Are both places that the entry may live in among the first few buckets? */
static bool crowds(const struct tern_flow_table *t, uint64_t hash)
{
    const struct tern_flow_place p = tern_flow_place(t, hash);
    const uint32_t few = t->n_buckets >> SHARE_SHIFT;
    return p.home < few && tern_flow_other(t, p.home, p.tag) < few;
}

static uint64_t draw_for_known_key(struct tern_prng *dice, bool v6)
{
    const struct tern_flow_table shape = {
        .n_buckets = (uint32_t)(tern_flow_bytes_for(TUPLES) / sizeof(struct tern_flow_bucket))};
    uint64_t tuple;
    do
        tuple = tern_prng_next(dice);
    while (!crowds(&shape, hash_unkeyed(tuple, v6)));
    return tuple;
}

static void draw_set(const struct set *s, bool v6, struct tern_prng *dice, uint64_t *tuples)
{
    uint64_t kernel[FREE_BITS], tuple = tern_prng_next(dice);
    if (s->linear != NULL)
        (void)find_kernel(s->linear, v6, kernel);
    for (uint32_t i = 0; i < TUPLES; i++) {
        if (s->linear != NULL)
            tuple ^= kernel[__builtin_ctz(i + 1)]; /* Gray code: every combination once */
        else
            tuple = s->by_known_key ? draw_for_known_key(dice, v6) : tern_prng_next(dice);
        tuples[i] = tuple;
    }
}

/* ---- the table under them ---- */

/** The hash that a table has: ours, or the one that the set was chosen against. */
typedef uint64_t table_hash(const struct set *s, const struct tern_keys *keys, uint64_t, bool v6);

static uint64_t hash_ours(
    const struct set *s, const struct tern_keys *keys, uint64_t tuple, bool v6)
{
    (void)s;
    const struct tern_flow_key k = key_of(tuple, v6);
    return tern_tuple_prf(&keys->place, &k, 0, (struct tern_prf){0}).lo;
}

static uint64_t hash_theirs(
    const struct set *s, const struct tern_keys *keys, uint64_t tuple, bool v6)
{
    (void)keys;
    if (s->linear == NULL)
        return hash_unkeyed(tuple, v6);
    const uint64_t hash = hash_linearly(s->linear, tuple, v6);
    return hash << 32 | hash;
}

struct question {
    uint32_t ref, n_asked;
};

static bool is_ref(void *ctx, uint32_t ref)
{
    struct question *q = ctx;
    q->n_asked++;
    return q->ref == ref;
}

/** Buckets and records that a lookup looks at. */
static uint32_t count_probes(const struct tern_flow_table *t, uint64_t hash, struct question *q)
{
    const struct tern_flow_place p = tern_flow_place(t, hash);
    struct question at_home = {.ref = q->ref};
    const bool home = tern_flow_bucket_find(&t->buckets[p.home], p.tag, is_ref, &at_home) != 0;
    return (home ? 1 : 2) + q->n_asked;
}

/** @return refused */
static uint32_t enter_all(struct tern_flow_table *t, const struct set *s, table_hash *hash,
    const struct tern_keys *keys, const uint64_t *tuples, bool v6)
{
    uint32_t refused = 0;
    if (tern_flow_init(t, TUPLES, -1) != 0)
        abort();
    for (uint32_t i = 0; i < TUPLES; i++)
        refused += tern_flow_insert(t, hash(s, keys, tuples[i], v6), i + 1) != 0;
    return refused;
}

static double refused_by_theirs(const struct set *s, const uint64_t *tuples, bool v6)
{
    struct tern_flow_table t;
    const uint32_t refused = enter_all(&t, s, hash_theirs, NULL, tuples, v6);
    tern_flow_fini(&t);
    return 100.0 * refused / TUPLES;
}

/** @param missing  refused, or not found again @return the longest probe */
static uint32_t probe_ours(const struct set *s, const struct tern_keys *keys,
    const uint64_t *tuples, bool v6, uint32_t *missing)
{
    struct tern_flow_table t;
    uint32_t longest = 0;
    *missing = enter_all(&t, s, hash_ours, keys, tuples, v6);
    for (uint32_t i = 0; i < TUPLES; i++) {
        struct question q = {.ref = i + 1};
        const uint64_t hash = hash_ours(s, keys, tuples[i], v6);
        *missing += tern_flow_find(&t, hash, is_ref, &q) == 0;
        longest = RTE_MAX(longest, count_probes(&t, hash, &q));
    }
    tern_flow_fini(&t);
    return longest;
}

static void try_set(const struct set *s, const struct tern_keys *keys, bool v6,
    const uint64_t *tuples, uint32_t *random_longest, struct sheet *out)
{
    const char *family = v6 ? "IPv6" : "IPv4";
    const bool adversarial = s->linear != NULL || s->by_known_key;
    uint32_t missing;
    const uint32_t longest = probe_ours(s, keys, tuples, v6, &missing);
    if (adversarial)
        sheet_add(out, refused_by_theirs(s, tuples, v6), "%", AT_LEAST, REFUSED_MIN_PERCENT,
            "%s, against %s: refused by a table that hashes so", family, s->name);
    else
        *random_longest = longest;
    sheet_add(out, longest, "", AT_MOST, (double)PROBES_TIMES * *random_longest,
        "%s, %s%s: longest probe", family, adversarial ? "against " : "", s->name);
    sheet_add(out, missing, "", EXACTLY, 0, "%s, %s%s: refused or not found", family,
        adversarial ? "against " : "", s->name);
}

void tuples_run(const void *what, const struct scenario_options *opt, struct sheet *out)
{
    (void)what;
    struct tern_prng dice = tern_prng_make(opt->seed, 0);
    uint64_t seed[4], *tuples = calloc(TUPLES, sizeof *tuples);
    struct tern_keys keys;
    if (tuples == NULL)
        abort();
    for (int i = 0; i < 4; i++)
        seed[i] = tern_prng_next(&dice);
    tern_keys_init(&keys, seed);
    for (int v6 = 0; v6 <= 1; v6++) {
        uint32_t random_longest = 0;
        for (int i = 0; i < N_SETS; i++) {
            draw_set(&sets[i], v6, &dice, tuples);
            try_set(&sets[i], &keys, v6, tuples, &random_longest, out);
        }
    }
    free(tuples);
}
