/* SPDX-License-Identifier: BSD-3-Clause */
#include "parse.h"

/*
 * What the user of the endpoint does, and what a script wants to be true of it. As in
 * parse_segment.c each verb is a line of a table, and the table is the complaint.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

int parse_errno(struct words *w)
{
    static const struct {
        const char *name;
        int value;
    } errors[] = {
        {"none", 0},
        {"EAGAIN", EAGAIN},
        {"EPIPE", EPIPE},
        {"ECONNREFUSED", ECONNREFUSED},
        {"ECONNRESET", ECONNRESET},
        {"ECONNABORTED", ECONNABORTED},
        {"ETIMEDOUT", ETIMEDOUT},
        {"EHOSTUNREACH", EHOSTUNREACH},
        {"ENETUNREACH", ENETUNREACH},
        {"ENOBUFS", ENOBUFS},
        {"EINVAL", EINVAL},
        {"EADDRINUSE", EADDRINUSE},
        {"EADDRNOTAVAIL", EADDRNOTAVAIL},
        {"ENOTCONN", ENOTCONN},
        {"EMSGSIZE", EMSGSIZE},
    };
    const char *word = words_take(w);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (strcmp(word, errors[i].name) == 0)
            return errors[i].value;
    words_fail(w, word, "no error that a script knows: ECONNRESET, ETIMEDOUT …, or none");
    return 0;
}

/** … fails ERRNO, at the end of a call. */
static void may_fail(struct words *w, struct step *st)
{
    if (words_accept(w, "fails"))
        st->error = parse_errno(w);
}

static void take_name(struct words *w, struct step *st, const char *what)
{
    const char *word = words_take(w);
    if (*word == '\0')
        words_fail(w, word, "%s is missing", what);
    snprintf(st->name, sizeof st->name, "%s", word);
}

static void nothing_more(struct words *w, struct step *st)
{
    may_fail(w, st);
}

static void call_listen(struct words *w, struct step *st)
{
    st->value = words_accept(w, "backlog") ? (uint32_t)words_number(w, "backlog", 0, 1000) : 16;
    may_fail(w, st);
}

static void call_connect(struct words *w, struct step *st)
{
    while (words_left(w) && !words_accept(w, "fails")) {
        const char *word = words_take(w);
        if (strcmp(word, "port") == 0)
            st->port = (uint16_t)words_number(w, "port", 0, UINT16_MAX);
        else if (strcmp(word, "anyport") == 0)
            st->value = 1;
        else if (tern_addr_parse(word, &st->addr) == 0)
            st->has_addr = true;
        else
            words_fail(w, word, "connect takes [ADDRESS] [port N | anyport] [fails ERRNO]");
    }
    if (w->at > 0 && strcmp(w->word[w->at - 1], "fails") == 0)
        st->error = parse_errno(w);
}

static void call_accept(struct words *w, struct step *st)
{
    st->has_span = words_accept(w, "nothing");
}

static void call_write(struct words *w, struct step *st)
{
    st->span.lo = st->span.hi = words_number(w, "write", 1, 1 << 30);
    if (words_accept(w, "takes"))
        st->span.hi = words_number(w, "takes", 0, 1 << 30);
    may_fail(w, st);
}

static void call_read(struct words *w, struct step *st)
{
    if (words_accept(w, "nothing"))
        st->error = EAGAIN;
    else if (words_accept(w, "fails"))
        st->error = parse_errno(w);
    else
        st->span.lo = words_number(w, "read", 1, 1 << 30);
    if (words_accept(w, "fill")) {
        st->seg.has_fill = true;
        st->seg.fill = (uint8_t)words_number(w, "fill", 0, UINT8_MAX);
    }
}

static void call_option(struct words *w, struct step *st)
{
    char why[LINE_BYTES];
    const char *word = words_take(w);
    const int opt = setting_conn_opt(word, why, sizeof why);
    if (opt < 0)
        words_fail(w, word, "%s", why);
    st->span.lo = opt;
    st->value = (uint32_t)words_number(w, word, 0, UINT32_MAX);
    may_fail(w, st);
}

static void want_state(struct words *w, struct step *st)
{
    take_name(w, st, "a state of RFC 9293 §3.3.2");
}

static void want_error(struct words *w, struct step *st)
{
    st->error = parse_errno(w);
}

static void want_number(struct words *w, struct step *st)
{
    take_name(w, st, "a name");
    st->span = words_span(w, st->name);
}

static void take_flow(struct words *w, struct step *st)
{
    take_name(w, st, "a, b, c or d");
    if (st->name[0] < 'a' || st->name[0] >= 'a' + FLOWS_MAX || st->name[1] != '\0')
        words_fail(w, st->name, "connections are called a, b, c and d");
}

static void take_reopen(struct words *w, struct step *st)
{
    st->has_span = words_accept(w, "keep");
    st->span.lo = words_left(w) ? words_number(w, "reopen", -INT32_MAX, INT32_MAX) : 1000000;
}

static void take_quiet(struct words *w, struct step *st)
{
    const char *end;
    const char *word = words_take(w);
    st->when = *word == '@' ? WHEN_AT : WHEN_AFTER;
    st->lo_ns = st->hi_ns = words_duration(w, *word == '@' ? word + 1 : word, &end);
    if (*end != '\0')
        words_fail(w, word, "wants a time: 200ms, or @2s from the start");
}

static const struct verb {
    const char *word;
    enum act act;
    void (*read)(struct words *w, struct step *st);
} verbs[] = {
    {"quiet", ACT_QUIET, take_quiet},
    {"skip", ACT_SKIP, take_quiet},
    {"flow", ACT_FLOW, take_flow},
    {"reopen", ACT_REOPEN, take_reopen},
    {"listen", ACT_LISTEN, call_listen},
    {"unlisten", ACT_UNLISTEN, nothing_more},
    {"connect", ACT_CONNECT, call_connect},
    {"accept", ACT_ACCEPT, call_accept},
    {"write", ACT_WRITE, call_write},
    {"read", ACT_READ, call_read},
    {"eof", ACT_EOF, nothing_more},
    {"shutdown", ACT_SHUTDOWN, nothing_more},
    {"close", ACT_CLOSE, nothing_more},
    {"abort", ACT_ABORT, nothing_more},
    {"option", ACT_OPTION, call_option},
    {"state", ACT_STATE, want_state},
    {"error", ACT_ERROR, want_error},
    {"info", ACT_INFO, want_number},
    {"count", ACT_COUNT, want_number},
    {"drops", ACT_DROPS, want_number},
};

enum { VERBS = sizeof verbs / sizeof verbs[0] };

static void fail_unknown(struct words *w, const char *word)
{
    char list[LINE_BYTES] = "";
    size_t n = 0;
    for (size_t i = 0; i < VERBS; i++)
        n += (size_t)snprintf(list + n, sizeof list - n, " %s", verbs[i].word);
    words_fail(w, word, "no step; there are < > &< establish%s", list);
}

void parse_call(struct words *w, const char *word, struct step *st)
{
    for (size_t i = 0; i < VERBS; i++)
        if (strcmp(word, verbs[i].word) == 0) {
            st->act = verbs[i].act;
            verbs[i].read(w, st);
            if (words_left(w))
                words_fail(w, words_peek(w), "not understood behind '%s'", word);
            return;
        }
    fail_unknown(w, word);
}
