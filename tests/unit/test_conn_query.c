/* SPDX-License-Identifier: BSD-3-Clause */
/* What /tern/conns may be asked for, what is refused, and what is picked. */
#include <tern/config.h>

#include "engine/conn_query.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>

static struct tern_conn_query parse(const char *text)
{
    struct tern_conn_query q;
    struct tern_error err = {.text = ""};
    if (tern_conn_query_parse(text, &q, &err) != 0)
        fail_msg("%s", err.text);
    return q;
}

static void all_keys_are_read(void **state)
{
    (void)state;
    const struct tern_conn_query q = parse(
        "state=established,addr=2001:2::/48,port=65535,from=9999999999999999999,state=SYN-SENT");
    assert_int_equal(q.states, 1u << TERN_ESTABLISHED | 1u << TERN_SYN_SENT);
    assert_int_equal(q.addr.len_bits, 48);
    assert_int_equal(q.port, 65535);
    assert_true(q.from == UINT64_C(9999999999999999999));
}

static void nothing_asked_for_is_all_that_ss_shows(void **state)
{
    (void)state;
    const struct tern_conn_query none = parse(NULL), port = parse("port=80");
    for (int s = 0; s < TERN_STATE_COUNT; s++) {
        const struct tern_conn_info c = {.state = (enum tern_state)s, .lport = 80};
        const bool is_shown = s != TERN_SYN_RCVD && s != TERN_TIME_WAIT;
        assert_int_equal(tern_conn_query_takes(&none, &c), is_shown);
        assert_int_equal(tern_conn_query_takes(&port, &c), is_shown);
    }
}

static void each_refusal_names_what_it_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "unknown key ''"},
        {",", "unknown key ''"},
        {"port", "port= is none"},
        {"port=", "port= is none"},
        {"port=0", "port=0 is none"},
        {"port=65536", "port=65536 is none"},
        {"port=+1", "port=+1 is none"},
        {"port= 1", "port= 1 is none"},
        {"port=1 ", "port=1  is none"},
        {"port=0x10", "port=0x10 is none"},
        {"port=80,port=80", "port is said twice"},
        {"port=80,", "unknown key ''"},
        {"Port=80", "unknown key 'Port'"},
        {"from=00000000000000000001", "from=00000000000000000001 is none"},
        {"from=18446744073709551616", "is none"},
        {"from=1,from=2", "from is said twice"},
        {"addr=198.18.0.1,addr=198.18.0.2", "addr is said twice"},
        {"addr=198.18.0.0/33", "addr=198.18.0.0/33 is none"},
        {"addr=", "addr= is none"},
        {"state=ESTABLISHE", "state=ESTABLISHE is none"},
        {"state=", "state= is none"},
        {"state=OPEN=1", "state=OPEN=1 is none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tern_conn_query q;
        struct tern_error err = {.text = ""};
        assert_int_equal(tern_conn_query_parse(cases[i].text, &q, &err), -EINVAL);
        if (strstr(err.text, cases[i].words) == NULL)
            fail_msg("%s: %s", cases[i].text, err.text);
    }
}

static void what_is_too_long_is_refused(void **state)
{
    (void)state;
    char text[2048] = "state=CLOSED";
    struct tern_conn_query q;
    struct tern_error err = {.text = ""};
    for (int i = 1; i < 32; i++)
        strcat(text, ",state=CLOSED");
    assert_int_equal(tern_conn_query_parse(text, &q, &err), 0);
    strcat(text, ",state=CLOSED");
    assert_int_equal(tern_conn_query_parse(text, &q, &err), -EINVAL);
    assert_non_null(strstr(err.text, "more than 32 keys"));
    memset(text, 'x', 512);
    text[512] = '\0';
    assert_int_equal(tern_conn_query_parse(text, &q, &err), -EINVAL);
    assert_non_null(strstr(err.text, "longer than 511 bytes"));
}

static void both_ends_are_looked_at(void **state)
{
    (void)state;
    struct tern_conn_info c = {.state = TERN_ESTABLISHED, .lport = 80, .rport = 4321};
    assert_int_equal(tern_addr_parse("198.18.0.1", &c.local), 0);
    assert_int_equal(tern_addr_parse("198.19.0.1", &c.remote), 0);
    static const struct {
        const char *text;
        bool takes;
    } cases[] = {
        {"port=80", true},
        {"port=4321", true},
        {"port=81", false},
        {"addr=198.18.0.1", true},
        {"addr=198.19.0.1", true},
        {"addr=198.19.0.0/16", true},
        {"addr=198.18.0.2", false},
        {"addr=::/0", false},
        {"state=ESTABLISHED", true},
        {"state=SYN-SENT", false},
        {"state=SYN-SENT,state=ESTABLISHED", true},
        {"state=SYN-SENT,port=80", false},
        {"port=80,addr=198.20.0.1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct tern_conn_query q = parse(cases[i].text);
        if (tern_conn_query_takes(&q, &c) != cases[i].takes)
            fail_msg("%s", cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_keys_are_read),
        cmocka_unit_test(nothing_asked_for_is_all_that_ss_shows),
        cmocka_unit_test(each_refusal_names_what_it_refuses),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(both_ends_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
