/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * How soon a worker polls again: interrupt moderation, for polling.
 *
 * A poll that finds work costs some hundred nanoseconds before the first packet: rings whose lines
 * the other side wrote last, a burst of buffers taken and given back, one transmission. At a
 * middling load polls find three or four packets, and these costs are a third of all. So a worker
 * that found few waits until an interval after the poll's beginning: packets gather meanwhile. An
 * idle worker never waits (what comes after a silence is seen at once), nor does one that has found
 * many.
 *
 * Where the peers wait for our answers (few connections, each with one request under way) waiting
 * brings no more packets, it only slows everybody down, and nothing in a single poll tells. But the
 * rate does: some windows without waiting are measured, then a run of windows with it. When in
 * these fewer packets come, waiting is given up for a while: twice as long each time it proves
 * wrong, half as long after each run that proved right. Both ends may do so at once, and blur what
 * the other sees.
 *
 *   free ------ enough packets an interval, and the pause is over ------> moderated
 *   moderated - a window with a quarter less, a run with an eighth -----> free, with a pause
 *   moderated - a run of MODERATION_WINDOWS as good as free -------------> free, to measure again
 *
 * Rejected: waiting by the number of packets alone (it halved what 8 connections could ask), and
 * asking the device how many wait (memif does not tell).
 */
#include "wire/hint.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TERN_MODERATION_ENOUGH = 16,      /* packets: a burst that need not grow */
    TERN_MODERATION_WORTH = 2,        /* packets an interval, from which waiting pays */
    TERN_MODERATION_WINDOW = 64,      /* intervals in a window */
    TERN_MODERATION_FREE_WINDOWS = 4, /* that are measured … */
    TERN_MODERATION_WINDOWS = 64,     /* … before a moderated run of so many */
    TERN_MODERATION_PAUSE_MIN = 4,    /* free windows after waiting proved wrong, at first … */
    TERN_MODERATION_PAUSE_MAX = 1024, /* … and at most */
};

struct tern_moderation {
    uint64_t interval_cycles; /* 0: never waits */
    uint64_t window_begin;    /* cycles */
    uint64_t n_packets;       /* in this window */
    uint64_t sum;             /* of rates (packets a window) that are measured now */
    uint64_t free_rate;       /* mean of the last free windows measured */
    uint32_t windows_left;    /* of this run; free: with its pause */
    uint32_t pause;           /* windows of the next pause */
    bool moderated;
};

static inline struct tern_moderation tern_moderation_make(uint64_t interval_cycles)
{
    return (struct tern_moderation){
        .interval_cycles = interval_cycles,
        .windows_left = TERN_MODERATION_FREE_WINDOWS,
        .pause = TERN_MODERATION_PAUSE_MIN,
    };
}

static inline void tern_moderation_be_free(struct tern_moderation *m, uint32_t pause)
{
    m->moderated = false;
    m->sum = 0;
    m->windows_left = pause + TERN_MODERATION_FREE_WINDOWS;
}

/** Waiting made the peers slower: leave them alone for a while. */
static inline void tern_moderation_give_up(struct tern_moderation *m)
{
    tern_moderation_be_free(m, m->pause);
    if (m->pause < TERN_MODERATION_PAUSE_MAX)
        m->pause *= 2;
}

static inline void tern_moderation_end_free(struct tern_moderation *m, uint64_t rate)
{
    if (m->windows_left <= TERN_MODERATION_FREE_WINDOWS)
        m->sum += rate;
    if (--m->windows_left > 0)
        return;
    m->free_rate = m->sum / TERN_MODERATION_FREE_WINDOWS;
    tern_moderation_be_free(m, 0);
    m->moderated = m->free_rate >= (uint64_t)TERN_MODERATION_WORTH * TERN_MODERATION_WINDOW;
    if (m->moderated)
        m->windows_left = TERN_MODERATION_WINDOWS;
}

static inline void tern_moderation_end_moderated(struct tern_moderation *m, uint64_t rate)
{
    m->sum += rate;
    if (rate < m->free_rate - m->free_rate / 4) {
        tern_moderation_give_up(m);
    } else if (--m->windows_left > 0) {
        return;
    } else if (m->sum / TERN_MODERATION_WINDOWS < m->free_rate - m->free_rate / 8) {
        tern_moderation_give_up(m);
    } else {
        m->pause = m->pause > TERN_MODERATION_PAUSE_MIN ? m->pause / 2 : m->pause;
        tern_moderation_be_free(m, 0);
    }
}

static inline void tern_moderation_end_window(struct tern_moderation *m, uint64_t cycles)
{
    const uint64_t n_cycles = cycles - m->window_begin;
    const uint64_t rate = m->n_packets * TERN_MODERATION_WINDOW * m->interval_cycles / n_cycles;
    m->window_begin = cycles;
    m->n_packets = 0;
    if (m->moderated)
        tern_moderation_end_moderated(m, rate);
    else
        tern_moderation_end_free(m, rate);
}

/**
 * A poll that began at `cycles` had work, and received `n` packets.
 * @return  when the next poll is to begin, in cycles; 0: at once
 */
static inline uint64_t tern_moderation_next(struct tern_moderation *m, uint64_t cycles, uint32_t n)
{
    m->n_packets += n;
    if (unlikely(cycles - m->window_begin > TERN_MODERATION_WINDOW * m->interval_cycles)
        && m->interval_cycles != 0)
        tern_moderation_end_window(m, cycles);
    return m->moderated && n < TERN_MODERATION_ENOUGH ? cycles + m->interval_cycles : 0;
}
