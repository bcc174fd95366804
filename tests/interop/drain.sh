#!/usr/bin/env bash
# Ctrl-C and SIGTERM in the middle of everything: connections are closed in order, the summary is
# printed, the exit status is 0.
# Usage: drain.sh TERN tap|af_xdp|af_packet
. "$(dirname "$0")/lib.sh"
need nc nginx
set -m # else bash lets background jobs ignore SIGINT
device_up "$device_kind"

# interrupt SIGNAL: tern ends well and soon
interrupt() {
    local begin=$SECONDS
    kill -"$1" "$tern_pid"
    kill -"$1" "$tern_pid" # at once again, as timeout(1) does: that is no second Ctrl-C
    tern_ended
    [ $((SECONDS - begin)) -le 6 ] || fail "$1: it took $((SECONDS - begin)) s"
    grep -q '(interrupted)$' "$scratch/tern.log" && grep -q '^  books  *balance$' "$scratch/tern.log" ||
        fail "$1: no summary"
    expect "SIG$1: status 0, summary printed, books balance" 'r["interrupted"] and r["books_balance"]'
}

# A reader of chargen that takes all it gets until it is told the end; 0 when that was a FIN.
reader='import socket, sys, time
with socket.create_connection((sys.argv[1], 19), 5) as s:
    s.settimeout(20)
    while s.recv(1 << 16):
        open(sys.argv[2], "w").write("reads")
        time.sleep(0.005)'

# from_serve SIGNAL
from_serve() {
    local v pids=()
    serve --app chargen
    [[ $device == tap:* ]] || capture_start
    for v in 4 6; do
        in_kernel "$python" -c "$reader" "${tern_ip[$v]}" "$scratch/reads.$v" &
        pids[v]=$!
    done
    for v in 4 6; do poll 5 test -s "$scratch/reads.$v" || fail "IPv$v: chargen says nothing"; done
    interrupt "$1"
    for v in 4 6; do
        wait "${pids[v]}" || fail "IPv$v: the reader was reset"
        ok "IPv$v: the reader saw the end"
        rm "$scratch/reads.$v"
    done
    [[ $device != tap:* ]] || return 0 # it is gone with its addresses, and the end of the capture
    no_stuck_connection
    end "$capture_pid" || true
    equal "RSTs from tern" 0 "$(wire "$sent_by_tern && tcp.flags.reset == 1")"
    [ "$(wire "$sent_by_tern && tcp.flags.fin == 1")" -ge 2 ] || fail "no FIN from tern"
}

# from_load SIGNAL
from_load() {
    : >"$scratch/nginx/access.log"
    tern_start load "http://[${kernel_ip[6]}]/" --dev "$device" "${tern_net[@]}" --duration 30s --conns 16
    link_ready
    poll 10 test -s "$scratch/nginx/access.log" || fail "nothing was loaded"
    interrupt "$1"
    expect "none failed" 'r["connections"]["failed"] == {} and r["connections"]["closed"] == r["connections"]["opened"]'
}

nginx_start
for signal in TERM INT; do
    from_serve $signal
    from_load $signal
done
