/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Device strings (design.md §9). A word before a colon picks the form; a PCI address is known by
 * its shape; anything else must be the name of a kernel interface. Pure text: whether the thing
 * exists is asked later, where it is opened.
 *
 * The names on the DPDK side are fixed per form, as an engine opens one device of a form at most
 * (a pair is not opened through a string). "vdev:" passes its text through, unread.
 */
#include "device_spec.h"

#include "error.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FORMS                                                                                      \
    "pair, 0000:3b:00.0 (PCI), eth1 (kernel interface), tap:NAME, memif:PATH[,server], "           \
    "pcap:IN,OUT or vdev:STRING"

static bool is_ifname(const char *s)
{
    const size_t len = strlen(s);
    if (len == 0 || len >= TERN_IFNAME_BYTES || strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
        return false;
    for (; *s != '\0'; s++)
        if (!isgraph((unsigned char)*s) || strchr("/:,=", *s) != NULL)
            return false;
    return true;
}

/** "3b:00.0" or "0000:3b:00.0", hexadecimal. Writes the long form, lower case. */
static bool parse_pci(const char *s, char *out, size_t n_out)
{
    unsigned domain = 0, bus, dev, fn;
    int end = 0;
    if (sscanf(s, "%4x:%2x:%2x.%1x%n", &domain, &bus, &dev, &fn, &end) != 4 || s[end] != '\0') {
        domain = 0;
        if (sscanf(s, "%2x:%2x.%1x%n", &bus, &dev, &fn, &end) != 3 || s[end] != '\0')
            return false;
    }
    if (dev > 31 || fn > 7)
        return false;
    snprintf(out, n_out, "%04x:%02x:%02x.%x", domain, bus, dev, fn);
    return true;
}

/** Copy [from, to) when it is a path that a device string can carry. */
static bool take_path(char *out, const char *from, const char *to)
{
    const size_t len = (size_t)(to - from);
    if (len >= TERN_PATH_BYTES)
        return false;
    memcpy(out, from, len);
    out[len] = '\0';
    return strpbrk(out, ",=[]") == NULL;
}

static int parse_tap(const char *rest, struct tern_device_spec *out, struct tern_error *err)
{
    if (!is_ifname(rest))
        return tern_fail(err, -EINVAL,
            "device \"tap:%s\": an interface name has 1 to 15 characters, none of them space, '/', "
            "':', ',' or '='; type for example tap:tern0",
            rest);
    snprintf(out->name, sizeof out->name, "%s", rest);
    return 0;
}

/** "ring=N", N a power of two that the driver takes. */
static bool take_ring(const char *word, size_t len, struct tern_device_spec *out)
{
    char known[sizeof "ring=65536"];
    for (unsigned log2 = TERN_MEMIF_RING_LOG2_MIN; log2 <= TERN_MEMIF_RING_LOG2_MAX; log2++) {
        const uint16_t slots = (uint16_t)(1u << log2);
        snprintf(known, sizeof known, "ring=%u", slots);
        if (strlen(known) == len && strncmp(word, known, len) == 0) {
            out->ring_slots = slots;
            return true;
        }
    }
    return false;
}

/** One word behind the socket's path. @return false: none that is known */
static bool take_memif_word(const char *word, size_t len, struct tern_device_spec *out)
{
    static const char server[] = "server", client[] = "client";
    const bool is_server = len == strlen(server) && strncmp(word, server, len) == 0;
    const bool is_client = len == strlen(client) && strncmp(word, client, len) == 0;
    if (is_server || is_client) {
        out->server = is_server;
        return true;
    }
    return take_ring(word, len, out);
}

static int parse_memif(const char *rest, struct tern_device_spec *out, struct tern_error *err)
{
    const size_t n_path = strcspn(rest, ",");
    if (n_path == 0 || !take_path(out->name, rest, rest + n_path))
        return tern_fail(err, -EINVAL,
            "device \"memif:%s\": a socket path has 1 to %d characters, none of them ',', '=', '[' "
            "or ']'; type for example memif:/run/x.sock",
            rest, TERN_PATH_BYTES - 1);
    for (const char *word = rest + n_path; *word != '\0';) {
        word++; /* the comma */
        const size_t len = strcspn(word, ",");
        if (!take_memif_word(word, len, out))
            return tern_fail(err, -EINVAL,
                "device \"memif:%s\": \"%.*s\" is neither a role nor an option; type "
                "memif:PATH,server at one end and memif:PATH at the other, ring=N (%u to %u, a "
                "power "
                "of two) behind either",
                rest, (int)len, word, 1u << TERN_MEMIF_RING_LOG2_MIN,
                1u << TERN_MEMIF_RING_LOG2_MAX);
        word += len;
    }
    return 0;
}

static int parse_pcap(const char *rest, struct tern_device_spec *out, struct tern_error *err)
{
    const char *comma = strchr(rest, ',');
    const char *end = comma != NULL ? comma : rest + strlen(rest);
    const char *second = comma != NULL ? comma + 1 : end;

    if (!take_path(out->in, rest, end) || !take_path(out->out, second, second + strlen(second))
        || (out->in[0] == '\0' && out->out[0] == '\0'))
        return tern_fail(err, -EINVAL,
            "device \"pcap:%s\": give a capture to read and one to write, each at most %d "
            "characters without ',', '=', '[' or ']'; type for example pcap:in.pcap,out.pcap",
            rest, TERN_PATH_BYTES - 1);
    return 0;
}

static int parse_vdev(const char *rest, struct tern_device_spec *out, struct tern_error *err)
{
    if (rest[0] == '\0' || rest[0] == ',' || strlen(rest) >= sizeof out->name)
        return tern_fail(err, -EINVAL,
            "device \"vdev:%s\": give a DPDK device string of 1 to %zu characters; type for "
            "example vdev:net_null0",
            rest, sizeof out->name - 1);
    snprintf(out->name, sizeof out->name, "%s", rest);
    return 0;
}

int tern_device_spec_parse(const char *text, struct tern_device_spec *out, struct tern_error *err)
{
    static const struct {
        const char *prefix;
        enum tern_device_kind kind;
        int (*parse)(const char *rest, struct tern_device_spec *out, struct tern_error *err);
    } forms[] = {
        {"tap:", TERN_DEVICE_TAP, parse_tap},
        {"memif:", TERN_DEVICE_MEMIF, parse_memif},
        {"pcap:", TERN_DEVICE_PCAP, parse_pcap},
        {"vdev:", TERN_DEVICE_VDEV, parse_vdev},
    };
    *out = (struct tern_device_spec){.kind = TERN_DEVICE_PAIR};

    if (text == NULL || text[0] == '\0')
        return tern_fail(err, -EINVAL, "no device given; type one of " FORMS);
    if (strcmp(text, "pair") == 0)
        return 0;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const size_t n = strlen(forms[i].prefix);
        if (strncmp(text, forms[i].prefix, n) == 0) {
            out->kind = forms[i].kind;
            return forms[i].parse(text + n, out, err);
        }
    }
    if (parse_pci(text, out->name, sizeof out->name)) {
        out->kind = TERN_DEVICE_PCI;
        return 0;
    }
    if (is_ifname(text)) {
        out->kind = TERN_DEVICE_NETDEV;
        snprintf(out->name, sizeof out->name, "%s", text);
        return 0;
    }
    return tern_fail(
        err, -EINVAL, "device \"%.100s\" is of no known form; type one of " FORMS, text);
}

uint32_t tern_device_spec_n_ways(const struct tern_device_spec *s)
{
    return s->kind == TERN_DEVICE_NETDEV ? 2 : 1;
}

static void memif_devargs(const struct tern_device_spec *s, char *buf)
{
    int len =
        snprintf(buf, TERN_DEVARGS_BYTES, "net_memif_tern,role=%s,socket=%s,socket-abstract=no",
            s->server ? "server" : "client", s->name);
    if (s->ring_slots != 0)
        len += snprintf(
            buf + len, TERN_DEVARGS_BYTES - (size_t)len, ",rsize=%d", __builtin_ctz(s->ring_slots));
}

/** A power of two that holds a frame of this MTU and the kernel's own header (TPACKET2_HDRLEN). */
static uint32_t af_packet_frame_bytes(uint32_t mtu_bytes)
{
    uint32_t n_bytes = 2048;
    while (n_bytes < mtu_bytes + 128)
        n_bytes *= 2;
    return n_bytes;
}

static void netdev_devargs(
    const char *ifname, uint32_t way, uint32_t n_queues, uint32_t mtu_bytes, char *buf)
{
    if (way == 0) {
        snprintf(
            buf, TERN_DEVARGS_BYTES, "net_af_xdp_tern,iface=%s,queue_count=%u", ifname, n_queues);
        return;
    }
    const uint32_t frame = af_packet_frame_bytes(mtu_bytes);
    snprintf(buf, TERN_DEVARGS_BYTES,
        "net_af_packet_tern,iface=%s,qpairs=%u,blocksz=%u,framesz=%u,framecnt=1024", ifname,
        n_queues, 2 * frame, frame);
}

void tern_device_spec_devargs(const struct tern_device_spec *s, uint32_t way, uint32_t n_queues,
    uint32_t mtu_bytes, char *buf)
{
    switch (s->kind) {
    case TERN_DEVICE_PAIR: buf[0] = '\0'; return;
    case TERN_DEVICE_PCI:
    case TERN_DEVICE_VDEV: snprintf(buf, TERN_DEVARGS_BYTES, "%s", s->name); return;
    case TERN_DEVICE_NETDEV: netdev_devargs(s->name, way, n_queues, mtu_bytes, buf); return;
    case TERN_DEVICE_TAP:
        snprintf(buf, TERN_DEVARGS_BYTES, "net_tap_tern,iface=%s", s->name);
        return;
    case TERN_DEVICE_MEMIF: memif_devargs(s, buf); return;
    case TERN_DEVICE_PCAP:
        snprintf(buf, TERN_DEVARGS_BYTES, "net_pcap_tern%s%s%s%s",
            s->in[0] != '\0' ? ",rx_pcap=" : "", s->in, s->out[0] != '\0' ? ",tx_pcap=" : "",
            s->out);
        return;
    }
}

void tern_devargs_name(const char *devargs, char *buf)
{
    const size_t len = strcspn(devargs, ",");
    memcpy(buf, devargs, len);
    buf[len] = '\0';
}
