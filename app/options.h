/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The options that subcommands share, as argp children, and the one way to run an argp parser here:
 * every error becomes one line, help goes to stdout.
 */
#include <tern/engine.h>

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

/** What the shared options say. Zero where the user said nothing and the subcommand decides. */
struct app_options {
    struct tern_stack_config stack; /**< addresses, wire and protocol */
    uint32_t n_workers, n_queues;
    const char *lcores; /**< "2,3" or "2-5"; NULL: chosen */
    bool no_huge, no_offload;
    uint64_t moderation_ns;                /**< UINT64_MAX: the engine's */
    uint32_t conns_max;                    /**< a worker; 0: sized by the subcommand */
    uint32_t time_wait_ms;                 /**< 0: the subcommand's */
    uint32_t rcv_buf_bytes, snd_buf_bytes; /**< of a connection; 0: the subcommand's */
    uint64_t duration_ns;                  /**< 0: the subcommand's */
    const char *json;                      /**< NULL, a path, or "-" */
    struct tern_error *err;
};

/** --workers --lcores --queues --no-huge --no-offload --moderation --conns-max --seed */
extern const struct argp app_engine_argp;
/** --ip --gw --neighbour --vlan */
extern const struct argp app_address_argp;
/** --mtu --mss --rcv-buf --syn-cookies --time-wait --no-timestamps … (options_tcp.c) */
extern const struct argp app_tcp_argp;
/** --duration */
extern const struct argp app_run_argp;
/** --json --help */
extern const struct argp app_report_argp;

/** Keys of options_tcp.c start here, those of the subcommands' own options, those of a load. */
enum { APP_OPT_TCP = 0x300, APP_OPT_OWN = 0x400, APP_OPT_LOAD = 0x500 };

/** Defaults. @param err  where the parsers put the line that says what is wrong */
void app_options_init(struct app_options *o, struct tern_error *err);

/**
 * Parse a subcommand's line; argv[0] is "tern NAME". Help is printed on stdout.
 * @param input  what the argp's parser wants as state->input
 * @return 0, APP_HELP_GIVEN, or -EINVAL with one line in *err
 */
int app_options_parse(
    const struct argp *argp, int argc, char **argv, void *input, struct tern_error *err);

/** For a subcommand's parser on ARGP_KEY_INIT: hand the shared options to its `n` children. */
void app_options_hand_down(struct argp_state *state, struct app_options *o, unsigned n);

/** Put what is common into an engine configuration and one of its endpoints. */
void app_options_apply(
    const struct app_options *o, struct tern_config *cfg, struct tern_endpoint_config *ep);
