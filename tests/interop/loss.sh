#!/usr/bin/env bash
# Two percent of the frames are lost in each direction; what arrives has to be whole.
# Usage: loss.sh TERN tap|af_xdp|af_packet
. "$(dirname "$0")/lib.sh"
need curl nc tc
device_up "$device_kind"
mib=$((1 << 20))
random_file "$scratch/random" $mib

make_lossy() {
    link_program ingress tc/lossy
    link_program egress tc/lossy
    tc -n "$kernel" qdisc add dev "$link" root netem delay 5ms 2>/dev/null ||
        echo "part skipped: no delay of 5 ms, this kernel has no sch_netem"
}

serve --app echo
make_lossy
for v in 4 6; do
    in_kernel nc -N -w 30 "${tern_ip[$v]}" 7 <"$scratch/random" >"$scratch/echoed" || fail "IPv$v: nc"
    equal "IPv$v: echo of 1 MiB" "$(sum <"$scratch/random")" "$(sum <"$scratch/echoed")"
done
no_stuck_connection
serve_end
expect "segments were lost and sent again" 'r["retransmits"] > 0'

serve --app http --body-bytes $mib
[[ $device != tap:* ]] || make_lossy # a new TAP is a new link
for v in 4 6; do
    equal "IPv$v: body of 1 MiB" "$(body $mib | sum)" "$(curl_ "$(url $v)" | sum)"
    equal "IPv$v: 50 connections" "50 200" "$(seq 50 | in_kernel xargs -P 10 -I {} \
        curl -sS --max-time 30 -I -o /dev/null -w '%{http_code}\n' "$(url $v)" | sort | uniq -c | sed 's/^ *//')"
done
no_stuck_connection
serve_end
