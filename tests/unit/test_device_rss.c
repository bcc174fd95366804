/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What devices tell of their RSS (lib/engine/device_rss.c), asked through DPDK as of a card. Of the
 * drivers that need no hardware, net_null is the only one that answers; that it spreads nothing is
 * no matter here. TAP claims RSS and has no table; rings and memif claim none.
 */
#include "eal_fixture.h"
#include "engine/device.h"
#include "engine/eal.h"
#include "engine/memory.h"
#include "rss_fixture.h"
#include "unit.h"

#include <rte_ethdev.h>

enum { QUEUES = 4, ENTRIES = 128, MBUFS = 8192, MTU_BYTES = 1500 };

static struct rte_mempool *pool;
static struct tern_eal_log *log_;

static struct tern_port open_port(const char *device)
{
    struct rte_mempool *pools[QUEUES];
    struct tern_endpoint_config cfg;
    struct tern_device_spec spec;
    struct tern_error err = {.text = ""};
    struct tern_port port;
    for (int i = 0; i < QUEUES; i++)
        pools[i] = pool;
    tern_endpoint_config_init(&cfg);
    cfg.device = device;
    cfg.n_workers = QUEUES;
    cfg.n_rx_desc = cfg.n_tx_desc = 256;
    assert_int_equal(tern_device_spec_parse(device, &spec, &err), 0);
    const struct tern_port_want want = {
        .spec = &spec,
        .cfg = &cfg,
        .n_queues = QUEUES,
        .mtu_bytes = MTU_BYTES,
        .pools = pools,
        .pair_port = -1,
        .log = log_,
    };
    if (tern_port_open(&want, &port, &err) != 0)
        fail_msg("%s", err.text);
    return port;
}

/** Write a table into the device, entry i to queue (i + 1) % n_queues. */
static void set_table(const struct tern_port *port, uint32_t n_queues)
{
    struct rte_eth_rss_reta_entry64 groups[ENTRIES / RTE_ETH_RETA_GROUP_SIZE];
    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct rte_eth_rss_reta_entry64 *group = &groups[i / RTE_ETH_RETA_GROUP_SIZE];
        group->mask = UINT64_MAX;
        group->reta[i % RTE_ETH_RETA_GROUP_SIZE] = (uint16_t)((i + 1) % n_queues);
    }
    assert_int_equal(rte_eth_dev_rss_reta_update(port->id, groups, ENTRIES), 0);
}

static void set_hash(const struct tern_port *port, uint8_t *key, uint64_t fields)
{
    struct rte_eth_rss_conf conf = {
        .rss_key = key, .rss_key_len = TERN_RSS_KEY_BYTES, .rss_hf = fields};
    assert_int_equal(rte_eth_dev_rss_hash_update(port->id, &conf), 0);
}

static void key_and_table_are_read(void **state)
{
    (void)state;
    static struct tern_rss rss;
    struct tern_rss_facts facts, card = rss_card(8, ENTRIES, QUEUES);
    struct tern_port port = open_port("vdev:net_null0");
    assert_true(port.spreads_by_rss && port.keeps_flows);
    set_table(&port, QUEUES);
    set_hash(&port, card.key, RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP);
    tern_port_rss(&port, &facts);
    assert_int_equal(facts.n_key_bytes, TERN_RSS_KEY_BYTES);
    assert_memory_equal(facts.key, card.key, sizeof card.key);
    assert_true(facts.tcp4 && facts.tcp6);
    assert_int_equal(facts.n_entries, ENTRIES);
    for (uint32_t i = 0; i < ENTRIES; i++)
        assert_int_equal(facts.queue[i], (i + 1) % QUEUES);
    assert_int_equal(tern_rss_init(&rss, &facts, QUEUES), TERN_RSS_GOOD);
    tern_port_close(&port);
}

/** V102: the key is nobody's to know, and another each time; what the device hashes stays. */
static void key_is_drawn(void **state)
{
    (void)state;
    struct tern_rss_facts facts[2];
    for (int i = 0; i < 2; i++) {
        struct tern_port port = open_port(i == 0 ? "vdev:net_null0" : "vdev:net_null1");
        tern_port_rss(&port, &facts[i]);
        assert_int_equal(facts[i].n_key_bytes, TERN_RSS_KEY_BYTES);
        tern_port_close(&port);
    }
    assert_memory_not_equal(facts[0].key, facts[1].key, TERN_RSS_KEY_BYTES);
    assert_true(facts[0].tcp4 == facts[1].tcp4 && facts[0].tcp6 == facts[1].tcp6);
}

/** Fields that leave ports out, or hash a part of them, are as good as none. */
static void fields_decide(void **state)
{
    (void)state;
    static const struct {
        uint64_t fields;
        bool tcp4, tcp6;
    } cases[] = {
        {RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6, false, false},
        {RTE_ETH_RSS_IP | RTE_ETH_RSS_NONFRAG_IPV4_TCP, true, false},
        {RTE_ETH_RSS_IP | RTE_ETH_RSS_NONFRAG_IPV6_TCP, false, true},
        {RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_L4_SRC_ONLY, false, false},
        {RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_L3_DST_ONLY, false, false},
    };
    for (size_t i = 0; i < RTE_DIM(cases); i++) {
        struct tern_rss_facts facts;
        tern_port_rss_fields(cases[i].fields, &facts);
        assert_int_equal(facts.tcp4, cases[i].tcp4);
        assert_int_equal(facts.tcp6, cases[i].tcp6);
    }
}

static void rings_tell_nothing(void **state)
{
    (void)state;
    static struct tern_rss rss;
    struct tern_rss_facts facts;
    struct tern_port port = open_port("vdev:net_ring0");
    assert_false(port.spreads_by_rss || port.keeps_flows);
    tern_port_rss(&port, &facts);
    assert_int_equal(facts.n_key_bytes + facts.n_entries, 0);
    assert_int_equal(tern_rss_init(&rss, &facts, QUEUES), TERN_RSS_NO_KEY);
    tern_port_close(&port);
}

static int set_up(void **state)
{
    if (eal_up(state) != 0)
        return -1;
    log_ = tern_eal_log_open();
    pool = tern_pool_open("rss", MBUFS, tern_mbuf_room_bytes(MTU_BYTES, TERN_POOL_DENSE), 0,
        TERN_POOL_DENSE, SOCKET_ID_ANY);
    return pool != NULL && log_ != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    const uint32_t n_missing = tern_pool_close(pool);
    tern_eal_log_close(log_);
    return eal_down(state) != 0 || n_missing != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_and_table_are_read),
        cmocka_unit_test(key_is_drawn),
        cmocka_unit_test(fields_decide),
        cmocka_unit_test(rings_tell_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
