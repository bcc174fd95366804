/* SPDX-License-Identifier: BSD-3-Clause */
/* tern compare: two results that --json wrote, side by side, as text and as a page. */
#include "cmd.h"
#include "error.h"
#include "opt/parse.h"
#include "output/compare.h"
#include "output/html.h"

static int check(const struct app_settings *s, struct tern_error *err)
{
    if (s->n_compared == 2)
        return 0;
    return app_refuse(err,
        "compare: two results are compared, here %s; type 'tern compare A.json "
        "B.json'",
        s->n_compared == 0 ? "are none" : "is one");
}

static int write_page(const struct app_settings *s, const struct app_comparison *c,
    struct app_result_file *file, struct tern_error *err)
{
    return s->html == NULL ? 0 : app_html_write(file, app_compare_json(c), err);
}

static enum app_exit compare(const struct app_settings *s, struct app_kept kept[2],
    struct app_result_file *page, struct tern_error *err)
{
    struct app_comparison c;
    app_compare(&kept[0], &kept[1], &c);
    app_compare_print(stdout, &c);
    const int rc = write_page(s, &c, page, err);
    app_compare_free(&c);
    return rc == 0 ? APP_EXIT_OK : APP_EXIT_RUN;
}

int app_cmd_compare(int argc, char **argv)
{
    struct tern_error err = {.text = ""};
    struct app_settings s;
    struct app_kept kept[2] = {0};
    struct app_result_file page = {.out = NULL};
    enum app_exit status = APP_EXIT_USAGE;
    app_settings_init(&s, CMD_COMPARE);
    int rc = app_opt_parse(argc, argv, &s, &err);
    if (rc == APP_HELP_GIVEN)
        return APP_EXIT_OK;
    if (rc == 0)
        rc = check(&s, &err);
    for (int i = 0; rc == 0 && i < 2; i++)
        rc = app_kept_read(&kept[i], s.compared[i], &err);
    if (rc == 0 && s.html != NULL)
        rc = app_html_open(&page, s.html, &err);
    if (rc == 0)
        status = compare(&s, kept, &page, &err);
    app_kept_free(&kept[0]);
    app_kept_free(&kept[1]);
    return status == APP_EXIT_OK ? (int)status : app_report_error(status, &err);
}
