#!/usr/bin/env bash
# A server that answers nobody for a second, and what the testers say of it: nginx is stopped (SIGSTOP) in the middle of each run.
# `tern load` with a rate asks whatever the server does, and counts from when each request was meant to be: the second is in
# the p99.9, on connections of their own as on a few that are kept. Without a rate its connections wait with the server, and
# what they did not ask was not measured: of the second there is the maximum. wrk waits, too; its 4.1 adds what it assumes
# that it would have asked at its own mean rate.
# Usage: stall.sh TERN tap [FILE for the table]
. "$(dirname "$0")/lib.sh"
need nginx wrk
device_up "$device_kind"
table=${3:-$scratch/table}
run_s=8 calm_s=3 rate=500 conns=16
tern_net=(--ip "${tern_ip[4]}/15")

now_us() { echo "${EPOCHREALTIME/./}"; }
has_asked() { [ -s "$scratch/nginx/access.log" ]; }

# stall WHO: a second in which nginx does nothing, once its requests arrive; sets $stall_us, no longer than it was.
stall() {
    local pid since
    poll 15 has_asked || fail "$1 asks for nothing"
    pid=$(cat "$scratch/nginx/pid")
    sleep $calm_s
    kill -STOP "$pid"
    since=$(now_us)
    sleep 1
    stall_us=$(($(now_us) - since))
    kill -CONT "$pid"
}

row() { printf '%-40s %9s %9s %9s %9s %9s\n' "$@" >>"$table"; }

# told WHO REQUESTS P50 P99 P99.9 MAX: in us; all have met the stall, or there is nothing to compare.
told() {
    local us ms=()
    for us in "${@:3}"; do ms+=("$((us / 1000)).$((us / 100 % 10))"); done
    row "$1" "$2" "${ms[@]}"
    [ "$6" -ge $((stall_us * 95 / 100)) ] || fail "$1: at most $6 us, in a run with a stall of $stall_us us"
}

# with_tern WHO OPTIONS...: sets $p99_us and $p999_us
with_tern() {
    local n p50 max
    : >"$scratch/nginx/access.log"
    tern_start load "http://${kernel_ip[4]}/" --duration ${run_s}s --dev "$device" "${tern_net[@]}" "${@:2}"
    link_ready
    stall "$1"
    tern_ended
    read -r n p50 p99_us p999_us max <<<"$(report "'{n} {p50} {p99} {p99_9} {max}'.format(
        n=r['latency']['complete']['n'], max=r['latency']['complete']['max_ns'] // 1000,
        **{name: ns // 1000 for name, ns in r['latency']['complete']['percentiles_ns'].items()})")"
    told "$1" "$n" "$p50" "$p99_us" "$p999_us" "$max"
}

# seen WHO OPTIONS...: in open loop the stall is in the p99.9; and since one of 8 seconds waited, the longest first, nearly all of
# it is in the p99, which a few connections that waited once each would not be
seen() {
    with_tern "$@"
    [ "$p999_us" -ge $((stall_us * 95 / 100)) ] || fail "$1: p99.9 is $p999_us us, with a stall of $stall_us us"
    [ "$p99_us" -ge $((stall_us * 85 / 100)) ] || fail "$1: p99 is $p99_us us, with a stall of $stall_us us"
    expect "$1: p99.9 $p999_us us, of a stall of $stall_us us" \
        "r['ledger']['counted']['ended'] == {'ok': r['ledger']['counted']['begun']}"
}

with_wrk() {
    cat >"$scratch/wrk.lua" <<'LUA'
done = function(summary, latency)
    io.write(string.format("told %d %d %d %d %d\n", summary.requests, latency:percentile(50), latency:percentile(99),
        latency:percentile(99.9), latency.max))
end
LUA
    : >"$scratch/nginx/access.log"
    start "$kernel" wrk -t 1 -c $conns -d ${run_s}s -s "$scratch/wrk.lua" "http://${kernel_ip[4]}/" >"$scratch/wrk"
    stall wrk
    wait "${jobs[-1]}" || fail "wrk: $(cat "$scratch/wrk")"
    # shellcheck disable=SC2046 # a word each
    told "wrk -c $conns" $(sed -n 's/^told //p' "$scratch/wrk")
}

nginx_start
row "1 s stall of nginx in ${run_s} s; times in ms" requests p50 p99 p99.9 max
seen "tern load --rate $rate" --rate $rate
seen "tern load --rate $rate, $conns kept" --rate $rate --scenario http-keepalive --requests 0 --conns $conns
with_tern "tern load without a rate, $conns kept" --scenario http-keepalive --requests 0 --conns $conns
ip -n "$kernel" addr replace "${kernel_ip[4]}/32" dev lo # tern is gone, and its interface with it
with_wrk
cat "$table"
