/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The areas' tables. To add an area: a rows_*.c, a line here, a line in rows.c. */
#include "row.h"

extern const struct app_opt_rows app_rows_decode, app_rows_pair, app_rows_serve, app_rows_load,
    app_rows_engine, app_rows_address, app_rows_tcp, app_rows_http, app_rows_run, app_rows_config,
    app_rows_output, app_rows_impair, app_rows_top, app_rows_watch, app_rows_capture, app_rows_goal;
