#!/usr/bin/env bash
# Runs seen over DPDK's telemetry socket, by Debian's dpdk-telemetry.py: what it answers and refuses; several
# processes beside each other, killed and stopped ones; as an ordinary user.
# Usage: telemetry.sh TERN
. "$(dirname "$0")/lib.sh"
need dpdk-telemetry.py setpriv
export RUNTIME_DIRECTORY=$scratch/run
mkdir "$RUNTIME_DIRECTORY"
sockets=$RUNTIME_DIRECTORY/dpdk/tern
conns=100

# begin LOG ARGUMENTS...: tern in the background, bounded by its own duration; its pid in $!.
begin() {
    local log=$1
    shift
    "$tern" "$@" --no-huge --duration 100s >"$scratch/$log.log" 2>&1 &
    jobs+=($!)
}

# ask INSTANCE COMMAND...: a line of JSON each
ask() {
    local instance=$1
    shift
    printf '%s\n' "$@" | dpdk-telemetry.py -f tern -i "$instance"
}

# about JSON EXPRESSION: of Python, the answer's inside being `a`; prints what it is worth
about() {
    "$python" -c 'import json, sys; a, = json.loads(sys.argv[1]).values(); print(eval(sys.argv[2]))' "$@"
}

pid_of() { about "$(ask "$1" /tern/info)" 'a.get("pid")'; }
is_at() { [ "$(pid_of "$1")" = "$2" ]; }
holds() { [ "$(about "$(ask 0 /tern/stats)" 'a["open_now"]')" = $conns ]; }

# gone PID: it ends well
gone() { end "$1" || fail "it ended with a failure: $(tail -n 5 "$scratch"/*.log)"; }

# names HEADER NAME: the second of X(…, "name", …) in its list, by an expression for the name
names() { sed -n "s/^ *X([A-Z_0-9]*, *$2.*/\1/p" "$here/../../include/tern/$1"; }

answers() {
    local json first=${1:-}
    begin answers pair $first --scenario hold --conns $conns --workers 2
    poll 20 holds || fail "connections are not held: $(ask 0 /tern/stats)"
    json=$(ask 0 /tern/info)
    equal "/tern/info$first: pid, endpoints and their workers" "$! 2 2 2" \
        "$(about "$json" 'str(a["pid"]), a["endpoints"], a["0"]["workers"], len(a["1"]["busy_permille"])' | tr -d "',()")"
    names drop.h '"\([a-z_0-9]*\)"' | grep -vx none >"$scratch/drops"
    [ "$(about "$(ask 0 /tern/drops,1)" '"\n".join(a)')" = "$(cat "$scratch/drops")" ] || fail "not all of the ledger's names"
    ok "/tern/drops$first has all $(wc -l <"$scratch/drops") names of the ledger"
    names stats.h '"\([a-z]*\)"' >"$scratch/closed"
    [ "$(about "$(ask 0 /tern/stats)" '"\n".join(a["closed"])')" = "$(cat "$scratch/closed")" ] || fail "not all ways to close"
    ok "/tern/stats$first has all $(wc -l <"$scratch/closed") ways to close"
    equal "/tern/stats$first: both ends" "$conns $conns" "$(about "$(ask 0 /tern/stats,0)" 'a["active_established"]') $(
        about "$(ask 0 /tern/stats,1)" 'a["passive_established"]')"
    equal "/tern/conns$first: each connection of both ends once, over pages" "$((2 * conns)) $((2 * conns))" "$(walk)"
    gone $!
}

# All pages of /tern/conns[,FILTER]: how many connections, and how many different ones
walk() {
    "$python" - "$sockets/dpdk_telemetry.v2" "${1:-}" <<'PY'
import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
room = json.loads(s.recv(1024))["max_output_len"]
seen, start = [], 0
while start is not None:
    s.send(f"/tern/conns,from={start}{sys.argv[2]}".encode())
    page = json.loads(s.recv(room))["/tern/conns"]
    start = page.get("next")
    for c in page["conns"].values():
        assert len(c) == 33, c
        seen.append((c["local"], c["lport"], c["remote"], c["rport"]))
print(len(seen), len(set(seen)))
PY
}

# refused COMMAND WORDS: the answer is an error that has these words
refused() {
    local json
    json=$(ask 0 "$1")
    [[ $(about "$json" 'a["error"]') == *"$2"* ]] && ok "$1: $(about "$json" 'a["error"]')" || fail "$1: $json"
}

refuses() {
    begin refuses pair --scenario hold --conns $conns
    poll 20 holds || fail "connections are not held"
    refused /tern/stats,2 "there are 0 to 1"
    refused /tern/stats,x "is no endpoint"
    refused /tern/drops,00000000000000000000000 "is no endpoint"
    refused /tern/info,1 "no parameters"
    refused /tern/conns,port=0 "port=0 is none"
    refused /tern/conns,port=65536 "1 to 65535"
    refused /tern/conns,port= "1 to 65535"
    refused /tern/conns,port=80,port=81 "port is said twice"
    refused /tern/conns,addr=198.18.0.300 "addr=198.18.0.300 is none"
    refused /tern/conns,state=OPEN "a state such as"
    refused /tern/conns,from=-1 "'next' of an earlier answer"
    refused "/tern/conns,pört=1" "unknown key 'p??rt'"
    refused /tern/conns,, "unknown key ''"
    equal "a filter for the server's port and address" "$((2 * conns)) $((2 * conns))" "$(walk ,port=9,addr=198.18.0.1)"
    equal "a filter that nothing passes" "0 0" "$(walk ,port=80)"
    equal "a state that none is in" "0 0" "$(walk ,state=CLOSING)"
    equal "a place behind the end" "{}" "$(about "$(ask 0 /tern/conns,from=9999999999999999)" 'a["conns"]')"
    gone $!
}

beside_each_other() {
    local first second
    begin first pair --rate 100
    first=$!
    poll 20 is_at 0 $first || fail "the first does not answer"
    begin second pair --rate 100
    second=$!
    poll 20 is_at 1 $second || fail "the second does not answer"
    is_at 0 $first || fail "the first was disturbed"
    ok "two processes answer"
    kill -KILL $first
    wait $first 2>/dev/null || true
    [ -S "$sockets/dpdk_telemetry.v2" ] || fail "the killed one left no socket: nothing to test"
    begin third pair --rate 100
    poll 20 is_at 0 $! || fail "the third does not take the killed one's place: $(ls "$sockets")"
    is_at 1 $second || fail "the second was disturbed"
    ok "a third takes the place of one that was killed"
    gone $!
    begin fourth pair --rate 100 --no-telemetry
    poll 20 grep -q '^ *[0-9]*\.[0-9] ' "$scratch/fourth.log" || fail "the fourth does not run: $(cat "$scratch/fourth.log")"
    equal "--no-telemetry makes no socket" dpdk_telemetry.v2:1 "$(ls "$sockets")"
    gone $!
    gone $second
    equal "what is left in the end" "" "$(ls "$sockets")"
}

# A process that is stopped does not take connections, and DPDK would wait for it for ever.
stopped() {
    local stopped
    begin stopped pair --rate 100
    stopped=$!
    poll 20 is_at 0 $stopped || fail "it does not answer"
    kill -STOP $stopped
    "$python" - "$sockets/dpdk_telemetry.v2" <<'PY'
import socket, sys
while True:  # fill its queue
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.setblocking(False)
    try:
        s.connect(sys.argv[1])
    except BlockingIOError:
        break
PY
    "$tern" pair --no-huge --duration 1s >"$scratch/beside.log" 2>&1 || fail "$(cat "$scratch/beside.log")"
    grep -q 'no telemetry: the process behind dpdk_telemetry.v2 is stopped' "$scratch/beside.log" ||
        fail "nothing is said of it: $(cat "$scratch/beside.log")"
    ok "beside a stopped process: a run without telemetry, which says so"
    kill -CONT $stopped
    gone $stopped
}

# as nobody, who can reach the program and nothing else of ours
as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)

ordinary_user() {
    local dir=$scratch/user
    if [ "$(id -u)" != 0 ]; then
        ok "not root: all of the above was as an ordinary user"
        return
    fi
    mkdir -p "$dir/own/dpdk" "$dir/dpdk/tern"
    chmod 755 "$scratch" "$dir" "$dir/dpdk"
    chown -R 65534:65534 "$dir/own"
    cp "$tern" "$dir/tern"
    RUNTIME_DIRECTORY=$dir/own "${as_user[@]}" "$dir/tern" pair --no-huge --rate 100 --duration 100s >"$scratch/user.log" 2>&1 &
    jobs+=($!)
    RUNTIME_DIRECTORY=$dir/own poll 20 is_at 0 $! || fail "an ordinary user has no telemetry: $(cat "$scratch/user.log")"
    ok "an ordinary user's process answers"
    gone $!
    RUNTIME_DIRECTORY=$dir "${as_user[@]}" "$dir/tern" pair --no-huge --duration 1s >"$scratch/user.log" 2>&1 ||
        fail "a directory of another user's ends the run: $(cat "$scratch/user.log")"
    grep -q 'no telemetry: others may write' "$scratch/user.log" || fail "nothing is said: $(cat "$scratch/user.log")"
    ok "where the directory is another's, the run goes on and says so"
}

answers
answers -6
refuses
beside_each_other
stopped
ordinary_user
