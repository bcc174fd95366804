/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What --impair takes: every key within its bounds, both directions and one of them, and the same
 * text back; whatever else is refused in one line that names the option.
 */
#include "error.h"
#include "impair/spec.h"
#include "unit.h"

#include <errno.h>

static struct tern_error err;

static struct app_impair_spec parsed(const char *text)
{
    struct app_impair_spec spec = {.keys = 0};
    if (app_impair_parse("--impair", text, &spec, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    return spec;
}

static void every_key_sets_its_field(void **state)
{
    (void)state;
    const struct tern_impair is =
        parsed("delay=20ms,jitter=2ms,loss=1%,duplicate=0.5%,corrupt=100ppm,reorder=0.1%,"
               "reorder-by=3ms,rate=80M,queue=64Ki")
            .is;
    assert_int_equal(is.delay_ns, 20000000);
    assert_int_equal(is.jitter_ns, 2000000);
    assert_int_equal(is.loss_ppm, 10000);
    assert_int_equal(is.duplicate_ppm, 5000);
    assert_int_equal(is.corrupt_ppm, 100);
    assert_int_equal(is.reorder_ppm, 1000);
    assert_int_equal(is.reorder_ns, 3000000);
    assert_int_equal(is.rate_bytes_per_s, 10000000);
    assert_int_equal(is.queue_bytes, 65536);
}

static void text_reads_as_what_it_was_written_from(void **state)
{
    (void)state;
    static const char *const texts[] = {"delay=20ms", "loss=0.0001%", "delay=1ns,jitter=10s",
        "loss=100%,duplicate=1%,corrupt=12.5%", "reorder=1%,reorder-by=7us", "rate=8k,queue=10000",
        "rate=1000G", "delay=90ms,loss=1%,rate=100M,queue=256Ki"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[APP_IMPAIR_TEXT_BYTES];
        const struct app_impair_spec once = parsed(texts[i]);
        const struct app_impair_spec twice = parsed(app_impair_text(&once.is, text));
        assert_memory_equal(&once, &twice, sizeof once);
    }
}

static void direction_wins_over_both_key_by_key(void **state)
{
    (void)state;
    struct app_impair_settings s;
    app_impair_init(&s);
    s.said[TERN_IMPAIR_RX] = parsed("loss=2%,duplicate=0%");
    s.said[APP_IMPAIR_BOTH] = parsed("loss=1%,delay=5ms,duplicate=3%,reorder=1%");
    s.seed = 99;
    s.packets_max = TERN_IMPAIR_PACKETS_MIN;
    const struct tern_impair rx = app_impair_of(&s, TERN_IMPAIR_RX);
    const struct tern_impair tx = app_impair_of(&s, TERN_IMPAIR_TX);
    assert_int_equal(rx.loss_ppm, 20000);
    assert_int_equal(tx.loss_ppm, 10000);
    assert_int_equal(rx.duplicate_ppm, 0);
    assert_int_equal(tx.duplicate_ppm, 30000);
    assert_true(rx.delay_ns == 5000000 && tx.delay_ns == 5000000);
    assert_true(rx.reorder_ns != 0 && rx.reorder_ns == tx.reorder_ns);
    assert_true(rx.seed == 99 && tx.packets_max == TERN_IMPAIR_PACKETS_MIN);
}

static void unsaid_is_off(void **state)
{
    (void)state;
    struct app_impair_settings s;
    char text[APP_IMPAIR_TEXT_BYTES];
    app_impair_init(&s);
    const struct tern_impair off = app_impair_of(&s, TERN_IMPAIR_TX);
    assert_false(tern_impair_is_on(&off));
    assert_string_equal(app_impair_text(&off, text), "none");
}

static void nonsense_is_refused_in_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"loss=200%", "more than 100%"},
        {"loss=1000001ppm", "more than 100%"},
        {"loss=1", "unknown unit"},
        {"loss=-1%", "is not a number"},
        {"loss=nan%", "is not a number"},
        {"loss=0.00001%", "not whole"},
        {"loss=", "is not a number"},
        {"loss", "has no value"},
        {"", "has no value"},
        {"delay=1ms,", "has no value"},
        {"delay=11s", "outside 0ns..10s"},
        {"jitter=1h", "outside"},
        {"reorder=1%,reorder-by=0ms", "outside 1ns"},
        {"reorder-by=1ms", "nothing without reorder"},
        {"queue=64Ki", "nothing without rate"},
        {"rate=1k", "outside 8000"},
        {"rate=2000G", "outside"},
        {"rate=1M,queue=1", "outside 10000"},
        {"loss=1%,loss=2%", "twice"},
        {"lose=1%", "did you mean loss?"},
        {"wobble=1%", "type delay, jitter"},
        {"=1%", "no impairment"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct app_impair_spec out = {.keys = 77};
        assert_int_equal(app_impair_parse("--impair-rx", cases[i].text, &out, &err), -EINVAL);
        assert_int_equal(out.keys, 77); /* untouched */
        assert_memory_equal(err.text, "--impair-rx", strlen("--impair-rx"));
        if (strstr(err.text, cases[i].says) == NULL)
            fail_msg("'%s' is refused with: %s", cases[i].text, err.text);
        assert_null(strchr(err.text, '\n'));
    }
}

static void text_of_any_length_is_bounded(void **state)
{
    (void)state;
    char text[4096];
    struct app_impair_spec out;
    memset(text, ',', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(app_impair_parse("--impair", text, &out, &err), -EINVAL);
    assert_non_null(strstr(err.text, "longer than"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_sets_its_field),
        cmocka_unit_test(text_reads_as_what_it_was_written_from),
        cmocka_unit_test(direction_wins_over_both_key_by_key),
        cmocka_unit_test(unsaid_is_off),
        cmocka_unit_test(nonsense_is_refused_in_one_line),
        cmocka_unit_test(text_of_any_length_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
