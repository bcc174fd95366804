/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of an entry: resolution, waiting packets, ageing, learning. All of them together:
 * test_neighbour_table; messages: test_neighbour_rx. */
#include "neighbour_fixture.h"

/* ---- resolution ---- */

static void unknown_output_asks_all_and_waits(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get(b, addr("10.1.2.3"));
    assert_int_equal(b->n_sent, 0);
    assert_false(output(b, idx));
    assert_int_equal(state_of(b, idx), TERN_NEIGH_INCOMPLETE);
    assert_int_equal(b->n_sent, 1);
    assert_asks_all(b, 0, addr("10.1.2.3"));
    assert_memory_equal(b->sent[0].dst, to_all, 6);
    assert_addr_equal(b->sent[0].sender, addr("10.1.0.1"));
    assert_memory_equal(b->sent[0].mac, our_mac, 6);
    assert_int_equal(b->stats.arp_sent, 1);
}

static void unknown_output6_asks_solicited_node(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    assert_false(output(b, get(b, addr("2001:db8::12:3456"))));
    assert_asks_all(b, 0, addr("2001:db8::12:3456"));
    assert_addr_equal(b->sent[0].sender, addr("2001:db8::1"));
    assert_addr_equal(b->sent[0].ip_dst, addr("ff02::1:ff12:3456"));
    assert_memory_equal(b->sent[0].dst, ((uint8_t[]){0x33, 0x33, 0xff, 0x12, 0x34, 0x56}), 6);
    assert_true(b->sent[0].has_mac);
    assert_int_equal(b->stats.ndp_sent, 1);
}

static void incomplete_answer_releases_in_order(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get(b, addr("10.1.2.3"));
    for (uint16_t len = 41; len <= 43; len++) {
        static const uint8_t bytes[64];
        assert_false(tern_neigh_output(&b->t, idx, eal_mbuf_of(b->pool, bytes, len)));
    }
    forget_sent(b);
    assert_int_equal(rx_reply(b, addr("10.1.2.3"), mac_a), TERN_DROP_ARP_DONE);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_REACHABLE);
    assert_int_equal(b->n_sent, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(b->sent[i].n_bytes, 14 + 41 + i);
        assert_int_equal(b->sent[i].ethertype, 0x0800);
        assert_memory_equal(b->sent[i].dst, mac_a, 6);
        assert_memory_equal(b->sent[i].src, our_mac, 6);
    }
    assert_int_equal(b->t.n_pending, 0);
}

static void incomplete_unanswered_fails_after_three_questions(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get(b, addr("10.1.2.3"));
    output(b, idx);
    output(b, idx);
    for (uint32_t second = 1; second <= 2; second++) {
        wait_ns(b, SEC - 1);
        assert_int_equal(b->n_sent, second);
        wait_ns(b, 1);
        assert_int_equal(b->n_sent, second + 1);
    }
    wait_ns(b, SEC);
    assert_int_equal(b->n_sent, TERN_NEIGH_TRIES);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_FAILED);
    assert_int_equal(b->drops[TERN_DROP_NEIGH_FAILED], 2);
    assert_int_equal(b->n_failed, 1);
    assert_int_equal(b->failed_idx, idx);
}

static void failed_is_not_asked_for_three_seconds(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get(b, addr("10.1.2.3"));
    output(b, idx);
    live_ns(b, 3 * SEC);
    forget_sent(b);
    wait_ns(b, TERN_NEIGH_FAILED_NS - 1);
    assert_false(output(b, idx));
    assert_int_equal(b->n_sent, 0);
    assert_int_equal(b->drops[TERN_DROP_NEIGH_FAILED], 2);
    wait_ns(b, 1);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_UNKNOWN);
    assert_false(output(b, idx));
    assert_int_equal(b->n_sent, 1);
}

static void failed_unheld_is_not_reported(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get(b, addr("10.1.2.3"));
    output(b, idx);
    tern_neigh_put(&b->t, idx);
    live_ns(b, 10 * SEC);
    assert_int_equal(b->n_failed, 0);
    assert_int_equal(b->drops[TERN_DROP_NEIGH_FAILED], 1);
    assert_int_equal(tern_neigh_find(&b->t, &(union tern_addr){.b = {0}}), 0);
}

static void question_without_mbuf_is_not_a_try(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get(b, addr("10.1.2.3"));
    b->no_mbufs = true;
    output(b, idx);
    live_ns(b, 10 * SEC);
    assert_int_equal(b->n_sent, 0);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_INCOMPLETE);
    b->no_mbufs = false;
    live_ns(b, 3 * SEC);
    assert_int_equal(b->n_sent, 3);
}

static void header_is_tagged_with_vlan(void **state)
{
    struct bed *b = *state;
    b->cfg.vlan = 77;
    bed_start(b);
    const uint16_t idx = get_reachable(b, addr("2001:db8::2"), mac_a);
    assert_true(output(b, idx));
    assert_int_equal(b->sent[0].n_bytes, 18 + 40);
    assert_int_equal(b->sent[0].vlan, 77);
    assert_int_equal(b->sent[0].ethertype, 0x86dd);
    output(b, get(b, addr("10.1.2.3")));
    assert_int_equal(b->sent[1].vlan, 77);
    assert_asks_all(b, 1, addr("10.1.2.3"));
}

static void output_sets_l2_len(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    static const uint8_t bytes[20];
    struct rte_mbuf *m = eal_mbuf_of(b->pool, bytes, sizeof bytes);
    assert_true(tern_neigh_output(&b->t, get_reachable(b, addr("10.1.2.3"), mac_a), m));
    assert_int_equal(m->l2_len, 14);
    rte_pktmbuf_free(m);
}

static void l3_passes_everything_and_says_nothing(void **state)
{
    struct bed *b = *state;
    b->cfg.l3 = true;
    b->cfg.dad = true;
    b->cfg.gateway4 = addr("10.1.0.254");
    bed_start(b);
    assert_true(tern_neigh_addrs_ready(&b->t));
    const uint16_t idx = get(b, addr("10.1.2.3"));
    assert_int_not_equal(idx, 0);
    static const uint8_t bytes[20];
    struct rte_mbuf *m = eal_mbuf_of(b->pool, bytes, sizeof bytes);
    m->l2_len = 99;
    assert_true(tern_neigh_output(&b->t, idx, m));
    assert_int_equal(m->l2_len, 0);
    assert_int_equal(rte_pktmbuf_pkt_len(m), 20);
    rte_pktmbuf_free(m);

    uint64_t at;
    tern_neigh_confirm(&b->t, idx, b->now);
    learn(b, idx, b->cfg.gateway4, mac_a);
    assert_int_equal(rx_reply(b, addr("10.1.2.3"), mac_a), TERN_DROP_ARP_NOT_MINE);
    assert_int_equal(
        rx_question(b, addr("2001:db8::2"), addr("2001:db8::1"), mac_a), TERN_DROP_NDP_NOT_MINE);
    live_ns(b, 100 * SEC);
    assert_false(tern_neigh_next_deadline(&b->t, &at));
    tern_neigh_put(&b->t, idx);
    assert_int_equal(b->n_sent, 0);
}

/* ---- waiting packets (V179) ---- */

/** V179: what waits for one. */
static void pending_overflow_drops_the_oldest(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get(b, addr("10.1.2.3"));
    for (uint16_t len = 41; len <= 50; len++) {
        static const uint8_t bytes[64];
        assert_false(tern_neigh_output(&b->t, idx, eal_mbuf_of(b->pool, bytes, len)));
    }
    assert_int_equal(b->t.n_pending, TERN_NEIGH_PENDING);
    assert_int_equal(b->drops[TERN_DROP_NEIGH_QUEUE_FULL], 10 - TERN_NEIGH_PENDING);
    forget_sent(b);
    rx_reply(b, addr("10.1.2.3"), mac_a);
    assert_int_equal(b->n_sent, TERN_NEIGH_PENDING);
    assert_int_equal(b->sent[0].n_bytes, 14 + 48);
    assert_int_equal(b->sent[2].n_bytes, 14 + 50);
}

/** V179: what waits in all. */
static void pending_of_all_is_bounded(void **state)
{
    struct bed *b = *state;
    b->cfg.neighbours_max = 1000;
    bed_start(b);
    for (uint32_t i = 0; i < 500; i++) {
        const uint16_t idx = get(b, v4_host(0x200 + i));
        output(b, idx);
    }
    assert_int_equal(b->t.n_pending, TERN_NEIGH_PENDING_ALL);
    assert_int_equal(b->drops[TERN_DROP_NEIGH_QUEUE_FULL], 500 - TERN_NEIGH_PENDING_ALL);
    assert_int_equal(rte_mempool_in_use_count(b->pool), TERN_NEIGH_PENDING_ALL);

    /* Who has something waiting replaces it by what is newer; who has not is refused. */
    output(b, tern_neigh_find(&b->t, &(union tern_addr[]){v4_host(0x200)}[0]));
    assert_int_equal(b->t.n_pending, TERN_NEIGH_PENDING_ALL);
    assert_int_equal(b->drops[TERN_DROP_NEIGH_QUEUE_FULL], 501 - TERN_NEIGH_PENDING_ALL);
    live_ns(b, 10 * SEC);
    assert_int_equal(b->t.n_pending, 0);
    assert_int_equal(b->drops[TERN_DROP_NEIGH_FAILED], TERN_NEIGH_PENDING_ALL);
}

static void fini_drops_what_waits(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    output(b, get(b, addr("10.1.2.3")));
    output(b, get(b, addr("2001:db8::3")));
    tern_neigh_fini(&b->t);
    assert_int_equal(b->drops[TERN_DROP_STOPPING], 2);
    tern_neigh_fini(&b->t);
}

/* ---- ageing ---- */

static void reachable_unused_ages_to_stale_silently(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get_reachable(b, addr("10.1.2.3"), mac_a);
    wait_ns(b, TERN_NEIGH_REACHABLE_NS - 1);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_REACHABLE);
    wait_ns(b, 1);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_STALE);
    live_ns(b, 1000 * SEC);
    assert_int_equal(b->n_sent, 0);
}

static void stale_used_is_probed_then_lost_then_asked_of_all(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get_reachable(b, addr("10.1.2.3"), mac_a);
    wait_ns(b, TERN_NEIGH_REACHABLE_NS);
    assert_true(output(b, idx));
    assert_int_equal(state_of(b, idx), TERN_NEIGH_DELAY);
    assert_true(output(b, idx));
    forget_sent(b);
    wait_ns(b, TERN_NEIGH_DELAY_NS - 1);
    assert_int_equal(b->n_sent, 0);
    wait_ns(b, 1);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_PROBE);
    assert_true(output(b, idx));
    b->n_sent--;
    live_ns(b, 2 * SEC);
    assert_int_equal(b->n_sent, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(b->sent[i].is_arp && !b->sent[i].is_answer);
        assert_memory_equal(b->sent[i].dst, mac_a, 6);
    }
    live_ns(b, SEC);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_INCOMPLETE);
    assert_int_equal(b->n_sent, 4);
    assert_asks_all(b, 3, addr("10.1.2.3"));
    assert_int_equal(b->n_failed, 0);
}

static void probe6_goes_to_the_neighbour_itself(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get_reachable(b, addr("2001:db8::2"), mac_a);
    wait_ns(b, TERN_NEIGH_REACHABLE_NS);
    output(b, idx);
    forget_sent(b);
    live_ns(b, TERN_NEIGH_DELAY_NS);
    assert_int_equal(b->n_sent, 1);
    assert_memory_equal(b->sent[0].dst, mac_a, 6);
    assert_addr_equal(b->sent[0].ip_dst, addr("2001:db8::2"));
    assert_true(b->sent[0].has_mac);
}

static void probe_unheld_unanswered_is_forgotten(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get_reachable(b, addr("10.1.2.3"), mac_a);
    wait_ns(b, TERN_NEIGH_REACHABLE_NS);
    output(b, idx);
    tern_neigh_put(&b->t, idx);
    live_ns(b, TERN_NEIGH_DELAY_NS + 3 * SEC);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_UNKNOWN);
    uint64_t at;
    assert_false(tern_neigh_next_deadline(&b->t, &at));
}

static void confirm_keeps_reachable(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get_reachable(b, addr("10.1.2.3"), mac_a);
    for (int i = 0; i < 100; i++) {
        wait_ns(b, TERN_NEIGH_REACHABLE_NS / 2);
        tern_neigh_confirm(&b->t, idx, b->now);
        assert_true(output(b, idx));
        assert_int_equal(state_of(b, idx), TERN_NEIGH_REACHABLE);
    }
    assert_int_equal(b->stats.arp_sent, 0);
}

static void confirm_by_state(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get(b, addr("10.1.2.3"));
    tern_neigh_confirm(&b->t, idx, b->now);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_UNKNOWN);
    output(b, idx);
    tern_neigh_confirm(&b->t, idx, b->now);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_INCOMPLETE);
    live_ns(b, 3 * SEC);
    tern_neigh_confirm(&b->t, idx, b->now);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_FAILED);
    rx_answer(b, addr("10.1.2.3"), mac_a, true, false);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_STALE);
    tern_neigh_confirm(&b->t, idx, b->now);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_REACHABLE);
    wait_ns(b, TERN_NEIGH_REACHABLE_NS);
    output(b, idx);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_DELAY);
    tern_neigh_confirm(&b->t, idx, b->now);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_REACHABLE);
    wait_ns(b, TERN_NEIGH_REACHABLE_NS);
    output(b, idx);
    live_ns(b, TERN_NEIGH_DELAY_NS);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_PROBE);
    tern_neigh_confirm(&b->t, idx, b->now);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_REACHABLE);
    uint64_t at;
    assert_false(tern_neigh_next_deadline(&b->t, &at));
    tern_neigh_confirm(&b->t, 0, b->now);
    assert_int_equal(state_of(b, 0), TERN_NEIGH_UNKNOWN);
}

static void doubt_asks_the_old_address_then_all(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get_reachable(b, addr("10.1.2.3"), mac_a);
    forget_sent(b);
    tern_neigh_doubt(&b->t, idx, b->now);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_PROBE);
    assert_true(output(b, idx)); /* what is sent meanwhile still goes there */
    b->n_sent--;
    tern_neigh_doubt(&b->t, idx, b->now);
    live_ns(b, 3 * SEC);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_INCOMPLETE);
    assert_int_equal(b->n_sent, 4);
    for (uint32_t i = 0; i < 3; i++)
        assert_memory_equal(b->sent[i].dst, mac_a, 6);
    assert_asks_all(b, 3, addr("10.1.2.3"));
    rx_answer(b, addr("10.1.2.3"), mac_b, true, true);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_REACHABLE);
}

static void doubt_is_answered_by_the_old_address(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get_reachable(b, addr("2001:db8::2"), mac_a);
    forget_sent(b);
    tern_neigh_doubt(&b->t, idx, b->now);
    rx_answer(b, addr("2001:db8::2"), mac_a, true, true);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_REACHABLE);
    tern_neigh_doubt(&b->t, idx, b->now); /* again within LOCK_NS */
    assert_int_equal(b->n_sent, 1);
    wait_ns(b, TERN_NEIGH_LOCK_NS);
    tern_neigh_doubt(&b->t, idx, b->now);
    assert_int_equal(b->n_sent, 2);
}

static void doubt_by_state(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get(b, addr("10.1.2.3"));
    tern_neigh_doubt(&b->t, idx, b->now);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_UNKNOWN);
    output(b, idx);
    tern_neigh_doubt(&b->t, idx, b->now);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_INCOMPLETE);
    live_ns(b, 3 * SEC);
    tern_neigh_doubt(&b->t, idx, b->now);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_FAILED);
    tern_neigh_doubt(&b->t, 0, b->now);
    assert_int_equal(state_of(b, 0), TERN_NEIGH_UNKNOWN);
}

/* ---- learning ---- */

static void learn_by_state(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const union tern_addr peer = addr("10.1.2.3"), peer6 = addr("2001:db8::2");
    const uint16_t idx = get(b, peer);
    learn(b, idx, peer, mac_a);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_REACHABLE);
    assert_true(output(b, idx));

    /* Never another address, neither while reachable nor when stale. */
    learn(b, idx, peer, mac_b);
    wait_ns(b, TERN_NEIGH_REACHABLE_NS);
    learn(b, idx, peer, mac_b);
    assert_mac(b, idx, mac_a);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_STALE);
    learn(b, idx, peer, mac_a);
    assert_int_equal(state_of(b, idx), TERN_NEIGH_REACHABLE);

    /* What waits goes out. */
    const uint16_t other = get(b, peer6);
    output(b, other);
    forget_sent(b);
    learn(b, other, peer6, mac_b);
    assert_int_equal(b->n_sent, 1);
    assert_mac(b, other, mac_b);
}

static void learn_refuses_what_is_no_neighbour(void **state)
{
    struct bed *b = *state;
    b->cfg.gateway4 = addr("10.1.0.254");
    b->cfg.gateway6 = addr("2001:db8::fe");
    bed_start(b);
    static const uint8_t group[6] = {3, 0, 0, 0, 0, 0xa};
    const struct {
        const char *hop, *addr;
        const uint8_t *mac;
    } rows[] = {
        {"10.1.0.254", "192.0.2.1", mac_a},       /* behind the gateway, … */
        {"2001:db8::fe", "2001:db8:1::2", mac_a}, //
        {"10.1.2.3", "10.1.2.3", group},          /* … no stations, … */
        {"10.1.2.3", "10.1.2.3", to_all},         //
        {"10.1.2.3", "10.1.2.3", zero_mac},       //
        {"2001:db8::2", "2001:db8::2", our_mac},  /* … and this one is us */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const uint16_t idx = get(b, addr(rows[i].hop));
        assert_int_not_equal(idx, 0);
        learn(b, idx, addr(rows[i].addr), rows[i].mac);
        assert_true(state_of(b, idx) < TERN_NEIGH_REACHABLE);
        assert_mac(b, idx, zero_mac);
    }
    learn(b, 0, addr("10.1.9.9"), mac_a); /* all entries were held */
    assert_int_equal(state_of(b, 0), TERN_NEIGH_UNKNOWN);
}

int main(void)
{
#define BED(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)
    const struct CMUnitTest tests[] = {
        BED(unknown_output_asks_all_and_waits),
        BED(unknown_output6_asks_solicited_node),
        BED(incomplete_answer_releases_in_order),
        BED(incomplete_unanswered_fails_after_three_questions),
        BED(failed_is_not_asked_for_three_seconds),
        BED(failed_unheld_is_not_reported),
        BED(question_without_mbuf_is_not_a_try),
        BED(header_is_tagged_with_vlan),
        BED(output_sets_l2_len),
        BED(l3_passes_everything_and_says_nothing),
        BED(pending_overflow_drops_the_oldest),
        BED(pending_of_all_is_bounded),
        BED(fini_drops_what_waits),
        BED(reachable_unused_ages_to_stale_silently),
        BED(stale_used_is_probed_then_lost_then_asked_of_all),
        BED(probe6_goes_to_the_neighbour_itself),
        BED(probe_unheld_unanswered_is_forgotten),
        BED(confirm_keeps_reachable),
        BED(confirm_by_state),
        BED(doubt_asks_the_old_address_then_all),
        BED(doubt_is_answered_by_the_old_address),
        BED(doubt_by_state),
        BED(learn_by_state),
        BED(learn_refuses_what_is_no_neighbour),
    };
    return cmocka_run_group_tests(tests, eal_up, eal_down);
}
