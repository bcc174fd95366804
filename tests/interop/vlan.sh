#!/usr/bin/env bash
# tern --vlan 100 against a tagged Linux: a VLAN interface where the kernel has 802.1Q, else a program
# that tags and untags on the kernel's end.
# Usage: vlan.sh TERN tap|af_xdp|af_packet
. "$(dirname "$0")/lib.sh"
need curl
device_up "$device_kind"
mib=$((1 << 20))

# In front of every packet of the kernel's, and none of it is left to the receiving interface to do.
tagged_link() {
    local v
    in_kernel ethtool -K "$link" rxvlan off txvlan off >/dev/null 2>&1 || true
    if ip -n "$kernel" link add link "$link" name "$link.100" type vlan id 100 2>/dev/null; then
        for v in 4 6; do ip -n "$kernel" addr del "${kernel_ip[$v]}/${prefix[$v]}" dev "$link"; done
        ip -n "$kernel" link set "$link.100" up
        for v in 4 6; do ip -n "$kernel" addr add "${kernel_ip[$v]}/${prefix[$v]}" dev "$link.100"; done
    else
        link_program ingress tc/untag
        link_program egress tc/tag
    fi
}

[[ $device == tap:* ]] || tagged_link
tern_start serve "$device" "${tern_net[@]}" --vlan 100 --body-bytes $mib
link_ready
[[ $device != tap:* ]] || tagged_link
for v in 4 6; do poll 10 answers "${tern_ip[$v]}" || fail "tern does not answer ping of ${tern_ip[$v]}"; done
capture_start
for v in 4 6; do equal "IPv$v: 1 MiB" "$(body $mib | sum)" "$(curl_ "$(url $v)" | sum)"; done
no_stuck_connection
capture_end
capture_check
equal "frames of tern's without the tag" 0 "$(wire "$sent_by_tern && !(vlan.id == 100)")"
serve_end
