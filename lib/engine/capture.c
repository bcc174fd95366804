/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a capture: what can be refused is refused before DPDK starts; it begins when the port
 * is open and before any worker runs, and ends when none does any more, so that no worker ever has
 * to ask whether it has gone.
 *
 * The format is DPDK's (rte_pcapng), within what 22.11 can: it lists every port there is as an
 * interface, also a pair's other end; a packet has direction, queue and nanoseconds; a copy must
 * lie in one buffer, which has to have room for the block around the packet. So the pool is ours.
 *
 * The file's writer runs off the workers' CPUs. Its ring and pool are as large as fits into a fixed
 * share of memory.
 */
#define ALLOW_EXPERIMENTAL_API /* rte_pcapng: it is so in every DPDK that has it */

#include "capture.h"

#include "error.h"
#include "internal.h"

#include <rte_errno.h>
#include <rte_mempool.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    MODE = 0666,                /* less what the user's mask takes away */
    FRAME_EXTRA_BYTES = 14 + 4, /* Ethernet, one tag */
    BLOCK_EXTRA_BYTES = 64,     /* options, padding and length behind the packet */
    COPIES_BYTES = 16 << 20,    /* memory for packets on their way to the file … */
    SLOTS_MIN = 512,            /* … as many as that, within */
    SLOTS_MAX = 8192,
    BEGINNING_BYTES = 16 << 10,
    SECOND_NS = 1000000000,
    WRITER_MBUFS = 64, /* a burst being written */
    POOL_EXTRA_BYTES = 2 << 20,
};

/* ---- before DPDK ---- */

static int refuse_path(const struct tern_capture *c, const char *why, struct tern_error *err)
{
    return tern_fail(
        err, -EINVAL, "capture: cannot write %.200s: %s; type another path", c->cfg.path, why);
}

/** Is there room for section and interfaces? The library takes half of them for written. */
static int find_room(const struct tern_capture *c, struct tern_error *err)
{
    const int why = posix_fallocate(c->fd, 0, BEGINNING_BYTES);
    if (why != 0 || ftruncate(c->fd, 0) != 0)
        return refuse_path(c, strerror(why != 0 ? why : errno), err);
    return 0;
}

/** O_NONBLOCK, so that opening a FIFO by mistake does not hang. */
static int open_file(struct tern_capture *c, struct tern_error *err)
{
    struct stat st;
    c->fd = open(c->cfg.path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, MODE);
    if (c->fd < 0 || fstat(c->fd, &st) != 0)
        return refuse_path(c, strerror(errno), err);
    return S_ISREG(st.st_mode) ? find_room(c, err) : refuse_path(c, "it is no regular file", err);
}

static uint32_t clamp(uint64_t n, uint32_t min, uint32_t max)
{
    return n < min ? min : n > max ? max : (uint32_t)n;
}

static void size(struct tern_capture *c, uint32_t mtu_bytes)
{
    if (c->cfg.snap_bytes == 0)
        c->cfg.snap_bytes =
            clamp(mtu_bytes + FRAME_EXTRA_BYTES, TERN_CAPTURE_SNAP_MIN, TERN_CAPTURE_SNAP_MAX);
    c->room_bytes = (uint16_t)(RTE_PKTMBUF_HEADROOM
                               + RTE_ALIGN_CEIL(c->cfg.snap_bytes + BLOCK_EXTRA_BYTES, 64u));
    const uint64_t n = COPIES_BYTES / tern_mbuf_bytes(c->room_bytes, TERN_POOL_DENSE);
    c->n_slots = rte_align32prevpow2(clamp(n, SLOTS_MIN, SLOTS_MAX));
    const struct tern_pool_need need = {
        .n_threads = c->n_workers,
        .n_mailbox = c->n_slots,
        .n_outbox = c->n_workers * TERN_BURST_MAX + WRITER_MBUFS,
    };
    c->n_mbufs = tern_pool_size(&need);
}

static int check(const struct tern_capture_config *cfg, struct tern_error *err)
{
    const uint32_t snap = cfg->snap_bytes;
    if (snap != 0 && (snap < TERN_CAPTURE_SNAP_MIN || snap > TERN_CAPTURE_SNAP_MAX))
        return tern_fail(err, -EINVAL,
            "capture: %u bytes of a packet are out of range; give %d to %d", snap,
            TERN_CAPTURE_SNAP_MIN, TERN_CAPTURE_SNAP_MAX);
    return 0;
}

static struct tern_capture *capture_new(
    const struct tern_endpoint *ep, const struct tern_config *cfg)
{
    struct tern_capture *c =
        (struct tern_capture *)aligned_alloc(_Alignof(struct tern_capture), sizeof *c);
    const size_t n_bytes = ep->cfg.n_workers * sizeof *c->workers;
    struct tern_capture_worker *workers =
        (struct tern_capture_worker *)aligned_alloc(_Alignof(struct tern_capture_worker), n_bytes);
    if (c == NULL || workers == NULL) {
        free(c);
        free(workers);
        return NULL;
    }
    memset(c, 0, sizeof *c);
    c->cfg = cfg->capture;
    c->fd = -1;
    c->n_workers = ep->cfg.n_workers;
    c->workers = workers;
    for (uint32_t i = 0; i < c->n_workers; i++) {
        memset(&workers[i], 0, offsetof(struct tern_capture_worker, flat));
        workers[i].capture = c;
    }
    return c;
}

int tern_capture_prepare(struct tern_engine *e, struct tern_error *err)
{
    const struct tern_endpoint *ep = &e->endpoints[0];
    if (e->cfg.capture.path == NULL)
        return 0;
    int rc = check(&e->cfg.capture, err);
    if (rc != 0)
        return rc;
    e->capture = capture_new(ep, &e->cfg);
    if (e->capture == NULL)
        return tern_fail(err, -ENOMEM, "out of memory at the very start; free some memory");
    size(e->capture, ep->cfg.stack.mtu_bytes);
    rc = tern_capture_filter_compile(&e->capture->filter, e->capture->cfg.filter, err);
    return rc == 0 ? open_file(e->capture, err) : rc;
}

uint64_t tern_capture_bytes(const struct tern_capture *c)
{
    if (c == NULL)
        return 0;
    return c->n_mbufs * tern_mbuf_bytes(c->room_bytes, TERN_POOL_DENSE)
           + c->n_slots * sizeof(void *) + POOL_EXTRA_BYTES;
}

/* ---- begin ---- */

/** Producers are preempted where workers share a CPU: in this mode others do not wait for them. */
static int open_ring_and_pool(struct tern_capture *c, struct tern_error *err)
{
    c->ring = rte_ring_create("tern_capture", c->n_slots, SOCKET_ID_ANY,
        RING_F_MP_RTS_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
    c->pool = tern_pool_open(
        "tern_capture", c->n_mbufs, c->room_bytes, c->n_workers, TERN_POOL_DENSE, SOCKET_ID_ANY);
    if (c->ring != NULL && c->pool != NULL)
        return 0;
    return tern_fail(err, -ENOMEM,
        "capture: no room for %u copies of %u bytes (%s); keep less of each packet (snap)",
        c->n_mbufs, c->room_bytes, rte_strerror(rte_errno));
}

static void start_clock(struct tern_capture *c)
{
    struct timespec now;
    c->clock = tern_clock_start();
    clock_gettime(CLOCK_REALTIME, &now);
    c->epoch_ns = (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec - TERN_CLOCK_START_NS;
}

/** Section and interfaces. */
static int begin_file(struct tern_capture *c, struct tern_error *err)
{
    c->pcapng = rte_pcapng_fdopen(c->fd, NULL, NULL, "tern", c->cfg.filter);
    const off_t end = c->pcapng != NULL ? lseek(c->fd, 0, SEEK_END) : -1;
    if (end < 0)
        return refuse_path(c, "DPDK could not write its beginning", err);
    c->file_bytes = (uint64_t)end;
    start_clock(c);
    return 0;
}

/** The CPUs we may use less those that workers do; none: it is to run wherever it can. */
static void find_cpus(const struct tern_engine *e, cpu_set_t *cpus)
{
    CPU_ZERO(cpus);
    if (sched_getaffinity(0, sizeof *cpus, cpus) != 0)
        return;
    for (uint32_t i = 0; i < e->n_endpoints; i++)
        for (uint32_t w = 0; w < e->endpoints[i].cfg.n_workers; w++)
            CPU_CLR(e->endpoints[i].workers[w].cpu->id, cpus);
}

static void attach(struct tern_endpoint *ep, struct tern_capture *c)
{
    for (uint32_t i = 0; i < c->n_workers; i++) {
        c->workers[i].queue = i;
        ep->workers[i].capture = &c->workers[i];
    }
}

int tern_capture_start(struct tern_engine *e, struct tern_error *err)
{
    struct tern_capture *c = e->capture;
    if (c == NULL)
        return 0;
    cpu_set_t cpus;
    c->port_id = e->endpoints[0].port.id;
    int rc = open_ring_and_pool(c, err);
    if (rc == 0)
        rc = begin_file(c, err);
    if (rc != 0)
        return rc;
    find_cpus(e, &cpus);
    rc = tern_capture_writer_start(c, &cpus);
    if (rc != 0)
        return tern_fail(
            err, rc, "capture: no thread to write with (%s); see ulimit -u", strerror(-rc));
    attach(&e->endpoints[0], c);
    return 0;
}

/* ---- looking in ---- */

static void add_worker(struct tern_capture_stats *out, const struct tern_capture_worker *w)
{
    out->seen += __atomic_load_n(&w->seen, __ATOMIC_RELAXED);
    out->taken += __atomic_load_n(&w->taken, __ATOMIC_RELAXED);
    out->dropped_ring += __atomic_load_n(&w->dropped_ring, __ATOMIC_RELAXED);
    out->dropped_mbuf += __atomic_load_n(&w->dropped_mbuf, __ATOMIC_RELAXED);
}

static void read_stats(const struct tern_capture *c, struct tern_capture_stats *out)
{
    for (uint32_t i = 0; i < c->n_workers; i++)
        add_worker(out, &c->workers[i]);
    out->written = __atomic_load_n(&c->written, __ATOMIC_RELAXED);
    out->dropped_disk = __atomic_load_n(&c->dropped_disk, __ATOMIC_RELAXED);
    out->disk_errno = __atomic_load_n(&c->disk_errno, __ATOMIC_ACQUIRE);
}

void tern_engine_capture(const struct tern_engine *e, struct tern_capture_stats *out)
{
    *out = (struct tern_capture_stats){0};
    if (e->capture != NULL)
        read_stats(e->capture, out);
}

/* ---- end ---- */

/** How much was seen and lost, for whoever opens the file. Its time is put right afterwards. */
static void write_stats(struct tern_capture *c)
{
    struct tern_capture_stats s = {0};
    uint8_t now[TERN_CAPTURE_TIME_BYTES];
    read_stats(c, &s);
    tern_capture_put_time(c, rte_rdtsc(), now);
    const ssize_t n = rte_pcapng_write_stats(c->pcapng, c->port_id, NULL, 0, 0, s.seen,
        s.dropped_ring + s.dropped_mbuf + s.dropped_disk);
    const off_t end = (off_t)c->file_bytes;
    if (n < 0 || lseek(c->fd, 0, SEEK_CUR) != end + n
        || pwrite(c->fd, now, sizeof now, end + TERN_CAPTURE_TIME_OFF) != sizeof now)
        c->is_torn = ftruncate(c->fd, end) != 0;
}

static void end_file(struct tern_capture *c)
{
    if (!c->is_torn)
        write_stats(c);
    rte_pcapng_close(c->pcapng);
    c->pcapng = NULL;
    c->fd = -1;
}

static void finish(struct tern_capture *c)
{
    tern_capture_writer_end(c);
    if (c->pcapng != NULL)
        end_file(c);
}

void tern_engine_capture_end(struct tern_engine *e)
{
    if (e->capture != NULL)
        finish(e->capture);
}

uint64_t tern_capture_close(struct tern_capture *c)
{
    if (c == NULL)
        return 0;
    finish(c);
    if (c->fd >= 0)
        close(c->fd);
    const uint64_t n_missing = tern_pool_close(c->pool);
    rte_ring_free(c->ring);
    tern_capture_filter_fini(&c->filter);
    free(c->workers);
    free(c);
    return n_missing;
}
