#!/usr/bin/env bash
# A memif server whose clients are killed in full run, one after the other: it lives, serves the next one, and at last a
# whole run with exact counts; its books balance and nothing is leaked.
# Each client has an address of its own: what the server still holds of the ones before is no concern of the next.
# Usage: killed.sh TERN TIMES
. "$(dirname "$0")/lib.sh"
times=$2

load=("$tern" load http://198.18.0.1:7000/ --dev "memif:$dir/sock,ring=1024" --conns 256)
"$tern" serve "memif:$dir/sock,server,ring=1024" --app http --port 7000 --ip 198.18.0.1/15 --json "$dir/serve.json" \
    >"$dir/serve.log" 2>&1 &
server=$!
until_seen '^ *workers' "$dir/serve.log" $server || fail "the server does not start" "$dir/serve.log"

for i in $(seq "$times"); do
    "${load[@]}" --ip "198.19.$i.1/15" --duration 60s >"$dir/load.log" 2>&1 &
    client=$!
    until_seen '^ time s' "$dir/load.log" $client || fail "client $i does not run" "$dir/load.log"
    sleep "0.$((i % 3 + 1))"
    kill -0 $client || fail "client $i has ended by itself" "$dir/load.log"
    kill -9 $client
    wait $client 2>/dev/null || true
    client=
    kill -0 $server 2>/dev/null || fail "the server is gone with client $i" "$dir/serve.log"
done

"${load[@]}" --ip 198.18.1.1/15 --count 2000 --duration 60s --json "$dir/load.json" >"$dir/load.log" 2>&1 ||
    fail "the last client failed" "$dir/load.log"
kill -INT $server
wait $server || fail "the server's end" "$dir/serve.log"
server=
python3 - "$dir" "$times" <<'PY'
import json, sys
folder, times = sys.argv[1], int(sys.argv[2])
load, serve = (json.load(open(f"{folder}/{end}.json")) for end in ("load", "serve"))
for r in (load, serve):
    print(json.dumps({k: r[k] for k in ("connections", "cps", "retransmits", "drops", "leaks", "invalid_reasons")}))
    assert r["books_balance"] and not any(r["leaks"].values()), "books, leaks"
assert load["connections"]["closed"] == 2000, "the last client's"
closed = serve["connections"]["closed"] - 2000
print(f"{times} clients killed, {closed} connections closed before")
assert closed > 100 * times, "under load"
PY
