/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The fields of a decoded frame, a line each, layer by layer; of TCP's control bits a line each. */
#include "page.h"
#include "print.h"

void app_layers_print(struct app_page *p, const struct app_frame *f);
