/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Buffers and what a device says of them: checksums that it calls good or bad, packet types and
 * tags that are not there, chains cut anywhere. Buffers go back, whatever was decided.
 */
#include "attack.h"

enum { PAYLOAD = 40, FLOOD = 100000, CSUM_AT = 16 };

#define BOTH_GOOD (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)

static void build(struct attack *a, struct frame *f, bool v6)
{
    attack_segment(a, f, v6, TERN_TCP_ACK, "", 0, PAYLOAD);
}

/** The frame is the next segment: its payload comes out as it went in. */
static void take(struct attack *a, struct rte_mbuf *m, bool v6)
{
    uint8_t bytes[PAYLOAD + 1];
    assert_drop(arrive(a, m), TERN_DROP_NONE);
    assert_int_equal(tern_sock_recv(a->live[v6].s, bytes, sizeof bytes), PAYLOAD);
    for (uint32_t i = 0; i < PAYLOAD; i++)
        assert_int_equal(bytes[i], 'x');
    a->live[v6].seq += PAYLOAD;
    assert_unmoved(a);
}

static enum tern_drop wrong_sum(bool ip)
{
    return ip ? TERN_DROP_IP_CSUM : TERN_DROP_TCP_CSUM;
}

/** V189: a flood of wrong sums, found by us and by the device: every buffer comes back. */
static void flood_of_bad_checksums_frees_all(void **state)
{
    struct attack *a = *state;
    struct frame f;
    for (uint32_t i = 0; i < FLOOD; i++) {
        const bool v6 = i & 1, ip = (i & 2) && !v6, told = i & 4;
        build(a, &f, v6);
        struct rte_mbuf *m = mbuf_whole(a, f.b, f.n);
        uint8_t *at = rte_pktmbuf_mtod(m, uint8_t *);
        if (told)
            m->ol_flags |= ip ? RTE_MBUF_F_RX_IP_CKSUM_BAD : RTE_MBUF_F_RX_L4_CKSUM_BAD;
        else
            at[ip ? f.l3 + 10 : f.l4 + CSUM_AT] ^= 0x55;
        assert_drop(arrive(a, m), wrong_sum(ip));
    }
    assert_unmoved(a);
}

/** V194: BAD is believed of a good packet; NONE and UNKNOWN are looked into. */
static void device_verdicts_are_weighed(void **state)
{
    struct attack *a = *state;
    static const uint64_t silent[] = {RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN, RTE_MBUF_F_RX_IP_CKSUM_NONE,
        RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN, RTE_MBUF_F_RX_L4_CKSUM_NONE, RTE_MBUF_F_RX_IP_CKSUM_GOOD};
    struct frame f;
    for (int v6 = 0; v6 <= 1; v6++) {
        for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++) {
            a->ol_flags = silent[i];
            build(a, &f, v6);
            f.b[f.n - 1] ^= 1;
            refuse(a, &f, TERN_DROP_TCP_CSUM);
            f.b[f.n - 1] ^= 1;
            take(a, mbuf_exact(a, f.b, f.n), v6);
        }
        build(a, &f, v6);
        a->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_BAD;
        refuse(a, &f, TERN_DROP_TCP_CSUM);
    }
    a->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_BAD;
    build(a, &f, false);
    refuse(a, &f, TERN_DROP_IP_CSUM);
}

/** V194: packet types, and an RSS hash that is absent, are not looked at. */
static void packet_types_are_not_read(void **state)
{
    struct attack *a = *state;
    static const uint32_t types[] = {0, RTE_PTYPE_L4_UDP | RTE_PTYPE_L3_IPV6,
        RTE_PTYPE_L4_FRAG | RTE_PTYPE_L3_IPV4_EXT, UINT32_MAX};
    for (int v6 = 0; v6 <= 1; v6++)
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
            struct frame f;
            build(a, &f, v6);
            struct rte_mbuf *m = mbuf_exact(a, f.b, f.n);
            m->packet_type = types[i];
            m->hash.rss = UINT32_MAX;
            m->l2_len = 127;
            m->l3_len = 511;
            take(a, m, v6);
            attack_ip(&f, v6, 17); /* called TCP, and UDP all the same */
            frame_fill(&f, 0, 20);
            frame_seal(&f);
            m = mbuf_exact(a, f.b, f.n);
            m->packet_type = RTE_PTYPE_L4_TCP;
            m->ol_flags |= BOTH_GOOD;
            refuse_one(a, m, TERN_DROP_IP_PROTO);
        }
}

/** V194: lengths are checked though the device vouches for both sums. */
static void good_sums_do_not_vouch_for_lengths(void **state)
{
    struct attack *a = *state;
    a->ol_flags = BOTH_GOOD;
    for (int v6 = 0; v6 <= 1; v6++) {
        struct frame f;
        build(a, &f, v6);
        f.b[f.l4 + 12] = 0x40;
        refuse(a, &f, TERN_DROP_TCP_HDR_LEN);
        f.b[f.l4 + 12] = 0x50;
        put16(f.b + f.l3 + (v6 ? 4 : 2), f.n);
        refuse(a, &f, TERN_DROP_IP_LEN);
    }
}

/** V194, V202: a tag said to be taken off, where there was none or another. */
static void stripped_tags_are_compared(void **state)
{
    struct attack *a = *state;
    struct frame f;
    a->ol_flags = RTE_MBUF_F_RX_VLAN_STRIPPED;
    for (int v6 = 0; v6 <= 1; v6++) {
        build(a, &f, v6);
        take(a, mbuf_exact(a, f.b, f.n), v6); /* tag 0 is no VLAN */
        for (uint16_t tci = 1; tci < 0x1000; tci += 273) {
            build(a, &f, v6);
            struct rte_mbuf *m = mbuf_exact(a, f.b, f.n);
            m->vlan_tci = tci;
            refuse_one(a, m, TERN_DROP_VLAN_MISMATCH);
        }
    }
}

/** V190, V171: segments in chains cut anywhere, trimmed behind and in front, are whole and freed.
 */
static void chains_cut_anywhere_are_read_and_freed(void **state)
{
    struct attack *a = *state;
    for (int v6 = 0; v6 <= 1; v6++)
        for (uint32_t trailer = 0; trailer <= 6; trailer += 3) {
            struct frame f;
            build(a, &f, v6);
            const uint32_t n = f.n + trailer;
            for (uint32_t front = 1; front < n; front++) {
                build(a, &f, v6);
                frame_fill(&f, 0xa5, trailer);
                take(a, mbuf_chain(a, f.b, n, front, 1 + front % 9), v6);
            }
        }
}

/** V190: the rest of a chain whose first buffers were received before; what is new is read once. */
static void overlap_trims_whole_buffers_of_a_chain(void **state)
{
    struct attack *a = *state;
    for (int v6 = 0; v6 <= 1; v6++)
        for (uint32_t old = 1; old < PAYLOAD; old++) {
            struct live *c = &a->live[v6];
            struct frame f;
            char bytes[PAYLOAD + 1];
            attack_segment(a, &f, v6, TERN_TCP_ACK, "", 0, old);
            assert_drop(arrive_exact(a, &f), TERN_DROP_NONE);
            build(a, &f, v6);
            assert_drop(arrive(a, mbuf_chain(a, f.b, f.n, f.l4 + 20, 3)), TERN_DROP_NONE);
            assert_int_equal(tern_sock_recv(c->s, bytes, sizeof bytes), PAYLOAD);
            c->seq += PAYLOAD;
            assert_unmoved(a);
            arrive(a, mbuf_chain(a, f.b, f.n, f.l4 + 20, 3)); /* all of it old */
            assert_unmoved(a);
        }
}

/** The segment with its last two octets chosen so that its checksum is `want`. */
static void build_summing_to(struct attack *a, struct frame *f, bool v6, uint16_t want)
{
    build(a, f, v6);
    put16(f->b + f->l4 + CSUM_AT, want);
    uint8_t *last = f->b + f->n - 2;
    put16(last, 0);
    put16(last, 0xffff - slow_l4_sum(f, f->n - f->l4));
    assert_int_equal(slow_l4_sum(f, f->n - f->l4), 0xffff);
}

/** V195: a sum of 0 is a checksum, right or wrong; so is 0xffff, the other zero. */
static void zero_is_a_checksum(void **state)
{
    struct attack *a = *state;
    static const uint16_t sums[] = {0, UINT16_MAX};
    for (int v6 = 0; v6 <= 1; v6++)
        for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
            struct frame f;
            uint8_t bytes[PAYLOAD];
            build_summing_to(a, &f, v6, sums[i]);
            assert_drop(arrive_exact(a, &f), TERN_DROP_NONE);
            assert_int_equal(tern_sock_recv(a->live[v6].s, bytes, sizeof bytes), PAYLOAD);
            a->live[v6].seq += PAYLOAD;
            build(a, &f, v6);
            put16(f.b + f.l4 + CSUM_AT, sums[i]);
            refuse(a, &f, TERN_DROP_TCP_CSUM);
        }
}

/** V190, V024: cut frames between the segments of one burst: these arrive whole, in their order. */
static void burst_of_good_and_cut_frames(void **state)
{
    struct attack *a = *state;
    for (int v6 = 0; v6 <= 1; v6++) {
        struct rte_mbuf *burst[TERN_BURST_MAX];
        uint8_t bytes[TERN_BURST_MAX * PAYLOAD];
        uint32_t n_good = 0;
        for (uint32_t i = 0; i < TERN_BURST_MAX; i++) {
            struct frame f;
            build(a, &f, v6);
            const bool is_cut = i % 2 == 0;
            burst[i] = mbuf_exact(a, f.b, is_cut ? f.n - 1 - i : f.n);
            a->live[v6].seq += is_cut ? 0 : PAYLOAD;
            n_good += !is_cut;
        }
        tern_shard_rx(a->sh, burst, TERN_BURST_MAX, a->now_ns);
        take_replies(a);
        assert_int_equal(tern_sock_recv(a->live[v6].s, bytes, sizeof bytes), n_good * PAYLOAD);
        assert_int_equal(get32(reply_tcp(a, v6) + 8), a->live[v6].seq);
        assert_unmoved(a);
    }
}

/* ---- a ring that does not move (V192) ---- */

/** Whatever the shard wants sent is refused by the device. @return how much that was */
static uint32_t refuse_output(struct attack *a)
{
    struct rte_mbuf *out[TERN_SHARD_TX_MAX];
    const uint32_t n = tern_shard_take_tx(a->sh, out);
    tern_shard_tx_failed(a->sh, out, n, TERN_DROP_TX_FULL);
    return n;
}

/** The peer takes segments that follow what it has, and acknowledges them. */
static void hear_in_order(struct attack *a, bool v6)
{
    struct live *c = &a->live[v6];
    struct frame f;
    uint8_t frame[2048];
    uint32_t n;
    while ((n = (uint32_t)tern_embed_output(a->e, frame, sizeof frame)) > 0) {
        const uint32_t l4 = 14u + (v6 ? 40 : 20), payload = n - l4 - (frame[l4 + 12] >> 4) * 4u;
        if (get32(frame + l4 + 4) == c->ack)
            c->ack += payload;
    }
    attack_segment(a, &f, v6, TERN_TCP_ACK, "", 0, 0);
    tern_embed_input(a->e, f.b, f.n, a->now_ns);
}

/** V192: nothing leaves for ten seconds; then the stream goes on in order, and all is given back.
 */
static void stuck_ring_is_survived(void **state)
{
    enum { STREAM = 9000, SEGMENTS = 7, TIMEOUTS_MAX = 12, STEPS_MAX = 1000 };
    struct attack *a = *state;
    static const char bytes[STREAM];
    for (int v6 = 0; v6 <= 1; v6++) {
        struct live *c = &a->live[v6];
        const uint32_t end = c->ack + STREAM;
        const uint64_t freed_ns = a->now_ns + ms_to_ns(10 * ONE_SECOND);
        assert_int_equal(tern_sock_send(c->s, bytes, STREAM), STREAM);
        tern_embed_advance(a->e, a->now_ns);
        uint32_t n_refused = refuse_output(a);
        while (step(a, freed_ns))
            n_refused += refuse_output(a);
        assert_in_range(n_refused, SEGMENTS, SEGMENTS + TIMEOUTS_MAX); /* and no storm */
        for (int i = 0; i < STEPS_MAX && c->ack != end; i++) {
            step(a, a->now_ns + ms_to_ns(ONE_SECOND));
            hear_in_order(a, v6);
        }
        assert_int_equal(c->ack, end);
        hear_in_order(a, v6);
        rest(a);
        assert_unmoved(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ATTACK(flood_of_bad_checksums_frees_all),
        ATTACK(device_verdicts_are_weighed),
        ATTACK(packet_types_are_not_read),
        ATTACK(good_sums_do_not_vouch_for_lengths),
        ATTACK(stripped_tags_are_compared),
        ATTACK(chains_cut_anywhere_are_read_and_freed),
        ATTACK(overlap_trims_whole_buffers_of_a_chain),
        ATTACK(zero_is_a_checksum),
        ATTACK(burst_of_good_and_cut_frames),
        ATTACK(stuck_ring_is_survived),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
