/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Command lines that cannot work, as a table: each is answered with exactly one line on stderr that
 * begins with "tern: " and contains what the table says, with nothing on stdout, with the exit
 * status of a wrong line (2), and soon. A few that do work are below, to see that the tests can
 * tell.
 *
 * The program under test is the first argument. Nothing here needs root; the case that needs to be
 * without privileges drops them with setpriv when it has any.
 */
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h> /* after setjmp.h and the std* headers, which it wants and does not include */
// clang-format on

extern char **environ;

enum {
    WORDS_MAX = 24,
    TEXT_BYTES = 1 << 19,
    HANG_MS = 20000, /* far beyond the second that is allowed: sanitizers are slow, hangs are not */
    STATUS_USAGE = 2,
    STATUS_INTERRUPTED = 130,
    STATUS_HANGS = -1,
};

static const char *program;

/* ---- running it ---- */

struct outcome {
    int status; /* exit status, 128 + signal, or STATUS_HANGS */
    char out[TEXT_BYTES], err[TEXT_BYTES];
};

struct child {
    pid_t pid;
    int out, err;
};

static void spawn(struct child *child, const char *const *words)
{
    int out[2], err[2];
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    char *argv[WORDS_MAX];
    int n = 0;
    do {
        assert_in_range(n, 0, WORDS_MAX - 1);
        memcpy(&argv[n], &words[n], sizeof argv[n]);
    } while (words[n++] != NULL);
    assert_int_equal(posix_spawnp(&child->pid, words[0], &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    close(err[1]);
    child->out = out[0];
    child->err = err[0];
}

/* Append what there is to read. @return false at the end */
static bool read_some(int fd, char *text)
{
    char rest[4096];
    const size_t used = strlen(text);
    const size_t room = TEXT_BYTES - 1 - used;
    const ssize_t n = room > 0 ? read(fd, text + used, room) : read(fd, rest, sizeof rest);
    if (n > 0 && room > 0)
        text[used + (size_t)n] = '\0';
    return n > 0;
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Read both streams to their ends. @return false when that takes too long */
static bool read_all(const struct child *child, struct outcome *o)
{
    struct pollfd fds[] = {{child->out, POLLIN, 0}, {child->err, POLLIN, 0}};
    const uint64_t end_ms = now_ms() + HANG_MS;
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        const uint64_t t = now_ms();
        if (t >= end_ms || poll(fds, 2, (int)(end_ms - t)) <= 0)
            return false;
        if (fds[0].revents != 0 && !read_some(child->out, o->out))
            fds[0].fd = -1;
        if (fds[1].revents != 0 && !read_some(child->err, o->err))
            fds[1].fd = -1;
    }
    return true;
}

static void finish(struct child *child, struct outcome *o)
{
    int status;
    *o = (struct outcome){.status = 0};
    const bool ended = read_all(child, o);
    if (!ended)
        kill(child->pid, SIGKILL);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    o->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (!ended)
        o->status = STATUS_HANGS;
    close(child->out);
    close(child->err);
}

static void run(struct outcome *o, const char *const *words)
{
    struct child child;
    spawn(&child, words);
    finish(&child, o);
}

/* ---- what cannot work ---- */

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

/* ---- what does work ---- */

static void help_is_on_stdout(void **state)
{
    (void)state;
    static const char *const lines[][4] = {{"--help"}, {"--version"}, {"help", "pair"},
        {"help", "serve"}, {"load", "--help"}, {"doctor", "-h"}, {"help"}, {"help", "--man"},
        {"help", "--completion", "bash"}};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *const words[] = {program, lines[i][0], lines[i][1], lines[i][2], NULL};
        struct outcome o;
        run(&o, words);
        assert_int_equal(o.status, 0);
        assert_string_equal(o.err, "");
        assert_non_null(strstr(o.out, "tern"));
    }
}

static const json_t *field(const json_t *o, const char *path)
{
    char copy[64];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *key = strtok(copy, "."); key != NULL; key = strtok(NULL, ".")) {
        o = json_object_get(o, key);
        assert_non_null(o);
    }
    return o;
}

static json_t *result_of(const struct outcome *o)
{
    json_error_t e;
    json_t *json = json_loads(o->out, 0, &e);
    if (json == NULL || o->status != 0)
        print_error("status %d: %s\n%s\n", o->status, e.text, o->err);
    assert_int_equal(o->status, 0);
    assert_non_null(json);
    return json;
}

static json_int_t sum_of_histogram(const json_t *latency)
{
    const char *at = json_string_value(json_object_get(latency, "histogram"));
    json_int_t n = 0;
    for (; at != NULL; at = strchr(at, ',')) {
        at = strchr(at, ':') + 1;
        n += strtoll(at, NULL, 10);
    }
    return n;
}

/* All but the connection that found the way are timed, and ended in order. */
static void expect_times(const json_t *json, json_int_t n)
{
    static const char *const metrics[] = {"latency.connect", "latency.close"};
    assert_int_equal(json_integer_value(field(json, "ledger.counted.begun")), n - 1);
    assert_int_equal(json_integer_value(field(json, "ledger.counted.ended.ok")), n - 1);
    assert_int_equal(json_integer_value(field(json, "ledger.not_counted.begun")), 1);
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
        const json_t *latency = field(json, metrics[i]);
        const json_t *percentiles = field(latency, "percentiles_ns");
        assert_int_equal(json_integer_value(field(latency, "n")), n - 1);
        assert_int_equal(sum_of_histogram(latency), n - 1);
        assert_true(json_integer_value(field(percentiles, "p50")) > 0);
        assert_true(json_integer_value(field(percentiles, "p50"))
                    <= json_integer_value(field(percentiles, "p99")));
    }
}

static void pair_of_exactly_n_balances_in_json(void **state)
{
    (void)state;
    static const char *const scenarios[] = {"handshake", "http", "echo"};
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        const char *const words[] = {program, "pair", "--count", "1k", "--no-huge", "--scenario",
            scenarios[i], "--json", "-", NULL};
        struct outcome o;
        run(&o, words);
        json_t *json = result_of(&o);
        assert_int_equal(json_integer_value(field(json, "connections.opened")), 1000);
        assert_int_equal(json_integer_value(field(json, "connections.closed")), 1000);
        assert_int_equal(json_object_size(field(json, "connections.failed")), 0);
        assert_true(json_is_true(field(json, "books_balance")));
        assert_int_equal(json_integer_value(field(json, "leaks.mbufs")), 0);
        expect_times(json, 1000);
        assert_int_equal(json_array_size(field(json, "workers")), 2);
        assert_string_equal(json_string_value(field(json, "scenario")), scenarios[i]);
        json_decref(json);
    }
}

/* A stream's figures: what was carried, second by second, and the same number of bytes in the books
 * of both ends. */
static void stream_reports_its_seconds(void **state)
{
    (void)state;
    const char *const words[] = {program, "pair", "--scenario", "stream", "--duration", "2s",
        "--no-huge", "--verify", "--json", "-", NULL};
    struct outcome o;
    run(&o, words);
    json_t *json = result_of(&o);
    const json_t *stream = field(json, "stream");
    assert_string_equal(json_string_value(field(stream, "direction")), "up");
    assert_true(json_is_true(field(stream, "verified")));
    assert_in_range(json_array_size(field(stream, "series")), 1, 2);
    const double least = json_real_value(field(stream, "bytes_per_s_min"));
    const double median = json_real_value(field(stream, "bytes_per_s"));
    const double most = json_real_value(field(stream, "bytes_per_s_max"));
    assert_true(0 <= least && least <= median && median <= most && 0 < most);
    const json_int_t sent = json_integer_value(field(stream, "client.sent"));
    assert_true(sent >= json_integer_value(field(stream, "bytes")));
    assert_int_equal(json_integer_value(field(stream, "server.received")), sent);
    assert_int_equal(json_integer_value(field(json, "connections.closed")), 1);
    assert_true(json_is_true(field(json, "books_balance")));
    json_decref(json);
}

static void interrupt_drains_and_reports(void **state)
{
    (void)state;
    const char *const words[] = {
        program, "pair", "--duration", "1h", "--no-huge", "--json", "-", NULL};
    struct child child;
    struct outcome o;
    spawn(&child, words);
    sleep(4); /* past address detection, into the run */
    kill(child.pid, SIGINT);
    finish(&child, &o);
    json_t *json = result_of(&o);
    assert_true(json_is_true(field(json, "interrupted")));
    assert_true(json_is_true(field(json, "books_balance")));
    json_decref(json);
}

/* Into the time in which a run that is over waits for what is under way: a SYN nobody answers. */
static void run_into_quiesce(struct child *child)
{
    const char *const words[] = {program, "load", "198.18.0.1:80", "--dev",
        "vdev:net_null0,no-rx=1", "--ip", "198.18.1.1/15", "--neighbour",
        "198.18.0.1=02:00:5e:00:00:01", "--conns", "1", "--duration", "1s", "--no-huge", "--json",
        "-", NULL};
    struct outcome so_far = {.status = 0};
    spawn(child, words);
    while (strstr(so_far.err, "\n    1.0 ") == NULL)
        assert_true(read_some(child->err, so_far.err));
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void first_interrupt_after_the_run_keeps_the_result(void **state)
{
    (void)state;
    struct child child;
    struct outcome o;
    run_into_quiesce(&child);
    pause_ms(300);
    kill(child.pid, SIGINT);
    finish(&child, &o);
    json_t *json = result_of(&o);
    assert_true(json_is_false(field(json, "interrupted")));
    assert_int_equal(json_integer_value(field(json, "connections.opened")), 1);
    json_decref(json);
}

static void second_interrupt_ends_at_once(void **state)
{
    (void)state;
    struct child child;
    struct outcome o;
    run_into_quiesce(&child);
    pause_ms(300);
    kill(child.pid, SIGINT);
    pause_ms(600);
    kill(child.pid, SIGINT);
    finish(&child, &o);
    assert_int_equal(o.status, STATUS_INTERRUPTED);
    assert_string_equal(o.out, "");
    assert_non_null(strstr(o.err, "tern: ended without a result: interrupted again while"));
}

static void json_file_appears_whole_and_alone(void **state)
{
    (void)state;
    char dir[] = "/tmp/tern-cli-XXXXXX", path[64], list[128];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/result.json", dir);
    const char *const words[] = {
        program, "pair", "--count", "10", "--no-huge", "--json", path, NULL};
    struct outcome o;
    run(&o, words);
    assert_int_equal(o.status, 0);
    assert_string_equal(o.err, "");
    json_t *json = json_load_file(path, 0, NULL);
    assert_non_null(json);
    json_decref(json);
    assert_int_equal(unlink(path), 0);
    snprintf(list, sizeof list, "%s holds nothing else", dir);
    if (rmdir(dir) != 0)
        fail_msg("not true that %s", list);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_lines_are_refused_with_one_line),
        cmocka_unit_test(tap_without_privilege_is_refused),
        cmocka_unit_test(control_characters_are_not_printed),
        cmocka_unit_test(help_is_on_stdout),
        cmocka_unit_test(pair_of_exactly_n_balances_in_json),
        cmocka_unit_test(stream_reports_its_seconds),
        cmocka_unit_test(interrupt_drains_and_reports),
        cmocka_unit_test(first_interrupt_after_the_run_keeps_the_result),
        cmocka_unit_test(second_interrupt_ends_at_once),
        cmocka_unit_test(json_file_appears_whole_and_alone),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: test_cli PROGRAM\n");
        return 2;
    }
    program = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
