/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two endpoints in one process, no ports, no clock: they are joined by a wire with 10 ms of delay
 * in virtual time, and one echoes what the other says. Build: cc two_in_virtual_time.c $(pkg-config
 * --cflags --libs tern)
 */
#include <tern/embed.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DELAY_NS = 10000000, WIRE_PACKETS = 64 };

/* Packets under way to one end, in the order they will arrive. */
struct wire {
    struct {
        uint64_t at_ns;
        size_t n;
        uint8_t bytes[2048];
    } packets[WIRE_PACKETS];
    unsigned first, n;
};

static struct tern_embed *endpoint(const char *addr, uint64_t seed)
{
    struct tern_embed_config cfg;
    struct tern_error err = {0};
    struct tern_embed *e;
    tern_embed_config_init(&cfg);
    if (tern_prefix_parse(addr, &cfg.stack.addrs[0]) != 0)
        abort();
    cfg.stack.n_addrs = 1;
    cfg.stack.seed[0] = seed;
    if (tern_embed_open(&cfg, 0, &e, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return e;
}

static void send_all(struct tern_embed *from, struct wire *to, uint64_t now_ns)
{
    while (to->n < WIRE_PACKETS) {
        const unsigned i = (to->first + to->n) % WIRE_PACKETS;
        to->packets[i].n =
            tern_embed_output(from, to->packets[i].bytes, sizeof to->packets[i].bytes);
        if (to->packets[i].n == 0)
            return;
        to->packets[i].at_ns = now_ns + DELAY_NS;
        to->n++;
    }
}

static void receive_due(struct tern_embed *e, struct wire *w, uint64_t now_ns)
{
    for (; w->n > 0 && w->packets[w->first].at_ns <= now_ns;
         w->n--, w->first = (w->first + 1) % WIRE_PACKETS)
        tern_embed_input(e, w->packets[w->first].bytes, w->packets[w->first].n, now_ns);
    tern_embed_advance(e, now_ns);
}

int main(void)
{
    static struct wire to_client, to_server;
    struct tern_error err = {0};
    if (tern_embed_start(64, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    struct tern_embed *client = endpoint("198.18.0.1/24", 1),
                      *server = endpoint("198.18.0.2/24", 2);
    struct tern_sock *listener, *out, *in = NULL;
    union tern_addr to;
    char buf[64];
    ssize_t n = 0;
    if (tern_addr_parse("198.18.0.2", &to) != 0
        || tern_sock_listen(server, NULL, 7, 8, &listener) != 0
        || tern_sock_connect(client, &to, 7, NULL, 0, &out) != 0)
        return 1;
    bool said = false;
    for (uint64_t now_ns = 0; n <= 0 && now_ns < 1000000000; now_ns += 1000000) {
        receive_due(client, &to_client, now_ns);
        receive_due(server, &to_server, now_ns);
        if (!said && (tern_sock_ready(out) & TERN_READY_WRITE))
            said = tern_sock_send(out, "hello", 5) == 5;
        if (in == NULL)
            in = tern_sock_accept(listener);
        if (in != NULL && (n = tern_sock_recv(in, buf, sizeof buf)) > 0)
            tern_sock_send(in, buf, (size_t)n);
        if ((n = tern_sock_recv(out, buf, sizeof buf)) > 0)
            printf("%.*s, back after %llu ms\n", (int)n, buf, (unsigned long long)now_ns / 1000000);
        send_all(client, &to_server, now_ns);
        send_all(server, &to_client, now_ns);
    }
    tern_embed_close(client, NULL);
    tern_embed_close(server, NULL);
    return n > 0 && memcmp(buf, "hello", 5) == 0 ? 0 : 1;
}
