#!/usr/bin/env bash
# A router between tern and its peer, in both roles; then one whose far link is too small for our segments
# (RFC 1191, RFC 8201), and networks with small and large packets of their own.
# Usage: router.sh TERN tap|af_xdp|af_packet
. "$(dirname "$0")/lib.sh"
need curl nginx
prefix=([4]=16 [6]=64)
tern_net=(--ip "${tern_ip[4]}/16" --ip "${tern_ip[6]}/64" --gw "${kernel_ip[4]}" --gw "${kernel_ip[6]}")
device_up "$device_kind"
far=tern-$$-f far4=198.19.0.2 far6=2001:2:0:1::2
mib=$((1 << 20))
want=$(body $mib | sum)

# $kernel becomes the router; its far side is r1, and `far` is behind it.
far_side_up() {
    namespace "$far"
    veth "$kernel" r1 "$far" f0
    in_kernel sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    ip -n "$kernel" addr add 198.19.0.1/16 dev r1
    ip -n "$kernel" addr add 2001:2:0:1::1/64 dev r1 nodad
    ip -n "$far" addr add $far4/16 dev f0
    ip -n "$far" addr add $far6/64 dev f0 nodad
    ip -n "$far" route add default via 198.19.0.1
    ip -n "$far" route add default via 2001:2:0:1::1
    run "$far" ethtool -K f0 tx off tso off gso off gro off >/dev/null
    in_kernel ethtool -K r1 tso off gso off gro off >/dev/null
}

# downloads WHAT FAMILY...: 1 MiB, asked for from behind the router
downloads() {
    local v
    for v in "${@:2}"; do
        equal "IPv$v: 1 MiB $1" "$want" "$(run "$far" curl -sS --max-time 30 "$(url "$v")" | sum)"
    done
}

# router_says COUNTER: the kernel's count of the ICMP errors it sent
router_says() { in_kernel nstat -asz "$1" | awk -v name="$1" '$1 == name { print $2 }'; }

behind_a_router() {
    local v
    serve --app http --body-bytes $mib
    downloads "through a router" 4 6
    ip -n "$kernel" link set r1 mtu 1280
    downloads "through a link of 1280 bytes" 4 6
    [ "$(router_says Icmp6OutPktTooBigs)" -gt 0 ] || fail "the router never said: packet too big"
    [ "$(router_says IcmpOutDestUnreachs)" -gt 0 ] || fail "the router never said: fragmentation needed"
    ip -n "$kernel" link set r1 mtu 576
    downloads "through a link of 576 bytes" 4
    no_stuck_connection
    serve_end
    ip -n "$kernel" link set r1 mtu 1500
    ip -n "$kernel" addr replace 2001:2:0:1::1/64 dev r1 nodad # gone with the small MTU
    ip -n "$kernel" -6 route replace 2001:2:0:1::/64 dev r1
}

to_behind_a_router() {
    local target
    nginx_start "$far"
    for target in $far4 "[$far6]"; do
        load "http://$target/" --count 500 --conns 16
        expect "500 connections to $target" \
            'r["connections"] == {"opened": 500, "established": 500, "closed": 500, "failed": {}}'
    done
}

far_side_up
behind_a_router
to_behind_a_router
