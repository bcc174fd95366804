/* SPDX-License-Identifier: BSD-3-Clause */
#include "shard/queue.h"
#include "unit.h"

enum { N = 8 };

struct record {
    uint32_t other;
    uint32_t next, prev, due;
};

static struct record records[N + 1];
static struct tern_queue q;

static int make(void **state)
{
    (void)state;
    for (int i = 0; i <= N; i++)
        records[i].prev = TERN_QUEUE_OUT;
    tern_queue_init(&q, records, sizeof records[0], offsetof(struct record, next));
    return 0;
}

static void expect_order(const uint32_t *idx, uint32_t n)
{
    assert_int_equal(q.n, n);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(tern_queue_due(&q, UINT32_MAX / 2), idx[i]);
        tern_queue_remove(&q, idx[i]);
        assert_int_equal(records[idx[i]].prev, TERN_QUEUE_OUT);
    }
    assert_int_equal(tern_queue_due(&q, UINT32_MAX / 2), 0);
    assert_int_equal(q.n, 0);
}

static void come_out_in_the_order_they_went_in(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= N; i++)
        tern_queue_append(&q, i, 10 * i);
    expect_order((const uint32_t[]){1, 2, 3, 4, 5, 6, 7, 8}, N);
}

static void first_middle_and_last_may_be_taken_out(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= N; i++)
        tern_queue_append(&q, i, 7);
    tern_queue_remove(&q, 1);
    tern_queue_remove(&q, 4);
    tern_queue_remove(&q, 8);
    tern_queue_append(&q, 4, 7);
    expect_order((const uint32_t[]){2, 3, 5, 6, 7, 4}, 6);
}

static void the_first_may_leave_together(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= N; i++)
        tern_queue_append(&q, i, i);
    tern_queue_shift(&q, 3, 3);
    assert_int_equal(records[4].prev, 0);
    tern_queue_shift(&q, 1, 4);
    tern_queue_append(&q, 1, N + 1);
    expect_order((const uint32_t[]){5, 6, 7, 8, 1}, N - 3);
    for (uint32_t i = 1; i <= 2; i++)
        tern_queue_append(&q, i, i);
    tern_queue_shift(&q, 2, 2);
    assert_int_equal(q.n, 0);
    tern_queue_append(&q, 5, 1);
    expect_order((const uint32_t[]){5}, 1);
}

static void nothing_is_due_before_its_tick_and_across_the_wrap(void **state)
{
    (void)state;
    const uint32_t due = 5; /* armed before the wrap */
    tern_queue_append(&q, 1, due);
    assert_int_equal(tern_queue_due(&q, UINT32_MAX - 10), 0);
    assert_int_equal(tern_queue_due(&q, due - 1), 0);
    assert_int_equal(tern_queue_due(&q, due), 1);
    assert_int_equal(tern_queue_due(&q, due + 1000), 1);
    assert_int_equal(records[1].other, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(come_out_in_the_order_they_went_in, make),
        cmocka_unit_test_setup(first_middle_and_last_may_be_taken_out, make),
        cmocka_unit_test_setup(the_first_may_leave_together, make),
        cmocka_unit_test_setup(nothing_is_due_before_its_tick_and_across_the_wrap, make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
