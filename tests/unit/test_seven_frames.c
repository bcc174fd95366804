/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seven frames of a published analyser capture (Microsoft KB 172983): a handshake and a
 * graceful close, reproduced byte for byte. What a stack chooses freely (ISN, IP ids, TTL, window,
 * padding) is pinned; everything else must come out by itself. The padding of frames 2, 3, 5 and 6
 * is not zero, and that of frame 6 looks like an MSS option.
 */
#include <tern/embed.h>

#include "seven_frames.h"
#include "unit.h"

#include <errno.h>

enum { IP = 14 /* the IP header's place in a frame */ };

static struct tern_embed_config close_to_capture(const char *addr)
{
    struct tern_embed_config cfg;
    tern_embed_config_init(&cfg);
    struct tern_stack_config *s = &cfg.stack;
    assert_int_equal(tern_prefix_parse(addr, &s->addrs[0]), 0);
    s->n_addrs = 1;
    s->timestamps = s->sack = s->window_scale = false;
    s->ttl = 128;
    s->rcv_buf_bytes = 8760;
    return cfg;
}

static struct tern_embed *open_at(const struct tern_embed_config *cfg)
{
    struct tern_embed *e;
    struct tern_error err = {0};
    if (tern_embed_open(cfg, 1000000000, &e, &err) != 0)
        fail_msg("%s", err.text);
    return e;
}

static void close_clean(struct tern_embed *e)
{
    struct tern_embed_leaks leaks;
    tern_embed_close(e, &leaks);
    assert_int_equal(leaks.mbufs, 0);
    assert_int_equal(leaks.records, 0);
    assert_int_equal(leaks.timers, 0);
}

/** The next packet is exactly these bytes. */
static void expect(struct tern_embed *e, const uint8_t *bytes, size_t n)
{
    uint8_t got[2048];
    const size_t len = tern_embed_output(e, got, sizeof got);
    assert_int_equal(len, n);
    assert_memory_equal(got, bytes, n);
}

static void expect_silence(struct tern_embed *e)
{
    uint8_t got[2048];
    assert_int_equal(tern_embed_output(e, got, sizeof got), 0);
}

static void skip_packet(struct tern_embed *e)
{
    uint8_t got[2048];
    assert_true(tern_embed_output(e, got, sizeof got) > 0);
}

static void set_mac(uint8_t mac[6], const uint8_t *from)
{
    memcpy(mac, from, 6);
}

/* ---- handshake ---- */

static void server_answers_frame_1_with_frame_2_and_takes_frame_3(void **state)
{
    (void)state;
    struct tern_embed_config cfg = close_to_capture("131.107.2.211/24");
    cfg.stack.l3 = false;
    set_mac(cfg.stack.mac, seven_frames[0].bytes); /* frame 1 is addressed to us */
    cfg.stack.pins = seven_frames_server_pins();
    struct tern_embed *e = open_at(&cfg);
    struct tern_sock *listener, *s;
    assert_int_equal(tern_sock_listen(e, NULL, 139, 1, &listener), 0);

    tern_embed_input(e, seven_frames[0].bytes, seven_frames[0].n, 2078500000);
    expect(e, seven_frames[1].bytes, seven_frames[1].n);
    assert_null(tern_sock_accept(listener));
    tern_embed_input(e, seven_frames[2].bytes, seven_frames[2].n, 2787000000);
    s = tern_sock_accept(listener);
    assert_non_null(s);
    expect_silence(e);

    char byte;
    assert_int_equal(tern_sock_recv(s, &byte, 1), -EAGAIN); /* padding is not payload */
    struct tern_conn_info info;
    assert_true(tern_sock_describe(s, &info));
    assert_int_equal(info.state, TERN_ESTABLISHED);
    assert_int_equal(info.mss_bytes, 1460);
    assert_int_equal(info.snd_wnd_bytes, 8760);
    close_clean(e);
}

static void client_emits_frame_1_and_answers_frame_2_with_frame_3(void **state)
{
    (void)state;
    struct tern_embed_config cfg = close_to_capture("131.107.2.214/24");
    cfg.stack.l3 = false;
    set_mac(cfg.stack.mac, seven_frames[0].bytes + 6);
    assert_int_equal(tern_addr_parse("131.107.2.211", &cfg.stack.neighbours[0].addr), 0);
    set_mac(cfg.stack.neighbours[0].mac, seven_frames[0].bytes);
    cfg.stack.n_neighbours = 1;
    cfg.stack.pins = seven_frames_client_pins();
    struct tern_embed *e = open_at(&cfg);
    struct tern_sock *s;
    assert_int_equal(tern_sock_connect(e, &cfg.stack.neighbours[0].addr, 139, NULL, 1037, &s), 0);
    expect(e, seven_frames[0].bytes, seven_frames[0].n);
    tern_embed_input(e, seven_frames[1].bytes, seven_frames[1].n, 2078600000);
    expect(e, seven_frames[2].bytes, seven_frames[2].n);
    assert_true(tern_sock_ready(s) & TERN_READY_WRITE);
    close_clean(e);
}

/* ---- close ---- */

/** The handshake that must have come before frame 4, from the side of .123 (A) or .87 (B). */
static const uint8_t syn_ack_to_a[] = {0x45, 0, 0, 44, 0, 0, 0x40, 0, 64, 6, 0xf7, 0x49, 0xc0, 0x5e,
    0xde, 0x57, 0xc0, 0x5e, 0xde, 0x7b, 0x05, 0x48, 0x09, 0x21, 0xce, 0x66, 0xae, 0x01, 0x0b, 0x20,
    0x96, 0xac, 0x60, 0x12, 0x70, 0x00, 0, 0, 0, 0, 2, 4, 5, 0xb4};
static const uint8_t syn_to_b[] = {0x45, 0, 0, 44, 0, 0, 0x40, 0, 64, 6, 0xf7, 0x49, 0xc0, 0x5e,
    0xde, 0x7b, 0xc0, 0x5e, 0xde, 0x57, 0x09, 0x21, 0x05, 0x48, 0x0b, 0x20, 0x96, 0xab, 0, 0, 0, 0,
    0x60, 0x02, 0x22, 0x38, 0, 0, 0, 0, 2, 4, 5, 0xb4};
static const uint8_t ack_to_b[] = {0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0xf7, 0x4d, 0xc0, 0x5e,
    0xde, 0x7b, 0xc0, 0x5e, 0xde, 0x57, 0x09, 0x21, 0x05, 0x48, 0x0b, 0x20, 0x96, 0xac, 0xce, 0x66,
    0xae, 0x02, 0x50, 0x10, 0x22, 0x38, 0, 0, 0, 0};

/** One's complement sum of big-endian words: an independent checksum. */
static uint32_t sum_words(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i += 2)
        sum += (uint32_t)(p[i] << 8 | p[i + 1]);
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/** Feed an IP packet written above, its two checksums filled in. */
static void feed(struct tern_embed *e, const uint8_t *packet, size_t n, uint64_t now_ns)
{
    uint8_t p[64];
    memcpy(p, packet, n);
    p[10] = p[11] = 0;
    const uint16_t ip = fold(sum_words(p, 20));
    p[10] = (uint8_t)(ip >> 8);
    p[11] = (uint8_t)ip;
    const uint16_t tcp =
        fold(sum_words(p + 12, 8) + 6 + (uint32_t)(n - 20) + sum_words(p + 20, n - 20));
    p[36] = (uint8_t)(tcp >> 8);
    p[37] = (uint8_t)tcp;
    tern_embed_input(e, p, n, now_ns);
}

static void active_closer_emits_frames_4_and_7(void **state)
{
    (void)state;
    static const uint16_t ids[] = {1, 2, 0x9bf5, 0xbaf5};
    struct tern_embed_config cfg = close_to_capture("192.94.222.123/24");
    cfg.stack.pins = (struct tern_test_pins){
        .has_isn = true, .isn = 186685099, .has_ip_id = true, .ip_id = ids, .n_ip_id = 4};
    struct tern_embed *e = open_at(&cfg);
    struct tern_sock *s;
    union tern_addr b;
    assert_int_equal(tern_addr_parse("192.94.222.87", &b), 0);
    assert_int_equal(tern_sock_connect(e, &b, 1352, NULL, 2337, &s), 0);
    skip_packet(e);
    feed(e, syn_ack_to_a, sizeof syn_ack_to_a, 15000000000);
    skip_packet(e);

    tern_sock_close(s);
    expect(e, seven_frames[3].bytes + IP, seven_frames[3].n - IP);
    tern_embed_input(e, seven_frames[4].bytes + IP, seven_frames[4].n - IP, 16028100000);
    expect_silence(e);
    tern_embed_input(e, seven_frames[5].bytes + IP, seven_frames[5].n - IP, 17008500000);
    expect(e, seven_frames[6].bytes + IP, seven_frames[6].n - IP);
    const struct tern_stats *stats = tern_shard_stats(tern_embed_shard(e));
    assert_int_equal(stats->closed[TERN_CLOSE_NORMAL], 1);
    assert_int_equal(stats->time_wait_opened, 1);
    assert_true(tern_stats_balance(stats));
    close_clean(e);
}

static void passive_closer_emits_frames_5_and_6(void **state)
{
    (void)state;
    static const uint16_t ids[] = {1, 0xd282, 0xd294};
    struct tern_embed_config cfg = close_to_capture("192.94.222.87/24");
    cfg.stack.ttl = 63;
    cfg.stack.rcv_buf_bytes = 28672;
    cfg.stack.pins = (struct tern_test_pins){.has_isn = true,
        .isn = 3462835713u,
        .has_ip_id = true,
        .ip_id = ids,
        .n_ip_id = 3,
        .no_df = true};
    struct tern_embed *e = open_at(&cfg);
    struct tern_sock *listener, *s;
    assert_int_equal(tern_sock_listen(e, NULL, 1352, 1, &listener), 0);
    feed(e, syn_to_b, sizeof syn_to_b, 15000000000);
    skip_packet(e);
    feed(e, ack_to_b, sizeof ack_to_b, 15000000000);
    s = tern_sock_accept(listener);
    assert_non_null(s);

    tern_embed_input(e, seven_frames[3].bytes + IP, seven_frames[3].n - IP, 16027900000);
    expect(e, seven_frames[4].bytes + IP, 40); /* without the padding */
    char byte;
    assert_int_equal(tern_sock_recv(s, &byte, 1), 0); /* EOF */
    tern_sock_close(s);
    tern_embed_advance(e, 17008500000);
    expect(e, seven_frames[5].bytes + IP, 40);
    tern_embed_input(e, seven_frames[6].bytes + IP, seven_frames[6].n - IP, 17008500000);
    expect_silence(e);
    const struct tern_stats *stats = tern_shard_stats(tern_embed_shard(e));
    assert_int_equal(stats->closed[TERN_CLOSE_NORMAL], 1);
    assert_int_equal(stats->time_wait_opened, 0);
    assert_true(tern_stats_balance(stats));
    close_clean(e);
}

static int start(void **state)
{
    (void)state;
    struct tern_error err = {0};
    return tern_embed_start(64, &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_answers_frame_1_with_frame_2_and_takes_frame_3),
        cmocka_unit_test(client_emits_frame_1_and_answers_frame_2_with_frame_3),
        cmocka_unit_test(active_closer_emits_frames_4_and_7),
        cmocka_unit_test(passive_closer_emits_frames_5_and_6),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
