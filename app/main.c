/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The `tern` program. This file knows which function runs a subcommand and nothing else; each is
 * one file, cmd_<name>.c, and described in opt/command.c. Reading order: cmd_pair.c, run.c,
 * load/load.c, load/handshake.c, serve/echo.c.
 */
#include "cmd.h"
#include "error.h"
#include "opt/command.h"
#include "opt/completion.h"
#include "opt/man.h"
#include "opt/nearest.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct runner {
    uint32_t command; /**< CMD_* */
    int (*run)(int argc, char **argv);
} runners[] = {
    {CMD_PAIR, app_cmd_pair},
    {CMD_SERVE, app_cmd_serve},
    {CMD_LOAD, app_cmd_load},
    {CMD_DOCTOR, app_cmd_doctor},
    {CMD_EXPLAIN, app_cmd_explain},
    {CMD_COMPARE, app_cmd_compare},
    {CMD_DECODE, app_cmd_decode},
    {CMD_TOP, app_cmd_top},
};
enum { N_RUNNERS = sizeof runners / sizeof runners[0] };

static int print_help(void)
{
    printf("Usage: tern COMMAND [OPTION...]\n\n"
           "A TCP endpoint on DPDK: a load-test server and client with a real TCP.\n\n");
    for (uint32_t i = 0; i < app_command_count(); i++)
        printf("  %-8s %s\n", app_command_at(i)->name, app_command_at(i)->summary);
    printf("  %-8s %s\n", "help", "the options of a command: tern help load");
    printf("\nTry 'tern pair': it needs no root, no hugepages and no network card.\n");
    return APP_EXIT_OK;
}

static int print_version(void)
{
    printf("tern %s (DPDK %s)\n", TERN_VERSION, TERN_DPDK_VERSION);
    return APP_EXIT_OK;
}

static int usage_error(const char *cause, const char *word)
{
    struct tern_error err;
    char known[128] = "";
    struct app_nearest near = app_nearest_to(word);
    for (uint32_t i = 0; i < app_command_count(); i++) {
        const size_t used = strlen(known);
        const char *name = app_command_at(i)->name;
        snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : ", ", name);
        app_nearest_try(&near, name);
    }
    app_refuse(&err, "%s%.60s%s%s; type one of %s, or 'tern --help'", cause, word,
        near.best != NULL ? "; nearest is " : "", near.best != NULL ? near.best : "", known);
    return app_report_error(APP_EXIT_USAGE, &err);
}

/* Run it with the whole name as argv[0], as it stands in usage and errors. */
static int run_command(const struct app_command *c, int argc, char **argv)
{
    char name[32];
    snprintf(name, sizeof name, "tern %s", c->name);
    argv[0] = name;
    for (int i = 0; i < N_RUNNERS; i++)
        if (runners[i].command == c->bit)
            return runners[i].run(argc, argv);
    return usage_error("nothing runs ", c->name);
}

static int help_on(const char *name)
{
    const struct app_command *c = app_command_find(name);
    if (c == NULL)
        return usage_error("no help on an unknown command: ", name);
    char help[] = "--help";
    char *argv[] = {NULL, help, NULL};
    return run_command(c, 2, argv);
}

/* help --man [COMMAND]: NULL is the program as a whole */
static int print_man(const char *name)
{
    const struct app_command *c = name != NULL ? app_command_find(name) : NULL;
    if (name != NULL && c == NULL)
        return usage_error("no manual of an unknown command: ", name);
    app_man_print(stdout, c);
    return APP_EXIT_OK;
}

static int print_completion(const char *shell)
{
    struct tern_error err;
    if (shell != NULL && app_completion_print(stdout, shell))
        return APP_EXIT_OK;
    app_refuse(&err,
        "help --completion: '%.60s' is no shell known here; type one of bash, zsh, fish",
        shell != NULL ? shell : "");
    return app_report_error(APP_EXIT_USAGE, &err);
}

/* help [COMMAND], help --man [COMMAND], help --completion SHELL; argv[0] is "help" */
static int run_help(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;
    if (word == NULL)
        return print_help();
    const bool is_man = strcmp(word, "--man") == 0, is_shell = strcmp(word, "--completion") == 0;
    if (argc > (is_man || is_shell ? 3 : 2))
        return usage_error("too many words after ", word);
    if (is_man)
        return print_man(argv[2]);
    return is_shell ? print_completion(argv[2]) : help_on(word);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return usage_error("a command is missing", "");
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0)
        return argc == 2 ? print_version() : usage_error("too many words after ", word);
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return argc == 2 ? print_help() : usage_error("too many words after ", word);
    if (strcmp(word, "help") == 0)
        return run_help(argc - 1, argv + 1);
    const struct app_command *c = app_command_find(word);
    return c != NULL ? run_command(c, argc - 1, argv + 1) : usage_error("unknown command ", word);
}
