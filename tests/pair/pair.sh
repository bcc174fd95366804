#!/usr/bin/env bash
# Both ends in memory: exact counts, balanced books, nothing leaked. Needs neither root nor a network.
# Usage: pair.sh TERN COUNT [ARGUMENTS of `tern pair`...]
set -euo pipefail
tern=$1 count=$2
shift 2
report=$(mktemp)
trap 'rm -f "$report"' EXIT
"$tern" pair --count "$count" --duration 100s --json "$report" "$@" >"$report.log" 2>&1 || {
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
if "--syn-cookies" in sys.argv:
    always = "always" in sys.argv
    assert server["syn_cookies_accepted"] == (count if always else 0), "cookies accepted"
    assert server["half_opened"] == (0 if always else count), "half-open entries"
PY
