/* SPDX-License-Identifier: BSD-3-Clause */
/* Why nothing answers: counters as they are in each case, and the one cause that they show. */
#include "goal/diagnose.h"
#include "unit.h"

enum { SYNS = 150, VLAN = 7 };

struct row {
    const char *name;
    struct app_silence_facts facts;
    enum app_silence_cause want;
    const char *evidence, *advice; /* words of both */
};

#define UP         .is_link_up = true
#define SENT(n)    .active_opens = SYNS, .tx_segments = (n), .tx_packets = (n) + 3, .arp_sent = 3
#define DROPS(x)   .drops = {x}
#define REFUSED(n) .active_failed = {[TERN_CLOSE_REFUSED] = (n)}

// clang-format off
static const struct row rows[] = {
    {"no cable", {.stats = {SENT(SYNS)}},
        APP_SILENCE_LINK, "the link of tap:t0 is down", "ip link set t0 up"},
    {"no cable, and nobody says a MAC", {.stats = {.active_opens = SYNS, .arp_sent = 3, .tx_packets = 3}},
        APP_SILENCE_LINK, "down", "tern doctor"},
    {"nobody says a MAC", {UP, .stats = {.active_opens = SYNS, .arp_sent = 3, .tx_packets = 3, .rx_packets = 40}},
        APP_SILENCE_NEIGHBOUR, "198.18.0.1 does not answer ARP: 3 questions", "--neighbour 198.18.0.1=MAC"},
    {"nobody does any more", {UP, .stats = {SENT(9), .active_failed = {[TERN_CLOSE_UNREACHABLE] = 30}}},
        APP_SILENCE_NEIGHBOUR, "30 connections failed", "see that it is up"},
    {"the tag is another", {UP, .vlan = VLAN, .stats = {.active_opens = SYNS, .arp_sent = 3, .tx_packets = 3, DROPS([TERN_DROP_VLAN_MISMATCH] = 12)}},
        APP_SILENCE_NEIGHBOUR, "ARP", "12 frames came with another VLAN than 7"},
    {"its MAC was told", {UP, .stats = {.active_opens = SYNS, .tx_packets = SYNS}},
        APP_SILENCE_SILENCE, "150 SYNs went out to 198.18.0.1, 0 TCP segments", "tcp port 80"},
    {"no way", {UP, .stats = {SENT(SYNS), DROPS([TERN_DROP_NO_ROUTE] = 5)}},
        APP_SILENCE_ROUTE, "no gateway", "--gw"},
    {"a closed port", {UP, .stats = {SENT(SYNS), .rx_segments = 140, REFUSED(140)}},
        APP_SILENCE_RST, "RST: 140 of 150", "sport = :80"},
    {"a port unreachable, by ICMP", {UP, .stats = {SENT(SYNS), REFUSED(20), DROPS([TERN_DROP_ICMP_DONE] = 20)}},
        APP_SILENCE_ICMP, "20 ICMP errors", "firewall"},
    {"a router without a route", {UP, .stats = {SENT(SYNS), DROPS([TERN_DROP_ICMP_DONE] = 2)}},
        APP_SILENCE_ICMP, "2 ICMP errors", "ip route get 198.18.0.1"},
    {"RST, and an ICMP error beside it", {UP, .stats = {SENT(SYNS), REFUSED(140), DROPS([TERN_DROP_ICMP_DONE] = 2)}},
        APP_SILENCE_RST, "RST", "ss -ltn"},
    {"checksums of a veth", {UP, .stats = {SENT(SYNS), .rx_packets = 160, DROPS([TERN_DROP_TCP_CSUM] = 150)}},
        APP_SILENCE_DROPPED, "150 packets came and were dropped here: tcp_csum", "ethtool -K"},
    {"answers elsewhere", {UP, .stats = {SENT(SYNS), DROPS([TERN_DROP_IP_DST_NOT_MINE] = 75)}},
        APP_SILENCE_DROPPED, "ip_dst_not_mine", "--ip"},
    {"other people's packets", {UP, .stats = {SENT(SYNS), DROPS([TERN_DROP_IP_DST_NOT_MINE] = 74)}},
        APP_SILENCE_SILENCE, "0 TCP segments", "nft list ruleset"},
    {"a firewall", {UP, .stats = {SENT(SYNS), .rx_packets = 8}},
        APP_SILENCE_SILENCE, "8 frames in", "tcpdump"},
};
// clang-format on

static struct app_silence_facts facts_of(const struct row *row)
{
    struct app_silence_facts f = row->facts;
    f.device = "tap:t0";
    f.port = 80;
    assert_int_equal(tern_addr_parse("198.18.0.1", &f.target), 0);
    f.next_hop = f.target;
    return f;
}

static void each_case_has_its_cause(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct app_silence_facts f = facts_of(&rows[i]);
        struct app_diagnosis d;
        app_diagnose(&f, &d);
        if (d.cause != rows[i].want || strstr(d.evidence, rows[i].evidence) == NULL
            || strstr(d.advice, rows[i].advice) == NULL)
            fail_msg("%s: cause %d: %s; %s", rows[i].name, (int)d.cause, d.evidence, d.advice);
    }
}

/* Of the gateway it is asked, and of an IPv6 address by NDP. */
static void the_next_hop_is_asked_for(void **state)
{
    struct app_silence_facts f = facts_of(&rows[0]);
    struct app_diagnosis d;
    (void)state;
    f.is_link_up = true;
    f.stats = (struct tern_stats){.active_opens = 1, .ndp_sent = 3, .tx_packets = 3};
    assert_int_equal(tern_addr_parse("2001:2::1", &f.target), 0);
    assert_int_equal(tern_addr_parse("2001:2::fe", &f.next_hop), 0);
    app_diagnose(&f, &d);
    assert_int_equal(d.cause, APP_SILENCE_NEIGHBOUR);
    assert_non_null(strstr(d.evidence, "2001:2::fe does not answer NDP"));
}

/* Every line fits, however large the counters are and however long the names. */
static void lines_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct app_silence_facts f = facts_of(&rows[i]);
        struct app_diagnosis d;
        uint64_t *counters = (uint64_t *)&f.stats;
        for (size_t n = 0; n < sizeof f.stats / sizeof *counters; n++)
            counters[n] *= UINT64_C(10000000000000);
        assert_int_equal(tern_addr_parse("2001:2:ffff:ffff:ffff:ffff:ffff:ffff", &f.target), 0);
        f.next_hop = f.target;
        app_diagnose(&f, &d);
        assert_true(strlen(d.evidence) < sizeof d.evidence - 1);
        assert_true(strlen(d.advice) < sizeof d.advice - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_has_its_cause),
        cmocka_unit_test(the_next_hop_is_asked_for),
        cmocka_unit_test(lines_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
