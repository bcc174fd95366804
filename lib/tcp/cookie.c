/* SPDX-License-Identifier: BSD-3-Clause */
#include "cookie.h"

#include "syn_secret.h"

enum { WSCALE_NONE = 15 };

/* Rounded down: what links of today announce, and the defaults of both families. */
static const uint16_t mss_table[8] = {TERN_MSS_MIN, 536, 1220, 1300, 1400, 1440, 1460, 8940};

/* V098 */
static uint8_t mss_index(uint16_t mss)
{
    uint8_t i = 0;
    while (i < 7 && mss_table[i + 1] <= mss)
        i++;
    return i;
}

/* V096:
 * The top 24 bits must bind the data byte, or it could be exchanged: a·data + b with secret a, b of
 * 32 bits is strongly universal (Dietzfelbinger 1996) in those bits, and each pair serves one SYN.
 */
static uint32_t seal(struct tern_prf secret, uint8_t data)
{
    const uint32_t a = (uint32_t)(secret.lo >> 32), b = (uint32_t)secret.hi;
    return ((a * data + b) & ~0xffu) | (uint8_t)(data ^ (uint8_t)secret.lo);
}

struct tern_seq tern_cookie_make(struct tern_prf secret, bool v6, const struct tern_tcp_opts *peer)
{
    const uint16_t absent = v6 ? TERN_MSS_DEFAULT6 : TERN_MSS_DEFAULT4;
    const uint16_t mss = peer->has & TERN_HAS_MSS ? peer->mss : absent;
    const uint8_t wscale = peer->has & TERN_HAS_WSCALE ? peer->wscale : WSCALE_NONE;
    const uint8_t data =
        (uint8_t)(mss_index(mss) << 5 | wscale << 1 | !!(peer->has & TERN_HAS_SACK_OK));
    return (struct tern_seq){seal(secret, data)};
}

bool tern_cookie_check(const struct tern_tcp *t, const struct tern_flow_key *key,
    struct tern_seq irs, struct tern_seq iss, struct tern_tcp_opts *out)
{
    const uint64_t period = tern_cookie_period(t);
    for (uint64_t back = 0; back < TERN_COOKIE_PERIODS && back <= period; back++) {
        const struct tern_prf secret = tern_cookie_secret(t, key, irs, period - back);
        const uint8_t data = (uint8_t)(iss.v ^ (uint8_t)secret.lo);
        if (seal(secret, data) != iss.v)
            continue;
        out->has |= TERN_HAS_MSS;
        out->mss = mss_table[data >> 5];
        const uint8_t wscale = (data >> 1) & 0xf;
        if (wscale != WSCALE_NONE) {
            out->has |= TERN_HAS_WSCALE;
            out->wscale = wscale;
        }
        if (data & 1)
            out->has |= TERN_HAS_SACK_OK;
        return true;
    }
    return false;
}
