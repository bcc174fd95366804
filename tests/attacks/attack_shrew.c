/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bursts of loss in step with the retransmission timer (Shrew): nothing gets through for a moment,
 * each time a timeout would send again. Between two endpoints of tern in virtual time.
 */
#include "tcp_pair.h"

enum {
    TOTAL_BYTES = 200 << 20, /* more than the attack lets through */
    ATTACK_MS = 15000,
    RECOVERY_MS = 2000, /* of congestion avoidance: the threshold is two segments by then */
    BURST_MS = 150,     /* longer than a round trip: a whole window is lost */
};

struct attack {
    struct stream stream;
    uint64_t period_ms; /* 0: it is over */
};

static enum fate lose_in_bursts(struct pair *pair, int from, const uint8_t *packet, uint32_t n)
{
    (void)from, (void)packet, (void)n;
    const struct attack *a = pair->ctx;
    const uint64_t now_ms = pair->now_ns / 1000000;
    return a->period_ms != 0 && now_ms % a->period_ms < BURST_MS ? IS_LOST : ARRIVES;
}

static void carry(struct pair *pair)
{
    struct attack *a = pair->ctx;
    stream_write(&a->stream);
    stream_read(&a->stream);
}

/** What a stream carries in `ms`. */
static uint32_t carried_in_ms(struct pair *pair, struct attack *a, uint64_t ms)
{
    const uint32_t before = a->stream.read;
    pair_run_ms(pair, ms);
    return a->stream.read - before;
}

static void stream_recovers_from_bursts_every(bool v6, uint64_t period_ms)
{
    struct attack a = {.period_ms = 0};
    struct pair pair;
    pair_init(&pair, v6);
    for (int i = 0; i < 2; i++) /* a window that a test is quick with */
        pair.cfg[i].stack.rcv_buf_bytes = pair.cfg[i].stack.rcv_buf_max_bytes = 30000;
    pair_open(&pair);
    pair_connect(&pair);
    a.stream = (struct stream){.from = pair.client, .to = pair.server, .total = TOTAL_BYTES};
    pair.ctx = &a;
    pair.hook = lose_in_bursts;
    pair.on_event = carry;
    carry(&pair);
    pair_run_ms(&pair, ONE_SECOND);
    const uint32_t usual = carried_in_ms(&pair, &a, ONE_SECOND);
    a.period_ms = period_ms;
    const uint32_t attacked = carried_in_ms(&pair, &a, ATTACK_MS);
    assert_true(attacked > 0);
    a.period_ms = 0;
    struct tern_conn_info info;
    assert_true(tern_sock_describe(pair.client, &info));
    pair_run_ms(&pair, info.timer_us / 1000 + RECOVERY_MS); /* what is due, and growth */
    assert_true(carried_in_ms(&pair, &a, ONE_SECOND) > usual / 2);
    pair.on_event = NULL;
    tern_sock_abort(pair.client);
    pair_run_ms(&pair, ONE_SECOND);
    pair_close(&pair);
}

/** V127: bursts at the minimum RTO, at RFC 6298's, and beside both. */
static void bursts_in_step_with_the_timeout_are_survived(void **state)
{
    static const uint64_t periods_ms[] = {200, 250, 400, 1000, 1100, 3000};
    for (size_t i = 0; i < sizeof periods_ms / sizeof periods_ms[0]; i++)
        stream_recovers_from_bursts_every(*state != NULL, periods_ms[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAMILIES(bursts_in_step_with_the_timeout_are_survived),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
