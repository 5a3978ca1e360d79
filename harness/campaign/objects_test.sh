#!/bin/sh
# objects_test.sh - what outlives the process is a leak of the test that makes it, and what the hunt's own repetitions
# leave is removed. Run from the root with $B set. fixtures/programs/check_objects.c is the program.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "objects_test: $*"; bad=1; }
left() { # what the program makes that is there now: its System V objects have odd permissions
    # shellcheck disable=SC2012
    ls /dev/shm 2>/dev/null | grep -c tidemark-check-
    ipcs -m -s -q 2>/dev/null | grep -Ec '^0x[0-9a-f]+ +[0-9]+ +[^ ]+ +604 ' || true
}
left >"$T/before"
TMPDIR=$T "$B/tidemark" hunt -q --quick --no-color --json "$T/r.jsonl" -- "$B/fixtures/check_objects" >"$T/out" 2>&1
[ $? -eq 1 ] || fail "not 1: $(head -n 3 "$T/out")"
for kind in shared_memory semaphore queue segment semaphore_set message_queue local_socket; do
    # No message queues of POSIX in this kernel, or as many as there may be: nothing is made, nothing is left.
    [ $kind = queue ] && ! grep -q '"id":"objects/all/leaves_a_queue".*"verdict":"leak"' "$T/r.jsonl" && continue
    grep -q "\"type\":\"test\",\"id\":\"objects/all/leaves_a_$kind\".*\"status\":\"pass\".*\"verdict\":\"leak\"" "$T/r.jsonl" ||
        fail "leaves_a_$kind is no leak: $(grep "\"id\":\"objects/all/leaves_a_$kind\"" "$T/r.jsonl" | cut -c 1-300)"
    grep -q "\"type\":\"test\",\"id\":\"objects/all/removes_a_$kind\".*\"status\":\"pass\".*\"verdict\":\"clean\"" "$T/r.jsonl" ||
        fail "removes_a_$kind is not clean: $(grep "\"id\":\"objects/all/removes_a_$kind\"" "$T/r.jsonl" | cut -c 1-300)"
done
tr -s '\n ' '  ' <"$T/out" >"$T/said"
grep -q 'LEAK objects/all/leaves_a_segment .* made by segment (fixtures/programs/check_objects.c:[0-9]*)' "$T/said" || fail "no place: $(cat "$T/said")"
grep -q '[0-9][0-9] objects of the system that the repetitions of [^ ]*check_objects left were removed; the first was /dev/shm/tidemark-check-' "$T/said" ||
    fail "nothing is said of what was removed: $(cat "$T/said")"
left >"$T/after"
cmp -s "$T/before" "$T/after" || fail "left behind: $(cat "$T/before") before, $(cat "$T/after") after"
exit $bad
