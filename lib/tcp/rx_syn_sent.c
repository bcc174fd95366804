/* SPDX-License-Identifier: BSD-3-Clause */
#include "host.h"
#include "packet.h"

/* Segment arrival in SYN-SENT, in the order of RFC 9293 §3.10.7.3. */

static void note_peer(struct tern_tcp *t, struct tern_conn *c, const struct tern_seg *seg)
{
    c->rcv.nxt = tern_seq_add(seg->p.seq, 1);
    c->rcv.adv = tern_seq_add(c->rcv.nxt, tern_syn_window(t));
    c->last_ack_sent = c->rcv.nxt;
    c->snd.wnd_bytes = seg->p.wnd; /* never scaled in a SYN (7323-3) */
    c->wl1 = seg->p.seq;
    tern_conn_negotiate(t, c, &seg->opts);
}

static enum tern_drop established(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    note_peer(t, c, seg);
    tern_tfo_answered(t, c, seg);
    c->snd.una = c->snd.nxt = seg->p.ack;
    tern_ecn_answered(t, c, seg->p.flags);
    tern_conn_cancel_rtx(t, c);
    if (c->backoff == 0) /* Karn (6298-5); last_rx_ms held when the SYN left */
        tern_conn_rtt_sample(c, (t->now_ms - c->last_rx_ms) * 1000);
    c->last_rx_ms = t->now_ms;
    c->flags |= TERN_CF_ACK_NOW;
    tern_conn_established(t, c);
    tern_conn_touch(t, c);
    return TERN_DROP_TCP_DONE;
}

/* V069 */
static enum tern_drop crossed(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    note_peer(t, c, seg);
    tern_tfo_crossed(t, c);
    tern_conn_set_state(c, TERN_SYN_RCVD); /* simultaneous open, MUST-10 */
    tern_conn_send_syn(t, c);
    tern_conn_arm_rtx(t, c);
    tern_conn_touch(t, c);
    return TERN_DROP_TCP_DONE;
}

/* V057, V125 */
enum tern_drop tern_syn_sent_rx(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    const uint8_t flags = seg->p.flags;
    const bool ack_good = (flags & TERN_TCP_ACK) && tern_seq_before(c->snd.una, seg->p.ack)
                          && !tern_seq_before(c->snd.nxt, seg->p.ack);
    if ((flags & TERN_TCP_ACK) && !ack_good) {
        if (!(flags & TERN_TCP_RST))
            tern_packet_reset(t, seg);
        return TERN_DROP_TCP_SYNSENT_ACK;
    }
    if (flags & TERN_TCP_RST) {
        if (!ack_good) /* RFC 5961 §3.2: only a RST that acknowledges our SYN */
            return TERN_DROP_TCP_SYNSENT_NO_SYN;
        tern_conn_end(t, c, TERN_CLOSE_REFUSED);
        return TERN_DROP_TCP_DONE;
    }
    if (!(flags & TERN_TCP_SYN))
        return TERN_DROP_TCP_SYNSENT_NO_SYN;
    return ack_good ? established(t, c, seg) : crossed(t, c, seg);
}
