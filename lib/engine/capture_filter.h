/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A filter in libpcap's language, compiled and run by libpcap. DPDK's BPF was rejected after a
 * comparison of the two: what rte_bpf_convert() of 22.11 makes of `tcp[4:4] = N` or of
 * `tcp[13] & 16 != 0` takes nothing, and of `ip[9] & 6 != 0` it makes native code that crashes.
 */
#include <tern/config.h>

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

/** All zero: takes every packet. */
struct tern_capture_filter {
    struct bpf_program program; /* bf_insns NULL: none */
};

/** @param text  NULL: every packet. @return 0, or -EINVAL with libpcap's words in *err */
TERN_MUST_CHECK int tern_capture_filter_compile(
    struct tern_capture_filter *f, const char *text, struct tern_error *err);
void tern_capture_filter_fini(struct tern_capture_filter *f);

/** Does it take this frame of `n` bytes? From any thread. */
static inline bool tern_capture_filter_takes(
    const struct tern_capture_filter *f, const uint8_t *frame, uint32_t n)
{
    return f->program.bf_insns == NULL || bpf_filter(f->program.bf_insns, frame, n, n) != 0;
}
