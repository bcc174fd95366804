/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Of the media types only those are known that a page is made of; the listener's type= says
 * others. The system's table (mime.types) was not taken: what is served must not depend on what
 * happens to be installed.
 */
#include "file.h"

#include "../file.h"

#include <stdlib.h>
#include <string.h>

// clang-format off
static const struct {
    const char *ending, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"}, {".css", "text/css; charset=utf-8"}, {".js", "text/javascript"},
    {".json", "application/json"}, {".txt", "text/plain; charset=utf-8"}, {".xml", "application/xml"},
    {".png", "image/png"}, {".jpg", "image/jpeg"}, {".svg", "image/svg+xml"}, {".wasm", "application/wasm"},
};
// clang-format on

static const char *type_of(const char *path)
{
    const char *ending = strrchr(path, '.');
    for (size_t i = 0; ending != NULL && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(ending, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}

int app_served_file_read(
    const char *option, const char *path, struct app_served_file *out, struct tern_error *err)
{
    *out = (struct app_served_file){.type = type_of(path)};
    return app_file_read(option, path, APP_FILE_BYTES_MAX, &out->bytes, &out->n_bytes, err);
}

void app_served_file_free(struct app_served_file *f)
{
    free(f->bytes);
    *f = (struct app_served_file){.bytes = NULL};
}
