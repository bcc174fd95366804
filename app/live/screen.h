/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The run on a screen of its own, four times a second, where stdout is a terminal. */
#include "view.h"

struct app_screen {
    struct app_view view;
    bool is_over; /**< left for good */
};

extern const struct app_observer_ops app_screen_observer; /**< of a struct app_screen */
