/* SPDX-License-Identifier: BSD-3-Clause */
/* A segment from a template is, byte for byte and in what the device is asked to do, the segment
 * that tern_packet_build() makes. */
#include <tern/embed.h>

#include "shard/shard.h"
#include "tcp/headers.h"

/* cmocka.h wants these in front of it */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on

enum { MBUFS = 64, LONGEST = 1460 };

struct shape {
    bool v6, ts, tx_ip_csum, tx_tcp_csum;
};

static struct rte_mempool *pool;
static struct tern_tcp t;
static struct tern_conn c;
static struct tern_addr6 addr6s[2];

static void prepare(const struct shape *s)
{
    memset(&t, 0, sizeof t);
    t.now_ms = 123456789;
    t.addr6s = addr6s;
    t.fast_path = true;
    t.cfg.tx_ip_csum = s->tx_ip_csum;
    t.cfg.tx_tcp_csum = s->tx_tcp_csum;
    tern_template_init(&t);
    c = (struct tern_conn){
        .rport = 40000,
        .lport = 443,
        .flags = (uint16_t)((s->v6 ? TERN_CF_V6 : 0) | (s->ts ? TERN_CF_TS : 0)),
        .remote4 = s->v6 ? 1 : __builtin_bswap32(0xc6120001),
        .local4 = __builtin_bswap32(0xc6130203),
        .ts_recent = 0xa1b2c3d4,
        .ts_offset = 0x01020304,
    };
    for (unsigned i = 0; i < 16; i++) {
        addr6s[1].remote.b[i] = (uint8_t)(0x20 + i);
        addr6s[1].local.b[i] = (uint8_t)(0xf1 - i);
    }
}

static struct rte_mbuf *payload(uint32_t len)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
    assert_non_null(m);
    uint8_t *at = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)len);
    assert_non_null(at);
    for (uint32_t i = 0; i < len; i++)
        at[i] = (uint8_t)(i * 7 + len);
    return m;
}

static struct rte_mbuf *built(uint32_t len, uint32_t seq, uint8_t flags)
{
    struct rte_mbuf *m = payload(len);
    uint8_t opt[TERN_TS_OPT_BYTES];
    const struct tern_flow_key key = tern_conn_key(&t, &c);
    struct tern_packet p = {
        .key = &key,
        .seq = {seq},
        .ack = {0x99887766},
        .flags = flags | TERN_TCP_ACK,
        .wnd = 0x1234,
        .ttl = 61,
        .tos = 0x28,
        .opt = opt,
    };
    if (c.flags & TERN_CF_TS)
        p.opt_bytes = tern_packet_ts_opt(opt, tern_ts_now(&t, c.ts_offset), c.ts_recent);
    tern_packet_build(&t, m, &p);
    return m;
}

/** Takes over `got`. */
static void expect_as_built(struct rte_mbuf *got, uint32_t len, uint32_t seq, uint8_t flags)
{
    struct rte_mbuf *wanted = built(len, seq, flags);
    assert_int_equal(got->pkt_len, wanted->pkt_len);
    assert_int_equal(got->data_len, wanted->data_len);
    assert_memory_equal(rte_pktmbuf_mtod(got, const uint8_t *),
        rte_pktmbuf_mtod(wanted, const uint8_t *), wanted->data_len);
    assert_int_equal(got->ol_flags, wanted->ol_flags);
    assert_int_equal(got->l3_len, wanted->l3_len);
    if (t.cfg.tx_tcp_csum)
        assert_int_equal(got->l4_len, wanted->l4_len);
    rte_pktmbuf_free(wanted);
    rte_pktmbuf_free(got);
}

static void expect_same(struct tern_template *h, uint32_t len, uint32_t seq, uint8_t flags)
{
    struct rte_mbuf *got = payload(len);
    tern_template_put(h, got, len, (struct tern_seq){seq}, flags);
    expect_as_built(got, len, seq, flags);
}

static void segment_is_as_built(void **state)
{
    static const uint32_t lengths[] = {LONGEST, LONGEST, 1, 2, 63, 64, 1448, LONGEST};
    (void)state;
    for (unsigned bits = 0; bits < 16; bits++) {
        const struct shape s = {bits & 1, bits & 2, bits & 4, bits & 8};
        prepare(&s);
        const struct tern_template_fields f = {{0x99887766}, 0x1234, 61, 0x28};
        struct tern_template h;
        tern_template_write(&t, &c, &f, &h);
        for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
            expect_same(&h, lengths[i], 0xfffffff0u + i * LONGEST,
                i % 2 != 0 ? TERN_TCP_PSH : TERN_TCP_FIN);
    }
}

/** One alone, with payload or without. */
static void single_is_as_built(void **state)
{
    static const uint32_t lengths[] = {0, 1, 63, 64, 65, 192, LONGEST};
    (void)state;
    for (unsigned bits = 0; bits < 16; bits++) {
        const struct shape s = {bits & 1, bits & 2, bits & 4, bits & 8};
        prepare(&s);
        const struct tern_template_fields f = {{0x99887766}, 0x1234, 61, 0x28};
        for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            const uint8_t flags = i % 2 != 0 ? TERN_TCP_PSH | TERN_TCP_FIN : 0;
            const uint32_t seq = 0xfffffff0u + i;
            struct rte_mbuf *got = payload(lengths[i]);
            tern_headers_put(&t, &c, &f, got, (struct tern_seq){seq}, flags);
            expect_as_built(got, lengths[i], seq, flags);
        }
    }
}

static bool fits(void)
{
    tern_template_init(&t);
    return t.plain_headers;
}

static void pins_and_the_slow_path_do_without(void **state)
{
    const struct shape s = {0};
    (void)state;
    prepare(&s);
    assert_true(fits());
    t.cfg.pins.has_ip_id = true;
    assert_false(fits());
    t.cfg.pins.has_ip_id = false;
    t.cfg.pins.no_df = true;
    assert_false(fits());
    t.cfg.pins.no_df = false;
    t.fast_path = false;
    assert_false(fits());
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(segment_is_as_built),
        cmocka_unit_test(single_is_as_built),
        cmocka_unit_test(pins_and_the_slow_path_do_without),
    };
    struct tern_error err;
    if (tern_embed_start(64, &err) != 0)
        fail_msg("%s", err.text);
    pool = rte_pktmbuf_pool_create(
        "template", MBUFS - 1, 0, TERN_MBUF_PRIV_BYTES, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    assert_non_null(pool);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
