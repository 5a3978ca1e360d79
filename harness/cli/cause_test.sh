#!/bin/sh
# cause_test.sh - one cause is one entry, whatever it does to how many tests: a cache that a function further in keeps,
# its repair, a list that grows, one more allocation; with and without the sites. Run from the root with $B set.
set -u
export NO_COLOR=1 COLUMNS=90
: "${B:=build}"
T=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-cause.XXXXXX") || exit 99
trap 'rm -rf "$T"' EXIT
failed=0
fail() { echo "FAILED: $*"; cat "$T/out"; failed=1; }
{
    cat <<'C'
#include <check.h>
#include <stdlib.h>
static void *slots[64];
static struct node { struct node *next; char body[40]; } *list;
__attribute__((noinline)) static void *kept(int i)
{
    if (!slots[i % 64]) {
        slots[i % 64] = malloc(1000);
    }
    return slots[i % 64];
}
__attribute__((noinline)) static void record(int i)
{
#ifdef GROWS
    struct node *node = malloc(sizeof *node);
    node->next = list;
    list = node;
#endif
#ifdef MORE
    free(malloc(77));
#endif
#ifdef CACHE
    kept(i);
#else
    (void)kept, (void)list, (void)i;
    free(malloc(1000));
#endif
}
C
    for i in $(seq 60); do echo "START_TEST(t$i) { record($i); } END_TEST"; done
    echo 'int main(void) { Suite *s = suite_create("s"); TCase *t = tcase_create("t");'
    for i in $(seq 60); do echo "tcase_add_test(t, t$i);"; done
    echo 'suite_add_tcase(s, t); SRunner *r = srunner_create(s); srunner_run_all(r, CK_SILENT);'
    echo 'int bad = srunner_ntests_failed(r); srunner_free(r); return bad != 0; }'
} >"$T/many.c"
for sites in --sites ""; do
    for kind in plain cache grows more; do
        # shellcheck disable=SC2046
        ${CC:-cc} -g -D"$(echo $kind | tr a-z A-Z)" "$T/many.c" -o "$T/many" $(pkg-config --cflags --libs check) || exit 99
        # shellcheck disable=SC2086
        "$B/tidemark" hunt -q $sites --json "$T/$kind.jsonl" -- "$T/many" >"$T/out" 2>&1
    done
    check() { # STATUS BASE HEAD ENTRIES OTHERS: of WORSE, of those that a person reads besides
        "$B/tidemark" baseline save -f "$T/b" "$T/$2.jsonl" >/dev/null 2>&1
        "$B/tidemark" baseline check -f "$T/b" "$T/$3.jsonl" >"$T/out" 2>&1
        got=$?
        [ $got -eq "$1" ] || fail "$3 behind $2 ($sites): status $got, not $1"
        [ "$(grep -c '^WORSE' "$T/out")" -eq "$4" ] || fail "$3 behind $2 ($sites): not $4 causes"
        [ "$(grep -c '^\(BETTER\|WARN\)' "$T/out")" -eq "$5" ] || fail "$3 behind $2 ($sites): not $5 more entries"
        [ "$(wc -l <"$T/out")" -le 40 ] || fail "$3 behind $2 ($sites): more than 40 lines"
    }
    check 1 plain cache 1 0
    grep -q '60 tests allocate less: served from what the suite keeps' "$T/out" || fail "the other side of the cache is not told with it ($sites)"
    check 0 cache plain 0 1 # what repairs a suite is not red for the allocations that it takes
    tr -s '\n ' '  ' <"$T/out" | grep -q '60 tests allocate more: no longer served from what the suite kept' ||
        fail "the other side of the repair is not told with it ($sites)"
    check 1 plain more 1 0
    check 0 more plain 0 1
    check 1 plain grows 1 0
    check 0 plain plain 0 0
done
exit $failed
