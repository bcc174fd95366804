/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tern decode: a capture file on paper. libpcap reads and filters, tern_decode() takes a frame
 * apart, explain.c follows the connections, print.c writes. Reading order: this, decode/capture.h,
 * tern/decode.h, decode/explain.c.
 */
#include "cmd.h"
#include "decode/capture.h"
#include "decode/explain.h"
#include "decode/names.h"
#include "decode/print.h"
#include "error.h"
#include "opt/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Before this, a file's clock is no wall clock: it began with the capture. A day of 1970. */
#define OWN_CLOCK_NS (UINT64_C(86400) * 1000000000)

/* ---- the run ---- */

struct run {
    const struct app_decode_settings *s;
    struct app_capture capture;
    struct app_flows *flows; /* NULL: nothing is explained */
    uint64_t shown, dropped, unfinished, cut;
    uint64_t first_ns, previous_ns;
};

static int64_t shown_time(const struct run *r, uint64_t at_ns)
{
    switch ((enum app_time_base)r->s->time) {
    case APP_TIME_EPOCH: return (int64_t)at_ns;
    case APP_TIME_DELTA: return (int64_t)(at_ns - r->previous_ns);
    case APP_TIME_AUTO:
        if (r->first_ns < OWN_CLOCK_NS)
            return (int64_t)at_ns;
        break;
    case APP_TIME_FIRST: break;
    }
    return (int64_t)(at_ns - r->first_ns);
}

static void show(struct run *r, const struct app_captured *c)
{
    struct app_explained explained;
    struct app_frame f = {.number = c->number, .in = c->in};
    if (r->shown == 0)
        r->first_ns = r->previous_ns = c->at_ns;
    f.at_ns = shown_time(r, c->at_ns);
    tern_decode(&c->in, &f.d);
    if (r->flows != NULL && f.d.transport == TERN_TRANSPORT_TCP) {
        app_explain(r->flows, &f.d, &explained);
        f.explained = &explained;
    }
    app_print_frame(stdout, (enum app_detail)r->s->detail, &r->s->hosts, &f);
    r->previous_ns = c->at_ns;
    r->shown++;
    r->cut += f.d.is_cut;
    r->unfinished += app_frame_is_unfinished(&f);
    r->dropped += f.d.drop_is_known && f.d.drop != TERN_DROP_NONE;
}

static void print_totals(const struct run *r)
{
    printf("%" PRIu64 " of %" PRIu64 " frames shown, %" PRIu64 " that tern would drop, %" PRIu64
           " captured in part",
        r->shown, r->capture.n_read, r->dropped - r->unfinished, r->cut);
    if (r->unfinished > 0)
        printf(", %" PRIu64 " with a checksum left to the sender's NIC", r->unfinished);
    if (r->flows != NULL)
        printf(", %" PRIu64 " connections", app_flows_seen(r->flows));
    if (r->flows != NULL && app_flows_forgotten(r->flows) > 0)
        printf(" (%" PRIu64 " of them forgotten: more than %d at once)",
            app_flows_forgotten(r->flows), APP_FLOWS_MAX);
    putchar('\n');
}

/* @return 0, or -EINVAL with one line in *err: the file is damaged, or stdout is full */
static int show_all(struct run *r, struct tern_error *err)
{
    struct app_captured c;
    int rc = 0;
    while ((r->s->packets_max == 0 || r->shown < r->s->packets_max) && !ferror(stdout)
           && (rc = app_capture_next(&r->capture, &c, err)) == 1)
        show(r, &c);
    print_totals(r);
    if (fflush(stdout) != 0 || ferror(stdout))
        return app_refuse(
            err, "decode: cannot write: %s; send the output elsewhere", strerror(errno));
    return rc < 0 ? rc : 0;
}

static enum app_exit decode(const struct app_decode_settings *s, struct tern_error *err)
{
    struct run r = {.s = s};
    enum app_exit status = APP_EXIT_OK;
    if (app_capture_open(&r.capture, s->path, s->filter, err) != 0)
        return (enum app_exit)app_report_error(APP_EXIT_USAGE, err);
    if (s->explain && (r.flows = app_flows_new(APP_FLOWS_MAX)) == NULL) {
        app_refuse(err, "decode: no memory for the connections; leave --explain out");
        status = (enum app_exit)app_report_error(APP_EXIT_RUN, err);
    } else if (show_all(&r, err) != 0) {
        status = (enum app_exit)app_report_error(APP_EXIT_RUN, err);
    }
    app_flows_free(r.flows);
    app_capture_close(&r.capture);
    return status;
}

int app_cmd_decode(int argc, char **argv)
{
    struct tern_error err;
    struct app_settings s;
    app_settings_init(&s, CMD_DECODE);
    int rc = app_opt_parse(argc, argv, &s, &err);
    if (rc == APP_HELP_GIVEN)
        return APP_EXIT_OK;
    if (rc == 0 && s.decode.path == NULL)
        rc = app_refuse(
            &err, "decode: a file is missing; type 'tern decode FILE', or '-' for stdin");
    return rc == 0 ? (int)decode(&s.decode, &err) : app_report_error(APP_EXIT_USAGE, &err);
}
