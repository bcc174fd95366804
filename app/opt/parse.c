/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * argp reads the line, with tables made from the rows when it is needed: a row's key is its letter,
 * or its index beyond all letters. What was said is first collected and then set, so that other
 * places to say it can be put in between.
 *
 * argp and getopt_long print two lines on an error, the second one advice of their own. They print
 * to `stderr`, which in glibc is a variable (manual §12.2): for the time of parsing it is a stream
 * in memory, of which the first line is kept. ARGP_NO_ERRS was rejected, it also forgets what was
 * wrong.
 */
#include "parse.h"

#include "../error.h"
#include "command.h"
#include "sayings.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { KEY_FIRST = 0x100, NOTES_BYTES = 4096, USAGE_BYTES = 64 };

/* argp's tables, and what its parser needs to know. */
struct parser {
    const struct app_command *command;
    struct app_sayings *said;
    struct tern_error *err;
    struct argp_option options[APP_OPT_ROWS_MAX + APP_GROUP_COUNT + 1];
    char docs[APP_OPT_ROWS_MAX][APP_OPT_TEXT_BYTES];
    char titles[APP_GROUP_COUNT][APP_OPT_TEXT_BYTES];
    char usage[USAGE_BYTES], notes[NOTES_BYTES];
    uint32_t n_options;
};

/* ---- tables ---- */

/* argp counts groups from 1; 0 is "as the one before". */
static int group_of(const struct app_opt_row *row)
{
    return row->group + 1;
}

static void add_title(struct parser *p, const struct app_opt_row *row)
{
    char *title = p->titles[row->group];
    if (title[0] != '\0')
        return;
    snprintf(title, sizeof p->titles[0], "%s:", app_opt_group_title(row->group));
    p->options[p->n_options++] = (struct argp_option){.doc = title, .group = group_of(row)};
}

static void add_option(struct parser *p, uint32_t i)
{
    const struct app_opt_row *row = app_opt_at(i);
    if ((row->commands & p->command->bit) == 0 || row->positional)
        return;
    add_title(p, row);
    p->options[p->n_options++] = (struct argp_option){
        .name = row->name,
        .key = row->letter != 0 ? row->letter : (int)(KEY_FIRST + i),
        .arg = row->arg,
        .doc = app_opt_describe(row, p->docs[i]),
        .group = group_of(row),
    };
}

static void add_example(struct parser *p, const struct app_example *e)
{
    const size_t used = strlen(p->notes);
    if (e->command == p->command->bit)
        snprintf(p->notes + used, sizeof p->notes - used, "  %s\n      %s\n", e->line, e->what);
}

/* After the options: what the bare word is, examples, units. */
static void add_notes(struct parser *p, const struct app_opt_row *word)
{
    snprintf(p->notes, sizeof p->notes, "%s\v", p->command->about);
    if (word != NULL) {
        const size_t used = strlen(p->notes);
        snprintf(p->notes + used, sizeof p->notes - used, "%s is %s.\n\n", word->arg, word->help);
    }
    for (uint32_t i = 0; i < app_example_count(); i++)
        add_example(p, app_example_at(i));
    const size_t used = strlen(p->notes);
    snprintf(p->notes + used, sizeof p->notes - used,
        "\nNumbers take k, M, G (1000) and Ki, Mi, Gi (1024); times ns, us, ms, s, m, h.");
}

static void make_tables(struct parser *p)
{
    const struct app_opt_row *word = app_opt_positional(p->command->bit);
    for (uint32_t i = 0; i < app_opt_count(); i++)
        add_option(p, i);
    snprintf(p->usage, sizeof p->usage, "%s", word != NULL ? word->arg : "");
    add_notes(p, word);
}

/* ---- reading ---- */

static const struct app_opt_row *row_of_key(uint32_t command, int key)
{
    if (key >= KEY_FIRST)
        return app_opt_at((uint32_t)(key - KEY_FIRST));
    for (uint32_t i = 0; i < app_opt_count(); i++) {
        const struct app_opt_row *row = app_opt_at(i);
        if (row->letter == key && (row->commands & command) != 0)
            return row;
    }
    return NULL;
}

/* The word that stands alone: the one that the command takes, once. */
static error_t take_word(struct parser *p, const char *text)
{
    const struct app_opt_row *row = app_opt_positional(p->command->bit);
    const char *name = p->command->name;
    if (row == NULL)
        return app_refuse(
            p->err, "%s: '%.60s' is one word too many; type 'tern help %s'", name, text, name);
    if (app_sayings_last(p->said, row) != NULL && !row->many)
        return app_refuse(p->err, "%s: '%.60s' is one word too many, a second %s; type one", name,
            text, row->name);
    return app_sayings_add(p->said, row, text, p->err);
}

static error_t give_help(struct argp_state *state)
{
    argp_state_help(state, stdout,
        ARGP_HELP_SHORT_USAGE | ARGP_HELP_PRE_DOC | ARGP_HELP_LONG | ARGP_HELP_POST_DOC);
    return ECANCELED;
}

static error_t take(int key, char *arg, struct argp_state *state)
{
    struct parser *p = state->input;
    if (key == ARGP_KEY_ARG)
        return take_word(p, arg);
    const struct app_opt_row *row = row_of_key(p->command->bit, key);
    if (row == NULL)
        return ARGP_ERR_UNKNOWN;
    if (row->kind == OPT_HELP)
        return give_help(state);
    return app_sayings_add(p->said, row, arg != NULL ? arg : "", p->err);
}

/* Run argp with what it and getopt print caught in `text`, [bytes]. */
static error_t parse_captured(struct parser *p, int argc, char **argv, char *text, size_t bytes)
{
    const struct argp argp = {.options = p->options,
        .parser = take,
        .args_doc = p->usage[0] != '\0' ? p->usage : NULL,
        .doc = p->notes};
    FILE *const real = stderr;
    FILE *const captured = fmemopen(text, bytes, "w");
    if (captured == NULL)
        return ENOMEM;
    stderr = captured;
    const error_t rc = argp_parse(&argp, argc, argv, ARGP_NO_HELP | ARGP_NO_EXIT, NULL, p);
    stderr = real;
    fclose(captured);
    return rc;
}

/* argp's first line, without its "tern ", as ours. */
static int refuse_line(const struct parser *p, char *text)
{
    text[strcspn(text, "\n")] = '\0';
    const size_t skip = strncmp(text, "tern ", strlen("tern ")) == 0 ? strlen("tern ") : 0;
    return app_refuse(p->err, "%.300s; type 'tern help %s'",
        text[skip] != '\0' ? text + skip : "the line cannot be read", p->command->name);
}

/* What the line says, in its order. */
static int collect(
    int argc, char **argv, uint32_t command, struct app_sayings *said, struct tern_error *err)
{
    char text[TERN_ERROR_TEXT_BYTES] = "";
    struct parser p = {.command = app_command_of(command), .said = said, .err = err};
    make_tables(&p);
    err->text[0] = '\0';
    const error_t rc = parse_captured(&p, argc, argv, text, sizeof text);
    if (rc == 0)
        return 0;
    if (rc == ECANCELED)
        return APP_HELP_GIVEN;
    return err->text[0] != '\0' ? -EINVAL : refuse_line(&p, text);
}

int app_opt_parse(int argc, char **argv, struct app_settings *s, struct tern_error *err)
{
    struct app_sayings line = {.n = 0};
    int rc = collect(argc, argv, s->command, &line, err);
    for (uint32_t i = 0; rc == 0 && i < line.n; i++)
        rc = app_opt_set(line.of[i].row, s, line.of[i].text, err);
    return rc;
}
