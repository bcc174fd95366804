/* SPDX-License-Identifier: BSD-3-Clause */
/* A result that came over an impaired path says so, with what was asked for and what was done. */
#include "result.h"

#include "../result.h"
#include "spec.h"

#include <inttypes.h>

static const char *const dir_names[TERN_IMPAIR_DIRS] = {
    [TERN_IMPAIR_RX] = "rx", [TERN_IMPAIR_TX] = "tx"};

void app_impair_read(struct app_impair_result *r, const struct tern_engine *e,
    const struct tern_config *cfg, uint32_t ep)
{
    for (int dir = 0; dir < TERN_IMPAIR_DIRS; dir++) {
        r->asked[dir] = cfg->endpoints[ep].impair[dir];
        tern_engine_impaired(e, ep, (enum tern_impair_dir)dir, &r->done[dir]);
    }
}

static bool any_is_on(const struct tern_impair asked[TERN_IMPAIR_DIRS])
{
    return tern_impair_is_on(&asked[TERN_IMPAIR_RX]) || tern_impair_is_on(&asked[TERN_IMPAIR_TX]);
}

void app_impair_banner(FILE *out, const struct tern_endpoint_config *ep, int label_chars)
{
    char rx[APP_IMPAIR_TEXT_BYTES], tx[APP_IMPAIR_TEXT_BYTES];
    if (any_is_on(ep->impair))
        fprintf(out, "  %-*srx %s; tx %s; seed %" PRIu64 "\n", label_chars, "impairment",
            app_impair_text(&ep->impair[TERN_IMPAIR_RX], rx),
            app_impair_text(&ep->impair[TERN_IMPAIR_TX], tx), ep->impair[TERN_IMPAIR_RX].seed);
}

/* ---- behind the run ---- */

static void print_count(FILE *out, const char *name, uint64_t n)
{
    if (n != 0)
        fprintf(out, "      %-20s %14" PRIu64 "\n", name, n);
}

static void print_dir(FILE *out, const struct app_end *e, int dir)
{
    char text[APP_IMPAIR_TEXT_BYTES];
    const struct tern_impaired *d = &e->impairment.done[dir];
    if (!tern_impair_is_on(&e->impairment.asked[dir]))
        return;
    fprintf(out, "    %s %s: %s\n", e->name, dir_names[dir],
        app_impair_text(&e->impairment.asked[dir], text));
    print_count(out, "packets", d->packets);
    print_count(out, "delayed", d->delayed);
    print_count(out, "lost", d->lost);
    print_count(out, "lost, queue full", d->queue_full);
    print_count(out, "lost, hold full", d->hold_full);
    print_count(out, "lost, no mbuf", d->no_mbuf);
    print_count(out, "duplicated", d->duplicated);
    print_count(out, "reordered", d->reordered);
    print_count(out, "corrupted", d->corrupted);
    fprintf(out, "      %-20s %14.3f\n", "late at most, ms", (double)d->late_max_ns / 1e6);
}

static bool is_impaired(const struct app_result *r)
{
    bool is = false;
    for (uint32_t e = 0; e < r->n_ends; e++)
        is = is || any_is_on(r->ends[e].impairment.asked);
    return is;
}

void app_impair_report(FILE *out, const struct app_result *r)
{
    if (!is_impaired(r))
        return;
    fprintf(out, "  impairment\n");
    for (uint32_t e = 0; e < r->n_ends; e++)
        for (int dir = 0; dir < TERN_IMPAIR_DIRS; dir++)
            print_dir(out, &r->ends[e], dir);
}

static json_t *dir_json(const struct app_impair_result *r, int dir)
{
    char text[APP_IMPAIR_TEXT_BYTES];
    json_t *o = json_pack("{s:s, s:I}", "asked", app_impair_text(&r->asked[dir], text), "seed",
        (json_int_t)r->asked[dir].seed);
#define SET(name) json_object_set_new(o, #name, json_integer((json_int_t)r->done[dir].name));
    TERN_IMPAIRED_LIST(SET)
#undef SET
    return o;
}

json_t *app_impair_json(const struct app_result *r)
{
    if (!is_impaired(r))
        return NULL;
    json_t *o = json_object();
    for (uint32_t e = 0; e < r->n_ends; e++) {
        const struct app_impair_result *i = &r->ends[e].impairment;
        json_t *end = json_object();
        for (int dir = 0; dir < TERN_IMPAIR_DIRS; dir++)
            if (tern_impair_is_on(&i->asked[dir]))
                json_object_set_new(end, dir_names[dir], dir_json(i, dir));
        json_object_set_new(o, r->ends[e].name, end);
    }
    return o;
}
