/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Scripts that complete commands, options and values in a shell, made from the rows. */
#include <stdbool.h>
#include <stdio.h>

/** @param shell  "bash", "zsh" or "fish". @return false: no such shell, nothing is printed */
bool app_completion_print(FILE *out, const char *shell);
