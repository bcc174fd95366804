/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The summary line. `len` and `seq` count the option bytes of a SYN, as the analyser's did; on any
 * other segment that would hide where the data begins, so there they count payload.
 */
#include "summary.h"

#include "bits.h"

#include <inttypes.h>

enum {
    TIME_TEXT_BYTES = 32,
    NS_PER_S = 1000000000,
    TCP_BYTES = 20,
    ARP_REQUEST = 1,
    ARP_REPLY = 2,
};

/* Seconds, as many decimals as it takes: "2.0785" */
static char *time_text(int64_t at_ns, char buf[TIME_TEXT_BYTES])
{
    const uint64_t ns = at_ns < 0 ? -(uint64_t)at_ns : (uint64_t)at_ns;
    int n = snprintf(buf, TIME_TEXT_BYTES, "%s%" PRIu64 ".%09" PRIu64, at_ns < 0 ? "-" : "",
        ns / NS_PER_S, ns % NS_PER_S);
    while (buf[n - 1] == '0' && buf[n - 2] != '.')
        buf[--n] = '\0';
    return buf;
}

/* The length as the analyser counts it. */
static uint32_t summary_bytes(const struct tern_decoded_tcp *t)
{
    const uint32_t opt_bytes = t->doff_bytes > TCP_BYTES ? t->doff_bytes - (uint32_t)TCP_BYTES : 0;
    return t->payload_bytes + (t->flags & APP_SYN ? opt_bytes : 0);
}

static void summarise_tcp(const struct app_page *p, const struct tern_decoded_tcp *t)
{
    char letters[APP_FLAG_LETTERS + 1];
    const uint32_t n = summary_bytes(t);
    fprintf(p->out, "TCP %s, len: %u, seq: %u-%u, ack: %u, win: %u, src: %u dst: %u",
        app_flags_text(t->flags, letters), n, t->seq, n > 0 ? t->seq + n - 1 : t->seq, t->ack,
        t->wnd, t->sport, t->dport);
}

static void summarise_icmp(const struct app_page *p, const struct tern_decoded *d)
{
    const char *name = app_icmp_name(d->transport, d->icmp.type);
    fprintf(p->out, "%s %s, type: %u, code: %u, len: %u",
        d->transport == TERN_TRANSPORT_ICMP6 ? "ICMPv6" : "ICMP", name != NULL ? name : "message",
        d->icmp.type, d->icmp.code, d->icmp.bytes);
}

static void summarise_other_ip(const struct app_page *p, const struct tern_decoded *d)
{
    const char *name = app_protocol_name(d->ip.proto);
    if (d->ip.fragment_bytes != 0)
        fprintf(p->out, "fragment at %u of ", d->ip.fragment_bytes);
    else if (d->transport == TERN_TRANSPORT_NONE)
        fprintf(p->out, "no whole header of ");
    fprintf(p->out, "IP protocol %u%s%s%s", d->ip.proto, name != NULL ? " (" : "",
        name != NULL ? name : "", name != NULL ? ")" : "");
}

static void summarise_ip(const struct app_page *p, const struct tern_decoded *d)
{
    char src[APP_HOST_TEXT_BYTES], dst[APP_HOST_TEXT_BYTES];
    fprintf(p->out, "%s --> %s ", app_host_name(p->hosts, &d->ip.src, src),
        app_host_name(p->hosts, &d->ip.dst, dst));
    switch (d->transport) {
    case TERN_TRANSPORT_TCP: summarise_tcp(p, &d->tcp); break;
    case TERN_TRANSPORT_ICMP4:
    case TERN_TRANSPORT_ICMP6: summarise_icmp(p, d); break;
    case TERN_TRANSPORT_NONE:
    case TERN_TRANSPORT_OTHER: summarise_other_ip(p, d); break;
    }
}

static void summarise_arp(const struct app_page *p, const struct tern_decoded_arp *a)
{
    char sender[APP_HOST_TEXT_BYTES], target[APP_HOST_TEXT_BYTES], mac[APP_MAC_TEXT_BYTES];
    const char *from = app_host_name(p->hosts, &a->sender, sender);
    const char *to = app_host_name(p->hosts, &a->target, target);
    switch (a->op) {
    case ARP_REQUEST: fprintf(p->out, "%s --> %s ARP who has %s?", from, to, to); break;
    case ARP_REPLY:
        fprintf(p->out, "%s --> %s ARP %s is at %s", from, to, from,
            app_mac_text(a->sender_mac, sizeof a->sender_mac, mac));
        break;
    default: fprintf(p->out, "%s --> %s ARP operation %u", from, to, a->op); break;
    }
}

static void summarise_link(const struct app_page *p, const struct tern_decoded *d)
{
    char src[APP_MAC_TEXT_BYTES], dst[APP_MAC_TEXT_BYTES];
    const char *name = app_ethertype_name(d->link.ethertype);
    if (!d->link.is_there)
        fprintf(p->out, "no whole header");
    else if (d->link.ethertype < APP_ETHERTYPE_MIN)
        fprintf(p->out, "%s --> %s IEEE 802.3, len: %u",
            app_mac_text(d->link.src, d->link.n_src_bytes, src),
            app_mac_text(d->link.dst, sizeof d->link.dst, dst), d->link.ethertype);
    else
        fprintf(p->out, "%s --> %s EtherType 0x%04X%s%s",
            app_mac_text(d->link.src, d->link.n_src_bytes, src),
            app_mac_text(d->link.dst, sizeof d->link.dst, dst), d->link.ethertype,
            name != NULL ? " " : "", name != NULL ? name : "");
}

void app_summary_print(const struct app_page *p, const struct app_frame *f)
{
    char when[TIME_TEXT_BYTES];
    fprintf(p->out, "%" PRIu64 " %s ", f->number, time_text(f->at_ns, when));
    switch (f->d.net) {
    case TERN_NET_IP4:
    case TERN_NET_IP6: summarise_ip(p, &f->d); break;
    case TERN_NET_ARP: summarise_arp(p, &f->d.arp); break;
    case TERN_NET_NONE:
    case TERN_NET_OTHER: summarise_link(p, &f->d); break;
    }
    if (f->d.is_cut)
        fprintf(p->out, " [%u of %u bytes captured]", f->in.n_captured, f->in.n_wire);
    fputc('\n', p->out);
}
