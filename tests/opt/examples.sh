#!/usr/bin/env bash
# The examples of the help that need no device: each is run as it stands, and must work. A time that
# they do not say is made short by $TERN_CONFIG, over which the line wins.
set -uo pipefail
tern=$(realpath "$1")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
printf 'pair:\n  duration: 1s\n  no-huge: true\n' >"$dir/short.yml"
export TERN_CONFIG=$dir/short.yml
cd "$dir" || exit 1 # some write files
n=0 bad=0
for command in pair doctor; do
    while read -r line; do
        eval "words=(${line#tern })" # quoted as for a shell; the program's own lines
        timeout 60 "$tern" "${words[@]}" >"$dir/out" 2>&1
        rc=$?
        n=$((n + 1))
        [[ $rc == 0 ]] && continue
        echo "FAIL: $line: exits with $rc"
        tail -5 "$dir/out"
        bad=1
    done < <("$tern" help "$command" | sed -n "s/^  \(tern $command.*\)/\1/p")
done
"$tern" explain --preset rfc9411-cps | grep -q '^  tern pair .*--scenario http' || { echo 'FAIL: explain'; bad=1; }
"$tern" explain | grep -qx '  tern pair --duration 1s --no-huge' || { echo 'FAIL: explain of a file'; bad=1; }
for preset in $("$tern" pair --preset no 2>&1 | sed 's/.*type one of //; s/,//g'); do
    timeout 60 "$tern" pair --preset "$preset" --duration 1s >"$dir/out" 2>&1 ||
        { echo "FAIL: --preset $preset"; tail -5 "$dir/out"; bad=1; }
    n=$((n + 1))
done
echo "$n examples"
[[ $n -ge 10 ]] || bad=1
exit $bad
