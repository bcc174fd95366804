/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* --csv FILE: a header, and a row a second, each in the file as soon as its second is over. */
#include "../observer.h"
#include "columns.h"
#include "lines.h"

struct app_csv {
    const char *path;
    struct app_columns columns;
    struct app_lines lines;
};

extern const struct app_observer_ops app_csv_observer; /**< of a struct app_csv with its path */
