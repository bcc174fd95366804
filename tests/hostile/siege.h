/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The form that all floods have: the legitimate load runs once left alone and once under attack,
 * and what it gets is compared.
 */
#include "legit.h"
#include "scenario.h"
#include "sheet.h"

enum { SIEGE_RATE_PER_S = 500 /* visits */ };

/** Make the attacker's next frame. */
typedef void siege_shoot_fn(struct legit *l, struct shot *s);

struct siege {
    siege_shoot_fn *shoot;
    uint32_t times;   /* frames for each legitimate visit */
    uint64_t reasons; /* a bit each: what the server must have found them to be (drop.h) */
};
