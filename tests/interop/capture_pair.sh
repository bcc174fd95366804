#!/usr/bin/env bash
# --capture between the ends of a pair: counts that are known beforehand, bounds, a run that is
# killed, a disk that is full, and what is refused. Needs no root.
# Usage: capture_pair.sh TERN
. "$(dirname "$0")/lib.sh"
need tshark capinfos
file=$scratch/pair.pcapng

# frames [FILTER]: how many of the file's it selects
frames() { timeout 60 tshark -r "$file" "${validate[@]}" -Y "${1:-frame}" -T fields -e frame.number 2>/dev/null | wc -l; }

# pair ARGUMENTS...: to its end, captured
pair() {
    rm -f "$file"
    timeout --foreground -k 2 100 "$tern" pair --no-huge --json "$scratch/tern.json" --capture "$file" "$@" \
        >"$scratch/tern.log" 2>"$scratch/err" || fail "tern pair $*: $(cat "$scratch/err")"
    expect 'every packet taken has a fate' \
        'r["capture"]["taken"] == sum(n for k, n in r["capture"].items() if k == "written" or k.startswith("dropped"))'
    expect 'nothing leaked' 'r["books_balance"] and not any(r["leaks"].values())'
    equal 'frames in the file' "$(report 'r["capture"]["written"]')" "$(capinfos -cMrT "$file" | cut -f 2)"
}

# ---- counts ----

for v in 4 6; do
    family=() && [ $v = 4 ] || family=(-6)
    pair --scenario http --count 50 --conns 4 --body-bytes 5000 "${family[@]}"
    expect "IPv$v: all were seen" 'r["capture"]["seen"] == r["packets"]["rx"] + r["packets"]["tx"] == r["capture"]["written"]'
    equal "IPv$v: received" "$(report 'r["packets"]["rx"]')" "$(frames 'frame.packet_flags_direction == 1')"
    # Nobody sums in memory; the file shows what a device would have.
    equal "IPv$v: good checksums" "$(report 'sum(r["ends"]["client"]["counters"][k] for k in ("rx_segments", "tx_segments"))')" \
        "$(frames 'tcp.checksum.status == 1 && !(ip.checksum.status == 0)')"
done

pair --count 200 --conns 8 --capture-filter 'tcp[tcpflags] & tcp-syn != 0'
retransmits=$(report 'r["retransmits"] + r["ends"]["server"]["counters"]["retransmits"]')
[ "$retransmits" != 0 ] || equal 'SYNs of 200 connections, and their answers' 400 "$(report 'r["capture"]["taken"]')"
equal 'frames without SYN' 0 "$(frames '!(tcp.flags.syn == 1)')"

# ---- bounds ----

pair --count 2000 --workers 2 --capture-packets 100
equal 'with --capture-packets 100 and two workers' 100 "$(report 'r["capture"]["taken"]')"

pair --scenario stream --count 1 --conns 1 --bytes 1Mi --capture-snap 128
equal 'longest with --capture-snap 128' 128 \
    "$(timeout 60 tshark -r "$file" -T fields -e frame.cap_len 2>/dev/null | sort -n | tail -n 1)"
[ "$(frames 'frame.len > 1000')" -gt 0 ] && ok 'their length on the wire is kept' || fail 'no long frame'

pair --duration 300ms --workers 2 # as fast as it goes: the file's writer may well be too slow

# ---- a run that is killed ----

rm -f "$file"
"$tern" pair --no-huge --rate 500 --duration 30s --capture "$file" >"$scratch/tern.log" 2>&1 &
jobs+=($!)
has_frames() { [ "$(frames)" -ge 1000 ]; }
poll 20 has_frames || fail 'nothing is written while the run goes on'
kill -KILL "${jobs[-1]}"
wait "${jobs[-1]}" 2>/dev/null || true
"$python" - "$file" <<'PY' || fail 'blocks of a killed run'
import struct, sys
data, at, packets = open(sys.argv[1], "rb").read(), 0, 0
while at + 12 <= len(data):
    kind, n = struct.unpack_from("<II", data, at)
    if at + n > len(data):
        break
    assert n % 4 == 0 and struct.unpack_from("<I", data, at + n - 4)[0] == n, "a block that is not whole"
    packets += kind == 6
    at += n
assert packets >= 1000 and len(data) - at < 2048, (packets, len(data) - at)
PY
ok "a killed run's file has $(frames) frames, and half a block at most"

# ---- a full disk ----

# full_disk COMMAND...: with room for 32 KiB, and for 16 more once it has said that it wants some
full_disk() {
    unshare --mount "${as_root[@]}" bash -c '
        mount -t tmpfs -o size=48k tern "$1/disk" && head -c 16384 /dev/zero >"$1/disk/others" || exit 99
        "${@:2}" >"$1/tern.log" 2>"$1/err" &
        until grep -q "cannot write" "$1/err" || ! kill -0 $!; do sleep 0.02; done
        rm "$1/disk/others"
        wait $! || exit $?
        cp "$1/disk/pair.pcapng" "$1/disk.pcapng"' bash "$scratch" "$@"
}
as_root=()
[ "$(id -u)" = 0 ] || as_root=(--map-root-user)
unshare --mount "${as_root[@]}" true 2>/dev/null || skip 'no mount namespace of our own'
mkdir "$scratch/disk"
full_disk "$tern" pair --no-huge --rate 200 --duration 3s --json "$scratch/tern.json" --capture "$scratch/disk/pair.pcapng" ||
    fail "a full disk ended the run: $(cat "$scratch/err")"
file=$scratch/disk.pcapng
equal 'times a full disk is told' 1 "$(grep -c 'cannot write to .*: No space left on device; the run goes on' "$scratch/err")"
expect 'the disk and nothing else lost packets' '0 < r["capture"]["dropped_disk"] == r["capture"]["taken"] - r["capture"]["written"]'
expect 'the result says why' 'r["capture"]["disk_error"] == "No space left on device"'
[ "$(stat -c %s "$file")" -gt 36864 ] && ok 'it went on when there was room again' || fail "the file has $(stat -c %s "$file") bytes"
equal 'frames that fitted' "$(report 'r["capture"]["written"]')" "$(frames)"
timeout 60 "$tern" decode "$file" --detail summary >"$scratch/decoded" || fail "tern decode: $(tail -n 1 "$scratch/decoded")"
ok 'what fitted is whole'

status=0
full_disk_before() {
    unshare --mount "${as_root[@]}" bash -c '
        mount -t tmpfs -o size=8k tern "$1/disk" && head -c 8192 /dev/zero >"$1/disk/others" || exit 99
        "${@:2}" 2>"$1/err"' bash "$scratch" "$@"
}
full_disk_before "$tern" pair --no-huge --count 1 --capture "$scratch/disk/pair.pcapng" || status=$?
equal 'status with a disk that is full at the start' 2 $status
equal 'what is said' "tern: capture: cannot write $scratch/disk/pair.pcapng: No space left on device; type another path" \
    "$(cat "$scratch/err")"

# ---- refused, before anything starts ----

# refuses REGEX ARGUMENTS...
refuses() {
    local status=0
    timeout 20 "$tern" pair --no-huge --count 1 "${@:2}" >"$scratch/tern.log" 2>"$scratch/err" || status=$?
    equal "status of '${*:2}'" 2 $status
    [ "$(wc -l <"$scratch/err")" = 1 ] && grep -qE "$1" "$scratch/err" || fail "it said: $(cat "$scratch/err")"
    [ ! -s "$scratch/tern.log" ] || fail 'something had started'
}
mkfifo "$scratch/fifo"
refuses "capture filter 'tcp prot 80': .*syntax error; see man pcap-filter" --capture "$file" --capture-filter 'tcp prot 80'
refuses 'No such file or directory; type another path' --capture "$scratch/none/x.pcapng"
refuses 'no regular file; type another path' --capture /dev/full
refuses 'type another path' --capture "$scratch/fifo"
refuses "'-' is taken" --capture -
refuses '^tern: --capture-filter: nothing is captured; add --capture' --capture-filter tcp
refuses '^tern: --capture-packets: nothing is captured; add --capture' --capture-packets 5
refuses '128' --capture "$file" --capture-snap 10
refuses 'is no name; give 1 to 32 letters' --shared a/b
