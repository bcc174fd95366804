/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* A run of the engine from banner to exit status, the same for pair, serve and load. */
#include <tern/engine.h>

#include "load/load.h"
#include "observer.h"
#include "output.h"
#include "serve/service.h"

#include <stdint.h>

struct app_settings;
struct app_goal_settings;

struct app_run {
    const char *command;             /**< "pair", "serve", "load" */
    const char *title;               /**< of the banner */
    const char *scenario;            /**< or service */
    const struct tern_config *cfg;   /**< endpoint 0 is the one whose connections are reported */
    const char *const *end_names;    /**< [n_endpoints] "client", "server" */
    struct app_load *load;           /**< runs on endpoint 0; NULL: endpoint 0 serves */
    const struct app_server *server; /**< serves streams on the last endpoint, or NULL */
    const struct app_stream_config *stream; /**< it is bulk transfer; NULL: it is not */
    uint64_t duration_ns;                   /**< 0: until the count is reached, or Ctrl-C */
    const char *json;                       /**< NULL, a path, or "-" */
    const struct app_settings *settings;    /**< what the result tells of; NULL: nothing */
    struct app_observer observers[APP_OBSERVERS_MAX];
    uint32_t n_observers;

    const struct app_goal_settings *goal; /**< what is to be met or searched for; NULL: nothing */

    /** Endpoint 0's, of which each is told of; NULL: it connects. */
    const struct app_server *listeners;
};

/** @return the program's exit status; everything has been printed */
int app_run(const struct app_run *run);
