/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `tern decode` as it is typed: capture files that this test writes, and what comes out. The seven
 * frames of Microsoft KB 172983 are compared with the table of their description field by field,
 * and as a whole with seven_frames.txt, which was read through once, line by line.
 *
 * Arguments: the program, seven_frames.txt. With --write as a third, that file is made anew.
 */
#include <tern/config.h>

#include "seven_frames.h"
#include "unit.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_BYTES = 1 << 18, PATH_BYTES = 128, LINE_BYTES = 1024, N_SEVEN = 7 };

static const char *program, *golden;
static char dir[] = "/tmp/tern_decode_XXXXXX";

/* ---- running it ---- */

struct outcome {
    int status;
    char text[TEXT_BYTES]; /* stdout and stderr */
};
static struct outcome seen;

static char *in_dir(const char *name)
{
    static char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

/* `tern decode …` in the directory of the test's files. */
__attribute__((format(printf, 1, 2))) static void decode(const char *format, ...)
{
    char args[LINE_BYTES], command[2 * LINE_BYTES];
    va_list list;
    va_start(list, format);
    vsnprintf(args, sizeof args, format, list);
    va_end(list);
    snprintf(
        command, sizeof command, "cd %s && timeout 60 '%s' decode %s 2>&1", dir, program, args);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    const size_t n = fread(seen.text, 1, sizeof seen.text - 1, out);
    seen.text[n] = '\0';
    const int status = pclose(out);
    assert_true(WIFEXITED(status));
    seen.status = WEXITSTATUS(status);
}

static void assert_says(const char *what)
{
    if (strstr(seen.text, what) == NULL)
        fail_msg("'%s' is not in:\n%s", what, seen.text);
}

static uint32_t count(const char *what)
{
    uint32_t n = 0;
    for (const char *at = seen.text; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

/* ---- files ---- */

/* When the seven frames were captured (KB 172983). */
static const double seven_times[N_SEVEN] = {
    2.0785, 2.0786, 2.787, 16.0279, 16.0281, 17.0085, 17.0085};

static void dump(pcap_dumper_t *to, int i, uint32_t n_captured, uint32_t from)
{
    enum { US_PER_S = 1000000 };
    const uint64_t us = (uint64_t)(seven_times[i] * US_PER_S + 0.5);
    const struct pcap_pkthdr h = {
        .ts = {.tv_sec = (long)(us / US_PER_S), .tv_usec = (long)(us % US_PER_S)},
        .caplen = n_captured,
        .len = (uint32_t)seven_frames[i].n - from,
    };
    pcap_dump((u_char *)to, &h, seven_frames[i].bytes + from);
}

/* The seven frames without their first `from` bytes, at most `snap` of each. */
static void write_seven(const char *name, int dlt, uint32_t from, uint32_t snap)
{
    pcap_t *p = pcap_open_dead(dlt, 65535);
    pcap_dumper_t *to = pcap_dump_open(p, in_dir(name));
    assert_non_null(to);
    for (int i = 0; i < N_SEVEN; i++) {
        const uint32_t n = (uint32_t)seven_frames[i].n - from;
        dump(to, i, n < snap ? n : snap, from);
    }
    pcap_dump_close(to);
    pcap_close(p);
}

static void put32_file(FILE *f, uint32_t v)
{
    assert_int_equal(fwrite(&v, sizeof v, 1, f), 1);
}

/* One enhanced packet block (pcapng §4.3); times count nanoseconds. */
static void write_block(FILE *f, int i)
{
    enum { ENHANCED_PACKET = 6, HEAD_BYTES = 32 };
    const uint32_t n = (uint32_t)seven_frames[i].n, padded = (n + 3) / 4 * 4;
    const uint64_t ns = (uint64_t)(seven_times[i] * 1e9 + 0.5);
    put32_file(f, ENHANCED_PACKET);
    put32_file(f, HEAD_BYTES + padded);
    put32_file(f, 0);
    put32_file(f, (uint32_t)(ns >> 32));
    put32_file(f, (uint32_t)ns);
    put32_file(f, n);
    put32_file(f, n);
    fwrite(seven_frames[i].bytes, n, 1, f);
    fwrite("\0\0\0", padded - n, 1, f);
    put32_file(f, HEAD_BYTES + padded);
}

static void write_pcapng(const char *name)
{
    static const uint32_t section[] = {0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0xffffffff, 0xffffffff, 28};
    /* Ethernet, no limit, if_tsresol 9: nanoseconds */
    static const uint32_t interface[] = {1, 32, 1, 0, 9 | 1 << 16, 9, 0, 32};
    FILE *f = fopen(in_dir(name), "wb");
    assert_non_null(f);
    fwrite(section, sizeof section, 1, f);
    fwrite(interface, sizeof interface, 1, f);
    for (int i = 0; i < N_SEVEN; i++)
        write_block(f, i);
    fclose(f);
}

static int make_files(void **state)
{
    (void)state;
    if (mkdtemp(dir) == NULL)
        return -1;
    write_seven("seven.pcap", DLT_EN10MB, 0, UINT32_MAX);
    write_seven("raw.pcap", DLT_RAW, 14, UINT32_MAX);
    write_seven("cut.pcap", DLT_EN10MB, 0, 40);
    write_pcapng("seven.pcapng");
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    char command[PATH_BYTES];
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

/* ---- the seven frames ---- */

/* What their description says of each (a table there, and the lines of its first frame). */
static const struct {
    const char *summary, *fields[24];
} seven[N_SEVEN] = {
    {"1 2.0785 NTW3 --> BDC3 TCP ....S., len: 4, seq: 8221822-8221825, ack: 0, win: 8192, "
     "src: 1037 dst: 139",
        {"IP: Identification = 0x0D01", "IP: Time to Live = 128 (0x80)", "Source Port = 0x040D",
            "Destination Port = 0x008B", "Sequence Number = 8221822 (0x7D747E)",
            "Acknowledgement Number = 0 (0x0)", "Data Offset = 24 (0x18)", "Reserved = 0 (0x0000)",
            "Flags = 0x02 : ....S.", "..0..... = No urgent data",
            "...0.... = Acknowledgement field not significant", "....0... = No Push function",
            ".....0.. = No Reset", "......1. = Synchronize sequence numbers", ".......0 = No Fin",
            "Window = 8192 (0x2000)", "Checksum = 0xF213\n", "Urgent Pointer = 0 (0x0)", "Options",
            "Option Kind (Maximum Segment Size) = 2 (0x2)", "Option Length = 4 (0x4)",
            "Option Value = 1460 (0x5B4)", "Frame Padding = 2 bytes, not zero: 20 20"}},
    {"2 2.0786 BDC3 --> NTW3 TCP .A..S., len: 4, seq: 1109645-1109648, ack: 8221823, win: 8760, "
     "src: 139 dst: 1037",
        {"Identification = 0x5B00", "Time to Live = 128", "Flags = 0x12 : .A..S.",
            "...1.... = Acknowledgement field significant", "Option Value = 1460",
            "Frame Padding = 2 bytes, not zero: 20 20"}},
    {"3 2.787 NTW3 --> BDC3 TCP .A...., len: 0, seq: 8221823-8221823, ack: 1109646, win: 8760, "
     "src: 1037 dst: 139",
        {"Identification = 0x0E01", "Data Offset = 20 (0x14)", "Flags = 0x10 : .A....",
            "Frame Padding = 6 bytes, not zero: 20 20 20 20 20 20"}},
    {"4 16.0279 192.94.222.123 --> 192.94.222.87 TCP .A...F, len: 0, seq: 186685100-186685100, "
     "ack: 3462835714, win: 8760, src: 2337 dst: 1352",
        {"Identification = 0x9BF5", "Time to Live = 128", "Flags = 0x11 : .A...F",
            ".......1 = No more data from sender"}},
    {"5 16.0281 192.94.222.87 --> 192.94.222.123 TCP .A...., len: 0, seq: 3462835714-3462835714, "
     "ack: 186685101, win: 28672, src: 1352 dst: 2337",
        {"Identification = 0xD282", "Time to Live = 63", "Frame Padding = 6 bytes, not zero"}},
    {"6 17.0085 192.94.222.87 --> 192.94.222.123 TCP .A...F, len: 0, seq: 3462835714-3462835714, "
     "ack: 186685101, win: 28672, src: 1352 dst: 2337",
        {"Identification = 0xD294", "Time to Live = 63",
            "Frame Padding = 6 bytes, not zero: 02 04 05 B4 86 00"}},
    {"7 17.0085 192.94.222.123 --> 192.94.222.87 TCP .A...., len: 0, seq: 186685101-186685101, "
     "ack: 3462835715, win: 8760, src: 2337 dst: 1352",
        {"Identification = 0xBAF5", "Time to Live = 128", "Flags = 0x10 : .A...."}},
};

#define NAMES "--name 131.107.2.214=NTW3 --name 131.107.2.211=BDC3"

/* The summary is a line of its own; behind it, in this order, come the fields, before the next. */
static const char *check_frame(const char *at, int i)
{
    const size_t n = strlen(seven[i].summary);
    if (strncmp(at, seven[i].summary, n) != 0 || at[n] != '\n')
        fail_msg("frame %d begins with %.150s", i + 1, at);
    const char *end = strstr(at, "\n\n");
    assert_non_null(end);
    for (int k = 0; k < 24 && seven[i].fields[k] != NULL; k++) {
        const char *found = strstr(at, seven[i].fields[k]);
        if (found == NULL || found > end)
            fail_msg("frame %d: no '%s' in its place", i + 1, seven[i].fields[k]);
        at = found;
    }
    return end + 2;
}

static void seven_frames_field_by_field(void **state)
{
    (void)state;
    decode("seven.pcap %s", NAMES);
    assert_int_equal(seen.status, 0);
    const char *at = seen.text;
    for (int i = 0; i < N_SEVEN; i++)
        at = check_frame(at, i);
    assert_int_equal(count("Option Kind"), 2); /* frame 6's padding is none */
    assert_int_equal(count("Frame Padding"), 5);
    assert_int_equal(count("wrong"), 0);
    assert_says("7 of 7 frames shown, 0 that tern would drop");
}

static void seven_frames_as_a_whole(void **state)
{
    (void)state;
    static char want[TEXT_BYTES];
    FILE *f = fopen(golden, "r");
    assert_non_null(f);
    want[fread(want, 1, sizeof want - 1, f)] = '\0';
    fclose(f);
    decode("seven.pcap --explain %s", NAMES);
    assert_string_equal(seen.text, want);
}

static void pcapng_reads_alike(void **state)
{
    (void)state;
    static char as_pcap[TEXT_BYTES];
    decode("seven.pcap");
    memcpy(as_pcap, seen.text, sizeof as_pcap);
    decode("seven.pcapng");
    assert_string_equal(seen.text, as_pcap);
    decode("- < seven.pcapng");
    assert_string_equal(seen.text, as_pcap);
}

static void raw_ip(void **state)
{
    (void)state;
    decode("raw.pcap --detail fields");
    assert_int_equal(seen.status, 0);
    assert_int_equal(count("Ethernet"), 0);
    assert_says("Link: Frame Padding = 6 bytes, not zero: 02 04 05 B4 86 00");
    assert_says("0 that tern would drop");
}

static void cut_capture(void **state)
{
    (void)state;
    decode("cut.pcap --detail fields --explain");
    assert_int_equal(seen.status, 0);
    assert_says("no whole header of IP protocol 6 (TCP) [40 of 60 bytes captured]");
    assert_says("tern: Verdict = unknown: 40 of 60 bytes were captured");
    assert_says("0 that tern would drop, 7 captured in part, 0 connections");
}

/* ---- choosing ---- */

static void filter_keeps_numbers(void **state)
{
    (void)state;
    decode("seven.pcap --detail summary --filter 'tcp[tcpflags] & tcp-fin != 0'");
    assert_int_equal(seen.status, 0);
    assert_int_equal(strncmp(seen.text, "4 16.0279 ", 10), 0);
    assert_says("\n6 17.0085 ");
    assert_says("2 of 7 frames shown");
}

static void packets_end_it(void **state)
{
    (void)state;
    decode("seven.pcap --detail summary --packets 3");
    assert_int_equal(count(" TCP "), 3);
    assert_says("3 of 3 frames shown");
}

static void times(void **state)
{
    (void)state;
    decode("seven.pcap --detail summary --time first");
    assert_says("1 0.0 131");
    assert_says("\n4 13.9494 ");
    decode("seven.pcap --detail summary --time delta");
    assert_says("\n2 0.0001 ");
    assert_says("\n7 0.0 ");
}

static void explains_both_ends(void **state)
{
    (void)state;
    decode("seven.pcap --detail summary --explain %s", NAMES);
    assert_says("State: NTW3:1037 CLOSED -> SYN-SENT: active OPEN sends SYN (RFC 9293 §3.10.1)");
    assert_says("State: BDC3:139 SYN-RECEIVED -> ESTABLISHED: its SYN is acknowledged");
    assert_says("192.94.222.123:2337 FIN-WAIT-2 -> TIME-WAIT: FIN arrives");
    assert_says("192.94.222.87:1352 LAST-ACK -> CLOSED: its FIN is acknowledged");
    assert_says("2 connections");
}

/* ---- what is wrong ---- */

static void write_bytes(const char *name, const void *bytes, size_t n)
{
    FILE *f = fopen(in_dir(name), "wb");
    assert_non_null(f);
    fwrite(bytes, n, 1, f);
    fclose(f);
}

/* A frame whose payload was changed on the way is shown, and what tern would do with it. */
static void wrong_checksum_is_said(void **state)
{
    (void)state;
    enum { FILE_HEADER_BYTES = 24, RECORD_HEADER_BYTES = 16, WINDOW_AT = 48 };
    char bytes[4096];
    FILE *f = fopen(in_dir("seven.pcap"), "rb");
    assert_non_null(f);
    const size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    bytes[FILE_HEADER_BYTES + RECORD_HEADER_BYTES + WINDOW_AT] ^= 1;
    write_bytes("wrong.pcap", bytes, n);
    decode("wrong.pcap --detail fields --explain --packets 1");
    assert_int_equal(seen.status, 0);
    assert_says("TCP: Checksum = 0xF213, wrong: 0xF113 would be right");
    assert_says("tern: Drop = tcp_csum: TCP checksum is wrong");
    assert_says("Note: not taken by its receiver (tcp_csum): moves nobody");
    assert_says("1 that tern would drop");
}

static void damaged_file_shows_what_is_whole(void **state)
{
    (void)state;
    char bytes[200];
    FILE *f = fopen(in_dir("seven.pcap"), "rb");
    assert_non_null(f);
    assert_int_equal(fread(bytes, 1, sizeof bytes, f), sizeof bytes);
    fclose(f);
    write_bytes("damaged.pcap", bytes, sizeof bytes);
    decode("damaged.pcap --detail summary");
    assert_int_equal(seen.status, 1);
    assert_int_equal(count(" TCP "), 2);
    assert_says("tern: decode: damaged.pcap cannot be read behind frame 2: truncated dump file");
}

static void lines_that_cannot_work(void **state)
{
    (void)state;
    static const struct {
        const char *args, *says;
    } rows[] = {
        {"", "a file is missing"},
        {"seven.pcap raw.pcap", "'raw.pcap' is one word too many"},
        {"nothing.pcap", "cannot read nothing.pcap: No such file"},
        {".", "is a directory"},
        {"text", "text is no capture that can be read: unknown file format"},
        {"empty", "empty is no capture that can be read"},
        {"usb.pcap", "link type 189 (USB_LINUX)"},
        {"seven.pcap --filter 'tcp prot 80'", "--filter 'tcp prot 80': "},
        {"seven.pcap --packets 0", "--packets: 0 is outside 1.."},
        {"seven.pcap --detail all", "--detail: 'all' is unknown"},
        {"seven.pcap --time now", "--time: 'now' is unknown"},
        {"seven.pcap --name 1.2.3=x", "--name: '1.2.3=x' is not IP=NAME"},
        {"seven.pcap --name 198.18.0.1=", "is not IP=NAME"},
        {"seven.pcap --name 198.18.0.1", "is not IP=NAME"},
        {"seven.pcap --nonsense", "unrecognized option '--nonsense'"},
    };
    write_bytes("text", "no capture at all, but long enough to be read\n", 46);
    write_bytes("empty", "", 0);
    write_seven("usb.pcap", DLT_USB_LINUX, 0, UINT32_MAX);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        decode("%s", rows[i].args);
        assert_int_equal(seen.status, 2);
        assert_int_equal(strncmp(seen.text, "tern: ", 6), 0);
        assert_int_equal(count("\n"), 1);
        assert_says(rows[i].says);
    }
}

static void full_disk_is_said(void **state)
{
    (void)state;
    decode("seven.pcap 2> err > /dev/full; status=$?; cat err; exit $status #");
    assert_int_equal(seen.status, 1);
    assert_says("tern: decode: cannot write: No space left on device");
}

static void help_shows_examples(void **state)
{
    (void)state;
    decode("--help");
    assert_int_equal(seen.status, 0);
    assert_says("Usage: tern decode [OPTION...] FILE");
    assert_says("\n  tern decode trace.pcapng --detail summary --explain\n");
}

/* ---- making seven_frames.txt anew ---- */

static int write_golden(void)
{
    if (make_files(NULL) != 0)
        return 1;
    decode("seven.pcap --explain %s", NAMES);
    FILE *f = fopen(golden, "w");
    const bool written = f != NULL && fputs(seen.text, f) >= 0 && fclose(f) == 0;
    return written ? remove_files(NULL) : 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seven_frames_field_by_field),
        cmocka_unit_test(seven_frames_as_a_whole),
        cmocka_unit_test(pcapng_reads_alike),
        cmocka_unit_test(raw_ip),
        cmocka_unit_test(cut_capture),
        cmocka_unit_test(filter_keeps_numbers),
        cmocka_unit_test(packets_end_it),
        cmocka_unit_test(times),
        cmocka_unit_test(explains_both_ends),
        cmocka_unit_test(wrong_checksum_is_said),
        cmocka_unit_test(damaged_file_shows_what_is_whole),
        cmocka_unit_test(lines_that_cannot_work),
        cmocka_unit_test(full_disk_is_said),
        cmocka_unit_test(help_shows_examples),
    };
    if (argc < 3
        || (program = realpath(argv[1], NULL)) == NULL) /* it is run in another directory */
        return 2;
    golden = argv[2];
    if (argc == 4 && strcmp(argv[3], "--write") == 0)
        return write_golden();
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
