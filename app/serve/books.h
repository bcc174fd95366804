/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What each listener of a server did, for people and for programs. */
#include "service.h"

#include <jansson.h>
#include <stdio.h>

/** The lines of the summary. @param n_established  connections of the whole endpoint, which a
 * listener that is alone does not count itself */
void app_server_report(FILE *out, const struct app_server *s, uint64_t n_established);

/** The same as a list of objects. @return a new reference, NULL without memory */
json_t *app_server_json(const struct app_server *s, uint64_t n_established);
