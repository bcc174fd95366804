/* SPDX-License-Identifier: BSD-3-Clause */
/* What fits into the memory that is free, and what is refused with the arithmetic. */
#include "engine/memory.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)

static struct tern_memory_want want(uint64_t tables, bool use_huge)
{
    return (struct tern_memory_want){.mbuf_bytes = GIB / 2,
        .table_bytes = tables,
        .n_workers = 2,
        .use_huge = use_huge,
        .arithmetic = "one and one"};
}

static void tables_that_ram_holds_fit(void **state)
{
    (void)state;
    struct tern_error err;
    const struct tern_memory_free there = {.ram_bytes = 4 * GIB};
    const struct tern_memory_want fits = want(3 * GIB, false), large = want(4 * GIB, false);
    assert_int_equal(tern_memory_check(&fits, &there, &err), 0);
    assert_int_equal(tern_memory_check(&large, &there, &err), -ENOMEM);
    assert_non_null(strstr(err.text, "one and one"));
}

/* Pages that are reserved are missing in what is free otherwise: together they were enough. */
static void tables_that_only_huge_pages_hold_fit(void **state)
{
    (void)state;
    struct tern_error err;
    struct tern_memory_free there = {
        .ram_bytes = 2 * GIB, .huge_bytes = 8 * GIB, .huge_page_bytes = 2 * MIB};
    struct tern_memory_want w = want(7 * GIB, true);
    assert_int_equal(tern_memory_check(&w, &there, &err), 0);
    w = want(8 * GIB - GIB / 2, true); /* beside the mbufs, nothing is left for rounding */
    assert_int_equal(tern_memory_check(&w, &there, &err), -ENOMEM);
    w = want(7 * GIB, true);
    there.huge_page_bytes = GIB; /* rounding may take any amount */
    assert_int_equal(tern_memory_check(&w, &there, &err), -ENOMEM);
}

static void mbufs_want_huge_pages_of_their_own(void **state)
{
    (void)state;
    struct tern_error err;
    const struct tern_memory_free there = {
        .ram_bytes = 8 * GIB, .huge_bytes = 256 * MIB, .huge_page_bytes = 2 * MIB};
    const struct tern_memory_want w = want(GIB, true);
    assert_int_equal(tern_memory_check(&w, &there, &err), -ENOMEM);
    assert_non_null(strstr(err.text, "too few hugepages"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_that_ram_holds_fit),
        cmocka_unit_test(tables_that_only_huge_pages_hold_fit),
        cmocka_unit_test(mbufs_want_huge_pages_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
