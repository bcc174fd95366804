# SPDX-License-Identifier: BSD-3-Clause
"""The table behind a map and the Markdown in front of it: what tools/rfc-map and tools/attack-map have in common."""
import os
import sys

from .scan import ROOT, places

SHOWN_MAX = 4  # tests named in the Markdown table; the rest is counted


def read_rows(path, columns, complain):
    """(line, fields) of every row of a tab-separated table that has as many fields as `columns` names."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            if line.startswith("#") or not line.strip():
                continue
            fields = line.rstrip("\n").split("\t")
            if len(fields) != columns.count(",") + 1 or not all(fields):
                complain(f"{path}:{n}: {len(fields)} fields; it takes {columns}")
                continue
            yield n, fields


class Entry:
    """One row: `applies` says whether it is for tern; code and tests are the places that name it."""

    def __init__(self, ident, applies):
        self.id, self.applies = ident, applies
        self.code, self.tests = [], []

    @property
    def applicable(self):
        return not self.applies.startswith("no:")

    def missing(self):
        return [word for word, found in (("code", self.code), ("test", self.tests)) if not found]


def collect(entries, tops_of, find, what, complain):
    """Fill code and tests of `entries`. @param tops_of  the directories of either, by name"""
    for side, tops in tops_of.items():
        for path, line, ident, place in places(tops, find):
            e = entries.get(ident)
            if e is None:
                complain(f"{path}:{line}: {ident} is no {what}")
            elif not e.applicable and side == "code":
                complain(f"{path}:{line}: {ident} is said not to apply ({e.applies[4:]})")
            elif place is not None:
                getattr(e, side).append(place)


def unique(found):
    """One place a file and name."""
    return list({(p.path, p.name): p for p in reversed(found)}.values())[::-1]


def print_places(e):
    for word, found in (("code", e.code), ("test", e.tests)):
        for p in unique(found):
            print(f"         {word} {p.path}:{p.line} {p.name}")


# ---- Markdown ----


def md_code(e):
    by_file = {}
    for p in unique(e.code):
        by_file.setdefault(p.path, []).append(p.name)
    return "; ".join(f"`{path.removeprefix('lib/')}` {', '.join(names)}" for path, names in by_file.items())


def md_test_name(p):
    path, stem = p.path.removeprefix("tests/"), os.path.splitext(p.path)[0].removeprefix("tests/")
    if path.startswith("unit/"):
        return f"`{stem.removeprefix('unit/test_')}` {p.name}"
    return f"`{stem}` {p.name}".rstrip()


def md_tests(e):
    names = [md_test_name(p) for p in unique(e.tests)]
    more = len(names) - SHOWN_MAX
    return "; ".join(names[:SHOWN_MAX] if more > 1 else names) + (f"; and {more} more" if more > 1 else "")


def write(path, text):
    with open(os.path.join(ROOT, path), "w", encoding="utf-8") as f:
        f.write(text)


def is_stale(path, text):
    try:
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            return f.read() != text
    except FileNotFoundError:
        return True


def tell(tool, complaints):
    for c in complaints:
        print(f"{tool}: {c}", file=sys.stderr)
    return bool(complaints)
