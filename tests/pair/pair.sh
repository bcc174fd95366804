#!/usr/bin/env bash
# Both ends in memory: exact counts, balanced books, nothing leaked. Needs neither root nor a network.
# Usage: pair.sh TERN COUNT [ARGUMENTS of `tern pair`...]
set -euo pipefail
tern=$1 count=$2
shift 2
report=$(mktemp)
trap 'rm -f "$report"' EXIT
bounds=(--count "$count" --duration 100s)
case " $* " in *" hold "*) bounds=(--duration 200ms) ;; esac # opens --conns, and then holds
"$tern" pair "${bounds[@]}" --json "$report" "$@" >"$report.log" 2>&1 || {
    tail -n 40 "$report.log"
    rm -f "$report.log"
    exit 1
}
rm -f "$report.log"
python3 - "$report" "$count" "$@" <<'PY'
import json, sys
r, count = json.load(open(sys.argv[1])), int(sys.argv[2])
print(json.dumps({k: r[k] for k in ("connections", "cps", "retransmits", "drops", "leaks")}))
want = {"opened": count, "established": count, "closed": count, "failed": {}}
assert r["connections"] == want, "connections"
assert r["books_balance"], "books_balance"
assert not any(r["leaks"].values()), "leaks"
client, server = (r["ends"][end]["counters"] for end in ("client", "server"))
assert client["active_established"] == count and server["passive_established"] == count, "both ends count the same"
def option(name, otherwise):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else otherwise
if "--mix" in sys.argv:
    weights = {name: int(weight) for name, weight in (part.split(":") for part in option("--mix", "").split(","))}
    parts = r["scenarios"]
    print(json.dumps({name: parts[name]["opened"] for name in parts}))
    assert sum(part["opened"] for part in parts.values()) == count, "parts"
    workers, whole = int(option("--workers", "1")), sum(weights.values())
    for name, weight in weights.items():
        opened, ended = parts[name]["opened"], 0
        for books in (parts[name]["counted"], parts[name]["not_counted"]):
            ended += books["ended"].get("ok", 0)
        assert ended == opened, name
        assert abs(opened - count * weight / whole) <= workers * whole, "turns"
        assert count % (workers * whole) or opened * whole == count * weight, "turns, exactly"
if "--tick" in sys.argv:
    asked = r["requests"]
    assert asked["asked"] == asked["answered"] > 0 and asked["unanswered"] == 0, asked
if "hold" in sys.argv:
    held = r["held"]
    assert held["open"] == held["wanted"] == count and held["holding_s"] >= 0.1, held
if "echo" in sys.argv:
    assert r["requests"]["answered"] == count * int(option("--requests", "1")), "requests"
if "stream" in sys.argv:
    text = option("--bytes", "0")
    units = {"Ki": 10, "Mi": 20}
    each = int(text[:-2]) << units[text[-2:]] if text[-2:] in units else int(text)
    way, s = option("--direction", "up"), r["stream"]
    print(json.dumps({k: s[k] for k in ("bytes", "bytes_per_s", "client", "server")}))
    up, down = (count * each if way in (name, "both") else 0 for name in ("up", "down"))
    def books(sent, received):
        return {"sent": sent, "received": received, "whole": count, "corrupt": 0}
    assert s["direction"] == way and s["verified"] == ("--verify" in sys.argv)
    assert s["client"] == books(up, down), "the client's bytes"
    assert s["server"] == books(down, up), "the server's bytes"
    # Exact: delivered is counted once, whatever was sent again.
    assert (s["bytes_up"], s["bytes_down"], s["bytes"]) == (up, down, up + down), "bytes carried"
    assert server["rx_payload_bytes"] == up and client["rx_payload_bytes"] == down, "delivered"
# The rings hold all windows: nothing is lost in memory, and the result stands. Where a worker was kept from its CPU for so
# long that segments were sent again, those come on top.
if r["retransmits"] == 0 and server["retransmits"] == 0:
    for lost in ("tx_full", "no_mbuf"):
        assert lost not in r["drops"], lost
    late = [why for why in r["invalid_reasons"] if "behind their time" in why] # the machine's doing, not ours
    assert r["valid"] or ("--tick" in sys.argv and late == r["invalid_reasons"]), r["invalid_reasons"]
if "--syn-cookies" in sys.argv:
    always = "always" in sys.argv
    assert server["syn_cookies_accepted"] == (count if always else 0), "cookies accepted"
    assert server["half_opened"] == (0 if always else count), "half-open entries"
PY
