#!/usr/bin/env bash
# The search finds the limit of a server that answers so many requests a second with 200, within 2 %. Where the machine
# kept the load from its CPU, which the search says, it is run again.
# Usage: search.sh TERN LIMIT
. "$(dirname "$0")/lib.sh"
limit=$2
tries=3

"$tern" serve "memif:$dir/sock,server,ring=1024" --listen "7000=http,max-rate=$limit" --ip 198.18.0.1/15 >"$dir/serve.log" 2>&1 &
server=$!
until_seen '^ *workers' "$dir/serve.log" $server || fail "the server does not start" "$dir/serve.log"

search() {
    timeout 100 "$tern" load http://198.18.0.1:7000/ --dev "memif:$dir/sock,ring=1024" --ip 198.18.1.1/15 --time-wait 1s \
        --search --slo 'failed<0.5%' --search-from 300 --search-step 500ms --json "$dir/load.json" >"$dir/load.log" 2>&1
}
for _ in $(seq $tries); do
    status=0
    search || status=$?
    [ $status = 4 ] && grep -q "the tester's own limit" "$dir/load.log" || break
done
[ $status = 0 ] || fail "the search exits with $status" "$dir/load.log"
python3 - "$dir/load.json" "$limit" <<'PY' || fail "not the limit" "$dir/load.log"
import json, sys
r, limit = json.load(open(sys.argv[1])), int(sys.argv[2])
found, steps = r["search"]["found_per_s"], r["steps"]
print(r["search"], [(s["rate"], s["verdict"]) for s in steps])
assert abs(found - limit) <= 0.02 * limit and r["search"]["end"] == "found", found
assert r["valid"] and r["slo"]["met"] and r["books_balance"]
assert steps[-1]["confirms"] and steps[-1]["rate"] == found and steps[-1]["steady_s"] == 1
assert abs(r["cps"] - found) <= 0.02 * found
missed = [s for s in steps if s["verdict"] == "missed"]
assert all("failed<0.5%" in s["why"] and s["ended"]["http_status"] == s["failed"] for s in missed) and len(missed) > 1
assert r["latency"]["complete"]["n"] == steps[-1]["latency"]["complete"]["n"] == found
PY
kill -INT $server
wait $server || fail "the server's end" "$dir/serve.log"
server=
