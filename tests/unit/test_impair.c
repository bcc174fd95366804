/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One way of an impaired worker: what enters comes out when it is due, or is counted under the name
 * of what took it. Chances are drawn a second time here, from the same seed, so counts are exact.
 */
#include <tern/config.h>

#include "eal_fixture.h"
#include "engine/impair.h"
#include "wire_frames.h"

#include <errno.h>
#include <stdlib.h>

enum {
    POOL_MBUFS = 4095,
    HELD_MAX = 2048,
    STREAM = 3,
    BURST = 64,
    MS = 1000000,
    SECOND = 1000 * MS,
    PAYLOAD = 100,
};
#define NOW UINT64_C(5000000000)

struct world {
    struct rte_mempool *pool;
    struct tern_due dues[HELD_MAX];
    struct tern_impair_way way;
    uint64_t drops[TERN_DROP_COUNT];
    struct tern_impaired done;
    struct rte_mbuf *out[HELD_MAX];
    uint32_t n_out;
};

static struct world *open_world(struct tern_impair cfg)
{
    struct world *w = (struct world *)calloc(1, sizeof *w);
    assert_non_null(w);
    w->pool = eal_pool_new("impair", POOL_MBUFS);
    if (cfg.packets_max == 0)
        cfg.packets_max = HELD_MAX;
    tern_impair_way_init(&w->way, &cfg, w->dues, w->pool, STREAM, false);
    return w;
}

static void forget_out(struct world *w)
{
    rte_pktmbuf_free_bulk(w->out, w->n_out);
    w->n_out = 0;
}

/** Every mbuf came back, whatever became of its packet. */
static void close_world(struct world *w)
{
    forget_out(w);
    tern_impair_empty(&w->way);
    eal_pool_free(w->pool);
    free(w);
}

static struct rte_mbuf *mbuf_of(struct world *w, const struct frame *f)
{
    return eal_mbuf_of(w->pool, f->b, (uint16_t)f->n);
}

static void enter_frame(struct world *w, const struct frame *f, uint64_t now_ns)
{
    struct rte_mbuf *m = mbuf_of(w, f);
    tern_impair_enter(&w->way, &m, 1, now_ns, w->drops);
}

/** `n` plain segments, all at once; each carries its number in its last payload bytes. */
static void enter_plain(struct world *w, uint32_t n, uint64_t now_ns)
{
    struct frame f = {.n = 0};
    frame_plain(&f, false, PAYLOAD);
    for (uint32_t i = 0; i < n; i++) {
        put32(f.b + f.n - 4, i);
        frame_seal(&f);
        enter_frame(w, &f, now_ns);
    }
}

static uint32_t number_of(const struct rte_mbuf *m)
{
    return get32(rte_pktmbuf_mtod_offset(m, const uint8_t *, m->data_len - 4));
}

static uint32_t take(struct world *w, uint64_t now_ns)
{
    forget_out(w);
    w->n_out = tern_impair_take(&w->way, now_ns, w->out, HELD_MAX);
    tern_impair_read(&w->way, &w->done);
    return w->n_out;
}

/* ---- chance ---- */

/** What the same seed draws when only one chance is asked for. */
static uint32_t n_drawn(uint64_t seed, uint32_t ppm, uint32_t n)
{
    struct tern_prng p = tern_prng_make(seed, STREAM);
    uint32_t n_hit = 0;
    for (uint32_t i = 0; i < n; i++)
        n_hit += tern_prng_chance(&p, ppm);
    return n_hit;
}

static void loss_is_what_the_seed_draws(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct world *w = open_world((struct tern_impair){.loss_ppm = 20000, .seed = seed});
        const uint32_t n_lost = n_drawn(seed, 20000, HELD_MAX);
        enter_plain(w, HELD_MAX, NOW);
        assert_int_equal(take(w, NOW), HELD_MAX - n_lost);
        assert_in_range(n_lost, 1, HELD_MAX / 10);
        assert_int_equal(w->done.lost, n_lost);
        assert_int_equal(w->drops[TERN_DROP_IMPAIR_LOSS], n_lost);
        assert_int_equal(w->done.packets, HELD_MAX);
        assert_int_equal(w->done.delayed, 0);
        close_world(w);
    }
}

static void loss_of_all_leaves_nothing(void **state)
{
    (void)state;
    struct world *w = open_world((struct tern_impair){.loss_ppm = TERN_IMPAIR_PPM_MAX});
    enter_plain(w, 100, NOW);
    assert_int_equal(take(w, UINT64_MAX), 0);
    assert_int_equal(w->done.lost, 100);
    close_world(w);
}

/* ---- time ---- */

static void delay_holds_until_it_is_over(void **state)
{
    (void)state;
    struct world *w = open_world((struct tern_impair){.delay_ns = 20 * MS});
    assert_int_equal(tern_impair_next_ns(&w->way), UINT64_MAX);
    enter_plain(w, 10, NOW);
    enter_plain(w, 5, NOW + MS);
    assert_int_equal(tern_impair_next_ns(&w->way), NOW + 20 * MS);
    assert_int_equal(take(w, NOW + 20 * MS - 1), 0);
    assert_int_equal(take(w, NOW + 20 * MS), 10);
    assert_int_equal(take(w, NOW + 25 * MS), 5);
    assert_int_equal(w->done.delayed, 15);
    assert_int_equal(w->done.late_max_ns, 4 * MS);
    close_world(w);
}

static void jitter_keeps_the_order(void **state)
{
    (void)state;
    struct world *w =
        open_world((struct tern_impair){.delay_ns = MS, .jitter_ns = 5 * MS, .seed = 7});
    enter_plain(w, 500, NOW);
    assert_in_range(tern_impair_next_ns(&w->way), NOW + MS, NOW + 6 * MS);
    assert_int_equal(take(w, NOW + 6 * MS), 500);
    for (uint32_t i = 0; i < 500; i++)
        assert_int_equal(number_of(w->out[i]), i);
    close_world(w);
}

static void reorder_moves_as_many_as_the_seed_draws(void **state)
{
    (void)state;
    struct world *w =
        open_world((struct tern_impair){.reorder_ppm = 50000, .reorder_ns = 3 * MS, .seed = 11});
    uint32_t n_behind = 0;
    enter_plain(w, 1000, NOW);
    const uint32_t n_at_once = take(w, NOW);
    for (uint32_t i = 1; i < n_at_once; i++)
        assert_true(number_of(w->out[i]) > number_of(w->out[i - 1]));
    n_behind = take(w, NOW + 3 * MS + 1);
    assert_int_equal(n_at_once + n_behind, 1000);
    assert_int_equal(w->done.reordered, n_behind);
    assert_in_range(n_behind, 1, 200);
    close_world(w);
}

static void rate_lets_one_go_at_a_time(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    frame_plain(&f, false, PAYLOAD);
    const uint32_t ip_bytes = f.n - f.l3;
    struct world *w = open_world(
        (struct tern_impair){.rate_bytes_per_s = 1000 * ip_bytes, .queue_bytes = 1000 * ip_bytes});
    enter_plain(w, 50, NOW);
    for (uint64_t i = 1; i <= 50; i++)
        assert_int_equal(take(w, NOW + i * MS), 1);
    close_world(w);
}

static void queue_drops_what_does_not_fit(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    frame_plain(&f, false, PAYLOAD);
    const uint32_t ip_bytes = f.n - f.l3;
    struct world *w = open_world(
        (struct tern_impair){.rate_bytes_per_s = 1000 * ip_bytes, .queue_bytes = 20 * ip_bytes});
    enter_plain(w, 50, NOW);
    assert_int_equal(take(w, NOW + SECOND), 20);
    assert_int_equal(w->done.queue_full, 30);
    assert_int_equal(w->drops[TERN_DROP_IMPAIR_QUEUE], 30);
    close_world(w);
}

/* ---- bytes ---- */

static void duplicate_is_a_packet_of_its_own(void **state)
{
    (void)state;
    struct world *w = open_world((struct tern_impair){.duplicate_ppm = TERN_IMPAIR_PPM_MAX});
    enter_plain(w, 10, NOW);
    assert_int_equal(take(w, NOW), 20);
    assert_int_equal(w->done.duplicated, 10);
    for (uint32_t i = 0; i < 20; i += 2) {
        const uint8_t *a = rte_pktmbuf_mtod(w->out[i], const uint8_t *);
        const uint8_t *b = rte_pktmbuf_mtod(w->out[i + 1], const uint8_t *);
        assert_ptr_not_equal(a, b);
        assert_int_equal(w->out[i]->data_len, w->out[i + 1]->data_len);
        assert_memory_equal(a, b, w->out[i]->data_len);
    }
    close_world(w);
}

/** Bits from the first that differs to the last. */
static uint32_t burst_bits(const uint8_t *a, const uint8_t *b, uint32_t n)
{
    uint32_t first = UINT32_MAX, last = 0;
    for (uint32_t bit = 0; bit < n * 8; bit++)
        if (((a[bit / 8] ^ b[bit / 8]) >> (7 - bit % 8) & 1) != 0) {
            first = RTE_MIN(first, bit);
            last = bit;
        }
    return first == UINT32_MAX ? 0 : last - first + 1;
}

static void corruption_spares_the_sender_s_bytes(void **state)
{
    (void)state;
    struct world *w = open_world((struct tern_impair){.corrupt_ppm = TERN_IMPAIR_PPM_MAX});
    struct frame f = {.n = 0};
    frame_plain(&f, false, PAYLOAD);
    for (int i = 0; i < 200; i++) {
        struct rte_mbuf *m = mbuf_of(w, &f);
        m->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
        rte_pktmbuf_refcnt_update(m, 1); /* the sender keeps it, to send it again */
        tern_impair_enter(&w->way, &m, 1, NOW, w->drops);
        assert_int_equal(take(w, NOW), 1);
        const uint8_t *got = rte_pktmbuf_mtod(w->out[0], const uint8_t *);
        assert_int_equal(w->out[0]->data_len, f.n);
        assert_memory_equal(got, f.b, f.l3); /* a wire's frames have a check of their own */
        assert_in_range(burst_bits(got, f.b, f.n), 1, 15);
        assert_int_equal(w->out[0]->ol_flags, 0); /* nobody vouches for it any more */
        assert_memory_equal(rte_pktmbuf_mtod(m, const uint8_t *), f.b, f.n);
        rte_pktmbuf_free(m);
    }
    assert_int_equal(w->done.corrupted, 200);
    close_world(w);
}

static void no_packet_is_late_but_never_changed(void **state)
{
    (void)state;
    struct world *w =
        open_world((struct tern_impair){.corrupt_ppm = TERN_IMPAIR_PPM_MAX, .delay_ns = MS});
    struct frame arp = {.n = 0}, runt = {.b = {1, 2, 3}, .n = 3};
    frame_eth(&arp, 0x0806);
    frame_fill(&arp, 0xa5, 46);
    enter_frame(w, &arp, NOW);
    enter_frame(w, &runt, NOW);
    assert_int_equal(take(w, NOW), 0);
    assert_int_equal(take(w, NOW + MS), 2);
    assert_memory_equal(rte_pktmbuf_mtod(w->out[0], const uint8_t *), arp.b, arp.n);
    assert_int_equal(w->out[1]->data_len, runt.n);
    assert_int_equal(w->done.corrupted, 0);
    close_world(w);
}

static void tagged_packet_is_corrupted_behind_its_tag(void **state)
{
    (void)state;
    static const uint8_t tag[] = {0x00, 0x07, 0x08, 0x00};
    struct world *w = open_world((struct tern_impair){.corrupt_ppm = TERN_IMPAIR_PPM_MAX});
    struct frame plain = {.n = 0}, f = {.n = 0};
    frame_plain(&plain, false, PAYLOAD);
    frame_eth(&f, 0x8100);
    frame_add(&f, tag, sizeof tag);
    frame_add(&f, plain.b + plain.l3, plain.n - plain.l3);
    enter_frame(w, &f, NOW);
    assert_int_equal(take(w, NOW), 1);
    assert_int_equal(w->done.corrupted, 1);
    assert_memory_equal(rte_pktmbuf_mtod(w->out[0], const uint8_t *), f.b, plain.l3 + sizeof tag);
    close_world(w);
}

static void chain_comes_out_as_one(void **state)
{
    (void)state;
    struct world *w = open_world((struct tern_impair){.delay_ns = MS});
    struct frame f = {.n = 0};
    frame_plain(&f, true, PAYLOAD);
    struct rte_mbuf *head = eal_mbuf_of(w->pool, f.b, (uint16_t)(f.n - PAYLOAD));
    struct rte_mbuf *tail = eal_mbuf_of(w->pool, f.b + f.n - PAYLOAD, PAYLOAD);
    assert_int_equal(rte_pktmbuf_chain(head, tail), 0);
    tern_impair_enter(&w->way, &head, 1, NOW, w->drops);
    assert_int_equal(take(w, NOW + MS), 1);
    assert_int_equal(w->out[0]->nb_segs, 1);
    assert_int_equal(w->out[0]->data_len, f.n);
    assert_memory_equal(rte_pktmbuf_mtod(w->out[0], const uint8_t *), f.b, f.n);
    close_world(w);
}

/* ---- bounds ---- */

static void what_may_not_be_held_is_counted(void **state)
{
    (void)state;
    struct world *w = open_world((struct tern_impair){.delay_ns = MS, .packets_max = 64});
    enter_plain(w, 100, NOW);
    assert_int_equal(take(w, NOW + MS), 64);
    for (uint32_t i = 0; i < 64; i++)
        assert_int_equal(number_of(w->out[i]), i);
    assert_int_equal(w->done.hold_full, 36);
    assert_int_equal(w->drops[TERN_DROP_IMPAIR_FULL], 36);
    close_world(w);
}

static void copy_without_a_buffer_is_counted(void **state)
{
    (void)state;
    static struct rte_mbuf *all[POOL_MBUFS];
    struct world *w = open_world((struct tern_impair){.duplicate_ppm = TERN_IMPAIR_PPM_MAX});
    struct frame f = {.n = 0};
    frame_plain(&f, false, PAYLOAD);
    struct rte_mbuf *m = mbuf_of(w, &f);
    const unsigned n_left = rte_mempool_avail_count(w->pool);
    assert_int_equal(rte_pktmbuf_alloc_bulk(w->pool, all, n_left), 0);
    tern_impair_enter(&w->way, &m, 1, NOW, w->drops);
    assert_int_equal(take(w, NOW), 1);
    assert_int_equal(w->done.no_mbuf, 1);
    assert_int_equal(w->drops[TERN_DROP_NO_MBUF], 1);
    rte_pktmbuf_free_bulk(all, n_left);
    close_world(w);
}

static void take_gives_no_more_than_asked_for(void **state)
{
    (void)state;
    struct world *w = open_world((struct tern_impair){.delay_ns = MS});
    enter_plain(w, 3 * BURST, NOW);
    w->n_out = tern_impair_take(&w->way, NOW + MS, w->out, BURST);
    assert_int_equal(w->n_out, BURST);
    assert_int_equal(take(w, NOW + MS), 2 * BURST);
    close_world(w);
}

static void the_end_frees_what_is_held(void **state)
{
    (void)state;
    struct world *w = open_world((struct tern_impair){.delay_ns = SECOND});
    enter_plain(w, 30, NOW);
    assert_int_equal(tern_impair_empty(&w->way), 30);
    assert_int_equal(tern_impair_next_ns(&w->way), UINT64_MAX);
    close_world(w);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    const uint64_t too_long = TERN_IMPAIR_TIME_MAX_NS + 1;
    const struct tern_impair bad[] = {
        {.loss_ppm = TERN_IMPAIR_PPM_MAX + 1},
        {.duplicate_ppm = TERN_IMPAIR_PPM_MAX + 1},
        {.reorder_ppm = TERN_IMPAIR_PPM_MAX + 1},
        {.corrupt_ppm = TERN_IMPAIR_PPM_MAX + 1},
        {.delay_ns = too_long},
        {.jitter_ns = too_long},
        {.reorder_ns = too_long},
        {.rate_bytes_per_s = TERN_IMPAIR_RATE_MIN - 1},
        {.rate_bytes_per_s = TERN_IMPAIR_RATE_MAX + 1},
        {.rate_bytes_per_s = TERN_IMPAIR_RATE_MIN, .queue_bytes = TERN_IMPAIR_QUEUE_MIN - 1},
        {.packets_max = TERN_IMPAIR_PACKETS_MIN - 1},
        {.packets_max = TERN_IMPAIR_PACKETS_MAX + 1},
    };
    struct tern_error err;
    const struct tern_impair off = {.loss_ppm = 0};
    assert_int_equal(tern_impair_check(&off, "pair", &err), 0);
    assert_false(tern_impair_is_on(&off));
    for (size_t i = 0; i < RTE_DIM(bad); i++) {
        assert_int_equal(tern_impair_check(&bad[i], "pair", &err), -EINVAL);
        assert_memory_equal(err.text, "pair: ", strlen("pair: "));
        assert_null(strchr(err.text, '\n'));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_is_what_the_seed_draws),
        cmocka_unit_test(loss_of_all_leaves_nothing),
        cmocka_unit_test(delay_holds_until_it_is_over),
        cmocka_unit_test(jitter_keeps_the_order),
        cmocka_unit_test(reorder_moves_as_many_as_the_seed_draws),
        cmocka_unit_test(rate_lets_one_go_at_a_time),
        cmocka_unit_test(queue_drops_what_does_not_fit),
        cmocka_unit_test(duplicate_is_a_packet_of_its_own),
        cmocka_unit_test(corruption_spares_the_sender_s_bytes),
        cmocka_unit_test(no_packet_is_late_but_never_changed),
        cmocka_unit_test(tagged_packet_is_corrupted_behind_its_tag),
        cmocka_unit_test(chain_comes_out_as_one),
        cmocka_unit_test(what_may_not_be_held_is_counted),
        cmocka_unit_test(copy_without_a_buffer_is_counted),
        cmocka_unit_test(take_gives_no_more_than_asked_for),
        cmocka_unit_test(the_end_frees_what_is_held),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, eal_up, eal_down);
}
