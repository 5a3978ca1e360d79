#!/bin/sh
# resident_test.sh - resident memory that neither heap nor mappings explain makes a test inconclusive where it rises
# on every step, and says so; one that rises for a while does not. From the root with $B set.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "resident_test: $*"; bad=1; }
"$B/tidemark" hunt -q --json "$T/r.jsonl" -- "$B/fixtures/check_resident" >"$T/out" 2>&1
verdict() { # test: its verdict and evidence
    sed -n 's|.*"type":"test","id":"[^"]*/'"$1"'".*"verdict":"\([a-z]*\)".*|\1|p' "$T/r.jsonl" | tail -n 1
}
for test in bumps_along_an_array bumps_along_reserved_memory; do
    [ "$(verdict $test)" = inconclusive ] || fail "$test is $(verdict $test)"
    grep "/$test\"" "$T/r.jsonl" | grep -q "its resident memory rose by .* a call in 1,024 repetitions" ||
        fail "$test: no evidence: $(grep "/$test\"" "$T/r.jsonl")"
done
for test in touches_an_array_once cuts_the_heap_to_pieces takes_much_and_gives_it_back; do
    case $(verdict $test) in clean | saturating) ;; *) fail "$test is $(verdict $test)" ;; esac
done
exit $bad
