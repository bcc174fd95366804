/* SPDX-License-Identifier: BSD-3-Clause */
/* A list of statuses, such as "2xx,404": three digits each, of which the last two may be x. */
#include "expect.h"

#include "../error.h"

#include <ctype.h>
#include <string.h>

enum { STATUS_CHARS = 3, CLASS = 100, CLASSES_MAX = 5 };

static void add(struct app_expect *e, uint32_t status)
{
    e->statuses[status / 64] |= UINT64_C(1) << status % 64;
}

static bool is_class(const char *word)
{
    return word[1] == 'x' && word[2] == 'x';
}

static bool is_number(const char *word)
{
    return isdigit((unsigned char)word[1]) && isdigit((unsigned char)word[2]);
}

/* @param word [n] @return false when it is no status */
static bool add_word(struct app_expect *e, const char *word, size_t n)
{
    if (n != STATUS_CHARS || word[0] < '1' || word[0] > '0' + CLASSES_MAX)
        return false;
    const uint32_t first = (uint32_t)(word[0] - '0') * CLASS;
    if (is_number(word))
        add(e, first + (uint32_t)(word[1] - '0') * 10 + (uint32_t)(word[2] - '0'));
    for (uint32_t i = 0; is_class(word) && i < CLASS; i++)
        add(e, first + i);
    return is_number(word) || is_class(word);
}

void app_expect_init(struct app_expect *e)
{
    *e = (struct app_expect){.length = -1};
    add_word(e, "2xx", STATUS_CHARS);
}

int app_expect_statuses(struct app_expect *e, const char *text, struct tern_error *err)
{
    struct app_expect found = {.length = e->length, .body = e->body};
    for (const char *at = text;;) {
        const size_t n = strcspn(at, ",");
        if (!add_word(&found, at, n))
            return app_refuse(err,
                "--expect: '%.60s' is no list of statuses; type it like 200, 2xx or 2xx,404", text);
        if (at[n] == '\0')
            break;
        at += n + 1;
    }
    *e = found;
    return 0;
}
