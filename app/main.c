/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The `tern` program. This file knows the names of the subcommands and nothing else; each is one
 * file, cmd_<name>.c. Reading order: cmd_pair.c, run.c, load/load.c, load/handshake.c,
 * serve/echo.c.
 */
#include "cmd.h"
#include "error.h"

#include <stdio.h>
#include <string.h>

static const struct command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"pair", "both ends in one process, joined in memory: handshakes a second, no device needed",
        app_cmd_pair},
    {"serve", "answer on a device: http, echo, discard, chargen or stream", app_cmd_serve},
    {"load", "open connections to a server and count what becomes of each", app_cmd_load},
    {"doctor", "what this machine can do, and the command that mends what it cannot",
        app_cmd_doctor},
    {"decode", "print a capture file field by field, and what each segment does", app_cmd_decode},
};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static int print_help(void)
{
    printf("Usage: tern COMMAND [OPTION...]\n\n"
           "A TCP endpoint on DPDK: a load-test server and client with a real TCP.\n\n");
    for (int i = 0; i < N_COMMANDS; i++)
        printf("  %-8s %s\n", commands[i].name, commands[i].summary);
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
    char known[64] = "";
    for (int i = 0; i < N_COMMANDS; i++) {
        strcat(known, i == 0 ? "" : ", ");
        strcat(known, commands[i].name);
    }
    app_refuse(&err, "%s%.60s; type one of %s, or 'tern --help'", cause, word, known);
    return app_report_error(APP_EXIT_USAGE, &err);
}

/* Run it with the whole name as argv[0], as it stands in usage and errors. */
static int run_command(const struct command *c, int argc, char **argv)
{
    char name[32];
    snprintf(name, sizeof name, "tern %s", c->name);
    argv[0] = name;
    return c->run(argc, argv);
}

static const struct command *find_command(const char *name)
{
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

static int help_on(const char *name)
{
    const struct command *c = find_command(name);
    if (c == NULL)
        return usage_error("no help on an unknown command: ", name);
    char help[] = "--help";
    char *argv[] = {NULL, help, NULL};
    return run_command(c, 2, argv);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return usage_error("a command is missing", "");
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0)
        return argc == 2 ? print_version() : usage_error("too many words after ", word);
    if (strcmp(word, "help") == 0 && argc == 3)
        return help_on(argv[2]);
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
        return argc == 2 ? print_help() : usage_error("too many words after ", word);
    const struct command *c = find_command(word);
    return c != NULL ? run_command(c, argc - 1, argv + 1) : usage_error("unknown command ", word);
}
