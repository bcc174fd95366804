/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Manual pages in mdoc(7), made from the rows. */
#include "command.h"

#include <stdio.h>

/** tern-COMMAND(1); NULL: tern(1), the program as a whole */
void app_man_print(FILE *out, const struct app_command *command);
