/* SPDX-License-Identifier: BSD-3-Clause */
/* A build without npm: the option is there and says what is missing. */
#include "page.h"

const unsigned char app_page_head[] = {0}, app_page_tail[] = {0}, app_page_licence[] = {0};
const size_t app_page_head_bytes = 0, app_page_tail_bytes = 0, app_page_licence_bytes = 0;
