#!/bin/sh
# mutate_test.sh - the mutation tester, on a project of one file: it makes each kind of mutant, tells what its test kills
# from what it does not, keeps what it knows, and leaves out what fails without a mutant.
set -u
for tool in python3 git make objcopy; do
    command -v $tool >/dev/null || { echo "no $tool"; exit 77; }
done
mutate=$PWD/ci/mutate.py
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "mutate_test: $*"; bad=1; }
unset MAKEFLAGS MFLAGS SAN
cd "$T" || exit 99
git init -q . && mkdir harness && printf 'build/\n' >.gitignore
cat >harness/rule.h <<'END'
#include <stdbool.h>
enum answer { ANSWER_NO, ANSWER_PERHAPS, ANSWER_YES };
enum answer rule(int value, bool strict);
bool is_even(int value);
END
cat >harness/rule.c <<'END'
#include "harness/rule.h" /* 7 < 8 in a comment, and "5" in a string, are nothing to change */
#define MOST 10
enum answer rule(int value, bool strict)
{
    if (strict && value > MOST) {
        return ANSWER_YES;
    }
    return value > 2 ? ANSWER_PERHAPS : ANSWER_NO;
}
bool is_even(int value)
{
    return value % 2 == 0;
}
END
cat >harness/rule_test.c <<'END'
#include "harness/rule.h"
int main(void)
{
    bool good = rule(11, true) == ANSWER_YES && rule(10, true) == ANSWER_PERHAPS && rule(11, false) == ANSWER_PERHAPS &&
                rule(3, false) == ANSWER_PERHAPS && rule(2, false) == ANSWER_NO && is_even(4);
    return good ? 0 : 1;
}
END
cat >harness/broken_test.c <<'END'
int main(void) { return 1; }
END
cat >Makefile <<'END'
build/test/%: %.c build/rule.o
	mkdir -p $(@D); $(CC) -I. -o $@ $< build/rule.o
build/rule.o: harness/rule.c harness/rule.h
	mkdir -p build; $(CC) -Werror -I. -c harness/rule.c -o $@
END
cp harness/rule.c rule.c
B=build python3 "$mutate" --list harness/rule.c >list || fail "--list exits $?"
for want in 'harness/rule.c:2:14: #define MOST 20  ' 'rule.c:2:14: #define MOST 5 ' 'rule.c:2:14: #define MOST 11 ' \
    'rule.c:2:14: #define MOST 9 ' 'rule.c:5:8: if (!(strict && value > MOST)) {' 'if (strict || value > MOST)' \
    'value >= MOST' 'return ANSWER_NO;' 'return value <= 2 ? ANSWER_PERHAPS' '? ANSWER_YES : ANSWER_NO' \
    '? ANSWER_PERHAPS : ANSWER_PERHAPS' 'return !(value % 2 == 0);' 'value % 2 != 0'; do
    grep -qF "$want" list || fail "no mutant '$want'"
done
grep -q 'rule.c:1:' list && fail "an include or a comment is changed"
[ "$(tail -n 1 list)" = "$(($(wc -l <list) - 1)) mutants" ] || fail "$(tail -n 1 list) are not the lines before"

B=build python3 "$mutate" --then "" --tests harness/rule_test,harness/broken_test harness/rule.c >out 2>&1
[ $? -eq 1 ] || fail "status $? although a mutant survives: $(tail -n 3 out)"
grep -q "left out, it fails without a mutant: build/test/harness/broken_test" out || fail "the broken test is used"
# Nothing tests is_even of an odd number: whatever makes it true more often survives, and nothing else.
sed -n 's/^survived //p' out | sort >survived
grep -v -e 'value % 1 == 0' -e 'value % 4 == 0' survived && fail "survived, although the test is for it"
[ "$(wc -l <survived)" = 2 ] || fail "$(wc -l <survived) survive, not 2"
grep -q " killed, 2 survived; " out || fail "$(grep mutants out)"
cmp -s harness/rule.c rule.c || fail "the tree's own file was changed"

# What is known is not run again; what survived is, when asked to.
rows=$(wc -l <build/mutants.jsonl)
B=build python3 "$mutate" --then "" --tests harness/rule_test harness/rule.c >again 2>&1
[ "$(wc -l <build/mutants.jsonl)" = "$rows" ] && grep -q " killed, 2 survived; " again || fail "it ran everything again"
sed -i 's/is_even(4)/is_even(4) \&\& !is_even(3) \&\& !is_even(2 + 4 - 1) \&\& is_even(6)/' harness/rule_test.c
B=build python3 "$mutate" --then "" --again --tests harness/rule_test harness/rule.c >again 2>&1 ||
    fail "still surviving: $(tail -n 3 again)"
exit $bad
