#!/usr/bin/env bash
# ARP and NDP: the peer forgets us, moves to another MAC, claims our address, has it before we start.
# Usage: neighbours.sh TERN tap|af_xdp|af_packet
. "$(dirname "$0")/lib.sh"
need curl nc
device_up "$device_kind"
bytes=$((8 << 20))
want=$(body $bytes | sum)

# while_downloading EVENT...: happens in the middle of a download over each family, which must arrive.
while_downloading() {
    local v pids=()
    for v in 4 6; do
        in_kernel curl -sS --max-time 50 --limit-rate 4M -o "$scratch/body.$v" "$(url $v)" &
        pids[v]=$!
    done
    for v in 4 6; do poll 5 test -s "$scratch/body.$v" || fail "IPv$v: the download does not begin"; done
    "$@"
    for v in 4 6; do
        wait "${pids[v]}" || fail "IPv$v: the download broke off"
        equal "IPv$v: $1 in the middle of a download" "$want" "$(sum <"$scratch/body.$v")"
    done
    rm "$scratch"/body.*
}

neighbours_forgotten() { ip -n "$kernel" neigh flush dev "$link"; }

mac_changed() { ip -n "$kernel" link set "$link" address 02:00:00:00:00:7e; }

# The kernel probes an IPv6 address before it uses it; tern says that it is taken.
address_claimed() {
    in_kernel sysctl -qw "net.ipv6.conf.$link.accept_dad=1"
    ip -n "$kernel" addr add "${tern_ip[6]}/${prefix[6]}" dev "$link"
    poll 5 is_refused || fail "the kernel took tern's address: $(ip -n "$kernel" -6 addr show dev "$link")"
    ip -n "$kernel" addr del "${tern_ip[6]}/${prefix[6]}" dev "$link"
}
is_refused() { [ -n "$(ip -n "$kernel" -6 addr show dev "$link" dadfailed)" ]; }

# refuses_to_start 4|6: the kernel has the address already
refuses_to_start() {
    local status=0
    ip -n "$kernel" addr add "${tern_ip[$1]}/${prefix[$1]}" dev "$link" nodad 2>/dev/null
    tern_seconds=10 tern_start serve "$device" "${tern_net[@]}"
    wait "$tern_pid" || status=$?
    tern_pid=''
    [ $status != 0 ] || fail "IPv$1: tern runs with an address that is taken"
    grep -q "^tern: .*${tern_ip[$1]}.*$mac" "$scratch/tern.log" || fail "IPv$1: tern does not name address and owner"
    ok "IPv$1: $(tail -n 1 "$scratch/tern.log")"
    ip -n "$kernel" addr del "${tern_ip[$1]}/${prefix[$1]}" dev "$link"
}

serve --app http --body-bytes $bytes
while_downloading neighbours_forgotten
while_downloading mac_changed
while_downloading address_claimed
no_stuck_connection
serve_end

if [[ $device != tap:* ]]; then # a TAP has no other station before tern has made it
    mac=$(in_kernel cat "/sys/class/net/$link/address")
    refuses_to_start 4
    refuses_to_start 6
fi
