/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet.h"

/* V062: A segment for which there is neither connection nor listener (RFC 9293 §3.10.7.1). */
enum tern_drop tern_closed_rx(struct tern_tcp *t, struct tern_seg *seg)
{
    if (seg->p.flags & TERN_TCP_RST)
        return TERN_DROP_TCP_RST_NO_CONN; /* a RST never answers a RST */
    if (!tern_rate_take(&t->rst_rate, t->now_ns))
        return TERN_DROP_TCP_RST_RATE;
    tern_packet_reset(t, seg);
    return TERN_DROP_TCP_CLOSED_PORT;
}
