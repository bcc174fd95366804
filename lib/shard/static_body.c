/* SPDX-License-Identifier: BSD-3-Clause */
#include <tern/conn.h>

/*
 * A body that many connections send and nobody copies: memory the device can read, referred to by
 * mbufs as an external buffer (rte_pktmbuf_attach_extbuf). Such a buffer's reference count has 16
 * bits, so a body keeps several counts and uses one that is far from full; when none is, the caller
 * is told to wait, as for any buffer.
 */
#include "tcp/host.h"

#include <rte_malloc.h>

enum {
    COUNTS = 64,            /* reference counts of a body */
    REFS_PER_COUNT = 30000, /* half of what 16 bits hold: clones add references of their own */
    ATTACH_BYTES_MAX = 32768,
};

struct tern_static {
    uint8_t *bytes;
    size_t n_bytes;
    uint32_t turn;
    struct rte_mbuf_ext_shared_info counts[COUNTS];
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
    for (int i = 0; i < COUNTS; i++) {
        s->counts[i].free_cb = on_last_reference;
        rte_mbuf_ext_refcnt_set(&s->counts[i], 1);
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

static struct rte_mbuf_ext_shared_info *pick_count(struct tern_static *s)
{
    for (int i = 0; i < COUNTS; i++) {
        struct rte_mbuf_ext_shared_info *count = &s->counts[s->turn % COUNTS];
        if (rte_mbuf_ext_refcnt_read(count) < REFS_PER_COUNT)
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
    struct rte_mbuf_ext_shared_info *count = pick_count(s);
    struct rte_mbuf *m = count != NULL ? rte_pktmbuf_alloc(t->pool) : NULL;
    if (m == NULL)
        return NULL;
    const size_t len = RTE_MIN(RTE_MIN(n, s->n_bytes - off), (size_t)ATTACH_BYTES_MAX);
    uint8_t *at = s->bytes + off;
    rte_mbuf_ext_refcnt_update(count, 1);
    rte_pktmbuf_attach_extbuf(m, at, rte_malloc_virt2iova(s->bytes) + off, (uint16_t)len, count);
    m->data_off = 0;
    m->data_len = (uint16_t)len;
    m->pkt_len = (uint32_t)len;
    return m;
}
