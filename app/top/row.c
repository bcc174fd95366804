/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The columns and names are those of ss(8), so that the two ends of a connection can be read side
 * by side: Recv-Q is what the application has not consumed, Send-Q what the peer has not
 * acknowledged, cwnd and ssthresh are in segments, times in milliseconds. What ss counts and tern
 * keeps nowhere (bytes since the beginning) is left out; what only tern knows comes last.
 */
#include "row.h"

#include "process.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

enum { END_BYTES = 64, TEXT_BYTES = 48 };

/* ---- parts ---- */

/** A text of the other process: without what a terminal would obey. */
static const char *text_of(const json_t *conn, const char *name, char buf[TEXT_BYTES])
{
    const char *text = json_string_value(json_object_get(conn, name));
    size_t n = 0;
    for (; text != NULL && text[n] != '\0' && n + 1 < TEXT_BYTES; n++)
        buf[n] = (char)(isprint((unsigned char)text[n]) ? text[n] : '?');
    buf[n] = '\0';
    return buf;
}

/** RFC 9293's word, or ss's where that is shorter. */
static const char *state_of(const json_t *conn, char buf[TEXT_BYTES])
{
    text_of(conn, "state", buf);
    if (strcmp(buf, "ESTABLISHED") == 0)
        return "ESTAB";
    return strcmp(buf, "SYN-RECEIVED") == 0 ? "SYN-RECV" : buf;
}

static const char *end_of(
    const json_t *conn, const char *addr, const char *port, char buf[END_BYTES])
{
    char text[TEXT_BYTES];
    const bool is_v6 = strchr(text_of(conn, addr, text), ':') != NULL;
    snprintf(buf, END_BYTES, "%s%s%s:%" PRIu64, is_v6 ? "[" : "", text, is_v6 ? "]" : "",
        app_number(conn, port));
    return buf;
}

static double ms(const json_t *conn, const char *name)
{
    return (double)app_number(conn, name) / 1000;
}

static double segments(const json_t *conn, const char *name)
{
    const uint64_t mss = app_number(conn, "mss_bytes");
    return mss == 0 ? 0 : (double)app_number(conn, name) / (double)mss;
}

/* ---- the second line ---- */

static void print_flag(FILE *out, const json_t *conn, const char *field, const char *word)
{
    if (app_number(conn, field) != 0)
        fprintf(out, " %s", word);
}

/** NAME:N, where it is not 0 */
static void print_number(FILE *out, const json_t *conn, const char *field, const char *word)
{
    const uint64_t n = app_number(conn, field);
    if (n != 0)
        fprintf(out, " %s:%" PRIu64, word, n);
}

static void print_negotiated(FILE *out, const json_t *conn)
{
    char cc[TEXT_BYTES];
    print_flag(out, conn, "timestamps", "ts");
    print_flag(out, conn, "sack", "sack");
    print_flag(out, conn, "ecn", "ecn");
    fprintf(out, " %s", text_of(conn, "cc", cc));
    if (app_number(conn, "window_scale") != 0)
        fprintf(out, " wscale:%" PRIu64 ",%" PRIu64, app_number(conn, "snd_wscale"),
            app_number(conn, "rcv_wscale"));
}

static void print_path(FILE *out, const json_t *conn)
{
    fprintf(out, " rto:%g", ms(conn, "rto_us"));
    if (app_number(conn, "srtt_us") != 0)
        fprintf(out, " rtt:%g/%g", ms(conn, "srtt_us"), ms(conn, "rttvar_us"));
    if (app_number(conn, "min_rtt_us") != 0)
        fprintf(out, " minrtt:%g", ms(conn, "min_rtt_us"));
    fprintf(out, " mss:%" PRIu64 " cwnd:%.4g", app_number(conn, "mss_bytes"),
        segments(conn, "cwnd_bytes"));
    if (app_number(conn, "ssthresh_bytes") < UINT32_MAX)
        fprintf(out, " ssthresh:%.4g", segments(conn, "ssthresh_bytes"));
    if (app_number(conn, "pacing_bytes_per_s") != 0)
        fprintf(out, " pacing_rate %" PRIu64 "bps", app_number(conn, "pacing_bytes_per_s") * 8);
}

static void print_details(FILE *out, const json_t *conn)
{
    fputc('\t', out);
    print_negotiated(out, conn);
    print_path(out, conn);
    print_number(out, conn, "unacked_bytes", "unacked_bytes");
    print_number(out, conn, "queued_bytes", "notsent");
    print_number(out, conn, "pipe_bytes", "inflight_bytes");
    print_number(out, conn, "unanswered", "unanswered");
    print_flag(out, conn, "recovering", "recovering");
    fprintf(out, " rcv_space:%" PRIu64, app_number(conn, "rcv_buf_bytes"));
    fprintf(out, " snd_wnd:%" PRIu64 " rcv_wnd:%" PRIu64, app_number(conn, "snd_wnd_bytes"),
        app_number(conn, "rcv_wnd_bytes"));
    fprintf(out, " worker:%" PRIu64 ".%" PRIu64 "\n", app_number(conn, "endpoint"),
        app_number(conn, "worker"));
}

/* ---- both ---- */

void app_top_print_head(FILE *out)
{
    fprintf(out, "%-11s %9s %9s %30s %30s\n", "State", "Recv-Q", "Send-Q", "Local Address:Port",
        "Peer Address:Port");
}

void app_top_print_row(FILE *out, const json_t *conn)
{
    char state[TEXT_BYTES], timer[TEXT_BYTES], local[END_BYTES], remote[END_BYTES];
    fprintf(out, "%-11s %9" PRIu64 " %9" PRIu64 " %30s %30s", state_of(conn, state),
        app_number(conn, "unread_bytes"),
        app_number(conn, "unacked_bytes") + app_number(conn, "queued_bytes"),
        end_of(conn, "local", "lport", local), end_of(conn, "remote", "rport", remote));
    if (strcmp(text_of(conn, "timer", timer), "none") != 0)
        fprintf(out, " timer:(%s,%gms,%" PRIu64 ")", timer, ms(conn, "timer_us"),
            app_number(conn, "unanswered"));
    fputc('\n', out);
    print_details(out, conn);
}
