/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an ARP or NDP message changes.
 *
 * Three questions, in this order: does it claim an address of ours (neighbour_own.c), does it say
 * something about a neighbour that we know, does it ask for us. Nothing makes a new entry: whoever
 * is worth one is about to get a packet from us, and that makes it (V175, V180, RFC 6583).
 *
 * Belief follows the table of RFC 4861 §7.2.5 for both protocols, an ARP reply being a solicited
 * answer that overrides, and a question an unsolicited one about its sender (RFC 826, RFC 4861
 * §7.2.3). One exception, because ARP and NDP know no proof: the link address of an entry that
 * somebody holds (a gateway, a peer with connections) does not change on hearsay. The old address
 * is asked first, once; only its silence makes us ask everybody (V174, V187).
 */
#include "neighbour.h"
#include "neighbour_entry.h"

/* What a message says about a neighbour that is in the table. */
struct claim {
    const uint8_t *mac;
    bool override;
    bool solicited;
};

/* Another link address for an entry that is in use: ask the old one, at most once in LOCK_NS (V174,
 * V187). */
static void doubt(struct tern_neigh_table *t, uint16_t idx)
{
    struct tern_neighbour *e = tern_neigh_at(t, idx);
    if (e->state == TERN_NEIGH_PROBE || t->now_ns < e->doubt_again_ns)
        return;
    e->doubt_again_ns = t->now_ns + TERN_NEIGH_LOCK_NS;
    tern_neigh_start_asking(t, idx, TERN_NEIGH_PROBE);
    e->doubted = true;
}

static void hear_other_mac(struct tern_neigh_table *t, uint16_t idx, const struct claim *c)
{
    const struct tern_neighbour *e = tern_neigh_at(t, idx);
    if (!c->override) {
        /* RFC 4861 §7.2.5 I: not believed, but no longer sure either. */
        if (e->state == TERN_NEIGH_REACHABLE)
            tern_neigh_enter(t, idx, TERN_NEIGH_STALE);
        return;
    }
    if (e->n_refs > 0)
        doubt(t, idx);
    else /* RFC 4861 §7.2.5 II */
        tern_neigh_accept(t, idx, c->mac, c->solicited ? TERN_NEIGH_REACHABLE : TERN_NEIGH_STALE);
}

static void hear(struct tern_neigh_table *t, uint16_t idx, const struct claim *c)
{
    const struct tern_neighbour *e = tern_neigh_at(t, idx);
    if (e->state == TERN_NEIGH_STATIC)
        return;
    if (!tern_neigh_has_mac(e)) {
        /* RFC 4861 §7.2.5: REACHABLE only by an answer, and only if we asked. */
        const bool asked = e->state == TERN_NEIGH_INCOMPLETE;
        tern_neigh_accept(
            t, idx, c->mac, asked && c->solicited ? TERN_NEIGH_REACHABLE : TERN_NEIGH_STALE);
        return;
    }
    if (memcmp(e->l2, c->mac, TERN_MAC_BYTES) != 0)
        hear_other_mac(t, idx, c);
    else if (c->solicited)
        tern_neigh_enter(t, idx, TERN_NEIGH_REACHABLE);
}

/* Who is not in the table is not put there (V175, V180).
 * @return was anything known about `addr`? */
static bool hear_about(
    struct tern_neigh_table *t, const union tern_addr *addr, const struct claim *c)
{
    const uint16_t idx = tern_neigh_find(t, addr);
    if (idx != 0)
        hear(t, idx, c);
    return idx != 0;
}

/* The asker's link address: as it says, else as we know it, else NULL. */
static const uint8_t *mac_of_asker(
    const struct tern_neigh_table *t, const struct tern_neigh_msg *msg)
{
    if (msg->has_mac)
        return msg->mac;
    const uint16_t idx = tern_neigh_find(t, &msg->sender);
    return idx != 0 && tern_neigh_has_mac(tern_neigh_at(t, idx)) ? tern_neigh_at(t, idx)->l2 : NULL;
}

static bool is_probe(const struct tern_neigh_msg *msg)
{
    return tern_addr_classify(&msg->sender) == TERN_ADDR_UNSPECIFIED;
}

/*
 * Answer a question about an address of ours (RFC 826, RFC 4861 §7.2.4). NDP's duplicate address
 * probe has no one to answer to and is answered to all nodes, unsolicited.
 * @return false when the asker cannot be reached
 */
static bool answer(struct tern_neigh_table *t, const struct tern_neigh_msg *msg)
{
    const bool to_all = is_probe(msg) && !msg->has_mac;
    const uint8_t *to = to_all ? NULL : mac_of_asker(t, msg);
    if (to == NULL && !to_all)
        return false;
    const struct tern_neigh_msg reply = {
        .sender = msg->target,
        .target = msg->target,
        .is_answer = true,
        .solicited = !to_all,
        .override = true,
    };
    tern_neigh_emit(t, &reply, to, to_all ? NULL : &msg->sender);
    return true;
}

/* @return did we learn something, or is there something to answer? */
static bool rx_question(struct tern_neigh_table *t, const struct tern_neigh_msg *msg, bool replica)
{
    const bool mine = tern_route_is_mine(t->routes, &msg->target);
    /* RFC 4861 §7.2.3: who asks for somebody else is not listened to. RFC 826 listens to all. */
    if (!mine && !tern_addr_is_v4(&msg->target))
        return false;
    const struct claim about_sender = {.mac = msg->mac, .override = true};
    const bool known = msg->has_mac && hear_about(t, &msg->sender, &about_sender);
    /* Nothing is answered for an address that is still being probed (RFC 4862 §5.4.3). */
    if (!mine || replica || !tern_neigh_addrs_ready(t))
        return mine || known;
    return answer(t, msg) || known;
}

static bool rx_answer(struct tern_neigh_table *t, const struct tern_neigh_msg *msg)
{
    const struct claim about_target = {
        .mac = msg->mac, .override = msg->override, .solicited = msg->solicited};
    return msg->has_mac && hear_about(t, &msg->target, &about_target);
}

enum tern_drop tern_neigh_rx(
    struct tern_neigh_table *t, const struct tern_neigh_msg *msg, bool replica, uint64_t now_ns)
{
    const bool v4 = tern_addr_is_v4(&msg->target);
    const enum tern_drop done = v4 ? TERN_DROP_ARP_DONE : TERN_DROP_NDP_DONE;
    const enum tern_drop not_mine = v4 ? TERN_DROP_ARP_NOT_MINE : TERN_DROP_NDP_NOT_MINE;
    const enum tern_drop bad = v4 ? TERN_DROP_ARP_BAD : TERN_DROP_NDP_BAD;

    tern_neigh_heed_time(t, now_ns);
    if (t->l2_bytes == 0)
        return not_mine;
    if (msg->has_mac && !tern_neigh_is_station(t, msg->mac))
        return bad;
    if (tern_neigh_own_is_claimed(t, msg, replica))
        return done;
    const bool acted = msg->is_answer ? rx_answer(t, msg) : rx_question(t, msg, replica);
    return acted ? done : not_mine;
}
