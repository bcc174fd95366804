/* SPDX-License-Identifier: BSD-3-Clause */
#include "http_setup.h"

#include "../file.h"

#include <stdlib.h>

enum { STATIC_EACH_BYTES = 16 << 10 }; /* of a static body, beside its bytes */

void app_http_settings_init(struct app_http_settings *s)
{
    *s = (struct app_http_settings){.pipeline = 1};
    app_expect_init(&s->expect);
}

static int read_body(struct app_http *h, const char *path, struct tern_error *err)
{
    size_t n;
    const int rc =
        app_file_read("--expect-body", path, APP_EXPECT_BODY_BYTES_MAX, &h->body, &n, err);
    if (rc != 0)
        return rc;
    h->expect.body = h->body;
    h->expect.length = (int64_t)n;
    return 0;
}

int app_http_make(struct app_http *h, const struct app_http_settings *s, const struct app_target *t,
    bool ones, bool kept, struct tern_error *err)
{
    *h = (struct app_http){.expect = s->expect};
    int rc = s->expect_body == NULL ? 0 : read_body(h, s->expect_body, err);
    if (rc == 0 && ones)
        rc = app_requests_make(&h->asks[false], &s->request, t, false, err);
    if (rc == 0 && kept)
        rc = app_requests_make(&h->asks[true], &s->request, t, true, err);
    if (rc != 0)
        app_http_free(h);
    return rc;
}

void app_http_free(struct app_http *h)
{
    for (int kept = 0; kept < 2; kept++)
        app_requests_free(&h->asks[kept]);
    free(h->body);
    h->body = NULL;
}

uint64_t app_http_static_bytes(const struct app_http *h)
{
    uint64_t n = 0;
    for (int kept = 0; kept < 2; kept++)
        for (uint32_t i = 0; i < h->asks[kept].n; i++)
            n += h->asks[kept].of[i].n_bytes + STATIC_EACH_BYTES;
    return n;
}
