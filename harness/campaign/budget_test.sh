#!/bin/sh
# budget_test.sh - what a hunt may take: slow tests that lose a block are leaks all the same, what does not fit is named and
# counts as skipped, and the plan is printed. Run from the root with $B set.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "budget_test: $*"; bad=1; }
P=$B/fixtures/check_cost
seconds() { date +%s; }

# Ten tests of a quarter of a second, three of which lose a block in each call.
begun=$(seconds)
TESTS=10 GUILTY=30 SLEEP_MS=250 "$B/tidemark" hunt --no-color -- "$P" >"$T/slow.txt" 2>"$T/slow.err"
took=$(($(seconds) - begun))
[ "$(grep -c '^LEAK' "$T/slow.txt")" = 3 ] || fail "not three leaks: $(grep -c '^LEAK' "$T/slow.txt"), $(tail -1 "$T/slow.txt")"
tail -1 "$T/slow.txt" | grep -q ' 0 skipped$' || fail "slow tests are left out: $(tail -1 "$T/slow.txt")"
[ $took -lt 30 ] || fail "ten slow tests take $took s"
grep -Eq '^one pass takes 2\.[0-9]* s; the hunt takes at most 1[78](\.[0-9])? s \(.* on a busy machine\): 1 pass, and each of 10 tests repeated' \
    "$T/slow.err" || fail "the plan: $(cat "$T/slow.err")"

# A wish that is too small: the dearest are left out and named, nothing of them is passed.
TESTS=12 SLEEP_MS=100 "$B/tidemark" hunt --no-color --budget 3s --json "$T/wish.json" -- "$P" >"$T/wish.txt" 2>/dev/null
status=$?
skipped=$(tail -1 "$T/wish.txt" | sed 's/.* \([0-9]*\) skipped$/\1/')
[ "$skipped" -ge 4 ] && [ "$skipped" -le 12 ] || fail "a wish of 3 s: $(tail -1 "$T/wish.txt")"
grep -q "not repeated and not judged, because the budget has no room for them; the dearest is cost/all/one_of_many" "$T/wish.json" ||
    fail "a wish of 3 s: no note says what is left out"
[ "$(grep '"type":"test"' "$T/wish.json" | grep -c 'not repeated: a call takes 1[0-9][0-9]')" = "$skipped" ] || fail "a wish of 3 s: not each says why"
[ $status = 0 ] || [ "$skipped" = 12 ] || fail "a wish of 3 s: exit $status"
exit $bad
