/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "serve/service.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

/** A server without listeners, where its books want to lie. The caller's to free. */
static inline struct app_server *server_new(void)
{
    struct app_server *s = aligned_alloc(_Alignof(struct app_server), sizeof *s);
    assert_non_null(s);
    return memset(s, 0, sizeof *s);
}
