/* SPDX-License-Identifier: BSD-3-Clause */
#include <tern/conn.h>
#include <tern/stats.h>

#include "unit.h"

enum { WORDS = sizeof(struct tern_stats) / sizeof(uint64_t) };

static void add_is_field_by_field(void **state)
{
    (void)state;
    struct tern_stats a, b;
    uint64_t *pa = (uint64_t *)(void *)&a, *pb = (uint64_t *)(void *)&b;
    for (uint64_t i = 0; i < WORDS; i++) {
        pa[i] = i * 1000;
        pb[i] = i + 7;
    }
    tern_stats_add(&a, &b);
    for (uint64_t i = 0; i < WORDS; i++)
        assert_int_equal(pa[i], i * 1000 + i + 7);
    for (uint64_t i = 0; i < WORDS; i++)
        assert_int_equal(pb[i], i + 7);
}

static void books_balance_when_both_equations_hold(void **state)
{
    (void)state;
    struct tern_stats s = {.active_opens = 100,
        .active_established = 80,
        .passive_established = 50,
        .open_now = 30,
        .opening_now = 5};
    s.active_failed[TERN_CLOSE_REFUSED] = 9;
    s.active_failed[TERN_CLOSE_STOPPED] = 6;
    s.closed[TERN_CLOSE_NORMAL] = 70;
    s.closed[TERN_CLOSE_STOPPED] = 30;
    assert_true(tern_stats_balance(&s));

    /* Each number of the two equations matters. */
    uint64_t *const terms[] = {&s.active_opens, &s.active_established, &s.passive_established,
        &s.open_now, &s.opening_now, &s.active_failed[0], &s.active_failed[TERN_CLOSE_COUNT - 1],
        &s.closed[0], &s.closed[TERN_CLOSE_COUNT - 1]};
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) {
        ++*terms[i];
        assert_false(tern_stats_balance(&s));
        --*terms[i];
        assert_true(tern_stats_balance(&s));
    }
    assert_true(tern_stats_balance(&(struct tern_stats){.rx_packets = 1}));
}

static void assert_is_json_name(const char *name)
{
    assert_non_null(name);
    assert_true(strlen(name) > 0);
    assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
}

static void drops_have_distinct_names_and_a_text(void **state)
{
    (void)state;
    for (int i = 0; i < TERN_DROP_COUNT; i++) {
        const char *name = tern_drop_name((enum tern_drop)i);
        assert_is_json_name(name);
        assert_true(strlen(tern_drop_text((enum tern_drop)i)) > 10);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(name, tern_drop_name((enum tern_drop)j));
    }
    assert_string_equal(tern_drop_name(TERN_DROP_ARP_DONE), "arp_done");
    assert_string_equal(tern_drop_name(TERN_DROP_TCP_CSUM), "tcp_csum");
    assert_string_equal(tern_drop_text(TERN_DROP_TCP_CSUM), "TCP checksum is wrong");
}

static void close_reasons_and_states_have_distinct_names(void **state)
{
    (void)state;
    for (int i = 0; i < TERN_CLOSE_COUNT; i++) {
        assert_is_json_name(tern_close_name((enum tern_close_reason)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(tern_close_name((enum tern_close_reason)i),
                tern_close_name((enum tern_close_reason)j));
    }
    for (int i = 0; i < TERN_STATE_COUNT; i++) {
        assert_non_null(tern_state_name((enum tern_state)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(
                tern_state_name((enum tern_state)i), tern_state_name((enum tern_state)j));
    }
    assert_string_equal(tern_close_name(TERN_CLOSE_REFUSED), "refused");
    assert_string_equal(tern_state_name(TERN_SYN_SENT), "SYN-SENT");
    assert_string_equal(tern_state_name(TERN_SYN_RCVD), "SYN-RECEIVED");
}

static void values_beyond_the_lists_have_a_name_too(void **state)
{
    (void)state;
    volatile int beyond = 1000;
    assert_string_equal(tern_drop_name((enum tern_drop)beyond), "unknown");
    assert_non_null(tern_drop_text((enum tern_drop)beyond));
    assert_string_equal(tern_close_name((enum tern_close_reason)beyond), "unknown");
    assert_string_equal(tern_state_name((enum tern_state)beyond), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(add_is_field_by_field),
        cmocka_unit_test(books_balance_when_both_equations_hold),
        cmocka_unit_test(drops_have_distinct_names_and_a_text),
        cmocka_unit_test(close_reasons_and_states_have_distinct_names),
        cmocka_unit_test(values_beyond_the_lists_have_a_name_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
