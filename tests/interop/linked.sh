# shellcheck shell=bash
# A network with faults of its own between tern and the kernel, and the same one between two kernels:
#
#   $kernel k0 ==== m0 [link] t0              tap:      tern is in $middle, too
#                      [link] m1 ==== v0      af_xdp, pcap: tern is in $xdp_home
#                      [link] m2 ==== o0      kernel:   another kernel, $other, with tern's addresses
#           `==== a veth pair, all between k0 and the rest is in $middle
#
# Faults are made by link.c, on whatever kernel this is: netem is not needed. Sourced after lib.sh;
# the test has set $link_tool to link's executable.
middle=tern-$$-m xdp_home=tern-$$-t other=tern-$$-o
link=k0 link_pid='' between='' transfer_seconds=100 # of a single one, at most
declare -A far_end=([tap]=t0 [af_xdp]=m1 [pcap]=m1 [kernel]=m2)

# No packets but those of the two ends: the namespace between has no addresses at all.
quiet_namespace() {
    namespace "$1"
    ip netns exec "$1" sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1
}

network_up() {
    local ns
    [ "$(id -u)" = 0 ] || skip "not root"
    [ -c /dev/net/tun ] || skip "no /dev/net/tun"
    need ip ethtool timeout python3
    namespace "$kernel"
    namespace "$other"
    quiet_namespace "$middle"
    quiet_namespace "$xdp_home"
    veth "$kernel" k0 "$middle" m0
    veth "$xdp_home" v0 "$middle" m1
    veth "$other" o0 "$middle" m2
    # tern attaches to it, run after run, and the link stays
    ip -n "$middle" tuntap add dev t0 mode tap multi_queue
    for ns in "$kernel" "$other"; do # connections know nothing of those before
        ip netns exec "$ns" sysctl -qw net.ipv4.tcp_no_metrics_save=1
    done
}

# whole_segments NAMESPACE INTERFACE: with finished checksums
whole_segments() { ip netns exec "$1" ethtool -K "$2" tx off tso off gso off gro off >/dev/null; }

# addresses NAMESPACE INTERFACE IPV4 IPV6 MTU
addresses() {
    ip -n "$1" link set "$2" mtu "$5"
    ip -n "$1" addr replace "$3/${prefix[4]}" dev "$2"
    [ "$5" -lt 1280 ] || ip -n "$1" addr replace "$4/${prefix[6]}" dev "$2" nodad
    ip -n "$1" neigh flush dev "$2"
    whole_segments "$1" "$2"
}

# network_between KIND MTU: what stands opposite the kernel; sets $device and $home for tern
network_between() {
    between=$1
    case $1 in
    tap) home=$middle device=tap:t0 ;;
    af_xdp) home=$xdp_home device=v0 ;;
    pcap) home=$xdp_home device=vdev:net_pcap0,iface=v0 ;;
    esac
    ip -n "$middle" link set m0 mtu "$2"
    addresses "$kernel" k0 "${kernel_ip[4]}" "${kernel_ip[6]}" "$2"
    case $1 in
    tap) ip -n "$middle" link set t0 mtu "$2" up ;;
    af_xdp | pcap)
        ip -n "$middle" link set m1 mtu "$2"
        ip -n "$xdp_home" link set v0 mtu "$2"
        whole_segments "$xdp_home" v0
        ;;
    kernel)
        ip -n "$middle" link set m2 mtu "$2"
        addresses "$other" o0 "${tern_ip[4]}" "${tern_ip[6]}" "$2"
        ;;
    esac
}

# link_start OPTIONS...: of link.c; for what network_between() has set up
link_start() {
    timeout --foreground -k 2 "$transfer_seconds" ip netns exec "$middle" "$link_tool" "${far_end[$between]}" m0 "$@" \
        >"$scratch/link.log" 2>&1 &
    link_pid=$!
    jobs+=($link_pid)
    poll 5 grep -q '^ready' "$scratch/link.log" || fail "the link does not start: $(cat "$scratch/link.log")"
}

# Its counters are in $scratch/link.log then. Frames were lost only where that was asked for.
link_end() {
    end "$link_pid" || fail "link: $(cat "$scratch/link.log")"
    ! grep -E ' (overrun|refused) [1-9]' "$scratch/link.log" || fail "the link lost frames of itself"
}

# link_did FAULT: how often, both directions
link_did() { grep -oE " $1 [0-9]+" "$scratch/link.log" | awk '{ n += $2 } END { print n + 0 }'; }

# ---- transfers ----

pattern=$scratch/pattern

# peer NAMESPACE ROLE BYTES ARGUMENTS...: a kernel's end of a transfer; what it says goes to $scratch/<NAMESPACE>.json
peer() {
    timeout --foreground -k 2 "$transfer_seconds" ip netns exec "$1" "$python" "$here/peer.py" "$2" "$3" "$pattern" "${@:4}" \
        >"$scratch/$1.json" 2>"$scratch/$1.log"
}

peer_start() {
    peer "$@" &
    peer_pid=$!
    jobs+=($peer_pid)
}

# told NAMESPACE KEY
told() { sed -n "s/.*\"$2\": \"\{0,1\}\([^,\"}]*\).*/\1/p" "$scratch/$1.json"; }

# peer_whole NAMESPACE WHAT STATUS: it ended well, and what it got is what was sent
peer_whole() {
    [ "$3" = 0 ] && [ "$(told "$1" whole)" = true ] || fail "$2: $(cat "$scratch/$1.json" "$scratch/$1.log")"
}
