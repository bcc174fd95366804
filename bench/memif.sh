#!/usr/bin/env bash
# End to end over a real virtual device: `tern serve` and `tern load` in two processes, one CPU each, joined by memif.
# Prints one table: median and spread of REPS runs of SECONDS each, and what dpdk-testpmd needs for the same packets.
# Usage: bench/memif.sh TERN [JSON]     (SECONDS_EACH=5 REPS=3 RING=1024 SERVER_CPU=0 CLIENT_CPU=1 RATE=500k)
#
# Busy is the share of cycles in polls that found work, read from the server's line of each second in which the load
# ran from end to end. TIME-WAIT lasts one second, at the server, which closes first, and has a record for every
# connection: none is cut short. Nothing may fail, be lost or sent twice, and an exchange is six packets: else the
# table says so and the script fails.
set -euo pipefail
tern=$1 json=${2:-}
seconds=${SECONDS_EACH:-5} reps=${REPS:-3} ring=${RING:-1024} rate=${RATE:-500k}
server_cpu=${SERVER_CPU:-0} client_cpu=${CLIENT_CPU:-1}
ring_log2=0
while [ $((1 << ring_log2)) -lt "$ring" ]; do ring_log2=$((ring_log2 + 1)); done
room=$((2 * 1024 * 1024)) # connections, and TIME-WAIT records: more than a second brings
dir=$(mktemp -d)
server= generator=
tidy_up() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$generator" ] || kill "$generator" 2>/dev/null || true
    wait
    rm -rf "$dir"
}
trap tidy_up EXIT

die() {
    printf 'memif: %s\n' "$*" >&2
    exit 1
}

# wait_for SOCKET: until the server listens.
wait_for() {
    local i
    for i in $(seq 100); do
        [ -S "$1" ] && return
        sleep 0.1
    done
    die "no server at $1"
}

# tern_pair NAME APP [options of load]: one run; leaves NAME.load.json, NAME.serve.json and NAME.serve.log.
tern_pair() {
    local name=$1 app=$2 target=http://198.18.0.1:80/
    shift 2
    [ "$app" = http ] || target=198.18.0.1:80
    "$tern" serve "memif:$dir/sock,server,ring=$ring" --ip 198.18.0.1/15 --app "$app" --port 80 --lcores "$server_cpu" \
        --conns-max "$room" --time-wait 1s --json "$dir/$name.serve.json" >"$dir/$name.serve.log" 2>&1 &
    server=$!
    wait_for "$dir/sock"
    sleep 1 # its address is probed
    "$tern" load "$target" --dev "memif:$dir/sock,ring=$ring" --ip 198.18.1.1-198.18.1.64/15 --lcores "$client_cpu" \
        --duration "${seconds}s" --time-wait 1s --json "$dir/$name.load.json" "$@" >"$dir/$name.load.log" 2>&1 ||
        die "$(tail -n 3 "$dir/$name.load.log")"
    kill -INT "$server"
    wait "$server" || die "$(tail -n 3 "$dir/$name.serve.log")"
    server=
}

# testpmd NAME MODE CPU ROLE [options]: packets of 64 bytes, forwarded on one CPU; its main thread on the other.
testpmd() {
    local name=$1 mode=$2 cpu=$3 role=$4 other=$((server_cpu + client_cpu - $3))
    shift 4
    timeout -s INT "$((seconds + 3))" dpdk-testpmd --lcores "0@$other,1@$cpu" --no-huge -m 256 --no-pci --no-telemetry \
        --no-shconf --file-prefix="memif_$role" --log-level=error \
        --vdev="net_memif0,role=$role,socket=$dir/pmd,socket-abstract=no,rsize=$ring_log2" \
        -- --total-num-mbufs=16384 --forward-mode="$mode" --stats-period="$seconds" --record-core-cycles "$@" >"$dir/$name.log" 2>&1 </dev/null
}

testpmd_pair() {
    rm -f "$dir/pmd"
    testpmd "$1.swap" 5tswap "$server_cpu" server &
    server=$!
    wait_for "$dir/pmd"
    testpmd "$1.gen" flowgen "$client_cpu" client --txpkts=64 &
    generator=$!
    wait "$generator" "$server" || true
    server= generator=
}

for rep in $(seq "$reps"); do
    printf 'memif: round %s of %s\n' "$rep" "$reps" >&2
    tern_pair "paced.$rep" http --scenario http --rate "$rate" --conns 4096
    tern_pair "flat.$rep" http --scenario http --conns 512
    tern_pair "rr32.$rep" echo --scenario echo --bytes 64 --requests 0 --conns 32
    tern_pair "rr1024.$rep" echo --scenario echo --bytes 64 --requests 0 --conns 1024
    testpmd_pair "pmd.$rep"
done

python3 - "$dir" "$reps" "$ring" "$rate" "$json" <<'PY'
import json, re, statistics, sys
folder, reps, ring, rate, out = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5]
complaints = []

def read(name):
    with open(f"{folder}/{name}") as f:
        return f.read()

def busy_seconds(name):
    """The server's busy share, second by second, without the first and the last of the load."""
    rows = [line.split() for line in read(name).splitlines() if re.match(r"\s+\d+\.\d\s+\d", line)]
    rows = [(float(r[6]), float(r[8])) for r in rows]  # packets in, busy
    rows = [r for r in rows if r[0] > max(p for p, _ in rows) / 4]
    return [busy for _, busy in rows[1:-1]]

def check(name, load, serve):
    for end, r in (("load", load), ("serve", serve)):
        if not r["books_balance"] or r["connections"]["failed"] or any(r["leaks"].values()):
            complaints.append(f"{name}: {end}: books, failures or leaks")
    lost = {k: v for r in (load, serve) for k, v in r["drops"].items() if k in ("no_mbuf", "rx_missed")}
    lost |= {k: v for k, v in load["drops"].items() if k == "tx_full"}
    if lost or load["retransmits"] or serve["retransmits"]:
        complaints.append(f"{name}: lost {lost}, sent again {load['retransmits']} and {serve['retransmits']}")
    if serve["ends"]["server"]["counters"]["time_wait_overflow"]:
        complaints.append(f"{name}: TIME-WAITs cut short")

def tern(name, key):
    values = {"rate": [], "busy": [], "client": [], "packets": []}
    for rep in range(1, reps + 1):
        load, serve = (json.loads(read(f"{name}.{rep}.{end}.json")) for end in ("load", "serve"))
        check(f"{name} {rep}", load, serve)
        values["rate"].append(load["cps"] if key == "cps" else load["requests"]["per_s"])
        values["busy"] += busy_seconds(f"{name}.{rep}.serve.log")
        values["client"].append(100 * load["workers"][0]["busy"])
        n = load["connections"]["established"] if key == "cps" else load["requests"]["answered"]
        segments = load["ends"]["client"]["counters"]
        values["packets"].append((segments["rx_segments"] + segments["tx_segments"]) / n)
        if key == "cps" and abs(values["packets"][-1] - 6) > 0.005:
            complaints.append(f"{name} {rep}: {values['packets'][-1]:.3f} packets an exchange, not 6")
    return values

def testpmd():
    values = {"rate": [], "ns": []}
    for rep in range(1, reps + 1):
        log = read(f"pmd.{rep}.swap.log")
        cycles = re.search(r"CPU cycles/packet=([\d.]+).*at (\d+) MHz", log)
        values["rate"].append(max(int(n) for n in re.findall(r"Rx-pps:\s+(\d+)", log)))
        values["ns"].append(float(cycles[1]) * 1000 / int(cycles[2]))
    return values

def text(values, form):
    return f"{form.format(statistics.median(values))} ({form.format(min(values))} .. {form.format(max(values))})"

figures = {
    f"HTTP exchange, {rate}/s asked for": (tern("paced", "cps"), "connections/s"),
    "HTTP exchange, flat out, 512 at a time": (tern("flat", "cps"), "connections/s"),
    "64-byte request-response, 32 connections": (tern("rr32", "rps"), "requests/s"),
    "64-byte request-response, 1,024 connections": (tern("rr1024", "rps"), "requests/s"),
}
print(f"memif, rings of {ring} x 2 KiB, one core each side, {reps} runs: median (smallest .. largest)")
for what, (v, unit) in figures.items():
    cost = [busy / 100 * 1e9 / statistics.median(v["rate"]) for busy in v["busy"]]
    print(f"  {what}\n    {unit:<22}{text(v['rate'], '{:,.0f}')}")
    print(f"    {'server busy %':<22}{text(v['busy'], '{:.1f}')}, {text(cost, '{:,.0f}')} ns each")
    print(f"    {'client busy %':<22}{text(v['client'], '{:.1f}')}\n    {'packets each':<22}{text(v['packets'], '{:.3f}')}")
pmd = testpmd()
print(f"  testpmd 5tswap behind testpmd flowgen, 64 bytes\n    {'packets/s in':<22}{text(pmd['rate'], '{:,.0f}')}")
print(f"    {'ns in and out':<22}{text(pmd['ns'], '{:,.0f}')}")
if out:
    with open(out, "w") as f:
        json.dump({"ring": int(ring), "figures": {k: v for k, (v, _) in figures.items()}, "testpmd": pmd}, f, indent=2)
for c in complaints:
    print(f"NOT CLEAN: {c}")
sys.exit(1 if complaints else 0)
PY
