#!/bin/sh
# after_first_test.sh - tests that pass in order, but neither by themselves nor when they are repeated, are no failures: a
# note says so. Run from the root with $B set.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "after_first_test: $*"; bad=1; }

"$B/fixtures/check_after_first" >/dev/null || fail "it does not pass natively"
"$B/tidemark" hunt -q --json "$T/hunt.jsonl" -- "$B/fixtures/check_after_first" >"$T/screen" 2>&1 || fail "exit $?"
for test in fails_at_its_seventh_call:fails dies_at_its_second_call:dies; do
    name=after/first/${test%:*}
    grep -q "\"id\":\"$name\".*\"status\":\"pass\".*\"verdict\":\"none\"" "$T/hunt.jsonl" ||
        fail "$(grep "\"id\":\"$name\"" "$T/hunt.jsonl" | cut -c1-300)"
    grep -q "$name passes in order, and ${test#*:} by itself: run once, no verdict" "$T/hunt.jsonl" || fail "$name: no note"
done
grep -q '^2 passed, 0 failed, 2 skipped' "$T/screen" || fail "$(tail -n 1 "$T/screen")"
exit $bad
