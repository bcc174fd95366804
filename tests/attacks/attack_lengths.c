/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lengths that disagree: what the device received, what IP announces, what the transport header
 * says. One of them is true, the rest are the attacker's; tern believes the smallest that IP and
 * device agree on, and drops what does not fit.
 */
#include "attack.h"

enum { ETH_HEAD = 14, TCP_HEAD = 20, ICMP_HEAD = 8, ECHO_BYTES = 16, PAYLOAD = 4 };

enum kind { TCP, ECHO, KINDS };

static uint32_t ip_bytes(bool v6)
{
    return v6 ? 40 : 20;
}

static void build_echo(struct frame *f, bool v6, uint8_t type, uint32_t n)
{
    attack_ip(f, v6, v6 ? 58 : 1);
    frame_icmp(f, type, 0, 0x12345678);
    frame_fill(f, 'e', n);
    frame_seal(f);
}

static void build(struct attack *a, struct frame *f, enum kind kind, bool v6)
{
    if (kind == TCP)
        attack_segment(a, f, v6, TERN_TCP_ACK, "", 0, PAYLOAD);
    else
        build_echo(f, v6, v6 ? 128 : 8, ECHO_BYTES);
}

/** What IP announces behind the link header. */
static void put_ip_bytes(struct frame *f, uint32_t n)
{
    put16(f->b + f->l3 + (f->v6 ? 4 : 2), n - (f->v6 ? 40 : 0));
    if (!f->v6)
        frame_sum_ip4(f);
}

/** The transport checksum over `n` bytes, whatever the frame holds. */
static void sum_as(struct frame *f, uint32_t n)
{
    uint8_t *at = f->b + frame_csum_off(f);
    put16(at, 0);
    put16(at, 0xffff - slow_l4_sum(f, n));
}

/* ---- the matrix (V037) ---- */

/** How a length is off. */
enum off { LESS, EXACT, MORE, MOST, OFFS };

static uint32_t off_by(uint32_t right, enum off off, uint32_t most)
{
    const uint32_t values[OFFS] = {right - 1, right, right + 1, most};
    return values[off];
}

/** The frame is `bytes` long, IP says `ip`, TCP's data offset says `l4`. */
struct lengths {
    uint32_t bytes, ip, l4;
};

/** A frame with these lengths, each sum over what the lengths claim and memory holds. */
static void bend(struct frame *f, enum kind kind, const struct lengths *n)
{
    memset(f->b + f->n, 0, sizeof f->b - f->n);
    f->n = n->bytes;
    put_ip_bytes(f, n->ip);
    if (kind == TCP)
        f->b[f->l4 + 12] = (uint8_t)(n->l4 / 4 << 4);
    const uint32_t l4_bytes = n->ip - ip_bytes(f->v6);
    sum_as(f, RTE_MIN(l4_bytes, (uint32_t)sizeof f->b - f->l4));
}

static enum tern_drop want(const struct frame *f, enum kind kind, const struct lengths *n)
{
    const uint32_t claimed = n->ip - ip_bytes(f->v6);
    if (ETH_HEAD + n->ip > n->bytes)
        return TERN_DROP_IP_LEN;
    if (kind == TCP && (n->l4 < TCP_HEAD || n->l4 > claimed))
        return TERN_DROP_TCP_HDR_LEN;
    return TERN_DROP_NONE;
}

/** An echo that passes is answered with what it brought, and not with a byte more. */
static void assert_echoed(struct attack *a, const struct lengths *n)
{
    assert_int_equal(a->n_replies, 1);
    assert_int_equal(a->n_reply_bytes, ETH_HEAD + n->ip);
}

/** A segment that passes gives the application what IP announced of it. */
static void assert_read(struct attack *a, bool v6, const struct lengths *n)
{
    struct live *c = &a->live[v6];
    char bytes[sizeof a->reply];
    const uint32_t claimed = n->ip - ip_bytes(v6) - n->l4;
    if (claimed > 0)
        assert_int_equal(tern_sock_recv(c->s, bytes, sizeof bytes), claimed);
    c->seq += claimed;
}

static void try_lengths(struct attack *a, enum kind kind, bool v6, const struct lengths *n)
{
    struct frame f;
    build(a, &f, kind, v6);
    bend(&f, kind, n);
    const enum tern_drop why = want(&f, kind, n);
    if (why != TERN_DROP_NONE) {
        refuse(a, &f, why);
        return;
    }
    const bool is_ack = kind == TCP && n->l4 == n->ip - ip_bytes(v6);
    assert_drop(arrive_exact(a, &f), is_ack ? TERN_DROP_TCP_DONE : TERN_DROP_NONE);
    if (kind == TCP)
        assert_read(a, v6, n);
    else
        assert_echoed(a, n);
    assert_unmoved(a);
}

static void length_matrix(struct attack *a, enum kind kind, bool v6)
{
    const uint32_t l4 = kind == TCP ? TCP_HEAD + PAYLOAD : ICMP_HEAD + ECHO_BYTES;
    const uint32_t ip = ip_bytes(v6) + l4;
    for (enum off bytes = LESS; bytes < OFFS; bytes++)
        for (enum off total = LESS; total < OFFS; total++)
            for (uint32_t doff = 0; doff <= 60; doff += 4) {
                const struct lengths n = {
                    .bytes = off_by(ETH_HEAD + ip, bytes, 2048),
                    .ip = off_by(ip, total, UINT16_MAX),
                    .l4 = doff,
                };
                try_lengths(a, kind, v6, &n);
                if (kind == ECHO)
                    break; /* it has no length of its own */
            }
}

/** V037, V031, V023, V024: every combination of three lengths, TCP. */
static void every_combination_of_tcp_lengths(void **state)
{
    length_matrix(*state, TCP, false);
    length_matrix(*state, TCP, true);
}

/** V037, V033, V030: the same of ICMP; a reply has the length that was validated. */
static void every_combination_of_echo_lengths(void **state)
{
    length_matrix(*state, ECHO, false);
    length_matrix(*state, ECHO, true);
}

/* ---- cut short ---- */

/** V025, V026: 0..19 octets of TCP, all that IP announces. */
static void tcp_below_its_header_is_dropped(void **state)
{
    struct attack *a = *state;
    for (int v6 = 0; v6 <= 1; v6++)
        for (uint32_t n = 0; n < TCP_HEAD; n++) {
            struct frame f;
            attack_segment(a, &f, v6, TERN_TCP_ACK, "", 0, 0);
            f.n = f.l4 + n;
            put_ip_bytes(&f, ip_bytes(v6) + n);
            refuse(a, &f, TERN_DROP_TCP_SHORT);
        }
}

/** V041, V173, V169: ICMP of 0..7 octets, and what claims a reply to nobody's echo. */
static void icmp_below_its_header_is_dropped(void **state)
{
    struct attack *a = *state;
    for (int v6 = 0; v6 <= 1; v6++) {
        const uint8_t types[] = {v6 ? 128 : 8, v6 ? 129 : 0};
        for (uint32_t i = 0; i < sizeof types; i++) {
            struct frame f;
            for (uint32_t n = 0; n < ICMP_HEAD; n++) {
                build_echo(&f, v6, types[i], 0);
                f.n = f.l4 + n;
                put_ip_bytes(&f, ip_bytes(v6) + n);
                refuse(a, &f, TERN_DROP_ICMP_SHORT);
            }
        }
    }
}

/** V041: an echo reply that nobody asked for, of any size. */
static void unsolicited_echo_reply_is_ignored(void **state)
{
    for (int v6 = 0; v6 <= 1; v6++)
        for (uint32_t n = 0; n <= 8; n++) {
            struct frame f;
            build_echo(&f, v6, v6 ? 129 : 0, n);
            refuse(*state, &f, TERN_DROP_ICMP_TYPE);
        }
}

/** V034, V042, V035, V038: a frame cut anywhere in front of its payload. */
static void frame_cut_anywhere_is_dropped(void **state)
{
    struct attack *a = *state;
    for (int v6 = 0; v6 <= 1; v6++)
        for (enum kind kind = TCP; kind < KINDS; kind++) {
            struct frame f;
            build(a, &f, kind, v6);
            const uint32_t whole = f.n;
            for (uint32_t n = 0; n < whole; n++) {
                f.n = n;
                refuse(a, &f,
                    n < ETH_HEAD                  ? TERN_DROP_ETH_RUNT
                    : n < ETH_HEAD + ip_bytes(v6) ? TERN_DROP_IP_SHORT
                                                  : TERN_DROP_IP_LEN);
            }
        }
}

/* ---- IPv4's two lengths ---- */

/** V027, V028, V029: header length and total length by table, for TCP and for ICMP. */
static void ip4_header_beyond_its_packet_is_dropped(void **state)
{
    struct attack *a = *state;
    static const uint16_t totals[] = {0, 1, 19, 20, 59};
    for (enum kind kind = TCP; kind < KINDS; kind++)
        for (uint32_t ihl = 0; ihl <= 15; ihl++)
            for (size_t i = 0; i < sizeof totals / sizeof totals[0]; i++) {
                struct frame f;
                build(a, &f, kind, false);
                if (totals[i] >= ihl * 4 && ihl >= 5)
                    continue; /* these two agree */
                f.b[f.l3] = (uint8_t)(0x40 | ihl);
                put16(f.b + f.l3 + 2, totals[i]);
                const bool fits = ETH_HEAD + ihl * 4 <= f.n;
                refuse(a, &f, ihl < 5 || !fits ? TERN_DROP_IP_HDR_LEN : TERN_DROP_IP_LEN);
            }
}

/** V035: a payload length of 0 is no jumbogram, and leaves TCP and ICMPv6 without a header. */
static void ip6_payload_of_nothing_is_dropped(void **state)
{
    struct attack *a = *state;
    for (enum kind kind = TCP; kind < KINDS; kind++) {
        struct frame f;
        build(a, &f, kind, true);
        put_ip_bytes(&f, 40);
        refuse(a, &f, kind == TCP ? TERN_DROP_TCP_SHORT : TERN_DROP_ICMP_SHORT);
    }
}

/** V036, V030: IP claims more than came, up to all it can; no checksum is computed over it. */
static void claims_beyond_the_frame_are_dropped(void **state)
{
    static const uint32_t more[] = {1, 2, 64, 1000, 2000, 65000};
    for (int v6 = 0; v6 <= 1; v6++)
        for (enum kind kind = TCP; kind < KINDS; kind++)
            for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
                struct frame f;
                build(*state, &f, kind, v6);
                put_ip_bytes(&f, f.n - f.l3 + more[i]);
                refuse(*state, &f, TERN_DROP_IP_LEN);
            }
}

/* ---- what lies behind ---- */

/** The next segment of the live connection with a trailer of `n_trailer` octets. */
static void take_with_trailer(
    struct attack *a, bool v6, uint32_t payload, uint32_t n_trailer, uint32_t front)
{
    struct frame f;
    char bytes[64];
    attack_segment(a, &f, v6, TERN_TCP_ACK, "", 0, payload);
    frame_fill(&f, (uint8_t)(0xa5 + n_trailer), n_trailer);
    assert_drop(arrive(a, mbuf_chain(a, f.b, f.n, RTE_MIN(front, f.n), f.n)),
        payload == 0 ? TERN_DROP_TCP_DONE : TERN_DROP_NONE);
    if (payload > 0)
        assert_int_equal(tern_sock_recv(a->live[v6].s, bytes, sizeof bytes), payload);
    a->live[v6].seq += payload;
    assert_unmoved(a);
}

/** V039: 1..26 octets behind the packet, of any value, are neither data nor summed. */
static void trailer_is_not_data(void **state)
{
    for (int v6 = 0; v6 <= 1; v6++)
        for (uint32_t n = 0; n <= 26; n++)
            for (uint32_t front = 1; front <= 128; front += 7) {
                take_with_trailer(*state, v6, 0, n, front);
                take_with_trailer(*state, v6, PAYLOAD, n, front);
            }
}

/** V169, V033: an echo is answered as it came up to the MTU; a larger one, received all the same,
 * not. */
static void echo_is_answered_whole_where_it_fits(void **state)
{
    struct attack *a = *state;
    for (int v6 = 0; v6 <= 1; v6++)
        for (uint32_t n = 1400; n <= 3500; n += 100) {
            struct frame f;
            build_echo(&f, v6, v6 ? 128 : 8, n);
            arrive(a, mbuf_chain(a, f.b, f.n, f.n < 2048 ? f.n : 1000, 1000));
            assert_int_equal(a->n_replies, f.n <= (uint32_t)ETH_HEAD + a->cfg.stack.mtu_bytes);
            assert_true(a->n_replies == 0 || a->n_reply_bytes == f.n);
            assert_unmoved(a);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ATTACK(every_combination_of_tcp_lengths),
        ATTACK(every_combination_of_echo_lengths),
        ATTACK(tcp_below_its_header_is_dropped),
        ATTACK(icmp_below_its_header_is_dropped),
        ATTACK(unsolicited_echo_reply_is_ignored),
        ATTACK(frame_cut_anywhere_is_dropped),
        ATTACK(ip4_header_beyond_its_packet_is_dropped),
        ATTACK(ip6_payload_of_nothing_is_dropped),
        ATTACK(claims_beyond_the_frame_are_dropped),
        ATTACK(trailer_is_not_data),
        ATTACK(echo_is_answered_whole_where_it_fits),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
