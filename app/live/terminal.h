/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The terminal that stdout is, taken for a screen and given back. There is one in a process, and
 * signals have to find it, so its state is the file's own. All but the handlers of deadly signals
 * runs on the main thread.
 */
#include <stdbool.h>
#include <stddef.h>

/** Can it place its cursor, and is it this process' to write on? */
bool app_terminal_fits(void);

/** Before other threads are made: from here on Ctrl-Z waits for app_terminal_heed(). */
void app_terminal_prepare(void);

/** Take it, unless it is taken. What anybody prints from now on is kept. @return it is taken */
bool app_terminal_enter(void);

/** Between frames: stop where Ctrl-Z was typed; take what a stop gave back; follow its size.
 * @return a frame may be drawn: it is ours, and can take one */
bool app_terminal_heed(void);

/** Give it back for good, and print what was kept. Nothing when it was not taken. */
void app_terminal_leave(void);

/** Undo app_terminal_prepare(). */
void app_terminal_close(void);

/** The end of what was printed since it was taken. @return bytes, without a final zero */
size_t app_terminal_said(char *buf, size_t n_bytes);
