/* SPDX-License-Identifier: BSD-3-Clause */
#include "output.h"

#include "error.h"
#include "output/json_text.h"

#include <errno.h>
#include <string.h>

int app_output_open(struct app_output *o, const char *path, struct tern_error *err)
{
    *o = (struct app_output){.human = stdout};
    if (path == NULL)
        return 0;
    if (strcmp(path, "-") != 0)
        return app_result_file_open(&o->json, "--json", path, err);
    o->human = stderr;
    o->to_stdout = true;
    return 0;
}

static int write_stdout(json_t *root, struct tern_error *err)
{
    errno = 0;
    if (app_json_write(stdout, root) == 0 && fflush(stdout) == 0)
        return 0;
    app_refuse(err, "--json: cannot write to stdout: %s; the result is above",
        strerror(errno != 0 ? errno : EIO));
    return -EIO;
}

int app_output_write(struct app_output *o, json_t *root, struct tern_error *err)
{
    if (o->to_stdout)
        return write_stdout(root, err);
    if (o->json.out == NULL)
        return 0;
    if (app_json_write(o->json.out, root) == 0 || ferror(o->json.out) != 0)
        return app_result_file_commit(&o->json, err);
    app_refuse(err, "--json: out of memory; the result is above");
    app_output_abandon(o);
    return -EIO;
}

void app_output_abandon(struct app_output *o)
{
    app_result_file_abandon(&o->json);
}
