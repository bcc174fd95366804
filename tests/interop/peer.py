#!/usr/bin/env python3
"""The other end of a bulk transfer on the kernel's TCP: source, sink or both at once.

    peer.py source|sink|both BYTES PATTERN [--connect HOST] [--port 5001] [--cc NAME] [--blind]

What a source sends is the pattern of app/pattern.h, kept in the file PATTERN (made if it is not
there), so that tern can verify it; what a sink got is told by its SHA-256 beside the pattern's own.
A sink on --connect, which takes from a source that listens, ends when that source does. Seconds run
from the established connection to the end of both directions. One line of JSON. With --blind bytes
are counted and not summed, for what is to be as fast as it can.
"""
import argparse, hashlib, os, socket, struct, threading, time

PERIOD = 262139
CHUNK = 1 << 20
TOTAL_RETRANS_AT = 100  # in struct tcp_info, linux/tcp.h


def make_pattern():
    """xorshift32 (Marsaglia 2003), its low bytes."""
    x, out = 2463534242, bytearray(PERIOD)
    for i in range(PERIOD):
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        out[i] = x & 0xFF
    return bytes(out)


def pattern(path):
    if not os.path.exists(path):
        with open(f"{path}.{os.getpid()}", "wb") as f:
            f.write(make_pattern())
        os.rename(f.name, path)
    with open(path, "rb") as f:
        return f.read()


def pieces(period, n_bytes):
    """The pattern's first n_bytes, in pieces of at most CHUNK."""
    several = memoryview(period * (CHUNK // PERIOD + 2))
    for at in range(0, n_bytes, CHUNK):
        start = at % PERIOD
        yield several[start : start + min(CHUNK, n_bytes - at)]


def sum_of(chunks):
    h = hashlib.sha256()
    for c in chunks:
        h.update(c)
    return h.hexdigest()


def send(s, period, n_bytes):
    for piece in pieces(period, n_bytes):
        s.sendall(piece)
    s.shutdown(socket.SHUT_WR)


def receive(s, got):
    buffer, h = memoryview(bytearray(CHUNK)), hashlib.sha256()
    while n := s.recv_into(buffer):
        got["received"] += n
        if not o.blind:
            h.update(buffer[:n])
    got["sum"] = h.hexdigest()


def connection(o):
    if o.connect:
        family = socket.AF_INET6 if ":" in o.connect else socket.AF_INET
        s = socket.socket(family)
        if o.cc:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, o.cc.encode())
        s.settimeout(o.timeout)
        s.connect((o.connect, o.port))
        s.settimeout(None)
        return s
    with socket.socket(socket.AF_INET6) as server:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if o.cc:  # inherited by what is accepted
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, o.cc.encode())
        server.bind(("::", o.port))
        server.listen(1)
        server.settimeout(o.timeout)
        return server.accept()[0]  # blocks without limit from here on, as what is connected does


def transfer(s, role, period, n_bytes):
    got = {"received": 0, "sum": None}
    begin = time.monotonic()
    receiver = threading.Thread(target=receive, args=(s, got), daemon=True)
    receiver.start()
    if role != "sink":
        send(s, period, n_bytes)
    receiver.join()
    seconds = time.monotonic() - begin
    info = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return got, seconds, struct.unpack_from("I", info, TOTAL_RETRANS_AT)[0]


p = argparse.ArgumentParser()
p.add_argument("role", choices=("source", "sink", "both"))
p.add_argument("bytes", type=int)
p.add_argument("pattern")
p.add_argument("--connect")
p.add_argument("--port", type=int, default=5001)
p.add_argument("--cc")
p.add_argument("--blind", action="store_true")
p.add_argument("--timeout", type=float, default=30, help="to connect, in seconds")
o = p.parse_args()
period = pattern(o.pattern)
with connection(o) as s:
    got, seconds, retransmits = transfer(s, o.role, period, o.bytes)
expected = 0 if o.role == "source" else o.bytes
whole = got["received"] == expected
if not o.blind:
    whole = whole and got["sum"] == sum_of(pieces(period, expected))
print(
    f'{{"whole": {str(whole).lower()}, "seconds": {seconds:.6f}, "received": {got["received"]}, '
    f'"sha256": "{got["sum"]}", "retransmits": {retransmits}}}'
)
raise SystemExit(not whole)
