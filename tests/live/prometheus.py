#!/usr/bin/env python3
"""Debian's Prometheus scrapes a run, and what its API says equals the run's result. Usage: prometheus.py TERN"""
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import urllib.parse

import lib

EXPORT, API, N_HELD = ("127.0.0.1", 9100), ("127.0.0.1", 9090), 500
CONFIG = """
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: tern
    static_configs: [{targets: ["127.0.0.1:9100"]}]
"""


def get(at, path, method="GET"):
    connection = http.client.HTTPConnection(*at, timeout=5)
    with contextlib.closing(connection):
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def query(expression):
    """{name and labels: value} as Prometheus has it now; nothing while it starts."""
    with contextlib.suppress(OSError):
        status, _, text = get(API, "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        if status == 503:
            return {}
        assert status == 200, text
        return {frozenset(e["metric"].items()): float(e["value"][1]) for e in json.loads(text)["data"]["result"]}
    return {}


class Scraped:
    """All of one scrape."""

    def __init__(self):
        self.values = query('{__name__=~"tern_.+"}')

    def __call__(self, name, **labels):
        wanted = {"__name__": name, "job": "tern", "instance": "127.0.0.1:9100", **labels}
        return self.values.get(frozenset(wanted.items()))

    def all_of(self, name, label):
        return {dict(key)[label]: value for key, value in self.values.items() if dict(key)["__name__"] == name}


@contextlib.contextmanager
def started(*command, log):
    with open(log, "w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def prometheus():
    with open("prometheus.yml", "w") as out:
        out.write(CONFIG)
    return started("prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={API[0]}:{API[1]}",
                   log="prometheus.log")


def run(*arguments):
    return started(lib.tern, "pair", "--no-huge", "--prometheus", "9100", "--json", "run.json", *arguments, log="run.log")


def result_of(process):
    """End it as a user does."""
    process.send_signal(signal.SIGINT)
    assert process.wait(lib.WAIT_S) == 0, open("run.log").read()
    return json.load(open("run.json"))


def times_of(result, metric):
    """[(longest of the bucket in ns, count)] of the whole run."""
    text = result["latency"][metric]["histogram"]
    return [tuple(map(int, pair.split(":"))) for pair in text.split(",")]


def check_histogram(scraped, result):
    buckets = scraped_buckets(scraped, "connect")
    assert len(buckets) == 25 and list(buckets) == sorted(buckets), buckets
    for bound_s, n in buckets.items():
        told = sum(count for longest, count in times_of(result, "connect") if longest <= bound_s * 1e9 + 0.5)
        assert n == told, (bound_s, n, told)
    latency = result["latency"]["connect"]
    assert scraped("tern_latency_seconds_count", metric="connect") == latency["n"]
    total_s = latency["n"] * latency["mean_ns"] / 1e9
    assert abs(scraped("tern_latency_seconds_sum", metric="connect") - total_s) < 1e-6
    asked = 'histogram_quantile(0.99, tern_latency_seconds_bucket{metric="connect"})'
    (quantile_s,) = query(asked).values()
    p99_s = latency["percentiles_ns"]["p99"] / 1e9
    above = min(bound for bound in buckets if bound >= p99_s * 0.999)
    below = max([bound for bound in buckets if bound < p99_s * 0.999], default=0)
    assert below <= quantile_s <= above, (below, quantile_s, above)


def scraped_buckets(scraped, metric):
    found = {dict(key)["le"]: value for key, value in scraped.values.items()
             if dict(key)["__name__"] == "tern_latency_seconds_bucket" and dict(key)["metric"] == metric}
    return dict(sorted((float(bound), n) for bound, n in found.items()))


def check_held_run():
    """Connections that stay open: what is scraped while they do is what the result says at the end."""
    with run("--scenario", "hold", "--conns", str(N_HELD), "--duration", "1h") as tern, prometheus():
        lib.wait_for("a scrape of all connections", lambda: Scraped()("tern_connections_open") == N_HELD)
        scraped = Scraped()
        assert set(query("up").values()) == {1.0}
        result = result_of(tern)
        assert scraped("tern_connections_established_total") == result["connections"]["established"] == N_HELD
        assert scraped("tern_connections_opened_total") == result["connections"]["opened"]
        assert scraped("tern_run_info", command="pair", scenario="hold", version=result["tern"]) == 1
        for reason, n in scraped.all_of("tern_drops_total", "reason").items():
            assert n <= result["drops"].get(reason, 0), reason
        check_histogram(scraped, result)
    lib.ok("a held run: connections, histogram, quantile as in its result")


def up_to(series, elapsed_s):
    """The sums of a series' columns over its rows up to that moment, which must be the end of one."""
    rows = [dict(zip(series["columns"], row)) for row in series["rows"]]
    seen = [row for row in rows if row["time_s"] < elapsed_s + 1e-4]  # it has nine digits
    assert abs(seen[-1]["time_s"] - elapsed_s) < 1e-4, (seen[-1]["time_s"], elapsed_s)
    return {name: sum(row[name] for row in seen) for name in ("opened", "established", "closed", "failed", "late")}, seen[-1]


def check_moving_run():
    """Connections come and go: what a scrape says is what the result's seconds add up to by then."""
    with run("--scenario", "echo", "--rate", "300", "--duration", "1h") as tern, prometheus():
        lib.wait_for("three seconds", lambda: (Scraped()("tern_run_elapsed_seconds") or 0) >= 3)
        scraped = Scraped()
        result = result_of(tern)
    sums, last = up_to(result["series"], scraped("tern_run_elapsed_seconds"))
    ended = scraped.all_of("tern_connections_total", "end")
    assert scraped("tern_connections_opened_total") == sums["opened"] > 0, sums
    assert scraped("tern_connections_established_total") == sums["established"], sums
    assert ended["ok"] == sums["closed"] and sum(ended.values()) == sums["closed"] + sums["failed"], (ended, sums)
    assert scraped("tern_starts_late_total") == sums["late"], sums
    assert scraped("tern_connections_open") == last["open_now"] and scraped("tern_goal_per_second") == 300
    busy = scraped("tern_worker_busy_ratio", end="client", worker="0")
    assert abs(busy - last["busy_client_0"]) < 1e-5, (busy, last)
    assert scraped.all_of("tern_run_phase", "phase") == {"ramp": 0, "steady": 1, "drain": 0}
    lib.ok("a moving run: counters as its seconds add up")


def refused_at(count):
    """With so many silent connections, is another one turned away?"""
    with contextlib.ExitStack() as open_ones:
        for _ in range(count):
            open_ones.enter_context(socket.create_connection(EXPORT, timeout=5))
        try:
            return get(EXPORT, "/metrics")[0] != 200
        except (OSError, http.client.HTTPException):
            return True


def check_manners():
    """Text that promtool likes, one path, one method, few connections, a clear refusal."""
    with run("--rate", "100", "--duration", "1h") as tern:
        lib.wait_for("the endpoint", lambda: socket.socket().connect_ex(EXPORT) == 0)
        status, headers, text = get(EXPORT, "/metrics")
        assert status == 200 and headers["Content-Type"] == "text/plain; version=0.0.4", headers
        lint = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
        assert lint.returncode == 0 and lint.stdout + lint.stderr == "", lint
        assert get(EXPORT, "/")[0] == 404 and get(EXPORT, "/metrics/../etc/passwd")[0] == 404
        assert get(EXPORT, "/metrics", "POST")[0] == 405 and get(EXPORT, "/metrics", "HEAD")[1]["Allow"] == "GET"
        assert refused_at(16) and not refused_at(0), "there is room for 16"
        second = subprocess.run([lib.tern, "pair", "--no-huge", "--prometheus", "9100"], capture_output=True, text=True, timeout=30)
        assert second.returncode == 2 and second.stderr.count("\n") == 1, second.stderr
        assert "cannot listen on port 9100 of 127.0.0.1: Address already in use; type another port" in second.stderr
        result_of(tern)
    lib.ok("manners of the endpoint")


def main():
    lib.need("prometheus", "promtool")
    lib.enter_own_network()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for check in (check_manners, check_held_run, check_moving_run):
        with tempfile.TemporaryDirectory() as scratch:  # Prometheus, too, remembers nothing of the one before
            os.chdir(scratch)
            check()


main()
