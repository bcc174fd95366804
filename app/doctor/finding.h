/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What a doctor finds: a list of named findings, each good, to be known, or in the way, with one
 * line of what was seen and, where something can be done, the command that does it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum app_health { APP_OK, APP_WARN, APP_FAIL };

enum { APP_FINDINGS_MAX = 128, APP_FINDING_BYTES = 200 };

struct app_finding {
    enum app_health health;
    const char *check;
    char seen[APP_FINDING_BYTES];
    char mend[APP_FINDING_BYTES]; /**< command to type; empty: nothing to do */
};

struct app_findings {
    uint32_t n;
    struct app_finding of[APP_FINDINGS_MAX];
};

/** Add a finding; the last place of a full list is overwritten. @return it, with `mend` empty */
__attribute__((format(printf, 4, 5))) struct app_finding *app_found(
    struct app_findings *f, enum app_health health, const char *check, const char *format, ...);

/** Say what mends it. */
__attribute__((format(printf, 2, 3))) void app_mend(
    struct app_finding *finding, const char *format, ...);

/* The checks, each in the file of its subject. */
void app_check_cpus(struct app_findings *f);
void app_check_numa(struct app_findings *f);
void app_check_hugepages(struct app_findings *f);
void app_check_memory(struct app_findings *f);
void app_check_iommu(struct app_findings *f);
void app_check_pci(struct app_findings *f);
void app_check_tap(struct app_findings *f);
void app_check_af_xdp(struct app_findings *f);
void app_check_interfaces(struct app_findings *f);

/* ---- reading sysfs and procfs ---- */

/** First line of a file without its newline. @return false when it cannot be read */
bool app_read_line(const char *path, char *buf, size_t n_buf);
/** The number a file begins with; `otherwise` when there is none. */
uint64_t app_read_number(const char *path, uint64_t otherwise);
/** Last component of what a symbolic link points to. @return false when it is none */
bool app_read_link_name(const char *path, char *buf, size_t n_buf);
