# SPDX-License-Identifier: BSD-3-Clause
"""A run for people: its table, its targets, what changed since another run, and the same for the documents."""
import math
import re
import statistics
import subprocess
from pathlib import Path

from .figures import arguments
from .targets import HANDSHAKE, PACKET, TARGETS, judge

LINE = "memory_batch/huge:0"  # one random line of memory, prefetched with 31 others
YARDSTICKS = ("testpmd/5tswap", "testpmd/io", "memory_dependent/huge:0", LINE)
USUAL = {"burst": 32, "tws": 0}  # not worth saying
EITHER = {  # what 0 and 1 mean; "": the usual, not worth saying
    "software": ("", "software checksums"), "cookies": ("", "cookies"), "ipv6": ("", "IPv6"), "linux": ("", "options of Linux"),
    "auto": ("", "SYN cache full"), "acks": ("", "ACKs apart"), "copied": ("", "copied"), "client": ("server", "client"),
    "life": ("", "to TIME-WAIT's end"), "receive": ("sending", "receiving"), "huge": ("", "huge pages"),
    "chained": ("", "chained")}
UNITS = {"conns": "connections", "entries": "entries", "timers": "timers", "bytes": "bytes", "words": "words",
         "threads": "workers", "tws": "TIME-WAITs"}
LIMITS = ("testpmd", "memory", "kernel")  # first in the table


# ---- words ----


def short(n):
    for factor, letter in ((10**6, " M"), (10**3, " k")):
        if n >= factor and n % factor == 0:
            return f"{n // factor}{letter}"
    return str(n)


def words(name):
    """handshake/conns:1000000/burst:32/ipv6:1 -> handshake, 1 M connections, IPv6"""
    first, args = arguments(name)
    said = [first.replace("_", " ")]
    for key, value in args.items():
        if value == "":
            said.append(key)
        elif key in EITHER:
            said.append(EITHER[key][value])
        elif USUAL.get(key) != value:
            number = short(value) if isinstance(value, int) else value
            unit = UNITS.get(key, "")
            said.append(f"{number} {unit[:-1] if value == 1 else unit}" if unit else f"{key} {number}")
    return ", ".join(word for word in said if word)


def ns_text(ns):
    return f"{ns:,.1f}" if ns < 10000 else f"{ns:,.0f}"


def rate_text(per_s):
    return f"{per_s / 1e6:.2f} M" if per_s >= 1e5 else f"{per_s / 1e3:.1f} k"


# ---- tables ----

COLUMNS = ("", "ns", "±", "GHz", "a second", "packets", "× packet", "× line")
SLOW = 0.9  # of the clock that a quarter of the run's figures had at least
EXPLANATION = """\
ns: time of one operation, median; ±: half the distance of the quartiles; GHz: what the core ran at meanwhile, with ! when
that was less than nine tenths of the usual in this run (a virtual machine's neighbours: such a line compares with nothing).
× packet: against one packet through testpmd 5tswap on net_null; × line: against one random line of memory fetched in a batch
of 32. Bursts of 32, checksums offloaded, IPv4, no TCP options, unless a line says otherwise."""


def usual_ghz(run):
    clocks = [f.counters["core_ghz"] for f in run.figures if "core_ghz" in f.counters]
    return statistics.quantiles(clocks, n=4)[2] if len(clocks) > 1 else 0


def is_slowed(figure, run):
    return figure.counters.get("core_ghz", math.inf) < SLOW * usual_ghz(run)


def row(figure, run):
    def ratio(name):
        other = run.find(name)
        return f"{figure.ns / other.ns:.2f}" if other else ""
    ghz = figure.counters.get("core_ghz")
    clock = f"{'! ' if is_slowed(figure, run) else ''}{ghz:.2f}" if ghz else ""
    return (words(figure.name), ns_text(figure.ns), f"{figure.spread:.1%}", clock, rate_text(figure.per_s),
            f"{figure.packets:.2f}".rstrip("0").rstrip(".") if figure.packets else "", ratio(PACKET), ratio(LINE))


def target_rows(run):
    rows = [("", "target", "seen", "ratio target", "ratio seen", "")]
    for j in judge(run):
        t = j.target
        slowed = is_slowed(j.figure, run) or (j.ratio and is_slowed(run.find(t.to), run))
        rows.append((t.what, f"<= {t.ns:.0f} ns" if t.ns else "", f"{j.figure.ns:.1f} ns",
                     f"<= {t.ratio:.3g} × {words(t.to)}" if t.ratio else "", f"{j.ratio:.2f}" if j.ratio else "",
                     ("met" if j.met else "missed") + (" (slowed)" if slowed else "")))
    return rows


def align(rows):
    """Rows as lines: first column left, the others right."""
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(r, widths))).rstrip()
            for r in rows]


def markdown(rows):
    head, *body = ("| " + " | ".join(r) + " |" for r in rows)
    return [head, "|" + "---|" + "---:|" * (len(rows[0]) - 1), *body]


def by_program(run):
    """The figures, those of one program together; the limits, then in the order in which they were taken."""
    groups = {name: [] for name in LIMITS}
    for f in run.figures:
        groups.setdefault(arguments(f.name)[0].split("_")[0], []).append(f)
    return [group for group in groups.values() if group]


def machine_text(run):
    m = run.machine
    return (f"{m['cpu']}, {m['cpus']} CPUs ({'virtual' if m['virtual'] else 'bare metal'}), {m['ram_gib']} GiB, "
            f"{m['hugepages']} huge pages reserved; Linux {m['kernel']}, DPDK {m['dpdk']}; {m['build']}; "
            f"commit {m['commit']}, {m['date']}; `{m['command']}`, {m['seconds']} s")


def text(run):
    lines = [machine_text(run), ""]
    rows = [row(f, run) for group in by_program(run) for f in group]
    aligned = iter(align([COLUMNS, *rows]))
    lines.append(next(aligned))
    for group in by_program(run):
        lines += [next(aligned) for _ in group] + [""]
    lines += [EXPLANATION, ""]
    lines += [*align(target_rows(run)), ""] if judge(run) else []
    lines += [f"skipped  {words(name)}: {why}" for name, why in run.skipped.items()]
    lines += [f"FAILED   {words(name)}: {why}" for name, why in run.failed.items()]
    return "\n".join(lines)


# ---- two runs ----


def drift(old, new):
    """How much the yardsticks, which are not tern's, differ between the runs: the machine itself."""
    moved = [abs(math.log(b.ns / a.ns)) for a, b in ((old.find(n), new.find(n)) for n in YARDSTICKS) if a and b]
    return max(moved, default=0)


def clock_moved(before, now):
    """How much the core's clock differs between two figures that say what it was."""
    ghz = [f.counters.get("core_ghz") for f in (before, now)]
    return abs(math.log(ghz[1] / ghz[0])) if all(ghz) else 0


NOISE_EXPLANATION = """\
A figure has changed when its medians differ by more than the distances of the quartiles of both runs together and what the
machine itself has moved: the largest change of {yardsticks}
between the runs, {drift:.1%}, or of the core's clock where that was measured and changed more."""
LEAST_NOISE = 0.01  # no spread is smaller than what the position of code in memory makes


def compare(old, new):
    moved = drift(old, new)
    rows, n_same, n_slowed = [("", "ns before", "ns now", "change", "noise", "")], 0, 0
    for now in new.figures:
        before = old.find(now.name)
        if before is None or now.name in YARDSTICKS:
            continue
        change = math.log(now.ns / before.ns)
        noise = max(2 * (before.spread + now.spread), LEAST_NOISE) + max(moved, clock_moved(before, now))
        if is_slowed(before, old) or is_slowed(now, new):
            n_slowed += 1
            continue
        if abs(change) <= noise:
            n_same += 1
            continue
        rows.append((words(now.name), ns_text(before.ns), ns_text(now.ns), f"{math.expm1(change):+.1%}",
                     f"{math.expm1(noise):.1%}", "slower" if change > 0 else "faster"))
    lines = [f"{old.machine['commit']} ({old.machine['date']}) -> {new.machine['commit']} ({new.machine['date']})", ""]
    lines += align(rows) if len(rows) > 1 else ["Nothing has changed."]
    lines += ["", f"{n_same} figures differ by no more than noise."]
    lines += [f"{n_slowed} figures were taken on a core that was slowed (!) and are not compared."] if n_slowed else []
    n_gone = sum(new.find(f.name) is None for f in old.figures)
    lines += [f"{n_gone} figures of the old run were not taken again."] if n_gone else []
    return "\n".join([*lines, NOISE_EXPLANATION.format(yardsticks=", ".join(YARDSTICKS), drift=moved)])


# ---- documents ----


def put_between(path, mark, lines):
    """Replace what stands between <!-- bench: MARK --> and <!-- bench: end --> in a document."""
    pattern = re.compile(rf"(<!-- bench: {mark} -->\n).*?(<!-- bench: end -->)", re.S)
    before = path.read_text(encoding="utf-8")
    after, n = pattern.subn(lambda m: m[1] + "\n".join(lines) + "\n" + m[2], before)
    if n != 1:
        raise SystemExit(f"bench: {path} has no place for '{mark}'")
    path.write_text(after, encoding="utf-8")


PLOT_POINTS_MIN = 3


def plot(run, picture):
    """Cost of a handshake over the connections that are there already. A quick run has too few points: the picture stays."""
    name = re.compile(HANDSHAKE.format(conns=r"(\d+)", software=0, ipv6=0) + "$")
    points = sorted((int(m[1]), f) for f in run.figures if (m := name.match(f.name)))
    targets = [(int(m[1]), t.ns) for t in TARGETS if t.ns and (m := name.match(t.figure))]
    limit = run.find(PACKET)
    if len(points) < PLOT_POINTS_MIN or limit is None:
        return
    script = f"""
set terminal svg size 760,440 font "sans,13" background "white"
set output "{picture}"
set title "tern: one handshake in a shard that holds so many connections" font "sans,15"
set logscale x
set xrange [{points[0][0] / 2}:{points[-1][0] * 2}]
set yrange [0:*]
set format x "%.0s%c"
set xlabel "established connections"
set ylabel "ns"
set grid lc rgb "#dddddd"
set key outside bottom center horizontal samplen 2
$seen << END
{chr(10).join(f"{n} {f.ns} {f.q1} {f.q3}" for n, f in points)}
END
$targets << END
{chr(10).join(f"{n} {ns}" for n, ns in targets)}
END
plot $seen using 1:2 with lines lw 2 lc rgb "#0072b2" notitle, \\
     $seen using 1:2:3:4 with yerrorbars lw 1.5 pt 7 ps 0.6 lc rgb "#0072b2" title "handshake (median, quartiles)", \\
     $targets with points pt 2 ps 1 lw 2 lc rgb "#d55e00" title "target", \\
     {3 * limit.ns} with lines dt 2 lw 1.5 lc rgb "#999999" title "three packets through testpmd 5tswap"
"""
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def write_documents(run, root):
    root = Path(root)
    table = [line for group in by_program(run) for line in markdown([COLUMNS, *(row(f, run) for f in group)]) + [""]]
    put_between(root / "docs/performance.md", "machine", [machine_text(run)])
    put_between(root / "docs/performance.md", "table", [EXPLANATION, "", *table])
    put_between(root / "docs/performance.md", "targets", markdown(target_rows(run)))
    put_between(root / "README.md", "targets", markdown(target_rows(run)) + ["", machine_text(run)])
    plot(run, root / "docs/handshake.svg")
