/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * How large a packet the path takes: routers' messages (RFC 1191, RFC 8201, within RFC 5927) and
 * probes of our own (RFC 4821, RFC 8899). Sizes are as in mss_bytes: payload and TCP options.
 */
#include "sent.h"

/** The handshake is over: with TERN_PLPMTUD_ALWAYS segments start small. Before cwnd is set. */
void tern_pmtu_open(struct tern_tcp *t, struct tern_conn *c);

/** A router says that a packet with `seq`, `quoted_bytes` long, is too big for the next hop, which
 * takes `mtu` (0: an old router that does not say). `seq` is in flight. */
enum tern_drop tern_pmtu_too_big(struct tern_tcp *t, struct tern_conn *c, struct tern_seq seq,
    uint32_t mtu, uint32_t quoted_bytes);

/**
 * The retransmission timer ran out with data in flight. Segments may be smaller from here on.
 * @return true: they were too big as a router had said; no congestion, everything goes again
 */
bool tern_pmtu_expired(struct tern_tcp *t, struct tern_conn *c, const struct tern_txq *q);

/** The size of a probe to send now, 0: none. @param room  bytes that may leave and are there */
uint32_t tern_pmtu_probe_size(
    struct tern_tcp *t, struct tern_conn *c, const struct tern_txq *q, uint32_t room);

/** The last stretch in flight is a probe of `size`, with `payload` bytes. */
void tern_pmtu_probe_sent(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, uint32_t size, uint32_t payload);

/** The probe was lost while what was sent after it arrived: it was too big, or is unlucky. */
void tern_pmtu_probe_lost(struct tern_tcp *t, struct tern_conn *c);

/** The rest of tern_pmtu_delivered(). */
void tern_pmtu_probe_arrived(struct tern_tcp *t, struct tern_conn *c);

/**
 * Something arrived. Once it is a whole segment of the present size, that size gets through.
 * @param seg_bytes    of the newest stretch of it, of which …
 * @param s_bytes      … so much arrived now
 * @param all_bytes    and of all
 */
static inline void tern_pmtu_arrived(const struct tern_tcp *t, struct tern_conn *c,
    uint32_t seg_bytes, uint32_t all_bytes, uint32_t s_bytes)
{
    if (unlikely(!(c->slow & TERN_FULL_ARRIVED)) && all_bytes >= seg_bytes && s_bytes >= seg_bytes
        && seg_bytes >= tern_conn_payload_max(t, c))
        c->slow |= TERN_FULL_ARRIVED;
}

/** The same of a stretch. */
static inline void tern_pmtu_segment_arrived(const struct tern_tcp *t, struct tern_conn *c,
    const struct tern_sent *s, uint32_t all_bytes, uint32_t s_bytes)
{
    tern_pmtu_arrived(t, c, s->seg_bytes, all_bytes, s_bytes);
}

/** An ACK told what arrived. */
static inline void tern_pmtu_delivered(
    struct tern_tcp *t, struct tern_conn *c, const struct tern_delivered *d)
{
    const struct tern_sent *s = &d->newest;
    if (unlikely(d->probe))
        tern_pmtu_probe_arrived(t, c);
    if (d->any)
        tern_pmtu_segment_arrived(t, c, s, d->bytes, tern_seq_span(s->start, s->end));
}
