#!/bin/sh
# left_thread_test.sh - a thread that one test leaves is waited for once: the test after the one that waited in vain is
# repeated in a process without it. Run from the root with $B set.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "left_thread_test: $*"; bad=1; }

LOG=$T/log "$B/tidemark" hunt --no-color -- "$B/fixtures/check_left_thread" >"$T/screen" 2>/dev/null
grep -q '^GROWTH  left/thread/keeps_first' "$T/screen" || fail "keeps_first: $(tail -1 "$T/screen")"
grep -q '^GROWTH  left/thread/keeps_next' "$T/screen" || fail "keeps_next: $(tail -1 "$T/screen")"
calls() { grep -c "^$1 $2\$" "$T/log"; }
[ "$(calls keeps_first beside)" -gt 1000 ] || fail "keeps_first was called $(calls keeps_first beside) times beside the thread"
[ "$(calls keeps_next alone)" -gt 1000 ] || fail "keeps_next was called $(calls keeps_next alone) times without a thread"
[ "$(calls keeps_next beside)" -lt 100 ] || fail "keeps_next was called $(calls keeps_next beside) times beside the thread"
exit $bad
