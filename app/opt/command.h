/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The subcommands in words, for the help, the manual and completion; main.c knows how to run them.
 */
#include "row.h"

struct app_command {
    const char *name;
    uint32_t bit;             /**< CMD_* */
    const char *summary;      /**< a line in 'tern --help' */
    const char *about;        /**< a sentence or two at the head of its own help */
    const char *const *notes; /**< paragraphs behind the options, ends with NULL; NULL: none */
};

uint32_t app_command_count(void);
const struct app_command *app_command_at(uint32_t i);

/** NULL: unknown. */
const struct app_command *app_command_find(const char *name);

/** The command of exactly that bit. */
const struct app_command *app_command_of(uint32_t bit);

/** A line that works, and what it is for. */
struct app_example {
    uint32_t command; /**< CMD_* */
    const char *line; /**< as for a shell: words with single spaces, "tern" first, or 'in quotes' */
    const char *what;
    bool runs_here; /**< without device and privileges: a test runs it */
};

uint32_t app_example_count(void);
const struct app_example *app_example_at(uint32_t i);
