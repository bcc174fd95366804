/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tern top: the connections of a tern that runs, as `ss -ti` shows the kernel's; once, or again and
 * again. The workers go on meanwhile.
 *
 * A round is put together in memory and written at once: over a terminal's whole screen, or, into
 * anything else, one after the other with an empty line between.
 */
#include "cmd.h"
#include "error.h"
#include "opt/parse.h"
#include "sample.h"
#include "top/conns.h"
#include "top/summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { SUMMARY_LINES = 3 }; /* with the empty one below */
#define SECOND_NS  UINT64_C(1000000000)
#define TO_THE_TOP "\033[H\033[J"

/** What stays from round to round. */
struct watch {
    const struct app_top_settings *s;
    struct app_process process;
    struct app_top_sample samples[2]; /* of this round and the last, in turn */
    uint64_t n_rounds;
    bool is_screen;
};

static uint32_t lines_left(const struct watch *w)
{
    struct winsize size;
    if (!w->is_screen || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
        return UINT32_MAX;
    return size.ws_row > SUMMARY_LINES ? size.ws_row - SUMMARY_LINES : 0;
}

static int print_summary(FILE *out, struct watch *w, struct tern_error *err)
{
    struct app_top_sample *now = &w->samples[w->n_rounds % 2];
    const struct app_top_sample *before = &w->samples[(w->n_rounds + 1) % 2];
    const int rc = app_top_sample_take(&w->process, now, err);
    if (rc != 0)
        return rc;
    fputs(w->is_screen ? TO_THE_TOP : w->n_rounds > 0 ? "\n" : "", out);
    app_top_print_summary(out, &w->process, w->n_rounds > 0 ? before : NULL, now);
    fputc('\n', out);
    return 0;
}

static int write_out(const char *text, size_t n_bytes, struct tern_error *err)
{
    if (fwrite(text, 1, n_bytes, stdout) == n_bytes && fflush(stdout) == 0)
        return 0;
    return app_refuse(err, "top: cannot write: %s; send the output elsewhere", strerror(errno));
}

static int show_round(struct watch *w, struct tern_error *err)
{
    char *text = NULL;
    size_t n_bytes = 0;
    FILE *out = open_memstream(&text, &n_bytes);
    if (out == NULL)
        return app_refuse(err, "top: out of memory; free some");
    int rc = w->s->every_ns != 0 ? print_summary(out, w, err) : 0;
    if (rc == 0)
        rc = app_top_print_conns(out, &w->process, w->s, lines_left(w), err);
    fclose(out);
    if (rc == 0)
        rc = write_out(text, n_bytes, err);
    free(text);
    w->n_rounds++;
    return rc;
}

static void wait_until(uint64_t at_ns)
{
    const uint64_t now = app_now_ns();
    const uint64_t left = at_ns > now ? at_ns - now : 0;
    const struct timespec t = {
        .tv_sec = (time_t)(left / SECOND_NS), .tv_nsec = (long)(left % SECOND_NS)};
    nanosleep(&t, NULL);
}

/** @return 0: all rounds are shown, or it has ended meanwhile */
static int watch(struct watch *w, struct tern_error *err)
{
    uint64_t due_ns = app_now_ns();
    w->is_screen = w->s->every_ns != 0 && isatty(STDOUT_FILENO);
    for (;;) {
        const int rc = show_round(w, err);
        if (rc != 0)
            return rc == -ESHUTDOWN && w->n_rounds > 1 ? 0 : rc;
        if (w->s->every_ns == 0 || w->n_rounds == w->s->rounds)
            return 0;
        due_ns += w->s->every_ns;
        wait_until(due_ns);
    }
}

static int check(const struct app_settings *s, struct tern_error *err)
{
    if (s->top.rounds == 0 || s->top.every_ns != 0)
        return 0;
    return app_refuse(err, "top: --rounds is for repeated looks; add --every 1s");
}

int app_cmd_top(int argc, char **argv)
{
    struct tern_error err = {.text = ""};
    struct app_settings s;
    struct watch w = {.s = &s.top};
    app_settings_init(&s, CMD_TOP);
    int rc = app_opt_parse(argc, argv, &s, &err);
    if (rc == APP_HELP_GIVEN)
        return APP_EXIT_OK;
    if (rc == 0)
        rc = check(&s, &err);
    if (rc == 0)
        rc = app_process_open(&w.process, s.top.pid, &err);
    if (rc != 0)
        return app_report_error(APP_EXIT_USAGE, &err);
    rc = watch(&w, &err);
    app_process_close(&w.process);
    return rc == 0 ? APP_EXIT_OK : app_report_error(APP_EXIT_RUN, &err);
}
