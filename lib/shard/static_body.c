/* SPDX-License-Identifier: BSD-3-Clause */
#include <tern/conn.h>

/*
 * A body that many connections send and nobody copies: memory the device can read, referred to by
 * mbufs as an external buffer (rte_pktmbuf_attach_extbuf). Such a buffer's reference count has 16
 * bits, so a body keeps several counts and uses one that is far from full; when none is, the caller
 * is told to wait, as for any buffer.
 *
 * Who frees a packet may be another thread, so a count is atomic, and a locked addition waits for
 * all stores before it: in a run of segments for the lines of the buffers just written. References
 * are therefore counted some at a time, ahead, and given out one by one without.
 */
#include "tcp/host.h"

#include <rte_malloc.h>

enum {
    COUNTS = 64,            /* reference counts of a body */
    REFS_PER_COUNT = 30000, /* half of what 16 bits hold: clones add references of their own */
    REFS_AHEAD = 64,        /* counted at a time */
    ATTACH_BYTES_MAX = 32768,
};

struct body_count {
    struct rte_mbuf_ext_shared_info shared; /* first: what mbufs point at */
    uint32_t n_ahead;                       /* references counted in it and not given out yet */
};

struct tern_static {
    uint8_t *bytes;
    size_t n_bytes;
    rte_iova_t iova; /* of bytes */
    uint32_t turn;
    struct body_count counts[COUNTS];
};

/** Never called: each count holds one reference of the body's own. */
static void on_last_reference(void *addr, void *opaque)
{
    (void)addr;
    (void)opaque;
}

struct tern_static *tern_static_new(struct tern_shard *sh, const void *bytes, size_t n_bytes)
{
    const int node = tern_tcp_of(sh)->cfg.numa_node;
    struct tern_static *s = rte_zmalloc_socket("tern_static", sizeof *s, 0, node);
    uint8_t *copy = rte_malloc_socket("tern_body", n_bytes + 1, RTE_CACHE_LINE_SIZE, node);
    if (s == NULL || copy == NULL) {
        rte_free(s);
        rte_free(copy);
        return NULL;
    }
    memcpy(copy, bytes, n_bytes);
    s->bytes = copy;
    s->n_bytes = n_bytes;
    s->iova = rte_malloc_virt2iova(copy);
    for (int i = 0; i < COUNTS; i++) {
        s->counts[i].shared.free_cb = on_last_reference;
        rte_mbuf_ext_refcnt_set(&s->counts[i].shared, 1);
    }
    return s;
}

void tern_static_free(struct tern_static *s)
{
    if (s == NULL)
        return;
    rte_free(s->bytes);
    rte_free(s);
}

const uint8_t *tern_host_static_bytes(const struct tern_static *s, size_t off)
{
    return s->bytes + off;
}

size_t tern_host_static_left(const struct tern_static *s, size_t off)
{
    return off < s->n_bytes ? s->n_bytes - off : 0;
}

static inline void take_reference(struct body_count *count)
{
    if (unlikely(count->n_ahead == 0)) {
        rte_mbuf_ext_refcnt_update(&count->shared, REFS_AHEAD);
        count->n_ahead = REFS_AHEAD;
    }
    count->n_ahead--;
}

void tern_host_refer(struct rte_mbuf_ext_shared_info *shared)
{
    if (likely(shared->free_cb == on_last_reference))
        take_reference((struct body_count *)(void *)shared);
    else
        rte_mbuf_ext_refcnt_update(shared, 1);
}

static struct body_count *pick_count(struct tern_static *s)
{
    for (int i = 0; i < COUNTS; i++) {
        struct body_count *count = &s->counts[s->turn % COUNTS];
        if (rte_mbuf_ext_refcnt_read(&count->shared) < REFS_PER_COUNT)
            return count;
        s->turn++;
    }
    return NULL;
}

struct rte_mbuf *tern_host_static_mbuf(
    struct tern_tcp *t, struct tern_static *s, size_t off, size_t n)
{
    if (off >= s->n_bytes)
        return NULL;
    struct body_count *count = pick_count(s);
    struct rte_mbuf *m = count != NULL ? rte_pktmbuf_alloc(t->pool) : NULL;
    if (m == NULL)
        return NULL;
    const size_t len = RTE_MIN(RTE_MIN(n, s->n_bytes - off), (size_t)ATTACH_BYTES_MAX);
    uint8_t *at = s->bytes + off;
    take_reference(count);
    rte_pktmbuf_attach_extbuf(m, at, s->iova + off, (uint16_t)len, &count->shared);
    m->data_off = 0;
    m->data_len = (uint16_t)len;
    m->pkt_len = (uint32_t)len;
    return m;
}
