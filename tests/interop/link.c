/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bad network between two interfaces of one namespace, for kernels that were built without netem:
 *
 *     link t0 v0 --rate 1G --queue 256k --delay 10ms --to v0 --loss 1%
 *
 * A packet socket on each interface takes whole frames; what becomes of the packet inside is said
 * by the simulator's link (link/link.h), and this is the loop that waits for the time it
 * named. A direction has its own link and its own heap, so one that stalls does not hold the other
 * up. What an interface refuses (its queue is full) is offered again: frames are lost where the
 * options say so and nowhere else, and if they are, the counters at the end tell.
 *
 * Rejected: TAP devices read and written here. A packet socket takes and gives 64 frames a call,
 * and does for veth and for a TAP that another process holds alike.
 *
 * Not packets, so only delayed: ARP. The interfaces must not be left with segmentation or checksums
 * to do (ethtool -K): frames are passed as they are found.
 */
#include "link/link.h"

#include "../sim/event.h"
#include "link/packet.h"

#include <errno.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    BURST = 64,
    FRAME_BYTES_MAX = ETH_HLEN + TERN_PACKET_BYTES_MAX,
    SOCKET_BYTES = 64 << 20, /* more than any window in these tests: overrun would be loss */
    NS_PER_US = 1000,
    NS_PER_S = 1000000000,
    RETRY_NS = 20 * NS_PER_US,  /* an interface that was full is asked again after this … */
    GIVE_UP_NS = NS_PER_S / 10, /* … for so long */
    REORDER_NS = 5 * 1000 * NS_PER_US, /* default of --reorder-by */
    BITS_PER_BYTE = 8,
    PPM_PER_PERCENT = TERN_PPM / 100,
};

struct port {
    const char *name;
    int fd;
    uint64_t n_received, n_overrun;
};

struct direction {
    struct port *from, *to;
    struct tern_link_config cfg;
    struct tern_link link;
    struct tern_heap heap;      /* on their way */
    struct event outbox[BURST]; /* due, offered to `to` in this order */
    uint32_t n_outbox;
    uint64_t refused_since_ns; /* 0: it takes what it is offered */
    const uint8_t *ether;      /* header of the frame whose packet is in the link now */
    uint64_t n_delivered, bytes_delivered, n_not_ip, n_refused;
    uint64_t n_refused_lately; /* since the last delivery */
    uint64_t late_ns_max;
};

static volatile sig_atomic_t is_ending;

static void on_signal(int signo)
{
    (void)signo;
    is_ending = 1;
}

static _Noreturn void die(const char *what, const char *which)
{
    fprintf(stderr, "link: %s %s%s%s\n", what, which, errno != 0 ? ": " : "",
        errno != 0 ? strerror(errno) : "");
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* ---- ports ---- */

static void set(int fd, int level, int option, int value, const char *name)
{
    if (setsockopt(fd, level, option, &value, sizeof value) != 0)
        die("cannot set up a packet socket on", name);
}

/* Sends past the queueing discipline: it would drop where we want to be told that there is no room.
 */
static void port_open(struct port *p)
{
    const uint16_t all = (uint16_t)(ETH_P_ALL << 8 | ETH_P_ALL >> 8); /* network order */
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = all};
    at.sll_ifindex = (int)if_nametoindex(p->name);
    if (at.sll_ifindex == 0)
        die("there is no interface", p->name);
    p->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->fd < 0)
        die("no packet socket for", p->name);
    set(p->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, p->name);
    set(p->fd, SOL_PACKET, PACKET_QDISC_BYPASS, 1, p->name);
    set(p->fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BYTES, p->name);
    set(p->fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BYTES, p->name);
    if (bind(p->fd, (const struct sockaddr *)&at, sizeof at) != 0)
        die("cannot bind to", p->name);
}

static void port_count_overrun(struct port *p)
{
    struct tpacket_stats stats;
    socklen_t n = sizeof stats;
    if (getsockopt(p->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &n) == 0)
        p->n_overrun += stats.tp_drops;
}

/* ---- in: from the interface into the link ---- */

static void enter(struct direction *d, uint64_t at_ns, const uint8_t *packet, uint32_t n)
{
    struct event e = {.at_ns = at_ns, .n = ETH_HLEN + n, .bytes = malloc(ETH_HLEN + n)};
    if (e.bytes == NULL)
        die("no memory", "");
    memcpy(e.bytes, d->ether, ETH_HLEN);
    memcpy(e.bytes + ETH_HLEN, packet, n);
    if (!event_push(&d->heap, e))
        die("no memory", "");
}

static void on_link_out(void *ctx, const struct tern_link_out *out)
{
    if (!out->back)
        enter(ctx, out->at_ns, out->bytes, out->n);
}

static void take(struct direction *d, uint64_t now, const uint8_t *frame, uint32_t n)
{
    if (n <= ETH_HLEN)
        return;
    d->ether = frame;
    if (tern_link_enter(&d->link, now, frame + ETH_HLEN, n - ETH_HLEN))
        return;
    d->n_not_ip++;
    enter(d, now + d->cfg.delay_ns, frame + ETH_HLEN, n - ETH_HLEN);
}

/* @return frames taken */
static int receive(struct direction *d)
{
    static uint8_t frames[BURST][FRAME_BYTES_MAX];
    struct iovec iov[BURST];
    struct mmsghdr msgs[BURST];
    memset(msgs, 0, sizeof msgs);
    for (int i = 0; i < BURST; i++) {
        iov[i] = (struct iovec){frames[i], FRAME_BYTES_MAX};
        msgs[i].msg_hdr.msg_iov = &iov[i];
        msgs[i].msg_hdr.msg_iovlen = 1;
    }
    const int n = recvmmsg(d->from->fd, msgs, BURST, MSG_DONTWAIT, NULL);
    if (n < 0)
        return 0; /* none; or the interface went down, and may come up again */
    const uint64_t now = now_ns();
    for (int i = 0; i < n; i++)
        take(d, now, frames[i], msgs[i].msg_len);
    d->from->n_received += (uint64_t)n;
    return n;
}

/* ---- out: from the heap to the interface ---- */

static void collect_due(struct direction *d, uint64_t now)
{
    while (d->n_outbox < BURST && d->heap.n > 0 && d->heap.dues[0].at_ns <= now) {
        const struct event e = event_pop(&d->heap);
        if (now - e.at_ns > d->late_ns_max)
            d->late_ns_max = now - e.at_ns;
        d->outbox[d->n_outbox++] = e;
    }
}

static int offer(const struct direction *d)
{
    struct iovec iov[BURST];
    struct mmsghdr msgs[BURST];
    memset(msgs, 0, sizeof msgs);
    for (uint32_t i = 0; i < d->n_outbox; i++) {
        iov[i] = (struct iovec){d->outbox[i].bytes, d->outbox[i].n};
        msgs[i].msg_hdr.msg_iov = &iov[i];
        msgs[i].msg_hdr.msg_iovlen = 1;
    }
    return sendmmsg(d->to->fd, msgs, d->n_outbox, MSG_DONTWAIT);
}

static void forget(struct direction *d, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        free(d->outbox[i].bytes);
    d->n_outbox -= n;
    memmove(d->outbox, d->outbox + n, d->n_outbox * sizeof d->outbox[0]);
}

static void delivered(struct direction *d, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        d->bytes_delivered += d->outbox[i].n;
    d->n_delivered += n;
    d->n_refused += d->n_refused_lately;
    d->n_refused_lately = 0;
    d->refused_since_ns = 0;
    forget(d, n);
}

/* Full is a matter of time, up to a point; down is not. A frame is missed only where others came
 * before and after it: while a program opens or closes its end, nobody is there. */
static void refused(struct direction *d, uint64_t now)
{
    if (d->refused_since_ns == 0)
        d->refused_since_ns = now;
    const bool is_full = errno == ENOBUFS || errno == EAGAIN;
    if (is_full && now - d->refused_since_ns < GIVE_UP_NS)
        return;
    if (d->n_delivered > 0)
        d->n_refused_lately++;
    forget(d, 1);
}

static void deliver(struct direction *d)
{
    for (;;) {
        const uint64_t now = now_ns();
        collect_due(d, now);
        if (d->n_outbox == 0)
            return;
        const int n = offer(d);
        if (n > 0) {
            delivered(d, (uint32_t)n);
        } else {
            refused(d, now);
            return;
        }
    }
}

/* ---- the loop ---- */

/* How long this direction may sleep. */
static uint64_t wait_ns(const struct direction *d, uint64_t now)
{
    if (d->n_outbox > 0)
        return RETRY_NS;
    if (d->heap.n == 0)
        return NS_PER_S;
    const uint64_t at_ns = d->heap.dues[0].at_ns;
    return at_ns > now ? at_ns - now : 0;
}

static void sleep_until_something(struct direction dirs[2], const sigset_t *awake)
{
    const uint64_t now = now_ns();
    const uint64_t a = wait_ns(&dirs[0], now), b = wait_ns(&dirs[1], now);
    const uint64_t ns = a < b ? a : b;
    struct pollfd fds[2] = {{dirs[0].from->fd, POLLIN, 0}, {dirs[1].from->fd, POLLIN, 0}};
    const struct timespec t = {(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};
    ppoll(fds, 2, &t, awake);
}

static void run(struct direction dirs[2])
{
    sigset_t ends, awake;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, &awake);
    const struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    prctl(PR_SET_TIMERSLACK, 1UL); /* ns: a delay is kept to the microsecond where CPUs allow */
    puts("ready");
    fflush(stdout);
    while (!is_ending) {
        sleep_until_something(dirs, &awake);
        for (int i = 0; i < 2; i++) {
            receive(&dirs[i]);
            deliver(&dirs[i]);
        }
    }
}

/* One line a direction: words and numbers in turn, for people and for scripts. */
static void report(const struct direction *d)
{
    printf("to %s: received %lu delivered %lu bytes %lu", d->to->name, d->from->n_received,
        d->n_delivered, d->bytes_delivered);
    for (enum tern_link_fault f = 0; f < TERN_LINK_FAULT_COUNT; f++)
        if (d->link.counts[f] != 0)
            printf(" %s %lu", tern_link_fault_name(f), d->link.counts[f]);
    printf(" not_ip %lu overrun %lu refused %lu late_us_max %lu\n", d->n_not_ip, d->from->n_overrun,
        d->n_refused, d->late_ns_max / NS_PER_US);
}

/* ---- options ---- */

/** A unit and what a number before it is multiplied with. */
struct unit {
    const char *name;
    double factor;
};

static const struct unit time_units[] = {
    {"ns", 1}, {"us", NS_PER_US}, {"ms", 1e6}, {"s", NS_PER_S}, {NULL, 0}};
static const struct unit byte_units[] = {{"", 1}, {"k", 1 << 10}, {"M", 1 << 20}, {NULL, 0}};
static const struct unit rate_units[] = {{"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {NULL, 0}};
static const struct unit chance_units[] = {{"%", PPM_PER_PERCENT}, {"ppm", 1}, {NULL, 0}};
static const struct unit plain_units[] = {{"", 1}, {NULL, 0}};

static uint64_t number(const char *text, const struct unit *units)
{
    char *end;
    const double value = strtod(text, &end);
    errno = 0;
    for (; units->name != NULL; units++)
        if (end != text && value >= 0 && strcmp(end, units->name) == 0)
            return (uint64_t)(value * units->factor);
    die("not a number with a unit:", text);
}

static const char usage[] =
    "Usage: link IF1 IF2 [OPTION...]\n"
    "  --delay T --jitter T      every packet is late by T, and by 0..T more (T: us, ms, s)\n"
    "  --rate R --queue B        R bits a second (k, M, G), drop-tail behind B bytes (k, M)\n"
    "  --mark B                  and ECN-capable packets marked above B bytes of queue\n"
    "  --loss P --duplicate P    chance a packet (1%, 100ppm)\n"
    "  --reorder P --reorder-by T  chance to be held back by up to T (default 5ms)\n"
    "  --keep-order              jitter does not reorder\n"
    "  --to IF|both              the options behind it are for this direction (default both)\n"
    "  --seed N\n";

enum option_key {
    OPT_DELAY = 1,
    OPT_JITTER,
    OPT_RATE,
    OPT_QUEUE,
    OPT_MARK,
    OPT_LOSS,
    OPT_DUPLICATE,
    OPT_REORDER,
    OPT_REORDER_BY,
    OPT_KEEP_ORDER,
    OPT_TO,
    OPT_SEED,
};

static const struct option options[] = {
    {"delay", required_argument, NULL, OPT_DELAY},
    {"jitter", required_argument, NULL, OPT_JITTER},
    {"rate", required_argument, NULL, OPT_RATE},
    {"queue", required_argument, NULL, OPT_QUEUE},
    {"mark", required_argument, NULL, OPT_MARK},
    {"loss", required_argument, NULL, OPT_LOSS},
    {"duplicate", required_argument, NULL, OPT_DUPLICATE},
    {"reorder", required_argument, NULL, OPT_REORDER},
    {"reorder-by", required_argument, NULL, OPT_REORDER_BY},
    {"keep-order", no_argument, NULL, OPT_KEEP_ORDER},
    {"to", required_argument, NULL, OPT_TO},
    {"seed", required_argument, NULL, OPT_SEED},
    {NULL, 0, NULL, 0},
};

/* @return false: not a property of a link */
static bool set_property(struct tern_link_config *c, int key, const char *arg)
{
    switch (key) {
    case OPT_DELAY: c->delay_ns = number(arg, time_units); return true;
    case OPT_JITTER: c->jitter_ns = number(arg, time_units); return true;
    case OPT_RATE: c->rate_bytes_per_s = number(arg, rate_units) / BITS_PER_BYTE; return true;
    case OPT_QUEUE: c->queue_bytes = (uint32_t)number(arg, byte_units); return true;
    case OPT_MARK: c->mark_bytes = (uint32_t)number(arg, byte_units); return true;
    case OPT_LOSS: c->loss_ppm = (uint32_t)number(arg, chance_units); return true;
    case OPT_DUPLICATE: c->duplicate_ppm = (uint32_t)number(arg, chance_units); return true;
    case OPT_REORDER: c->reorder_ppm = (uint32_t)number(arg, chance_units); return true;
    case OPT_REORDER_BY: c->reorder_ns = number(arg, time_units); return true;
    case OPT_KEEP_ORDER: c->jitter_keeps_order = true; return true;
    default: return false;
    }
}

/* @return bits of the directions that it names */
static unsigned directions_to(const char *name, const struct port ports[2])
{
    if (strcmp(name, "both") == 0)
        return 3;
    if (strcmp(name, ports[1].name) == 0)
        return 1;
    if (strcmp(name, ports[0].name) == 0)
        return 2;
    die("neither 'both' nor one of the two interfaces:", name);
}

/* @return the seed */
static uint64_t parse(int argc, char **argv, const struct port ports[2], struct direction dirs[2])
{
    uint64_t seed = 1;
    unsigned which = 3;
    int key;
    while ((key = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (key == OPT_SEED)
            seed = number(optarg, plain_units);
        else if (key == OPT_TO)
            which = directions_to(optarg, ports);
        else
            for (unsigned i = 0; i < 2; i++)
                if ((which >> i & 1) && !set_property(&dirs[i].cfg, key, optarg))
                    exit(2); /* getopt_long() has said why */
    }
    return seed;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argv[1][0] == '-') {
        fputs(usage, argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
        return 2;
    }
    struct port ports[2] = {{.name = argv[1]}, {.name = argv[2]}};
    struct direction dirs[2] = {
        {.from = &ports[0], .to = &ports[1], .cfg.reorder_ns = REORDER_NS},
        {.from = &ports[1], .to = &ports[0], .cfg.reorder_ns = REORDER_NS},
    };
    argv[2] = argv[0]; /* what getopt_long() puts before its complaints */
    const uint64_t seed = parse(argc - 2, argv + 2, ports, dirs);
    for (unsigned i = 0; i < 2; i++) {
        port_open(&ports[i]);
        tern_link_init(&dirs[i].link, &dirs[i].cfg, tern_link_network, seed, i);
        dirs[i].link.out = on_link_out;
        dirs[i].link.ctx = &dirs[i];
    }
    run(dirs);
    for (int i = 0; i < 2; i++) {
        port_count_overrun(dirs[i].from);
        report(&dirs[i]);
    }
    return 0;
}
