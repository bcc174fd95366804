#!/usr/bin/env bash
# --capture against the wire: what tern's file shows is, frame by frame, what dumpcap sees at the
# kernel's end, and a filter keeps what tshark selects of that.
# Usage: capture.sh TERN tap|af_packet
. "$(dirname "$0")/lib.sh"
need curl tshark
device_up "$device_kind"
own=$scratch/own.pcapng

# frames FILE FILTER: the bytes of each frame that the display filter selects, a line each, sorted
frames() {
    timeout 60 tshark -r "$1" -Y "$2" -F pcap -w - 2>/dev/null | "$python" -c '
import struct, sys
data, at, lines = sys.stdin.buffer.read(), 24, []
while at < len(data):
    n = struct.unpack_from("<I", data, at + 8)[0]
    lines.append(data[at + 16 : at + 16 + n].hex())
    at += 16 + n
print("\n".join(sorted(lines)))'
}

# run_with ARGUMENTS...: requests over both families, seen by tern and by dumpcap
run_with() {
    local v i
    serve --body-bytes 20000 --capture "$own" "$@"
    capture_start
    for v in 4 6; do
        for i in 1 2 3; do equal "IPv$v: body $i" "$(body 20000 | sum)" "$(curl_ "$(url $v)" | sum)"; done
    done
    no_stuck_connection
    capture_end
    serve_end
    expect 'every packet was seen once' 'r["capture"]["seen"] == r["packets"]["rx"] + r["packets"]["tx"]'
    expect 'nothing was lost' 'not any(n for k, n in r["capture"].items() if k.startswith("dropped"))'
    equal 'frames in the file' "$(report 'r["capture"]["written"]')" "$(frames "$own" frame | grep -c .)"
}

# compare WHAT DISPLAY-FILTER: TCP, which begins and ends while both look on
compare() {
    frames "$scratch/wire.pcap" "tcp && ($2)" >"$scratch/there"
    frames "$own" tcp >"$scratch/here"
    [ -s "$scratch/there" ] || fail "$1: nothing to compare with"
    diff "$scratch/there" "$scratch/here" >"$scratch/diff" || fail "$1: $(grep -c . "$scratch/diff") lines differ"
    ok "$1: $(grep -c . "$scratch/here") frames, byte for byte as on the wire"
}

run_with
compare 'no filter' frame
equal 'received and sent' "$(report 'r["packets"]["rx"]')/$(report 'r["packets"]["tx"]')" \
    "$(frames "$own" 'frame.packet_flags_direction == 1' | grep -c .)/$(frames "$own" 'frame.packet_flags_direction == 2' | grep -c .)"
n=$(report 'r["capture"]["written"]')
timeout 60 "$tern" decode "$own" --detail summary >"$scratch/decoded" || fail "tern decode: $(tail -n 3 "$scratch/decoded")"
grep -q "^$n of $n frames shown" "$scratch/decoded" && ok 'tern decode reads it' || fail "$(tail -n 1 "$scratch/decoded")"

# PCAP-FILTER; DISPLAY-FILTER
while IFS=';' read -r pcap display; do
    run_with --capture-filter "$pcap"
    expect "'$pcap' took some and not all" '0 < r["capture"]["taken"] < r["capture"]["seen"]'
    compare "'$pcap'" "$display"
done <<'FILTERS'
tcp src port 80 and ip6; tcp.srcport == 80 && ipv6
tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and net 198.18.0.0/15; ip && (tcp.flags.syn == 1 || tcp.flags.fin == 1)
greater 1000; frame.len >= 1000
FILTERS
