/* SPDX-License-Identifier: BSD-3-Clause */
#include "fail.h"

const char *app_fail_name(enum app_fail why)
{
#define NAME(name, json) json,
    static const char *const names[] = {APP_FAIL_LIST(NAME)};
#undef NAME
    return names[why];
}
