#!/usr/bin/env bash
# Ten thousand connections each way, one after the other and many at a time, and none may fail.
# Usage: churn.sh TERN tap|af_xdp|af_packet
. "$(dirname "$0")/lib.sh"
need nginx wrk
device_up "$device_kind"
count=10000

to_the_kernel() {
    local v host
    nginx_start
    for v in 4 6; do
        [ $v = 4 ] && host=${kernel_ip[4]} || host="[${kernel_ip[6]}]"
        : >"$scratch/nginx/access.log"
        load "http://$host/" --count $count --conns 64
        expect "IPv$v: $count connections to nginx, none failed" \
            "r['connections'] == {'opened': $count, 'established': $count, 'closed': $count, 'failed': {}}"
        equal "IPv$v: requests in nginx's log" $count "$(wc -l <"$scratch/nginx/access.log")"
    done
    no_stuck_connection
}

from_the_kernel() {
    local v
    serve --app http
    for v in 4 6; do
        equal "IPv$v: answered connections" $count "$(clients "${tern_ip[$v]}" $count)"
    done
    no_stuck_connection
    serve_end
    expect "all of them closed by FIN" \
        "r['connections'] == {'opened': 2 * $count, 'established': 2 * $count, 'closed': 2 * $count, 'failed': {}}"
}

# wrk uses all its ports several times over: TIME-WAIT in tern is met by new SYNs (RFC 6191).
wrk_clean() {
    local out
    out=$(in_kernel wrk "${@:2}") || fail "wrk: $out"
    [[ $out != *"Socket errors"* && $out != *"Non-2xx"* && $out == *"requests in"* ]] || fail "$1: $out"
    ok "$1: $(sed -n 's/^ *\(.* requests in .*\), .*/\1/p' <<<"$out")"
}

with_wrk() {
    local v
    serve --app http
    for v in 4 6; do
        wrk_clean "IPv$v: wrk, keep-alive" -t 1 -c 32 -d 3s "$(url $v)"
        wrk_clean "IPv$v: wrk, a connection a request" -t 1 -c 32 -d 1s -H 'Connection: close' "$(url $v)"
    done
    no_stuck_connection
    serve_end
}

to_the_kernel
from_the_kernel
with_wrk
