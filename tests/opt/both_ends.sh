#!/usr/bin/env bash
# One file for both ends: a server and a client in two processes read the same YAML, one from the line and
# one from the environment, and talk over shared memory. The line wins over the file: it names the count.
set -euo pipefail
tern=$1
unset TERN_CONFIG
dir=$(mktemp -d)
server=
tidy_up() {
    [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true
    rm -rf "$dir"
}
trap tidy_up EXIT
cat >"$dir/lab.yml" <<YAML
common:
  no-huge: true
  rcv-buf: 64Ki
load:
  target: http://198.18.0.1:8080/
  dev: memif:$dir/sock
  ip: [198.18.1.1/15, 198.18.1.2-198.18.1.4/15]
  count: 1M            # the line says less
  conns: 16
  json: $dir/load.json
serve:
  dev: memif:$dir/sock,server
  ip: 198.18.0.1/15
  port: 8080
  body-bytes: 4Ki
  json: $dir/serve.json
YAML
"$tern" serve --config "$dir/lab.yml" >"$dir/serve.log" 2>&1 &
server=$!
for _ in $(seq 100); do
    grep -q '^ *workers' "$dir/serve.log" && break # the banner: the device is open
    sleep 0.1
done
TERN_CONFIG=$dir/lab.yml timeout 60 "$tern" load --count 500 >"$dir/load.log" 2>&1 || { tail -n 20 "$dir/load.log" "$dir/serve.log"; exit 1; }
kill -INT "$server"
wait "$server" || { tail -n 20 "$dir/serve.log"; exit 1; }
server=
python3 - "$dir" <<'PY'
import json, sys
load, serve = (json.load(open(f"{sys.argv[1]}/{end}.json")) for end in ("load", "serve"))
assert load["scenario"] == "http" and load["connections"]["established"] == 500, load["connections"]
assert serve["scenario"] == "http" and serve["connections"]["established"] == 500, serve["connections"]
print("500 connections, both ends from one file")
PY
