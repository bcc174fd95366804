#!/usr/bin/env bash
# Networks with small and with large packets.
# Usage: mtu.sh TERN tap|af_xdp|af_packet
. "$(dirname "$0")/lib.sh"
need curl
device_up "$device_kind"
declare -A largest=([tap]=1504 [af_xdp]=3000 [af_packet]=1500) # what DPDK's drivers take, or nearly
mib=$((1 << 20))
want=$(body $mib | sum)

# On a TAP, tern itself sets the MTU.
set_mtu() {
    [ "$device_kind" != tap ] || return 0
    ip -n "$home" link set v0 mtu "$1"
    ip -n "$kernel" link set "$link" mtu "$1"
    give_addresses # the kernel takes IPv6 from an interface below 1280 bytes
}

# downloads MTU FAMILY...
downloads() {
    local v mtu=$1
    shift
    set_mtu "$mtu"
    serve --app http --body-bytes $mib --mtu "$mtu"
    capture_start
    for v in "$@"; do equal "MTU $mtu: IPv$v: 1 MiB" "$want" "$(curl_ "$(url "$v")" | sum)"; done
    no_stuck_connection
    capture_end
    equal "packets above $mtu bytes" 0 "$(wire "ip.len > $mtu || ipv6.plen > $((mtu - 40))")"
    [ "$(wire "ip.len == $mtu && $sent_by_tern")" -gt 50 ] || fail "tern does not use the MTU"
    serve_end
}

# What the driver cannot do is said, with the number that it can.
too_large() {
    local status=0
    tern_seconds=10 tern_start serve "$device" "${tern_net[@]}" --mtu 9000
    wait "$tern_pid" || status=$?
    tern_pid=''
    [ $status != 0 ] && grep -q '^tern: .* MTU of 9000 .*type: --mtu [0-9]' "$scratch/tern.log" || fail "MTU 9000: not refused in one line"
    ok "MTU 9000: $(tail -n 1 "$scratch/tern.log")"
}

# The kernel gives AF_XDP no interface with large packets, however short ours are: AF_PACKET steps in, and leaks nothing.
falls_back() {
    local status=0
    [ "$device_kind" = af_xdp ] || return 0
    tern_seconds=10 tern_start serve "$device" "${tern_net[@]}"
    for _ in $(seq 50); do
        grep -q '^ *time s' "$scratch/tern.log" && break
        sleep 0.1
    done
    kill -TERM "$tern_pid"
    wait "$tern_pid" || status=$?
    tern_pid=''
    equal "interface with an MTU of 9000: the end" 0 $status
    grep -q 'AF_PACKET, as AF_XDP failed: .*; type: ip link set v0 mtu [0-9]' "$scratch/tern.log" || fail "AF_XDP: no word of what to type"
}

tern_net=(--ip 198.18.0.2/15)
downloads 576 4
tern_net+=(--ip 2001:2::2/48)
downloads 1280 4 6
downloads "${largest[$device_kind]}" 4 6
set_mtu 9000
too_large
falls_back
