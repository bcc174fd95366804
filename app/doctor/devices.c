/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What can carry packets: PCI devices through VFIO, TAP, AF_XDP, and the kernel's own interfaces
 * with what is known about each driver. Everything is read from sysfs or asked of the kernel;
 * nothing is changed, and nothing needs root.
 */
#include "finding.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#define PCI_DIR "/sys/bus/pci/devices"
#define NET_DIR "/sys/class/net"

enum { PATH_BYTES = 512, CLASS_ETHERNET = 0x0200 };

/* Entries of a directory, without the dotted ones. */
static unsigned count_entries(const char *path)
{
    DIR *dir = opendir(path);
    unsigned n = 0;
    if (dir == NULL)
        return 0;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

static bool has_capability(unsigned which)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[128];
    uint64_t effective = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "CapEff: %" SCNx64, &effective) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return (effective >> which & 1) != 0;
}

/* ---- PCI ---- */

void app_check_iommu(struct app_findings *f)
{
    const unsigned groups = count_entries("/sys/kernel/iommu_groups");
    if (groups > 0)
        app_found(f, APP_OK, "iommu", "on, %u groups", groups);
    else
        app_mend(app_found(f, APP_WARN, "iommu", "none: VFIO works only in its unsafe mode"),
            "add intel_iommu=on iommu=pt (or amd_iommu=on) to the kernel's command line, and "
            "reboot");
    if (access("/dev/vfio/vfio", F_OK) == 0)
        app_found(f, APP_OK, "vfio", "/dev/vfio is there");
    else
        app_mend(
            app_found(f, APP_WARN, "vfio", "not loaded: PCI addresses cannot be used as devices"),
            "modprobe vfio-pci%s",
            groups > 0 ? ""
                       : " && echo 1 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
}

static void check_pci_device(struct app_findings *f, const char *address)
{
    char path[PATH_BYTES], driver[64] = "none", class[32] = "";
    unsigned class_code = 0;
    snprintf(path, sizeof path, PCI_DIR "/%.64s/class", address);
    if (!app_read_line(path, class, sizeof class) || sscanf(class, "%x", &class_code) != 1
        || class_code >> 8 != CLASS_ETHERNET)
        return;
    snprintf(path, sizeof path, PCI_DIR "/%.64s/driver", address);
    app_read_link_name(path, driver, sizeof driver);
    const bool ready = strcmp(driver, "vfio-pci") == 0 || strncmp(driver, "mlx", 3) == 0;
    struct app_finding *x =
        app_found(f, ready ? APP_OK : APP_WARN, "pci", "%.64s, driver %s%s", address, driver,
            ready ? "" : ": usable as a kernel interface, or as a PCI device after a rebind");
    if (!ready)
        app_mend(x, "dpdk-devbind.py -b vfio-pci %.64s (the kernel loses the interface)", address);
}

void app_check_pci(struct app_findings *f)
{
    const uint32_t before = f->n;
    DIR *dir = opendir(PCI_DIR);
    for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.')
            check_pci_device(f, e->d_name);
    if (dir != NULL)
        closedir(dir);
    if (f->n == before)
        app_found(f, APP_OK, "pci", "no Ethernet device on a PCI bus");
}

/* ---- TAP and AF_XDP ---- */

void app_check_tap(struct app_findings *f)
{
    const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        app_mend(
            app_found(f, APP_WARN, "tap", "/dev/net/tun cannot be opened: %s", strerror(errno)),
            errno == ENOENT ? "modprobe tun" : "sudo chmod 666 /dev/net/tun");
    else
        app_found(f, APP_OK, "tap", "/dev/net/tun opens");
    if (fd >= 0)
        close(fd);
    if (has_capability(CAP_NET_ADMIN))
        app_found(f, APP_OK, "net_admin", "interfaces may be made and changed");
    else
        app_mend(app_found(f, APP_WARN, "net_admin",
                     "CAP_NET_ADMIN is missing: neither tap: nor a kernel interface can be used"),
            "sudo tern …");
}

static bool has_library(const char *name)
{
    void *handle = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
    if (handle != NULL)
        dlclose(handle);
    return handle != NULL;
}

static void check_xdp_kernel(struct app_findings *f)
{
    struct utsname u;
    unsigned major = 0, minor = 0;
    uname(&u);
    sscanf(u.release, "%u.%u", &major, &minor);
    const int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    const bool refused = fd < 0 && errno != EPERM;
    if (fd >= 0)
        close(fd);
    if (refused)
        app_mend(app_found(f, APP_WARN, "af_xdp", "kernel %u.%u has no AF_XDP sockets: %s", major,
                     minor, strerror(errno)),
            "nothing to do: AF_PACKET is used instead, slower");
    else if (major < 5 || (major == 5 && minor < 4))
        app_found(f, APP_WARN, "af_xdp", "kernel %u.%u: AF_XDP is slow before 5.4", major, minor);
    else
        app_found(
            f, APP_OK, "af_xdp", "kernel %u.%u has it%s", major, minor, fd < 0 ? ", for root" : "");
}

void app_check_af_xdp(struct app_findings *f)
{
    check_xdp_kernel(f);
    const bool bpf = has_library("libbpf.so.1") || has_library("libbpf.so.0");
    const bool xdp = has_library("libxdp.so.1");
    if (bpf && xdp)
        app_found(f, APP_OK, "libbpf", "libbpf and libxdp are installed");
    else
        app_mend(app_found(f, APP_WARN, "libbpf", "%s is not installed: AF_PACKET is used instead",
                     bpf ? "libxdp" : "libbpf"),
            "apt-get install libbpf1 libxdp1");
}

/* ---- kernel interfaces ---- */

static void read_driver(int fd, const char *name, char *buf, size_t n_buf)
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    struct ifreq request = {.ifr_data = (char *)&info};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%.15s", name);
    const bool known = fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) == 0;
    snprintf(buf, n_buf, "%s", known ? info.driver : "unknown");
}

static unsigned count_queues(const char *name)
{
    char path[PATH_BYTES];
    unsigned n = 0;
    do {
        snprintf(path, sizeof path, NET_DIR "/%.64s/queues/rx-%u", name, n);
    } while (access(path, F_OK) == 0 && ++n > 0);
    return n;
}

static void check_interface(struct app_findings *f, int fd, const char *name)
{
    char path[PATH_BYTES], state[32] = "unknown", driver[64];
    snprintf(path, sizeof path, NET_DIR "/%.64s/operstate", name);
    app_read_line(path, state, sizeof state);
    read_driver(fd, name, driver, sizeof driver);
    const bool is_veth = strcmp(driver, "veth") == 0;
    struct app_finding *x = app_found(f, is_veth ? APP_WARN : APP_OK, "interface",
        "%.64s, driver %s, %u rx queues, %s%s", name, driver, count_queues(name), state,
        is_veth ? "; its peer sends unfinished checksums over AF_XDP and AF_PACKET" : "");
    if (is_veth)
        app_mend(x, "ethtool -K PEER tx off (PEER: the other end of %.64s)", name);
}

void app_check_interfaces(struct app_findings *f)
{
    const uint32_t before = f->n;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    DIR *dir = opendir(NET_DIR);
    for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.' && strcmp(e->d_name, "lo") != 0)
            check_interface(f, fd, e->d_name);
    if (dir != NULL)
        closedir(dir);
    if (fd >= 0)
        close(fd);
    if (f->n == before)
        app_found(f, APP_OK, "interface", "none but the loopback");
}
