/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Zero copy at both ends: what is sent refers to the pattern's one body, what arrives is looked at
 * (with --verify) where the device put it, and freed. Nothing is sent but the pattern, so that any
 * sink and any source can be the other end; numbers of bytes are compared after the run, from the
 * books of the two ends.
 */
#include "stream.h"

#include "value.h"

#include <rte_mbuf.h>

#include <errno.h>

static const char *const directions[] = {"up", "down", "both"};

const char *app_stream_direction_name(enum app_stream_direction d)
{
    return directions[d];
}

int app_stream_direction_find(
    const char *name, enum app_stream_direction *out, struct tern_error *err)
{
    uint32_t i = 0;
    const int rc = app_value_choice("--direction", name, directions, 3, &i, err);
    if (rc == 0)
        *out = (enum app_stream_direction)i;
    return rc;
}

/* ---- books ---- */

/* splitmix64's finaliser (Steele et al. 2014) */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t hash_end(uint64_t h, const union tern_addr *a, uint16_t port)
{
    return mix(mix(mix(h ^ a->q[0]) + a->q[1]) + port);
}

/* The client first, at either end. */
static uint64_t hash_tuple(const struct tern_conn_info *i, enum app_stream_side side)
{
    if (side == APP_STREAM_CLIENT)
        return hash_end(hash_end(1, &i->local, i->lport), &i->remote, i->rport);
    return hash_end(hash_end(1, &i->remote, i->rport), &i->local, i->lport);
}

/* Only the worker writes; others read at any time. */
static void bump(uint64_t *counter, uint64_t by)
{
    __atomic_store_n(counter, *counter + by, __ATOMIC_RELAXED);
}

void app_stream_books_add(struct app_stream_books *sum, const struct app_stream_books *add)
{
    sum->n_whole += __atomic_load_n(&add->n_whole, __ATOMIC_RELAXED);
    sum->sent_bytes += __atomic_load_n(&add->sent_bytes, __ATOMIC_RELAXED);
    sum->received_bytes += __atomic_load_n(&add->received_bytes, __ATOMIC_RELAXED);
    sum->sent_mark += __atomic_load_n(&add->sent_mark, __ATOMIC_RELAXED);
    sum->received_mark += __atomic_load_n(&add->received_mark, __ATOMIC_RELAXED);
    sum->n_corrupt += __atomic_load_n(&add->n_corrupt, __ATOMIC_RELAXED);
}

/* A connection that was cut off at one end may have been whole at the other, and what was on its
 * way is lost: then there is nothing to compare but that no byte came which nobody sent. */
bool app_stream_books_agree(
    const struct app_stream_books *client, const struct app_stream_books *server)
{
    if (client->n_corrupt != 0 || server->n_corrupt != 0)
        return false;
    if (client->received_bytes > server->sent_bytes || server->received_bytes > client->sent_bytes)
        return false;
    return client->n_whole != server->n_whole
           || (client->sent_mark == server->received_mark
               && client->received_mark == server->sent_mark);
}

/* ---- a worker ---- */

int app_stream_init(struct app_stream *s, struct tern_shard *sh,
    const struct app_stream_config *cfg, enum app_stream_side side, struct app_stream_books *books)
{
    *s = (struct app_stream){
        .cfg = cfg,
        .books = books,
        .pattern = app_pattern_new(sh),
        .side = side,
        .sends = cfg->direction == APP_STREAM_BOTH
                 || (cfg->direction == APP_STREAM_UP) == (side == APP_STREAM_CLIENT),
    };
    app_pool_init(&s->conns, sizeof(struct app_stream_conn));
    return s->pattern == NULL ? -ENOMEM : 0;
}

void app_stream_fini(struct app_stream *s)
{
    app_pattern_free(s->pattern);
    app_pool_fini(&s->conns);
}

/* ---- a connection ---- */

bool app_stream_open(struct app_stream *s, struct tern_shard *sh, struct tern_conn *c)
{
    struct tern_conn_info info;
    struct app_stream_conn *sc = app_pool_get(&s->conns);
    if (sc == NULL)
        return false;
    tern_conn_describe(sh, c, &info);
    sc->stamp = (struct app_stamp){(uintptr_t)tern_conn_user(c)};
    sc->tuple = hash_tuple(&info, s->side);
    tern_conn_set_user(c, sc);
    app_stream_send(s, sh, c);
    return true;
}

void app_stream_send(const struct app_stream *s, struct tern_shard *sh, struct tern_conn *c)
{
    struct app_stream_conn *sc = tern_conn_user(c);
    if (!s->sends || sc->has_ended)
        return;
    const uint64_t until = s->cfg->bytes != 0 ? s->cfg->bytes : UINT64_MAX;
    sc->sent += app_pattern_send(sh, c, s->pattern, sc->sent, until - sc->sent);
    if (sc->sent == until)
        app_stream_end(sh, c);
}

bool app_stream_take(
    struct app_stream *s, struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    struct app_stream_conn *sc = tern_conn_user(c);
    const uint32_t len = m->pkt_len;
    const bool good = !s->cfg->verify || app_pattern_matches(s->pattern, sc->received, m);
    rte_pktmbuf_free(m);
    tern_consume(sh, c, len);
    sc->received += len;
    if (!good)
        bump(&s->books->n_corrupt, 1);
    return good;
}

void app_stream_end(struct tern_shard *sh, struct tern_conn *c)
{
    struct app_stream_conn *sc = tern_conn_user(c);
    sc->has_ended = true;
    tern_shutdown(sh, c);
}

bool app_stream_has_all(const struct app_stream *s, const struct tern_conn *c)
{
    const struct app_stream_conn *sc = tern_conn_user(c);
    return s->cfg->bytes == 0 || sc->received == s->cfg->bytes;
}

void app_stream_closed(struct app_stream *s, struct tern_conn *c, enum tern_close_reason why)
{
    struct app_stream_conn *sc = tern_conn_user(c);
    if (sc == NULL || app_stamp_is(sc)) /* it has never begun */
        return;
    struct app_stream_books *b = s->books;
    bump(&b->sent_bytes, sc->sent);
    bump(&b->received_bytes, sc->received);
    if (why == TERN_CLOSE_NORMAL) {
        bump(&b->n_whole, 1);
        bump(&b->sent_mark, mix(sc->tuple + sc->sent));
        bump(&b->received_mark, mix(sc->tuple + sc->received));
    }
    app_pool_put(&s->conns, sc);
}
