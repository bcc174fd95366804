#!/usr/bin/env bash
# Two workers, with a queue each and with one for both: every segment has to meet its owner.
# Usage: workers.sh TERN tap|af_xdp|af_packet
. "$(dirname "$0")/lib.sh"
need curl nc nginx
device_up "$device_kind"
count=3000
random_file "$scratch/random" 10485760

steering() {
    grep -q "steering .*hash over rings ($1, 2 workers)" "$scratch/tern.log" || fail "steering is not printed as expected: $1"
    ok "$(sed -n 's/^ *steering */steering: /p' "$scratch/tern.log")"
}

# What a ring hop took to its owner.
handed_over() {
    ok "handed over: $(sed -n 's/^ *handed over *//p' "$scratch/tern.log")"
    expect "what arrived had been sent" "all(e['counters']['steered_in'] <= e['counters']['steered_out'] and
        e['counters']['steered_in'] <= e['counters']['rx_segments'] for e in r['ends'].values())"
}

# served QUEUES ARGUMENTS...
served() {
    local v queues=$1
    shift
    serve --app http --workers 2 "$@"
    steering "$queues"
    for v in 4 6; do
        equal "IPv$v: body" a "$(curl_ "$(url $v)")"
        equal "IPv$v: answered connections" $count "$(clients "${tern_ip[$v]}" $count)"
    done
    no_stuck_connection
    serve_end
    expect "none failed, both workers had some" "r['connections']['failed'] == {} and
        r['connections']['closed'] == 2 * $count + 2 and r['ends']['server']['counters']['steered_in'] > 0"
    handed_over
}

# echoed ARGUMENTS...
echoed() {
    local v
    serve --app echo --workers 2 "$@"
    for v in 4 6; do
        seq 2 | in_kernel xargs -P 2 -I {} sh -c "nc -N -w 20 ${tern_ip[$v]} 7 <'$scratch/random' >'$scratch/echoed.{}'" ||
            fail "IPv$v: nc"
        equal "IPv$v: two echoes of 10 MiB" "2 $(sum <"$scratch/random")" \
            "$(sha256sum "$scratch"/echoed.* | cut -d ' ' -f 1 | sort | uniq -c | sed 's/^ *//')"
    done
    no_stuck_connection
    serve_end
}

# loaded QUEUES HOST ARGUMENTS...
loaded() {
    local queues=$1 host=$2
    shift 2
    load "http://$host/" --workers 2 --count $count --conns 64 "$@"
    steering "$queues"
    expect "$count connections to $host" \
        "r['connections'] == {'opened': $count, 'established': $count, 'closed': $count, 'failed': {}}"
    handed_over
}

nginx_start
if [ "$device_kind" = tap ]; then
    served "2 queues"
    echoed
    loaded "2 queues" "${kernel_ip[4]}"
    loaded "2 queues" "[${kernel_ip[6]}]"
fi
served "1 queue" --queues 1
echoed --queues 1
loaded "1 queue" "${kernel_ip[4]}" --queues 1
loaded "1 queue" "[${kernel_ip[6]}]" --queues 1
