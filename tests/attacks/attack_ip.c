/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fragments, IPv4 options and IPv6 extension headers. tern puts no datagram together, so the order,
 * overlap and offsets of fragments cannot matter: each is dropped by itself. Options and extension
 * headers are walked within bounds, and what asks for more than being skipped drops the packet.
 */
#include "attack.h"

enum { IP4_FLAGS = 6, MORE_FRAGMENTS = 0x2000, OFFSET_MAX = 0x1fff, FRAGMENT = 44, ROUTING = 43 };
enum { HOP_BY_HOP = 0, DST_OPTS = 60, NO_NEXT = 59, UDP = 17, IGMP = 2, OPTIONS4_MAX = 40 };

/* ---- fragments ---- */

/** The bytes [at, at + n) of the live connection's next segment, as a fragment. */
static void build_fragment(
    struct attack *a, struct frame *f, bool v6, uint32_t at, uint32_t n, bool more)
{
    struct frame whole;
    attack_segment(a, &whole, v6, TERN_TCP_ACK, "", 0, 600);
    attack_ip(f, v6, v6 ? FRAGMENT : 6);
    if (v6) {
        uint8_t ext[8] = {6, 0, 0, 0, 0x12, 0x34, 0x56, 0x78};
        put16(ext + 2, (at & ~7u) | more);
        frame_add(f, ext, sizeof ext);
        f->proto = FRAGMENT;
    } else {
        put16(f->b + f->l3 + IP4_FLAGS, (more ? MORE_FRAGMENTS : 0u) | at / 8);
        f->proto = 0; /* no sum of its own */
    }
    frame_add(f, whole.b + whole.l4 + (at < 600 ? at : 0), n);
    frame_seal(f);
}

struct fragment {
    uint32_t at, n;
    bool more;
};

/** Fragments in this order, several datagrams of one identification: each is dropped. */
static void drop_each(struct attack *a, const struct fragment *list, size_t n)
{
    for (int v6 = 0; v6 <= 1; v6++)
        for (size_t i = 0; i < n; i++) {
            struct frame f;
            build_fragment(a, &f, v6, list[i].at, list[i].n, list[i].more);
            refuse(a, &f, TERN_DROP_IP_FRAGMENT);
        }
}

#define DROP_EACH(a, list) drop_each(a, list, sizeof(list) / sizeof(list)[0])

/** V135, V136: the second inside, before the end of, or beside the first; duplicates that differ.
 */
static void overlapping_fragments_are_dropped(void **state)
{
    static const struct fragment list[] = {
        {0, 64, true},
        {24, 16, true},
        {56, 64, false}, /* inside, and across the end */
        {0, 64, true},
        {0, 64, true},
        {8, 32, false}, /* duplicate, and a shorter last */
        {64, 32, false},
        {56, 40, false},
        {0, 64, true},
    };
    DROP_EACH(*state, list);
}

/** V140, V141: last before first, holes, the length reached by duplicates alone. */
static void fragments_with_holes_are_dropped(void **state)
{
    static const struct fragment list[] = {
        {128, 64, false}, {0, 64, true}, {0, 64, true}, {0, 64, true}, {64, 64, true}};
    DROP_EACH(*state, list);
}

/** V139, V141, V142: data past any buffer, and past 65535. */
static void fragments_beyond_64k_are_dropped(void **state)
{
    static const struct fragment list[] = {
        {65528, 8, false}, {65528, 64, false}, {65520, 64, true}, {32768, 64, true}};
    DROP_EACH(*state, list);
}

/** V143: a TCP header split by fragments, its flags overwritten by the second. */
static void tiny_fragments_are_dropped(void **state)
{
    static const struct fragment list[] = {
        {0, 8, true}, {8, 16, false}, {0, 0, true}, {0, 1, true}, {8, 0, true}, {8, 0, false}};
    DROP_EACH(*state, list);
}

/** V146: offset 0 and nothing to follow; a fragment header all the same. */
static void atomic_fragments_are_dropped(void **state)
{
    struct attack *a = *state;
    struct frame f;
    build_fragment(a, &f, true, 0, 64, true); /* one of the same identification waits for nothing */
    refuse(a, &f, TERN_DROP_IP_FRAGMENT);
    build_fragment(a, &f, true, 0, 620, false);
    refuse(a, &f, TERN_DROP_IP_FRAGMENT);
}

/** V134, V144: fragments of datagrams that never end, under many identifications. */
static void incomplete_datagrams_cost_nothing(void **state)
{
    struct attack *a = *state;
    uint64_t seed = 1;
    for (uint32_t i = 0; i < 20000; i++) {
        struct frame f;
        build_fragment(a, &f, i & 1, next_random(&seed) & 0xfff8, 8, i & 2);
        put32(f.b + f.l3 + (i & 1 ? 44 : 4), next_random(&seed) << 16 | (i & 2 ? 0x2000 : 1));
        if (!(i & 1))
            frame_sum_ip4(&f);
        assert_drop(arrive_exact(a, &f), TERN_DROP_IP_FRAGMENT);
    }
    assert_unmoved(a);
}

/* ---- IPv4 options ---- */

/** A segment (or an echo request) behind these options. */
static void build_optioned(
    struct attack *a, struct frame *f, bool echo, const uint8_t *opt, uint32_t n_opt)
{
    frame_eth(f, 0x0800);
    frame_ip4(f, echo ? 1 : 6, opt, n_opt);
    if (echo) {
        frame_icmp(f, 8, 0, 0x12345678);
        frame_seal(f);
    } else {
        frame_tcp(f, TERN_TCP_ACK, "", 0);
        attack_seal(a, f);
    }
}

/** V151: lengths 0, 1 and past the header at every place of option areas of every size. */
static void ip4_option_of_bad_length_drops(void **state)
{
    static const uint8_t lens[] = {0, 1, OPTIONS4_MAX + 1, 255};
    for (uint32_t n = 4; n <= OPTIONS4_MAX; n += 4)
        for (uint32_t at = 0; at < n; at++)
            for (size_t i = 0; i < sizeof lens; i++) {
                uint8_t opt[OPTIONS4_MAX];
                struct frame f;
                memset(opt, 1, sizeof opt);
                opt[at] = 0x44;
                if (at + 1 < n)
                    opt[at + 1] = lens[i];
                build_optioned(*state, &f, false, opt, n);
                refuse_one(*state, mbuf_exact(*state, f.b, f.n), TERN_DROP_IP_OPTION);
            }
}

/** V148, V149: source routes of any pointer, once and twice, for TCP and echo. */
static void source_routes_drop(void **state)
{
    static const uint8_t kinds[] = {131, 137};
    for (size_t k = 0; k < sizeof kinds; k++)
        for (uint32_t pointer = 0; pointer <= UINT8_MAX; pointer++)
            for (int echo = 0; echo <= 1; echo++) {
                uint8_t opt[24] = {kinds[k], 11, (uint8_t)pointer, 198, 51, 100, 9};
                struct frame f;
                memcpy(opt + 12, opt, 11);
                build_optioned(*state, &f, echo, opt, sizeof opt);
                refuse_one(*state, mbuf_exact(*state, f.b, f.n), TERN_DROP_IP_OPTION);
            }
}

/** V149: an echo with options gets no reply, so none goes to a third party. */
static void echo_with_options_is_not_answered(void **state)
{
    static const uint8_t record_route[8] = {7, 7, 4, 198, 51, 100, 9, 0};
    struct frame f;
    build_optioned(*state, &f, true, record_route, sizeof record_route);
    refuse(*state, &f, TERN_DROP_ICMP_TYPE);
}

/** V151: EOL, and garbage behind it: not looked at. */
static void garbage_behind_the_end_is_not_read(void **state)
{
    static const uint8_t opt[8] = {0, 131, 0, 1, 255, 255, 68, 0};
    struct frame f;
    build_optioned(*state, &f, false, opt, sizeof opt);
    assert_drop(arrive_exact(*state, &f), TERN_DROP_TCP_DONE);
}

/* ---- IPv6 extension headers ---- */

/** A chain in hex that begins with header `next` in front of the live connection's next segment. */
static void build_chain(struct attack *a, struct frame *f, uint8_t next, const char *hex)
{
    uint8_t ext[2048];
    attack_ip(f, true, next);
    frame_add(f, ext, unhex(hex, ext));
    frame_tcp(f, TERN_TCP_ACK, "", 0);
    attack_seal(a, f);
}

struct chain {
    uint8_t next;
    const char *hex;
};

static void drop_chains(struct attack *a, const struct chain *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct frame f;
        build_chain(a, &f, list[i].next, list[i].hex);
        refuse(a, &f, TERN_DROP_IP6_EXT);
    }
}

#define DROP_CHAINS(a, list) drop_chains(a, list, sizeof(list) / sizeof(list)[0])

/** V152: options that end with their type, run over, or are too many. */
static void options6_that_stand_still_drop(void **state)
{
    static const struct chain list[] = {
        {HOP_BY_HOP, "0600010300000005"},
        {DST_OPTS, "060001ff00000000"},
        {HOP_BY_HOP, "06000000000000c8"},
        {DST_OPTS, "0600010500000000"},
        {HOP_BY_HOP, "0602"
                     "0000000000000000000000000000000000000000"
                     "0000"},
    };
    DROP_CHAINS(*state, list);
}

/** V153: sizes of 2048 octets, and a little past the end. */
static void headers6_beyond_the_packet_drop(void **state)
{
    static const struct chain list[] = {{DST_OPTS, "06ff010400000000"},
        {HOP_BY_HOP, "06ff010400000000"}, {ROUTING, "06ff000000000000"},
        {DST_OPTS, "0604010400000000"}, {DST_OPTS, "0680010400000000"}};
    DROP_CHAINS(*state, list);
}

/** V154: a hop-by-hop header that is not first, or twice. */
static void hop_by_hop_elsewhere_drops(void **state)
{
    static const struct chain list[] = {{HOP_BY_HOP, "0000010400000000"
                                                     "0600010400000000"},
        {DST_OPTS, "0000010400000000"
                   "0600010400000000"},
        {ROUTING, "0000000000000000"
                  "0600010400000000"}};
    DROP_CHAINS(*state, list);
}

/** V154: chains of 1 to 100 headers: taken up to the bound, dropped beyond. */
static void long_chains_drop(void **state)
{
    struct attack *a = *state;
    for (uint32_t n = 1; n <= 100; n++) {
        struct frame f;
        attack_ip(&f, true, DST_OPTS);
        for (uint32_t i = 1; i <= n; i++)
            frame_add(&f, i < n ? "\x3c\0\1\4\0\0\0\0" : "\6\0\1\4\0\0\0\0", 8);
        frame_tcp(&f, TERN_TCP_ACK, "", 0);
        attack_seal(a, &f);
        if (n > TERN_IP6_EXT_MAX)
            refuse_one(a, mbuf_exact(a, f.b, f.n), TERN_DROP_IP6_EXT);
        else
            assert_drop(arrive_exact(a, &f), TERN_DROP_TCP_DONE);
    }
}

/** V154, V216, V172: headers that end in a protocol that is none of ours. */
static void foreign_protocols_are_dropped(void **state)
{
    static const uint8_t protocols[] = {UDP, IGMP, 4, 41, 47, 50, 51, NO_NEXT, 132, 253, 255};
    for (int v6 = 0; v6 <= 1; v6++)
        for (size_t i = 0; i < sizeof protocols; i++) {
            struct frame f;
            attack_ip(&f, v6, protocols[i]);
            frame_fill(&f, 0x11, 40);
            frame_seal(&f);
            refuse(*state, &f, TERN_DROP_IP_PROTO);
        }
}

/** V155: jumbo payloads of any length, in a packet that has a length too, cut, and unaligned. */
static void jumbograms_drop(void **state)
{
    static const struct chain list[] = {{HOP_BY_HOP, "0600c20400010000"},
        {HOP_BY_HOP, "0600c20400000000"}, {HOP_BY_HOP, "0600c204ffffffff"},
        {HOP_BY_HOP, "0600c20300010000"}, {HOP_BY_HOP, "060000c204000100"},
        {DST_OPTS, "0600c20400010000"}};
    DROP_CHAINS(*state, list);
    struct frame f;
    build_chain(*state, &f, HOP_BY_HOP, "0600c20400010000");
    put16(f.b + f.l3 + 4, 0);
    refuse(*state, &f, TERN_DROP_IP6_EXT);
}

/** V157: routing headers of every type that have somewhere to go; types 0 and 3 with false counts.
 */
static void routing_headers_with_segments_left_drop(void **state)
{
    struct attack *a = *state;
    for (uint32_t type = 0; type <= UINT8_MAX; type++) {
        struct frame f;
        build_chain(a, &f, ROUTING, "0600000100000000");
        f.b[f.l3 + 42] = (uint8_t)type;
        refuse_one(a, mbuf_exact(a, f.b, f.n), TERN_DROP_IP6_EXT);
        f.b[f.l3 + 43] = 255;
        refuse_one(a, mbuf_exact(a, f.b, f.n), TERN_DROP_IP6_EXT);
        f.b[f.l3 + 43] = 0;
        assert_drop(arrive_exact(a, &f), TERN_DROP_TCP_DONE);
    }
}

/** V158: an unknown option is skipped or drops its packet, as its upper bits say; nothing is sent.
 */
static void unknown_options6_do_as_they_say(void **state)
{
    struct attack *a = *state;
    static const uint8_t headers[] = {HOP_BY_HOP, DST_OPTS};
    for (size_t h = 0; h < sizeof headers; h++)
        for (uint32_t type = 2; type <= UINT8_MAX; type++) {
            struct frame f;
            build_chain(a, &f, headers[h], "0600010400000000");
            f.b[f.l3 + 42] = (uint8_t)type;
            if (type < 64)
                assert_drop(arrive_exact(a, &f), TERN_DROP_TCP_DONE);
            else
                refuse_one(a, mbuf_exact(a, f.b, f.n), TERN_DROP_IP6_EXT);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ATTACK(overlapping_fragments_are_dropped),
        ATTACK(fragments_with_holes_are_dropped),
        ATTACK(fragments_beyond_64k_are_dropped),
        ATTACK(tiny_fragments_are_dropped),
        ATTACK(atomic_fragments_are_dropped),
        ATTACK(incomplete_datagrams_cost_nothing),
        ATTACK(ip4_option_of_bad_length_drops),
        ATTACK(source_routes_drop),
        ATTACK(echo_with_options_is_not_answered),
        ATTACK(garbage_behind_the_end_is_not_read),
        ATTACK(options6_that_stand_still_drop),
        ATTACK(headers6_beyond_the_packet_drop),
        ATTACK(hop_by_hop_elsewhere_drops),
        ATTACK(long_chains_drop),
        ATTACK(foreign_protocols_are_dropped),
        ATTACK(jumbograms_drop),
        ATTACK(routing_headers_with_segments_left_drop),
        ATTACK(unknown_options6_do_as_they_say),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
