/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A number of segments of one pattern, honest or hostile, to have the shard's instructions for them
 * counted (`cost`, next to this file):
 *
 *     attack_cost FIGURE N
 *
 * Every segment is answered at once in every pattern, so that what differs is the work on it.
 */
#include "attack_conn.h"

enum { WINDOW = 65535, HOLES = 60, TINY_MSS = 48, FLIGHT = 900 };

static void begin(struct peer *p)
{
    p->cfg.stack.ack_policy = TERN_ACK_EVERY_BURST;
    p->offer.sack_ok = true;
    establish(p);
}

static void say(struct peer *p, uint32_t seq, uint32_t len)
{
    inject(p, ACK, seq, 1, len);
    skip_segments(p);
}

static void in_order(struct peer *p, uint32_t n)
{
    begin(p);
    for (uint32_t i = 0; i < n; i++) {
        say(p, 1 + i, 1);
        expect_read(p, 1);
    }
}

/* A byte at every other place of the window, the hole in front left open. */
static void smack_upwards(struct peer *p, uint32_t n)
{
    begin(p);
    for (uint32_t i = 0; i < n; i++)
        say(p, 2 + 2 * (i % (WINDOW / 2)), 1);
}

static void smack_downwards(struct peer *p, uint32_t n)
{
    begin(p);
    for (uint32_t i = 0; i < n; i++)
        say(p, WINDOW - 1 - 2 * (i % (WINDOW / 2)), 1);
}

static void smack_anywhere(struct peer *p, uint32_t n)
{
    begin(p);
    for (uint32_t i = 0; i < n; i++)
        say(p, 2 + 2 * (i * 7919u % (WINDOW / 2)), 1);
}

/* As many runs as are held, always made in the dearest order, and filled again. */
static void smack_and_fill(struct peer *p, uint32_t n)
{
    begin(p);
    for (uint32_t i = 0, base = 1; i < n; base += 2 * HOLES) {
        for (uint32_t k = 0; k < HOLES && i < n; k++, i++)
            say(p, base + 1 + 2 * k, 1);
        say(p, base, 2 * HOLES);
        expect_read(p, 2 * HOLES);
    }
}

static void open_tiny(struct peer *p)
{
    offer_sack(p);
    p->no_pattern = true;
    p->cfg.stack.init_cwnd_segs = 1000;
    p->offer.mss = TINY_MSS;
    establish(p);
}

/* Each segment is acknowledged for itself, and lets the next out. */
static void acks_in_order(struct peer *p, uint32_t n)
{
    open_tiny(p);
    write_bytes(p, FLIGHT * TERN_MSS_MIN);
    for (uint32_t i = 0; i < n; i++) {
        p->ack += TERN_MSS_MIN;
        inject(p, ACK, 1, p->ack, 0);
        skip_segments(p);
        write_bytes(p, TERN_MSS_MIN);
    }
}

/* Every second segment of a flight is SACKED, three an ACK, over and over. */
static void sack_every_second(struct peer *p, uint32_t n)
{
    open_tiny(p);
    const struct flight f = {.p = p, .base = 1, .mss = TERN_MSS_MIN};
    queue_segs(&f, FLIGHT);
    skip_segments(p);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t at = 1 + i * 6 % (FLIGHT - 6);
        sack(&f, 0, at, at + 1, at + 2, at + 3, at + 4, at + 5);
        skip_segments(p);
    }
}

/* … and then the tail of it alone. */
static void sack_the_tail(struct peer *p, uint32_t n)
{
    open_tiny(p);
    const struct flight f = {.p = p, .base = 1, .mss = TERN_MSS_MIN};
    queue_segs(&f, FLIGHT);
    skip_segments(p);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t at = i < FLIGHT / 2 - 1 ? 1 + 2 * i : FLIGHT - 3 + i % 2;
        sack(&f, 0, at, at + 1);
        skip_segments(p);
    }
}

static const struct figure {
    const char *name;
    void (*run)(struct peer *p, uint32_t n);
} figures[] = {
    {"in-order", in_order},
    {"smack-upwards", smack_upwards},
    {"smack-downwards", smack_downwards},
    {"smack-anywhere", smack_anywhere},
    {"smack-and-fill", smack_and_fill},
    {"acks-in-order", acks_in_order},
    {"sack-every-second", sack_every_second},
    {"sack-the-tail", sack_the_tail},
};

static int run(const struct figure *f, uint32_t n)
{
    void *state = NULL;
    if (eal_start(&state) != 0 || peer_setup4(&state) != 0)
        return EXIT_FAILURE;
    f->run(state, n);
    return peer_teardown(&state);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        if (argc == 3 && strcmp(argv[1], figures[i].name) == 0)
            return run(&figures[i], (uint32_t)strtoul(argv[2], NULL, 10));
    fprintf(stderr, "attack_cost FIGURE N; figures:");
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        fprintf(stderr, " %s", figures[i].name);
    fputc('\n', stderr);
    return EXIT_FAILURE;
}
