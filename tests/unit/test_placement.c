/* SPDX-License-Identifier: BSD-3-Clause */
/* Which CPU each worker gets, on machines that we do not have (lib/engine/placement.c). */
#include "engine/placement.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/** The same, numbered as some firmware does: the threads of a core side by side. */
static void machine_side_by_side(uint32_t n_nodes, uint32_t n_cores, uint32_t n_threads)
{
    machine(n_nodes, n_cores, n_threads);
    for (uint32_t i = 0; i < topo.n_cpus; i++) {
        topo.cpus[i].core = i / n_threads;
        topo.cpus[i].node = (int)(i / n_threads / n_cores);
    }
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
    struct tern_placement p = ask(2, -1);
    tern_place(&topo, &p);
    assert_int_equal(cpus[0]->id, 1);
    assert_int_equal(cpus[1]->id, 0);
    assert_int_equal(tern_place_n_remote(&p), 0);
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

static uint32_t n_on_core(uint32_t n_workers, uint32_t core)
{
    uint32_t n = 0;
    for (uint32_t w = 0; w < n_workers; w++)
        n += cpus[w]->core == core;
    return n;
}

/** Two sockets with two threads a core, the device on the second: its cores, then their second
 * threads, then the first socket's cores. However they are numbered. */
static void cores_of_the_devices_node_then_their_threads_then_the_rest(void **state)
{
    (void)state;
    for (int side_by_side = 0; side_by_side < 2; side_by_side++) {
        (side_by_side ? machine_side_by_side : machine)(2, 4, 2);
        place(12, 1);
        for (int w = 0; w < 12; w++)
            assert_int_equal(cpus[w]->node, w < 8);
        for (uint32_t core = 4; core < 8; core++) {
            assert_int_equal(n_on_core(4, core), 1);
            assert_int_equal(n_on_core(8, core), 2);
        }
        for (uint32_t core = 0; core < 4; core++)
            assert_int_equal(n_on_core(12, core), 1);
    }
}

static void each_device_has_its_workers_on_its_node(void **state)
{
    (void)state;
    machine(2, 4, 1);
    struct tern_placement p = ask(6, 0);
    nodes[3] = nodes[4] = nodes[5] = 1;
    tern_place(&topo, &p);
    for (int w = 0; w < 6; w++)
        assert_int_equal(cpus[w]->node, nodes[w]);
    assert_int_equal(tern_place_n_remote(&p), 0);
}

/** A container may be allowed no CPU of the device's node: it runs where it can, and is counted. */
static void node_without_an_allowed_cpu_is_done_without(void **state)
{
    (void)state;
    machine(2, 4, 1);
    topo.n_cpus = 4; /* those of node 0 */
    struct tern_placement p = ask(3, 1);
    tern_place(&topo, &p);
    for (int w = 0; w < 3; w++)
        assert_int_equal(cpus[w]->node, 0);
    assert_int_equal(tern_place_n_remote(&p), 3);
    p = ask(3, 1);
    assert_int_equal(tern_place_on_list(&topo, "1-3", &p, NULL), 0);
    assert_int_equal(tern_place_n_remote(&p), 3);
}

static void a_remote_cpu_is_better_than_half_of_a_near_one(void **state)
{
    (void)state;
    machine(2, 1, 2);
    struct tern_placement p = ask(6, 1);
    tern_place(&topo, &p);
    const int want[] = {1, 1, 0, 0, 1, 1};
    for (int w = 0; w < 6; w++)
        assert_int_equal(cpus[w]->node, want[w]);
    assert_int_equal(tern_place_n_remote(&p), 2);
}

static void one_cpu_takes_all(void **state)
{
    (void)state;
    machine(1, 1, 1);
    place(5, 3);
    for (int w = 0; w < 5; w++)
        assert_ptr_equal(cpus[w], &topo.cpus[0]);
}

/** CPUs of any node and core in any order, any number of them allowed. */
static void scatter(uint32_t *random)
{
    topo.n_cpus = 1 + (*random = *random * 1664525 + 1013904223) % 24;
    for (uint32_t i = 0; i < topo.n_cpus; i++) {
        *random = *random * 1664525 + 1013904223;
        topo.cpus[i] = (struct tern_cpu){.id = 2 * i + (*random >> 8) % 2,
            .node = (int)(*random >> 16) % 3,
            .core = *random >> 28};
    }
}

static uint32_t n_workers_on(const struct tern_cpu *cpu, uint32_t n_workers)
{
    uint32_t n = 0;
    for (uint32_t w = 0; w < n_workers; w++)
        n += cpus[w] == cpu;
    return n;
}

/** On any machine: shared evenly, and no worker is remote that had a CPU as free on its node. */
static void rules_hold_on_any_machine(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (int i = 0; i < 500; i++) {
        scatter(&random);
        const uint32_t n_workers = 1 + (random >> 4) % WORKERS_MAX;
        struct tern_placement p = ask(n_workers, (int)(random >> 12) % 4 - 1);
        tern_place(&topo, &p);
        const uint32_t n_even = n_workers / topo.n_cpus;
        for (uint32_t c = 0; c < topo.n_cpus; c++)
            assert_in_range(n_workers_on(&topo.cpus[c], n_workers), n_even, n_even + 1);
        for (uint32_t w = 0; w < n_workers; w++)
            for (uint32_t c = 0; c < topo.n_cpus && cpus[w]->node != nodes[w]; c++)
                assert_true(nodes[w] < 0 || topo.cpus[c].node != nodes[w]
                            || n_workers_on(&topo.cpus[c], w) > n_workers_on(cpus[w], w));
    }
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

static int node_of(const char *dir, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/numa_node", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    const int node = tern_topology_device_node(dir);
    unlink(path);
    return node;
}

static void a_devices_node_is_read_from_sysfs(void **state)
{
    (void)state;
    char dir[] = "/tmp/test_placement.XXXXXX";
    assert_non_null(mkdtemp(dir));
    assert_int_equal(node_of(dir, "1\n"), 1);
    assert_int_equal(node_of(dir, "-1\n"), -1);
    assert_int_equal(node_of(dir, "none\n"), -1);
    assert_int_equal(tern_topology_device_node(dir), -1);
    rmdir(dir);
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
        cmocka_unit_test(cores_of_the_devices_node_then_their_threads_then_the_rest),
        cmocka_unit_test(each_device_has_its_workers_on_its_node),
        cmocka_unit_test(node_without_an_allowed_cpu_is_done_without),
        cmocka_unit_test(a_remote_cpu_is_better_than_half_of_a_near_one),
        cmocka_unit_test(one_cpu_takes_all),
        cmocka_unit_test(rules_hold_on_any_machine),
        cmocka_unit_test(more_workers_than_cpus_share_evenly),
        cmocka_unit_test(list_is_followed_in_order),
        cmocka_unit_test(bad_lists_are_refused),
        cmocka_unit_test(cpus_are_written_as_ranges),
        cmocka_unit_test(a_devices_node_is_read_from_sysfs),
        cmocka_unit_test(this_machine_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
