#!/usr/bin/env bash
# A bad network between both ends in memory: nothing is on time that should be late, nothing is lost that
# has no name, and the books balance all the same. Usage: impair.sh TERN
set -euo pipefail
tern=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# pair NAME ARGUMENTS...: its report in $dir/NAME.json
pair() {
    local name=$1
    shift
    "$tern" pair --no-huge --duration 100s --json "$dir/$name.json" "$@" >"$dir/log" 2>&1 || {
        tail -n 40 "$dir/log"
        exit 1
    }
    grep -q '^  impairment ' "$dir/log" || [ "$name" = off ] || { echo 'the banner is silent about it'; exit 1; }
}

bad=delay=1ms,jitter=500us,loss=2%,duplicate=2%,reorder=2%,corrupt=1%
pair off --count 1000
pair delay --count 500 --conns 50 --impair delay=20ms
pair bad --count 500 --scenario echo --bytes 8Ki --requests 2 --impair $bad
pair again --count 500 --scenario echo --bytes 8Ki --requests 2 --impair $bad --impair-seed 2 --workers 2
pair one_way --count 500 --impair loss=50% --impair-rx loss=1% --impair-tx loss=0%
pair rate --count 1 --scenario stream --bytes 1Mi --verify --impair-tx rate=80M,queue=64Ki
# Fewer queues than workers: the packets of one worker pass through another's.
pair queues --count 2000 --workers 3 --queues 1 --impair $bad

python3 - "$dir" <<'PY'
import json, sys
def read(name): return json.load(open(f"{sys.argv[1]}/{name}.json"))
off, delay, bad, again, one_way, rate, queues = map(read,
    ("off", "delay", "bad", "again", "one_way", "rate", "queues"))
MS = 1_000_000

for r in (off, delay, bad, again, one_way, rate, queues):
    assert r["books_balance"] and not any(r["leaks"].values())
    c, s = r["connections"], sum(r["connections"]["failed"].values())
    assert c["opened"] == c["closed"] + s, c
assert "impairment" not in off

for way in delay["impairment"]["client"].values():
    assert way["packets"] == way["delayed"] > 0 and way["lost"] == way["hold_full"] == 0, way
    assert way["asked"] == "delay=20ms"
connect = delay["latency"]["connect"]
first = int(connect["histogram"].split(":")[0])
print("connect over 2 x 20 ms: least", first / MS, "p50", connect["percentiles_ns"]["p50"] / MS)
assert first >= 40 * MS * 0.999 # of the histogram: three digits

for r in (bad, again, queues):
    done = r["impairment"]["client"].values()
    total = {k: sum(d[k] for d in done) for k in ("packets", "lost", "duplicated", "reordered", "corrupted", "no_mbuf")}
    print(total, r["retransmits"])
    assert all(total[k] > 0 for k in total if k != "no_mbuf"), total
    assert r["drops"]["impair_loss"] == total["lost"]
    assert r["retransmits"] + r["ends"]["server"]["counters"]["retransmits"] > 0
    # On either way: nothing that was damaged is taken for good. (Damage may be doubled, too.)
    noticed = sum(n for name, n in r["drops"].items() if name.startswith("ip_") or name in ("tcp_csum", "tcp_hdr_len"))
    assert noticed + r["drops"].get("stopping", 0) >= total["corrupted"], (noticed, total)
assert bad["impairment"]["client"]["rx"]["seed"] == 1 and again["impairment"]["client"]["rx"]["seed"] == 2

rx, = one_way["impairment"]["client"].values() # sending is not impaired
assert rx["asked"] == "loss=1%" and rx["delayed"] == 0

tx, = rate["impairment"]["client"].values()
assert rate["stream"]["bytes_up"] == 1 << 20 and tx["delayed"] > 0
assert rate["duration_s"] >= (1 << 20) * 8 / 80e6
PY
echo "impairment in memory: good"
