#!/bin/sh
# child_memory_test.sh - the kernel kills a test's child at the cap: that is out of memory, whatever the test makes of
# it. Needs a control group; run from the root with $B set. fixtures/programs/check_child_memory.c is the program.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "child_memory_test: $*"; cat "$T/said"; bad=1; }
"$B/tidemark" hunt -q --quick --no-color --memory 64MiB --json "$T/r.jsonl" -- "$B/fixtures/check_child_memory" >"$T/out" 2>&1
status=$?
grep -q '"cap_kind":"cgroup' "$T/r.jsonl" || { echo "no control group of memory can be made here"; exit 77; }
tr -s '\n ' '  ' <"$T/out" >"$T/said"
[ $status -eq 1 ] || fail "exit $status"
grep -q 'OOM memory/all/minds_its_child ran out of memory at the cap of 64 MiB (67.1 MB): a child of it was killed: the child ended with 9' "$T/said" ||
    fail "who minds its child is not out of memory"
grep -q 'OOM memory/all/does_not_mind_its_child ran out of memory at the cap of 64 MiB (67.1 MB): a child of it was killed' "$T/said" ||
    fail "who does not mind its child is not out of memory"
tail -n 1 "$T/out" | grep -qx '2 passed, 2 failed, 0 skipped' || fail "$(tail -n 1 "$T/out")"
exit $bad
