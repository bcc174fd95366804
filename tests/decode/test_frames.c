/* SPDX-License-Identifier: BSD-3-Clause */
/* tern_decode(): what every kind of frame comes out as, sound, broken and cut. */
#include "agree.h"
#include "wire_frames.h"

enum { ETH = 14, IP4 = 20, IP6 = 40, SLL = 16, SLL2 = 20 };

/* Decoded as `link`, of n captured bytes in a block of exactly that size. */
static struct tern_decoded decode_as(
    enum tern_link_type link, const uint8_t *bytes, uint32_t n, uint32_t n_wire)
{
    struct tern_decoded d;
    const struct tern_decode_input in = {exact(bytes, n), n, n_wire, link};
    memset(&d, 0xa5, sizeof d);
    tern_decode(&in, &d);
    assert_true(decoded_is_bounded(&in, &d));
    return d;
}

static struct tern_decoded decode(const struct frame *f)
{
    return decode_as(TERN_LINK_ETHERNET, f->b, f->n, f->n);
}

static void assert_taken(const struct tern_decoded *d)
{
    assert_true(d->drop_is_known);
    assert_drop(d->drop, TERN_DROP_NONE);
}

static void tcp_fields_in_both_families(void **state)
{
    (void)state;
    static const uint8_t opt[] = {2, 4, 5, 0xb4, 1, 3, 3, 7};
    for (int v6 = 0; v6 < 2; v6++) {
        struct frame f;
        frame_eth(&f, v6 ? 0x86dd : 0x0800);
        if (v6)
            frame_ip6(&f, 6);
        else
            frame_ip4(&f, 6, "", 0);
        frame_tcp(&f, 0xd2, opt, sizeof opt);
        frame_fill(&f, 'x', 11);
        frame_seal(&f);
        const struct tern_decoded d = decode(&f);
        assert_taken(&d);
        assert_int_equal(d.net, v6 ? TERN_NET_IP6 : TERN_NET_IP4);
        assert_int_equal(d.ip.version, v6 ? 6 : 4);
        assert_int_equal(d.ip.tos, 0x28);
        assert_int_equal(d.ip.hop_limit, v6 ? 63 : 61);
        assert_int_equal(d.ip.flow_label, v6 ? 0xabcde : 0);
        assert_int_equal(d.ip.id, v6 ? 0 : 0x1234);
        assert_int_equal(d.ip.flags, v6 ? 0 : 2);
        assert_int_equal(d.ip.csum.verdict, v6 ? TERN_CSUM_UNKNOWN : TERN_CSUM_GOOD);
        assert_int_equal(d.tcp.sport, 4321);
        assert_int_equal(d.tcp.dport, 80);
        assert_int_equal(d.tcp.seq, 0x01020304);
        assert_int_equal(d.tcp.ack, 0xa0b0c0d0);
        assert_int_equal(d.tcp.doff_bytes, 28);
        assert_int_equal(d.tcp.flags, 0xd2);
        assert_int_equal(d.tcp.wnd, 0xfedc);
        assert_int_equal(d.tcp.urg, 0x1357);
        assert_int_equal(d.tcp.payload_bytes, 11);
        assert_int_equal(d.tcp.csum.verdict, TERN_CSUM_GOOD);
        assert_int_equal(d.tcp.n_opts, 3);
        assert_int_equal(decoded_opt(&d.tcp, 2)->values[0], 1460);
        assert_int_equal(decoded_opt(&d.tcp, 3)->values[0], 7);
        assert_int_equal(d.padding_bytes, 0);
    }
}

static void padding_is_no_option(void **state)
{
    (void)state;
    uint8_t bytes[64];
    const uint32_t n = unhex(seed_frames[5], bytes); /* its padding looks like an MSS option */
    const struct tern_decoded d = decode_as(TERN_LINK_ETHERNET, bytes, n, n);
    assert_taken(&d);
    assert_int_equal(d.tcp.n_opts, 0);
    assert_int_equal(d.tcp.payload_bytes, 0);
    assert_int_equal(d.padding_bytes, 6);
    assert_int_equal(d.padding_off, ETH + IP4 + 20);
    assert_false(d.padding_is_zero);
}

static void checksum_wrong_and_unfinished(void **state)
{
    (void)state;
    struct frame f;
    frame_plain(&f, false, 9);
    uint8_t *field = f.b + frame_csum_off(&f);
    const uint32_t right = get16(field);
    put16(field, right ^ 0x0100);
    struct tern_decoded d = decode(&f);
    assert_int_equal(d.tcp.csum.verdict, TERN_CSUM_BAD);
    assert_int_equal(d.tcp.csum.right, right);
    assert_drop(d.drop, TERN_DROP_TCP_CSUM);

    /* Only the pseudo-header, as Linux leaves it to the NIC. */
    uint32_t sum = slow_sum(0, f.b + f.l3 + 12, 8);
    const uint8_t end[4] = {0, 6, 0, 20 + 9};
    put16(field, slow_sum(sum, end, sizeof end));
    d = decode(&f);
    assert_int_equal(d.tcp.csum.verdict, TERN_CSUM_UNFINISHED);
    assert_int_equal(d.tcp.csum.right, right);

    f.b[f.l3 + 10] ^= 1;
    d = decode(&f);
    assert_int_equal(d.ip.csum.verdict, TERN_CSUM_BAD);
    assert_int_equal(d.ip.csum.right, d.ip.csum.seen ^ 0x0100);
    assert_drop(d.drop, TERN_DROP_IP_CSUM);
    assert_int_equal(d.transport, TERN_TRANSPORT_TCP); /* shown all the same */
}

static void insert(struct frame *f, uint32_t at, const uint8_t *bytes, uint32_t n)
{
    memmove(f->b + at + n, f->b + at, f->n - at);
    memcpy(f->b + at, bytes, n);
    f->n += n;
}

static void tags(void **state)
{
    (void)state;
    static const uint8_t tag[] = {0x81, 0x00, 0x60, 0x4d}, outer[] = {0x88, 0xa8, 0, 9};
    static const uint8_t reserved[] = {0x81, 0x00, 0x0f, 0xff};
    struct frame f;
    frame_plain(&f, false, 3);
    insert(&f, 12, tag, sizeof tag);
    struct tern_decoded d = decode(&f);
    assert_taken(&d); /* by an endpoint in VLAN 77 */
    assert_int_equal(d.link.n_tags, 1);
    assert_int_equal(d.link.tags[0].tci, 0x604d);
    assert_int_equal(d.link.ethertype, 0x0800);
    assert_int_equal(d.tcp.dport, 80);

    insert(&f, 12, outer, sizeof outer);
    d = decode(&f);
    assert_int_equal(d.link.n_tags, 2);
    assert_int_equal(d.link.tags[0].tpid, 0x88a8);
    assert_int_equal(d.tcp.dport, 80);
    assert_drop(d.drop, TERN_DROP_VLAN_MISMATCH);

    frame_plain(&f, false, 3);
    insert(&f, 12, reserved, sizeof reserved);
    d = decode(&f);
    assert_drop(d.drop, TERN_DROP_VLAN_MISMATCH);
}

/* More than are listed: nothing behind them is read. */
static void tags_without_end(void **state)
{
    (void)state;
    static const uint8_t tag[] = {0x81, 0x00, 0, 1};
    struct frame f;
    frame_plain(&f, false, 3);
    for (int i = 0; i < 9; i++)
        insert(&f, 12, tag, sizeof tag);
    const struct tern_decoded d = decode(&f);
    assert_int_equal(d.link.n_tags, TERN_DECODED_TAGS_MAX);
    assert_int_equal(d.net, TERN_NET_OTHER);
}

static void no_ethernet(void **state)
{
    (void)state;
    static const uint8_t sll[SLL] = {0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 5, 0, 0, 8, 0};
    static const uint8_t sll2[SLL2] = {0x86, 0xdd, 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 2, 0, 0, 0, 0, 5};
    struct frame f;
    frame_plain(&f, false, 5);
    struct tern_decoded d = decode_as(TERN_LINK_RAW, f.b + ETH, f.n - ETH, f.n - ETH);
    assert_taken(&d);
    assert_false(d.link.is_there);
    assert_int_equal(d.tcp.payload_bytes, 5);

    memcpy(f.b, "..", 2); /* 16 bytes of it replace 14 of Ethernet */
    insert(&f, 0, sll, 2);
    memcpy(f.b, sll, SLL);
    d = decode_as(TERN_LINK_SLL, f.b, f.n, f.n);
    assert_taken(&d);
    assert_int_equal(d.link.cooked_kind, 4);
    assert_int_equal(d.link.n_src_bytes, 6);
    assert_int_equal(d.link.src[5], 5);
    assert_int_equal(d.tcp.payload_bytes, 5);

    frame_plain(&f, true, 5);
    insert(&f, 0, sll2, SLL2 - ETH);
    memcpy(f.b, sll2, SLL2);
    d = decode_as(TERN_LINK_SLL2, f.b, f.n, f.n);
    assert_taken(&d);
    assert_int_equal(d.link.cooked_ifindex, 3);
    assert_int_equal(d.net, TERN_NET_IP6);
    assert_int_equal(d.tcp.payload_bytes, 5);
}

static void ip6_extension_headers(void **state)
{
    (void)state;
    static const uint8_t exts[] = {60, 0, 1, 4, 0, 0, 0, 0, /* hop-by-hop */
        6, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};   /* destination options */
    struct frame f;
    frame_eth(&f, 0x86dd);
    frame_ip6(&f, 0);
    frame_add(&f, exts, sizeof exts);
    frame_tcp(&f, 0x10, "", 0);
    frame_seal(&f);
    const struct tern_decoded d = decode(&f);
    assert_taken(&d);
    assert_int_equal(d.ip.n_exts, 2);
    assert_int_equal(d.ip.exts[1].kind, 60);
    assert_int_equal(d.ip.exts[1].off, ETH + IP6 + 8);
    assert_int_equal(d.ip.exts[1].bytes, 16);
    assert_int_equal(d.ip.proto, 6);
    assert_int_equal(d.tcp.dport, 80);
}

static void fragments(void **state)
{
    (void)state;
    struct frame f;
    frame_plain(&f, false, 16);
    put16(f.b + f.l3 + 6, 0x2000);
    frame_sum_ip4(&f);
    struct tern_decoded d = decode(&f);
    assert_true(d.ip.is_fragment && d.ip.more_fragments);
    assert_int_equal(d.transport, TERN_TRANSPORT_TCP);
    assert_int_equal(d.tcp.csum.verdict, TERN_CSUM_UNKNOWN);
    assert_drop(d.drop, TERN_DROP_IP_FRAGMENT);
    put16(f.b + f.l3 + 6, 0x0003);
    frame_sum_ip4(&f);
    d = decode(&f);
    assert_int_equal(d.ip.fragment_bytes, 24);
    assert_int_equal(d.transport, TERN_TRANSPORT_NONE); /* what lies there is no header */

    static const uint8_t ext[] = {6, 0, 0, 0x11, 0, 0, 0, 7};
    frame_eth(&f, 0x86dd);
    frame_ip6(&f, 44);
    frame_add(&f, ext, sizeof ext);
    frame_tcp(&f, 0x10, "", 0);
    frame_seal(&f);
    d = decode(&f);
    assert_int_equal(d.ip.fragment_bytes, 16);
    assert_int_equal(d.ip.id, 7);
    assert_true(d.ip.more_fragments);
    assert_int_equal(d.transport, TERN_TRANSPORT_NONE);
}

static struct tern_decoded with_options(const uint8_t *opt, uint32_t n)
{
    struct frame f;
    frame_eth(&f, 0x0800);
    frame_ip4(&f, 6, "", 0);
    frame_tcp(&f, 0x10, opt, n);
    frame_seal(&f);
    return decode(&f);
}

static void options_of_every_kind(void **state)
{
    (void)state;
    static const uint8_t opt[] = {1, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 5, 10, 0, 0, 0, 9, 0, 0,
        0, 17, 34, 2, 99, 3, 7, 0, 0, 0, 0};
    const struct tern_decoded d = with_options(opt, sizeof opt);
    assert_taken(&d);
    assert_int_equal(d.tcp.n_opts, 7); /* EOL is one, what follows it none */
    assert_int_equal(decoded_opt(&d.tcp, 8)->values[0], 1);
    assert_int_equal(decoded_opt(&d.tcp, 8)->values[1], 2);
    assert_int_equal(decoded_opt(&d.tcp, 5)->n_values, 2);
    assert_int_equal(decoded_opt(&d.tcp, 5)->values[1], 17);
    assert_int_equal(decoded_opt(&d.tcp, 34)->n_bytes, 2);
    assert_int_equal(decoded_opt(&d.tcp, 99)->n_bytes, 3);
}

static void options_that_cannot_be(void **state)
{
    (void)state;
    static const uint8_t of_zero[] = {2, 0, 5, 0xb4}, beyond[] = {1, 1, 8, 10};
    static const uint8_t not_its_length[] = {2, 3, 5, 3, 3, 7, 0, 0}, cut[] = {1, 1, 1, 3};
    struct tern_decoded d = with_options(of_zero, sizeof of_zero);
    assert_int_equal(d.tcp.n_opts, 1);
    assert_false(d.tcp.opts[0].is_sound);
    d = with_options(beyond, sizeof beyond);
    assert_int_equal(d.tcp.n_opts, 3);
    assert_false(d.tcp.opts[2].is_sound);
    d = with_options(cut, sizeof cut);
    assert_int_equal(d.tcp.n_opts, 4);
    assert_false(d.tcp.opts[3].is_sound);
    d = with_options(not_its_length, sizeof not_its_length);
    assert_false(d.tcp.opts[0].is_sound);
    assert_int_equal(decoded_opt(&d.tcp, 3)->values[0], 7); /* it does not end the list */
}

/* Each length of a capture: nothing is read beyond, and nothing is said that cannot be known. */
static void cut_captures(void **state)
{
    (void)state;
    struct frame f;
    frame_plain(&f, true, 30);
    for (uint32_t n = 0; n < f.n; n++) {
        const struct tern_decoded d = decode_as(TERN_LINK_ETHERNET, f.b, n, f.n);
        const bool has_headers = n >= ETH + IP6 + 20;
        assert_true(d.is_cut);
        assert_int_equal(d.transport == TERN_TRANSPORT_TCP, has_headers);
        assert_int_equal(d.drop_is_known, has_headers);
        assert_int_equal(d.drop_is_known ? d.drop : TERN_DROP_NONE, TERN_DROP_NONE);
        if (has_headers) {
            assert_int_equal(d.tcp.payload_bytes, 30);
            assert_int_equal(d.tcp.csum.verdict, TERN_CSUM_UNKNOWN);
        }
    }
}

/* Cut in the padding only: the packet is whole, and its checksum can be judged. */
static void cut_in_the_padding(void **state)
{
    (void)state;
    struct frame f;
    frame_plain(&f, false, 1);
    f.b[frame_csum_off(&f)] ^= 1;
    const struct tern_decoded d = decode_as(TERN_LINK_ETHERNET, f.b, f.n, f.n + 5);
    assert_true(d.is_cut && d.drop_is_known);
    assert_drop(d.drop, TERN_DROP_TCP_CSUM);
}

static void lengths_that_lie(void **state)
{
    (void)state;
    struct frame f;
    frame_plain(&f, false, 4);
    put16(f.b + f.l3 + 2, 1000);
    frame_sum_ip4(&f);
    struct tern_decoded d = decode(&f);
    assert_drop(d.drop, TERN_DROP_IP_LEN);
    assert_int_equal(d.tcp.payload_bytes, 4); /* no more than was on the wire */

    frame_plain(&f, false, 4);
    f.b[f.l4 + 12] = 0x10; /* data offset 4 */
    frame_sum_l4(&f);
    d = decode(&f);
    assert_drop(d.drop, TERN_DROP_TCP_HDR_LEN);
    assert_int_equal(d.tcp.n_opts, 0);

    frame_plain(&f, false, 4);
    f.b[f.l3] = 0x43;
    d = decode(&f);
    assert_drop(d.drop, TERN_DROP_IP_HDR_LEN);
    assert_int_equal(d.transport, TERN_TRANSPORT_NONE);
}

static void arp_and_icmp_and_others(void **state)
{
    (void)state;
    static const uint8_t arp[28] = {
        0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 198, 51, 100, 7, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1};
    struct frame f;
    frame_eth(&f, 0x0806);
    frame_add(&f, arp, sizeof arp);
    frame_fill(&f, 0, 18);
    struct tern_decoded d = decode(&f);
    assert_taken(&d);
    assert_int_equal(d.net, TERN_NET_ARP);
    assert_int_equal(d.arp.op, 1);
    assert_int_equal(d.arp.target.b[15], 1);
    assert_int_equal(d.padding_bytes, 18);
    assert_true(d.padding_is_zero);

    frame_eth(&f, 0x0800);
    frame_ip4(&f, 1, "", 0);
    frame_icmp(&f, 8, 0, 0x00010002);
    frame_seal(&f);
    d = decode(&f);
    assert_taken(&d);
    assert_int_equal(d.transport, TERN_TRANSPORT_ICMP4);
    assert_int_equal(d.icmp.csum.verdict, TERN_CSUM_GOOD);

    frame_eth(&f, 0x0800);
    frame_ip4(&f, 1, "", 0);
    frame_icmp(&f, 0, 0, 0);
    frame_seal(&f);
    d = decode(&f);
    assert_drop(d.drop, TERN_DROP_ICMP_TYPE); /* a reply that nobody asked for */

    frame_eth(&f, 0x0800);
    frame_ip4(&f, 17, "", 0);
    frame_fill(&f, 0, 8);
    frame_seal(&f);
    d = decode(&f);
    assert_int_equal(d.transport, TERN_TRANSPORT_OTHER);
    assert_drop(d.drop, TERN_DROP_IP_PROTO);

    frame_eth(&f, 0x88cc);
    d = decode(&f);
    assert_int_equal(d.net, TERN_NET_OTHER);
    assert_drop(d.drop, TERN_DROP_ETH_TYPE);
}

/* "Fragmentation needed" about a segment of ours. */
static void icmp_error_quotes_a_segment(void **state)
{
    (void)state;
    struct frame quoted, f;
    frame_plain(&quoted, false, 0);
    memcpy(quoted.b + quoted.l3 + 12, my_ip4, 4);
    memcpy(quoted.b + quoted.l3 + 16, peer_ip4, 4);
    frame_seal(&quoted);
    frame_eth(&f, 0x0800);
    frame_ip4(&f, 1, "", 0);
    frame_icmp(&f, 3, 4, 1400);
    frame_add(&f, quoted.b + quoted.l3, 28);
    frame_seal(&f);
    const struct tern_decoded d = decode(&f);
    assert_taken(&d);
    assert_true(d.icmp.has_quote);
    assert_int_equal(d.icmp.quote_sport, 4321);
    assert_int_equal(d.icmp.quote_dport, 80);
    assert_int_equal(d.icmp.quote_seq, 0x01020304);
    assert_int_equal(d.icmp.quote_dst.b[15], 7);
    assert_int_equal(d.icmp.mtu_bytes, 1400);
}

/* Frames with some bytes changed: what the parser takes, this reads the same way. */
static void agrees_with_the_parser(void **state)
{
    (void)state;
    enum { ROUNDS = 200000 };
    static const uint8_t opt[] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7};
    uint64_t random = 1;
    uint32_t n_taken = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct frame f;
        frame_eth(&f, i & 1 ? 0x86dd : 0x0800);
        if (i & 1)
            frame_ip6(&f, 6);
        else
            frame_ip4(&f, 6, "", 0);
        frame_tcp(&f, 0x12, opt, sizeof opt);
        frame_fill(&f, 9, next_random(&random) % 40);
        frame_seal(&f);
        for (uint32_t k = next_random(&random) % 3; k > 0; k--)
            f.b[next_random(&random) % f.n] = (uint8_t)next_random(&random);
        frame_sum_l4(&f);
        if (!f.v6)
            frame_sum_ip4(&f);
        const struct tern_pkt_input in = {
            .frame = f.b, .n_contiguous = f.n, .n_total = f.n, .mac = f.b};
        struct tern_pkt p;
        const enum tern_drop drop = tern_pkt_parse(&in, &p);
        const struct tern_decoded d = decode(&f);
        if (d.link.n_tags == 0 && (drop != TERN_DROP_NONE || p.kind == TERN_PKT_TCP))
            assert_drop(d.drop, drop);
        if (drop == TERN_DROP_NONE)
            assert_true(decoded_agrees(&d, f.b, &p));
        n_taken += drop == TERN_DROP_NONE;
    }
    assert_true(n_taken > ROUNDS / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_fields_in_both_families),
        cmocka_unit_test(padding_is_no_option),
        cmocka_unit_test(checksum_wrong_and_unfinished),
        cmocka_unit_test(tags),
        cmocka_unit_test(tags_without_end),
        cmocka_unit_test(no_ethernet),
        cmocka_unit_test(ip6_extension_headers),
        cmocka_unit_test(fragments),
        cmocka_unit_test(options_of_every_kind),
        cmocka_unit_test(options_that_cannot_be),
        cmocka_unit_test(cut_captures),
        cmocka_unit_test(cut_in_the_padding),
        cmocka_unit_test(lengths_that_lie),
        cmocka_unit_test(arp_and_icmp_and_others),
        cmocka_unit_test(icmp_error_quotes_a_segment),
        cmocka_unit_test(agrees_with_the_parser),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
