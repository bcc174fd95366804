/* SPDX-License-Identifier: BSD-3-Clause */
#include "words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <wctype.h>

char *app_words_count(double n, char buf[APP_WORD_BYTES])
{
    static const char *const units[] = {"", "k", "M", "G", "T", "P", "E"};
    enum { LAST = sizeof units / sizeof units[0] - 1 };
    uint32_t unit = 0;
    for (; n >= 999.5 && unit < LAST; unit++)
        n /= 1000;
    const int decimals = unit == 0 || n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2;
    snprintf(buf, APP_WORD_BYTES, "%.*f%s", decimals, n, units[unit]);
    return buf;
}

char *app_words_clock(uint64_t ns, char buf[APP_WORD_BYTES])
{
    const uint64_t s = ns / 1000000000, minutes = s / 60, hours = minutes / 60;
    if (hours != 0)
        snprintf(buf, APP_WORD_BYTES, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, hours, minutes % 60,
            s % 60);
    else
        snprintf(buf, APP_WORD_BYTES, "%" PRIu64 ":%02" PRIu64, minutes, s % 60);
    return buf;
}

/* One character off the text. @return bytes, 0 at the end */
static size_t next_character(const char *text, wchar_t *out, mbstate_t *state)
{
    const size_t n = mbrtowc(out, text, strlen(text), state);
    if (n == 0 || n == (size_t)-2 || n == (size_t)-1) { /* the end, or none */
        memset(state, 0, sizeof *state);
        *out = L'?';
        return *text != '\0';
    }
    if (!iswprint((wint_t)*out) || wcwidth(*out) < 1)
        *out = L'?';
    return n;
}

size_t app_words_clean(const char *text, wchar_t *out, size_t n_max, uint32_t *columns)
{
    mbstate_t state = {0};
    uint32_t used = 0;
    size_t n = 0, bytes;
    wchar_t c;
    while (n < n_max && (bytes = next_character(text, &c, &state)) != 0) {
        const uint32_t width = (uint32_t)wcwidth(c);
        if (used + width > *columns)
            break;
        out[n++] = c;
        used += width;
        text += bytes;
    }
    *columns = used;
    return n;
}

wchar_t app_words_spark(uint64_t value, uint64_t most, int plain)
{
    static const wchar_t blocks[] = L" ▁▂▃▄▅▆▇█", ascii[] = L" .,:;+*#@";
    enum { LEVELS = 8 };
    const uint64_t level =
        value == 0 || most == 0 ? 0 : 1 + (uint64_t)((double)(value - 1) * LEVELS / (double)most);
    return (plain ? ascii : blocks)[level > LEVELS ? LEVELS : level];
}
