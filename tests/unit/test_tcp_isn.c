/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Initial sequence numbers as an outsider sees them: along the clock for one four-tuple, without
 * any relation from one to the next, different with every seed. The bounds are such that chance
 * alone breaks them less than once in 10^9 seeds; the seed is fixed, so they hold or do not.
 */
#include "tcp/tcp.h"
#include "unit.h"

#include <stdlib.h>

enum {
    N_TUPLES = 2000,
    N_KEY_BITS4 = 96, /* two addresses and two ports */
    N_KEY_BITS6 = 288,
};

static struct tern_tcp tcp;

static void seed_with(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    const uint64_t seed[4] = {a, b, c, d};
    tern_keys_init(&tcp.keys, seed);
}

static int set_up(void **state)
{
    (void)state;
    memset(&tcp, 0, sizeof tcp);
    tern_stack_config_init(&tcp.cfg);
    tcp.now_ns = 12345678901;
    seed_with(1, 2, 3, 4);
    return 0;
}

static struct tern_flow_key key4(uint16_t rport)
{
    return (struct tern_flow_key){
        .remote = tern_addr_from_v4(0x020012c6), /* 198.18.0.2 */
        .local = tern_addr_from_v4(0x010012c6),
        .rport = rport,
        .lport = 80,
    };
}

static struct tern_flow_key key6(uint16_t rport)
{
    struct tern_flow_key k = {.rport = rport, .lport = 80};
    assert_int_equal(tern_addr_parse("2001:2::2", &k.remote), 0);
    assert_int_equal(tern_addr_parse("2001:2::1", &k.local), 0);
    return k;
}

/** The same with one bit of what matters in it turned over. */
static struct tern_flow_key key_with_bit(struct tern_flow_key k, uint32_t bit)
{
    const bool v4 = tern_addr_is_v4(&k.remote);
    const uint32_t addr_bits = v4 ? 32 : 128, first = v4 ? 12 : 0;
    if (bit < 2 * addr_bits) {
        union tern_addr *a = bit < addr_bits ? &k.remote : &k.local;
        a->b[first + bit % addr_bits / 8] ^= (uint8_t)(1u << bit % 8);
    } else {
        const uint32_t rest = bit - 2 * addr_bits;
        *(rest < 16 ? &k.rport : &k.lport) ^= (uint16_t)(1u << rest % 16);
    }
    return k;
}

static int compare_u32(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static uint32_t count_repeated(uint32_t *v, uint32_t n)
{
    uint32_t n_same = 0;
    qsort(v, n, sizeof *v, compare_u32);
    for (uint32_t i = 1; i < n; i++)
        n_same += v[i] == v[i - 1];
    return n_same;
}

/* V083 */
static void one_tuple_goes_along_the_clock(void **state) /* MUST-8, 6528-1, SHLD-1 */
{
    (void)state;
    static const uint64_t after_ns[] = {
        0, 3999, 4000, 1000000, 1000000000, 86400000000000, 4000 * (UINT64_C(1) << 32), 1u << 31};
    const struct tern_flow_key keys[] = {key4(40000), key6(40000)};
    const uint64_t start_ns = tcp.now_ns = 4000 * UINT64_C(1000000);
    for (int f = 0; f < 2; f++) {
        tcp.now_ns = start_ns;
        const uint32_t first = tern_isn(&tcp, &keys[f]).v;
        for (size_t i = 0; i < sizeof after_ns / sizeof after_ns[0]; i++) {
            tcp.now_ns = start_ns + after_ns[i];
            assert_int_equal(tern_isn(&tcp, &keys[f]).v - first, (uint32_t)(after_ns[i] / 4000));
        }
    }
}

/** From what is seen of one port nothing follows for the next. */
static void look_at_neighbours(struct tern_flow_key (*key)(uint16_t))
{
    static uint32_t step[N_TUPLES];
    uint32_t n_set[32] = {0};
    for (uint16_t i = 0; i < N_TUPLES; i++) {
        const struct tern_flow_key a = key((uint16_t)(40000 + i)), b = key((uint16_t)(40001 + i));
        step[i] = tern_isn(&tcp, &b).v - tern_isn(&tcp, &a).v;
        for (int bit = 0; bit < 32; bit++)
            n_set[bit] += step[i] >> bit & 1;
    }
    for (int bit = 0; bit < 32; bit++) /* 1000 and six deviations of 22 */
        assert_in_range(n_set[bit], N_TUPLES / 2 - 134, N_TUPLES / 2 + 134);
    assert_int_equal(count_repeated(step, N_TUPLES), 0);
}

/* V081, V082, V084 */
static void neighbouring_ports_are_unrelated(void **state) /* MUST-9, SHLD-1, 6528-1 */
{
    (void)state;
    look_at_neighbours(key4);
    look_at_neighbours(key6);
}

/** Bits that change with one bit of the four-tuple: half of them on average. */
static void turn_every_bit(const struct tern_flow_key *k, uint32_t n_bits)
{
    const uint32_t isn = tern_isn(&tcp, k).v;
    uint32_t n_changed = 0;
    for (uint32_t bit = 0; bit < n_bits; bit++) {
        const struct tern_flow_key other = key_with_bit(*k, bit);
        const uint32_t changed = tern_isn(&tcp, &other).v ^ isn;
        assert_int_not_equal(changed, 0);
        n_changed += (uint32_t)__builtin_popcount(changed);
    }
    assert_in_range(n_changed, n_bits * 16 - n_bits * 2, n_bits * 16 + n_bits * 2);
}

/* V085 */
static void every_bit_of_the_tuple_counts(void **state) /* 6528-1 */
{
    (void)state;
    const struct tern_flow_key k4 = key4(40000), k6 = key6(40000);
    turn_every_bit(&k4, N_KEY_BITS4);
    turn_every_bit(&k6, N_KEY_BITS6);
}

/* V081, V084 */
static void another_seed_has_other_numbers_and_other_steps(void **state) /* 6528-2, MUST-9 */
{
    (void)state;
    const struct tern_flow_key a = key4(40000), b = key4(40001);
    uint32_t isn[65], step[65];
    for (uint32_t i = 0; i < 65; i++) { /* the first, and a bit in each quarter of each word */
        const uint64_t flip = i == 0 ? 0 : UINT64_C(1) << (i - 1) % 16 * 4;
        const uint32_t word = i == 0 ? 4 : (i - 1) / 16;
        seed_with(1 ^ (word == 0 ? flip : 0), 2 ^ (word == 1 ? flip : 0),
            3 ^ (word == 2 ? flip : 0), 4 ^ (word == 3 ? flip : 0));
        isn[i] = tern_isn(&tcp, &a).v;
        step[i] = tern_isn(&tcp, &b).v - isn[i];
    }
    assert_int_equal(count_repeated(isn, 65), 0);
    assert_int_equal(count_repeated(step, 65), 0);
}

/* V085, V088 */
static void timestamp_offset_is_of_another_key(void **state) /* MUST-9, 7323-10 */
{
    (void)state;
    static uint32_t apart[N_TUPLES];
    tcp.now_ns = 0; /* then an ISN is its hash alone */
    for (uint16_t i = 0; i < N_TUPLES; i++) {
        const struct tern_flow_key k = key4((uint16_t)(40000 + i));
        apart[i] = tern_isn(&tcp, &k).v - tern_ts_offset(&tcp, &k);
        assert_int_not_equal(apart[i], 0);
    }
    assert_int_equal(count_repeated(apart, N_TUPLES), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_tuple_goes_along_the_clock, set_up),
        cmocka_unit_test_setup(neighbouring_ports_are_unrelated, set_up),
        cmocka_unit_test_setup(every_bit_of_the_tuple_counts, set_up),
        cmocka_unit_test_setup(another_seed_has_other_numbers_and_other_steps, set_up),
        cmocka_unit_test_setup(timestamp_offset_is_of_another_key, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
