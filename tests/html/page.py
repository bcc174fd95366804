#!/usr/bin/env python3
"""The report's page in a headless Chromium, as wide as a desk and as a phone, light and dark: the elements are there, their
tables hold what the JSON says, the console is quiet. Usage: page.py TERN [KEEP_SCREENSHOTS_IN]"""
import html.parser
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
tern = os.path.realpath(sys.argv[1])
browser = shutil.which("chromium-headless-shell") or shutil.which("chromium")
SHAPES = {"desk": (1200, 2300), "phone": (400, 3400)}


def skip(why, may=False):
    """may: also where nothing required may be skipped; npm's registry is not everywhere."""
    print("skipped:", why)
    sys.exit(1 if os.environ.get("TERN_NO_SKIP", "0") != "0" and not may else SKIPPED)


class Document(html.parser.HTMLParser):
    """Counts elements under the nearest id, and keeps text."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.canvases, self.stack, self.text, self.handlers = {}, {}, [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.handlers += [name for name in attributes if name.startswith("on")]
        section = attributes.get("id") or (self.stack[-1][1] if self.stack else "")
        if tag not in ("meta", "link", "br", "img", "input"):
            self.stack.append((tag, section))
        self.ids.setdefault(section, []).append(tag)

    def handle_endtag(self, tag):
        while self.stack and self.stack.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if self.stack:
            self.text[self.stack[-1][1]] = self.text.get(self.stack[-1][1], "") + data + "\n"

    def count(self, section, tag):
        return self.ids.get(section, []).count(tag)


def browse(*arguments):
    """One run of the browser. What pages say on the console is an error here, as is a refused request."""
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run([browser, "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr",
                               "--virtual-time-budget=4000", f"--user-data-dir={profile}", *arguments],
                              capture_output=True, text=True, timeout=120, check=True)
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not said, said
    return done.stdout


def check_run(document, result):
    for section in ("rates", "latency", "percentiles", "workers"):
        assert document.count(section, "canvas") == 1, (section, document.ids.get(section))
        assert document.count(section, "table") >= 1, (section, "has no table beside its plot")
    n_rows = len(result["series"]["rows"])
    legend, heading = len(("time", "requests", "established", "closed")), 1
    assert n_rows >= 2 and document.count("rates", "tr") == n_rows + legend + heading, document.count("rates", "tr")
    counted = result["ledger"]["counted"]["ended"]["ok"]
    assert re.search(rf"^{counted:,}$", document.text["ledger"], re.M), document.text["ledger"]
    assert ("Valid" if result["valid"] else "Not valid") in document.text["verdict"]
    assert not document.handlers, document.handlers


def shoot(page, keep):
    sizes = {}
    for shape, (width, height) in SHAPES.items():
        for scheme in ("light", "dark"):
            picture = pathlib.Path(keep) / f"report-{shape}-{scheme}.png"
            browse(f"--window-size={width},{height}", f"--screenshot={picture}", f"file://{page}#{scheme}")
            sizes[shape, scheme] = picture.read_bytes()
            assert len(sizes[shape, scheme]) > 20000, (picture, "is nearly empty")
    assert len(set(sizes.values())) == len(sizes), "light and dark look the same"


def check_comparison(scratch, report):
    """What a result holds may be anything; on the page it is text."""
    hostile = "</script><script>console.log('ran')</script><img src=x onerror=console.log('ran')>"
    result = json.load(open(report))
    result["options"][hostile] = hostile
    result["invalid_reasons"].append(hostile)
    other, page = f"{scratch}/<b>other.json", f"{scratch}/compared.html"
    pathlib.Path(other).write_text(json.dumps(result))
    subprocess.run([tern, "compare", report, other, "--html", page], check=True, capture_output=True, timeout=60)
    document = Document(browse("--dump-dom", f"file://{page}"))
    assert not document.handlers and "img" not in sum(document.ids.values(), [])
    assert document.text["compare"].count(hostile) == 2, document.text["compare"][:400]
    assert document.count("compare", "table") == 2 and document.count("rates", "canvas") == 1
    assert hostile in document.text["verdict"]


def main():
    with tempfile.TemporaryDirectory() as scratch:
        page, report = f"{scratch}/page.html", f"{scratch}/result.json"
        run = [tern, "pair", "--no-huge", "--scenario", "http", "--rate", "500", "--duration", "3500ms", "--html", page, "--json", report]
        done = subprocess.run(run, capture_output=True, text=True, timeout=60)
        if "built without its page" in done.stderr:
            skip("this tern was built without the page of --html", may=True)
        assert done.returncode == 0, done.stderr
        if browser is None:
            skip("no chromium-headless-shell is installed")
        text = pathlib.Path(page).read_text()
        assert not re.search(r"""(src|href)\s*=\s*["']""", text.split('id="page"')[0]), "loads something"
        assert "default-src 'none'" in text and "unsafe-inline" not in text
        check_run(Document(browse("--dump-dom", f"file://{page}")), json.load(open(report)))
        print("ok    elements, tables, a quiet console")
        check_comparison(scratch, report)
        print("ok    two results, one of them hostile")
        shoot(page, sys.argv[2] if len(sys.argv) > 2 else scratch)
        print("ok    pictures: desk and phone, light and dark")


main()
