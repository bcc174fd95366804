/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stands in no row: what each command is for, and lines that show it. The examples that need
 * no device are run by a test, so that none is wrong for long.
 */
#include "command.h"

#include <assert.h>
#include <string.h>

static const char *const pair_notes[] = {
    "Addresses are those of the benchmarking networks (RFC 2544, RFC 5180). The client has many of "
    "them: one has 64,512 ports, and a port rests in TIME-WAIT after each connection.",
    NULL};
static const char *const load_notes[] = {
    "With --rate connections start when they are due, whatever the server does; with --conns a new "
    "one starts when one is over; with both, --conns caps what the rate may have open.",
    NULL};

// clang-format off
static const struct app_command commands[] = {
    {.name = "pair", .bit = CMD_PAIR,
        .summary = "both ends in one process, joined in memory: handshakes a second, no device needed",
        .about = "Both ends in one process, joined in memory.",
        .notes = pair_notes},
    {.name = "serve", .bit = CMD_SERVE,
        .summary = "answer on a device: http, echo, discard, chargen or stream",
        .about = "Answer on a device."},
    {.name = "load", .bit = CMD_LOAD,
        .summary = "open connections to a server and count what becomes of each",
        .about = "Open connections to a server and count what becomes of each.",
        .notes = load_notes},
    {.name = "doctor", .bit = CMD_DOCTOR,
        .summary = "what this machine can do, and the command that mends what it cannot",
        .about = "What this machine can do, and the command that mends each finding. Exits with 1 only when 'tern pair' cannot run."},
    {.name = "explain", .bit = CMD_EXPLAIN,
        .summary = "what a configuration file or a preset means, and the lines that say the same",
        .about = "What a configuration file or a preset means: each key, its value in plain units, who takes it; then the command lines that say the same."},
    {.name = "compare", .bit = CMD_COMPARE,
        .summary = "two results that --json wrote, side by side: what differs beyond noise",
        .about = "Two results that --json wrote, side by side. What was asked of them comes first; figures differ when they do so beyond the noise of their seconds."},
    {.name = "decode", .bit = CMD_DECODE,
        .summary = "print a capture file field by field, and what each segment does",
        .about = "Print the frames of a capture, pcap or pcapng: a summary; the fields, layer by layer, a line a control bit; what is wrong; the bytes. "
            "Link types: Ethernet, raw IP and Linux cooked (SLL, SLL2); 802.1Q, IPv4, IPv6 with extension headers, ARP, ICMP, TCP with its options. "
            "'Drop' names the reason when tern would refuse the frame, its MAC and VLAN taken to be ours. "
            "In the summary U A P R S F are the control bits, behind C E where ECN is spoken; 'len' and 'seq' count the option bytes of a SYN, and of any other segment its payload. "
            "What --explain says is inferred, every segment taken to arrive; a connection whose SYN is not in the file is taken to be established. "
            "A checksum is 'unfinished' where the capture was made on the sending host and its NIC does the rest. "
            "Exits with 0; with 1 when the file cannot be read to its end; with 2 when nothing could be read."},
    {.name = "top", .bit = CMD_TOP,
        .summary = "the connections of a tern that runs, as 'ss -ti' shows the kernel's",
        .about = "The connections of a tern that runs, as 'ss -ti' shows the kernel's, while its workers go on. "
            "Recv-Q is what the application has not consumed, Send-Q what the peer has not acknowledged; times are in milliseconds, cwnd and ssthresh in segments. "
            "It asks the telemetry socket, which belongs to the user who started it. "
            "Exits with 0, also when the process ends between two looks; with 1 when it does not answer; with 2 when there is none."},
};

static const struct app_example examples[] = {
    {CMD_PAIR, "tern pair",
        "handshakes a second, five seconds long", true},
    {CMD_PAIR, "tern pair --scenario http -6 --duration 10s --json -",
        "HTTP over IPv6, the result as JSON", true},
    {CMD_PAIR, "tern pair --scenario stream --conns 1 --direction both --verify",
        "one connection, bytes both ways, each compared with what was sent", true},
    {CMD_PAIR, "tern pair --scenario churn --mix http:80,stream:15,hold:5 --duration 2s",
        "a mix: of a hundred connections eighty ask over HTTP, fifteen stream, five stay a second", true},
    {CMD_PAIR, "tern pair --scenario hold --conns 10k --tick 1s --duration 2s",
        "ten thousand connections held, each asked once a second, evenly spread", true},
    {CMD_PAIR, "tern pair --count 1M --syn-cookies always",
        "a million connections, every SYN answered with a cookie", true},
    {CMD_PAIR, "tern pair --impair delay=20ms,loss=1% --scenario http --conns 1000",
        "over a path that takes 40 ms and loses one packet in a hundred, each way", true},
    {CMD_PAIR, "tern pair --preset rfc9411-cps --duration 2s",
        "connections per second as RFC 9411 means it, in two seconds", true},
    {CMD_PAIR, "tern pair --slo 'p50:connect<1s,failed<0.01%' --duration 2s",
        "a goal, which the exit status answers: 0 met, 3 missed, 4 the result is not valid", true},
    {CMD_PAIR, "tern pair --sources 65536 --count 200k",
        "handshakes from 65,536 addresses in turn", true},
    {CMD_PAIR, "tern pair --count 100 --capture pair.pcapng --capture-filter tcp",
        "a hundred handshakes, packet by packet; see them with: tern decode pair.pcapng", true},
    {CMD_SERVE, "tern serve tap:tern0 --ip 198.18.0.1/15 --port 8080",
        "HTTP on a kernel TAP interface", false},
    {CMD_SERVE, "tern serve eth1 --ip 2001:2::1/48 --app echo --workers 2",
        "echo over IPv6 on an interface that the kernel keeps", false},
    {CMD_LOAD, "tern load 198.18.0.1:80 --dev tap:tern1 --ip 198.18.1.1/15",
        "as many handshakes as 64 connections at a time make", false},
    {CMD_LOAD, "tern load http://[2001:2::1]/ --dev eth1 --ip 2001:2::10/48 --rate 10k --duration 30s",
        "ten thousand requests a second, whatever the server does", false},
    {CMD_LOAD, "tern load 198.18.0.1:80 --dev tap:tern1 --ip 198.18.0.2/24 --sources 198.18.64.0/18 --random-sources",
        "from 16,384 addresses, each once a round; the server needs a route to them", false},
    {CMD_LOAD, "tern load 198.18.0.1:5001 --dev tap:tern1 --ip 198.18.1.1/15 --scenario stream",
        "one connection's bytes a second", false},
    {CMD_LOAD, "tern load 198.18.0.1:80 --dev tap:tern1 --ip 198.18.1.1/15 --scenario churn --mix http:9,echo@7:1 --rate 1k",
        "a thousand connections a second, nine of ten over HTTP, the tenth an echo on port 7", false},
    {CMD_LOAD, "tern load http://198.18.0.1/ --dev tap:tern1 --ip 198.18.1.1/15 --search --slo 'p99<20ms,failed<0.01%'",
        "the highest rate at which the goals are met, by doubling and bisection", false},
    {CMD_LOAD, "tern load 198.18.0.1:80 --dev tap:tern1 --ip 198.18.1.1/15 --capture run.pcapng --capture-packets 1000",
        "the first thousand packets in a file", false},
    {CMD_DOCTOR, "tern doctor",
        "a line a finding", true},
    {CMD_EXPLAIN, "tern explain lab.yml",
        "what load, serve and pair make of the file", false},
    {CMD_EXPLAIN, "tern explain --preset rfc9411-cps",
        "the options behind a name", true},
    {CMD_COMPARE, "tern compare before.json after.json --html compared.html",
        "what a change has changed", false},
    {CMD_DECODE, "tern decode trace.pcap",
        "every frame, field by field, and its bytes", false},
    {CMD_DECODE, "tern decode trace.pcapng --detail summary --explain",
        "a line a frame, and what it does to both ends", false},
    {CMD_DECODE, "tern decode run.pcapng --detail summary",
        "what 'tern load --capture run.pcapng' kept, a line a frame", false},
    {CMD_DECODE, "tern decode trace.pcap --filter tcp --packets 20",
        "the first twenty TCP segments", false},
    {CMD_DECODE, "tern decode trace.pcap --name 198.18.0.1=client --name 198.18.0.2=server",
        "hosts by name", false},
    {CMD_DECODE, "tern decode - --detail summary",
        "what 'tshark -w -' pipes into it", false},
    {CMD_TOP, "tern top",
        "all connections of the one tern that runs", false},
    {CMD_TOP, "tern top --every 1s --port 80 --state established",
        "those of port 80, every second", false},
    {CMD_TOP, "tern top 4711 --addr 198.18.0.0/24",
        "those with a network, of one process", false},
};
// clang-format on

enum {
    N_COMMANDS = sizeof commands / sizeof commands[0],
    N_EXAMPLES = sizeof examples / sizeof examples[0],
};

uint32_t app_command_count(void)
{
    return N_COMMANDS;
}

const struct app_command *app_command_at(uint32_t i)
{
    return &commands[i];
}

const struct app_command *app_command_find(const char *name)
{
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

const struct app_command *app_command_of(uint32_t bit)
{
    for (int i = 0; i < N_COMMANDS; i++)
        if (commands[i].bit == bit)
            return &commands[i];
    assert(false && "a command without a row");
    return NULL;
}

uint32_t app_example_count(void)
{
    return N_EXAMPLES;
}

const struct app_example *app_example_at(uint32_t i)
{
    return &examples[i];
}
