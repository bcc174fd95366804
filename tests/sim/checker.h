/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What must hold inside an instance after every event. It looks into the records of the library and
 * remembers of each connection what may only move one way.
 */
#include <stdbool.h>
#include <stdint.h>

struct sim;

/** What was seen of a connection last time. */
struct checker_conn {
    bool known;
    uint16_t rport, lport;
    uint8_t state;
    uint32_t una, nxt, rcv_nxt, rcv_adv;
};

struct checker {
    struct checker_conn *conns; /* by index of the library's record */
    uint32_t n_conns;
};

bool checker_init(struct checker *c, uint32_t conns_max);
void checker_fini(struct checker *c);
/** Look at host `h`; what is wrong goes to sim_fail(). */
void checker_look(struct sim *s, uint8_t h);
