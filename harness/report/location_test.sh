#!/bin/sh
# location_test.sh - paths in annotations, SARIF and code quality: relative to the repository, whatever folder the
# compiler was called in and wherever tidemark is; and on the user's line, not on one of a header of the system.
# Run from the root with $B set.
set -u
B=$(cd "${B:-build}" && pwd)
command -v git >/dev/null || { echo "no git"; exit 77; }
command -v jq >/dev/null || { echo "no jq"; exit 77; }
T=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-location.XXXXXX") || exit 99
trap 'rm -rf "$T"' EXIT
unset GITHUB_WORKSPACE CI_PROJECT_DIR GITHUB_ACTIONS
CC=${CC:-cc}
FLAGS=$(pkg-config --cflags --libs check)
bad=0
fail() { echo "FAIL: $*"; bad=1; }

mkdir -p "$T/project/src/deep" "$T/project/tests" "$T/project/b/tests" "$T/project/sub/src"
cd "$T/project" || exit 99
git init -q .
cat >src/deep/mine.c <<'END'
#include "copy.h"
char *volatile keeper[1 << 20];
unsigned kept;

void mine_add(void)
{
    keeper[kept++ % (1 << 20)] = copy_of("seven");
}
END
# A function of a system's header, inlined into the user's: its line is not the user's.
mkdir -p "$T/usr/include"
cat >src/copy.h <<'END'
#include <stdlib.h>
#include <string.h>
static inline char *copy_of(const char *text)
{
    char *copy = malloc(strlen(text) + 1);
    return strcpy(copy, text);
}
END
cat >tests/check_mine.c <<'END'
#include <check.h>
void mine_add(void);
START_TEST(adds) { mine_add(); } END_TEST
START_TEST(fails) { ck_assert_int_eq(1, 2); } END_TEST
int main(void)
{
    Suite *s = suite_create("mine");
    TCase *t = tcase_create("t");
    tcase_add_test(t, adds);
    tcase_add_test(t, fails);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_SILENT);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
END

# expect ABOUT: the result r.jsonl, reported from the folder where this is called, points at both files.
expect() {
    about=$1
    shift
    "$B/tidemark" report -q "$T/r.jsonl" --github /dev/null --sarif "$T/r.sarif" --codequality "$T/r.cq" "$@" >"$T/annotations"
    grep -q '^::error file=src/copy.h,line=5,title=tidemark%3A mine/t/adds growth::' "$T/annotations" &&
        grep -q '^::error file=tests/check_mine.c,line=4,title=tidemark%3A mine/t/fails fail::' "$T/annotations" ||
        { fail "$about: the annotations are"; cat "$T/annotations"; }
    places=$(jq -r '.runs[0].results[].locations[0].physicalLocation.artifactLocation.uri' "$T/r.sarif" | sort | tr '\n' ' ')
    [ "$places" = "src/copy.h tests/check_mine.c " ] || fail "$about: SARIF points at $places"
    places=$(jq -r '.[].location.path' "$T/r.cq" | sort | tr '\n' ' ')
    [ "$places" = "src/copy.h tests/check_mine.c " ] || fail "$about: code quality points at $places"
}
hunt() { # PROGRAM
    "$B/tidemark" hunt --quick -q --json "$T/r.jsonl" -- "$1" >"$T/out" 2>&1
    [ $? -eq 1 ] || { fail "the hunt of $1"; cat "$T/out"; }
}

# As Meson and VPATH builds call it: from the build folder, the sources named ../
# shellcheck disable=SC2086
(cd b && $CC -g ../src/deep/mine.c -I../src ../tests/check_mine.c -o check_mine $FLAGS) || exit 99
hunt b/check_mine
expect "built in b/, reported at the root"
(cd b && expect "built in b/, reported there"; exit $bad) || bad=1
# As a recursive make does: in the sources' own folder, the objects of another joined to them.
# shellcheck disable=SC2086
(cd tests && $CC -g -c -I../src ../src/deep/mine.c -o ../b/mine.o && $CC -g check_mine.c ../b/mine.o -o ../b/tests/check_mine $FLAGS) || exit 99
hunt b/tests/check_mine
expect "built in tests/"
# As CMake does: by absolute names.
# shellcheck disable=SC2086
$CC -g -I"$PWD/src" "$PWD/src/deep/mine.c" "$PWD/tests/check_mine.c" -o b/absolute $FLAGS || exit 99
hunt b/absolute
expect "built by absolute names"
# A result of another machine, whose project lay elsewhere; and one that was mapped to nowhere.
sed "s|$PWD/|/builds/somebody/|g" "$T/r.jsonl" >"$T/other.jsonl" && mv "$T/other.jsonl" "$T/r.jsonl"
expect "another machine's result"
# shellcheck disable=SC2086
$CC -g -ffile-prefix-map="$PWD"=. -I"$PWD/src" "$PWD/src/deep/mine.c" "$PWD/tests/check_mine.c" -o b/mapped $FLAGS || exit 99
hunt b/mapped
expect "built with a prefix map"
# From elsewhere, by what CI systems say of the workspace, or by the option.
cd "$T" || exit 99
GITHUB_WORKSPACE=$T/project expect "GITHUB_WORKSPACE"
CI_PROJECT_DIR=$T/project expect "CI_PROJECT_DIR"
expect "--source-root" --source-root "$T/project"
# A project in a folder of the repository in which it was hunted: below that folder, when it is the root.
mkdir -p "$T/monorepo/parts" && cp -r "$T/project" "$T/monorepo/parts/project" && git init -q "$T/monorepo" || exit 99
cd "$T/monorepo" || exit 99
rm -rf parts/project/.git
# shellcheck disable=SC2086
(cd parts/project/tests && $CC -g -I../src ../src/deep/mine.c check_mine.c -o ../b/part $FLAGS) || exit 99
hunt parts/project/b/part
cd "$T" || exit 99
expect "--source-root further in" --source-root "$T/monorepo/parts/project"
"$B/tidemark" report -q "$T/r.jsonl" --source-root "$T/nowhere" >"$T/out" 2>&1
[ $? -eq 2 ] || fail "a --source-root that is none is taken"
exit $bad
