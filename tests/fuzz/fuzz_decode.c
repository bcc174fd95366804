/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tern_decode() on frames of every link type, whole and cut, and what `tern decode` makes of them:
 * its account of the connections and its text. The input is a list of frames,
 *
 *   byte 0     link type in the low two bits; 0x80: cut
 *   byte 1..2  how long the frame was on the wire, beyond what is here, when it is cut
 *   byte 3..4  bytes of the frame
 *   …          the frame
 *
 * Each is decoded from a block of its exact size. What the receive path's parser takes, it must
 * read in the same way. All text goes to a stream in memory: no control character may be in it.
 */
#include "../../app/decode/explain.h"
#include "../../app/decode/print.h"
#include "../../app/decode/states.h"
#include "../decode/agree.h"
#include "fuzz.h"

#include <stdio.h>

enum { FLOWS_MAX = 4, FRAMES_MAX = 64, FRAME_BYTES_MAX = 2048, TEXT_BYTES = 1 << 20 };

static void check_parser(const struct tern_decode_input *in, const struct tern_decoded *d)
{
    const struct tern_pkt_input whole = {
        .frame = in->frame,
        .n_contiguous = in->n_captured,
        .n_total = in->n_captured,
        .mac = in->frame,
    };
    struct tern_pkt p;
    if (d->is_cut || in->link != TERN_LINK_ETHERNET || d->link.n_tags > 0)
        return;
    const enum tern_drop drop = tern_pkt_parse(&whole, &p);
    assert(d->drop_is_known);
    assert(d->drop == drop || (drop == TERN_DROP_NONE && p.kind != TERN_PKT_TCP));
    assert(drop != TERN_DROP_NONE || decoded_agrees(d, in->frame, &p));
}

static void check_explained(const struct app_explained *x)
{
    assert(x->n_notes <= APP_NOTES_MAX && x->from < 2);
    for (int i = 0; i < 2; i++) {
        const struct app_end *e = &x->flow->ends[i];
        assert(e->state < APP_STATE_COUNT && e->state == x->ends[i].after);
        assert(e->n_gaps <= APP_GAPS_MAX);
        for (uint32_t k = 0; k < e->n_gaps; k++)
            assert((int32_t)(e->gaps[k].to - e->gaps[k].from) > 0);
    }
}

static void check_text(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert(text[i] == '\n' || (unsigned char)text[i] >= ' ');
}

static void decode_one(struct tape *t, uint64_t number, struct app_flows *flows, FILE *out)
{
    static const struct app_hosts nobody;
    const uint8_t how = take8(t);
    const uint32_t more = take16(t), n = take16(t) % FRAME_BYTES_MAX;
    uint8_t bytes[FRAME_BYTES_MAX];
    take_bytes(t, bytes, n);
    uint8_t *exact = exact_copy(bytes, n);
    struct app_explained explained;
    struct app_frame f = {.number = number, .at_ns = (int64_t)more};
    f.in = (struct tern_decode_input){
        .frame = exact,
        .n_captured = n,
        .n_wire = how & 0x80 ? n + more : n,
        .link = how % TERN_LINK_COUNT,
    };
    tern_decode(&f.in, &f.d);
    assert(decoded_is_bounded(&f.in, &f.d));
    check_parser(&f.in, &f.d);
    if (f.d.transport == TERN_TRANSPORT_TCP) {
        app_explain(flows, &f.d, &explained);
        check_explained(&explained);
        f.explained = &explained;
    }
    app_print_frame(out, APP_DETAIL_HEX, &nobody, &f);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[TEXT_BYTES];
    struct tape t = {.at = data, .end = data + size};
    struct app_flows *flows = app_flows_new(FLOWS_MAX);
    FILE *out = fmemopen(text, sizeof text, "w");
    assert(flows != NULL && out != NULL);
    for (uint64_t i = 1; i <= FRAMES_MAX && !tape_ended(&t); i++)
        decode_one(&t, i, flows, out);
    const size_t n = (size_t)ftell(out);
    fclose(out);
    check_text(text, n);
    app_flows_free(flows);
    return 0;
}
