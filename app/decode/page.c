/* SPDX-License-Identifier: BSD-3-Clause */
#include "page.h"

#include "bits.h"

#include <stdarg.h>

void app_page_line(const struct app_page *p, const char *format, ...)
{
    va_list args;
    fprintf(p->out, "%*s%s: ", p->indent, "", p->layer);
    va_start(args, format);
    vfprintf(p->out, format, args);
    va_end(args);
    fputc('\n', p->out);
}

void app_page_number(const struct app_page *p, const char *name, uint32_t value)
{
    app_page_line(p, "%s = %u (0x%X)", name, value, value);
}

void app_page_named(const struct app_page *p, const char *name, uint32_t value, const char *meaning)
{
    app_page_line(p, "%s = %u (0x%X)%s%s", name, value, value, meaning != NULL ? ", " : "",
        meaning != NULL ? meaning : "");
}

char *app_mac_text(const uint8_t *mac, uint32_t n, char buf[APP_MAC_TEXT_BYTES])
{
    buf[0] = '\0';
    for (uint32_t i = 0; i < n; i++)
        snprintf(buf + 3 * i, APP_MAC_TEXT_BYTES - 3 * i, "%02X%s", mac[i], i + 1 < n ? ":" : "");
    return buf;
}

void app_page_address(const struct app_page *p, const char *name, const union tern_addr *a)
{
    char text[APP_HOST_TEXT_BYTES];
    const char *host = app_host_name(p->hosts, a, text);
    if (host == text) {
        app_page_line(p, "%s = %s", name, text);
        return;
    }
    tern_addr_format(a, text);
    app_page_line(p, "%s = %s (%s)", name, text, host);
}

void app_page_bytes(const struct app_page *p, const uint8_t *bytes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        fprintf(p->out, " %02X", bytes[i]);
}

const char *app_flags_text(uint8_t flags, char buf[APP_FLAG_LETTERS + 1])
{
    static const char letters[] = "CEUAPRSF";
    for (int i = 0; i < APP_FLAG_LETTERS; i++)
        buf[i] = flags & 0x80 >> i ? letters[i] : '.';
    buf[APP_FLAG_LETTERS] = '\0';
    return flags & (APP_CWR | APP_ECE) ? buf : buf + 2;
}
