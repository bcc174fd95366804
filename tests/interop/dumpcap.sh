#!/usr/bin/env bash
# dpdk-dumpcap attaches to a running tern (--shared) and sees what is on the wire. DPDK shares memory
# between processes through hugepages in a hugetlbfs, which this test mounts where nobody else sees it.
# Usage: dumpcap.sh TERN tap
[ -n "${TERN_OWN_MOUNTS:-}" ] || [ "$(id -u)" != 0 ] || exec unshare --mount env TERN_OWN_MOUNTS=1 "$0" "$@"
. "$(dirname "$0")/lib.sh"
need curl tshark dpdk-dumpcap
device_up "$device_kind"

# Not a failure in CI either: reserving memory is the machine's owner's business.
pages=$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages 2>/dev/null || echo 0)
[ "$pages" -ge 128 ] || {
    echo "skipped: $pages hugepages of 2 MiB are free, 128 are wanted; type: sysctl vm.nr_hugepages=128"
    exit 77
}
mount -t hugetlbfs none /mnt # goes when we do
name=tern-$$

# attach: dpdk-dumpcap, until it is told to stop
attach() {
    rm -f "$scratch/dump.pcapng"
    timeout --foreground 60 dpdk-dumpcap --file-prefix="$name" -i 0 -w "$scratch/dump.pcapng" >"$scratch/attached" 2>&1 &
    jobs+=($!)
    attached=$!
    poll 10 grep -q 'Packets captured' "$scratch/attached" || fail "dpdk-dumpcap does not attach: $(cat "$scratch/attached")"
}

# tcp FILE: the TCP frames of a file, as their bytes, sorted
tcp() { timeout 60 tshark -r "$1" -Y tcp -T jsonraw 2>/dev/null | sed -n '/"frame_raw"/{n;p}' | sort; }

for round in first second; do # the name is free again when a run is over
    serve --body-bytes 20000 --shared "$name" --conns-max 4096
    grep -q hugepages "$scratch/tern.log" || fail 'tern does not run on hugepages'
    capture_start
    attach
    for v in 4 6; do equal "IPv$v: body" "$(body 20000 | sum)" "$(curl_ "$(url $v)" | sum)"; done
    no_stuck_connection
    capture_end
    kill -INT "$attached"
    wait "$attached" || fail "dpdk-dumpcap: $(cat "$scratch/attached")"
    serve_end
    [ "$(tcp "$scratch/wire.pcap" | grep -c .)" -gt 20 ] || fail 'nothing to compare with'
    diff <(tcp "$scratch/wire.pcap") <(tcp "$scratch/dump.pcapng") >"$scratch/diff" ||
        fail "dpdk-dumpcap sees otherwise: $(grep -c . "$scratch/diff") lines differ"
    ok "$round run: dpdk-dumpcap has the $(tcp "$scratch/dump.pcapng" | grep -c .) TCP frames of the wire"
done
