/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* A network with somebody in it: link/link.h's, with nodes that forge, tamper and cheat. */
#include "link/link.h"

extern tern_link_node *const hostile_network[];
