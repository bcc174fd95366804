/* SPDX-License-Identifier: BSD-3-Clause */
/* tern_pkt_parse(): Ethernet, VLAN tags, and ARP up to its fixed length. */
#include "pkt_fixture.h"

static void ethernet_runts_and_foreign_types_are_refused(void **state)
{
    (void)state;
    static const uint32_t types[] = {
        0, 46, 1500, 1501, 1535, 0x8035, 0x0801, 0x86dc, 0x88cc, 0xffff};
    struct frame f;
    frame_plain(&f, false, 0);
    for (uint32_t n = 0; n < ETH; n++) {
        f.n = n;
        assert_drop(verdict(&f), TERN_DROP_ETH_RUNT);
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        frame_plain(&f, false, 0);
        put16(f.b + 12, types[i]);
        assert_drop(verdict(&f), TERN_DROP_ETH_TYPE);
    }
    static const uint32_t empty[] = {0x0800, 0x86dd};
    for (int i = 0; i < 2; i++) { /* a header of Ethernet and nothing behind it (smoltcp #866) */
        frame_eth(&f, empty[i]);
        assert_drop(verdict(&f), TERN_DROP_IP_SHORT);
    }
}

static void ethernet_addresses_are_checked(void **state)
{
    (void)state;
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t group[6] = {0x33, 0x33, 0, 0, 0, 1};
    for (int six = 0; six < 2; six++) {
        struct frame f;
        for (int byte = 0; byte < 6; byte++) {
            frame_plain(&f, six, 0);
            f.b[byte] ^= 0x40;
            assert_drop(verdict(&f), TERN_DROP_ETH_NOT_MINE);
        }
        frame_plain(&f, six, 0);
        memcpy(f.b, broadcast, 6); /* unicast TCP in a broadcast frame */
        assert_drop(verdict(&f), TERN_DROP_IP_DST);
        memcpy(f.b, group, 6);
        assert_drop(verdict(&f), TERN_DROP_IP_DST);
        frame_plain(&f, six, 0);
        memcpy(f.b + 6, group, 6);
        assert_drop(verdict(&f), TERN_DROP_ETH_SRC_GROUP);
        memcpy(f.b + 6, broadcast, 6);
        assert_drop(verdict(&f), TERN_DROP_ETH_SRC_GROUP);
    }
}

/* A sealed TCP frame with these tags (type, TCI pairs) between the addresses and the EtherType. */
static void frame_tagged(struct frame *f, const uint16_t *tags, uint32_t n_tags)
{
    struct frame plain;
    frame_plain(&plain, false, 4);
    frame_eth(f, 0);
    f->n = 12;
    for (uint32_t i = 0; i < 2 * n_tags; i++) {
        uint8_t word[2];
        put16(word, tags[i]);
        frame_add(f, word, 2);
    }
    frame_add(f, plain.b + 12, plain.n - 12);
}

static void vlan_tag_by_table(void **state)
{
    (void)state;
    enum { Q = 0x8100, AD = 0x88a8 };
    static const struct {
        uint16_t expected;
        uint32_t n_tags;
        uint16_t tags[4];
        bool stripped;
        uint16_t tci;
        enum tern_drop want;
    } rows[] = {
        {0, 0, {0}, false, 0, TERN_DROP_NONE},
        {0, 0, {0}, false, 99, TERN_DROP_NONE}, /* a TCI without its flag says nothing */
        {0, 1, {Q, 0}, false, 0, TERN_DROP_NONE},
        {0, 1, {Q, 0xe000}, false, 0, TERN_DROP_NONE}, /* priority 7, VLAN 0 */
        {0, 1, {Q, 1}, false, 0, TERN_DROP_VLAN_MISMATCH},
        {0, 1, {Q, 4095}, false, 0, TERN_DROP_VLAN_MISMATCH},
        {0, 1, {AD, 0}, false, 0, TERN_DROP_VLAN_MISMATCH},
        {0, 2, {Q, 0, Q, 0}, false, 0, TERN_DROP_VLAN_MISMATCH},
        {0, 2, {AD, 0, Q, 0}, false, 0, TERN_DROP_VLAN_MISMATCH},
        {77, 0, {0}, false, 0, TERN_DROP_VLAN_MISMATCH},
        {77, 1, {Q, 77}, false, 0, TERN_DROP_NONE},
        {77, 1, {Q, 0x604d}, false, 0, TERN_DROP_NONE}, /* priority 3 */
        {77, 1, {Q, 0x104d}, false, 0, TERN_DROP_NONE}, /* drop eligible */
        {77, 1, {Q, 78}, false, 0, TERN_DROP_VLAN_MISMATCH},
        {77, 1, {Q, 0}, false, 0, TERN_DROP_VLAN_MISMATCH},
        {77, 1, {AD, 77}, false, 0, TERN_DROP_VLAN_MISMATCH},
        {77, 2, {Q, 77, Q, 77}, false, 0, TERN_DROP_VLAN_MISMATCH},
        {77, 2, {Q, 77, AD, 77}, false, 0, TERN_DROP_VLAN_MISMATCH},
        {0, 0, {0}, true, 0xe000, TERN_DROP_NONE},
        {0, 0, {0}, true, 5, TERN_DROP_VLAN_MISMATCH},
        {77, 0, {0}, true, 0x604d, TERN_DROP_NONE},
        {77, 0, {0}, true, 78, TERN_DROP_VLAN_MISMATCH},
        {77, 0, {0}, true, 0, TERN_DROP_VLAN_MISMATCH},
        {77, 1, {Q, 77}, true, 77, TERN_DROP_VLAN_MISMATCH}, /* one off, another still there */
        {77, 1, {Q, 0}, true, 77, TERN_DROP_VLAN_MISMATCH},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct frame f;
        struct tern_pkt p;
        frame_tagged(&f, rows[i].tags, rows[i].n_tags);
        struct tern_pkt_input in = input(exact(f.b, f.n), f.n);
        in.vlan = rows[i].expected;
        in.vlan_stripped = rows[i].stripped;
        in.vlan_tci = rows[i].tci;
        assert_drop(ask(&in, &p), rows[i].want);
        if (rows[i].want == TERN_DROP_NONE)
            assert_int_equal(p.l3_off, ETH + 4 * rows[i].n_tags);
    }
}

static void vlan_frames_cut_short_or_all_tags_are_refused(void **state)
{
    (void)state;
    static const uint16_t tag[2] = {0x8100, 77};
    struct frame f;
    frame_tagged(&f, tag, 1);
    for (uint32_t n = 14; n < 18; n++) {
        struct tern_pkt_input in = input(exact(f.b, n), n);
        struct tern_pkt p;
        in.vlan = 77;
        assert_drop(ask(&in, &p), TERN_DROP_ETH_RUNT);
    }
    frame_eth(&f, 0x8100);
    for (int i = 0; i < 300; i++)
        frame_add(&f, "\x00\x00\x81\x00", 4);
    assert_drop(verdict(&f), TERN_DROP_VLAN_MISMATCH);
}

static void arp_is_found_when_its_28_bytes_are_there(void **state)
{
    (void)state;
    for (uint32_t n = 0; n <= 46; n++) {
        struct frame f;
        struct tern_pkt p;
        frame_eth(&f, 0x0806);
        memset(f.b, 0xff, 6);
        frame_fill(&f, 0x11, n);
        assert_drop(parse(&f, &p), n < 28 ? TERN_DROP_ARP_BAD : TERN_DROP_NONE);
        if (n < 28)
            continue;
        assert_int_equal(p.kind, TERN_PKT_ARP);
        assert_true(p.group_mac);
        assert_int_equal(p.l3_off, ETH);
        assert_int_equal(p.end_off, ETH + 28);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ethernet_runts_and_foreign_types_are_refused),
        cmocka_unit_test(ethernet_addresses_are_checked),
        cmocka_unit_test(vlan_tag_by_table),
        cmocka_unit_test(vlan_frames_cut_short_or_all_tags_are_refused),
        cmocka_unit_test(arp_is_found_when_its_28_bytes_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
