#!/usr/bin/env bash
# Bulk transfer between tern and the Linux kernel over bad networks: every congestion control with every
# kind of network, MTU and state of the kernel's options; and for the report the same between two kernels.
#
# The table below is an orthogonal array: any two columns show all their 16 pairs, where all 1024 rows
# would take hours. One row has IPv4 in place of IPv6, which has no MTU of 576.
#
# Usage: matrix.sh TERN LINK [--full] [--report FILE] [--rows EGREP] [--slow-mib N] [--keep DIR]
#   --full      each way on its own, 100 MiB (less where packets are lost), kernel to kernel beside it
#   --report    and a Markdown table into FILE
#   --slow-mib  what goes over the lossy network in a full run: 100 takes half an hour (default 16)
#   --keep      each transfer's headers, tern's JSON, the peer's and the link's counters into DIR
. "$(dirname "$0")/lib.sh"
link_tool=$(realpath "$2")
shift 2
. "$here/linked.sh"

full='' report='' rows=. slow_mib=16 keep=''
while [ $# -gt 0 ]; do
    case $1 in
    --full) full=yes ;;
    --report) full=yes report=$2 && shift ;;
    --keep) keep=$(realpath "$2") && shift ;;
    --slow-mib) slow_mib=$2 && shift ;;
    --rows) rows=$2 && shift ;;
    *) fail "no such option: $1" ;;
    esac
    shift
done

# tern's cc  network    device:MTU   kernel          who opens, IPv
table='
cubic        clean      tap:1500     all             tern 4
cubic        lossy      tap:576      no-sack         kernel 4
cubic        reorder    af_xdp:3400  no-scaling      kernel 4
cubic        duplicate  pcap:9000    no-timestamps   tern 6
newreno      clean      tap:576      no-timestamps   kernel 4
newreno      lossy      tap:1500     no-scaling      tern 6
newreno      reorder    pcap:9000    no-sack         tern 4
newreno      duplicate  af_xdp:3400  all             kernel 6
bbr          clean      af_xdp:3400  no-sack         tern 6
bbr          lossy      pcap:9000    all             kernel 4
bbr          reorder    tap:1500     no-timestamps   kernel 6
bbr          duplicate  tap:576      no-scaling      tern 4
dctcp        clean      pcap:9000    no-scaling      kernel 6
dctcp        lossy      af_xdp:3400  no-timestamps   tern 4
dctcp        reorder    tap:576      all             tern 4
dctcp        duplicate  tap:1500     no-sack         kernel 4
'

# 500 Mbit/s on all, so that the network decides and not the machine. What is held back is overtaken;
# jitter by itself keeps the order. Marks are for who asks for ECN.
every_network=(--rate 500M --queue 512k --mark 64k)
declare -A network=(
    [clean]='--delay 500us'
    [lossy]='--delay 10ms --loss 1%'
    [reorder]='--delay 5ms --jitter 1ms --keep-order --reorder 2% --reorder-by 3ms'
    [duplicate]='--jitter 1ms --keep-order --duplicate 1%'
)
declare -A says=(
    [clean]='RTT 1 ms'
    [lossy]='RTT 20 ms, 1 % lost'
    [reorder]='RTT 10-12 ms, 2 % held back by up to 3 ms'
    [duplicate]='RTT 0-2 ms, 1 % twice'
)
declare -A fault=([clean]='' [lossy]=loss [reorder]=reorder [duplicate]=duplicate)
declare -A kernel_off=([all]='' [no-timestamps]=tcp_timestamps [no-sack]=tcp_sack [no-scaling]=tcp_window_scaling)
# The kernel's own, where it has it; it has no DCTCP and NewReno by another name.
declare -A kernel_cc=([cubic]=cubic [newreno]=reno [bbr]=bbr [dctcp]=cubic)

mib=$((1 << 20))
bytes_of() {
    case $full$1 in
    yeslossy) echo $((slow_mib * mib)) ;;
    yes*) echo $((100 * mib)) ;;
    lossy) echo $((mib / 2)) ;;
    *) echo $((4 * mib)) ;;
    esac
}

# kernel_options OPTION CC: of both kernels
kernel_options() {
    local ns o ecn=2
    [ "$2" != dctcp ] || ecn=1
    for ns in "$kernel" "$other"; do
        for o in tcp_timestamps tcp_sack tcp_window_scaling; do
            ip netns exec "$ns" sysctl -qw "net.ipv4.$o=$([ "${kernel_off[$1]}" = $o ] && echo 0 || echo 1)"
        done
        ip netns exec "$ns" sysctl -qw net.ipv4.tcp_ecn=$ecn
    done
}

# keep_start NAME, keep_end NAME: around a transfer
keep_start() {
    [ -n "$keep" ] || return 0
    start "$kernel" dumpcap -q -i "$link" -s 128 -P -w "$keep/${row// /_}.$1.pcap" 2>"$scratch/dumpcap.log"
    capture_pid=${jobs[-1]}
    poll 5 grep -q '^File:' "$scratch/dumpcap.log" || fail "dumpcap does not start: $(cat "$scratch/dumpcap.log")"
}
keep_end() {
    local f
    [ -n "$keep" ] || return 0
    end "$capture_pid" || fail "dumpcap: $(cat "$scratch/dumpcap.log")"
    for f in tern.json tern.log "$kernel.json" link.log; do
        [ ! -f "$scratch/$f" ] || cp "$scratch/$f" "$keep/${row// /_}.$1.${f/$kernel/peer}"
    done
}

declare -A peer_role=([to-kernel]=sink [to-tern]=source [both]=both)
# tern's --direction is as its client sees it.
declare -A direction=(
    ['tern to-kernel']=up ['tern to-tern']=down ['tern both']=both
    ['kernel to-kernel']=down ['kernel to-tern']=up ['kernel both']=both
)

# one TRANSFER: to-kernel, to-tern or both, between tern and the kernel, as the row says
one() {
    local status=0 role=${peer_role[$1]}
    local stream=(--direction "${direction[$opener $1]}" --bytes "$bytes" --verify "${tern_tcp[@]}")
    link_start "${every_network[@]}" ${network[$net]} --seed "$seed"
    keep_start "$1"
    if [ $opener = tern ]; then
        peer_start "$kernel" $role "$bytes" --cc "${kernel_cc[$cc]}"
        poll 5 listens_on 5001 || fail "$row: the peer does not listen: $(cat "$scratch/$kernel.log")"
        tern_start load "$(host "$family"):5001" --dev "$device" "${tern_net[@]}" --scenario stream \
            --count 1 --conns 1 "${stream[@]}"
        tern_ended
        wait $peer_pid || status=$?
    else
        serve --app stream "${stream[@]}"
        peer "$kernel" $role "$bytes" --cc "${kernel_cc[$cc]}" --connect "${tern_ip[$family]}" || status=$?
        no_stuck_connection >/dev/null # what it has sent may still be on its way
        serve_end
    fi
    link_end
    keep_end "$1"
    peer_whole "$kernel" "$row: $1" $status
    tern_whole "$1"
    [ -z "${fault[$net]}" ] || [ "$(link_did "${fault[$net]}")" -gt 0 ] || fail "$row: the network did nothing"
}

# host 4|6: the kernel's address as a target has it
host() { [ "$1" = 4 ] && echo "${kernel_ip[4]}" || echo "[${kernel_ip[6]}]"; }

# tern compared every byte it got, on one connection that was closed in order.
tern_whole() {
    local received=$bytes end=server
    [ "$1" != to-kernel ] || received=0
    [ $opener != tern ] || end=client
    report "r['stream']['$end']['received'] == $received and r['stream']['$end']['corrupt'] == 0 and
        r['connections'] == {'opened': 1, 'established': 1, 'closed': 1, 'failed': {}}" ||
        fail "$row: $1: tern says $(report 'r["stream"], r["connections"]')"
}

# The same between two kernels.
kernels() {
    local status=0
    network_between kernel "$mtu"
    link_start "${every_network[@]}" ${network[$net]} --seed "$seed"
    keep_start kernels
    peer_start "$kernel" sink "$bytes" --cc "${kernel_cc[$cc]}"
    poll 5 listens_on 5001 || fail "$row: the peer does not listen"
    peer "$other" source "$bytes" --cc "${kernel_cc[$cc]}" --connect "${kernel_ip[$family]}" || status=$?
    peer_whole "$other" "$row: kernel to kernel, source" $status
    wait $peer_pid || status=$?
    peer_whole "$kernel" "$row: kernel to kernel, sink" $status
    link_end
    keep_end kernels
}

# goodput: MiB a second of the transfer before
goodput() { awk -v n="$bytes" -v s="$(told "$kernel" seconds)" 'BEGIN { printf "%.1f", n / 1048576 / s }'; }

# one_row CC NETWORK DEVICE:MTU KERNEL OPENER FAMILY
one_row() {
    local row="$*" cc=$1 net=$2 mtu=${3#*:} opener=$5 family=$6 bytes up down beside
    # Buffers as large as the kernel's send buffer may grow to (tcp_wmem).
    local tern_tcp=(--cc "$cc" --mtu "$mtu" --rcv-buf 4Mi --snd-buf 4Mi --conns-max 16)
    local tern_net=(--ip "${tern_ip[4]}/${prefix[4]}")
    [ "$cc" != dctcp ] || tern_tcp+=(--ecn request)
    [ "$mtu" -lt 1280 ] || tern_net+=(--ip "${tern_ip[6]}/${prefix[6]}")
    bytes=$(bytes_of "$net")
    kernel_options "$4" "$cc"
    network_between "${3%:*}" "$mtu"
    if [ -z "$full" ]; then
        one both
        ok "$row: $((bytes / 1024)) KiB each way at once, checksums equal"
    else
        one to-kernel
        up=$(goodput)
        one to-tern
        down=$(goodput)
        kernels
        beside=$(goodput)
        ok "$row: $((bytes / mib)) MiB each way, checksums equal: $up MiB/s to the kernel, $down to tern, $beside kernel to kernel"
        echo "| $cc | $net | $mtu (${3%:*}) | $4 | $opener, IPv$family | $((bytes / mib)) | $up | $down | $beside |" >>"$scratch/report"
    fi
    no_stuck_connection >/dev/null
}

write_report() {
    local n
    {
        echo '# Interop with the Linux kernel'
        echo
        echo "$(date -u +%Y-%m-%d), Linux $(uname -r), $(nproc) CPUs; \`tests/interop/matrix.sh TERN LINK --slow-mib $slow_mib --report FILE\`."
        echo
        echo 'One connection through `tests/interop/link.c`, which joins two interfaces and does to packets what the row says:'
        echo '500 Mbit/s each way, 512 KiB of queue (drop-tail; ECN marks above 64 KiB), and'
        for n in clean lossy reorder duplicate; do echo "- $n: ${says[$n]}"; done
        echo
        echo 'Any two columns show all their pairs (but there is no IPv6 with an MTU of 576). Every transfer arrived whole: SHA-256 at the kernel, every byte compared at tern.'
        echo 'Goodput in MiB/s. Kernel to kernel: the same link and sysctls, two kernels; its `reno` beside newreno, and its'
        echo '`cubic` with ECN beside dctcp, which it does not have. The MTU of 9000 goes over libpcap, as DPDK'"'"'s TAP driver'
        echo 'ends at 1504, AF_PACKET at 1500 and AF_XDP on veth at about 3400.'
        echo
        echo '| tern'"'"'s cc | network | MTU (device) | kernel options | opened by | MiB | tern → kernel | kernel → tern | kernel → kernel |'
        echo '|---|---|---|---|---|---:|---:|---:|---:|'
        cat "$scratch/report"
    } >"$1"
}

[ -z "$full" ] || transfer_seconds=1200
tern_seconds=$transfer_seconds
network_up
seed=1
while read -r -u 3 row; do
    [ -n "$row" ] && grep -Eq -- "$rows" <<<"$row" || continue
    # shellcheck disable=SC2086 # words of the table
    one_row $row
    seed=$((seed + 1))
done 3<<<"$table"
[ -z "$report" ] || write_report "$report"
