/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A walk over all rows: each is well formed, takes what it says it takes and nothing beyond, and
 * stands in the help, the manual and the completion of every command that knows it.
 */
#include "error.h"
#include "load/load.h"
#include "opt/command.h"
#include "opt/completion.h"
#include "opt/man.h"
#include "opt/nearest.h"
#include "opt/parse.h"
#include "opt/preset.h"
#include "serve/service.h"

#include <ctype.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h> /* after setjmp.h and the std* headers, which it wants and does not include */
// clang-format on

#define COMMANDS_ALL                                                                               \
    ((uint32_t)(CMD_ENDS | CMD_DOCTOR | CMD_EXPLAIN | CMD_COMPARE | CMD_DECODE | CMD_TOP))

/* Every row, and the commands of each in turn. */
#define FOR_ROWS(row)                                                                              \
    for (uint32_t i_ = 0; i_ < app_opt_count(); i_++)                                              \
        for (const struct app_opt_row *row = app_opt_at(i_); row != NULL; row = NULL)

static bool is_number(const struct app_opt_row *row)
{
    switch (row->kind) {
    case OPT_U64:
    case OPT_U32:
    case OPT_U16:
    case OPT_U8:
    case OPT_NS:
    case OPT_MS: return true;
    case OPT_FLAG:
    case OPT_FLAG_OFF:
    case OPT_CHOICE:
    case OPT_TEXT:
    case OPT_CALL:
    case OPT_HELP: return false;
    }
    return false;
}

static int set(const struct app_opt_row *row, const char *text, struct app_settings *s)
{
    static struct tern_error err;
    app_settings_init(s, CMD_PAIR);
    err.text[0] = '\0';
    const int rc = app_opt_set(row, s, text, &err);
    if (rc != 0 && strstr(err.text, row->name) == NULL)
        fail_msg("the refusal does not name --%s: %s", row->name, err.text);
    return rc;
}

static void row_is_well_formed(void **state)
{
    (void)state;
    FOR_ROWS(row)
    {
        const bool is_flag = app_opt_is_flag(row) || row->kind == OPT_HELP;
        assert_true(strlen(row->name) > 1);
        assert_int_equal(row->name[strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789-")], 0);
        assert_int_equal(row->arg == NULL, is_flag);
        assert_true(row->commands != 0 && (row->commands & ~COMMANDS_ALL) == 0);
        assert_true(row->group < APP_GROUP_COUNT);
        assert_true(strlen(row->help) > 3);
        assert_int_equal(row->help[strlen(row->help) - 1] == '.', 0);
        assert_int_equal(row->kind == OPT_CALL, row->call != NULL);
        if (row->kind == OPT_CHOICE)
            assert_non_null(row->choices);
        for (const char *c = row->arg; c != NULL && *c != '\0'; c++)
            assert_false(islower((unsigned char)*c)); /* it would be a macro in the manual */
    }
}

static void row_is_the_only_one_of_its_name_and_letter(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < app_opt_count(); i++)
        for (uint32_t j = i + 1; j < app_opt_count(); j++) {
            const struct app_opt_row *a = app_opt_at(i), *b = app_opt_at(j);
            if ((a->commands & b->commands) == 0)
                continue;
            assert_string_not_equal(a->name, b->name);
            assert_false(a->letter != 0 && a->letter == b->letter);
            assert_false(a->positional && b->positional);
        }
}

static void number_is_taken_within_its_range_only(void **state)
{
    (void)state;
    struct app_settings s;
    FOR_ROWS(row)
    {
        const char *unit = row->kind == OPT_NS ? "ns" : row->kind == OPT_MS ? "ms" : "";
        char text[64];
        if (!is_number(row))
            continue;
        assert_true(row->min < row->max);
        snprintf(text, sizeof text, "%" PRIu64 "%s", row->min, unit);
        assert_int_equal(set(row, text, &s), 0);
        snprintf(text, sizeof text, "%" PRIu64 "%s", row->max, unit);
        assert_int_equal(set(row, text, &s), 0);
        snprintf(text, sizeof text, "%" PRIu64 "%s", row->max + 1, unit);
        assert_int_not_equal(set(row, text, &s), 0);
        if (row->min > 0)
            assert_int_not_equal(set(row, row->kind == OPT_NS ? "0ns" : "0", &s), 0);
        assert_int_not_equal(set(row, "x", &s), 0);
    }
}

/* Where the help states a value as the default, it is the one that holds. */
static void default_is_what_nobody_said(void **state)
{
    (void)state;
    struct app_settings said, unsaid;
    char text[2][APP_OPT_TEXT_BYTES];
    uint32_t n = 0;
    FOR_ROWS(row)
    {
        if (row->standard == NULL || strchr(row->standard, ' ') != NULL || !is_number(row)
            || row->kind == OPT_NS)
            continue;
        assert_int_equal(set(row, row->standard, &said), 0);
        app_settings_init(&unsaid, CMD_PAIR);
        assert_string_equal(
            app_opt_value_text(row, &said, text[0]), app_opt_value_text(row, &unsaid, text[1]));
        n++;
    }
    assert_in_range(n, 8, UINT32_MAX); /* mtu, ttl, dscp, init-cwnd, … */
}

static void choice_is_taken_and_listed(void **state)
{
    (void)state;
    struct app_settings s;
    struct tern_error err;
    FOR_ROWS(row)
    {
        if (row->choices == NULL)
            continue;
        app_settings_init(&s, CMD_PAIR);
        assert_int_not_equal(app_opt_set(row, &s, "dance", &err), 0);
        const char *list = strstr(err.text, "one of ");
        assert_non_null(list);
        list += strlen("one of ");
        for (const char *const *c = row->choices; *c != NULL; c++) {
            assert_int_equal(set(row, *c, &s), 0);
            assert_int_equal(strncmp(list, *c, strlen(*c)), 0);
            list += strlen(*c) + (c[1] != NULL ? strlen(", ") : 0);
        }
        assert_string_equal(list, ""); /* and no other is taken */
    }
}

static void service_of_each_choice_is_known(void **state)
{
    (void)state;
    static struct app_server server;
    struct tern_error err;
    const struct app_opt_row *row = app_opt_find(CMD_SERVE, "app");
    for (const char *const *c = row->choices; *c != NULL; c++)
        assert_int_equal(app_server_init(&server, *c, &err), 0);
}

static void flag_is_said_and_taken_back(void **state)
{
    (void)state;
    struct app_settings s, unsaid;
    FOR_ROWS(row)
    {
        if (!app_opt_is_flag(row) || (row->commands & CMD_PAIR) == 0)
            continue;
        app_settings_init(&unsaid, CMD_PAIR);
        assert_int_equal(set(row, "", &s), 0);
        assert_true(app_settings_has(&s, row->name));
        assert_int_not_equal(*((char *)&s + row->offset), *((char *)&unsaid + row->offset));
        assert_int_equal(set(row, "false", &s), 0);
        assert_false(app_settings_has(&s, row->name));
        assert_int_equal(*((char *)&s + row->offset), *((char *)&unsaid + row->offset));
    }
}

/* ---- where it is shown ---- */

struct page {
    char *text;
    size_t bytes;
};

static void help_page(struct page *p, const struct app_command *c)
{
    struct app_settings s;
    struct tern_error err;
    char name[64], help[] = "--help";
    char *argv[] = {name, help, NULL};
    FILE *const real = stdout;
    snprintf(name, sizeof name, "tern %s", c->name);
    app_settings_init(&s, c->bit);
    stdout = open_memstream(&p->text, &p->bytes);
    const int rc = app_opt_parse(2, argv, &s, &err);
    fclose(stdout);
    stdout = real;
    assert_int_equal(rc, APP_HELP_GIVEN);
}

static void man_page(struct page *p, const struct app_command *c)
{
    FILE *out = open_memstream(&p->text, &p->bytes);
    app_man_print(out, c);
    fclose(out);
}

static void completion_page(struct page *p, const char *shell)
{
    FILE *out = open_memstream(&p->text, &p->bytes);
    assert_true(app_completion_print(out, shell));
    fclose(out);
}

/* Every row of every command, with what must stand in the page about it. */
static void each_row_stands_in(const struct app_command *c, const struct page *p, const char *page,
    void (*mark)(const struct app_command *, const struct app_opt_row *, char *, size_t))
{
    FOR_ROWS(row)
    {
        char wanted[128];
        if ((row->commands & c->bit) == 0)
            continue;
        mark(c, row, wanted, sizeof wanted);
        if (strstr(p->text, wanted) == NULL)
            fail_msg("'%s' is missing from the %s of %s", wanted, page, c->name);
    }
}

static void mark_help(
    const struct app_command *c, const struct app_opt_row *row, char *out, size_t bytes)
{
    (void)c;
    if (row->positional)
        snprintf(out, bytes, "\n%s is ", row->arg);
    else
        snprintf(out, bytes, " --%s%s", row->name, row->arg != NULL ? "=" : "");
}

static void mark_man(
    const struct app_command *c, const struct app_opt_row *row, char *out, size_t bytes)
{
    (void)c;
    if (row->positional)
        snprintf(out, bytes, "\n.Ar %s\nis ", row->arg);
    else
        snprintf(out, bytes, "Fl -%s%s", row->name, row->arg != NULL ? " Ns = Ns Ar " : "\n");
}

static void mark_bash(
    const struct app_command *c, const struct app_opt_row *row, char *out, size_t bytes)
{
    if (row->positional)
        snprintf(out, bytes, "    %s) words=", c->name);
    else if (row->arg != NULL)
        snprintf(out, bytes, "    %s:--%s", c->name, row->name);
    else
        snprintf(out, bytes, " --%s", row->name);
}

static void mark_zsh(
    const struct app_command *c, const struct app_opt_row *row, char *out, size_t bytes)
{
    (void)c;
    if (row->positional)
        snprintf(out, bytes, "'1:%s:", row->arg);
    else
        snprintf(out, bytes, "--%s%s", row->name, row->arg != NULL ? "=" : "");
}

static void mark_fish(
    const struct app_command *c, const struct app_opt_row *row, char *out, size_t bytes)
{
    snprintf(out, bytes, "-a %s ", c->name);
    if (!row->positional)
        snprintf(out, bytes, "__fish_seen_subcommand_from %s' -l %s ", c->name, row->name);
}

static void row_stands_in_help_and_manual(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < app_command_count(); i++) {
        const struct app_command *c = app_command_at(i);
        struct page help, man;
        help_page(&help, c);
        man_page(&man, c);
        for (const char *const *note = c->notes; note != NULL && *note != NULL; note++) {
            char start[32]; /* the rest is broken into lines */
            snprintf(start, sizeof start, "\n%s", *note);
            assert_non_null(strstr(help.text, start));
            assert_non_null(strstr(man.text, start));
        }
        each_row_stands_in(c, &help, "help", mark_help);
        each_row_stands_in(c, &man, "manual", mark_man);
        free(help.text);
        free(man.text);
    }
}

static void row_stands_in_completion(void **state)
{
    (void)state;
    struct page bash, zsh, fish;
    completion_page(&bash, "bash");
    completion_page(&zsh, "zsh");
    completion_page(&fish, "fish");
    for (uint32_t i = 0; i < app_command_count(); i++) {
        const struct app_command *c = app_command_at(i);
        each_row_stands_in(c, &bash, "bash completion", mark_bash);
        each_row_stands_in(c, &zsh, "zsh completion", mark_zsh);
        each_row_stands_in(c, &fish, "fish completion", mark_fish);
    }
    free(bash.text);
    free(zsh.text);
    free(fish.text);
}

static void command_has_an_example(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < app_command_count(); i++) {
        uint32_t n = 0;
        for (uint32_t j = 0; j < app_example_count(); j++)
            n += app_example_at(j)->command == app_command_at(i)->bit;
        assert_in_range(n, 1, 16);
    }
}

/* The next word of a line, as a shell takes it: up to a space, or what stands in single quotes. */
static char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " ");
    const bool is_quoted = *word == '\'';
    word += is_quoted;
    char *end = word + strcspn(word, is_quoted ? "'" : " ");
    *rest = end[0] == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}

/* Those that need a device cannot be run; that they are read can be seen. */
static void example_is_read(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < app_example_count(); i++) {
        const struct app_example *e = app_example_at(i);
        const struct app_command *c = app_command_of(e->command);
        char line[256], name[64], *argv[32] = {name};
        struct app_settings s;
        struct tern_error err;
        int argc = 1;
        snprintf(name, sizeof name, "tern %s", c->name);
        assert_int_equal(strncmp(e->line, name, strlen(name)), 0);
        snprintf(line, sizeof line, "%s", e->line + strlen(name));
        for (char *rest = line; rest[0] != '\0';)
            argv[argc++] = next_word(&rest);
        app_settings_init(&s, c->bit);
        if (app_opt_parse(argc, argv, &s, &err) != 0)
            fail_msg("%s: %s", e->line, err.text);
    }
}

/* ---- names that are nearly right ---- */

static const char *nearest_option(const char *wrong)
{
    struct app_nearest near = app_nearest_to(wrong);
    FOR_ROWS(row)
    app_nearest_try(&near, row->name);
    return near.best != NULL ? near.best : "";
}

static void wrong_name_has_its_nearest(void **state)
{
    (void)state;
    static const struct {
        const char *wrong, *nearest;
    } cases[] = {
        {"raet", "rate"},                /* swapped */
        {"rte", "rate"},                 /* left out */
        {"ratte", "rate"},               /* one more */
        {"durration", "duration"},       /* … in the middle */
        {"timestamps", "no-timestamps"}, /* the one that there is */
        {"syncookies", "syn-cookies"},
        {"neighbor", "neighbour"},
        {"rcvbuf", "rcv-buf"},
        {"scenarios", "scenario"},
        {"rate", "rate"},
        {"pi", "ip"},
        {"zzz", ""},
        {"", ""},
        {"a-name-that-is-longer-than-all-names-there-are", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(nearest_option(cases[i].wrong), cases[i].nearest);
}

/* ---- presets ---- */

static void preset_can_be_said(void **state)
{
    (void)state;
    static const uint32_t commands[] = {CMD_LOAD, CMD_SERVE, CMD_PAIR};
    for (const char *const *name = app_preset_names; *name != NULL; name++) {
        const struct app_preset *p = app_preset_find(*name);
        for (const struct app_preset_option *o = p->options; o->option != NULL; o++)
            assert_non_null(app_opt_find(CMD_ENDS, o->option));
        for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
            static struct app_sayings said;
            struct app_settings s;
            struct tern_error err;
            said.n = 0;
            app_settings_init(&s, commands[i]);
            assert_int_equal(app_preset_say(p, commands[i], &said, &err), 0);
            assert_in_range(said.n, 1, APP_SAYINGS_MAX);
            assert_int_equal(app_sayings_set(&said, &s, &err), 0);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_is_well_formed),
        cmocka_unit_test(row_is_the_only_one_of_its_name_and_letter),
        cmocka_unit_test(number_is_taken_within_its_range_only),
        cmocka_unit_test(default_is_what_nobody_said),
        cmocka_unit_test(choice_is_taken_and_listed),
        cmocka_unit_test(service_of_each_choice_is_known),
        cmocka_unit_test(flag_is_said_and_taken_back),
        cmocka_unit_test(row_stands_in_help_and_manual),
        cmocka_unit_test(row_stands_in_completion),
        cmocka_unit_test(command_has_an_example),
        cmocka_unit_test(example_is_read),
        cmocka_unit_test(wrong_name_has_its_nearest),
        cmocka_unit_test(preset_can_be_said),
    };
    unsetenv("TERN_CONFIG");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
