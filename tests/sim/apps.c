/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim.h"

/*
 * The applications. An end writes pattern bytes as its plan allows, reads and compares, and takes
 * its leave; after every event each end of the host is asked to do what it can. Sockets never
 * block, so nothing has to be remembered but positions.
 *
 * An end is done when its socket is closed. Unless its plan says that it may fail, it must have
 * written and read every byte and seen the peer's FIN, without any error.
 */
#include <errno.h>
#include <string.h>

enum {
    MS = 1000000,
    PATTERN_PERIOD = 65521, /* a prime: no length that a protocol likes divides it */
    READ_MAX = 65536,
    RETRY_NS = 50 * MS, /* until an open that found no record is tried again */
    DSCP_MAX = 63,
};
#define TS_AGE_NS (UINT64_C(24) * 86400 * 1000000000) /* RFC 7323 §5.5 */

const uint8_t *apps_pattern(uint32_t flow, int d, uint32_t pos)
{
    static uint8_t bytes[PATTERN_PERIOD + PATTERN_RUN];
    static bool made;
    if (!made)
        for (uint32_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)tern_prng_mix(i % PATTERN_PERIOD);
    made = true;
    return bytes + ((uint64_t)pos + flow * 7919u + (unsigned)d * 104729u) % PATTERN_PERIOD;
}

/* ---- plan and position ---- */

static bool is_opener(const struct flow_plan *f, uint8_t h)
{
    return f->opener == h || f->opener == 2;
}

/** Whole messages of direction `d` that lie within the first `n_bytes` bytes. */
static uint32_t messages_in(const struct flow_plan *f, int d, uint32_t n_bytes)
{
    uint32_t k = 0, sum = 0;
    while (k < f->n_messages && sum + f->message[d][k] <= n_bytes)
        sum += f->message[d][k++];
    return k;
}

/** How far end `h` may write now: all, or up to the message whose turn it is. */
static uint32_t may_write_to(const struct flow_plan *f, const struct flow_end *e, uint8_t h)
{
    if (f->n_messages == 0)
        return f->total[h];
    const bool first = h == (f->opener == 1);
    const uint32_t n = messages_in(f, !h, e->read) + first;
    uint32_t sum = 0;
    for (uint32_t k = 0; k < n && k < f->n_messages; k++)
        sum += f->message[h][k];
    return sum;
}

bool apps_excused(const struct sim *s)
{
    bool excused = false;
    for (uint8_t h = 0; h < 2; h++) {
        const struct tern_stats *st = host_stats(s, h);
        /* The half-open record was given up while its client thought itself connected. */
        excused |= st->half_expired + st->half_refused != 0;
        /* Under SYN cookies a segment behind a lost handshake ACK is reset (docs/design/0004). */
        excused |= st->syn_cookies_sent != 0 && st->drops[TERN_DROP_TCP_LISTEN_ACK] != 0;
        /* A forged SYN may take the place of one whose cookie is still on its way back. */
        excused |= st->syn_cookies_sent != 0 && st->drops[TERN_DROP_TCP_HALF_ACK] != 0;
        /* TS.Recent has an age of its own, which the library takes for that of the connection. */
        excused |= s->leapt_ns > TS_AGE_NS && st->drops[TERN_DROP_TCP_PAWS] != 0;
        /* A cookie has to come back within two of its periods. */
        excused |= s->leapt_ns != 0 && st->syn_cookies_sent != 0;
    }
    return excused;
}

/* ---- outcomes ---- */

static void count_outcome(struct sim *s, const struct flow_plan *f, const struct flow_end *e)
{
    struct totals *t = s->totals;
    (void)f;
    switch (e->error) {
    case 0: *(e->eof ? &t->ends_ok : &t->ends_left) += 1; break;
    case ECONNRESET: t->ends_reset++; break;
    case ETIMEDOUT: t->ends_timeout++; break;
    case ECONNREFUSED: t->ends_refused++; break;
    default: t->ends_other++; break;
    }
}

static void done(struct sim *s, uint32_t i, uint8_t h, void (*leave)(struct tern_sock *))
{
    struct flow_end *e = &s->flow[i].end[h];
    if (e->sock != NULL)
        leave(e->sock);
    e->sock = NULL;
    e->done = true;
    s->n_done++;
    count_outcome(s, &s->mix.flow[i], e);
    trace_number(s, (uint64_t)e->error << 32 | e->read);
    trace_note(s, "%c app %u done: wrote %u, read %u%s%s%s", 'A' + h, i, e->written, e->read,
        e->eof ? ", EOF" : "", e->error != 0 ? ", " : "", e->error != 0 ? strerror(e->error) : "");
}

/** Reset by a peer whose connection was over in peace and whose TIME-WAIT, too: nothing is lost. */
static bool was_over(const struct sim *s, uint32_t i, uint8_t h, int error)
{
    const struct flow_end *e = &s->flow[i].end[h], *peer = &s->flow[i].end[!h];
    struct tern_conn_info info;
    const bool peer_is_over = peer->sock != NULL ? !tern_sock_describe(peer->sock, &info)
                                                 : peer->done && peer->error == 0;
    return error == ECONNRESET && e->shut && e->read == s->mix.flow[i].total[!h] && peer_is_over;
}

/** Its connection ended with an error that its application has not read yet. */
static bool has_error(const struct flow_end *e)
{
    return e->sock != NULL && (tern_sock_ready(e->sock) & TERN_READY_ERROR);
}

static void failed(struct sim *s, uint32_t i, uint8_t h, int error)
{
    struct flow_end *e = &s->flow[i].end[h];
    e->error = error;
    /* In every leap a probe or its answer may be lost, and nine leaps are nine probes. */
    const struct flow_end *peer = &s->flow[i].end[!h];
    const bool timeout = error == ETIMEDOUT || peer->error == ETIMEDOUT || has_error(peer);
    const bool leapt = timeout && s->leapt_ns != 0;
    if (!s->mix.flow[i].may_fail && !apps_excused(s) && !was_over(s, i, h, error) && !leapt)
        sim_fail(s, "flow %u, host %u: %s after %u of %u bytes written, %u of %u read", i, h,
            strerror(error), e->written, s->mix.flow[i].total[h], e->read,
            s->mix.flow[i].total[!h]);
    else if (!s->mix.flow[i].may_fail)
        s->totals->excused++;
    done(s, i, h, tern_sock_close);
}

/* ---- opening ---- */

static bool set(struct tern_sock *sock, enum tern_conn_opt opt, uint32_t value)
{
    return value == 0 || tern_sock_set(sock, opt, value) == 0;
}

static void have_socket(struct sim *s, uint32_t i, uint8_t h, struct tern_sock *sock)
{
    const struct end_plan *plan = &s->mix.flow[i].end[h];
    s->flow[i].end[h].sock = sock;
    if (!set(sock, TERN_CONN_KEEPALIVE_MS, plan->keepalive_ms)
        || !set(sock, TERN_CONN_USER_TIMEOUT_MS, plan->user_timeout_ms))
        sim_fail(s, "flow %u, host %u: an option was refused", i, h);
}

static bool open_one(struct sim *s, uint32_t i, uint8_t h)
{
    const struct flow_plan *f = &s->mix.flow[i];
    struct flow_end *e = &s->flow[i].end[h];
    if (e->next_open_ns == 0)
        e->next_open_ns = s->begin_ns + f->start_ns;
    if (s->now_ns < e->next_open_ns)
        return false;
    const uint16_t far = (uint16_t)(PORT_CROSS + i), near = (uint16_t)(PORT_CLIENT + i);
    const bool cross = f->opener == 2;
    const uint16_t lport = cross && h == 1 ? far : near;
    const uint16_t rport = !cross ? PORT_LISTEN : h == 1 ? near : far;
    struct tern_sock *sock;
    const int rc = tern_sock_connect(
        s->host[h].e, &s->mix.cfg[!h].stack.addrs[0].addr, rport, NULL, lport, &sock);
    trace_number(s, (uint64_t)(int64_t)rc);
    trace_note(s, "%c app %u connects: %d", 'A' + h, i, rc);
    if (rc == -ENOBUFS) {
        e->next_open_ns = s->now_ns + RETRY_NS;
        return false;
    }
    if (rc != 0) {
        sim_fail(s, "flow %u, host %u: connect says %s", i, h, strerror(-rc));
        return false;
    }
    have_socket(s, i, h, sock);
    return true;
}

static bool accept_all(struct sim *s, uint8_t h)
{
    struct tern_sock *sock;
    bool any = false;
    while ((sock = tern_sock_accept(s->host[h].listener)) != NULL) {
        struct tern_conn_info info;
        any = true;
        const bool alive = tern_sock_describe(sock, &info);
        const uint32_t i = alive ? (uint32_t)info.rport - PORT_CLIENT : FLOWS_MAX;
        const bool ours = i < s->mix.n_flows && s->mix.flow[i].opener == !h;
        if (ours && s->flow[i].end[h].sock == NULL && !s->flow[i].end[h].done) {
            have_socket(s, i, h, sock);
            continue;
        }
        /* An old duplicate opened it again (docs/design/0004). */
        s->totals->ghosts++;
        trace_note(s, "%c ghost on port %u", 'A' + h, alive ? info.rport : 0);
        if (ours)
            s->wire.ghost[i][h] = true;
        tern_sock_abort(sock);
    }
    return any;
}

/* ---- reading ---- */

static void check_bytes(
    struct sim *s, uint32_t i, uint8_t h, const uint8_t *bytes, uint32_t n, uint32_t pos)
{
    const uint32_t total = s->mix.flow[i].total[!h];
    if (sim_tampers(s))
        return;
    if (pos + n > s->flow[i].end[!h].written || pos + n > total) {
        sim_fail(s, "flow %u, host %u: byte %u delivered, only %u were written", i, h, pos + n,
            s->flow[i].end[!h].written);
        return;
    }
    for (uint32_t done_bytes = 0; done_bytes < n;) {
        const uint32_t here = n - done_bytes < PATTERN_RUN ? n - done_bytes : PATTERN_RUN;
        const uint8_t *want = apps_pattern(i, !h, pos + done_bytes);
        for (uint32_t k = 0; k < here && memcmp(bytes + done_bytes, want, here) != 0; k++)
            if (bytes[done_bytes + k] != want[k]) {
                sim_fail(s, "flow %u, host %u: delivered byte %u differs (%02x, sent %02x)", i, h,
                    pos + done_bytes + k, bytes[done_bytes + k], want[k]);
                return;
            }
        done_bytes += here;
    }
}

static bool is_due(const struct sim *s, uint64_t at_ns)
{
    return s->healed || s->now_ns >= at_ns;
}

/** The plan keeps back what it wants to leave unread. */
static bool has_read_enough(const struct end_plan *plan, const struct flow_end *e)
{
    return plan->leave == LEAVE_UNREAD && e->opened && e->written + e->read >= plan->leave_after;
}

static void at_eof(struct sim *s, uint32_t i, uint8_t h)
{
    struct flow_end *e = &s->flow[i].end[h];
    if (!e->eof)
        trace_number(s, e->read);
    e->eof = true;
    if (e->read != s->mix.flow[i].total[!h] && !s->mix.flow[i].may_fail)
        sim_fail(s, "flow %u, host %u: EOF after %u of %u bytes", i, h, e->read,
            s->mix.flow[i].total[!h]);
}

/** @return something was read, or the end was reached, or the connection is lost */
static bool read_some(struct sim *s, uint32_t i, uint8_t h)
{
    static uint8_t bytes[READ_MAX];
    const struct end_plan *plan = &s->mix.flow[i].end[h];
    struct flow_end *e = &s->flow[i].end[h];
    if (!is_due(s, e->next_read_ns) || has_read_enough(plan, e))
        return false;
    const bool had_eof = e->eof;
    const size_t want =
        plan->read_chunk != 0 && plan->read_chunk < READ_MAX ? plan->read_chunk : READ_MAX;
    const ssize_t n = tern_sock_recv(e->sock, bytes, want);
    if (n == -EAGAIN)
        return false;
    if (n < 0) {
        failed(s, i, h, (int)-n);
        return true;
    }
    if (n == 0) {
        at_eof(s, i, h);
        return !had_eof;
    }
    check_bytes(s, i, h, bytes, (uint32_t)n, e->read);
    e->read += (uint32_t)n;
    trace_number(s, (uint64_t)i << 32 | (uint64_t)n);
    if (plan->read_every_ns != 0)
        e->next_read_ns = s->now_ns + plan->read_every_ns;
    return true;
}

/* ---- writing ---- */

static void toggle(struct sim *s, struct flow_end *e, uint32_t i)
{
    const uint64_t dice = tern_prng_mix(s->mix.seed ^ ((uint64_t)i << 32) ^ e->written);
    const uint32_t value = (uint32_t)(dice >> 32);
    int rc = 0;
    switch (dice % 6) {
    case 0: rc = tern_sock_set(e->sock, TERN_CONN_NODELAY, value & 1); break;
    case 1: rc = tern_sock_set(e->sock, TERN_CONN_DSCP, value & DSCP_MAX); break;
    case 2: rc = tern_sock_set(e->sock, TERN_CONN_TTL, 1 + value % 255); break;
    case 3: rc = tern_sock_set(e->sock, TERN_CONN_CC, value % TERN_CC_COUNT); break;
    case 4: rc = tern_sock_set(e->sock, TERN_CONN_PACING, value & 1); break;
    default: rc = tern_sock_set(e->sock, TERN_CONN_ACK_POLICY, value % (TERN_ACK_EVERY_BURST + 1));
    }
    if (rc != 0 && rc != -ENOTCONN && rc != -ENOBUFS)
        sim_fail(s, "flow %u: an option was refused: %s", i, strerror(-rc));
}

static bool write_some(struct sim *s, uint32_t i, uint8_t h)
{
    const struct end_plan *plan = &s->mix.flow[i].end[h];
    struct flow_end *e = &s->flow[i].end[h];
    const uint32_t to = may_write_to(&s->mix.flow[i], e, h);
    if (e->written >= to || e->shut || !is_due(s, e->next_write_ns))
        return false;
    uint32_t n = to - e->written;
    if (n > PATTERN_RUN)
        n = PATTERN_RUN;
    if (plan->write_chunk != 0 && n > plan->write_chunk)
        n = plan->write_chunk;
    const ssize_t took = tern_sock_send(e->sock, apps_pattern(i, h, e->written), n);
    if (took == -EAGAIN)
        return false;
    if (took < 0) { /* EPIPE says that it is over; the pending error says why */
        const int why = tern_sock_error(e->sock);
        failed(s, i, h, why != 0 ? why : (int)-took);
        return true;
    }
    e->written += (uint32_t)took;
    trace_number(s, (uint64_t)took);
    if (plan->write_every_ns != 0)
        e->next_write_ns = s->now_ns + plan->write_every_ns;
    if (plan->toggles)
        toggle(s, e, i);
    return true;
}

/* ---- leaving ---- */

static bool take_leave(struct sim *s, uint32_t i, uint8_t h)
{
    const struct flow_plan *f = &s->mix.flow[i];
    const struct end_plan *plan = &f->end[h];
    struct flow_end *e = &s->flow[i].end[h];
    const bool all_written = e->written == f->total[h];
    const bool enough = e->opened && e->written + e->read >= plan->leave_after;
    if (plan->leave == LEAVE_ABORT && enough) {
        done(s, i, h, tern_sock_abort);
        return true;
    }
    if ((plan->leave == LEAVE_UNREAD && enough)
        || (plan->leave == LEAVE_CLOSE && all_written && e->opened)) {
        done(s, i, h, tern_sock_close);
        return true;
    }
    if (all_written && !e->shut && e->opened) {
        tern_sock_shutdown(e->sock);
        e->shut = true;
    }
    if (e->shut && e->eof) {
        done(s, i, h, tern_sock_close);
        return true;
    }
    return false;
}

static void note_opened(struct sim *s, struct flow_end *e)
{
    struct tern_conn_info info;
    if (!e->opened && tern_sock_describe(e->sock, &info) && info.state >= TERN_ESTABLISHED)
        e->opened = true;
    (void)s;
}

static bool run_end(struct sim *s, uint32_t i, uint8_t h)
{
    struct flow_end *e = &s->flow[i].end[h];
    if (e->done)
        return false;
    bool moved = false;
    if (e->sock == NULL && is_opener(&s->mix.flow[i], h))
        moved = open_one(s, i, h);
    if (e->sock == NULL)
        return moved;
    note_opened(s, e);
    moved |= read_some(s, i, h);
    if (e->sock != NULL)
        moved |= write_some(s, i, h);
    if (e->sock != NULL)
        moved |= take_leave(s, i, h);
    return moved;
}

bool apps_run(struct sim *s, uint8_t h)
{
    bool moved = accept_all(s, h);
    for (uint32_t i = 0; i < s->mix.n_flows && !s->failed; i++)
        moved |= run_end(s, i, h);
    return moved;
}

uint64_t apps_next_ns(const struct sim *s, uint8_t h)
{
    uint64_t next_ns = SIM_NEVER;
    for (uint32_t i = 0; i < s->mix.n_flows; i++) {
        const struct flow_end *e = &s->flow[i].end[h];
        const uint64_t at_ns[] = {
            e->sock == NULL ? e->next_open_ns : 0, e->next_read_ns, e->next_write_ns};
        for (int k = 0; k < 3 && !e->done; k++)
            if (at_ns[k] > s->now_ns && at_ns[k] < next_ns)
                next_ns = at_ns[k];
    }
    return next_ns;
}

void apps_abort_all(struct sim *s, uint8_t h)
{
    for (uint32_t i = 0; i < s->mix.n_flows; i++)
        if (!s->flow[i].end[h].done)
            done(s, i, h, tern_sock_abort);
}
