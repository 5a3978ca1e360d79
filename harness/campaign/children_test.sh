#!/bin/sh
# children_test.sh - processes that tests start: a child that does the work of its test and cannot be followed leaves it without a verdict, other
# programs are counted and named, and get the environment that they would have. Run from the root with $B set.
# fixtures/programs/check_children.c is the program.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "children_test: $*"; bad=1; }
# verdict, children and programs of each test (- where the result has none)
cat >"$T/rows" <<'ROWS'
starts_nothing clean - -
forks_and_works_there leak - -
forks_three_that_work leak - -
forks_one_that_works_and_is_killed none 1 -
forks_one_that_does_nothing clean - -
leaks_and_forks leak - -
forks_and_executes clean - 3
forks_what_cannot_be_executed leak - -
forks_sharing_memory clean - 1
spawns clean - 2
clones none 1 -
calls_a_shell clean - 2
has_the_environment_it_would_have clean - 3
ROWS
field() { # name line
    echo "$2" | sed -n "s/.*\"$1\":\"*\([^,\"}]*\).*/\1/p" | grep . || echo -
}
# Built with a sanitizer, a program dies when anything is preloaded before the sanitizer's library.
HELPER=true
if printf 'int main(void){return 0;}\n' | ${CC:-cc} -fsanitize=address -x c -o "$T/helper" - 2>/dev/null && "$T/helper"; then
    HELPER=$T/helper
fi
export HELPER
"$B/tidemark" hunt -q --no-color --budget 20s --json "$T/all.jsonl" -- "$B/fixtures/check_children" >"$T/all.txt" 2>&1
[ $? -eq 1 ] || fail "not 1: $(head -n 3 "$T/all.txt")" # four leak
while read -r test verdict children programs; do
    line=$(grep "\"type\":\"test\",\"id\":\"children/all/$test\"" "$T/all.jsonl" | tail -n 1)
    seen="$(field status "$line") $(field verdict "$line") $(field children "$line") $(field programs "$line")"
    [ "$seen" = "pass $verdict $children $programs" ] || fail "$test is '$seen', not '$verdict $children $programs': $(field message "$line")"
done <"$T/rows"
tr -s '\n ' '  ' <"$T/all.txt" >"$T/said"
grep -q 'not judged: children that 2 tests forked did the work, and what they keep is not seen; the first is children/all/forks_one_that_works_and_is_killed, with 1 child' "$T/said" ||
    fail "no note on children: $(cat "$T/said")"
grep -q '5 tests start other programs, which are not watched; the first is children/all/forks_and_executes, with /bin/true' "$T/said" ||
    fail "no note on programs: $(cat "$T/said")"
grep -q '1 child of it did work of the test: what it keeps is not seen' "$T/all.jsonl" || fail "no reason in the result"

# Of the suite: not judged where all tests worked in children, in a hunt and in a scenario, with the reason; else its
# evidence says how many.
variant() { sed -n 's/.*"type":"variant".*"verdict":"\([a-z]*\)".*"horizon":"\([^"]*\)".*/\1 \2/p' "$1" | tail -n 1; }
reads() { # file, pattern
    variant "$1" | grep -q "$2" || fail "the suite of $(basename "$1") is '$(variant "$1")', not '$2'"
}
reads "$T/all.jsonl" '^clean .*; children of 2 of 13 tests did work of theirs, and what they keep is not seen$'
"$B/tidemark" hunt -q --no-color --only '*/forks_one_that_works*' --json "$T/some.jsonl" --junit "$T/some.xml" -- "$B/fixtures/check_children" >"$T/out" 2>&1
[ $? -eq 77 ] || fail "only such tests: not 77: $(tail -n 2 "$T/out")"
reads "$T/some.jsonl" '^none children of its test did the work: what they keep is not seen$'
grep -q 'children of its test did the work' "$T/some.xml" || fail "JUnit does not say why the suite is skipped"
cat >"$T/forks.c" <<'END'
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
    for (int i = 0; i < 4; i++) {
        pid_t child = fork();
        if (child == 0) {
            char *volatile kept = malloc(4000);
            kept[0] = 1;
            exit(0);
        }
        waitpid(child, NULL, 0);
    }
    return 0;
}
END
${CC:-cc} -o "$T/forks" "$T/forks.c" || fail "the program that forks for each test was not built"
cat >"$T/forks.yaml" <<END
scenario: forks
suite: {program: $T/forks}
variants: [as-it-is]
END
"$B/tidemark" run -q --no-color --json "$T/run.jsonl" "$T/forks.yaml" >"$T/out" 2>&1
[ $? -eq 77 ] || fail "a scenario without a verdict: not 77: $(tail -n 2 "$T/out")"
reads "$T/run.jsonl" '^none children of its test did the work: what they keep is not seen$'
tr -s '\n ' '  ' <"$T/out" | grep -q 'nothing was judged: no variant has a verdict, and nothing is expected of one: children of its test did the work' ||
    fail "a scenario without a verdict does not say why: $(cat "$T/out")"
printf 'expect: {as-it-is: {verdict: clean}}\n' >>"$T/forks.yaml"
"$B/tidemark" run -q --no-color "$T/forks.yaml" >"$T/out" 2>&1
[ $? -eq 1 ] || fail "clean is expected, and not known: not 1: $(tail -n 2 "$T/out")"

# The user's own preloads stay, however many.
library=$(ldd "$B/fixtures/check_children" | sed -n 's/.*=> \([^ ]*libm\.so[^ ]*\).*/\1/p' | head -n 1)
if [ -n "$library" ] && [ -z "${SAN-}" ]; then # a sanitizer has to come first in tidemark itself
    many=$library
    for _ in 1 2 3 4 5 6 7; do many=$many:$many; done
    HELPER=true LD_PRELOAD=$many WANTED_PRELOAD=$many "$B/tidemark" hunt -q --no-color --only '*/has_the_env*' \
        -- "$B/fixtures/check_children" >"$T/many.txt" 2>&1 || fail "the user's preloads are lost: $(cut -c 1-300 "$T/many.txt")"
fi
exit $bad
