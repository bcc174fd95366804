#!/usr/bin/python3
"""The screen of a run, as a terminal shows it, and the terminal as it is left. Usage: screen.py TERN

Debian's python3: its package is the terminal.
"""
import os
import re
import signal
import tempfile
import time

import lib
from terminal import Terminal

PAIR = [lib.tern, "pair", "--no-huge"]
# A SYN that nobody answers: the run is over after a second, and waits for it.
SLOW_END = [lib.tern, "load", "http://198.18.0.1/\u009b2J", "--dev", "vdev:net_null0,no-rx=1", "--ip", "198.18.1.1/15", "--neighbour",
            "198.18.0.1=02:00:5e:00:00:01", "--conns", "1", "--duration", "1s", "--no-huge"]
PROMPT = "as-before$ "
LINE = r"^ +\d+\.\d +\d+ +\d+ "  # of a second


def is_shown(terminal):
    return terminal.rows[0].startswith("tern pair: ") and " drain " in terminal.rows[1]


def has_second(terminal):
    return is_shown(terminal) and re.search(r"^client 0 +\d+\.\d %", terminal.text, re.M) and "/s" in terminal.text


def row(terminal, start):
    found = [r for r in terminal.rows if r.startswith(start)]
    assert len(found) == 1, (start, terminal.text)
    return found[0]


def assert_left_well(terminal, status, what):
    found = terminal.end()
    assert found == status, (what, found, terminal.text)
    assert all(terminal.is_as_found()), (what, terminal.is_as_found(), terminal.bytes[-400:])
    assert not any(is_shown_row in terminal.text for is_shown_row in ("Ctrl-C ends", "░", "█")), (what, terminal.text)
    terminal.close()


def check_wide():
    terminal = Terminal([*PAIR, "--scenario", "http", "--rate", "500", "--ramp", "2s", "--duration", "1h"])
    terminal.see("the ramp", lambda t: has_second(t) and re.match(r" ramp  steady  drain  ", t.rows[1]))
    ramp = terminal.screen.buffer[1]
    assert ramp[1].reverse and not ramp[7].reverse, "the part that the run is in is marked"
    terminal.see("the steady part", lambda t: t.screen.buffer[1][7].reverse and "complete" in t.text)
    assert terminal.rows[0] == "tern pair: http over IPv4, both ends in memory", terminal.rows[0]
    assert re.search(r" [█░]+ (59:\d\d|1:00:0\d) left$", terminal.rows[1]) and len(terminal.rows[1]) == 80, terminal.rows[1]
    terminal.see("the goal", lambda t: re.search(r"^connections \d+/s of 500 \d+\.\d %", t.text, re.M))
    terminal.see("a sparkline of rates", lambda t: re.search(r"[▁▂▃▄▅▆▇█]{3}$", row(t, "connections")))
    assert row(terminal, "latency").split()[1:] == ["p50", "p90", "p99", "p99.9", "max"]
    for metric in ("connect ", "first_byte", "complete", "close"):
        assert len(re.findall(r"\d+(?:\.\d+)? (?:ns|us|ms|s\b)", row(terminal, metric))) == 5, row(terminal, metric)
    assert re.search(r"[▁▂▃▄▅▆▇█]", row(terminal, "p99 "))
    assert re.search(r"^ +\d+ arp_not_mine|^ +\d+ starts late", terminal.text, re.M), terminal.text
    row(terminal, "server 0")
    terminal.type(b"\x03")
    assert_left_well(terminal, 0, "Ctrl-C")
    assert "  books         balance" in terminal.text, "the summary is on the first screen"
    assert not re.search(LINE.encode(), terminal.bytes, re.M), "and no lines of seconds"
    lib.ok("80x24: what is shown, and Ctrl-C")


def check_narrow():
    terminal = Terminal([*PAIR, "--scenario", "echo", "--rate", "300", "--duration", "1h"], columns=40, rows=20)
    terminal.see("times", lambda t: has_second(t) and "complete" in t.text and "arp_not_mine" in t.text)
    assert terminal.rows[0] == "tern pair: echo over IPv4, both ends in", terminal.rows[0]
    assert row(terminal, "latency").split()[1:] == ["p50", "p99", "max"]
    for start in ("connections", "open ", "connect ", "close ", "p99 ", "lost and late", "workers", "client 0", "server 0"):
        row(terminal, start)
    terminal.signal(signal.SIGTERM)
    assert_left_well(terminal, 0, "SIGTERM")
    lib.ok("40x20: what is shown, and SIGTERM")


def check_resizing():
    terminal = Terminal([*PAIR, "--scenario", "echo", "--rate", "300", "--duration", "1h"])
    for columns, rows in ((80, 24), (40, 20), (100, 30), (20, 6), (5, 2), (80, 24)):
        terminal.resize(columns, rows)
        terminal.see(f"{columns}x{rows}", lambda t: t.rows[0] == "tern pair: echo over IPv4, both ends in memory"[:columns].rstrip()
                     and (columns < 40 or len(t.rows[1]) == columns and t.rows[1].endswith("left")))
        starts = [r.split()[0] for r in terminal.rows if r]
        assert starts.count("tern") == 1 and starts.count("client") <= 1, terminal.text
    terminal.signal(signal.SIGINT)
    assert_left_well(terminal, 0, "after resizing")
    lib.ok("the screen follows its size")


def check_second_interrupt():
    terminal = Terminal(SLOW_END)
    terminal.see("the drain", lambda t: t.screen.buffer[1][9].reverse and "at most" in t.rows[1])
    assert terminal.rows[0] == "tern load: http to http://198.18.0.1/?2J", terminal.rows[0]
    terminal.type(b"\x03")
    time.sleep(0.4)  # one right behind the first would be the first
    terminal.type(b"\x03")
    assert_left_well(terminal, 128 + signal.SIGINT, "a second Ctrl-C")
    assert "tern: ended without a result: interrupted again" in terminal.text
    lib.ok("a second Ctrl-C, and a target that has a control character")


def check_deaths():
    for number in (signal.SIGABRT, signal.SIGSEGV, signal.SIGQUIT):
        terminal = Terminal([*PAIR, "--rate", "100", "--duration", "1h"])
        terminal.see("the screen", is_shown)
        terminal.signal(number)
        assert_left_well(terminal, -number, number)
    lib.ok("a death by signal gives the terminal back")


def check_failed_starts():
    for arguments in (["--csv", "/nonexistent/file"], ["--prometheus", "198.18.0.1:9100"], ["--workers", "64", "--lcores", "9999"]):
        terminal = Terminal([*PAIR, *arguments])
        assert_left_well(terminal, 2, arguments)
        assert b"\x1b" not in terminal.bytes, terminal.bytes
    lib.ok("a failed start touches nothing")


def check_lines_instead():
    for what, arguments, environment in (("--plain", ["--plain"], {}), ("TERM=dumb", [], {"TERM": "dumb"}), ("no TERM", [], {"TERM": ""})):
        terminal = Terminal([*PAIR, "--rate", "100", "--duration", "1200ms", *arguments], environment=environment)
        assert_left_well(terminal, 0, what)
        assert b"\x1b" not in terminal.bytes and re.search(LINE.encode(), terminal.bytes, re.M), terminal.bytes
    lib.ok("lines where a screen is not wanted, or cannot be")


def check_ascii():
    terminal = Terminal([*PAIR, "--scenario", "echo", "--rate", "300", "--duration", "1h"], environment={"LC_ALL": "C"})
    terminal.see("a bar", lambda t: has_second(t) and re.search(r" -{40,} ", t.rows[1]))
    terminal.signal(signal.SIGINT)
    assert_left_well(terminal, 0, "in ASCII")
    before_summary = terminal.bytes[terminal.bytes.index(b"\x1b[?1049h"):terminal.bytes.rindex(b"\x1b[?1049l")]
    assert all(byte < 128 for byte in before_summary)
    lib.ok("ASCII where the locale has no more")


def check_printed_meanwhile():
    """Lines that others print while the screen is shown: seen on it, clean, and again behind it."""
    name = "red\x1b[31m.csv"
    os.mkfifo(name)
    reader = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
    terminal = Terminal([*PAIR, "--rate", "100", "--duration", "1h", "--csv", name])
    terminal.see("the screen", has_second)
    os.close(reader)
    terminal.see("the line on the screen", lambda t: is_shown(t) and "\ntern: --csv: cannot add to red?[31m.csv: Broken pipe" in t.text)
    terminal.signal(signal.SIGINT)
    assert_left_well(terminal, 0, "with something said")
    written = terminal.bytes[terminal.bytes.rindex(b"\x1b[?1049l"):]
    assert written.count(b"tern: --csv: cannot add to red?[31m.csv") == 1 and b"[31m.csv" in written
    lib.ok("what is printed meanwhile")


def check_jobs():
    """Ctrl-Z, fg and & as a shell has them."""
    environment = {"PS1": PROMPT, "HISTFILE": ""}
    terminal = Terminal(["bash", "--norc", "--noprofile", "-i"], environment=environment)
    terminal.see("the prompt", lambda t: t.rows[0] == PROMPT.rstrip())
    terminal.type(" ".join([*PAIR, "--rate 100 --duration 1h\n"]).encode())
    terminal.see("the screen", has_second)
    terminal.type(b"\x1a")
    terminal.see("the shell", lambda t: "Stopped" in t.text and not is_shown(t) and PROMPT.rstrip() in t.rows)
    terminal.type(b"fg\n")
    terminal.see("the screen again", has_second)
    terminal.type(b"\x03")
    terminal.see("the summary", lambda t: "  books         balance" in t.text)
    terminal.type(b"clear; " + " ".join([*PAIR, "--rate 100 --duration 2200ms --json job.json &\n"]).encode())
    terminal.see("lines of a job behind the shell", lambda t: re.search(LINE, t.text, re.M) and not is_shown(t))
    terminal.type(b"wait\nexit 7\n")
    assert terminal.end() == 7, terminal.text
    lib.ok("Ctrl-Z, fg, and a job in the background")


def main():
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        for check in (check_wide, check_narrow, check_resizing, check_second_interrupt, check_deaths, check_failed_starts,
                      check_lines_instead, check_ascii, check_printed_meanwhile, check_jobs):
            check()


main()
