/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The report's page, made by make_page.py; a run's data go between head and tail. */
#include <stddef.h>

extern const unsigned char app_page_head[], app_page_tail[];
extern const size_t app_page_head_bytes, app_page_tail_bytes;

/** uPlot's, as a string. */
extern const unsigned char app_page_licence[];
extern const size_t app_page_licence_bytes;
