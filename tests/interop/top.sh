#!/usr/bin/env bash
# `tern top` beside the kernel's own `ss -ti`: connections that the kernel opened to `tern serve`, seen from both
# ends; filtered; looked at again and again; among several processes.
# Usage: top.sh TERN tap
. "$(dirname "$0")/lib.sh"
need curl ss
device_up "$device_kind"
export RUNTIME_DIRECTORY=$scratch/run
mkdir "$RUNTIME_DIRECTORY"

top() { "$tern" top "$@"; }

# hold HOST PORT [BYTES]: a connection of the kernel's that sends so many and reads nothing, until it is ended
hold() {
    start "$kernel" "$python" -c '
import socket, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
s.sendall(b"x" * int(sys.argv[3]))
time.sleep(140)' "$1" "$2" "${3:-0}"
}

# The connections as tern says it: state, own end, other end, of window scales the one that each announces
ours() { top "$@" | awk 'NR > 1 && /^[A-Z]/ { c = $1 " " $4 " " $5 } /wscale/ { print c, scales($0) }
    function scales(s) { match(s, /wscale:[0-9,]*/); split(substr(s, RSTART + 7, RLENGTH - 7), w, ","); return w[2] " " w[1] }' | sort; }

# … as the kernel does, turned round
theirs() { in_kernel ss -Htin state connected exclude time-wait "$@" | paste - - | awk '{ print $1, $5, $4, scales($0) }
    function scales(s) { match(s, /wscale:[0-9,]*/); split(substr(s, RSTART + 7, RLENGTH - 7), w, ","); return w[1] " " w[2] }' | sort; }

same() { [ "$(ours)" = "$(theirs)" ] && [ "$(ours | wc -l)" = "$1" ]; }

# agree WHAT EXPECTED-CONNECTIONS TOP'S-OPTIONS -- SS'S-FILTER...
agree() {
    local what=$1 n=$2 options=()
    shift 2
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    [ "$(ours "${options[@]}")" = "$(theirs "$@")" ] || fail "$what: tern says $(ours "${options[@]}"); the kernel $(theirs "$@")"
    equal "$what: as ss says, connections" "$n" "$(ours "${options[@]}" | wc -l)"
}

beside_ss() {
    local v
    for v in 4 4 6; do hold "${tern_ip[$v]}" 7 1000; done
    hold "${tern_ip[4]}" 19
    poll 10 same 4 || fail "tern says $(top); the kernel $(in_kernel ss -Htin)"
    agree "all" 4 --
    agree "--port" 1 --port 19 -- dport = :19
    agree "--port, the other end's" 1 --port "$(port_of 19)" -- dport = :19
    agree "--addr" 1 --addr "${kernel_ip[6]}" -- dst "[${tern_ip[6]}]"
    agree "--addr, a network" 3 --addr 198.18.0.0/15 -- dst "${tern_ip[4]}"
    agree "--state" 4 --state fin-wait-1 --state established --
    equal "--state, one that none is in" 1 "$(top --state closing | wc -l)"
    equal "--addr, a network that none is in" 1 "$(top --addr 198.19.255.0/24 | wc -l)"
}

# port_of PORT: the kernel's own of its connection to it
port_of() { in_kernel ss -Htn state established "dport = :$1" | awk '{ sub(/.*:/, "", $3); print $3 }'; }

# Who has closed first stays in TIME-WAIT, and is shown to who asks for it.
resting() {
    local port
    port=$(in_kernel curl -sS --max-time 30 -o /dev/null -w '%{local_port}' "http://${tern_ip[4]}/")
    equal "--state time-wait" "TIME-WAIT ${tern_ip[4]}:80 ${kernel_ip[4]}:$port" \
        "$(top --state time-wait | awk '/^TIME-WAIT/ { print $1, $4, $5 }')"
    equal "without it, connections" 4 "$(ours | wc -l)"
}

# Who does not read makes tern wait: its queue is full, and a probe is due.
waiting() { top --port 19 | grep -Eq 'ESTAB +0 +[1-9][0-9]* .*timer:\(persist,' && top --port 19 | grep -q ' snd_wnd:0 '; }

# Without a terminal: each look below the last, with rates from the second on.
again() {
    local looks
    looks=$(top --every 100ms --rounds 3 --port 19)
    equal "--rounds 3: tables" 3 "$(grep -c ^State <<<"$looks")"
    equal "--rounds 3: the connection in each" 3 "$(grep -c "^ESTAB .*:19 " <<<"$looks")"
    equal "--rounds 3: rates" 2 "$(grep -c 'packets/s in' <<<"$looks")"
    grep -q "^[0-9]* .*serve $device" <<<"$looks" || fail "no command line: $looks"
}

# refused WORDS ARGUMENTS...: exits with 2, and its one line has these words
refused() {
    local words=$1 status=0
    shift
    top "$@" >"$scratch/out" 2>"$scratch/refused" || status=$?
    equal "top $*: exit status" 2 $status
    equal "top $*: lines" "0 1" "$(wc -l <"$scratch/out") $(wc -l <"$scratch/refused")"
    grep -q -- "$words" "$scratch/refused" || fail "top $*: $(cat "$scratch/refused")"
}

ends_well() {
    local status=0
    wait "$1" || status=$?
    equal "$2: exit status" 0 $status
}

answers_top() { top "$1"; }

several() {
    local pid other
    pid=$(top --every 100ms --rounds 1 | awk 'NR == 1 { print $1 }')
    "$tern" pair --no-huge --rate 100 --duration 100s >"$scratch/pair.log" 2>&1 &
    other=$!
    jobs+=($other)
    poll 20 answers_top $other || fail "the second does not answer: $(cat "$scratch/pair.log")"
    refused "2 run: .*$pid (.*$other (\|2 run: .*$other (.*$pid (" --port 19
    equal "by its pid" 1 "$(top "$pid" --port 19 | grep -c :19)"
    top $other --every 100ms >"$scratch/watched" &
    poll 10 grep -q 'packets/s' "$scratch/watched" || fail "nothing is shown"
    jobs+=($!)
    end $other || fail "the second did not end well: $(cat "$scratch/pair.log")"
    ends_well "${jobs[-1]}" "the process ends while it is watched"
}

refused "no tern of this user runs"
serve --listen 7=echo --listen 19=chargen --listen 80=http,close
beside_ss
poll 10 waiting || fail "a full queue: $(top --port 19)"
ok "Send-Q, a shut window and the probe of it"
resting
again
several
refused "no tern has the pid 1;" 1
refused "'x' is" x
refused "out of range\|0 is" --port 0
refused "neither an address" --addr 198.18.0.256
refused "no state of a connection" --state open
refused "add --every" --rounds 3
for job in "${jobs[@]}"; do ! is_child "$job" || end "$job" || true; done
serve_end
refused "no tern of this user runs"
