/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Our own addresses on the link: probed before use, announced, defended (RFC 5227, RFC 4862 §5.4).
 *
 *   START --probe each--> PROBING --500 ms--> READY --announce, 2 s, announce--> DONE
 *     |                      |                  ^
 *     +--somebody has one----+--> CONFLICT      +-- without probing, start-up begins here
 *
 * All addresses go through this together: an endpoint is usable or it is not, and the program wants
 * to refuse with one clear line, not to run with half of what it was told. CONFLICT is for good.
 *
 * Ranges (tern_stack_config.ranges) go through it unasked: RFC 5227 §2.1 and RFC 4862 §5.4 want a
 * probe for each address, and a /16 would be 65,536 broadcasts before the first connection. Who
 * configures one lists an address of it, which is probed and stands for the rest. A claim to any is
 * heeded.
 *
 * Every worker of an endpoint waits; one probes and announces. A claim to an address in use is
 * counted and answered with an announcement, at most once in ten seconds for each address and
 * each range (RFC 5227 §2.4 (c): configured addresses are defended for ever), by the worker that
 * received it.
 */
#include <tern/stats.h>

#include "neighbour.h"
#include "neighbour_entry.h"

static bool is_tentative(const struct tern_neigh_table *t)
{
    return t->phase == TERN_NEIGH_PHASE_START || t->phase == TERN_NEIGH_PHASE_PROBING;
}

/* "Has somebody `own`?" from nobody (RFC 5227 §2.1.1, RFC 4862 §5.4.2). */
static void probe(struct tern_neigh_table *t, const union tern_addr *own)
{
    struct tern_neigh_msg question = {.target = *own};
    if (tern_addr_is_v4(own))
        question.sender = tern_addr_from_v4(0);
    tern_neigh_emit(t, &question, NULL, NULL);
}

/* To all: an ARP request about ourselves (RFC 5227 §2.3), an unsolicited NA (RFC 4861 §7.2.6). */
static void announce(struct tern_neigh_table *t, const union tern_addr *own)
{
    const bool v4 = tern_addr_is_v4(own);
    const struct tern_neigh_msg msg = {
        .sender = *own, .target = *own, .is_answer = !v4, .override = true};
    tern_neigh_emit(t, &msg, NULL, NULL);
}

static void for_each_own(
    struct tern_neigh_table *t, void (*tell)(struct tern_neigh_table *, const union tern_addr *))
{
    if (!t->announces)
        return;
    for (uint32_t i = 0; i < t->routes->n_own; i++)
        tell(t, &t->routes->known[i]);
}

static void ask_gateway(struct tern_neigh_table *t, const union tern_addr *gateway)
{
    const uint16_t idx = tern_neigh_find(t, gateway);
    if (tern_neigh_at(t, idx)->state == TERN_NEIGH_UNKNOWN)
        tern_neigh_start_asking(t, idx, TERN_NEIGH_INCOMPLETE);
}

/* Before the first connection needs them. */
static void ask_gateways(struct tern_neigh_table *t)
{
    if (t->routes->has_gateway4)
        ask_gateway(t, &t->routes->gateway4);
    if (t->routes->has_gateway6)
        ask_gateway(t, &t->routes->gateway6);
}

static void set_phase(struct tern_neigh_table *t, enum tern_neigh_phase phase, uint64_t until_ns)
{
    t->phase = (uint8_t)phase;
    t->phase_at_ns = until_ns;
}

void tern_neigh_own_init(struct tern_neigh_table *t, bool dad, uint64_t now_ns)
{
    t->n_announced = dad ? 0 : TERN_NEIGH_ANNOUNCEMENTS;
    if (t->l2_bytes == 0)
        set_phase(t, TERN_NEIGH_PHASE_DONE, UINT64_MAX);
    else
        set_phase(t, dad ? TERN_NEIGH_PHASE_START : TERN_NEIGH_PHASE_READY, now_ns);
}

static void run_ready(struct tern_neigh_table *t)
{
    ask_gateways(t);
    if (t->n_announced < TERN_NEIGH_ANNOUNCEMENTS) {
        for_each_own(t, announce);
        t->n_announced++;
    }
    if (t->n_announced < TERN_NEIGH_ANNOUNCEMENTS)
        set_phase(t, TERN_NEIGH_PHASE_READY, t->now_ns + TERN_NEIGH_ANNOUNCE_NS);
    else
        set_phase(t, TERN_NEIGH_PHASE_DONE, UINT64_MAX);
}

void tern_neigh_own_advance(struct tern_neigh_table *t)
{
    while (t->now_ns >= t->phase_at_ns) {
        switch ((enum tern_neigh_phase)t->phase) {
        case TERN_NEIGH_PHASE_START:
            for_each_own(t, probe);
            set_phase(t, TERN_NEIGH_PHASE_PROBING, t->now_ns + TERN_NEIGH_DAD_NS);
            break;
        case TERN_NEIGH_PHASE_PROBING: set_phase(t, TERN_NEIGH_PHASE_READY, t->now_ns); break;
        case TERN_NEIGH_PHASE_READY: run_ready(t); break;
        case TERN_NEIGH_PHASE_DONE:
        case TERN_NEIGH_PHASE_CONFLICT: return;
        }
    }
}

/* ---- conflicts ---- */

static bool is_unspecified(const union tern_addr *a)
{
    return tern_addr_classify(a) == TERN_ADDR_UNSPECIFIED;
}

/* The address a message contends with us for, or NULL. Messages with our own MAC never get here. */
static const union tern_addr *contended(
    const struct tern_neigh_table *t, const struct tern_neigh_msg *msg)
{
    const union tern_addr *claimed = msg->is_answer ? &msg->target : &msg->sender;
    /* RFC 5227 §2.1.1, RFC 4862 §5.4.3: somebody else is about to take what we are about to take.
     */
    if (is_tentative(t) && is_unspecified(&msg->sender))
        claimed = &msg->target;
    return tern_route_is_mine(t->routes, claimed) ? claimed : NULL;
}

static void defend(struct tern_neigh_table *t, const union tern_addr *own)
{
    uint64_t *again_ns = &t->defend_again_ns[tern_route_find(t->routes, own)];
    if (t->now_ns < *again_ns)
        return;
    *again_ns = t->now_ns + TERN_NEIGH_DEFEND_NS;
    announce(t, own);
}

static void give_up(
    struct tern_neigh_table *t, const union tern_addr *own, const struct tern_neigh_msg *msg)
{
    set_phase(t, TERN_NEIGH_PHASE_CONFLICT, UINT64_MAX);
    t->conflict_addr = *own;
    if (msg->has_mac)
        memcpy(t->conflict_mac, msg->mac, sizeof t->conflict_mac);
}

bool tern_neigh_own_is_claimed(
    struct tern_neigh_table *t, const struct tern_neigh_msg *msg, bool replica)
{
    const union tern_addr *own = contended(t, msg);
    if (own == NULL)
        return false;
    if (!replica)
        t->stats->addr_conflicts++;
    if (is_tentative(t))
        give_up(t, own, msg);
    else if (!replica && tern_neigh_addrs_ready(t))
        defend(t, own);
    return true;
}

bool tern_neigh_conflict(const struct tern_neigh_table *t, union tern_addr *addr, uint8_t mac[6])
{
    if (t->phase != TERN_NEIGH_PHASE_CONFLICT)
        return false;
    if (addr != NULL)
        *addr = t->conflict_addr;
    if (mac != NULL)
        memcpy(mac, t->conflict_mac, sizeof t->conflict_mac);
    return true;
}
