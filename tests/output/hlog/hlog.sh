#!/usr/bin/env bash
# Usage: hlog.sh TERN DIRECTORY_WITH_NODE_MODULES
set -euo pipefail
tern=$(realpath "$1") here=$(dirname "$(realpath "$0")")
export TERN_HDR=$2
if ! command -v node >/dev/null || [ ! -d "$TERN_HDR/node_modules/hdr-histogram-js" ]; then
    echo "skipped: neither node nor hdr-histogram-js; npm could not fetch it" # its registry is not everywhere
    exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
timeout --foreground 60 "$tern" pair --no-huge --scenario http --rate 400 --duration 3500ms --hlog "$scratch/run.hlog" \
    --json "$scratch/run.json" >"$scratch/log" 2>&1 || { tail -n 20 "$scratch/log"; exit 1; }
node "$here/read.mjs" "$scratch/run.hlog" "$scratch/run.json"
