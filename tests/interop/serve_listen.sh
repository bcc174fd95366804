#!/usr/bin/env bash
# curl and wrk as clients of a `tern serve` with many listeners: a file, chosen statuses, slow replies, a limit;
# and the books of each listener against what the clients counted.
# Usage: serve_listen.sh TERN tap
. "$(dirname "$0")/lib.sh"
need curl nc ping wrk
device_up "$device_kind"
random_file "$scratch/page.html" 1300007

# at PORT 4|6 [PATH]: its URL
at() { url "$2" "${3:-}" | sed "s|/\(${3:-}\)\$|:$1/\1|"; }

# code URL...: the status curl sees
code() { curl_ -o /dev/null -w '%{http_code}' "$@"; }

# of PORT EXPRESSION: about the books `l` of the listener on that port
of() { report "[$2 for l in r['listeners'] if l['port'] == $1][0]"; }

a_file() {
    local v want
    want=$(sum <"$scratch/page.html")
    for v in 4 6; do
        equal "IPv$v: the file" "$want" "$(curl_ "$(at 80 $v)" | sum)"
        equal "IPv$v: its type and length" "text/html; charset=utf-8 1300007" \
            "$(curl_ -I "$(at 80 $v)" | tr -d '\r' | sed -n 's/^Content-Type: //p; s/^Content-Length: //p' | paste -sd ' ')"
        seq 8 | in_kernel xargs -P 8 -I {} curl -sS --max-time 30 -o "$scratch/body.{}" "$(at 80 $v)" || fail "IPv$v: one of 8 curls"
        equal "IPv$v: the file, 8 times at a time" "8 $want" \
            "$(sha256sum "$scratch"/body.* | cut -d ' ' -f 1 | sort | uniq -c | sed 's/^ *//')"
        rm "$scratch"/body.*
    done
}

statuses() {
    local v
    for v in 4 6; do
        equal "IPv$v: 404 with a body" "404 abc" "$(code "$(at 81 $v)") $(curl_ "$(at 81 $v)")"
        equal "IPv$v: 204" 204 "$(code "$(at 89 $v)")"
        equal "IPv$v: two requests, which close" "1 1" \
            "$(curl_ -o /dev/null -w '%{num_connects} ' "$(at 81 $v)" -o /dev/null "$(at 81 $v)" | sed 's/ *$//')"
        equal "IPv$v: echo beside them" hello "$(echo hello | in_kernel nc -N -w 5 "${tern_ip[$v]}" 7)"
        equal "IPv$v: POST where any method is as GET" 200 "$(code -d x=1 "$(at 90 $v)")"
    done
}

# A reply may come later than its time, never before.
slow_replies() {
    local v s
    for v in 4 6; do
        s=$(curl_ -o /dev/null -w '%{time_pretransfer} %{time_starttransfer}' "$(at 90 $v)")
        awk '{ exit !($2 - $1 >= 0.05) }' <<<"$s" || fail "IPv$v: a reply that takes 50 ms was there before: $s"
        ok "IPv$v: no reply before its 50 ms"
    done
}

# wrk_runs PORT CONNECTIONS: wrk's count and how many were not 2xx; it may report no other trouble
wrk_runs() {
    in_kernel wrk -t 1 -c "$2" -d 2s "$(at "$1" 4)" >"$scratch/wrk" || fail "wrk: $(cat "$scratch/wrk")"
    ! grep -q 'Socket errors' "$scratch/wrk" || fail "wrk: $(cat "$scratch/wrk")"
    awk '/requests in/ { n = $1 } /Non-2xx/ { bad = $NF } END { print n + 0, bad + 0 }' "$scratch/wrk"
}

# within WHAT COUNTED OF_TERN: tern has queued replies that wrk did not wait for, at most one a connection
within() {
    [ "$3" -ge "$2" ] && [ "$3" -le $(($2 + 8)) ] || fail "$1: $2 says wrk, $3 says tern"
    ok "$1: $2 says wrk, $3 says tern"
}

serve --listen "80=http,file=$scratch/page.html" --listen 81-88=http,status=404,body=3,close --listen 89=http,status=204 \
    --listen 90=http,delay=50ms,any-method --listen 91=http,max-rate=1k,burst=10 --listen 7=echo --listen 92=http
a_file
statuses
slow_replies
read -r file_n file_bad <<<"$(wrk_runs 80 8)"
read -r limit_n limit_bad <<<"$(wrk_runs 91 8)"
read -r plain_n plain_bad <<<"$(wrk_runs 92 8)"
no_stuck_connection
serve_end
equal "wrk: replies but 200, of the file and of one byte" "0 0" "$file_bad $plain_bad"
[ "$file_n" -gt 0 ] || fail "wrk got no file"
expect "each connection is one listener's" \
    'sum(l["connections"] for l in r["listeners"]) == r["connections"]["established"]'
expect "echo: two connections" '[l["connections"] for l in r["listeners"] if l["app"] == "echo"] == [2]'
equal "404s of ports 81-88" "{'404': 8}" "$(of 81 'l["status"]')"
equal "204s" "{'204': 2}" "$(of 89 'l["status"]')"
equal "slow replies, all of them held" "4 {'200': 4}" "$(of 90 'l["held"]["replies"]') $(of 90 'l["status"]')"
report '[l["held"]["mean_s"] >= 0.05 for l in r["listeners"] if l["port"] == 90] == [True]' || fail "held for less than 50 ms"
within "replies of one byte" "$plain_n" "$(of 92 'l["status"]["200"]')"
within "refused with 503" "$limit_bad" "$(of 91 'l["status"]["503"]')"
within "passed with 200" $((limit_n - limit_bad)) "$(of 91 'l["status"]["200"]')"
[ "$limit_bad" -gt 0 ] || fail "wrk stayed below 1000 requests a second: the limit was not tried"
