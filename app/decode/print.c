/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything is printed in the analyser's form: "   TCP: Window = 8192 (0x2000)", the layer in
 * front, numbers decimal and hexadecimal, what makes a field remarkable behind it. Nothing from the
 * wire is printed as text but in the right column of the dump, where what is not printable is a
 * dot.
 *
 * The summary's `len` and `seq` count the option bytes of a SYN, as the analyser's did; on any
 * other segment that would hide where the data begins, so there they count payload.
 */
#include "print.h"

#include <tern/stats.h>

#include "states.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum {
    FIN = 0x01,
    SYN = 0x02,
    RST = 0x04,
    PSH = 0x08,
    ACK = 0x10,
    URG = 0x20,
    ECE = 0x40,
    CWR = 0x80
};
enum {
    INDENT = 3,
    HEX_COLUMNS = 16,
    FLAG_LETTERS = 8,
    MAC_TEXT_BYTES = 24,
    TIME_TEXT_BYTES = 32,
    NS_PER_S = 1000000000,
    VLAN_ID_BITS = 0x0fff,
    VLAN_DEI = 0x1000,
    PADDING_SHOWN_MAX = 18, /* bytes of it in its line; the dump has all */
    ETHERTYPE_MIN = 0x600,  /* below: the length of an IEEE 802.3 frame */
};

/* Where to, and what to call hosts. */
struct page {
    FILE *out;
    const struct app_hosts *hosts;
    const char *layer;
    int indent;
};

/* ---- lines ---- */

__attribute__((format(printf, 2, 3))) static void line(
    const struct page *p, const char *format, ...)
{
    va_list args;
    fprintf(p->out, "%*s%s: ", p->indent, "", p->layer);
    va_start(args, format);
    vfprintf(p->out, format, args);
    va_end(args);
    fputc('\n', p->out);
}

static void number(const struct page *p, const char *name, uint32_t value)
{
    line(p, "%s = %u (0x%X)", name, value, value);
}

/* A number that may have a name. */
static void named(const struct page *p, const char *name, uint32_t value, const char *meaning)
{
    line(p, "%s = %u (0x%X)%s%s", name, value, value, meaning != NULL ? ", " : "",
        meaning != NULL ? meaning : "");
}

static char *mac_text(const uint8_t *mac, uint32_t n, char buf[MAC_TEXT_BYTES])
{
    buf[0] = '\0';
    for (uint32_t i = 0; i < n; i++)
        snprintf(buf + 3 * i, MAC_TEXT_BYTES - 3 * i, "%02X%s", mac[i], i + 1 < n ? ":" : "");
    return buf;
}

static void checksum(const struct page *p, const struct tern_decoded_csum *c)
{
    switch (c->verdict) {
    case TERN_CSUM_GOOD: line(p, "Checksum = 0x%04X", c->seen); break;
    case TERN_CSUM_BAD:
        line(p, "Checksum = 0x%04X, wrong: 0x%04X would be right", c->seen, c->right);
        break;
    case TERN_CSUM_UNFINISHED:
        line(p, "Checksum = 0x%04X, unfinished: left to the sender's NIC, which makes it 0x%04X",
            c->seen, c->right);
        break;
    case TERN_CSUM_UNKNOWN:
        line(p, "Checksum = 0x%04X, not checked: not all that it covers is here", c->seen);
        break;
    }
}

static void address(const struct page *p, const char *name, const union tern_addr *a)
{
    char text[APP_HOST_TEXT_BYTES];
    const char *host = app_host_name(p->hosts, a, text);
    if (host == text) {
        line(p, "%s = %s", name, text);
        return;
    }
    tern_addr_format(a, text);
    line(p, "%s = %s (%s)", name, text, host);
}

/* ---- the summary ---- */

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

/* "..A..S." in the order UAPRSF; CWR and ECE stand in front where one is set. */
static const char *flags_text(uint8_t flags, char buf[FLAG_LETTERS + 1])
{
    static const char letters[] = "CEUAPRSF";
    for (int i = 0; i < FLAG_LETTERS; i++)
        buf[i] = flags & 0x80 >> i ? letters[i] : '.';
    buf[FLAG_LETTERS] = '\0';
    return flags & (CWR | ECE) ? buf : buf + 2;
}

/* The length as the analyser counts it. */
static uint32_t summary_bytes(const struct tern_decoded_tcp *t)
{
    const uint32_t opt_bytes = t->doff_bytes > 20 ? t->doff_bytes - 20u : 0;
    return t->payload_bytes + (t->flags & SYN ? opt_bytes : 0);
}

static void summarise_tcp(const struct page *p, const struct tern_decoded_tcp *t)
{
    char letters[FLAG_LETTERS + 1];
    const uint32_t n = summary_bytes(t);
    fprintf(p->out, "TCP %s, len: %u, seq: %u-%u, ack: %u, win: %u, src: %u dst: %u",
        flags_text(t->flags, letters), n, t->seq, n > 0 ? t->seq + n - 1 : t->seq, t->ack, t->wnd,
        t->sport, t->dport);
}

static void summarise_icmp(const struct page *p, const struct tern_decoded *d)
{
    const char *name = app_icmp_name(d->transport, d->icmp.type);
    fprintf(p->out, "%s %s, type: %u, code: %u, len: %u",
        d->transport == TERN_TRANSPORT_ICMP6 ? "ICMPv6" : "ICMP", name != NULL ? name : "message",
        d->icmp.type, d->icmp.code, d->icmp.bytes);
}

static void summarise_other_ip(const struct page *p, const struct tern_decoded *d)
{
    const char *name = app_protocol_name(d->ip.proto);
    if (d->ip.fragment_bytes != 0)
        fprintf(p->out, "fragment at %u of ", d->ip.fragment_bytes);
    else if (d->transport == TERN_TRANSPORT_NONE)
        fprintf(p->out, "no whole header of ");
    fprintf(p->out, "IP protocol %u%s%s%s", d->ip.proto, name != NULL ? " (" : "",
        name != NULL ? name : "", name != NULL ? ")" : "");
}

static void summarise_ip(const struct page *p, const struct tern_decoded *d)
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

static void summarise_arp(const struct page *p, const struct tern_decoded_arp *a)
{
    char sender[APP_HOST_TEXT_BYTES], target[APP_HOST_TEXT_BYTES], mac[MAC_TEXT_BYTES];
    const char *from = app_host_name(p->hosts, &a->sender, sender);
    const char *to = app_host_name(p->hosts, &a->target, target);
    switch (a->op) {
    case 1: fprintf(p->out, "%s --> %s ARP who has %s?", from, to, to); break;
    case 2:
        fprintf(p->out, "%s --> %s ARP %s is at %s", from, to, from,
            mac_text(a->sender_mac, sizeof a->sender_mac, mac));
        break;
    default: fprintf(p->out, "%s --> %s ARP operation %u", from, to, a->op); break;
    }
}

static void summarise_link(const struct page *p, const struct tern_decoded *d)
{
    char src[MAC_TEXT_BYTES], dst[MAC_TEXT_BYTES];
    const char *name = app_ethertype_name(d->link.ethertype);
    if (!d->link.is_there)
        fprintf(p->out, "no whole header");
    else if (d->link.ethertype < ETHERTYPE_MIN)
        fprintf(p->out, "%s --> %s IEEE 802.3, len: %u", mac_text(d->link.src, 6, src),
            mac_text(d->link.dst, 6, dst), d->link.ethertype);
    else
        fprintf(p->out, "%s --> %s EtherType 0x%04X%s%s", mac_text(d->link.src, 6, src),
            mac_text(d->link.dst, 6, dst), d->link.ethertype, name != NULL ? " " : "",
            name != NULL ? name : "");
}

static void summarise(const struct page *p, const struct app_frame *f)
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

/* ---- link ---- */

static void print_tags(struct page *p, const struct tern_decoded_link *link)
{
    p->layer = "VLAN";
    for (uint32_t i = 0; i < link->n_tags; i++) {
        const struct tern_decoded_tag *t = &link->tags[i];
        line(p, "Tag = 0x%04X, %s", t->tpid, app_ethertype_name(t->tpid));
        number(p, "VLAN Identifier", t->tci & VLAN_ID_BITS);
        number(p, "Priority", t->tci >> 13);
        number(p, "Drop Eligible", (t->tci & VLAN_DEI) != 0);
    }
}

static void print_ethertype(const struct page *p, uint16_t ethertype)
{
    const char *name = app_ethertype_name(ethertype);
    if (ethertype < ETHERTYPE_MIN)
        number(p, "Length (IEEE 802.3)", ethertype);
    else
        line(p, "EtherType = 0x%04X%s%s", ethertype, name != NULL ? ", " : "",
            name != NULL ? name : "");
}

static void print_ethernet(struct page *p, const struct tern_decoded_link *link)
{
    char mac[MAC_TEXT_BYTES];
    p->layer = "Ethernet";
    line(p, "Destination Address = %s%s", mac_text(link->dst, sizeof link->dst, mac),
        link->dst[0] & 1 ? ", group" : "");
    line(p, "Source Address = %s%s", mac_text(link->src, link->n_src_bytes, mac),
        link->src[0] & 1 ? ", group: no station has it" : "");
    print_ethertype(p, link->n_tags > 0 ? link->tags[0].tpid : link->ethertype);
    if (link->n_tags == 0)
        return;
    print_tags(p, link);
    print_ethertype(p, link->ethertype);
}

static void print_cooked(
    struct page *p, enum tern_link_type type, const struct tern_decoded_link *l)
{
    char mac[MAC_TEXT_BYTES];
    p->layer = "Cooked";
    named(p, "Packet Type", l->cooked_kind, app_cooked_name(l->cooked_kind));
    if (type == TERN_LINK_SLL2)
        number(p, "Interface", l->cooked_ifindex);
    number(p, "Hardware Type", l->cooked_hw);
    if (l->n_src_bytes > 0)
        line(p, "Source Address = %s", mac_text(l->src, l->n_src_bytes, mac));
    print_ethertype(p, l->n_tags > 0 ? l->tags[0].tpid : l->ethertype);
    if (l->n_tags == 0)
        return;
    print_tags(p, l);
    print_ethertype(p, l->ethertype);
}

static void print_link(struct page *p, const struct app_frame *f)
{
    if (!f->d.link.is_there)
        return;
    if (f->in.link == TERN_LINK_ETHERNET)
        print_ethernet(p, &f->d.link);
    else
        print_cooked(p, f->in.link, &f->d.link);
}

/* ---- ARP, IP ---- */

static void print_arp(struct page *p, const struct tern_decoded_arp *a)
{
    char mac[MAC_TEXT_BYTES];
    p->layer = "ARP";
    named(p, "Operation", a->op, a->op == 1 ? "request" : a->op == 2 ? "reply" : NULL);
    line(p, "Sender Hardware Address = %s", mac_text(a->sender_mac, sizeof a->sender_mac, mac));
    address(p, "Sender Address", &a->sender);
    line(p, "Target Hardware Address = %s", mac_text(a->target_mac, sizeof a->target_mac, mac));
    address(p, "Target Address", &a->target);
}

static void print_service(const struct page *p, const char *name, uint8_t tos)
{
    line(p, "%s = %u (0x%X), DSCP %u, %s", name, tos, tos, tos >> 2, app_ecn_name(tos));
}

static void print_ip4(struct page *p, const struct tern_decoded_ip *ip)
{
    p->layer = "IP";
    number(p, "Version", ip->version);
    number(p, "Header Length", ip->hdr_bytes);
    print_service(p, "Service Type", ip->tos);
    number(p, "Total Length", ip->total_bytes);
    line(p, "Identification = 0x%04X", ip->id);
    line(p, "Flags = 0x%X : %s%s%s", ip->flags, ip->flags & 4 ? "reserved bit, " : "",
        ip->flags & 2 ? "do not fragment" : "may fragment",
        ip->more_fragments ? ", more fragments" : "");
    number(p, "Fragment Offset", ip->fragment_bytes);
    number(p, "Time to Live", ip->hop_limit);
    named(p, "Protocol", ip->proto, app_protocol_name(ip->proto));
    checksum(p, &ip->csum);
    address(p, "Source Address", &ip->src);
    address(p, "Destination Address", &ip->dst);
    if (ip->hdr_bytes > 20)
        number(p, "Option Bytes", ip->hdr_bytes - 20);
}

static void print_ip6(struct page *p, const struct tern_decoded_ip *ip)
{
    p->layer = "IPv6";
    number(p, "Version", ip->version);
    print_service(p, "Traffic Class", ip->tos);
    number(p, "Flow Label", ip->flow_label);
    number(p, "Payload Length", ip->total_bytes - ip->hdr_bytes);
    number(p, "Hop Limit", ip->hop_limit);
    address(p, "Source Address", &ip->src);
    address(p, "Destination Address", &ip->dst);
    for (uint32_t i = 0; i < ip->n_exts; i++)
        line(p, "Extension Header = %u (0x%X), %s, %u bytes", ip->exts[i].kind, ip->exts[i].kind,
            app_protocol_name(ip->exts[i].kind), ip->exts[i].bytes);
    if (ip->is_fragment)
        line(p, "Fragment = offset %u%s, identification 0x%X", ip->fragment_bytes,
            ip->more_fragments ? ", more follow" : ", the last", ip->id);
    named(p, "Next Header", ip->proto, app_protocol_name(ip->proto));
}

/* ---- ICMP, TCP ---- */

static void print_icmp(struct page *p, const struct tern_decoded *d)
{
    p->layer = d->transport == TERN_TRANSPORT_ICMP6 ? "ICMPv6" : "ICMP";
    named(p, "Type", d->icmp.type, app_icmp_name(d->transport, d->icmp.type));
    number(p, "Code", d->icmp.code);
    checksum(p, &d->icmp.csum);
}

/* "..0..... = No urgent data": the bit in its place among eight. */
static void print_bits(struct page *p, uint8_t flags)
{
    static const struct {
        uint8_t bit;
        const char *on, *off;
    } bits[] = {
        {CWR, "Congestion window reduced", "Congestion window not reduced"},
        {ECE, "ECN echo", "No ECN echo"},
        {URG, "Urgent data", "No urgent data"},
        {ACK, "Acknowledgement field significant", "Acknowledgement field not significant"},
        {PSH, "Push function", "No Push function"},
        {RST, "Reset the connection", "No Reset"},
        {SYN, "Synchronize sequence numbers", "No Synchronize"},
        {FIN, "No more data from sender", "No Fin"},
    };
    const size_t n = sizeof bits / sizeof bits[0];
    p->indent += INDENT;
    for (size_t i = flags & (CWR | ECE) ? 0 : 2; i < n; i++) {
        char mask[] = "........";
        mask[i] = flags & bits[i].bit ? '1' : '0';
        line(p, "%s = %s", mask, flags & bits[i].bit ? bits[i].on : bits[i].off);
    }
    p->indent -= INDENT;
}

static void print_bytes(FILE *out, const uint8_t *bytes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        fprintf(out, " %02X", bytes[i]);
}

/* The bytes behind an option's kind and length. */
static void print_opt_bytes(
    const struct page *p, const struct app_frame *f, const struct tern_decoded_opt *o)
{
    if (o->n_bytes <= 2 || o->off + o->n_bytes > f->in.n_captured)
        return;
    fprintf(p->out, "%*s%s: Option Value =", p->indent, "", p->layer);
    print_bytes(p->out, f->in.frame + o->off + 2, o->n_bytes - 2u);
    fputc('\n', p->out);
}

static void print_opt_values(
    const struct page *p, const struct app_frame *f, const struct tern_decoded_opt *o)
{
    enum { WSCALE = 3, SACK = 5, TIMESTAMPS = 8, WSCALE_MAX = 14 };
    switch (o->n_values == 0 ? 0 : o->kind) {
    case 0: print_opt_bytes(p, f, o); break;
    case WSCALE:
        line(p, "Option Value = %u (0x%X), windows count %u bytes%s", o->values[0], o->values[0],
            1u << (o->values[0] > WSCALE_MAX ? WSCALE_MAX : o->values[0]),
            o->values[0] > WSCALE_MAX ? ", read as 14 (RFC 7323 §2.3)" : "");
        break;
    case TIMESTAMPS:
        number(p, "Option Value (TSval)", o->values[0]);
        number(p, "Option Value (TSecr)", o->values[1]);
        break;
    case SACK:
        for (uint32_t i = 0; i + 1 < o->n_values; i += 2)
            line(p, "Option Value (block) = %u-%u, %u bytes", o->values[i], o->values[i + 1],
                o->values[i + 1] - o->values[i]);
        break;
    default: number(p, "Option Value", o->values[0]); break;
    }
}

static void print_opt(
    const struct page *p, const struct app_frame *f, const struct tern_decoded_opt *o)
{
    const char *name = app_tcp_option_name(o->kind);
    line(p, "Option Kind (%s) = %u (0x%X)", name != NULL ? name : "Unknown", o->kind, o->kind);
    if (o->n_bytes == 1 && o->is_sound)
        return;
    line(p, "Option Length = %u (0x%X)%s", o->n_bytes, o->n_bytes,
        o->is_sound ? "" : ", impossible: ignored (RFC 9293 §3.2)");
    print_opt_values(p, f, o);
}

static void print_opts(struct page *p, const struct app_frame *f)
{
    const struct tern_decoded_tcp *t = &f->d.tcp;
    if (t->n_opts == 0)
        return;
    line(p, "Options");
    p->indent += INDENT;
    for (uint32_t i = 0; i < t->n_opts; i++)
        print_opt(p, f, &t->opts[i]);
    p->indent -= INDENT;
}

static void print_tcp(struct page *p, const struct app_frame *f)
{
    const struct tern_decoded_tcp *t = &f->d.tcp;
    char letters[FLAG_LETTERS + 1];
    p->layer = "TCP";
    line(p, "Source Port = 0x%04X", t->sport);
    line(p, "Destination Port = 0x%04X", t->dport);
    number(p, "Sequence Number", t->seq);
    number(p, "Acknowledgement Number", t->ack);
    number(p, "Data Offset", t->doff_bytes);
    line(p, "Reserved = %u (0x%04X)", t->reserved, t->reserved);
    line(p, "Flags = 0x%02X : %s", t->flags, flags_text(t->flags, letters));
    print_bits(p, t->flags);
    number(p, "Window", t->wnd);
    checksum(p, &t->csum);
    number(p, "Urgent Pointer", t->urg);
    print_opts(p, f);
    if (t->payload_bytes > 0)
        line(p, "Data = %u bytes", t->payload_bytes);
}

/* ---- the whole frame ---- */

static void print_net(struct page *p, const struct app_frame *f)
{
    switch (f->d.net) {
    case TERN_NET_IP4: print_ip4(p, &f->d.ip); break;
    case TERN_NET_IP6: print_ip6(p, &f->d.ip); break;
    case TERN_NET_ARP: print_arp(p, &f->d.arp); break;
    case TERN_NET_NONE:
    case TERN_NET_OTHER: break;
    }
    switch (f->d.transport) {
    case TERN_TRANSPORT_TCP: print_tcp(p, f); break;
    case TERN_TRANSPORT_ICMP4:
    case TERN_TRANSPORT_ICMP6: print_icmp(p, &f->d); break;
    case TERN_TRANSPORT_NONE:
    case TERN_TRANSPORT_OTHER: break;
    }
}

static void print_padding(struct page *p, const struct app_frame *f)
{
    const struct tern_decoded *d = &f->d;
    const uint32_t shown =
        d->padding_bytes < PADDING_SHOWN_MAX ? d->padding_bytes : PADDING_SHOWN_MAX;
    p->layer = f->in.link == TERN_LINK_ETHERNET ? "Ethernet" : "Link";
    if (d->padding_bytes == 0)
        return;
    fprintf(p->out, "%*s%s: Frame Padding = %u bytes, %s:", p->indent, "", p->layer,
        d->padding_bytes, d->padding_is_zero ? "zero" : "not zero");
    print_bytes(p->out, f->in.frame + d->padding_off, shown);
    fputs(shown < d->padding_bytes ? " …\n" : "\n", p->out);
}

bool app_frame_is_unfinished(const struct app_frame *f)
{
    return f->d.drop_is_known && f->d.drop == TERN_DROP_TCP_CSUM
           && f->d.tcp.csum.verdict == TERN_CSUM_UNFINISHED;
}

static void print_verdict(struct page *p, const struct app_frame *f)
{
    p->layer = "tern";
    if (!f->d.drop_is_known && f->d.is_cut)
        line(p, "Verdict = unknown: %u of %u bytes were captured", f->in.n_captured, f->in.n_wire);
    else if (app_frame_is_unfinished(f))
        line(p, "Drop = %s: as it is here; not once the sender's NIC has finished the checksum",
            tern_drop_name(f->d.drop));
    else if (f->d.drop_is_known && f->d.drop != TERN_DROP_NONE)
        line(p, "Drop = %s: %s", tern_drop_name(f->d.drop), tern_drop_text(f->d.drop));
}

static void print_ending(const struct page *p, const struct app_explained *x, uint32_t i)
{
    char text[APP_HOST_TEXT_BYTES];
    const struct app_end *e = &x->flow->ends[i];
    const struct app_ending *end = &x->ends[i];
    const bool moved = end->before != end->after;
    const char *host = app_host_name(p->hosts, &e->addr, text);
    const bool brackets = host == text && !tern_addr_is_v4(&e->addr);
    line(p, "%s%s%s:%u %s%s%s%s%s%s%s%s", brackets ? "[" : "", host, brackets ? "]" : "", e->port,
        moved ? app_state_name(end->before) : "", moved ? " -> " : "", app_state_name(end->after),
        end->why != NULL ? ": " : "", end->why != NULL ? end->why : "",
        end->why != NULL ? " (" : "", end->why != NULL ? end->section : "",
        end->why != NULL ? ")" : "");
}

static void print_explained(struct page *p, const struct app_explained *x)
{
    if (x == NULL)
        return;
    p->layer = "State";
    line(p, "connection %" PRIu64, x->flow->number);
    print_ending(p, x, x->from);
    print_ending(p, x, 1 - x->from);
    p->layer = "Note";
    for (uint32_t i = 0; i < x->n_notes; i++)
        line(p, "%s", x->notes[i].text);
}

static void print_hex(const struct page *p, const uint8_t *bytes, uint32_t n)
{
    for (uint32_t at = 0; at < n; at += HEX_COLUMNS) {
        const uint32_t here = n - at < HEX_COLUMNS ? n - at : HEX_COLUMNS;
        fprintf(p->out, "%05X: ", at);
        print_bytes(p->out, bytes + at, here);
        fprintf(p->out, "%*s", 3 * (HEX_COLUMNS - (int)here) + INDENT, "");
        for (uint32_t i = 0; i < here; i++)
            fputc(isascii(bytes[at + i]) && isprint(bytes[at + i]) ? bytes[at + i] : '.', p->out);
        fputc('\n', p->out);
    }
}

void app_print_frame(
    FILE *out, enum app_detail detail, const struct app_hosts *hosts, const struct app_frame *f)
{
    struct page p = {.out = out, .hosts = hosts, .layer = "", .indent = INDENT};
    summarise(&p, f);
    if (detail >= APP_DETAIL_FIELDS) {
        print_link(&p, f);
        print_net(&p, f);
        print_padding(&p, f);
    }
    print_verdict(&p, f);
    print_explained(&p, f->explained);
    if (detail >= APP_DETAIL_HEX)
        print_hex(&p, f->in.frame, f->in.n_captured);
    if (detail >= APP_DETAIL_FIELDS)
        fputc('\n', out);
}
