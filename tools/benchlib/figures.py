# SPDX-License-Identifier: BSD-3-Clause
"""Figures and runs.

A figure is the time of one operation in nanoseconds, from many samples: median, quartiles, extremes. Rates follow from
it. A run is every figure that one call of tools/bench took, with machine, commit and command, and is one JSON file.
"""
import json
import re
import statistics
from dataclasses import asdict, dataclass, field

FORMAT = 1  # of the JSON

# What Google Benchmark appends to a name that says how it was run, not what.
HOW_IT_RAN = re.compile(r"^(iterations|repeats|min_time|min_warmup_time|manual_time|real_time|process_time)(:.*)?$")


@dataclass
class Figure:
    name: str  # program's benchmark and its arguments, "handshake/conns:1000000/burst:32"
    ns: float  # median
    q1: float
    q3: float
    min: float
    max: float
    samples: int
    packets: float = 0  # received and sent, an operation; 0: nothing of the kind
    counters: dict = field(default_factory=dict)  # whatever else was counted

    @property
    def spread(self):
        """Half the distance of the quartiles, as a share of the median."""
        return (self.q3 - self.q1) / 2 / self.ns

    @property
    def per_s(self):
        return 1e9 / self.ns


@dataclass
class Run:
    machine: dict
    figures: list = field(default_factory=list)
    skipped: dict = field(default_factory=dict)  # name: why
    failed: dict = field(default_factory=dict)  # name: why

    def find(self, name):
        return next((f for f in self.figures if f.name == name), None)


def from_values(name, ns_values, packets=0, **counters):
    """A figure of samples that were taken one by one."""
    values = sorted(ns_values)
    q1, median, q3 = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return Figure(name, median, q1, q3, values[0], values[-1], len(values), packets, counters)


def plain_name(run_name):
    return "/".join(part for part in run_name.split("/") if not HOW_IT_RAN.match(part))


def arguments(name):
    """"handshake/conns:100/burst:32" -> ("handshake", {"conns": 100, "burst": 32})"""
    first, *rest = name.split("/")
    parts = [part.partition(":") for part in rest]
    return first, {key: int(value) if value.isdigit() else value for key, _, value in parts}


def rounded(value):
    """Five digits are more than any of this is good for."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return [rounded(v) for v in value] if isinstance(value, list) else value


def save(run, path):
    text = json.dumps(rounded({"format": FORMAT, **asdict(run)}), indent=1)
    # One figure a line: a baseline under version control is read as a diff.
    text = re.sub(r"\{\s+\"name\".*?\}\s+\}", lambda m: re.sub(r"\s*\n\s*", " ", m[0]), text, flags=re.S)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text + "\n")


def load(path):
    with open(path, encoding="utf-8") as f:
        data = json.load(f)
    if data.pop("format", None) != FORMAT:
        raise SystemExit(f"bench: {path} is not a run of tools/bench, or one of another version of it")
    figures = [Figure(**figure) for figure in data.pop("figures")]
    return Run(figures=figures, **data)
