#!/bin/sh
# guard_test.sh - without --memory a test that takes most of what is free is ended before it takes the machine with it,
# with the figures; the others have their results. Needs a control group of memory; run from the root with $B set.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
bad=0
group=
end() { [ -z "$group" ] || rmdir "$group" 2>/dev/null; rm -rf "$T"; }
trap end EXIT
fail() { echo "guard_test: $*: $(cat "$T/said")"; bad=1; }
cat >"$T/eats.c" <<'END'
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static void eats(void)
{
    for (int i = 0; i < 100; i++) {
        char *volatile block = malloc(2 << 20);
        memset(block, 1, 2 << 20);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
}
START_TEST(eats_by_itself) { eats(); } END_TEST
START_TEST(eats_in_a_child) { if (fork() == 0) { eats(); _exit(0); } int status; wait(&status); } END_TEST
START_TEST(eats_nothing) { free(malloc(10)); } END_TEST
int main(void)
{
    Suite *suite = suite_create("s");
    TCase *tcase = tcase_create("c");
    tcase_add_test(tcase, eats_by_itself);
    tcase_add_test(tcase, eats_in_a_child);
    tcase_add_test(tcase, eats_nothing);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}
END
# A group of 160 MiB, of whichever kind there is, for tidemark and all below it.
for at in /sys/fs/cgroup/memory:memory.limit_in_bytes /sys/fs/cgroup:memory.max; do
    group=${at%:*}/tidemark-guard-$$
    mkdir "$group" 2>/dev/null && echo 167772160 >"$group/${at#*:}" 2>/dev/null && break
    rmdir "$group" 2>/dev/null
    group=
done
[ -n "$group" ] || { echo "no control group of memory can be made here"; exit 77; }
# shellcheck disable=SC2046
${CC:-cc} -g -o "$T/eats" "$T/eats.c" $(pkg-config --cflags --libs check) || exit 99
(
    sh -c 'echo $PPID' >"$group/cgroup.procs" || exit 77
    exec "$B/tidemark" hunt --no-color --quick --json "$T/r.jsonl" -- "$T/eats" >"$T/out" 2>"$T/err"
)
status=$?
[ $status -ne 77 ] || { echo "the control group cannot be entered"; exit 77; }
tr -s '\n ' '  ' <"$T/out" >"$T/said"
[ $status -eq 1 ] || fail "exit $status: $(cat "$T/err")"
for test in eats_by_itself eats_in_a_child; do
    grep -Eq "OOM s/c/$test ran out of memory.* it and its children had 1[0-9]{2}(\.[0-9])? MB, more than the 1[0-2][0-9](\.[0-9])? MB that are three quarters of what was free" "$T/said" ||
        fail "$test is not out of memory"
done
tail -n 1 "$T/out" | grep -qx '2 passed, 2 failed, 0 skipped' || fail "the other test has no result"
grep -Eq '"guard":1[0-2][0-9]{7},' "$T/r.jsonl" || fail "the result does not say the limit"
exit $bad
