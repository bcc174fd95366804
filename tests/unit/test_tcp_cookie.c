/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN cookies (RFC 4987 §3.6): no state until the ACK, and what the SYN said survives. */
#include "shard/shard_struct.h"
#include "tcp_peer.h"

enum { PERIOD_MS = 68720 /* 2^36 ns, rounded up */ };

static void use_cookies(struct peer *p)
{
    p->cfg.stack.syn_cookies = TERN_SYN_COOKIES_ALWAYS;
}

/** SYN and cookie. */
static void ask(struct peer *p)
{
    if (p->listener == NULL)
        listen_here(p);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
}

/* V095 */
static void always_keeps_no_state_and_establishes(void **state)
{
    struct peer *p = *state;
    use_cookies(p);
    ask(p);
    assert_int_equal(tern_shard_n_live(p->sh), 0);
    expect_silence_ms(p, 10000); /* nor does it repeat the SYN-ACK */
    inject(p, ACK, 1, 1, 0);
    expect_nothing(p);
    accept_one(p);
    assert_int_equal(stats(p)->syn_cookies_sent, 1);
    assert_int_equal(stats(p)->syn_cookies_accepted, 1);
    write_bytes(p, 10);
    expect_segment(p, ACK, 1, 1, 10);
}

static void cookie_ack_with_data_and_fin_is_taken_whole(void **state)
{
    struct peer *p = *state;
    use_cookies(p);
    ask(p);
    inject(p, FIN | ACK, 1, 1, 100);
    expect_segment(p, ACK, 1, 102, 0);
    accept_one(p);
    expect_read(p, 100);
    expect_eof(p);
}

/** The ACK and the first segment were lost; a RST for the second would kill what the first, sent
 * again, completes. */
static void segment_ahead_of_the_cookie_is_dropped_in_silence(void **state)
{
    struct peer *p = *state;
    use_cookies(p);
    ask(p);
    inject(p, ACK, 101, 1, 100);
    expect_nothing(p);
    assert_int_equal(drops(p, TERN_DROP_TCP_COOKIE_EARLY), 1);
    inject(p, ACK, 1, 1, 100);
    expect_segment(p, ACK, 1, 101, 0);
    accept_one(p);
    expect_read(p, 100);
}

static uint16_t rounded_down(uint16_t mss)
{
    static const uint16_t table[] = {64, 536, 1220, 1300, 1400, 1440, 1460, 8940};
    uint16_t found = 64;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i] <= mss)
            found = table[i];
    return found;
}

/* V098 */
static void mss_survives_rounded_down(void **state) /* 4987-2 */
{
    struct peer *p = *state;
    static const uint16_t msss[] = {
        0, 64, 535, 536, 600, 1219, 1220, 1350, 1400, 1439, 1440, 1459, 1460, 8939, 8940, 65535};
    const uint16_t own = p->v6 ? 8940 : 8960;
    for (size_t i = 0; i < sizeof msss / sizeof msss[0]; i++) {
        peer_restart(p);
        use_cookies(p);
        p->cfg.mbufs = 64;
        p->cfg.stack.mtu_bytes = 9000;
        p->offer.mss = msss[i];
        establish(p);
        const uint16_t want = rounded_down(msss[i]);
        assert_int_equal(describe(p).mss_bytes, want < own ? want : own);
    }
    peer_restart(p);
    p->offer.has_mss = false;
    establish(p);
    assert_int_equal(describe(p).mss_bytes, p->v6 ? 1220 : 536);
}

/* V098 */
static void options_survive(void **state)
{
    struct peer *p = *state;
    for (unsigned what = 0; what < 8; what++) {
        for (uint8_t shift = 0; shift <= 15; shift++) {
            peer_restart(p);
            use_cookies(p);
            p->cfg.mbufs = 64;
            p->offer.has_ts = what & 1;
            p->offer.sack_ok = what & 2;
            p->offer.has_wscale = what & 4;
            p->offer.wscale = shift;
            p->wnd = 100;
            establish(p);
            const struct tern_conn_info info = describe(p);
            assert_int_equal(info.timestamps, p->offer.has_ts);
            assert_int_equal(info.sack, p->offer.sack_ok);
            assert_int_equal(info.window_scale, p->offer.has_wscale);
            const uint8_t acts = p->offer.has_wscale ? (shift > 14 ? 14 : shift) : 0;
            assert_int_equal(info.snd_wscale, acts);
            assert_int_equal(info.snd_wnd_bytes, 100u << acts);
        }
    }
}

/* V096 */
static void forged_acks_are_reset(void **state) /* 4987-4 */
{
    struct peer *p = *state;
    uint64_t random = 1;
    use_cookies(p);
    ask(p); /* cookies are about */
    for (int i = 0; i < 2000; i++) {
        const uint32_t guess = next_random(&random) * 2u + 2;
        inject(p, ACK, 1, guess, 0);
        expect_segment(p, RST, guess, 0, 0);
    }
    assert_int_equal(stats(p)->syn_cookies_accepted, 0);
    inject(p, ACK, 1, 1, 0); /* the right one still is */
    accept_one(p);
}

/* V096 */
static void cookie_is_bound_to_its_syn(void **state)
{
    struct peer *p = *state;
    use_cookies(p);
    ask(p);
    inject(p, ACK, 2, 1, 0); /* another ISN of the peer */
    expect_flags(p, RST);
    p->port++;
    inject(p, ACK, 1, 1, 0);
    expect_flags(p, RST);
    p->port--;
    for (uint32_t bit = 0; bit < 32; bit++) {
        inject(p, ACK, 1, ((p->irs + 1) ^ 1u << bit) - p->irs, 0);
        expect_flags(p, RST);
    }
    assert_int_equal(stats(p)->syn_cookies_accepted, 0);
}

/* V096 */
static void cookie_expires_after_two_periods(void **state)
{
    struct peer *p = *state;
    use_cookies(p);
    ask(p);
    advance_ms(p, PERIOD_MS); /* the next period, whenever this one ends */
    inject(p, ACK, 1, 1, 0);
    accept_one(p);
    p->port++;
    ask(p);
    const uint32_t cookie = p->irs;
    advance_ms(p, 2 * PERIOD_MS);
    inject(p, ACK, 1, 1, 0);
    expect_segment(p, RST, 1, 0, 0);
    p->port++;
    ask(p); /* cookies are about, and yet not that one */
    p->port--;
    inject(p, ACK, 1, 1 + cookie - p->irs, 0);
    expect_flags(p, RST);
    assert_int_equal(stats(p)->syn_cookies_accepted, 1);
}

static void never_accepts_no_cookie(void **state)
{
    struct peer *p = *state;
    use_cookies(p);
    ask(p);
    peer_restart(p);
    p->cfg.stack.syn_cookies = TERN_SYN_COOKIES_NEVER;
    listen_here(p);
    inject(p, ACK, 1, 1, 0); /* good a moment ago, with the same seed */
    expect_segment(p, RST, 1, 0, 0);
}

/* V095, V103 */
static void auto_takes_over_when_the_cache_is_full(void **state) /* 4987-1 */
{
    struct peer *p = *state;
    p->cfg.stack.half_open_max = 8;
    listen_here(p);
    for (int i = 0; i < 100; i++) { /* a flood that never answers */
        p->port++;
        inject_syn(p, SYN, 0);
        expect_segment(p, SYN | ACK, 0, 1, 0);
    }
    assert_int_equal(stats(p)->half_opened, 8);
    assert_int_equal(stats(p)->syn_cookies_sent, 92);
    assert_int_equal(tern_shard_n_live(p->sh), 8);
    p->port++;
    p->offer.sack_ok = true;
    establish(p); /* a client that means it */
    assert_true(describe(p).sack);
    assert_int_equal(stats(p)->syn_cookies_accepted, 1);
    p->no_edge = true;
    advance_ms(p, 200000);
    skip_segments(p);
    assert_int_equal(stats(p)->half_expired, 8);
    p->port++;
    inject_syn(p, SYN, 0);
    expect_flags(p, SYN | ACK);
    assert_int_equal(stats(p)->half_opened, 9); /* the cache is in use again */
    p->ts = false;
}

/** V096: The key of the period's cookies is there from the first SYN on, and follows the
 * periods. */
static void each_period_has_its_key(void **state)
{
    struct peer *p = *state;
    p->now_ns = TERN_NS_PER_MS; /* in the first period of all */
    use_cookies(p);
    ask(p);
    const struct tern_tcp *t = tern_tcp_of(p->sh);
    for (int i = 0; i < 3; i++) {
        const struct tern_prf due = tern_prf4(&t->keys.period, t->now_ns >> 36, 0);
        assert_true(t->cookie_blind.lo == due.lo && t->cookie_blind.hi == due.hi);
        advance_ms(p, PERIOD_MS);
    }
}

/** The cache fills up with the first SYNs of a burst; what was made ready for the others was an
 * ISN.
 */
static void cache_that_fills_within_a_burst_leaves_the_rest_to_cookies(void **state)
{
    enum { N = 6, ROOM = 2 };
    struct peer *p = *state;
    struct rte_mbuf *burst[N];
    const uint16_t first_port = p->port;
    p->cfg.stack.half_open_max = ROOM;
    listen_here(p);
    for (int i = 0; i < N; i++) {
        p->port = (uint16_t)(first_port + i);
        burst[i] = segment_mbuf(p, SYN, 0, 0, 0);
    }
    tern_shard_rx(p->sh, burst, N, p->now_ns);
    for (int i = 0; i < N; i++) {
        p->port = (uint16_t)(first_port + i);
        expect_flags(p, SYN | ACK);
        inject(p, ACK, 1, 1, 0);
        accept_one(p);
    }
    assert_int_equal(stats(p)->half_opened, ROOM);
    assert_int_equal(stats(p)->syn_cookies_accepted, N - ROOM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(always_keeps_no_state_and_establishes),
        BOTH(segment_ahead_of_the_cookie_is_dropped_in_silence),
        BOTH(cookie_ack_with_data_and_fin_is_taken_whole),
        BOTH(mss_survives_rounded_down),
        BOTH(options_survive),
        BOTH(forged_acks_are_reset),
        BOTH(cookie_is_bound_to_its_syn),
        BOTH(cookie_expires_after_two_periods),
        BOTH(never_accepts_no_cookie),
        BOTH(auto_takes_over_when_the_cache_is_full),
        BOTH(each_period_has_its_key),
        BOTH(cache_that_fills_within_a_burst_leaves_the_rest_to_cookies),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
