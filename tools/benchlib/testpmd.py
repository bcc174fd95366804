# SPDX-License-Identifier: BSD-3-Clause
"""The limit: dpdk-testpmd on net_null, a device that makes and takes packets without looking at them.

What is left is the life of an mbuf (taken from its pool, given back) and a burst through DPDK's calls: `io` does no more,
`5tswap` reads each packet and swaps its addresses. Neither root nor huge pages are needed. It is run twice, around
everything else, so that its spread also shows how much the machine itself moved meanwhile.
"""
import os
import re
import shutil
import subprocess

from .figures import from_values

MODES = ("5tswap", "io")
SECONDS, SECONDS_QUICK = 5, 3  # a mode, each of the two times
WARM_UP_S = 1  # start, and rates of the first second
MBUFS, MEMORY_MIB = 8192, 256


def rates(mode, seconds):
    """Packets a second, in and out again, one value a second. A string: why there are none."""
    if shutil.which("dpdk-testpmd") is None:
        return "dpdk-testpmd is not installed"
    cpus = sorted(os.sched_getaffinity(0))
    command = ["timeout", "--signal=INT", str(seconds + WARM_UP_S + 2), "dpdk-testpmd", "--no-huge", "--no-pci",
               "--no-shconf", "--no-telemetry", "--log-level=error", "-m", str(MEMORY_MIB),
               f"--lcores=0@{cpus[0]},1@{cpus[-1]}", "--vdev=net_null0", "--", f"--forward-mode={mode}",
               "--nb-cores=1", f"--total-num-mbufs={MBUFS}", "--stats-period=1"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    seen = [int(rate) for rate in re.findall(r"Tx-pps:\s+(\d+)", done.stdout)]
    steady = [rate for rate in seen[1 + WARM_UP_S:][:seconds] if rate > 0]
    return steady or done.stderr.strip()[-300:] or "no rate seen"


class Limit:
    """measure() twice, then finish()."""

    def __init__(self):
        self.ns = {mode: [] for mode in MODES}
        self.trouble = {}

    def measure(self, quick):
        for mode in MODES:
            seen = rates(mode, SECONDS_QUICK if quick else SECONDS)
            if isinstance(seen, str):
                self.trouble[f"testpmd/{mode}"] = seen
            else:
                self.ns[mode] += [1e9 / rate for rate in seen]

    def finish(self, run):
        run.figures += [from_values(f"testpmd/{mode}", ns, packets=1) for mode, ns in self.ns.items() if ns]
        run.skipped |= self.trouble
