/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Carrying out a script against an endpoint in virtual time. */
#include "script.h"

#include <stdio.h>

/**
 * Run a script that has been read.
 *
 * @param log  gets the time-line, and at its end the first difference if there is one
 * @return     true: everything came as the script says
 */
bool run_script(const struct script *s, FILE *log);
