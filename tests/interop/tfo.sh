#!/usr/bin/env bash
# TCP Fast Open with the Linux kernel, each as client and as server, over a TUN interface.
# Usage: tfo.sh TFO_END
. "$(dirname "$0")/lib.sh"
need ip timeout python3 curl nstat
[ "$(id -u)" = 0 ] || skip "not root"
[ -c /dev/net/tun ] || skip "no /dev/net/tun"
link=u0
namespace "$kernel"
in_kernel sysctl -qw net.ipv4.tcp_fastopen=3 || skip "this kernel has no TCP Fast Open"

# end_start ARGUMENTS...: tfo_end in the background; its words in $scratch/end.log
end_start() {
    : >"$scratch/end.log" # the words of the run before are not this one's
    timeout --foreground -k 2 60 ip netns exec "$kernel" "$tern" "$link" "$@" >"$scratch/end.log" 2>&1 &
    tern_pid=$!
    poll 10 grep -q ready "$scratch/end.log" || fail "tfo_end does not start: $(cat "$scratch/end.log")"
    ip -n "$kernel" link set "$link" up
    ip -n "$kernel" addr add "${kernel_ip[4]}/15" dev "$link"
    ip -n "$kernel" addr add "${kernel_ip[6]}/48" dev "$link" nodad
}

end_wait() {
    local status=0
    wait "$tern_pid" || status=$?
    tern_pid=''
    [ "$status" = 0 ] || fail "tfo_end: $(cat "$scratch/end.log")"
    equal "the books balance" 1 "$(counter balance)"
}

counter() { awk -v name="$1" '$1 == name { print $2 }' "$scratch/end.log"; }
kernel_counter() { in_kernel nstat -asz "$1" | awk -v name="$1" '$1 == name { print $2 }'; }

# kernel_asks HOST COUNT: 100 bytes with the SYN where the kernel has a cookie; says what came back.
kernel_asks() {
    in_kernel python3 - "$@" <<'PY'
import socket, sys
host, count = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ":" in host else socket.AF_INET
good = 0
for _ in range(count):
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.sendto(b"y" * 100, socket.MSG_FASTOPEN, (host, 80))
        s.settimeout(10)
        good += b"".join(iter(lambda: s.recv(4096), b"")) == b"y" * 100
print(good)
PY
}

# The kernel's server: echoes the first read and closes.
kernel_serves() {
    cat >"$scratch/server.py" <<'PY'
import socket
l = socket.create_server(("::", 8080), family=socket.AF_INET6, dualstack_ipv6=True)
l.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
while True:
    c, _ = l.accept()
    c.sendall(c.recv(4096))
    c.close()
PY
    start "$kernel" python3 "$scratch/server.py"
    poll 5 listens_on 8080 || fail "the kernel's server does not listen"
}

# ---- tern serves ----

end_start serve 11
for v in 4 6; do
    equal "IPv$v: the kernel's requests answered" 5 "$(kernel_asks "${tern_ip[$v]}" 5)"
done
# curl says HTTP, tfo_end sends it back: HTTP/0.9 to curl.
in_kernel curl -sS --max-time 10 --http0.9 --tcp-fastopen "http://${tern_ip[4]}/" -o "$scratch/curl" || fail "curl"
equal "curl's request came back" "GET / HTTP/1.1" "$(head -n 1 "$scratch/curl" | tr -d '\r')"
end_wait
equal "cookies asked for" 2 "$(counter cookies_sent)"
equal "cookies refused" 0 "$(counter cookies_bad)"
equal "requests taken from the SYN" 9 "$(counter accepted)"
equal "SYNs with data that the kernel saw acknowledged" 9 "$(kernel_counter TcpExtTCPFastOpenActive)"
equal "… and not" 0 "$(kernel_counter TcpExtTCPFastOpenActiveFail)"

# ---- tern connects ----

kernel_serves
for v in 4 6; do
    before=$(kernel_counter TcpExtTCPFastOpenPassive)
    end_start connect "${kernel_ip[$v]}" 5
    end_wait
    equal "IPv$v: connects whose data the kernel took from the SYN" 4 "$(counter data_acked)"
    equal "IPv$v: … by its own count" 4 "$(($(kernel_counter TcpExtTCPFastOpenPassive) - before))"
    equal "IPv$v: data sent again" 0 "$(counter data_again)"
done

# ---- tern connects to a server without Fast Open ----
in_kernel sysctl -qw net.ipv4.tcp_fastopen=1
end_start connect "${kernel_ip[4]}" 3
end_wait
equal "a server without Fast Open: data in SYNs" 0 "$(counter data_acked)"
