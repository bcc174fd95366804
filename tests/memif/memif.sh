#!/usr/bin/env bash
# A server and a client in two processes over memif: exact counts at both, balanced books, nothing leaked. The server
# finds a socket that a killed process left behind, takes its place, and takes it away in the end.
# Usage: memif.sh TERN APP COUNT OPTIONS-OF-THE-DEVICE TARGET [ARGUMENTS of `tern load`...]
set -euo pipefail
tern=$1 app=$2 count=$3 options=$4 target=$5
shift 5
dir=$(mktemp -d)
server=
tidy_up() {
    [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true
    rm -rf "$dir"
}
trap tidy_up EXIT

python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).bind(sys.argv[1])' "$dir/sock"
verify=()
[ "$app" != stream ] || verify=(--verify)
"$tern" serve "memif:$dir/sock,server,$options" --app "$app" --port 7000 --ip 198.18.0.1/15 --ip 2001:2::1/48 \
    --json "$dir/serve.json" "${verify[@]}" >"$dir/serve.log" 2>&1 &
server=$!
for _ in $(seq 100); do
    grep -q '^ *workers' "$dir/serve.log" && break # the banner: the device is open
    sleep 0.1
done
"$tern" load "$target" --dev "memif:$dir/sock,$options" --ip 198.18.1.1/15 --ip 2001:2::1:1/48 --count "$count" \
    --duration 60s --json "$dir/load.json" "$@" >"$dir/load.log" 2>&1 || {
    tail -n 30 "$dir/load.log"
    exit 1
}
kill -INT "$server"
wait "$server" || {
    tail -n 30 "$dir/serve.log"
    exit 1
}
server=
[ ! -e "$dir/sock" ] || { echo "the socket is left behind" && exit 1; }
python3 - "$dir" "$count" "$app" "$@" <<'PY'
import json, sys
folder, count, app, rest = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:]
load, serve = (json.load(open(f"{folder}/{end}.json")) for end in ("load", "serve"))
for r in (load, serve):
    print(json.dumps({k: r[k] for k in ("connections", "cps", "retransmits", "drops", "leaks", "invalid_reasons")}))
    assert r["connections"]["established"] == r["connections"]["closed"] == count, "connections"
    assert not r["connections"]["failed"], "failed"
    assert r["books_balance"] and not any(r["leaks"].values()), "books, leaks"
client, server = load["ends"]["client"]["counters"], serve["ends"]["server"]["counters"]
assert load["ends"]["client"]["driver"] == "net_memif", "driver"
if app == "http" and not load["retransmits"] and not serve["retransmits"]:
    assert client["rx_segments"] + client["tx_segments"] == 6 * count, "six packets an exchange"
if app == "echo":
    assert load["requests"]["answered"] == count * int(rest[rest.index("--requests") + 1]), "requests"
if app == "stream":
    assert server["rx_payload_bytes"] == count * (20 << 20), "every byte, once"
assert "no_mbuf" not in load["drops"] and "tx_full" not in load["drops"], "nothing of the load's is lost"
PY
