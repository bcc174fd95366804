/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The scripts hold everything; asking `tern` at every press of the key was rejected, it loads DPDK.
 * A value is completed where its choices are known or it is a file; the rest the user types.
 */
#include "completion.h"

#include "command.h"

#include <string.h>

static bool is_shown(const struct app_opt_row *row, uint32_t command)
{
    return (row->commands & command) != 0 && !row->positional;
}

static bool is_file(const struct app_opt_row *row)
{
    return row->arg != NULL && strcmp(row->arg, "FILE") == 0;
}

/* Every command's name, with spaces between. */
static void print_commands(FILE *out)
{
    for (uint32_t i = 0; i < app_command_count(); i++)
        fprintf(out, "%s ", app_command_at(i)->name);
    fprintf(out, "help");
}

static void print_choices(FILE *out, const char *const *choices)
{
    for (const char *const *c = choices; *c != NULL; c++)
        fprintf(out, "%s%s", c == choices ? "" : " ", *c);
}

/* Between single quotes of a shell; a backslash before what is in `escaped`. */
static void print_quoted(FILE *out, const char *text, const char *escaped)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\'')
            fputs("'\\''", out);
        else if (strchr(escaped, *p) != NULL)
            fprintf(out, "\\%c", *p);
        else
            fputc(*p, out);
    }
}

/* ---- bash ---- */

static void print_bash_option(FILE *out, const struct app_opt_row *row)
{
    if (row->letter != 0)
        fprintf(out, " -%c", row->letter);
    fprintf(out, " --%s", row->name);
}

/* What may follow an option that takes a value. */
static void print_bash_value(FILE *out, const struct app_command *c, const struct app_opt_row *row)
{
    fprintf(out, "    %s:--%s", c->name, row->name);
    if (row->letter != 0)
        fprintf(out, " | %s:-%c", c->name, row->letter);
    if (row->choices != NULL) {
        fprintf(out, ") COMPREPLY=($(compgen -W '");
        print_choices(out, row->choices);
        fprintf(out, "' -- \"$cur\")); return ;;\n");
    } else if (is_file(row))
        fprintf(out, ") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n");
    else
        fprintf(out, ") return ;;\n");
}

static void print_bash_words(FILE *out, const struct app_command *c)
{
    const struct app_opt_row *word = app_opt_positional(c->bit);
    fprintf(out, "    %s) words='", c->name);
    for (uint32_t i = 0; i < app_opt_count(); i++)
        if (is_shown(app_opt_at(i), c->bit))
            print_bash_option(out, app_opt_at(i));
    fprintf(out, "'%s ;;\n", word != NULL && is_file(word) ? "; files=1" : "");
}

static void print_bash(FILE *out)
{
    fprintf(out, "# bash completion for tern; made by 'tern help --completion bash'\n"
                 "_tern()\n{\n"
                 "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
                 "    local command=${COMP_WORDS[1]} words='' files=0\n"
                 "    COMPREPLY=()\n"
                 "    # --option=value comes in as three words\n"
                 "    if [[ $cur == = ]]; then cur=''\n"
                 "    elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
                 "    if ((COMP_CWORD == 1)); then\n"
                 "        COMPREPLY=($(compgen -W '");
    print_commands(out);
    fprintf(out, " --help --version' -- \"$cur\"))\n        return\n    fi\n"
                 "    case $command:$prev in\n");
    for (uint32_t c = 0; c < app_command_count(); c++)
        for (uint32_t i = 0; i < app_opt_count(); i++)
            if (is_shown(app_opt_at(i), app_command_at(c)->bit) && app_opt_at(i)->arg != NULL)
                print_bash_value(out, app_command_at(c), app_opt_at(i));
    fprintf(out, "    help:--completion) COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$cur\")); "
                 "return ;;\n    esac\n    case $command in\n");
    for (uint32_t c = 0; c < app_command_count(); c++)
        print_bash_words(out, app_command_at(c));
    fprintf(out, "    help) words='--man --completion ");
    print_commands(out);
    fprintf(out, "' ;;\n    esac\n"
                 "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                 "    if ((files)) && [[ $cur != -* ]]; then COMPREPLY=($(compgen -f -- "
                 "\"$cur\")); fi\n"
                 "}\ncomplete -F _tern tern\n");
}

/* ---- zsh ---- */

static const char zsh_special[] = "[]:\\";

static void print_zsh_option(FILE *out, const struct app_opt_row *row)
{
    fprintf(out, " \\\n            '");
    if (row->letter != 0)
        fprintf(out, "(-%c --%s)'{-%c%s,--%s%s}'", row->letter, row->name, row->letter,
            row->arg != NULL ? "+" : "", row->name, row->arg != NULL ? "=" : "");
    else
        fprintf(out, "%s--%s%s", row->many ? "*" : "", row->name, row->arg != NULL ? "=" : "");
    fputc('[', out);
    print_quoted(out, row->help, zsh_special);
    fputc(']', out);
    if (row->arg != NULL) {
        fputc(':', out);
        print_quoted(out, row->arg, zsh_special);
        fputc(':', out);
    }
    if (row->choices != NULL) {
        fputc('(', out);
        print_choices(out, row->choices);
        fputc(')', out);
    } else if (is_file(row))
        fputs("_files", out);
    fputc('\'', out);
}

static void print_zsh_command(FILE *out, const struct app_command *c)
{
    const struct app_opt_row *word = app_opt_positional(c->bit);
    fprintf(out, "    %s)\n        _arguments", c->name);
    for (uint32_t i = 0; i < app_opt_count(); i++)
        if (is_shown(app_opt_at(i), c->bit))
            print_zsh_option(out, app_opt_at(i));
    if (word != NULL)
        fprintf(out, " \\\n            '1:%s:%s'", word->arg, is_file(word) ? "_files" : "");
    fprintf(out, "\n        ;;\n");
}

static void print_zsh(FILE *out)
{
    fprintf(out, "#compdef tern\n# made by 'tern help --completion zsh'\n"
                 "local state line\n"
                 "_arguments '1:command:(");
    print_commands(out);
    fprintf(out, ")' '*::option:->options'\n[[ $state == options ]] || return\n"
                 "case $line[1] in\n");
    for (uint32_t c = 0; c < app_command_count(); c++)
        print_zsh_command(out, app_command_at(c));
    fprintf(out, "    help)\n        _arguments '--man[manual page in mdoc]' "
                 "'--completion[script for a shell]:shell:(bash zsh fish)' '1:command:(");
    print_commands(out);
    fprintf(out, ")'\n        ;;\nesac\n");
}

/* ---- fish ---- */

static void print_fish_option(FILE *out, const struct app_command *c, const struct app_opt_row *row)
{
    fprintf(out, "complete -c tern -n '__fish_seen_subcommand_from %s' -l %s", c->name, row->name);
    if (row->letter != 0)
        fprintf(out, " -s %c", row->letter);
    if (row->choices != NULL) {
        fprintf(out, " -x -a '");
        print_choices(out, row->choices);
        fputc('\'', out);
    } else if (row->arg != NULL)
        fprintf(out, is_file(row) ? " -r -F" : " -x");
    fprintf(out, " -d '");
    print_quoted(out, row->help, "\\");
    fprintf(out, "'\n");
}

static void print_fish(FILE *out)
{
    fprintf(out, "# made by 'tern help --completion fish'\ncomplete -c tern -f\n");
    for (uint32_t c = 0; c < app_command_count(); c++) {
        fprintf(
            out, "complete -c tern -n __fish_use_subcommand -a %s -d '", app_command_at(c)->name);
        print_quoted(out, app_command_at(c)->summary, "\\");
        fprintf(out, "'\n");
    }
    fprintf(out, "complete -c tern -n __fish_use_subcommand -a help -d 'the options of a "
                 "command'\n"
                 "complete -c tern -n '__fish_seen_subcommand_from help' -a '");
    print_commands(out);
    fprintf(out, "'\n");
    for (uint32_t c = 0; c < app_command_count(); c++) {
        const struct app_opt_row *word = app_opt_positional(app_command_at(c)->bit);
        for (uint32_t i = 0; i < app_opt_count(); i++)
            if (is_shown(app_opt_at(i), app_command_at(c)->bit))
                print_fish_option(out, app_command_at(c), app_opt_at(i));
        if (word != NULL && is_file(word))
            fprintf(out, "complete -c tern -n '__fish_seen_subcommand_from %s' -F\n",
                app_command_at(c)->name);
    }
}

bool app_completion_print(FILE *out, const char *shell)
{
    static const struct {
        const char *name;
        void (*print)(FILE *);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++)
        if (strcmp(shells[i].name, shell) == 0) {
            shells[i].print(out);
            return true;
        }
    return false;
}
