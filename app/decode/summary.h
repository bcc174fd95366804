/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The first line of a decoded frame: number, time, from --> to, and what it is. */
#include "page.h"
#include "print.h"

void app_summary_print(const struct app_page *p, const struct app_frame *f);
