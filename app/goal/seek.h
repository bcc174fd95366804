/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What a run does about its goal while it goes on: a search's steps, and why nothing answers. */
#include "../run.h"
#include "search.h"

enum { APP_SILENT_S = 3 }; /**< without an answer, until the reason is told */

struct app_seek {
    const struct app_run *run;
    struct tern_engine *engine;
    const struct app_sampler *sampler;
    struct app_search *search; /**< NULL: the rate stays as it is */
};

/** Before the engine starts. @return 0, -ENOMEM */
int app_seek_begin(struct app_seek *k, const struct app_run *run, struct tern_engine *engine,
    const struct app_sampler *sampler);
void app_seek_fini(struct app_seek *k);

/** Whether it is to be polled every few milliseconds. */
bool app_seek_is_on(const struct app_seek *k);

/** @return true when the search is over */
bool app_seek_poll(struct app_seek *k, uint64_t now_ns);

/** So many seconds are over. */
void app_seek_second(const struct app_seek *k, uint32_t n);

/** The measured part is over: rates, and why nothing has answered. @param end  its sample */
void app_seek_end(struct app_seek *k, const struct app_sample *end, struct app_result *r);
