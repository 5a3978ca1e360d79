#!/bin/sh
# crowded_test.sh - with a cap of memory a test that grows does not push the ones after it over it: who runs out of
# memory that other tests hold gets a worker of its own, one by one and side by side. Run from the root with $B set.
set -u
export NO_COLOR=1 COLUMNS=100
B=${B:-build}
t=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-crowded.XXXXXX") || exit 99
trap 'rm -rf "$t"' EXIT
failed=0
fail() { echo "FAILED: $*"; cat "$t/out"; failed=1; }
cat >"$t/crowd.c" <<'C'
#include <check.h>
#include <stdlib.h>
#include <string.h>
static char *kept[100000];
static int count;
static char *taken(const char *name)
{
    size_t size = (size_t)atol(getenv(name));
    char *block = malloc(size);
    ck_assert_ptr_nonnull(block);
    memset(block, 1, size);
    return block;
}
START_TEST(first) { free(malloc(10)); } END_TEST
START_TEST(grows) { kept[count++] = taken("STEP"); } END_TEST
START_TEST(innocent) { free(taken("NEED")); } END_TEST
START_TEST(greedy) { free(taken("GREED")); } END_TEST
START_TEST(last) { free(taken("NEED")); } END_TEST
int main(void)
{
    Suite *s = suite_create("s");
    TCase *t = tcase_create("t");
    tcase_add_test(t, first);
    tcase_add_test(t, grows);
    tcase_add_test(t, innocent);
    tcase_add_test(t, greedy);
    tcase_add_test(t, last);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_SILENT);
    int bad = srunner_ntests_failed(r);
    srunner_free(r);
    return bad != 0;
}
C
# shellcheck disable=SC2046
${CC:-cc} -g "$t/crowd.c" -o "$t/crowd" $(pkg-config --cflags --libs check) || exit 99

# Only where somebody is killed at the cap: a limit of addresses refuses memory, and a test that is refused it fails.
STEP=1 NEED=1 GREED=1 "$B/tidemark" hunt -q --quick --memory 40MiB --json "$t/r.jsonl" -- "$t/crowd" >"$t/out" 2>&1
grep -q '"cap_kind":"rlimit"' "$t/r.jsonl" && { echo "no control group of memory can be made here"; exit 77; }

verdict() { grep "\"type\":\"test\",\"id\":\"s/t/$1\"" "$t/r.jsonl" | tail -1 | sed 's/.*"status":"\([a-z]*\)".*"verdict":"\([a-z]*\)".*/\1 \2/'; }
is() { [ "$(verdict "$1")" = "$2" ] || fail "$about: $1 is '$(verdict "$1")', not '$2'"; }
# It passed; on a machine that is too busy it was not judged for that, and says so.
innocent() {
    case $(verdict "$1") in
    "pass clean") ;;
    "pass none") grep "\"type\":\"test\",\"id\":\"s/t/$1\"" "$t/r.jsonl" | tail -1 | grep -q '"horizon":"not repeated: ' || fail "$about: $1 was not judged, and nothing says why" ;;
    *) fail "$about: $1 is '$(verdict "$1")'" ;;
    esac
}
for step in 100000 1000000 4000000; do
    for jobs in 1 2; do
        about="STEP=$step, --jobs $jobs"
        STEP=$step NEED=22000000 GREED=1 "$B/tidemark" hunt -q --memory 40MiB --budget 2s --jobs $jobs --json "$t/r.jsonl" -- "$t/crowd" >"$t/out" 2>&1
        grep -q '^OOM' "$t/out" && fail "$about: an innocent test ran out of memory"
        innocent innocent
        innocent last
        innocent first
        case $(verdict grows) in "pass growth" | "pass inconclusive" | "pass none") ;; *) fail "$about: grows is '$(verdict grows)'" ;; esac
    done
done
# Who takes more than the cap by itself has nobody to blame; one after it is not blamed for it.
about="greedy"
STEP=100000 NEED=22000000 GREED=90000000 "$B/tidemark" hunt -q --memory 40MiB --budget 2s --json "$t/r.jsonl" -- "$t/crowd" >"$t/out" 2>&1
[ $? -eq 1 ] || fail "$about: nothing fails"
is greedy "oom none"
innocent innocent
innocent last
# In the pass in order: it passes by itself, and was not judged; that is no pass, and no failure.
about="in order"
STEP=9000000 NEED=33000000 GREED=1 "$B/tidemark" hunt -q --memory 40MiB --budget 2s --json "$t/r.jsonl" -- "$t/crowd" >"$t/out" 2>&1
grep -q '^OOM' "$t/out" && fail "$about: an innocent test ran out of memory"
is innocent "pass none"
tr -s '\n ' '  ' <"$t/out" | grep -q "s/t/innocent runs out of memory in the process of the tests before it, and passes in a process of its own" ||
    fail "$about: nothing says why it was not judged"
exit $failed
