#!/bin/sh
# jobs_test.sh - `hunt --jobs N`: the same result, line by line, as with one job; a worker that dies costs one test; each
# job has a TMPDIR of its own, which is gone afterwards; a supervisor that is killed leaves what was known, and says that
# the run did not end. Run from the root with $B set.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "jobs_test: $*"; bad=1; }
P=$B/fixtures/check_cost
export TMPDIR="$T"

# Without what is a time or resident memory, which never repeats exactly, and without the command line.
lines() { sed -E 's/"[a-z_]*(_ns|rss|rss_bytes)":[^,}]*//g' "$1" | grep -v '"type":"run"'; }

for jobs in 1 3; do
    TESTS=60 GUILTY=20 "$B/tidemark" hunt -q --no-color --jobs $jobs --json "$T/$jobs.json" -- "$P" >"$T/$jobs.txt" 2>&1
    [ $? = 1 ] || fail "--jobs $jobs does not exit 1"
    lines "$T/$jobs.json" >"$T/$jobs.lines"
    sed -E -e '/^repeat:|^The suite peaks/d' -e 's/; the suite peaks at .*//' "$T/$jobs.txt" >"$T/$jobs.screen"
done
[ "$(grep -c '"verdict":"leak"' "$T/1.lines")" = 24 ] || fail "not 12 leaks and a site of each"
cmp -s "$T/1.lines" "$T/3.lines" || { fail "three jobs write other lines:"; diff "$T/1.lines" "$T/3.lines" | head -5; }
cmp -s "$T/1.screen" "$T/3.screen" || { fail "three jobs show something else:"; diff "$T/1.screen" "$T/3.screen" | head -5; }

# What tests are accused of by themselves is left out of the suite, whoever repeated them.
for jobs in 1 3; do
    "$B/tidemark" hunt -q --no-color --jobs $jobs --json "$T/shared-$jobs.json" -- "$B/fixtures/check_shared" >"$T/out" 2>&1
    grep '"type":"variant"' "$T/shared-$jobs.json" | grep -q '"verdict":"accumulates"' ||
        fail "$jobs jobs: $(grep '"type":"variant"' "$T/shared-$jobs.json" | cut -c 1-300)"
    grep '"type":"site","test":""' "$T/shared-$jobs.json" | grep -q '"function":"cache_fill"' ||
        fail "$jobs jobs: the cache is not named"
    grep '"type":"site","test":""' "$T/shared-$jobs.json" | grep -q '"function":"\(log_append\|ring_put\)"' &&
        fail "$jobs jobs: the suite names what tests are accused of, or a ring"
    [ "$(grep -c '"type":"test".*"verdict":"growth"' "$T/shared-$jobs.json")" -ge 24 ] || fail "$jobs jobs: not every test grows"
done

# A worker that dies.
for jobs in 1 3; do
    TESTS=60 DIES=31 "$B/tidemark" hunt -q --no-color --jobs $jobs --json "$T/dies-$jobs.json" -- "$P" >"$T/dies-$jobs.txt" 2>&1
    tail -1 "$T/dies-$jobs.txt" | grep -q '^60 passed, 0 failed, 1 skipped$' || fail "a death with $jobs jobs: $(tail -1 "$T/dies-$jobs.txt")"
    lines "$T/dies-$jobs.json" >"$T/dies-$jobs.lines"
done
grep -q 'one_of_many\[31\] dies in the process' "$T/dies-3.lines" || fail "the death with 3 jobs has no note"
cmp -s "$T/dies-1.lines" "$T/dies-3.lines" || { fail "a death with three jobs:"; diff "$T/dies-1.lines" "$T/dies-3.lines" | head -5; }

# More jobs than tests.
TESTS=2 "$B/tidemark" hunt -q --jobs 8 -- "$P" >"$T/few.txt" 2>&1 || fail "two tests in eight jobs: exit $?"
tail -1 "$T/few.txt" | grep -q '^3 passed, 0 failed, 0 skipped$' || fail "two tests in eight jobs: $(tail -1 "$T/few.txt")"

# No worker, no folder stays.
[ -z "$(ls -d "$T"/tidemark-* 2>/dev/null)" ] || fail "left: $(ls -d "$T"/tidemark-*)"

# Nonsense is one line.
for nonsense in 0 65 x; do
    "$B/tidemark" hunt --jobs $nonsense -- "$P" >"$T/out" 2>"$T/err"
    [ $? = 2 ] && [ "$(wc -l <"$T/err")" -le 2 ] || fail "--jobs $nonsense: exit $?, $(cat "$T/err")"
done

# Killed in the middle: what is known is in the file, and the report says that the run did not end.
cp "$P" "$T/killed" # by a name that nobody else runs
P=$T/killed
for jobs in 1 2; do
    rm -f "$T/killed.json"
    TESTS=20 SLEEP_MS=100 "$B/tidemark" hunt -q --jobs $jobs --json "$T/killed.json" -- "$P" >/dev/null 2>&1 &
    pid=$!
    tries=0
    until grep -qs '"verdict":"clean"' "$T/killed.json" || [ $tries -ge 300 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    kill -KILL $pid
    wait $pid 2>/dev/null
    "$B/tidemark" report --no-color "$T/killed.json" >"$T/report.txt" 2>"$T/report.err"
    [ $? = 99 ] || fail "killed with --jobs $jobs: report exits $?"
    [ "$(grep -E '"type":"(test|once)"' "$T/killed.json" | grep -o 'one_of_many\[[0-9]*\]' | sort -u | wc -l)" = 20 ] ||
        fail "killed with --jobs $jobs: tests of the pass in order are missing"
    tail -1 "$T/report.txt" | grep -Eq '^[1-9][0-9]* passed, 0 failed, [1-9][0-9]* skipped' || fail "killed with --jobs $jobs: $(tail -1 "$T/report.txt")"
    cat "$T/report.txt" "$T/report.err" | grep -Eiq 'incomplete|did not end|cut' || fail "killed with --jobs $jobs: the report does not say that the run did not end"
    tries=0
    while ps -eo args | grep -qxF "$P" && [ $tries -lt 50 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    ps -eo args | grep -qxF "$P" && fail "killed with --jobs $jobs: a worker lives on"
done
exit $bad
