/* SPDX-License-Identifier: BSD-3-Clause */
/* Urgent data (RFC 9293 §3.8.5, RFC 6093), and the notice that a peer has gone silent (§3.8.3). */
#include "tcp_peer.h"

struct notices {
    uint32_t n_urgent, urgent_bytes, n_unanswered;
    struct tern_conn *c;
};

static struct notices seen;

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    (void)sh;
    seen.c = c;
}

static void on_urgent(struct tern_shard *sh, struct tern_conn *c, uint32_t n_bytes)
{
    (void)sh, (void)c;
    seen.n_urgent++;
    seen.urgent_bytes = n_bytes;
}

static void on_unanswered(struct tern_shard *sh, struct tern_conn *c)
{
    (void)sh, (void)c;
    seen.n_unanswered++;
}

static void establish_watched(struct peer *p)
{
    static const struct tern_app app = {
        .on_open = on_open, .on_urgent = on_urgent, .on_unanswered = on_unanswered};
    seen = (struct notices){0};
    peer_open(p);
    assert_true(tern_listen(p->sh, NULL, p->tern_port, &app, NULL) >= 0);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    inject(p, ACK, 1, 1, 0);
    assert_non_null(seen.c);
}

static uint32_t urgent_left(const struct peer *p)
{
    struct tern_conn_info info;
    tern_conn_describe(p->sh, seen.c, &info);
    return info.urgent_bytes;
}

/* V045 */
static void pointer_that_advances_is_told_of(void **state) /* MUST-30, MUST-32, MUST-33 */
{
    struct peer *p = *state;
    establish_watched(p);
    p->urg = 50;
    inject(p, ACK | URG, 1, 1, 10); /* beyond the segment: MUST-31 */
    assert_int_equal(seen.n_urgent, 1);
    assert_int_equal(seen.urgent_bytes, 50);
    assert_int_equal(urgent_left(p), 40);
    p->urg = 40;
    inject(p, ACK | URG, 11, 1, 10); /* the same place */
    assert_int_equal(seen.n_urgent, 1);
    p->urg = 60;
    inject(p, ACK | URG, 21, 1, 10);
    assert_int_equal(seen.n_urgent, 2);
    assert_int_equal(seen.urgent_bytes, 60);
    p->urg = 0;
    inject(p, ACK, 31, 1, 100);
    assert_int_equal(urgent_left(p), 0);
    skip_segments(p);
}

static void pointer_counts_from_the_segments_own_sequence(void **state)
{
    struct peer *p = *state;
    establish_watched(p);
    inject(p, ACK, 1, 1, 10);
    p->urg = 20;
    inject(p, ACK | URG, 1, 1, 20); /* its first half is old */
    assert_int_equal(seen.n_urgent, 1);
    assert_int_equal(seen.urgent_bytes, 10);
    p->urg = 5;
    inject(p, ACK | URG, 1, 1, 30); /* points at what has long been read */
    assert_int_equal(seen.n_urgent, 1);
    p->urg = 0;
    skip_segments(p);
}

static void urgent_pointer_is_right_behind_the_data(void **state) /* MUST-62 */
{
    struct peer *p = *state;
    establish_watched(p);
    p->no_pattern = true;
    const uint32_t mss = full_segment(p);
    static uint8_t bytes[4000];
    assert_int_equal(tern_send_urgent(p->sh, seen.c, bytes, 2 * mss), 2 * mss);
    assert_int_equal(tern_send_bytes(p->sh, seen.c, bytes, 10), 10);
    tern_embed_advance(p->e, p->now_ns);
    assert_int_equal(expect_segment(p, ACK | URG, 1, 1, mss)->urg, 2 * mss);
    assert_int_equal(expect_segment(p, ACK | URG, 1 + mss, 1, mss)->urg, mss);
    inject(p, ACK, 1, 1 + 2 * mss, 0);
    assert_int_equal(expect_segment(p, ACK, 1 + 2 * mss, 1, 10)->urg, 0);
}

static void third_unanswered_retransmission_is_told_of(void **state) /* SHLD-9, SHLD-10 */
{
    struct peer *p = *state;
    establish_watched(p);
    p->no_pattern = true;
    assert_int_equal(tern_send_bytes(p->sh, seen.c, "x", 1), 1);
    tern_embed_advance(p->e, p->now_ns);
    advance_ms(p, 1000 + 2000 + 3900);
    assert_int_equal(seen.n_unanswered, 0);
    advance_ms(p, 200);
    assert_int_equal(seen.n_unanswered, 1);
    advance_ms(p, 40000);
    assert_int_equal(seen.n_unanswered, 1); /* once a silence */
    skip_segments(p);
}

/** V044: what an earlier connection of the same four-tuple knew of urgent data is forgotten. */
static void urgent_state_begins_anew(void **state)
{
    struct peer *p = *state;
    establish_watched(p);
    p->urg = 1000;
    inject(p, ACK | URG, 1, 1, 10);
    assert_int_equal(urgent_left(p), 990);
    p->urg = 0;
    inject(p, RST, 11, 0, 0);
    skip_segments(p);
    p->iss += 100000;
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    p->urg = UINT16_MAX; /* before the handshake is over, and no ACK */
    inject(p, FIN | URG, 1, 0, 5);
    p->urg = 0;
    inject(p, ACK, 1, 1, 0);
    assert_int_equal(urgent_left(p), 0);
    inject(p, ACK, 1, 1, 100);
    assert_int_equal(urgent_left(p), 0);
    assert_int_equal(seen.n_urgent, 1);
    skip_segments(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(pointer_that_advances_is_told_of),
        BOTH(urgent_state_begins_anew),
        BOTH(pointer_counts_from_the_segments_own_sequence),
        BOTH(urgent_pointer_is_right_behind_the_data),
        BOTH(third_unanswered_retransmission_is_told_of),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
