#!/bin/sh
# suite_test.sh - axis B: a second pass tells what grows from what accumulates; a test that leaves state behind and
# the one that fails for it are both named; the verdict does not hang on the seed. From the root with $B set.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "suite_test: $*"; bad=1; }

hunt() { # name status variables... : the result in $T/name.jsonl, one line of text in $T/name.txt
    name=$1 expected=$2
    shift 2
    env "$@" "$B/tidemark" hunt -q --seed "${seed:-1}" --json "$T/$name.jsonl" -- "$B/fixtures/check_order" >"$T/$name.out" 2>&1
    status=$?
    [ $status -eq "$expected" ] || fail "$name: exit $status, should be $expected"
    tr -s '\n ' '  ' <"$T/$name.out" >"$T/$name.txt"
}
verdict() { # name word
    grep '"type":"variant"' "$T/$1.jsonl" | grep -q "\"verdict\":\"$2\"" || fail "$1 with seed ${seed:-1} is not: $2"
}

for seed in 1 2 3; do
    hunt keeps 1 KEEP=1
    verdict keeps accumulates
    hunt grows 1 KEEP=1 GROW=1
    verdict grows growth
done
grep -q "in 4 shuffled orders (seed 3), 5 of 5 passes accuse; a second pass in the same process added" "$T/grows.txt" || fail "no horizon"
grep -q "left behind by 24 of 28 tests" "$T/keeps.txt" || fail "who left it behind is not said"

seed=1 hunt order 0 NOTHING=1
verdict order clean
grep -q "order/all/pays passes by itself and fails after order/all/leaves_a_flag (it is dirty)" "$T/order.txt" ||
    fail "the polluter and its victim are not named: $(grep -o 'note:.*' "$T/order.txt")"
grep -q "order/all/needs_the_first fails without .* it needs what order/all/sets_up leaves behind" "$T/order.txt" ||
    fail "what a test needs is not named"
grep '"id":"order/all/pays"' "$T/order.jsonl" | tail -1 |
    grep -q '"order":"polluted","order_by":"order/all/leaves_a_flag","order_message":"it is dirty"' ||
    fail "the result does not say who pollutes"
grep '"id":"order/all/needs_the_first"' "$T/order.jsonl" | tail -1 |
    grep -q '"order":"needs","order_by":"order/all/sets_up"' || fail "the result does not say what a test needs"
[ "$(grep -c '"left_bytes":16[,}]' "$T/keeps.jsonl")" -eq 24 ] || fail "the result does not say what each test left"
grep -q '"order"\|"left_bytes"' "$T/grows.jsonl" && ! grep -q left_bytes "$T/order.jsonl" ||
    fail "what tests left is told of a suite that is clean, or not of one that grows"
for report in markdown html; do
    "$B/tidemark" report --$report "$T/order.$report" "$T/order.jsonl" >/dev/null 2>&1 || fail "$report: exit $?"
    tr -d '\\' <"$T/order.$report" | grep -q "order/all/pays passes by itself and fails after order/all/leaves_a_flag" ||
        fail "the $report report does not name polluter and victim"
done

# The same for a scenario.
cat >"$T/order.yaml" <<EOF
scenario: order
suite: {program: $PWD/$B/fixtures/check_order, env: {KEEP: "1"}}
expect: {default: {verdict: accumulates}}
EOF
sed 's/KEEP: "1"/KEEP: "1", GROW: "1"/; s/accumulates/growth/' "$T/order.yaml" >"$T/grow.yaml"
for scenario in order grow; do
    "$B/tidemark" run -q --seed 5 "$T/$scenario.yaml" >"$T/$scenario.run" 2>&1 || fail "run of $scenario: exit $?"
    tr -s '\n ' '  ' <"$T/$scenario.run" | grep -q "shuffled orders (seed 5), 5 of 5 passes accuse; a second pass" || fail "$scenario: no horizon"
done

# What is suppressed there is not judged; a rule that matches nothing is told.
printf '# known\nleak:look_up\nleak:no_such_function\n' >"$T/rules"
sed 's/accumulates/clean/' "$T/order.yaml" >"$T/suppressed.yaml"
"$B/tidemark" run -q --suppressions "$T/rules" "$T/suppressed.yaml" >"$T/suppressed.run" 2>&1 ||
    fail "suppressed: exit $?: $(cat "$T/suppressed.run")"
tr -s '\n ' '  ' <"$T/suppressed.run" >"$T/suppressed.txt"
grep -q "384 B of what stays is suppressed, and not judged" "$T/suppressed.txt" || fail "not said: what is suppressed"
grep -q "no_such_function" "$T/suppressed.txt" || fail "not said: a rule that matched nothing"
"$B/tidemark" run -q --suppressions /dev/null/none "$T/suppressed.yaml" >/dev/null 2>&1
[ $? -eq 2 ] || fail "a missing file of suppressions does not exit 2"
# Stopped at its cap, after a test that crashed: what stays, its rate and the projection are of the process that was
# stopped, and the sites of as many tests as fit once more.
cat >"$T/keeps.c" <<'END'
#include <check.h>
#include <stdlib.h>
#include <string.h>
static char *kept[90];
START_TEST(keeps)
{
    if (_i == 30) {
        abort();
    }
    if (!kept[_i]) {
        kept[_i] = malloc(1000000);
        memset(kept[_i], 1, 1000000);
    }
}
END_TEST
int main(void)
{
    Suite *suite = suite_create("keeps");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, keeps, 0, 90);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_SILENT);
    srunner_free(runner);
    return 0;
}
END
# shellcheck disable=SC2046
${CC:-cc} -g -o "$T/keeps" "$T/keeps.c" $(pkg-config --cflags --libs check) || fail "keeps.c does not build"
printf 'scenario: keeps\nsuite: {program: %s}\nvariants: [it]\nlimits: {memory: 50 MB}\n' "$T/keeps" >"$T/keeps.yaml"
"$B/tidemark" run -q --json "$T/stopped.jsonl" "$T/keeps.yaml" >"$T/stopped.out" 2>&1
kept=$(sed -n 's/.*"kept_bytes":\([0-9]*\),.*/\1/p' "$T/stopped.jsonl") tests=$(sed -n 's/.*"kept_tests":\([0-9]*\),.*/\1/p' "$T/stopped.jsonl")
rate=$(sed -n 's/.*"growth_bytes_per_test":\([0-9]*\)[,.].*/\1/p' "$T/stopped.jsonl")
[ "$rate" = 1000000 ] && [ "$kept" = $((${tests:-0} * 1000000)) ] || fail "stopped: $kept B in $tests tests, $rate B a test"
grep -q '"projection":"90 MB at test 90"' "$T/stopped.jsonl" || fail "stopped: another projection: $(grep -o '"projection":"[^"]*"' "$T/stopped.jsonl")"
tr -s '\n ' '  ' <"$T/stopped.out" >"$T/stopped.txt"
grep -q "kept 1 MB a test, .* in $tests tests, which would be 90 MB at test 90; stopped at" "$T/stopped.txt" || fail "stopped: $(cat "$T/stopped.out")"
grep -q 'allocated by keeps_fn (.*keeps.c:11)' "$T/stopped.txt" || fail "stopped: no site"
# One that comes through has no projection: what ran is no forecast.
sed 's/50 MB/500 MB/; s/program: [^}]*/&, env: {NOTHING: "1"}/' "$T/keeps.yaml" >"$T/whole.yaml"
sed 's/_i == 30/_i == 90/' "$T/keeps.c" >"$T/whole.c"
# shellcheck disable=SC2046
${CC:-cc} -g -o "$T/keeps" "$T/whole.c" $(pkg-config --cflags --libs check) || fail "whole.c does not build"
"$B/tidemark" run -q --json "$T/whole.jsonl" "$T/whole.yaml" >"$T/whole.out" 2>&1 || fail "whole: exit $?"
grep -q '"kept_bytes":90000000,"kept_tests":90,"projection":""' "$T/whole.jsonl" || fail "whole: $(grep '"type":"variant"' "$T/whole.jsonl")"
grep -q 'kept 1 MB a test, 90 MB in 90 tests' "$T/whole.out" || fail "whole: $(cat "$T/whole.out")"
# Where there is time for one order only, and it accuses, there is another: with it what each test keeps is told, and a
# table over few inputs, at which other tests allocate then, is not accused.
seed=1
few() { # name inputs verdict
    INPUTS=$2 "$B/tidemark" hunt -q --budget 1ms --json "$T/$1.jsonl" -- "$B/fixtures/check_few_inputs" >"$T/$1.out" 2>&1
    verdict "$1" "$3"
    tr -s '\n ' '  ' <"$T/$1.out" | grep -q "judged over 20 tests in order and in 1 shuffled order (seed 1), 2 of 2 passes accuse" ||
        fail "$1: not one more order: $(grep -A3 'evidence' "$T/$1.out")"
}
few own 20 accumulates
few shared 4 inconclusive
exit $bad
