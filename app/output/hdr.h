/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "../measure/hist.h"

/**
 * A histogram as HdrHistogram writes it into a log: encoding V2, deflated, in base64. Ours has its
 * layout for 1 ns .. an hour and three digits (hist.h), so counts go over one by one.
 * @return a string of the caller's, or NULL without memory
 */
char *app_hdr_encode(const struct app_hist *h);
