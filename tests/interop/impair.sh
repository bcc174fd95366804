#!/usr/bin/env bash
# tern as its own bad network, the kernel at the other end: ping sees the delay, and what arrives is whole.
# Usage: impair.sh TERN tap|af_xdp|af_packet
. "$(dirname "$0")/lib.sh"
need curl ping nginx
device_up "$device_kind"
mib=$((1 << 20))

# least_rtt HOST: of five pings, in microseconds
least_rtt() { in_kernel ping -c 5 -i 0.2 -q "$1" | sed -n 's|^rtt [^=]*= \([0-9]*\)\.\([0-9]*\)/.*|\1\2|p'; }

serve --app http --impair-rx delay=20ms --impair-tx delay=30ms
for v in 4 6; do
    rtt=$(least_rtt "${tern_ip[$v]}")
    [ "$rtt" -ge 50000 ] && ok "IPv$v: ping takes 20 + 30 ms and more: $rtt us" || fail "IPv$v: ping takes $rtt us"
done
serve_end
expect "all packets were late, none was lost" 'all(d["packets"] == d["delayed"] > 0 and d["lost"] == 0
    for d in r["impairment"]["server"].values())'

serve --app http --body-bytes $mib --impair delay=1ms,jitter=1ms,loss=1%,duplicate=1%,reorder=1%,corrupt=0.5%
for v in 4 6; do
    equal "IPv$v: body of 1 MiB" "$(body $mib | sum)" "$(curl_ "$(url $v)" | sum)"
done
no_stuck_connection
serve_end
expect "segments were lost, damaged, and sent again" 'r["retransmits"] > 0 and all(d["lost"] > 0 and d["corrupted"] > 0
    for d in r["impairment"]["server"].values())'

# The last acknowledgements are under way when the load is done; they leave all the same. A new TAP is a new link.
nginx_start
load "${kernel_ip[4]}:80" --count 200 --conns 20 --impair-tx delay=200ms
equal "handshakes against nginx" 200 "$(report 'r["connections"]["closed"]')"
no_stuck_connection
