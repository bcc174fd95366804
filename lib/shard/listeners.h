/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Who listens where. A port leads to a short chain of listeners, one for each local address that
 * was named and at most one for all addresses; the named one wins. Looked at per SYN, so an array
 * over all ports is worth its 128 KiB.
 */
#include <tern/addr.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TERN_LISTENERS_CAP = 1024, TERN_PORTS = 65536 };

struct tern_listener {
    union tern_addr addr; /* unspecified: every own address */
    uint16_t port;        /* 0: free entry */
    uint16_t next;        /* in the port's chain: 1 + index, 0 = end */
    uint8_t app;
    bool any_addr;
    void *user;
};

struct tern_listeners {
    struct tern_listener *all; /* [n_max] */
    uint16_t *by_port;         /* [TERN_PORTS] 1 + index of the chain's head, 0 = nobody listens */
    uint32_t n_max;
    uint32_t n_used;
};

/** @param n_max 1..TERN_LISTENERS_CAP @return 0 or -ENOMEM */
__attribute__((warn_unused_result)) int tern_listeners_init(
    struct tern_listeners *l, uint32_t n_max, int numa_node);
void tern_listeners_fini(struct tern_listeners *l);
uint64_t tern_listeners_bytes(uint32_t n_max);

/** @return the listener's id >= 0, -EADDRINUSE, -ENOSPC */
__attribute__((warn_unused_result)) int tern_listeners_add(
    struct tern_listeners *l, const struct tern_listener *what);
void tern_listeners_remove(struct tern_listeners *l, int id);

/** Does anybody listen on `port`, on whatever address? One load, and a second one only where there
 * is a listener at all: who opens connections asks for every port in turn. */
static inline bool tern_listeners_any(const struct tern_listeners *l, uint16_t port)
{
    return l->n_used != 0 && l->by_port[port] != 0;
}

/** Who listens on (addr, port), or NULL. */
static inline const struct tern_listener *tern_listeners_find(
    const struct tern_listeners *l, const union tern_addr *addr, uint16_t port)
{
    const struct tern_listener *any = NULL;
    for (uint16_t i = l->by_port[port]; i != 0; i = l->all[i - 1].next) {
        const struct tern_listener *one = &l->all[i - 1];
        if (one->any_addr)
            any = one;
        else if (tern_addr_equal(&one->addr, addr))
            return one;
    }
    return any;
}
