#!/usr/bin/env bash
# Nothing answers, for a different reason each time: the load says which, with the counters, after three seconds.
# Usage: silence.sh TERN tap
. "$(dirname "$0")/lib.sh"
prefix=([4]=16 [6]=64)
tern_net=(--ip "${tern_ip[4]}/16" --ip "${tern_ip[6]}/64")
device_up "$device_kind"
target4=${kernel_ip[4]}:80 target6="[${kernel_ip[6]}]:80"

# says CAUSE WORDS TARGET [ARGUMENTS...]: within a run of four seconds
says() {
    local cause=$1 words=$2
    shift 2
    load "$@" --scenario handshake --rate 50 --duration 4s
    expect "$cause: told in the result" "r['diagnosis']['cause'] == '$cause' and r['connections']['established'] == 0"
    expect "$cause: what shows it" "'$words' in r['diagnosis']['evidence']"
    report "r['diagnosis']['evidence'] + '; ' + r['diagnosis']['advice']"
    [ "$(grep -c "^  nothing answers: $cause: " "$scratch/tern.log")" = 2 ] || fail "$cause: not told while it ran, and in the summary"
    sed '/nothing answers/q' "$scratch/tern.log" | grep -q '^ *3\.0 ' || fail "$cause: told before the third second"
}

# TCP over IPv4, on its way in. In classic BPF: the kernel of a container may have no other filter.
drops_tcp() {
    tc -n "$kernel" qdisc replace dev "$link" clsact 2>"$scratch/tc" &&
        tc -n "$kernel" filter add dev "$link" ingress bpf direct-action \
            bytecode '4,48 0 0 23,21 0 1 6,6 0 0 2,6 0 0 0' 2>"$scratch/tc" || skip "no filter: $(tail -n 1 "$scratch/tc")"
}

# link_ready() of lib.sh, and then what this case needs of the kernel's end, which is another each time tern makes it
eval "$(declare -f link_ready | sed '1s/link_ready/link_is_ready/')"
prepare=true
link_ready() {
    link_is_ready
    $prepare
}

says neighbour '198.18.0.77 does not answer ARP' 198.18.0.77:80
says neighbour '2001:2::77 does not answer NDP' '[2001:2::77]:80'
says rst 'answers with RST' "$target4"
says rst 'answers with RST' "$target6"
prepare=drops_tcp
says silence '0 TCP segments came back' "$target4"
no_way() {
    in_kernel sysctl -qw net.ipv4.ip_forward=1
    ip -n "$kernel" route replace unreachable 198.19.0.0/16
}
prepare=no_way
says icmp 'ICMP errors about our SYNs' 198.19.0.1:80 --gw "${kernel_ip[4]}"
link_down() { ip -n "$kernel" link set "$link" down; }
prepare=link_down
says link 'is down' "$target4"
prepare=true
nobody_is_blamed() { report "'diagnosis' not in r"; }
start "$kernel" "$python" -m http.server 80
poll 5 listens_on 80 || fail "no server"
load "$target4" --scenario handshake --rate 50 --duration 4s
nobody_is_blamed && ok 'where something answers, nothing is explained'
