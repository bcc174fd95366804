/* SPDX-License-Identifier: BSD-3-Clause */
/* When buffers or records run out: it costs time, nothing else, and whoever was refused is told
 * when there is something again. */
#include "tcp/flight.h"
#include "tcp/proto.h"
#include "tcp_app.h"

enum { HOARD_MAX = 256 };

struct hoard {
    struct rte_mbuf *m[HOARD_MAX];
    uint32_t n;
};

/** Take all buffers of the instance but `left`. */
static void hoard_all_but(struct peer *p, struct hoard *h, uint32_t left)
{
    h->n = 0;
    while (h->n < HOARD_MAX && (h->m[h->n] = tern_shard_mbuf(p->sh)) != NULL)
        h->n++;
    assert_true(h->n < HOARD_MAX && h->n >= left);
    for (; left > 0; left--)
        rte_pktmbuf_free(h->m[--h->n]);
}

static void give_back(struct hoard *h)
{
    while (h->n > 0)
        rte_pktmbuf_free(h->m[--h->n]);
}

static void do_send(struct tern_shard *sh, struct tern_conn *c)
{
    tern_send_bytes(sh, c, "abc", 3);
}

static void no_buffer_to_send_is_told_when_there_is_one(void **state)
{
    struct peer *p = *state;
    struct hoard hoard;
    p->cfg.mbufs = 128;
    p->no_pattern = true;
    establish_app(p);
    hoard_all_but(p, &hoard, 0);
    seen.act_on = 's';
    seen.act = do_send;
    assert_int_equal(tern_send_bytes(p->sh, seen.c, "abc", 3), 0);
    advance_ms(p, 500);
    assert_string_equal(seen.log, "o");
    give_back(&hoard);
    advance_ms(p, 11);
    assert_string_equal(seen.log, "os");
    expect_segment(p, ACK, 1, 1, 3);
}

static void no_queue_to_send_is_told_when_there_is_one(void **state)
{
    struct peer *p = *state;
    struct tern_conn_info info;
    p->cfg.stack.sending_max = 1;
    p->no_pattern = true;
    establish_app(p);
    struct tern_conn *first = seen.c;
    p->port++;
    p->edge_known = false;
    shake_hands(p);
    assert_int_equal(tern_send_bytes(p->sh, seen.c, "abc", 3), 3);
    expect_segment(p, ACK, 1, 1, 3);
    seen.act_on = 's';
    seen.act = do_send;
    assert_int_equal(tern_send_bytes(p->sh, first, "abc", 3), 0);
    advance_ms(p, 100);
    assert_string_equal(seen.log, "oo"); /* told now it would try again, and again be told */
    inject(p, ACK, 1, 4, 0);
    advance_ms(p, 1000); /* at most so long, however many wait */
    assert_string_equal(seen.log, "oos");
    tern_conn_describe(p->sh, first, &info);
    assert_int_equal(info.unacked_bytes, 3);
    skip_segments(p);
}

static void no_buffer_for_fin_sends_it_later(void **state)
{
    struct peer *p = *state;
    struct hoard hoard;
    p->cfg.mbufs = 128;
    establish_app(p);
    hoard_all_but(p, &hoard, 0);
    tern_close(p->sh, seen.c);
    advance_ms(p, 3000);
    give_back(&hoard);
    wait_segment(p, 10000);
    expect_segment(p, FIN | ACK, 1, 1, 0);
    assert_true(drops(p, TERN_DROP_NO_MBUF) > 0);
}

static void no_buffer_for_payload_sends_it_later(void **state)
{
    struct peer *p = *state;
    struct hoard hoard;
    p->cfg.mbufs = 128;
    p->no_pattern = true;
    establish_app(p);
    hoard_all_but(p, &hoard, 1);
    assert_int_equal(tern_send_bytes(p->sh, seen.c, "abc", 3), 3); /* the last one */
    advance_ms(p, 3000);
    expect_nothing(p);
    give_back(&hoard);
    wait_segment(p, 10000);
    expect_segment(p, ACK, 1, 1, 3);
}

/** A static body's flight (tcp/flight.h) needs a buffer to become a queue; without one the ACK of a
 * part of it counts as lost. */
static void part_of_a_flight_is_not_acked_without_buffers(void **state)
{
    struct peer *p = *state;
    struct hoard hoard;
    uint8_t body[100];
    for (uint32_t i = 0; i < sizeof body; i++)
        body[i] = pattern(1 + i);
    p->cfg.mbufs = 128;
    establish_app(p);
    struct tern_static *s = tern_static_new(p->sh, body, sizeof body);
    assert_int_equal(tern_send_static(p->sh, seen.c, s, 0, sizeof body), sizeof body);
    expect_segment(p, ACK, 1, 1, sizeof body);
    assert_true(tern_conn_has_flight(seen.c));
    const uint32_t una = seen.c->snd.una.v;
    const uint64_t n_short = drops(p, TERN_DROP_NO_MBUF);

    hoard_all_but(p, &hoard, 1); /* the ACK's own */
    inject(p, ACK, 1, 50, 0);
    assert_int_equal(seen.c->snd.una.v, una);
    assert_int_equal(drops(p, TERN_DROP_NO_MBUF), n_short + 2); /* what was wanted; the ACK */
    give_back(&hoard);
    inject(p, ACK, 1, 50, 0);
    assert_int_equal(seen.c->snd.una.v, una + 49);
    inject(p, ACK, 1, 101, 0);
    assert_int_equal(seen.c->txq, 0);
    tern_abort(p->sh, seen.c);
    skip_segments(p);
    tern_static_free(s);
}

static void no_buffer_for_syn_sends_it_later(void **state)
{
    struct peer *p = *state;
    struct hoard hoard;
    p->cfg.mbufs = 128;
    seen = (struct seen){0};
    peer_open(p);
    hoard_all_but(p, &hoard, 0);
    connect_app(p);
    expect_nothing(p);
    give_back(&hoard);
    expect_after_ms(p, 1000);
    expect_segment(p, SYN, 0, 0, 0);
}

static struct peer *restless; /* NULL: enough */
static uint32_t n_ended;

static void open_and_abort(struct peer *p, const struct tern_app *with)
{
    struct tern_conn *c;
    const struct tern_connect_opts opts = {.remote = p->them, .rport = p->port, .app = with};
    assert_int_equal(tern_connect(p->sh, &opts, &c), 0);
    tern_abort(p->sh, c);
}

static void on_closed_again(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why);
static const struct tern_app never_content = {.on_closed = on_closed_again};

static void on_closed_again(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    (void)sh, (void)c, (void)why;
    n_ended++;
    if (restless != NULL)
        open_and_abort(restless, &never_content);
}

/** Without a buffer no SYN fills the list of what leaves. */
static void application_that_goes_on_for_ever_has_its_turn_and_no_more(void **state)
{
    struct peer *p = *state;
    struct hoard hoard;
    uint64_t at_ns;
    p->cfg.mbufs = 128;
    peer_open(p);
    hoard_all_but(p, &hoard, 0);
    restless = p;
    n_ended = 0;
    open_and_abort(p, &never_content);
    tern_shard_settle(p->sh);
    assert_int_equal(n_ended, TERN_SETTLED_MAX);
    assert_true(tern_embed_deadline(p->e, &at_ns));
    assert_true(at_ns <= p->now_ns); /* there is more to do */
    restless = NULL;
    tern_shard_settle(p->sh);
    assert_int_equal(n_ended, TERN_SETTLED_MAX + 1);
    give_back(&hoard);
}

/** What arrives is answered in its own buffer, so one is enough. */
static void one_buffer_is_enough_to_answer(void **state)
{
    struct peer *p = *state;
    struct hoard hoard;
    p->cfg.mbufs = 128;
    establish_app(p);
    hoard_all_but(p, &hoard, 1);
    inject(p, ACK, 1, 1, 100);
    expect_segment(p, ACK, 1, 101, 0);
    inject(p, RST, 150, 0, 0);
    expect_segment(p, ACK, 1, 101, 0);
    p->tern_port++;
    inject(p, SYN, 0, 0, 0);
    expect_flags(p, RST | ACK);
    give_back(&hoard);
}

/* V119 */
static void no_buffer_to_receive_is_counted(void **state)
{
    struct peer *p = *state;
    struct hoard hoard;
    p->cfg.mbufs = 128;
    establish_app(p);
    hoard_all_but(p, &hoard, 0);
    inject(p, ACK, 1, 1, 100);
    expect_nothing(p);
    give_back(&hoard);
    assert_int_equal(drops(p, TERN_DROP_NO_MBUF), 1);
    assert_int_equal(stats(p)->rx_packets, p->n_injected);
    inject(p, ACK, 1, 1, 100);
    expect_segment(p, ACK, 1, 101, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(no_buffer_to_send_is_told_when_there_is_one),
        BOTH(no_queue_to_send_is_told_when_there_is_one),
        BOTH(no_buffer_for_fin_sends_it_later),
        BOTH(no_buffer_for_payload_sends_it_later),
        BOTH(part_of_a_flight_is_not_acked_without_buffers),
        BOTH(no_buffer_for_syn_sends_it_later),
        BOTH(application_that_goes_on_for_ever_has_its_turn_and_no_more),
        BOTH(one_buffer_is_enough_to_answer),
        BOTH(no_buffer_to_receive_is_counted),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
