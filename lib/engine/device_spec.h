/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What the user typed as a device, as a value; and the DPDK device string it stands for. */
#include <tern/config.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tern_device_kind {
    TERN_DEVICE_PAIR,
    TERN_DEVICE_PCI,
    TERN_DEVICE_NETDEV, /* a kernel interface: AF_XDP, else AF_PACKET */
    TERN_DEVICE_TAP,
    TERN_DEVICE_MEMIF,
    TERN_DEVICE_PCAP,
    TERN_DEVICE_VDEV,
};

enum {
    TERN_IFNAME_BYTES = 16, /* the kernel's IFNAMSIZ */
    TERN_PATH_BYTES = 108,  /* the kernel's sun_path; for capture files, too */
    TERN_DEVARGS_BYTES = 512,
    TERN_MEMIF_RING_LOG2_MIN = 6,
    TERN_MEMIF_RING_LOG2_MAX = 14, /* the protocol's (memif.h: MEMIF_MAX_LOG2_RING_SIZE) */
};

struct tern_device_spec {
    enum tern_device_kind kind;
    char name[TERN_PATH_BYTES * 2]; /**< PCI address, interface, socket path, or vdev string */
    char in[TERN_PATH_BYTES], out[TERN_PATH_BYTES]; /**< capture files; empty: none */
    bool server;                                    /**< memif: listens */
    uint16_t ring_slots;                            /**< memif: of each ring; 0: the driver's */
};

/**
 * Read a device as the user types it.
 * @return 0, or -EINVAL with one line in *err (then *out is unspecified)
 */
TERN_MUST_CHECK int tern_device_spec_parse(
    const char *text, struct tern_device_spec *out, struct tern_error *err);

/** Ways to open a device, tried in order; only a kernel interface has a second one. */
uint32_t tern_device_spec_n_ways(const struct tern_device_spec *s);

/**
 * The device string for DPDK: "name,key=value,…". A pair has none.
 *
 * @param way        0..n_ways-1
 * @param buf        [TERN_DEVARGS_BYTES]
 */
void tern_device_spec_devargs(const struct tern_device_spec *s, uint32_t way, uint32_t n_queues,
    uint32_t mtu_bytes, char *buf);

/** The name part of such a string. @param buf [TERN_DEVARGS_BYTES] */
void tern_devargs_name(const char *devargs, char *buf);
