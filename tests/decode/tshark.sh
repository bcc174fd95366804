#!/usr/bin/env bash
# `tern decode` beside tshark: the kernel's own TCP on a veth pair, IPv4 and IPv6, tagged and untagged, captured
# as Ethernet and as Linux cooked frames, pcap and pcapng, whole and cut; every field that both print is compared.
# Usage: tshark.sh TERN. Needs root for its two network namespaces.
set -euo pipefail

tern=$(realpath "$1")
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
scratch=$(mktemp -d)
a=tern-$$-da b=tern-$$-db namespaces=() jobs=()

ok() { printf 'ok    %s\n' "$*"; }
fail() { printf 'FAIL  %s\n' "$*" >&2; exit 1; }
skip() {
    [ "${TERN_NO_SKIP:-0}" = 0 ] || fail "cannot run: $*"
    printf 'skipped: %s\n' "$*"
    exit 77
}
undo() {
    local status=$? pid ns
    trap - EXIT
    for pid in "${jobs[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${jobs[@]}"; do wait "$pid" 2>/dev/null || true; done
    for ns in "${namespaces[@]}"; do ip netns del "$ns" || true; done
    if [ -n "${TERN_KEEP:-}" ]; then echo "kept: $scratch" >&2; else rm -rf "$scratch"; fi
    exit "$status"
}
trap undo EXIT
trap 'exit 143' TERM INT HUP

poll() { # poll SECONDS COMMAND...
    local until=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$until" ] || return 1
        sleep 0.05
    done
}
in_ns() { timeout --foreground -k 2 60 ip netns exec "$@"; }
start() {
    timeout --foreground -k 2 100 ip netns exec "$@" &
    jobs+=($!)
}

# ---- two namespaces, a link ----

[ "$(id -u)" = 0 ] || skip "not root"
for p in ip tshark dumpcap editcap ethtool python3; do command -v $p >/dev/null || skip "the program $p is not installed"; done
for ns in $a $b; do
    ip netns add $ns 2>"$scratch/netns" || skip "no network namespace can be made: $(cat "$scratch/netns")"
    namespaces+=($ns)
    ip netns exec $ns sysctl -qw net.ipv6.conf.default.accept_dad=0
    ip -n $ns link set lo up
done
ip -n $a link add v0 type veth peer name v0 netns $b
side() { # side NAMESPACE N
    ip -n $1 link set v0 up
    ip -n $1 addr add 198.18.0.$2/24 dev v0
    ip -n $1 addr add 2001:2::$2/64 dev v0 nodad
}
side $a 1
side $b 2

# ---- traffic: an exchange each, a half-close, a refusal, an abort ----

capture() { # capture INTERFACE FILE [dumpcap options]: $dumpcap is its pid
    local interface=$1 file=$2
    shift 2
    start $a dumpcap -q -i "$interface" -w "$file" "$@" 2>"$file.log"
    dumpcap=${jobs[-1]}
    poll 20 test -s "$file" || fail "dumpcap does not begin: $(cat "$file.log")"
}
traffic() {
    local address
    start $b python3 "$here/exchange.py" serve
    poll 20 in_ns $b python3 "$here/exchange.py" ready || fail "the server does not listen"
    for address in 198.18.0.2 2001:2::2; do in_ns $a python3 "$here/exchange.py" connect $address; done
}
# The capture is written when dumpcap ends by SIGINT, which `timeout` passes on.
finish() {
    sleep 0.3 # the kernel hands over the last frames: no later than that, or they are in no file, for neither program
    kill -INT "$1"
    wait "$1" 2>/dev/null || true
}

capture v0 "$scratch/ethernet.pcapng"
ethernet=$dumpcap
capture any "$scratch/cooked.pcap" -P
cooked=$dumpcap
traffic
finish "$ethernet"
finish "$cooked"
editcap -F pcap -s 96 "$scratch/ethernet.pcapng" "$scratch/cut.pcap"
editcap -F nsecpcap "$scratch/ethernet.pcapng" "$scratch/nanoseconds.pcap"

# Not every kernel has VLAN interfaces: the tags are put into the file.
python3 "$here/tag.py" "$scratch/nanoseconds.pcap" "$scratch/tagged.pcap"

for file in ethernet.pcapng nanoseconds.pcap tagged.pcap cooked.pcap cut.pcap; do
    python3 "$here/beside_tshark.py" "$tern" "$scratch/$file" || fail "$file"
    ok "$file: the same fields as tshark"
done
"$tern" decode "$scratch/ethernet.pcapng" --detail summary --explain >"$scratch/explained"
for state in SYN-SENT SYN-RECEIVED ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 CLOSE-WAIT LAST-ACK TIME-WAIT; do
    grep -q "State: .* $state: " "$scratch/explained" || fail "nobody is ever in $state"
done
for what in 'half-closed: data flows' 'RST acknowledges the SYN' 'RST in order'; do
    grep -q "$what" "$scratch/explained" || fail "'$what' is not said"
done
! grep -q 'unknown ->' "$scratch/explained" || fail "a connection's opening was missed"
ok "states of the kernel's connections"
unfinished=$(grep -c 'has finished the checksum' "$scratch/explained") || true
[ "$unfinished" -gt 0 ] && grep -q ', .* with a checksum left to the' "$scratch/explained" ||
    fail "the kernel's unfinished checksums: $(tail -n 1 "$scratch/explained")"
# Routers and groups that a neighbour asks for are nothing to tern; all else it takes.
! grep -q 'Drop = [^:]*: [^a]' <(grep -v 'Drop = \(icmp_type\|ndp_not_mine\):' "$scratch/explained") || fail "tern would drop what the kernel sends"
ok "checksums that a veth leaves unfinished: $unfinished"
