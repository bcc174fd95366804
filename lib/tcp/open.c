/* SPDX-License-Identifier: BSD-3-Clause */
#include <tern/conn.h>

/*
 * Active OPEN (RFC 9293 §3.10.1): choose addresses and port, make the connection, send SYN.
 *
 * A four-tuple in TIME-WAIT may be taken again when timestamps protect the peer from old duplicates
 * (RFC 6191, RFC 7323 appendix B.2); the new ISN then lies beyond the old connection's last octet.
 */
#include "host.h"
#include "syn.h"

#include <assert.h>
#include <errno.h>

enum {
    PORT_TRIES_MAX = 128, /* ports looked at before an open is refused with EADDRNOTAVAIL */
};

/** The tuple is free, or becomes so. @param iss  moved beyond a TIME-WAIT that is taken over */
static bool claim(
    struct tern_tcp *t, const struct tern_flow_key *key, uint64_t hash, struct tern_seq *iss)
{
    bool in_use;
    struct tern_tw *tw = tern_host_find_tw(t, key, hash, &in_use);
    if (in_use)
        return false;
    if (tw == NULL) {
        *iss = tern_isn(t, key);
        return true;
    }
    if ((tw->ts_recent | tw->ts_offset) == 0 || !t->cfg.timestamps)
        return false;
    *iss = tern_isn_beyond(t, tern_isn(t, key), tw->snd_nxt);
    tern_host_tw_free(t, tw);
    t->stats.time_wait_reused++;
    return true;
}

/** The port whose turn it is towards there, and its place in the table: as they were looked up
 * ahead, unless the counter was moved for another destination since. @return 0: there is none */
static uint16_t next_port(
    struct tern_tcp *t, struct tern_dest *d, struct tern_flow_key *key, uint64_t *hash)
{
    if (likely(d->ahead_port != 0 && d->ahead_turn == *d->turn)) {
        ++*d->turn;
        key->lport = d->ahead_port;
        *hash = d->ahead_hash;
    } else {
        key->lport = tern_ports_next(t, &d->order, d->turn);
        *hash = tern_flow_hash(t, key);
    }
    return key->lport;
}

/** See dest.h. */
static void look_ahead(struct tern_tcp *t, struct tern_dest *d, struct tern_flow_key key)
{
    key.lport = d->ahead_port = tern_ports_at(t, &d->order, *d->turn);
    d->ahead_turn = *d->turn;
    d->ahead_hash = tern_flow_hash(t, &key);
    tern_host_prefetch(t, d->ahead_hash);
}

static int choose_port(struct tern_tcp *t, struct tern_dest *d, struct tern_flow_key *key,
    uint64_t *hash, struct tern_seq *iss)
{
    for (uint32_t i = 0; i < PORT_TRIES_MAX; i++) {
        if (next_port(t, d, key, hash) == 0)
            break;
        if (!tern_host_listens(t, key->lport) && claim(t, key, *hash, iss)) { /* (6056-2) */
            look_ahead(t, d, *key);
            return 0;
        }
    }
    return -EADDRNOTAVAIL;
}

/** @param key  its lport is what was asked for, or 0 */
static int choose_tuple(struct tern_tcp *t, struct tern_dest *d, struct tern_flow_key *key,
    uint64_t *hash, struct tern_seq *iss)
{
    if (likely(key->lport == 0))
        return choose_port(t, d, key, hash, iss);
    /* Replies are steered to the worker whose ports these are, or as a listener's by their hash. */
    if (!tern_ports_is_own(t, key))
        return -EADDRNOTAVAIL;
    *hash = tern_flow_hash(t, key);
    return claim(t, key, *hash, iss) ? 0 : -EADDRINUSE;
}

/**
 * Early data, copied into buffers that are linked by next. All that it needs is taken before there
 * is a connection: one that failed for want of it would have on_closed() called at once, and an
 * application that connects again there would never come to an end.
 * @return  false: not to be had
 */
static bool take_early(
    struct tern_tcp *t, const struct tern_connect_opts *opts, struct rte_mbuf **early)
{
    struct rte_mbuf **link = early;
    *early = NULL;
    if (opts->n_early > 0 && !tern_host_txq_left(t))
        return false;
    for (uint32_t done = 0; done < opts->n_early;) {
        struct rte_mbuf *m = *link = rte_pktmbuf_alloc(t->pool);
        if (m == NULL) {
            rte_pktmbuf_free(*early);
            return false;
        }
        const uint32_t n = RTE_MIN(opts->n_early - done, (uint32_t)rte_pktmbuf_tailroom(m));
        memcpy(rte_pktmbuf_append(m, (uint16_t)n), (const uint8_t *)opts->early + done, n);
        done += n;
        link = &m->next;
    }
    if (*early != NULL)
        (*early)->pkt_len = opts->n_early;
    return true;
}

/** @param early  NULL, or what is queued before the SYN, which may carry it */
static void send_first_syn(struct tern_tcp *t, struct tern_conn *c, const struct tern_flow_key *key,
    struct tern_seq iss, struct rte_mbuf *early)
{
    c->flags |= TERN_CF_ACTIVE;
    c->snd.una = iss;
    c->snd.nxt = tern_seq_add(iss, 1);
    tern_conn_set_state(c, TERN_SYN_SENT);
    t->stats.active_opens++;
    t->stats.opening_now++;
    if (early != NULL) {
        const uint32_t n_taken = tern_send_mbufs(tern_shard_of(t), c, &early, 1);
        assert(n_taken == 1); /* the queue is empty, and was to be had (take_early()) */
    }
    if (tern_syn_fits(t, early != NULL))
        tern_syn_send(t, c, key, iss);
    else
        tern_conn_send_syn(t, c);
    tern_conn_arm_rtx(t, c);
    tern_conn_touch(t, c);
}

static bool can_be_meant(const struct tern_tcp *t, const struct tern_connect_opts *opts)
{
    return opts->rport != 0 && opts->app != NULL && opts->n_early <= t->cfg.snd_buf_bytes
           && (opts->n_early == 0 || opts->early != NULL);
}

int tern_connect(
    struct tern_shard *sh, const struct tern_connect_opts *opts, struct tern_conn **out)
{
    struct tern_tcp *t = tern_tcp_of(sh);
    struct tern_dest *d;
    if (!can_be_meant(t, opts))
        return -EINVAL;
    if (t->stopping)
        return -ENETDOWN;
    int rc = tern_host_dest(t, &opts->remote, opts->rport, &opts->local, &d);
    if (rc != 0)
        return rc;
    struct tern_flow_key key = {
        .remote = opts->remote,
        .local = d->local,
        .rport = opts->rport,
        .lport = opts->lport,
    };
    uint64_t hash;
    struct tern_seq iss;
    rc = choose_tuple(t, d, &key, &hash, &iss);
    if (rc != 0)
        return rc;
    const int app = tern_tcp_app(t, opts->app);
    if (app < 0)
        return -ENOBUFS;
    const uint16_t neighbour = tern_host_next_hop(t, d);
    if (neighbour == 0)
        return -ENETUNREACH;
    struct rte_mbuf *early = NULL;
    if (!take_early(t, opts, &early)) {
        tern_host_unroute(t, neighbour);
        return -ENOBUFS;
    }
    struct tern_conn *c = tern_host_conn_new(t, &t->blank, &key, hash, neighbour);
    if (c == NULL) {
        rte_pktmbuf_free(early);
        return -ENOBUFS;
    }
    tern_conn_init(t, c, (uint8_t)app, opts->user);
    c->ts_offset = tern_ts_offset(t, &key);
    send_first_syn(t, c, &key, iss, early);
    if (out != NULL)
        *out = c;
    return 0;
}
