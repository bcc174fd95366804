#!/usr/bin/env bash
# dpdk-dumpcap attaches to a running tern (--shared) and sees what is on the wire. DPDK shares memory
# between processes through hugepages in a hugetlbfs, which this test mounts where nobody else sees it.
# Usage: dumpcap.sh TERN tap
[ -n "${TERN_OWN_MOUNTS:-}" ] || [ "$(id -u)" != 0 ] || exec unshare --mount env TERN_OWN_MOUNTS=1 "$0" "$@"
. "$(dirname "$0")/lib.sh"
need curl tshark dpdk-dumpcap
device_up "$device_kind"

# Reserving memory is the machine's owner's business, but CI is ours: it gets the pages for as long as this runs.
enough=128 pool=/sys/kernel/mm/hugepages/hugepages-2048kB
free_pages() { cat "$pool/free_hugepages" 2>/dev/null || echo 0; }
if [ "$(free_pages)" -lt "$enough" ] && [ "${TERN_NO_SKIP:-0}" != 0 ]; then
    before=$(cat "$pool/nr_hugepages")
    trap 'echo "$before" >"$pool/nr_hugepages"; undo' EXIT
    echo $((before + 2 * enough)) >"$pool/nr_hugepages"
fi
[ "$(free_pages)" -ge "$enough" ] ||
    skip "$(free_pages) hugepages of 2 MiB are free, $enough are wanted; type: sysctl vm.nr_hugepages=$enough"
mount -t hugetlbfs none /mnt # this and what DPDK leaves in /run/dpdk go when we do
mkdir -p /run/dpdk
mount -t tmpfs none /run/dpdk
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
