/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* cmocka, with what its header needs and does not include. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on
