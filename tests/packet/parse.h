/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* How the parts of reading a script know each other: a line's words, and what they are read into.
 */
#include "lex.h"

/** The segment behind `<` or `>`: control bits, sequence, fields, options. */
void parse_segment(struct words *w, struct segment *g);
/** The ICMP error behind `< icmp`. */
void parse_icmp(struct words *w, struct icmp *icmp);
/** A user call or an expectation about the endpoint; `word` is its verb. */
void parse_call(struct words *w, const char *word, struct step *st);
/** An errno by name, 0 for "none". */
int parse_errno(struct words *w);
