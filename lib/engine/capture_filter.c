/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture_filter.h"

#include "error.h"

#include <errno.h>

enum { FRAME_BYTES_MAX = 65535 };

int tern_capture_filter_compile(
    struct tern_capture_filter *f, const char *text, struct tern_error *err)
{
    if (text == NULL)
        return 0;
    pcap_t *ethernet = pcap_open_dead(DLT_EN10MB, FRAME_BYTES_MAX);
    if (ethernet == NULL)
        return tern_fail(err, -ENOMEM, "out of memory at the very start; free some memory");
    int rc = 0;
    if (pcap_compile(ethernet, &f->program, text, true, PCAP_NETMASK_UNKNOWN) != 0)
        rc = tern_fail(err, -EINVAL, "capture filter '%.200s': %.200s; see man pcap-filter", text,
            pcap_geterr(ethernet));
    pcap_close(ethernet);
    return rc;
}

void tern_capture_filter_fini(struct tern_capture_filter *f)
{
    pcap_freecode(&f->program);
    *f = (struct tern_capture_filter){.program.bf_insns = NULL};
}
