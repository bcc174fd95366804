# shellcheck shell=bash
# Shared by the tests here: a directory for socket and logs, and the two processes, which are ended with it.
set -euo pipefail
tern=$1
dir=$(mktemp -d)
server= client=
tidy_up() {
    for pid in $server $client; do kill -9 "$pid" 2>/dev/null || true; done
    rm -rf "$dir"
}
trap tidy_up EXIT

fail() {
    echo "$1"
    tail -n 30 "$2"
    exit 1
}

# until_seen PATTERN FILE PID: PID writes it within ten seconds
until_seen() {
    for _ in $(seq 200); do
        ! grep -q "$1" "$2" || return 0
        kill -0 "$3" 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}

