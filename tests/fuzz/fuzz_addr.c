/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses and prefixes as text: whatever is read is written so that it reads as the same, one
 * spelling a value; what is refused leaves the output alone. The input is text, after two bytes
 * that choose the second address tern_prefix_contains() is asked about.
 */
#include <tern/addr.h>

#include "fuzz.h"
#include "wire/addr_class.h"

#include <stdio.h>

static const union tern_addr untouched = {.b = {0xa5, 0x5a, 0xa5}};

static void check_text(const union tern_addr *a)
{
    char *text = malloc(TERN_ADDR_TEXT_BYTES);
    assert(text != NULL);
    assert(tern_addr_format(a, text) == text);
    const size_t n = strnlen(text, TERN_ADDR_TEXT_BYTES);
    assert(n > 0 && n < TERN_ADDR_TEXT_BYTES);
    union tern_addr back;
    assert(tern_addr_parse(text, &back) == 0 && tern_addr_equal(a, &back));
    assert((strchr(text, ':') == NULL) == tern_addr_is_v4(a));
    free(text);
}

/** The class of a value is that of its bytes in a header. */
static void check_class(const union tern_addr *a)
{
    const enum tern_addr_class class = tern_addr_classify(a);
    assert(class <= TERN_ADDR_RESERVED);
    assert(class == (tern_addr_is_v4(a) ? tern_addr4_class(a->b + 12) : tern_addr6_class(a->b)));
}

static bool bit(const union tern_addr *a, uint32_t i)
{
    return a->b[i / 8] >> (7 - i % 8) & 1;
}

/** By the letter: same family, and the first bits are the same one by one. */
static bool contains(const struct tern_prefix *p, const union tern_addr *a)
{
    const bool v4 = tern_addr_is_v4(&p->addr);
    const uint32_t from = v4 ? 96 : 0;
    if (v4 != tern_addr_is_v4(a))
        return false;
    for (uint32_t i = from; i < from + p->len_bits; i++)
        if (bit(&p->addr, i) != bit(a, i))
            return false;
    return true;
}

static void check_prefix(const struct tern_prefix *p, uint16_t change)
{
    const bool v4 = tern_addr_is_v4(&p->addr);
    assert(p->len_bits <= (v4 ? 32 : 128));
    assert(tern_prefix_contains(p, &p->addr));
    union tern_addr other = p->addr;
    other.b[change >> 8 & 15] ^= (uint8_t)change; /* may leave the family */
    assert(tern_prefix_contains(p, &other) == contains(p, &other));

    char text[TERN_ADDR_TEXT_BYTES + 8];
    tern_addr_format(&p->addr, text);
    snprintf(text + strlen(text), 8, "/%u", p->len_bits);
    struct tern_prefix back;
    assert(tern_prefix_parse(text, &back) == 0);
    assert(tern_addr_equal(&back.addr, &p->addr) && back.len_bits == p->len_bits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape t = {data, data + size};
    const uint16_t change = take16(&t);
    const size_t n = (size_t)(t.end - t.at);
    char *text = malloc(n + 1);
    assert(text != NULL);
    take_bytes(&t, text, n);
    text[n] = '\0';

    union tern_addr a = untouched;
    const bool is_addr = tern_addr_parse(text, &a) == 0;
    if (is_addr) {
        check_text(&a);
        check_class(&a);
    } else {
        assert(tern_addr_equal(&a, &untouched));
    }
    struct tern_prefix p = {.addr = untouched, .len_bits = 77};
    if (tern_prefix_parse(text, &p) == 0) {
        check_prefix(&p, change);
        if (is_addr)
            assert(tern_addr_equal(&p.addr, &a) && p.len_bits == (tern_addr_is_v4(&a) ? 32 : 128));
    } else {
        assert(!is_addr && tern_addr_equal(&p.addr, &untouched) && p.len_bits == 77);
    }
    free(text);
    return 0;
}
