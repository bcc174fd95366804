/* SPDX-License-Identifier: BSD-3-Clause */
/* Figures that fit their columns, and text that moves nothing. */
#include "live/history.h"
#include "live/words.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <wctype.h>
// clang-format off
#include <cmocka.h> /* after setjmp.h and the std* headers, which it wants and does not include */
// clang-format on

#define SECOND_NS UINT64_C(1000000000)

static void count_has_three_digits_and_a_unit(void **state)
{
    (void)state;
    static const struct {
        double n;
        const char *text;
    } cases[] = {
        {0, "0"},
        {7, "7"},
        {999, "999"},
        {999.6, "1.00k"},
        {1000, "1.00k"},
        {9994, "9.99k"},
        {9996, "10.0k"},
        {99940, "99.9k"},
        {99960, "100k"},
        {999499, "999k"},
        {999500, "1.00M"},
        {3981148, "3.98M"},
        {18446744073709551615.0, "18.4E"},
    };
    char buf[APP_WORD_BYTES];
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(app_words_count(cases[i].n, buf), cases[i].text);
}

static void clock_counts_minutes_and_hours(void **state)
{
    (void)state;
    char buf[APP_WORD_BYTES];
    assert_string_equal(app_words_clock(SECOND_NS - 1, buf), "0:00");
    assert_string_equal(app_words_clock(65 * SECOND_NS, buf), "1:05");
    assert_string_equal(app_words_clock(3599 * SECOND_NS, buf), "59:59");
    assert_string_equal(app_words_clock(7205 * SECOND_NS, buf), "2:00:05");
}

enum { ROOM = 64 };

static void assert_cleaned(const char *text, uint32_t columns, const wchar_t *wanted)
{
    wchar_t out[ROOM + 1];
    uint32_t used = columns;
    const size_t n = app_words_clean(text, out, ROOM, &used);
    out[n] = L'\0';
    assert_int_equal(wcscmp(out, wanted), 0);
    assert_in_range(used, 0, columns);
}

static void text_is_cut_at_its_columns(void **state)
{
    (void)state;
    assert_cleaned("abc", ROOM, L"abc");
    assert_cleaned("abc", 2, L"ab");
    assert_cleaned("abc", 0, L"");
    assert_cleaned("a世界", 5, L"a世界");
    assert_cleaned("a世界", 4, L"a世"); /* half of a wide one is none */
}

static void text_that_moves_the_cursor_does_not(void **state)
{
    (void)state;
    assert_cleaned("a\x1b[2Jb", ROOM, L"a?[2Jb");
    assert_cleaned("a\r\n\tb\x7f", ROOM, L"a???b?");
    assert_cleaned("a\xc2\x9b"
                   "2J",
        ROOM, L"a?2J");                           /* CSI in one character */
    assert_cleaned("\xe2\x80\x8b", ROOM, L"?");   /* no width: the rest would be elsewhere */
    assert_cleaned("e\xcc\x81", ROOM, L"e?");     /* an accent of its own */
    assert_cleaned("\xff\xc3", ROOM, L"??");      /* no UTF-8, and half of it */
    assert_cleaned("\xed\xa0\x80", ROOM, L"???"); /* a surrogate */
}

/* Whatever the bytes are: it ends, and nothing but printable characters comes out. */
static void any_two_bytes_come_out_clean(void **state)
{
    (void)state;
    for (uint32_t a = 1; a < 256; a++)
        for (uint32_t b = 1; b < 256; b++) {
            const char text[] = {(char)a, (char)b, '\0'};
            wchar_t out[ROOM];
            uint32_t columns = ROOM;
            const size_t n = app_words_clean(text, out, ROOM, &columns);
            assert_in_range(n, 1, 2);
            for (size_t i = 0; i < n; i++)
                assert_true(iswprint((wint_t)out[i]));
        }
}

static void spark_has_a_level_for_all_but_nothing(void **state)
{
    (void)state;
    assert_int_equal(app_words_spark(0, 100, 0), L' ');
    assert_int_equal(app_words_spark(0, 0, 0), L' ');
    assert_int_equal(app_words_spark(1, 100, 0), L'▁');
    assert_int_equal(app_words_spark(100, 100, 0), L'█');
    assert_int_equal(app_words_spark(UINT64_MAX, UINT64_MAX, 0), L'█');
    assert_int_equal(app_words_spark(100, 100, 1), L'@');
    for (uint64_t v = 1; v <= 100; v++)
        assert_true(app_words_spark(v, 100, 0) >= app_words_spark(v - 1, 100, 0));
}

static void history_keeps_the_last(void **state)
{
    (void)state;
    static struct app_history h;
    assert_int_equal(app_history_n(&h, 10), 0);
    for (uint64_t i = 0; i < APP_HISTORY_MAX + 5; i++)
        app_history_add(&h, i);
    assert_int_equal(app_history_n(&h, 10), 10);
    assert_int_equal(app_history_n(&h, 2 * APP_HISTORY_MAX), APP_HISTORY_MAX);
    assert_int_equal(app_history_at(&h, 10, 0), APP_HISTORY_MAX - 5);
    assert_int_equal(app_history_at(&h, 10, 9), APP_HISTORY_MAX + 4);
    assert_int_equal(app_history_at(&h, APP_HISTORY_MAX, 0), 5);
}

int main(void)
{
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(count_has_three_digits_and_a_unit),
        cmocka_unit_test(clock_counts_minutes_and_hours),
        cmocka_unit_test(text_is_cut_at_its_columns),
        cmocka_unit_test(text_that_moves_the_cursor_does_not),
        cmocka_unit_test(any_two_bytes_come_out_clean),
        cmocka_unit_test(spark_has_a_level_for_all_but_nothing),
        cmocka_unit_test(history_keeps_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
