/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of wire_frames.h (192.0.2.1 and 2001:db8::1 are ours) through parsing into tern_icmp_in().
 */
#include <tern/stats.h>

#include "eal_fixture.h"
#include "shard/icmp_in.h"
#include "shard/neighbour.h"
#include "shard/route.h"
#include "wire_frames.h"

#define SEC UINT64_C(1000000000)

struct bed {
    struct tern_stack_config cfg;
    struct tern_routes routes;
    struct tern_stats stats;
    struct tern_neigh_table neighbours;
    struct tern_icmp_in in;
    struct rte_mempool *pool;
    uint8_t *frame; /* of the last rx() */
    uint32_t n_sent;
    uint64_t now;
};

static struct rte_mbuf *bed_alloc(void *ctx)
{
    return rte_pktmbuf_alloc(((struct bed *)ctx)->pool);
}

static void bed_send(void *ctx, struct rte_mbuf *m)
{
    ((struct bed *)ctx)->n_sent++;
    rte_pktmbuf_free(m);
}

static void bed_drop(void *ctx, struct rte_mbuf *m, enum tern_drop why)
{
    (void)ctx;
    (void)why;
    rte_pktmbuf_free(m);
}

static void bed_failed(void *ctx, uint16_t idx)
{
    (void)ctx;
    (void)idx;
}

static void configure(struct bed *b)
{
    tern_stack_config_init(&b->cfg);
    assert_int_equal(tern_prefix_parse("192.0.2.1/24", &b->cfg.addrs[0]), 0);
    assert_int_equal(tern_prefix_parse("2001:db8::1/64", &b->cfg.addrs[1]), 0);
    b->cfg.n_addrs = 2;
    memcpy(b->cfg.mac, my_mac, 6);
    b->cfg.dad = false;
    b->cfg.icmp_rate_per_s = 50;
    b->cfg.ttl = 77;
}

static int setup(void **state)
{
    static struct bed bed;
    struct bed *b = &bed;
    memset(b, 0, sizeof *b);
    configure(b);
    b->now = 10 * SEC;
    b->pool = eal_pool_new("icmp_in", 63);
    tern_routes_init(&b->routes, &b->cfg);
    const struct tern_neigh_params params = {
        .cfg = &b->cfg,
        .routes = &b->routes,
        .io = {b, bed_alloc, bed_send, bed_drop, bed_failed},
        .stats = &b->stats,
        .announces = true,
        .now_ns = b->now,
    };
    *state = b;
    tern_icmp_in_init(&b->in, &b->cfg, &b->routes, &b->neighbours, b->now);
    return tern_neigh_init(&b->neighbours, &params);
}

static int teardown(void **state)
{
    struct bed *b = *state;
    tern_neigh_fini(&b->neighbours);
    eal_pool_free(b->pool);
    return 0;
}

static struct tern_icmp_verdict rx_as(struct bed *b, const struct frame *f, bool replica)
{
    struct tern_pkt p;
    b->frame = exact(f->b, f->n);
    const struct tern_pkt_input in = {
        .frame = b->frame, .n_contiguous = f->n, .n_total = f->n, .mac = my_mac};
    assert_drop(tern_pkt_parse(&in, &p), TERN_DROP_NONE);
    return tern_icmp_in(&b->in, b->frame, &p, replica, b->now);
}

static struct tern_icmp_verdict rx(struct bed *b, const struct frame *f)
{
    return rx_as(b, f, false);
}

static void frame_ip(struct frame *f, bool six)
{
    frame_eth(f, six ? 0x86dd : 0x0800);
    if (six)
        frame_ip6(f, 58);
    else
        frame_ip4(f, 1, "", 0);
}

static void frame_echo(struct frame *f, bool six)
{
    frame_ip(f, six);
    frame_icmp(f, six ? 128 : 8, 0, 0x12345678);
    frame_fill(f, 0x5a, 33);
    frame_seal(f);
}

/* Port unreachable, quoting a segment from `src` (4 or 16 bytes) port 80 to the peer's 4321. */
static void frame_error(struct frame *f, bool six, const uint8_t *src)
{
    static const uint8_t tcp[8] = {0, 80, 0x10, 0xe1, 0x11, 0x22, 0x33, 0x44};
    uint8_t ip4[20] = {0x45, 0, 0x05, 0xdc, 0, 0, 0x40, 0, 60, 6};
    uint8_t ip6[40] = {0x60, 0, 0, 0, 0x05, 0xb4, 6, 60};
    memcpy(ip4 + 12, src, 4);
    memcpy(ip4 + 16, peer_ip4, 4);
    memcpy(ip6 + 8, src, six ? 16 : 4);
    memcpy(ip6 + 24, peer_ip6, 16);
    frame_ip(f, six);
    frame_icmp(f, six ? 1 : 3, six ? 4 : 3, 0);
    frame_add(f, six ? ip6 : ip4, six ? 40 : 20);
    frame_add(f, tcp, 8);
    frame_seal(f);
}

static void frame_ns(struct frame *f)
{
    static const uint8_t option[2] = {1, 1};
    frame_ip(f, true);
    f->b[f->l3 + 7] = 255;
    frame_icmp(f, 135, 0, 0);
    frame_add(f, my_ip6, 16);
    frame_add(f, option, 2);
    frame_add(f, peer_mac, 6);
    frame_seal(f);
}

/* ---- echo ---- */

static void echo_is_answered_in_place(void **state)
{
    struct bed *b = *state;
    for (int six = 0; six < 2; six++) {
        struct frame f;
        frame_echo(&f, six);
        const struct tern_icmp_verdict v = rx(b, &f);
        assert_true(v.send_reply);
        assert_false(v.is_error);
        assert_drop(v.why, TERN_DROP_NONE);
        assert_memory_equal(b->frame, peer_mac, 6);
        assert_memory_equal(b->frame + 6, my_mac, 6);
        assert_int_equal(b->frame[f.l4], six ? 129 : 0);
        assert_int_equal(b->frame[f.l3 + (six ? 7 : 8)], 77);
    }
}

/** V167. */
static void echo_is_rate_limited(void **state)
{
    struct bed *b = *state;
    struct frame f;
    frame_echo(&f, false);
    for (int i = 0; i < 5; i++)
        assert_true(rx(b, &f).send_reply);
    const struct tern_icmp_verdict v = rx(b, &f);
    assert_false(v.send_reply);
    assert_drop(v.why, TERN_DROP_ICMP_RATE);
    b->now += SEC / 50;
    assert_true(rx(b, &f).send_reply);
    assert_drop(rx(b, &f).why, TERN_DROP_ICMP_RATE);
}

static void echo_to_others_is_not_answered(void **state)
{
    struct bed *b = *state;
    struct frame f;
    frame_echo(&f, false);
    f.b[f.l3 + 19] = 2;
    frame_seal(&f);
    assert_drop(rx(b, &f).why, TERN_DROP_IP_DST_NOT_MINE);
}

static void echo_from_ourselves_or_a_subnet_is_not_answered(void **state)
{
    struct bed *b = *state;
    struct frame f;
    const struct {
        uint8_t src[4];
        enum tern_drop why;
    } rows[] = {
        {{192, 0, 2, 1}, TERN_DROP_IP_SRC_MINE},
        {{192, 0, 2, 255}, TERN_DROP_IP_SRC},
        {{192, 0, 2, 0}, TERN_DROP_IP_SRC},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        frame_echo(&f, false);
        memcpy(f.b + f.l3 + 12, rows[i].src, 4);
        frame_seal(&f);
        assert_drop(rx(b, &f).why, rows[i].why);
    }
    frame_echo(&f, true);
    memcpy(f.b + f.l3 + 8, my_ip6, 16);
    frame_seal(&f);
    assert_drop(rx(b, &f).why, TERN_DROP_IP_SRC_MINE);
}

/* (To an IPv4 group or broadcast it does not get past tern_pkt_parse().) */
static void echo_to_all_nodes_is_not_answered(void **state)
{
    struct bed *b = *state;
    struct frame f;
    frame_echo(&f, true);
    memcpy(f.b, (uint8_t[]){0x33, 0x33, 0, 0, 0, 1}, 6);
    memcpy(f.b + f.l3 + 24, (uint8_t[16]){0xff, 2, [15] = 1}, 16);
    frame_seal(&f);
    assert_drop(rx(b, &f).why, TERN_DROP_IP_DST);
}

static void echo_with_ip_options_is_not_answered(void **state)
{
    struct bed *b = *state;
    struct frame f;
    frame_eth(&f, 0x0800);
    frame_ip4(&f, 1, (uint8_t[]){1, 1, 1, 0}, 4);
    frame_icmp(&f, 8, 0, 1);
    frame_seal(&f);
    const struct tern_icmp_verdict v = rx(b, &f);
    assert_false(v.send_reply);
    assert_drop(v.why, TERN_DROP_ICMP_TYPE);
}

/* V091 */
static void echo_replica_is_not_answered(void **state)
{
    struct bed *b = *state;
    struct frame f;
    frame_echo(&f, false);
    const struct tern_icmp_verdict v = rx_as(b, &f, true);
    assert_false(v.send_reply);
    assert_drop(v.why, TERN_DROP_ICMP_DONE);
}

/* ---- errors ---- */

static void error_about_us_is_handed_on(void **state)
{
    struct bed *b = *state;
    for (int six = 0; six < 2; six++) {
        for (int replica = 0; replica < 2; replica++) {
            struct frame f;
            frame_error(&f, six, six ? my_ip6 : my_ip4);
            const struct tern_icmp_verdict v = rx_as(b, &f, replica);
            assert_true(v.is_error);
            assert_false(v.send_reply);
            assert_drop(v.why, TERN_DROP_NONE);
            assert_int_equal(v.kind, TERN_ICMP_REFUSED);
            assert_int_equal(v.quote.sport, 80);
            assert_int_equal(v.quote.dport, 4321);
            assert_int_equal(v.quote.seq.v, 0x11223344);
        }
    }
}

static void error_about_others_is_refused(void **state)
{
    struct bed *b = *state;
    struct frame f;
    frame_error(&f, false, peer_ip4);
    struct tern_icmp_verdict v = rx(b, &f);
    assert_false(v.is_error);
    assert_drop(v.why, TERN_DROP_ICMP_QUOTE);
    frame_error(&f, true, peer_ip6);
    assert_drop(rx(b, &f).why, TERN_DROP_ICMP_QUOTE);
    frame_error(&f, false, my_ip4);
    f.b[f.l3 + 19] = 2; /* sent to somebody else */
    frame_seal(&f);
    v = rx(b, &f);
    assert_false(v.is_error);
    assert_drop(v.why, TERN_DROP_IP_DST_NOT_MINE);
}

static void what_the_parser_refuses_is_refused(void **state)
{
    struct bed *b = *state;
    struct frame f;
    frame_ip(&f, false);
    frame_icmp(&f, 5, 0, 0); /* redirect */
    frame_fill(&f, 0, 28);
    frame_seal(&f);
    assert_drop(rx(b, &f).why, TERN_DROP_ICMP_TYPE);
    frame_ip(&f, false);
    frame_icmp(&f, 3, 3, 0);
    frame_fill(&f, 0, 10);
    frame_seal(&f);
    assert_drop(rx(b, &f).why, TERN_DROP_ICMP_QUOTE);
}

/* ---- NDP ---- */

static void ndp_reaches_the_neighbour_table(void **state)
{
    struct bed *b = *state;
    struct frame f;
    frame_ns(&f);
    struct tern_icmp_verdict v = rx(b, &f);
    assert_drop(v.why, TERN_DROP_NDP_DONE);
    assert_false(v.send_reply || v.is_error);
    assert_int_equal(b->n_sent, 1);
    assert_int_equal(b->stats.ndp_sent, 1);

    v = rx_as(b, &f, true);
    assert_drop(v.why, TERN_DROP_NDP_DONE);
    assert_int_equal(b->n_sent, 1);

    f.b[f.l3 + 7] = 254;
    assert_drop(rx(b, &f).why, TERN_DROP_NDP_BAD);
}

static void router_advertisement_is_ignored(void **state)
{
    struct bed *b = *state;
    struct frame f;
    frame_ip(&f, true);
    f.b[f.l3 + 7] = 255;
    frame_icmp(&f, 134, 0, 0);
    frame_fill(&f, 0, 8);
    frame_seal(&f);
    assert_drop(rx(b, &f).why, TERN_DROP_NDP_NOT_MINE);
}

int main(void)
{
#define BED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        BED(echo_is_answered_in_place),
        BED(echo_is_rate_limited),
        BED(echo_to_others_is_not_answered),
        BED(echo_from_ourselves_or_a_subnet_is_not_answered),
        BED(echo_to_all_nodes_is_not_answered),
        BED(echo_with_ip_options_is_not_answered),
        BED(echo_replica_is_not_answered),
        BED(error_about_us_is_handed_on),
        BED(error_about_others_is_refused),
        BED(what_the_parser_refuses_is_refused),
        BED(ndp_reaches_the_neighbour_table),
        BED(router_advertisement_is_ignored),
    };
    return cmocka_run_group_tests(tests, eal_up, eal_down);
}
