/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP Fast Open (RFC 7413) between two instances: what it saves, and that it survives the wire. */
#include "tcp_pair.h"

enum { REQUEST_BYTES = 100 };

static void pair_fast(struct pair *pair, void **state)
{
    pair_init(pair, *state != NULL);
    pair->cfg[0].stack.tfo_connect = true;
    pair->cfg[1].stack.tfo_accept = true;
}

static uint32_t n_readable(struct tern_sock *s)
{
    uint8_t bytes[4096];
    const ssize_t n = s != NULL ? tern_sock_recv(s, bytes, sizeof bytes) : 0;
    for (ssize_t i = 0; i < n; i++)
        assert_int_equal(bytes[i], pattern((uint32_t)i));
    return n > 0 ? (uint32_t)n : 0;
}

/** Request and answer; how many ms until the client had it. */
static uint32_t exchange_ms(struct pair *pair)
{
    uint8_t bytes[REQUEST_BYTES];
    const uint64_t from_ns = pair->now_ns;
    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = pattern(i);
    if (pair->listener == NULL)
        assert_int_equal(tern_sock_listen(pair->end[1], NULL, PAIR_PORT, 16, &pair->listener), 0);
    assert_int_equal(tern_sock_connect_early(pair->end[0], &pair->addr[1], PAIR_PORT, NULL, 0,
                         bytes, sizeof bytes, &pair->client),
        0);
    uint32_t asked = 0, got = 0;
    pair->server = NULL;
    while (got < sizeof bytes) {
        assert_true(pair_step(pair, from_ns + ms_to_ns(60000)));
        if (pair->server == NULL)
            pair->server = tern_sock_accept(pair->listener);
        const uint32_t n = n_readable(pair->server);
        asked += n;
        if (n > 0)
            assert_int_equal(tern_sock_send(pair->server, bytes, n), n);
        got += n_readable(pair->client);
    }
    assert_int_equal(asked, sizeof bytes); /* once */
    tern_sock_close(pair->client);
    const uint32_t ms = (uint32_t)((pair->now_ns - from_ns) / 1000000);
    pair_run_ms(pair, 1000);
    tern_sock_close(pair->server);
    pair_run_ms(pair, 100000);
    return ms;
}

static void pair_second_exchange_saves_a_round_trip(void **state)
{
    struct pair pair;
    pair_fast(&pair, state);
    pair_open(&pair);
    assert_int_equal(exchange_ms(&pair), 20); /* two round trips of 10 ms */
    assert_int_equal(exchange_ms(&pair), 10);
    assert_int_equal(exchange_ms(&pair), 10);
    assert_int_equal(pair_stats(&pair, 0)->tfo_data_acked, 2);
    assert_int_equal(pair_stats(&pair, 1)->tfo_accepted, 2);
    assert_int_equal(pair_stats(&pair, 1)->closed[TERN_CLOSE_NORMAL], 3);
    pair_close(&pair);
}

/** The server gets another secret: the cookie is refused, replaced, and serves again. */
static void pair_server_with_a_new_secret_is_learned_again(void **state)
{
    struct pair pair;
    struct tern_error err;
    pair_fast(&pair, state);
    pair_open(&pair);
    exchange_ms(&pair);
    assert_clean_close(pair.end[1]);
    pair.cfg[1].stack.seed[0] += 99;
    assert_int_equal(tern_embed_open(&pair.cfg[1], pair.now_ns, &pair.end[1], &err), 0);
    pair.listener = NULL;
    assert_int_equal(exchange_ms(&pair), 20);
    assert_int_equal(exchange_ms(&pair), 10);
    assert_int_equal(pair_stats(&pair, 1)->tfo_cookies_bad, 1);
    assert_int_equal(pair_stats(&pair, 0)->tfo_data_again, 1);
    pair_close(&pair);
}

static enum fate lossy(struct pair *pair, int from, const uint8_t *packet, uint32_t n)
{
    (void)from, (void)packet, (void)n;
    const uint32_t dice = next_random(&pair->random) % 100;
    if (dice < 15)
        return IS_LOST;
    if (dice < 25)
        return ARRIVES_TWICE;
    return dice < 35 ? ARRIVES_LATE : ARRIVES;
}

/** Whatever is lost, doubled or late in 300 exchanges: each ends, and each request arrives once. */
static void pair_survives_loss_duplication_and_delay(void **state)
{
    struct pair pair;
    pair_fast(&pair, state);
    pair.cfg[0].stack.time_wait_ms = pair.cfg[1].stack.time_wait_ms = 1000;
    pair_open(&pair);
    exchange_ms(&pair);
    for (int i = 0; i < 300; i++) {
        pair.hook = lossy;
        exchange_ms(&pair);
        pair.hook = NULL;
        pair_run_ms(&pair, 4000000);
    }
    assert_in_range(pair_stats(&pair, 1)->tfo_accepted, 100, 400);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAMILIES(pair_second_exchange_saves_a_round_trip),
        FAMILIES(pair_server_with_a_new_secret_is_learned_again),
        FAMILIES(pair_survives_loss_duplication_and_delay),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
