/* SPDX-License-Identifier: BSD-3-Clause */
/* What a scrape says of times and counts that are known. */
#include "live/metrics.h"
#include "run.h"
#include "sample.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h> /* after setjmp.h and the std* headers, which it wants and does not include */
// clang-format on

#define SECOND_NS UINT64_C(1000000000)
enum { RATE = 1234 };

/* A run of a client and its second, both empty but for what a test puts there. */
struct world {
    struct tern_config cfg;
    struct app_load load;
    struct app_run run;
    struct app_sample so_far;
    struct app_hist times[APP_METRIC_COUNT];
    struct app_second second;
    char *text;
    size_t n_bytes;
};

static const char *const end_names[] = {"client", "server"};

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->cfg.n_endpoints = 2;
    w->cfg.endpoints[0].n_workers = 1;
    w->cfg.endpoints[1].n_workers = 2;
    w->load.cfg.rate = RATE;
    w->run = (struct app_run){.command = "pair",
        .scenario = "handshake",
        .cfg = &w->cfg,
        .end_names = end_names,
        .load = &w->load};
    w->second = (struct app_second){.at_ns = 7 * SECOND_NS,
        .phase = APP_PHASE_STEADY,
        .so_far = &w->so_far,
        .times_so_far = w->times};
    return w;
}

/* The text of a scrape, of the second or of before the first. */
static const char *scrape(struct world *w, bool has_second)
{
    struct app_metrics m;
    app_metrics_init(&m, &w->run);
    if (has_second)
        app_metrics_take(&m, &w->run, &w->second);
    free(w->text);
    FILE *out = open_memstream(&w->text, &w->n_bytes);
    app_metrics_print(out, &m);
    fclose(out);
    return w->text;
}

static void world_free(struct world *w)
{
    free(w->text);
    free(w);
}

static void assert_said(struct world *w, const char *line)
{
    const char *found = strstr(w->text, line);
    if (found == NULL || found == w->text || found[-1] != '\n')
        fail_msg("no line '%s' in\n%s", line, w->text);
}

/* Beside each bound, on both sides: each bucket holds all below it, and nothing else. */
static void time_counts_below_its_bound(void **state)
{
    (void)state;
    struct world *w = world_new();
    uint64_t n = 0;
    char line[128];
    for (uint64_t power = 1000; power <= 10 * SECOND_NS; power *= 10)
        for (uint64_t half = 2; half <= 10; half += half == 2 ? 3 : 5) { /* 1, 2.5, 5 */
            const uint64_t bound_ns = power * half / 2;
            app_hist_add(&w->times[APP_METRIC_CONNECT], bound_ns - bound_ns / 500);
            app_hist_add(&w->times[APP_METRIC_CONNECT], bound_ns + bound_ns / 500);
        }
    scrape(w, true);
    for (uint64_t power = 1000; power <= 10 * SECOND_NS; power *= 10)
        for (uint64_t half = 2; half <= 10; half += half == 2 ? 3 : 5) {
            snprintf(line, sizeof line,
                "tern_latency_seconds_bucket{metric=\"connect\",le=\"%g\"} %" PRIu64 "\n",
                (double)(power * half / 2) / 1e9, 2 * n++ + 1);
            assert_said(w, line);
        }
    assert_said(w, "tern_latency_seconds_bucket{metric=\"connect\",le=\"+Inf\"} 48\n");
    assert_said(w, "tern_latency_seconds_count{metric=\"connect\"} 48\n");
    assert_said(w, "tern_latency_seconds_count{metric=\"close\"} 0\n");
    world_free(w);
}

/* Both those that count and the others are connections; drops are of all ends. */
static void counts_are_of_the_whole_run(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->so_far.books.opened = 9;
    w->so_far.ledger.ended[false][TERN_CLOSE_NORMAL] = 2;
    w->so_far.ledger.ended[true][TERN_CLOSE_NORMAL] = 3;
    w->so_far.ledger.ended[true][TERN_CLOSE_COUNT + APP_FAIL_COUNT - 1] = 4;
    w->so_far.stats[0].drops[TERN_DROP_TCP_CSUM] = 5;
    w->so_far.stats[1].drops[TERN_DROP_TCP_CSUM] = 6;
    w->so_far.stats[1].drops[TERN_DROP_TCP_DONE] = 7; /* acted upon: not lost */
    w->second.busy[1][1] = 0.5F;
    scrape(w, true);
    assert_said(w, "tern_run_elapsed_seconds 7.000000000\n");
    assert_said(w, "tern_run_phase{phase=\"steady\"} 1\n");
    assert_said(w, "tern_goal_per_second 1234\n");
    assert_said(w, "tern_connections_opened_total 9\n");
    assert_said(w, "tern_connections_total{end=\"ok\"} 5\n");
    assert_said(w, "tern_connections_total{end=\"no_state\"} 4\n");
    assert_said(w, "tern_drops_total{reason=\"tcp_csum\"} 11\n");
    assert_null(strstr(w->text, "tcp_done"));
    assert_said(w, "tern_worker_busy_ratio{end=\"client\",worker=\"0\"} 0.000000\n");
    assert_said(w, "tern_worker_busy_ratio{end=\"server\",worker=\"1\"} 0.500000\n");
    world_free(w);
}

/* What a server ends has names of its own. */
static void server_has_ends_but_neither_goal_nor_times(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->run.load = NULL;
    w->so_far.stats[0].closed[TERN_CLOSE_NORMAL] = 3;
    w->so_far.stats[0].half_expired = 4;
    scrape(w, true);
    assert_said(w, "tern_connections_total{end=\"ok\"} 3\n");
    assert_said(w, "tern_connections_total{end=\"half_expired\"} 4\n");
    assert_null(strstr(w->text, "tern_goal_per_second"));
    assert_null(strstr(w->text, "tern_latency_seconds"));
    assert_null(strstr(w->text, "http_status"));
    world_free(w);
}

/* Names and labels without their values. */
static char *series_of(const char *text)
{
    char *names = calloc(1, strlen(text) + 1), *to = names;
    assert_non_null(names);
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        const size_t n = *line == '#' ? 0 : strcspn(line, " ");
        memcpy(to, line, n);
        to += n;
    }
    return names;
}

/* A series that comes up only once it has counted is one that alerts cannot name. */
static void series_are_there_from_the_start(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->load.cfg.rate = 0; /* a gauge; it is not there when it is not said */
    char *before = series_of(scrape(w, false));
    memset(&w->so_far.ledger, 1, sizeof w->so_far.ledger);
    memset(w->so_far.stats, 1, sizeof w->so_far.stats);
    app_hist_add(&w->times[APP_METRIC_COMPLETE], SECOND_NS);
    char *after = series_of(scrape(w, true));
    assert_string_equal(before, after);
    free(before);
    free(after);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_counts_below_its_bound),
        cmocka_unit_test(counts_are_of_the_whole_run),
        cmocka_unit_test(server_has_ends_but_neither_goal_nor_times),
        cmocka_unit_test(series_are_there_from_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
