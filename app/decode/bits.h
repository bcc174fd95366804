/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The control bits of a TCP header (RFC 9293 §3.1). */
enum {
    APP_FIN = 0x01,
    APP_SYN = 0x02,
    APP_RST = 0x04,
    APP_PSH = 0x08,
    APP_ACK = 0x10,
    APP_URG = 0x20,
    APP_ECE = 0x40,
    APP_CWR = 0x80,
};
