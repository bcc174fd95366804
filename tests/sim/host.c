/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim.h"

/*
 * A host: an instance of the library driven by the virtual clock through embed.h, by the rules that
 * embed.h states, except for those that a loaded machine breaks: deadlines are served late, the
 * transmit ring is not emptied for a while, the packet pool is taken away and given back.
 */
#include "embed/embed.h"
#include "link/packet.h"
#include "shard/shard_struct.h"

#include <rte_mbuf.h>

#include <stdlib.h>

enum {
    BACKLOG = 128,
    STALL_POLL_NS = 1000000, /* a stalled host still looks at its timers that often */
    SETTLE_ROUNDS = 64,      /* applications and output feed each other no longer than that */
};

/** EVENT_FAULT's number */
enum { STEAL_BEGIN, STEAL_END, STALL_BEGIN, STALL_END };

const struct tern_stats *host_stats(const struct sim *s, uint8_t h)
{
    return tern_shard_stats(tern_embed_shard(s->host[h].e));
}

static struct tern_shard *shard_of(const struct sim *s, uint8_t h)
{
    return tern_embed_shard(s->host[h].e);
}

/* ---- opening ---- */

static void plan_faults(struct sim *s, uint8_t h)
{
    const struct host_plan *plan = &s->mix.host[h];
    if (plan->steal_every_ns != 0)
        sim_at(s, s->now_ns + plan->steal_every_ns, EVENT_FAULT, h, STEAL_BEGIN);
    if (plan->tx_stall_every_ns != 0)
        sim_at(s, s->now_ns + plan->tx_stall_every_ns, EVENT_FAULT, h, STALL_BEGIN);
}

bool host_open(struct sim *s, uint8_t h)
{
    struct host *host = &s->host[h];
    struct tern_embed_config *cfg = &s->mix.cfg[h];
    struct tern_error err;
    cfg->stack.pins.slow_path_only = s->slow_path;
    *host = (struct host){.timer_at_ns = SIM_NEVER, .app_at_ns = SIM_NEVER};
    host->prng = tern_prng_make(s->mix.seed, h == 0 ? STREAM_HOST0 : STREAM_HOST1);
    if (tern_embed_open(cfg, s->now_ns, &host->e, &err) != 0) {
        sim_fail(s, "host %u does not open: %s", h, err.text);
        return false;
    }
    host->stolen = malloc(cfg->mbufs * sizeof host->stolen[0]);
    if (host->stolen == NULL || !checker_init(&host->checker, cfg->stack.conns_max)
        || tern_sock_listen(host->e, NULL, PORT_LISTEN, BACKLOG, &host->listener) != 0) {
        sim_fail(s, "host %u: no memory", h);
        return false;
    }
    plan_faults(s, h);
    return true;
}

/* ---- output and deadlines ---- */

static bool send_off(struct sim *s, uint8_t h)
{
    static uint8_t packet[TERN_PACKET_BYTES_MAX];
    bool any = false;
    size_t n;
    while (!s->failed && (n = tern_embed_output(s->host[h].e, packet, sizeof packet)) > 0) {
        any = true;
        s->totals->packets++;
        trace_packet(s, h, packet, (uint32_t)n);
        wire_check_packet(s, h, packet, (uint32_t)n);
        tern_link_enter(&s->link[h], s->now_ns, packet, (uint32_t)n);
    }
    return any;
}

static void arm_timer(struct sim *s, uint8_t h)
{
    struct host *host = &s->host[h];
    uint64_t at_ns;
    if (!tern_embed_deadline(host->e, &at_ns))
        return;
    if (at_ns < s->now_ns)
        at_ns = s->now_ns;
    if (host->stalled && at_ns < s->now_ns + STALL_POLL_NS)
        at_ns = s->now_ns + STALL_POLL_NS;
    if (!s->healed && s->mix.host[h].late_ns != 0 && at_ns < host->timer_at_ns) {
        const uint64_t late_ns = tern_prng_next(&host->prng) % (s->mix.host[h].late_ns + 1);
        s->totals->late_timers += late_ns != 0;
        at_ns += late_ns;
    }
    if (at_ns >= host->timer_at_ns)
        return;
    host->timer_at_ns = at_ns;
    sim_at(s, at_ns, EVENT_TIMER, h, 0);
}

/** @param at_once  an application that acts in small pieces had no time to finish */
static void arm_apps(struct sim *s, uint8_t h, bool at_once)
{
    struct host *host = &s->host[h];
    const uint64_t at_ns = at_once ? s->now_ns + 1 : apps_next_ns(s, h);
    if (at_ns >= host->app_at_ns)
        return;
    host->app_at_ns = at_ns;
    sim_at(s, at_ns, EVENT_APP, h, 0);
}

void host_settle(struct sim *s, uint8_t h)
{
    struct host *host = &s->host[h];
    if (host->dead)
        return;
    bool moved = true;
    for (int i = 0; i < SETTLE_ROUNDS && moved && !s->failed; i++) {
        moved = apps_run(s, h);
        moved |= !host->stalled && send_off(s, h);
    }
    if (s->failed)
        return;
    checker_look(s, h);
    arm_timer(s, h);
    arm_apps(s, h, moved);
}

/* ---- events ---- */

/** Does it end a connection by right: a RST at exactly RCV.NXT, a SYN that meets SYN-SENT? */
static bool would_be_believed(
    struct sim *s, uint8_t h, const struct tern_packet_view *v, const uint8_t *at)
{
    struct tern_shard *sh = shard_of(s, h);
    const struct tern_prefix *own = s->mix.cfg[h].stack.addrs, *peer = s->mix.cfg[!h].stack.addrs;
    const struct tern_flow_key key = {
        .remote = peer->addr, .local = own->addr, .rport = v->sport, .lport = v->dport};
    (void)at;
    const uint32_t ref = tern_records_find(sh, &key, tern_flow_hash(&sh->tcp, &key));
    if (ref == 0)
        return false;
    const void *record = tern_pool_at(sh->pool_of[tern_ref_kind(ref)], tern_ref_idx(ref));
    const bool rst = v->flags & TERN_PACKET_RST;
    switch (tern_ref_kind(ref)) {
    case TERN_REF_CONN: {
        const struct tern_conn *c = record;
        if (c->state == TERN_SYN_SENT)
            return v->flags & TERN_PACKET_SYN;
        return rst && v->seq == c->rcv.nxt.v;
    }
    case TERN_REF_HALF: return rst && v->seq == ((const struct tern_half *)record)->irs.v + 1;
    case TERN_REF_TW: return rst && v->seq == ((const struct tern_tw *)record)->rcv_nxt.v;
    }
    return false;
}

void host_arrival(struct sim *s, const struct event *e)
{
    struct host *host = &s->host[e->host];
    struct tern_packet_view v;
    if (host->dead)
        return;
    if (e->forged && tern_packet_read(e->bytes, e->n, &v) && v.is_tcp
        && would_be_believed(s, e->host, &v, e->bytes)) {
        s->totals->exact_resets_spared++;
        return;
    }
    trace_arrival(s, e);
    if (s->mix.host[e->host].advances_first)
        tern_embed_advance(host->e, s->now_ns);
    tern_embed_input(host->e, e->bytes, e->n, s->now_ns);
    host_settle(s, e->host);
}

void host_timer(struct sim *s, const struct event *e)
{
    struct host *host = &s->host[e->host];
    if (host->dead || e->at_ns != host->timer_at_ns)
        return; /* overtaken by an earlier deadline */
    host->timer_at_ns = SIM_NEVER;
    tern_embed_advance(host->e, s->now_ns);
    host_settle(s, e->host);
}

void host_app(struct sim *s, const struct event *e)
{
    struct host *host = &s->host[e->host];
    if (host->dead || e->at_ns != host->app_at_ns)
        return;
    host->app_at_ns = SIM_NEVER;
    tern_embed_advance(host->e, s->now_ns); /* socket calls act at the time that was told last */
    host_settle(s, e->host);
}

static void steal(struct sim *s, uint8_t h)
{
    struct host *host = &s->host[h];
    struct rte_mbuf *m;
    while ((m = rte_pktmbuf_alloc(host->e->pool)) != NULL)
        host->stolen[host->n_stolen++] = m;
    s->totals->steals++;
    trace_note(s, "%c loses its mbufs", 'A' + h);
}

static void give_back(struct host *host)
{
    while (host->n_stolen > 0)
        rte_pktmbuf_free(host->stolen[--host->n_stolen]);
}

void host_fault(struct sim *s, const struct event *e)
{
    struct host *host = &s->host[e->host];
    const struct host_plan *plan = &s->mix.host[e->host];
    if (host->dead || s->healed)
        return;
    switch (e->n) {
    case STEAL_BEGIN:
        steal(s, e->host);
        sim_at(s, s->now_ns + plan->steal_for_ns, EVENT_FAULT, e->host, STEAL_END);
        break;
    case STEAL_END:
        give_back(host);
        trace_note(s, "%c has its mbufs back", 'A' + e->host);
        sim_at(s, s->now_ns + plan->steal_every_ns, EVENT_FAULT, e->host, STEAL_BEGIN);
        break;
    case STALL_BEGIN:
        host->stalled = true;
        trace_note(s, "%c's tx ring is full", 'A' + e->host);
        s->totals->tx_stalls++;
        sim_at(s, s->now_ns + plan->tx_stall_for_ns, EVENT_FAULT, e->host, STALL_END);
        break;
    default:
        host->stalled = false;
        trace_note(s, "%c's tx ring is emptied", 'A' + e->host);
        sim_at(s, s->now_ns + plan->tx_stall_every_ns, EVENT_FAULT, e->host, STALL_BEGIN);
        break;
    }
    tern_embed_advance(host->e, s->now_ns);
    host_settle(s, e->host);
}

void host_heal(struct sim *s, uint8_t h)
{
    struct host *host = &s->host[h];
    if (host->dead)
        return;
    give_back(host);
    host->stalled = false;
    host->timer_at_ns = SIM_NEVER; /* what was armed late is armed again */
    tern_embed_advance(host->e, s->now_ns);
    host_settle(s, h);
}

/* ---- the end ---- */

bool host_is_idle(const struct sim *s, uint8_t h)
{
    const struct tern_shard *sh = shard_of(s, h);
    return s->host[h].dead
           || (sh->conns.n_used == 0 && sh->halves.n_used == 0 && sh->tws.n_used == 0);
}

/** Everything is back where it was before the first connection. */
static void check_baseline(struct sim *s, uint8_t h)
{
    const struct tern_shard *sh = shard_of(s, h);
    const uint32_t records =
        sh->addr6s.n_used + sh->txqs.n_used + sh->rxqs.n_used + sh->rares.n_used;
    const uint32_t timers = tern_records_n_armed(sh);
    const uint32_t mbufs = rte_mempool_in_use_count(s->host[h].e->pool);
    if (records != 0 || timers != 0 || mbufs != 0 || sh->flow.n_used != 0)
        sim_fail(s,
            "host %u, after the last connection: %u records, %u timers, %u mbufs, %u table entries "
            "are left",
            h, records, timers, mbufs, sh->flow.n_used);
}

static void add_stats(struct sim *s, uint8_t h)
{
    const struct tern_stats *st = host_stats(s, h);
    struct totals *t = s->totals;
    t->conns += st->passive_established + st->active_established;
    t->payload_bytes += st->rx_payload_bytes;
    t->retransmits += st->retransmits;
    t->rto_expired += st->rto_expired;
    t->probes += st->zero_window_probes + st->keepalive_probes;
    t->challenge_acks += st->challenge_acks;
    t->fast_segments += st->rx_fast;
}

void host_close(struct sim *s, uint8_t h)
{
    struct host *host = &s->host[h];
    struct tern_embed_leaks leaks = {0};
    if (host->e != NULL) {
        add_stats(s, h);
        give_back(host);
        if (!host->dead && !s->failed && !s->left_over)
            check_baseline(s, h);
        tern_embed_close(host->e, &leaks);
    }
    if (leaks.mbufs != 0 || leaks.records != 0 || leaks.timers != 0)
        sim_fail(s, "host %u leaks %u mbufs, %u records, %u timers when closed", h, leaks.mbufs,
            leaks.records, leaks.timers);
    free(host->stolen);
    checker_fini(&host->checker);
}
