/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The workers' part. Packets are looked at where the device gives and takes them, so the file shows
 * what the wire does, as far as a host can know it:
 *
 *  - A burst to be sent is copied before the device has it, which may free it, and kept as far as
 *    the device took it. DPDK's own transmit callback was rejected: it runs before the driver, and
 *    shows a packet again each time a full queue refuses it.
 *  - Checksums that the device is asked to fill in are filled in in the copy. Between the ends of a
 *    pair nobody ever does, and the file shows what a device would.
 *  - A segment that the device is to cut up is shown whole, as it was given to it, with a checksum
 *    that is right for the whole.
 *  - Padding to the smallest frame, the frame check sequence, and what the device itself drops or
 *    answers cannot be seen.
 *
 * Packets of one burst have one time: when it was received, or just before it was sent.
 */
#define ALLOW_EXPERIMENTAL_API /* see capture.c */

#include "capture.h"
#include "tcp/mbuf.h"
#include "wire/bytes.h"

#include <rte_cycles.h>
#include <rte_ether.h>

/* A block of the file before the packet itself: type, length, interface, time, two lengths. */
enum { BLOCK_HEAD_BYTES = 28, VLAN_BYTES = 4 };

/** Bytes of the packet at `off`, in the file's block; NULL: cut off before `off` + `n`. */
static uint8_t *kept_at(const struct rte_mbuf *copy, uint32_t snap, uint32_t off, uint32_t n)
{
    return off + n <= snap ? rte_pktmbuf_mtod_offset(copy, uint8_t *, BLOCK_HEAD_BYTES + off)
                           : NULL;
}

/** The field holds the pseudo-header's sum, without the length where the device is to cut. */
static uint16_t tcp_csum(const struct rte_mbuf *m, uint32_t l4_off)
{
    uint64_t sum = tern_mbuf_sum_from(m, l4_off);
    if (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG)
        sum += __builtin_bswap32(m->pkt_len - l4_off);
    return (uint16_t)~tern_csum_fold(sum);
}

/** What the device will write into the headers of `m`, into the copy. */
static void finish_checksums(struct rte_mbuf *copy, const struct rte_mbuf *m, uint32_t snap)
{
    const uint32_t l3_off = m->l2_len, l4_off = l3_off + m->l3_len;
    if (m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) {
        uint8_t *ip = kept_at(copy, snap, l3_off, m->l3_len);
        if (ip != NULL)
            tern_csum_ip4_set(ip, m->l3_len);
    }
    if (m->ol_flags & (RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_TCP_SEG)) {
        uint8_t *tcp = kept_at(copy, snap, l4_off, TERN_TCP_BYTES);
        const uint16_t csum = tcp_csum(m, l4_off);
        if (tcp != NULL)
            memcpy(tcp + TERN_TCP_OFF_CSUM, &csum, sizeof csum);
    }
}

static struct rte_mbuf *copy_of(const struct tern_capture_worker *w, const struct rte_mbuf *m,
    enum rte_pcapng_direction direction, uint64_t now_cycles)
{
    const struct tern_capture *c = w->capture;
    const uint32_t snap = c->cfg.snap_bytes;
    struct rte_mbuf *copy =
        rte_pcapng_copy(c->port_id, w->queue, m, c->pool, snap, now_cycles, direction);
    if (copy == NULL)
        return NULL;
    tern_capture_put_time(
        c, now_cycles, rte_pktmbuf_mtod_offset(copy, uint8_t *, TERN_CAPTURE_TIME_OFF));
    if ((m->ol_flags & (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK)))
        finish_checksums(copy, m, RTE_MIN(snap, m->pkt_len));
    return copy;
}

/**
 * The frame as the file will show it: in one piece, and with the tag that a device took off.
 * @return `n` bytes
 */
static const uint8_t *flatten(struct tern_capture_worker *w, const struct rte_mbuf *m, uint32_t *n)
{
    *n = RTE_MIN(m->pkt_len, (uint32_t)UINT16_MAX);
    if (!(m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED))
        return (const uint8_t *)rte_pktmbuf_read(m, 0, *n, w->flat);
    const uint8_t *frame = (const uint8_t *)rte_pktmbuf_read(m, 0, *n, w->flat + VLAN_BYTES);
    memmove(w->flat + VLAN_BYTES, frame, *n);
    memmove(w->flat, w->flat + VLAN_BYTES, 2 * RTE_ETHER_ADDR_LEN);
    tern_store16(w->flat + 2 * RTE_ETHER_ADDR_LEN, RTE_ETHER_TYPE_VLAN);
    tern_store16(w->flat + 2 * RTE_ETHER_ADDR_LEN + 2, m->vlan_tci);
    *n += VLAN_BYTES;
    return w->flat;
}

static bool matches(struct tern_capture_worker *w, const struct rte_mbuf *m)
{
    const struct tern_capture_filter *f = &w->capture->filter;
    if (f->program.bf_insns == NULL)
        return true;
    uint32_t n;
    const uint8_t *frame = flatten(w, m, &n);
    return tern_capture_filter_takes(f, frame, n);
}

static void copy_burst(struct tern_capture_worker *w, struct rte_mbuf *const *pkts, uint32_t n,
    enum rte_pcapng_direction direction)
{
    const uint64_t now_cycles = rte_rdtsc();
    w->n_copies = 0;
    if (__atomic_load_n(&w->capture->is_full, __ATOMIC_RELAXED))
        return;
    for (uint32_t i = 0; i < n; i++) {
        struct tern_capture_copy *one = &w->copies[w->n_copies++];
        one->matches = matches(w, pkts[i]);
        one->m = one->matches ? copy_of(w, pkts[i], direction, now_cycles) : NULL;
    }
}

/** Is one more within packets_max? */
static bool admit(struct tern_capture *c)
{
    if (c->cfg.packets_max == 0)
        return true;
    const uint64_t n = __atomic_add_fetch(&c->n_reserved, 1, __ATOMIC_RELAXED);
    if (n >= c->cfg.packets_max)
        __atomic_store_n(&c->is_full, true, __ATOMIC_RELAXED);
    return n <= c->cfg.packets_max;
}

/** The first `n` of the burst passed: give their copies to the writer. The others never were. */
static void keep_burst(struct tern_capture_worker *w, uint32_t n)
{
    struct rte_mbuf *kept[TERN_BURST_MAX];
    uint32_t n_kept = 0;
    w->seen += RTE_MIN(n, w->n_copies);
    for (uint32_t i = 0; i < w->n_copies; i++) {
        struct tern_capture_copy *one = &w->copies[i];
        if (i >= n || !one->matches || !admit(w->capture)) {
            rte_pktmbuf_free(one->m);
            continue;
        }
        w->taken++;
        if (one->m == NULL)
            w->dropped_mbuf++;
        else
            kept[n_kept++] = one->m;
    }
    w->n_copies = 0;
    const uint32_t n_added =
        rte_ring_enqueue_burst(w->capture->ring, (void *const *)kept, n_kept, NULL);
    w->dropped_ring += n_kept - n_added;
    rte_pktmbuf_free_bulk(kept + n_added, n_kept - n_added);
}

void tern_capture_received(struct tern_capture_worker *w, struct rte_mbuf *const *pkts, uint32_t n)
{
    copy_burst(w, pkts, n, RTE_PCAPNG_DIRECTION_IN);
    keep_burst(w, n);
}

void tern_capture_sending(struct tern_capture_worker *w, struct rte_mbuf *const *pkts, uint32_t n)
{
    copy_burst(w, pkts, n, RTE_PCAPNG_DIRECTION_OUT);
}

void tern_capture_sent(struct tern_capture_worker *w, uint32_t n)
{
    keep_burst(w, n);
}
