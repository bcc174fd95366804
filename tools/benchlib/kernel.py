# SPDX-License-Identifier: BSD-3-Clause
"""The comparison: connections a second that this machine's kernel accepts for nginx, one core each for nginx and wrk, over
loopback in a network namespace of its own, every request on a connection of its own ("Connection: close").

The rate and the packets are the kernel's own counts (TcpPassiveOpens, TcpInSegs of both ends). Needs root for the namespace; without, it is skipped.
"""
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from .figures import from_values

CONFIG = Path(__file__).resolve().parents[2] / "bench/compare/nginx.conf"
ADDRESS = "198.18.0.1"
ROUNDS, ROUNDS_QUICK = 7, 3
ROUND_S = 2
CONNECTIONS = 64  # at a time
READY_S = 5  # until nginx listens


class Namespace:
    def __init__(self):
        self.name = f"tern-bench-{os.getpid()}"

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True, capture_output=True, text=True)
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "addr", "add", f"{ADDRESS}/32", "dev", "lo")
        # Every request takes a port of the client's, and the server's TIME-WAIT keeps it for a minute.
        self.run("sysctl", "-qw", "net.ipv4.ip_local_port_range=1024 65535", "net.ipv4.tcp_tw_reuse=1",
                 "net.core.somaxconn=4096")
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], check=False)

    def command(self, *words):
        return ["ip", "netns", "exec", self.name, *words]

    def run(self, *words):
        return subprocess.run(self.command(*words), check=True, capture_output=True, text=True).stdout

    def counted(self):
        """(connections accepted, packets received by either end) since the namespace began"""
        text = self.run("nstat", "-asz", "TcpPassiveOpens", "TcpInSegs")
        return [int(re.search(rf"{name}\s+(\d+)", text)[1]) for name in ("TcpPassiveOpens", "TcpInSegs")]


def listens(namespace):
    return f"{ADDRESS}:80" in namespace.run("ss", "-Htln")


def one_round(namespace, cpu):
    """(ns a connection, packets a connection), or a string: what went wrong."""
    before, start = namespace.counted(), time.monotonic()
    said = namespace.run("taskset", "-c", str(cpu), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{ROUND_S}s", "-H",
                         "Connection: close", f"http://{ADDRESS}/")
    seconds = time.monotonic() - start
    accepted, packets = (now - then for now, then in zip(namespace.counted(), before))
    if accepted == 0 or re.search(r"Non-2xx|Socket errors: connect [1-9]", said):
        return "wrk saw errors: " + " ".join(said.split())[-200:]
    return seconds * 1e9 / accepted, packets / accepted


def rates(namespace, directory, rounds):
    cpus = sorted(os.sched_getaffinity(0))
    nginx = subprocess.Popen(
        namespace.command("taskset", "-c", str(cpus[0]), "nginx", "-p", directory, "-c", str(CONFIG), "-e", "stderr"),
        stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + READY_S
        while not listens(namespace):
            if nginx.poll() is not None or time.monotonic() > until:
                return "nginx does not listen"
            time.sleep(0.05)
        seen = [one_round(namespace, cpus[-1]) for _ in range(rounds + 1)][1:]
        return next((s for s in seen if isinstance(s, str)), seen)
    finally:
        nginx.terminate()
        nginx.wait(10)


def why_not():
    missing = [p for p in ("ip", "nstat", "ss", "taskset", "nginx", "wrk") if shutil.which(p) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    return "needs root for a network namespace" if os.geteuid() != 0 else None


def measure(quick, run):
    name = "kernel/nginx"
    seen = why_not()
    if seen is None:
        try:
            with Namespace() as namespace, tempfile.TemporaryDirectory() as directory:
                seen = rates(namespace, directory, ROUNDS_QUICK if quick else ROUNDS)
        except subprocess.CalledProcessError as e:
            seen = f"{' '.join(e.cmd)}: {str(e.stderr).strip()[-200:]}"
    if isinstance(seen, str):
        run.skipped[name] = seen
    else:
        ns, packets = zip(*seen)
        run.figures.append(from_values(name, ns, statistics.median(packets)))
