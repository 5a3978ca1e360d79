#!/bin/sh
# runner_test.sh - a death costs one test; expectations decide the exit status; a killed supervisor leaves a
# readable file; two runs count the same. Run from the root with $B set.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "runner_test: $*"; bad=1; }

count() { # file status
    grep -c "\"type\":\"test\".*\"status\":\"$2\"" "$1"
}

run_death() { # death status
    cat >"$T/$1.yaml" <<EOF
scenario: death-$1
suite: {program: $PWD/$B/fixtures/check_hundreds, env: {DEATH: $1}}
limits: {memory: 64 MiB, timeout: 2 s}
EOF
    "$B/tidemark" run -q --json "$T/$1.jsonl" "$T/$1.yaml" >"$T/$1.txt" 2>&1
    status=$?
    [ $status -eq 1 ] || fail "$1: exit $status, should be 1"
    [ "$(count "$T/$1.jsonl" pass)" = 449 ] || fail "$1: $(count "$T/$1.jsonl" pass) results, not 449"
    [ "$(count "$T/$1.jsonl" "$2")" = 1 ] || fail "$1: no test with status $2"
    grep -q "\"id\":\"hundreds/all/one_of_many\[225\]\".*\"status\":\"$2\"" "$T/$1.jsonl" ||
        fail "$1: another test is named"
    [ "$(tail -n 1 "$T/$1.txt")" = "449 passed, 1 failed, 0 skipped" ] ||
        fail "$1: $(tail -n 1 "$T/$1.txt")"
}
run_death segfault crash
run_death hang timeout
run_death exit exit
run_death memory oom
grep -q "(fixtures/programs/check_hundreds.c:" "$T/segfault.txt" || fail "segfault: no stack with a line"

# A death that the scenario expects is no failure.
cat >"$T/expected.yaml" <<EOF
scenario: expected
suite: {program: $PWD/$B/fixtures/check_hundreds, env: {DEATH: segfault}}
expect: {default: {failed: 1, tests: 450}}
EOF
"$B/tidemark" run -q "$T/expected.yaml" >/dev/null 2>&1 || fail "an expected death exits $?"

# An expectation that does not hold is one, and its line is named.
cat >"$T/broken.yaml" <<EOF
scenario: broken
suite: {program: $PWD/$B/fixtures/check_hundreds}
expect: {default: {tests: 451}}
EOF
"$B/tidemark" run -q "$T/broken.yaml" >"$T/broken.txt" 2>&1
[ $? -eq 1 ] || fail "a broken expectation does not exit 1"
grep -q "broken.yaml:3" "$T/broken.txt" || fail "the broken expectation's line is not named"

# A cache left out: one that is innocent, and one that is the whole growth.
cat >"$T/ablate.yaml" <<EOF
scenario: ablate
suite: {program: registry, tests: 12, lookups: 300, session: suite, copies: 200}
teardown: never
variants: [blamed: {strategy: lru, entries: 57}]
EOF
cat >"$T/guilty.yaml" <<EOF
scenario: guilty
suite: {program: registry, tests: 12, lookups: 300}
teardown: never
variants: [unbounded]
EOF
if [ "${CACHE:-all}" != all ]; then
    :
elif "$B/tidemark" run -q --json "$T/ablate.jsonl" --ablate cache "$T/ablate.yaml" >"$T/ablate.txt" 2>&1; then
    grep -q '"note".*blamed: without its cache it grows by the same .*innocent' "$T/ablate.jsonl" ||
        fail "--ablate: $(grep '"note"' "$T/ablate.jsonl")"
    "$B/tidemark" run -q --json "$T/guilty.jsonl" --ablate cache "$T/guilty.yaml" >/dev/null 2>&1
    grep -q '"note".*unbounded: .* 0 B without its cache: the cache makes 100.0 %' "$T/guilty.jsonl" ||
        fail "--ablate of a guilty cache: $(grep '"note"' "$T/guilty.jsonl")"
else
    fail "--ablate: $(tail -n 3 "$T/ablate.txt")"
fi

# Counts repeat to the byte.
figures() {
    grep '"type":"test"' "$1" | sed 's/"peak_rss_bytes":[0-9]*//; s/"wall_ns":[0-9]*//'
}
cat >"$T/same.yaml" <<EOF
scenario: same
suite: {program: registry, tests: 40, lookups: 300}
teardown: never
variants: [direct, unbounded, lru: {entries: 64}]
EOF
if "$B/tidemark" run -q --json "$T/a.jsonl" "$T/same.yaml" >"$T/same.txt" 2>&1; then
    "$B/tidemark" run -q --json "$T/b.jsonl" "$T/same.yaml" >/dev/null 2>&1
    figures "$T/a.jsonl" >"$T/a"
    figures "$T/b.jsonl" >"$T/b"
    cmp -s "$T/a" "$T/b" || fail "two runs count differently: $(diff "$T/a" "$T/b" | head -n 2)"
else
    fail "the scenario that is to be repeated: $(tail -n 3 "$T/same.txt")"
fi

# A test that ends just as it is killed has one result.
cat >"$T/edge.c" <<EOF
#include <check.h>
#include <unistd.h>
START_TEST(ends_with_the_limit) { usleep(100000 + 200 * (unsigned)_i); } END_TEST
int main(void)
{
    Suite *suite = suite_create("edge");
    TCase *tcase = tcase_create("limit");
    tcase_add_loop_test(tcase, ends_with_the_limit, -5, 15);
    suite_add_tcase(suite, tcase);
    srunner_run_all(srunner_create(suite), CK_SILENT);
    return 0;
}
EOF
# shellcheck disable=SC2046
cc -o "$T/edge" "$T/edge.c" $(pkg-config --cflags --libs check) || fail "edge.c"
printf 'scenario: edge\nsuite: {program: %s}\nlimits: {timeout: 100 ms}\nvariants:\n  - one\n' "$T/edge" >"$T/edge.yaml"
"$B/tidemark" run -q --json "$T/edge.jsonl" "$T/edge.yaml" >/dev/null 2>&1
[ "$(grep -c '"type":"test"' "$T/edge.jsonl")" = 20 ] || fail "20 tests that end with the limit have $(grep -c '"type":"test"' "$T/edge.jsonl") results"

# kill -9 of the supervisor: the file is readable and says that it is incomplete; no worker is left.
cat >"$T/killed.yaml" <<EOF
scenario: killed
suite: {program: $PWD/$B/fixtures/check_hundreds, env: {DEATH: hang}}
variants: [one, two]
EOF
"$B/tidemark" run -q --json "$T/killed.jsonl" "$T/killed.yaml" >/dev/null 2>&1 &
pid=$!
sleep 1
kill -9 $pid
wait $pid 2>/dev/null
tail -n 1 "$T/killed.jsonl" | grep -q '"type":"summary"' || fail "killed: the file does not end in a summary"
[ "$(count "$T/killed.jsonl" pass)" = 225 ] || fail "killed: $(count "$T/killed.jsonl" pass) results, not 225"
tail -n 1 "$T/killed.jsonl" | grep -q '"incomplete":0' && fail "killed: the summary calls it complete"
"$B/tidemark" report "$T/killed.jsonl" | grep -q '^INCOMPLETE: 675 tests without a result' || fail "killed: the tests that are missing are not counted"

# The hunt: a leak is found, what is clean is not accused.
"$B/tidemark" hunt -q -- "$B/fixtures/check_hundreds" >"$T/hunt.txt" 2>&1 || fail "hunt accuses: exit $?"
exit $bad
