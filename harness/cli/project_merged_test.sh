#!/bin/sh
# tidemark hunt -- COMMAND: the programs' results are one: ids, files, reports, baseline, compare, shards, budget.
set -u
B=$(cd "${B:-build}" && pwd)
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
failed=0
fail() { echo "FAIL: $*"; cat "$T/said"; failed=1; }
hunt() { "$B/tidemark" hunt --quick "$@" >"$T/said" 2>&1; status=$?; }
has() { for text; do grep -qF -- "$text" "$T/said" || fail "no '$text' in:"; done; }
is() { [ "$status" = "$1" ] || fail "status $status and not $1:"; }
ids() { jq -r 'select(.type=="test").id' "$1" | sort; }
cd "$T" || exit 99

# Two programs with the same tests, one program that runs with two arguments, and one without a framework, in a
# build folder whose name must not be seen.
cat >t.c <<'END'
#include <check.h>
#include <stdlib.h>
void *kept[100000];
int count;
START_TEST(grows) { kept[count++] = malloc(64); } END_TEST
START_TEST(fine) { free(malloc(32)); } END_TEST
int main(int argc, char **argv)
{
    Suite *s = suite_create("s");
    TCase *c = tcase_create("c");
    tcase_add_test(c, fine);
    if (argc > 1 && argv[1][0] == 'g') {
        tcase_add_test(c, grows);
    }
    suite_add_tcase(s, c);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_SILENT);
    return srunner_ntests_failed(r) > 0;
}
END
build() { # FOLDER
    mkdir -p "$1/a" "$1/b" && : >"$1/config.status"
    gcc -g t.c -o "$1/a/check_it" $(pkg-config --cflags --libs check) || exit 99
    cp "$1/a/check_it" "$1/b/check_it"
    cp "$B/fixtures/plain_main" "$1/b/tool"
    printf '#!/bin/sh\ncd "$(dirname "$0")"\na/check_it && b/check_it g && b/check_it h && b/tool >/dev/null\n' >"$1/run"
    chmod +x "$1/run"
}
build one
build two
hunt --json one.jsonl --junit one.xml --html one.html --out out -- one/run
is 1
has 'b/check_it[g]/s/c/grows grows 64 B a repetition' 'not hunted: no test framework is in it' '    b/tool' \
    '6 passed, 1 failed, 1 skipped'
[ "$(ids one.jsonl | tr '\n' ' ')" = 'a/check_it/s/c/fine b/check_it[g]/s/c/fine b/check_it[g]/s/c/grows b/check_it[h]/s/c/fine b/tool ' ] ||
    fail "other ids: $(ids one.jsonl)"
grep -q '<testsuites name="tidemark" tests="8" failures="1" errors="0" skipped="1">' one.xml || fail "JUnit: $(cat one.xml)"
[ "$(grep -c '<testcase' one.xml)" = 8 ] || fail "JUnit has no 8 cases: $(cat one.xml)"
grep -q 'b/tool' one.html || fail 'the page does not list what was not hunted'

# The same again from the folder and from the one file, in each status.
"$B/tidemark" report out >out1 2>&1; status=$?
cp out1 said; is 1; has '6 passed, 1 failed, 1 skipped' '    b/tool'
"$B/tidemark" report one.jsonl >"$T/said" 2>&1; status=$?
is 1; has '6 passed, 1 failed, 1 skipped' '    b/tool'
mkdir empty && "$B/tidemark" report empty >"$T/said" 2>&1; status=$?
is 2

# Another build folder: the same ids, so compare and baseline see no difference.
hunt --json two.jsonl --out out2 -- two/run
is 1
[ "$(ids one.jsonl)" = "$(ids two.jsonl)" ] || fail "ids differ by the build folder: $(ids two.jsonl)"
"$B/tidemark" compare one.jsonl two.jsonl >"$T/said" 2>&1; status=$?
is 0
"$B/tidemark" baseline save -f base.jsonl one.jsonl >"$T/said" 2>&1 || fail 'no baseline'
"$B/tidemark" baseline check -f base.jsonl two.jsonl >"$T/said" 2>&1; status=$?
is 0

"$B/tidemark" baseline check -f base.jsonl out2 >"$T/said" 2>&1; status=$?
is 0

# --only takes ids with the program; --failed goes on from the one file.
hunt --json three.jsonl --out out3 --only 'b/check_it*/s/c/fine' -- one/run
is 0
[ "$(ids three.jsonl | wc -l)" = 2 ] || fail "--only: $(ids three.jsonl)"
hunt --json four.jsonl --out out3 --failed one.jsonl -- one/run
is 1
[ "$(ids four.jsonl)" = 'b/check_it[g]/s/c/grows' ] || fail "--failed: $(ids four.jsonl)"
hunt --out out3 --only 'nothing' -- one/run
is 2
hunt --list -- one/run
is 0
has 'b/check_it[g]/s/c/grows'

# Shards over all programs: each test once, the parts as one.
for shard in 1 2; do hunt --json "shard$shard.jsonl" --out "s$shard" --shard "$shard/2" -- one/run; done
"$B/tidemark" report shard1.jsonl >"$T/said" 2>&1; status=$?
is 99
has 'missing shard of 2: 2'
"$B/tidemark" report shard1.jsonl shard2.jsonl --json shards.jsonl >"$T/said" 2>&1; status=$?
is 1
has '1 failed, 1 skipped'
[ "$(ids one.jsonl)" = "$(ids shards.jsonl)" ] || fail "shards: $(ids shards.jsonl)"
"$B/tidemark" report s1 s2 >"$T/said" 2>&1; status=$?
is 1

# Side by side, the same result.
hunt --json five.jsonl --out out5 --jobs 3 -- one/run
is 1
[ "$(ids one.jsonl)" = "$(ids five.jsonl)" ] || fail "--jobs: $(ids five.jsonl)"
hunt --jobs 0 -- one/run
is 2

# A result that an earlier hunt left of a program that is gone is not merged with those of this one.
echo '{"v":1,"type":"test","id":"gone/s/c/t","variant":"gone","status":"pass","verdict":"leak"}' >out/gone-01234567.jsonl
: >out/mine.jsonl
hunt --out out -- one/run
[ ! -e out/gone-01234567.jsonl ] || fail 'an old result is still there'
[ -e out/mine.jsonl ] || fail "somebody else's file is gone"

# The 5 s beside the passes are those of the whole project.
mkdir many && : >many/config.status
for i in 1 2 3 4; do cp one/a/check_it "many/check_$i"; done
printf '#!/bin/sh\nfor i in 1 2 3 4; do "$(dirname "$0")/check_$i" g || exit; done\n' >many/run && chmod +x many/run
"$B/tidemark" hunt --out many.out -- many/run >"$T/said" 2>&1; status=$?
is 1
given=$(cat many.out/*.jsonl | jq -r 'select(.type=="run").argv' | sed -n 's/.*--slack \([0-9]*\)ns.*/\1/p')
[ "$(echo "$given" | wc -l)" = 4 ] || fail "no slack for each: $given"
[ "$(cat many.out/*.jsonl | jq -r 'select(.type=="run").argv' | sed -n 's/.*check_1.* --slack \([0-9]*\)ns.*/\1/p' | head -1)" = 1250000000 ] ||
    fail "the first has no fourth of 5 s: $given"
"$B/tidemark" hunt --out many.out --budget 4s -- many/run >"$T/said" 2>&1
[ "$(cat many.out/*.jsonl | jq -r 'select(.type=="run").argv' | grep -c -- '--budget [0-9]*ns')" = 4 ] || fail 'the budget is not shared'
exit $failed
