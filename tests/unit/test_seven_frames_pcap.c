/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seven frames once more, through a real engine on DPDK's pcap device: what the capture's one
 * side said is read from files, what tern says is written to a file and compared byte for byte.
 *
 * The pcap device hands over a whole file at once, so frames that must not meet in one burst come
 * from files (queues) of their own; the one worker polls its queues in order.
 */
#include <tern/tern.h>

#include "seven_frames.h"
#include "unit.h"
#include "wire_frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILES_MAX = 3, OUT_FRAMES_MAX = 16, STOP_AFTER_MS = 60 };

struct bytes {
    const uint8_t *at;
    size_t n;
};

/* ---- pcap files: a 24-byte header, then 16 bytes before each frame (libpcap's savefile format)
 * ---- */

static void pcap_write(const char *path, const struct bytes *frames, int n)
{
    static const uint32_t header[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1};
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fwrite(header, sizeof header, 1, f);
    for (int i = 0; i < n; i++) {
        const uint32_t record[4] = {0, 0, (uint32_t)frames[i].n, (uint32_t)frames[i].n};
        fwrite(record, sizeof record, 1, f);
        fwrite(frames[i].at, frames[i].n, 1, f);
    }
    assert_int_equal(fclose(f), 0);
}

struct out_frame {
    uint32_t n;
    uint8_t bytes[2048];
};

static int pcap_read(const char *path, struct out_frame *out)
{
    uint32_t header[6], record[4];
    int n = 0;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fread(header, sizeof header, 1, f), 1);
    while (n < OUT_FRAMES_MAX && fread(record, sizeof record, 1, f) == 1) {
        out[n].n = record[2];
        assert_true(out[n].n <= sizeof out[n].bytes);
        assert_int_equal(fread(out[n].bytes, out[n].n, 1, f), 1);
        n++;
    }
    fclose(f);
    return n;
}

/* ---- an engine between files ---- */

static char dir[] = "/tmp/tern_XXXXXX";

static const char *in_dir(char *buf, const char *name)
{
    snprintf(buf, 64, "%s/%s", dir, name);
    return buf;
}

static void run(struct tern_endpoint_config *ep, int n_files, struct out_frame *out, int *n_out)
{
    char device[TERN_DEVICE_TEXT_BYTES], path[64];
    int at = snprintf(device, sizeof device, "vdev:net_pcap0");
    for (int i = 0; i < n_files; i++)
        at += snprintf(device + at, sizeof device - (size_t)at, ",rx_pcap=%s/in%d,tx_pcap=%s/out%d",
            dir, i, dir, i);

    struct tern_config cfg;
    struct tern_error err = {0};
    struct tern_engine *e;
    struct tern_leaks leaks;
    tern_config_init(&cfg);
    ep->device = device;
    ep->n_queues = (uint32_t)n_files;
    cfg.endpoints[0] = *ep;
    cfg.n_endpoints = 1;
    cfg.no_huge = true;
    cfg.drain_ms = 10;
    if (tern_engine_open(&cfg, &e, &err) != 0 || tern_engine_start(e, &err) != 0)
        fail_msg("%s", err.text);
    tern_engine_wait(e, STOP_AFTER_MS);
    tern_engine_stop(e);
    assert_true(tern_engine_wait(e, 5000));
    tern_engine_close(e, &leaks);
    assert_int_equal(leaks.mbufs + leaks.conns + leaks.records + leaks.timers, 0);
    *n_out = pcap_read(in_dir(path, "out0"), out);
}

static void expect_frame(const struct out_frame *got, const struct bytes want)
{
    assert_int_equal(got->n, want.n);
    assert_memory_equal(got->bytes, want.at, want.n);
}

static struct bytes frame(int number)
{
    return (struct bytes){seven_frames[number - 1].bytes, seven_frames[number - 1].n};
}

static struct tern_endpoint_config capture_side(const char *addr, const uint8_t *mac)
{
    struct tern_endpoint_config ep;
    tern_endpoint_config_init(&ep);
    struct tern_stack_config *s = &ep.stack;
    assert_int_equal(tern_prefix_parse(addr, &s->addrs[0]), 0);
    s->n_addrs = 1;
    memcpy(s->mac, mac, TERN_MAC_BYTES);
    s->timestamps = s->sack = s->window_scale = s->dad = false;
    s->conns_max = s->half_open_max = s->time_wait_max = 16;
    s->ttl = 128;
    s->rcv_buf_bytes = 8760;
    s->seed[0] = 1;
    return ep;
}

static const struct tern_app silent_app;

/* ---- handshake ---- */

static int listen_139(struct tern_shard *sh, void *ctx)
{
    (void)ctx;
    return tern_listen(sh, NULL, 139, &silent_app, NULL) < 0 ? -1 : 0;
}

static void server_reads_frames_1_and_3_and_writes_frame_2(void **state)
{
    (void)state;
    struct tern_endpoint_config ep = capture_side("131.107.2.211/24", frame(1).at);
    ep.stack.pins = seven_frames_server_pins();
    ep.app.start = listen_139;
    char path[64];
    struct out_frame out[OUT_FRAMES_MAX];
    int n;
    pcap_write(in_dir(path, "in0"), (struct bytes[]){frame(1), frame(3)}, 2);
    run(&ep, 1, out, &n);
    assert_true(n >= 1); /* then the FIN of the drain */
    expect_frame(&out[0], frame(2));
}

static int connect_139(struct tern_shard *sh, void *ctx)
{
    (void)ctx;
    struct tern_connect_opts o = {.rport = 139, .lport = 1037, .app = &silent_app};
    return tern_addr_parse("131.107.2.211", &o.remote) || tern_connect(sh, &o, NULL);
}

static void client_writes_frame_1_and_for_frame_2_frame_3(void **state)
{
    (void)state;
    struct tern_endpoint_config ep = capture_side("131.107.2.214/24", frame(1).at + 6);
    assert_int_equal(tern_addr_parse("131.107.2.211", &ep.stack.neighbours[0].addr), 0);
    memcpy(ep.stack.neighbours[0].mac, frame(1).at, TERN_MAC_BYTES);
    ep.stack.n_neighbours = 1;
    ep.stack.pins = seven_frames_client_pins();
    ep.app.start = connect_139;
    char path[64];
    struct out_frame out[OUT_FRAMES_MAX];
    int n;
    pcap_write(in_dir(path, "in0"), (struct bytes[]){frame(2)}, 1);
    run(&ep, 1, out, &n);
    assert_true(n >= 2);
    expect_frame(&out[0], frame(1));
    expect_frame(&out[1], frame(3));
}

/* ---- close: TCP and IP bytes; the captured MACs of the two directions do not belong together ----
 */

enum { IP = 14, SERVER_PORT = 1352, CLIENT_PORT = 2337 };

static const uint8_t mac_a[] = {0x00, 0xa0, 0xc9, 0x22, 0xf5, 0x39};
static const uint8_t mac_b[] = {0x00, 0x20, 0xaf, 0x47, 0x93, 0x58};

/** A segment of the handshake that must have come before frame 4. */
static struct frame handshake(bool to_b, uint32_t seq, uint32_t ack, uint8_t flags)
{
    static const uint8_t mss[] = {2, 4, 5, 0xb4};
    const uint8_t *ip = frame(to_b ? 4 : 5).at + IP + 12; /* source and destination address */
    struct frame f;
    frame_eth(&f, 0x0800);
    memcpy(f.b, to_b ? mac_b : mac_a, 6);
    memcpy(f.b + 6, to_b ? mac_a : mac_b, 6);
    frame_ip4(&f, 6, NULL, 0);
    memcpy(f.b + IP + 12, ip, 8);
    frame_tcp(&f, flags, mss, flags & 2 ? sizeof mss : 0);
    uint8_t *tcp = f.b + IP + 20;
    put16(tcp, to_b ? CLIENT_PORT : SERVER_PORT);
    put16(tcp + 2, to_b ? SERVER_PORT : CLIENT_PORT);
    put32(tcp + 4, seq);
    put32(tcp + 8, ack);
    frame_seal(&f);
    return f;
}

/** A captured frame of the close with MACs that fit our two stations. */
static struct frame readdressed(int number, bool to_b)
{
    struct frame f = {0};
    frame_add(&f, frame(number).at, (uint32_t)frame(number).n);
    memcpy(f.b, to_b ? mac_b : mac_a, 6);
    memcpy(f.b + 6, to_b ? mac_a : mac_b, 6);
    return f;
}

static void write_one_a_file(const struct frame in[FILES_MAX])
{
    for (int i = 0; i < FILES_MAX; i++) {
        char path[64], name[16];
        snprintf(name, sizeof name, "in%d", i);
        pcap_write(in_dir(path, name), &(struct bytes){in[i].b, in[i].n}, 1);
    }
}

static void expect_ip_bytes(const struct out_frame *got, int number, size_t n)
{
    assert_true(got->n >= IP + n);
    assert_memory_equal(got->bytes + IP, frame(number).at + IP, n);
}

static void close_when_open(struct tern_shard *sh, struct tern_conn *c)
{
    tern_close(sh, c);
}

static const struct tern_app closing_app = {.on_open = close_when_open};

static int connect_1352(struct tern_shard *sh, void *ctx)
{
    (void)ctx;
    struct tern_connect_opts o = {.rport = SERVER_PORT, .lport = CLIENT_PORT, .app = &closing_app};
    return tern_addr_parse("192.94.222.87", &o.remote) || tern_connect(sh, &o, NULL);
}

static void active_closer_writes_frames_4_and_7(void **state)
{
    (void)state;
    /* SYN, then FIN with the ACK of the handshake on it: that is frame 4. Then frame 7. */
    static const uint16_t ids[] = {1, 0x9bf5, 0xbaf5};
    struct tern_endpoint_config ep = capture_side("192.94.222.123/24", mac_a);
    assert_int_equal(tern_addr_parse("192.94.222.87", &ep.stack.neighbours[0].addr), 0);
    memcpy(ep.stack.neighbours[0].mac, mac_b, TERN_MAC_BYTES);
    ep.stack.n_neighbours = 1;
    ep.stack.pins = (struct tern_test_pins){
        .has_isn = true, .isn = 186685099, .has_ip_id = true, .ip_id = ids, .n_ip_id = 3};
    ep.app.start = connect_1352;
    const struct frame in[FILES_MAX] = {handshake(false, 3462835713u, 186685100, 0x12),
        readdressed(5, false), readdressed(6, false)};
    struct out_frame out[OUT_FRAMES_MAX];
    int n;
    write_one_a_file(in);
    run(&ep, FILES_MAX, out, &n);
    assert_int_equal(n, 3);
    expect_ip_bytes(&out[1], 4, 40);
    expect_ip_bytes(&out[2], 7, 40);
}

static void close_soon(struct tern_shard *sh, struct tern_conn *c)
{
    assert_int_equal(tern_timer_arm(sh, c, 1000000), 0);
}

static const struct tern_app late_closing_app = {
    .on_peer_closed = close_soon, .on_timer = close_when_open};

static int listen_1352(struct tern_shard *sh, void *ctx)
{
    (void)ctx;
    return tern_listen(sh, NULL, SERVER_PORT, &late_closing_app, NULL) < 0 ? -1 : 0;
}

static void passive_closer_writes_frames_5_and_6(void **state)
{
    (void)state;
    static const uint16_t ids[] = {1, 0xd282, 0xd294};
    struct tern_endpoint_config ep = capture_side("192.94.222.87/24", mac_b);
    ep.stack.ttl = 63;
    ep.stack.rcv_buf_bytes = 28672;
    ep.stack.pins = (struct tern_test_pins){.has_isn = true,
        .isn = 3462835713u,
        .has_ip_id = true,
        .ip_id = ids,
        .n_ip_id = 3,
        .no_df = true};
    ep.app.start = listen_1352;
    const struct frame in[FILES_MAX] = {handshake(true, 186685099, 0, 0x02),
        handshake(true, 186685100, 3462835714u, 0x10), readdressed(4, true)};
    struct out_frame out[OUT_FRAMES_MAX];
    int n;
    write_one_a_file(in);
    run(&ep, FILES_MAX, out, &n);
    assert_true(n >= 3); /* nobody acknowledges our FIN here */
    expect_ip_bytes(&out[1], 5, 40);
    expect_ip_bytes(&out[2], 6, 40);
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL;
}

static int remove_dir(void **state)
{
    (void)state;
    static const char *const names[] = {"in0", "in1", "in2", "out0", "out1", "out2"};
    char path[64];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(in_dir(path, names[i]));
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_reads_frames_1_and_3_and_writes_frame_2),
        cmocka_unit_test(client_writes_frame_1_and_for_frame_2_frame_3),
        cmocka_unit_test(active_closer_writes_frames_4_and_7),
        cmocka_unit_test(passive_closer_writes_frames_5_and_6),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
