/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration files: who wins, what each command hears, and where a mistake is said to be. Files
 * that are damaged at random are refused in one line or read, and nothing worse.
 */
#include "opt/config.h"
#include "opt/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h> /* after setjmp.h and the std* headers, which it wants and does not include */
// clang-format on

static char path[32]; /* of a file in memory */

static void write_file(const char *bytes, size_t n)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, n, out), n);
    assert_int_equal(fclose(out), 0);
}

static int read_file(const char *text, struct tern_error *err)
{
    static struct app_config config;
    static struct app_texts texts;
    texts.used = 0;
    err->text[0] = '\0';
    write_file(text, strlen(text));
    return app_config_read(&config, path, &texts, err);
}

/* The line of a command, with the file. */
static void parse(uint32_t command, const char *text, const char *line, struct app_settings *s)
{
    char words[256], name[] = "tern x", option[] = "--config", *argv[16] = {name, option, path};
    struct tern_error err;
    int argc = 3;
    write_file(text, strlen(text));
    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    app_settings_init(s, command);
    if (app_opt_parse(argc, argv, s, &err) != 0)
        fail_msg("%s", err.text);
}

/* ---- who wins ---- */

static const char both[] = "common:\n"
                           "  mtu: 9000\n"
                           "  workers: 2\n"
                           "  no-huge: true\n"
                           "  ip: 198.18.9.1/15\n"
                           "  verify: true\n"
                           "load:\n"
                           "  target: 198.18.0.1:80\n"
                           "  dev: tap:tern1\n"
                           "  ip: [198.18.1.1/15, 198.18.1.4-198.18.1.5/15]\n"
                           "  rate: 10k\n"
                           "  no-huge: false\n"
                           "serve:\n"
                           "  dev: tap:tern0\n"
                           "  body-bytes: 4Ki\n"
                           "  bytes: 5\n"
                           "  mtu: 1400\n"
                           "pair:\n"
                           "  mtu: 1300\n"
                           "  preset: rfc9411-cps\n"
                           "  time-wait: 1s\n";

static void command_hears_common_and_its_own_map(void **state)
{
    (void)state;
    struct app_settings s;
    parse(CMD_LOAD, both, "", &s);
    assert_int_equal(s.stack.mtu_bytes, 9000);
    assert_int_equal(s.n_workers, 2);
    assert_int_equal(s.rate, 10000);
    assert_string_equal(s.target, "198.18.0.1:80");
    assert_string_equal(s.device, "tap:tern1");
    assert_int_equal(s.body_bytes, 1);
    assert_int_equal(s.bytes, 0);
    assert_true(app_settings_has(&s, "verify"));
}

static void own_map_replaces_common(void **state)
{
    (void)state;
    struct app_settings s;
    parse(CMD_LOAD, both, "", &s);
    assert_false(s.no_huge);
    assert_int_equal(s.stack.n_addrs, 3); /* and not a fourth from common */
    parse(CMD_SERVE, both, "", &s);
    assert_true(s.no_huge);
    assert_int_equal(s.stack.n_addrs, 1);
    assert_int_equal(s.stack.mtu_bytes, 1400);
    assert_int_equal(s.bytes, 5);
}

static void pair_hears_what_it_knows_of_both(void **state)
{
    (void)state;
    struct app_settings s;
    parse(CMD_PAIR, both, "", &s);
    assert_int_equal(s.stack.mtu_bytes, 1300);
    assert_int_equal(s.rate, 10000);
    assert_int_equal(s.body_bytes, 4096);
    assert_int_equal(s.bytes, 0); /* the server's number of bytes is another option */
    assert_int_equal(s.stack.n_addrs, 0);
    assert_null(s.device);
}

static void line_wins_over_file_over_preset(void **state)
{
    (void)state;
    struct app_settings s;
    parse(CMD_PAIR, both, "--duration 2s", &s);
    assert_int_equal(s.body_bytes, 4096); /* the preset says 1024 */
    assert_int_equal(s.duration_ns, UINT64_C(2000000000));
    assert_ptr_equal(s.scenario, &app_scenario_http);
    parse(CMD_PAIR, both, "--scenario echo --mtu 1280 --rate 5", &s);
    assert_ptr_equal(s.scenario, &app_scenario_echo);
    assert_int_equal(s.duration_ns, UINT64_C(300000000000));
    assert_int_equal(s.stack.mtu_bytes, 1280);
    assert_int_equal(s.rate, 5);
    parse(CMD_LOAD, both, "--ip 198.18.2.2/15 198.18.0.2:81", &s);
    assert_int_equal(s.stack.n_addrs, 1);
    assert_string_equal(s.target, "198.18.0.2:81");
    parse(CMD_LOAD, both, "--preset rfc9411-conns --conns 7", &s);
    assert_int_equal(s.conns, 7);
    assert_ptr_equal(s.scenario, &app_scenario_hold);
}

static void environment_names_the_file(void **state)
{
    (void)state;
    char name[] = "tern load", *argv[] = {name, NULL};
    struct app_settings s;
    struct tern_error err;
    write_file(both, strlen(both));
    setenv("TERN_CONFIG", path, 1);
    app_settings_init(&s, CMD_LOAD);
    assert_int_equal(app_opt_parse(1, argv, &s, &err), 0);
    assert_int_equal(s.rate, 10000);
    setenv("TERN_CONFIG", "", 1);
    app_settings_init(&s, CMD_LOAD);
    assert_int_equal(app_opt_parse(1, argv, &s, &err), 0);
    assert_int_equal(s.rate, 0);
    unsetenv("TERN_CONFIG");
}

/* ---- mistakes ---- */

struct mistake {
    const char *text, *answer; /* answer: what follows the path */
};

// clang-format off
static const struct mistake mistakes[] = {
    /* names */
    {"load:\n  rat: 3\n", ":2:3: unknown key 'rat' in load; nearest is 'rate'"},
    {"load:\n  zzz: 3\n", ":2:3: unknown key 'zzz' in load; type 'tern help load'"},
    {"load:\n  --rate: 3\n", ":2:3: unknown key '--rate' in load; nearest is 'rate'"},
    {"serve:\n  rate: 3\n", ":2:3: unknown key 'rate' in serve"},
    {"laod:\n  rate: 3\n", ":1:1: unknown map 'laod'; nearest is 'load'"},
    {"rate: 3\n", ":1:1: unknown map 'rate'; options stand under common, load, serve or pair"},
    {"load:\n  config: x\n", ":2:3: config: only the command line may say that"},
    {"load:\n  help: true\n", ":2:3: help: only the command line may say that"},

    /* values, of whichever end */
    {"load:\n  rate: 3q\n", ":2:9: --rate: '3q' ends in an unknown unit"},
    {"serve:\n  port: 0\n", ":2:9: --port: 0 is outside 1..65535"},
    {"common:\n  cc: vegas\n", ":2:7: --cc: 'vegas' is unknown; type one of cubic"},
    {"load:\n  ip:\n  - 198.18.1.1/15\n  - hello\n", ":4:5: --ip: 'hello' is not an address"},
    {"load:\n  target: 198.18.0.1\n", ":2:11: target '198.18.0.1' has no port"},
    {"pair:\n  preset: x\n", ":2:11: --preset: 'x' is unknown; type one of rfc9411-cps"},
    {"load:\n  no-huge: yes\n", ":2:12: no-huge: 'yes' is neither true nor false"},
    {"load:\n  no-huge:\n", ": no-huge: the value is missing; write no-huge: true"},
    {"serve:\n  listen: 80=dance\n", ":2:11: --listen 80: 'dance' is unknown; type one of http"},
    {"serve:\n  listen:\n  - 80=http,close\n  - 70-90=echo\n", ":4:5: --listen: port 80 is there twice, for http and for echo"},
    {"serve:\n  listen: 80=http,status=204,file=x\n", ":2:11: --listen 80=http: a 204 has no body; leave out file"},
    {"load:\n  rate:\n", ": rate: the value is missing; write rate: N"},
    {"load:\n  rate: ''\n", ":2:9: --rate: '' is not a number"},
    {"load:\n  json: \"a\\0b\"\n", ":2:9: a value with a zero byte in it"},

    /* form */
    {"load:\n  rate: [3, 4]\n", ":2:9: rate: a list, but it is said once"},
    {"load:\n  rate: {a: 4}\n", ":2:9: rate: a map or list stands where a value belongs"},
    {"load:\n  ip: [[a]]\n", ":2:8: ip: a map or list stands where a value belongs"},
    {"load:\n  rate: 3\n  rate: 4\n", ":3:3: rate stands in line 2 already; leave one out"},
    {"load:\n  ip: 198.18.1.1\n  ip: 198.18.1.2\n", ":3:3: ip stands in line 2 already; leave one out, or write a list"},
    {"load:\n  rate: 3\nload:\n  conns: 3\n", ":3:1: a second map 'load'"},
    {"load: 3\n", ":1:7: load: a map of options belongs here"},
    {"load:\n  ? [a]\n  : 3\n", ":2:5: load: a key must be the name of an option"},
    {"? [a]\n: 3\n", ":1:3: a key must be one of common, load, serve and pair"},
    {"- load\n", ":1:1: the file must begin with one of the maps"},
    {"load\n", ":1:1: the file must begin with one of the maps"},
    {"---\nload:\n---\nload:\n", ":3:1: a second document"},
    {"load:\n  rate: &a 3\n  conns: *a\n", ":3:10: aliases are not taken"},
    {"load:\n  rate: !!int 3\n", ":2:9: tags are not taken"},
    {"load: !!map\n  rate: 3\n", ": tags are not taken"},
    {"load:\n  rate: 3\n bad\n", ": this is not YAML: "},
    {"load:\n\trate: 3\n", ": this is not YAML: "},
    {"load: {rate: 3\n", ": this is not YAML: "},
};
// clang-format on

static void mistake_is_refused_where_it_stands(void **state)
{
    (void)state;
    struct tern_error err;
    int n_bad = 0;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        const int rc = read_file(mistakes[i].text, &err);
        const bool is_good = rc != 0 && strncmp(err.text, path, strlen(path)) == 0
                             && strstr(err.text, mistakes[i].answer) != NULL
                             && strchr(err.text, '\n') == NULL;
        n_bad += !is_good;
        if (!is_good)
            print_error(
                "%s  wanted: %s\n  answer: %s\n", mistakes[i].text, mistakes[i].answer, err.text);
    }
    assert_int_equal(n_bad, 0);
}

static void nothing_is_no_mistake(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "# nothing\n", "---\n", "load:\n", "{}\n", "pair: {}\n"};
    struct tern_error err;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (read_file(texts[i], &err) != 0)
            fail_msg("'%s': %s", texts[i], err.text);
}

/* Listeners are a list, which the line replaces. Their files are the server's: where the load runs
 * they need not be there. */
static void listeners_are_kept_as_they_were_said(void **state)
{
    (void)state;
    static const char text[] = "serve:\n"
                               "  listen: [80=http, '81=http,file=/nonexistent']\n";
    struct app_settings s;
    parse(CMD_SERVE, text, "", &s);
    assert_int_equal(s.n_listen, 2);
    assert_string_equal(s.listen[1], "81=http,file=/nonexistent");
    parse(CMD_SERVE, text, "--listen 7=echo", &s);
    assert_int_equal(s.n_listen, 1);
    assert_string_equal(s.listen[0], "7=echo");
    parse(CMD_LOAD, text, "", &s);
    parse(CMD_PAIR, text, "", &s);
    assert_int_equal(s.n_listen, 0);
}

static void too_much_is_refused(void **state)
{
    (void)state;
    struct tern_error err;
    char *text = malloc(APP_CONFIG_BYTES_MAX + 64);
    assert_non_null(text);
    memset(text, '#', APP_CONFIG_BYTES_MAX + 1);
    text[APP_CONFIG_BYTES_MAX + 1] = '\0';
    assert_int_not_equal(read_file(text, &err), 0);
    assert_non_null(strstr(err.text, "longer than 1 MiB"));
    text[APP_CONFIG_BYTES_MAX] = '\0';
    assert_int_equal(read_file(text, &err), 0);
    const int n = sprintf(text, "load:\n  json: ");
    memset(text + n, 'x', sizeof((struct app_texts *)0)->bytes);
    text[n + (int)sizeof((struct app_texts *)0)->bytes] = '\0';
    assert_int_not_equal(read_file(text, &err), 0);
    assert_non_null(strstr(err.text, "the values together are longer than"));
    free(text);
}

static void too_many_are_refused(void **state)
{
    (void)state;
    struct tern_error err;
    char *text = malloc(64 + APP_SAYINGS_MAX * 32);
    assert_non_null(text);
    int n = sprintf(text, "load:\n  neighbour:\n");
    for (int i = 0; i <= APP_SAYINGS_MAX; i++)
        n += sprintf(text + n, "  - x\n");
    assert_int_not_equal(read_file(text, &err), 0);
    assert_non_null(strstr(err.text, "more than 1024"));
    free(text);
}

/* A good file with bytes changed, doubled and left out: refused in one line that says where, or
 * read. */
static void damage_is_refused_or_read(void **state)
{
    (void)state;
    enum { ROUNDS = 4000, CHANGES_MAX = 4 };
    static const char pool[] = ":-[]{}&*!|>'\"%@`#?,\n\t \\~0aZ\xff\x80\xe2";
    unsigned short seed[3] = {1, 2, 3};
    uint32_t n_read = 0;
    for (int round = 0; round < ROUNDS; round++) {
        char text[sizeof both];
        struct tern_error err;
        memcpy(text, both, sizeof both);
        for (long i = nrand48(seed) % CHANGES_MAX; i >= 0; i--)
            text[(size_t)nrand48(seed) % (sizeof both - 1)] =
                pool[(size_t)nrand48(seed) % (sizeof pool - 1)];
        const int rc = read_file(text, &err);
        n_read += rc == 0;
        if (rc != 0)
            assert_int_equal(strncmp(err.text, path, strlen(path)), 0);
    }
    assert_in_range(n_read, 1, ROUNDS - 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_hears_common_and_its_own_map),
        cmocka_unit_test(own_map_replaces_common),
        cmocka_unit_test(pair_hears_what_it_knows_of_both),
        cmocka_unit_test(line_wins_over_file_over_preset),
        cmocka_unit_test(environment_names_the_file),
        cmocka_unit_test(mistake_is_refused_where_it_stands),
        cmocka_unit_test(nothing_is_no_mistake),
        cmocka_unit_test(listeners_are_kept_as_they_were_said),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(too_many_are_refused),
        cmocka_unit_test(damage_is_refused_or_read),
    };
    unsetenv("TERN_CONFIG");
    const int fd = memfd_create("config", MFD_CLOEXEC);
    if (fd < 0)
        return 1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
