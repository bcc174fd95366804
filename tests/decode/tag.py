#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Put an 802.1Q tag (VLAN 77, priority 3) into each frame of a pcap file: tag.py FROM TO"""
import struct
import sys

FILE_HEADER, RECORD, MACS = 24, struct.Struct("<IIII"), 12
TAG = bytes.fromhex("8100604d")

with open(sys.argv[1], "rb") as source, open(sys.argv[2], "wb") as to:
    to.write(source.read(FILE_HEADER))
    while header := source.read(RECORD.size):
        s, ns, captured, wire = RECORD.unpack(header)
        frame = source.read(captured)
        to.write(RECORD.pack(s, ns, captured + len(TAG), wire + len(TAG)))
        to.write(frame[:MACS] + TAG + frame[MACS:])
