# shellcheck shell=bash
# Shared by the tests here. Each test makes network namespaces of its own, named by its pid:
#
#   $kernel   holds the peer: the Linux kernel's TCP behind interface $link, .1 of both networks
#   $home     where tern runs: $kernel itself for tap:, else the other end of a veth pair, .2
#
# Everything is undone at EXIT. Every process is bounded by timeout(1), and ended by its pid.
# timeout runs with --foreground: without it, it would send tern each signal twice.
set -euo pipefail

tern=$(realpath "$1")
device_kind=${2:-tap}
# The interpreter itself: `python3` may be a wrapper that takes longer to start than it does.
python=$(python3 -c 'import sys; print(sys.executable)') || python=python3
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
scratch=$(mktemp -d)
kernel=tern-$$-k home=tern-$$-k link=t0
declare -A kernel_ip=([4]=198.18.0.1 [6]=2001:2::1) tern_ip=([4]=198.18.0.2 [6]=2001:2::2)
declare -A prefix=([4]=15 [6]=48)
tern_net=(--ip 198.18.0.2/15 --ip 2001:2::2/48)
namespaces=() jobs=() tern_pid='' tern_runs=0

# ---- saying what is the case ----

ok() { printf 'ok    %s\n' "$*"; }

# fail WHAT: with the line of the test, not of this file, and tern's last words.
fail() {
    local i=1
    while [[ ${BASH_SOURCE[i]} == */lib.sh ]]; do i=$((i + 1)); done
    printf 'FAIL  %s (%s:%s)\n' "$*" "${BASH_SOURCE[i]##*/}" "${BASH_LINENO[i - 1]}" >&2
    [ ! -f "$scratch/tern.log" ] || tail -n 40 "$scratch/tern.log" >&2
    exit 1
}

# The whole test cannot run here. In CI that is a failure, or nobody would ever notice.
skip() {
    [ "${TERN_NO_SKIP:-0}" = 0 ] || fail "cannot run: $*"
    printf 'skipped: %s\n' "$*"
    exit 77
}

# equal WHAT EXPECTED ACTUAL
equal() { [ "$2" = "$3" ] && ok "$1: $3" || fail "$1: expected $2, got $3"; }

# poll SECONDS COMMAND...: until the command succeeds; false when it never did.
poll() {
    local until=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$until" ] || return 1
        sleep 0.02
    done
}

need() {
    local p
    for p in "$@"; do command -v "$p" >/dev/null || skip "the program $p is not installed"; done
}

# ---- namespaces and devices ----

# run NAMESPACE COMMAND...
run() { timeout --foreground -k 2 60 ip netns exec "$@"; }
in_kernel() { run "$kernel" "$@"; }

# start NAMESPACE COMMAND...: in the background, until the test ends or ${jobs[-1]} is ended. Not through
# run(): a signal would end the shell around it and nothing else.
start() {
    timeout --foreground -k 2 140 ip netns exec "$@" &
    jobs+=($!)
}

# end PID: SIGTERM, and wait. What it said with its exit status is the caller's to ask.
end() {
    local status=0
    kill -TERM "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || status=$?
    return $status
}

# Not somebody else's, who got the number of one that has ended.
is_child() {
    local parent
    { read -r _ _ _ parent _ <"/proc/$1/stat"; } 2>/dev/null && [ "$parent" = $$ ]
}

undo() {
    local status=$? pid ns
    trap - EXIT
    for pid in $tern_pid "${jobs[@]}"; do ! is_child "$pid" || end "$pid" || true; done
    for ns in "${namespaces[@]}"; do ip netns del "$ns" || true; done
    if [ -n "${TERN_KEEP:-}" ]; then
        echo "kept: $scratch" >&2
    else
        rm -rf "$scratch"
    fi
    exit "$status"
}
trap undo EXIT
trap 'exit 143' TERM INT HUP

namespace() {
    ip netns add "$1" 2>"$scratch/netns" || skip "no network namespace can be made: $(cat "$scratch/netns")"
    namespaces+=("$1")
    # A plain chroot has no mount at /, which `ip netns exec` wants.
    ip netns exec "$1" true 2>"$scratch/netns" || skip "ip netns exec does not work: $(cat "$scratch/netns")"
    ip netns exec "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0
    ip -n "$1" link set lo up
}

# uses 4|6: tern has an address of this family
uses() { [[ " ${tern_net[*]} " == *" ${tern_ip[$1]}/"* ]]; }

# The kernel's end: addresses, and whole segments with finished checksums (tern reads what a wire
# would carry).
give_addresses() {
    ip -n "$kernel" link set "$link" up
    ! uses 4 || ip -n "$kernel" addr replace "${kernel_ip[4]}/${prefix[4]}" dev "$link"
    ! uses 6 || ip -n "$kernel" addr replace "${kernel_ip[6]}/${prefix[6]}" dev "$link" nodad
    in_kernel ethtool -K "$link" tx off tso off gso off gro off >/dev/null
}

# veth NS1 IF1 NS2 IF2: two interfaces, joined, up
veth() {
    ip -n "$1" link add "$2" type veth peer name "$4" netns "$3"
    ip -n "$1" link set "$2" up
    ip -n "$3" link set "$4" up
}

# device_up tap|af_xdp|af_packet: sets $device to what tern is to be given.
device_up() {
    [ "$(id -u)" = 0 ] || skip "not root"
    need ip ethtool timeout python3
    namespace "$kernel"
    case $1 in
    tap)
        [ -c /dev/net/tun ] || skip "no /dev/net/tun"
        device=tap:$link
        ;;
    af_xdp | af_packet)
        home=tern-$$-t
        namespace "$home"
        veth "$home" v0 "$kernel" "$link"
        give_addresses
        device=v0
        [ "$1" = af_xdp ] || device=vdev:net_af_packet0,iface=v0
        ;;
    *) fail "no such kind of device: $1" ;;
    esac
}

link_exists() { ip -n "$kernel" link show "$link"; }

# A TAP's kernel end is there once tern has made it.
link_ready() {
    [[ $device == tap:* ]] || return 0
    poll 10 link_exists || fail "tern made no $link"
    give_addresses
}

answers() { in_kernel ping -c 1 -W 1 -q "$1"; }
tern_is_gone() { ! kill -0 "$tern_pid"; }
answers_or_gone() { answers "$1" || tern_is_gone; }

# link_program ingress|egress SECTION: a program of link.bpf.c on the kernel's end of the link
link_program() {
    need clang tc
    clang -O2 -target bpf -c "$here/link.bpf.c" -o "$scratch/link.o" || fail "link.bpf.c does not compile"
    tc -n "$kernel" qdisc replace dev "$link" clsact
    tc -n "$kernel" filter add dev "$link" "$1" bpf direct-action obj "$scratch/link.o" sec "$2" 2>"$scratch/tc" ||
        skip "no BPF programs on interfaces: $(tail -n 1 "$scratch/tc")"
}

# ---- tern ----

# tern_start ARGUMENTS...: in the background; its pid in $tern_pid, its report in $scratch/tern.json.
tern_start() {
    tern_runs=$((tern_runs + 1))
    rm -f "$scratch/tern.json"
    timeout --foreground -k 15 "${tern_seconds:-120}" ip netns exec "$home" "$tern" "$@" --json "$scratch/tern.json" \
        >"$scratch/tern.log" 2>&1 &
    tern_pid=$!
}

# serve ARGUMENTS...: returns when it answers on all its addresses.
serve() {
    local v
    tern_start serve "$device" "${tern_net[@]}" "$@"
    link_ready
    for v in 4 6; do
        ! uses $v || poll 10 answers_or_gone "${tern_ip[$v]}" || fail "tern does not answer ping of ${tern_ip[$v]}"
    done
    ! tern_is_gone 2>/dev/null || fail "tern has ended"
}

# tern_ended: wait for its end; every run has to end well.
tern_ended() {
    local status=0
    wait "$tern_pid" || status=$?
    tern_pid=''
    [ "$status" = 0 ] || fail "tern ended with status $status"
    report 'r["books_balance"] and not any(r["leaks"].values())' || fail "tern's books: $(cat "$scratch/tern.json")"
    ! grep -q AF_XDP "$scratch/tern.log" || [ "$device_kind" != af_xdp ] || fail "AF_XDP was not to be had"
}

serve_end() {
    kill -TERM "$tern_pid"
    tern_ended
}

# new_sources: tern's next run has addresses that none before it had, so it meets no TIME-WAIT of theirs.
new_sources() {
    local n=$((tern_runs + 1))
    tern_ip=([4]=198.18.1.$n [6]=2001:2::1:$n)
    tern_net=(--ip "${tern_ip[4]}/15" --ip "${tern_ip[6]}/48")
}

# load ARGUMENTS...: `tern load` to its end.
load() {
    tern_start load "$@" --dev "$device" "${tern_net[@]}"
    link_ready
    tern_ended
}

# report EXPRESSION: about tern's JSON `r`; prints what is no truth value, and is true or false for the rest.
report() {
    "$python" - "$scratch/tern.json" "$1" <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
value = eval(f"({sys.argv[2]})")
if not isinstance(value, bool):
    print(value)
sys.exit(value is False)
PY
}

# expect WHAT EXPRESSION: it holds in tern's JSON
expect() { report "$2" && ok "$1" || fail "$1: not so: $2; $(report 'r["connections"]')"; }

# url 4|6 [PATH] of tern
url() { [ "$1" = 4 ] && echo "http://${tern_ip[4]}/${2:-}" || echo "http://[${tern_ip[6]}]/${2:-}"; }

# ---- the kernel's side ----

curl_() { in_kernel curl -sS --max-time 30 "$@"; }

sum() { sha256sum | cut -d ' ' -f 1; }

# The body tern serves: body BYTES
body() { "$python" -c 'import sys; n = int(sys.argv[1]); sys.stdout.write((bytes(range(97, 123)) * (n // 26 + 1))[:n].decode())' "$1"; }

random_file() { head -c "$2" /dev/urandom >"$1"; }

# What is neither listening nor at rest in TIME-WAIT.
connections() { in_kernel ss -Htan state connected exclude time-wait; }
has_no_connection() { [ -z "$(connections)" ]; }
no_stuck_connection() {
    poll 5 has_no_connection || fail "stuck in the kernel: $(connections)"
    ok "ss shows no stuck connection"
}

# listens_on PORT [NAMESPACE]
listens_on() { [ -n "$(run "${2:-$kernel}" ss -Hltn "sport = :$1")" ]; }

# clients HOST COUNT: HTTP/1.0 exchanges, a connection each, 32 at a time; says how many were answered in full.
clients() {
    in_kernel "$python" - "$@" <<'PY'
import socket, sys
from concurrent.futures import ThreadPoolExecutor
host, count = sys.argv[1], int(sys.argv[2])
def one(_):
    with socket.create_connection((host, 80), 10) as s:
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return b"".join(iter(lambda: s.recv(4096), b"")).endswith(b"\r\n\r\na")
print(sum(ThreadPoolExecutor(32).map(one, range(count))))
PY
}

# nginx_start [NAMESPACE]: port 80 of both families, one byte to whoever asks; all its files in scratch. $nginx_log is
# what a line of its log says, else as usual.
nginx_start() {
    need nginx
    mkdir "$scratch/nginx"
    cat >"$scratch/nginx/nginx.conf" <<CONF
daemon off; master_process off; user root; worker_processes 1;
pid $scratch/nginx/pid; error_log $scratch/nginx/error.log;
events { worker_connections 4096; }
http {
    log_format told '${nginx_log:-}'; keepalive_requests 1000000;
    access_log $scratch/nginx/access.log ${nginx_log:+told}; client_body_temp_path $scratch/nginx; proxy_temp_path $scratch/nginx;
    fastcgi_temp_path $scratch/nginx; uwsgi_temp_path $scratch/nginx; scgi_temp_path $scratch/nginx;
    server { listen 80 backlog=4096; listen [::]:80 backlog=4096; location / { return 200 x; } }
}
CONF
    start "${1:-$kernel}" nginx -p "$scratch/nginx" -c nginx.conf -e "$scratch/nginx/error.log"
    poll 5 listens_on 80 "${1:-$kernel}" || fail "nginx does not listen: $(cat "$scratch/nginx/error.log")"
}

# ---- the wire ----

# capture_start: what passes the kernel's end, into $scratch/wire.pcap
capture_start() {
    need dumpcap tshark
    rm -f "$scratch/wire.pcap"
    start "$kernel" dumpcap -q -i "$link" -B 64 -s 0 -P -w "$scratch/wire.pcap" 2>"$scratch/dumpcap.log"
    capture_pid=${jobs[-1]}
    poll 5 grep -q '^File:' "$scratch/dumpcap.log" || fail "dumpcap does not start: $(cat "$scratch/dumpcap.log")"
}

# It is over when a mark that passes the wire now has reached the file.
capture_end() {
    in_kernel ping -c 1 -p 656e64 -q "${tern_ip[4]}" >/dev/null || fail "no answer to the last ping"
    poll 5 grep -qa endendend "$scratch/wire.pcap" || fail "dumpcap lags: $(cat "$scratch/dumpcap.log")"
    end "$capture_pid" || fail "dumpcap: $(cat "$scratch/dumpcap.log")"
}

validate=(-o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE)

# wire FILTER: how many frames of the capture it matches
wire() {
    timeout 60 tshark -r "$scratch/wire.pcap" "${validate[@]}" -Y "$1" -T fields -e frame.number 2>/dev/null | wc -l
}

sent_by_tern="(ip.src == ${tern_ip[4]} || ipv6.src == ${tern_ip[6]})"

# capture_check: nothing that tern sent is malformed or has a bad checksum, in tshark's expert opinion.
capture_check() {
    local good bad
    read -r good bad < <(timeout 60 tshark -r "$scratch/wire.pcap" "${validate[@]}" -Y "arp || $sent_by_tern" \
        -T fields -E occurrence=a -e tcp.checksum.status -e _ws.expert.severity 2>/dev/null |
        awk -F '\t' '$1 == 1 { good++ } ("," $2 ",") ~ /,8388608,/ { bad++ } END { print good + 0, bad + 0 }')
    [ "$good" -gt 0 ] || fail "no segment of tern's in the capture"
    equal "errors that tshark finds in what tern sent, of $good good checksums" 0 "$bad"
}
