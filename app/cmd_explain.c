/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tern explain: what a configuration file or a preset says, as tern understands it: each key with
 * its value in plain units, who takes it, and the sentence of the help; then the command lines that
 * say the same. Nothing is started.
 */
#include "cmd.h"
#include "error.h"
#include "opt/command.h"
#include "opt/config.h"
#include "opt/gather.h"
#include "opt/parse.h"
#include "opt/preset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t ends[] = {CMD_LOAD, CMD_SERVE, CMD_PAIR};
enum { N_ENDS = sizeof ends / sizeof ends[0] };

/* What each command hears. */
struct explained {
    struct app_config config;
    struct app_sayings said[N_ENDS];
};

/* ---- a value ---- */

/* The user's text, with what would move the cursor made harmless. */
static void print_text(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        putchar((unsigned char)*p < ' ' || *p == 0x7f ? '?' : *p);
}

/* "mtu: 9000 = 9000 bytes" */
static void print_value(const struct app_saying *one)
{
    struct app_settings s;
    struct tern_error err;
    char understood[APP_OPT_TEXT_BYTES];
    app_settings_init(&s, CMD_PAIR);
    printf("%s: ", one->row->name);
    print_text(one->text);
    if (app_opt_set(one->row, &s, one->text, &err) != 0)
        return;
    if (app_opt_value_text(one->row, &s, understood)[0] != '\0')
        printf(" = %s", understood);
}

/* ---- keys ---- */

/* Whether the one is what `said` holds of it, and nothing replaces it. */
static bool is_taken(const struct app_sayings *said, const struct app_saying *one)
{
    for (uint32_t i = 0; i < said->n; i++) {
        const struct app_saying *there = &said->of[i];
        if (there->text == one->text && strcmp(there->row->name, one->row->name) == 0)
            return app_sayings_last(said, there->row)->rank == there->rank;
    }
    return false;
}

static void print_takers(const struct explained *x, const struct app_saying *one)
{
    int n = 0;
    for (int i = 0; i < N_ENDS; i++)
        if (is_taken(&x->said[i], one))
            printf("%s%s", n++ == 0 ? " (" : ", ", app_command_of(ends[i])->name);
    printf(n == 0 ? " (nobody: replaced, or not asked for)\n" : ")\n");
}

static void print_key(const struct explained *x, const struct app_saying *one)
{
    printf("  ");
    print_value(one);
    print_takers(x, one);
}

static void print_help(const struct app_opt_row *row)
{
    char about[APP_OPT_TEXT_BYTES];
    printf("      %s\n", app_opt_describe(row, about));
}

static void print_map(const struct explained *x, const struct app_config_map *map)
{
    const struct app_opt_row *before = NULL;
    for (uint32_t i = 0; i < x->config.said.n; i++) {
        const struct app_saying *one = &x->config.said.of[i];
        if (one->commands != map->commands)
            continue;
        if (before == NULL)
            printf("\n%s, for %s\n", map->name, map->who);
        else if (before != one->row)
            print_help(before);
        before = one->row;
        print_key(x, one);
    }
    if (before != NULL)
        print_help(before);
}

static bool knows(const struct app_preset *p, const char *name)
{
    return strcmp(p->name, name) == 0;
}

/* The options of a preset that somebody asked for, in the file or here. */
static void print_preset(const struct explained *x, const struct app_preset *p)
{
    printf("\npreset %s: %s\n", p->name, p->what);
    for (const struct app_preset_option *o = p->options; o->option != NULL; o++) {
        const struct app_saying one = {.row = app_opt_find(CMD_ENDS, o->option), .text = o->value};
        print_key(x, &one);
        print_help(one.row);
    }
}

static bool is_asked_for(const struct explained *x, const struct app_preset *p)
{
    for (int i = 0; i < N_ENDS; i++)
        for (uint32_t j = 0; j < x->said[i].n; j++)
            if (x->said[i].of[j].rank == APP_RANK_PRESET && knows(p, x->said[i].of[j].where))
                return true;
    return false;
}

/* ---- lines ---- */

static bool is_plain(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_./:,=@%+-";
    return text[0] != '\0' && strspn(text, plain) == strlen(text);
}

/* As a word of a shell's line. */
static void print_word(const char *text)
{
    if (is_plain(text)) {
        print_text(text);
        return;
    }
    putchar('\'');
    for (const char *p = text; *p != '\0'; p++) {
        const char one[2] = {*p, '\0'};
        if (*p == '\'')
            printf("'\\''");
        else
            print_text(one);
    }
    putchar('\'');
}

static void print_option(const struct app_saying *one)
{
    const struct app_opt_row *row = one->row;
    if (strcmp(row->name, "preset") == 0 || strcmp(one->text, "false") == 0)
        return;
    putchar(' ');
    if (!row->positional)
        printf(row->arg != NULL ? "--%s " : "--%s", row->name);
    if (row->arg != NULL)
        print_word(one->text);
}

/* The line that says what file and preset say. */
static void print_line(const struct explained *x, int end)
{
    const struct app_sayings *said = &x->said[end];
    if (said->n == 0)
        return;
    printf("  tern %s", app_command_of(ends[end])->name);
    for (uint32_t i = 0; i < said->n; i++)
        if (app_sayings_last(said, said->of[i].row)->rank == said->of[i].rank)
            print_option(&said->of[i]);
    putchar('\n');
}

/* ---- all of it ---- */

static int hear(struct explained *x, const struct app_settings *s, struct tern_error *err)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < N_ENDS; i++) {
        x->said[i].n = 0;
        rc = app_config_say(&x->config, ends[i], &x->said[i], err);
        if (rc == 0 && s->preset != NULL)
            rc = app_sayings_add(&x->said[i],
                &(struct app_saying){.row = app_opt_find(ends[i], "preset"),
                    .text = s->preset,
                    .rank = APP_RANK_LINE},
                err);
        if (rc == 0)
            rc = app_opt_gather_preset(ends[i], &x->said[i], err);
    }
    return rc;
}

static int explain(struct app_settings *s, struct tern_error *err)
{
    struct explained x = {.config = {.said = {.n = 0}}};
    const char *path = s->config != NULL ? s->config : getenv("TERN_CONFIG");
    if ((path == NULL || path[0] == '\0') && s->preset == NULL)
        return app_refuse(err,
            "explain: the file is missing; type 'tern explain FILE' or 'tern explain --preset "
            "NAME'");
    int rc = 0;
    if (path != NULL && path[0] != '\0')
        rc = app_config_read(&x.config, path, &s->texts, err);
    if (rc == 0)
        rc = hear(&x, s, err);
    if (rc != 0)
        return rc;
    printf("%s\n", x.config.path != NULL ? x.config.path : s->preset);
    for (uint32_t i = 0; i < app_config_map_count(); i++)
        print_map(&x, app_config_map_at(i));
    for (const char *const *name = app_preset_names; *name != NULL; name++)
        if (is_asked_for(&x, app_preset_find(*name)))
            print_preset(&x, app_preset_find(*name));
    printf("\nthe same on the line\n");
    for (int i = 0; i < N_ENDS; i++)
        print_line(&x, i);
    return 0;
}

int app_cmd_explain(int argc, char **argv)
{
    struct tern_error err;
    struct app_settings s;
    app_settings_init(&s, CMD_EXPLAIN);
    int rc = app_opt_parse(argc, argv, &s, &err);
    if (rc == APP_HELP_GIVEN)
        return APP_EXIT_OK;
    if (rc == 0)
        rc = explain(&s, &err);
    return rc == 0 ? APP_EXIT_OK : app_report_error(APP_EXIT_USAGE, &err);
}
