/* SPDX-License-Identifier: BSD-3-Clause */
#include <tern/config.h>

#include "unit.h"

#include <errno.h>
#include <stdio.h>

static struct tern_stack_config cfg;
static struct tern_error err;

static void own(uint32_t i, const char *text)
{
    assert_int_equal(tern_prefix_parse(text, &cfg.addrs[i]), 0);
    if (cfg.n_addrs <= i)
        cfg.n_addrs = i + 1;
}

static union tern_addr addr(const char *text)
{
    union tern_addr a;
    assert_int_equal(tern_addr_parse(text, &a), 0);
    return a;
}

static void neighbour(uint32_t i, const char *text)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
    cfg.neighbours[i].addr = addr(text);
    memcpy(cfg.neighbours[i].mac, mac, 6);
    if (cfg.n_neighbours <= i)
        cfg.n_neighbours = i + 1;
}

static int setup(void **state)
{
    (void)state;
    memset(&cfg, 0xa5, sizeof cfg);
    tern_stack_config_init(&cfg);
    own(0, "10.0.0.5/24");
    own(1, "2001:db8::5/64");
    memset(&err, 0, sizeof err);
    return 0;
}

static void assert_ok(void)
{
    if (tern_stack_config_check(&cfg, &err) != 0)
        fail_msg("refused: %s", err.text);
}

/* Refused, with one line that starts with `start`. */
static void assert_refused(const char *start)
{
    memset(&err, 0, sizeof err);
    assert_int_equal(tern_stack_config_check(&cfg, &err), -EINVAL);
    if (strncmp(err.text, start, strlen(start)) != 0)
        fail_msg("\"%s\" should start with \"%s\"", err.text, start);
    assert_null(strchr(err.text, '\n'));
    assert_non_null(strstr(err.text, "must"));
    assert_int_equal(tern_stack_config_check(&cfg, NULL), -EINVAL);
}

static void defaults_are_as_stated_and_pass(void **state)
{
    (void)state;
    assert_ok();
    assert_int_equal(cfg.mtu_bytes, 1500);
    assert_true(cfg.dad && cfg.timestamps && cfg.sack && cfg.window_scale);
    assert_false(cfg.tfo_accept || cfg.tfo_connect);
    assert_int_equal(cfg.tfo_pending_max, 256);
    assert_int_equal(cfg.tfo_peers_max, 1024);
    assert_false(cfg.l3 || cfg.nodelay || cfg.tx_ip_csum || cfg.tx_tcp_csum || cfg.tx_multi_seg);
    assert_int_equal(cfg.vlan, 0);
    assert_int_equal(cfg.conns_max, 65536);
    assert_int_equal(cfg.half_open_max, 16384);
    assert_int_equal(cfg.time_wait_max, cfg.conns_max);
    assert_int_equal(cfg.listeners_max, 64);
    assert_int_equal(cfg.neighbours_max, 1024);
    assert_int_equal(cfg.rcv_buf_bytes, 262144);
    assert_int_equal(cfg.rcv_buf_max_bytes, 16777216);
    assert_int_equal(cfg.rcv_grow_bytes, 0);
    assert_int_equal(cfg.snd_buf_bytes, 1048576);
    assert_int_equal(cfg.syn_cookies, TERN_SYN_COOKIES_AUTO);
    assert_int_equal(cfg.ack_policy, TERN_ACK_QUICK_START);
    assert_int_equal(cfg.ttl, 64);
    assert_int_equal(cfg.dscp, 0);
    assert_int_equal(cfg.mss_max, 0);
    assert_int_equal(cfg.init_cwnd_segs, 10);
    assert_int_equal(cfg.rto_min_ms, 200);
    assert_int_equal(cfg.rto_initial_ms, 1000);
    assert_int_equal(cfg.rto_max_ms, 60000);
    assert_int_equal(cfg.delayed_ack_ms, 40);
    assert_int_equal(cfg.time_wait_ms, 60000);
    assert_int_equal(cfg.fin_wait2_ms, 60000);
    assert_int_equal(cfg.syn_timeout_ms, 183000);
    assert_int_equal(cfg.user_timeout_ms, 120000);
    assert_int_equal(cfg.persist_timeout_ms, 0);
    assert_int_equal(cfg.keepalive_ms, 0);
    assert_int_equal(cfg.port_min, 1024);
    assert_int_equal(cfg.port_max, 65535);
    assert_int_equal(cfg.port_stride, 1);
    assert_int_equal(cfg.port_phase, 0);
    assert_int_equal(cfg.icmp_rate_per_s, 1000);
    assert_int_equal(cfg.rst_rate_per_s, 1000000);
    assert_int_equal(cfg.numa_node, -1);
    assert_int_equal(cfg.seed[0] | cfg.seed[1] | cfg.seed[2] | cfg.seed[3], 0);
}

static void nothing_but_defaults_lacks_an_address(void **state)
{
    (void)state;
    tern_stack_config_init(&cfg);
    assert_refused("n_addrs 0: must be 1..256");
}

/* The least value passes, one below it does not. */
#define AT_LEAST(field, min, name)                                                                 \
    do {                                                                                           \
        setup(NULL);                                                                               \
        cfg.rto_max_ms = 600000;                                                                   \
        cfg.field = (min);                                                                         \
        assert_ok();                                                                               \
        cfg.field = (min)-1;                                                                       \
        assert_refused(name);                                                                      \
    } while (0)

/* So does the greatest, and one above it and the greatest that fits do not. */
#define RANGE(field, min, max, name)                                                               \
    do {                                                                                           \
        AT_LEAST(field, min, name);                                                                \
        cfg.field = (max);                                                                         \
        assert_ok();                                                                               \
        cfg.field = (max) + 1;                                                                     \
        assert_refused(name);                                                                      \
        cfg.field = (__typeof__(cfg.field))-1;                                                     \
        assert_refused(name);                                                                      \
    } while (0)

/** V129. */
static void numbers_have_ranges(void **state)
{
    (void)state;
    RANGE(conns_max, 1, 1u << 28, "conns_max ");
    RANGE(half_open_max, 1, 1u << 28, "half_open_max ");
    RANGE(time_wait_max, 1, 1u << 28, "time_wait_max ");
    RANGE(listeners_max, 1, 1024, "listeners_max ");
    RANGE(neighbours_max, 8, 65534, "neighbours_max ");
    RANGE(rcv_buf_bytes, 536, 1u << 30, "rcv_buf_bytes ");
    RANGE(rcv_buf_max_bytes, 0u, 1u << 30, "rcv_buf_max_bytes ");
    RANGE(snd_buf_bytes, 536, 1u << 30, "snd_buf_bytes ");
    RANGE(mtu_bytes, 1280, 9216, "mtu_bytes ");
    AT_LEAST(ttl, 1, "ttl ");
    RANGE(init_cwnd_segs, 1, 1000, "init_cwnd_segs ");
    RANGE(rto_min_ms, 1, 60000, "rto_min_ms ");
    RANGE(rto_initial_ms, 1, 60000, "rto_initial_ms ");
    RANGE(delayed_ack_ms, 1, 499, "delayed_ack_ms ");
    RANGE(time_wait_ms, 1, 600000, "time_wait_ms ");
    RANGE(fin_wait2_ms, 1, 3600000, "fin_wait2_ms ");
    RANGE(syn_timeout_ms, 1, 3600000, "syn_timeout_ms ");
    RANGE(user_timeout_ms, 1, 86400000, "user_timeout_ms ");
    RANGE(persist_timeout_ms, 0u, 86400000, "persist_timeout_ms ");
    RANGE(rto_max_ms, 1000, 600000, "rto_max_ms ");
    AT_LEAST(port_stride, 1, "port_stride ");
    AT_LEAST(port_min, 1, "port_min ");
}

static void upper_bounds_only(void **state)
{
    (void)state;
    cfg.vlan = 4094;
    cfg.dscp = 63;
    assert_ok();
    cfg.vlan = 4095;
    assert_refused("vlan 4095: must be 0..4094");
    setup(NULL);
    cfg.dscp = 64;
    assert_refused("dscp 64: must be 0..63");
    setup(NULL);
    cfg.n_addrs = 257;
    assert_refused("n_addrs 257: must be 1..256");
    setup(NULL);
    cfg.n_neighbours = 65;
    assert_refused("n_neighbours 65: must be 0..64");
    setup(NULL);
    cfg.syn_cookies = (enum tern_syn_cookies)3;
    assert_refused("syn_cookies 3: must be 0..2");
    setup(NULL);
    cfg.ack_policy = (enum tern_ack_policy)3;
    assert_refused("ack_policy 3: must be 0..2");
    setup(NULL);
    cfg.numa_node = -2;
    assert_refused("numa_node -2: ");
}

static void own_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *refused; /* NULL: fine */
    } rows[] = {
        {"192.0.2.1/32", NULL},
        {"192.0.2.0/31", NULL},
        {"192.0.2.1/31", NULL},
        {"192.0.2.1/0", NULL},
        {"fe80::1/10", NULL},
        {"2001:db8:1::/64", NULL},
        {"0.0.0.0/24", "addrs[2] 0.0.0.0/24: must be a unicast address, this one is unspecified"},
        {"0.1.2.3/24", "addrs[2] 0.1.2.3/24: "},
        {"127.0.0.1/8", "addrs[2] 127.0.0.1/8: must be a unicast address, this one is loopback"},
        {"224.0.0.1/24", "addrs[2] 224.0.0.1/24: must be a unicast address, this one is multicast"},
        {"255.255.255.255/32",
            "addrs[2] 255.255.255.255/32: must be a unicast address, this one is br"},
        {"240.0.0.1/24", "addrs[2] 240.0.0.1/24: must be a unicast address, this one is reserved"},
        {"192.0.2.0/24",
            "addrs[2] 192.0.2.0/24: must be a host's address, not its subnet's network"},
        {"192.0.2.255/24",
            "addrs[2] 192.0.2.255/24: must be a host's address, not its subnet's bro"},
        {"::/64", "addrs[2] ::/64: must be a unicast address, this one is unspecified"},
        {"::1/128", "addrs[2] ::1/128: must be a unicast address, this one is loopback"},
        {"ff02::1/64", "addrs[2] ff02::1/64: must be a unicast address, this one is multicast"},
        {"10.0.0.5/16", "addrs[2] 10.0.0.5/16: must differ from addrs[0]"},
        {"2001:db8::5/128", "addrs[2] 2001:db8::5/128: must differ from addrs[1]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        own(2, rows[i].text);
        if (rows[i].refused == NULL)
            assert_ok();
        else
            assert_refused(rows[i].refused);
    }
    own(2, "192.0.2.1/24");
    cfg.addrs[2].len_bits = 33;
    assert_refused("addrs[2] 192.0.2.1/33: prefix length must be 0..32");
    own(2, "2001:db8::1/64");
    cfg.addrs[2].len_bits = 129;
    assert_refused("addrs[2] 2001:db8::1/129: prefix length must be 0..128");
}

static struct tern_addr_range range(const char *first, const char *last)
{
    return (struct tern_addr_range){addr(first), addr(last)};
}

static void ranges(void **state)
{
    (void)state;
    static const struct {
        const char *first, *last, *refused; /* NULL: fine */
    } rows[] = {
        {"10.0.1.0", "10.0.1.255", NULL},
        {"10.0.0.6", "10.0.0.254", NULL},
        {"10.0.0.1", "10.0.0.4", NULL},
        {"10.0.1.7", "10.0.1.7", NULL},
        {"11.0.0.0", "126.255.255.255", NULL},
        {"2001:db8::6", "2001:db8:1::", NULL},
        {"2000::", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
        {"10.0.0.0", "10.0.0.4",
            "ranges[1] 10.0.0.0-10.0.0.4: must not hold 10.0.0.0, a subnet's network address"},
        {"10.0.0.6", "10.0.0.255",
            "ranges[1] 10.0.0.6-10.0.0.255: must not hold 10.0.0.255, a subnet's broadcast"},
        {"10.0.0.4", "10.0.0.5",
            "ranges[1] 10.0.0.4-10.0.0.5: must not hold 10.0.0.5, which is addrs[0]"},
        {"2001:db8::", "2001:db8::5",
            "ranges[1] 2001:db8::-2001:db8::5: must not hold 2001:db8::5, which is addrs[1]"},
        {"10.0.1.1", "10.0.1.0", "ranges[1] 10.0.1.1-10.0.1.0: must begin with its lowest"},
        {"10.0.1.1", "2001:db8::9", "ranges[1] 10.0.1.1-2001:db8::9: must be of one family"},
        {"126.0.0.0", "128.0.0.0", "ranges[1] 126.0.0.0-128.0.0.0: must be unicast addresses"},
        {"223.0.0.0", "224.0.0.0", "ranges[1] 223.0.0.0-224.0.0.0: must be unicast addresses"},
        {"0.255.255.255", "1.0.0.0", "ranges[1] 0.255.255.255-1.0.0.0: must be unicast"},
        {"::2", "2000::", "ranges[1] ::2-2000::: must be unicast addresses"},
        {"fe80::", "ff00::", "ranges[1] fe80::-ff00::: must be unicast addresses"},
        {"10.1.9.255", "10.2.0.0", "ranges[1] 10.1.9.255-10.2.0.0: must not overlap ranges[0]"},
        {"10.1.0.0", "10.1.1.0", "ranges[1] 10.1.0.0-10.1.1.0: must not overlap ranges[0]"},
        {"10.1.0.0", "10.2.0.0", "ranges[1] 10.1.0.0-10.2.0.0: must not overlap ranges[0]"},
        {"10.1.5.0", "10.1.5.1", "ranges[1] 10.1.5.0-10.1.5.1: must not overlap ranges[0]"},
    };
    cfg.n_ranges = 2;
    cfg.ranges[0] = range("10.1.1.0", "10.1.9.255");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cfg.ranges[1] = range(rows[i].first, rows[i].last);
        if (rows[i].refused == NULL)
            assert_ok();
        else
            assert_refused(rows[i].refused);
    }
    cfg.n_ranges = 17;
    assert_refused("n_ranges 17: must be 0..16");
}

static void range_keeps_others_out(void **state)
{
    (void)state;
    cfg.n_ranges = 1;
    cfg.ranges[0] = range("10.0.0.6", "10.0.0.99");
    neighbour(0, "10.0.0.100");
    cfg.gateway4 = addr("10.0.0.101");
    assert_ok();
    neighbour(0, "10.0.0.6");
    assert_refused("neighbours[0] 10.0.0.6: must not be our own address (ranges[0])");
    neighbour(0, "10.0.0.100");
    cfg.gateway4 = addr("10.0.0.99");
    assert_refused("gateway4 10.0.0.99: must not be our own address (ranges[0])");
    cfg.gateway4.q[0] = cfg.gateway4.q[1] = 0;
    cfg.n_addrs = 1;
    cfg.ranges[0] = range("2001:db8::6", "2001:db8::7");
    assert_refused("ranges[0] 2001:db8::6-2001:db8::7: must have an address of its family");
}

static void gateways(void **state)
{
    (void)state;
    static const struct {
        bool six;
        const char *text, *refused;
    } rows[] = {
        {false, "10.0.0.1", NULL},
        {true, "2001:db8::1", NULL},
        {true, "fe80::1", NULL},
        {false, "10.0.1.1", "gateway4 10.0.1.1: must lie inside the prefix"},
        {true, "2001:db8:1::1", "gateway6 2001:db8:1::1: must lie inside the prefix"},
        {false, "10.0.0.5", "gateway4 10.0.0.5: must not be our own address (addrs[0])"},
        {true, "2001:db8::5", "gateway6 2001:db8::5: must not be our own address (addrs[1])"},
        {false, "10.0.0.255", "gateway4 10.0.0.255: must be a host's address"},
        {false, "10.0.0.0", "gateway4 10.0.0.0: must be a host's address"},
        {false, "0.0.0.0", "gateway4 0.0.0.0: must be a unicast address"},
        {false, "224.0.0.1", "gateway4 224.0.0.1: must be a unicast address"},
        {true, "ff02::2", "gateway6 ff02::2: must be a unicast address"},
        {false, "2001:db8::1", "gateway4 2001:db8::1: must be an IPv4 address"},
        {true, "10.0.0.1", "gateway6 10.0.0.1: must be an IPv6 address"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        setup(NULL);
        *(rows[i].six ? &cfg.gateway6 : &cfg.gateway4) = addr(rows[i].text);
        if (rows[i].refused == NULL)
            assert_ok();
        else
            assert_refused(rows[i].refused);
    }
    /* Without an address of its family a gateway is no use. */
    setup(NULL);
    cfg.n_addrs = 1;
    cfg.gateway6 = addr("fe80::1");
    assert_refused("gateway6 fe80::1: must lie inside the prefix");
}

static void neighbours(void **state)
{
    (void)state;
    neighbour(0, "10.0.0.9");
    neighbour(1, "2001:db8::9");
    assert_ok();
    neighbour(1, "10.0.0.9");
    assert_refused("neighbours[1] 10.0.0.9: must differ from neighbours[0]");
    neighbour(1, "10.0.0.5");
    assert_refused("neighbours[1] 10.0.0.5: must not be our own address (addrs[0])");
    neighbour(1, "ff02::1");
    assert_refused("neighbours[1] ff02::1: must be a unicast address, this one is multicast");
    neighbour(1, "10.0.0.8");
    cfg.neighbours[1].mac[0] = 3;
    assert_refused("neighbours[1] 10.0.0.8: MAC 03:00:00:00:00:09 must be");
    memset(cfg.neighbours[1].mac, 0, 6);
    assert_refused("neighbours[1] 10.0.0.8: MAC 00:00:00:00:00:00 must be");
}

static void neighbours_max_leaves_room(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 7; i++) {
        char text[32];
        snprintf(text, sizeof text, "10.0.0.%u", 100 + i);
        neighbour(i, text);
    }
    cfg.neighbours_max = 8;
    assert_ok();
    cfg.gateway4 = addr("10.0.0.1");
    assert_refused("neighbours_max 8: must exceed the 8 static neighbours and gateways");
}

static void link_and_mtu(void **state)
{
    (void)state;
    cfg.mac[0] = 1;
    assert_refused("mac 01:00:00:00:00:00: must be");
    cfg.l3 = true;
    assert_ok();
    cfg.mtu_bytes = 1279;
    assert_refused("mtu_bytes 1279: must be 1280..9216");
    cfg.n_addrs = 1;
    assert_ok();
    cfg.mtu_bytes = 68;
    assert_ok();
    cfg.mtu_bytes = 67;
    assert_refused("mtu_bytes 67: must be 68..9216");
    cfg.mtu_bytes = 9217;
    assert_refused("mtu_bytes 9217: must be 68..9216");
}

static void timeouts_relate(void **state)
{
    (void)state;
    cfg.rto_max_ms = 1000;
    cfg.rto_min_ms = 1001;
    assert_refused("rto_min_ms 1001: must not exceed rto_max_ms 1000");
    cfg.rto_min_ms = 1000;
    cfg.rto_initial_ms = 1001;
    assert_refused("rto_initial_ms 1001: must not exceed rto_max_ms 1000");
    cfg.rto_initial_ms = 1000;
    assert_ok();
}

static void ports_relate(void **state)
{
    (void)state;
    cfg.port_min = cfg.port_max = 5000;
    assert_ok();
    cfg.port_min = 5001;
    assert_refused("port_min 5001: must not exceed port_max 5000");
    cfg.port_max = 0;
    assert_refused("port_max 0: must be 1..65535");
    setup(NULL);
    cfg.port_phase = 1;
    assert_refused("port_phase 1: must be below port_stride 1");
    cfg.port_stride = 4;
    assert_ok();
    /* 5000..5002 modulo 4: 0, 1, 2. */
    cfg.port_min = 5000;
    cfg.port_max = 5002;
    for (uint16_t phase = 0; phase < 4; phase++) {
        cfg.port_phase = phase;
        if (phase < 3)
            assert_ok();
        else
            assert_refused(
                "port_min 5000: no port up to port_max 5002 is 3 modulo port_stride 4; must");
    }
}

static void pins_have_their_arrays(void **state)
{
    (void)state;
    static const uint16_t ids[1];
    static const uint8_t padding[1][6];
    cfg.pins = (struct tern_test_pins){.has_ip_id = true, .has_padding = true, .n_ip_id = 1};
    assert_refused("pins.ip_id NULL: must");
    cfg.pins.ip_id = ids;
    assert_refused("pins.padding NULL: must");
    cfg.pins.padding = padding;
    assert_ok();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(defaults_are_as_stated_and_pass, setup),
        cmocka_unit_test_setup(nothing_but_defaults_lacks_an_address, setup),
        cmocka_unit_test_setup(numbers_have_ranges, setup),
        cmocka_unit_test_setup(upper_bounds_only, setup),
        cmocka_unit_test_setup(own_addresses, setup),
        cmocka_unit_test_setup(ranges, setup),
        cmocka_unit_test_setup(range_keeps_others_out, setup),
        cmocka_unit_test_setup(gateways, setup),
        cmocka_unit_test_setup(neighbours, setup),
        cmocka_unit_test_setup(neighbours_max_leaves_room, setup),
        cmocka_unit_test_setup(link_and_mtu, setup),
        cmocka_unit_test_setup(timeouts_relate, setup),
        cmocka_unit_test_setup(ports_relate, setup),
        cmocka_unit_test_setup(pins_have_their_arrays, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
