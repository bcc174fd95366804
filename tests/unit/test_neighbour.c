/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of entries: resolution, waiting packets, ageing, reuse, floods. Messages:
 * test_neighbour_rx. */
#include "neighbour_fixture.h"
#include "shard/arena.h"

#include <errno.h>
#include <stdlib.h>

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

/* ---- a bounded table (V175, V180, V186) ---- */

static void get_same_address_is_same_index(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get(b, addr("10.1.2.3"));
    assert_int_equal(get(b, addr("10.1.2.3")), idx);
    assert_int_not_equal(get(b, addr("2001:db8::3")), idx);
    assert_int_equal(b->t.entries[idx].n_refs, 2);
    tern_neigh_put(&b->t, 0);
}

static void full_of_held_entries_refuses(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    uint16_t held[8];
    for (uint32_t i = 0; i < 8; i++)
        held[i] = get(b, v4_host(0x200 + i));
    assert_int_equal(get(b, addr("10.1.9.9")), 0);
    assert_false(output(b, 0));
    assert_int_equal(b->drops[TERN_DROP_NEIGH_TABLE_FULL], 1);
    assert_int_equal(get(b, v4_host(0x203)), held[3]);
    tern_neigh_put(&b->t, held[5]);
    assert_int_equal(get(b, addr("10.1.9.9")), held[5]);
    assert_int_equal(tern_neigh_find(&b->t, &(union tern_addr[]){v4_host(0x205)}[0]), 0);
}

static void reuse_takes_unresolved_before_resolved_and_longest_idle_first(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    uint16_t idx[8];
    for (uint32_t i = 0; i < 8; i++) {
        idx[i] = i < 4 ? get_reachable(b, v4_host(0x200 + i), mac_a) : get(b, v4_host(0x200 + i));
    }
    const uint32_t order[8] = {1, 6, 0, 4, 3, 7, 2, 5}; /* as they become idle */
    for (uint32_t i = 0; i < 8; i++)
        tern_neigh_put(&b->t, idx[order[i]]);
    const uint32_t expected[8] = {6, 4, 7, 5, 1, 0, 3, 2};
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(get(b, v4_host(0x900 + i)), idx[expected[i]]);
}

static void reused_entry_drops_what_waited(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    for (uint32_t i = 0; i < 9; i++) {
        const uint16_t idx = get(b, v4_host(0x200 + i));
        output(b, idx);
        tern_neigh_put(&b->t, idx);
    }
    assert_int_equal(b->drops[TERN_DROP_NEIGH_TABLE_FULL], 1);
    assert_int_equal(b->t.n_pending, 8);
}

static void flood_of_new_addresses_spares_gateway_static_and_peers(void **state)
{
    struct bed *b = *state;
    b->cfg.gateway4 = addr("10.1.0.254");
    b->cfg.neighbours[0].addr = addr("2001:db8::99");
    memcpy(b->cfg.neighbours[0].mac, mac_b, 6);
    b->cfg.n_neighbours = 1;
    bed_start(b);
    rx_reply(b, addr("10.1.0.254"), mac_a);
    const uint16_t held = get_reachable(b, addr("10.1.2.3"), mac_a);
    const uint16_t known = get_reachable(b, addr("10.1.2.4"), mac_a);
    tern_neigh_put(&b->t, known); /* idle, but resolved */
    for (uint32_t i = 0; i < 65000; i++) {
        const uint16_t idx = get(b, v4_host(0x0300 + i % 60000));
        assert_int_not_equal(idx, 0);
        output(b, idx);
        tern_neigh_put(&b->t, idx);
        wait_ns(b, 10000);
    }
    assert_int_equal(get(b, addr("10.1.2.3")), held);
    assert_int_equal(get(b, addr("10.1.2.4")), known);
    assert_true(output(b, tern_neigh_find(&b->t, &b->cfg.gateway4)));
    assert_true(output(b, tern_neigh_find(&b->t, &b->cfg.neighbours[0].addr)));
    /* 0.65 s of it: the bucket's depth and its rate, no more. */
    assert_in_range(b->stats.arp_sent, 100, 1 + 100 + 651);
    assert_int_equal(b->drops[TERN_DROP_NEIGH_TABLE_FULL], 65000 - b->t.n_pending);
}

static void advance_is_bounded_a_call(void **state)
{
    struct bed *b = *state;
    b->cfg.neighbours_max = 500;
    bed_start(b);
    for (uint32_t i = 0; i < 300; i++)
        output(b, get(b, v4_host(0x200 + i)));
    b->now += SEC;
    const uint64_t at_once = b->stats.arp_sent;
    uint64_t at;
    uint32_t calls = 0;
    while (tern_neigh_next_deadline(&b->t, &at) && at <= b->now) {
        const uint64_t before = b->stats.arp_sent;
        tern_neigh_advance(&b->t, b->now);
        assert_true(b->stats.arp_sent - before <= TERN_NEIGH_TIMERS_PER_CALL);
        calls++;
    }
    assert_int_equal(calls, (300 + TERN_NEIGH_TIMERS_PER_CALL - 1) / TERN_NEIGH_TIMERS_PER_CALL);
    assert_true(b->stats.arp_sent > at_once);
}

static void deadline_is_the_earliest(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    uint64_t at;
    assert_false(tern_neigh_next_deadline(&b->t, &at));
    const uint64_t start = b->now;
    const uint16_t old = get_reachable(b, addr("10.1.2.3"), mac_a);
    b->now += TERN_NEIGH_REACHABLE_NS;
    tern_neigh_advance(&b->t, b->now);
    output(b, old);
    assert_true(tern_neigh_next_deadline(&b->t, &at));
    assert_int_equal(at, start + TERN_NEIGH_REACHABLE_NS + TERN_NEIGH_DELAY_NS);
    output(b, get(b, addr("10.1.2.4")));
    assert_true(tern_neigh_next_deadline(&b->t, &at));
    assert_int_equal(at, start + TERN_NEIGH_REACHABLE_NS + SEC);
}

static void init_without_memory_is_enomem(void **state)
{
    struct bed *b = *state;
    tern_arena_set_fail_after(0);
    assert_int_equal(bed_init(b), -ENOMEM);
    tern_arena_set_fail_after(-1);
}

static void bytes_cover_entries_and_buckets(void **state)
{
    (void)state;
    assert_int_equal(tern_neigh_bytes(8), 9 * 128 + 16 * 2);
    assert_int_equal(tern_neigh_bytes(65534), 65535 * 128 + 131072 * 2);
}

/* ---- anything in any order ---- */

static uint32_t count_list(
    const struct tern_neigh_table *t, const struct tern_neigh_list *l, bool mac)
{
    uint32_t n = 0;
    uint16_t prev = 0;
    for (uint16_t i = l->head; i != 0; prev = i, i = t->entries[i].idle_next, n++) {
        assert_int_equal(t->entries[i].idle_prev, prev);
        assert_int_equal(t->entries[i].n_refs, 0);
        assert_int_equal(t->entries[i].state >= TERN_NEIGH_REACHABLE, mac);
    }
    assert_int_equal(l->tail, prev);
    return n;
}

static uint32_t count_timer(const struct tern_neigh_table *t, uint8_t timer)
{
    uint32_t n = 0;
    uint64_t due = 0;
    for (uint16_t i = t->timers[timer].head; i != 0; i = t->entries[i].timer_next, n++) {
        assert_int_equal(t->entries[i].timer, timer);
        assert_true(t->entries[i].due_ns >= due);
        due = t->entries[i].due_ns;
    }
    return n;
}

static void assert_invariants(const struct bed *b)
{
    const struct tern_neigh_table *t = &b->t;
    uint32_t n_idle = 0, n_pending = 0, n_armed = 0;
    for (uint32_t i = 1; i <= t->capacity; i++) {
        const struct tern_neighbour *e = &t->entries[i];
        n_idle += e->n_refs == 0;
        n_pending += e->n_pending;
        n_armed += e->timer != TERN_NEIGH_TIMER_NONE;
        assert_true(e->n_pending <= TERN_NEIGH_PENDING);
        assert_true(e->n_pending == 0 || e->state == TERN_NEIGH_INCOMPLETE);
        if (e->hashed)
            assert_int_equal(tern_neigh_find(t, &e->addr), i);
    }
    assert_int_equal(
        count_list(t, &t->idle_unknown, false) + count_list(t, &t->idle_known, true), n_idle);
    assert_int_equal(n_pending, t->n_pending);
    assert_int_equal(rte_mempool_in_use_count(b->pool), n_pending);
    uint32_t n_listed = 0;
    for (uint8_t timer = 1; timer < TERN_NEIGH_TIMER_COUNT; timer++)
        n_listed += count_timer(t, timer);
    assert_int_equal(n_listed, n_armed);
}

static union tern_addr some_addr(uint32_t r)
{
    union tern_addr v6 = addr("2001:db8::");
    v6.b[15] = (uint8_t)(2 + r % 14);
    return r & 16 ? v6 : v4_host(0x200 + r % 14);
}

static void any_order_keeps_the_invariants(void **state)
{
    struct bed *b = *state;
    b->cfg.gateway4 = v4_host(0x200);
    bed_start(b);
    srandom(4711);
    uint16_t held[64];
    uint32_t n_held = 0;
    for (int step = 0; step < 100000; step++) {
        const uint32_t r = (uint32_t)random();
        const union tern_addr a = some_addr(r >> 8);
        const uint8_t *mac = r & 64 ? mac_a : mac_b;
        const uint16_t any = (uint16_t)((r >> 16) % (b->cfg.neighbours_max + 1));
        switch (r % 8) {
        case 0:
            if (n_held < 64 && (held[n_held] = tern_neigh_get(&b->t, &a, b->now)) != 0)
                n_held++;
            break;
        case 1:
        case 2:
            if (n_held > 0)
                tern_neigh_put(&b->t, held[--n_held]);
            break;
        case 3: output(b, any); break;
        case 4: rx_answer(b, a, mac, r & 128, r & 0x8000); break;
        case 5:
            rx_question(b, a, addr(tern_addr_is_v4(&a) ? "10.1.0.1" : "2001:db8::1"), mac);
            break;
        case 6:
            r & 128 ? tern_neigh_confirm(&b->t, any, b->now)
                    : learn(b, tern_neigh_find(&b->t, &a), a, mac);
            break;
        case 7: wait_ns(b, (r >> 12) % 4 == 0 ? (r >> 14) % (8 * SEC) : 1 * MS); break;
        }
        forget_sent(b);
        if (step % 16 == 0)
            assert_invariants(b);
    }
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
        BED(get_same_address_is_same_index),
        BED(full_of_held_entries_refuses),
        BED(reuse_takes_unresolved_before_resolved_and_longest_idle_first),
        BED(reused_entry_drops_what_waited),
        BED(flood_of_new_addresses_spares_gateway_static_and_peers),
        BED(advance_is_bounded_a_call),
        BED(deadline_is_the_earliest),
        BED(init_without_memory_is_enomem),
        cmocka_unit_test(bytes_cover_entries_and_buckets),
        BED(any_order_keeps_the_invariants),
    };
    return cmocka_run_group_tests(tests, eal_up, eal_down);
}
