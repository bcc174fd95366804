/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a server answers, as the HTTP client takes it: app_answer_take() on responses one behind the
 * other, cut anywhere. The input is
 *
 *   byte 0     1: the requests were HEAD; 2: a body is expected; 4: only its length; 8: the server
 *              closes behind the last byte; 16: only 404 will do
 *   byte 1     seed of where the bytes are cut
 *   …          the bytes
 *
 * They are taken twice, cut and in one piece: the same answers must come of it, of the same
 * lengths, with the same verdicts. Each piece is a block of its exact size.
 */
#include "../../app/load/exchange.h"
#include "fuzz.h"

enum { ANSWERS_MAX = 256, HEAD = 1, BODY = 2, LENGTH = 4, CLOSES = 8, NOT_FOUND = 16 };

static const char body[] = "hello, world\n";

/* What came of the bytes. */
struct reading {
    uint32_t n; /* complete answers */
    struct {
        enum app_fail why;
        int32_t verdict;
        uint64_t body_bytes;
        uint32_t n_interim;
    } of[ANSWERS_MAX];
    bool refused; /* it is no HTTP */
};

static void end_answer(struct reading *r, const struct app_answer *a)
{
    const enum app_fail why = app_answer_judge(a);
    const int32_t verdict = app_answer_verdict(a);
    assert(why <= APP_FAIL_COUNT);
    assert((verdict & APP_VERDICT_CLASS) < APP_STATUS_CLASSES);
    assert((verdict & ~(APP_VERDICT_CLASS | APP_VERDICT_CLOSES)) == 0);
    if (why == APP_FAIL_COUNT && !a->is_head && a->expect->length >= 0)
        assert(a->body_bytes == (uint64_t)a->expect->length && !a->differs);
    if (r->n == ANSWERS_MAX)
        return;
    r->of[r->n].why = why;
    r->of[r->n].verdict = verdict;
    r->of[r->n].body_bytes = a->body_bytes;
    r->of[r->n++].n_interim = a->n_interim;
}

/* One piece, which may end one answer and begin the next. */
static void take_piece(struct reading *r, struct app_answer *a, const uint8_t *bytes, size_t n)
{
    while (n > 0 && !r->refused) {
        const size_t used = app_answer_take(a, bytes, n);
        assert(used <= n && (a->complete || used == n || a->parser.http_errno != HPE_OK));
        r->refused = !a->complete && used < n;
        bytes += used;
        n -= used;
        if (!a->complete)
            continue;
        end_answer(r, a);
        r->refused = used == 0; /* an answer has at least a byte */
        assert(!r->refused);
        app_answer_init(a, a->expect, a->is_head);
    }
}

static void take_all(struct reading *r, const struct app_expect *expect, uint8_t how, uint64_t cuts,
    const uint8_t *bytes, size_t n)
{
    struct app_answer a;
    memset(r, 0, sizeof *r);
    app_answer_init(&a, expect, (how & HEAD) != 0);
    while (n > 0 && !r->refused) {
        cuts = cuts * UINT64_C(6364136223846793005) + 1;
        const size_t some = cuts == 1 ? n : 1 + (cuts >> 33) % 40;
        const size_t piece = some < n ? some : n;
        uint8_t *exact = exact_copy(bytes, piece);
        take_piece(r, &a, exact, piece);
        free(exact);
        bytes += piece;
        n -= piece;
    }
    if (r->refused || (how & CLOSES) == 0)
        return;
    app_answer_end(&a);
    if (a.complete)
        end_answer(r, &a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reading whole, cut;
    struct tape t = {.at = data, .end = data + size};
    const uint8_t how = take8(&t), seed = take8(&t);
    struct app_expect expect;
    struct tern_error err;
    app_expect_init(&expect);
    if (how & (BODY | LENGTH))
        expect.length = sizeof body - 1;
    if (how & BODY)
        expect.body = body;
    if (how & NOT_FOUND)
        assert(app_expect_statuses(&expect, "404", &err) == 0);
    take_all(&whole, &expect, how, 0, t.at, (size_t)(t.end - t.at));
    take_all(&cut, &expect, how, seed + 1u, t.at, (size_t)(t.end - t.at));
    assert(memcmp(&whole, &cut, sizeof whole) == 0);
    return 0;
}
