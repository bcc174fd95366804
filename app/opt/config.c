/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libyaml's events, taken one by one: the form of the document is the form of the functions below,
 * and what does not fit is refused where it stands, with line and column. libyaml's tree of nodes
 * was rejected: it would hold what nobody asked for. Keys and values are texts; the same setter as
 * for the line reads them. Aliases and tags are refused, a few bytes of them can mean much.
 *
 * The whole file is tried on settings of all commands, so that the mistake in `serve` shows when
 * the load is started, and not when it waits for an answer.
 */
#include "config.h"

#include "../error.h"
#include "nearest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

static const struct app_config_map maps[] = {
    {"common", CMD_ENDS, "load, serve and pair, each what it knows"},
    {"load", CMD_LOAD, "tern load; a pair takes what it knows"},
    {"serve", CMD_SERVE, "tern serve; a pair takes what it knows"},
    {"pair", CMD_PAIR, "tern pair"},
};
enum { N_MAPS = sizeof maps / sizeof maps[0] };

uint32_t app_config_map_count(void)
{
    return N_MAPS;
}

const struct app_config_map *app_config_map_at(uint32_t i)
{
    return &maps[i];
}

/* ---- events ---- */

struct reader {
    yaml_parser_t yaml;
    yaml_event_t event; /* the one that is looked at */
    struct app_config *config;
    struct app_texts *texts;
    struct tern_error *err;
    uint32_t maps_seen; /* a bit each */
};

/* "FILE:LINE:COL: cause": where the event begins. */
__attribute__((format(printf, 2, 3))) static int refuse(struct reader *r, const char *format, ...)
{
    char cause[TERN_ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(cause, sizeof cause, format, args);
    va_end(args);
    return app_refuse(r->err, "%.200s:%zu:%zu: %.280s", r->config->path,
        r->event.start_mark.line + 1, r->event.start_mark.column + 1, cause);
}

static int refuse_yaml(struct reader *r)
{
    const yaml_mark_t *mark = &r->yaml.problem_mark;
    return app_refuse(r->err, "%.200s:%zu:%zu: this is not YAML: %.160s; mend the line",
        r->config->path, mark->line + 1, mark->column + 1,
        r->yaml.problem != NULL ? r->yaml.problem : "it cannot be read");
}

static bool has_tag(const yaml_event_t *e)
{
    switch ((int)e->type) {
    case YAML_SCALAR_EVENT: return e->data.scalar.tag != NULL;
    case YAML_SEQUENCE_START_EVENT: return e->data.sequence_start.tag != NULL;
    case YAML_MAPPING_START_EVENT: return e->data.mapping_start.tag != NULL;
    default: return false;
    }
}

/* On to the next event. */
static int next(struct reader *r)
{
    yaml_event_delete(&r->event);
    if (!yaml_parser_parse(&r->yaml, &r->event))
        return refuse_yaml(r);
    if (r->event.type == YAML_ALIAS_EVENT)
        return refuse(r, "aliases are not taken; write the value out");
    if (has_tag(&r->event))
        return refuse(r, "tags are not taken; leave the '!' out");
    return 0;
}

static bool is_at(const struct reader *r, yaml_event_type_t type)
{
    return r->event.type == type;
}

static const char *scalar(const struct reader *r)
{
    return (const char *)r->event.data.scalar.value;
}

/* "key:" with nothing behind it */
static bool is_nothing(const struct reader *r)
{
    return is_at(r, YAML_SCALAR_EVENT) && scalar(r)[0] == '\0'
           && r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* The scalar as a text that stays. */
static int keep_scalar(struct reader *r, const char **out)
{
    const size_t bytes = r->event.data.scalar.length + 1;
    struct app_texts *t = r->texts;
    if (strlen(scalar(r)) + 1 != bytes)
        return refuse(r, "a value with a zero byte in it; leave it out");
    if (bytes > sizeof t->bytes - t->used)
        return refuse(r, "the values together are longer than %zu bytes; say less, or on the line",
            sizeof t->bytes);
    *out = memcpy(t->bytes + t->used, scalar(r), bytes);
    t->used += (uint32_t)bytes;
    return 0;
}

/* ---- the document ---- */

/* One value of an option. */
static int read_value(struct reader *r, struct app_saying *said)
{
    const char *name = said->row->name;
    if (!is_at(r, YAML_SCALAR_EVENT))
        return refuse(r, "%s: a map or list stands where a value belongs; write one value", name);
    if (is_nothing(r))
        return refuse(r, "%s: the value is missing; write %s: %s", name, name,
            app_opt_is_flag(said->row) ? "true" : said->row->arg);
    if (app_opt_is_flag(said->row) && strcmp(scalar(r), "true") != 0
        && strcmp(scalar(r), "false") != 0)
        return refuse(
            r, "%s: '%.60s' is neither true nor false; write one of them", name, scalar(r));
    said->line = (uint32_t)r->event.start_mark.line + 1;
    said->column = (uint32_t)r->event.start_mark.column + 1;
    const int rc = keep_scalar(r, &said->text);
    return rc == 0 ? app_sayings_add(&r->config->said, said, r->err) : rc;
}

/* [a, b]: an option that is said again. */
static int read_list(struct reader *r, struct app_saying *said)
{
    if (!said->row->many)
        return refuse(r, "%s: a list, but it is said once; write one value", said->row->name);
    int rc = next(r);
    while (rc == 0 && !is_at(r, YAML_SEQUENCE_END_EVENT)) {
        rc = read_value(r, said);
        if (rc == 0)
            rc = next(r);
    }
    return rc;
}

static int refuse_key(struct reader *r, const struct app_config_map *map)
{
    struct app_nearest near = app_nearest_to(scalar(r));
    for (uint32_t i = 0; i < app_opt_count(); i++)
        if ((app_opt_at(i)->commands & map->commands) != 0)
            app_nearest_try(&near, app_opt_at(i)->name);
    if (near.best != NULL)
        return refuse(
            r, "unknown key '%.60s' in %s; nearest is '%s'", scalar(r), map->name, near.best);
    return refuse(r, "unknown key '%.60s' in %s; type 'tern help load' or 'tern help serve'",
        scalar(r), map->name);
}

/* The row of the key that is looked at. */
static int read_key(
    struct reader *r, const struct app_config_map *map, const struct app_opt_row **row)
{
    if (!is_at(r, YAML_SCALAR_EVENT))
        return refuse(r, "%s: a key must be the name of an option", map->name);
    *row = app_opt_find(map->commands, scalar(r));
    if (*row == NULL)
        return refuse_key(r, map);
    if ((*row)->line_only)
        return refuse(r, "%s: only the command line may say that; leave it out", (*row)->name);
    for (uint32_t i = 0; i < r->config->said.n; i++) {
        const struct app_saying *before = &r->config->said.of[i];
        if (before->commands == map->commands && before->row == *row)
            return refuse(r, "%s stands in line %u already; leave one out%s", (*row)->name,
                before->line, (*row)->many ? ", or write a list" : "");
    }
    return 0;
}

static int read_entry(struct reader *r, const struct app_config_map *map)
{
    struct app_saying said = {.where = r->config->path, .commands = map->commands};
    int rc = read_key(r, map, &said.row);
    if (rc == 0)
        rc = next(r);
    if (rc != 0)
        return rc;
    return is_at(r, YAML_SEQUENCE_START_EVENT) ? read_list(r, &said) : read_value(r, &said);
}

/* The options of one map, or nothing at all. */
static int read_options(struct reader *r, const struct app_config_map *map)
{
    if (is_nothing(r))
        return 0;
    if (!is_at(r, YAML_MAPPING_START_EVENT))
        return refuse(r, "%s: a map of options belongs here, such as 'mtu: 1500'", map->name);
    int rc = next(r);
    while (rc == 0 && !is_at(r, YAML_MAPPING_END_EVENT)) {
        rc = read_entry(r, map);
        if (rc == 0)
            rc = next(r);
    }
    return rc;
}

static int refuse_map(struct reader *r)
{
    struct app_nearest near = app_nearest_to(scalar(r));
    for (int i = 0; i < N_MAPS; i++)
        app_nearest_try(&near, maps[i].name);
    if (near.best != NULL)
        return refuse(r, "unknown map '%.60s'; nearest is '%s'", scalar(r), near.best);
    return refuse(
        r, "unknown map '%.60s'; options stand under common, load, serve or pair", scalar(r));
}

static int read_map(struct reader *r)
{
    if (!is_at(r, YAML_SCALAR_EVENT))
        return refuse(r, "a key must be one of common, load, serve and pair");
    int at = 0;
    while (at < N_MAPS && strcmp(maps[at].name, scalar(r)) != 0)
        at++;
    if (at == N_MAPS)
        return refuse_map(r);
    if ((r->maps_seen >> at & 1) != 0)
        return refuse(r, "a second map '%s'; put its options into the first", maps[at].name);
    r->maps_seen |= 1u << at;
    const int rc = next(r);
    return rc == 0 ? read_options(r, &maps[at]) : rc;
}

static int read_document(struct reader *r)
{
    int rc = next(r);
    if (rc != 0 || is_nothing(r))
        return rc;
    if (!is_at(r, YAML_MAPPING_START_EVENT))
        return refuse(r, "the file must begin with one of the maps common, load, serve and pair");
    rc = next(r);
    while (rc == 0 && !is_at(r, YAML_MAPPING_END_EVENT)) {
        rc = read_map(r);
        if (rc == 0)
            rc = next(r);
    }
    return rc;
}

static int read_stream(struct reader *r)
{
    int rc = next(r); /* begin of stream */
    if (rc == 0)
        rc = next(r);
    if (rc != 0 || is_at(r, YAML_STREAM_END_EVENT))
        return rc;
    rc = read_document(r);
    if (rc == 0)
        rc = next(r); /* end of document */
    if (rc == 0)
        rc = next(r);
    if (rc == 0 && !is_at(r, YAML_STREAM_END_EVENT))
        return refuse(r, "a second document; one file holds one");
    return rc;
}

/* ---- the file ---- */

/* [APP_CONFIG_BYTES_MAX + 1] @return bytes, or -errno */
static int64_t load_file(const char *path, char *bytes)
{
    FILE *in = fopen(path, "re");
    if (in == NULL)
        return -errno;
    const size_t n = fread(bytes, 1, APP_CONFIG_BYTES_MAX + 1, in);
    const int64_t rc = ferror(in) ? -errno : (int64_t)n;
    fclose(in);
    return rc;
}

static int parse(struct reader *r, const char *bytes, size_t n)
{
    if (!yaml_parser_initialize(&r->yaml))
        return app_refuse(r->err, "%.200s: no memory to read it", r->config->path);
    yaml_parser_set_input_string(&r->yaml, (const unsigned char *)bytes, n);
    const int rc = read_stream(r);
    yaml_event_delete(&r->event);
    yaml_parser_delete(&r->yaml);
    return rc;
}

/* Every value on settings of every command that would take it. */
static int try_values(const struct app_config *c, struct tern_error *err)
{
    static const uint32_t commands[] = {CMD_LOAD, CMD_SERVE, CMD_PAIR};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof commands / sizeof commands[0]; i++) {
        struct app_sayings said = {.n = 0};
        struct app_settings s;
        app_settings_init(&s, commands[i]);
        rc = app_config_say(c, commands[i], &said, err);
        if (rc == 0)
            rc = app_sayings_set(&said, &s, err);
    }
    return rc;
}

int app_config_read(
    struct app_config *c, const char *path, struct app_texts *texts, struct tern_error *err)
{
    c->path = path;
    c->said.n = 0;
    char *bytes = malloc(APP_CONFIG_BYTES_MAX + 1);
    if (bytes == NULL)
        return app_refuse(err, "%.200s: no memory to read it", path);
    const int64_t n = load_file(path, bytes);
    struct reader r = {.config = c, .texts = texts, .err = err};
    int rc;
    if (n < 0)
        rc = app_refuse(err,
            "cannot read %.200s: %s; give --config or TERN_CONFIG the path of a YAML file", path,
            strerror((int)-n));
    else if (n > APP_CONFIG_BYTES_MAX)
        rc = app_refuse(err, "%.200s: a configuration longer than 1 MiB; say less", path);
    else
        rc = parse(&r, bytes, (size_t)n);
    free(bytes);
    return rc == 0 ? try_values(c, err) : rc;
}

/* The row that an entry means to `command`, and with which rank; NULL: none. */
static const struct app_opt_row *row_for(
    const struct app_saying *said, uint32_t command, enum app_rank *rank)
{
    if (said->commands == CMD_ENDS) {
        *rank = APP_RANK_COMMON;
        return app_opt_find(command, said->row->name);
    }
    *rank = said->commands == command ? APP_RANK_OWN : APP_RANK_OTHER;
    const bool reads = said->commands == command || command == CMD_PAIR;
    return reads && (said->row->commands & command) != 0 ? said->row : NULL;
}

int app_config_say(
    const struct app_config *c, uint32_t command, struct app_sayings *said, struct tern_error *err)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < c->said.n; i++) {
        struct app_saying one = c->said.of[i];
        one.row = row_for(&c->said.of[i], command, &one.rank);
        if (one.row != NULL)
            rc = app_sayings_add(said, &one, err);
    }
    return rc;
}
