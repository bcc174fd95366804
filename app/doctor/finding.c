/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of findings, and the three ways in which the checks read the kernel's files. */
#include "finding.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct app_finding *app_found(
    struct app_findings *f, enum app_health health, const char *check, const char *format, ...)
{
    if (f->n < APP_FINDINGS_MAX)
        f->n++;
    struct app_finding *finding = &f->of[f->n - 1];
    *finding = (struct app_finding){.health = health, .check = check};
    va_list args;
    va_start(args, format);
    vsnprintf(finding->seen, sizeof finding->seen, format, args);
    va_end(args);
    return finding;
}

void app_mend(struct app_finding *finding, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(finding->mend, sizeof finding->mend, format, args);
    va_end(args);
}

bool app_read_line(const char *path, char *buf, size_t n_buf)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    const bool good = fgets(buf, (int)n_buf, file) != NULL;
    fclose(file);
    if (good)
        buf[strcspn(buf, "\n")] = '\0';
    return good;
}

uint64_t app_read_number(const char *path, uint64_t otherwise)
{
    char line[64];
    uint64_t value;
    if (!app_read_line(path, line, sizeof line) || sscanf(line, "%" SCNu64, &value) != 1)
        return otherwise;
    return value;
}

bool app_read_link_name(const char *path, char *buf, size_t n_buf)
{
    char target[512];
    const ssize_t n = readlink(path, target, sizeof target - 1);
    if (n < 0)
        return false;
    target[n] = '\0';
    const char *slash = strrchr(target, '/');
    snprintf(buf, n_buf, "%s", slash == NULL ? target : slash + 1);
    return true;
}
