/* SPDX-License-Identifier: BSD-3-Clause */
/* A response that is all there is in flight (tcp/flight.h): a shorter way to the same wire, byte
 * for byte, whatever becomes of it. */
#include "tcp/flight.h"
#include "tcp_pair.h"

enum {
    BODY_BYTES = 4000,
    REQUEST_BYTES = 64,
    REQUESTS = 40,
    SEEDS = 80,
    BUFFERS_MAX = 8192, /* more than the server has */
};

/** A client that asks, and a server that answers with a piece of a body. */
struct talk {
    struct run run; /* first: random_fate() */
    struct tern_static *body;
    struct tern_conn *conn;       /* of the server, while it lives */
    uint64_t dice;                /* the server's: how long, in which way, … */
    uint32_t n_asked;             /* requests */
    uint32_t n_heard;             /* bytes of them */
    uint64_t n_due, n_read;       /* bytes of answers */
    uint32_t steals;              /* in 1000, of events */
    uint32_t pipelined, closes;   /* in 1000; after the last answer, or with it */
    uint32_t n_flights, n_static; /* events that found one */
};

static struct talk *talk_of(struct tern_shard *sh)
{
    return tern_shard_user(sh);
}

static uint8_t body_byte(size_t i)
{
    return (uint8_t)(i * 31 + i / 256);
}

/* ---- the server ---- */

static void open_server(struct tern_shard *sh, struct tern_conn *c)
{
    talk_of(sh)->conn = c;
}

static void closed_server(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    (void)c;
    assert_int_equal(why, TERN_CLOSE_NORMAL);
    talk_of(sh)->conn = NULL;
}

static void answer(struct tern_shard *sh, struct tern_conn *c)
{
    struct talk *k = talk_of(sh);
    const uint32_t dice = (uint32_t)(next_random(&k->dice) % 1000);
    size_t n = 1 + next_random(&k->dice) % (dice < 800 ? 400 : BODY_BYTES);
    n = dice % 10 == 0 ? tern_conn_payload_max(tern_tcp_of(sh), c) : n; /* a full one */
    uint8_t bytes[BODY_BYTES];
    for (size_t i = 0; i < n; i++)
        bytes[i] = body_byte(i);
    if (dice % 3 == 0)
        k->n_due += tern_send_bytes(sh, c, bytes, n);
    else
        k->n_due += tern_send_static(sh, c, k->body, 0, n);
    if (dice % 50 == 1)
        k->n_due += tern_send_static(sh, c, k->body, 0, 1); /* a second piece at once */
}

static void take_request(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    struct talk *k = talk_of(sh);
    const uint32_t n = m->pkt_len;
    rte_pktmbuf_free(m);
    k->n_heard += n;
    tern_consume(sh, c, n);
    answer(sh, c);
    if (k->n_heard == REQUESTS * REQUEST_BYTES && k->closes > 500)
        tern_close(sh, c);
}

static void client_closed(struct tern_shard *sh, struct tern_conn *c)
{
    tern_close(sh, c);
}

static const struct tern_app server_app = {.on_open = open_server,
    .on_data = take_request,
    .on_peer_closed = client_closed,
    .on_closed = closed_server};

/* ---- no buffers ---- */

static struct rte_mbuf *stolen[BUFFERS_MAX];
static uint32_t n_stolen;

static void give_back(void)
{
    rte_pktmbuf_free_bulk(stolen, n_stolen);
    n_stolen = 0;
}

/** Take all the server has, now and then, or give them back. */
static void steal(struct talk *k, struct tern_tcp *t)
{
    const uint32_t dice = (uint32_t)(next_random(&k->run.pair.random) % 1000);
    if (n_stolen > 0) {
        if (dice < 300)
            give_back();
        return;
    }
    if (dice >= k->steals)
        return;
    while (n_stolen < BUFFERS_MAX && (stolen[n_stolen] = rte_pktmbuf_alloc(t->pool)) != NULL)
        n_stolen++;
}

/* ---- the client ---- */

static void talk_on(struct pair *pair)
{
    struct talk *k = pair->ctx;
    uint8_t bytes[BODY_BYTES];
    ssize_t n;
    if (k->conn != NULL && tern_conn_has_flight(k->conn)) {
        const struct tern_tcp *t = tern_tcp_of(tern_embed_shard(pair->end[1]));
        tern_flight_check(t, k->conn);
        k->n_flights++;
        k->n_static += tern_conn_flight(t, k->conn)->flags & TERN_FLIGHT_STATIC;
    }
    if (k->steals > 0)
        steal(k, tern_tcp_of(tern_embed_shard(pair->end[1])));
    while ((n = tern_sock_recv(pair->client, bytes, sizeof bytes)) > 0)
        k->n_read += (uint64_t)n;
    const bool answered = k->n_heard == k->n_asked * REQUEST_BYTES && k->n_read == k->n_due;
    const bool impatient = next_random(&pair->random) % 1000 < k->pipelined;
    if (k->n_asked < REQUESTS && (answered || impatient)) {
        const uint8_t request[REQUEST_BYTES] = {0};
        if (tern_sock_send(pair->client, request, sizeof request) == sizeof request)
            k->n_asked++;
    } else if (k->n_asked == REQUESTS && answered && k->conn != NULL) {
        tern_sock_shutdown(pair->client);
    }
}

/* ---- */

struct outcome {
    uint64_t trace, n_short;
    uint32_t n_flights, n_static;
};

static void configure(struct talk *k, uint64_t seed, bool slow_only)
{
    uint64_t dice = seed * 6151;
    k->dice = k->run.pair.random = seed;
    run_draw(&k->run, &dice, 60);
    run_slow_path_only(&k->run, slow_only);
    k->pipelined = next_random(&dice) % 300;
    k->closes = next_random(&dice) % 1000;
}

static struct outcome play(bool v6, uint64_t seed, bool slow_only, uint32_t steals)
{
    static struct talk k;
    memset(&k, 0, sizeof k);
    run_init(&k.run, v6);
    configure(&k, seed, slow_only);
    k.steals = steals;
    struct pair *pair = &k.run.pair;
    pair->ctx = &k;
    pair->hook = random_fate;
    pair_open(pair);
    struct tern_shard *sh = tern_embed_shard(pair->end[1]);
    uint8_t body[BODY_BYTES];
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = body_byte(i);
    k.body = tern_static_new(sh, body, sizeof body);
    assert_non_null(k.body);
    tern_shard_set_user(sh, &k);
    assert_true(tern_listen(sh, NULL, PAIR_PORT, &server_app, NULL) >= 0);
    assert_int_equal(
        tern_sock_connect(pair->end[0], &pair->addr[1], PAIR_PORT, NULL, 0, &pair->client), 0);
    pair->on_event = talk_on;
    pair_run_ms(pair, 600000);
    give_back();
    pair_run_ms(pair, 600000);
    assert_int_equal(k.n_asked, REQUESTS);
    assert_int_equal(k.n_read, k.n_due);
    assert_null(k.conn);
    const uint64_t n_short = pair_stats(pair, 1)->drops[TERN_DROP_NO_MBUF];
    const struct outcome o = {pair->trace, n_short, k.n_flights, k.n_static};
    pair_close(pair);
    tern_static_free(k.body);
    return o;
}

static void same_wire_with_and_without_flights(void **state)
{
    uint32_t n_flights = 0, n_static = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        const struct outcome quick = play(*state != NULL, seed, false, 0);
        const struct outcome slow = play(*state != NULL, seed, true, 0);
        if (quick.trace != slow.trace)
            fail_msg("seed %llu: the wires differ", (unsigned long long)seed);
        assert_int_equal(slow.n_flights, 0);
        n_flights += quick.n_flights;
        n_static += quick.n_static;
    }
    assert_true(n_static > 10 * SEEDS && n_flights > n_static + 5 * SEEDS);
}

static void without_buffers_everything_comes_later(void **state)
{
    uint64_t n_short = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        n_short += play(*state != NULL, seed, false, 100).n_short;
    assert_true(n_short > 3 * SEEDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAMILIES(same_wire_with_and_without_flights),
        FAMILIES(without_buffers_everything_comes_later),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
