/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* All of tern's public interface but the embedded instance (tern/embed.h). */
#include <tern/addr.h>
#include <tern/api.h>
#include <tern/config.h>
#include <tern/conn.h>
#include <tern/drop.h>
#include <tern/engine.h>
#include <tern/impair.h>
#include <tern/stats.h>
