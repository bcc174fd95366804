/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mdoc(7) and not man(7): it says what a word is and leaves how it looks to the reader's tool.
 * mandoc -Tlint checks the pages in a test. A page without a line of its own that could be wrong:
 * all comes from rows, commands and examples, but for what is said about files and exits.
 */
#include "man.h"

#include "../error.h"
#include "config.h"
#include "preset.h"

#include <ctype.h>
#include <string.h>

/* Of the texts, not of the build: the same sources give the same pages. */
#define MAN_DATE "November 21, 2026"

/* ---- roff ---- */

enum { LINE_CHARS_MAX = 78 };

static void print_escaped(FILE *out, char c, bool at_start)
{
    if (at_start && (c == '.' || c == '\''))
        fputs("\\&", out);
    if (c == '\\')
        fputs("\\e", out);
    else
        fputc(c, out);
}

/* The argument of a macro, which cannot be broken. */
static void print_word(FILE *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        print_escaped(out, *p, p == text);
    fputc('\n', out);
}

/* Running text: control characters escaped, each sentence on a line of its own, long ones broken.
 */
static void print_text(FILE *out, const char *text)
{
    size_t column = 0;
    for (const char *p = text; *p != '\0'; p++) {
        const size_t word = *p == ' ' ? strcspn(p + 1, " ") : 0;
        const bool breaks = *p == ' ' && (p[-1] == '.' || column + word >= LINE_CHARS_MAX);
        if (breaks)
            fputc('\n', out);
        else
            print_escaped(out, *p, column == 0);
        column = breaks ? 0 : column + 1;
    }
    fputc('\n', out);
}

static void print_head(FILE *out, const char *page, const char *summary)
{
    fprintf(out, ".Dd %s\n.Dt ", MAN_DATE);
    for (const char *p = page; *p != '\0'; p++)
        fputc(toupper((unsigned char)*p), out);
    fprintf(out, " 1\n.Os\n.Sh NAME\n.Nm %s\n.Nd ", page);
    print_word(out, summary);
}

static void print_examples(FILE *out, uint32_t commands)
{
    fprintf(out, ".Sh EXAMPLES\n");
    for (uint32_t i = 0; i < app_example_count(); i++) {
        const struct app_example *e = app_example_at(i);
        if ((e->command & commands) == 0)
            continue;
        print_text(out, e->what);
        fprintf(out, ".Pp\n.Dl ");
        print_word(out, e->line);
        fprintf(out, ".Pp\n");
    }
    fprintf(out, "Numbers take k, M, G (1000) and Ki, Mi, Gi (1024); times ns, us, ms, s, m, h.\n");
}

static void print_exits(FILE *out)
{
    fprintf(out,
        ".Sh EXIT STATUS\n"
        ".Bl -tag -width Ds\n"
        ".It %d\nIt worked, and the books balance.\n"
        ".It %d\nThe run failed: books, leaks, a device that broke.\n"
        ".It %d\nNothing has started: the line, the configuration, or what it asks\n"
        "of the machine.\n"
        ".It 130\nEnded by a second Ctrl-C, without a result.\n"
        ".El\n",
        APP_EXIT_OK, APP_EXIT_RUN, APP_EXIT_USAGE);
}

static void print_environment(FILE *out)
{
    fprintf(out, ".Sh ENVIRONMENT\n"
                 ".Bl -tag -width Ds\n"
                 ".It Ev TERN_CONFIG\n"
                 "The configuration file that is read without\n"
                 ".Fl -config .\n"
                 ".El\n");
}

/* ---- a command ---- */

static void print_option(FILE *out, const struct app_opt_row *row)
{
    char about[APP_OPT_TEXT_BYTES];
    fprintf(out, ".It ");
    if (row->letter != 0)
        fprintf(out, "Fl %c , ", row->letter);
    fprintf(out, "Fl -%s", row->name);
    if (row->arg != NULL)
        fprintf(out, " Ns = Ns Ar %s", row->arg);
    fputc('\n', out);
    print_text(out, app_opt_describe(row, about));
}

static void print_group(FILE *out, uint32_t command, uint32_t group)
{
    bool is_open = false;
    for (uint32_t i = 0; i < app_opt_count(); i++) {
        const struct app_opt_row *row = app_opt_at(i);
        if ((row->commands & command) == 0 || row->group != group || row->positional)
            continue;
        if (!is_open)
            fprintf(out, ".Ss %s\n.Bl -tag -width Ds\n", app_opt_group_title(group));
        is_open = true;
        print_option(out, row);
    }
    if (is_open)
        fprintf(out, ".El\n");
}

static void print_command(FILE *out, const struct app_command *c)
{
    char page[64], about[APP_OPT_TEXT_BYTES];
    const struct app_opt_row *word = app_opt_positional(c->bit);
    snprintf(page, sizeof page, "tern-%s", c->name);
    print_head(out, page, c->summary);
    fprintf(out, ".Sh SYNOPSIS\n.Nm tern %s\n.Op Ar option ...\n", c->name);
    if (word != NULL)
        fprintf(out, ".Ar %s\n", word->arg);
    fprintf(out, ".Sh DESCRIPTION\n");
    print_text(out, c->about);
    if (word != NULL) {
        fprintf(out, ".Pp\n.Ar %s\nis ", word->arg);
        print_text(out, app_opt_describe(word, about));
    }
    for (const char *const *note = c->notes; note != NULL && *note != NULL; note++) {
        fprintf(out, ".Pp\n");
        print_text(out, *note);
    }
    fprintf(out, ".Sh OPTIONS\n");
    for (uint32_t group = 0; group < APP_GROUP_COUNT; group++)
        print_group(out, c->bit, group);
    if ((c->bit & (CMD_ENDS | CMD_EXPLAIN)) != 0)
        print_environment(out);
    print_exits(out);
    print_examples(out, c->bit);
    fprintf(out, ".Sh SEE ALSO\n.Xr tern 1\n");
}

/* ---- the program ---- */

static void print_commands(FILE *out)
{
    fprintf(out, ".Bl -tag -width Ds\n");
    for (uint32_t i = 0; i < app_command_count(); i++) {
        fprintf(out, ".It Xr tern-%s 1\n", app_command_at(i)->name);
        print_text(out, app_command_at(i)->summary);
    }
    fprintf(out, ".El\n");
}

/* "dev (tern serve) target (tern load)" */
static void print_words(FILE *out)
{
    for (uint32_t i = 0; i < app_command_count(); i++) {
        const struct app_command *c = app_command_at(i);
        const struct app_opt_row *word = app_opt_positional(c->bit);
        if (word != NULL && (c->bit & CMD_ENDS) != 0)
            fprintf(out, ".Ic %s\n.Pq tern %s\n", word->name, c->name);
    }
}

static void print_config(FILE *out)
{
    fprintf(out, ".Sh CONFIGURATION FILE\n"
                 "A file in YAML, given with\n.Fl -config\nor\n.Ev TERN_CONFIG ,\n"
                 "holds options under the names they have on the line, without dashes.\n"
                 "One file serves both ends; at the top stand these maps:\n"
                 ".Bl -tag -width Ds\n");
    for (uint32_t i = 0; i < app_config_map_count(); i++) {
        fprintf(out, ".It Ic %s\nfor ", app_config_map_at(i)->name);
        print_text(out, app_config_map_at(i)->who);
    }
    fprintf(out, ".El\n.Pp\n"
                 "The word that stands alone on the line is called\n");
    print_words(out);
    fprintf(out, "there.\n"
                 "A list says an option again; a flag is true or false.\n"
                 "The line wins over the file, the map of a command over\n.Ic common ,\n"
                 "and the file over a preset.\n"
                 ".Bd -literal -offset indent\n"
                 "common:\n  mtu: 9000\n"
                 "load:\n  target: http://198.18.0.1/\n  dev: eth1\n"
                 "  ip: [198.18.1.1/15, 198.18.1.2/15]\n"
                 "serve:\n  dev: eth2\n  ip: 198.18.0.1/15\n  no-huge: true\n"
                 ".Ed\n");
}

static void print_presets(FILE *out)
{
    fprintf(out, ".Sh PRESETS\n.Bl -tag -width Ds\n");
    for (const char *const *name = app_preset_names; *name != NULL; name++) {
        fprintf(out, ".It Cm %s\n", *name);
        print_text(out, app_preset_find(*name)->what);
    }
    fprintf(out, ".El\n");
}

/* The command that follows in the alphabet, as references stand. */
static const char *next_name(const char *before)
{
    const char *next = NULL;
    for (uint32_t i = 0; i < app_command_count(); i++) {
        const char *name = app_command_at(i)->name;
        if (strcmp(name, before) > 0 && (next == NULL || strcmp(name, next) < 0))
            next = name;
    }
    return next;
}

static void print_program(FILE *out)
{
    print_head(out, "tern", "TCP load-test server and client on DPDK");
    fprintf(out, ".Sh SYNOPSIS\n"
                 ".Nm\n.Ar command\n.Op Ar option ...\n"
                 ".Nm\n.Cm help\n.Op Ar command\n"
                 ".Sh DESCRIPTION\n"
                 "A real TCP, in user space, that serves and loads.\n");
    print_commands(out);
    print_config(out);
    print_presets(out);
    print_environment(out);
    print_exits(out);
    print_examples(out, UINT32_MAX);
    fprintf(out, ".Sh SEE ALSO\n");
    const char *name = "";
    for (uint32_t i = 0; i < app_command_count(); i++) {
        name = next_name(name);
        fprintf(out, ".Xr tern-%s 1%s\n", name, i + 1 < app_command_count() ? " ," : "");
    }
}

void app_man_print(FILE *out, const struct app_command *command)
{
    if (command != NULL)
        print_command(out, command);
    else
        print_program(out);
}
