/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame from top to bottom: summary.c, layers.c, then what is to be said about it, then its
 * bytes. Nothing from the wire is printed as text but in the right column of the dump, where what
 * is not printable is a dot.
 */
#include "print.h"

#include <tern/stats.h>

#include "layers.h"
#include "page.h"
#include "states.h"
#include "summary.h"

#include <ctype.h>
#include <inttypes.h>

enum {
    HEX_COLUMNS = 16,
    PADDING_SHOWN_MAX = 18, /* bytes of it in its line; the dump has all */
};

static void print_padding(struct app_page *p, const struct app_frame *f)
{
    const struct tern_decoded *d = &f->d;
    const uint32_t shown =
        d->padding_bytes < PADDING_SHOWN_MAX ? d->padding_bytes : PADDING_SHOWN_MAX;
    p->layer = f->in.link == TERN_LINK_ETHERNET ? "Ethernet" : "Link";
    if (d->padding_bytes == 0)
        return;
    fprintf(p->out, "%*s%s: Frame Padding = %u bytes, %s:", p->indent, "", p->layer,
        d->padding_bytes, d->padding_is_zero ? "zero" : "not zero");
    app_page_bytes(p, f->in.frame + d->padding_off, shown);
    fputs(shown < d->padding_bytes ? " …\n" : "\n", p->out);
}

bool app_frame_is_unfinished(const struct app_frame *f)
{
    return f->d.drop_is_known && f->d.drop == TERN_DROP_TCP_CSUM
           && f->d.tcp.csum.verdict == TERN_CSUM_UNFINISHED;
}

static void print_verdict(struct app_page *p, const struct app_frame *f)
{
    p->layer = "tern";
    if (!f->d.drop_is_known && f->d.is_cut)
        app_page_line(
            p, "Verdict = unknown: %u of %u bytes were captured", f->in.n_captured, f->in.n_wire);
    else if (app_frame_is_unfinished(f))
        app_page_line(p,
            "Drop = %s: as it is here; not once the sender's NIC has finished the checksum",
            tern_drop_name(f->d.drop));
    else if (f->d.drop_is_known && f->d.drop != TERN_DROP_NONE)
        app_page_line(p, "Drop = %s: %s", tern_drop_name(f->d.drop), tern_drop_text(f->d.drop));
}

/* "A:80 SYN-SENT -> ESTABLISHED: why (RFC …)", or only where it is when it did not move. */
static void print_ending(const struct app_page *p, const struct app_explained *x, uint32_t i)
{
    char text[APP_HOST_TEXT_BYTES];
    const struct app_end *e = &x->flow->ends[i];
    const struct app_ending *end = &x->ends[i];
    const char *host = app_host_name(p->hosts, &e->addr, text);
    const bool brackets = host == text && !tern_addr_is_v4(&e->addr);
    fprintf(p->out, "%*s%s: ", p->indent, "", p->layer);
    fprintf(p->out, brackets ? "[%s]:%u " : "%s:%u ", host, e->port);
    if (end->before != end->after)
        fprintf(p->out, "%s -> ", app_state_name(end->before));
    fputs(app_state_name(end->after), p->out);
    if (end->why != NULL)
        fprintf(p->out, ": %s (%s)", end->why, end->section);
    fputc('\n', p->out);
}

static void print_explained(struct app_page *p, const struct app_explained *x)
{
    if (x == NULL)
        return;
    p->layer = "State";
    app_page_line(p, "connection %" PRIu64, x->flow->number);
    print_ending(p, x, x->from);
    print_ending(p, x, 1 - x->from);
    p->layer = "Note";
    for (uint32_t i = 0; i < x->n_notes; i++)
        app_page_line(p, "%s", x->notes[i].text);
}

static void print_hex(const struct app_page *p, const uint8_t *bytes, uint32_t n)
{
    for (uint32_t at = 0; at < n; at += HEX_COLUMNS) {
        const uint32_t here = n - at < HEX_COLUMNS ? n - at : HEX_COLUMNS;
        fprintf(p->out, "%05X: ", at);
        app_page_bytes(p, bytes + at, here);
        fprintf(p->out, "%*s", 3 * (HEX_COLUMNS - (int)here) + APP_INDENT, "");
        for (uint32_t i = 0; i < here; i++)
            fputc(isascii(bytes[at + i]) && isprint(bytes[at + i]) ? bytes[at + i] : '.', p->out);
        fputc('\n', p->out);
    }
}

void app_print_frame(
    FILE *out, enum app_detail detail, const struct app_hosts *hosts, const struct app_frame *f)
{
    struct app_page p = {.out = out, .hosts = hosts, .layer = "", .indent = APP_INDENT};
    app_summary_print(&p, f);
    if (detail >= APP_DETAIL_FIELDS) {
        app_layers_print(&p, f);
        print_padding(&p, f);
    }
    print_verdict(&p, f);
    print_explained(&p, f->explained);
    if (detail >= APP_DETAIL_HEX)
        print_hex(&p, f->in.frame, f->in.n_captured);
    if (detail >= APP_DETAIL_FIELDS)
        fputc('\n', out);
}
