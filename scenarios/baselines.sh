#!/bin/sh
# baselines.sh - every shipped scenario: run, baseline save, check, update, check again, and checked with the
# result of a second machine. Minutes; `make baselines`. Run from the root with $B set.
#   scenarios/baselines.sh [SCENARIO...]
set -u
B=${B:-build}
T=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-baselines.XXXXXX") || exit 99
trap 'rm -rf "$T"' EXIT
passed=0 failed=0 skipped=0
[ $# -gt 0 ] || set -- scenarios/*.yaml
step() { # WHAT STATUS ARGS...
    what=$1 want=$2
    shift 2
    "$B/tidemark" baseline "$@" >"$T/out" 2>&1
    got=$?
    [ $got -eq "$want" ] || { echo "$scenario: $what: status $got, not $want"; tail -8 "$T/out"; bad=1; }
}
for scenario; do
    bad=0
    rm -f "$T"/*
    "$B/tidemark" run -q --json "$T/r.jsonl" "$scenario" >"$T/out" 2>&1
    status=$?
    if [ $status -eq 77 ]; then
        echo "$scenario: skipped: $(tail -2 "$T/out" | head -1)"
        skipped=$((skipped + 1))
        continue
    fi
    [ $status -le 1 ] || { echo "$scenario: the run ended with $status"; tail -5 "$T/out"; bad=1; }
    sed 's/"host":"[^"]*"/"host":"another"/; s/"started":"[^"]*"/"started":"2001-01-01T00:00:00Z"/' "$T/r.jsonl" >"$T/second.jsonl"
    step save 0 save -f "$T/b" "$T/r.jsonl"
    step check 0 check -f "$T/b" "$T/r.jsonl"
    step update 0 update -f "$T/b" "$T/r.jsonl"
    step "check after the update" 0 check -f "$T/b" "$T/r.jsonl"
    step "check of a second machine" 0 check -f "$T/b" "$T/second.jsonl"
    [ $bad -eq 0 ] && passed=$((passed + 1)) || failed=$((failed + 1))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
