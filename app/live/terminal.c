/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever ends this process, the user's shell gets its terminal as it was. In order: leave(). By
 * exit(): the same. By a signal that kills (a failed assertion, a fault, Ctrl-\): the handler
 * writes the same bytes, which were put together beforehand, as curses may not be called there.
 *
 * curses would take SIGINT, SIGTERM and SIGTSTP itself, on any thread that it likes; its handlers
 * are taken away again. The first two are the run's. The third is blocked and asked for between
 * frames, so that nobody is in the middle of a frame when the process stops.
 *
 * What anybody prints while the screen is shown (stdout, and stderr when that is a terminal) goes
 * to a file in memory instead, and to where it was meant when the screen is gone.
 */
#include "terminal.h"

#include "pen.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <term.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum {
    EXIT_BYTES = 256,
    KEPT_MAX = 1 << 20, /* of what is printed meanwhile; what is older than that is given up */
    COPY_BYTES = 4096,
};

static const int deadly[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGQUIT};
enum { N_DEADLY = sizeof deadly / sizeof deadly[0] };

static struct {
    SCREEN *screen; /* NULL: never taken */
    FILE *tty;
    int kept_fd;            /* what was printed meanwhile */
    int real_out, real_err; /* where it was meant; real_err -1: it went there */
    struct termios as_found;
    char exit_text[EXIT_BYTES]; /* makes the terminal what it was */
    size_t exit_bytes;
    struct sigaction before[N_DEADLY];
    volatile sig_atomic_t is_ours;
    bool is_prepared, is_stopped;
} t = {.kept_fd = -1, .real_out = -1, .real_err = -1};

/* ---- back as it was; what may be called from a handler ---- */

static void write_all(int fd, const char *text, size_t n_bytes)
{
    while (n_bytes > 0) {
        const ssize_t n = write(fd, text, n_bytes);
        if (n <= 0 && errno != EINTR)
            return;
        text += n > 0 ? n : 0;
        n_bytes -= n > 0 ? (size_t)n : 0;
    }
}

static void print_kept(void)
{
    char text[COPY_BYTES];
    off_t at = 0;
    ssize_t n;
    while ((n = pread(t.kept_fd, text, sizeof text, at)) > 0) {
        write_all(t.real_out, text, (size_t)n);
        at += n;
    }
    if (ftruncate(t.kept_fd, 0) != 0)
        return; /* of a file in memory: does not happen */
}

static void give_prints_back(void)
{
    dup2(t.real_out, STDOUT_FILENO);
    if (t.real_err >= 0)
        dup2(t.real_err, STDERR_FILENO);
    print_kept();
}

static void on_deadly(int signal)
{
    if (t.is_ours) {
        t.is_ours = 0;
        write_all(t.real_out, t.exit_text, t.exit_bytes);
        tcsetattr(t.real_out, TCSANOW, &t.as_found);
        give_prints_back();
    }
    raise(signal); /* blocked by now, and the default from when this returns */
}

/* ---- taking it ---- */

static bool is_foreground(int fd)
{
    return tcgetpgrp(fd) == getpgrp();
}

bool app_terminal_fits(void)
{
    int why;
    if (isatty(STDOUT_FILENO) == 0 || !is_foreground(STDOUT_FILENO)
        || setupterm(NULL, STDOUT_FILENO, &why) != OK)
        return false;
    const bool fits = cursor_address != NULL;
    del_curterm(cur_term);
    return fits;
}

static int put_exit_byte(int byte)
{
    if (t.exit_bytes < sizeof t.exit_text)
        t.exit_text[t.exit_bytes++] = (char)byte;
    return byte;
}

static void keep_exit_text(void)
{
    const char *const parts[] = {exit_attribute_mode, orig_pair, cursor_normal, exit_ca_mode};
    t.exit_bytes = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i] != NULL)
            tputs(parts[i], 1, put_exit_byte);
}

/* curses, without the handlers it sets. */
static SCREEN *new_screen(void)
{
    static const int its_own[] = {SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
    struct sigaction before[sizeof its_own / sizeof its_own[0]];
    for (size_t i = 0; i < sizeof its_own / sizeof its_own[0]; i++)
        sigaction(its_own[i], NULL, &before[i]);
    SCREEN *screen = newterm(NULL, t.tty, stdin);
    for (size_t i = 0; i < sizeof its_own / sizeof its_own[0]; i++)
        sigaction(its_own[i], &before[i], NULL);
    return screen;
}

static void set_up_curses(void)
{
    cbreak();
    noecho();
    typeahead(-1); /* a key does not cut a frame short */
    curs_set(0);
    if (has_colors()) {
        start_color();
        use_default_colors();
        app_pen_make_inks();
    }
    keep_exit_text();
}

static bool open_screen(void)
{
    setlocale(LC_CTYPE, "");
    t.real_out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    t.real_err = isatty(STDERR_FILENO) ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0) : -1;
    t.kept_fd = memfd_create("tern-printed", MFD_CLOEXEC);
    const int tty_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    t.tty = tty_fd < 0 ? NULL : fdopen(tty_fd, "w");
    if (t.real_out < 0 || t.kept_fd < 0 || t.tty == NULL || tcgetattr(t.real_out, &t.as_found) != 0)
        return false;
    fcntl(t.kept_fd, F_SETFL, O_APPEND); /* whoever prints, and through whichever stream */
    t.screen = new_screen();
    if (t.screen == NULL)
        return false;
    set_up_curses();
    atexit(app_terminal_leave);
    return true;
}

static void set_handlers(void)
{
    struct sigaction action = {.sa_handler = on_deadly, .sa_flags = (int)SA_RESETHAND};
    sigfillset(&action.sa_mask);
    for (int i = 0; i < N_DEADLY; i++)
        sigaction(deadly[i], &action, &t.before[i]);
}

static void take(void)
{
    fflush(NULL);
    set_handlers();
    t.is_ours = 1;
    clearok(curscr, TRUE);
    refresh();
    dup2(t.kept_fd, STDOUT_FILENO);
    if (t.real_err >= 0)
        dup2(t.kept_fd, STDERR_FILENO);
}

bool app_terminal_enter(void)
{
    if (t.is_ours)
        return true;
    if (t.screen == NULL && !open_screen())
        return false;
    take();
    return true;
}

/* ---- while it is taken ---- */

static void give_back(void)
{
    fflush(NULL);
    flushinp();
    endwin();
    t.is_ours = 0;
    for (int i = 0; i < N_DEADLY; i++)
        sigaction(deadly[i], &t.before[i], NULL);
    give_prints_back();
}

static bool block_stop(int how)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    return pthread_sigmask(how, &stop, NULL) == 0;
}

void app_terminal_prepare(void)
{
    t.is_prepared = block_stop(SIG_BLOCK);
}

static bool was_asked_to_stop(void)
{
    static const struct timespec at_once = {0};
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    return sigtimedwait(&stop, NULL, &at_once) == SIGTSTP;
}

/* As if it had not been blocked: nothing happens where no shell would ever continue us. */
static void stop_here(void)
{
    block_stop(SIG_UNBLOCK);
    raise(SIGTSTP);
    block_stop(SIG_BLOCK);
}

static void follow_size(void)
{
    struct winsize size;
    if (ioctl(t.real_out, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0
        || !is_term_resized(size.ws_row, size.ws_col))
        return;
    resizeterm(size.ws_row, size.ws_col);
    clearok(curscr, TRUE);
}

/* A terminal that was stopped (Ctrl-S) is not waited for: the run goes on. */
static bool takes_bytes(void)
{
    struct pollfd tty = {.fd = t.real_out, .events = POLLOUT};
    return poll(&tty, 1, 0) == 1 && (tty.revents & POLLOUT) != 0;
}

static void forget_old(void)
{
    if (lseek(t.kept_fd, 0, SEEK_END) > KEPT_MAX && ftruncate(t.kept_fd, 0) == 0)
        dprintf(t.kept_fd, "tern: more was printed here than is kept\n");
}

bool app_terminal_heed(void)
{
    if (was_asked_to_stop()) {
        if (t.is_ours)
            give_back();
        t.is_stopped = true;
        stop_here();
    }
    if (t.is_stopped && is_foreground(t.real_out)) {
        t.is_stopped = false;
        take();
    }
    if (!t.is_ours || !takes_bytes())
        return false;
    follow_size();
    forget_old();
    return true;
}

size_t app_terminal_said(char *buf, size_t n_bytes)
{
    fflush(stdout);
    const off_t size = lseek(t.kept_fd, 0, SEEK_END);
    const off_t from = size > (off_t)n_bytes ? size - (off_t)n_bytes : 0;
    const ssize_t n = pread(t.kept_fd, buf, n_bytes, from);
    return n > 0 ? (size_t)n : 0;
}

/* ---- the end ---- */

void app_terminal_leave(void)
{
    if (t.is_ours)
        give_back();
}

void app_terminal_close(void)
{
    app_terminal_leave();
    if (t.is_prepared)
        block_stop(SIG_UNBLOCK);
    t.is_prepared = false;
}
