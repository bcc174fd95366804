/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every packet that the filter took ends under one name: written, or dropped for one of three
 * reasons. Lost packets do not make a result invalid: what was measured is as it was.
 */
#include "capture.h"

#include "../error.h"
#include "../opt/settings.h"

#include <inttypes.h>
#include <string.h>

/* The counts by the names that report and JSON share. */
#define COUNTS(X)                                                                                  \
    X(seen, "packets seen")                                                                        \
    X(taken, "taken by the filter")                                                                \
    X(written, "written")                                                                          \
    X(dropped_ring, "dropped, disk too slow")                                                      \
    X(dropped_mbuf, "dropped, no buffer")                                                          \
    X(dropped_disk, "dropped, not writable")

int app_capture_check(const struct app_settings *s, struct tern_error *err)
{
    static const struct tern_capture_config none;
    const struct tern_capture_config *c = s == NULL ? &none : &s->capture;
    const char *said = c->filter != NULL     ? "filter"
                       : c->packets_max != 0 ? "packets"
                       : c->snap_bytes != 0  ? "snap"
                                             : NULL;
    if (c->path != NULL && strcmp(c->path, "-") == 0)
        return app_refuse(
            err, "--capture: '-' is taken by what is printed; type a file's name, FILE.pcapng");
    if (c->path != NULL || said == NULL)
        return 0;
    return app_refuse(
        err, "--capture-%s: nothing is captured; add --capture FILE.pcapng, or leave it out", said);
}

void app_capture_watch(
    const struct tern_engine *e, const struct tern_config *cfg, struct tern_capture_stats *stats)
{
    const bool was_told = stats->disk_errno != 0;
    tern_engine_capture(e, stats);
    if (stats->disk_errno != 0 && !was_told)
        fprintf(stderr,
            "tern: --capture: cannot write to %s: %s; the run goes on, make room and "
            "the capture will too\n",
            cfg->capture.path, strerror(stats->disk_errno));
}

void app_capture_report(
    FILE *out, const struct tern_capture_config *cfg, const struct tern_capture_stats *stats)
{
    fprintf(out, "  capture       %s\n", cfg->path);
#define LINE(name, words)                                                                          \
    if (stats->name != 0)                                                                          \
        fprintf(out, "    %-22s %14" PRIu64 "\n", words, stats->name);
    COUNTS(LINE)
#undef LINE
}

json_t *app_capture_json(
    const struct tern_capture_config *cfg, const struct tern_capture_stats *stats)
{
    json_t *o = json_object();
    json_object_set_new(o, "file", json_string(cfg->path));
    json_object_set_new(o, "filter", cfg->filter == NULL ? json_null() : json_string(cfg->filter));
#define SET(name, words) json_object_set_new(o, #name, json_integer((json_int_t)stats->name));
    COUNTS(SET)
#undef SET
    json_object_set_new(o, "disk_error",
        stats->disk_errno == 0 ? json_null() : json_string(strerror(stats->disk_errno)));
    return o;
}
