#!/bin/sh
# holders_test.sh - "held by" for every kind of place a block can hang from, named as a C programmer would, from what
# gcc and clang write down at -O0 and -O2; without debug information by offsets. Run from the root with $B set.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "holders_test: $*"; bad=1; }
SOURCE=fixtures/programs/check_holders.c
LIBS=$(pkg-config --cflags --libs check)

# "test<TAB>what holds": from the comments
awk '/held by: / { sub(/.*held by: /, ""); sub(/ \*\//, ""); held = $0 }
     /^START_TEST/ { sub(/START_TEST\(/, ""); sub(/\).*/, ""); print $0 "\t" held }' $SOURCE >"$T/expected"
[ "$(wc -l <"$T/expected")" -ge 15 ] || fail "the fixture's comments are not read"

# The same from the screen: one line a test, without module, sizes, lines, thread numbers.
held_by() {
    awk '/^(GROWTH|LEAK|ACCUMULATES)/ { sub(/.*\//, ""); test = $1; done = 0 }
         /^    [a-z]/ { open = 0 }
         /^    held by/ && !done { open = done = 1; sub(/^    held by */, ""); printf "\n%s\t", test }
         open { sub(/^ */, ""); printf "%s ", $0 }' "$1" |
        sed -E 's/ \([^)]*\)//; s/[0-9,]+ B from //g; s/[0-9,]+ B \(untraced\)/untraced/g; s/:[0-9]+//g; s/thread-local //; s/(of thread) [0-9]+/\1/; s/ +$//' |
        grep -v '^$'
}

check() { # name, then a compiler and its options
    name=$1
    shift
    # shellcheck disable=SC2086
    "$@" -DPART=1 -c -o "$T/1.o" $SOURCE && "$@" -DPART=2 -c -o "$T/2.o" $SOURCE &&
        "$1" -o "$T/$name" "$T/1.o" "$T/2.o" $LIBS -lpthread || { fail "$name does not build"; return; }
    "$B/tidemark" hunt -q --no-color -- "$T/$name" >"$T/$name.txt" 2>&1
    held_by "$T/$name.txt" >"$T/$name.held"
}

for cc in gcc clang; do
    command -v $cc >/dev/null || continue
    for level in 0 2; do
        check $cc-O$level $cc -g -std=gnu11 -O$level
        cmp -s "$T/expected" "$T/$cc-O$level.held" || {
            fail "$cc -O$level:"
            diff "$T/expected" "$T/$cc-O$level.held"
        }
    done
done

# Without debug information: the symbol table's names, and offsets.
check bare gcc -std=gnu11 -O2
for line in 'in_a_list	g_list -> node_new' \
    'in_a_bucket	g_cache+0x20 -> node_new' \
    'behind_the_first_of_a_bucket	g_cache+0x30 -> untraced -> node_new' \
    'in_a_table_on_the_heap	g_table -> untraced+0x8 -> untraced+0x58 -> node_new+0x8 -> value_new' \
    'in_a_thread_local_struct	t_cache+0x10 -> node_new'; do
    grep -qxF "$line" "$T/bare.held" || fail "without debug information: not $line, but $(grep "^${line%%	*}" "$T/bare.held")"
done
exit $bad
