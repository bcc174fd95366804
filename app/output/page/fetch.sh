#!/bin/sh
# The plotting library into the build directory, exactly as the lock names it. Usage: fetch.sh SOURCE BUILD
set -eu
source=$1 build=$2
cmp -s "$source/package-lock.json" "$build/fetched.json" && exit 0
mkdir -p "$build"
cp "$source/package.json" "$source/package-lock.json" "$source/.npmrc" "$build"
cd "$build"
timeout 120 npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1
cp package-lock.json fetched.json
