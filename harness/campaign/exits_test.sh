#!/bin/sh
# Tests that are meant to end their process, or do it by mistake: a test fails here if it fails under libcheck.
set -u
B=$(cd "${B:-build}" && pwd)
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
cd "$T" || exit 99
cat >t.c <<'END'
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
static int usage(int status)
{
    puts("usage");
    exit(status);
}
START_TEST(meant_with_0) { usage(0); } END_TEST
START_TEST(meant_with_3) { usage(3); } END_TEST
START_TEST(not_meant) { usage(2); } END_TEST
START_TEST(fine) { free(malloc(3)); } END_TEST
int main(void)
{
    Suite *s = suite_create("s");
    TCase *c = tcase_create("c");
    tcase_add_exit_test(c, meant_with_0, 0);
    tcase_add_exit_test(c, meant_with_3, 3);
    tcase_add_test(c, fine);
    tcase_add_test(c, not_meant);
    suite_add_tcase(s, c);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_VERBOSE);
    return srunner_ntests_failed(r);
}
END
gcc -g t.c -o t $(pkg-config --cflags --libs check) || exit 99
./t >native
"$B/tidemark" hunt --quick --json r.jsonl -- ./t >said 2>&1
for test in meant_with_0 meant_with_3 not_meant fine; do
    grep -q ":P:c:$test" native && wanted=pass || wanted=exit
    status=$(jq -r "select(.type==\"test\" and .id==\"s/c/$test\").status" r.jsonl | tail -1)
    [ "$status" = $wanted ] || { echo "FAIL: $test is $status and not $wanted"; cat said; exit 1; }
done
grep -q 'c/meant_with_0 ends its process with status 0' said || { echo 'FAIL: no note'; cat said; exit 1; }
grep -q '3 passed, 1 failed, 1 skipped' said || { echo 'FAIL: what was not judged has passed'; cat said; exit 1; }
