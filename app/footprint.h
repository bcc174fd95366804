/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The memory this process has, huge pages included, as the kernel counts it. */
#include <stdint.h>

/** @return bytes that are backed by pages now; 0: the kernel does not tell */
uint64_t app_footprint_bytes(void);
