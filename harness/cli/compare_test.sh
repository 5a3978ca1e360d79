#!/bin/sh
# tidemark compare: two files, two commands, and what is none of either. Run from the repository root with $B.
set -u
export NO_COLOR=1 COLUMNS=90
: "${B:=build}"
T=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-compare.XXXXXX")
trap 'rm -rf "$T"' EXIT INT TERM
failed=0
fail() {
    echo "FAILED: $1"
    [ -s "$T/out" ] && sed 's/^/  out: /' "$T/out"
    [ -s "$T/err" ] && sed 's/^/  err: /' "$T/err"
    failed=1
}
run() { # STATUS ARGS...
    want=$1
    shift
    "$B/tidemark" compare "$@" >"$T/out" 2>"$T/err"
    got=$?
    [ $got -eq "$want" ] || fail "status $got, not $want: compare $*"
}
says() { grep -qF -- "$1" "$T/out" || fail "stdout does not say: $1"; }
complains() {
    grep -qF -- "$1" "$T/err" || fail "stderr does not say: $1"
    [ "$(wc -l <"$T/err")" -eq 1 ] || fail "stderr is not one line"
}
last() { [ "$(tail -1 "$T/out")" = "$1" ] || fail "the last line is not: $1"; }

# Mistakes.
F=fixtures/report
run 2 "$F/hunt.jsonl" "$T/none.jsonl"
complains "none.jsonl: cannot be read"
run 2 "$F/hunt.jsonl" "$F/hunt.80.txt"
grep -q "hunt.80.txt:1:" "$T/err" || fail "the place of the mistake is not told"
run 2 "$F/hunt.jsonl"
run 2 "$F/hunt.jsonl" "$F/hunt.jsonl" "$F/hunt.jsonl"
complains "two result files, or -- COMMAND --vs COMMAND"
run 2 -- true --vs
complains "a command is missing beside --vs"
run 2 -- --vs true
run 2 -- /no/such/program --vs true
complains "/no/such/program: No such file or directory"
run 2 --pairs 8 -- true --vs true
complains "--pairs is between 9 and 200"
run 2 --tolerance much "$F/hunt.jsonl" "$F/hunt.jsonl"
sed '$d' "$F/hunt.jsonl" >"$T/cut.jsonl"
run 99 "$F/hunt.jsonl" "$T/cut.jsonl"
complains "cut.jsonl"

# Files: the same is no difference, whatever it says of itself.
run 0 "$F/hunt.jsonl" "$F/hunt.jsonl"
says "no difference in"
run 0 "$F/run.jsonl" "$F/run.jsonl"
says "no difference in"
awk 'length > 100 { bad = 1 } END { exit bad }' "$T/out" || fail "wider than 100 columns"

# Commands: a libcheck program, the same again, and one that allocates three times more in one test.
cat >"$T/check_x.c" <<'C'
#include <check.h>
#include <stdlib.h>
#include <string.h>
#ifndef MORE
#define MORE 0
#endif
static char *volatile kept;
static void parse_key(int n)
{
    for (int i = 0; i < n; i++) {
        kept = malloc(5);
        free(kept);
    }
}
START_TEST(parses)
{
    parse_key(4 + MORE);
}
END_TEST
START_TEST(draws)
{
    free(kept = malloc(8));
#ifdef RANDOM /* where the kernel put the stack */
    for (int i = 0; i < (int)((size_t)getenv("PATH") >> 4 & 0xffff); i++)
        free(kept = malloc(8));
#endif
}
END_TEST
int main(void)
{
    Suite *suite = suite_create("x");
    TCase *tcase = tcase_create("c");
    tcase_add_test(tcase, parses);
    tcase_add_test(tcase, draws);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
C
build() { # NAME FLAGS...
    name=$1
    shift
    # shellcheck disable=SC2046
    ${CC:-cc} -g "$@" "$T/check_x.c" -o "$T/$name" $(pkg-config --cflags --libs check) || fail "$name does not build"
}
build base
build more -DMORE=3
build random -DRANDOM
# Few pairs of a program of milliseconds decide nothing about time here; the counts are exact.
run_counts() {
    "$B/tidemark" compare --pairs 9 -- "$@" >"$T/out" 2>"$T/err"
    got=$?
    [ $got -le 1 ] || fail "status $got: $*"
}
run_counts "$T/base" --vs "$T/base"
says "no difference in 2 tests"
says "9 pairs, run A B B A"
for row in "wall time" "CPU time" "peak RSS"; do
    grep -q "^$row .*%.*\(no difference\|slower\|faster\|larger\|smaller\|unsure: .*\)$" "$T/out" || fail "no row $row"
done
# Until it is sure, and no longer: a command that sleeps twice as long is known after a few pairs.
"$B/tidemark" compare --no-counts --until-sure 3s -- sleep 0.01 --vs sleep 0.03 >"$T/out" 2>"$T/err"
[ $? -eq 1 ] || fail "twice as long is not slower"
grep -q '^wall time .*slower$' "$T/out" || fail "no verdict on the wall time"
started=$(date +%s)
"$B/tidemark" compare --no-counts --until-sure 1s -- "$T/base" --vs "$T/base" >"$T/out" 2>"$T/err"
[ $(($(date +%s) - started)) -le 5 ] || fail "--until-sure 1s took longer"
run_counts "$T/base" --vs "$T/more"
[ $got -eq 1 ] || fail "three allocations more are no red"
says "WORSE  x/c/parses"
says "allocs 4 -> 7 (+3)"
says "+3 allocations in parse_key ($T/check_x.c:11), from"
run_counts "$T/more" --vs "$T/base"
says "BETTER  x/c/parses"
run_counts "$T/base" --vs "$T/random"
! grep -q "WORSE" "$T/out" || fail "what differs from run to run is told as worse"
! grep -q "draws" "$T/out" || says "UNSTABLE  x/c/draws"
run_counts "$T/base" --vs sh -c ":" # nothing to count in it: said, and no red
says "allocations were not counted"

# The same from two files, where the hunt has written the call sites; and nothing of them where it has not.
"$B/tidemark" hunt --sites --json "$T/base.jsonl" -- "$T/base" >/dev/null 2>&1 || fail "the hunt of base"
"$B/tidemark" hunt --sites --json "$T/more.jsonl" -- "$T/more" >/dev/null 2>&1 || fail "the hunt of more"
run 1 "$T/base.jsonl" "$T/more.jsonl"
says "+3 allocations in parse_key ($T/check_x.c:11), from"
grep -v '"type":"births"' "$T/base.jsonl" >"$T/bare.jsonl"
run 1 "$T/bare.jsonl" "$T/more.jsonl"
says "allocs 4 -> 7 (+3)"
! grep -q " in parse_key" "$T/out" || fail "a call site is named that one of the two does not know"
# What a hunt writes of a test's call sites adds up to what it counts of the test.
counted=$(sed -n 's/.*"id":"x.c.parses".*"allocs":\([0-9]*\).*/\1/p' "$T/more.jsonl" | tail -1)
told=$(sed -n 's/.*"type":"births","test":"x.c.parses".*"blocks":\([0-9]*\).*/\1/p' "$T/more.jsonl" | awk '{ n += $1 } END { print n + 0 }')
[ "$counted" = 7 ] && [ "$told" = 7 ] || fail "$counted allocations counted, $told told"

# How they end is compared, too: what failed before is no news, and what fails now is.
run 1 --pairs 9 --no-counts -- true --vs false
says "WORSE  how they end: status 0 -> status 1"
grep -q ', [1-9][0-9]* failed, ' "$T/out" || fail "a command that fails now is not counted"
run 1 --pairs 9 --no-counts -- true --vs sh -c 'kill -SEGV $$'
says "status 0 -> SIGSEGV"
"$B/tidemark" compare --pairs 9 --no-counts -- false --vs true >"$T/out" 2>"$T/err"
says "BETTER  how they end: status 1 -> status 0"
"$B/tidemark" compare --pairs 9 --no-counts -- false --vs false >"$T/out" 2>"$T/err"
says "note: both fail: status 1"
# What a measure comes to is in the last line: none of the three is left out.
"$B/tidemark" compare --pairs 9 --no-counts -- true --vs true >"$T/out" 2>"$T/err"
got=$?
tail -1 "$T/out" | awk '{ exit $1 + $3 + $5 != 3 }' || fail "three measures, and '$(tail -1 "$T/out")'"
case $got,$(tail -1 "$T/out") in 77,"0 passed, 0 failed"* | 0,[1-9]*" passed, 0 failed"* | 1,*" passed, "[1-9]*" failed"*) ;; *) fail "status $got with '$(tail -1 "$T/out")'" ;; esac
run 2 --until-sure 0s -- true --vs true
complains "--until-sure 0s: no time to run anything in"
run 2 --until-sure 5s "$T/base.jsonl" "$T/more.jsonl"
complains "--until-sure is for two commands, not for two result files"

# A command that comes to different ends.
cat >"$T/moody" <<C
#!/bin/sh
printf x >>$T/count
[ \$(wc -c <$T/count) -lt 3 ]
C
chmod +x "$T/moody"
run 99 --pairs 9 -- true --vs "$T/moody"
complains "moody does not end the same way every time"
exit $failed
