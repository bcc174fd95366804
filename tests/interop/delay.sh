#!/usr/bin/env bash
# A server that takes 20 ms for each answer, and what `tern load` says of it: its p50 of the first byte is the 20 ms, within
# 1 %, behind what the same path takes without them. Two clocks: the delay that `tern serve` was told, and the wire's, as
# dumpcap saw the SYN and the first byte of the answer pass. Server and load are on one bridge, each behind its TAP.
# Usage: delay.sh TERN tap
. "$(dirname "$0")/lib.sh"
need dumpcap tshark
device_up "$device_kind"
delay_us=20000 tolerance_us=200 # 1 %
rate=200 run_s=3 tries_max=5 server=198.18.0.3
renice -n -10 -p $$ >/dev/null # what is measured is the instrument, not who else wants the CPUs
ip -n "$kernel" link add br0 type bridge
ip -n "$kernel" link set br0 up

# The TAPs belong to the bridge and have no address: lib.sh's link_ready() calls this one.
give_addresses() { on_bridge "$link"; }
on_bridge() {
    ip -n "$kernel" link set "$1" master br0
    ip -n "$kernel" link set "$1" up
}

server_link_exists() { ip -n "$kernel" link show s0; }

# Port 80 answers at once, 81 with the delay.
server_up() {
    start "$kernel" "$tern" serve tap:s0 --ip $server/15 --lcores 0 --listen 80=http --listen "81=http,delay=${delay_us}us" \
        >"$scratch/server.log" 2>&1
    poll 10 server_link_exists || fail "no server: $(cat "$scratch/server.log")"
    on_bridge s0
}

# load_port PORT: sets $p50_us, of the first byte; counts runs that tern held up itself, and says so, in $n_invalid
load_port() {
    new_sources
    tern_start load "http://$server:$1/" --rate $rate --duration ${run_s}s --dev "$device" "${tern_net[@]}"
    link_ready
    tern_ended
    report 'r["connections"]["failed"] == {}' || fail "port $1: $(report 'r["connections"]')"
    report 'r["valid"]' || n_invalid=$((n_invalid + 1))
    p50_us=$(report 'r["latency"]["first_byte"]["percentiles_ns"]["p50"] // 1000')
}

# measure: with the delay, also on the wire; and without it, before and behind that: what disturbs only adds, so the lower
# one is the path's
measure() {
    n_invalid=0
    load_port 80
    undelayed_us=$p50_us
    link=br0 capture_start
    load_port 81
    end "$capture_pid" || fail "dumpcap: $(cat "$scratch/dumpcap.log")"
    delayed_us=$p50_us
    load_port 80
    [ $undelayed_us -lt "$p50_us" ] || undelayed_us=$p50_us
}

# wire_p50: half of the connections in the capture had their first byte in so many us from their SYN
wire_p50() {
    timeout 60 tshark -r "$scratch/wire.pcap" -Y 'tcp.port == 81' -T fields -e tcp.stream -e frame.time_epoch -e tcp.flags.syn \
        -e tcp.srcport -e tcp.len 2>/dev/null | "$python" -c 'import statistics, sys
syn, took = {}, {}
for line in sys.stdin:
    stream, at, is_syn, port, length = line.split()
    if is_syn == "1":
        syn.setdefault(stream, float(at))
    elif port == "81" and length != "0":
        took.setdefault(stream, float(at) - syn[stream])
print(round(statistics.median(took.values()) * 1e6))'
}

# near WANTED: the p50, in us, within the tolerance
near() {
    local off=$((delayed_us - $1))
    [ ${off#-} -le $tolerance_us ]
}

# A run is a proof or none; where tern calls it valid it has to be one.
server_up
for ((try = 1; ; try++)); do
    measure
    wire_us=$(wire_p50)
    ! near $((delay_us + undelayed_us)) || ! near "$wire_us" || break
    said="p50 of the first byte: $delayed_us us; $wire_us on the wire, $undelayed_us without the delay of $delay_us"
    [ $n_invalid -gt 0 ] || fail "$said"
    [ $try -lt $tries_max ] || skip "the machine is too busy, as tern said each of $tries_max times; $said"
done
ok "p50 of the first byte: $delayed_us us, of $delay_us and $undelayed_us without the delay"
ok "p50 of the first byte: $delayed_us us, $wire_us on the wire"
