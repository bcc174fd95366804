/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* A subcommand's line to its settings. */
#include "row.h"

/**
 * Read the line of the command that `s` was made for; argv[0] is "tern NAME". Help is printed on
 * stdout.
 * @return 0, APP_HELP_GIVEN, or -EINVAL with one line in *err
 */
int app_opt_parse(int argc, char **argv, struct app_settings *s, struct tern_error *err);
