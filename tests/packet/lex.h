/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* A line of a script as words, and the words as values. The first complaint is kept. */
#include "script.h"

enum { WORDS_MAX = 64 };

struct words {
    struct script *s;
    int line;
    char text[LINE_BYTES]; /* cut into words */
    char *word[WORDS_MAX];
    uint32_t n, at;
    bool failed;
};

/** Cut a line. Everything from a '#' that starts a word is a comment. */
void words_cut(struct words *w, const char *line);

bool words_left(const struct words *w);
/** The next word without taking it; "" at the end. */
const char *words_peek(const struct words *w);
/** Take the next word; "" at the end. */
const char *words_take(struct words *w);
/** Take the next word if it is this one. */
bool words_accept(struct words *w, const char *word);

/** Complain about a word: what it is, and what is accepted. Only the first time. */
__attribute__((format(printf, 3, 4))) void words_fail(
    struct words *w, const char *word, const char *accepted, ...);

/** A number: decimal or 0x…, negative too; `A|B` is A over IPv4 and B over IPv6. */
int64_t words_number(struct words *w, const char *what, int64_t lo, int64_t hi);
/** N or N..M; `n_is_range`: a lone N means N..N. */
struct span words_span(struct words *w, const char *what);
/** 5ms, 1.5s, 200us, 2h … in ns. */
uint64_t words_duration(struct words *w, const char *word, const char **end);
/** Hex digits as bytes. @return how many */
size_t words_hex(struct words *w, uint8_t *to, size_t cap);
/** Control bits, "SYN+ACK". @return false: the word is no such thing */
bool words_is_flags(const char *word, uint8_t *flags);
