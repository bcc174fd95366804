/* SPDX-License-Identifier: BSD-3-Clause */
#include "conn_world.h"

/*
 * The application of fuzz_conn: what it calls, what it does in its callbacks (world.mode), and what
 * it expects: that each connection ends once, that what is delivered is what the peer sent, that
 * its window only opens.
 */

static struct app_conn *app_of(const struct tern_conn *c)
{
    return tern_conn_user(c);
}

static struct app_conn *app_new(struct tern_conn *c, uint32_t slot)
{
    for (int i = 0; i < APPS; i++) {
        if (w.apps[i].c != NULL)
            continue;
        w.apps[i] = (struct app_conn){.c = c, .slot = slot, .born = w.event};
        return &w.apps[i];
    }
    return NULL;
}

static void app_send(struct app_conn *a, uint32_t n)
{
    n = RTE_MIN(n, (uint32_t)BODY_BYTES - SENT_PERIOD);
    const uint32_t at = a->n_sent % SENT_PERIOD;
    a->n_sent += (uint32_t)tern_send_bytes(w.sh, a->c, sent_bytes + at, n);
}

static void app_send_static(struct app_conn *a, uint32_t n)
{
    n = RTE_MIN(n, (uint32_t)BODY_BYTES - SENT_PERIOD);
    a->n_sent += (uint32_t)tern_send_static(w.sh, a->c, body, a->n_sent % SENT_PERIOD, n);
}

/** One chain of up to three buffers. */
static void app_send_mbufs(struct app_conn *a, uint32_t n)
{
    struct rte_mbuf *chain = NULL;
    uint32_t at = a->n_sent;
    n = RTE_MIN(n, 1500u);
    for (uint32_t part = 0; part < 3 && n > 0; part++) {
        struct rte_mbuf *m = tern_shard_mbuf(w.sh);
        if (m == NULL)
            break;
        const uint32_t here = part == 2 ? n : n / 2 + 1;
        memcpy(rte_pktmbuf_append(m, (uint16_t)here), sent_bytes + at % SENT_PERIOD, here);
        at += here;
        n -= here;
        if (chain == NULL)
            chain = m;
        else
            assert(rte_pktmbuf_chain(chain, m) == 0);
    }
    if (chain == NULL)
        return;
    if (tern_send_mbufs(w.sh, a->c, &chain, 1) == 1)
        a->n_sent = at;
    else
        rte_pktmbuf_free(chain);
}

void app_consume(struct app_conn *a, uint32_t n)
{
    tern_consume(w.sh, a->c, n);
    a->unread -= RTE_MIN(n, a->unread);
}

/** What a callback does beside its duty. */
static void app_reacts(struct app_conn *a, uint8_t how)
{
    switch (how & 7) {
    case 1: app_send(a, 100); break;
    case 2: app_send_static(a, 3000); break;
    case 3: tern_shutdown(w.sh, a->c); break;
    case 4: tern_close(w.sh, a->c); break;
    case 5: tern_abort(w.sh, a->c); break;
    case 6: app_connect(2 + (w.event & 1)); break;
    case 7: app_send_mbufs(a, 700); break;
    default: break;
    }
}

static uint32_t slot_of(const struct tern_conn *c)
{
    const struct tern_flow_key key = tern_conn_key(&w.sh->tcp, c);
    for (uint32_t i = 0; i < SLOTS; i++)
        if (tern_flow_key_equal(&key, &w.slots[i].key))
            return i;
    return 0; /* opened by a raw packet */
}

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    struct app_conn *a = app_of(c);
    const bool passive = a == NULL;
    if (passive)
        a = app_new(c, slot_of(c));
    if (a == NULL) {
        tern_abort(sh, c);
        return;
    }
    tern_conn_set_user(c, a);
    assert(a->c == c);
    if (passive) /* else it is known, and early data may be acknowledged already */
        a->first = c->snd.una;
    app_reacts(a, w.mode[0]);
}

static void check_delivered(const struct tern_conn *c, struct rte_mbuf *m, uint32_t n)
{
    uint32_t seq = c->rcv.nxt.v - n;
    for (; m != NULL && !w.liar; m = m->next)
        for (uint32_t i = 0; i < m->data_len; i++)
            assert(rte_pktmbuf_mtod(m, const uint8_t *)[i] == peer_byte(seq++));
}

/** The payload goes back to where it came from, as it is. */
static void app_echoes(struct app_conn *a, struct rte_mbuf *m, uint32_t n)
{
    app_consume(a, n);
    a->echoes = true;
    if (tern_send_mbufs(w.sh, a->c, &m, 1) == 1)
        a->n_sent += n;
    else
        rte_pktmbuf_free(m);
}

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    (void)sh;
    struct app_conn *a = app_of(c);
    const uint32_t n = check_chain(m);
    check_delivered(c, m, n);
    if (a == NULL) { /* refused in on_open() */
        rte_pktmbuf_free(m);
        return;
    }
    assert(!(c->slow & TERN_SLOW_DEAF)); /* nothing is delivered after CLOSE */
    a->unread += n;
    if (w.mode[0] & 8) {
        app_echoes(a, m, n);
    } else {
        if (w.mode[0] & 16)
            app_consume(a, n);
        rte_pktmbuf_free(m);
    }
    app_reacts(a, w.mode[0] >> 5);
}

static void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    assert(tern_sendable_bytes(sh, c) > 0 || !tern_state_can_send((enum tern_state)c->state)
           || (c->flags & TERN_CF_FIN_QUEUED));
    if (app_of(c) != NULL)
        app_reacts(app_of(c), w.mode[1]);
}

static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    (void)sh;
    if (app_of(c) != NULL)
        app_reacts(app_of(c), w.mode[1] >> 3);
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    (void)sh;
    struct app_conn *a = app_of(c);
    assert(why < TERN_CLOSE_COUNT);
    if (a == NULL)
        return;
    assert(a->c == c); /* once for each */
    a->c = NULL;
    if (w.mode[1] & 0x80)
        app_connect(a->slot);
}

static void on_timer(struct tern_shard *sh, struct tern_conn *c)
{
    (void)sh;
    if (app_of(c) != NULL)
        app_reacts(app_of(c), w.mode[1] >> 4);
}

static const struct tern_app app = {
    .on_open = on_open,
    .on_data = on_data,
    .on_sendable = on_sendable,
    .on_peer_closed = on_peer_closed,
    .on_closed = on_closed,
    .on_timer = on_timer,
};

/** What the application has to say before the connection is open. */
static uint32_t early_bytes(void)
{
    const uint32_t n = 8u * w.mode[1];
    return w.cfg.tfo_connect ? RTE_MIN(n, w.cfg.snd_buf_bytes) : 0;
}

void app_connect(uint32_t slot)
{
    const struct slot *s = &w.slots[slot];
    struct app_conn *a = s->active ? app_new((struct tern_conn *)&w, slot) : NULL;
    if (a == NULL)
        return;
    a->n_sent = early_bytes();
    const struct tern_connect_opts opts = {
        .early = sent_bytes,
        .n_early = a->n_sent,
        .remote = s->key.remote,
        .rport = s->key.rport,
        .local = s->key.local,
        .lport = s->key.lport,
        .app = &app,
        .user = a,
    };
    struct tern_conn *c = NULL;
    if (tern_connect(w.sh, &opts, &c) != 0) {
        a->c = NULL;
        return;
    }
    a->c = c;
    a->first = tern_seq_add(c->snd.una, 1);
}

void app_listen(void)
{
    if (w.listener >= 0) {
        tern_unlisten(w.sh, w.listener);
        w.listener = -1;
        return;
    }
    w.listener = tern_listen(w.sh, NULL, w.slots[0].key.lport, &app, NULL);
    assert(w.listener >= 0);
}

/** The application's connection on a slot, or NULL. */
struct app_conn *app_at(uint32_t slot)
{
    for (int i = 0; i < APPS; i++)
        if (w.apps[i].c != NULL && w.apps[i].slot == slot)
            return &w.apps[i];
    return NULL;
}

void event_send(struct app_conn *a, uint8_t variant)
{
    const uint32_t n = amount(take8(&w.tape));
    switch (variant) {
    case 0: app_send(a, n); break;
    case 1: app_send_static(a, n); break;
    case 2: app_send_mbufs(a, n); break;
    default:
        for (int i = 0; i < 20; i++) /* many and small: no segment can refer to all of them */
            app_send_mbufs(a, n % 32);
    }
}

void event_control(struct app_conn *a, uint8_t variant)
{
    switch (variant) {
    case 0: tern_shutdown(w.sh, a->c); break;
    case 1: tern_close(w.sh, a->c); break;
    case 2: tern_abort(w.sh, a->c); break;
    default: app_listen();
    }
}

void event_option(struct app_conn *a, uint8_t variant)
{
    const enum tern_conn_opt opt = (enum tern_conn_opt)(take8(&w.tape) % (TERN_CONN_LINGER_MS + 1));
    const uint32_t value = amount(take8(&w.tape));
    struct tern_conn_info info;
    if (variant == 3) {
        tern_timer_cancel(w.sh, a->c);
    } else if (variant == 2) {
        (void)!tern_timer_arm(w.sh, a->c, (uint64_t)value * TERN_NS_PER_MS);
    } else if (tern_conn_set(w.sh, a->c, opt, value) == 0 && opt != TERN_CONN_NODELAY
               && opt != TERN_CONN_USER_TIMEOUT_MS) {
        assert(tern_conn_get(w.sh, a->c, opt) == value);
    }
    tern_conn_describe(w.sh, a->c, &info);
    assert(info.unread_bytes == a->unread || a->c->state == TERN_CLOSED);
}

/** The right edge stays or moves right (SHLD-14), and what is unread is what the peer is told of.
 */
void check_apps(void)
{
    for (int i = 0; i < APPS; i++) {
        struct app_conn *a = &w.apps[i];
        if (a->c == NULL || a->c->state == TERN_CLOSED)
            continue;
        assert(app_of(a->c) == a && a->c->unread_bytes == a->unread);
        if (a->c->state == TERN_SYN_SENT)
            continue;
        if (a->knows_edge && a->born != w.event)
            assert(seq_at_most(a->edge, a->c->rcv.adv));
        a->edge = a->c->rcv.adv;
        a->knows_edge = true;
    }
}
