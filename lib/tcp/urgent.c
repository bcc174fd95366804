/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * Urgent data (RFC 9293 §3.8.5): a pointer into the stream that runs ahead of it. The data itself
 * is in line, as RFC 6093 advises, and of any length (MUST-30, MUST-31). The two pointers live in
 * the record of rare options; where none is left the application is told once a segment instead of
 * once an advance.
 */

void tern_urgent_rcvd(struct tern_tcp *t, struct tern_conn *c, const struct tern_seg *seg)
{
    const struct tern_app *app = tern_conn_app(t, c);
    const struct tern_seq up = tern_seq_add(seg->p.seq, seg->p.urg); /* MUST-30, MUST-31 */
    if (app->on_urgent == NULL || !tern_seq_before(c->rcv.nxt, up))
        return;
    struct tern_rare *r = tern_conn_rare_need(t, c);
    if (r != NULL) {
        if (r->rcv_is_urgent && !tern_seq_before(r->rcv_up, up))
            return;
        r->rcv_is_urgent = true;
        r->rcv_up = up;
    }
    app->on_urgent(tern_shard_of(t), c, tern_seq_span(c->rcv.nxt, up)); /* MUST-32, MUST-33 */
}

uint32_t tern_urgent_left(const struct tern_tcp *t, const struct tern_conn *c)
{
    const struct tern_rare *r = tern_conn_rare(t, c);
    if (r == NULL || !r->rcv_is_urgent || !tern_seq_before(c->rcv.nxt, r->rcv_up))
        return 0;
    return tern_seq_span(c->rcv.nxt, r->rcv_up);
}

uint16_t tern_urgent_pointer(
    const struct tern_tcp *t, const struct tern_conn *c, struct tern_seq seq)
{
    struct tern_rare *r = tern_conn_rare(t, c);
    if (likely(r == NULL) || !r->snd_is_urgent)
        return 0;
    if (!tern_seq_before(c->snd.una, r->snd_up)) {
        r->snd_is_urgent = false;
        return 0;
    }
    if (!tern_seq_before(seq, r->snd_up))
        return 0;
    return (uint16_t)RTE_MIN(tern_seq_span(seq, r->snd_up), (uint32_t)UINT16_MAX);
}
