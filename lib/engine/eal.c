/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's EAL can be initialised once a process and never again, so it outlives the engine: the
 * first one starts it, later ones use it as it is. So that this ties no later engine down, EAL gets
 * nothing that depends on the engine but memory: one lcore (the calling thread, free to run
 * anywhere), no devices (they are attached one by one, device.c), no worker lcores (workers are
 * threads of ours that register themselves, worker.c).
 *
 * DPDK's own threads run where no lcore is said to be. The CPUs of the first engine's workers are
 * named as the one lcore's, so that they keep off these. What a handler takes away from workers is
 * recess.h's matter.
 *
 * Nothing is shared with other processes, unless asked for (shared.h): no config file, hugepages
 * through memfd, so runs cannot collide and leave nothing behind, and need neither root nor
 * hugetlbfs. The telemetry socket, where it is wanted, is telemetry_socket.c's matter. Without
 * hugepages EAL's memory is one anonymous mapping of fixed size, touched when used.
 *
 * With PCI, EAL would attach every device that is bound to a user-space driver: an allow-list of
 * one address that does not exist keeps it off them all.
 *
 * EAL's log goes into a small buffer: an engine that works says nothing, and one that does not
 * quotes the driver as evidence.
 */
#include "eal.h"

#include "error.h"
#include "shared.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOG_BYTES = 320,
    ARGS_MAX = 16,
    ARG_BYTES = 1024,
    CPUS_BYTES = ARG_BYTES / 2 - 16, /* named twice in one argument */
};

struct tern_eal_log {
    FILE *stream;
    size_t len;
    char text[LOG_BYTES];
};

/** Append to the text, control characters and line ends made "; ". What does not fit is left out.
 */
static ssize_t keep(void *cookie, const char *bytes, size_t n_bytes)
{
    struct tern_eal_log *log = (struct tern_eal_log *)cookie;
    for (size_t i = 0; i < n_bytes && log->len + 3 < sizeof log->text; i++) {
        const char c = bytes[i];
        if (c == '\n' && log->len > 0) {
            log->text[log->len++] = ';';
            log->text[log->len++] = ' ';
        } else if ((unsigned char)c >= ' ') {
            log->text[log->len++] = c;
        }
    }
    return (ssize_t)n_bytes;
}

struct tern_eal_log *tern_eal_log_open(void)
{
    struct tern_eal_log *log = (struct tern_eal_log *)calloc(1, sizeof *log);
    if (log == NULL)
        return NULL;
    log->stream = fopencookie(log, "w", (cookie_io_functions_t){.write = keep});
    if (log->stream == NULL) {
        free(log);
        return NULL;
    }
    setvbuf(log->stream, NULL, _IOLBF, 0);
    rte_openlog_stream(log->stream);
    return log;
}

void tern_eal_log_close(struct tern_eal_log *log)
{
    if (log == NULL)
        return;
    rte_openlog_stream(NULL);
    fclose(log->stream);
    free(log);
}

void tern_eal_log_mark(struct tern_eal_log *log)
{
    fflush(log->stream);
    log->len = 0;
}

const char *tern_eal_log_text(struct tern_eal_log *log)
{
    fflush(log->stream);
    while (log->len > 0 && strchr("; ", log->text[log->len - 1]) != NULL)
        log->len--;
    log->text[log->len] = '\0';
    return log->len > 0 ? log->text : "nothing was logged";
}

bool tern_eal_is_running(void)
{
    return rte_lcore_count() > 0;
}

/** The argument vector, one string each. */
struct args {
    int n;
    char *list[ARGS_MAX];
    char text[ARGS_MAX][ARG_BYTES];
};

__attribute__((format(printf, 2, 3))) static void add(struct args *a, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(a->text[a->n], ARG_BYTES, format, values);
    va_end(values);
    a->list[a->n] = a->text[a->n];
    a->n++;
}

static void build_args(const struct tern_eal_options *o, bool has_telemetry, struct args *a)
{
    char cpus[CPUS_BYTES];
    add(a, "tern");
    tern_topology_cpus(o->workers_cpus, cpus, sizeof cpus);
    if (o->shared != NULL)
        add(a, "--lcores=0@(%s),(1-%u)@(%s)", cpus, o->n_workers, cpus);
    else
        add(a, "--lcores=0@(%s)", cpus);
    add(a, "--file-prefix=%s", o->shared != NULL ? o->shared : "tern");
    if (!has_telemetry)
        add(a, "--no-telemetry");
    add(a, "--log-level=error");
    if (o->no_huge) {
        add(a, "--no-huge");
        add(a, "--no-shconf");
        add(a, "-m");
        add(a, "%llu", (unsigned long long)((o->mem_bytes + (1 << 20) - 1) >> 20));
    } else if (o->shared == NULL) {
        add(a, "--in-memory");
    }
    if (o->pci) {
        add(a, "--allow=ffff:ff:1f.7");
    } else {
        add(a, "--no-pci");
        add(a, "--iova-mode=va");
    }
}

/** DPDK's own threads are born here, and write to sockets whose peers may be gone, and wait for
 * others that a signal would seem to close: they are deaf to signals. The calling thread stays as
 * it was, on all its CPUs. */
static int init(struct args *a)
{
    sigset_t all, signals;
    cpu_set_t cpus;
    sigfillset(&all);
    const bool has_cpus = pthread_getaffinity_np(pthread_self(), sizeof cpus, &cpus) == 0;
    pthread_sigmask(SIG_SETMASK, &all, &signals);
    const int rc = rte_eal_init(a->n, a->list);
    pthread_sigmask(SIG_SETMASK, &signals, NULL);
    if (has_cpus)
        pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus);
    return rc;
}

static int check_shared(const struct tern_eal_options *o, struct tern_error *err)
{
    if (o->shared == NULL)
        return 0;
    if (o->no_huge)
        return tern_fail(err, -ENOTSUP,
            "shared: other processes see hugepages only, and none are free or wanted; type: sysctl "
            "vm.nr_hugepages=256 && mount -t hugetlbfs none /dev/hugepages");
    if (tern_eal_is_running() && rte_lcore_count() != 1 + o->n_workers)
        return tern_fail(err, -EALREADY,
            "shared: DPDK runs in this process for %u workers, not for %u; open the engine that is "
            "to be shared first, and no other with more workers",
            rte_lcore_count() - 1, o->n_workers);
    return 0;
}

static int start(const struct tern_eal_options *o, bool has_telemetry, struct tern_eal_log *log)
{
    struct args *a = (struct args *)calloc(1, sizeof *a);
    if (a == NULL) {
        rte_errno = ENOMEM;
        return -1;
    }
    build_args(o, has_telemetry, a);
    tern_eal_log_mark(log);
    const int rc = init(a);
    free(a);
    return rc;
}

/** @return whether DPDK may bind its socket; it stands where `tern top` looks */
static bool prepare_telemetry(
    const struct tern_eal_options *o, struct tern_telemetry_dir_lock *lock)
{
    if (!o->telemetry)
        return false;
    if (o->shared == NULL)
        return tern_telemetry_prepare(lock);
    snprintf(lock->note, sizeof lock->note, "no telemetry: shared as '%s'", o->shared);
    return false;
}

int tern_eal_start(const struct tern_eal_options *o, struct tern_eal_log *log,
    char telemetry_note[TERN_TELEMETRY_NOTE_BYTES], struct tern_error *err)
{
    struct tern_telemetry_dir_lock lock = {.fd = -1};
    const int shared_rc = check_shared(o, err);
    if (shared_rc != 0 || tern_eal_is_running())
        return shared_rc;
    const bool has_telemetry = prepare_telemetry(o, &lock);
    const int rc = start(o, has_telemetry, log);
    tern_telemetry_release(&lock);
    memcpy(telemetry_note, lock.note, sizeof lock.note);
    if (rc >= 0)
        return o->shared != NULL ? tern_shared_open(o->shared, err) : 0;
    return tern_fail(err, rte_errno > 0 ? -rte_errno : -EIO,
        "DPDK did not start (%s): %s; type: %stern doctor", rte_strerror(rte_errno),
        tern_eal_log_text(log),
        o->shared != NULL ? "mount -t hugetlbfs none /dev/hugepages, or " : "");
}
