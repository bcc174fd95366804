/* SPDX-License-Identifier: BSD-3-Clause */
/* What messages do to entries, and what is answered. Conflicts and start-up: test_neighbour_own. */
#include "neighbour_fixture.h"

/* ---- state × answer (RFC 4861 §7.2.5) ---- */

enum { NO, YES, ANY };

/* mac: is it the one in the entry (mac_a)? becomes: what the entry has afterwards. */
struct rule {
    enum tern_neigh_state from;
    int held, same, override, solicited;
    enum tern_neigh_state to;
    bool becomes_heard;
};

/* The first row that fits counts. An entry INCOMPLETE has a packet waiting, which uses it at once.
 */
// clang-format off
#define S(name) TERN_NEIGH_##name
static const struct rule rules[] = {
    /* from           held same over. solic.  to             takes the MAC heard */
    {S(UNKNOWN),      ANY, ANY, ANY,  ANY,    S(STALE),      true},
    {S(FAILED),       ANY, ANY, ANY,  ANY,    S(STALE),      true},
    {S(INCOMPLETE),   ANY, ANY, ANY,  YES,    S(REACHABLE),  true},
    {S(INCOMPLETE),   ANY, ANY, ANY,  NO,     S(DELAY),      true},
    {S(REACHABLE),    ANY, YES, ANY,  ANY,    S(REACHABLE),  false},
    {S(REACHABLE),    ANY, NO,  NO,   ANY,    S(STALE),      false},
    {S(REACHABLE),    YES, NO,  YES,  ANY,    S(PROBE),      false},
    {S(REACHABLE),    NO,  NO,  YES,  YES,    S(REACHABLE),  true},
    {S(REACHABLE),    NO,  NO,  YES,  NO,     S(STALE),      true},
    {S(STALE),        ANY, YES, ANY,  YES,    S(REACHABLE),  false},
    {S(STALE),        ANY, YES, ANY,  NO,     S(STALE),      false},
    {S(STALE),        ANY, NO,  NO,   ANY,    S(STALE),      false},
    {S(STALE),        YES, NO,  YES,  ANY,    S(PROBE),      false},
    {S(STALE),        NO,  NO,  YES,  YES,    S(REACHABLE),  true},
    {S(STALE),        NO,  NO,  YES,  NO,     S(STALE),      true},
    {S(DELAY),        ANY, YES, ANY,  YES,    S(REACHABLE),  false},
    {S(DELAY),        ANY, YES, ANY,  NO,     S(DELAY),      false},
    {S(DELAY),        ANY, NO,  NO,   ANY,    S(DELAY),      false},
    {S(DELAY),        YES, NO,  YES,  ANY,    S(PROBE),      false},
    {S(DELAY),        NO,  NO,  YES,  YES,    S(REACHABLE),  true},
    {S(DELAY),        NO,  NO,  YES,  NO,     S(STALE),      true},
    {S(PROBE),        ANY, YES, ANY,  YES,    S(REACHABLE),  false},
    {S(PROBE),        ANY, YES, ANY,  NO,     S(PROBE),      false},
    {S(PROBE),        ANY, NO,  NO,   ANY,    S(PROBE),      false},
    {S(PROBE),        YES, NO,  YES,  ANY,    S(PROBE),      false},
    {S(PROBE),        NO,  NO,  YES,  YES,    S(REACHABLE),  true},
    {S(PROBE),        NO,  NO,  YES,  NO,     S(STALE),      true},
    {S(STATIC),       ANY, ANY, ANY,  ANY,    S(STATIC),     false},
};
#undef S
// clang-format on

static bool fits(int want, bool have)
{
    return want == ANY || want == have;
}

static const struct rule *find_rule(
    enum tern_neigh_state from, bool held, bool same, bool override, bool solicited)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *r = &rules[i];
        if (r->from == from && fits(r->held, held) && fits(r->same, same)
            && fits(r->override, override) && fits(r->solicited, solicited))
            return r;
    }
    fail_msg("no rule");
    return NULL;
}

/* Bring the (held) entry of `a` from UNKNOWN to `want`, with mac_a where it has one. */
static void bring_to(struct bed *b, uint16_t idx, union tern_addr a, enum tern_neigh_state want)
{
    if (want == TERN_NEIGH_INCOMPLETE || want == TERN_NEIGH_FAILED)
        output(b, idx);
    if (want == TERN_NEIGH_FAILED)
        live_ns(b, 3 * SEC);
    if (want >= TERN_NEIGH_REACHABLE)
        learn(b, idx, a, mac_a);
    if (want > TERN_NEIGH_REACHABLE && want != TERN_NEIGH_STATIC)
        wait_ns(b, TERN_NEIGH_REACHABLE_NS);
    if (want == TERN_NEIGH_DELAY || want == TERN_NEIGH_PROBE)
        output(b, idx);
    if (want == TERN_NEIGH_PROBE)
        live_ns(b, TERN_NEIGH_DELAY_NS);
    assert_int_equal(state_of(b, idx), want);
}

static void check_answer(
    struct bed *b, union tern_addr a, enum tern_neigh_state from, unsigned bits)
{
    const bool held = bits & 1, same = bits & 2, override = bits & 4, solicited = bits & 8;
    const struct rule *r = find_rule(from, held, same, override, solicited);
    const uint8_t *heard = same ? mac_a : mac_b;

    b->cfg.n_neighbours = from == TERN_NEIGH_STATIC;
    b->cfg.neighbours[0].addr = a;
    memcpy(b->cfg.neighbours[0].mac, mac_a, 6);
    bed_start(b);
    const uint16_t idx = get(b, a);
    bring_to(b, idx, a, from);
    if (!held)
        tern_neigh_put(&b->t, idx);
    forget_sent(b);
    const enum tern_drop done = tern_addr_is_v4(&a) ? TERN_DROP_ARP_DONE : TERN_DROP_NDP_DONE;
    assert_int_equal(rx_answer(b, a, heard, override, solicited), done);
    if (state_of(b, idx) != r->to)
        fail_msg("from %d held %d same %d override %d solicited %d: is %d, should be %d", from,
            held, same, override, solicited, state_of(b, idx), r->to);
    if (r->to >= TERN_NEIGH_REACHABLE)
        assert_mac(b, idx, r->becomes_heard ? heard : mac_a);
    if (from != TERN_NEIGH_PROBE && r->to == TERN_NEIGH_PROBE) {
        assert_int_equal(b->n_sent, 1);
        assert_memory_equal(b->sent[0].dst, mac_a, 6);
    }
    if (from == TERN_NEIGH_PROBE)
        assert_int_equal(b->n_sent, 0);
    tern_neigh_fini(&b->t);
}

static void answer_by_state(void **state)
{
    struct bed *b = *state;
    const union tern_addr peers[] = {addr("10.1.2.3"), addr("2001:db8::2")};
    for (int family = 0; family < 2; family++)
        for (int from = 0; from < TERN_NEIGH_STATE_COUNT; from++)
            for (unsigned bits = 0; bits < 16; bits++)
                check_answer(b, peers[family], (enum tern_neigh_state)from, bits);
}

static void answer_about_a_stranger_makes_no_entry(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    assert_int_equal(rx_reply(b, addr("10.1.2.3"), mac_a), TERN_DROP_ARP_NOT_MINE);
    assert_int_equal(rx_reply(b, addr("2001:db8::2"), mac_a), TERN_DROP_NDP_NOT_MINE);
    assert_int_equal(tern_neigh_find(&b->t, &(union tern_addr[]){addr("10.1.2.3")}[0]), 0);
}

static void impossible_link_addresses_are_bad(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    static const uint8_t group[6] = {0x33, 0x33, 0, 0, 0, 1};
    const uint8_t *const macs[] = {group, to_all, zero_mac, our_mac};
    const uint16_t idx = get(b, addr("10.1.2.3"));
    output(b, idx);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(rx_reply(b, addr("10.1.2.3"), macs[i]), TERN_DROP_ARP_BAD);
        assert_int_equal(rx_reply(b, addr("2001:db8::2"), macs[i]), TERN_DROP_NDP_BAD);
        assert_int_equal(
            rx_question(b, addr("10.1.2.3"), addr("10.1.0.1"), macs[i]), TERN_DROP_ARP_BAD);
    }
    assert_int_equal(state_of(b, idx), TERN_NEIGH_INCOMPLETE);
    assert_int_equal(b->stats.addr_conflicts, 0);
}

/* ---- questions ---- */

static void question_for_us_is_answered_to_the_asker(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    assert_int_equal(rx_question(b, addr("10.1.2.3"), addr("10.1.0.1"), mac_a), TERN_DROP_ARP_DONE);
    assert_int_equal(b->n_sent, 1);
    const struct sent *s = &b->sent[0];
    assert_true(s->is_arp && s->is_answer);
    assert_memory_equal(s->dst, mac_a, 6);
    assert_memory_equal(s->mac, our_mac, 6);
    assert_addr_equal(s->sender, addr("10.1.0.1"));
    assert_addr_equal(s->target, addr("10.1.2.3"));
    /* A probe of RFC 5227 as well: from 0.0.0.0. */
    forget_sent(b);
    rx_question(b, tern_addr_from_v4(0), addr("10.1.0.1"), mac_a);
    assert_int_equal(b->n_sent, 1);
    assert_memory_equal(b->sent[0].dst, mac_a, 6);
    assert_int_equal(b->stats.addr_conflicts, 0);
}

static void question6_for_us_is_answered_to_the_asker(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    assert_int_equal(
        rx_question(b, addr("2001:db8::2"), addr("2001:db8::1"), mac_a), TERN_DROP_NDP_DONE);
    assert_int_equal(b->n_sent, 1);
    const struct sent *s = &b->sent[0];
    assert_true(s->is_ndp && s->is_answer && s->solicited && s->override && s->has_mac);
    assert_memory_equal(s->dst, mac_a, 6);
    assert_addr_equal(s->ip_dst, addr("2001:db8::2"));
    assert_addr_equal(s->sender, addr("2001:db8::1"));
    assert_addr_equal(s->target, addr("2001:db8::1"));
}

static void dad_question6_is_answered_to_all_nodes(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    assert_int_equal(
        rx_question(b, (union tern_addr){.b = {0}}, addr("2001:db8::1"), NULL), TERN_DROP_NDP_DONE);
    assert_int_equal(b->n_sent, 1);
    assert_true(b->sent[0].is_answer && !b->sent[0].solicited && b->sent[0].override);
    assert_addr_equal(b->sent[0].ip_dst, addr("ff02::1"));
    assert_memory_equal(b->sent[0].dst, ((uint8_t[]){0x33, 0x33, 0, 0, 0, 1}), 6);
}

static void question6_without_link_address_needs_a_known_asker(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    assert_int_equal(
        rx_question(b, addr("2001:db8::2"), addr("2001:db8::1"), NULL), TERN_DROP_NDP_NOT_MINE);
    assert_int_equal(b->n_sent, 0);
    get_reachable(b, addr("2001:db8::2"), mac_a);
    assert_int_equal(
        rx_question(b, addr("2001:db8::2"), addr("2001:db8::1"), NULL), TERN_DROP_NDP_DONE);
    assert_memory_equal(b->sent[0].dst, mac_a, 6);
}

static void question_for_others_is_not_mine(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    assert_int_equal(
        rx_question(b, addr("10.1.2.3"), addr("10.1.2.4"), mac_a), TERN_DROP_ARP_NOT_MINE);
    assert_int_equal(
        rx_question(b, addr("2001:db8::2"), addr("2001:db8::3"), mac_a), TERN_DROP_NDP_NOT_MINE);
    /* RFC 826 listens all the same, RFC 4861 §7.2.3 does not. */
    const uint16_t v4 = get(b, addr("10.1.2.3")), v6 = get(b, addr("2001:db8::2"));
    assert_int_equal(rx_question(b, addr("10.1.2.3"), addr("10.1.2.4"), mac_a), TERN_DROP_ARP_DONE);
    assert_int_equal(
        rx_question(b, addr("2001:db8::2"), addr("2001:db8::3"), mac_a), TERN_DROP_NDP_NOT_MINE);
    assert_int_equal(state_of(b, v4), TERN_NEIGH_STALE);
    assert_int_equal(state_of(b, v6), TERN_NEIGH_UNKNOWN);
    assert_int_equal(b->n_sent, 0);
}

static void question_from_a_neighbour_resolves_it(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get(b, addr("10.1.2.3"));
    output(b, idx);
    forget_sent(b);
    rx_question(b, addr("10.1.2.3"), addr("10.1.0.1"), mac_a);
    assert_int_equal(b->n_sent, 2); /* what waited, and the answer */
    assert_int_equal(b->sent[0].ethertype, 0x0800);
    assert_true(b->sent[1].is_answer);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_DELAY);
}

static void replica_teaches_and_is_not_answered(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get(b, addr("10.1.2.3"));
    struct tern_neigh_msg msg = {
        .sender = addr("10.1.2.3"), .target = addr("10.1.0.1"), .has_mac = true};
    memcpy(msg.mac, mac_a, 6);
    assert_int_equal(tern_neigh_rx(&b->t, &msg, true, b->now), TERN_DROP_ARP_DONE);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_STALE);
    assert_int_equal(b->n_sent, 0);
}

static void answer_without_mbuf_is_survived(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    b->no_mbufs = true;
    assert_int_equal(rx_question(b, addr("10.1.2.3"), addr("10.1.0.1"), mac_a), TERN_DROP_ARP_DONE);
    assert_int_equal(b->stats.arp_sent, 0);
}

/** V175, V180: who asks makes no entry. */
static void flood_of_questions_leaves_the_table_unchanged(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    get_reachable(b, addr("10.1.2.3"), mac_a);
    output(b, get(b, addr("2001:db8::2")));
    static struct tern_neighbour before[9];
    memcpy(before, b->t.entries, sizeof before);
    union tern_addr sender6 = addr("2001:db8::1:0:0");
    for (uint32_t i = 0; i < 65536; i++) {
        /* Off-subnet ones too: 10.2.0.0/16. */
        rx_question(
            b, tern_addr_from_v4(__builtin_bswap32(0x0a020000u + i)), addr("10.1.0.1"), mac_b);
        sender6.w[3] = i + 1;
        rx_question(b, sender6, addr("2001:db8::1"), mac_b);
        forget_sent(b);
    }
    assert_memory_equal(before, b->t.entries, sizeof before);
    assert_int_equal(b->stats.arp_sent, 65536);
}

/* ---- poisoning (V174, V187) ---- */

static uint16_t start_with_gateway(struct bed *b)
{
    b->cfg.gateway4 = addr("10.1.0.254");
    bed_start(b);
    rx_reply(b, b->cfg.gateway4, mac_a);
    forget_sent(b);
    return tern_neigh_find(&b->t, &b->cfg.gateway4);
}

/** V174, V187. */
static void poisoned_gateway_keeps_its_mac_while_it_answers(void **state)
{
    struct bed *b = *state;
    const uint16_t idx = start_with_gateway(b);
    for (int ms = 0; ms < 10000; ms++) {
        /* Replies, gratuitous replies and gratuitous requests by turns, one a millisecond. */
        if (ms % 2 == 0)
            rx_reply(b, b->cfg.gateway4, mac_b);
        else
            rx_question(b, b->cfg.gateway4, b->cfg.gateway4, mac_b);
        wait_ns(b, MS / 2);
        if (state_of(b, idx) == TERN_NEIGH_PROBE)
            rx_reply(b, b->cfg.gateway4, mac_a);
        wait_ns(b, MS / 2);
        assert_mac(b, idx, mac_a);
        assert_true(output(b, idx));
        b->n_sent = 0;
    }
    assert_in_range(b->stats.arp_sent, 10, 12); /* one unicast question a second, one at start */
}

/** V174: the way out of a doubt. */
static void moved_gateway_is_found_within_two_seconds(void **state)
{
    struct bed *b = *state;
    const uint16_t idx = start_with_gateway(b);
    rx_question(b, b->cfg.gateway4, b->cfg.gateway4, mac_b); /* it says so once */
    assert_int_equal(state_of(b, idx), TERN_NEIGH_PROBE);
    assert_int_equal(b->n_sent, 1);
    assert_memory_equal(b->sent[0].dst, mac_a, 6);
    live_ns(b, SEC);
    assert_int_equal(b->n_sent, 2);
    assert_asks_all(b, 1, b->cfg.gateway4);
    rx_reply(b, b->cfg.gateway4, mac_b);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_REACHABLE);
    assert_mac(b, idx, mac_b);
}

static void progress_of_connections_settles_a_doubt(void **state)
{
    struct bed *b = *state;
    const uint16_t idx = start_with_gateway(b);
    rx_reply(b, b->cfg.gateway4, mac_b);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_PROBE);
    tern_neigh_confirm(&b->t, idx, b->now);
    live_ns(b, 2 * SEC);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_REACHABLE);
    assert_mac(b, idx, mac_a);
}

static void settled_doubt_leaves_nothing_behind(void **state)
{
    struct bed *b = *state;
    const uint16_t idx = start_with_gateway(b);
    rx_reply(b, b->cfg.gateway4, mac_b);
    rx_reply(b, b->cfg.gateway4, mac_a);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_REACHABLE);
    wait_ns(b, TERN_NEIGH_REACHABLE_NS);
    output(b, idx);
    live_ns(b, TERN_NEIGH_DELAY_NS);
    forget_sent(b);
    live_ns(b, 2 * SEC); /* the usual three questions: one is out */
    assert_int_equal(b->n_sent, 2);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_PROBE);
}

static void reused_entry_is_doubted_afresh(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get_reachable(b, addr("10.1.2.3"), mac_a);
    rx_reply(b, addr("10.1.2.3"), mac_b);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_PROBE);
    for (uint32_t i = 0; i < 7; i++)
        get(b, v4_host(0x300 + i));
    tern_neigh_put(&b->t, idx);
    assert_int_equal(get_reachable(b, addr("10.1.2.4"), mac_a), idx);
    rx_reply(b, addr("10.1.2.4"), mac_b);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_PROBE);
}

int main(void)
{
#define BED(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)
    const struct CMUnitTest tests[] = {
        BED(answer_by_state),
        BED(answer_about_a_stranger_makes_no_entry),
        BED(impossible_link_addresses_are_bad),
        BED(question_for_us_is_answered_to_the_asker),
        BED(question6_for_us_is_answered_to_the_asker),
        BED(dad_question6_is_answered_to_all_nodes),
        BED(question6_without_link_address_needs_a_known_asker),
        BED(question_for_others_is_not_mine),
        BED(question_from_a_neighbour_resolves_it),
        BED(replica_teaches_and_is_not_answered),
        BED(answer_without_mbuf_is_survived),
        BED(flood_of_questions_leaves_the_table_unchanged),
        BED(poisoned_gateway_keeps_its_mac_while_it_answers),
        BED(moved_gateway_is_found_within_two_seconds),
        BED(progress_of_connections_settles_a_doubt),
        BED(settled_doubt_leaves_nothing_behind),
        BED(reused_entry_is_doubted_afresh),
    };
    return cmocka_run_group_tests(tests, eal_up, eal_down);
}
