/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/build.h"
#include "wire/csum.h"
#include "wire/pkt.h"
#include "wire_frames.h"

static union tern_addr v4(const uint8_t *b)
{
    uint32_t be;
    memcpy(&be, b, 4);
    return tern_addr_from_v4(be);
}

static union tern_addr v6(const uint8_t *b)
{
    union tern_addr a;
    memcpy(a.b, b, 16);
    return a;
}

/* Rebuild the fixed headers of the seed's frames from their table: byte for byte the capture. */
static void build_ip4_and_tcp_equal_the_seed_frames(void **state)
{
    (void)state;
    static const uint8_t doff[7] = {24, 24, 20, 20, 20, 20, 20};
    for (int i = 0; i < 7; i++) {
        uint8_t frame[64], eth[14], ip[20], tcp[20];
        unhex(seed_frames[i], frame);
        const uint8_t *t = frame + 34;
        const union tern_addr src = v4(frame + 26), dst = v4(frame + 30);
        const struct tern_tcp_fields tf = {
            .sport = (uint16_t)get16(t),
            .dport = (uint16_t)get16(t + 2),
            .seq = {get32(t + 4)},
            .ack = {get32(t + 8)},
            .doff_bytes = doff[i],
            .flags = t[13],
            .wnd = (uint16_t)get16(t + 14),
            .urg = (uint16_t)get16(t + 18),
        };
        const struct tern_ip_fields ipf = {
            .src = &src,
            .dst = &dst,
            .l4_bytes = doff[i],
            .id = (uint16_t)get16(frame + 18),
            .df = get16(frame + 20) == 0x4000,
            .ttl = frame[22],
            .tos = 0,
            .proto = 6,
        };
        assert_int_equal(tern_build_eth(eth, frame, frame + 6, 0, TERN_ETHERTYPE_IP4), 14);
        assert_memory_equal(eth, frame, 14);
        tern_build_ip4(ip, &ipf, true);
        assert_memory_equal(ip, frame + 14, 20);
        memset(tcp, 0xa5, sizeof tcp);
        tern_build_tcp(tcp, &tf);
        assert_int_equal(get16(tcp + 16), 0);
        memcpy(tcp + 16, t + 16, 2);
        assert_memory_equal(tcp, t, 20);
    }
}

static void build_tcp_writes_every_field_at_its_place(void **state)
{
    (void)state;
    const struct tern_tcp_fields f = {
        .sport = 0x0102,
        .dport = 0x0304,
        .seq = {0x05060708},
        .ack = {0x090a0b0c},
        .doff_bytes = 60,
        .flags = 0xe1,
        .wnd = 0x1112,
        .urg = 0x1314,
    };
    uint8_t want[20], buf[22];
    unhex("0102030405060708090a0b0cf0e1111200001314", want);
    for (int align = 0; align < 2; align++) {
        memset(buf, 0x5a, sizeof buf);
        tern_build_tcp(buf + align, &f);
        assert_memory_equal(buf + align, want, 20);
        assert_int_equal(buf[align + 20], 0x5a);
    }
}

static void build_ip4_writes_lengths_flags_and_checksum(void **state)
{
    (void)state;
    const union tern_addr src = v4(my_ip4), dst = v4(peer_ip4);
    static const uint32_t l4_bytes[] = {1, 20, 236, 1480, 65515};
    for (size_t i = 0; i < sizeof l4_bytes / sizeof l4_bytes[0]; i++) {
        const struct tern_ip_fields f = {.src = &src,
            .dst = &dst,
            .l4_bytes = l4_bytes[i],
            .id = (uint16_t)(i * 1000),
            .df = i % 2 == 0,
            .ttl = 64,
            .tos = 0xb9,
            .proto = 6};
        uint8_t ip[21];
        memset(ip, 0x5a, sizeof ip);
        tern_build_ip4(ip, &f, true);
        assert_int_equal(ip[0], 0x45);
        assert_int_equal(ip[1], 0xb9);
        assert_int_equal(get16(ip + 2), l4_bytes[i] + 20);
        assert_int_equal(get16(ip + 4), i * 1000);
        assert_int_equal(get16(ip + 6), i % 2 == 0 ? 0x4000 : 0);
        assert_int_equal(slow_sum(0, ip, 20), 0xffff);
        assert_memory_equal(ip + 12, my_ip4, 4);
        assert_memory_equal(ip + 16, peer_ip4, 4);
        assert_int_equal(ip[20], 0x5a);
    }
}

static void build_ip6_is_byte_exact(void **state)
{
    (void)state;
    const union tern_addr src = v6(my_ip6), dst = v6(peer_ip6);
    const struct tern_ip_fields f = {
        .src = &src, .dst = &dst, .l4_bytes = 0x1234, .ttl = 63, .tos = 0xb9, .proto = 6};
    uint8_t want[40], ip[41];
    unhex("6b900000"
          "1234"
          "06"
          "3f",
        want);
    memcpy(want + 8, my_ip6, 16);
    memcpy(want + 24, peer_ip6, 16);
    ip[40] = 0x5a;
    tern_build_ip6(ip, &f);
    assert_memory_equal(ip, want, 40);
    assert_int_equal(ip[40], 0x5a);
}

static void build_eth_is_tagged_when_a_vlan_is_given(void **state)
{
    (void)state;
    uint8_t want[18], got[19];
    unhex("020000000001"
          "020000000002"
          "8100"
          "0ffe"
          "86dd",
        want);
    got[18] = 0x5a;
    assert_int_equal(tern_build_eth(got, my_mac, peer_mac, 4094, TERN_ETHERTYPE_IP6), 18);
    assert_memory_equal(got, want, 18);
    assert_int_equal(got[18], 0x5a);
}

/* What we build, we accept: both families, tagged and not, odd payload. */
static void built_packet_parses_back_to_its_values(void **state)
{
    (void)state;
    for (unsigned shape = 0; shape < 4; shape++) {
        const bool six = shape & 1;
        const uint16_t vlan = shape & 2 ? 77 : 0;
        const union tern_addr src = six ? v6(peer_ip6) : v4(peer_ip4);
        const union tern_addr dst = six ? v6(my_ip6) : v4(my_ip4);
        uint8_t b[128];
        uint32_t at = tern_build_eth(
            b, my_mac, peer_mac, vlan, six ? TERN_ETHERTYPE_IP6 : TERN_ETHERTYPE_IP4);
        const uint32_t l4_bytes = 20 + 3;
        const struct tern_ip_fields ipf = {
            .src = &src, .dst = &dst, .l4_bytes = l4_bytes, .df = true, .ttl = 64, .proto = 6};
        if (six)
            tern_build_ip6(b + at, &ipf);
        else
            tern_build_ip4(b + at, &ipf, true);
        at += six ? 40 : 20;
        const struct tern_tcp_fields tf = {.sport = 1,
            .dport = 2,
            .seq = {3},
            .ack = {4},
            .doff_bytes = 20,
            .flags = TERN_TCP_ACK,
            .wnd = 5};
        tern_build_tcp(b + at, &tf);
        memcpy(b + at + 20, "abc", 3);
        const uint8_t *s = six ? src.b : src.b + 12, *d = six ? dst.b : dst.b + 12;
        uint64_t sum =
            six ? tern_csum_pseudo6(s, d, 6, l4_bytes) : tern_csum_pseudo4(s, d, 6, l4_bytes);
        const uint16_t csum = (uint16_t)~tern_csum_fold(tern_csum_add(sum, b + at, l4_bytes));
        memcpy(b + at + 16, &csum, 2);
        at += l4_bytes;

        struct tern_pkt p;
        const struct tern_pkt_input in = {
            .frame = b, .n_contiguous = at, .n_total = at, .vlan = vlan, .mac = my_mac};
        assert_drop(tern_pkt_parse(&in, &p), TERN_DROP_NONE);
        const union tern_addr p_src = tern_pkt_addr(&p, p.src), p_dst = tern_pkt_addr(&p, p.dst);
        assert_true(tern_addr_equal(&p_src, &src) && tern_addr_equal(&p_dst, &dst));
        assert_int_equal(p.sport, 1);
        assert_int_equal(p.dport, 2);
        assert_int_equal(p.seq.v, 3);
        assert_int_equal(p.ack.v, 4);
        assert_int_equal(p.wnd, 5);
        assert_int_equal(p.len_bytes, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(build_ip4_and_tcp_equal_the_seed_frames),
        cmocka_unit_test(build_tcp_writes_every_field_at_its_place),
        cmocka_unit_test(build_ip4_writes_lengths_flags_and_checksum),
        cmocka_unit_test(build_ip6_is_byte_exact),
        cmocka_unit_test(build_eth_is_tagged_when_a_vlan_is_given),
        cmocka_unit_test(built_packet_parses_back_to_its_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
