#!/usr/bin/env bash
# Goals on the command line: what a run exits with, what its result says, and what is refused.
# Usage: goals.sh TERN
set -euo pipefail
tern=$(realpath "$1")
unset TERN_CONFIG
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() {
    echo "FAIL: $*"
    tail -n 20 "$dir/out" "$dir/err"
    exit 1
}

# tern_exits STATUS WORDS...: with the JSON in $dir/result.json
tern_exits() {
    local want=$1 status=0
    shift
    rm -f "$dir/result.json"
    timeout 100 "$tern" "$@" --json "$dir/result.json" >"$dir/out" 2>"$dir/err" || status=$?
    [ "$status" = "$want" ] || fail "tern $*: exits with $status, not $want"
}

# holds EXPRESSION: about the result `r`
holds() {
    python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' \
        "$dir/result.json" "$1" || fail "not true: $1"
}

# one_line TEXT: all that is on stderr
one_line() {
    [ "$(wc -l <"$dir/err")" = 1 ] || fail 'not one line on stderr'
    grep -qF -- "$1" "$dir/err" || fail "does not say: $1"
}

tern_exits 0 pair --count 2k --no-huge --slo 'failed<1%,p99<1h' --slo 'max:close<1h'
[ ! -s "$dir/err" ] || fail 'speaks, though all is well'
grep -q '^  goal  *met$' "$dir/out" || fail 'no goal in the summary'
holds "r['slo']['met'] and [g['verdict'] for g in r['slo']['goals']] == ['met'] * 3"
holds "[g['unit'] for g in r['slo']['goals']] == ['share', 'ns', 'ns'] and r['options']['slo'][1] == 'max:close<1h'"

tern_exits 3 pair --count 2k --no-huge --slo 'failed<1%,max:connect<1ns'
one_line 'tern: the goal was not met: max:connect<1ns: '
holds "not r['slo']['met'] and [g['verdict'] for g in r['slo']['goals']] == ['met', 'missed'] and r['valid']"

tern_exits 3 pair --count 2k --no-huge --slo 'p99.9<1h'
one_line 'too few samples'
holds "r['slo']['goals'][0]['verdict'] == 'too few samples'"

# Nobody is there, so nothing is held, and the result is not valid.
tern_exits 4 load 198.18.0.1:80 --dev vdev:net_null0,no-rx=1 --ip 198.18.1.1/15 --neighbour 198.18.0.1=02:00:5e:00:00:01 \
    --scenario hold --conns 1 --duration 100ms --no-huge --slo 'retransmits<100%'
one_line 'tern: the goal cannot be judged, the result is not valid: '
holds "not r['slo']['met'] and not r['valid']"

tern_exits 0 pair --count 100 --no-huge
holds "'slo' not in r"

# refused ANSWER WORDS...
refused() {
    local answer=$1
    shift
    tern_exits 2 "$@" --no-huge
    one_line "$answer"
}
refused "--slo: 'p99' has no limit; type such as p99<2ms" pair --slo p99
refused 'begins with no known figure' pair --slo 'p101<2ms'
refused 'add --rate' pair --slo 'rate>=99%'
refused 'handshake asks for nothing' pair --slo 'p50:complete<1s'
refused 'leave --no-latency out' pair --slo 'p50<1s' --no-latency
refused "add --slo" pair --search
refused 'hold has no rate to search for' pair --search --slo 'failed<1%' --scenario hold
refused '--search-from: nothing is searched; add --search' pair --search-from 10
refused 'every step of a search settles' pair --search --slo 'failed<1%' --ramp 1s
refused 'a search ends by itself' pair --search --slo 'failed<1%' --count 10
refused '--search-from: 11 is above --rate' pair --search --slo 'failed<1%' --rate 10 --search-from 11
refused '--search-resolution: 0.01% is less than 0.1%' pair --search-resolution 0.01%
refused '--search-resolution: '\''1'\'' ends in an unknown unit' pair --search-resolution 1

# A search that is not over when its time is has no answer; nothing that nobody can meet is met.
tern_exits 4 pair --no-huge --search --slo 'failed<1%' --search-from 10 --rate 20 --duration 300ms
one_line 'the search was not over: raise --duration'
holds "r['search']['end'] == 'interrupted' and r['steps'] == []"
echo ok
