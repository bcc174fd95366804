/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What can be told about a device before DPDK is started, from the kernel: a wrong name, a missing
 * privilege or an interface that is down is answered here, at once and in the user's words, and not
 * by a driver's log. Also what the memory plan needs to know: queues, MTU, NUMA node.
 */
#include "device.h"
#include "error.h"
#include "pair.h"
#include "placement.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { HELLO_WAIT_US = 200000, HELLO_BYTES = 256 };

#define PCI_DIR "/sys/bus/pci/devices/"
#define NET_DIR "/sys/class/net/"

/**
 * Ask the kernel about an interface (netdevice(7)). Not through sysfs: that shows the network
 * namespace it was mounted in, which need not be ours.
 * @return 0 or -errno
 */
static int ask(const char *name, unsigned long request, struct ifreq *r)
{
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    snprintf(r->ifr_name, sizeof r->ifr_name, "%.15s", name);
    const int rc = ioctl(fd, request, r) == 0 ? 0 : -errno;
    close(fd);
    return rc;
}

static unsigned netdev_flags(const char *name, unsigned otherwise)
{
    struct ifreq r = {0};
    return ask(name, SIOCGIFFLAGS, &r) == 0 ? (unsigned short)r.ifr_flags : otherwise;
}

/** The kernel driver a PCI device is bound to; "none" when there is none. */
static void pci_driver(const char *address, char *buf, size_t n_buf)
{
    char path[PATH_MAX], target[PATH_MAX];
    snprintf(path, sizeof path, PCI_DIR "%s/driver", address);
    const ssize_t len = readlink(path, target, sizeof target - 1);
    target[len > 0 ? len : 0] = '\0';
    snprintf(buf, n_buf, "%s", len > 0 ? basename(target) : "none");
}

static int check_pci(const char *address, struct tern_error *err)
{
    /* Drivers that DPDK can use a device through; the second row keep it in the kernel, too. */
    static const char *const usable[] = {"vfio-pci", "uio_pci_generic", "igb_uio", /**/
        "mlx4_core", "mlx5_core", "mana"};
    char path[PATH_MAX];
    snprintf(path, sizeof path, PCI_DIR "%s", address);
    if (access(path, F_OK) != 0)
        return tern_fail(
            err, -ENODEV, "%s: no such PCI device; type: lspci -D | grep -i ethernet", address);
    char driver[64];
    pci_driver(address, driver, sizeof driver);
    for (size_t i = 0; i < sizeof usable / sizeof usable[0]; i++)
        if (strcmp(driver, usable[i]) == 0)
            return 0;
    return tern_fail(err, -EBUSY,
        "%s: its driver is %s, but DPDK needs vfio-pci; type: modprobe vfio-pci && dpdk-devbind.py "
        "-b vfio-pci %s (the kernel loses the interface), or name the kernel interface instead",
        address, driver, address);
}

static int check_netdev(const char *name, struct tern_error *err)
{
    struct ifreq r = {0};
    if (ask(name, SIOCGIFINDEX, &r) != 0)
        return tern_fail(err, -ENODEV, "%s: no such network interface; type: ip -brief link", name);
    if ((netdev_flags(name, IFF_UP) & IFF_UP) == 0)
        return tern_fail(
            err, -ENETDOWN, "%s: the interface is down; type: ip link set %s up", name, name);
    return 0;
}

static int check_tap(const char *name, struct tern_error *err)
{
    if (access("/dev/net/tun", R_OK | W_OK) != 0)
        return tern_fail(err, -errno,
            "tap:%s: /dev/net/tun cannot be opened (%s); type: modprobe tun, and run as root", name,
            strerror(errno));
    return 0;
}

/** The directory of `path` exists and can be written to. */
static int check_dir(const char *path, const char *what, struct tern_error *err)
{
    char copy[TERN_PATH_BYTES * 2];
    snprintf(copy, sizeof copy, "%s", path);
    const char *dir = dirname(copy);
    if (access(dir, W_OK) != 0)
        return tern_fail(err, -errno, "%s %s: %s cannot be written to (%s); choose another path",
            what, path, dir, strerror(errno));
    return 0;
}

static int check_pcap(const struct tern_device_spec *s, struct tern_error *err)
{
    if (s->in[0] != '\0' && access(s->in, R_OK) != 0)
        return tern_fail(err, -errno,
            "pcap: %s cannot be read (%s); give a capture file, or none: "
            "pcap:,OUT",
            s->in, strerror(errno));
    return s->out[0] != '\0' ? check_dir(s->out, "pcap", err) : 0;
}

/**
 * Does a process listen at this socket? Who does says hello, and is heard out: a peer that is gone
 * when DPDK writes to it is a SIGPIPE there.
 * @return 0, -ENOENT, -ECONNREFUSED: it is left behind, …
 */
static int knock(const char *path)
{
    const struct timeval patience = {.tv_usec = HELLO_WAIT_US};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    uint8_t hello[HELLO_BYTES];
    memcpy(at.sun_path, path, strnlen(path, sizeof at.sun_path - 1));
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    const int rc = connect(fd, (const struct sockaddr *)&at, sizeof at) == 0 ? 0 : -errno;
    if (rc == 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0)
        (void)!recv(fd, hello, sizeof hello, 0);
    close(fd);
    return rc;
}

static bool is_socket(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/** The driver removes its socket when it closes; one of a process that was killed is in the way. */
static int check_memif_server(const char *path, struct tern_error *err)
{
    const int rc = knock(path);
    if (rc == -ECONNREFUSED && is_socket(path) && unlink(path) == 0)
        return 0;
    if (rc == -ENOENT)
        return check_dir(path, "memif", err);
    if (rc == 0)
        return tern_fail(err, -EADDRINUSE,
            "memif: another process listens at %s; end it, or choose another path", path);
    return tern_fail(err, rc,
        "memif: %s is in the way and cannot be used (%s); choose another path", path,
        strerror(-rc));
}

static int check_memif_client(const char *path, struct tern_error *err)
{
    if (is_socket(path))
        return 0;
    return tern_fail(err, -ENOENT,
        "memif: nobody listens at %s; start the other end first, with memif:%s,server", path, path);
}

int tern_device_check(const struct tern_device_spec *s, struct tern_error *err)
{
    switch (s->kind) {
    case TERN_DEVICE_PCI: return check_pci(s->name, err);
    case TERN_DEVICE_NETDEV: return check_netdev(s->name, err);
    case TERN_DEVICE_TAP: return check_tap(s->name, err);
    case TERN_DEVICE_MEMIF:
        return s->server ? check_memif_server(s->name, err) : check_memif_client(s->name, err);
    case TERN_DEVICE_PCAP: return check_pcap(s, err);
    case TERN_DEVICE_PAIR:
    case TERN_DEVICE_VDEV: return 0;
    }
    return 0;
}

int tern_device_node(const struct tern_device_spec *s)
{
    char dir[PATH_MAX];
    if (s->kind == TERN_DEVICE_PCI)
        snprintf(dir, sizeof dir, PCI_DIR "%s", s->name);
    else if (s->kind == TERN_DEVICE_NETDEV)
        snprintf(dir, sizeof dir, NET_DIR "%s/device", s->name);
    else
        return -1;
    return tern_topology_device_node(dir);
}

/** Receive queues a kernel interface spreads its packets over. */
static uint32_t netdev_n_queues(const char *name)
{
    struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
    struct ifreq r = {.ifr_data = (char *)&channels};
    if (ask(name, SIOCETHTOOL, &r) != 0)
        return 1;
    const uint32_t n = channels.combined_count + channels.rx_count;
    return n > 0 ? n : 1;
}

int tern_device_queues(const struct tern_device_spec *s, uint32_t n_wanted, uint32_t n_workers,
    uint32_t *out, struct tern_error *err)
{
    uint32_t n_chosen = n_workers;
    if (s->kind == TERN_DEVICE_NETDEV) /* all of them: what comes in on another queue is lost */
        n_chosen = netdev_n_queues(s->name);
    if (s->kind == TERN_DEVICE_MEMIF || s->kind == TERN_DEVICE_PCAP)
        n_chosen = 1; /* memif: queues that only one end has are never connected */

    *out = n_wanted != 0 ? n_wanted : n_chosen;
    if (s->kind == TERN_DEVICE_NETDEV && *out != n_chosen)
        return tern_fail(err, -EINVAL,
            "%s spreads its packets over %u queue%s, and %u were asked for; leave --queues out, or "
            "type: ethtool -L %s combined %u",
            s->name, n_chosen, n_chosen == 1 ? "" : "s", n_wanted, s->name, n_wanted);
    return 0;
}

uint16_t tern_device_mtu(const struct tern_device_spec *s, uint16_t mtu_bytes)
{
    struct ifreq r = {0};
    if (s->kind != TERN_DEVICE_NETDEV || ask(s->name, SIOCGIFMTU, &r) != 0)
        return mtu_bytes;
    return r.ifr_mtu > 0 && r.ifr_mtu < mtu_bytes ? (uint16_t)r.ifr_mtu : mtu_bytes;
}

bool tern_device_is_promiscuous(const char *ifname)
{
    return (netdev_flags(ifname, 0) & IFF_PROMISC) != 0;
}

bool tern_device_is_veth(const char *ifname)
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    struct ifreq r = {.ifr_data = (char *)&info};
    return ask(ifname, SIOCETHTOOL, &r) == 0 && strcmp(info.driver, "veth") == 0;
}
