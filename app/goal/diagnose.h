/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Why nothing answers: what the counters of a load say about it that has established nothing.
 * Pure: counters to one cause, the figures that show it, and what to type.
 */
#include <tern/engine.h>

#include <jansson.h>
#include <stdio.h>

// clang-format off
/** In the order in which they are asked for: a packet meets the first of them first. */
#define APP_SILENCE_LIST(X) \
    X(LINK,      "link")      /* it is down */ \
    X(NEIGHBOUR, "neighbour") /* ARP or NDP: the next hop does not say its MAC */ \
    X(ROUTE,     "route")     /* there is no next hop */ \
    X(ICMP,      "icmp")      /* a router or the target says so */ \
    X(RST,       "rst")       /* the target refuses */ \
    X(DROPPED,   "dropped")   /* answers come, and are not taken */ \
    X(SILENCE,   "silence")   /* SYNs go out, and nothing comes back */
// clang-format on
#define APP_SILENCE_ENUM(name, json) APP_SILENCE_##name,
enum app_silence_cause { APP_SILENCE_LIST(APP_SILENCE_ENUM) APP_SILENCE_COUNT };
#undef APP_SILENCE_ENUM

struct app_silence_facts {
    struct tern_stats stats; /**< of the end that connects */
    bool is_link_up;
    uint16_t vlan; /**< 0: untagged */
    union tern_addr target;
    uint16_t port;
    union tern_addr next_hop; /**< the target, or the gateway */
    const char *device;       /**< as typed */
};

struct app_diagnosis {
    enum app_silence_cause cause;
    char evidence[192]; /**< what the counters show */
    char advice[256];   /**< what to type next */
};

/** Nothing has been established, and something was tried. */
void app_diagnose(const struct app_silence_facts *f, struct app_diagnosis *out);

struct app_run;

/** Ask the engine for the facts. @return false: there is nothing to explain */
bool app_diagnose_run(
    const struct app_run *run, const struct tern_engine *engine, struct app_diagnosis *out);

/** Two lines. */
void app_diagnosis_report(FILE *out, const struct app_diagnosis *d);

/** @return a new reference, NULL without memory */
json_t *app_diagnosis_json(const struct app_diagnosis *d);
