/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What workers hand to a capture's writer: the packets that a device gave and took, as the wire has
 * them, once each; and a name for every one that is not there. The writer is this test, which looks
 * into the ring, and reads the blocks there by the offsets of the pcapng draft.
 */
#include "eal_fixture.h"
#include "engine/capture.h"
#include "wire_frames.h"

#include <errno.h>

enum {
    SNAP = 1600,
    SLOTS = 8, /* of the ring */
    COPIES = 16,
    ETH = 14,
    IP4 = 20,
    TCP = 20,
};

struct scene {
    struct tern_capture capture;
    struct tern_capture_worker worker;
    struct rte_mempool *packets;
};

static struct scene scene;

static void begin(const char *filter, uint64_t packets_max)
{
    struct tern_error err;
    struct tern_capture *c = &scene.capture;
    memset(&scene, 0, sizeof scene);
    c->cfg = (struct tern_capture_config){.packets_max = packets_max, .snap_bytes = SNAP};
    assert_int_equal(tern_capture_filter_compile(&c->filter, filter, &err), 0);
    c->clock = tern_clock_start();
    c->pool = eal_pool_new("copies", COPIES);
    c->ring = rte_ring_create("ring", SLOTS, SOCKET_ID_ANY, RING_F_SC_DEQ | RING_F_EXACT_SZ);
    assert_non_null(c->ring);
    scene.worker.capture = c;
    scene.packets = eal_pool_new("packets", COPIES);
}

/* Everything came back. */
static void end(void)
{
    assert_int_equal(rte_ring_count(scene.capture.ring), 0);
    assert_int_equal(rte_mempool_in_use_count(scene.capture.pool), 0);
    assert_int_equal(rte_mempool_in_use_count(scene.packets), 0);
}

/* Also of a test that failed: it is not to take the next ones with it. */
static int take_down(void **state)
{
    (void)state;
    tern_capture_filter_fini(&scene.capture.filter);
    rte_ring_free(scene.capture.ring);
    rte_mempool_free(scene.capture.pool);
    rte_mempool_free(scene.packets);
    return 0;
}

/* A block from the ring. */
struct block {
    union {
        uint32_t head[7];
        struct {
            uint32_t type, bytes, interface, time[2], kept, wire;
        };
    };
    const uint8_t *packet;
    uint32_t direction;
    struct rte_mbuf *m;
};

static struct block take(void)
{
    struct block b;
    void *m = NULL;
    assert_int_equal(rte_ring_dequeue(scene.capture.ring, &m), 0);
    b.m = m;
    const uint8_t *at = rte_pktmbuf_mtod(b.m, const uint8_t *);
    memcpy(b.head, at, sizeof b.head);
    assert_int_equal(b.type, 6); /* Enhanced Packet Block */
    assert_int_equal(b.bytes, b.m->data_len);
    b.packet = at + sizeof b.head;
    const uint8_t *option = b.packet + (b.kept + 3) / 4 * 4;
    assert_int_equal(option[0], 2); /* epb_flags */
    memcpy(&b.direction, option + 4, sizeof b.direction);
    return b;
}

static void drop(struct block *b)
{
    rte_pktmbuf_free(b->m);
}

static struct rte_mbuf *packet_of(const struct frame *f)
{
    struct rte_mbuf *m = eal_mbuf_of(scene.packets, f->b, (uint16_t)f->n);
    m->l2_len = ETH;
    m->l3_len = (f->l4 - f->l3) & 0x1ff;
    m->l4_len = TCP;
    return m;
}

/* A frame in two buffers, `first` bytes in the first. */
static struct rte_mbuf *chain_of(const struct frame *f, uint32_t first)
{
    struct rte_mbuf *head = eal_mbuf_of(scene.packets, f->b, (uint16_t)first);
    struct rte_mbuf *tail = eal_mbuf_of(scene.packets, f->b + first, (uint16_t)(f->n - first));
    assert_int_equal(rte_pktmbuf_chain(head, tail), 0);
    return head;
}

static void receive(struct rte_mbuf *m)
{
    tern_capture_received(&scene.worker, &m, 1);
    rte_pktmbuf_free(m);
}

/* Of `n` packets the device takes n_taken. */
static void give(const struct frame *f, uint32_t n, uint32_t n_taken)
{
    struct rte_mbuf *pkts[COPIES];
    for (uint32_t i = 0; i < n; i++)
        pkts[i] = packet_of(f);
    tern_capture_sending(&scene.worker, pkts, n);
    rte_pktmbuf_free_bulk(pkts, n); /* the device may: what is kept is a copy */
    tern_capture_sent(&scene.worker, n_taken);
}

/* The TCP checksum's field as hardware wants it: the pseudo-header's sum, `l4_bytes` of it. */
static void leave_to_device(struct frame *f, uint32_t l4_bytes)
{
    uint8_t pseudo[40] = {0};
    const uint32_t n_addrs = f->v6 ? 32 : 8;
    memcpy(pseudo, f->b + f->l4 - n_addrs, n_addrs);
    put32(pseudo + n_addrs, l4_bytes);
    pseudo[n_addrs + 7] = 6;
    put16(f->b + frame_csum_off(f), slow_sum(0, pseudo, n_addrs + 8));
    if (!f->v6)
        put16(f->b + f->l3 + 10, 0);
}

static void assert_shown(const struct frame *want)
{
    struct block b = take();
    assert_int_equal(b.kept, want->n);
    assert_int_equal(b.wire, want->n);
    assert_memory_equal(b.packet, want->b, want->n);
    drop(&b);
}

/* ---- what a packet looks like ---- */

static void packets_are_shown_with_direction_and_length(void **state)
{
    struct frame f;
    (void)state;
    begin(NULL, 0);
    frame_plain(&f, false, 7);
    receive(packet_of(&f));
    give(&f, 1, 1);
    for (uint32_t direction = 1; direction <= 2; direction++) {
        struct block b = take();
        assert_int_equal(b.direction, direction);
        assert_int_equal(b.wire, f.n);
        assert_memory_equal(b.packet, f.b, f.n);
        drop(&b);
    }
    assert_int_equal(scene.worker.seen, 2);
    assert_int_equal(scene.worker.taken, 2);
    end();
}

static void times_are_those_of_the_clock(void **state)
{
    struct frame f;
    (void)state;
    begin(NULL, 0);
    scene.capture.epoch_ns = UINT64_C(1800000000000000000) - TERN_CLOCK_START_NS;
    frame_plain(&f, false, 0);
    receive(packet_of(&f));
    struct block b = take();
    const uint64_t ns = (uint64_t)b.time[0] << 32 | b.time[1];
    assert_in_range(ns - UINT64_C(1800000000000000000), 0, UINT64_C(600000000000));
    drop(&b);
    end();
}

static void a_long_packet_is_cut_and_its_length_kept(void **state)
{
    struct frame f;
    (void)state;
    begin(NULL, 0);
    frame_plain(&f, false, 2000);
    receive(chain_of(&f, 1000));
    struct block b = take();
    assert_int_equal(b.kept, SNAP);
    assert_int_equal(b.wire, f.n);
    assert_memory_equal(b.packet, f.b, SNAP);
    drop(&b);
    end();
}

static void what_the_device_sums_is_shown_summed(void **state)
{
    (void)state;
    begin(NULL, 0);
    for (int v6 = 0; v6 < 2; v6++)
        for (uint32_t n_payload = 0; n_payload < 3; n_payload++) {
            struct frame whole, left;
            frame_plain(&whole, v6, n_payload);
            left = whole;
            leave_to_device(&left, TCP + n_payload);
            struct rte_mbuf *m = packet_of(&left);
            m->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM
                          | (v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM);
            receive(m); /* so it comes out of a pair's ring, too */
            assert_shown(&whole);
        }
    end();
}

/* The field of a segment that is to be cut knows no length. */
static void what_the_device_cuts_is_shown_whole_with_its_sum(void **state)
{
    struct frame whole, left;
    (void)state;
    begin(NULL, 0);
    frame_plain(&whole, false, 1401);
    left = whole;
    leave_to_device(&left, 0);
    struct rte_mbuf *m = packet_of(&left);
    m->ol_flags = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
    m->tso_segsz = 700;
    receive(m);
    assert_shown(&whole);
    end();
}

static void a_tag_that_the_device_took_off_is_back(void **state)
{
    struct frame f;
    (void)state;
    begin("vlan 5 and tcp port 80", 0);
    frame_plain(&f, false, 3);
    for (uint16_t vlan = 4; vlan <= 5; vlan++) {
        struct rte_mbuf *m = packet_of(&f);
        m->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
        m->vlan_tci = vlan;
        receive(m);
    }
    struct block b = take();
    assert_int_equal(b.kept, f.n + 4);
    assert_int_equal(get32(b.packet + 12), 0x81000005);
    assert_memory_equal(b.packet + 16, f.b + 12, f.n - 12);
    drop(&b);
    end();
}

/* ---- which are taken ---- */

static void the_filter_sees_all_buffers(void **state)
{
    struct frame f;
    (void)state;
    begin("tcp[13] & 8 != 0 and tcp[25] = 38", 0); /* the payload's sixth byte: 5 x 7 + 3 */
    frame_plain(&f, false, 10);
    receive(chain_of(&f, ETH + IP4 + TCP + 2));
    f.b[ETH + IP4 + TCP + 5] = 0;
    receive(chain_of(&f, ETH + IP4 + TCP + 2));
    assert_int_equal(scene.worker.seen, 2);
    assert_int_equal(scene.worker.taken, 1);
    struct block b = take();
    drop(&b);
    end();
}

static void a_wrong_filter_is_refused_in_libpcaps_words(void **state)
{
    struct tern_capture_filter f = {.program.bf_insns = NULL};
    struct tern_error err = {.text = ""};
    (void)state;
    memset(&scene, 0, sizeof scene);
    assert_int_equal(tern_capture_filter_compile(&f, "tcp prot 80", &err), -EINVAL);
    assert_non_null(strstr(err.text, "'tcp prot 80'"));
    assert_non_null(strstr(err.text, "syntax error"));
}

static void a_packet_that_the_device_refused_never_was(void **state)
{
    struct frame f;
    (void)state;
    begin(NULL, 0);
    frame_plain(&f, false, 0);
    give(&f, 5, 2);
    give(&f, 3, 0);
    assert_int_equal(scene.worker.seen, 2);
    assert_int_equal(scene.worker.taken, 2);
    assert_shown(&f);
    assert_shown(&f);
    end();
}

static void no_more_are_taken_than_were_asked_for(void **state)
{
    struct frame f;
    (void)state;
    begin(NULL, 3);
    frame_plain(&f, false, 0);
    give(&f, 2, 2);
    give(&f, 2, 2);
    give(&f, 2, 2);
    assert_int_equal(scene.worker.taken, 3);
    assert_true(scene.capture.is_full);
    for (int i = 0; i < 3; i++)
        assert_shown(&f);
    end();
}

/* ---- what is lost has a name ---- */

static void a_full_ring_is_counted(void **state)
{
    struct frame f;
    (void)state;
    begin(NULL, 0);
    frame_plain(&f, false, 0);
    give(&f, SLOTS + 3, SLOTS + 3);
    assert_int_equal(scene.worker.taken, SLOTS + 3);
    assert_int_equal(scene.worker.dropped_ring, 3);
    for (int i = 0; i < SLOTS; i++)
        assert_shown(&f);
    end();
}

static void a_copy_without_a_buffer_is_counted(void **state)
{
    struct rte_mbuf *held[COPIES - 1];
    struct frame f;
    (void)state;
    begin(NULL, 0);
    frame_plain(&f, false, 0);
    assert_int_equal(rte_pktmbuf_alloc_bulk(scene.capture.pool, held, COPIES - 1), 0);
    give(&f, 3, 3);
    assert_int_equal(scene.worker.taken, 3);
    assert_int_equal(scene.worker.dropped_mbuf, 2);
    assert_shown(&f);
    rte_pktmbuf_free_bulk(held, COPIES - 1);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(packets_are_shown_with_direction_and_length, take_down),
        cmocka_unit_test_teardown(times_are_those_of_the_clock, take_down),
        cmocka_unit_test_teardown(a_long_packet_is_cut_and_its_length_kept, take_down),
        cmocka_unit_test_teardown(what_the_device_sums_is_shown_summed, take_down),
        cmocka_unit_test_teardown(what_the_device_cuts_is_shown_whole_with_its_sum, take_down),
        cmocka_unit_test_teardown(a_tag_that_the_device_took_off_is_back, take_down),
        cmocka_unit_test_teardown(the_filter_sees_all_buffers, take_down),
        cmocka_unit_test_teardown(a_wrong_filter_is_refused_in_libpcaps_words, take_down),
        cmocka_unit_test_teardown(a_packet_that_the_device_refused_never_was, take_down),
        cmocka_unit_test_teardown(no_more_are_taken_than_were_asked_for, take_down),
        cmocka_unit_test_teardown(a_full_ring_is_counted, take_down),
        cmocka_unit_test_teardown(a_copy_without_a_buffer_is_counted, take_down),
    };
    return cmocka_run_group_tests(tests, eal_up, eal_down);
}
