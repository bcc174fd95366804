/* SPDX-License-Identifier: BSD-3-Clause */
/* The heap of what is due, against a naive twin: a list that is searched. */
#include "link/heap.h"
#include "link/prng.h"
#include "unit.h"

enum { CAP = 200, STEPS = 20000, TIMES = 50 };

/** The first of the earliest, as the order of entry has it. */
static uint32_t earliest(const struct tern_due *list, uint32_t n)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++)
        if (list[i].at_ns < list[best].at_ns)
            best = i;
    return best;
}

static void heap_gives_what_a_search_gives(void **state)
{
    (void)state;
    static struct tern_due dues[CAP], list[CAP];
    struct tern_heap h = {.dues = dues, .cap = CAP};
    struct tern_prng p = tern_prng_make(1, 0);
    uint32_t n = 0;
    for (uint64_t step = 0; step < STEPS; step++) {
        const bool grows = tern_prng_percent(&p, step / 1000 % 2 == 0 ? 70 : 30);
        assert_int_equal(tern_heap_is_full(&h), n == CAP);
        if (grows && n < CAP) {
            list[n] = (struct tern_due){.at_ns = tern_prng_below(&p, TIMES), .tag = step};
            tern_heap_push(&h, list[n++]);
        } else if (n > 0) {
            const uint32_t i = earliest(list, n);
            assert_int_equal(tern_heap_next_ns(&h), list[i].at_ns);
            assert_int_equal(tern_heap_pop(&h).tag, list[i].tag);
            memmove(&list[i], &list[i + 1], (--n - i) * sizeof list[0]);
        }
    }
    while (h.n > 0)
        tern_heap_pop(&h);
    assert_int_equal(tern_heap_next_ns(&h), UINT64_MAX);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(heap_gives_what_a_search_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
