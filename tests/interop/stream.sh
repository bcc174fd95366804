#!/usr/bin/env bash
# One connection's bulk transfer between tern and the kernel, as fast as it goes, and what iperf3 reaches
# between two kernels over a veth pair: with segments sent one by one, as tern gets and sends them, and
# with the kernel's segmentation offload, which on veth means that nothing is ever cut.
#
# Usage: stream.sh TERN tap|af_xdp|af_packet
#        stream.sh TERN report FILE: all three, long, and a Markdown table into FILE
set -euo pipefail

# The report is made of runs of this script, each in namespaces of its own.
if [ "${2:-}" = report ]; then
    : >"$3.rows"
    for kind in tap af_xdp af_packet; do ROWS=$3.rows LONG=yes bash "$0" "$1" $kind; done
    {
        echo '# One bulk transfer, as fast as it goes'
        echo
        echo "$(date -u +%Y-%m-%d), Linux $(uname -r), $(nproc) CPUs; \`tests/interop/stream.sh TERN report FILE\`."
        echo
        echo 'One connection, MTU 1500, CUBIC; the medians of three runs, least and most in brackets. MB/s of payload (10^6).'
        echo
        echo '| sender | receiver | link | MB/s |'
        echo '|---|---|---|---:|'
        cat "$3.rows"
    } >"$3"
    rm "$3.rows"
    exit 0
fi

. "$(dirname "$0")/lib.sh"
need iperf3
device_up "$device_kind"
runs=1 bytes=$((32 << 20)) seconds=1
[ -z "${LONG:-}" ] || { runs=3 bytes=$((1 << 30)) seconds=5; }
other=tern-$$-o
declare -A link_name=([tap]='TAP' [af_xdp]='veth, AF_XDP' [af_packet]='veth, AF_PACKET')

# row SENDER RECEIVER LINK MB/S...: median, least and most
row() {
    local sorted text
    mapfile -t sorted < <(printf '%s\n' "${@:4}" | sort -n)
    text=${sorted[$((${#sorted[@]} / 2))]}
    [ ${#sorted[@]} = 1 ] || text+=" (${sorted[0]}..${sorted[-1]})"
    ok "$1 to $2, $3: $text MB/s"
    [ -z "${ROWS:-}" ] || echo "| $1 | $2 | $3 | $text |" >>"$ROWS"
}

# through sink|source: one transfer, the peer's role said; prints MB/s
through() {
    local status=0 direction=up
    [ "$1" = sink ] || direction=down
    in_kernel "$python" "$here/peer.py" "$1" $bytes "$scratch/pattern" --cc cubic --blind >"$scratch/peer" 2>&1 &
    local pid=$!
    poll 5 listens_on 5001 || fail "the peer does not listen: $(cat "$scratch/peer")"
    load "${kernel_ip[4]}:5001" --scenario stream --count 1 --conns 1 --bytes $bytes --direction $direction
    wait $pid || status=$?
    [ $status = 0 ] || fail "the peer: $(cat "$scratch/peer")"
    report "r['stream']['client']['whole'] == 1" || fail "not whole: $(report 'r["stream"]')"
    sed -n 's/.*"seconds": \([0-9.]*\).*/\1/p' "$scratch/peer" | awk -v n=$bytes '{ printf "%.0f", n / $1 / 1e6 }'
}

# repeat COMMAND...: its words, as often as there are runs
repeat() { for _ in $(seq $runs); do "$@" && echo; done; }

with_tern() {
    local up down
    up=$(repeat through sink) && down=$(repeat through source)
    # shellcheck disable=SC2086 # one word a run
    row tern kernel "${link_name[$device_kind]}" $up
    # shellcheck disable=SC2086
    row kernel tern "${link_name[$device_kind]}" $down
}

# iperf: prints MB/s
iperf() {
    run "$kernel" iperf3 -s -1 -B 198.18.1.1 >/dev/null &
    local pid=$!
    poll 5 listens_on 5201 || fail "iperf3 does not listen"
    run "$other" iperf3 -c 198.18.1.1 -t $seconds -C cubic -J >"$scratch/iperf" || fail "iperf3: $(cat "$scratch/iperf")"
    wait $pid || true
    "$python" -c 'import json, sys; print(round(json.load(sys.stdin)["end"]["sum_received"]["bits_per_second"] / 8e6))' \
        <"$scratch/iperf"
}

two_kernels() {
    local state
    namespace "$other"
    veth "$kernel" i0 "$other" i1
    ip -n "$kernel" addr add 198.18.1.1/24 dev i0
    ip -n "$other" addr add 198.18.1.2/24 dev i1
    for state in off on; do
        in_kernel ethtool -K i0 tx $state tso $state gso $state gro $state >/dev/null
        run "$other" ethtool -K i1 tx $state tso $state gso $state gro $state >/dev/null
        # shellcheck disable=SC2046 # one word a run
        row kernel kernel "veth, offloads $state (iperf3)" $(repeat iperf)
    done
}

# pair: tern with itself, in memory; prints MB/s
pair() {
    timeout --foreground -k 2 60 "$tern" pair --scenario stream --conns 1 --duration ${seconds}s \
        --json "$scratch/tern.json" >"$scratch/tern.log" 2>&1 || fail "tern pair"
    report 'round(r["stream"]["bytes_per_s_mean"] / 1e6)'
}

two_terns() {
    # shellcheck disable=SC2046 # one word a run
    row tern tern "memory (\`tern pair\`)" $(repeat pair)
}

with_tern
if [ "$device_kind" = tap ]; then
    two_kernels
    two_terns
fi
