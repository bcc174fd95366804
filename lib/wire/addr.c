/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses and prefixes: text, membership, class.
 *
 * The C library reads and writes the text of an address. An IPv4 address has one spelling here,
 * dotted: "::ffff:192.0.2.1" is refused, because as an IPv6 text it names an address that no packet
 * may carry and as an IPv4 one it makes "/24" ambiguous.
 */
#include <tern/addr.h>

#include "addr_class.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum { V4_BITS = 32, V6_BITS = 128, V4_OFF_BITS = V6_BITS - V4_BITS };

int tern_addr_parse(const char *text, union tern_addr *out)
{
    uint32_t v4;
    if (inet_pton(AF_INET, text, &v4) == 1) {
        *out = tern_addr_from_v4(v4);
        return 0;
    }
    union tern_addr v6;
    if (inet_pton(AF_INET6, text, v6.b) != 1 || tern_addr_is_v4(&v6))
        return -EINVAL;
    *out = v6;
    return 0;
}

/* One to three decimal digits and nothing else; -EINVAL above `max`. */
static int parse_len(const char *text, int max)
{
    int len = 0, n = 0;
    for (; text[n] >= '0' && text[n] <= '9' && n < 3; n++)
        len = len * 10 + (text[n] - '0');
    return n > 0 && text[n] == '\0' && len <= max ? len : -EINVAL;
}

int tern_prefix_parse(const char *text, struct tern_prefix *out)
{
    const char *slash = strchr(text, '/');
    const size_t n = slash != NULL ? (size_t)(slash - text) : strlen(text);
    char part[TERN_ADDR_TEXT_BYTES];
    if (n >= sizeof part)
        return -EINVAL;
    memcpy(part, text, n);
    part[n] = '\0';

    union tern_addr addr;
    const int err = tern_addr_parse(part, &addr);
    if (err != 0)
        return err;
    const int max = tern_addr_is_v4(&addr) ? V4_BITS : V6_BITS;
    const int len = slash != NULL ? parse_len(slash + 1, max) : max;
    if (len < 0)
        return len;
    *out = (struct tern_prefix){.addr = addr, .len_bits = (uint8_t)len};
    return 0;
}

char *tern_addr_format(const union tern_addr *a, char *buf)
{
    const bool v4 = tern_addr_is_v4(a);
    inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->b + 12 : a->b, buf, TERN_ADDR_TEXT_BYTES);
    return buf;
}

/* The first `n_bits` of a 64-bit word set: none below 1, all above 63. */
static uint64_t leading_bits(int n_bits)
{
    if (n_bits <= 0)
        return 0;
    return n_bits >= 64 ? UINT64_MAX : ~(UINT64_MAX >> n_bits);
}

bool tern_prefix_contains(const struct tern_prefix *p, const union tern_addr *a)
{
    const bool v4 = tern_addr_is_v4(&p->addr);
    if (v4 != tern_addr_is_v4(a))
        return false;
    const int len = p->len_bits + (v4 ? V4_OFF_BITS : 0);
    const uint64_t upper = __builtin_bswap64(p->addr.q[0] ^ a->q[0]) & leading_bits(len);
    const uint64_t lower = __builtin_bswap64(p->addr.q[1] ^ a->q[1]) & leading_bits(len - 64);
    return (upper | lower) == 0;
}

enum tern_addr_class tern_addr_classify(const union tern_addr *a)
{
    return tern_addr_is_v4(a) ? tern_addr4_class(a->b + 12) : tern_addr6_class(a->b);
}
