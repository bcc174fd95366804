/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What all runs together have seen, for a person and as JSON. */
#include "sim.h"

void report_add(struct totals *sum, const struct totals *add);
void report_print(const struct totals *t, double seconds);
/** @return false: the file could not be written, and that was said */
bool report_write_json(const struct totals *t, double seconds, const char *path);
