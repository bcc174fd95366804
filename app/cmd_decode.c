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
#include "options.h"
#include "value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum option_key {
    OPT_HELP = 'h',
    OPT_EXPLAIN = 0x100,
    OPT_DETAIL,
    OPT_FILTER,
    OPT_PACKETS,
    OPT_TIME,
    OPT_NAME,
};

/* Where the time of a frame counts from. */
enum time_base { TIME_AUTO, TIME_FIRST, TIME_DELTA, TIME_EPOCH, TIME_COUNT };
static const char *const time_names[TIME_COUNT] = {"auto", "first", "delta", "epoch"};
static const char *const detail_names[] = {"summary", "fields", "hex"};

/* Before this, a file's clock is no wall clock: it began with the capture. A day of 1970. */
#define OWN_CLOCK_NS (UINT64_C(86400) * 1000000000)

struct settings {
    const char *path, *filter;
    bool explain;
    uint32_t detail, time;
    uint64_t packets_max;
    struct app_hosts hosts;
    struct tern_error *err;
};

// clang-format off
static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "What is shown:", 10},
    {"explain", OPT_EXPLAIN, NULL, 0, "the state that both ends of the connection are in after each segment, what the segment is besides, and the RFC section that says so", 0},
    {"detail", OPT_DETAIL, "LEVEL", 0, "summary: a line a frame; fields: also a line a field; hex: also the bytes (default hex)", 0},
    {"time", OPT_TIME, "BASE", 0, "first: seconds since the first frame shown; delta: since the one before; epoch: since 1970; auto: first, or as in the file when its clock began with the capture (default auto)", 0},
    {"name", OPT_NAME, "IP=NAME", 0, "what to call a host; again for more", 0},
    {NULL, 0, NULL, 0, "Which frames:", 20},
    {"filter", OPT_FILTER, "EXPR", 0, "only frames that pass this expression of pcap-filter(7)", 0},
    {"packets", OPT_PACKETS, "N", 0, "end after N frames (default: all)", 0},
    {"help", OPT_HELP, NULL, 0, "this text", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static const char doc[] =
    "Print the frames of a capture, pcap or pcapng, field by field; '-' reads stdin. Link types: Ethernet, raw IP and Linux "
    "cooked (SLL, SLL2); 802.1Q, IPv4, IPv6 with extension headers, ARP, ICMP, TCP with its options."
    "\v"
    "A frame's lines are: a summary; its fields, layer by layer, with a line a control bit and a line for what is wrong (a "
    "checksum, an option's length, padding that is not zero); 'Drop' with the reason when tern's own parser would refuse "
    "it, its MAC and VLAN taken to be ours; with --explain 'State' for either end and 'Note'; the bytes.\n"
    "\n"
    "In the summary the letters U A P R S F are the control bits, behind C E where ECN is spoken; 'len' and 'seq' count the "
    "option bytes of a SYN, and of any other segment its payload.\n"
    "\n"
    "What --explain says is inferred from what was captured, and every segment is taken to arrive. A connection whose SYN "
    "is not in the file is taken to be established.\n"
    "\n"
    "A checksum is 'unfinished' where the capture was made on the sending host and its NIC does the rest.\n"
    "\n"
    "Examples:\n"
    "  tern decode trace.pcap\n"
    "  tern decode trace.pcapng --detail summary --explain\n"
    "  tern decode trace.pcap --filter 'tcp port 80' --packets 20\n"
    "  tern decode t.pcap --filter 'tcp[tcpflags] & tcp-rst != 0' --time epoch\n"
    "  tern decode t.pcap --name 198.18.0.1=client --name 198.18.0.2=server\n"
    "  tshark -i eth0 -w - | tern decode - --detail summary\n"
    "\n"
    "Exits with 0; with 1 when the file cannot be read to its end; with 2 when nothing could be read.";
// clang-format on

static error_t give_help(struct argp_state *state)
{
    argp_state_help(state, stdout,
        ARGP_HELP_SHORT_USAGE | ARGP_HELP_PRE_DOC | ARGP_HELP_LONG | ARGP_HELP_POST_DOC);
    return ECANCELED;
}

static error_t take_path(struct settings *s, const char *path)
{
    if (s->path != NULL)
        return app_refuse(s->err,
            "decode: '%.60s' is one file too many; type 'tern decode FILE', once for each", path);
    s->path = path;
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    enum { N_DETAILS = sizeof detail_names / sizeof detail_names[0] };
    struct settings *s = state->input;
    switch (key) {
    case OPT_HELP: return give_help(state);
    case OPT_EXPLAIN: s->explain = true; return 0;
    case OPT_DETAIL:
        return app_value_choice("--detail", arg, detail_names, N_DETAILS, &s->detail, s->err);
    case OPT_TIME: return app_value_choice("--time", arg, time_names, TIME_COUNT, &s->time, s->err);
    case OPT_NAME: return app_hosts_add(&s->hosts, arg, s->err);
    case OPT_FILTER: s->filter = arg; return 0;
    case OPT_PACKETS:
        return app_value_u64("--packets", arg, 1, UINT64_MAX, &s->packets_max, s->err);
    case ARGP_KEY_ARG: return take_path(s, arg);
    case ARGP_KEY_END:
        return s->path != NULL ? 0
                               : app_refuse(s->err, "decode: a file is missing; type 'tern decode "
                                                    "FILE', or '-' for stdin");
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp decode_argp = {
    .options = options, .parser = parse, .args_doc = "FILE", .doc = doc};

/* ---- the run ---- */

struct run {
    const struct settings *s;
    struct app_capture capture;
    struct app_flows *flows; /* NULL: nothing is explained */
    uint64_t shown, dropped, unfinished, cut;
    uint64_t first_ns, previous_ns;
};

static int64_t shown_time(const struct run *r, uint64_t at_ns)
{
    switch ((enum time_base)r->s->time) {
    case TIME_EPOCH: return (int64_t)at_ns;
    case TIME_DELTA: return (int64_t)(at_ns - r->previous_ns);
    case TIME_AUTO:
        if (r->first_ns < OWN_CLOCK_NS)
            return (int64_t)at_ns;
        break;
    case TIME_FIRST:
    case TIME_COUNT: break;
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
    app_print_frame(stdout, r->s->detail, &r->s->hosts, &f);
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

static enum app_exit decode(const struct settings *s)
{
    struct run r = {.s = s};
    enum app_exit status = APP_EXIT_OK;
    if (app_capture_open(&r.capture, s->path, s->filter, s->err) != 0)
        return (enum app_exit)app_report_error(APP_EXIT_USAGE, s->err);
    if (s->explain && (r.flows = app_flows_new(APP_FLOWS_MAX)) == NULL) {
        app_refuse(s->err, "decode: no memory for the connections; leave --explain out");
        status = (enum app_exit)app_report_error(APP_EXIT_RUN, s->err);
    } else if (show_all(&r, s->err) != 0) {
        status = (enum app_exit)app_report_error(APP_EXIT_RUN, s->err);
    }
    app_flows_free(r.flows);
    app_capture_close(&r.capture);
    return status;
}

int app_cmd_decode(int argc, char **argv)
{
    struct tern_error err;
    struct settings s = {.detail = APP_DETAIL_HEX, .err = &err};
    switch (app_options_parse(&decode_argp, argc, argv, &s, &err)) {
    case 0: return (int)decode(&s);
    case APP_HELP_GIVEN: return APP_EXIT_OK;
    default: return app_report_error(APP_EXIT_USAGE, &err);
    }
}
