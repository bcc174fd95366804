/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * One option, once: its name, the commands that know it, the field it sets, what it may be, and the
 * sentence that explains it. The command line, the configuration file, --help, the manual page and
 * the shells' completion are all made from these rows. Each area keeps its rows in a file of its
 * own (rows_*.c) and exports them as one table, which rows.c lists.
 */
#include "settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The subcommands, a bit each: struct app_opt_row.commands says who knows an option. */
enum app_command_bit {
    CMD_PAIR = 1 << 0,
    CMD_SERVE = 1 << 1,
    CMD_LOAD = 1 << 2,
    CMD_DOCTOR = 1 << 3,
    CMD_EXPLAIN = 1 << 4,
    CMD_COMPARE = 1 << 5,
    CMD_DECODE = 1 << 6,
    CMD_TOP = 1 << 7,
};
/** Those that run the engine. */
#define CMD_ENDS (CMD_PAIR | CMD_SERVE | CMD_LOAD)

/** Headings of the help, in this order. */
enum app_opt_group {
    APP_GROUP_DECODE,
    APP_GROUP_TOP,
    APP_GROUP_PAIR,
    APP_GROUP_SERVICE,
    APP_GROUP_DEVICE,
    APP_GROUP_LOAD,
    APP_GROUP_HTTP,
    APP_GROUP_GOAL,
    APP_GROUP_ENGINE,
    APP_GROUP_ADDRESS,
    APP_GROUP_TCP,
    APP_GROUP_IMPAIR,
    APP_GROUP_RUN,
    APP_GROUP_REPORT,
    APP_GROUP_CAPTURE,
    APP_GROUP_CONFIG,
    APP_GROUP_COUNT,
};

enum app_opt_kind {
    OPT_FLAG,     /**< sets a bool */
    OPT_FLAG_OFF, /**< clears a bool */
    OPT_U64,
    OPT_U32,
    OPT_U16,
    OPT_U8,
    OPT_NS,     /**< a duration, in a uint64_t */
    OPT_MS,     /**< a duration of whole milliseconds, in a uint32_t */
    OPT_CHOICE, /**< one of `choices`; its index goes into an enum or a uint32_t */
    OPT_TEXT,   /**< kept as it was typed */
    OPT_CALL,   /**< `call` reads it */
    OPT_HELP,   /**< prints the help */
};

struct app_opt_row {
    const char *name; /**< without the dashes; also the key in a configuration file */
    char letter;      /**< 0: none */
    bool positional;  /**< a bare word of the line, not --name; in a file a key like the others */
    bool line_only;   /**< makes no sense in a file */
    bool many;        /**< may be said again, and adds */
    uint8_t group;    /**< enum app_opt_group */
    enum app_opt_kind kind;
    uint32_t commands;          /**< CMD_* */
    uint32_t offset;            /**< of the field in struct app_settings; APP_FIELD */
    const char *arg;            /**< "N", "FILE"; NULL for a flag */
    uint64_t min, max;          /**< of a number or a duration, inclusive; in its unit */
    const char *const *choices; /**< ends with NULL; for OPT_CALL what it is known to take */
    const char *standard;       /**< the default: a value, or in words; NULL: none worth telling */
    const char *unit;           /**< "bytes"; NULL: it has none, or the kind says it */
    const char *help;           /**< without range and default, which are added */
    int (*call)(struct app_settings *s, const char *text, struct tern_error *err);
};

/** The rows of one area. */
struct app_opt_rows {
    const struct app_opt_row *rows;
    uint32_t n;
};
#define APP_OPT_ROWS(table)                                                                        \
    {                                                                                              \
        .rows = (table), .n = sizeof(table) / sizeof(table)[0]                                     \
    }

/* A field's offset, and that the field has the type its kind writes: else it does not compile. */
#define APP_FIELD(field, type)                                                                     \
    (offsetof(struct app_settings, field) + _Generic(((struct app_settings *)0)->field, type : 0))
// clang-format off
#define APP_FLAG(f)            .kind = OPT_FLAG, .offset = APP_FIELD(f, bool)
#define APP_FLAG_OFF(f)        .kind = OPT_FLAG_OFF, .offset = APP_FIELD(f, bool)
#define APP_U64(f, lo, hi)     .kind = OPT_U64, .offset = APP_FIELD(f, uint64_t), .min = (lo), .max = (hi)
#define APP_U32(f, lo, hi)     .kind = OPT_U32, .offset = APP_FIELD(f, uint32_t), .min = (lo), .max = (hi)
#define APP_U16(f, lo, hi)     .kind = OPT_U16, .offset = APP_FIELD(f, uint16_t), .min = (lo), .max = (hi)
#define APP_U8(f, lo, hi)      .kind = OPT_U8, .offset = APP_FIELD(f, uint8_t), .min = (lo), .max = (hi)
#define APP_NS(f, lo, hi)      .kind = OPT_NS, .offset = APP_FIELD(f, uint64_t), .min = (lo), .max = (hi)
#define APP_MS(f, lo, hi)      .kind = OPT_MS, .offset = APP_FIELD(f, uint32_t), .min = (lo), .max = (hi)
#define APP_CHOICE(f, type, c) .kind = OPT_CHOICE, .offset = APP_FIELD(f, type), .choices = (c)
#define APP_TEXT(f)            .kind = OPT_TEXT, .offset = APP_FIELD(f, const char *)
#define APP_CALL(fn)           .kind = OPT_CALL, .call = (fn)
// clang-format on

/* ---- all rows, whatever the area ---- */

enum { APP_OPT_ROWS_MAX = 192 }; /**< over all areas; settings.h keeps a bit of each */

uint32_t app_opt_count(void);

/** Row `i` of 0..app_opt_count()-1: area by area, as listed. */
const struct app_opt_row *app_opt_at(uint32_t i);

/** Where `row` is among all. */
uint32_t app_opt_index(const struct app_opt_row *row);

/** The row of that name that one of `commands` knows, or NULL. */
const struct app_opt_row *app_opt_find(uint32_t commands, const char *name);

/** The bare word number one of a command, or NULL: it takes none. */
const struct app_opt_row *app_opt_positional(uint32_t command);

/** "Workers and memory" */
const char *app_opt_group_title(enum app_opt_group group);

/** How many there are before the NULL. */
static inline uint32_t app_opt_n_choices(const char *const *choices)
{
    uint32_t n = 0;
    while (choices[n] != NULL)
        n++;
    return n;
}

/* ---- one value ---- */

/** Whether it has no argument: said, or in a file true or false. */
static inline bool app_opt_is_flag(const struct app_opt_row *row)
{
    return row->kind == OPT_FLAG || row->kind == OPT_FLAG_OFF;
}

/** Store `text` in the row's field, checked; of a flag "", "true" or "false". @return 0, or -EINVAL
 * with one line in *err */
int app_opt_set(const struct app_opt_row *row, struct app_settings *s, const char *text,
    struct tern_error *err);

enum { APP_OPT_TEXT_BYTES = 512 };

/** The sentence with range and default: "worker threads an end (1..64, default 1)". @return buf */
char *app_opt_describe(const struct app_opt_row *row, char buf[APP_OPT_TEXT_BYTES]);

/** The value that was set, in plain numbers with their unit: "9000 bytes"; "" where the text says
 * it all. @return buf */
char *app_opt_value_text(
    const struct app_opt_row *row, const struct app_settings *s, char buf[APP_OPT_TEXT_BYTES]);
