#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Traffic for tshark.sh by the kernel's TCP: `serve`, `ready` (is it there?), `connect ADDRESS`."""
import contextlib
import socket
import struct
import sys

PORT, CLOSED_PORT = 8080, 8081
BYTES = 200_000


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def read_all(s):
    n = 0
    while chunk := s.recv(65536):
        n += len(chunk)
    return n


def serve():
    listener = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        s, _ = listener.accept()
        with s, contextlib.suppress(ConnectionResetError):
            n = read_all(s)  # until the client's FIN: the answer goes into a half-closed connection
            s.sendall(b"r" * n)


def exchange(address):
    with socket.socket(family(address)) as s:
        s.connect((address, PORT))
        s.sendall(b"q" * BYTES)
        s.shutdown(socket.SHUT_WR)
        assert read_all(s) == BYTES


def refused(address):
    with socket.socket(family(address)) as s:
        assert s.connect_ex((address, CLOSED_PORT)) != 0


def aborted(address):
    with socket.socket(family(address)) as s:
        s.connect((address, PORT))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def ready():
    with socket.socket(socket.AF_INET6) as s:
        sys.exit(s.connect_ex(("::1", PORT)) != 0)


def connect(address):
    exchange(address)
    refused(address)
    aborted(address)


if __name__ == "__main__":
    {"serve": serve, "ready": ready, "connect": connect}[sys.argv[1]](*sys.argv[2:])
