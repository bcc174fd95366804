/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Active opens by the hundred: what a shard keeps of its destinations, looks up ahead and writes
 * ahead changes nothing but the cost. Ports come as the destination's order says, and a SYN from
 * the store is the SYN that is written from nothing.
 */
#include "eal_fixture.h"
#include "shard/shard_struct.h"
#include "tcp/host.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>

enum { MBUFS = 1023, SOURCES = 8, START_NS = 1000000000, FRAME_MAX = 128 };

static struct rte_mempool *pool;
static struct tern_shard *sh;
static const struct tern_app app = {.on_open = NULL};

static int set_up_all(void **state)
{
    if (eal_up(state) != 0)
        return -1;
    pool = rte_pktmbuf_pool_create(
        "connect", MBUFS, 0, TERN_MBUF_PRIV_BYTES, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    return pool == NULL;
}

static union tern_addr addr(const char *form, unsigned i)
{
    char text[TERN_ADDR_TEXT_BYTES];
    union tern_addr a;
    snprintf(text, sizeof text, form, i);
    assert_int_equal(tern_addr_parse(text, &a), 0);
    return a;
}

static union tern_addr source(bool v6, unsigned i)
{
    return addr(v6 ? "2001:2::1:%x" : "198.18.1.%u", i + 1);
}

static union tern_addr target(bool v6, unsigned i)
{
    return addr(v6 ? "2001:2::2:%x" : "198.18.2.%u", i + 1);
}

static struct tern_stack_config stack(void)
{
    struct tern_stack_config cfg;
    tern_stack_config_init(&cfg);
    for (unsigned i = 0; i < 2 * SOURCES; i++)
        cfg.addrs[i] = (struct tern_prefix){
            .addr = source(i % 2 != 0, i / 2), .len_bits = i % 2 != 0 ? 48 : 15};
    cfg.n_addrs = 2 * SOURCES;
    cfg.l3 = true;
    cfg.dad = false;
    cfg.conns_max = 8192;
    cfg.time_wait_max = 64;
    cfg.sending_max = 64;
    return cfg;
}

static void open_shard(const struct tern_stack_config *cfg)
{
    struct tern_error err;
    const struct tern_shard_params params = {
        .cfg = cfg, .pool = pool, .reserve = pool, .now_ns = START_NS};
    if (tern_shard_open(&params, &sh, &err) != 0)
        fail_msg("%s", err.text);
    tern_shard_advance(sh, START_NS); /* addresses that nobody probes for are ready */
}

static void drop_sent(void)
{
    struct rte_mbuf *sent[TERN_SHARD_TX_MAX];
    rte_pktmbuf_free_bulk(sent, tern_shard_take_tx(sh, sent));
}

static void close_shard(void)
{
    drop_sent();
    tern_shard_close(sh, NULL);
    assert_int_equal(rte_mempool_in_use_count(pool), 0);
}

/** One SYN, whose bytes and orders to the device go to *out. */
struct syn {
    uint32_t n;
    uint8_t bytes[FRAME_MAX];
    uint64_t ol_flags, tx_offload;
};

static int connect_to(const union tern_addr *remote, uint16_t rport, const union tern_addr *local)
{
    const struct tern_connect_opts opts = {
        .remote = *remote, .rport = rport, .local = *local, .app = &app};
    return tern_connect(sh, &opts, NULL);
}

static struct syn take_syn(void)
{
    struct rte_mbuf *sent[TERN_SHARD_TX_MAX];
    assert_int_equal(tern_shard_take_tx(sh, sent), 1);
    const struct rte_mbuf *m = sent[0];
    struct syn s = {.n = m->pkt_len, .ol_flags = m->ol_flags, .tx_offload = m->tx_offload};
    assert_int_equal(m->nb_segs, 1);
    assert_int_equal(m->data_len, m->pkt_len);
    assert_in_range(s.n, 1, FRAME_MAX);
    memcpy(s.bytes, rte_pktmbuf_mtod(m, const void *), s.n);
    rte_pktmbuf_free(sent[0]);
    return s;
}

static const uint8_t *ip_of(const struct syn *s)
{
    return s->bytes + sh->tcp.link_bytes;
}

static const uint8_t *tcp_of(const struct syn *s)
{
    return ip_of(s) + (ip_of(s)[0] >> 4 == 4 ? TERN_IP4_BYTES : TERN_IP6_BYTES);
}

static uint16_t port_of(const struct syn *s)
{
    return tern_load16(tcp_of(s) + TERN_TCP_OFF_SPORT);
}

static void expect_ends(const struct syn *s, const union tern_addr *local,
    const union tern_addr *remote, uint16_t rport)
{
    const bool v4 = tern_addr_is_v4(remote);
    const size_t n = v4 ? 4 : 16, off = v4 ? 12 : 8;
    assert_memory_equal(ip_of(s) + off, local->b + 16 - n, n);
    assert_memory_equal(ip_of(s) + off + n, remote->b + 16 - n, n);
    assert_int_equal(tern_load16(tcp_of(s) + TERN_TCP_OFF_DPORT), rport);
}

static struct syn open_between(
    const union tern_addr *local, const union tern_addr *remote, uint16_t rport)
{
    assert_int_equal(connect_to(remote, rport, local), 0);
    const struct syn syn = take_syn();
    expect_ends(&syn, local, remote, rport);
    return syn;
}

static struct syn open_to(bool v6, unsigned t, uint16_t rport, unsigned s)
{
    const union tern_addr remote = target(v6, t), local = source(v6, s);
    return open_between(&local, &remote, rport);
}

/* ---- ports ---- */

/** What the order towards a destination says, from the first turn on. */
struct expected {
    struct tern_port_order order;
    uint32_t turn;
};

static struct expected expect_towards(bool v6, unsigned t, uint16_t rport, unsigned s)
{
    struct expected e = {.turn = 0};
    const struct tern_flow_key key = {
        .remote = target(v6, t), .local = source(v6, s), .rport = rport};
    tern_port_order_init(&e.order, &sh->tcp, &key);
    return e;
}

static void expect_next(struct expected *e, bool v6, unsigned t, uint16_t rport, unsigned s)
{
    const struct syn syn = open_to(v6, t, rport, s);
    assert_int_equal(port_of(&syn), tern_ports_next(&sh->tcp, &e->order, &e->turn));
}

/** Each destination has an order of its own, whatever is opened between. */
static void ports_come_in_the_order_of_their_destination(void **state)
{
    (void)state;
    const struct tern_stack_config cfg = stack();
    struct expected e[2][SOURCES];
    open_shard(&cfg);
    for (int v6 = 0; v6 < 2; v6++)
        for (unsigned s = 0; s < SOURCES; s++)
            e[v6][s] = expect_towards(v6, 0, 80, s);
    for (int round = 0; round < 20; round++)
        for (unsigned i = 0; i < 2 * SOURCES; i++)
            expect_next(&e[i % 2][i / 2], i % 2, 0, 80, i / 2);
    close_shard();
}

/** More destinations than there are places, and than there are counters: those that meet push each
 * other out and share, and each goes on in its order where the counter is. */
static void destinations_that_meet_keep_their_orders(void **state)
{
    (void)state;
    enum { TARGETS = 3, PORTS = 64, DESTS = TARGETS * PORTS * SOURCES };
    static_assert((int)DESTS > (int)TERN_DESTS && (int)DESTS > (int)TERN_PORT_TURNS, "they meet");
    const struct tern_stack_config cfg = stack();
    open_shard(&cfg);
    uint32_t n_moved = 0;
    for (unsigned i = 0; i < 2 * DESTS; i++) {
        const unsigned t = i % TARGETS, s = i / TARGETS % SOURCES;
        const uint16_t rport = (uint16_t)(80 + i / (TARGETS * SOURCES) % PORTS);
        const struct syn syn = open_to(false, t, rport, s);
        const union tern_addr remote = target(false, t), local = source(false, s);
        struct tern_dest *d;
        assert_int_equal(tern_host_dest(&sh->tcp, &remote, rport, &local, &d), 0);
        const struct expected e = expect_towards(false, t, rport, s);
        const uint32_t turn = *d->turn - 1;
        n_moved += turn > i / DESTS; /* by others */
        assert_int_equal(port_of(&syn), tern_ports_at(&sh->tcp, &e.order, turn));
    }
    assert_int_equal(tern_shard_stats(sh)->active_opens, 2 * DESTS);
    assert_true(n_moved > 0);
    close_shard();
}

/** A destination that differs from number 0 in one of three respects. */
struct way {
    union tern_addr local, remote;
    uint16_t rport;
};

enum { BY_SOURCE, BY_TARGET, BY_PORT, FAR_SOURCES = 250 };

static struct tern_stack_config stack_of_far_sources(void)
{
    struct tern_stack_config cfg = stack();
    cfg.n_addrs = FAR_SOURCES;
    for (unsigned i = 0; i < FAR_SOURCES; i++) {
        const uint8_t bytes[] = {198, 18, (uint8_t)(3 + i), (uint8_t)(1 + i * 101 % 253)};
        uint32_t v4;
        memcpy(&v4, bytes, sizeof v4);
        cfg.addrs[i] = (struct tern_prefix){.addr = tern_addr_from_v4(v4), .len_bits = 15};
    }
    return cfg;
}

static union tern_addr far_target(unsigned i)
{
    const uint8_t bytes[] = {198, 19, (uint8_t)(i / 200), (uint8_t)(1 + i % 200)};
    uint32_t v4;
    memcpy(&v4, bytes, sizeof v4);
    return tern_addr_from_v4(v4);
}

static struct way way_of(const struct tern_stack_config *cfg, int respect, unsigned i)
{
    return (struct way){
        .local = cfg->addrs[respect == BY_SOURCE ? i : 0].addr,
        .remote = far_target(respect == BY_TARGET ? i : 0),
        .rport = (uint16_t)(80 + (respect == BY_PORT ? i : 0)),
    };
}

static const struct tern_dest *place_of(const struct way *w)
{
    struct tern_dest *d;
    assert_int_equal(tern_host_dest(&sh->tcp, &w->remote, w->rport, &w->local, &d), 0);
    return d;
}

/** Two that fall on one place and differ in that respect alone are told apart. */
static void expect_told_apart(const struct tern_stack_config *cfg, int respect)
{
    const unsigned n = respect == BY_SOURCE ? FAR_SOURCES : TERN_DESTS + 1;
    unsigned a = 0, b = 0;
    for (unsigned i = 1; i < n && b == 0; i++) {
        const struct way w = way_of(cfg, respect, i);
        for (a = 0; a < i && b == 0; a++) {
            const struct way v = way_of(cfg, respect, a);
            b = place_of(&v) == place_of(&w) ? i : 0;
        }
    }
    assert_int_not_equal(b, 0);
    for (int k = 0; k < 6; k++) {
        const struct way w = way_of(cfg, respect, k % 2 ? a - 1 : b);
        open_between(&w.local, &w.remote, w.rport);
    }
}

static void destinations_of_one_place_are_told_apart(void **state)
{
    (void)state;
    const struct tern_stack_config cfg = stack_of_far_sources();
    open_shard(&cfg);
    expect_told_apart(&cfg, BY_SOURCE);
    expect_told_apart(&cfg, BY_TARGET);
    expect_told_apart(&cfg, BY_PORT);
    close_shard();
}

static void port_that_is_listened_on_is_passed_over(void **state) /* 6056-2 */
{
    (void)state;
    struct tern_stack_config cfg = stack();
    cfg.port_min = 5000;
    cfg.port_max = 5003;
    open_shard(&cfg);
    assert_true(tern_listen(sh, NULL, 5001, &app, NULL) >= 0);
    uint32_t seen = 0;
    for (int i = 0; i < 3; i++) {
        const struct syn syn = open_to(false, 0, 80, 0);
        assert_int_not_equal(port_of(&syn), 5001);
        seen |= 1u << (port_of(&syn) - 5000);
    }
    assert_int_equal(seen, 0xd);
    const union tern_addr remote = target(false, 0), local = source(false, 0);
    assert_int_equal(connect_to(&remote, 80, &local), -EADDRNOTAVAIL);
    close_shard();
}

/* ---- destinations that are refused ---- */

static void expect_refused(const char *remote, const char *local, int rc)
{
    union tern_addr r, l;
    assert_int_equal(tern_addr_parse(remote, &r), 0);
    assert_int_equal(tern_addr_parse(local, &l), 0);
    assert_int_equal(connect_to(&r, 80, &l), rc);
}

static void expect_all_refused(void)
{
    expect_refused("224.0.0.1", "0.0.0.0", -EINVAL);      /* MUST-46 */
    expect_refused("198.19.255.255", "0.0.0.0", -EINVAL); /* MUST-46 */
    expect_refused("198.18.1.2", "0.0.0.0", -EINVAL);
    expect_refused("198.18.2.1", "198.18.1.99", -EADDRNOTAVAIL);
    expect_refused("198.18.2.1", "2001:2::1:1", -EADDRNOTAVAIL);
}

/** Refusals are not kept, and what is kept is not what is refused. */
static void refused_destination_stays_refused(void **state)
{
    (void)state;
    const struct tern_stack_config cfg = stack();
    open_shard(&cfg);
    expect_all_refused();
    for (unsigned i = 0; i < 200; i++)
        open_to(false, i, (uint16_t)(80 + i), i % SOURCES);
    expect_all_refused();
    assert_int_equal(tern_shard_stats(sh)->active_opens, 200);
    close_shard();
}

static void family_without_an_address_of_ours_is_unreachable(void **state)
{
    (void)state;
    struct tern_stack_config cfg = stack();
    cfg.n_addrs = 1;
    open_shard(&cfg);
    expect_refused("2001:2::2:1", "::", -ENETUNREACH);
    expect_refused("2001:2::2:1", "::", -ENETUNREACH);
    close_shard();
}

/** The source is chosen once, and the open from it by name has the same order of ports. */
static void unspecified_source_is_one_of_ours(void **state) /* MUST-44 */
{
    (void)state;
    const struct tern_stack_config cfg = stack();
    open_shard(&cfg);
    struct expected e = expect_towards(false, 0, 80, 0);
    const union tern_addr remote = target(false, 0), any = {.q = {0}};
    for (int i = 0; i < 10; i++) {
        assert_int_equal(connect_to(&remote, 80, &any), 0);
        const struct syn syn = take_syn();
        const union tern_addr local = source(false, 0);
        expect_ends(&syn, &local, &remote, 80);
        assert_int_equal(port_of(&syn), tern_ports_next(&sh->tcp, &e.order, &e.turn));
        expect_next(&e, false, 0, 80, 0);
    }
    close_shard();
}

/* ---- SYNs ---- */

static void set_link(struct tern_stack_config *cfg)
{
    static const uint8_t mac[] = {2, 0, 0, 0, 0, 1}, theirs[] = {2, 0, 0, 0, 0, 2};
    cfg->l3 = false;
    memcpy(cfg->mac, mac, sizeof mac);
    cfg->n_neighbours = 2;
    for (int v6 = 0; v6 < 2; v6++) {
        cfg->neighbours[v6].addr = target(v6, 0);
        memcpy(cfg->neighbours[v6].mac, theirs, sizeof theirs);
    }
}

/** One of all shapes that the configuration gives to a SYN. */
static struct tern_stack_config shaped(unsigned shape)
{
    struct tern_stack_config cfg = stack();
    cfg.timestamps = shape & 1;
    cfg.sack = shape & 2;
    cfg.window_scale = shape & 4;
    cfg.tx_tcp_csum = shape & 8;
    cfg.tx_ip_csum = shape & 16;
    if (shape & 32)
        set_link(&cfg);
    if (shape & 64) {
        cfg.dscp = 10;
        cfg.ttl = 5;
        cfg.rcv_buf_bytes = 4000;
        cfg.mss_max = 700;
    }
    return cfg;
}

static void expect_same(const struct syn *a, const struct syn *b, unsigned shape)
{
    if (a->n != b->n || memcmp(a->bytes, b->bytes, a->n) != 0)
        fail_msg("shape %u: the SYNs differ", shape);
    assert_int_equal(a->ol_flags, b->ol_flags);
    assert_int_equal(a->tx_offload, b->tx_offload);
}

static void syn_from_the_store_is_that_from_nothing(void **state)
{
    (void)state;
    enum { SHAPES = 128, EACH = 3 };
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        struct tern_stack_config cfg = shaped(shape);
        struct syn first[2 * EACH];
        open_shard(&cfg);
        assert_true(sh->tcp.has_syns);
        for (unsigned i = 0; i < 2 * EACH; i++)
            first[i] = open_to(i % 2, 0, 80, i);
        close_shard();
        cfg.pins.slow_path_only = true;
        open_shard(&cfg);
        assert_false(sh->tcp.has_syns);
        for (unsigned i = 0; i < 2 * EACH; i++) {
            const struct syn again = open_to(i % 2, 0, 80, i);
            expect_same(&first[i], &again, shape);
        }
        close_shard();
    }
}

static void expect_ecn_syn(void)
{
    const struct syn syn = open_to(false, 0, 80, 0);
    assert_int_equal(tcp_of(&syn)[TERN_TCP_OFF_FLAGS], TERN_TCP_SYN | TERN_TCP_ECE | TERN_TCP_CWR);
}

/** What asks for more than the store has is not taken from it. */
static void ecn_and_fast_open_are_asked_for(void **state) /* 3168-1 */
{
    (void)state;
    struct tern_stack_config cfg = stack();
    cfg.ecn = TERN_ECN_REQUEST;
    open_shard(&cfg);
    expect_ecn_syn();
    close_shard();
    cfg = stack();
    cfg.cc = TERN_CC_DCTCP;
    open_shard(&cfg);
    expect_ecn_syn();
    close_shard();
    cfg = stack();
    cfg.tfo_connect = true;
    open_shard(&cfg);
    assert_false(sh->tcp.has_syns);
    close_shard();
}

/** Without a buffer the SYN is the timer's to send, and is the same. */
static void syn_without_a_buffer_leaves_later(void **state)
{
    (void)state;
    const struct tern_stack_config cfg = stack();
    struct rte_mbuf *all[MBUFS];
    open_shard(&cfg);
    const union tern_addr remote = target(false, 0), local = source(false, 0);
    assert_int_equal(rte_pktmbuf_alloc_bulk(pool, all, MBUFS), 0);
    assert_int_equal(connect_to(&remote, 80, &local), 0);
    assert_int_equal(tern_shard_stats(sh)->drops[TERN_DROP_NO_MBUF], 1);
    tern_shard_settle(sh);
    rte_pktmbuf_free_bulk(all, MBUFS);
    tern_shard_advance(sh, START_NS + UINT64_C(1100000000));
    const struct syn syn = take_syn();
    assert_int_equal(tcp_of(&syn)[TERN_TCP_OFF_FLAGS], TERN_TCP_SYN);
    close_shard();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_come_in_the_order_of_their_destination),
        cmocka_unit_test(destinations_that_meet_keep_their_orders),
        cmocka_unit_test(destinations_of_one_place_are_told_apart),
        cmocka_unit_test(port_that_is_listened_on_is_passed_over),
        cmocka_unit_test(refused_destination_stays_refused),
        cmocka_unit_test(family_without_an_address_of_ours_is_unreachable),
        cmocka_unit_test(unspecified_source_is_one_of_ours),
        cmocka_unit_test(syn_from_the_store_is_that_from_nothing),
        cmocka_unit_test(ecn_and_fast_open_are_asked_for),
        cmocka_unit_test(syn_without_a_buffer_leaves_later),
    };
    return cmocka_run_group_tests(tests, set_up_all, NULL);
}
