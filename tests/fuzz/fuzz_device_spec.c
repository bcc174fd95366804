/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Device strings (engine/device_spec.h). They come from the command line and are trusted, but they
 * are text and cheap to fuzz: every way a device can be opened is written out, and must fit. The
 * input is two bytes (queues, MTU) and the text.
 */
#include "engine/device_spec.h"
#include "fuzz.h"

static bool ends_within(const char *text, size_t cap)
{
    return memchr(text, '\0', cap) != NULL;
}

/** What DPDK is handed: one name that its own reader finds again, and no text of the user's that
 * begins a further key, but in vdev, which passes through unread. */
static void check_way(
    const struct tern_device_spec *s, uint32_t way, uint32_t n_queues, uint32_t mtu)
{
    char *devargs = malloc(TERN_DEVARGS_BYTES), *name = malloc(TERN_DEVARGS_BYTES);
    assert(devargs != NULL && name != NULL);
    memset(devargs, 'x', TERN_DEVARGS_BYTES);
    memset(name, 'x', TERN_DEVARGS_BYTES);
    tern_device_spec_devargs(s, way, n_queues, mtu, devargs);
    assert(ends_within(devargs, TERN_DEVARGS_BYTES));
    tern_devargs_name(devargs, name);
    assert(ends_within(name, TERN_DEVARGS_BYTES));
    assert(strncmp(devargs, name, strlen(name)) == 0 && strchr(name, ',') == NULL);
    if (s->kind == TERN_DEVICE_PCAP)
        assert(strstr(devargs, s->in) != NULL && strstr(devargs, s->out) != NULL);
    else if (s->kind != TERN_DEVICE_PAIR)
        assert(strstr(devargs, s->name) != NULL); /* nothing was cut off */
    free(devargs);
    free(name);
}

static void check_refusal(const struct tern_error *err)
{
    assert(ends_within(err->text, sizeof err->text));
    assert(err->text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape t = {data, data + size};
    const uint32_t n_queues = 1 + take8(&t), mtu = 68 + take8(&t) * 36u;
    const size_t n = (size_t)(t.end - t.at);
    char *text = malloc(n + 1);
    assert(text != NULL);
    take_bytes(&t, text, n);
    text[n] = '\0';

    struct tern_device_spec spec;
    struct tern_error err = {0};
    if (tern_device_spec_parse(text, &spec, &err) != 0) {
        check_refusal(&err);
    } else {
        assert(spec.kind <= TERN_DEVICE_VDEV);
        const uint32_t n_ways = tern_device_spec_n_ways(&spec);
        assert(n_ways <= 2);
        for (uint32_t way = 0; way < n_ways; way++)
            check_way(&spec, way, n_queues, mtu);
    }
    free(text);
    return 0;
}
