#!/bin/sh
# forks_test.sh - tests that hang or fail without a process of their own are run in a child by themselves, and the
# header says how many; who made them fail is named. From the root with $B set.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "forks_test: $*"; bad=1; }

"$B/tidemark" hunt -q --timeout '1 s' --json "$T/forks.jsonl" -- "$B/fixtures/check_forks" >"$T/out" 2>&1
status=$?
tr -s '\n ' '  ' <"$T/out" >"$T/text"
says() { grep -q -- "$1" "$T/text" || fail "not said: $1"; }
[ $status -eq 0 ] || fail "exit $status: $(cat "$T/out")"
says "2 of 6 tests forked"
says "forks/all/waits_for_the_lock hangs in the process of the tests before it, and passes in a child"
says "forks/all/counts_from_none fails in the process of the tests before it, .* and passes in a process of its own"
says "forks/all/counts_from_none passes by itself and fails after forks/all/leaves_it_locked"
says "4 clean, 2 not judged"
[ "$(tail -n 1 "$T/out")" = "5 passed, 0 failed, 2 skipped" ] || fail "$(tail -n 1 "$T/out")"
grep '"id":"forks/all/ends_the_process"' "$T/forks.jsonl" | grep -q "in a child of its own" || fail "no horizon"
exit $bad
