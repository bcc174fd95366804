/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The benchmarks of RFC 9411 (section 7.2: connections per second, 7.3: throughput, 7.4:
 * transaction latency, 7.5: concurrent connections), as far as options say them: kind of load, size
 * of the object, and the 300 seconds for which the load is to be held (§4.3.4). The rate or the
 * number to hold is what is being looked for, and stays with the user.
 */
#include "preset.h"

#include <assert.h>
#include <string.h>

const char *const app_preset_names[] = {
    "rfc9411-cps", "rfc9411-conns", "rfc9411-throughput", "rfc9411-latency", NULL};

// clang-format off
static const struct app_preset presets[] = {
    {"rfc9411-cps", "connections per second (RFC 9411 section 7.2): a request of 1 KB on a connection of its own",
        (const struct app_preset_option[]){
            {"scenario", "http"}, {"app", "http"}, {"body-bytes", "1024"}, {"duration", "300s"}, {NULL, NULL}}},
    {"rfc9411-conns", "concurrent connections (RFC 9411 section 7.5): opened, and held",
        (const struct app_preset_option[]){
            {"scenario", "hold"}, {"app", "echo"}, {"conns", "100k"}, {"duration", "300s"}, {NULL, NULL}}},
    {"rfc9411-throughput", "throughput (RFC 9411 section 7.3): objects of 256 KB",
        (const struct app_preset_option[]){
            {"scenario", "http"}, {"app", "http"}, {"body-bytes", "256Ki"}, {"conns", "64"}, {"duration", "300s"}, {NULL, NULL}}},
    {"rfc9411-latency", "transaction latency (RFC 9411 section 7.4): objects of 1 KB; add --rate, half of what rfc9411-cps reached",
        (const struct app_preset_option[]){
            {"scenario", "http"}, {"app", "http"}, {"body-bytes", "1024"}, {"duration", "300s"}, {NULL, NULL}}},
};
// clang-format on

const struct app_preset *app_preset_find(const char *name)
{
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++)
        if (strcmp(presets[i].name, name) == 0)
            return &presets[i];
    assert(false && "a preset that is in the list of names only");
    return NULL;
}

int app_preset_say(
    const struct app_preset *p, uint32_t command, struct app_sayings *said, struct tern_error *err)
{
    int rc = 0;
    for (const struct app_preset_option *o = p->options; rc == 0 && o->option != NULL; o++) {
        const struct app_opt_row *row = app_opt_find(command, o->option);
        if (row != NULL)
            rc = app_sayings_add(said,
                &(struct app_saying){
                    .row = row, .text = o->value, .rank = APP_RANK_PRESET, .where = p->name},
                err);
    }
    return rc;
}
