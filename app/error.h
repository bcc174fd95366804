/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What the user sees when something is wrong: always one line on stderr, "tern: cause, evidence;
 * what to type next", and an exit status that tells a wrong command from a failed run.
 *
 * In this program `app_` takes the place of the library's `tern_`, so that every call shows on
 * which side of the public interface it lives.
 */
#include <tern/config.h>

#include <stdio.h>

enum app_exit {
    APP_EXIT_OK = 0,
    APP_EXIT_RUN = 1, /**< the run failed: books, leaks, a device that broke */
    APP_EXIT_USAGE =
        2, /**< nothing has started: the line, the configuration, or what it asks of the machine */
    APP_EXIT_SLO = 3,     /**< a goal was missed */
    APP_EXIT_INVALID = 4, /**< a goal was given, and the result is not valid */
};

/** What app_opt_parse() answers after it printed help: nothing more is to be done. */
enum { APP_HELP_GIVEN = 1 };

/** Write one line into *err. @return -EINVAL, always */
__attribute__((format(printf, 2, 3))) int app_refuse(
    struct tern_error *err, const char *format, ...);

/** Print what somebody typed, its control characters as '?'. */
void app_print_plain(FILE *out, const char *text);

/** Print *err as one line on stderr. @return `status` */
int app_report_error(enum app_exit status, const struct tern_error *err);
