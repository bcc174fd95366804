/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Which connections somebody wants to see, and from where on: the parameters of /tern/conns, and
 * what they pick. Written by people and programs, so it is read strictly: a key that is unknown,
 * said twice or has a bad value is refused with its name.
 *
 *   state=ESTABLISHED,state=FIN-WAIT-1,addr=198.18.0.0/15,port=80,from=1099511627776
 *
 * Without a state all are picked that ss(8) shows by default: not those that are half-open or in
 * TIME-WAIT, which may be millions.
 */
#include <tern/conn.h>

#include <stdbool.h>
#include <stdint.h>

struct tern_error;

struct tern_conn_query {
    uint32_t states; /**< a bit each, 1 << enum tern_state */
    bool has_addr, has_from;
    struct tern_prefix addr; /**< one of both ends lies in it */
    uint16_t port;           /**< one of both ends has it; 0: any */
    uint64_t from;           /**< where an earlier answer ended; 0: from the first */
};

/** @param text  "key=value,…", or NULL @return 0, or -EINVAL with one line in *err */
TERN_MUST_CHECK int tern_conn_query_parse(
    const char *text, struct tern_conn_query *out, struct tern_error *err);

bool tern_conn_query_takes(const struct tern_conn_query *q, const struct tern_conn_info *c);

/** A number of 0..max in decimal digits and nothing else. @return false: it is none */
bool tern_query_number(const char *text, uint64_t max, uint64_t *out);
