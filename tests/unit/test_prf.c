/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/prf.h"
#include "wire_frames.h"

static const struct tern_siphash_key master = {1, 2};

#ifdef __AES__
/** FIPS 197, appendix C.1: AES-128. */
static void block_equals_the_published_vector(void **state)
{
    (void)state;
    uint8_t key[TERN_PRF_KEY_BYTES], in[16], want[16], got[16];
    assert_int_equal(unhex("000102030405060708090a0b0c0d0e0f", key), 16);
    assert_int_equal(unhex("00112233445566778899aabbccddeeff", in), 16);
    assert_int_equal(unhex("69c4e0d86a7b0430d8cdb78070b4c55a", want), 16);
    struct tern_prf_key k;
    tern_prf_expand(&k, key);
    uint64_t w[2];
    memcpy(w, in, sizeof w);
    const struct tern_prf p = tern_prf4(&k, w[0], w[1]);
    memcpy(got, &p.lo, 8);
    memcpy(got + 8, &p.hi, 8);
    assert_memory_equal(got, want, 16);
}
#else
static void block_equals_the_published_vector(void **state)
{
    (void)state;
    struct tern_prf_key k;
    tern_prf_init(&k, master, 0);
    const uint64_t words[] = {3, 4};
    assert_true(tern_prf4(&k, 3, 4).lo == tern_siphash24(k.sip, words, 2));
}
#endif

static bool differ(struct tern_prf a, struct tern_prf b)
{
    return a.lo != b.lo && a.hi != b.hi;
}

static void each_bit_of_an_ipv4_tuple_changes_both_halves(void **state)
{
    (void)state;
    struct tern_prf_key k;
    tern_prf_init(&k, master, 0);
    const struct tern_prf base = tern_prf4(&k, 5, 6);
    assert_true(base.lo != base.hi);
    for (int bit = 0; bit < 64; bit++) {
        assert_true(differ(tern_prf4(&k, 5 ^ UINT64_C(1) << bit, 6), base));
        assert_true(differ(tern_prf4(&k, 5, 6 ^ UINT64_C(1) << bit), base));
    }
}

/* V100 */
static void each_bit_of_an_ipv6_tuple_changes_both_halves(void **state)
{
    (void)state;
    struct tern_prf_key k;
    tern_prf_init(&k, master, 0);
    uint8_t a[2][16] = {{0x20, 1, 0, 2}, {0x20, 1, 0, 2, 9}};
    const struct tern_prf base = tern_prf6(&k, a[0], a[1], 7);
    assert_true(base.lo != base.hi);
    for (int bit = 0; bit < 64; bit++)
        assert_true(differ(tern_prf6(&k, a[0], a[1], 7 ^ UINT64_C(1) << bit), base));
    for (int bit = 0; bit < 256; bit++) {
        uint8_t *byte = &a[bit / 128][bit % 128 / 8];
        *byte ^= (uint8_t)(1 << bit % 8);
        assert_true(differ(tern_prf6(&k, a[0], a[1], 7), base));
        *byte ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(differ(tern_prf6(&k, a[1], a[0], 7), base));
}

/* V085 */
static void each_label_and_master_is_another_function(void **state)
{
    (void)state;
    static const uint8_t a[16] = {1}, b[16] = {2};
    struct tern_prf_key k, other_label, other_master;
    tern_prf_init(&k, master, 0);
    tern_prf_init(&other_label, master, 1);
    tern_prf_init(&other_master, (struct tern_siphash_key){1, 3}, 0);
    assert_true(differ(tern_prf4(&k, 0, 0), tern_prf4(&other_label, 0, 0)));
    assert_true(differ(tern_prf4(&k, 0, 0), tern_prf4(&other_master, 0, 0)));
    assert_true(differ(tern_prf6(&k, a, b, 0), tern_prf6(&other_label, a, b, 0)));
}

/** V100: Counters are what tuples look like; the low bits choose tags and the high ones buckets. */
static void neighbouring_tuples_spread_evenly(void **state)
{
    (void)state;
    enum { N = 1 << 16, BINS = 256 };
    static uint32_t low[BINS], high[BINS];
    struct tern_prf_key k;
    tern_prf_init(&k, master, 0);
    for (uint64_t i = 0; i < N; i++) {
        const uint64_t h = tern_prf4(&k, 7, i).lo;
        low[h % BINS]++;
        high[h >> 56]++;
    }
    double chi_low = 0, chi_high = 0;
    for (int i = 0; i < BINS; i++) {
        const double mean = N / BINS;
        chi_low += (low[i] - mean) * (low[i] - mean) / mean;
        chi_high += (high[i] - mean) * (high[i] - mean) / mean;
    }
    /* 255 degrees of freedom: beyond 350 once in 10^4 keys, and this key is fixed */
    assert_true(chi_low < 350 && chi_high < 350);
    assert_true(chi_low > 170 && chi_high > 170); /* nor a counter */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_equals_the_published_vector),
        cmocka_unit_test(each_bit_of_an_ipv4_tuple_changes_both_halves),
        cmocka_unit_test(each_bit_of_an_ipv6_tuple_changes_both_halves),
        cmocka_unit_test(each_label_and_master_is_another_function),
        cmocka_unit_test(neighbouring_tuples_spread_evenly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
