#!/usr/bin/env python3
"""tern compare on results whose difference is known: one real run, and copies of it that were changed. Usage: compare.py TERN"""
import copy
import json
import os
import re
import subprocess
import sys
import tempfile

tern = os.path.realpath(sys.argv[1])
TOO_SHORT, WITHIN, DIFFERS = "too short to tell", "within noise", "differs"


def compare(*arguments):
    return subprocess.run([tern, "compare", *arguments], capture_output=True, text=True, timeout=30)


def write(result, path):
    with open(path, "w") as out:
        json.dump(result, out)
    return path


def with_seconds(result, n, scale, column="connect_p99_ns"):
    """Steady seconds that lie evenly within ±10 %, `column` of them times `scale`."""
    out = copy.deepcopy(result)
    names, row = out["series"]["columns"], out["series"]["rows"][0]
    out["series"]["rows"] = []
    for i in range(n):
        wave = 0.9 + 0.2 * i / max(n - 1, 1)
        second = {"time_s": i + 1.0, "length_s": 1.0, "phase": "steady", "connect_p99_ns": 1e6 * wave, "established": 1000 * wave}
        second[column] *= scale
        out["series"]["rows"].append([second.get(name, value) for name, value in zip(names, row)])
    return out


def verdicts(done):
    assert done.returncode == 0 and done.stderr == "", done.stderr
    found = re.findall(rf"^    (.+?)  .*({TOO_SHORT}|{WITHIN}|{DIFFERS})$", done.stdout, re.M)
    return dict(found)


def check_verdicts(result):
    same, twice = write(with_seconds(result, 20, 1), "same.json"), write(with_seconds(result, 20, 2), "twice.json")
    near, few = write(with_seconds(result, 20, 1.05), "near.json"), write(with_seconds(result, 9, 2), "few.json")
    assert set(verdicts(compare(same, same)).values()) == {WITHIN}
    told = verdicts(compare(same, twice))
    assert told["connect p99"] == DIFFERS and told["connections a second"] == WITHIN, told
    assert "2.000" in compare(same, twice).stdout
    assert verdicts(compare(same, near))["connect p99"] == WITHIN, "five per cent in a spread of ten"
    assert verdicts(compare(same, few))["connect p99"] == TOO_SHORT
    print("ok    what differs, what is noise, what is too short")


def check_failures(result):
    def failing(n, path):
        out = with_seconds(result, 20, 1)
        out["ledger"]["counted"] = {"begun": 100000, "ended": {"ok": 100000 - n, "timeout": n}}
        return write(out, path)
    few, as_few, many = failing(20, "few-fail.json"), failing(30, "as-few.json"), failing(200, "many.json")
    assert verdicts(compare(few, as_few))["failed"] == WITHIN, "20 and 30 of 100,000 is chance"
    assert verdicts(compare(few, many))["failed"] == DIFFERS
    print("ok    failures beyond chance")


def check_options(result):
    other = copy.deepcopy(result)
    other["options"].update({"rate": "7", "cc": "\x1b[2Jbbr"})
    other["valid"], other["invalid_reasons"] = False, ["the tester was late"]
    lines = compare(write(result, "a.json"), write(other, "b.json")).stdout.splitlines()
    assert lines[2] == "  options that differ", lines[:4]
    assert lines[3].split() == ["rate", "200", "7"] and lines[4].split() == ["cc", "-", "?[2Jbbr"], lines[3:5]
    assert "  B is NOT VALID" in lines and "    the tester was late" in lines and "  A is NOT VALID" not in lines
    print("ok    differing options first, then what is not valid")


def check_refusals(result):
    write(result, "good.json")
    broken = copy.deepcopy(result)
    broken["series"]["rows"][0].pop()
    nameless = {key: value for key, value in result.items() if key != "series"}
    cases = {
        ("absent.json", "good.json"): "cannot read absent.json: No such file",
        (".", "good.json"): "is no file",
        (write(broken, "broken.json"), "good.json"): "its series is no table",
        ("good.json", write(nameless, "nameless.json")): "nameless.json is no result of tern's: Object item not found: series",
        (write([], "list.json"), "good.json"): "list.json is no result of tern's: Expected object",
        ("good.json",): "here is one",
        (): "here are none",
        ("good.json",) * 3: "one too many",
        ("good.json", "good.json", "--html", "/nonexistent/page.html"): "--html: ",
    }
    for arguments, said in cases.items():
        done = compare(*arguments)
        assert done.returncode == 2 and done.stdout == "", (arguments, done.returncode, done.stdout)
        assert done.stderr.startswith("tern: ") and done.stderr.count("\n") == 1 and said in done.stderr, (arguments, done.stderr)
    print("ok    what is no result is refused in a line")


def main():
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        run = [tern, "pair", "--no-huge", "--rate", "200", "--duration", "1500ms", "--json", "run.json"]
        subprocess.run(run, check=True, capture_output=True, timeout=60)
        result = json.load(open("run.json"))
        result["valid"], result["invalid_reasons"] = True, []  # of a busy machine it may say otherwise
        check_verdicts(result)
        check_failures(result)
        check_options(result)
        check_refusals(result)


main()
