/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/siphash.h"
#include "wire_frames.h"

/*
 * The reference key 00 01 .. 0f over the messages 00 01 .. of 8*n bytes: 2-4 as published with
 * the algorithm (vectors_sip64), 1-3 as OpenSSL computes it (-macopt c-rounds:1 -macopt
 * d-rounds:3).
 */
static const char *const published_24[] = {"310e0edd47db6f72", "6224939a79f5f593",
    "db9bc2577fcc2a3f", "94af49f6c650adb8", "ce7cf2722f512771", "d0a704536ba93e0e",
    "51a9cb9ecba312e6", "bd838d3aafbf8db7"};
static const char *const openssl_13[] = {"dcc40f055801acab", "8e9a298d11959036", "668b907d1add4fcc",
    "8c9c3467b2ae64f4", "0db6a7166c7b1581", "3115e4993236d2c1", "464c07dff843319f",
    "756d3c24dbc0bcb4"};

enum { N_VECTORS = sizeof published_24 / sizeof published_24[0] };

static const struct tern_siphash_key reference_key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

static void message(uint64_t words[N_VECTORS])
{
    uint8_t bytes[N_VECTORS * 8];
    for (uint8_t i = 0; i < sizeof bytes; i++)
        bytes[i] = i;
    memcpy(words, bytes, sizeof bytes);
}

static void assert_hash(uint64_t got, const char *hex)
{
    uint8_t want[8];
    assert_int_equal(unhex(hex, want), 8);
    assert_memory_equal(&got, want, 8);
}

static void siphash24_equals_the_published_vectors(void **state)
{
    (void)state;
    uint64_t words[N_VECTORS];
    message(words);
    for (uint32_t n = 0; n < N_VECTORS; n++)
        assert_hash(tern_siphash24(reference_key, words, n), published_24[n]);
}

static void siphash13_equals_another_implementation(void **state)
{
    (void)state;
    uint64_t words[N_VECTORS];
    message(words);
    for (uint32_t n = 0; n < N_VECTORS; n++)
        assert_hash(tern_siphash13(reference_key, words, n), openssl_13[n]);
}

static void each_key_and_message_bit_changes_the_hash(void **state)
{
    (void)state;
    uint64_t words[2] = {1, 2};
    const uint64_t base = tern_siphash13(reference_key, words, 2);
    for (int bit = 0; bit < 128; bit++) {
        struct tern_siphash_key key = reference_key;
        *(bit < 64 ? &key.k0 : &key.k1) ^= UINT64_C(1) << (bit % 64);
        assert_true(tern_siphash13(key, words, 2) != base);
        words[bit / 64] ^= UINT64_C(1) << (bit % 64);
        assert_true(tern_siphash13(reference_key, words, 2) != base);
        words[bit / 64] ^= UINT64_C(1) << (bit % 64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash24_equals_the_published_vectors),
        cmocka_unit_test(siphash13_equals_another_implementation),
        cmocka_unit_test(each_key_and_message_bit_changes_the_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
