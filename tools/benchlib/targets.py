# SPDX-License-Identifier: BSD-3-Clause
"""What tern is meant to reach on one core: nanoseconds on a machine of 2.65 GHz, and, what counts on any machine, a ratio to
another figure of the same run."""
from dataclasses import dataclass

PACKET = "testpmd/5tswap"
HANDSHAKE = "handshake/conns:{conns}/burst:32/software:{software}/ipv6:{ipv6}/linux:0/cookies:0"
REQUEST = "request/conns:1000000/burst:32/software:0/ipv6:0/linux:0/acks:0/copied:0"
SHORT = "short/tws:1000000/burst:32/software:0/ipv6:0/linux:0/client:0/life:0"
BULK = "bulk/conns:{conns}/burst:32/software:0/ipv6:0/linux:0/mss:1460/receive:0"
SCALE = "scale/conns:1000000/burst:32/software:0/ipv6:0/linux:0/threads:{threads}"


def handshake(conns=1_000_000, software=0, ipv6=0):
    return HANDSHAKE.format(conns=conns, software=software, ipv6=ipv6)


@dataclass
class Target:
    what: str
    figure: str
    ns: float = None
    ratio: float = None
    to: str = None


TARGETS = [
    Target("handshake, 1 M connections", handshake(), 90, 6.5, PACKET),
    Target("handshake, 50 M connections", handshake(conns=50_000_000), 125, 1.4, handshake()),
    Target("handshake, software checksums", handshake(software=1), 180),
    Target("handshake, IPv6", handshake(ipv6=1), None, 1.15, handshake()),
    Target("SYN answered with a cookie", "synflood/conns:1000000/burst:32/software:0/ipv6:0/linux:0/auto:0", 45, 3.2, PACKET),
    Target("six-packet HTTP exchange, server", SHORT, 180, 13, PACKET),
    Target("64-byte request and response, 1 M connections", REQUEST, 110),
    Target("bulk send, a segment, 1 connection", BULK.format(conns=1), 50),
    Target("bulk send, a segment, 1000 connections", BULK.format(conns=1000), 50),
    # Two workers do 1.95 times the work of one when the time of an operation grows to no more than 2 / 1.95.
    Target("handshake, two workers at once", SCALE.format(threads=2), None, 2 / 1.95, SCALE.format(threads=1)),
]


@dataclass
class Judged:
    target: Target
    figure: object  # what was measured
    ratio: float  # to the other figure; None where there is none
    met: bool


def judge(run):
    """Every target whose figure the run has."""
    judged = []
    for target in TARGETS:
        figure, other = run.find(target.figure), run.find(target.to) if target.to else None
        if figure is None:
            continue
        ratio = figure.ns / other.ns if other else None
        met = (target.ns is None or figure.ns <= target.ns) and (target.ratio is None or ratio is None or ratio <= target.ratio)
        judged.append(Judged(target, figure, ratio, met))
    return judged
