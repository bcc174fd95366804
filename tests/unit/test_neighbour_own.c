/* SPDX-License-Identifier: BSD-3-Clause */
/* Our own addresses: probing, announcing, conflicts, defence; and gateways asked for at start. */
#include "neighbour_fixture.h"

static const union tern_addr nobody6;

static union tern_addr nobody4(void)
{
    return tern_addr_from_v4(0);
}

/* A conflict seen by this table: the message that makes one, by name. */
enum claim {
    REPLY,        /* ARP reply, or NA */
    QUESTION,     /* an ordinary question from our address */
    ANNOUNCEMENT, /* gratuitous request, or unsolicited NA */
    SIMULTANEOUS, /* a duplicate address probe for our address */
};

static enum tern_drop claim(struct bed *b, enum claim how, union tern_addr own, const uint8_t *mac)
{
    const bool v4 = tern_addr_is_v4(&own);
    switch (how) {
    case REPLY: return rx_reply(b, own, mac);
    case QUESTION: return rx_question(b, own, addr(v4 ? "10.1.2.3" : "2001:db8::2"), mac);
    case ANNOUNCEMENT:
        return v4 ? rx_question(b, own, own, mac) : rx_answer(b, own, mac, true, false);
    case SIMULTANEOUS: return rx_question(b, v4 ? nobody4() : nobody6, own, v4 ? mac : NULL);
    }
    return TERN_DROP_NONE;
}

/* ---- start-up ---- */

static void dad_probes_waits_and_announces_twice(void **state)
{
    struct bed *b = *state;
    b->cfg.dad = true;
    assert_int_equal(bed_init(b), 0);
    assert_int_equal(b->n_sent, 0);
    assert_false(tern_neigh_addrs_ready(&b->t));
    wait_ns(b, 0);

    assert_int_equal(b->n_sent, 2);
    assert_asks_all(b, 0, addr("10.1.0.1"));
    assert_memory_equal(b->sent[0].dst, to_all, 6);
    assert_addr_equal(b->sent[0].sender, nobody4());
    assert_asks_all(b, 1, addr("2001:db8::1"));
    assert_addr_equal(b->sent[1].sender, nobody6);
    assert_addr_equal(b->sent[1].ip_dst, addr("ff02::1:ff00:1"));
    assert_false(b->sent[1].has_mac); /* RFC 4861 §4.3 */

    forget_sent(b);
    wait_ns(b, TERN_NEIGH_DAD_NS - 1);
    assert_false(tern_neigh_addrs_ready(&b->t));
    assert_int_equal(b->n_sent, 0);
    wait_ns(b, 1);
    assert_true(tern_neigh_addrs_ready(&b->t));

    for (int round = 0; round < 2; round++) {
        assert_int_equal(b->n_sent, 2);
        assert_true(b->sent[0].is_arp && !b->sent[0].is_answer);
        assert_addr_equal(b->sent[0].sender, addr("10.1.0.1"));
        assert_addr_equal(b->sent[0].target, addr("10.1.0.1"));
        assert_memory_equal(b->sent[0].dst, to_all, 6);
        assert_true(b->sent[1].is_ndp && b->sent[1].is_answer && b->sent[1].override);
        assert_false(b->sent[1].solicited);
        assert_addr_equal(b->sent[1].ip_dst, addr("ff02::1"));
        forget_sent(b);
        live_ns(b, TERN_NEIGH_ANNOUNCE_NS);
    }
    assert_int_equal(b->n_sent, 0);
    uint64_t at;
    assert_false(tern_neigh_next_deadline(&b->t, &at));
    assert_false(tern_neigh_conflict(&b->t, NULL, NULL));
}

static void dad_by_another_worker_waits_silently(void **state)
{
    struct bed *b = *state;
    b->cfg.dad = true;
    b->announces = false;
    bed_start(b);
    assert_false(tern_neigh_addrs_ready(&b->t));
    live_ns(b, TERN_NEIGH_DAD_NS);
    assert_true(tern_neigh_addrs_ready(&b->t));
    live_ns(b, 100 * SEC);
    assert_int_equal(b->n_sent, 0);
}

static void no_dad_is_ready_at_once_and_silent(void **state)
{
    struct bed *b = *state;
    assert_int_equal(bed_init(b), 0);
    assert_true(tern_neigh_addrs_ready(&b->t));
    live_ns(b, 100 * SEC);
    assert_int_equal(b->n_sent, 0);
}

static void gateways_are_asked_for_at_start(void **state)
{
    struct bed *b = *state;
    b->cfg.gateway4 = addr("10.1.0.254");
    b->cfg.gateway6 = addr("fe80::1");
    assert_int_equal(bed_init(b), 0);
    assert_int_equal(b->n_sent, 0);
    wait_ns(b, 0);
    assert_int_equal(b->n_sent, 2);
    assert_asks_all(b, 0, addr("10.1.0.254"));
    assert_asks_all(b, 1, addr("fe80::1"));
}

static void static_gateway_is_not_asked_for(void **state)
{
    struct bed *b = *state;
    b->cfg.gateway4 = addr("10.1.0.254");
    b->cfg.neighbours[0].addr = b->cfg.gateway4;
    memcpy(b->cfg.neighbours[0].mac, mac_a, 6);
    b->cfg.n_neighbours = 1;
    bed_start(b);
    live_ns(b, 100 * SEC);
    assert_int_equal(b->n_sent, 0);
    assert_true(output(b, get(b, b->cfg.gateway4)));
    assert_memory_equal(b->sent[0].dst, mac_a, 6);
}

static void nothing_is_asked_or_answered_while_probing(void **state)
{
    struct bed *b = *state;
    b->cfg.dad = true;
    b->cfg.gateway4 = addr("10.1.0.254");
    bed_start(b);
    forget_sent(b);
    const uint16_t idx = get(b, addr("10.1.2.3"));
    assert_false(output(b, idx));
    assert_int_equal(rx_question(b, addr("10.1.2.4"), addr("10.1.0.1"), mac_a), TERN_DROP_ARP_DONE);
    assert_int_equal(
        rx_question(b, addr("2001:db8::2"), addr("2001:db8::1"), mac_a), TERN_DROP_NDP_DONE);
    assert_int_equal(b->n_sent, 0);
    live_ns(b, TERN_NEIGH_DAD_NS);
    assert_asks_all(b, 0, addr("10.1.0.254"));
    forget_sent(b);
    live_ns(b, SEC / 2);
    assert_int_equal(b->n_sent, 1);
    assert_asks_all(b, 0, addr("10.1.2.3"));
}

/* ---- conflicts ---- */

/** V187. */
static void claim_while_probing_is_final(void **state)
{
    struct bed *b = *state;
    const union tern_addr own[] = {addr("10.1.0.1"), addr("2001:db8::1")};
    b->cfg.dad = true;
    for (int family = 0; family < 2; family++) {
        for (int how = REPLY; how <= SIMULTANEOUS; how++) {
            bed_start(b);
            forget_sent(b);
            b->stats.addr_conflicts = 0;
            wait_ns(b, 100 * MS);
            claim(b, (enum claim)how, own[family], mac_a);
            union tern_addr which;
            uint8_t mac[6];
            assert_true(tern_neigh_conflict(&b->t, &which, mac));
            assert_addr_equal(which, own[family]);
            const bool tells = how != SIMULTANEOUS || family == 0;
            assert_memory_equal(mac, tells ? mac_a : zero_mac, 6);
            assert_int_equal(b->stats.addr_conflicts, 1);
            claim(b, REPLY, own[family], mac_b);
            assert_int_equal(b->stats.addr_conflicts, 2);
            live_ns(b, 100 * SEC);
            assert_false(tern_neigh_addrs_ready(&b->t));
            assert_int_equal(b->n_sent, 0);
            tern_neigh_fini(&b->t);
        }
    }
}

static void claim_by_replica_while_probing_is_final_and_not_counted(void **state)
{
    struct bed *b = *state;
    b->cfg.dad = true;
    bed_start(b);
    struct tern_neigh_msg msg = {
        .sender = addr("10.1.0.1"), .target = addr("10.1.0.1"), .has_mac = true, .is_answer = true};
    memcpy(msg.mac, mac_a, 6);
    tern_neigh_rx(&b->t, &msg, true, b->now);
    assert_true(tern_neigh_conflict(&b->t, NULL, NULL));
    assert_int_equal(b->stats.addr_conflicts, 0);
}

static void our_own_probe_looped_back_is_no_conflict(void **state)
{
    struct bed *b = *state;
    b->cfg.dad = true;
    bed_start(b);
    assert_int_equal(claim(b, SIMULTANEOUS, addr("10.1.0.1"), our_mac), TERN_DROP_ARP_BAD);
    assert_false(tern_neigh_conflict(&b->t, NULL, NULL));
}

/** V178, V187. */
static void claim_in_use_is_defended_once_in_ten_seconds(void **state)
{
    struct bed *b = *state;
    const union tern_addr own[] = {addr("10.1.0.1"), addr("2001:db8::1")};
    bed_start(b);
    for (int family = 0; family < 2; family++) {
        for (int how = REPLY; how <= ANNOUNCEMENT; how++) {
            b->stats.addr_conflicts = 0;
            for (int i = 0; i < 100; i++)
                claim(b, (enum claim)how, own[family], mac_a);
            assert_int_equal(b->stats.addr_conflicts, 100);
            assert_int_equal(b->n_sent, 1);
            assert_addr_equal(b->sent[0].sender, own[family]);
            assert_addr_equal(b->sent[0].target, own[family]);
            assert_true(b->sent[0].dst[0] & 1);
            wait_ns(b, TERN_NEIGH_DEFEND_NS - 1);
            claim(b, (enum claim)how, own[family], mac_a);
            assert_int_equal(b->n_sent, 1);
            wait_ns(b, 1);
            claim(b, (enum claim)how, own[family], mac_a);
            assert_int_equal(b->n_sent, 2);
            forget_sent(b);
            wait_ns(b, TERN_NEIGH_DEFEND_NS);
        }
    }
    assert_false(tern_neigh_conflict(&b->t, NULL, NULL));
    assert_true(tern_neigh_addrs_ready(&b->t));
}

static void addresses_are_defended_independently(void **state)
{
    struct bed *b = *state;
    add_own(b, "10.1.0.2/16");
    bed_start(b);
    claim(b, REPLY, addr("10.1.0.1"), mac_a);
    claim(b, REPLY, addr("10.1.0.2"), mac_a);
    claim(b, REPLY, addr("10.1.0.2"), mac_a);
    assert_int_equal(b->n_sent, 2);
}

static void claim_by_replica_in_use_is_neither_counted_nor_defended(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    struct tern_neigh_msg msg = {.sender = addr("2001:db8::1"),
        .target = addr("2001:db8::1"),
        .has_mac = true,
        .is_answer = true,
        .override = true};
    memcpy(msg.mac, mac_a, 6);
    assert_int_equal(tern_neigh_rx(&b->t, &msg, true, b->now), TERN_DROP_NDP_DONE);
    assert_int_equal(b->stats.addr_conflicts, 0);
    assert_int_equal(b->n_sent, 0);
}

/* ---- ranges ---- */

static void add_range(struct bed *b, const char *first, const char *last)
{
    b->cfg.ranges[b->cfg.n_ranges++] = (struct tern_addr_range){addr(first), addr(last)};
}

static void start_with_ranges(struct bed *b)
{
    add_range(b, "10.1.64.0", "10.1.127.255");
    add_range(b, "2001:db8::1:0", "2001:db8::1:ffff");
    bed_start(b);
}

static void range_is_neither_probed_nor_announced(void **state)
{
    struct bed *b = *state;
    b->cfg.dad = true;
    start_with_ranges(b);
    live_ns(b, 100 * SEC);
    assert_true(tern_neigh_addrs_ready(&b->t));
    assert_int_equal(b->n_sent, 2 * (1 + TERN_NEIGH_ANNOUNCEMENTS));
    for (uint32_t i = 0; i < b->n_sent; i++)
        assert_addr_equal(b->sent[i].target, addr(i % 2 == 0 ? "10.1.0.1" : "2001:db8::1"));
}

/* Whatever somebody asks for in it is answered, and what is beside it is not. */
static void range_is_answered_for(void **state)
{
    struct bed *b = *state;
    static const struct {
        const char *sender, *target;
        bool mine;
    } rows[] = {
        {"10.1.2.3", "10.1.64.0", true},
        {"10.1.2.3", "10.1.99.99", true},
        {"10.1.2.3", "10.1.127.255", true},
        {"10.1.2.3", "10.1.63.255", false},
        {"10.1.2.3", "10.1.128.0", false},
        {"2001:db8::2", "2001:db8::1:0", true},
        {"2001:db8::2", "2001:db8::1:ffff", true},
        {"2001:db8::2", "2001:db8::2:0", false},
    };
    start_with_ranges(b);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        forget_sent(b);
        rx_question(b, addr(rows[i].sender), addr(rows[i].target), mac_a);
        assert_int_equal(b->n_sent, rows[i].mine);
        if (!rows[i].mine)
            continue;
        assert_true(b->sent[0].is_answer);
        assert_memory_equal(b->sent[0].dst, mac_a, 6);
        const union tern_addr told =
            b->sent[0].is_arp ? b->sent[0].sender : b->sent[0].target; /* RFC 826, RFC 4861 §4.4 */
        assert_addr_equal(told, addr(rows[i].target));
    }
}

static void claim_to_a_range_while_probing_is_final(void **state)
{
    struct bed *b = *state;
    b->cfg.dad = true;
    start_with_ranges(b);
    claim(b, QUESTION, addr("10.1.100.7"), mac_a);
    union tern_addr which;
    assert_true(tern_neigh_conflict(&b->t, &which, NULL));
    assert_addr_equal(which, addr("10.1.100.7"));
}

/* A flood of claims, each to another address of it, draws one frame in ten seconds. */
static void range_is_defended_as_one(void **state)
{
    struct bed *b = *state;
    start_with_ranges(b);
    for (uint32_t i = 0; i < 1000; i++)
        claim(b, REPLY, v4_host(64 * 256 + i), mac_a);
    claim(b, REPLY, addr("2001:db8::1:5"), mac_a);
    assert_int_equal(b->stats.addr_conflicts, 1001);
    assert_int_equal(b->n_sent, 2);
    assert_addr_equal(b->sent[0].target, addr("10.1.64.0"));
    assert_addr_equal(b->sent[1].target, addr("2001:db8::1:5"));
    wait_ns(b, TERN_NEIGH_DEFEND_NS);
    claim(b, REPLY, addr("10.1.65.1"), mac_a);
    assert_int_equal(b->n_sent, 3);
    assert_addr_equal(b->sent[2].target, addr("10.1.65.1"));
}

int main(void)
{
#define BED(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)
    const struct CMUnitTest tests[] = {
        BED(dad_probes_waits_and_announces_twice),
        BED(dad_by_another_worker_waits_silently),
        BED(no_dad_is_ready_at_once_and_silent),
        BED(gateways_are_asked_for_at_start),
        BED(static_gateway_is_not_asked_for),
        BED(nothing_is_asked_or_answered_while_probing),
        BED(claim_while_probing_is_final),
        BED(claim_by_replica_while_probing_is_final_and_not_counted),
        BED(our_own_probe_looped_back_is_no_conflict),
        BED(claim_in_use_is_defended_once_in_ten_seconds),
        BED(addresses_are_defended_independently),
        BED(claim_by_replica_in_use_is_neither_counted_nor_defended),
        BED(range_is_neither_probed_nor_announced),
        BED(range_is_answered_for),
        BED(claim_to_a_range_while_probing_is_final),
        BED(range_is_defended_as_one),
    };
    return cmocka_run_group_tests(tests, eal_up, eal_down);
}
