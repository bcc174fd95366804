/* SPDX-License-Identifier: BSD-3-Clause */
#include "parse.h"

/*
 * A script, line by line: first its head (title, shows, set, only, expect-fail, must-fail), then
 * its steps. `establish` is written out into the steps of a handshake and read like any others, so
 * nothing knows of it but this file.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RAW_BYTES_MAX = LINE_BYTES / 2 };

uint32_t script_own_mss(const struct script *s)
{
    const struct tern_stack_config *cfg = &s->cfg.stack;
    const uint32_t mss = cfg->mtu_bytes - (s->v6 ? 60u : 40u);
    return cfg->mss_max != 0 && cfg->mss_max < mss ? cfg->mss_max : mss;
}

/* ---- the head ---- */

/** What stands behind the first word, as it was written. */
static const char *rest_of(const char *line)
{
    line += strspn(line, " \t");
    line += strcspn(line, " \t\n");
    return line + strspn(line, " \t");
}

static void keep_rest(char *to, const char *line)
{
    snprintf(to, LINE_BYTES, "%s", rest_of(line));
    to[strcspn(to, "\n")] = '\0';
}

static void head_set(struct words *w)
{
    char why[2 * LINE_BYTES];
    const char *name = words_take(w), *value = words_take(w);
    if (!setting_set(w->s, name, value, why, sizeof why))
        words_fail(w, name, "%s", why);
    else if (words_left(w))
        words_fail(w, words_peek(w), "set takes one value");
}

static void head_only(struct words *w)
{
    const char *word = words_take(w);
    w->s->only4 = strcmp(word, "ipv4") == 0;
    w->s->only6 = strcmp(word, "ipv6") == 0;
    if (!w->s->only4 && !w->s->only6)
        words_fail(w, word, "only takes ipv4 or ipv6");
}

static void head_shows(struct script *s, const char *line)
{
    const size_t n = strlen(s->shows);
    char more[LINE_BYTES];
    keep_rest(more, line);
    snprintf(s->shows + n, sizeof s->shows - n, "%s%s", n > 0 ? " " : "", more);
}

/** @return false: the line is no part of a head */
static bool parse_head(struct words *w, const char *line)
{
    struct script *s = w->s;
    if (words_accept(w, "title"))
        keep_rest(s->title, line);
    else if (words_accept(w, "shows"))
        head_shows(s, line);
    else if (words_accept(w, "expect-fail"))
        keep_rest(s->expect_fail, line);
    else if (words_accept(w, "must-fail") && s->n_must_fail < MUST_FAIL_MAX)
        keep_rest(s->must_fail[s->n_must_fail++], line);
    else if (words_accept(w, "set"))
        head_set(w);
    else if (words_accept(w, "only"))
        head_only(w);
    else
        return false;
    return true;
}

/* ---- steps ---- */

static struct step *add_step(struct script *s, int line, const char *text)
{
    struct step *more = realloc(s->steps, (s->n_steps + 1) * sizeof *more);
    char *copy = strdup(text);
    if (more == NULL || copy == NULL)
        abort();
    s->steps = more;
    struct step *st = &s->steps[s->n_steps++];
    copy[strcspn(copy, "\n")] = '\0';
    *st = (struct step){.line = line, .text = copy};
    return st;
}

/** +T, +T..U, @T, @T..U in front of a step. */
static void parse_time(struct words *w, struct step *st)
{
    const char first = *words_peek(w), *end;
    if (first != '+' && first != '@')
        return;
    const char *word = words_take(w);
    st->when = first == '+' ? WHEN_AFTER : WHEN_AT;
    st->lo_ns = st->hi_ns = words_duration(w, word + 1, &end);
    if (strncmp(end, "..", 2) == 0) {
        st->is_range = true;
        st->hi_ns = words_duration(w, end + 2, &end);
    }
    if (*end != '\0' || st->hi_ns < st->lo_ns)
        words_fail(w, word,
            "a time is +T, +T..U (after the step before), @T or @T..U (from the "
            "start)");
}

static void parse_packet(struct words *w, struct step *st)
{
    st->act = ACT_PACKET;
    st->bytes = calloc(1, RAW_BYTES_MAX);
    if (st->bytes == NULL)
        abort();
    while (words_left(w))
        st->n_bytes += words_hex(w, st->bytes + st->n_bytes, RAW_BYTES_MAX - st->n_bytes);
}

static void parse_in(struct words *w, struct step *st)
{
    st->act = ACT_IN;
    if (words_accept(w, "packet")) {
        parse_packet(w, st);
    } else if (words_accept(w, "icmp")) {
        st->act = ACT_ICMP;
        parse_icmp(w, &st->icmp);
    } else {
        parse_segment(w, &st->seg);
    }
}

static void parse_step(struct words *w, struct step *st)
{
    parse_time(w, st);
    const char *word = words_take(w);
    if (strcmp(word, "<") == 0) {
        parse_in(w, st);
    } else if (strcmp(word, "&<") == 0) {
        st->joins = true;
        parse_in(w, st);
    } else if (strcmp(word, ">") == 0) {
        st->act = ACT_OUT;
        parse_segment(w, &st->seg);
    } else {
        parse_call(w, word, st);
    }
    if (st->is_range && st->act != ACT_OUT)
        words_fail(w, word, "only what is expected (>) may have a range of times");
}

static void read_step(struct script *s, int line, const char *text)
{
    struct words w = {.s = s, .line = line};
    words_cut(&w, text);
    if (w.n > 0)
        parse_step(&w, add_step(s, line, text + strspn(text, " \t")));
}

/* ---- establish ---- */

/** What the peer offers and how far away it is. */
struct offer {
    bool active;
    uint32_t win, mss, ws;
    bool has_ws, no_mss;
    bool has_rtt;
    char rtt[NAME_BYTES];
    char opts[LINE_BYTES]; /* as a SYN has them */
};

static void offer_word(struct words *w, struct offer *o)
{
    const size_t n = strlen(o->opts);
    if (words_accept(w, "win")) {
        o->win = (uint32_t)words_number(w, "win", 0, UINT16_MAX);
    } else if (words_accept(w, "nomss")) {
        o->no_mss = true;
    } else if (words_accept(w, "mss")) {
        o->mss = (uint32_t)words_number(w, "mss", 0, UINT16_MAX);
    } else if (words_accept(w, "rtt")) {
        o->has_rtt = true;
        snprintf(o->rtt, sizeof o->rtt, "%s", words_take(w));
    } else if (words_accept(w, "ws")) {
        o->has_ws = true;
        o->ws = (uint32_t)words_number(w, "ws", 0, 255);
        snprintf(o->opts + n, sizeof o->opts - n, " ws %u", o->ws);
    } else if (words_accept(w, "sackok")) {
        snprintf(o->opts + n, sizeof o->opts - n, " sackok");
    } else if (words_accept(w, "ts")) {
        snprintf(o->opts + n, sizeof o->opts - n, " ts");
    } else {
        words_fail(w, words_peek(w),
            "establish takes passive or active, then win N, mss N, nomss, ws N, sackok, ts, rtt T");
    }
}

/** The window field of a SYN is not scaled: as much of the window as it can say. */
static uint32_t syn_win(const struct offer *o)
{
    const uint64_t wnd = (uint64_t)o->win << (o->has_ws ? o->ws > 14 ? 14 : o->ws : 0);
    return wnd > UINT16_MAX ? UINT16_MAX : (uint32_t)wnd;
}

__attribute__((format(printf, 3, 4))) static void write_step(
    struct script *s, int line, const char *fmt, ...)
{
    char text[2 * LINE_BYTES];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    read_step(s, line, text);
}

static void establish(struct words *w)
{
    struct offer o = {.win = UINT16_MAX, .mss = 1000, .rtt = "0ms"};
    struct script *s = w->s;
    o.active = words_accept(w, "active");
    if (!o.active && !words_accept(w, "passive"))
        words_fail(w, words_peek(w), "establish wants passive or active");
    while (words_left(w))
        offer_word(w, &o);
    char mss[NAME_BYTES] = "";
    if (!o.no_mss)
        snprintf(mss, sizeof mss, " mss %u", o.mss);
    if (o.active) {
        write_step(s, w->line, "connect");
        write_step(s, w->line, "> SYN 0 ...");
        write_step(s, w->line, "+%s < SYN+ACK 0 ack 1 win %u%s%s", o.rtt, syn_win(&o), mss, o.opts);
        write_step(s, w->line, "> ACK 1 ack 1");
        if (syn_win(&o) != o.win) /* the real window, now that it is scaled */
            write_step(s, w->line, "< ACK 1 ack 1 win %u", o.win);
        return;
    }
    write_step(s, w->line, "listen");
    write_step(s, w->line, "< SYN 0 win %u%s%s", syn_win(&o), mss, o.opts);
    write_step(s, w->line, "> SYN+ACK 0 ack 1 ...");
    write_step(s, w->line, "+%s < ACK 1 ack 1 win %u", o.rtt, o.win);
    write_step(s, w->line, "accept");
}

/* ---- the file ---- */

static void read_line(struct script *s, int line, const char *text)
{
    struct words w = {.s = s, .line = line};
    words_cut(&w, text);
    if (w.n == 0)
        return;
    if (s->n_steps == 0 && parse_head(&w, text))
        return;
    if ((s->only4 && s->v6) || (s->only6 && !s->v6))
        return; /* its addresses are the other family's */
    if (words_accept(&w, "establish"))
        establish(&w);
    else
        read_step(s, line, text);
}

static void read_lines(struct script *s, FILE *f)
{
    char *text = NULL;
    size_t cap = 0;
    for (int line = 1; s->error[0] == '\0' && getline(&text, &cap, f) > 0; line++)
        read_line(s, line, text);
    free(text);
}

bool script_read(struct script *s, const char *path, bool v6)
{
    *s = (struct script){.path = path, .v6 = v6};
    tern_embed_config_init(&s->cfg);
    s->cfg.stack.rcv_buf_max_bytes = 0; /* windows as a script can tell beforehand */
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        snprintf(s->error, sizeof s->error, "%s: %s", path, strerror(errno));
        return false;
    }
    read_lines(s, f);
    fclose(f);
    if (s->error[0] == '\0' && s->title[0] == '\0')
        snprintf(s->error, sizeof s->error, "%s: a script starts with a line 'title …'", path);
    return s->error[0] == '\0';
}

void script_free(struct script *s)
{
    for (size_t i = 0; i < s->n_steps; i++) {
        free((char *)(uintptr_t)s->steps[i].text);
        free(s->steps[i].bytes);
    }
    free(s->steps);
}
