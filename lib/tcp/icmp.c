/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * ICMP errors about a connection, within the limits of RFC 5927: believed only when the quoted
 * sequence is in flight, and never able to kill a synchronized connection.
 */
#include "host.h"
#include "wire/icmp.h"

#include <errno.h>

static bool is_in_flight(const struct tern_conn *c, struct tern_seq seq)
{
    return tern_seq_span(c->snd.una, seq) < tern_seq_span(c->snd.una, c->snd.nxt);
}

static void note_soft_error(struct tern_tcp *t, struct tern_conn *c, int error)
{
    struct tern_rare *r = tern_conn_rare_need(t, c);
    if (r != NULL) /* MUST-47: told when asked for */
        r->soft_error = error;
}

static enum tern_drop packet_too_big(
    struct tern_tcp *t, struct tern_conn *c, uint32_t mtu, uint32_t quoted_bytes)
{
    const bool v6 = c->flags & TERN_CF_V6;
    const uint32_t headers = (v6 ? TERN_IP6_BYTES : TERN_IP4_BYTES) + TERN_TCP_BYTES;
    if (mtu == 0 && !v6)
        mtu = quoted_bytes > 1006 ? 1006
                                  : TERN_PMTU_MIN4; /* old router: next plateau (RFC 1191 §7) */
    if (v6 && mtu < TERN_PMTU_MIN6)
        return TERN_DROP_ICMP_STALE; /* RFC 8201 §4 */
    const uint32_t floor = v6 ? TERN_PMTU_MIN6 : TERN_PMTU_MIN4;
    const uint32_t mss = RTE_MAX(mtu, floor) - headers;
    if (mss >= c->mss_bytes)
        return TERN_DROP_ICMP_STALE; /* RFC 8201 §4: only ever smaller */
    c->mss_bytes = (uint16_t)mss;
    struct tern_txq *q = tern_conn_txq(t, c);
    if (q != NULL && c->snd.una.v != c->snd.nxt.v)
        tern_conn_resend(t, c); /* what was sent too big is lost: at once, in the new size */
    return TERN_DROP_ICMP_DONE;
}

enum tern_drop tern_conn_icmp(struct tern_tcp *t, struct tern_conn *c, int kind,
    struct tern_seq seq, uint32_t mtu_bytes, uint32_t quoted_bytes)
{
    if (c->state == TERN_CLOSED || !is_in_flight(c, seq))
        return TERN_DROP_ICMP_STALE; /* RFC 5927 §4.1 */
    if (kind == TERN_ICMP_TOO_BIG)
        return c->state >= TERN_ESTABLISHED ? packet_too_big(t, c, mtu_bytes, quoted_bytes)
                                            : TERN_DROP_ICMP_STALE;
    if (kind == TERN_ICMP_REFUSED && c->state == TERN_SYN_SENT) {
        tern_conn_end(
            t, c, TERN_CLOSE_REFUSED); /* hard only while nothing is at stake (RFC 5927 §5.2) */
        return TERN_DROP_ICMP_DONE;
    }
    note_soft_error(t, c, kind == TERN_ICMP_REFUSED ? ECONNREFUSED : EHOSTUNREACH);
    return TERN_DROP_ICMP_DONE; /* MUST-56: no abort */
}
