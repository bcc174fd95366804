/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What `tern decode --explain` infers: lists of segments, and after each the state of both ends and
 * a note. A and B are the ends; the figures are those of RFC 9293.
 */
#include "decode/explain.h"
#include "decode/states.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIN = 0x01, SYN = 0x02, RST = 0x04, PSH = 0x08, ACK = 0x10, ECE = 0x40, CWR = 0x80 };
enum { A, B, WND = 1000, PORT = 10000 };

#define UNKNOWN APP_STATE_UNKNOWN

struct row {
    int from;
    uint8_t flags;
    uint32_t seq, ack, bytes;
    uint32_t a, b;    /* states after it */
    const char *says; /* in a note; NULL: no note at all */
    uint16_t wnd;     /* 0: WND; SHUT: 0 */
};
enum { SHUT = 0xffff };

static uint16_t wnd_of(const struct row *r)
{
    if (r->wnd == SHUT)
        return 0;
    return r->wnd != 0 ? r->wnd : WND;
}

static struct tern_decoded segment(const struct row *r)
{
    struct tern_decoded d = {.net = TERN_NET_IP4, .transport = TERN_TRANSPORT_TCP};
    d.drop_is_known = true;
    d.ip.src = tern_addr_from_v4(r->from == A ? 1 : 2);
    d.ip.dst = tern_addr_from_v4(r->from == A ? 2 : 1);
    d.tcp.sport = (uint16_t)(PORT + r->from);
    d.tcp.dport = (uint16_t)(PORT + 1 - r->from);
    d.tcp.flags = r->flags;
    d.tcp.seq = r->seq;
    d.tcp.ack = r->ack;
    d.tcp.wnd = wnd_of(r);
    d.tcp.payload_bytes = r->bytes;
    return d;
}

static bool is_noted(const struct app_explained *x, const char *says)
{
    for (uint32_t i = 0; i < x->n_notes; i++)
        if (strstr(x->notes[i].text, says) != NULL)
            return true;
    return false;
}

static void check_notes(const struct app_explained *x, const struct row *r, size_t i)
{
    if (r->says == NULL && x->n_notes > 0)
        fail_msg("segment %zu: noted '%s'", i, x->notes[0].text);
    if (r->says != NULL && !is_noted(x, r->says))
        fail_msg("segment %zu: '%s' is not noted, but '%s'", i, r->says,
            x->n_notes > 0 ? x->notes[0].text : "nothing");
}

/* The end of A, whoever was seen first. */
static const struct app_end *end_of(const struct app_flow *f, int who)
{
    return &f->ends[f->ends[0].port == PORT + who ? 0 : 1];
}

static void check_state(const struct app_flow *f, int who, uint32_t want, size_t i)
{
    const uint32_t is = end_of(f, who)->state;
    if (is != want)
        fail_msg("segment %zu: %s is %s, not %s", i, who == A ? "A" : "B", app_state_name(is),
            app_state_name(want));
}

static uint64_t run(const struct row *rows, size_t n)
{
    struct app_flows *flows = app_flows_new(APP_FLOWS_MAX);
    struct app_explained x;
    assert_non_null(flows);
    for (size_t i = 0; i < n; i++) {
        const struct tern_decoded d = segment(&rows[i]);
        app_explain(flows, &d, &x);
        check_state(x.flow, A, rows[i].a, i);
        check_state(x.flow, B, rows[i].b, i);
        check_notes(&x, &rows[i], i);
    }
    const uint64_t seen = app_flows_seen(flows);
    app_flows_free(flows);
    return seen;
}
#define RUN(rows) run(rows, sizeof(rows) / sizeof((rows)[0]))

#define S(name)   TERN_##name
#define BOTH(s)   TERN_##s, TERN_##s

// clang-format off
#define OPENING \
    {A, SYN,       100,   0, 0, S(SYN_SENT),    S(SYN_RCVD),    NULL, 0}, \
    {B, SYN | ACK, 300, 101, 0, S(ESTABLISHED), S(SYN_RCVD),    NULL, 0}, \
    {A, ACK,       101, 301, 0, BOTH(ESTABLISHED),              NULL, 0}

static void figure_6_opening_and_data(void **state)
{
    (void)state;
    static const struct row rows[] = {
        OPENING,
        {A, ACK | PSH, 101, 301, 50, BOTH(ESTABLISHED), NULL, 0},
        {B, ACK,       301, 151,  0, BOTH(ESTABLISHED), NULL, 0},
    };
    assert_int_equal(RUN(rows), 1);
}

static void figure_7_simultaneous_open(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {A, SYN,       100,   0, 0, S(SYN_SENT), S(SYN_RCVD),    NULL, 0},
        {B, SYN,       300,   0, 0, BOTH(SYN_RCVD),              "simultaneous open", 0},
        {A, SYN | ACK, 100, 301, 0, S(SYN_RCVD), S(ESTABLISHED), NULL, 0},
        {B, SYN | ACK, 300, 101, 0, BOTH(ESTABLISHED),           NULL, 0},
    };
    RUN(rows);
}

static void figure_9_half_open_is_discovered(void **state)
{
    (void)state;
    static const struct row rows[] = {
        OPENING,
        {A, SYN, 400,   0, 0, S(SYN_SENT), S(ESTABLISHED), NULL, 0},
        {B, ACK, 301, 101, 0, S(SYN_SENT), S(ESTABLISHED), "half-open", 0},
        {A, RST, 101,   0, 0, S(SYN_SENT), S(CLOSED),      NULL, 0},
        {A, SYN, 400,   0, 0, S(SYN_SENT), S(SYN_RCVD),    "retransmission: SYN", 0},
    };
    RUN(rows);
}

static void figure_12_normal_close(void **state)
{
    (void)state;
    static const struct row rows[] = {
        OPENING,
        {A, FIN | ACK, 101, 301, 0, S(FIN_WAIT_1), S(CLOSE_WAIT), NULL, 0},
        {B, ACK,       301, 102, 0, S(FIN_WAIT_2), S(CLOSE_WAIT), NULL, 0},
        {B, FIN | ACK, 301, 102, 0, S(TIME_WAIT),  S(LAST_ACK),   NULL, 0},
        {A, ACK,       102, 302, 0, S(TIME_WAIT),  S(CLOSED),     NULL, 0},
    };
    RUN(rows);
}

static void figure_13_simultaneous_close(void **state)
{
    (void)state;
    static const struct row rows[] = {
        OPENING,
        {A, FIN | ACK, 101, 301, 0, S(FIN_WAIT_1), S(CLOSE_WAIT), NULL, 0},
        {B, FIN | ACK, 301, 101, 0, BOTH(CLOSING),                "simultaneous close", 0},
        {A, ACK,       102, 302, 0, S(CLOSING),    S(TIME_WAIT),  NULL, 0},
        {B, ACK,       302, 102, 0, BOTH(TIME_WAIT),              NULL, 0},
    };
    RUN(rows);
}

static void three_segments_close(void **state)
{
    (void)state;
    static const struct row rows[] = {
        OPENING,
        {A, FIN | ACK, 101, 301, 5, S(FIN_WAIT_1), S(CLOSE_WAIT), NULL, 0},
        {B, FIN | ACK, 301, 107, 0, S(TIME_WAIT),  S(LAST_ACK),   NULL, 0},
        {A, ACK,       107, 302, 0, S(TIME_WAIT),  S(CLOSED),     NULL, 0},
    };
    RUN(rows);
}

static void half_close_sends_on(void **state)
{
    (void)state;
    static const struct row rows[] = {
        OPENING,
        {A, FIN | ACK, 101, 301,  0, S(FIN_WAIT_1), S(CLOSE_WAIT), NULL, 0},
        {B, ACK,       301, 102, 70, S(FIN_WAIT_2), S(CLOSE_WAIT), "half-closed", 0},
        {A, ACK,       102, 371,  0, S(FIN_WAIT_2), S(CLOSE_WAIT), NULL, 0},
        {B, ACK,       371, 102, 70, S(FIN_WAIT_2), S(CLOSE_WAIT), NULL, 0}, /* said once */
    };
    RUN(rows);
}

static void closed_port_refuses(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {A, SYN,       100,   0, 0, S(SYN_SENT), S(SYN_RCVD), NULL, 0},
        {B, RST | ACK,   0, 101, 0, BOTH(CLOSED),             NULL, 0},
    };
    RUN(rows);
}

static void refusal_of_something_else_is_ignored(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {A, SYN,       100,  0, 0, S(SYN_SENT), S(SYN_RCVD), NULL, 0},
        {B, RST | ACK,   0, 77, 0, S(SYN_SENT), S(CLOSED),   "does not acknowledge the SYN", 0},
    };
    RUN(rows);
}

static void reset_in_order_and_beside_it(void **state)
{
    (void)state;
    static const struct row beside[] = {
        OPENING,
        {B, RST, 340, 0, 0, S(ESTABLISHED), S(CLOSED), "not the next in order", 0},
    };
    static const struct row in_order[] = {
        OPENING,
        {B, RST | ACK, 301, 101, 0, BOTH(CLOSED), NULL, 0},
        {A, ACK,       101, 301, 9, BOTH(CLOSED), "closed: to be answered with RST", 0},
    };
    RUN(beside);
    RUN(in_order);
}

static void what_was_sent_before(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {A, SYN,       100,   0,  0, S(SYN_SENT),    S(SYN_RCVD), NULL, 0},
        {A, SYN,       100,   0,  0, S(SYN_SENT),    S(SYN_RCVD), "retransmission: SYN", 0},
        {B, SYN | ACK, 300, 101,  0, S(ESTABLISHED), S(SYN_RCVD), NULL, 0},
        {B, SYN | ACK, 300, 101,  0, S(ESTABLISHED), S(SYN_RCVD), "retransmission: SYN,ACK", 0},
        {A, ACK,       101, 301, 50, BOTH(ESTABLISHED),           NULL, 0},
        {A, ACK,       101, 301, 50, BOTH(ESTABLISHED),           "retransmission: data", 0},
        {A, ACK,       141, 301, 20, BOTH(ESTABLISHED),           "in part: 10 of 20", 0},
        {A, FIN | ACK, 161, 301,  0, S(FIN_WAIT_1), S(CLOSE_WAIT), NULL, 0},
        {A, FIN | ACK, 161, 301,  0, S(FIN_WAIT_1), S(CLOSE_WAIT), "retransmission: FIN", 0},
    };
    RUN(rows);
}

static void gaps_and_what_fills_them(void **state)
{
    (void)state;
    static const struct row rows[] = {
        OPENING,
        {A, ACK,       151, 301, 50, BOTH(ESTABLISHED), "gap: 50", 0},
        {B, ACK,       301, 101,  0, BOTH(ESTABLISHED), "duplicate ACK, number 1", 0},
        {A, FIN | ACK, 201, 301,  0, S(FIN_WAIT_1), S(ESTABLISHED), NULL, 0},
        {B, ACK,       301, 101,  0, S(FIN_WAIT_1), S(ESTABLISHED), "duplicate ACK, number 2", 0},
        {A, ACK,       101, 301, 20, S(FIN_WAIT_1), S(ESTABLISHED), "fills a gap: 20", 0},
        {A, ACK,       101, 301, 20, S(FIN_WAIT_1), S(ESTABLISHED), "retransmission: data", 0},
        {A, ACK,       121, 301, 30, S(FIN_WAIT_1), S(CLOSE_WAIT),  "fills a gap: 30", 0},
    };
    RUN(rows);
}

static void who_acknowledges_a_fin_has_had_it(void **state)
{
    (void)state;
    static const struct row rows[] = {
        OPENING,
        {A, FIN | ACK, 151, 301, 0, S(FIN_WAIT_1), S(ESTABLISHED), "gap: 50", 0},
        {B, ACK,       301, 152, 0, S(FIN_WAIT_2), S(CLOSE_WAIT),  NULL, 0},
    };
    RUN(rows);
}

static void last_ack_that_is_lost(void **state)
{
    (void)state;
    static const struct row rows[] = {
        OPENING,
        {A, FIN | ACK, 101, 301, 0, S(FIN_WAIT_1), S(CLOSE_WAIT), NULL, 0},
        {B, FIN | ACK, 301, 102, 0, S(TIME_WAIT),  S(LAST_ACK),   NULL, 0},
        {A, ACK,       102, 302, 0, S(TIME_WAIT),  S(CLOSED),     NULL, 0},
        {B, FIN | ACK, 301, 102, 0, S(TIME_WAIT),  S(LAST_ACK),   "retransmission: FIN", 0},
        {A, ACK,       102, 302, 0, S(TIME_WAIT),  S(CLOSED),     NULL, 0},
    };
    RUN(rows);
}

static void same_ports_again(void **state)
{
    (void)state;
    static const struct row rows[] = {
        OPENING,
        {A, FIN | ACK, 101, 301, 0, S(FIN_WAIT_1), S(CLOSE_WAIT), NULL, 0},
        {B, FIN | ACK, 301, 102, 0, S(TIME_WAIT),  S(LAST_ACK),   NULL, 0},
        {A, ACK,       102, 302, 0, S(TIME_WAIT),  S(CLOSED),     NULL, 0},
        {A, SYN,       999,   0, 0, S(SYN_SENT),   S(SYN_RCVD),   NULL, 0},
        {B, SYN | ACK,  50, 1000, 0, S(ESTABLISHED), S(SYN_RCVD), NULL, 0},
        {A, ACK,      1000,  51, 0, BOTH(ESTABLISHED),            NULL, 0},
    };
    assert_int_equal(RUN(rows), 2);
}

static void keepalive_and_windows(void **state)
{
    (void)state;
    static const struct row rows[] = {
        OPENING,
        {A, ACK, 101, 301, 50, BOTH(ESTABLISHED), NULL, 0},
        {B, ACK, 301, 151,  0, BOTH(ESTABLISHED), "shuts its window", SHUT},
        {A, ACK, 151, 301,  1, BOTH(ESTABLISHED), "zero-window probe", 0},
        {B, ACK, 301, 151,  0, BOTH(ESTABLISHED), "duplicate ACK", SHUT},
        {B, ACK, 301, 152,  0, BOTH(ESTABLISHED), "opens its window", 500},
        {B, ACK, 301, 152,  0, BOTH(ESTABLISHED), "window update: 500 to 900", 900},
        {A, ACK, 151, 301,  0, BOTH(ESTABLISHED), "keep-alive", 0},
        {A, ACK, 151, 301,  1, BOTH(ESTABLISHED), "keep-alive", 0},
    };
    RUN(rows);
}

static void window_that_is_offered(void **state)
{
    (void)state;
    static const struct row rows[] = {
        OPENING,
        {A, ACK, 101, 301, 1000, BOTH(ESTABLISHED), NULL, 0},
        {A, ACK, 1101, 301,  20, BOTH(ESTABLISHED), "20 bytes beyond the window", 0},
        {B, ACK, 301, 1121,   0, BOTH(ESTABLISHED), "shuts its window", SHUT},
        {A, ACK, 1120, 301,   0, BOTH(ESTABLISHED), "zero-window probe", 0}, /* as Linux does it */
    };
    RUN(rows);
}

static void outside_any_window(void **state)
{
    (void)state;
    static const struct row rows[] = {
        OPENING,
        {A, FIN | ACK, 0x60000000, 301, 9, BOTH(ESTABLISHED), "outside any window", 0},
        {A, FIN | ACK, 0xa0000000, 301, 9, BOTH(ESTABLISHED), "outside any window", 0},
        {A, ACK,              101, 301, 9, BOTH(ESTABLISHED), NULL, 0},
    };
    RUN(rows);
}

/* The SYNs' shifts are used when both have one. */
static void window_scale_of_both_syns(void **state)
{
    (void)state;
    static const struct row rows[] = {OPENING, {A, ACK, 101, 301, 1500, BOTH(ESTABLISHED), NULL, 0},
        {B, ACK, 301, 101, 0, BOTH(ESTABLISHED), NULL, 0}};
    for (int both = 0; both < 2; both++) {
        struct app_flows *flows = app_flows_new(APP_FLOWS_MAX);
        struct app_explained x;
        assert_non_null(flows);
        for (size_t i = 0; i < 4; i++) {
            struct tern_decoded d = segment(&rows[i]);
            if (i == 1 || (both && i == 0)) {
                d.tcp.opts[0] = (struct tern_decoded_opt){
                    .kind = 3, .n_bytes = 3, .is_sound = true, .n_values = 1, .values = {7}};
                d.tcp.n_opts = 1;
            }
            app_explain(flows, &d, &x);
        }
        /* B offered 1000 in its SYN,ACK; 1000 << 7 once it says so in a segment without SYN */
        assert_true(is_noted(&x, "500 bytes beyond"));
        struct tern_decoded ack = segment(&rows[4]), more = segment(&rows[3]);
        app_explain(flows, &ack, &x);
        more.tcp.seq = 101 + 1500;
        more.tcp.payload_bytes = 50000;
        app_explain(flows, &more, &x);
        assert_int_equal(is_noted(&x, "beyond the window"), !both);
        app_flows_free(flows);
    }
}

static void capture_that_begins_late(void **state)
{
    (void)state;
    static const struct row data[] = {
        {A, ACK, 101, 301, 50, BOTH(ESTABLISHED), "begins in the middle", 0},
        {B, ACK, 301, 151,  0, BOTH(ESTABLISHED), NULL, 0},
    };
    static const struct row answer[] = {
        {B, SYN | ACK, 300, 101, 0, S(ESTABLISHED), S(SYN_RCVD), NULL, 0},
        {A, ACK,       101, 301, 0, BOTH(ESTABLISHED),           NULL, 0},
    };
    static const struct row reset[] = {{A, RST, 101, 0, 0, BOTH(CLOSED), NULL, 0}};
    static const struct row without_answer[] = {
        {A, SYN, 100,   0, 0, S(SYN_SENT), S(SYN_RCVD), NULL, 0},
        {A, ACK, 101, 301, 0, BOTH(ESTABLISHED),        NULL, 0},
    };
    RUN(data);
    RUN(answer);
    RUN(reset);
    RUN(without_answer);
}

static void ecn_and_fast_open(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {A, SYN | ECE | CWR, 100,   0, 9, S(SYN_SENT),    S(SYN_RCVD), "Fast Open", 0},
        {B, SYN | ACK | ECE, 300, 110, 0, S(ESTABLISHED), S(SYN_RCVD), "agrees to ECN", 0},
        {A, ACK,             110, 301, 5, BOTH(ESTABLISHED),           NULL, 0},
        {B, ACK | ECE,       301, 115, 0, BOTH(ESTABLISHED),           "reports congestion", 0},
        {A, ACK | CWR,       115, 301, 5, BOTH(ESTABLISHED),           "has reduced", 0},
    };
    RUN(rows);
}

static void sequence_numbers_wrap(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {A, SYN,       UINT32_MAX, 0, 0, S(SYN_SENT),    S(SYN_RCVD),  NULL, 0},
        {B, SYN | ACK, UINT32_MAX, 0, 0, S(ESTABLISHED), S(SYN_RCVD),  NULL, 0},
        {A, ACK,                0, 0, 9, BOTH(ESTABLISHED),            NULL, 0},
        {A, FIN | ACK,          9, 0, 0, S(FIN_WAIT_1), S(CLOSE_WAIT), NULL, 0},
        {B, ACK,                0, 10, 0, S(FIN_WAIT_2), S(CLOSE_WAIT), NULL, 0},
    };
    RUN(rows);
}
// clang-format on

static void what_its_receiver_drops_moves_nobody(void **state)
{
    (void)state;
    static const struct row syn = {A, SYN, 100, 0, 0, UNKNOWN, UNKNOWN, NULL, 0};
    struct app_flows *flows = app_flows_new(APP_FLOWS_MAX);
    struct app_explained x;
    struct tern_decoded d = segment(&syn);
    assert_non_null(flows);
    d.drop = TERN_DROP_TCP_CSUM;
    d.tcp.csum.verdict = TERN_CSUM_BAD;
    app_explain(flows, &d, &x);
    check_state(x.flow, A, UNKNOWN, 0);
    assert_true(is_noted(&x, "tcp_csum"));
    d.tcp.csum.verdict = TERN_CSUM_UNFINISHED; /* the NIC will have made it right */
    app_explain(flows, &d, &x);
    check_state(x.flow, A, TERN_SYN_SENT, 1);
    app_flows_free(flows);
}

/* One connection of many, from A to B; `i` chooses its ports. */
static struct tern_decoded nth(uint32_t i)
{
    static const struct row syn = {A, SYN, 100, 0, 0, UNKNOWN, UNKNOWN, NULL, 0};
    struct tern_decoded d = segment(&syn);
    d.ip.src = tern_addr_from_v4(i / 50000);
    d.tcp.sport = (uint16_t)(i % 50000);
    return d;
}

/* Each is found again while there is room; then the one that was silent for longest goes. */
static void table_is_bounded(void **state)
{
    (void)state;
    struct app_flows *flows = app_flows_new(APP_FLOWS_MAX);
    struct app_explained x;
    assert_non_null(flows);
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 0; i < APP_FLOWS_MAX; i++) {
            const struct tern_decoded d = nth(i);
            app_explain(flows, &d, &x);
            assert_int_equal(x.flow->number, i + 1);
        }
    assert_int_equal(app_flows_forgotten(flows), 0);
    const struct tern_decoded one_more = nth(APP_FLOWS_MAX), second = nth(1), first = nth(0);
    app_explain(flows, &one_more, &x);
    assert_int_equal(x.flow->number, APP_FLOWS_MAX + 1);
    assert_int_equal(app_flows_forgotten(flows), 1);
    app_explain(flows, &second, &x);
    assert_int_equal(x.flow->number, 2);
    app_explain(flows, &first, &x); /* the one that went */
    assert_int_equal(x.flow->number, APP_FLOWS_MAX + 2);
    app_flows_free(flows);
}

/* Every cell that there is has words and a section; every state has a row. */
static void table_is_whole(void **state)
{
    (void)state;
    for (uint32_t s = 0; s < APP_STATE_COUNT; s++) {
        uint32_t n_said = 0;
        assert_non_null(app_state_name(s));
        for (int step = 0; step < APP_STEP_COUNT; step++) {
            const struct app_move m = app_state_move(s, (enum app_step)step);
            assert_true(m.next < APP_STATE_COUNT);
            if (m.section == NULL)
                assert_int_equal(m.next, s);
            else
                assert_non_null(strstr(m.section, "RFC 9293 §3."));
            n_said += m.section != NULL && m.why != NULL;
        }
        assert_true(n_said >= 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figure_6_opening_and_data),
        cmocka_unit_test(figure_7_simultaneous_open),
        cmocka_unit_test(figure_9_half_open_is_discovered),
        cmocka_unit_test(figure_12_normal_close),
        cmocka_unit_test(figure_13_simultaneous_close),
        cmocka_unit_test(three_segments_close),
        cmocka_unit_test(half_close_sends_on),
        cmocka_unit_test(closed_port_refuses),
        cmocka_unit_test(refusal_of_something_else_is_ignored),
        cmocka_unit_test(reset_in_order_and_beside_it),
        cmocka_unit_test(what_was_sent_before),
        cmocka_unit_test(gaps_and_what_fills_them),
        cmocka_unit_test(who_acknowledges_a_fin_has_had_it),
        cmocka_unit_test(last_ack_that_is_lost),
        cmocka_unit_test(same_ports_again),
        cmocka_unit_test(keepalive_and_windows),
        cmocka_unit_test(window_that_is_offered),
        cmocka_unit_test(outside_any_window),
        cmocka_unit_test(window_scale_of_both_syns),
        cmocka_unit_test(capture_that_begins_late),
        cmocka_unit_test(ecn_and_fast_open),
        cmocka_unit_test(sequence_numbers_wrap),
        cmocka_unit_test(what_its_receiver_drops_moves_nobody),
        cmocka_unit_test(table_is_bounded),
        cmocka_unit_test(table_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
