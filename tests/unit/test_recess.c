/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's interrupt thread and a device whose handler takes away what workers read, as a memif's
 * does when its peer goes: "rings" of one page, read at the end of a long burst. A handler that
 * runs beside a burst ends the test with SIGSEGV.
 */
#define ALLOW_EXPERIMENTAL_API /* rte_intr_instance_alloc(), of drivers otherwise */
#include "eal_fixture.h"
#include "engine/recess.h"

#include <rte_cycles.h>
#include <rte_interrupts.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    PAGE_BYTES = 4096,
    BURST_US = 1000, /* longer than a thread takes to wake up */
    ROUNDS = 50,
    WORKERS_MAX = 2,
    WAIT_US = 10 * 1000 * 1000, /* for what must come */
    WAIT_STEP_US = 100,
    BURSTS_OF_SILENCE = 2 * TERN_RECESS_SILENCE_US / BURST_US,
};

/** What threads share is read and written with __atomic builtins. */
struct device {
    struct rte_intr_handle *handle;
    int event; /* readable: the peer is gone */
    uint8_t *rings;
    uint32_t n_handled;
    bool is_sending; /* the peer */
};

struct worker {
    struct device *d;
    pthread_t thread;
    uint32_t burst_us, n_bursts;
    bool stop;
};

/* ---- the device ---- */

static void peer_is_gone(void *device)
{
    struct device *d = device;
    eventfd_t n;
    uint8_t *rings = __atomic_exchange_n(&d->rings, NULL, __ATOMIC_SEQ_CST);
    if (eventfd_read(d->event, &n) == 0 && rings != NULL)
        munmap(rings, PAGE_BYTES);
    __atomic_fetch_add(&d->n_handled, 1, __ATOMIC_SEQ_CST);
}

static void share_rings(struct device *d)
{
    uint8_t *rings =
        mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(rings, MAP_FAILED);
    __atomic_store_n(&d->rings, rings, __ATOMIC_SEQ_CST);
}

static void lose_peer(struct device *d)
{
    assert_int_equal(eventfd_write(d->event, 1), 0);
    __atomic_store_n(&d->is_sending, false, __ATOMIC_SEQ_CST);
}

static void wait_until(const uint32_t *count, uint32_t is)
{
    for (uint32_t us = 0; __atomic_load_n(count, __ATOMIC_SEQ_CST) < is; us += WAIT_STEP_US) {
        assert_true(us < WAIT_US);
        usleep(WAIT_STEP_US);
    }
}

static int set_up(void **state)
{
    struct device *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->event = eventfd(0, EFD_NONBLOCK);
    d->handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
    assert_non_null(d->handle);
    assert_int_equal(rte_intr_fd_set(d->handle, d->event), 0);
    assert_int_equal(rte_intr_type_set(d->handle, RTE_INTR_HANDLE_EXT), 0);
    assert_int_equal(rte_intr_callback_register(d->handle, peer_is_gone, d), 0);
    *state = d;
    return 0;
}

static int tear_down(void **state)
{
    struct device *d = *state;
    while (rte_intr_callback_unregister(d->handle, peer_is_gone, d) == -EAGAIN)
        usleep(WAIT_STEP_US); /* it is just running */
    rte_intr_instance_free(d->handle);
    close(d->event);
    free(d);
    return 0;
}

/* ---- workers ---- */

static void burst(const struct worker *w)
{
    const volatile uint8_t *rings = __atomic_load_n(&w->d->rings, __ATOMIC_SEQ_CST);
    usleep(w->burst_us);
    if (rings != NULL)
        (void)*rings;
}

static void *work(void *worker)
{
    struct worker *w = worker;
    while (!__atomic_load_n(&w->stop, __ATOMIC_SEQ_CST)) {
        const uint64_t now = rte_rdtsc();
        burst(w);
        if (__atomic_load_n(&w->d->is_sending, __ATOMIC_SEQ_CST))
            tern_recess_heard(now);
        if (tern_recess_is_due(now))
            tern_recess_take();
        __atomic_fetch_add(&w->n_bursts, 1, __ATOMIC_SEQ_CST);
    }
    tern_recess_leave();
    return NULL;
}

static void start(struct worker *w, struct device *d, uint32_t burst_us)
{
    *w = (struct worker){.d = d, .burst_us = burst_us};
    assert_int_equal(tern_recess_join(), 0);
    assert_int_equal(pthread_create(&w->thread, NULL, work, w), 0);
}

static void stop(struct worker *w)
{
    __atomic_store_n(&w->stop, true, __ATOMIC_SEQ_CST);
    pthread_join(w->thread, NULL);
}

/* ---- tests ---- */

static void handlers_never_run_beside_a_burst(void **state)
{
    struct device *d = *state;
    struct worker workers[WORKERS_MAX];
    srandom(1);
    for (uint32_t n_workers = 1, n = 0; n_workers <= WORKERS_MAX; n_workers++) {
        for (uint32_t i = 0; i < n_workers; i++)
            start(&workers[i], d, BURST_US + i * 7 * BURST_US / 10); /* out of step */
        for (int round = 0; round < ROUNDS; round++) {
            __atomic_store_n(&d->is_sending, true, __ATOMIC_SEQ_CST);
            share_rings(d);
            usleep((useconds_t)(random() % (2 * BURST_US)));
            lose_peer(d);
            wait_until(&d->n_handled, ++n);
        }
        for (uint32_t i = 0; i < n_workers; i++)
            stop(&workers[i]);
    }
}

static void no_handler_runs_while_packets_come(void **state)
{
    struct device *d = *state;
    struct worker w;
    d->is_sending = true;
    share_rings(d);
    start(&w, d, BURST_US);
    assert_int_equal(eventfd_write(d->event, 1), 0);
    wait_until(&w.n_bursts, BURSTS_OF_SILENCE);
    assert_int_equal(__atomic_load_n(&d->n_handled, __ATOMIC_SEQ_CST), 0);
    __atomic_store_n(&d->is_sending, false, __ATOMIC_SEQ_CST);
    wait_until(&d->n_handled, 1);
    stop(&w);
}

static void busy_worker_comes_when_another_asks(void **state)
{
    struct device *d = *state;
    struct worker busy;
    d->is_sending = true;
    start(&busy, d, BURST_US);
    assert_int_equal(tern_recess_join(), 0);
    tern_recess_take(); /* without an end if it did not */
    tern_recess_leave();
    stop(&busy);
}

static void workers_that_have_left_are_not_waited_for(void **state)
{
    struct device *d = *state;
    struct worker a, b;
    start(&a, d, BURST_US);
    start(&b, d, BURST_US);
    stop(&a);
    lose_peer(d);
    wait_until(&d->n_handled, 1);
    stop(&b);
    lose_peer(d);
    wait_until(&d->n_handled, 2);
}

static void it_begins_anew_with_the_next_worker(void **state)
{
    struct device *d = *state;
    for (uint32_t n = 1; n <= 3; n++) {
        struct worker w;
        share_rings(d);
        start(&w, d, BURST_US);
        lose_peer(d);
        wait_until(&d->n_handled, n);
        stop(&w);
    }
}

int main(void)
{
#define DEVICE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        DEVICE(handlers_never_run_beside_a_burst),
        DEVICE(no_handler_runs_while_packets_come),
        DEVICE(busy_worker_comes_when_another_asks),
        DEVICE(workers_that_have_left_are_not_waited_for),
        DEVICE(it_begins_anew_with_the_next_worker),
    };
    return cmocka_run_group_tests(tests, eal_up, eal_down);
}
