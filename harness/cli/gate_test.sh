#!/bin/sh
# gate_test.sh - one answer: what a hunt or a run ends with is what report of its result ends with, with the same
# last line and the same numbers in JUnit and TAP; what selects tests, and what fails. Run from the root with $B set.
set -u
export NO_COLOR=1 COLUMNS=90
: "${B:=build}"
T=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-gate.XXXXXX") || exit 99
trap 'rm -rf "$T"' EXIT
failed=0
fail() { echo "FAILED: $*"; failed=1; }
run() { # STATUS ARGS...
    want=$1
    shift
    "$B/tidemark" "$@" >"$T/out" 2>"$T/err"
    got=$?
    [ $got -eq "$want" ] || { fail "status $got, not $want: $*"; tail -5 "$T/out"; cat "$T/err"; }
}
last() { [ "$(tail -1 "$T/out")" = "$1" ] || fail "the last line is '$(tail -1 "$T/out")', not '$1'"; }
says() { grep -qF -- "$1" "$T/out" || { fail "stdout does not say: $1"; cat "$T/out"; }; }
complains() { grep -qF -- "$1" "$T/err" || { fail "stderr does not say: $1"; cat "$T/err"; }; }
build() { # NAME FLAGS..., the source from standard input
    name=$1
    shift
    cat >"$T/$name.c"
    # shellcheck disable=SC2046
    ${CC:-cc} -g "$T/$name.c" -o "$T/$name" "$@" $(pkg-config --cflags --libs check) || fail "$name does not build"
}

# same STATUS ARGS...: a hunt, and the report of its result, in numbers and in formats.
same() {
    want=$1
    shift
    run "$want" hunt -q --json "$T/r.jsonl" "$@"
    line=$(tail -1 "$T/out")
    reported=$want
    [ "$want" -ne 2 ] || reported=77 # a filter that nothing matches is a mistake; its result has nothing in it
    run "$reported" report -q "$T/r.jsonl" --junit "$T/r.xml" --tap "$T/r.tap" --markdown "$T/r.md" --github "$T/r.github" \
        --sarif "$T/r.sarif" --codequality "$T/r.cq" --openmetrics "$T/r.om" --html "$T/r.html"
    last "$line"
    # shellcheck disable=SC2086
    set -- $line
    red=$3 skipped=$5 all=$(($1 + $3 + $5))
    case $want in 2 | 77 | 99) red=$((red + 1)) all=$((all + 1)) ;; esac
    grep -q "<testsuites name=\"tidemark\" tests=\"$all\" failures=\"$red\" errors=\"0\" skipped=\"$skipped\">" "$T/r.xml" ||
        fail "JUnit counts $(sed -n 2p "$T/r.xml"), after '$line' and $want"
    [ "$(grep -c '<testcase' "$T/r.xml") $(grep -c '<failure' "$T/r.xml") $(grep -c '<skipped' "$T/r.xml")" = "$all $red $skipped" ] ||
        fail "JUnit has other cases than it counts, after '$line'"
    [ "$(sed -n 2p "$T/r.tap")" = "1..$all" ] || fail "TAP plans $(sed -n 2p "$T/r.tap"), after '$line' and $want"
    [ "$(grep -c '^not ok' "$T/r.tap") $(grep -c '^ok.* # SKIP' "$T/r.tap") $(grep -c '^ok\|^not ok' "$T/r.tap")" = "$red $skipped $all" ] ||
        fail "TAP has other points than $red failed and $skipped skipped of $all"
    grep -q "^tidemark_exit_status $reported\$" "$T/r.om" || fail "OpenMetrics: $(grep '^tidemark_exit' "$T/r.om")"
    grep -qF "tidemark: $line" "$T/r.md" || fail "Markdown: $(head -1 "$T/r.md")"
    [ "$red" -eq 0 ] || { grep -q '"level":"error"' "$T/r.sarif" && grep -q '^::error' "$T/out"; } || fail "no error in SARIF or among the annotations"
}

build clean <<'C'
#include <check.h>
#include <stdlib.h>
START_TEST(one) { free(malloc(8)); } END_TEST
START_TEST(two) { free(malloc(8)); } END_TEST
START_TEST(three) { free(malloc(8)); } END_TEST
int main(void)
{
    Suite *s = suite_create("s");
    TCase *t = tcase_create("t");
    tcase_add_test(t, one);
    tcase_add_test(t, two);
    tcase_add_test(t, three);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_SILENT);
    int bad = srunner_ntests_failed(r);
    srunner_free(r);
    return bad != 0;
}
C
build skips <<'C'
#include <stdlib.h>
int main(void) { return 77; }
C
build leaks <<'C'
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
static void **kept;
START_TEST(grows) { void **b = malloc(32); *b = kept; kept = b; } END_TEST
START_TEST(opens) { ck_assert_int_ge(open("/dev/null", O_RDONLY), 0); } END_TEST
START_TEST(fine) { free(malloc(8)); } END_TEST
int main(void)
{
    Suite *s = suite_create("s");
    TCase *t = tcase_create("t");
    tcase_add_test(t, grows);
    tcase_add_test(t, opens);
    tcase_add_test(t, fine);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_SILENT);
    int bad = srunner_ntests_failed(r);
    srunner_free(r);
    return bad != 0;
}
C
printf '#!/bin/sh\necho in order\n' >"$T/script"
printf '#!/bin/sh\nexit 1\n' >"$T/red-script"
chmod +x "$T/script" "$T/red-script"

# What it comes to, and that all say so.
same 0 -- "$T/clean"
last "4 passed, 0 failed, 0 skipped" # the suite is one more
same 1 -- "$T/leaks"
last "2 passed, 2 failed, 0 skipped"
same 1 -- "$B/fixtures/check_basic"
same 77 -- "$T/skips"
last "0 passed, 0 failed, 2 skipped" # its one test, and so the suite
complains "nothing was judged: its test was skipped"
same 77 -- "$T/script"
complains "nothing was judged"
same 99 -- "$T/red-script" # a script that failed is no skipped one
complains "incomplete: no test has a result"
same 2 --only 'no*' -- "$T/clean"
complains "none of its 3 tests is like 'no*'"
if ${CC:-cc} -g -fsanitize=address "$T/leaks.c" -o "$T/asan" $(pkg-config --cflags --libs check) 2>/dev/null; then
    same 99 -- "$T/asan"
    complains "cannot be watched: it is built with -fsanitize=address"
fi
# The terminal says it, too.
run 77 hunt -q -- "$T/skips"
says "nothing was judged: its test was skipped"
! grep -q 'levels off' "$T/out" || fail "a skipped test levels off"
says "1 skipped"

# What fails, and that the result keeps it.
run 0 hunt -q --fail-on leak --json "$T/r.jsonl" -- "$T/leaks"
says "GROWTH  s/t/grows"
last "4 passed, 0 failed, 0 skipped"
run 0 report -q "$T/r.jsonl"
run 1 report -q --fail-on growth "$T/r.jsonl"
run 1 hunt -q --fail-on fd --only '*/opens' -- "$T/leaks"
run 0 hunt -q --fail-on leak,growth --only '*/opens' -- "$T/leaks"
run 1 hunt -q --fail-on leak --fail-on fd --only '*/opens' -- "$T/leaks"
run 2 hunt --fail-on leek -- "$T/leaks"
complains "unknown word in --fail-on 'leek'; did you mean 'leak'?"
sed 's/"verdict":"clean"/"verdict":"inconclusive"/' "$T/r.jsonl" >"$T/unjudged.jsonl"
run 1 report -q --fail-on unjudged "$T/unjudged.jsonl"

# Which tests.
run 0 hunt --list -- "$T/leaks"
[ "$(cat "$T/out")" = "s/t/grows
s/t/opens
s/t/fine" ] || fail "--list: $(cat "$T/out")"
run 0 hunt --list --only '*o*' --exclude '*opens' -- "$T/leaks"
[ "$(cat "$T/out")" = "s/t/grows" ] || fail "--only and --exclude: $(cat "$T/out")"
run 0 hunt --list --only '*/grows' --only '*/fine' -- "$T/leaks"
[ "$(cat "$T/out" | tr '\n' ' ')" = "s/t/grows s/t/fine " ] || fail "two --only: $(cat "$T/out")"
run 1 hunt -q --json "$T/first.jsonl" -- "$T/leaks"
run 0 hunt --list --failed "$T/first.jsonl" -- "$T/leaks"
[ "$(cat "$T/out" | tr '\n' ' ')" = "s/t/grows s/t/opens " ] || fail "--failed: $(cat "$T/out")"
run 0 hunt -q --json "$T/good.jsonl" -- "$T/clean"
# A hunt that was interrupted: what is missing is taken, too, though its file does not name it.
grep '"type":"run"' "$T/first.jsonl" >"$T/cut.jsonl"
grep '"type":"test"' "$T/first.jsonl" | grep -v 's/t/opens' >>"$T/cut.jsonl"
run 0 hunt --list -- "$T/leaks"
all=$(sort "$T/out" | tr '\n' ' ')
run 0 hunt --list --failed "$T/cut.jsonl" -- "$T/leaks"
[ "$(sort "$T/out" | tr '\n' ' ')" = "s/t/grows s/t/opens " ] || fail "--failed of a file that is cut: $(cat "$T/out"), of $all"
run 77 hunt -q --failed "$T/good.jsonl" -- "$T/clean"
complains "nothing to hunt"
run 2 hunt -q --failed "$T/none.jsonl" -- "$T/clean"
complains "none.jsonl: cannot be read"
run 2 hunt --seed 1 --seed 2 -- "$T/clean"
complains "--seed is given twice, '1' and '2'"
run 2 hunt --json a --json b -- "$T/clean"
run 2 report "$T/r.jsonl" --html "$T/a" --html "$T/b"

# Formats from the hunt itself are those of report.
run 1 hunt -q --json "$T/r.jsonl" --junit "$T/a.xml" --tap "$T/a.tap" -- "$T/leaks"
run 1 report -q "$T/r.jsonl" --junit "$T/b.xml" --tap "$T/b.tap"
cmp -s "$T/a.xml" "$T/b.xml" || { fail "JUnit of hunt and of report differ"; diff "$T/a.xml" "$T/b.xml"; }
cmp -s "$T/a.tap" "$T/b.tap" || fail "TAP of hunt and of report differ"
run 1 hunt -q --junit - -- "$T/leaks"
head -1 "$T/out" | grep -q '<?xml' && tail -1 "$T/out" | grep -q '</testsuites>' || fail "--junit - is not JUnit alone"
run 99 hunt -q --html "$T/no/folder.html" -- "$T/clean"
complains "folder.html: cannot be written"

# Rules for what is accused: ready to be used, once a person has given the reason.
run 1 hunt -q --suppress-out "$T/rules" -- "$T/leaks"
grep -q '^# REASON: ' "$T/rules" && grep -q '^leak:^grows' "$T/rules" || { fail "--suppress-out:"; cat "$T/rules"; }
run 0 hunt -q --suppressions "$T/rules" --only '*/grows' --only '*/fine' -- "$T/leaks"
! grep -q '^GROWTH\|^LEAK' "$T/out" || fail "the rules suppress nothing"

# A scenario: the same, by its expectations; formats of one, not of several.
cat >"$T/one.yaml" <<'END'
scenario: one
suite: {program: registry, tests: 3, lookups: 30, keys: all}
teardown: per-test
variants: [direct]
expect: {direct: {verdict: clean, tests: 4}}
END
sed 's/scenario: one/scenario: two/' "$T/one.yaml" >"$T/two.yaml"
run 1 run -q --json "$T/run.jsonl" --junit "$T/run.xml" "$T/one.yaml"
last "4 passed, 1 failed, 0 skipped"
run 1 report -q "$T/run.jsonl" --junit "$T/again.xml"
last "4 passed, 1 failed, 0 skipped"
cmp -s "$T/run.xml" "$T/again.xml" || fail "JUnit of run and of report differ"
run 2 run -q --html "$T/h.html" "$T/one.yaml" "$T/two.yaml"
complains "--html FILE holds one scenario"
# Every status with every verdict, of a test and of the suite, and each word of --fail-on: what fails is an error in
# each format, what does not is none.
matrix() { # COMMAND STATUS VERDICT SUITE FAIL_ON
    {
        printf '{"v":1,"type":"run","tool":"tidemark","version":"0.1.0","command":"%s","suite":"s","fail_on":"%s"}\n' "$1" "$5"
        printf '{"v":1,"type":"test","id":"s/t/x","variant":"","status":"%s","verdict":"%s","message":"m","horizon":"h"}\n' "$2" "$3"
        printf '{"v":1,"type":"variant","name":"","verdict":"%s","horizon":"h"}\n' "$4"
        echo '{"v":1,"type":"summary","passed":0,"failed":0,"skipped":0,"incomplete":0}'
    } >"$T/m.jsonl"
    rm -f "$T/m.github"
    "$B/tidemark" report -q "$T/m.jsonl" --junit "$T/m.xml" --tap "$T/m.tap" --sarif "$T/m.sarif" --github "$T/m.github" \
        --codequality "$T/m.cq" --openmetrics "$T/m.om" >"$T/out" 2>"$T/err"
    got=$?
    about="$* ends with $got"
    # shellcheck disable=SC2046
    set -- $(tail -1 "$T/out")
    red=$3
    [ $got -ne 77 ] || red=$((red + 1))
    case $got,$3 in 0,0 | 1,[1-9] | 77,0) ;; *) fail "$about, with '$*'" ;; esac
    [ "$(grep -c '<failure' "$T/m.xml")" = $red ] || fail "$about: JUnit has $(grep -c '<failure' "$T/m.xml") failures, not $red"
    [ "$(grep -c '^not ok' "$T/m.tap")" = $red ] || fail "$about: TAP has $(grep -c '^not ok' "$T/m.tap") red points, not $red"
    [ "$(grep -c '^::error' "$T/out")" = $red ] || fail "$about: $(grep -c '^::error' "$T/out") annotations, not $red"
    [ "$(grep -o '"level":"error"' "$T/m.sarif" | wc -l)" = $red ] || fail "$about: SARIF has $(grep -o '"level":"error"' "$T/m.sarif" | wc -l) errors, not $red"
    [ "$(grep -o '"severity":"\(major\|critical\|blocker\)"' "$T/m.cq" | wc -l)" = $red ] || fail "$about: code quality has other findings than $red: $(cat "$T/m.cq")"
    grep -q "^tidemark_exit_status $got\$" "$T/m.om" || fail "$about: $(grep '^tidemark_exit' "$T/m.om")"
}
words() { sed -n "s/.*\"$1\": {\"enum\": \[\(.*\)\]}.*/\1/p" docs/result.schema.json | head -1 | tr -d '",'; }
[ "$(words status | wc -w) $(words verdict | wc -w)" = "8 7" ] || fail "the schema has other statuses and verdicts: is the matrix still whole?"
for verdict in $(words verdict); do
    for status in $(words status); do
        matrix hunt $status $verdict clean leak,growth,accumulates,fd
    done
    for words in leak growth accumulates fd flaky unjudged; do
        matrix hunt pass $verdict none $words
        matrix hunt skip clean $verdict $words
    done
    matrix run pass none $verdict leak,growth,accumulates,fd
done

# A scenario of which one variant measured nothing is not green for the other.
build leaves <<'C'
#include <check.h>
#include <stdlib.h>
START_TEST(one) { free(malloc(8)); } END_TEST
int main(void)
{
    if (getenv("LEAVE")) {
        exit(atoi(getenv("LEAVE")));
    }
    Suite *suite = suite_create("s");
    TCase *tcase = tcase_create("t");
    tcase_add_test(tcase, one);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_SILENT);
    int bad = srunner_ntests_failed(runner);
    srunner_free(runner);
    return bad != 0;
}
C
for leave in 0 3; do
    cat >"$T/leaves.yaml" <<END
scenario: leaves
suite: {program: $T/leaves}
variants:
  - stays
  - goes: {env: {LEAVE: "$leave"}}
expect: {stays: {verdict: clean}}
END
    run 99 run -q --json "$T/v.jsonl" --junit "$T/v.xml" "$T/leaves.yaml"
    tr -s '\n ' '  ' <"$T/out" | grep -q "INCOMPLETE: 1 test without a result: variant goes: no tests were found: it ended with status $leave" ||
        fail "the missing variant is not named: $(cat "$T/out")"
    grep -q '<failure.*variant goes' "$T/v.xml" || fail "JUnit does not name the missing variant"
    run 99 report -q "$T/v.jsonl"
    run 99 baseline save -f "$T/v.base" "$T/v.jsonl"
    [ ! -e "$T/v.base" ] || fail "a baseline of it was saved"
done

# A program that ends early, before, in or behind its tests, in each way: the run counts as the report of its result,
# and a variant or a suite that was not judged for it counts as skipped, says so and says why.
build ends <<'C'
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void *kept[2];
static void at(const char *place)
{
    const char *want = getenv("ENDS"), *how = getenv("HOW");
    if (want && strcmp(want, place) == 0) {
        if (how && strcmp(how, "exit") == 0) {
            _exit(4);
        }
        abort();
    }
}
static void up(void) { at("setup"); }
static void down(void) { at("teardown"); }
START_TEST(one) { at("one"); kept[0] = malloc(100); } END_TEST
START_TEST(two) { at("two"); kept[1] = malloc(20); } END_TEST
int main(void)
{
    const char *want = getenv("ENDS");
    if (want && strcmp(want, "skip") == 0) {
        return 77;
    }
    Suite *suite = suite_create("s");
    TCase *tcase = tcase_create("t");
    tcase_add_unchecked_fixture(tcase, up, down);
    tcase_add_test(tcase, one);
    tcase_add_test(tcase, two);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_SILENT);
    int bad = srunner_ntests_failed(runner);
    srunner_free(runner);
    at("end");
    return bad != 0;
}
C
ends() { # PLACE HOW PASSES LAST WHY
    printf 'scenario: ends\nsuite: {program: %s/ends}\npasses: %s\nvariants: [{a: {env: {ENDS: %s, HOW: %s}}}]\n' "$T" "$3" "$1" "$2" >"$T/ends.yaml"
    run 1 run -q --json "$T/e.jsonl" --junit "$T/e.xml" "$T/ends.yaml"
    last "$4"
    tr -s '\n ' '  ' <"$T/out" | grep -qF -- "${5:+a was not judged: }$5" || fail "ends in $1: '$5' is not said: $(cat "$T/out")"
    [ -n "$5" ] || ! grep -q 'not judged' "$T/out" || fail "ends in $1: not judged"
    run 1 report -q "$T/e.jsonl" --junit "$T/again.xml" --tap "$T/e.tap" --markdown "$T/e.md" --html "$T/e.html"
    last "$4"
    cmp -s "$T/e.xml" "$T/again.xml" || fail "ends in $1: JUnit of run and of report differ"
    [ -z "$5" ] || for file in "$T/e.tap" "$T/e.xml" "$T/e.md" "$T/e.html"; do
        sed 's/<wbr>//g' "$file" | tr -d '\\' | grep -qF -- "$5" || fail "ends in $1: no '$5' in $file"
    done
}
behind="its program ended in s/t/two, or behind it, in the pass that was to judge the whole"
for how in abort exit; do
    ends setup $how 1 "0 passed, 2 failed, 1 skipped" "none of its tests came to its end"
    ends one $how 1 "1 passed, 1 failed, 0 skipped" ""
    ends teardown $how 1 "1 passed, 1 failed, 1 skipped" "$behind"
    ends end $how 1 "1 passed, 1 failed, 1 skipped" "$behind"
done
ends teardown abort 3 "1 passed, 1 failed, 1 skipped" "$behind"
ENDS=teardown same 1 -- "$T/ends"
# What the scenario expects of it is one point, and what has no verdict is another.
printf 'expect: {a: {failed: 1}}\n' >>"$T/ends.yaml"
run 0 run -q "$T/ends.yaml"
last "3 passed, 0 failed, 1 skipped"
sed -i 's/failed: 1/failed: 1, verdict: none/' "$T/ends.yaml"
run 0 run -q "$T/ends.yaml"
last "4 passed, 0 failed, 0 skipped"
! grep -q 'not judged' "$T/out" || fail "what is expected is told as news"
# A test program that skips itself, though it has tests.
ENDS=skip same 77 -- "$T/ends"
complains "it skipped itself, with status 77 before its first test"

# Two outputs have two places, and neither is what is read.
cp "$T/m.jsonl" "$T/kept.jsonl"
ln "$T/m.jsonl" "$T/link.jsonl"
for wrong in "--junit - --tap -" "--json - --junit -" "--json - --github $T/g" "--junit $T/one --tap $T/one" "--json $T/one --html $T/one" \
    "--markdown $T/m.jsonl" "--json $T/m.jsonl" "--html $T/link.jsonl"; do
    # shellcheck disable=SC2086
    run 2 report $wrong "$T/m.jsonl"
    cmp -s "$T/m.jsonl" "$T/kept.jsonl" || fail "$wrong changed what is read"
    [ ! -e "$T/one" ] || fail "$wrong wrote something"
done
run 2 hunt --json "$T/clean" -- "$T/clean"
complains "would replace what is read"
"$B/tidemark" report -q --junit /dev/null --tap /dev/null --markdown - "$T/r.jsonl" >"$T/out" 2>&1
[ $? -ne 2 ] || fail "a device does not take two formats: $(cat "$T/out")"
exit $failed
