#!/usr/bin/env bash
# `tern load` at Linux servers: nginx, a listening nc, an echo server. Both ends have to count the same.
# Usage: load.sh TERN tap|af_xdp|af_packet
. "$(dirname "$0")/lib.sh"
need nc nginx
device_up "$device_kind"
echo_server='import socketserver as s, shutil
class Echo(s.StreamRequestHandler):
    def handle(self): shutil.copyfileobj(self.rfile, self.wfile)
class Server(s.ThreadingTCPServer): address_family = s.socket.AF_INET6
Server(("::", 7), Echo).serve_forever()'

# host 4|6: the kernel's address as a target has it
host() { [ "$1" = 4 ] && echo "${kernel_ip[4]}" || echo "[${kernel_ip[6]}]"; }

# loaded WHAT COUNT: all of them were opened, established and closed
loaded() {
    expect "$1: $2 connections, none failed" \
        "r['connections'] == {'opened': $2, 'established': $2, 'closed': $2, 'failed': {}}"
}

http() {
    local v
    for v in 4 6; do
        : >"$scratch/nginx/access.log"
        load "http://$(host $v)/some/path" --scenario http --count 1000 --conns 16
        loaded "IPv$v: http" 1000
        equal "IPv$v: requests in nginx's log" 1000 "$(grep -c 'GET /some/path HTTP/1.1" 200 1 ' "$scratch/nginx/access.log")"
    done
}

# Many requests a connection, several under way; a GET and a HEAD in turn.
keepalive() {
    local v
    printf 'GET /kept HTTP/1.1\n\n###\nHEAD /head HTTP/1.1\n' >"$scratch/requests"
    for v in 4 6; do
        : >"$scratch/nginx/access.log"
        load "http://$(host $v)/" --scenario http-keepalive --count 20 --conns 4 --requests 50 --pipeline 4 \
            --request-file "$scratch/requests"
        loaded "IPv$v: http-keepalive" 20
        expect "IPv$v: 1000 requests, all answered" \
            "r['requests'] | {'per_s': 0} == {'answered': 1000, 'per_s': 0, 'asked': 1000, 'failed': {}, 'unanswered': 0, 'status': {'2xx': 1000}}"
        equal "IPv$v: GETs in nginx's log" 500 "$(grep -c 'GET /kept HTTP/1.1" 200 1 ' "$scratch/nginx/access.log")"
        equal "IPv$v: HEADs in nginx's log" 500 "$(grep -c 'HEAD /head HTTP/1.1" 200 0 ' "$scratch/nginx/access.log")"
    done
}

# Its queue holds one connection, so they come one at a time.
netcat() {
    local v
    for v in 4 6; do
        start "$kernel" nc -$v -lk 8000 >/dev/null
        poll 5 listens_on 8000 || fail "nc does not listen"
        load "$(host $v):8000" --scenario handshake --count 50 --conns 1
        loaded "IPv$v: handshakes with nc" 50
        end "${jobs[-1]}" || true
    done
}

echoes() {
    local v
    start "$kernel" "$python" -c "$echo_server"
    poll 5 listens_on 7 || fail "the echo server does not listen"
    for v in 4 6; do
        load "$(host $v):7" --scenario echo --bytes 10Mi --count 2 --conns 2
        loaded "IPv$v: echo of 10 MiB" 2
    done
}

# Nobody listens: every connection is refused, which is a failure with a name and no fault of the books.
refused() {
    local v
    for v in 4 6; do
        load "$(host $v):81" --scenario handshake --count 20 --conns 4
        expect "IPv$v: closed port: 20 refused" \
            'r["connections"] == {"opened": 20, "established": 0, "closed": 0, "failed": {"refused": 20}}'
    done
}

nginx_start
http
keepalive
netcat
echoes
refused
no_stuck_connection
