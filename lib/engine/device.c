/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port is attached when the engine opens and detached when it closes, never at EAL's start, so
 * engines can come and go in one process. Every step can fail; the first that does says why, with
 * the driver's own words as evidence, and tern_port_close() undoes whatever was done.
 *
 * Offloads: what the device has is asked for, but: TAP computes checksums in software on our own
 * core, which we do faster, and its TSO takes no segment that fills the MTU (it counts the Ethernet
 * header in). TSO is used only with checksums and chained buffers, which it needs. RSS keeps
 * whatever key and table the driver brings (steering.c uses them where they are told, and needs
 * neither).
 *
 * A kernel interface is tried as AF_XDP first and AF_PACKET second; what spoke against the first is
 * kept for the banner.
 */
#include "device.h"

#include "error.h"
#include "pair.h"

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    DESC_DEFAULT = 1024,
    LINK_WAIT_MS = 5000,
    LINK_POLL_MS = 100,
    LINK_WAIT_MEMIF_MS = 1000,
    LINK_POLL_MEMIF_MS = 5,
    /* The largest IP packet less the headers that every segment repeats. */
    TSO_BYTES_MAX = 65535 - 255,
    XDP_MTU_SAFE = 3000, /* what kernel drivers with XDP take at least, of those we know */
};

#define AF_XDP_DRIVER "net_af_xdp"

#define RX_CSUM       (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM)
#define TX_CSUM       (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM)
#define RSS           (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP)

static const char *label(const struct tern_port_want *w)
{
    return w->cfg->device;
}

/** What to type when a device that is there could not be opened. */
static const char *advice(const struct tern_port_want *w)
{
    if (geteuid() != 0 && w->spec->kind != TERN_DEVICE_PAIR && w->spec->kind != TERN_DEVICE_PCAP)
        return "run as root";
    switch (w->spec->kind) {
    case TERN_DEVICE_TAP: return "choose a name that no interface has (ip -brief link)";
    case TERN_DEVICE_PCI: return "see dmesg, then tern doctor";
    case TERN_DEVICE_VDEV: return "check the string against the driver's page of DPDK's guide";
    case TERN_DEVICE_MEMIF: return "does the end with ,server run, and serve no other client?";
    case TERN_DEVICE_PAIR:
    case TERN_DEVICE_NETDEV:
    case TERN_DEVICE_PCAP: break;
    }
    return "type: tern doctor";
}

static int refuse(const struct tern_port_want *w, int rc, const char *step, struct tern_error *err)
{
    return tern_fail(err, rc < 0 ? rc : -EIO, "%s: %s failed (%s): %s; %s", label(w), step,
        rte_strerror(rc < 0 ? -rc : EIO), tern_eal_log_text(w->log), advice(w));
}

/* ---- attach ---- */

/** Have a library that AF_XDP's driver brought along print nothing; it would go to the terminal. */
static void hush(const char *library, const char *setter)
{
    void *lib = dlopen(library, RTLD_NOW | RTLD_NOLOAD);
    if (lib == NULL)
        return;
    void *(*set_print)(void *) = NULL;
    *(void **)&set_print = dlsym(lib, setter);
    if (set_print != NULL)
        set_print(NULL);
    dlclose(lib);
}

static int attach(
    const struct tern_port_want *w, uint32_t way, struct tern_port *p, struct tern_error *err)
{
    if (w->pair_port >= 0) {
        p->id = (uint16_t)w->pair_port;
        p->is_attached = true;
        return 0;
    }
    char name[TERN_DEVARGS_BYTES];
    tern_device_spec_devargs(w->spec, way, w->n_queues, w->mtu_bytes, p->devargs);
    tern_devargs_name(p->devargs, name);
    hush("libbpf.so.1", "libbpf_set_print");
    hush("libxdp.so.1", "libxdp_set_print");

    const int rc = rte_dev_probe(p->devargs);
    if (rc != 0)
        return refuse(w, rc, "attaching the device", err);
    p->is_attached = true;
    if (rte_eth_dev_get_port_by_name(name, &p->id) != 0)
        return tern_fail(err, -ENODEV,
            "%s: DPDK attached \"%s\", but it is no network device; check the string", label(w),
            name);
    return 0;
}

static void detach(const struct tern_port *p)
{
    struct rte_eth_dev_info info;
    struct rte_device *dev = rte_eth_dev_info_get(p->id, &info) == 0 ? info.device : NULL;
    rte_eth_dev_close(p->id);
    if (dev != NULL)
        rte_dev_remove(dev);
}

/* ---- configure ---- */

static void choose_offloads(
    const struct tern_port_want *w, const struct rte_eth_dev_info *info, struct tern_port *p)
{
    if (w->cfg->no_offload)
        return;
    p->rx_offloads = info->rx_offload_capa & RX_CSUM;
    p->tx_offloads = info->tx_offload_capa
                     & (TX_CSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_TCP_TSO);
    if (w->spec->kind == TERN_DEVICE_TAP) {
        p->rx_offloads = 0;
        p->tx_offloads &= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    }
    if (tern_impair_is_on(&w->cfg->impair[TERN_IMPAIR_TX])) /* impair.c says why */
        p->tx_offloads = 0;
    const uint64_t for_tso = TX_CSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    const bool is_tap = strcmp(info->driver_name, "net_tap") == 0;
    if ((p->tx_offloads & for_tso) != for_tso || is_tap)
        p->tx_offloads &= ~RTE_ETH_TX_OFFLOAD_TCP_TSO;
}

static int choose_queues(const struct tern_port_want *w, const struct rte_eth_dev_info *info,
    struct tern_port *p, struct tern_error *err)
{
    const bool is_pci = w->spec->kind == TERN_DEVICE_PCI;
    uint32_t n_rx = w->n_queues;
    uint32_t n_max = RTE_MIN((uint32_t)info->max_rx_queues, (uint32_t)TERN_PORT_QUEUES_MAX);
    if (!is_pci) /* the virtual drivers want their queues in pairs */
        n_max = RTE_MIN(n_max, (uint32_t)info->max_tx_queues);
    else if ((info->flow_type_rss_offloads & RSS) == 0)
        n_max = 1;

    if (w->cfg->n_queues > n_max)
        return tern_fail(err, -EINVAL,
            "%s: %u queues were asked for, the device (%s) has %u; type: --queues %u", label(w),
            w->cfg->n_queues, info->driver_name, n_max, n_max);
    n_rx = RTE_MIN(n_rx, n_max);
    p->n_rxq = (uint16_t)n_rx;
    p->n_txq = is_pci ? (uint16_t)RTE_MIN(w->cfg->n_workers, (uint32_t)info->max_tx_queues)
                      : (uint16_t)n_rx;
    return 0;
}

/** Drivers state a largest MTU, or a largest frame with its header and check sequence, or both. */
static uint32_t mtu_limit(const struct rte_eth_dev_info *info)
{
    if (info->max_mtu != UINT16_MAX || info->max_rx_pktlen >= UINT16_MAX)
        return info->max_mtu;
    return info->max_rx_pktlen - RTE_ETHER_HDR_LEN - RTE_ETHER_CRC_LEN;
}

/** With AF_XDP the interface's own MTU must be small, however short our packets are: the kernel's
 * driver wants any packet in one page, with headroom. How much it leaves is told by none. */
static bool is_link_too_large(const struct tern_port_want *w, const struct rte_eth_dev_info *info)
{
    return strcmp(info->driver_name, AF_XDP_DRIVER) == 0
           && tern_device_mtu(w->spec, UINT16_MAX) > XDP_MTU_SAFE;
}

static int refuse_mtu(
    const struct tern_port_want *w, const struct rte_eth_dev_info *info, struct tern_error *err)
{
    const bool link = is_link_too_large(w, info);
    const uint32_t mtu_max = link ? XDP_MTU_SAFE : mtu_limit(info);
    char also[64] = "";
    if (link)
        snprintf(also, sizeof also, ", and: ip link set %.32s mtu %u", w->spec->name, mtu_max);
    return tern_fail(err, -EMSGSIZE,
        "%s: an MTU of %u was asked for, the device (%s) takes %u; type: --mtu %u%s", label(w),
        w->mtu_bytes, info->driver_name, mtu_limit(info), mtu_max, also);
}

static int refuse_link(
    const struct tern_port_want *w, const struct rte_eth_dev_info *info, struct tern_error *err)
{
    return tern_fail(err, -EMSGSIZE,
        "%s: too large for %s with an MTU of %u; type: ip link set %.32s mtu %u", label(w),
        info->driver_name, tern_device_mtu(w->spec, UINT16_MAX), w->spec->name, XDP_MTU_SAFE);
}

static bool may_have_rss(const struct tern_port_want *w, const struct rte_eth_dev_info *info)
{
    return w->spec->kind == TERN_DEVICE_PCI
           || (w->spec->kind == TERN_DEVICE_VDEV && (info->flow_type_rss_offloads & RSS) != 0);
}

static int configure(const struct tern_port_want *w, const struct rte_eth_dev_info *info,
    struct tern_port *p, struct tern_error *err)
{
    struct rte_eth_conf conf = {
        .rxmode = {.mtu = w->mtu_bytes, .offloads = p->rx_offloads},
        .txmode = {.offloads = p->tx_offloads},
    };
    p->spreads_by_rss = p->n_rxq > 1 && may_have_rss(w, info);
    if (p->spreads_by_rss) {
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_hf = info->flow_type_rss_offloads & RSS;
    }
    p->in_memory = w->spec->kind == TERN_DEVICE_PAIR;
    if (w->mtu_bytes > mtu_limit(info))
        return refuse_mtu(w, info, err);

    const int rc = rte_eth_dev_configure(p->id, p->n_rxq, p->n_txq, &conf);
    if (rc != 0)
        return refuse(w, rc, "configuring the device", err);
    p->n_rx_desc = w->cfg->n_rx_desc != 0 ? w->cfg->n_rx_desc : DESC_DEFAULT;
    p->n_tx_desc = w->cfg->n_tx_desc != 0 ? w->cfg->n_tx_desc : DESC_DEFAULT;
    const int desc_rc = rte_eth_dev_adjust_nb_rx_tx_desc(p->id, &p->n_rx_desc, &p->n_tx_desc);
    return desc_rc == 0 ? 0 : refuse(w, desc_rc, "sizing the descriptor rings", err);
}

static int set_up_queues(const struct tern_port_want *w, const struct rte_eth_dev_info *info,
    const struct tern_port *p, struct tern_error *err)
{
    struct rte_eth_rxconf rx = info->default_rxconf;
    struct rte_eth_txconf tx = info->default_txconf;
    const unsigned node = (unsigned)rte_eth_dev_socket_id(p->id);
    rx.offloads = p->rx_offloads;
    tx.offloads = p->tx_offloads;

    for (uint16_t q = 0; q < p->n_rxq; q++) {
        struct rte_mempool *pool = w->umem != NULL ? w->umem : w->pools[q % w->cfg->n_workers];
        const int rc = rte_eth_rx_queue_setup(p->id, q, p->n_rx_desc, node, &rx, pool);
        if (rc != 0 && is_link_too_large(w, info))
            return refuse_link(w, info, err);
        if (rc != 0)
            return refuse(w, rc, "setting up a receive queue", err);
    }
    for (uint16_t q = 0; q < p->n_txq; q++) {
        const int rc = rte_eth_tx_queue_setup(p->id, q, p->n_tx_desc, node, &tx);
        if (rc != 0)
            return refuse(w, rc, "setting up a transmit queue", err);
    }
    return 0;
}

/* ---- addresses ---- */

static bool has_ip6(const struct tern_stack_config *stack)
{
    for (uint32_t i = 0; i < stack->n_addrs; i++)
        if (!tern_addr_is_v4(&stack->addrs[i].addr))
            return true;
    return false;
}

static bool is_zero_mac(const uint8_t mac[TERN_MAC_BYTES])
{
    static const uint8_t zero[TERN_MAC_BYTES];
    return memcmp(mac, zero, TERN_MAC_BYTES) == 0;
}

/** Our MAC on this port: the configured one, else the device's. */
static void choose_mac(const struct tern_port_want *w, struct tern_port *p)
{
    struct rte_ether_addr own = {{0}};
    rte_eth_macaddr_get(p->id, &own);
    memcpy(p->mac, own.addr_bytes, TERN_MAC_BYTES);
    if (w->spec->kind == TERN_DEVICE_PAIR)
        tern_pair_mac(w->pair_end, p->mac);
    if (w->spec->kind == TERN_DEVICE_TAP)
        p->mac[5] ^= 1; /* the driver reports the kernel's end; ours is another station */
    if (!is_zero_mac(w->cfg->stack.mac))
        memcpy(p->mac, w->cfg->stack.mac, TERN_MAC_BYTES);
}

/** Make the device let our frames in: our MAC, and for IPv6 the groups that NDP is sent to. */
static void admit(const struct tern_port_want *w, struct tern_port *p)
{
    bool want_all = w->cfg->promiscuous;
    if (!is_zero_mac(w->cfg->stack.mac)) {
        struct rte_ether_addr mac;
        memcpy(mac.addr_bytes, p->mac, TERN_MAC_BYTES);
        /* A kernel interface keeps its own address: the kernel uses it, too. */
        if (w->spec->kind != TERN_DEVICE_PCI || rte_eth_dev_default_mac_addr_set(p->id, &mac) != 0)
            want_all = true;
    }
    if (has_ip6(&w->cfg->stack) && rte_eth_allmulticast_enable(p->id) != 0)
        want_all = true;
    if (!want_all)
        return;
    if (w->spec->kind == TERN_DEVICE_NETDEV && tern_device_is_promiscuous(w->spec->name))
        return; /* somebody else wants it so, and still will when we are gone */
    p->undo_promiscuous = rte_eth_promiscuous_enable(p->id) == 0;
}

bool tern_port_link_is_up(const struct tern_port *p)
{
    struct rte_eth_link link = {0};
    return rte_eth_link_get_nowait(p->id, &link) == 0 && link.link_status != 0;
}

/**
 * A cable takes a second or two to be negotiated, the other end of a memif some milliseconds to
 * share its rings; what is sent before is lost. A memif's server has nobody to wait for yet, and
 * other virtual devices are up at once.
 */
static void wait_for_link(const struct tern_port_want *w, const struct tern_port *p)
{
    const bool is_memif_client = w->spec->kind == TERN_DEVICE_MEMIF && !w->spec->server;
    if (w->spec->kind != TERN_DEVICE_PCI && !is_memif_client)
        return;
    const uint32_t poll_ms = is_memif_client ? LINK_POLL_MEMIF_MS : LINK_POLL_MS;
    const uint32_t wait_ms = is_memif_client ? LINK_WAIT_MEMIF_MS : LINK_WAIT_MS;
    for (uint32_t ms = 0; ms < wait_ms && !tern_port_link_is_up(p); ms += poll_ms)
        rte_delay_us_sleep(poll_ms * 1000);
}

/* ---- the whole ---- */

/**
 * A NIC does what it was asked for. Virtual drivers that accept RSS may still leave the spreading
 * to somebody else (TAP to the kernel): only those are believed that have a table to show.
 */
static void judge_spreading(const struct tern_port_want *w, struct tern_port *p)
{
    struct tern_rss_facts facts;
    tern_port_rss(p, &facts);
    if (w->spec->kind == TERN_DEVICE_VDEV && facts.n_entries == 0)
        p->spreads_by_rss = false;
    p->keeps_flows = p->spreads_by_rss || p->in_memory;
}

static void remember(
    const struct rte_eth_dev_info *info, const struct tern_port_want *w, struct tern_port *p)
{
    snprintf(p->driver, sizeof p->driver, "%s", info->driver_name);
    p->segs_max = (p->tx_offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0
                      ? info->tx_desc_lim.nb_mtu_seg_max
                      : 1;
    p->keeps_mbufs = strcmp(p->driver, AF_XDP_DRIVER) == 0;
    p->mtu_bytes = w->mtu_bytes;
    judge_spreading(w, p);
    p->node =
        w->spec->kind == TERN_DEVICE_PCI ? rte_eth_dev_socket_id(p->id) : tern_device_node(w->spec);
}

static int start(const struct tern_port_want *w, struct tern_port *p, struct tern_error *err)
{
    /* Drivers that have no MTU to set refuse, and are right. */
    if (w->spec->kind != TERN_DEVICE_NETDEV)
        rte_eth_dev_set_mtu(p->id, w->mtu_bytes);
    const int rc = rte_eth_dev_start(p->id);
    if (rc != 0)
        return refuse(w, rc, "starting the device", err);
    p->is_started = true;
    tern_port_draw_rss_key(p);
    choose_mac(w, p);
    admit(w, p);
    wait_for_link(w, p);
    return 0;
}

static int open_way(
    const struct tern_port_want *w, uint32_t way, struct tern_port *p, struct tern_error *err)
{
    struct rte_eth_dev_info info;
    memset(p, 0, sizeof *p);
    tern_eal_log_mark(w->log);
    int rc = attach(w, way, p, err);
    if (rc != 0)
        return rc;
    rc = rte_eth_dev_info_get(p->id, &info);
    if (rc != 0)
        return refuse(w, rc, "describing the device", err);
    choose_offloads(w, &info, p);
    rc = choose_queues(w, &info, p, err);
    if (rc == 0)
        rc = configure(w, &info, p, err);
    if (rc == 0)
        rc = set_up_queues(w, &info, p, err);
    if (rc == 0)
        rc = start(w, p, err);
    if (rc == 0)
        remember(&info, w, p);
    return rc;
}

/** What the user should know about the way it was opened. */
static void write_note(const struct tern_port_want *w, const char *not_xdp, struct tern_port *p)
{
    const bool is_veth = w->spec->kind == TERN_DEVICE_NETDEV && tern_device_is_veth(w->spec->name);
    const char *veth = is_veth ? "veth leaves checksums out: at its other end, type ethtool -K "
                                 "PEER tx off"
                               : "";
    if (not_xdp[0] != '\0')
        snprintf(p->note, sizeof p->note, "AF_PACKET, as AF_XDP failed: %.100s%s%s", not_xdp,
            is_veth ? "; " : "", veth);
    else
        snprintf(p->note, sizeof p->note, "%s", veth);
}

int tern_port_open(const struct tern_port_want *want, struct tern_port *out, struct tern_error *err)
{
    struct tern_error why = {.text = ""}, first = {.text = ""};
    uint32_t n_umem_lost = 0;
    int rc = 0, first_rc = 0;
    for (uint32_t way = 0; way < tern_device_spec_n_ways(want->spec); way++) {
        rc = open_way(want, way, out, &why);
        if (rc == 0) {
            out->n_umem_lost = n_umem_lost;
            write_note(want, way > 0 ? first.text : "", out);
            return 0;
        }
        tern_port_close(out);
        n_umem_lost = want->umem != NULL ? rte_mempool_in_use_count(want->umem) : 0;
        if (way == 0) {
            first = why;
            first_rc = rc;
        }
    }
    /* The first way takes larger packets than the second, and says how to have it. */
    return tern_fail(err, rc, "%s", first_rc == -EMSGSIZE ? first.text : why.text);
}

void tern_port_close(struct tern_port *p)
{
    if (p->undo_promiscuous)
        rte_eth_promiscuous_disable(p->id);
    if (p->is_started)
        rte_eth_dev_stop(p->id);
    if (p->is_attached)
        detach(p);
    p->is_attached = p->is_started = p->undo_promiscuous = false;
}

/** The rings of a pair leave checksums alone: what no one computes, no one needs to check. */
static bool elides(const struct tern_port *p)
{
    return p->in_memory && (p->tx_offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
}

void tern_port_abilities(const struct tern_port *p, struct tern_stack_config *stack)
{
    memcpy(stack->mac, p->mac, TERN_MAC_BYTES);
    stack->mtu_bytes = p->mtu_bytes;
    stack->tx_ip_csum = elides(p) || (p->tx_offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) != 0;
    stack->tx_tcp_csum = elides(p) || (p->tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_CKSUM) != 0;
    stack->tx_multi_seg = p->segs_max > 1;
    stack->tso_bytes_max = (p->tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO) != 0 ? TSO_BYTES_MAX : 0;
}

void tern_port_offloads_text(const struct tern_port *p, char *buf, size_t n_buf)
{
    const struct {
        bool on;
        const char *name;
    } rows[] = {
        {elides(p), "checksums left out in memory"},
        {(p->rx_offloads & RX_CSUM) == RX_CSUM, "rx-csum"},
        {(p->tx_offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) != 0, "tx-ip-csum"},
        {(p->tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_CKSUM) != 0, "tx-tcp-csum"},
        {p->segs_max > 1, "multi-seg"},
        {(p->tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO) != 0, "tso"},
        {p->keeps_flows && !p->in_memory, "rss"},
    };
    size_t len = 0;
    snprintf(buf, n_buf, "none");
    for (size_t i = 0; i < RTE_DIM(rows) && len < n_buf; i++)
        if (rows[i].on)
            len +=
                (size_t)snprintf(buf + len, n_buf - len, "%s%s", len > 0 ? ", " : "", rows[i].name);
}
