/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Placement is greedy, a worker at a time, by one comparison of four things in this order: workers
 * already there, wrong NUMA node, workers on the same physical core, CPU 0. With that one rule the
 * common cases fall out: two workers on two cores rather than on two threads of one; both ends of a
 * pair apart; a machine with fewer CPUs than workers shared evenly (the loop then yields,
 * worker.c).
 *
 * Node before core: a remote node costs every packet a trip to the other memory, a busy sibling
 * some tens of percent.
 */
#include "placement.h"

#include "error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_TEXT_BYTES = 128 };

/** What speaks against a CPU, the weightier first. */
struct cost {
    uint32_t n_here;
    bool off_node;
    uint32_t n_on_core;
    bool is_first;
};

static struct cost cost_of(
    const struct tern_placement *p, uint32_t n_placed, const struct tern_cpu *cpu, int node)
{
    struct cost c = {.off_node = node >= 0 && cpu->node != node, .is_first = cpu->id == 0};
    for (uint32_t w = 0; w < n_placed; w++) {
        c.n_here += p->cpus[w] == cpu;
        c.n_on_core += p->cpus[w]->core == cpu->core;
    }
    return c;
}

static bool is_cheaper(const struct cost *a, const struct cost *b)
{
    if (a->n_here != b->n_here)
        return a->n_here < b->n_here;
    if (a->off_node != b->off_node)
        return b->off_node;
    if (a->n_on_core != b->n_on_core)
        return a->n_on_core < b->n_on_core;
    return !a->is_first && b->is_first;
}

void tern_place(const struct tern_topology *t, struct tern_placement *p)
{
    for (uint32_t w = 0; w < p->n_workers; w++) {
        const struct tern_cpu *best = &t->cpus[0];
        struct cost best_cost = cost_of(p, w, best, p->nodes[w]);
        for (uint32_t i = 1; i < t->n_cpus; i++) {
            const struct cost c = cost_of(p, w, &t->cpus[i], p->nodes[w]);
            if (is_cheaper(&c, &best_cost)) {
                best = &t->cpus[i];
                best_cost = c;
            }
        }
        p->cpus[w] = best;
    }
}

static const struct tern_cpu *find_cpu(const struct tern_topology *t, unsigned long id)
{
    for (uint32_t i = 0; i < t->n_cpus; i++)
        if (t->cpus[i].id == id)
            return &t->cpus[i];
    return NULL;
}

static bool is_taken(const struct tern_placement *p, uint32_t n_placed, const struct tern_cpu *cpu)
{
    for (uint32_t w = 0; w < n_placed; w++)
        if (p->cpus[w] == cpu)
            return true;
    return false;
}

/** One number of the list: digits, and nothing but digits. */
static bool take_number(const char **at, unsigned long *out)
{
    if (**at < '0' || **at > '9')
        return false;
    char *end;
    *out = strtoul(*at, &end, 10);
    *at = end;
    return true;
}

/** One item, "2" or "2-5". @return false when it is neither */
static bool take_range(const char **at, unsigned long *first, unsigned long *last)
{
    if (!take_number(at, first))
        return false;
    *last = *first;
    if (**at != '-')
        return true;
    (*at)++;
    return take_number(at, last) && *first <= *last;
}

/** Place workers on first..last as long as there are workers. */
static int place_range(const struct tern_topology *t, unsigned long first, unsigned long last,
    struct tern_placement *p, uint32_t *n_placed, struct tern_error *err)
{
    for (unsigned long id = first; id <= last; id++) {
        const struct tern_cpu *cpu = find_cpu(t, id);
        char allowed[LIST_TEXT_BYTES];
        if (cpu == NULL)
            return tern_fail(err, -EINVAL,
                "--lcores: CPU %lu is not allowed to this process; choose from %s", id,
                tern_topology_cpus(t, allowed, sizeof allowed));
        if (is_taken(p, *n_placed, cpu))
            return tern_fail(err, -EINVAL, "--lcores: CPU %lu is named twice; name it once", id);
        if (*n_placed < p->n_workers)
            p->cpus[(*n_placed)++] = cpu;
    }
    return 0;
}

int tern_place_on_list(const struct tern_topology *t, const char *list, struct tern_placement *p,
    struct tern_error *err)
{
    uint32_t n_placed = 0;
    const char *at = list;
    while (true) {
        unsigned long first, last;
        if (!take_range(&at, &first, &last) || (*at != ',' && *at != '\0'))
            return tern_fail(err, -EINVAL,
                "--lcores \"%.64s\" is no list of CPUs; type for example 2,3 or 2-5", list);
        const int rc = place_range(t, first, last, p, &n_placed, err);
        if (rc != 0)
            return rc;
        if (*at == '\0')
            break;
        at++;
    }
    if (n_placed < p->n_workers)
        return tern_fail(err, -EINVAL,
            "--lcores \"%.64s\" names %u CPU%s for %u workers; name as many CPUs as workers, or "
            "leave --lcores out to share them",
            list, n_placed, n_placed == 1 ? "" : "s", p->n_workers);
    return 0;
}

uint32_t tern_place_n_remote(const struct tern_placement *p)
{
    uint32_t n = 0;
    for (uint32_t w = 0; w < p->n_workers; w++)
        n += p->nodes[w] >= 0 && p->cpus[w]->node != p->nodes[w];
    return n;
}

char *tern_topology_cpus(const struct tern_topology *t, char *buf, size_t n_buf)
{
    size_t len = 0;
    buf[0] = '\0';
    for (uint32_t i = 0; i < t->n_cpus && len < n_buf; i++) {
        const uint32_t first = t->cpus[i].id;
        while (i + 1 < t->n_cpus && t->cpus[i + 1].id == t->cpus[i].id + 1)
            i++;
        const uint32_t last = t->cpus[i].id;
        len += (size_t)snprintf(buf + len, n_buf - len, first == last ? "%s%u" : "%s%u-%u",
            len > 0 ? "," : "", first, last);
    }
    return buf;
}
