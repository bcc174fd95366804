#!/usr/bin/env bash
# Networks with small and with large packets.
# Usage: mtu.sh TERN tap|af_packet
. "$(dirname "$0")/lib.sh"
need curl
device_up "$device_kind"
[ "$device_kind" = tap ] || device=v0 # jumbo frames are too large for AF_XDP: AF_PACKET has to take over
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
    capture_check
    equal "packets above $mtu bytes" 0 "$(wire "ip.len > $mtu || ipv6.plen > $((mtu - 40))")"
    [ "$(wire "ip.len == $mtu && $sent_by_tern")" -gt 50 ] || fail "tern does not use the MTU"
    serve_end
}

tern_net=(--ip 198.18.0.2/15)
downloads 576 4
tern_net+=(--ip 2001:2::2/48)
downloads 1280 4 6
downloads 9000 4 6
