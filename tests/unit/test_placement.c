/* SPDX-License-Identifier: BSD-3-Clause */
/* Which CPU each worker gets, on machines that we do not have (lib/engine/placement.c). */
#include "engine/placement.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

enum { WORKERS_MAX = 32 };

static struct tern_topology topo;
static int nodes[WORKERS_MAX];
static const struct tern_cpu *cpus[WORKERS_MAX];

/** n_nodes x n_cores x n_threads, numbered as Linux does: all first threads, then all second ones.
 */
static void machine(uint32_t n_nodes, uint32_t n_cores, uint32_t n_threads)
{
    topo.n_cpus = 0;
    for (uint32_t t = 0; t < n_threads; t++)
        for (uint32_t node = 0; node < n_nodes; node++)
            for (uint32_t core = 0; core < n_cores; core++)
                topo.cpus[topo.n_cpus] =
                    (struct tern_cpu){
                        .id = topo.n_cpus, .node = (int)node, .core = node * n_cores + core},
                topo.n_cpus++;
}

static struct tern_placement ask(uint32_t n_workers, int node)
{
    for (uint32_t w = 0; w < n_workers; w++)
        nodes[w] = node;
    return (struct tern_placement){.n_workers = n_workers, .nodes = nodes, .cpus = cpus};
}

static void place(uint32_t n_workers, int node)
{
    struct tern_placement p = ask(n_workers, node);
    tern_place(&topo, &p);
}

static void cpu0_is_taken_last(void **state)
{
    (void)state;
    machine(1, 2, 1);
    place(2, -1);
    assert_int_equal(cpus[0]->id, 1);
    assert_int_equal(cpus[1]->id, 0);
}

static void device_node_comes_first(void **state)
{
    (void)state;
    machine(2, 4, 2);
    place(8, 1);
    for (int w = 0; w < 8; w++)
        assert_int_equal(cpus[w]->node, 1);
    struct tern_placement p = ask(9, 1);
    tern_place(&topo, &p);
    assert_int_equal(cpus[8]->node, 0);
    assert_int_equal(tern_place_n_remote(&p), 1);
}

static void cores_are_filled_before_their_second_threads(void **state)
{
    (void)state;
    machine(1, 4, 2);
    place(4, -1);
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < a; b++)
            assert_int_not_equal(cpus[a]->core, cpus[b]->core);
}

static void more_workers_than_cpus_share_evenly(void **state)
{
    (void)state;
    machine(1, 2, 1);
    place(5, -1);
    uint32_t n_on[2] = {0};
    for (int w = 0; w < 5; w++)
        n_on[cpus[w]->id]++;
    assert_int_equal(n_on[0], 2);
    assert_int_equal(n_on[1], 3);
}

static void list_is_followed_in_order(void **state)
{
    (void)state;
    machine(1, 8, 1);
    struct tern_placement p = ask(4, -1);
    assert_int_equal(tern_place_on_list(&topo, "7,2-4", &p, NULL), 0);
    const uint32_t want[] = {7, 2, 3, 4};
    for (int w = 0; w < 4; w++)
        assert_int_equal(cpus[w]->id, want[w]);
    p = ask(1, -1);
    assert_int_equal(tern_place_on_list(&topo, "5-7", &p, NULL), 0);
    assert_int_equal(cpus[0]->id, 5);
}

static void bad_lists_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {"", ",", "1,", ",1", "a", "1-", "-1", "3-2", "1;2", "1 2",
        "8", "1,1", "1-3,2", "99999999999999999999", "1", "0x1,2"};
    machine(1, 8, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tern_placement p = ask(2, -1);
        struct tern_error err = {.text = ""};
        assert_int_equal(tern_place_on_list(&topo, cases[i], &p, &err), -EINVAL);
        assert_true(strlen(err.text) > 20);
    }
}

static void cpus_are_written_as_ranges(void **state)
{
    (void)state;
    char text[64];
    machine(1, 4, 1);
    assert_string_equal(tern_topology_cpus(&topo, text, sizeof text), "0-3");
    topo.cpus[1].id = 6;
    topo.cpus[2].id = 7;
    topo.cpus[3].id = 9;
    assert_string_equal(tern_topology_cpus(&topo, text, sizeof text), "0,6-7,9");
    char tiny[4];
    tern_topology_cpus(&topo, tiny, sizeof tiny);
    assert_int_equal(tiny[3], '\0');
}

static void this_machine_is_read(void **state)
{
    (void)state;
    tern_topology_read(&topo);
    assert_in_range(topo.n_cpus, 1, TERN_CPUS_MAX);
    for (uint32_t i = 1; i < topo.n_cpus; i++)
        assert_true(topo.cpus[i - 1].id < topo.cpus[i].id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpu0_is_taken_last),
        cmocka_unit_test(device_node_comes_first),
        cmocka_unit_test(cores_are_filled_before_their_second_threads),
        cmocka_unit_test(more_workers_than_cpus_share_evenly),
        cmocka_unit_test(list_is_followed_in_order),
        cmocka_unit_test(bad_lists_are_refused),
        cmocka_unit_test(cpus_are_written_as_ranges),
        cmocka_unit_test(this_machine_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
