/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * All that a subcommand may be told. Zero is "not said" wherever the subcommand decides; the rest
 * begins with its default. Rows (row.h) name the fields by offset; nothing else writes them.
 */
#include <tern/engine.h>

#include "../decode/settings.h"
#include "../goal/settings.h"
#include "../impair/settings.h"
#include "../live/listen_at.h"
#include "../load/churn.h"
#include "../load/http_setup.h"
#include "../load/load.h"
#include "../serve/service.h"
#include "../sources.h"
#include "../stream.h"
#include "../top/settings.h"

#include <stdbool.h>
#include <stdint.h>

enum { APP_SAID_WORDS = 3 }; /**< 64 rows each */
enum { APP_TEXTS_SET_MAX = 1024, APP_COMPARED = 2 };

struct app_opt_row;

/** What a configuration file says, so that values can point to it. */
struct app_texts {
    char bytes[64 << 10];
    uint32_t used;
};

struct app_settings {
    uint32_t command;              /**< CMD_*: whose settings these are */
    uint64_t said[APP_SAID_WORDS]; /**< which rows were said; app_settings_has() */

    struct {
        const struct app_opt_row *row;
        const char *text;
    } texts_set[APP_TEXTS_SET_MAX]; /**< [n_texts_set] what was said, as it was, in order */
    uint32_t n_texts_set;

    struct tern_stack_config stack; /**< addresses, wire and protocol */
    uint32_t n_workers, n_queues;
    const char *lcores; /**< "2,3" or "2-5"; NULL: chosen */
    bool no_huge, no_offload;
    bool no_telemetry;
    bool tfo;                              /**< both ways: stack.tfo_accept and stack.tfo_connect */
    uint64_t moderation_ns;                /**< UINT64_MAX: the engine's */
    uint32_t conns_max;                    /**< a worker; 0: sized by the subcommand */
    uint32_t time_wait_ms;                 /**< 0: the subcommand's */
    uint32_t rcv_buf_bytes, snd_buf_bytes; /**< of a connection; 0: the subcommand's */

    const char *device;
    const char *target; /**< load: the first, as typed */
    const char *targets[APP_TARGETS_MAX];
    uint32_t n_targets;
    bool random_targets;
    struct app_sources sources; /**< none: every own address of the targets' family */
    bool random_sources;

    const struct app_scenario *scenario; /**< NULL: the subcommand's */
    struct app_mix mix;                  /**< churn */
    uint64_t rate, conns, count;         /**< 0: not given */
    uint64_t ramp_ns;                    /**< 0: none */
    bool no_latency;
    uint64_t bytes;                  /**< echo, stream; 0: not given */
    uint64_t requests;               /**< echo; 0: until the run ends */
    uint64_t tick_ns, hold_ns;       /**< hold; 0: not given */
    struct app_stream_config stream; /**< direction, verify */
    struct app_http_settings http;
    struct app_goal_settings goal;

    const char *service;                   /**< serve; NULL: http */
    const char *listen[APP_LISTENERS_MAX]; /**< [n_listen] as typed; 0: one, by service and port */
    uint32_t n_listen;
    uint16_t port;       /**< 0: the service's */
    uint32_t body_bytes; /**< http: of each body */

    bool v6;            /**< pair */
    uint32_t n_sources; /**< pair: how many addresses the client has; 0: not said */

    struct app_decode_settings decode;
    struct app_impair_settings impair;
    struct app_top_settings top;

    uint64_t duration_ns;               /**< 0: the subcommand's */
    const char *json;                   /**< NULL, a path, or "-" */
    const char *csv, *html, *hlog;      /**< NULL or a path */
    struct app_listen_at prometheus;    /**< port 0: nowhere */
    bool plain;                         /**< lines, even on a terminal */
    const char *shared;                 /**< NULL or a name */
    struct tern_capture_config capture; /**< path NULL: none */
    const char *compared[APP_COMPARED]; /**< compare: [n_compared] paths */
    uint32_t n_compared;

    const char *config, *preset; /**< where the rest was said; NULL: nowhere */
    struct app_texts texts;      /**< the settings are not copied: some of them point here */
};

/** Every default. @param command  CMD_* of the one subcommand */
void app_settings_init(struct app_settings *s, uint32_t command);

/** Whether the option was said, anywhere. It must be one that the command knows. */
bool app_settings_has(const struct app_settings *s, const char *option);

/** Put what all ends share into an engine configuration and one of its endpoints. */
void app_settings_apply(
    const struct app_settings *s, struct tern_config *cfg, struct tern_endpoint_config *ep);
