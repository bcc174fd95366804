/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The form is the analyser's: numbers decimal and hexadecimal, ports, identification and checksums
 * hexadecimal only. A field that is as it should be has nothing behind it; what is not, says so.
 */
#include "layers.h"

#include "bits.h"

enum {
    VLAN_ID_BITS = 0x0fff,
    VLAN_DEI = 0x1000,
    VLAN_PRIORITY_SHIFT = 13,
    IP4_BYTES = 20,
    ARP_REQUEST = 1,
    ARP_REPLY = 2,
};

static void checksum(const struct app_page *p, const struct tern_decoded_csum *c)
{
    switch (c->verdict) {
    case TERN_CSUM_GOOD: app_page_line(p, "Checksum = 0x%04X", c->seen); break;
    case TERN_CSUM_BAD:
        app_page_line(p, "Checksum = 0x%04X, wrong: 0x%04X would be right", c->seen, c->right);
        break;
    case TERN_CSUM_UNFINISHED:
        app_page_line(p,
            "Checksum = 0x%04X, unfinished: left to the sender's NIC, which makes it 0x%04X",
            c->seen, c->right);
        break;
    case TERN_CSUM_UNKNOWN:
        app_page_line(p, "Checksum = 0x%04X, not checked: not all that it covers is here", c->seen);
        break;
    }
}

/* ---- link ---- */

static void print_tags(struct app_page *p, const struct tern_decoded_link *link)
{
    p->layer = "VLAN";
    for (uint32_t i = 0; i < link->n_tags; i++) {
        const struct tern_decoded_tag *t = &link->tags[i];
        app_page_line(p, "Tag = 0x%04X, %s", t->tpid, app_ethertype_name(t->tpid));
        app_page_number(p, "VLAN Identifier", t->tci & VLAN_ID_BITS);
        app_page_number(p, "Priority", t->tci >> VLAN_PRIORITY_SHIFT);
        app_page_number(p, "Drop Eligible", (t->tci & VLAN_DEI) != 0);
    }
}

static void print_ethertype(const struct app_page *p, uint16_t ethertype)
{
    const char *name = app_ethertype_name(ethertype);
    if (ethertype < APP_ETHERTYPE_MIN)
        app_page_number(p, "Length (IEEE 802.3)", ethertype);
    else
        app_page_line(p, "EtherType = 0x%04X%s%s", ethertype, name != NULL ? ", " : "",
            name != NULL ? name : "");
}

static void print_ethernet(struct app_page *p, const struct tern_decoded_link *link)
{
    char mac[APP_MAC_TEXT_BYTES];
    p->layer = "Ethernet";
    app_page_line(p, "Destination Address = %s%s", app_mac_text(link->dst, sizeof link->dst, mac),
        link->dst[0] & 1 ? ", group" : "");
    app_page_line(p, "Source Address = %s%s", app_mac_text(link->src, link->n_src_bytes, mac),
        link->src[0] & 1 ? ", group: no station has it" : "");
    print_ethertype(p, link->n_tags > 0 ? link->tags[0].tpid : link->ethertype);
    if (link->n_tags == 0)
        return;
    print_tags(p, link);
    print_ethertype(p, link->ethertype);
}

static void print_cooked(
    struct app_page *p, enum tern_link_type type, const struct tern_decoded_link *l)
{
    char mac[APP_MAC_TEXT_BYTES];
    p->layer = "Cooked";
    app_page_named(p, "Packet Type", l->cooked_kind, app_cooked_name(l->cooked_kind));
    if (type == TERN_LINK_SLL2)
        app_page_number(p, "Interface", l->cooked_ifindex);
    app_page_number(p, "Hardware Type", l->cooked_hw);
    if (l->n_src_bytes > 0)
        app_page_line(p, "Source Address = %s", app_mac_text(l->src, l->n_src_bytes, mac));
    print_ethertype(p, l->n_tags > 0 ? l->tags[0].tpid : l->ethertype);
    if (l->n_tags == 0)
        return;
    print_tags(p, l);
    print_ethertype(p, l->ethertype);
}

static void print_link(struct app_page *p, const struct app_frame *f)
{
    if (!f->d.link.is_there)
        return;
    if (f->in.link == TERN_LINK_ETHERNET)
        print_ethernet(p, &f->d.link);
    else
        print_cooked(p, f->in.link, &f->d.link);
}

/* ---- ARP, IP ---- */

static void print_arp(struct app_page *p, const struct tern_decoded_arp *a)
{
    char mac[APP_MAC_TEXT_BYTES];
    p->layer = "ARP";
    app_page_named(p, "Operation", a->op,
        a->op == ARP_REQUEST ? "request"
        : a->op == ARP_REPLY ? "reply"
                             : NULL);
    app_page_line(
        p, "Sender Hardware Address = %s", app_mac_text(a->sender_mac, sizeof a->sender_mac, mac));
    app_page_address(p, "Sender Address", &a->sender);
    app_page_line(
        p, "Target Hardware Address = %s", app_mac_text(a->target_mac, sizeof a->target_mac, mac));
    app_page_address(p, "Target Address", &a->target);
}

static void print_service(const struct app_page *p, const char *name, uint8_t tos)
{
    app_page_line(p, "%s = %u (0x%X), DSCP %u, %s", name, tos, tos, tos >> 2, app_ecn_name(tos));
}

static void print_ip4(struct app_page *p, const struct tern_decoded_ip *ip)
{
    p->layer = "IP";
    app_page_number(p, "Version", ip->version);
    app_page_number(p, "Header Length", ip->hdr_bytes);
    print_service(p, "Service Type", ip->tos);
    app_page_number(p, "Total Length", ip->total_bytes);
    app_page_line(p, "Identification = 0x%04X", ip->id);
    app_page_line(p, "Flags = 0x%X : %s%s%s", ip->flags, ip->flags & 4 ? "reserved bit, " : "",
        ip->flags & 2 ? "do not fragment" : "may fragment",
        ip->more_fragments ? ", more fragments" : "");
    app_page_number(p, "Fragment Offset", ip->fragment_bytes);
    app_page_number(p, "Time to Live", ip->hop_limit);
    app_page_named(p, "Protocol", ip->proto, app_protocol_name(ip->proto));
    checksum(p, &ip->csum);
    app_page_address(p, "Source Address", &ip->src);
    app_page_address(p, "Destination Address", &ip->dst);
    if (ip->hdr_bytes > IP4_BYTES)
        app_page_number(p, "Option Bytes", ip->hdr_bytes - IP4_BYTES);
}

static void print_ip6(struct app_page *p, const struct tern_decoded_ip *ip)
{
    p->layer = "IPv6";
    app_page_number(p, "Version", ip->version);
    print_service(p, "Traffic Class", ip->tos);
    app_page_number(p, "Flow Label", ip->flow_label);
    app_page_number(p, "Payload Length", ip->total_bytes - ip->hdr_bytes);
    app_page_number(p, "Hop Limit", ip->hop_limit);
    app_page_address(p, "Source Address", &ip->src);
    app_page_address(p, "Destination Address", &ip->dst);
    for (uint32_t i = 0; i < ip->n_exts; i++)
        app_page_line(p, "Extension Header = %u (0x%X), %s, %u bytes", ip->exts[i].kind,
            ip->exts[i].kind, app_protocol_name(ip->exts[i].kind), ip->exts[i].bytes);
    if (ip->is_fragment)
        app_page_line(p, "Fragment = offset %u%s, identification 0x%X", ip->fragment_bytes,
            ip->more_fragments ? ", more follow" : ", the last", ip->id);
    app_page_named(p, "Next Header", ip->proto, app_protocol_name(ip->proto));
}

/* ---- ICMP, TCP ---- */

static void print_quote(const struct app_page *p, const struct tern_decoded_icmp *icmp)
{
    char src[APP_HOST_TEXT_BYTES], dst[APP_HOST_TEXT_BYTES];
    if (!icmp->has_quote)
        return;
    app_page_line(p, "Quoted Segment = %s --> %s, src: %u dst: %u, seq: %u",
        app_host_name(p->hosts, &icmp->quote_src, src),
        app_host_name(p->hosts, &icmp->quote_dst, dst), icmp->quote_sport, icmp->quote_dport,
        icmp->quote_seq);
    if (icmp->mtu_bytes != 0)
        app_page_number(p, "Next-Hop MTU", icmp->mtu_bytes);
}

static void print_icmp(struct app_page *p, const struct tern_decoded *d)
{
    p->layer = d->transport == TERN_TRANSPORT_ICMP6 ? "ICMPv6" : "ICMP";
    app_page_named(p, "Type", d->icmp.type, app_icmp_name(d->transport, d->icmp.type));
    app_page_number(p, "Code", d->icmp.code);
    checksum(p, &d->icmp.csum);
    print_quote(p, &d->icmp);
}

/* "..0..... = No urgent data": the bit in its place among eight. */
static void print_bits(struct app_page *p, uint8_t flags)
{
    static const struct {
        uint8_t bit;
        const char *on, *off;
    } bits[] = {
        {APP_CWR, "Congestion window reduced", "Congestion window not reduced"},
        {APP_ECE, "ECN echo", "No ECN echo"},
        {APP_URG, "Urgent data", "No urgent data"},
        {APP_ACK, "Acknowledgement field significant", "Acknowledgement field not significant"},
        {APP_PSH, "Push function", "No Push function"},
        {APP_RST, "Reset the connection", "No Reset"},
        {APP_SYN, "Synchronize sequence numbers", "No Synchronize"},
        {APP_FIN, "No more data from sender", "No Fin"},
    };
    const size_t n = sizeof bits / sizeof bits[0];
    p->indent += APP_INDENT;
    for (size_t i = flags & (APP_CWR | APP_ECE) ? 0 : 2; i < n; i++) {
        char mask[] = "........";
        mask[i] = flags & bits[i].bit ? '1' : '0';
        app_page_line(p, "%s = %s", mask, flags & bits[i].bit ? bits[i].on : bits[i].off);
    }
    p->indent -= APP_INDENT;
}

/* The bytes behind an option's kind and length. */
static void print_opt_bytes(
    const struct app_page *p, const struct app_frame *f, const struct tern_decoded_opt *o)
{
    if (o->n_bytes <= 2 || o->off + o->n_bytes > f->in.n_captured)
        return;
    fprintf(p->out, "%*s%s: Option Value =", p->indent, "", p->layer);
    app_page_bytes(p, f->in.frame + o->off + 2, o->n_bytes - 2u);
    fputc('\n', p->out);
}

static void print_opt_values(
    const struct app_page *p, const struct app_frame *f, const struct tern_decoded_opt *o)
{
    enum { WSCALE = 3, SACK = 5, TIMESTAMPS = 8, WSCALE_MAX = 14 };
    switch (o->n_values == 0 ? 0 : o->kind) {
    case 0: print_opt_bytes(p, f, o); break;
    case WSCALE:
        app_page_line(p, "Option Value = %u (0x%X), windows count %u bytes%s", o->values[0],
            o->values[0], 1u << (o->values[0] > WSCALE_MAX ? WSCALE_MAX : o->values[0]),
            o->values[0] > WSCALE_MAX ? ", read as 14 (RFC 7323 §2.3)" : "");
        break;
    case TIMESTAMPS:
        app_page_number(p, "Option Value (TSval)", o->values[0]);
        app_page_number(p, "Option Value (TSecr)", o->values[1]);
        break;
    case SACK:
        for (uint32_t i = 0; i + 1 < o->n_values; i += 2)
            app_page_line(p, "Option Value (block) = %u-%u, %u bytes", o->values[i],
                o->values[i + 1], o->values[i + 1] - o->values[i]);
        break;
    default: app_page_number(p, "Option Value", o->values[0]); break;
    }
}

static void print_opt(
    const struct app_page *p, const struct app_frame *f, const struct tern_decoded_opt *o)
{
    const char *name = app_tcp_option_name(o->kind);
    app_page_line(
        p, "Option Kind (%s) = %u (0x%X)", name != NULL ? name : "Unknown", o->kind, o->kind);
    if (o->n_bytes == 1 && o->is_sound)
        return;
    app_page_line(p, "Option Length = %u (0x%X)%s", o->n_bytes, o->n_bytes,
        o->is_sound ? "" : ", impossible: ignored (RFC 9293 §3.2)");
    print_opt_values(p, f, o);
}

static void print_opts(struct app_page *p, const struct app_frame *f)
{
    const struct tern_decoded_tcp *t = &f->d.tcp;
    if (t->n_opts == 0)
        return;
    app_page_line(p, "Options");
    p->indent += APP_INDENT;
    for (uint32_t i = 0; i < t->n_opts; i++)
        print_opt(p, f, &t->opts[i]);
    p->indent -= APP_INDENT;
}

static void print_tcp(struct app_page *p, const struct app_frame *f)
{
    const struct tern_decoded_tcp *t = &f->d.tcp;
    char letters[APP_FLAG_LETTERS + 1];
    p->layer = "TCP";
    app_page_line(p, "Source Port = 0x%04X", t->sport);
    app_page_line(p, "Destination Port = 0x%04X", t->dport);
    app_page_number(p, "Sequence Number", t->seq);
    app_page_number(p, "Acknowledgement Number", t->ack);
    app_page_number(p, "Data Offset", t->doff_bytes);
    app_page_line(p, "Reserved = %u (0x%04X)", t->reserved, t->reserved);
    app_page_line(p, "Flags = 0x%02X : %s", t->flags, app_flags_text(t->flags, letters));
    print_bits(p, t->flags);
    app_page_number(p, "Window", t->wnd);
    checksum(p, &t->csum);
    app_page_number(p, "Urgent Pointer", t->urg);
    print_opts(p, f);
    if (t->payload_bytes > 0)
        app_page_line(p, "Data = %u bytes", t->payload_bytes);
}

static void print_net(struct app_page *p, const struct app_frame *f)
{
    switch (f->d.net) {
    case TERN_NET_IP4: print_ip4(p, &f->d.ip); break;
    case TERN_NET_IP6: print_ip6(p, &f->d.ip); break;
    case TERN_NET_ARP: print_arp(p, &f->d.arp); break;
    case TERN_NET_NONE:
    case TERN_NET_OTHER: break;
    }
}

static void print_transport(struct app_page *p, const struct app_frame *f)
{
    switch (f->d.transport) {
    case TERN_TRANSPORT_TCP: print_tcp(p, f); break;
    case TERN_TRANSPORT_ICMP4:
    case TERN_TRANSPORT_ICMP6: print_icmp(p, &f->d); break;
    case TERN_TRANSPORT_NONE:
    case TERN_TRANSPORT_OTHER: break;
    }
}

void app_layers_print(struct app_page *p, const struct app_frame *f)
{
    print_link(p, f);
    print_net(p, f);
    print_transport(p, f);
}
