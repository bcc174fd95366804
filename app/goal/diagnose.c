/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A SYN that gets no answer was stopped somewhere on its way, or its answer was. The counters tell
 * where, asked in the order of that way: no link; nobody says the next hop's MAC, which shows in
 * that no more frames went out than questions; no route; an ICMP error, an RST; segments that came
 * and were dropped here; and when all of that is not so, silence.
 *
 * Drops of other people's packets are no evidence: a reason is one only when it was counted for at
 * least every second SYN.
 */
#include "diagnose.h"

#include "../run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void show(
    struct app_diagnosis *d, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(d->evidence, sizeof d->evidence, format, args);
    va_end(args);
}

__attribute__((format(printf, 2, 3))) static void advise(
    struct app_diagnosis *d, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(d->advice, sizeof d->advice, format, args);
    va_end(args);
}

#define TEXT(addr) tern_addr_format(addr, (char[TERN_ADDR_TEXT_BYTES]){0})

/* ---- each cause: whether it is one, and in words ---- */

/* The interface that the kernel knows, where the device has one. */
static const char *interface_of(const struct app_silence_facts *f)
{
    const char *colon = strchr(f->device, ':');
    return strncmp(f->device, "tap:", 4) == 0 && colon != NULL ? colon + 1 : f->device;
}

static bool is_link(const struct app_silence_facts *f, struct app_diagnosis *d)
{
    show(d, "the link of %.60s is down; %" PRIu64 " frames in", f->device, f->stats.rx_packets);
    advise(d, "type 'ip link set %.60s up', or 'tern doctor', and see that the other end is up",
        interface_of(f));
    return !f->is_link_up;
}

static bool is_neighbour(const struct app_silence_facts *f, struct app_diagnosis *d)
{
    const struct tern_stats *s = &f->stats;
    const bool is_v4 = tern_addr_is_v4(&f->next_hop);
    const uint64_t asked = s->arp_sent + s->ndp_sent, tagged = s->drops[TERN_DROP_VLAN_MISMATCH];
    const uint64_t failed = s->active_failed[TERN_CLOSE_UNREACHABLE];
    show(d,
        "%s does not answer %s: %" PRIu64 " questions went out and %" PRIu64
        " other frames, %" PRIu64 " connections failed for it",
        TEXT(&f->next_hop), is_v4 ? "ARP" : "NDP", asked,
        s->tx_packets > asked ? s->tx_packets - asked : 0, failed);
    if (tagged != 0)
        advise(d,
            "%" PRIu64 " frames came with another VLAN than %u: add --vlan ID, or leave it out",
            tagged, f->vlan);
    else
        advise(d,
            "see that it is up and on this link: type 'ip address' there; "
            "or name its MAC: --neighbour %s=MAC",
            TEXT(&f->next_hop));
    return asked > 0 && (s->tx_packets <= asked || failed > 0);
}

static bool is_route(const struct app_silence_facts *f, struct app_diagnosis *d)
{
    const uint64_t n = f->stats.drops[TERN_DROP_NO_ROUTE];
    show(d, "%s is not on link and no gateway is known; %" PRIu64 " packets had no way",
        TEXT(&f->target), n);
    advise(d, "add --gw ADDR, or an --ip with a shorter prefix");
    return n > 0;
}

static bool is_icmp(const struct app_silence_facts *f, struct app_diagnosis *d)
{
    const uint64_t n = f->stats.drops[TERN_DROP_ICMP_DONE];
    show(d, "%" PRIu64 " ICMP errors about our SYNs came in: the target or a router says no", n);
    advise(d, "type 'ip route get %s' on %s, and see its firewall", TEXT(&f->target),
        TEXT(&f->next_hop));
    return n > 0 && n >= f->stats.active_failed[TERN_CLOSE_REFUSED];
}

static bool is_rst(const struct app_silence_facts *f, struct app_diagnosis *d)
{
    const uint64_t n = f->stats.active_failed[TERN_CLOSE_REFUSED];
    show(d, "%s answers with RST: %" PRIu64 " of %" PRIu64 " connections were refused",
        TEXT(&f->target), n, f->stats.active_opens);
    advise(d, "nothing listens there on port %u: type 'ss -ltn sport = :%u' on it, or another port",
        f->port, f->port);
    return n > 0;
}

/* What an answer may be dropped for, and what then helps. */
static const struct {
    enum tern_drop why;
    const char *advice;
} blames[] = {
    {TERN_DROP_VLAN_MISMATCH, "add --vlan ID, or leave it out, as the other end has it"},
    {TERN_DROP_TCP_CSUM, "checksums are left to a NIC that is not there: type 'ethtool -K IFACE tx "
                         "off' on the other end"},
    {TERN_DROP_IP_CSUM, "checksums are left to a NIC that is not there: type 'ethtool -K IFACE tx "
                        "off' on the other end"},
    {TERN_DROP_IP_DST_NOT_MINE, "answers go to an address that no --ip names: add it"},
    {TERN_DROP_ETH_NOT_MINE,
        "answers go to another MAC: type 'ip neigh flush all' on the other end"},
    {TERN_DROP_TCP_SYNSENT_ACK, "somebody holds an old connection of these ports: wait, or type "
                                "another --ip"},
    {TERN_DROP_TCP_SYNSENT_NO_SYN, "what answers there is no TCP that knows our SYN: look at it "
                                   "with a capture"},
};

static bool is_dropped(const struct app_silence_facts *f, struct app_diagnosis *d)
{
    for (size_t i = 0; i < sizeof blames / sizeof blames[0]; i++) {
        const uint64_t n = f->stats.drops[blames[i].why];
        if (n == 0 || 2 * n < f->stats.active_opens)
            continue;
        show(d, "%" PRIu64 " packets came and were dropped here: %s, %s", n,
            tern_drop_name(blames[i].why), tern_drop_text(blames[i].why));
        advise(d, "%s", blames[i].advice);
        return true;
    }
    return false;
}

static bool is_silence(const struct app_silence_facts *f, struct app_diagnosis *d)
{
    const struct tern_stats *s = &f->stats;
    show(d,
        "%" PRIu64 " SYNs went out to %s, %" PRIu64 " TCP segments came back; %" PRIu64
        " frames in",
        s->active_opens, TEXT(&f->target), s->rx_segments, s->rx_packets);
    advise(d,
        "a firewall drops them, or the answers go another way: type 'tcpdump -ni any tcp port %u' "
        "there; see 'nft list ruleset' and its route back",
        f->port);
    return true;
}

void app_diagnose(const struct app_silence_facts *f, struct app_diagnosis *out)
{
    static bool (*const asks[])(const struct app_silence_facts *, struct app_diagnosis *) = {
        [APP_SILENCE_LINK] = is_link,
        [APP_SILENCE_NEIGHBOUR] = is_neighbour,
        [APP_SILENCE_ROUTE] = is_route,
        [APP_SILENCE_ICMP] = is_icmp,
        [APP_SILENCE_RST] = is_rst,
        [APP_SILENCE_DROPPED] = is_dropped,
        [APP_SILENCE_SILENCE] = is_silence,
    };
    uint32_t cause = 0;
    while (!asks[cause](f, out))
        cause++;
    out->cause = (enum app_silence_cause)cause;
}

/* ---- of a run ---- */

static const union tern_addr *next_hop(
    const struct tern_stack_config *s, const union tern_addr *target)
{
    for (uint32_t i = 0; i < s->n_addrs; i++)
        if (tern_prefix_contains(&s->addrs[i], target))
            return target;
    return tern_addr_is_v4(target) ? &s->gateway4 : &s->gateway6;
}

bool app_diagnose_run(
    const struct app_run *run, const struct tern_engine *engine, struct app_diagnosis *out)
{
    if (run->load == NULL)
        return false;
    const struct tern_endpoint_config *ep = &run->cfg->endpoints[0];
    const struct app_load_target *target = &run->load->cfg.targets[0];
    struct tern_device_info device;
    tern_engine_device(engine, 0, &device);
    struct app_silence_facts f = {
        .is_link_up = device.is_link_up,
        .vlan = ep->stack.vlan,
        .target = target->addr,
        .port = target->port,
        .next_hop = *next_hop(&ep->stack, &target->addr),
        .device = ep->device,
    };
    tern_engine_stats(engine, 0, &f.stats);
    if (f.stats.active_established != 0 || f.stats.active_opens == 0)
        return false;
    app_diagnose(&f, out);
    return true;
}

/* ---- telling ---- */

static const char *cause_name(enum app_silence_cause cause)
{
#define NAME(name, json) json,
    static const char *const names[] = {APP_SILENCE_LIST(NAME)};
#undef NAME
    return names[cause];
}

void app_diagnosis_report(FILE *out, const struct app_diagnosis *d)
{
    fprintf(
        out, "  nothing answers: %s: %s\n    %s\n", cause_name(d->cause), d->evidence, d->advice);
    fflush(out);
}

json_t *app_diagnosis_json(const struct app_diagnosis *d)
{
    return json_pack("{s:s, s:s, s:s}", "cause", cause_name(d->cause), "evidence", d->evidence,
        "advice", d->advice);
}
