/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments of one connection in one burst: it is looked up for all of them before any is taken. */
#include "tcp_peer.h"

/** The first makes the record that the last must find, though nobody had one when the burst was
 * looked over. */
static void syn_twice_in_a_burst_is_one_connection(void **state)
{
    enum { N = 9 };
    struct peer *p = *state;
    struct rte_mbuf *burst[N];
    const uint16_t port = p->port;
    listen_here(p);
    for (uint16_t i = 0; i < N - 1; i++) {
        p->port = (uint16_t)(port + i);
        burst[i] = segment_mbuf(p, SYN, 0, 0, 0);
    }
    p->port = port;
    burst[N - 1] = segment_mbuf(p, SYN, 0, 0, 0);
    tern_shard_rx(p->sh, burst, N, p->now_ns);
    assert_int_equal(stats(p)->half_opened, N - 1);
    assert_int_equal(drops(p, TERN_DROP_TCP_DUPLICATE), 1);
    expect_flags(p, SYN | ACK);
    skip_segments(p);
    inject(p, ACK, 1, 1, 0);
    accept_one(p);
}

/** … and the ACK's connection is what the data behind it must find in the half-open one's place. */
static void ack_and_data_in_a_burst_are_of_one_connection(void **state)
{
    struct peer *p = *state;
    listen_here(p);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    struct rte_mbuf *burst[] = {segment_mbuf(p, ACK, 1, 1, 0), segment_mbuf(p, ACK, 1, 1, 100)};
    tern_shard_rx(p->sh, burst, 2, p->now_ns);
    accept_one(p);
    expect_read(p, 100);
    expect_segment(p, ACK, 1, 101, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(syn_twice_in_a_burst_is_one_connection),
        BOTH(ack_and_data_in_a_burst_are_of_one_connection),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
