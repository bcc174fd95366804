/* SPDX-License-Identifier: BSD-3-Clause */
#include "lex.h"

/* Words and the values they spell. Whoever takes a word says what was wanted, for the complaint. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void words_cut(struct words *w, const char *line)
{
    snprintf(w->text, sizeof w->text, "%s", line);
    w->n = w->at = 0;
    char *rest = NULL;
    for (char *t = strtok_r(w->text, " \t\r\n", &rest); t != NULL && *t != '#' && w->n < WORDS_MAX;
         t = strtok_r(NULL, " \t\r\n", &rest))
        w->word[w->n++] = t;
}

bool words_left(const struct words *w)
{
    return !w->failed && w->at < w->n;
}

const char *words_peek(const struct words *w)
{
    return w->at < w->n ? w->word[w->at] : "";
}

const char *words_take(struct words *w)
{
    return w->at < w->n ? w->word[w->at++] : "";
}

bool words_accept(struct words *w, const char *word)
{
    if (!words_left(w) || strcmp(words_peek(w), word) != 0)
        return false;
    w->at++;
    return true;
}

void words_fail(struct words *w, const char *word, const char *accepted, ...)
{
    if (w->failed)
        return;
    w->failed = true;
    char wanted[LINE_BYTES];
    va_list args;
    va_start(args, accepted);
    vsnprintf(wanted, sizeof wanted, accepted, args);
    va_end(args);
    const char *is = *word != '\0' ? word : "end of line";
    snprintf(w->s->error, sizeof w->s->error, "%s:%d: '%s': %s", w->s->path, w->line, is, wanted);
}

static bool number_at(const char **at, int64_t *out)
{
    char *end;
    const char *digits = **at == '-' ? *at + 1 : *at;
    if (*digits < '0' || *digits > '9')
        return false;
    *out = strtoll(*at, &end, 0);
    *at = end;
    return true;
}

/** N or A|B. */
static bool family_number(const struct words *w, const char **at, int64_t *out)
{
    int64_t six;
    if (!number_at(at, out))
        return false;
    if (**at != '|')
        return true;
    ++*at;
    if (!number_at(at, &six))
        return false;
    if (w->s->v6)
        *out = six;
    return true;
}

int64_t words_number(struct words *w, const char *what, int64_t lo, int64_t hi)
{
    const char *word = words_take(w), *at = word;
    int64_t n = 0;
    if (!family_number(w, &at, &n) || *at != '\0' || n < lo || n > hi) {
        words_fail(w, word, "%s wants a number %" PRId64 "..%" PRId64, what, lo, hi);
        return lo;
    }
    return n;
}

struct span words_span(struct words *w, const char *what)
{
    const char *word = words_take(w), *at = word;
    struct span s = {0, 0};
    bool good = family_number(w, &at, &s.lo);
    s.hi = s.lo;
    if (good && strncmp(at, "..", 2) == 0) {
        at += 2;
        good = family_number(w, &at, &s.hi);
    }
    if (!good || *at != '\0' || s.hi < s.lo)
        words_fail(w, word, "%s wants N or N..M", what);
    return s;
}

uint64_t words_duration(struct words *w, const char *word, const char **end)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {
        {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"min", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
    char *at;
    const double n = strtod(word, &at);
    const size_t n_letters = strspn(at, "abcdefghijklmnopqrstuvwxyz");
    for (size_t i = 0; i < sizeof units / sizeof units[0] && at != word && n >= 0; i++) {
        if (strlen(units[i].name) != n_letters || strncmp(at, units[i].name, n_letters) != 0)
            continue;
        *end = at + n_letters;
        return (uint64_t)(n * units[i].ns + 0.5);
    }
    words_fail(w, word, "a time is a number with us, ms, s, min, h or d behind it");
    *end = "";
    return 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t words_hex(struct words *w, uint8_t *to, size_t cap)
{
    const char *word = words_take(w);
    const size_t n = strlen(word) / 2;
    bool good = n > 0 && strlen(word) == 2 * n && n <= cap;
    for (size_t i = 0; good && i < n; i++) {
        const int hi = hex_digit(word[2 * i]), lo = hex_digit(word[2 * i + 1]);
        good = hi >= 0 && lo >= 0;
        to[i] = (uint8_t)(hi << 4 | lo);
    }
    if (!good)
        words_fail(w, word, "wants 1..%zu bytes as pairs of hex digits 0-9 a-f", cap);
    return good ? n : 0;
}

bool words_is_flags(const char *word, uint8_t *flags)
{
    static const char names[8][4] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
    *flags = 0;
    if (strcmp(word, "none") == 0)
        return true;
    while (*word != '\0') {
        int bit = 0;
        while (bit < 8 && strncmp(word, names[bit], 3) != 0)
            bit++;
        if (bit == 8 || (word[3] != '+' && word[3] != '\0'))
            return false;
        *flags |= (uint8_t)(1u << bit);
        word += word[3] == '+' ? 4 : 3;
    }
    return *flags != 0;
}
