#!/bin/sh
# child_ledger_test.sh - a forked child has a ledger of its own: what it loses is its test's, what it gives back is not
# held against it, what it keeps until it ends leaves the test without a verdict. Run from the root with $B set.
# fixtures/programs/check_child_ledger.c is the program.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "child_ledger_test: $*"; bad=1; }
# verdict; bytes lost in a call and the function that allocated them, of a leak
cat >"$T/rows" <<'ROWS'
loses_a_block leak 1000 loses
loses_a_large_one leak 3000000 loses
loses_a_list leak 960 list_of
loses_in_a_grandchild leak 300 loses
loses_now_and_then leak - loses
loses_in_a_thread_of_it leak 700 loses
frees_a_block clean - -
frees_a_list clean - -
frees_in_a_grandchild clean - -
frees_at_exit clean - -
frees_what_it_inherited clean - -
forgets_what_it_inherited clean - -
moves_what_it_inherited clean - -
prints clean - -
keeps_a_list none - -
holds_it_in_a_variable none - -
dies none - -
loses_beside_a_thread none - -
waits_for_all clean - -
ROWS
"$B/tidemark" hunt -q --no-color --budget 20s --json "$T/all.jsonl" -- "$B/fixtures/check_child_ledger" >"$T/all.txt" 2>&1
[ $? -eq 1 ] || fail "not 1: $(head -n 3 "$T/all.txt")"
while read -r test verdict bytes place; do
    line=$(grep "\"type\":\"test\",\"id\":\"child/all/$test\"" "$T/all.jsonl" | tail -n 1)
    case $line in
    *"\"status\":\"pass\""*"\"verdict\":\"$verdict\""*) ;;
    *) fail "$test is not $verdict: $line" ;;
    esac
    if [ "$bytes" != - ]; then
        echo "$line" | grep -q "\"growth_bytes_per_rep\":$bytes[,.}]" || fail "$test does not lose $bytes B a call: $line"
    fi
    if [ "$place" != - ]; then
        sed -n "/^LEAK  child\/all\/$test\$/,/^\$/p" "$T/all.txt" | grep -q "$place (.*check_child_ledger.c:" ||
            fail "$test: $place does not stand in its stack"
    fi
done <"$T/rows"
tr -s '\n ' '  ' <"$T/all.txt" >"$T/said"
grep -q 'children that 6 tests forked were followed to their end: what they lost is counted as the test.s' "$T/said" ||
    fail "no note on what was followed: $(cat "$T/said")"
grep -q 'children that 4 tests forked did the work, and what they keep is not seen' "$T/said" || fail "no note on what was not"
[ "$(grep -c '"children_followed":1' "$T/all.jsonl")" -ge 12 ] || fail "the result does not say which were followed"

# Children that nobody waits for are a series of their own.
"$B/tidemark" hunt -q --no-color --only '*/leaves_*' --json "$T/left.jsonl" -- "$B/fixtures/check_child_ledger" >"$T/left.txt" 2>&1
[ $? -eq 1 ] || fail "left children: not 1: $(head -n 3 "$T/left.txt")"
for test in leaves_a_zombie:leaves leaves_one_that_was_spawned:leaves_one_that_was_spawned; do
    name=child/all/${test%:*}
    grep "\"id\":\"$name\"" "$T/left.jsonl" | tail -n 1 | grep -q '"verdict":"leak".*"children_left":1,' || fail "$name leaves no child"
    sed -n "\\|^LEAK  $name\$|,/^\$/p" "$T/left.txt" >"$T/block"
    grep -q 'kept  *[0-9]* child processes, 1 a repetition' "$T/block" || fail "$name: not how many"
    grep -q 'leaks 1 child process a repetition' "$T/block" || fail "$name: not said"
    grep -q "made by  *${test#*:}" "$T/block" || fail "$name: ${test#*:} does not stand in its stack"
done

# A framework of the program's own that forks for each test: the whole program is one test, and is accused.
cat >"$T/own.c" <<'END'
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static char *volatile block;
static void guilty(void) { block = malloc(GUILTY ? 1234 : 1); if (!GUILTY) free(block); block = NULL; }
static void innocent(void) { free(malloc(10)); }
int main(void)
{
    void (*const tests[])(void) = {innocent, guilty, innocent};
    int failed = 0;
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        if (child == 0) {
            tests[i]();
            exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        failed += status != 0;
    }
    return failed;
}
END
for guilty in 1 0; do
    ${CC:-cc} -g -DGUILTY=$guilty -o "$T/own$guilty" "$T/own.c" || fail "the framework was not built"
    "$B/tidemark" hunt -q --no-color -- "$T/own$guilty" >"$T/own$guilty.txt" 2>&1
    [ $? -eq $guilty ] || fail "guilty $guilty: exit $?: $(head -n 3 "$T/own$guilty.txt")"
done
grep -q 'leaks 1.23 KB a repetition' "$T/own1.txt" || fail "not the bytes: $(head -n 3 "$T/own1.txt")"
grep -q '1 clean' "$T/own0.txt" || fail "the innocent one is not clean: $(head -n 3 "$T/own0.txt")"
exit $bad
