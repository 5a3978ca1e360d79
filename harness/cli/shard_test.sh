#!/bin/sh
# shard_test.sh - --shard and --balance: the shards together are the unsharded run, test by test; what is
# missing is named; schedulers are understood; groups stay together. Run from the root with $B set.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
unset TEST_TOTAL_SHARDS TEST_SHARD_INDEX GTEST_TOTAL_SHARDS GTEST_SHARD_INDEX CI_NODE_TOTAL CI_NODE_INDEX \
    CIRCLE_NODE_TOTAL CIRCLE_NODE_INDEX BUILDKITE_PARALLEL_JOB BUILDKITE_PARALLEL_JOB_COUNT \
    SLURM_ARRAY_TASK_ID SLURM_ARRAY_TASK_COUNT JOB_COMPLETION_INDEX JOB_COMPLETIONS
bad=0
fail() { echo "shard_test: $*"; bad=1; }
has() { grep -q -- "$2" "$1" || { fail "'$2' is not in $(basename "$1"):"; cat "$1"; }; }

# What a shard may not change: all but times, peaks of the process, and how often it was repeated.
# A test's line is written again when more is known of it: the last one of a file counts.
exact() {
    for file; do
        jq -c 'select(.type == "test") | [.id, .variant, .status, .verdict, .signal, .allocs, .frees,
            .bytes, .retained_bytes, .retained_blocks, .growth_bytes_per_rep, .fds, .threads, .message, .file,
            .line]' "$file" | tac | jq -nc 'reduce inputs as $test ({}; .[$test[:2] | tostring] //= $test) | .[]'
    done | sort
}

same() { # whole, shards...
    whole=$1
    shift
    exact "$whole" >"$T/exact.whole"
    exact "$@" >"$T/exact.shards"
    [ -s "$T/exact.whole" ] || fail "$whole: no tests"
    cmp -s "$T/exact.whole" "$T/exact.shards" ||
        { fail "the shards differ from the whole:"; diff "$T/exact.whole" "$T/exact.shards" | head; }
}

hunt() { # the JSON file, options...
    json=$1
    shift
    "$B/tidemark" hunt --json "$json" "$@" -- "$B/fixtures/check_basic" >"$T/out" 2>"$T/err"
}

# A hunt, whole and in parts; the parts by hash and by what the whole took.
hunt "$T/whole.jsonl"
[ $? -eq 1 ] || fail "the whole: another status than 1"
for n in 1 2 3 4; do
    hunt "$T/hash.$n" --shard $n/4
    [ $? -le 1 ] || { fail "shard $n/4: $(cat "$T/err")"; }
    hunt "$T/dealt.$n" --shard $n/4 --balance "$T/whole.jsonl"
    [ $? -le 1 ] || { fail "shard $n/4, balanced: $(cat "$T/err")"; }
done
same "$T/whole.jsonl" "$T"/hash.?
same "$T/whole.jsonl" "$T"/dealt.?
for n in 1 2 3 4; do
    [ "$(exact "$T/dealt.$n" | wc -l)" -gt 0 ] || fail "balanced, shard $n has nothing to do"
done
"$B/tidemark" report "$T"/hash.? --json "$T/merged.jsonl" >"$T/out" 2>"$T/err"
[ $? -eq 1 ] || fail "the merged report: another status than 1"
same "$T/whole.jsonl" "$T/merged.jsonl"
[ "$(tail -n 1 "$T/out")" = "8 passed, 4 failed, 0 skipped" ] || fail "merged: $(tail -n 1 "$T/out")"

# The tests of a case with unchecked fixtures share a process.
[ "$(grep -l '"id":"basic/fixtures/' "$T"/hash.? | wc -l)" = 1 ] || fail "a group was parted"
[ "$(grep -l '"id":"basic/fixtures/' "$T"/dealt.? | wc -l)" = 1 ] || fail "a group was parted by --balance"

# A missing shard, one that broke off, one that is there twice, one of another partition.
for lost in 1 2 3 4; do
    [ "$(exact "$T/hash.$lost" | wc -l)" -gt 1 ] && break
done
others=
for n in 1 2 3 4; do [ $n = $lost ] || others="$others $T/hash.$n"; done
# shellcheck disable=SC2086
"$B/tidemark" report $others >"$T/out" 2>"$T/err"
[ $? -eq 99 ] || fail "a missing shard: another status than 99"
has "$T/err" "missing shard of 4: $lost, with $(exact "$T/hash.$lost" | wc -l) tests"
exact "$T/hash.$lost" | jq -r '.[0]' | while read -r id; do grep -qF "    $id" "$T/err" || echo "$id"; done >"$T/unnamed"
[ -s "$T/unnamed" ] && fail "tests of the missing shard that are not named: $(cat "$T/unnamed")"
cut=$(grep -n '"type":"test"' "$T/hash.$lost" | head -n 1 | cut -d: -f1)
head -n "$cut" "$T/hash.$lost" >"$T/cut"
# shellcheck disable=SC2086
"$B/tidemark" report $others "$T/cut" >"$T/out" 2>"$T/err"
[ $? -eq 99 ] || fail "a shard that broke off: another status than 99"
has "$T/err" "broken off shard of 4: $lost, with $(($(exact "$T/hash.$lost" | wc -l) - 1)) test"
"$B/tidemark" report "$T"/hash.? "$T/hash.$lost" >"$T/out" 2>"$T/err"
[ $? -eq 99 ] || fail "a shard twice: another status than 99"
has "$T/err" "in another of the files too"
# shellcheck disable=SC2086
"$B/tidemark" report $others "$T/dealt.$lost" >"$T/out" 2>"$T/err"
[ $? -eq 99 ] || fail "two partitions: another status than 99"
has "$T/err" "parted otherwise"

# More shards than pieces: one that has nothing to do has measured nothing, and belongs to the whole.
ended=
for n in 1 2 3 4 5 6; do
    hunt "$T/many.$n" --only 'basic/plain/is_clean' --shard $n/6 --junit "$T/xml.$n" --tap "$T/tap.$n"
    status=$?
    ended="$ended $status"
    [ $status -eq 77 ] || continue
    has "$T/out" "nothing was judged: none of the tests belongs to shard $n/6"
    grep -q "none of the tests belongs to shard $n/6" "$T/xml.$n" || fail "JUnit of shard $n/6 does not say why"
    grep -q '^not ok' "$T/tap.$n" || fail "TAP of shard $n/6 is green"
    "$B/tidemark" report "$T/many.$n" >"$T/out" 2>&1
    [ $? -eq 99 ] || fail "report of shard $n/6 alone: another status than 99"
done
[ "$(echo "$ended" | tr ' ' '\n' | sort | uniq -c | tr -s ' \n' ' ')" = " 1 1 0 5 77 " ] || fail "6 shards of one test:$ended"
# Of a missing shard the tests are named, and not why another one has none.
none=$(grep -L '"type":"test"' "$T"/many.? | head -n 1)
others=
for n in 1 2 3 4 5 6; do [ "$T/many.$n" = "$none" ] || others="$others $T/many.$n"; done
# shellcheck disable=SC2086
"$B/tidemark" report -q $others >"$T/out" 2>&1
[ $? -eq 99 ] || fail "one empty shard is missing: another status than 99"
grep -q "incomplete.*belongs to shard" "$T/out" && fail "the reason of one shard is told of another: $(cat "$T/out")"
[ "$(exact "$T"/many.* | wc -l)" = 1 ] || fail "one test in 6 shards came $(exact "$T"/many.* | wc -l) times"
"$B/tidemark" report "$T"/many.* >"$T/out" 2>&1 || fail "6 shards of one test do not merge: $(cat "$T/out")"

# Schedulers. Each says it is part 2 of 4.
scheduler() { # variables
    env "$@" "$B/tidemark" hunt --json "$T/scheduled.jsonl" -- "$B/fixtures/check_basic" >"$T/out" 2>"$T/err"
    [ $? -le 1 ] || fail "$*: $(cat "$T/err")"
    has "$T/out" "shard 2/4"
    same "$T/hash.2" "$T/scheduled.jsonl"
}
scheduler TEST_TOTAL_SHARDS=4 TEST_SHARD_INDEX=1 TEST_SHARD_STATUS_FILE="$T/bazel"
[ -f "$T/bazel" ] || fail "Bazel's status file was not touched"
scheduler GTEST_TOTAL_SHARDS=4 GTEST_SHARD_INDEX=1
scheduler SLURM_ARRAY_TASK_ID=12 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_MAX=16 \
    SLURM_ARRAY_TASK_STEP=2
scheduler JOB_COMPLETION_INDEX=1 JOB_COMPLETIONS=4
scheduler BUILDKITE_PARALLEL_JOB=1 BUILDKITE_PARALLEL_JOB_COUNT=4
scheduler CIRCLE_NODE_INDEX=1 CIRCLE_NODE_TOTAL=4
scheduler CI_NODE_INDEX=2 CI_NODE_TOTAL=4
has "$T/out" "repeat: tidemark hunt --shard 2/4 "
CI_NODE_INDEX=2 CI_NODE_TOTAL=4 hunt "$T/all.jsonl" --shard 1/1
same "$T/whole.jsonl" "$T/all.jsonl"
JOB_COMPLETION_INDEX=1 hunt "$T/all.jsonl"
has "$T/err" "JOB_COMPLETIONS is not"
same "$T/whole.jsonl" "$T/all.jsonl"

# Mistakes: exit 2, nothing run.
for wrong in 0/3 4/3 3 1/ /2 x/2 1/0 1/2x -1/2; do
    hunt "$T/no.jsonl" --shard "$wrong"
    [ $? -eq 2 ] || fail "--shard $wrong: another status than 2"
done
CI_NODE_INDEX=5 CI_NODE_TOTAL=4 hunt "$T/no.jsonl"
[ $? -eq 2 ] || fail "part 5 of 4: another status than 2"
has "$T/err" "CI_NODE_INDEX=5 does not fit CI_NODE_TOTAL=4"
[ -e "$T/no.jsonl" ] && fail "a mistake leaves a result"

# A scenario: whole variants, so each has its own verdict, and the expectations hold.
cat >"$T/three.yaml" <<END
scenario: three
suite: {program: registry, tests: 12, lookups: 100}
teardown: never
variants: [direct, {lru: {entries: 64}}, unbounded]
expect:
  direct: {tests: 12, failed: 0}
  lru: {tests: 12, hits: "0 .. 100000"}
END
"$B/tidemark" run --json "$T/run.jsonl" "$T/three.yaml" >"$T/out" 2>&1 || fail "run: $(cat "$T/out")"
for n in 1 2; do
    "$B/tidemark" run --shard $n/2 --json "$T/run.$n" "$T/three.yaml" >"$T/out" 2>&1 || fail "run $n/2: $(cat "$T/out")"
done
same "$T/run.jsonl" "$T/run.1" "$T/run.2"
"$B/tidemark" report "$T/run.jsonl" >"$T/whole.txt" 2>&1
"$B/tidemark" report "$T/run.1" "$T/run.2" >"$T/merged.txt" 2>&1 || fail "the run's shards do not merge"
[ "$(tail -n 1 "$T/whole.txt")" = "$(tail -n 1 "$T/merged.txt")" ] ||
    fail "$(tail -n 1 "$T/whole.txt") as a whole, $(tail -n 1 "$T/merged.txt") merged"
exit $bad
