#!/usr/bin/env bash
# `tern load` at nginx at a fixed rate, and three who count: tern, nginx's log, the kernel. They agree to the last connection,
# request, byte and segment.
# Usage: nginx_exact.sh TERN tap
. "$(dirname "$0")/lib.sh"
need nginx nstat
device_up "$device_kind"
nginx_log='$connection $status $request_length $bytes_sent $request'
rate=1000 seconds=3
counters='TcpPassiveOpens TcpInSegs TcpOutSegs TcpRetransSegs TcpInErrs TcpAttemptFails TcpEstabResets TcpOutRsts'
queue_packets=20000 # seconds of answers, should tern be kept from its CPU: nothing is lost on the way

# counted FILE: what the kernel has counted in this namespace, a name and a value a line
counted() {
    # shellcheck disable=SC2086 # names, one word each
    in_kernel nstat -asz $counters | awk '!/^#/ { print $1, $2 }' >"$1"
}

# kernel NAME: by how much a counter has grown over the run
kernel() { awk -v name="$1" '$1 == name { n = $2 - n } END { print n }' "$scratch/before" "$scratch/after"; }

# nginx_counted PATH: answers of 200 to the path, all requests, their bytes, the bytes of the answers
nginx_counted() {
    awk -v path="$1" '{ in_bytes += $3; out_bytes += $4 } $2 == 200 && $6 == path { n++ }
        END { print n + 0, NR, in_bytes + 0, out_bytes + 0 }' "$scratch/nginx/access.log"
}

# Connections on which nginx was asked something
nginx_connections() { cut -d ' ' -f 1 "$scratch/nginx/access.log" | sort -u | wc -l; }

# client NAME: a counter of tern's
client() { report "r['ends']['client']['counters']['$1']"; }

# fixed_rate URL OPTIONS...: `tern load` to its end, with the kernel's counters before and after it
fixed_rate() {
    : >"$scratch/nginx/access.log"
    new_sources
    counted "$scratch/before"
    tern_start load "$@" --rate $rate --duration ${seconds}s --dev "$device" "${tern_net[@]}"
    link_ready
    ip -n "$kernel" link set "$link" txqueuelen $queue_packets
    tern_ended
    counted "$scratch/after"
}

# agree WHAT PATH ANSWERS: all the counts of the run that is over; so many answers, says tern
agree() {
    local connections answers requests in_bytes out_bytes name
    connections=$(kernel TcpPassiveOpens)
    read -r answers requests in_bytes out_bytes <<<"$(nginx_counted "$2")"
    expect "$1: $connections connections, tern's and TcpPassiveOpens, none failed" \
        "r['connections'] == {'opened': $connections, 'established': $connections, 'closed': $connections, 'failed': {}}"
    equal "$1: answers, tern and nginx's log" "$3" "$answers"
    equal "$1: requests in the log that tern did not make" 0 $((requests - answers))
    equal "$1: bytes of requests, tern and nginx's log" "$(client tx_payload_bytes)" "$in_bytes"
    equal "$1: bytes of answers, tern and nginx's log" "$(client rx_payload_bytes)" "$out_bytes"
    for name in TcpInErrs TcpAttemptFails TcpEstabResets TcpOutRsts; do equal "$1: $name" 0 "$(kernel $name)"; done
    equal "$1: segments, tern's and TcpInSegs" "$(client tx_segments)" "$(kernel TcpInSegs)"
    agree_back "$1" "$(client rx_segments)" "$(kernel TcpOutSegs)" "$(kernel TcpRetransSegs)"
}

# agree_back WHAT TERN SENT AGAIN: what the kernel sends again it counts apart, but of a SYN-ACK, which it counts in both.
agree_back() {
    [ "$2" -ge "$3" ] && [ "$2" -le $(($3 + $4)) ] || fail "$1: segments: $2 reached tern, $3 were sent and $4 again"
    ok "$1: segments, tern's and TcpOutSegs: $2, with $4 of TcpRetransSegs"
}

# Start k of the schedule is made, whatever the machine is busy with: so many count, and not one more.
connection_each() {
    fixed_rate "http://$2/exact" --scenario http
    expect "$1: the schedule's $((rate * seconds)) starts count" \
        "r['ledger']['counted'] == {'begun': $rate * $seconds, 'ended': {'ok': $rate * $seconds}}"
    agree "$1" /exact "$(report 'r["connections"]["established"]')"
    equal "$1: connections, tern and nginx's log" "$(report 'r["connections"]["established"]')" "$(nginx_connections)"
}

kept_alive() {
    fixed_rate "http://$2/kept" --scenario http-keepalive --requests 50 --pipeline 4 --conns 8
    expect "$1: all requests are answered" 'r["requests"]["asked"] == r["requests"]["answered"] > 0'
    agree "$1" /kept "$(report 'r["requests"]["answered"]')"
}

nginx_start
for v in 4 6; do
    [ $v = 4 ] && host=${kernel_ip[4]} || host="[${kernel_ip[6]}]"
    connection_each "IPv$v: a connection a request" "$host"
    kept_alive "IPv$v: 50 requests a connection" "$host"
done
