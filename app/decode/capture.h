/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A capture file, pcap or pcapng, frame by frame. libpcap reads both and compiles the filter; this
 * adds what the decoder has to know and the words for what can be wrong with a file.
 */
#include <tern/config.h>
#include <tern/decode.h>

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

struct app_capture {
    pcap_t *pcap;
    const char *path;
    enum tern_link_type link;
    bool has_filter;
    struct bpf_program filter;
    uint64_t n_read; /**< frames taken from the file, shown or not */
};

/** A frame; its bytes are valid until the next one is asked for. */
struct app_captured {
    uint64_t number; /**< its place in the file, from 1 */
    uint64_t at_ns;  /**< as the file has it */
    struct tern_decode_input in;
};

/**
 * @param path    a file, or "-" for stdin
 * @param filter  NULL, or an expression of pcap-filter(7)
 * @return        0, or -EINVAL with one line in *err
 */
int app_capture_open(
    struct app_capture *c, const char *path, const char *filter, struct tern_error *err);

/** The next frame that passes the filter. @return 1, 0 at the end, or -EINVAL with a line in *err
 */
int app_capture_next(struct app_capture *c, struct app_captured *out, struct tern_error *err);

void app_capture_close(struct app_capture *c);
