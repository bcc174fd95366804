/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The world of a script while it runs, and what the steps of each kind do to it. */
#include "flow.h"
#include "script.h"

#include <stdio.h>

struct waiting;

enum {
    TERN_PORT = 80,
    TERN_PORT_ACTIVE = 50000, /* connect: 50000 for a, 50001 for b … */
};

struct world {
    const struct script *s;
    FILE *log;
    bool failed;
    const struct step *st; /* the step being carried out */
    struct tern_embed *e;
    struct ends ends;
    uint64_t now_ns;  /* the endpoint's clock */
    uint64_t here_ns; /* where the script is: the time of the last step, or of what it brought */
    struct flow flows[FLOWS_MAX];
    struct flow *flow;
    struct tern_sock *listener;
    struct waiting *waiting, **waiting_end;
};

/** The first difference: what the script says, and (`got`) what came instead. Ends the run. */
__attribute__((format(printf, 2, 3))) void world_differ(struct world *w, const char *got, ...);

/** A step that is a user call: listen … option. */
void world_call(struct world *w);

/** A step that looks at the endpoint: state … drops. */
void world_look(struct world *w);
