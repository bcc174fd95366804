#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compare `tern decode` with tshark, frame by frame and field by field: beside_tshark.py TERN CAPTURE"""
import re
import subprocess
import sys

# tshark's field: the line of tern that says the same. Numbers are compared as numbers, None where there is none.
FIELDS = {
    "eth.dst": "Ethernet: Destination Address",
    "eth.src": "Ethernet: Source Address",
    "vlan.id": "VLAN: VLAN Identifier",
    "sll.pkttype": "Cooked: Packet Type",
    "ip.src": "IP: Source Address",
    "ip.dst": "IP: Destination Address",
    "ip.hdr_len": "IP: Header Length",
    "ip.dsfield": "IP: Service Type",
    "ip.len": "IP: Total Length",
    "ip.id": "IP: Identification",
    "ip.ttl": "IP: Time to Live",
    "ip.proto": "IP: Protocol",
    "ip.checksum": "IP: Checksum",
    "ipv6.src": "IPv6: Source Address",
    "ipv6.dst": "IPv6: Destination Address",
    "ipv6.tclass": "IPv6: Traffic Class",
    "ipv6.flow": "IPv6: Flow Label",
    "ipv6.plen": "IPv6: Payload Length",
    "ipv6.hlim": "IPv6: Hop Limit",
    "arp.opcode": "ARP: Operation",
    "icmpv6.type": "ICMPv6: Type",
    "icmpv6.checksum": "ICMPv6: Checksum",
    "tcp.srcport": "TCP: Source Port",
    "tcp.dstport": "TCP: Destination Port",
    "tcp.seq_raw": "TCP: Sequence Number",
    "tcp.ack_raw": "TCP: Acknowledgement Number",
    "tcp.hdr_len": "TCP: Data Offset",
    "tcp.flags": "TCP: Flags",
    "tcp.window_size_value": "TCP: Window",
    "tcp.checksum": "TCP: Checksum",
    "tcp.urgent_pointer": "TCP: Urgent Pointer",
    "tcp.option_kind": "Option Kind",
    "tcp.options.mss_val": "MSS",
    "tcp.options.wscale.shift": "Window Scale",
    "tcp.options.timestamp.tsval": "TCP: Option Value (TSval)",
    "tcp.options.timestamp.tsecr": "TCP: Option Value (TSecr)",
    "tcp.len": "TCP: Data",
    "frame.time_relative": "time",
}
TEXT = {"eth.dst", "eth.src", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst"}


def tshark(path):
    command = ["tshark", "-r", path, "-T", "fields", "-o", "tcp.desegment_tcp_streams:FALSE"]
    # Only these protocols: what lies in TCP's payload or in a quoted packet is not asked for.
    command += ["--disable-protocol", "http", "-E", "occurrence=a"]
    for field in FIELDS:
        command += ["-e", field]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [dict(zip(FIELDS, line.split("\t"))) for line in out.splitlines()]


def tern(program, path):
    command = [program, "decode", path, "--detail", "fields", "--time", "first"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    frames, kind = [], ""
    for line in out.splitlines():
        if re.match(r"\d+ -?\d+\.\d+ ", line):
            frames.append({"time": [line.split()[1]]})
            continue
        name, equals, value = line.strip().partition(" = ")
        if not equals:
            continue
        if found := re.search(r"Option Kind \((.*)\)", name):
            kind, name = found[1], "Option Kind"
        if name.endswith("Option Value"):
            name = {"Maximum Segment Size": "MSS"}.get(kind, kind)
        frames[-1].setdefault(name, []).append(value)
    return frames


def plain(field, value):
    """A value as tshark or tern has it, in one form."""
    value = value.split(" (")[0].split(",")[0].strip()
    if field in TEXT:
        return value.lower()
    if field == "frame.time_relative":
        return round(float(value), 9)
    number = value.split(" ")[0]
    return int(number, 0)


def differences(field, theirs, ours):
    theirs = [plain(field, v) for v in theirs.split(",") if v]
    ours = [plain(field, v) for v in ours]
    if field == "tcp.len" and theirs == [0]:
        theirs = []  # tern has no line for no data
    return theirs != ours and f"{field}: tshark {theirs}, tern {ours}"


def main(program, path):
    theirs, ours = tshark(path), tern(program, path)
    assert len(theirs) == len(ours) > 0, f"{len(theirs)} frames and {len(ours)}"
    compared = bad = 0
    for number, (t, o) in enumerate(zip(theirs, ours), 1):
        for field, name in FIELDS.items():
            compared += bool(t[field])
            if said := differences(field, t[field], o.get(name, [])):
                bad += 1
                print(f"frame {number}: {said}")
    print(f"{len(ours)} frames, {compared} fields compared, {bad} differ")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
