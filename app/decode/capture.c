/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The filter is run here and not by pcap_next_ex(), which would skip frames without counting them:
 * a frame keeps the number that it has in the file, as other tools show it.
 *
 * A file that ends in the middle of a record is what an interrupted capture leaves. What came
 * before has been shown by then; the caller ends with an error line and a status that says so.
 */
#include "capture.h"

#include "../error.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Link types of capture files and what they are here. DLT_RAW has other numbers on other systems;
 * libpcap maps those of a file to this system's. */
static const struct link_row {
    int dlt;
    enum tern_link_type link;
} links[] = {
    {DLT_EN10MB, TERN_LINK_ETHERNET},
    {DLT_RAW, TERN_LINK_RAW},
    {DLT_IPV4, TERN_LINK_RAW},
    {DLT_IPV6, TERN_LINK_RAW},
    {DLT_LINUX_SLL, TERN_LINK_SLL},
    {DLT_LINUX_SLL2, TERN_LINK_SLL2},
};

static int find_link(struct app_capture *c, struct tern_error *err)
{
    const int dlt = pcap_datalink(c->pcap);
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
        if (links[i].dlt == dlt) {
            c->link = links[i].link;
            return 0;
        }
    const char *name = pcap_datalink_val_to_name(dlt);
    return app_refuse(err,
        "decode: %.200s holds frames of link type %d (%s), which are not read; "
        "type a capture of Ethernet, raw IP or Linux cooked (SLL, SLL2)",
        c->path, dlt, name != NULL ? name : "unknown");
}

static int compile_filter(struct app_capture *c, const char *filter, struct tern_error *err)
{
    if (filter == NULL)
        return 0;
    enum { OPTIMISE = 1 };
    if (pcap_compile(c->pcap, &c->filter, filter, OPTIMISE, PCAP_NETMASK_UNKNOWN) != 0)
        return app_refuse(err,
            "--filter '%.100s': %.120s; type an expression of pcap-filter(7), such as "
            "'tcp port 80'",
            filter, pcap_geterr(c->pcap));
    c->has_filter = true;
    return 0;
}

/* libpcap opens a directory and then says "error reading dump file"; say it in plain words. */
static int check_path(const char *path, struct tern_error *err)
{
    struct stat st;
    if (strcmp(path, "-") == 0)
        return 0;
    if (stat(path, &st) != 0)
        return app_refuse(err, "decode: cannot read %.200s: %s; type the name of a capture file",
            path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return app_refuse(
            err, "decode: %.200s is a directory; type the name of a capture file in it", path);
    return 0;
}

int app_capture_open(
    struct app_capture *c, const char *path, const char *filter, struct tern_error *err)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    *c = (struct app_capture){.path = path};
    int rc = check_path(path, err);
    if (rc != 0)
        return rc;
    c->pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
    if (c->pcap == NULL)
        return app_refuse(err,
            "decode: %.150s is no capture that can be read: %.150s; type the name of a pcap or "
            "pcapng file",
            path, why);
    rc = find_link(c, err);
    if (rc == 0)
        rc = compile_filter(c, filter, err);
    if (rc != 0)
        app_capture_close(c);
    return rc;
}

static bool passes(const struct app_capture *c, const struct pcap_pkthdr *h, const u_char *bytes)
{
    return !c->has_filter || pcap_offline_filter(&c->filter, h, bytes) != 0;
}

static void fill(const struct app_capture *c, const struct pcap_pkthdr *h, const u_char *bytes,
    struct app_captured *out)
{
    enum { NS_PER_S = 1000000000 };
    *out = (struct app_captured){
        .number = c->n_read,
        .at_ns = (uint64_t)h->ts.tv_sec * NS_PER_S + (uint64_t)h->ts.tv_usec, /* ns: as asked for */
        .in =
            {
                .frame = bytes,
                .n_captured = h->caplen,
                .n_wire = h->len > h->caplen ? h->len : h->caplen,
                .link = c->link,
            },
    };
}

int app_capture_next(struct app_capture *c, struct app_captured *out, struct tern_error *err)
{
    struct pcap_pkthdr *h;
    const u_char *bytes;
    int rc;
    while ((rc = pcap_next_ex(c->pcap, &h, &bytes)) == 1) {
        c->n_read++;
        if (!passes(c, h, bytes))
            continue;
        fill(c, h, bytes, out);
        return 1;
    }
    if (rc == PCAP_ERROR_BREAK)
        return 0;
    return app_refuse(err,
        "decode: %.150s cannot be read behind frame %llu: %.200s; what is above was read from it",
        c->path, (unsigned long long)c->n_read, pcap_geterr(c->pcap));
}

void app_capture_close(struct app_capture *c)
{
    if (c->has_filter)
        pcap_freecode(&c->filter);
    if (c->pcap != NULL)
        pcap_close(c->pcap);
    c->pcap = NULL;
    c->has_filter = false;
}
