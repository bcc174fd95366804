/* SPDX-License-Identifier: BSD-3-Clause */
#include "names.h"

#include "../error.h"

#include <ctype.h>
#include <string.h>

struct word {
    uint32_t value;
    const char *name;
};

static const char *find(const struct word *words, size_t n, uint32_t value)
{
    for (size_t i = 0; i < n; i++)
        if (words[i].value == value)
            return words[i].name;
    return NULL;
}
#define FIND(words, value) find(words, sizeof(words) / sizeof((words)[0]), value)

const char *app_ethertype_name(uint16_t ethertype)
{
    static const struct word words[] = {
        {0x0800, "IPv4"},
        {0x0806, "ARP"},
        {0x8035, "RARP"},
        {0x8100, "802.1Q"},
        {0x86dd, "IPv6"},
        {0x8847, "MPLS"},
        {0x8863, "PPPoE discovery"},
        {0x8864, "PPPoE"},
        {0x88a8, "802.1ad"},
        {0x88cc, "LLDP"},
    };
    return FIND(words, ethertype);
}

const char *app_protocol_name(uint8_t proto)
{
    static const struct word words[] = {
        {0, "hop-by-hop options"},
        {1, "ICMP"},
        {2, "IGMP"},
        {4, "IPv4 in IP"},
        {6, "TCP"},
        {17, "UDP"},
        {41, "IPv6 in IP"},
        {43, "routing header"},
        {44, "fragment header"},
        {47, "GRE"},
        {50, "ESP"},
        {51, "AH"},
        {58, "ICMPv6"},
        {59, "no next header"},
        {60, "destination options"},
        {89, "OSPF"},
        {132, "SCTP"},
    };
    return FIND(words, proto);
}

const char *app_tcp_option_name(uint8_t kind)
{
    static const struct word words[] = {
        {0, "End of Option List"},
        {1, "No-Operation"},
        {2, "Maximum Segment Size"},
        {3, "Window Scale"},
        {4, "SACK Permitted"},
        {5, "SACK"},
        {8, "Timestamps"},
        {19, "MD5 Signature"},
        {28, "User Timeout"},
        {29, "TCP-AO"},
        {30, "Multipath TCP"},
        {34, "Fast Open Cookie"},
        {253, "Experiment 1"},
        {254, "Experiment 2"},
    };
    return FIND(words, kind);
}

static const char *icmp4_name(uint8_t type)
{
    static const struct word words[] = {
        {0, "echo reply"},
        {3, "destination unreachable"},
        {4, "source quench"},
        {5, "redirect"},
        {8, "echo request"},
        {11, "time exceeded"},
        {12, "parameter problem"},
        {13, "timestamp request"},
        {14, "timestamp reply"},
    };
    return FIND(words, type);
}

static const char *icmp6_name(uint8_t type)
{
    static const struct word words[] = {
        {1, "destination unreachable"},
        {2, "packet too big"},
        {3, "time exceeded"},
        {4, "parameter problem"},
        {128, "echo request"},
        {129, "echo reply"},
        {130, "multicast listener query"},
        {131, "multicast listener report"},
        {133, "router solicitation"},
        {134, "router advertisement"},
        {135, "neighbour solicitation"},
        {136, "neighbour advertisement"},
        {137, "redirect"},
        {143, "multicast listener report"},
    };
    return FIND(words, type);
}

const char *app_icmp_name(enum tern_transport_kind kind, uint8_t type)
{
    return kind == TERN_TRANSPORT_ICMP6 ? icmp6_name(type) : icmp4_name(type);
}

const char *app_cooked_name(uint16_t kind)
{
    static const struct word words[] = {
        {0, "to us"},
        {1, "broadcast"},
        {2, "multicast"},
        {3, "to another host"},
        {4, "sent by us"},
    };
    return FIND(words, kind);
}

const char *app_ecn_name(uint8_t tos)
{
    static const char *const names[] = {"not ECN-capable", "ECT(1)", "ECT(0)", "CE"};
    return names[tos & 3];
}

/* ---- hosts ---- */

static bool is_name(const char *text)
{
    const size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if (!isgraph((unsigned char)text[i]))
            return false;
    return n > 0 && n < APP_HOST_NAME_BYTES;
}

int app_hosts_add(struct app_hosts *h, const char *text, struct tern_error *err)
{
    char addr[TERN_ADDR_TEXT_BYTES];
    const char *equals = strchr(text, '=');
    const size_t n = equals != NULL ? (size_t)(equals - text) : sizeof addr;
    struct app_host host = {.name = ""};
    if (n < sizeof addr) {
        memcpy(addr, text, n);
        addr[n] = '\0';
    }
    if (n >= sizeof addr || tern_addr_parse(addr, &host.addr) != 0 || !is_name(equals + 1))
        return app_refuse(err,
            "--name: '%.80s' is not IP=NAME with a name of 1..%d printable characters; "
            "type --name 198.18.0.1=client",
            text, APP_HOST_NAME_BYTES - 1);
    if (h->n == APP_HOSTS_MAX)
        return app_refuse(err, "--name: there is room for %d names; leave some out", APP_HOSTS_MAX);
    memcpy(host.name, equals + 1, strlen(equals + 1));
    h->hosts[h->n++] = host;
    return 0;
}

const char *app_host_name(const struct app_hosts *h, const union tern_addr *a, char *buf)
{
    for (uint32_t i = 0; i < h->n; i++)
        if (tern_addr_equal(&h->hosts[i].addr, a))
            return h->hosts[i].name;
    return tern_addr_format(a, buf);
}
