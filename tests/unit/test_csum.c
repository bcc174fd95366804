/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/csum.h"
#include "wire_frames.h"

enum { MAX_BYTES = 300, ALIGNMENTS = 9 };

static void fill_random(uint8_t *p, uint32_t n, uint64_t seed)
{
    for (uint32_t i = 0; i < n; i++)
        p[i] = (uint8_t)next_random(&seed);
}

/* Fold in the machine's order against the byte-by-byte sum, where 0 and 0xffff are one number. */
static void assert_sum(uint64_t sum, uint32_t want)
{
    const uint16_t folded = tern_csum_fold(sum);
    uint8_t bytes[2];
    memcpy(bytes, &folded, 2);
    assert_int_equal(get16(bytes) % 0xffff, want % 0xffff);
}

static void add_agrees_with_the_slow_way_at_every_length_and_alignment(void **state)
{
    (void)state;
    for (uint32_t align = 0; align < ALIGNMENTS; align++) {
        for (uint32_t n = 0; n <= MAX_BYTES; n++) {
            uint8_t bytes[ALIGNMENTS + MAX_BYTES];
            fill_random(bytes, align + n, n * 31 + align);
            const uint8_t *p = exact(bytes, align + n) + align;
            assert_sum(tern_csum_add(0, p, n), slow_sum(0, p, n));
        }
    }
}

static void add_of_all_ones_carries_through_a_whole_datagram(void **state)
{
    (void)state;
    static uint8_t ones[65535];
    memset(ones, 0xff, sizeof ones);
    for (uint32_t n = 65535 - 64; n <= 65535; n++)
        assert_sum(tern_csum_add(0, ones, n), slow_sum(0, ones, n));
    assert_int_equal(tern_csum_fold(tern_csum_add(0, ones, 65534)), 0xffff);
}

static void sums_of_parts_add_up_at_every_even_and_odd_split(void **state)
{
    (void)state;
    uint8_t bytes[MAX_BYTES];
    fill_random(bytes, sizeof bytes, 1);
    const uint32_t want = slow_sum(0, bytes, sizeof bytes);
    for (uint32_t split = 0; split <= sizeof bytes; split++) {
        const uint64_t front = tern_csum_add(0, bytes, split);
        const uint64_t rear = tern_csum_add(0, bytes + split, MAX_BYTES - split);
        assert_sum(front + (split & 1 ? tern_csum_odd(rear) : rear), want);
    }
}

static void fold_reaches_zero_and_ffff(void **state)
{
    (void)state;
    assert_int_equal(tern_csum_fold(0), 0);
    assert_int_equal(tern_csum_fold(0xffff), 0xffff);
    assert_int_equal(tern_csum_fold(0x10000), 1);
    assert_int_equal(tern_csum_fold(UINT64_MAX), 0xffff);
    assert_int_equal(tern_csum_fold(UINT64_C(0xffffffff00000001)), 1);
    assert_int_equal(tern_csum_fold(UINT64_C(0x8000800080008000)), 2);
}

static void pseudo_headers_agree_with_the_slow_way(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {0, 20, 255, 256, 65515, 65535, 0x12345678};
    uint8_t addrs[33], end[8] = {0};
    fill_random(addrs, sizeof addrs, 5);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        put32(end, lengths[i]);
        end[7] = 58;
        const uint8_t *odd = addrs + 1;
        assert_sum(
            tern_csum_pseudo4(odd, odd + 4, 58, lengths[i]), slow_sum(slow_sum(0, odd, 8), end, 8));
        assert_sum(tern_csum_pseudo6(odd, odd + 16, 58, lengths[i]),
            slow_sum(slow_sum(0, odd, 32), end, 8));
    }
}

static void ip4_set_writes_a_checksum_that_holds(void **state)
{
    (void)state;
    for (uint32_t ihl = 20; ihl <= 60; ihl += 4) {
        uint8_t ip[60];
        fill_random(ip, sizeof ip, ihl);
        uint8_t *p = exact(ip, ihl);
        tern_csum_ip4_set(p, ihl);
        assert_int_equal(slow_sum(0, p, ihl), 0xffff);
        assert_memory_equal(p, ip, 10);
        assert_memory_equal(p + 12, ip + 12, ihl - 12);
    }
}

static void ip4_set_equals_the_seed_frames(void **state)
{
    (void)state;
    for (int i = 0; i < 7; i++) {
        uint8_t frame[64], ip[20];
        unhex(seed_frames[i], frame);
        memcpy(ip, frame + 14, 20);
        memset(ip + 10, 0xa5, 2);
        tern_csum_ip4_set(ip, 20);
        assert_memory_equal(ip, frame + 14, 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(add_agrees_with_the_slow_way_at_every_length_and_alignment),
        cmocka_unit_test(add_of_all_ones_carries_through_a_whole_datagram),
        cmocka_unit_test(sums_of_parts_add_up_at_every_even_and_odd_split),
        cmocka_unit_test(fold_reaches_zero_and_ffff),
        cmocka_unit_test(pseudo_headers_agree_with_the_slow_way),
        cmocka_unit_test(ip4_set_writes_a_checksum_that_holds),
        cmocka_unit_test(ip4_set_equals_the_seed_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
