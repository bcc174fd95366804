/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The page is made when tern is built (page/); a run adds its JSON. Longer runs than can be seen on
 * a screen are thinned, so that the page stays one that a phone opens.
 */
#include "html.h"

#include "../error.h"
#include "json_text.h"
#include "page.h"
#include "series_json.h"
#include "thin.h"

#include <errno.h>

enum { ROWS_MAX = 3600 };

int app_html_open(struct app_result_file *f, const char *path, struct tern_error *err)
{
    if (app_page_head_bytes == 0)
        return app_refuse(err,
            "--html: this tern was built without its page, as npm could not fetch uPlot; build "
            "with -Dhtml=enabled");
    return app_result_file_open(f, "--html", path, err);
}

static int write_page(FILE *out, json_t *data)
{
    json_object_set_new(data, "licence", json_string((const char *)app_page_licence));
    if (fwrite(app_page_head, 1, app_page_head_bytes, out) != app_page_head_bytes)
        return -1;
    if (app_json_write_embedded(out, data) != 0)
        return -1;
    return fwrite(app_page_tail, 1, app_page_tail_bytes, out) == app_page_tail_bytes ? 0 : -1;
}

int app_html_write(struct app_result_file *f, json_t *data, struct tern_error *err)
{
    const int rc = data == NULL ? -1 : write_page(f->out, data);
    json_decref(data);
    if (rc == 0 || ferror(f->out) != 0)
        return app_result_file_commit(f, err);
    app_refuse(err, "--html: out of memory; the result is above");
    app_result_file_abandon(f);
    return -EIO;
}

/* ---- of a run ---- */

static int begin(void *self, const struct app_run *run, struct tern_error *err)
{
    struct app_html *html = self;
    (void)run;
    return app_html_open(&html->file, html->path, err);
}

static json_t *result_thinned(const struct app_result *r)
{
    struct app_series few;
    json_t *o = app_result_json(r);
    if (o == NULL || app_series_thin(&r->series, ROWS_MAX, &few) != 0)
        return o;
    json_object_set_new(o, "series", app_series_json(r, &few));
    app_series_free(&few);
    return o;
}

static int end(void *self, const struct app_result *r, struct tern_error *err)
{
    struct app_html *html = self;
    return app_html_write(&html->file,
        json_pack("{s:[{s:s, s:o}]}", "runs", "name", r->command, "result", result_thinned(r)),
        err);
}

static void close_html(void *self)
{
    struct app_html *html = self;
    app_result_file_abandon(&html->file);
}

const struct app_observer_ops app_html_observer = {
    .name = "html",
    .begin = begin,
    .end = end,
    .close = close_html,
};
