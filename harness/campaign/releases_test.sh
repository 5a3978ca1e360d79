#!/bin/sh
# releases_test.sh - the places to "look at" of leaks whose release is missing: the relation and the functions that the comments
# of fixtures/programs/check_releases.c name. Run from the root with $B set.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "releases_test: $*"; bad=1; }
SOURCE=fixtures/programs/check_releases.c

# "test<TAB>relation functions", "test<TAB>" where nothing is to be said
awk '/^\/\* release:/ { sub(/.*release: */, ""); sub(/ *\*\//, ""); said = $0 }
     /^START_TEST/ { sub(/START_TEST\(/, ""); sub(/\).*/, ""); print $0 "\t" said }' $SOURCE >"$T/expected"
[ "$(wc -l <"$T/expected")" -ge 8 ] || fail "the fixture's comments are not read"

check() { # name, then a compiler and its options
    name=$1
    shift
    # shellcheck disable=SC2046
    "$@" -o "$T/$name" $SOURCE $(pkg-config --cflags --libs check) || { fail "$name does not build"; return; }
    "$B/tidemark" hunt -q --no-color --json "$T/$name.jsonl" -- "$T/$name" >"$T/$name.txt" 2>&1
    [ $? -eq 1 ] || fail "$name: exit status"
    while IFS="	" read -r test said; do
        # The first release site of each site of the test, largest first; frames of libc left out.
        jq -r --arg test "releases/all/$test" 'select(.type == "site" and .test == $test) | [.released_by // [] | .[0] | select(.) |
            ([.relation] + [.frames[] | select(.module | test("^(/usr)?/lib") | not) | .function])[:4]] | .[0] // [] | join(" ")' \
            "$T/$name.jsonl" >"$T/told"
        verdict=$(jq -r --arg test "releases/all/$test" 'select(.type == "test" and .id == $test).verdict' "$T/$name.jsonl")
        case $verdict in leak | growth) ;; *) fail "$name: $test: verdict $verdict" ;; esac
        case $said in
        "") [ -z "$(tr -d '\n' <"$T/told")" ] || fail "$name: $test: nothing to say, but: $(cat "$T/told")" ;;
        *) grep -q "^$said\( \|\$\)" "$T/told" || fail "$name: $test: not '$said', but: $(cat "$T/told")" ;;
        esac
    done <"$T/expected"
}

for cc in gcc clang; do
    command -v $cc >/dev/null || continue
    for level in 0 2; do
        check $cc-O$level $cc -g -std=gnu11 -O$level -fno-optimize-sibling-calls
    done
done

# On the screen, and in the other reports.
grep -A1 'look at       what pointed to it was freed in queue_free_most' "$T/gcc-O0.txt" | grep -q '(.*check_releases.c:' ||
    fail "not on the screen: $(cat "$T/gcc-O0.txt")"
grep -q 'what pointed to it was freed in release_first' "$T/gcc-O0.txt" || fail "a wrapper of free() is on the screen"
grep -q 'other descriptors of this stack are closed in config_close' "$T/gcc-O0.txt" || fail "a stream's is not on the screen"
[ "$(awk '/^ / && length > 80' "$T/gcc-O0.txt" | wc -l)" -eq 0 ] || fail "wider than 80 columns"
"$B/tidemark" report -q --html "$T/x.html" --junit "$T/x.xml" --tap "$T/x.tap" --markdown "$T/x.md" --sarif "$T/x.sarif" \
    "$T/gcc-O0.jsonl" >/dev/null 2>&1
"$B/tidemark" report "$T/gcc-O0.jsonl" 2>&1 | grep -q 'what pointed to it was freed in queue_free_most' || fail "not in the report of the file"
for file in html xml tap md sarif; do
    tr -d '\\' <"$T/x.$file" | grep -q 'what pointed to it was freed in queue_free_most' || fail "not in x.$file"
done

# Verdicts, figures and stacks are those of a hunt that never asked: the repetition comes after them.
jq -c 'select(.type == "test") | [.id, .verdict, .repetitions, .allocs, .frees, .bytes, .retained_bytes, .growth_bytes_per_rep, .fds]' \
    "$T/gcc-O0.jsonl" >"$T/first"
"$B/tidemark" hunt -q --json "$T/again.jsonl" -- "$T/gcc-O0" >/dev/null 2>&1
jq -c 'select(.type == "test") | [.id, .verdict, .repetitions, .allocs, .frees, .bytes, .retained_bytes, .growth_bytes_per_rep, .fds]' \
    "$T/again.jsonl" >"$T/second"
cmp -s "$T/first" "$T/second" || { fail "not the same twice:"; diff "$T/first" "$T/second"; }
exit $bad
