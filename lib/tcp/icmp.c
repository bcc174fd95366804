/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * ICMP errors about a connection, within the limits of RFC 5927: believed only when the quoted
 * sequence is in flight, and never able to kill a synchronized connection.
 */
#include "host.h"
#include "pmtu.h"
#include "wire/icmp.h"

#include <errno.h>

static bool is_in_flight(const struct tern_conn *c, struct tern_seq seq)
{
    return tern_seq_span(c->snd.una, seq) < tern_seq_span(c->snd.una, c->snd.nxt);
}

static void note_soft_error(struct tern_tcp *t, struct tern_conn *c, int error)
{
    struct tern_rare *r = tern_conn_rare_need(t, c);
    if (r != NULL) /* told when asked for (MUST-47, SHLD-25), and to nobody else (SHLD-20) */
        r->soft_error = error;
}

enum tern_drop tern_conn_icmp(struct tern_tcp *t, struct tern_conn *c, int kind,
    struct tern_seq seq, uint32_t mtu_bytes, uint32_t quoted_bytes)
{
    if (c->state == TERN_CLOSED || !is_in_flight(c, seq))
        return TERN_DROP_ICMP_STALE; /* RFC 5927 §4.1 (5927-1, V160, V162) */
    if (kind == TERN_ICMP_TOO_BIG)
        return c->state >= TERN_ESTABLISHED ? tern_pmtu_too_big(t, c, seq, mtu_bytes, quoted_bytes)
                                            : TERN_DROP_ICMP_STALE;
    if (kind == TERN_ICMP_REFUSED && c->state == TERN_SYN_SENT) {
        tern_conn_end(
            t, c, TERN_CLOSE_REFUSED); /* hard only while nothing is at stake (5927-2, SHLD-26) */
        return TERN_DROP_ICMP_DONE;
    }
    note_soft_error(t, c, kind == TERN_ICMP_REFUSED ? ECONNREFUSED : EHOSTUNREACH);
    return TERN_DROP_ICMP_DONE; /* MUST-56, 5927-2, V160: no abort */
}
