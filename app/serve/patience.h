/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Connections that owe something and have a certain time for it (V116, V204, V205). All of a queue
 * have the same time, so they stand in the order in which theirs is over, and entering, leaving and
 * finding the first cost O(1) however many there are.
 *
 *     first ──▶ … ──▶ last
 *       └─ the only one whose connection has a timer: a timer takes a record of which a shard has
 *          few, and those whom this is about would take them all
 */
#include <tern/conn.h>

#include <stdbool.h>
#include <stdint.h>

/** Zero: in no queue. */
struct app_debtor {
    struct app_debtor *prev, *next;
    struct app_patience *queue;
    struct tern_conn *conn;
    uint64_t due_ns;
};

/** Zero but for time_ns: empty. */
struct app_patience {
    struct app_debtor *first, *last;
    const struct app_debtor *watched; /**< whose connection has the timer; NULL: none has */
    uint64_t time_ns;
};

/** From now on it has time_ns. @param d  in no queue; `conn` has no timer of another's */
void app_patience_enter(
    struct tern_shard *sh, struct app_patience *p, struct app_debtor *d, struct tern_conn *conn);

/** It owes nothing any more; nothing happens to one in no queue. @param ended  its connection has,
 * and its timer with it */
void app_patience_leave(struct tern_shard *sh, struct app_debtor *d, bool ended);

/** The timer of its connection fired. @return true: its time is over, and it has left */
bool app_patience_is_over(struct tern_shard *sh, struct app_debtor *d);
