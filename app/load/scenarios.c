/* SPDX-License-Identifier: BSD-3-Clause */
#include "../value.h"
#include "load.h"

int app_scenario_find(
    const char *option, const char *name, const struct app_scenario **out, struct tern_error *err)
{
    static const struct app_scenario *const all[] = {&app_scenario_handshake, &app_scenario_http,
        &app_scenario_http_keepalive, &app_scenario_echo, &app_scenario_stream, &app_scenario_hold,
        &app_scenario_churn};
    const char *names[sizeof all / sizeof all[0]];
    const size_t n = sizeof all / sizeof all[0];
    for (size_t i = 0; i < n; i++)
        names[i] = all[i]->name;
    uint32_t at;
    const int rc = app_value_choice(option, name, names, n, &at, err);
    if (rc == 0)
        *out = all[at];
    return rc;
}
