/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The words for numbers in headers, and for hosts as the user calls them. */
#include <tern/addr.h>
#include <tern/config.h>
#include <tern/decode.h>

#include <stdint.h>

enum { APP_ETHERTYPE_MIN = 0x600 }; /**< below: the length of an IEEE 802.3 frame */

/* Each is NULL where there is no word. */
const char *app_ethertype_name(uint16_t ethertype);
const char *app_protocol_name(uint8_t proto);
const char *app_tcp_option_name(uint8_t kind);
const char *app_icmp_name(enum tern_transport_kind kind, uint8_t type);
const char *app_cooked_name(uint16_t kind);
const char *app_ecn_name(uint8_t tos); /* of the two low bits: never NULL */

enum {
    APP_HOSTS_MAX = 64,
    APP_HOST_NAME_BYTES = 32,
    APP_HOST_TEXT_BYTES = TERN_ADDR_TEXT_BYTES,
};

/** Names that the user gave to addresses. */
struct app_hosts {
    uint32_t n;
    struct app_host {
        union tern_addr addr;
        char name[APP_HOST_NAME_BYTES];
    } hosts[APP_HOSTS_MAX];
};

/** --name IP=NAME. @return 0, or -EINVAL with one line in *err */
int app_hosts_add(struct app_hosts *h, const char *text, struct tern_error *err);

/** The host's name, or its address as text. @param buf [APP_HOST_TEXT_BYTES] @return buf or a name
 */
const char *app_host_name(const struct app_hosts *h, const union tern_addr *a, char *buf);
