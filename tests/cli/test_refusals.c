/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Command lines that cannot work, as a table: each is answered with exactly one line on stderr that
 * begins with "tern: " and contains what the table says, with nothing on stdout, with the exit
 * status of a wrong line (2), and soon.
 *
 * Nothing here needs root; the case that needs to be without privileges drops them with setpriv
 * when it has any.
 */
#include "child.h"

struct refusal {
    const char
        *line; /* words, separated by single spaces; "%20" stands for a space, "%" for none */
    const char *answer; /* contained in the one line */
};

#define SERVE "serve vdev:net_null0 "
#define OWN   "--ip 198.18.1.1/15 "
#define LOAD  "load 198.18.0.1:80 --dev vdev:net_null0 "

// clang-format off
static const struct refusal refusals[] = {
    /* commands */
    {"", "a command is missing"},
    {"dance", "unknown command dance; type one of pair, serve, load, doctor"},
    {"--dance", "unknown command --dance"},
    {"laod", "unknown command laod; nearest is load; type one of"},
    {"load --raet 3", "load: unrecognized option '--raet'; nearest is '--rate'; type 'tern help load'"},
    {"pair --duratoin=3s", "unrecognized option '--duratoin=3s'; nearest is '--duration'"},
    {"--version now", "too many words"},
    {"help dance", "no help on an unknown command: dance"},
    {"help load now", "too many words after load"},
    {"help --man dance", "no manual of an unknown command: dance"},
    {"help --man load now", "too many words after --man"},
    {"help --completion", "'' is no shell known here; type one of bash, zsh, fish"},
    {"help --completion ksh", "'ksh' is no shell known here"},
    {"pair --dance", "pair: unrecognized option '--dance'; type 'tern help pair'"},
    {"pair -x", "invalid option -- 'x'"},
    {"pair now", "'now' is one word too many"},
    {"pair --rate", "option '--rate' requires an argument"},
    {"pair --no-huge=1", "doesn't allow an argument"},
    {"pair --no", "ambiguous"},
    {"doctor now", "'now' is one word too many"},
    {"serve", "the device is missing"},
    {"serve a b " OWN, "one word too many"},
    {"load", "the target is missing"},
    {"load 198.18.0.1:80 " OWN, "add --dev"},
    {LOAD OWN "[2001:2::1]:80", "are not of one family"},
    {LOAD OWN "http://198.18.0.2/", "do not ask the same"},
    {LOAD OWN "198.18.0.2", "has no port"},
    {"load http://198.18.0.1/a http://198.18.0.2/b --dev vdev:net_null0 " OWN, "do not ask the same"},
    {"load http://198.18.0.1/ http://198.18.0.3/ --dev vdev:net_null0 " OWN, "add --host NAME"},
    {"load 198.18.0.1:89-80 --dev vdev:net_null0 " OWN, "its ports are no range"},

    /* numbers */
    {"pair --rate -1", "--rate: '-1' is not a number"},
    {"pair --rate +1", "--rate: '+1' is not a number"},
    {"pair --rate nan", "'nan' is not a number"},
    {"pair --rate inf", "'inf' is not a number"},
    {"pair --rate 0x10", "unknown unit"},
    {"pair --rate 1e6", "unknown unit"},
    {"pair --rate 10q", "unknown unit"},
    {"pair --rate 10kk", "unknown unit"},
    {"pair --rate 10%20", "unknown unit"},
    {"pair --rate %", "'' is not a number"},
    {"pair --rate 1.", "is not a number"},
    {"pair --rate 1.5", "not whole"},
    {"pair --rate 0", "--rate: 0 is outside 1..1000000000"},
    {"pair --rate 2G", "outside"},
    {"pair --rate 99999999999999999999999", "does not fit in 64 bits"},
    {"pair --rate 18446744073709551615G", "does not fit in 64 bits"},
    {"pair --conns 0", "--conns: 0 is outside"},
    {"pair --conns 1 --workers 2", "less than one for each of 2 workers"},
    {"pair --count -5", "--count: '-5' is not a number"},
    {"pair --count 0", "outside"},
    {"pair --duration 5x", "--duration: '5x' ends in an unknown unit; type a duration"},
    {"pair --duration 0", "--duration: 0 is outside 1ms"},
    {"pair --duration -1s", "not a number"},
    {"pair --duration 1ns", "outside"},
    {"pair --duration 99999h", "outside"},
    {"pair --time-wait 1us", "--time-wait: 1us is outside 1ms..10m"},
    {"pair --time-wait 1.0001s", "finer than a millisecond"},
    {"pair --rto-min 2m", "--rto-min: 2m is outside 1ms..1m"},
    {"pair --seed abc", "--seed: 'abc' is not a number"},

    /* workers, memory, protocol */
    {"pair --workers 0", "--workers: 0 is outside 1..64"},
    {"pair --workers 65", "--workers: 65 is outside"},
    {"pair --queues 0", "--queues: 0 is outside"},
    {"pair --moderation 2ms", "--moderation: 2ms is outside 0ns..1ms"},
    {"pair --moderation 10", "--moderation: 10 is outside"},
    {"pair --lcores 9999", "--lcores: CPU 9999"},
    {"pair --lcores 0,,1", "--lcores"},
    {"pair --lcores 1-0", "--lcores"},
    {"pair --lcores x", "--lcores"},
    {"pair --lcores 0 --workers 2", "--lcores"},
    {"pair --conns-max 0", "--conns-max: 0 is outside"},
    {"pair --conns-max 268435456 --no-huge", "too little memory"},
    {"pair --conns-max 268435457", "--conns-max: 268435457 is outside"},
    {"pair --mtu 67", "--mtu: 67 is outside"},
    {"pair --mtu 9217", "--mtu: 9217 is outside"},
    {"pair -6 --mtu 1279", "--mtu 1279"},
    {"pair --ttl 0", "--ttl: 0 is outside"},
    {"pair --ttl 256", "--ttl: 256 is outside"},
    {"pair --mss 47", "--mss: 47 is outside"},
    {"pair --syn-cookies perhaps", "--syn-cookies: 'perhaps' is unknown; type one of auto, always, never"},
    {"pair --ack-policy never", "--ack-policy: 'never' is unknown"},
    {"pair --scenario dance", "--scenario: 'dance' is unknown; type one of handshake, http, http-keepalive, echo, stream"},
    {"pair --dscp 64", "--dscp: 64 is outside 0..63"},
    {"pair --rcv-buf 535", "--rcv-buf: 535 is outside 536..1073741824"},
    {"pair --rcv-buf 2Gi", "--rcv-buf: 2Gi is outside"},
    {"pair --snd-buf 0", "--snd-buf: 0 is outside 536..1073741824"},
    {"pair --snd-buf big", "--snd-buf: 'big' is not a number"},
    {"pair --nodelay=1", "doesn't allow an argument"},
    {"pair --cc vegas", "--cc: 'vegas' is unknown; type one of cubic, newreno, bbr, dctcp"},
    {"pair --ecn on", "--ecn: 'on' is unknown; type one of off, accept, request"},
    {"pair --pacing=1", "doesn't allow an argument"},
    {"pair --init-cwnd 0", "--init-cwnd: 0 is outside 1..1000"},
    {"pair --init-cwnd 1001", "--init-cwnd: 1001 is outside"},
    {"pair --delayed-ack 500ms", "--delayed-ack: 500ms is outside 1ms..499ms"},
    {"pair --sources 0", "--sources: 0 is outside 1..65536"},
    {"pair --sources 65537", "--sources: 65537 is outside"},
    {"pair --sources many", "--sources: 'many' is not an address"},
    {"pair --sources 64 --sources 198.18.9.0/24", "addresses, and a number of them"},
    {"pair --sources 198.18.0.0/28", "has the target, 198.18.0.1, in it"},
    {"pair --sources 2001:2::/112", "target 198.18.0.1 is IPv4 and --sources are IPv6"},
    {"pair -6 --sources 198.18.9.0/24", "target 2001:2::1 is IPv6 and --sources are IPv4"},
    {SERVE OWN "--sources 198.18.9.0/24", "unrecognized option '--sources'"},
    {"pair --body-bytes 2Gi", "--body-bytes: 2Gi is outside"},
    {SERVE OWN "--app dance", "--app: 'dance' is unknown; type one of http, echo, discard, chargen, stream"},
    {SERVE OWN "--app echo --body-bytes 1", "--body-bytes: echo has no bodies"},
    {SERVE OWN "--port 0", "--port: 0 is outside 1..65535"},
    {SERVE OWN "--port 65536", "--port: 65536 is outside"},
    {SERVE OWN "--port http", "--port: 'http' is not a number"},

    /* listeners */
    {SERVE OWN "--listen http", "--listen: 'http' does not say what is there; type PORT=APP, as 80=http"},
    {SERVE OWN "--listen 80=dance", "--listen 80: 'dance' is unknown; type one of http, echo, discard"},
    {SERVE OWN "--listen 80=http --listen 70-90=echo", "--listen: port 80 is there twice, for http and for echo"},
    {SERVE OWN "--listen 80=http,delay=slow", "--listen 80=http,delay: 'slow' is not a number"},
    {SERVE OWN "--listen 80=http,file=/nonexistent/page", "--listen 80=http,file: cannot read /nonexistent/page: No such file"},
    {SERVE OWN "--listen 80=http,file=/dev/zero", "/dev/zero is no regular file"},
    {SERVE OWN "--listen 80=http --app echo", "--listen: says what --app, --port"},
    {SERVE OWN "--listen 80=http --port 81", "leave those out"},
    {SERVE OWN "--body-bytes 5 --listen 80=http", "leave those out"},
    {SERVE "--listen 80=http", "no address for this end; add --ip"},

    /* streams */
    {"pair --scenario stream --direction left", "--direction: 'left' is unknown; type one of up, down, both"},
    {"pair --scenario stream --bytes 0", "--bytes: 0 is outside 1..1125899906842624"},
    {"pair --scenario stream --bytes 2000000Gi", "--bytes: 2000000Gi is outside"},
    {"pair --scenario stream --count 3", "--count: a stream without --bytes never ends by itself"},
    {"pair --scenario stream --conns 1 --workers 2", "less than one for each of 2 workers"},
    {"pair --direction down", "--direction: handshake has none"},
    {"pair --scenario http --verify", "--verify: http has no such check"},
    {"pair --scenario echo --bytes 2Gi", "--bytes: more than 1Gi to echo"},
    {"pair --requests 3", "--requests: handshake has no such number"},
    {"pair --tos 185", "--tos: the two low bits of 185 are ECN's; type 184"},
    {"pair --tos 256", "--tos: 256 is outside 0..252"},
    {"pair --scenario churn", "churn of what? add --mix"},
    {"pair --mix http:1", "--mix: handshake is one scenario"},
    {"pair --scenario churn --mix http:1,http:2", "--mix: http is there twice"},
    {"pair --scenario churn --mix http@80:1", "pair gives each scenario its port"},
    {"pair --scenario churn --mix http:1 --direction up", "--direction: churn has none"},
    {"pair --scenario churn --mix echo:1 --pipeline 2", "--pipeline: churn has one request"},
    {"pair --scenario churn --mix echo:1 --method GET", "--method: churn asks nothing over HTTP"},
    {"pair --scenario churn --mix http:1 --tick 1s", "--tick: churn holds nothing"},
    {"pair --scenario http --tick 1s", "--tick: http holds nothing"},
    {"pair --scenario hold --hold-for 1s", "--hold-for: hold does not let go before the end"},
    {"pair --scenario hold --count 3", "--count: hold opens as many as it holds"},
    {"pair --scenario echo --requests 0 --count 3", "--requests: without a number connections never end"},
    {"pair --scenario echo --expect 200", "--expect: echo asks nothing over HTTP"},
    {"pair --scenario http --expect 20", "--expect: '20' is no list of statuses"},
    {"pair --scenario http --header X", "--header: 'X' is not 'Name: value'"},
    {"pair --scenario http --method FETCH", "invalid HTTP method"},
    {"pair --scenario http --method GET --request-file /dev/null", "--request-file: the file says it all"},
    {"pair --scenario http --request-file /dev/null", "--request-file: /dev/null is no regular file"},
    {"pair --scenario http --expect-body /dev/zero", "--expect-body: /dev/zero is no regular file"},
    {"pair --scenario http --requests 2", "--requests: http has no such number"},
    {"pair --scenario http --pipeline 2", "--pipeline: http has one request under way"},
    {"pair --scenario http-keepalive --pipeline 65", "--pipeline: 65 is outside 1..64"},
    {"pair --scenario http-keepalive --count 3", "--requests: without a number connections never end"},
    {LOAD OWN "--scenario stream --direction sideways", "--direction: 'sideways' is unknown"},
    {LOAD OWN "--scenario echo --direction up", "--direction: echo has none"},
    {SERVE OWN "--app discard --direction up", "--direction, --bytes and --verify: discard has none of them"},
    {SERVE OWN "--app http --verify", "http has none of them"},
    {SERVE OWN "--app stream --bytes 0", "--bytes: 0 is outside"},
    {SERVE OWN "--app stream --body-bytes 1", "--body-bytes: stream has no bodies"},

    /* own addresses */
    {SERVE, "no address for this end; add --ip"},
    {SERVE "--ip hello", "--ip: 'hello' is not an address"},
    {SERVE "--ip 1.2.3.4.5", "not an address"},
    {SERVE "--ip 198.18.1.1/33", "--ip: prefix length: 33 is outside 1..32"},
    {SERVE "--ip 2001:2::1/129", "prefix length: 129 is outside 1..128"},
    {SERVE "--ip 198.18.1.1/", "prefix length: '' is not a number"},
    {SERVE "--ip 0.0.0.0/8", "--ip 0.0.0.0/8"},
    {SERVE "--ip ::/64", "--ip ::/64"},
    {SERVE "--ip 255.255.255.255/32", "--ip 255.255.255.255/32"},
    {SERVE "--ip 224.0.0.1/24", "multicast"},
    {SERVE "--ip ff02::1/64", "multicast"},
    {SERVE "--ip 127.0.0.1/8", "loopback"},
    {SERVE "--ip ::1/128", "loopback"},
    {SERVE "--ip 240.0.0.1/24", "reserved"},
    {SERVE "--ip 198.18.0.0/15", "network"},
    {SERVE "--ip 198.19.255.255/15", "broadcast"},
    {SERVE OWN OWN, "--ip 198.18.1.1/15"},
    {SERVE "--ip 198.18.1.1-198.18.1.9/15 --ip 198.18.1.5/15", "--ip 198.18.1.5/15"},
    {SERVE "--ip 198.18.1.9-198.18.1.1/15", "runs backwards; type 198.18.1.1-198.18.1.9"},
    {SERVE "--ip 198.18.1.1-/15", "--ip: '' is not an address"},
    {SERVE "--ip 198.18.1.1-2001:2::1", "mixes IPv4 and IPv6"},
    {SERVE "--ip 198.18.1.1-198.18.9.1/24", "must not hold 198.18.1.255, a subnet's broadcast address"},
    {SERVE "--ip 198.18.1.1-198.18.9.1/15 --ip 198.18.9.1-198.18.12.1/15", "must not hold 198.18.9.1"},
    {SERVE "--ip 198.18.1.1-198.18.9.1/15 --ip 198.18.8.1-198.18.12.1/15", "must not hold 198.18.8.1"},
    {SERVE "--ip 198.18.1.1-198.18.9.1/15 --gw 198.18.5.1", "--gw 198.18.5.1"},
    {SERVE "--ip 198.18.1.1-198.18.1.200/15 --ip 198.18.2.1-198.18.2.56/15 --ip 198.18.3.1/15",
        "198.18.3.1-198.18.3.1 is one too many: an end has up to 256 addresses and 16 ranges"},

    /* sources */
    {LOAD OWN "--sources 64", "--sources: '64' is a number, which is for pair"},
    {LOAD OWN "--sources %", "--sources: '' is not an address"},
    {LOAD OWN "--sources 198.18.64.1/18", "type 198.18.64.0/18 for all of it, or 198.18.64.1 alone"},
    {LOAD OWN "--sources 198.18.9.9-198.18.9.1", "--sources: 198.18.9.9-198.18.9.1 runs backwards"},
    {LOAD OWN "--sources 198.18.9.1 --sources 198.18.8.0/23", "198.18.8.0/23 overlaps 198.18.9.1"},
    {LOAD OWN "--sources 198.18.9.1,2001:2::9", "mixes IPv4 and IPv6"},
    {LOAD OWN "--sources 198.18.0.0/16", "has the target, 198.18.0.1, in it; type 198.18.0.0,198.18.0.2-198.18.255.255"},
    {LOAD OWN "--gw 198.18.9.9 --sources 198.18.9.0/24", "has the gateway, 198.18.9.9, in it"},
    {LOAD OWN "--sources 126.0.0.0-128.0.0.0", "must be unicast addresses throughout"},
    {LOAD OWN "--sources 198.19.255.255", "198.19.255.255 is a subnet's network or broadcast address"},
    {LOAD OWN "--sources 2001:2::/64", "target 198.18.0.1 is IPv4 and --sources are IPv6"},
    {LOAD "--sources 198.18.9.0/24", "there is no --ip beside them"},
    {LOAD OWN "--neighbour 198.18.9.9=02:00:5e:00:00:01 --sources 198.18.9.0/24", "--neighbour 198.18.9.9"},

    /* the link */
    {SERVE OWN "--gw 10.0.0.1", "--gw 10.0.0.1"},
    {SERVE OWN "--gw hello", "--gw: 'hello' is not an address"},
    {SERVE OWN "--gw 198.18.0.1/15", "without /len"},
    {SERVE OWN "--gw 198.18.1.1", "--gw 198.18.1.1"},
    {SERVE OWN "--gw 2001:2::1", "--gw 2001:2::1"},
    {SERVE OWN "--gw 198.19.255.255", "broadcast"},
    {SERVE OWN "--gw 198.18.0.1 --gw 198.18.0.2", "second IPv4 gateway"},
    {SERVE OWN "--vlan 0", "--vlan: 0 is outside 1..4094"},
    {SERVE OWN "--vlan 4095", "--vlan: 4095 is outside"},
    {SERVE "--ip 2001:2::1/48 --mtu 1000", "--mtu 1000"},
    {SERVE OWN "--neighbour 198.18.0.2", "is not IP=MAC"},
    {SERVE OWN "--neighbour x=02:00:5e:00:00:01", "'x' is not an address"},
    {SERVE OWN "--neighbour 198.18.0.2=02:00:5e:00:00", "not a MAC address"},
    {SERVE OWN "--neighbour 198.18.0.2=02:00:5e:00:00:0g", "not a MAC address"},
    {SERVE OWN "--neighbour 198.18.0.2=01:00:5e:00:00:01", "group bit set"},
    {SERVE OWN "--neighbour 198.18.0.2=00:00:00:00:00:00", "all zero"},

    /* targets */
    {"load 198.18.0.1 --dev x " OWN, "has no port; type 198.18.0.1:80"},
    {"load 198.18.0.1:0 --dev x " OWN, "port 0"},
    {"load 198.18.0.1:65536 --dev x " OWN, "with a port of 1..65535"},
    {"load 198.18.0.1:http --dev x " OWN, "is not ADDR:PORT"},
    {"load example.org:80 --dev x " OWN, "names are not resolved"},
    {"load https://198.18.0.1/ --dev x " OWN, "is not ADDR:PORT"},
    {"load http:// --dev x " OWN, "is not ADDR:PORT"},
    {"load 2001:2::1:80 --dev x --ip 2001:2::2/48", "is not ADDR:PORT"},
    {"load [2001:2::1]:80 --dev x " OWN, "is IPv6 and no --ip is"},
    {"load 198.18.0.1:80 --dev x --ip 2001:2::2/48", "is IPv4 and no --ip is"},
    {"load 224.0.0.1:80 --dev x " OWN, "a multicast address"},
    {"load 0.0.0.0:80 --dev x " OWN, "unspecified"},
    {"load 255.255.255.255:80 --dev x " OWN, "broadcast"},
    {"load 127.0.0.1:80 --dev x " OWN, "loopback"},
    {"load 198.18.1.1:80 --dev x " OWN, "is an --ip of this end"},
    {"load 10.0.0.1:80 --dev x " OWN, "there is no gateway; add --gw"},

    /* devices */
    {"serve nosuch0 " OWN, "nosuch0: no such network interface"},
    {"serve 0000:ff:1f.7 " OWN, "no such PCI device"},
    {"serve tap: " OWN, "tap:"},
    {"serve tap:a-name-that-is-too-long " OWN, "tap:a-name-that-is-too-long"},
    {"serve ff:zz " OWN, "of no known form"},
    {"serve % " OWN, "no device given"},
    {"serve pair " OWN, "tern pair"},
    {"serve pcap:/nonexistent/in.pcap,/tmp/tern-cli.pcap " OWN, "cannot be read"},
    {"serve memif:/nonexistent/sock " OWN, "memif"},
    {"serve vdev:net_nosuch0 " OWN, "net_nosuch0"},
    {"serve lo " OWN "--queues 64", "tern: lo"},

    /* configuration; tests/opt has the rest */
    {"explain", "the file is missing; type 'tern explain FILE'"},
    {"explain a b", "'b' is one word too many, a second file"},
    {"explain /nonexistent/file", "cannot read /nonexistent/file: No such file"},
    {"explain /tmp", "cannot read /tmp: Is a directory"},
    {"pair --config /nonexistent/file", "cannot read /nonexistent/file: No such file"},
    {"pair --preset dance", "--preset: 'dance' is unknown; type one of rfc9411-cps"},
    {"explain --preset dance", "--preset: 'dance' is unknown"},

    /* results */
    {"pair --json /nonexistent/file", "--json: cannot write /nonexistent/file: No such file"},
    {"pair --json /tmp", "--json: cannot write /tmp: Is a directory"},
    {"pair --json %", "--json: the path is empty"},
    {"doctor --json /nonexistent/file", "--json: cannot write"},
};
// clang-format on

/* "a b%20c" → {"a", "b c", NULL}; a word "%" is the empty one. `copy` holds the words. */
static void split(const char *line, char *copy, const char **words)
{
    int n = 0;
    strcpy(copy, line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        char *mark = strchr(word, '%');
        if (mark != NULL) {
            const bool space = strcmp(mark, "%20") == 0;
            strcpy(mark, space ? " " : "");
        }
        words[n++] = word;
    }
    words[n] = NULL;
}

/* @return what is wrong with the answer, or NULL */
static const char *judge(const struct outcome *o, const char *answer)
{
    const char *end = strchr(o->err, '\n');
    if (o->status == STATUS_HANGS)
        return "hangs";
    if (o->status != STATUS_USAGE)
        return "exits with another status than 2";
    if (o->out[0] != '\0')
        return "prints on stdout";
    if (end == NULL || end[1] != '\0')
        return "does not print one line";
    if (strncmp(o->err, "tern: ", 6) != 0)
        return "does not begin with 'tern: '";
    return strstr(o->err, answer) == NULL ? "does not say why" : NULL;
}

static void wrong_lines_are_refused_with_one_line(void **state)
{
    (void)state;
    int n_bad = 0;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const char *words[WORDS_MAX] = {program};
        char copy[512];
        struct outcome o;
        split(refusals[i].line, copy, words + 1);
        run(&o, words);
        const char *bad = judge(&o, refusals[i].answer);
        if (bad == NULL)
            continue;
        n_bad++;
        print_error("tern %s: %s (wanted: %s)\n  status %d, stderr: %s\n", refusals[i].line, bad,
            refusals[i].answer, o.status, o.err);
    }
    print_message("%zu command lines\n", sizeof refusals / sizeof refusals[0]);
    assert_int_equal(n_bad, 0);
}

static void tap_without_privilege_is_refused(void **state)
{
    (void)state;
    const char *const as_nobody[] = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
        "--inh-caps=-all", "--bounding-set=-all", program, "serve", "tap:terncli0", "--ip",
        "198.18.1.1/15", NULL};
    struct outcome o;
    run(&o, geteuid() == 0 ? as_nobody : as_nobody + 6);
    assert_null(judge(&o, "tap:terncli0"));
}

static void control_characters_are_not_printed(void **state)
{
    (void)state;
    const char *const words[] = {program, "pair",
        "two\nlines\x1b[31m\xc2\x9b"
        "2J",
        NULL};
    struct outcome o;
    run(&o, words);
    assert_null(judge(&o, "two?lines?[31m?2J"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_lines_are_refused_with_one_line),
        cmocka_unit_test(tap_without_privilege_is_refused),
        cmocka_unit_test(control_characters_are_not_printed),
    };
    return take_program(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
