/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path MTU: a path in virtual time that takes packets up to a size, with a router that tells, or
 * one that does not; messages that are made up; and the way back up. End 0 sends, end 1 receives.
 */
#include "tcp/sent.h"
#include "tcp_pair.h"
#include "tcp_peer.h"

enum { KIB = 1 << 10, MIB = 1 << 20, TEN_MINUTES = 600000, BIG = 1300 };

struct path {
    struct pair pair;
    struct stream stream;
    uint32_t mtu, n_too_big, largest;
    bool tells, is_down, is_down_forth;
    uint32_t lie_mtu, n_lies, lies_max; /* made-up messages about full packets; 0: none, all */
    uint32_t unlucky;                   /* so many larger than BIG are lost by chance */
    uint32_t until_down;                /* so many full packets get through, then none; 0: no end */
};

static uint32_t headers(const struct path *p)
{
    return p->pair.v6 ? 60 : 40;
}

/** The router's message about `packet`, on its way to who sent it. */
static void tell(struct path *p, const uint8_t *packet, uint32_t mtu, uint64_t delay_ns)
{
    struct frame f = {0};
    const bool v6 = p->pair.v6;
    if (v6) {
        frame_ip6(&f, 58);
        memcpy(f.b + 8, p->pair.addr[1].b, 16);
        memcpy(f.b + 24, p->pair.addr[0].b, 16);
        frame_icmp(&f, 2, 0, mtu);
    } else {
        frame_ip4(&f, 1, "", 0);
        memcpy(f.b + 12, &p->pair.addr[1].w[3], 4);
        memcpy(f.b + 16, &p->pair.addr[0].w[3], 4);
        frame_icmp(&f, 3, 4, mtu);
    }
    frame_add(&f, packet, v6 ? 48 : 28);
    frame_seal(&f);
    fly(&p->pair, 0, f.b, f.n, p->pair.now_ns + delay_ns);
}

static enum fate take_or_not(struct pair *pair, int from, const uint8_t *packet, uint32_t n)
{
    struct path *p = pair->ctx;
    if (p->is_down || (p->is_down_forth && from == 0))
        return IS_LOST;
    if (n > BIG && p->unlucky > 0) {
        p->unlucky--;
        return IS_LOST;
    }
    if (n > BIG && p->until_down > 0 && --p->until_down == 0)
        p->is_down_forth = true;
    if (from == 0 && p->lie_mtu != 0 && n > 1000 && (p->lies_max == 0 || p->n_lies < p->lies_max)) {
        tell(p, packet, p->lie_mtu, ms_to_ns(2));
        p->n_lies++;
    }
    if (n > p->mtu) {
        p->n_too_big++;
        if (p->tells && from == 0)
            tell(p, packet, p->mtu, pair->delay_ns / 2);
        return IS_LOST;
    }
    p->largest = n > p->largest ? n : p->largest;
    return ARRIVES;
}

static void carry(struct pair *pair)
{
    struct path *p = pair->ctx;
    stream_write(&p->stream);
    stream_read(&p->stream);
    const struct tern_tcp *t = tern_tcp_of(tern_embed_shard(pair->end[0]));
    for (uint32_t i = 1; i <= 4; i++)
        if (t->conns[i].state == TERN_ESTABLISHED)
            tern_sent_check(t, &t->conns[i]);
}

static void path_init(struct path *p, bool v6)
{
    *p = (struct path){.mtu = UINT32_MAX};
    pair_init(&p->pair, v6);
    p->pair.delay_ns = ms_to_ns(20);
    p->pair.ctx = p;
}

/** No leak on either side, and both books balance. */
static void path_close(struct path *p)
{
    if (p->pair.end[0] != NULL)
        pair_close(&p->pair);
}

/** The next path of a test that needs several. */
static void path_renew(struct path *p)
{
    path_close(p);
    path_init(p, p->pair.v6);
}

static int path_setup4(void **state)
{
    static struct path path;
    path_init(&path, false);
    *state = &path;
    return 0;
}

static int path_setup6(void **state)
{
    static struct path path;
    path_init(&path, true);
    *state = &path;
    return 0;
}

static int path_teardown(void **state)
{
    path_close(*state);
    return 0;
}

/** Each test over both families: *state is a path that is not started yet, and is closed behind it.
 */
#define PATHS(test)                                                                                \
    {#test " (IPv4)", test, path_setup4, path_teardown, NULL},                                     \
    {                                                                                              \
#        test " (IPv6)", test, path_setup6, path_teardown, NULL                                    \
    }

static void path_start(struct path *p, uint32_t total)
{
    struct pair *pair = &p->pair;
    pair_open(pair);
    pair->hook = take_or_not;
    pair_connect(pair);
    p->stream = (struct stream){.from = pair->client, .to = pair->server, .total = total};
    pair->on_event = carry;
    carry(pair);
}

/** `n` bytes more, all of them read within `ms`. */
static void send_within(struct path *p, uint32_t n, uint64_t ms)
{
    p->stream.total += n;
    carry(&p->pair);
    const uint64_t end_ns = p->pair.now_ns + ms_to_ns(ms);
    while (p->stream.read < p->stream.total && pair_step(&p->pair, end_ns)) {
    }
    assert_int_equal(p->stream.read, p->stream.total);
}

/** 40 KB a second for so long: enough at a time for a probe and what goes with it. */
static void trickle_ms(struct path *p, uint64_t ms)
{
    const uint64_t end_ns = p->pair.now_ns + ms_to_ns(ms);
    while (p->pair.now_ns < end_ns) {
        send_within(p, 40 * KIB, 5000);
        pair_run_ms(&p->pair, 1000);
    }
}

static const struct tern_stats *sender(const struct path *p)
{
    return pair_stats(&p->pair, 0);
}

/** The largest packet the sender makes now. */
static uint32_t packet_size(const struct path *p)
{
    struct tern_conn_info info;
    assert_true(tern_sock_describe(p->pair.client, &info));
    return info.mss_bytes + (info.timestamps ? 12u : 0u) + headers(p);
}

static uint32_t cwnd(const struct path *p)
{
    struct tern_conn_info info;
    assert_true(tern_sock_describe(p->pair.client, &info));
    return info.cwnd_bytes;
}

/* ---- black holes ---- */

static void black_hole_is_left_and_the_size_is_found(void **state)
{
    static const uint32_t mtus[] = {1499, 1480, 1400, 1333, 1281, 1280};
    struct path *p = *state;
    for (size_t i = 0; i < sizeof mtus / sizeof mtus[0]; i++) {
        path_renew(p);
        p->mtu = mtus[i];
        path_start(p, 0);
        send_within(p, 2 * MIB, 60000);
        trickle_ms(p, 30000);
        assert_int_equal(sender(p)->pmtu_black_holes, 1);
        assert_in_range(sender(p)->rto_expired, 2, 3);
        assert_in_range(packet_size(p), mtus[i] - 8, mtus[i]);
        assert_int_equal(sender(p)->recoveries, 0); /* lost probes are no congestion */
        assert_in_range(sender(p)->pmtu_probes, 2, 16);
    }
}

static void narrower_than_the_base_is_found_too(void **state)
{
    struct path *p = *state;
    p->mtu = 900;
    path_start(p, 0);
    trickle_ms(p, 30000);
    assert_in_range(packet_size(p), 900 - 8, 900);
    assert_int_equal(sender(p)->pmtu_black_holes, 2);
}

static void black_hole_may_open_later(void **state)
{
    struct path *p = *state;
    path_start(p, 0);
    send_within(p, MIB, 10000);
    assert_int_equal(packet_size(p), 1500);
    p->mtu = 1400;
    send_within(p, MIB, 60000);
    trickle_ms(p, 30000);
    assert_in_range(packet_size(p), 1392, 1400);
}

/** A path that was down for a while loses nothing but that while. */
static void outage_is_no_black_hole_for_long(void **state)
{
    struct path *p = *state;
    path_start(p, 0);
    send_within(p, MIB, 10000);
    p->stream.total += 4 * MIB;
    pair_run_ms(&p->pair, 10);
    p->is_down = true;
    pair_run_ms(
        &p->pair, 2000); /* as many timeouts as a hole would need, had the size never arrived */
    assert_true(sender(p)->rto_expired >= 2);
    assert_int_equal(sender(p)->pmtu_black_holes, 0);
    pair_run_ms(&p->pair, 4000);
    assert_int_equal(sender(p)->pmtu_black_holes, 1);
    assert_int_equal(packet_size(p), 1280);
    p->is_down = false;
    send_within(p, 0, 30000);
    assert_int_equal(packet_size(p), 1500);
    assert_int_equal(sender(p)->pmtu_probes, 1);
    assert_int_equal(sender(p)->pmtu_raised, 1);
}

static void lost_small_segments_are_no_black_hole(void **state)
{
    struct path *p = *state;
    path_start(p, 400);
    p->is_down = true;
    pair_run_ms(&p->pair, 60000);
    assert_true(sender(p)->rto_expired >= 5);
    assert_int_equal(sender(p)->pmtu_black_holes, 0);
    assert_int_equal(packet_size(p), 1500);
    p->is_down = false;
    send_within(p, 0, 60000);
}

static void off_means_off(void **state)
{
    struct path *p = *state;
    p->pair.cfg[0].stack.plpmtud = TERN_PLPMTUD_OFF;
    p->mtu = 1400;
    path_start(p, 10000);
    pair_run_ms(&p->pair, 60000);
    assert_int_equal(p->stream.read, 0);
    assert_int_equal(packet_size(p), 1500);
    assert_int_equal(sender(p)->pmtu_probes, 0);
}

/** Without SACK the fate of one segment is not known: down, and no further. */
static void without_sack_the_base_is_kept(void **state)
{
    struct path *p = *state;
    p->pair.cfg[1].stack.sack = false;
    p->mtu = 1400;
    path_start(p, 0);
    send_within(p, MIB, 30000);
    trickle_ms(p, 10000);
    assert_int_equal(packet_size(p), 1280);
    assert_int_equal(sender(p)->pmtu_probes, 0);
}

/** No record for the size that was: smaller it gets, larger never; and everything arrives. */
static void random_losses_do_not_stop_the_search(void **state)
{
    struct path *p = *state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        path_renew(p);
        p->pair.cfg[0].stack.sent_max = seed % 2 != 0 ? 0 : 65536;
        p->mtu = 1400;
        path_start(p, 0);
        for (int i = 0; i < 20; i++) {
            send_within(p, 100 * KIB, 60000);
            p->is_down = true;
            p->stream.total += 20 * KIB;
            pair_run_ms(&p->pair, 20 + next_random(&seed) % 100);
            p->is_down = false;
            send_within(p, 0, 60000);
        }
        assert_in_range(packet_size(p), 1280, 1400);
    }
}

/* ---- routers that tell ---- */

static void router_that_tells_first_costs_no_timeout(void **state) /* 1191-1, 8201-3 */
{
    struct path *p = *state;
    p->mtu = 1400;
    p->tells = true;
    path_start(p, 0);
    send_within(p, MIB, 10000);
    assert_int_equal(packet_size(p), 1400);
    assert_int_equal(sender(p)->rto_expired, 0);
    assert_int_equal(sender(p)->recoveries, 0);
    assert_int_equal(sender(p)->pmtu_lowered, 1);
}

/** Segments of this size had arrived: the message waits for the timeout, which is no congestion. */
static void router_that_tells_later_is_believed_at_the_timeout(void **state) /* 5927-4 */
{
    struct path *p = *state;
    path_start(p, 0);
    send_within(p, MIB, 10000);
    const uint32_t before = cwnd(p);
    p->mtu = 1300;
    p->tells = true;
    p->stream.total += MIB;
    pair_run_ms(&p->pair, 1);
    carry(&p->pair);
    pair_run_ms(&p->pair, 60);
    assert_int_equal(packet_size(p), 1500); /* not yet */
    send_within(p, 0, 10000);
    assert_int_equal(packet_size(p), 1300);
    assert_int_equal(sender(p)->rto_expired, 1);
    assert_int_equal(sender(p)->pmtu_lowered, 1);
    assert_int_equal(sender(p)->pmtu_black_holes, 0);
    assert_true(cwnd(p) >= before);
}

/** V162: no message is believed while there is progress. */
static void made_up_messages_cost_nothing_while_data_gets_through(void **state) /* 5927-4 */
{
    static const uint32_t lies[] = {68, 552, 1280, 1300, 1499, 65535};
    struct path *p = *state;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        path_renew(p);
        path_start(p, 0);
        send_within(p, 200 * KIB, 10000);
        p->lie_mtu = lies[i];
        send_within(p, 2 * MIB, 10000);
        assert_true(p->n_lies > 1000);
        assert_int_equal(packet_size(p), 1500);
        assert_int_equal(sender(p)->retransmits, 0);
        assert_int_equal(sender(p)->pmtu_lowered, 0);
    }
}

/** What was claimed of data that arrived does not count against later data. */
static void claims_do_not_outlive_their_data(void **state)
{
    struct path *p = *state;
    path_start(p, 0);
    send_within(p, 200 * KIB, 10000);
    p->lie_mtu = 1300;
    send_within(p, 200 * KIB, 10000);
    p->lie_mtu = 0;
    p->stream.total += 20 * KIB;
    p->is_down = true;
    carry(&p->pair);
    pair_run_ms(&p->pair, 300); /* one timeout, no second */
    assert_int_equal(sender(p)->rto_expired, 1);
    assert_int_equal(packet_size(p), 1500);
    p->is_down = false;
    send_within(p, 0, 10000);
}

/** The claim was about a segment that arrived; that others behind it did not is no proof of it. */
static void claims_end_with_what_they_quote(void **state)
{
    struct path *p = *state;
    path_start(p, 0);
    send_within(p, 200 * KIB, 10000);
    p->lie_mtu = 1300;
    p->lies_max = 1;
    p->until_down = 6;
    p->stream.total += 20 * KIB;
    carry(&p->pair);
    pair_run_ms(&p->pair, 500);
    assert_int_equal(p->n_lies, 1);
    assert_int_equal(sender(p)->rto_expired, 1);
    assert_int_equal(packet_size(p), 1500);
    p->is_down_forth = false;
    send_within(p, 0, 10000);
}

/** V162. */
static void storms_end_at_the_floor_and_harm_nothing(void **state)
{
    struct path *p = *state;
    uint64_t dice = 7;
    p->tells = true;
    path_start(p, 0);
    for (int i = 0; i < 200; i++) {
        p->lie_mtu = next_random(&dice) % 2000;
        p->mtu = 1280 + next_random(&dice) % 300;
        send_within(p, 20 * KIB, 60000);
        assert_in_range(packet_size(p), p->pair.v6 ? 1280 : 552, 1500);
    }
}

/* ---- up again ---- */

/** V162: what was believed ages. */
static void size_rises_ten_minutes_after_it_fell(void **state) /* 1191-3 */
{
    struct path *p = *state;
    p->mtu = 1400;
    p->tells = true;
    path_start(p, 0);
    send_within(p, MIB, 10000);
    assert_int_equal(packet_size(p), 1400);
    p->mtu = UINT32_MAX;
    trickle_ms(p, TEN_MINUTES - 10000);
    assert_int_equal(packet_size(p), 1400);
    assert_int_equal(sender(p)->pmtu_probes, 0);
    trickle_ms(p, 20000);
    assert_int_equal(packet_size(p), 1500);
    assert_int_equal(sender(p)->pmtu_probes, 1);
    assert_int_equal(sender(p)->retransmits, 11); /* the first flight, that was too big */
}

static void size_rises_without_probes_where_they_are_off(void **state) /* 1191-3 */
{
    struct path *p = *state;
    p->pair.cfg[0].stack.plpmtud = TERN_PLPMTUD_OFF;
    p->mtu = 1400;
    p->tells = true;
    path_start(p, 0);
    send_within(p, MIB, 10000);
    trickle_ms(p, TEN_MINUTES - 10000);
    assert_int_equal(sender(p)->pmtu_lowered, 1);
    trickle_ms(p, 20000);
    assert_int_equal(sender(p)->pmtu_lowered, 2); /* tried, and told again at once */
    assert_int_equal(packet_size(p), 1400);
    assert_int_equal(sender(p)->rto_expired, 0);
}

static void search_is_repeated_every_ten_minutes(void **state)
{
    struct path *p = *state;
    p->mtu = 1400;
    path_start(p, 0);
    trickle_ms(p, 30000);
    const uint64_t before = sender(p)->pmtu_probes;
    trickle_ms(p, TEN_MINUTES - 60000);
    assert_int_equal(sender(p)->pmtu_probes, before);
    p->mtu = 1450;
    trickle_ms(p, 60000);
    assert_in_range(packet_size(p), 1442, 1450);
}

/** More than half of what 32 bits of milliseconds tell apart. */
static void search_is_repeated_after_weeks_of_silence(void **state)
{
    struct path *p = *state;
    const uint64_t weeks_ms = UINT64_C(26) * 24 * 3600 * 1000;
    p->mtu = 1400;
    path_start(p, 0);
    trickle_ms(p, 30000);
    pair_run_ms(&p->pair, weeks_ms);
    tern_embed_advance(p->pair.end[0], p->pair.now_ns); /* what is written now is of now */
    p->mtu = 1450;
    trickle_ms(p, 60000);
    assert_in_range(packet_size(p), 1442, 1450);
}

static void router_names_the_size_to_a_probe(void **state) /* RFC 8899 §4.6.2 */
{
    struct path *p = *state;
    p->pair.cfg[0].stack.plpmtud = TERN_PLPMTUD_ALWAYS;
    p->mtu = 1400;
    p->tells = true;
    path_start(p, 0);
    send_within(p, MIB, 10000);
    assert_int_equal(packet_size(p), 1400);
    assert_int_equal(sender(p)->pmtu_probes, 2);
    assert_int_equal(sender(p)->recoveries, 0);
    assert_int_equal(sender(p)->rto_expired, 0);
}

static void always_starts_small_and_grows(void **state)
{
    struct path *p = *state;
    p->pair.cfg[0].stack.plpmtud = TERN_PLPMTUD_ALWAYS;
    path_start(p, 0);
    assert_int_equal(packet_size(p), 1280);
    send_within(p, MIB, 10000);
    assert_int_equal(packet_size(p), 1500);
    assert_int_equal(sender(p)->pmtu_probes, 1);
    assert_int_equal(sender(p)->retransmits, 0);

    path_renew(p);
    p->pair.cfg[0].stack.plpmtud = TERN_PLPMTUD_ALWAYS;
    p->mtu = 1400;
    path_start(p, 0);
    trickle_ms(p, 30000);
    assert_in_range(packet_size(p), 1392, 1400);
    assert_int_equal(sender(p)->rto_expired, 0); /* a black hole that nothing fell into */
    assert_int_equal(sender(p)->recoveries, 0);
    assert_int_equal(sender(p)->retransmits, 2 * (sender(p)->pmtu_probes - sender(p)->pmtu_raised));
}

/** One loss may be chance. */
static void unlucky_probe_is_tried_again(void **state)
{
    struct path *p = *state;
    p->pair.cfg[0].stack.plpmtud = TERN_PLPMTUD_ALWAYS;
    p->unlucky = 1;
    path_start(p, 0);
    trickle_ms(p, 20000);
    assert_int_equal(packet_size(p), 1500);
    assert_int_equal(sender(p)->pmtu_probes, 2);
    assert_int_equal(sender(p)->pmtu_raised, 1);
}

static void applications_cap_stays_the_cap(void **state)
{
    struct path *p = *state;
    p->pair.cfg[0].stack.plpmtud = TERN_PLPMTUD_ALWAYS;
    path_start(p, 0);
    const uint32_t cap = 1350 - headers(p);
    assert_int_equal(tern_sock_set(p->pair.client, TERN_CONN_MSS_MAX, cap), 0);
    send_within(p, MIB, 10000);
    assert_int_equal(packet_size(p), 1350);
    assert_int_equal(p->largest, 1350);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PATHS(black_hole_is_left_and_the_size_is_found),
        cmocka_unit_test_setup_teardown(
            narrower_than_the_base_is_found_too, path_setup4, path_teardown),
        PATHS(black_hole_may_open_later),
        PATHS(outage_is_no_black_hole_for_long),
        PATHS(lost_small_segments_are_no_black_hole),
        PATHS(off_means_off),
        PATHS(without_sack_the_base_is_kept),
        PATHS(random_losses_do_not_stop_the_search),
        PATHS(router_that_tells_first_costs_no_timeout),
        PATHS(router_that_tells_later_is_believed_at_the_timeout),
        PATHS(made_up_messages_cost_nothing_while_data_gets_through),
        PATHS(claims_do_not_outlive_their_data),
        PATHS(claims_end_with_what_they_quote),
        PATHS(storms_end_at_the_floor_and_harm_nothing),
        PATHS(size_rises_ten_minutes_after_it_fell),
        PATHS(size_rises_without_probes_where_they_are_off),
        PATHS(search_is_repeated_every_ten_minutes),
        PATHS(search_is_repeated_after_weeks_of_silence),
        PATHS(router_names_the_size_to_a_probe),
        PATHS(always_starts_small_and_grows),
        PATHS(unlucky_probe_is_tried_again),
        PATHS(applications_cap_stays_the_cap),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
