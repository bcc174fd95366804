#!/usr/bin/env bash
# What a run leaves behind when it is killed, and when the disk is full. Usage: survive.sh TERN
set -euo pipefail
tern=$(realpath "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

ok() { printf 'ok    %s\n' "$*"; }
fail() {
    printf 'FAIL  %s\n' "$*" >&2
    tail -n 20 log >&2 || true
    exit 1
}
equal() { [ "$2" = "$3" ] && ok "$1: $3" || fail "$1: expected $2, got $3"; }

# Few connections: what is asked here is about files.
run=(timeout --foreground 60 "$tern" pair --no-huge --scenario echo --rate 200)

# A table that is whole: each row has as many cells as the header, each ends with its line.
check_table() {
    python3 - "$1" <<'PY'
import csv, sys
text = open(sys.argv[1], newline="").read()
assert text.endswith("\n") and "\r" not in text, "the last line is whole"
header, *rows = csv.reader(text.splitlines())
assert header[:3] == ["time_s", "length_s", "phase"] and len(set(header)) == len(header), header[:3]
for row in rows:
    assert len(row) == len(header), (len(row), len(header))
    cells = dict(zip(header, row))
    assert cells["failed_max_ns"] == "", "nothing failed, so nothing was measured"
    assert 0 <= float(cells["busy_server_0"]) <= 1, row[:3]
    if cells["phase"] != "drain":
        assert int(cells["opened"]) > 0 and int(cells["connect_p99_ns"]) > 0, row[:6]
print(len(rows))
PY
}

# A killed run leaves every second that was over.
"${run[@]}" --duration 30s --csv killed.csv --json killed.json >log 2>&1 &
timeout=$!
poll=0
until grep -q '^ *3\.0 ' log; do
    sleep 0.05
    [ $((poll += 1)) -lt 400 ] || fail "three seconds were never over"
done
sleep 0.5
pid=$(cat "/proc/$timeout/task/$timeout/children")
kill -KILL "${pid% }"
wait "$timeout" || true
equal "rows of a run killed in its fourth second" 3 "$(check_table killed.csv)"
[ ! -e killed.json ] || fail "a killed run left a result"
ok "no half of a result under its name"
equal "what else it left" "killed.csv log" "$(echo *)"

# A run that ends by itself: the JSON's series has the same seconds.
"${run[@]}" --duration 2500ms --csv whole.csv --json whole.json >log 2>&1 || fail "a plain run"
equal "rows: two seconds, half of one, the drain" 4 "$(check_table whole.csv)"
equal "lines: of whole seconds alone" 2 "$(grep -cE '^ *[0-9]+\.[0-9]( +[0-9.]+){8}$' log)"
python3 - <<'PY' || fail "CSV and JSON tell the same"
import csv, json
rows = list(csv.DictReader(open("whole.csv")))
result = json.load(open("whole.json"))
series = result["series"]
assert len(series["rows"]) == len(rows) and series["lost"] == 0 and result["notes"] == {}
assert [row["phase"] for row in rows] == ["steady"] * 3 + ["drain"]
assert 0.4 < float(rows[2]["length_s"]) < 1 and abs(float(rows[2]["time_s"]) - result["duration_s"]) < 0.01
for name in ("opened", "established", "closed"):
    added, told = sum(int(row[name]) for row in rows), result["connections"][name]
    assert told - 1 <= added <= told, (name, added, told, "the first one shows the way, before the first second")
times = result["latency"]["complete"]["n"]
assert sum(int(row["complete_n"]) for row in rows) == times, times
for row, cells in zip(rows, series["rows"]):
    told = dict(zip(series["columns"], cells))
    assert set(told) < set(row) and "connect_p50_ns" in told and "failed_n" not in told
    for name, cell in told.items():
        text = row[name]
        same = text == "" if cell is None else text == cell if isinstance(cell, str) else float(text) == cell
        assert same, (name, cell, text)
assert result["options"] == {"no-huge": "true", "scenario": "echo", "rate": "200", "duration": "2500ms"}, result["options"]
PY
ok "CSV and JSON tell the same"

# A full disk: said once, the run goes on, what fitted is whole, and the exit status is the run's.
# Of the four pages the first is the file's; the rest is taken from it.
export scratch
unshare_root=()
[ "$(id -u)" -eq 0 ] || unshare_root=(--map-root-user)
unshare --mount "${unshare_root[@]}" true 2>/dev/null || {
    [ "${TERN_NO_SKIP:-0}" = 0 ] || fail "cannot run: no mount namespace of our own"
    ok "full disk: skipped, no mount namespace of our own"
    exit 0
}
mkdir disk
export -f fail ok
status=0
unshare --mount "${unshare_root[@]}" bash -c '
    mount -t tmpfs -o size=16k tern disk
    head -c 12288 /dev/zero >disk/others
    "$@" --duration 10s --csv disk/full.csv --json full.json >log 2>err || exit $?
    cp disk/full.csv full.csv
' bash "${run[@]}" || status=$?
equal "exit status with a full disk" 0 "$status"
equal "times it was told" 1 "$(grep -c 'cannot add to disk/full.csv: No space left on device' err)"
equal "lines a second, all the same" 9 "$(grep -cE '^ *[1-9]\.0 ' log)"
rows=$(check_table full.csv)
lost=$(sed -nE 's/^tern: --csv: ([0-9]+) of [0-9]+ rows are missing .*/\1/p' err)
[ "$rows" -gt 0 ] && [ "${lost:-0}" -gt 0 ] || fail "rows $rows, lost ${lost:-not told}"
of=$(sed -nE 's/^tern: --csv: [0-9]+ of ([0-9]+) rows .*/\1/p' err)
equal "rows kept and lost" "$of" $((rows + lost))
equal "what the result says of it" "$lost, not against it" "$(python3 -c '
import json
result = json.load(open("full.json"))
against = [why for why in result["invalid_reasons"] if "csv" in why]
print(result["notes"]["csv_rows_lost"], against or "not against it", sep=", ")')"

# What cannot be written at all is refused before anything starts.
status=0
"${run[@]}" --duration 1s --csv /dev/full >log 2>err || status=$?
equal "exit status without a file to write" 2 "$status"
equal "lines about it" 1 "$(grep -c '^tern: --csv: cannot write /dev/full: No space left on device; type another path$' err)"
