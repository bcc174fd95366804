/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Openings that are none: segments to a listener without a handshake, listeners that go while
 * somebody knocks, tables that are full. Nothing is kept for those who prove nothing, and they get
 * no more bytes back than they sent.
 */
#include "attack_conn.h"

enum { SYN_ACKS_MAX = 6, FIVE_MINUTES_MS = 300 * ONE_SECOND };

/** Bytes of all that tern has sent so far. */
static uint32_t hear_bytes(struct peer *p)
{
    uint32_t n = 0;
    for (; poll_segment(p); p->has_heard = false)
        n += p->heard.n_packet;
    return n;
}

/** Another sender, who knows nothing of the last one. */
static void next_sender(struct peer *p, uint32_t i)
{
    p->port = (uint16_t)(1024 + i % 60000);
    p->iss += 64000;
    p->edge_known = false;
}

/** V063: ACKs and data without a SYN cost their buffer, and that comes back. */
static void acks_without_a_syn_leave_nothing(void **state)
{
    static const uint8_t flags[] = {ACK, ACK | PSH, ACK | FIN, ACK | URG, FIN | ACK | PSH};
    struct peer *p = *state;
    listen_here(p);
    const struct baseline before = baseline_of(p->sh);
    for (uint32_t i = 0; i < 20000; i++) {
        next_sender(p, i);
        p->tern_port = i % 2 ? TERN_PORT : TERN_PORT + 1; /* a closed one, too */
        inject(p, flags[i % sizeof flags], i, 0, i % 3 * 500);
        assert_true(expect_flags(p, RST)->flags & RST);
    }
    assert_baseline(p->sh, &before);
    p->tern_port = TERN_PORT;
    establish(p);
}

/** V104: nobody is sent more bytes than they sent, before a handshake is complete, but a SYN's. */
static void answers_are_no_larger_than_what_asks(void **state)
{
    static const uint32_t lens[] = {0, 1, 17, 100, 1400};
    struct peer *p = *state;
    listen_here(p);
    for (uint32_t port = TERN_PORT; port <= TERN_PORT + 1; port++)
        for (uint32_t flags = 0; flags < 256; flags++)
            for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
                struct frame f;
                next_sender(p, flags);
                p->tern_port = (uint16_t)port;
                write_segment(p, &f, (uint8_t)flags, 0, 77, lens[i], (const uint8_t *)"", 0);
                feed(p, &f);
                const bool is_syn = (flags & (SYN | ACK | RST | FIN)) == SYN && port == TERN_PORT;
                if (!is_syn)
                    assert_true(hear_bytes(p) <= f.n);
                p->has_irs = false;
                skip_segments(p);
            }
}

/** V103: one SYN, and five minutes of what it brings. @return SYN-ACKs */
static uint32_t n_syn_acks(struct peer *p, enum tern_syn_cookies cookies)
{
    uint32_t n = 0;
    peer_restart(p);
    p->cfg.stack.syn_cookies = cookies;
    listen_here(p);
    const struct baseline before = baseline_of(p->sh);
    inject_syn(p, SYN, 0);
    for (int ms = 0; ms < FIVE_MINUTES_MS; ms += 100) {
        advance_ms(p, 100);
        for (; poll_segment(p); p->has_heard = false, n++)
            assert_int_equal(p->heard.flags, SYN | ACK);
    }
    assert_baseline(p->sh, &before);
    return n;
}

/** V099, V103: a SYN that nobody stands behind is answered six times, once under cookies. */
static void syn_without_a_sender_is_answered_a_few_times(void **state)
{
    struct peer *p = *state;
    assert_in_range(n_syn_acks(p, TERN_SYN_COOKIES_AUTO), 2, SYN_ACKS_MAX);
    assert_int_equal(n_syn_acks(p, TERN_SYN_COOKIES_ALWAYS), 1);
}

/** V103: a RST stops it. */
static void reset_stops_the_answers_to_a_syn(void **state)
{
    struct peer *p = *state;
    listen_here(p);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    inject(p, RST, 1, 0, 0);
    expect_silence_ms(p, FIVE_MINUTES_MS);
}

/** V070: the listener goes, and may be back, between SYN and ACK or before it accepts. Whoever
 * knocks meets who listens now, or a RST; nothing of the old listener is left. */
static void listener_that_comes_back_knows_nothing_of_the_old(void **state)
{
    enum { WHOLE, AGAIN, GONE, N_WAYS };
    struct peer *p = *state;
    peer_open(p);
    const struct baseline before = baseline_of(p->sh);
    for (uint32_t i = 0; i < 100 * N_WAYS; i++) {
        next_sender(p, i);
        listen_here(p);
        inject_syn(p, SYN, 0);
        expect_segment(p, SYN | ACK, 0, 1, 0);
        if (i % N_WAYS == WHOLE)
            inject(p, ACK, 1, 1, 10); /* complete, and not accepted yet */
        tern_sock_close(p->listener);
        skip_segments(p);
        if (i % N_WAYS != GONE)
            listen_here(p);
        inject(p, ACK, 1, 1, i % 5);
        struct tern_sock *s = i % N_WAYS == GONE ? NULL : tern_sock_accept(p->listener);
        assert_int_equal(s != NULL, i % N_WAYS == AGAIN);
        if (s != NULL)
            tern_sock_abort(s);
        if (i % N_WAYS != GONE)
            tern_sock_close(p->listener);
        skip_segments(p);
    }
    advance_ms(p, FIVE_MINUTES_MS);
    skip_segments(p);
    assert_baseline(p->sh, &before);
}

/** V107: more handshakes than are accepted: refused, nothing lost of the others, and room again. */
static void accept_queue_overflows_and_recovers(void **state)
{
    enum { BACKLOG = 16, KNOCKS = 100 };
    struct peer *p = *state;
    listen_here(p);
    const struct baseline before = baseline_of(p->sh);
    for (int again = 0; again < 3; again++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < KNOCKS; i++) {
            next_sender(p, i);
            inject_syn(p, SYN, 0);
            expect_flags(p, SYN | ACK);
            inject(p, ACK, 1, 1, 0);
            skip_segments(p);
        }
        for (struct tern_sock *s; (s = tern_sock_accept(p->listener)) != NULL; n++) {
            assert_int_equal(state_of(s), TERN_ESTABLISHED);
            tern_sock_abort(s);
        }
        assert_int_equal(n, BACKLOG);
        p->has_irs = false;
        fetch(p);
        forget_waiting(p); /* RSTs to many ports */
    }
    assert_baseline(p->sh, &before);
}

/** V213: a table at its limit refuses and counts; ten times full and empty it is as it was. */
static void full_table_refuses_and_is_as_it_was(void **state)
{
    enum { CONNS = 64, KNOCKS = 70, CYCLES = 10 };
    struct peer *p = *state;
    p->cfg.stack.conns_max = CONNS;
    p->cfg.stack.rst_rate_per_s = 1;
    peer_open(p);
    assert_int_equal(tern_sock_listen(p->e, NULL, p->tern_port, KNOCKS, &p->listener), 0);
    const struct baseline before = baseline_of(p->sh);
    for (int cycle = 0; cycle < CYCLES; cycle++) {
        struct tern_sock *open[KNOCKS];
        uint32_t n = 0;
        for (uint32_t i = 0; i < KNOCKS; i++) {
            next_sender(p, i);
            inject_syn(p, SYN, 0);
            expect_flags(p, SYN | ACK);
            inject(p, ACK, 1, 1, 0);
            open[n] = tern_sock_accept(p->listener);
            n += open[n] != NULL;
            skip_segments(p);
        }
        assert_int_equal(n, CONNS);
        for (uint32_t i = 0; i < n; i++) {
            assert_int_equal(state_of(open[i]), TERN_ESTABLISHED);
            tern_sock_abort(open[i]);
        }
        advance_ms(p, FIVE_MINUTES_MS); /* half-opens that were not taken go */
        forget_waiting(p);
        assert_baseline(p->sh, &before);
    }
}

/** Ten bytes each way and both FINs. */
static void converse_and_close(struct peer *p)
{
    inject(p, ACK, 1, 1, 10);
    expect_segment(p, ACK, 1, 11, 0);
    expect_read(p, 10);
    write_bytes(p, 10);
    expect_segment(p, ACK, 1, 11, 10);
    inject(p, FIN | ACK, 11, 11, 0);
    expect_segment(p, ACK, 11, 12, 0);
    tern_sock_shutdown(p->s);
    expect_segment(p, FIN | ACK, 11, 12, 0);
    inject(p, ACK, 12, 12, 0);
    expect_silence_ms(p, FIVE_MINUTES_MS);
}

/** V059, V007: opened by either side, from every odd number, to the end. */
static void connections_work_from_every_isn(void **state)
{
    struct peer *p = *state;
    for (uint32_t i = 0; i < N_ODD_ISNS; i++)
        for (int back = 0; back < 14; back++) { /* the wrap falls on each step of it */
            begin_at(p, odd_isns[i] - (uint32_t)back);
            establish(p);
            converse_and_close(p);
            begin_at(p, odd_isns[i] - (uint32_t)back);
            establish_actively(p);
            converse_and_close(p);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(acks_without_a_syn_leave_nothing),
        BOTH(answers_are_no_larger_than_what_asks),
        BOTH(syn_without_a_sender_is_answered_a_few_times),
        BOTH(reset_stops_the_answers_to_a_syn),
        BOTH(listener_that_comes_back_knows_nothing_of_the_old),
        BOTH(accept_queue_overflows_and_recovers),
        BOTH(full_table_refuses_and_is_as_it_was),
        BOTH(connections_work_from_every_isn),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
