# SPDX-License-Identifier: BSD-3-Clause
"""Google Benchmark programs: found in the build, run, their JSON read.

A program says `ns_per_op` of each of its benchmarks. Those that feed a shard (bench/rig.h) take many samples in one go, say
their quartiles, too, and understand --samples; the others are run several times over.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .figures import Figure, from_values, plain_name

TIME_LIMIT_S = 300  # of one program; a hanging one shall not hang the suite
REPETITIONS, REPETITIONS_QUICK = 7, 3
MIN_TIME_S, MIN_TIME_QUICK_S = 0.05, 0.02  # of one repetition
SAMPLES_QUICK = 7
TOO_BIG_TO_BE_QUICK = r"-(conns|tws):[0-9]{8}"  # ten million connections take their time to open


# What matters most comes first; a program that is not listed comes behind these.
ORDER = ["memory", "handshake", "short", "synflood", "request", "bulk", "scale"]


def find(build):
    """{name: path} of the programs in a build, bench/**/bench_<name>."""
    found = {p.name.removeprefix("bench_"): p for p in Path(build, "bench").rglob("bench_*")
             if p.is_file() and os.access(p, os.X_OK)}
    place = {name: i for i, name in enumerate(ORDER)}
    return dict(sorted(found.items(), key=lambda item: (place.get(item[0], len(ORDER)), item[0])))


def takes_samples(path):
    """Only the programs that feed a shard know --samples; the others refuse what they do not know."""
    done = subprocess.run([path, "--samples=1", "--benchmark_list_tests"], capture_output=True, timeout=60, check=False)
    return done.returncode == 0


def command(path, quick):
    """A program that takes samples also finds its CPU itself; the others are put on the last one."""
    if takes_samples(path):
        return [path] + ([f"--samples={SAMPLES_QUICK}", f"--benchmark_filter={TOO_BIG_TO_BE_QUICK}"] if quick else [])
    return ["taskset", "-c", str(max(os.sched_getaffinity(0))), path,
            f"--benchmark_repetitions={REPETITIONS_QUICK if quick else REPETITIONS}",
            f"--benchmark_min_time={MIN_TIME_QUICK_S if quick else MIN_TIME_S}"]


# Said elsewhere in a figure, or following from it.
NOT_COUNTERS = {"real_time", "cpu_time", "items_per_second", "bytes_per_second", "ops_per_s", "packets_per_s", "packets_per_op",
                "ns_per_op", "ns_per_op_q1", "ns_per_op_q3", "ns_per_op_min", "ns_per_op_max"}


def counters(rows):
    """What else was counted: of several repetitions the median."""
    names = [k for k, v in rows[0].items() if isinstance(v, float) and k not in NOT_COUNTERS]
    return {name: statistics.median(row[name] for row in rows) for name in names}


def from_rows(name, rows):
    """A benchmark that sampled by itself, in one row, or one that was repeated."""
    row = rows[0]
    if "ns_per_op_q1" not in row:
        return from_values(name, [r["ns_per_op"] for r in rows], **counters(rows))
    return Figure(name, row["ns_per_op"], row["ns_per_op_q1"], row["ns_per_op_q3"], row["ns_per_op_min"],
                  row["ns_per_op_max"], row["iterations"], row.get("packets_per_op", 0), counters(rows))


def figures_of(rows):
    """The rows of Google Benchmark -> figures, {name: why it was skipped}, {name: why it failed}"""
    good, skipped, failed = {}, {}, {}
    for row in rows:
        name = plain_name(row["run_name"])
        if row.get("error_occurred"):
            why = row["error_message"]
            (skipped if why.startswith("skipped: ") else failed)[name] = why.removeprefix("skipped: ")
        elif row["run_type"] == "iteration" and "ns_per_op" in row:
            good.setdefault(name, []).append(row)
    return [from_rows(name, repeated) for name, repeated in good.items()], skipped, failed


def run_one(name, path, quick, run):
    """Run a program; what it found goes into `run`."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        try:
            done = subprocess.run(
                [*command(path, quick), f"--benchmark_out={out.name}", "--benchmark_out_format=json"],
                capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False)
            rows = json.loads(Path(out.name).read_text(encoding="utf-8"))["benchmarks"]
        except subprocess.TimeoutExpired:
            run.failed[name] = f"not done after {TIME_LIMIT_S} s"
            return
        except ValueError:
            run.failed[name] = f"ended with {done.returncode}: {done.stderr.strip()[-300:]}"
            return
    figures, skipped, failed = figures_of(rows)
    run.figures += figures
    run.skipped |= skipped
    run.failed |= failed
    if done.returncode != 0 and not failed:
        run.failed[name] = f"ended with {done.returncode}: {done.stderr.strip()[-300:]}"


def run_all(build, wanted, quick, run):
    for name, path in find(build).items():
        if not wanted(name):
            continue
        start = time.monotonic()
        print(f"bench: {name} …", end="", file=sys.stderr, flush=True)
        run_one(name, path, quick, run)
        print(f" {time.monotonic() - start:.0f} s", file=sys.stderr)
