/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Figures and texts as they stand on a screen: short, and with nothing in them that moves it. */
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

enum { APP_WORD_BYTES = 32 };

/** At most five characters where it can: "0", "999", "12.3k", "3.98M". @return buf */
char *app_words_count(double n, char buf[APP_WORD_BYTES]);

/** "0:07", "12:30", "2:00:05"; whole seconds. @return buf */
char *app_words_clock(uint64_t ns, char buf[APP_WORD_BYTES]);

/**
 * `text` as characters that are printed, in the locale's encoding; what is none becomes '?', so
 * that nothing which was typed, or came from elsewhere, is obeyed by the terminal.
 * @param out [n_max] @param columns  in: that there are; out: that it takes
 * @return how many characters
 */
size_t app_words_clean(const char *text, wchar_t *out, size_t n_max, uint32_t *columns);

/** A bar of a sparkline: 0 of 8 for nothing, 1..8 for all else. @param plain  ASCII alone */
wchar_t app_words_spark(uint64_t value, uint64_t most, int plain);
