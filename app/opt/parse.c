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
#include "gather.h"
#include "nearest.h"
#include "sayings.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { KEY_FIRST = 0x100, USAGE_BYTES = 64, NEAREST_BYTES = 64, LINE_CHARS_MAX = 79 };

/* argp's tables, and what its parser needs to know. */
struct parser {
    const struct app_command *command;
    struct app_sayings *said;
    struct tern_error *err;
    struct argp_option options[APP_OPT_ROWS_MAX + APP_GROUP_COUNT + 1];
    char docs[APP_OPT_ROWS_MAX][APP_OPT_TEXT_BYTES];
    char titles[APP_GROUP_COUNT][APP_OPT_TEXT_BYTES];
    char usage[USAGE_BYTES];
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

static void make_tables(struct parser *p)
{
    const struct app_opt_row *word = app_opt_positional(p->command->bit);
    for (uint32_t i = 0; i < app_opt_count(); i++)
        add_option(p, i);
    snprintf(p->usage, sizeof p->usage, "%s", word != NULL ? word->arg : "");
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

static error_t say(struct parser *p, const struct app_opt_row *row, const char *text)
{
    return app_sayings_add(
        p->said, &(struct app_saying){.row = row, .text = text, .rank = APP_RANK_LINE}, p->err);
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
    return say(p, row, text);
}

/* A paragraph of running text, in lines as long as argp's. */
static void print_filled(const char *text)
{
    size_t column = 0;
    for (const char *p = text; *p != '\0';) {
        const size_t word = strcspn(p, " ");
        if (column > 0 && column + 1 + word > LINE_CHARS_MAX) {
            putchar('\n');
            column = 0;
        }
        column += (size_t)printf("%s%.*s", column > 0 ? " " : "", (int)word, p);
        p += word + strspn(p + word, " ");
    }
    putchar('\n');
}

static void print_word(const struct app_opt_row *word)
{
    char about[APP_OPT_TEXT_BYTES], sentence[APP_OPT_TEXT_BYTES + 32];
    snprintf(sentence, sizeof sentence, "%s is %s.", word->arg, app_opt_describe(word, about));
    putchar('\n');
    print_filled(sentence);
}

/* After the options: the bare word, and examples, each on a line that can be copied. argp would
 * fill them up. */
static void print_notes(const struct app_command *command)
{
    const struct app_opt_row *word = app_opt_positional(command->bit);
    if (word != NULL)
        print_word(word);
    for (const char *const *note = command->notes; note != NULL && *note != NULL; note++) {
        putchar('\n');
        print_filled(*note);
    }
    printf("\nExamples:\n");
    for (uint32_t i = 0; i < app_example_count(); i++) {
        const struct app_example *e = app_example_at(i);
        if (e->command == command->bit)
            printf("  %s\n      %s\n", e->line, e->what);
    }
    printf("\nNumbers take k, M, G (1000) and Ki, Mi, Gi (1024); times ns, us, ms, s, m, h.\n");
}

static error_t give_help(struct argp_state *state)
{
    const struct parser *p = state->input;
    argp_state_help(state, stdout, ARGP_HELP_SHORT_USAGE | ARGP_HELP_PRE_DOC | ARGP_HELP_LONG);
    print_notes(p->command);
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
    return say(p, row, arg != NULL ? arg : "");
}

/* argp's remark on arguments of letters, which everybody knows, is left out. */
static char *leave_out_remark(int key, const char *text, void *input)
{
    (void)input;
    return key == ARGP_KEY_HELP_DUP_ARGS_NOTE ? NULL : (char *)(uintptr_t)text;
}

/* Run argp with what it and getopt print caught in `text`, [bytes]. */
static error_t parse_captured(struct parser *p, int argc, char **argv, char *text, size_t bytes)
{
    const struct argp argp = {.options = p->options,
        .parser = take,
        .args_doc = p->usage[0] != '\0' ? p->usage : NULL,
        .doc = p->command->about,
        .help_filter = leave_out_remark};
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

/* The option that a wrong one was probably meant to be: in getopt's words the wrong one stands in
 * quotes, with what was given to it. "": none */
static void find_nearest(uint32_t command, const char *text, char buf[NEAREST_BYTES])
{
    char wrong[NEAREST_BYTES] = "";
    buf[0] = '\0';
    if (sscanf(text, "%*[^']'--%39[^'=]", wrong) != 1)
        return;
    struct app_nearest near = app_nearest_to(wrong);
    for (uint32_t i = 0; i < app_opt_count(); i++)
        if ((app_opt_at(i)->commands & command) != 0 && !app_opt_at(i)->positional)
            app_nearest_try(&near, app_opt_at(i)->name);
    if (near.best != NULL)
        snprintf(buf, NEAREST_BYTES, "; nearest is '--%s'", near.best);
}

/* argp's first line, without its "tern ", as ours. */
static int refuse_line(const struct parser *p, char *text)
{
    char nearest[NEAREST_BYTES] = "";
    text[strcspn(text, "\n")] = '\0';
    const size_t skip = strncmp(text, "tern ", strlen("tern ")) == 0 ? strlen("tern ") : 0;
    if (strstr(text, "unrecognized option '--") != NULL)
        find_nearest(p->command->bit, text, nearest);
    return app_refuse(p->err, "%.300s%s; type 'tern help %s'",
        text[skip] != '\0' ? text + skip : "the line cannot be read", nearest, p->command->name);
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
    struct app_sayings said = {.n = 0};
    int rc = collect(argc, argv, s->command, &said, err);
    if (rc == 0 && (s->command & CMD_ENDS) != 0)
        rc = app_opt_gather(s->command, &said, &s->texts, err);
    return rc == 0 ? app_sayings_set(&said, s, err) : rc;
}
