/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An embedded tern behind a TUN interface, for tfo.sh: 198.18.0.2 and 2001:2::2.
 *
 *   tfo_end IFACE serve N           echo what the first read of N connections brings, and close
 *   tfo_end IFACE connect ADDR N    N times: send 100 early bytes to port 8080, read to the end
 *
 * It prints "ready" when the interface is there, "milliseconds T" for every connect, and in the end
 * the counters of Fast Open as "name value".
 */
#include <tern/embed.h>

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { EARLY_BYTES = 100, PACKET_MAX = 2048, NS_PER_MS = 1000000, LIMIT_MS = 30000 };

struct end {
    int tun;
    struct tern_embed *e;
};

static void check(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "tfo_end: %s\n", what);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 * NS_PER_MS + (uint64_t)ts.tv_nsec;
}

static int open_tun(const char *name)
{
    struct ifreq req = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    snprintf(req.ifr_name, sizeof req.ifr_name, "%s", name);
    check(fd >= 0 && ioctl(fd, TUNSETIFF, &req) == 0, "no TUN interface");
    return fd;
}

static struct tern_embed *open_tern(void)
{
    struct tern_error err = {0};
    struct tern_embed_config cfg;
    struct tern_embed *e = NULL;
    check(tern_embed_start(128, &err) == 0, err.text);
    tern_embed_config_init(&cfg);
    struct tern_stack_config *c = &cfg.stack;
    check(tern_prefix_parse("198.18.0.2/15", &c->addrs[0]) == 0, "prefix");
    check(tern_prefix_parse("2001:2::2/48", &c->addrs[1]) == 0, "prefix");
    c->n_addrs = 2;
    c->tfo_accept = c->tfo_connect = true;
    c->time_wait_ms = 100;
    c->seed[0] = now_ns();
    check(tern_embed_open(&cfg, now_ns(), &e, &err) == 0, err.text);
    return e;
}

/** Carry packets both ways until nothing moves, then wait for the next, a millisecond at most. */
static void turn(const struct end *end)
{
    uint8_t packet[PACKET_MAX];
    struct pollfd fd = {.fd = end->tun, .events = POLLIN};
    ssize_t got;
    size_t n;
    while ((got = read(end->tun, packet, sizeof packet)) > 0)
        tern_embed_input(end->e, packet, (size_t)got, now_ns());
    tern_embed_advance(end->e, now_ns());
    while ((n = tern_embed_output(end->e, packet, sizeof packet)) > 0)
        check(write(end->tun, packet, n) == (ssize_t)n || now_ns() == 0, "TUN takes no packet");
    poll(&fd, 1, 1);
}

static void run_ms(const struct end *end, uint32_t ms)
{
    const uint64_t until = now_ns() + (uint64_t)ms * NS_PER_MS;
    while (now_ns() < until)
        turn(end);
}

static void serve(const struct end *end, int n)
{
    struct tern_sock *listener, *s;
    uint8_t bytes[4096];
    check(tern_sock_listen(end->e, NULL, 80, 64, &listener) == 0, "listen");
    const uint64_t limit = now_ns() + (uint64_t)LIMIT_MS * NS_PER_MS;
    for (int i = 0; i < n; i++) {
        while ((s = tern_sock_accept(listener)) == NULL && now_ns() < limit)
            turn(end);
        check(s != NULL, "nobody connects");
        ssize_t len;
        while ((len = tern_sock_recv(s, bytes, sizeof bytes)) < 0 && now_ns() < limit)
            turn(end);
        check(len > 0 && tern_sock_send(s, bytes, (size_t)len) == len, "echo");
        tern_sock_close(s);
    }
}

static void connect_once(const struct end *end, const union tern_addr *to)
{
    uint8_t early[EARLY_BYTES], bytes[4096];
    struct tern_sock *s;
    const uint64_t from = now_ns(), limit = from + (uint64_t)LIMIT_MS * NS_PER_MS;
    memset(early, 'x', sizeof early);
    check(tern_sock_connect_early(end->e, to, 8080, NULL, 0, early, sizeof early, &s) == 0,
        "connect");
    size_t got = 0;
    ssize_t len = -1;
    while (len != 0 && now_ns() < limit) {
        turn(end);
        len = tern_sock_recv(s, bytes, sizeof bytes);
        got += len > 0 ? (size_t)len : 0;
    }
    check(len == 0 && got == sizeof early, "the answer is not what was sent");
    printf("milliseconds %u\n", (unsigned)((now_ns() - from) / NS_PER_MS));
    tern_sock_close(s);
    run_ms(end, 50);
}

static void report(const struct end *end)
{
    const struct tern_stats *st = tern_shard_stats(tern_embed_shard(end->e));
    printf("cookies_sent %lu\ncookies_bad %lu\naccepted %lu\ndata_acked %lu\ndata_again %lu\n",
        (unsigned long)st->tfo_cookies_sent, (unsigned long)st->tfo_cookies_bad,
        (unsigned long)st->tfo_accepted, (unsigned long)st->tfo_data_acked,
        (unsigned long)st->tfo_data_again);
    printf("balance %d\n", tern_stats_balance(st));
}

int main(int argc, char **argv)
{
    check(argc >= 4, "usage: tfo_end IFACE serve N | tfo_end IFACE connect ADDR N");
    setvbuf(stdout, NULL, _IOLBF, 0);
    const struct end end = {.tun = open_tun(argv[1]), .e = open_tern()};
    printf("ready\n");
    if (strcmp(argv[2], "serve") == 0) {
        serve(&end, atoi(argv[3]));
    } else {
        union tern_addr to;
        check(argc == 5 && tern_addr_parse(argv[3], &to) == 0, "address");
        run_ms(&end, 1000); /* the script gives the interface its addresses */
        for (int i = 0; i < atoi(argv[4]); i++)
            connect_once(&end, &to);
    }
    run_ms(&end, 500);
    report(&end);
    struct tern_embed_leaks leaks;
    tern_embed_close(end.e, &leaks);
    check(leaks.mbufs + leaks.records + leaks.timers == 0, "leaks");
    return 0;
}
