/* SPDX-License-Identifier: BSD-3-Clause */
#include "../plain_twin.h"
#include "wire/csum.h"
#include "wire/pkt.h"
#include "wire_frames.h"

enum {
    ALL_GOOD = TERN_RX_IP_CSUM_GOOD | TERN_RX_L4_CSUM_GOOD,
    ETH = 14,
};

/* ---- asking the parser ---- */

static struct tern_pkt_input input(const uint8_t *bytes, uint32_t n)
{
    return (struct tern_pkt_input){.frame = bytes, .n_contiguous = n, .n_total = n, .mac = my_mac};
}

/* What holds for every packet that passed, whatever it is. */
static void assert_bounds(const struct tern_pkt_input *in, const struct tern_pkt *p)
{
    assert_true(p->l3_off <= p->l4_off);
    assert_int_equal(p->l4_off + p->l4_bytes, p->end_off);
    assert_true(p->end_off <= in->n_total);
    if (p->kind != TERN_PKT_TCP) {
        assert_true(p->end_off <= in->n_contiguous);
        return;
    }
    assert_true(p->doff_bytes >= 20 && p->doff_bytes <= 60 && p->doff_bytes <= p->l4_bytes);
    assert_int_equal(p->payload_off, p->l4_off + p->doff_bytes);
    assert_int_equal(p->payload_off + p->len_bytes, p->end_off);
    assert_true(p->payload_off <= in->n_contiguous);
    assert_true(p->payload_off <= TERN_PKT_HEADERS_MAX);
    assert_true(p->src >= in->frame + p->l3_off && p->dst > p->src);
    assert_true(p->dst + (p->v6 ? 16 : 4) <= in->frame + p->l4_off);
}

static enum tern_drop ask(const struct tern_pkt_input *in, struct tern_pkt *p)
{
    memset(p, 0xa5, sizeof *p);
    const enum tern_drop drop = tern_pkt_parse(in, p);
    if (drop == TERN_DROP_NONE)
        assert_bounds(in, p);
    assert_true(plain_agrees(in, drop, p));
    return drop;
}

/* The frame in a block of its exact size, all checksums done in software. */
static enum tern_drop parse(const struct frame *f, struct tern_pkt *p)
{
    const struct tern_pkt_input in = input(exact(f->b, f->n), f->n);
    return ask(&in, p);
}

static enum tern_drop verdict(const struct frame *f)
{
    struct tern_pkt p;
    return parse(f, &p);
}

static enum tern_drop verdict_with_flags(const struct frame *f, unsigned rx_flags)
{
    struct tern_pkt p;
    struct tern_pkt_input in = input(exact(f->b, f->n), f->n);
    in.rx_flags = (uint8_t)rx_flags;
    return ask(&in, &p);
}

/* The first `front` bytes in the first buffer; the rest exists only as its sum. */
static enum tern_drop parse_split(const struct frame *f, uint32_t front, struct tern_pkt *p)
{
    struct tern_pkt_input in = input(exact(f->b, front), front);
    in.n_total = f->n;
    in.tail_sum = tern_csum_add(0, f->b + front, f->n - front);
    return ask(&in, p);
}

/* ---- plain segments ---- */

static void everyday_segments_are_plain(void **state)
{
    (void)state;
    for (int v6 = 0; v6 < 2; v6++)
        for (int l3 = 0; l3 < 2; l3++) {
            struct frame f;
            struct tern_pkt plain, p;
            frame_plain(&f, v6, 100);
            frame_fill(&f, 0, 6); /* padding */
            const uint32_t skip = l3 ? f.l3 : 0;
            struct tern_pkt_input in = input(exact(f.b + skip, f.n - skip), f.n - skip);
            in.l3 = l3;
            assert_true(parse_plain(&in, &plain));
            assert_drop(ask(&in, &p), TERN_DROP_NONE);
            assert_int_equal(plain.len_bytes, 100);
        }
}

static bool is_plain(const struct frame *f, uint16_t vlan)
{
    struct tern_pkt p;
    struct tern_pkt_input in = input(exact(f->b, f->n), f->n);
    in.vlan = vlan;
    return parse_plain(&in, &p);
}

/* One byte of a plain frame made another, by family: 0, or where it does not make the difference.
 */
static void what_is_not_everyday_is_left_to_the_other_parser(void **state)
{
    static const struct {
        uint8_t off4, off6; /* from the IP header; 0xff: not in this family */
        uint8_t value;
    } rows[] = {
        {0, 0, 0x55},        /* version */
        {0, 0xff, 0x46},     /* IPv4 options */
        {6, 0xff, 0x20},     /* more fragments */
        {7, 0xff, 1},        /* fragment offset */
        {9, 6, 17},          /* UDP */
        {2, 4, 0x40},        /* longer than the frame */
        {12, 8, 0xff},       /* from a group, or worse */
        {16, 24, 0xff},      /* to one */
        {20 + 12, 52, 0x40}, /* data offset below a header */
        {20 + 12, 52, 0xf0}, /* … beyond the segment */
        {20 + 13, 53, 0},    /* no control bit */
        {20 + 13, 53, TERN_TCP_SYN | TERN_TCP_FIN},
    };
    (void)state;
    for (int v6 = 0; v6 < 2; v6++)
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            const uint8_t off = v6 ? rows[i].off6 : rows[i].off4;
            struct frame f;
            frame_plain(&f, v6, 0);
            assert_true(is_plain(&f, 0));
            if (off == 0xff)
                continue;
            f.b[f.l3 + off] = rows[i].value;
            assert_false(is_plain(&f, 0));
        }
}

static void links_with_tags_and_other_stations_have_no_plain_segments(void **state)
{
    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        struct frame f;
        frame_plain(&f, v6, 0);
        assert_false(is_plain(&f, 7));
        for (uint32_t at = 0; at < 6; at++) {
            f.b[at] ^= 1;
            assert_false(is_plain(&f, 0));
            f.b[at] ^= 1;
        }
        f.b[6] |= 1; /* from a group */
        assert_false(is_plain(&f, 0));
        f.b[6] &= 0xfe;
        for (uint32_t n = f.l3; n < f.n; n++) {
            struct frame cut = f;
            cut.n = n;
            assert_false(is_plain(&cut, 0));
        }
        assert_true(is_plain(&f, 0));
    }
}

/* ---- the seed ---- */

static void seed_frames_parse_to_their_table(void **state)
{
    (void)state;
    static const struct {
        uint16_t sport, dport;
        uint32_t seq, ack;
        uint8_t flags;
        uint16_t wnd;
        uint8_t ttl, doff, has;
    } rows[7] = {
        {1037, 139, 8221822, 0, TERN_TCP_SYN, 8192, 128, 24, TERN_HAS_MSS},
        {139, 1037, 1109645, 8221823, TERN_TCP_SYN | TERN_TCP_ACK, 8760, 128, 24, TERN_HAS_MSS},
        {1037, 139, 8221823, 1109646, TERN_TCP_ACK, 8760, 128, 20, 0},
        {2337, 1352, 186685100, 3462835714, TERN_TCP_ACK | TERN_TCP_FIN, 8760, 128, 20, 0},
        {1352, 2337, 3462835714, 186685101, TERN_TCP_ACK, 28672, 63, 20, 0},
        {1352, 2337, 3462835714, 186685101, TERN_TCP_ACK | TERN_TCP_FIN, 28672, 63, 20, 0},
        {2337, 1352, 186685101, 3462835715, TERN_TCP_ACK, 8760, 128, 20, 0},
    };
    for (int i = 0; i < 7; i++) {
        uint8_t bytes[64];
        const uint32_t n = unhex(seed_frames[i], bytes);
        struct tern_pkt_input in = input(exact(bytes, n), n);
        in.mac = bytes;
        struct tern_pkt p;
        struct tern_tcp_opts o;
        assert_drop(ask(&in, &p), TERN_DROP_NONE);
        assert_int_equal(p.kind, TERN_PKT_TCP);
        assert_int_equal(p.sport, rows[i].sport);
        assert_int_equal(p.dport, rows[i].dport);
        assert_int_equal(p.seq.v, rows[i].seq);
        assert_int_equal(p.ack.v, rows[i].ack);
        assert_int_equal(p.flags, rows[i].flags);
        assert_int_equal(p.wnd, rows[i].wnd);
        assert_int_equal(p.hop_limit, rows[i].ttl);
        assert_int_equal(p.doff_bytes, rows[i].doff);
        assert_int_equal(p.len_bytes, 0); /* the padding is no data … */
        assert_int_equal(p.end_off, 34u + rows[i].doff);
        tern_pkt_tcp_opts(in.frame, &p, &o); /* … and no option: frame 6's would be an MSS */
        assert_int_equal(o.has, rows[i].has);
        assert_int_equal(o.mss, rows[i].has ? 1460 : 0);
    }
}

/* Every single bit: in the headers it is caught by a checksum or a check, in the padding by nobody.
 */
static void seed_frames_one_bit_flipped_are_refused_unless_it_is_padding(void **state)
{
    (void)state;
    for (int i = 0; i < 7; i++) {
        uint8_t bytes[64];
        const uint32_t n = unhex(seed_frames[i], bytes);
        const uint32_t end = ETH + get16(bytes + 16);
        for (uint32_t bit = ETH * 8; bit < n * 8; bit++) {
            uint8_t bent[64];
            memcpy(bent, bytes, n);
            bent[bit / 8] ^= (uint8_t)(1u << bit % 8);
            struct tern_pkt_input in = input(exact(bent, n), n);
            in.mac = bytes;
            struct tern_pkt p;
            assert_int_equal(ask(&in, &p) == TERN_DROP_NONE, bit / 8 >= end);
        }
    }
}

/* ---- fields ---- */

static void tcp_fields_of_both_families_are_read(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        struct frame f;
        struct tern_pkt p;
        frame_plain(&f, six, 5);
        assert_drop(parse(&f, &p), TERN_DROP_NONE);
        assert_int_equal(p.kind, TERN_PKT_TCP);
        assert_int_equal(p.v6, six);
        assert_false(p.group_mac);
        assert_memory_equal(p.src, six ? peer_ip6 : peer_ip4, six ? 16 : 4);
        assert_memory_equal(p.dst, six ? my_ip6 : my_ip4, six ? 16 : 4);
        assert_int_equal(p.l3_off, ETH);
        assert_int_equal(p.l4_off, six ? 54 : 34);
        assert_int_equal(p.l4_bytes, 25);
        assert_int_equal(p.hop_limit, six ? 63 : 61);
        assert_int_equal(p.tos, 0x28);
        assert_int_equal(p.flags, TERN_TCP_ACK | TERN_TCP_PSH);
        assert_int_equal(p.sport, 4321);
        assert_int_equal(p.dport, 80);
        assert_int_equal(p.seq.v, 0x01020304);
        assert_int_equal(p.ack.v, 0xa0b0c0d0);
        assert_int_equal(p.wnd, 0xfedc);
        assert_int_equal(p.urg, 0x1357);
        assert_int_equal(p.payload_off, p.l4_off + 20);
        assert_int_equal(p.len_bytes, 5);
    }
}

static void ethernet_padding_of_any_length_and_value_is_never_data(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        for (uint32_t n_pad = 0; n_pad <= 64; n_pad++) {
            struct frame f;
            struct tern_pkt p;
            frame_plain(&f, six, 3);
            const uint32_t end = f.n;
            frame_fill(&f, 0xff, n_pad);
            assert_drop(parse(&f, &p), TERN_DROP_NONE);
            assert_int_equal(p.len_bytes, 3);
            assert_int_equal(p.end_off, end);
        }
    }
}

static void l3_input_starts_at_the_ip_header(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        struct frame f;
        struct tern_pkt p;
        frame_plain(&f, six, 9);
        for (uint32_t n = 0; n <= f.n - ETH; n++) {
            struct tern_pkt_input in = input(exact(f.b + ETH, n), n);
            in.l3 = true;
            in.mac = NULL;
            const enum tern_drop drop = ask(&in, &p);
            if (n < (six ? 40u : 20u))
                assert_drop(drop, TERN_DROP_IP_SHORT);
            else
                assert_drop(drop, n < f.n - ETH ? TERN_DROP_IP_LEN : TERN_DROP_NONE);
        }
        assert_int_equal(p.l3_off, 0);
        assert_int_equal(p.v6, six);
        assert_int_equal(p.len_bytes, 9);
    }
    for (uint32_t nibble = 0; nibble < 16; nibble++) {
        const uint8_t byte = (uint8_t)(nibble << 4);
        struct tern_pkt_input in = input(exact(&byte, 1), 1);
        struct tern_pkt p;
        in.l3 = true;
        assert_drop(
            ask(&in, &p), nibble == 4 || nibble == 6 ? TERN_DROP_IP_SHORT : TERN_DROP_IP_VERSION);
    }
}

/* ---- the length matrix ---- */

/* What RFC 791 and RFC 9293 say of these four lengths, in the order the parser promises. */
static enum tern_drop want_ip4_tcp(uint32_t n, uint32_t ihl, uint32_t total, uint32_t doff)
{
    if (n < ETH)
        return TERN_DROP_ETH_RUNT;
    if (n < ETH + 20)
        return TERN_DROP_IP_SHORT;
    if (ihl < 5 || ETH + ihl * 4 > n)
        return TERN_DROP_IP_HDR_LEN;
    if (total < ihl * 4 || ETH + total > n)
        return TERN_DROP_IP_LEN;
    if (total < ihl * 4 + 20)
        return TERN_DROP_TCP_SHORT;
    if (doff < 5 || ihl * 4 + doff * 4 > total)
        return TERN_DROP_TCP_HDR_LEN;
    return TERN_DROP_NONE;
}

static void put_ip4_tcp(uint8_t *b, uint32_t ihl, uint32_t total, uint32_t doff)
{
    struct frame f;
    frame_plain(&f, false, 0);
    memset(b, TERN_OPT_NOP, 256); /* in IPv4 and in TCP 1 is "no operation" */
    memcpy(b, f.b, ETH + 20);
    memcpy(b + ETH + ihl * 4, f.b + ETH + 20, 20);
    b[ETH] = (uint8_t)(0x40 | ihl);
    put16(b + ETH + 2, total);
    b[ETH + ihl * 4 + 12] = (uint8_t)(doff << 4);
}

static void length_matrix_ip4_tcp(void **state)
{
    (void)state;
    for (uint32_t ihl = 5; ihl <= 15; ihl++) {
        for (uint32_t doff = 0; doff <= 15; doff++) {
            const uint32_t full = ihl * 4 + 20, ideal = ihl * 4 + doff * 4;
            const uint32_t totals[] = {0, 1, 19, 20, ihl * 4 - 1, ihl * 4, ihl * 4 + 1, full - 1,
                full, full + 1, ideal - 1, ideal, ideal + 1, 128, 32768, 65535};
            const uint32_t sizes[] = {0, 1, 13, 14, 15, 33, 34, 35, ETH + ihl * 4 - 1,
                ETH + ihl * 4, ETH + ihl * 4 + 1, ETH + full - 1, ETH + full, ETH + full + 1,
                ETH + ideal - 1, ETH + ideal, ETH + ideal + 1, ETH + 128};
            for (size_t t = 0; t < sizeof totals / sizeof totals[0]; t++) {
                uint8_t b[256];
                put_ip4_tcp(b, ihl, totals[t], doff);
                for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
                    struct tern_pkt p;
                    struct tern_pkt_input in = input(exact(b, sizes[s]), sizes[s]);
                    in.rx_flags = ALL_GOOD;
                    assert_drop(ask(&in, &p), want_ip4_tcp(sizes[s], ihl, totals[t], doff));
                    in.rx_flags = 0; /* nothing but survival: the sums run over the same bytes */
                    ask(&in, &p);
                }
            }
        }
    }
}

static void ip4_header_length_below_five_words_is_refused_at_every_frame_length(void **state)
{
    (void)state;
    for (uint32_t ihl = 0; ihl < 5; ihl++) {
        struct frame f;
        frame_plain(&f, false, 40);
        f.b[ETH] = (uint8_t)(0x40 | ihl);
        for (uint32_t n = ETH + 20; n <= f.n; n++) {
            struct tern_pkt_input in = input(exact(f.b, n), n);
            struct tern_pkt p;
            in.rx_flags = ALL_GOOD;
            assert_drop(ask(&in, &p), TERN_DROP_IP_HDR_LEN);
        }
    }
}

static enum tern_drop want_ip6_tcp(uint32_t n, uint32_t payload, uint32_t doff)
{
    if (n < ETH)
        return TERN_DROP_ETH_RUNT;
    if (n < ETH + 40)
        return TERN_DROP_IP_SHORT;
    if (ETH + 40 + payload > n)
        return TERN_DROP_IP_LEN;
    if (payload < 20)
        return TERN_DROP_TCP_SHORT;
    if (doff < 5 || doff * 4 > payload)
        return TERN_DROP_TCP_HDR_LEN;
    return TERN_DROP_NONE;
}

static void length_matrix_ip6_tcp(void **state)
{
    (void)state;
    static const uint32_t payloads[] = {
        0, 1, 4, 19, 20, 21, 23, 24, 25, 39, 40, 41, 59, 60, 61, 80, 32768, 65535};
    for (uint32_t doff = 0; doff <= 15; doff++) {
        for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
            struct frame f;
            frame_plain(&f, true, 70);
            f.b[f.l4 + 12] = (uint8_t)(doff << 4);
            put16(f.b + f.l3 + 4, payloads[i]);
            for (uint32_t n = 0; n <= f.n; n++) {
                struct tern_pkt p;
                struct tern_pkt_input in = input(exact(f.b, n), n);
                in.rx_flags = ALL_GOOD;
                assert_drop(ask(&in, &p), want_ip6_tcp(n, payloads[i], doff));
                in.rx_flags = 0;
                ask(&in, &p);
            }
        }
    }
}

static void icmp_shorter_than_its_header_is_refused(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        for (uint32_t n = 0; n <= 12; n++) {
            struct frame f;
            frame_eth(&f, six ? 0x86dd : 0x0800);
            if (six)
                frame_ip6(&f, 58);
            else
                frame_ip4(&f, 1, "", 0);
            frame_icmp(&f, six ? 128 : 8, 0, 0x00010001);
            frame_fill(&f, 0x77, 4);
            f.n = f.l4 + n;
            if (n >= 4)
                frame_seal(&f);
            else if (six)
                put16(f.b + f.l3 + 4, n);
            else {
                put16(f.b + f.l3 + 2, 20 + n);
                frame_sum_ip4(&f);
            }
            assert_drop(verdict(&f), n < 8 ? TERN_DROP_ICMP_SHORT : TERN_DROP_NONE);
            /* and with the length claiming more than there is (the CVE-2021-31890 class) */
            put16(f.b + f.l3 + (six ? 4 : 2), n + (six ? 1 : 21));
            if (!six)
                frame_sum_ip4(&f);
            assert_drop(verdict(&f), TERN_DROP_IP_LEN);
        }
    }
}

/* ---- link ---- */

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

/* ---- IPv4 ---- */

static void ip_version_must_match_the_ethertype(void **state)
{
    (void)state;
    for (uint32_t nibble = 0; nibble < 16; nibble++) {
        for (int six = 0; six < 2; six++) {
            struct frame f;
            frame_plain(&f, six, 0);
            f.b[ETH] = (uint8_t)(nibble << 4 | (f.b[ETH] & 15));
            const bool same = nibble == (six ? 6 : 4);
            assert_drop(verdict(&f), same ? TERN_DROP_NONE : TERN_DROP_IP_VERSION);
        }
    }
}

static void ip4_fragments_are_refused_and_other_bits_are_not(void **state)
{
    (void)state;
    for (uint32_t bit = 0; bit < 16; bit++) {
        struct frame f;
        frame_plain(&f, false, 8);
        put16(f.b + ETH + 6, 1u << bit);
        frame_sum_ip4(&f);
        /* 15 is reserved, 14 is "don't fragment" */
        assert_drop(verdict(&f), bit >= 14 ? TERN_DROP_NONE : TERN_DROP_IP_FRAGMENT);
    }
}

static void ip4_options_by_table(void **state)
{
    (void)state;
    static const struct {
        const char *what, *hex;
        enum tern_drop want;
    } rows[] = {
        {"NOP, EOL and garbage behind it", "0100ff00", TERN_DROP_NONE},
        {"record route, skipped",
            "07070401020304"
            "00",
            TERN_DROP_NONE},
        {"router alert, skipped", "94040000", TERN_DROP_NONE},
        {"unknown, well-formed (MUST-50)", "5e04abcd", TERN_DROP_NONE},
        {"unknown of length 2", "5e025e02", TERN_DROP_NONE},
        {"loose source route",
            "83070401020304"
            "00",
            TERN_DROP_IP_OPTION},
        {"strict source route",
            "89070401020304"
            "00",
            TERN_DROP_IP_OPTION},
        {"source route behind another",
            "0194040000"
            "830304",
            TERN_DROP_IP_OPTION},
        {"length 0", "5e000000", TERN_DROP_IP_OPTION},
        {"length 1", "5e010000", TERN_DROP_IP_OPTION},
        {"length past the header", "5e050000", TERN_DROP_IP_OPTION},
        {"length 255", "07ff0401", TERN_DROP_IP_OPTION},
        {"kind without length", "0101015e", TERN_DROP_IP_OPTION},
        {"forty bytes of options",
            "5e28"
            "00000000000000000000000000000000000000000000000000"
            "00000000000000000000000000",
            TERN_DROP_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t opt[64];
        struct frame f;
        frame_eth(&f, 0x0800);
        frame_ip4(&f, 6, opt, unhex(rows[i].hex, opt));
        frame_tcp(&f, TERN_TCP_SYN, "", 0);
        frame_seal(&f);
        if (verdict(&f) != rows[i].want)
            fail_msg("%s: %s", rows[i].what, drop_name(verdict(&f)));
    }
}

static void ip4_option_illegal_length_at_every_position_is_refused(void **state)
{
    (void)state;
    for (uint32_t n_opt = 4; n_opt <= 40; n_opt += 4) {
        for (uint32_t at = 0; at < n_opt; at++) {
            for (uint32_t len = 0; len < 64; len++) {
                uint8_t opt[40];
                memset(opt, 1, sizeof opt);
                opt[at] = 0x5e;
                if (at + 1 < n_opt)
                    opt[at + 1] = (uint8_t)len;
                const bool legal = at + 1 < n_opt && len >= 2 && at + len <= n_opt;
                struct frame f;
                frame_eth(&f, 0x0800);
                frame_ip4(&f, 6, opt, n_opt);
                frame_tcp(&f, TERN_TCP_SYN, "", 0);
                frame_seal(&f);
                assert_drop(verdict(&f), legal ? TERN_DROP_NONE : TERN_DROP_IP_OPTION);
            }
        }
    }
}

/* ---- addresses ---- */

static void ip4_addresses_by_table(void **state)
{
    (void)state;
    static const struct {
        uint8_t addr[4];
        bool ok;
    } rows[] = {
        {{0, 0, 0, 0}, false},
        {{0, 1, 2, 3}, false},
        {{127, 0, 0, 1}, false},
        {{224, 0, 0, 1}, false},
        {{239, 255, 255, 255}, false},
        {{240, 0, 0, 1}, false},
        {{255, 255, 255, 255}, false},
        {{1, 0, 0, 1}, true},
        {{126, 1, 1, 1}, true},
        {{128, 0, 0, 1}, true},
        {{223, 255, 255, 254}, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int icmp = 0; icmp < 2; icmp++) {
            struct frame f;
            frame_eth(&f, 0x0800);
            frame_ip4(&f, icmp ? 1 : 6, "", 0);
            if (icmp)
                frame_icmp(&f, 8, 0, 0);
            else
                frame_tcp(&f, TERN_TCP_SYN, "", 0);
            struct frame from = f, to = f;
            memcpy(from.b + ETH + 12, rows[i].addr, 4);
            memcpy(to.b + ETH + 16, rows[i].addr, 4);
            frame_seal(&from);
            frame_seal(&to);
            assert_drop(verdict(&from), rows[i].ok ? TERN_DROP_NONE : TERN_DROP_IP_SRC);
            assert_drop(verdict(&to), rows[i].ok ? TERN_DROP_NONE : TERN_DROP_IP_DST);
        }
    }
}

static void ip6_addresses_by_table(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool tcp_src, icmp_src, tcp_dst, icmp_dst;
    } rows[] = {
        {"00000000000000000000000000000000", false, true, false, false}, /* :: in DAD */
        {"00000000000000000000000000000001", false, false, false, false},
        {"00000000000000000000ffffc0000201", false, false, false, false}, /* IPv4-mapped */
        {"ff020000000000000000000000000001", false, false, false, true},
        {"ff0e0000000000000000000000000001", false, false, false, true},
        {"fe800000000000000000000000000001", true, true, true, true},
        {"00000000000000000000000000000002", true, true, true, true},
        {"20010db8000000000000000000000009", true, true, true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int icmp = 0; icmp < 2; icmp++) {
            struct frame f;
            frame_eth(&f, 0x86dd);
            frame_ip6(&f, icmp ? 58 : 6);
            if (icmp)
                frame_icmp(&f, 135, 0, 0);
            else
                frame_tcp(&f, TERN_TCP_SYN, "", 0);
            struct frame from = f, to = f;
            unhex(rows[i].hex, from.b + ETH + 8);
            unhex(rows[i].hex, to.b + ETH + 24);
            frame_seal(&from);
            frame_seal(&to);
            const bool src_ok = icmp ? rows[i].icmp_src : rows[i].tcp_src;
            const bool dst_ok = icmp ? rows[i].icmp_dst : rows[i].tcp_dst;
            assert_drop(verdict(&from), src_ok ? TERN_DROP_NONE : TERN_DROP_IP_SRC);
            assert_drop(verdict(&to), dst_ok ? TERN_DROP_NONE : TERN_DROP_IP_DST);
        }
    }
}

static void icmp6_by_group_mac_passes_to_a_group_address_only(void **state)
{
    (void)state;
    struct frame f;
    struct tern_pkt p;
    frame_eth(&f, 0x86dd);
    memcpy(f.b, "\x33\x33\x00\x00\x00\x01", 6);
    frame_ip6(&f, 58);
    frame_icmp(&f, 135, 0, 0);
    frame_seal(&f);
    assert_drop(verdict(&f), TERN_DROP_IP_DST);
    unhex("ff020000000000000000000000000001", f.b + ETH + 24);
    frame_seal(&f);
    assert_drop(parse(&f, &p), TERN_DROP_NONE);
    assert_true(p.group_mac);
    assert_int_equal(p.kind, TERN_PKT_ICMP6);
}

static void other_protocols_are_refused(void **state)
{
    (void)state;
    for (uint32_t proto = 0; proto < 256; proto++) {
        for (int six = 0; six < 2; six++) {
            struct frame f;
            frame_plain(&f, six, 0);
            f.b[ETH + (six ? 6 : 9)] = (uint8_t)proto;
            if (!six)
                frame_sum_ip4(&f);
            const enum tern_drop drop = verdict_with_flags(&f, TERN_RX_L4_CSUM_GOOD);
            const bool known = proto == 6 || proto == (six ? 58 : 1);
            const bool ext = six && (proto == 0 || proto == 43 || proto == 44 || proto == 60);
            if (known)
                assert_drop(drop, TERN_DROP_NONE);
            else if (!ext)
                assert_drop(drop, TERN_DROP_IP_PROTO);
        }
    }
}

/* ---- IPv6 extension headers ---- */

/* A chain in hex behind the IPv6 header, whose first header is `next`; TCP follows. */
static void frame_chain(struct frame *f, uint8_t next, const char *hex)
{
    uint8_t ext[2048];
    frame_eth(f, 0x86dd);
    frame_ip6(f, next);
    frame_add(f, ext, unhex(hex, ext));
    frame_tcp(f, TERN_TCP_SYN, "", 0);
    frame_seal(f);
}

static void ip6_extension_chains_by_table(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t next;
        const char *hex;
        enum tern_drop want;
    } rows[] = {
        {"hop-by-hop, PadN", 0, "0600010400000000", TERN_DROP_NONE},
        {"hop-by-hop, router alert", 0, "0600050200000100", TERN_DROP_NONE},
        {"destination options, Pad1 x 6", 60, "0600000000000000", TERN_DROP_NONE},
        {"hop-by-hop, then destination options, then routing", 0,
            "3c00010400000000"
            "2b00010400000000"
            "0600000000000000",
            TERN_DROP_NONE},
        {"hop-by-hop twice", 0,
            "0000010400000000"
            "0600010400000000",
            TERN_DROP_IP6_EXT},
        {"hop-by-hop second", 60,
            "0000010400000000"
            "0600010400000000",
            TERN_DROP_IP6_EXT},
        {"routing type 0, one segment left", 43, "0600000100000000", TERN_DROP_IP6_EXT},
        {"routing type 3, one segment left", 43, "0600030100000000", TERN_DROP_IP6_EXT},
        {"routing type 4, none left", 43, "0600040000000000", TERN_DROP_NONE},
        {"fragment", 44, "0600000112345678", TERN_DROP_IP_FRAGMENT},
        {"atomic fragment", 44, "0600000012345678", TERN_DROP_IP_FRAGMENT},
        {"fragment behind destination options", 60,
            "2c00010400000000"
            "0600000012345678",
            TERN_DROP_IP_FRAGMENT},
        {"no next header", 60, "3b00010400000000", TERN_DROP_IP_PROTO},
        {"unknown next header", 60, "fd00010400000000", TERN_DROP_IP_PROTO},
        {"ESP", 50, "0600010400000000", TERN_DROP_IP_PROTO},
        {"AH", 51, "0600010400000000", TERN_DROP_IP_PROTO},
        {"option past the end", 60, "0600010500000000", TERN_DROP_IP6_EXT},
        {"option of length 255", 60, "060001ff00000000", TERN_DROP_IP6_EXT},
        {"option type as the last byte", 60, "0600010300000005", TERN_DROP_IP6_EXT},
        {"unknown option, skip (00)", 60, "06003e0400000000", TERN_DROP_NONE},
        {"unknown option, discard (01)", 60, "06007e0400000000", TERN_DROP_IP6_EXT},
        {"unknown option, discard and tell (10)", 60, "0600be0400000000", TERN_DROP_IP6_EXT},
        {"unknown option, discard and tell (11)", 60, "0600fe0400000000", TERN_DROP_IP6_EXT},
        {"jumbo payload", 0, "0600c20400010000", TERN_DROP_IP6_EXT},
        {"header of 2048 bytes", 60, "06ff010400000000", TERN_DROP_IP6_EXT},
        {"header beyond the packet", 60, "0609010400000000", TERN_DROP_IP6_EXT},
        {"16 options", 60,
            "0602"
            "000000000000000000000000000000"
            "01050000000000",
            TERN_DROP_NONE},
        {"17 options", 60,
            "0602"
            "00000000000000000000000000000000"
            "010400000000",
            TERN_DROP_IP6_EXT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct frame f;
        frame_chain(&f, rows[i].next, rows[i].hex);
        if (verdict(&f) != rows[i].want)
            fail_msg("%s: %s", rows[i].what, drop_name(verdict(&f)));
    }
}

static void ip6_chain_is_bounded_in_headers_and_bytes(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 100; n++) {
        struct frame f;
        frame_eth(&f, 0x86dd);
        frame_ip6(&f, 60);
        for (uint32_t i = 1; i <= n; i++)
            frame_add(&f, i < n ? "\x3c\0\1\4\0\0\0\0" : "\6\0\1\4\0\0\0\0", 8);
        frame_tcp(&f, TERN_TCP_SYN, "", 0);
        frame_seal(&f);
        assert_drop(verdict(&f), n <= TERN_IP6_EXT_MAX ? TERN_DROP_NONE : TERN_DROP_IP6_EXT);
    }
    for (uint32_t units = 1; units <= 256; units++) {
        struct frame f;
        frame_eth(&f, 0x86dd);
        frame_ip6(&f, 60);
        const uint32_t bytes = units * 8;
        const uint8_t head[2] = {6, (uint8_t)(units - 1)};
        frame_add(&f, head, 2);
        for (uint32_t left = bytes - 2; left > 0;) { /* PadN as long as they go */
            const uint32_t n = left > 257 ? 200 : left;
            const uint8_t pad[2] = {1, (uint8_t)(n - 2)};
            frame_add(&f, pad, 2);
            frame_fill(&f, 0, n - 2);
            left -= n;
        }
        frame_tcp(&f, TERN_TCP_SYN, "", 0);
        frame_seal(&f);
        const bool fits = bytes <= TERN_IP6_EXT_BYTES_MAX;
        assert_drop(verdict(&f), fits ? TERN_DROP_NONE : TERN_DROP_IP6_EXT);
    }
}

/* The packet ends, and so does the block, at every byte of a chain. */
static void ip6_chain_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct frame whole;
    struct tern_pkt p;
    frame_chain(&whole, 0,
        "3c01010c000000000000000000000000"
        "2b00010400000000"
        "06010400000000000000000000000000");
    assert_drop(parse(&whole, &p), TERN_DROP_NONE);
    assert_int_equal(p.l4_off, ETH + 40 + 40);
    for (uint32_t n = ETH + 40; n < whole.n; n++) {
        struct frame f = whole;
        f.n = n;
        put16(f.b + ETH + 4, n - ETH - 40);
        assert_drop(verdict(&f), n < ETH + 80 ? TERN_DROP_IP6_EXT : TERN_DROP_TCP_SHORT);
        put16(f.b + ETH + 4, n - ETH - 39);
        assert_drop(verdict(&f), TERN_DROP_IP_LEN);
        /* the frame goes on where the packet ends: what follows is padding, not the chain */
        f.n = whole.n;
        put16(f.b + ETH + 4, n - ETH - 40);
        assert_drop(verdict(&f), n < ETH + 80 ? TERN_DROP_IP6_EXT : TERN_DROP_TCP_SHORT);
    }
}

/* Every option length at every place in an options header of every small size. */
static void ip6_option_illegal_length_at_every_position_is_refused(void **state)
{
    (void)state;
    for (uint32_t units = 1; units <= 3; units++) {
        const uint32_t n = units * 8;
        for (uint32_t at = 2; at < n; at++) {
            for (uint32_t len = 0; len < 256; len++) {
                uint8_t ext[24] = {6, (uint8_t)(units - 1)};
                ext[at] = 1;
                if (at + 1 < n)
                    ext[at + 1] = (uint8_t)len;
                struct frame f;
                frame_eth(&f, 0x86dd);
                frame_ip6(&f, 60);
                frame_add(&f, ext, n);
                frame_tcp(&f, TERN_TCP_SYN, "", 0);
                frame_seal(&f);
                const bool legal = at + 1 < n && at + 2 + len <= n;
                /* Pad1s in front and behind */
                const uint32_t n_opts = at - 2 + 1 + (legal ? n - at - 2 - len : 0);
                const bool ok = legal && n_opts <= TERN_IP6_OPT_MAX;
                assert_drop(verdict(&f), ok ? TERN_DROP_NONE : TERN_DROP_IP6_EXT);
            }
        }
    }
}

/* ---- TCP ---- */

static void tcp_control_bits_all_256(void **state)
{
    (void)state;
    for (uint32_t flags = 0; flags < 256; flags++) {
        struct frame f;
        frame_eth(&f, 0x0800);
        frame_ip4(&f, 6, "", 0);
        frame_tcp(&f, (uint8_t)flags, "", 0);
        frame_seal(&f);
        const bool syn = flags & TERN_TCP_SYN;
        const bool bad = (flags & 0x3f) == 0 || (syn && (flags & TERN_TCP_FIN))
                         || (syn && (flags & TERN_TCP_RST));
        assert_drop(verdict(&f), bad ? TERN_DROP_TCP_FLAGS : TERN_DROP_NONE);
    }
}

static void tcp_reserved_bits_are_ignored(void **state)
{
    (void)state;
    struct frame f;
    frame_plain(&f, false, 1);
    f.b[f.l4 + 12] |= 0x0f;
    frame_seal(&f);
    assert_drop(verdict(&f), TERN_DROP_NONE);
}

static void tcp_port_zero_is_refused(void **state)
{
    (void)state;
    for (uint32_t at = 0; at <= 2; at += 2) {
        struct frame f;
        frame_plain(&f, false, 1);
        put16(f.b + f.l4 + at, 0);
        frame_seal(&f);
        assert_drop(verdict(&f), TERN_DROP_TCP_PORT_ZERO);
        put16(f.b + f.l4 + at, 65535);
        frame_seal(&f);
        assert_drop(verdict(&f), TERN_DROP_NONE);
    }
}

static void tcp_options_are_handed_to_the_walker_and_end_with_the_header(void **state)
{
    (void)state;
    struct frame f;
    struct tern_pkt p;
    struct tern_tcp_opts o;
    frame_eth(&f, 0x0800);
    frame_ip4(&f, 6, "", 0);
    frame_tcp(&f, TERN_TCP_SYN, "\1\1\1\2", 4); /* the length and value would be payload */
    frame_add(&f, "\4\x05\xb4", 3);
    frame_seal(&f);
    const struct tern_pkt_input in = input(exact(f.b, f.n), f.n);
    assert_drop(ask(&in, &p), TERN_DROP_NONE);
    tern_pkt_tcp_opts(in.frame, &p, &o);
    assert_int_equal(o.has, TERN_HAS_MALFORMED);
}

/* ---- checksums ---- */

static void checksum_verdicts_of_the_device_by_table(void **state)
{
    (void)state;
    enum {
        IP_GOOD = TERN_RX_IP_CSUM_GOOD,
        IP_BAD = TERN_RX_IP_CSUM_BAD,
        L4_GOOD = TERN_RX_L4_CSUM_GOOD,
        L4_BAD = TERN_RX_L4_CSUM_BAD,
    };
    static const struct {
        bool ip_right, l4_right;
        unsigned flags;
        enum tern_drop want;
    } rows[] = {
        {true, true, 0, TERN_DROP_NONE},
        {true, true, IP_GOOD | L4_GOOD, TERN_DROP_NONE},
        {true, true, IP_BAD, TERN_DROP_IP_CSUM},
        {true, true, L4_BAD, TERN_DROP_TCP_CSUM},
        {true, true, IP_GOOD | IP_BAD, TERN_DROP_IP_CSUM},
        {true, true, L4_GOOD | L4_BAD, TERN_DROP_TCP_CSUM},
        {false, true, 0, TERN_DROP_IP_CSUM},
        {false, true, L4_GOOD, TERN_DROP_IP_CSUM},
        {false, true, IP_GOOD, TERN_DROP_NONE},
        {true, false, 0, TERN_DROP_TCP_CSUM},
        {true, false, IP_GOOD, TERN_DROP_TCP_CSUM},
        {true, false, L4_GOOD, TERN_DROP_NONE},
        {false, false, IP_GOOD | L4_GOOD, TERN_DROP_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct frame f;
        frame_plain(&f, false, 7);
        f.b[ETH + 11] ^= rows[i].ip_right ? 0 : 1;
        f.b[f.l4 + 17] ^= rows[i].l4_right ? 0 : 1;
        assert_drop(verdict_with_flags(&f, rows[i].flags), rows[i].want);
    }
}

static void tcp_checksum_is_verified_at_every_payload_length(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        for (uint32_t n = 0; n <= 200; n++) {
            struct frame f;
            frame_plain(&f, six, n);
            assert_drop(verdict(&f), TERN_DROP_NONE);
            f.b[f.n - 1] ^= 1;
            assert_drop(verdict(&f), TERN_DROP_TCP_CSUM);
        }
    }
}

/* A payload word that brings the sum of all else to 0xffff, so that the right checksum is 0. */
static void tcp_checksum_zero_is_a_checksum_like_any_other(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        struct frame f;
        frame_plain(&f, six, 2);
        uint8_t *csum = f.b + f.l4 + 16, *word = f.b + f.l4 + 20;
        put16(csum, 0);
        put16(word, 0);
        put16(word, 0xffff - slow_l4_sum(&f, 22));
        assert_int_equal(slow_l4_sum(&f, 22), 0xffff);
        assert_drop(verdict(&f), TERN_DROP_NONE);
        put16(csum, 0xffff); /* minus zero: the same number */
        assert_drop(verdict(&f), TERN_DROP_NONE);
        put16(csum, 1);
        assert_drop(verdict(&f), TERN_DROP_TCP_CSUM);
        put16(csum, 0); /* 0 does not mean "not computed", as it would for UDP */
        word[0] ^= 0x10;
        assert_drop(verdict(&f), TERN_DROP_TCP_CSUM);
    }
}

static void icmp_checksum_is_verified_for_both_families(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        for (uint32_t n = 0; n < 9; n++) {
            struct frame f;
            frame_eth(&f, six ? 0x86dd : 0x0800);
            if (six)
                frame_ip6(&f, 58);
            else
                frame_ip4(&f, 1, "", 0);
            frame_icmp(&f, six ? 128 : 8, 0, 0x12345678);
            frame_fill(&f, 0xee, n);
            frame_seal(&f);
            assert_drop(verdict(&f), TERN_DROP_NONE);
            f.b[f.n - 1] ^= 1;
            assert_drop(verdict(&f), TERN_DROP_ICMP_CSUM);
            assert_drop(verdict_with_flags(&f, TERN_RX_L4_CSUM_GOOD), TERN_DROP_NONE);
            f.b[f.n - 1] ^= 1;
            assert_drop(verdict_with_flags(&f, TERN_RX_L4_CSUM_BAD), TERN_DROP_ICMP_CSUM);
        }
    }
}

/* ---- frames in several buffers ---- */

static void split_tcp_is_taken_when_its_headers_are_together(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        for (uint32_t n_payload = 0; n_payload < 70; n_payload += 23) {
            struct frame f;
            frame_plain(&f, six, n_payload);
            const uint32_t headers = f.n - n_payload;
            for (uint32_t front = 0; front < f.n; front++) {
                struct tern_pkt p;
                const enum tern_drop drop = parse_split(&f, front, &p);
                assert_drop(drop, front < headers ? TERN_DROP_LINEARISE : TERN_DROP_NONE);
                if (drop == TERN_DROP_NONE)
                    assert_int_equal(p.len_bytes, n_payload);
            }
        }
    }
}

static void split_tcp_with_options_needs_them_together(void **state)
{
    (void)state;
    struct frame f;
    struct tern_pkt p;
    frame_eth(&f, 0x86dd);
    frame_ip6(&f, 60);
    frame_add(&f, "\6\0\1\4\0\0\0\0", 8);
    frame_tcp(&f, TERN_TCP_ACK, "\1\1\x8\xa\0\0\0\1\0\0\0\2", 12);
    frame_fill(&f, 0x42, 31);
    frame_seal(&f);
    for (uint32_t front = 0; front < f.n; front++)
        assert_drop(
            parse_split(&f, front, &p), front < f.n - 31 ? TERN_DROP_LINEARISE : TERN_DROP_NONE);
}

static void split_tcp_wrong_checksum_is_found_in_either_part(void **state)
{
    (void)state;
    struct frame whole;
    frame_plain(&whole, false, 41);
    for (uint32_t front = whole.n - 41; front < whole.n; front++) {
        for (uint32_t at = whole.n - 41; at < whole.n; at++) {
            struct frame f = whole;
            struct tern_pkt p;
            f.b[at] ^= 0x80;
            assert_drop(parse_split(&f, front, &p), TERN_DROP_TCP_CSUM);
        }
    }
}

static void split_frame_with_a_trailer_is_to_be_joined(void **state)
{
    (void)state;
    for (uint32_t n_pad = 1; n_pad < 9; n_pad++) {
        struct frame f;
        struct tern_pkt p;
        frame_plain(&f, false, 20);
        frame_fill(&f, 0xdd, n_pad);
        for (uint32_t front = 0; front < f.n; front++)
            assert_drop(parse_split(&f, front, &p), TERN_DROP_LINEARISE);
        assert_drop(parse(&f, &p), TERN_DROP_NONE);
    }
}

static void split_icmp_and_arp_are_to_be_joined(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct frame f;
        struct tern_pkt p;
        frame_eth(&f, kind == 0 ? 0x0800 : kind == 1 ? 0x86dd : 0x0806);
        if (kind == 0)
            frame_ip4(&f, 1, "", 0);
        if (kind == 1)
            frame_ip6(&f, 58);
        if (kind == 2)
            frame_fill(&f, 0, 28);
        else
            frame_icmp(&f, 8, 0, 0);
        if (kind != 2)
            frame_seal(&f);
        for (uint32_t front = 0; front < f.n; front++)
            assert_drop(parse_split(&f, front, &p), TERN_DROP_LINEARISE);
        assert_drop(parse(&f, &p), TERN_DROP_NONE);
    }
}

/* ---- ARP and noise ---- */

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

/* Frames that start well and then have bytes changed: bounds hold, and joining ends LINEARISE. */
static void bent_frames_never_break_the_bounds(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (int round = 0; round < 300000; round++) {
        struct frame f;
        struct tern_pkt p;
        if (round % 3 == 0)
            frame_chain(&f, 0,
                "3c00010400000000"
                "2b00010400000000"
                "0600040000000000");
        else
            frame_plain(&f, round % 3 == 1, next_random(&seed) % 30);
        for (uint32_t bends = next_random(&seed) % 4; bends > 0; bends--)
            f.b[12 + next_random(&seed) % (f.n - 12)] = (uint8_t)next_random(&seed);
        f.n -= next_random(&seed) % 3 == 0 ? next_random(&seed) % f.n : 0;
        const uint32_t front = next_random(&seed) % 2 ? f.n : next_random(&seed) % (f.n + 1);
        struct tern_pkt_input in = input(exact(f.b, front), front);
        in.n_total = f.n;
        in.rx_flags = next_random(&seed) % 4 ? ALL_GOOD : 0;
        const enum tern_drop split = ask(&in, &p);
        in = input(exact(f.b, f.n), f.n);
        in.rx_flags = ALL_GOOD;
        const enum tern_drop joined = ask(&in, &p);
        assert_true(joined != TERN_DROP_LINEARISE);
        assert_true(split == TERN_DROP_LINEARISE || split == TERN_DROP_IP_CSUM
                    || split == TERN_DROP_TCP_CSUM || split == TERN_DROP_ICMP_CSUM
                    || split == joined);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everyday_segments_are_plain),
        cmocka_unit_test(what_is_not_everyday_is_left_to_the_other_parser),
        cmocka_unit_test(links_with_tags_and_other_stations_have_no_plain_segments),
        cmocka_unit_test(seed_frames_parse_to_their_table),
        cmocka_unit_test(seed_frames_one_bit_flipped_are_refused_unless_it_is_padding),
        cmocka_unit_test(tcp_fields_of_both_families_are_read),
        cmocka_unit_test(ethernet_padding_of_any_length_and_value_is_never_data),
        cmocka_unit_test(l3_input_starts_at_the_ip_header),
        cmocka_unit_test(length_matrix_ip4_tcp),
        cmocka_unit_test(ip4_header_length_below_five_words_is_refused_at_every_frame_length),
        cmocka_unit_test(length_matrix_ip6_tcp),
        cmocka_unit_test(icmp_shorter_than_its_header_is_refused),
        cmocka_unit_test(ethernet_runts_and_foreign_types_are_refused),
        cmocka_unit_test(ethernet_addresses_are_checked),
        cmocka_unit_test(vlan_tag_by_table),
        cmocka_unit_test(vlan_frames_cut_short_or_all_tags_are_refused),
        cmocka_unit_test(ip_version_must_match_the_ethertype),
        cmocka_unit_test(ip4_fragments_are_refused_and_other_bits_are_not),
        cmocka_unit_test(ip4_options_by_table),
        cmocka_unit_test(ip4_option_illegal_length_at_every_position_is_refused),
        cmocka_unit_test(ip4_addresses_by_table),
        cmocka_unit_test(ip6_addresses_by_table),
        cmocka_unit_test(icmp6_by_group_mac_passes_to_a_group_address_only),
        cmocka_unit_test(other_protocols_are_refused),
        cmocka_unit_test(ip6_extension_chains_by_table),
        cmocka_unit_test(ip6_chain_is_bounded_in_headers_and_bytes),
        cmocka_unit_test(ip6_chain_cut_anywhere_is_refused),
        cmocka_unit_test(ip6_option_illegal_length_at_every_position_is_refused),
        cmocka_unit_test(tcp_control_bits_all_256),
        cmocka_unit_test(tcp_reserved_bits_are_ignored),
        cmocka_unit_test(tcp_port_zero_is_refused),
        cmocka_unit_test(tcp_options_are_handed_to_the_walker_and_end_with_the_header),
        cmocka_unit_test(checksum_verdicts_of_the_device_by_table),
        cmocka_unit_test(tcp_checksum_is_verified_at_every_payload_length),
        cmocka_unit_test(tcp_checksum_zero_is_a_checksum_like_any_other),
        cmocka_unit_test(icmp_checksum_is_verified_for_both_families),
        cmocka_unit_test(split_tcp_is_taken_when_its_headers_are_together),
        cmocka_unit_test(split_tcp_with_options_needs_them_together),
        cmocka_unit_test(split_tcp_wrong_checksum_is_found_in_either_part),
        cmocka_unit_test(split_frame_with_a_trailer_is_to_be_joined),
        cmocka_unit_test(split_icmp_and_arp_are_to_be_joined),
        cmocka_unit_test(arp_is_found_when_its_28_bytes_are_there),
        cmocka_unit_test(bent_frames_never_break_the_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
