/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The thread that writes. It runs where workers do not, if there is such a place, and looks into
 * the ring again after a nap: waking it would cost the workers a system call.
 *
 * A burst is one writev(2), nothing is kept back: whatever becomes of this process, the file has
 * what was written, and at worst half a block at its end, which readers tell from the rest. A disk
 * that is full takes part of a burst: what is not whole is cut off again, the packets behind it are
 * counted as dropped, and the next burst is tried as if nothing had been; room may have been made.
 */
#define ALLOW_EXPERIMENTAL_API /* see capture.c */

#include "capture.h"

#include <rte_errno.h>
#include <rte_mbuf.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum {
    WRITE_BURST = 64,
    NAP_NS = 200000, /* a ring of 8192 places holds what 40 million packets a second bring */
};

/** How many of the blocks are whole in the first `n_bytes` written; their bytes in *whole_bytes. */
static uint32_t n_whole(
    struct rte_mbuf *const *pkts, uint32_t n, uint64_t n_bytes, uint64_t *whole_bytes)
{
    *whole_bytes = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (*whole_bytes + pkts[i]->pkt_len > n_bytes)
            return i;
        *whole_bytes += pkts[i]->pkt_len;
    }
    return n;
}

/** Cut off what is behind the last whole block. */
static void take_back(struct tern_capture *c)
{
    const off_t end = (off_t)c->file_bytes;
    c->is_torn = ftruncate(c->fd, end) != 0 || lseek(c->fd, end, SEEK_SET) != end;
}

/** @param why  errno; a write that takes less than it was given has found no room */
static void count_lost(struct tern_capture *c, uint32_t n, int why)
{
    __atomic_store_n(&c->dropped_disk, c->dropped_disk + n, __ATOMIC_RELAXED);
    if (c->disk_errno == 0)
        __atomic_store_n(&c->disk_errno, why, __ATOMIC_RELEASE);
}

static void write_burst(struct tern_capture *c, struct rte_mbuf **pkts, uint32_t n)
{
    uint64_t whole_bytes;
    const ssize_t rc = c->is_torn ? -1 : rte_pcapng_write_packets(c->pcapng, pkts, (uint16_t)n);
    const int why = rc < 0 ? rte_errno : ENOSPC;
    const uint32_t n_written = n_whole(pkts, n, rc < 0 ? 0 : (uint64_t)rc, &whole_bytes);
    c->file_bytes += whole_bytes;
    __atomic_store_n(&c->written, c->written + n_written, __ATOMIC_RELAXED);
    if (n_written == n)
        return;
    if (!c->is_torn)
        take_back(c);
    count_lost(c, n - n_written, why);
}

/** @return true: there was something to write */
static bool write_some(struct tern_capture *c)
{
    struct rte_mbuf *pkts[WRITE_BURST];
    const uint32_t n = rte_ring_dequeue_burst(c->ring, (void **)pkts, WRITE_BURST, NULL);
    if (n == 0)
        return false;
    write_burst(c, pkts, n);
    rte_pktmbuf_free_bulk(
        pkts, n); /* rte_pcapng_write_packets() does not, whatever its page says */
    return true;
}

static void *write_all(void *capture)
{
    static const struct timespec nap = {.tv_nsec = NAP_NS};
    struct tern_capture *c = (struct tern_capture *)capture;
    for (bool is_last = false; !is_last;) {
        is_last = __atomic_load_n(&c->ends, __ATOMIC_ACQUIRE); /* then the ring has all there is */
        while (write_some(c))
            ;
        if (!is_last)
            nanosleep(&nap, NULL);
    }
    return NULL;
}

/** Signals are the caller's business; SIGXFSZ and the like become errors of write(2). */
int tern_capture_writer_start(struct tern_capture *c, const cpu_set_t *cpus)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int rc = -pthread_create(&c->writer, NULL, write_all, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    c->has_writer = rc == 0;
    if (!c->has_writer)
        return rc;
    pthread_setname_np(c->writer, "tern-capture");
    if (CPU_COUNT(cpus) > 0)
        pthread_setaffinity_np(c->writer, sizeof *cpus, cpus);
    return 0;
}

void tern_capture_writer_end(struct tern_capture *c)
{
    if (!c->has_writer)
        return;
    __atomic_store_n(&c->ends, true, __ATOMIC_RELEASE);
    pthread_join(c->writer, NULL);
    c->has_writer = false;
}
