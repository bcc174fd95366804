/* SPDX-License-Identifier: BSD-3-Clause */
#include "ports.h"

/*
 * A four-round Feistel network over the smallest even number of bits that covers the range, walked
 * until it lands inside ("cycle walking"): a permutation of exactly the range. Round keys come from
 * a SipHash of the destination.
 */
enum { ROUNDS = 4 };

static uint32_t first_port(const struct tern_stack_config *cfg)
{
    const uint32_t rest = cfg->port_min % cfg->port_stride;
    return cfg->port_min + (cfg->port_phase + cfg->port_stride - rest) % cfg->port_stride;
}

uint32_t tern_ports_count(const struct tern_stack_config *cfg)
{
    const uint32_t first = first_port(cfg);
    return first > cfg->port_max ? 0 : (cfg->port_max - first) / cfg->port_stride + 1;
}

static uint32_t feistel(uint32_t x, uint32_t half_bits, uint64_t key)
{
    const uint32_t mask = (1u << half_bits) - 1;
    uint32_t left = x >> half_bits, right = x & mask;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t f = (right + (uint32_t)(key >> (16 * round))) * 0x9e3779b97f4a7c15u;
        f ^= f >> 32;
        const uint32_t next = left ^ ((uint32_t)(f * 0xd6e8feb86659fd93u >> 40) & mask);
        left = right;
        right = next;
    }
    return left << half_bits | right;
}

uint16_t tern_ports_nth(const struct tern_tcp *t, const union tern_addr *local,
    const union tern_addr *remote, uint16_t rport, uint32_t turn)
{
    const struct tern_stack_config *cfg = &t->cfg;
    const uint32_t n = tern_ports_count(cfg);
    uint32_t half_bits = 1;
    while (1u << (2 * half_bits) < n)
        half_bits++;

    uint64_t w[5];
    memcpy(w, local, sizeof *local);
    memcpy(w + 2, remote, sizeof *remote);
    w[4] = rport;
    const uint64_t key = tern_siphash24(t->keys.port, w, 5); /* not to be guessed (6056-1) */

    uint32_t x = turn % n;
    do {
        x = feistel(x, half_bits, key);
    } while (x >= n);
    return (uint16_t)(first_port(cfg) + x * cfg->port_stride);
}
