#!/usr/bin/env bash
# Linux programs as clients of `tern serve`: every service, both families, and what the wire looked like.
# Usage: serve.sh TERN tap|af_xdp|af_packet
. "$(dirname "$0")/lib.sh"
need curl nc ping
device_up "$device_kind"
random_mib=4 # the capture of its echoes is examined whole
random_file "$scratch/random" $((random_mib << 20))
mib=$((1 << 20))

one_byte() {
    local v
    serve --app http
    capture_start
    for v in 4 6; do
        in_kernel ping -c 3 -i 0.01 -q "${tern_ip[$v]}" >/dev/null || fail "IPv$v: ping"
        in_kernel ping -c 3 -i 0.01 -q -s 1400 "${tern_ip[$v]}" >/dev/null || fail "IPv$v: ping of 1400 bytes"
        equal "IPv$v: body of one byte" a "$(curl_ "$(url $v)")"
        equal "IPv$v: HEAD" 200 "$(curl_ -I -o "$scratch/head" -w '%{http_code}' "$(url $v)")"
        equal "IPv$v: two requests on one connection" "aa 1 0" \
            "$(curl_ "$(url $v)" "$(url $v)") $(curl_ -o /dev/null -w '%{num_connects} ' "$(url $v)" \
                -o /dev/null "$(url $v)" | sed 's/ *$//')"
        refused $v
    done
    no_stuck_connection
    capture_end
    capture_check
    equal "RST from the closed ports" 2 "$(wire "$sent_by_tern && tcp.flags.reset == 1 && tcp.srcport == 81")"
    serve_end
}

# A closed port answers at once: curl says 7 (refused), not 28 (timeout).
refused() {
    local status=0
    in_kernel curl -sS --max-time 3 "$(url $1 | sed 's|/$|:81/|')" 2>"$scratch/refused" || status=$?
    equal "IPv$1: closed port, curl's exit status" 7 $status
}

one_mebibyte() {
    local v want
    want=$(body $mib | sum)
    serve --app http --body-bytes $mib
    capture_start
    for v in 4 6; do
        equal "IPv$v: body of 1 MiB" "$want" "$(curl_ "$(url $v)" | sum)"
        seq 8 | in_kernel xargs -P 8 -I {} curl -sS --max-time 30 -o "$scratch/body.{}" "$(url $v)" || fail "IPv$v: one of 8 curls"
        equal "IPv$v: 8 bodies at a time" "8 $want" \
            "$(sha256sum "$scratch"/body.* | cut -d ' ' -f 1 | sort | uniq -c | sed 's/^ *//')"
        rm "$scratch"/body.*
    done
    no_stuck_connection
    capture_end
    capture_check
    serve_end
}

# nc -N ends its sending with the input's end (FIN) and goes on receiving: what is still to come arrives.
echo_both_ways() {
    local v
    serve --app echo
    capture_start
    for v in 4 6; do
        in_kernel nc -N -w 20 "${tern_ip[$v]}" 7 <"$scratch/random" >"$scratch/echoed" || fail "IPv$v: nc"
        equal "IPv$v: echo of $random_mib MiB" "$(sum <"$scratch/random")" "$(sum <"$scratch/echoed")"
        equal "IPv$v: echo behind our FIN" hello "$(echo hello | in_kernel nc -N -w 5 "${tern_ip[$v]}" 7)"
    done
    no_stuck_connection
    capture_end
    capture_check
    serve_end
    expect "four connections closed by FIN, none failed" \
        'r["connections"] == {"opened": 4, "established": 4, "closed": 4, "failed": {}}'
}

discard() {
    local v
    serve --app discard
    for v in 4 6; do
        equal "IPv$v: discard says nothing" "" "$(in_kernel nc -N -w 20 "${tern_ip[$v]}" 9 <"$scratch/random")"
    done
    no_stuck_connection
    serve_end
    expect "all bytes were received" 'r["ends"]["server"]["counters"]["rx_payload_bytes"] == 2 * '$((random_mib << 20))
}

# RFC 864's pattern; the reader leaves in the middle of it.
chargen() {
    local v want
    want=$("$python" -c 'for i in range(27028): print("".join(chr(32 + (i + k) % 95) for k in range(72)), end="\r\n")' | sum)
    serve --app chargen
    for v in 4 6; do
        equal "IPv$v: chargen" "$want" "$( (in_kernel nc -d -w 20 "${tern_ip[$v]}" 19 || true) | head -c 2000072 | sum)"
    done
    no_stuck_connection
    serve_end
}

one_byte
one_mebibyte
echo_both_ways
discard
chargen
