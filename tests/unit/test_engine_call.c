/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Functions that workers run when they are asked to: on their own thread, until they are done, and
 * never after the asker was told otherwise.
 */
#include "engine_fixture.h"

#include <errno.h>
#include <pthread.h>

enum {
    PATIENCE_MS = 20000, /* for what has to come */
    SHORT_MS = 20,       /* for what never comes */
    RUNS = 5,
};

/** What a call saw. */
struct seen {
    pthread_t thread;
    const struct tern_shard *sh;
    uint32_t worker, n_runs, n_wanted;
};

static bool look(struct tern_shard *sh, void *ctx)
{
    struct seen *s = (struct seen *)ctx;
    s->thread = pthread_self();
    s->sh = sh;
    s->worker = tern_shard_worker(sh);
    const uint32_t n_runs = __atomic_add_fetch(&s->n_runs, 1, __ATOMIC_RELEASE);
    return n_runs == s->n_wanted;
}

static bool never(struct tern_shard *sh, void *ctx)
{
    (void)sh;
    __atomic_add_fetch((uint32_t *)ctx, 1, __ATOMIC_RELEASE);
    return false;
}

static bool has_run(void *n_runs)
{
    return __atomic_load_n((uint32_t *)n_runs, __ATOMIC_ACQUIRE) > 0;
}

static void each_worker_runs_it_on_its_own_thread(void **state)
{
    (void)state;
    struct tern_config *cfg = pair_config(2, 1, false);
    cfg->moderation_ns = 1000000; /* the longest that a worker waits between polls */
    struct tern_engine *e = engine_up(cfg);
    struct seen s[2] = {{.n_wanted = RUNS}, {.n_wanted = RUNS}};
    for (uint32_t w = 0; w < 2; w++) {
        assert_int_equal(tern_engine_call(e, SERVER, w, look, &s[w], PATIENCE_MS), 0);
        assert_int_equal(s[w].worker, w);
        assert_int_equal(s[w].n_runs, RUNS);
        assert_false(pthread_equal(s[w].thread, pthread_self()));
    }
    assert_false(pthread_equal(s[0].thread, s[1].thread));
    assert_ptr_not_equal(s[0].sh, s[1].sh);
    engine_down(e);
    free(cfg);
}

static void there_is_no_such_worker(void **state)
{
    (void)state;
    struct tern_config *cfg = pair_config(1, 1, false);
    struct tern_engine *e = engine_up(cfg);
    struct seen s = {.n_wanted = 1};
    assert_int_equal(tern_engine_call(e, SERVER, 1, look, &s, PATIENCE_MS), -EINVAL);
    assert_int_equal(tern_engine_call(e, TERN_ENDPOINTS_MAX, 0, look, &s, PATIENCE_MS), -EINVAL);
    assert_int_equal(s.n_runs, 0);
    engine_down(e);
    free(cfg);
}

static void it_does_not_run_after_its_time_and_the_slot_is_free_again(void **state)
{
    (void)state;
    struct tern_config *cfg = pair_config(1, 1, false);
    struct tern_engine *e = engine_up(cfg);
    uint32_t n_runs = 0;
    while (n_runs == 0) /* the worker may have been off its CPU for the whole time */
        assert_int_equal(tern_engine_call(e, CLIENT, 0, never, &n_runs, SHORT_MS), -ETIMEDOUT);
    const uint32_t n_before = n_runs;
    struct seen s = {.n_wanted = RUNS};
    assert_int_equal(tern_engine_call(e, CLIENT, 0, look, &s, PATIENCE_MS), 0);
    assert_int_equal(n_runs, n_before);
    engine_down(e);
    free(cfg);
}

static void an_engine_that_does_not_run_yet_takes_none(void **state)
{
    (void)state;
    struct tern_config *cfg = pair_config(1, 1, false);
    struct tern_error err = {.text = ""};
    struct tern_engine *e;
    struct seen s = {.n_wanted = 1};
    assert_int_equal(tern_engine_open(cfg, &e, &err), 0);
    assert_int_equal(tern_engine_call(e, SERVER, 0, look, &s, SHORT_MS), -ETIMEDOUT);
    assert_int_equal(tern_engine_start(e, &err), 0);
    assert_int_equal(s.n_runs, 0);
    assert_int_equal(tern_engine_call(e, SERVER, 0, look, &s, PATIENCE_MS), 0);
    engine_down(e);
    free(cfg);
}

/* ---- two that ask ---- */

struct asker {
    struct tern_engine *e;
    uint32_t n_runs;
    int rc;
};

static void *ask_for_ever(void *ctx)
{
    struct asker *a = (struct asker *)ctx;
    a->rc = tern_engine_call(a->e, SERVER, 0, never, &a->n_runs, 10 * PATIENCE_MS);
    return NULL;
}

/** A call is under way that only the engine's end will end. */
static pthread_t begin_asking(struct asker *a, struct tern_engine *e)
{
    pthread_t thread;
    *a = (struct asker){.e = e, .rc = 1};
    assert_int_equal(pthread_create(&thread, NULL, ask_for_ever, a), 0);
    assert_true(await(has_run, &a->n_runs));
    return thread;
}

static void a_worker_takes_one_at_a_time_and_a_stop_ends_it(void **state)
{
    (void)state;
    struct tern_config *cfg = pair_config(2, 1, false);
    struct tern_engine *e = engine_up(cfg);
    struct asker a;
    struct seen s = {.n_wanted = 1}, other = {.n_wanted = 1};
    const pthread_t thread = begin_asking(&a, e);
    assert_int_equal(tern_engine_call(e, SERVER, 0, look, &s, PATIENCE_MS), -EBUSY);
    assert_int_equal(tern_engine_call(e, SERVER, 1, look, &other, PATIENCE_MS), 0);
    stop_and_wait(e);
    pthread_join(thread, NULL);
    assert_int_equal(a.rc, -ESHUTDOWN);
    assert_int_equal(tern_engine_call(e, SERVER, 0, look, &s, PATIENCE_MS), -ESHUTDOWN);
    assert_int_equal(s.n_runs, 0);
    engine_down(e);
    free(cfg);
}

/* ---- what a call does takes effect ---- */

struct opening {
    struct tern_connect_opts to;
    int rc;
};

static bool open_one(struct tern_shard *sh, void *ctx)
{
    struct opening *o = (struct opening *)ctx;
    o->rc = tern_connect(sh, &o->to, NULL);
    return true;
}

static const struct tern_app silent_app;

static int listen_silently(struct tern_shard *sh, void *ctx)
{
    (void)ctx;
    const int id = tern_listen(sh, NULL, PORT, &silent_app, NULL);
    return id < 0 ? id : 0;
}

static bool one_is_established(void *engine)
{
    struct tern_stats server;
    tern_engine_stats((const struct tern_engine *)engine, SERVER, &server);
    return server.passive_established == 1;
}

static void a_call_may_open_a_connection(void **state)
{
    (void)state;
    struct tern_config *cfg = pair_config(1, 1, false);
    cfg->endpoints[SERVER].app.start = listen_silently;
    struct tern_engine *e = engine_up(cfg);
    struct opening o = {.to = {.remote = cfg->endpoints[SERVER].stack.addrs[0].addr,
                            .rport = PORT,
                            .app = &silent_app},
        .rc = 1};
    assert_int_equal(tern_engine_call(e, CLIENT, 0, open_one, &o, PATIENCE_MS), 0);
    assert_int_equal(o.rc, 0);
    assert_true(await(one_is_established, e));
    engine_down(e);
    free(cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_worker_runs_it_on_its_own_thread),
        cmocka_unit_test(there_is_no_such_worker),
        cmocka_unit_test(it_does_not_run_after_its_time_and_the_slot_is_free_again),
        cmocka_unit_test(an_engine_that_does_not_run_yet_takes_none),
        cmocka_unit_test(a_worker_takes_one_at_a_time_and_a_stop_ends_it),
        cmocka_unit_test(a_call_may_open_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
