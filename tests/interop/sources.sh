#!/usr/bin/env bash
# `tern load` from many addresses at nginx: its log has each of them, as often as the rounds say, and in their
# order. First behind tern, where the kernel has a route to all of them; then on the link, where the kernel
# asks for each by ARP or neighbour solicitation.
# Usage: sources.sh TERN tap|af_xdp|af_packet
. "$(dirname "$0")/lib.sh"
need nginx
prefix=([4]=21 [6]=64)
tern_net=(--ip "${tern_ip[4]}/21" --ip "${tern_ip[6]}/64")
declare -A target=([4]=http://198.18.0.1/ [6]='http://[2001:2::1]/')
declare -A behind=([4]=198.19.64.0/18 [6]=2001:2:0:1::/114)
declare -A on_link=([4]=198.18.2.0-198.18.3.63 [6]=2001:2::1:0-2001:2::1:13f) net=([4]=198.18.2.0/23 [6]=2001:2::1:0/119)
n_behind=16384 n_on_link=320 # more than are kept one by one
device_up "$device_kind"

routes_up() {
    local v
    for v in 4 6; do ip -n "$kernel" route replace "${behind[$v]}" via "${tern_ip[$v]}" dev "$link"; done
}

# load_from FAMILY LIST ARGUMENTS...: all of them end well
load_from() {
    local count
    : >"$scratch/nginx/access.log"
    tern_start load "${target[$1]}" --dev "$device" "${tern_net[@]}" --sources "$2" "${@:3}"
    link_ready
    routes_up
    tern_ended
    count=$(report 'r["connections"]["opened"]')
    expect "IPv$1: $count connections from $2, none failed" \
        "r['connections'] == {'opened': $count, 'established': $count, 'closed': $count, 'failed': {}}"
}

# log_has WHAT LIST COUNT ROUNDS in-sequence|shuffled: LIST is a prefix or a range of COUNT addresses
log_has() {
    "$python" - "$scratch/nginx/access.log" "${@:2}" <<'PY' && ok "$1" || fail "$1"
import ipaddress, sys
path, sources, n, rounds, order = sys.argv[1:]
n, rounds = int(n), int(rounds)
seen = [int(ipaddress.ip_address(line.split()[0])) for line in open(path)]
first = int(ipaddress.ip_address(sources.replace("/", "-").split("-")[0]))
if len(seen) != rounds * n:
    sys.exit(f"{len(seen)} requests in the log")
for r in range(rounds):
    one = seen[r * n:(r + 1) * n]
    if len(set(one)) != n or min(one) < first or max(one) >= first + n:
        sys.exit(f"round {r}: {len(set(one))} distinct sources of {n}")
in_sequence = seen == [first + i % n for i in range(rounds * n)]
follow = sum(b == a + 1 for a, b in zip(seen, seen[1:]))
if in_sequence != (order == "in-sequence") or (order == "shuffled" and follow > n // 8):
    sys.exit(f"{follow} of {len(seen)} follow the one before")
PY
}

from_behind() {
    local v
    for v in 4 6; do
        load_from $v "${behind[$v]}" --count $n_behind --conns 1
        log_has "IPv$v: $n_behind sources in nginx's log, in sequence" "${behind[$v]}" $n_behind 1 in-sequence
        load_from $v "${behind[$v]}" --count $((2 * n_behind)) --conns 1 --random-sources
        log_has "IPv$v: … shuffled, each once a round" "${behind[$v]}" $n_behind 2 shuffled
    done
}

# neighbours_in FAMILY: how many of tern's addresses the kernel has resolved
neighbours_in() { ip -n "$kernel" -"$1" neigh show dev "$link" to "${net[$1]}" | grep -c lladdr || true; }

from_the_link() {
    local v
    for v in 4 6; do
        load_from $v "${on_link[$v]}" --count $((3 * n_on_link)) --conns 1
        log_has "IPv$v: $n_on_link sources on the link, three rounds" "${on_link[$v]}" $n_on_link 3 in-sequence
    done
}

# Where the TAP is gone with tern, so is what the kernel knew of its neighbours.
answered() {
    local v
    [[ $device != tap:* ]] || return 0
    for v in 4 6; do equal "IPv$v: neighbours that the kernel resolved" $n_on_link "$(neighbours_in $v)"; done
}

nginx_start
from_behind
from_the_link
answered
no_stuck_connection
