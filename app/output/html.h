/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* --html FILE: the result as one page that needs nothing but a browser. */
#include "../observer.h"
#include "file.h"

struct app_html {
    const char *path;
    struct app_result_file file;
};

extern const struct app_observer_ops app_html_observer; /**< of a struct app_html with its path */

/** Open the file, if this build has the page at all. @return 0, or -EINVAL with one line in *err */
int app_html_open(struct app_result_file *f, const char *path, struct tern_error *err);

/**
 * Write the page and give the file its name.
 * @param data  {"runs": [{"name", "result"}, …], …}; taken over, also on an error
 * @return 0, or -EIO with one line in *err
 */
int app_html_write(struct app_result_file *f, json_t *data, struct tern_error *err);
