/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The floods; floods.c tells. */
#include "siege.h"

extern const struct siege flood_syn, flood_ack, flood_rst, flood_fin, flood_syn_data, flood_ping,
    flood_fragment, flood_neighbour;
