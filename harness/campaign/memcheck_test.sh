#!/bin/sh
# memcheck_test.sh - hunt --valgrind: each error and each lost block at the test that made it, in JSON and on the
# screen; a program that dies under valgrind costs one test; the sum is what valgrind says without us. Run from the
# root with $B set.
set -u
B=${B:-build}
command -v valgrind >/dev/null || { echo "memcheck_test: no valgrind"; exit 77; }
command -v jq >/dev/null || { echo "memcheck_test: no jq"; exit 77; }
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "memcheck_test: $*"; bad=1; }
PROGRAM=$B/fixtures/check_memcheck

"$B/tidemark" hunt -q --quick --no-color --valgrind --json "$T/r.jsonl" -- "$PROGRAM" >"$T/out" 2>"$T/err"
[ $? = 1 ] || fail "exit status: $(cat "$T/err")"

# A test may have several lines: the last one counts.
jq -rs '[.[] | select(.type == "test")] | group_by(.id) | map(.[-1]) | .[] |
        [(.id | sub(".*/"; "")), .verdict, .memcheck.status, .memcheck.errors, .memcheck.definite_bytes,
         .memcheck.indirect_bytes, .memcheck.possible_bytes,
         ([.memcheck.findings[] | .kind + ":" + (.frames[0].function | sub("_fn$"; ""))] | join(","))] | @tsv' \
    "$T/r.jsonl" | sort >"$T/found"
sort >"$T/expected" <<'END'
calls_it_too	clean	pass	2	0	0	0	InvalidRead:deep_2
calls_what_reads_behind_the_end	clean	pass	1	0	0	0	InvalidRead:deep_2
dies_under_valgrind	clean	crash	0	0	0	0	
frees_twice	none	pass	1	0	0	0	InvalidFree:frees_twice
is_clean	clean	pass	0	0	0	0	
is_clean_too	clean	pass	0	0	0	0	
loses_a_list	leak	pass	0	32	32	0	Leak_DefinitelyLost:loses_a_list,Leak_IndirectlyLost:loses_a_list
loses_once	clean	pass	0	50	0	0	Leak_DefinitelyLost:loses_once
reads_and_is_killed	clean	pass	1	0	0	0	InvalidRead:reads_and_is_killed
reads_behind_the_end	clean	pass	1	0	0	0	InvalidRead:reads_behind_the_end
registers_for_ever	growth	pass	0	0	0	0	
uses_what_was_not_set	clean	pass	1	0	0	0	UninitCondition:uses_what_was_not_set
END
diff "$T/expected" "$T/found" || fail "not each finding at its test"

grep -q '^MEMCHECK  memcheck/errors/reads_behind_the_end$' "$T/out" || fail "no finding on the screen"
grep -Eq '^loses_a_list +leak +64 B +0 +32 B +32 B$' "$T/out" || fail "no common table: $(cat "$T/out")"
grep -q '^3 passed, 10 failed, 0 skipped$' "$T/out" || fail "the count: $(tail -1 "$T/out")"

# The result read back says the same, and every report tells of it.
"$B/tidemark" report --no-color --junit "$T/r.xml" --markdown "$T/r.md" --html "$T/r.html" --sarif "$T/r.sarif" \
    "$T/r.jsonl" >"$T/again" 2>/dev/null
grep -Eq '^loses_a_list +leak +64 B +0 +32 B +32 B$' "$T/again" || fail "the table is not in the report"
for file in r.xml r.md r.html r.sarif; do
    grep -q 'Conditional jump' "$T/$file" || fail "$file does not tell of the uninitialised value"
done
[ "$(grep -c '<failure type="memcheck"' "$T/r.xml")" = 7 ] || fail "JUnit has another number of failures"

# Over all tests the same bytes as in the summary of valgrind by itself, unforked.
CK_FORK=no CK_RUN_CASE=leaks valgrind --leak-check=full --log-file="$T/log" "$PROGRAM" >/dev/null 2>&1
for kind in definite:definitely indirect:indirectly possible:possibly; do
    sum=$(jq -rs "[.[] | select(.memcheck) | .memcheck.${kind%:*}_bytes] | add" "$T/r.jsonl")
    alone=$(sed -n "s/.*${kind#*:} lost: \([0-9,]*\) bytes.*/\1/p" "$T/log" | tr -d ,)
    [ "$sum" = "$alone" ] || fail "$sum bytes ${kind#*:} lost over all tests, valgrind by itself says $alone"
done

# Through a script, as libtool makes them; the rest of it is not the program's.
printf '#!/bin/sh\nexec "%s" "$@"\n' "$(cd "$B" && pwd)/fixtures/check_memcheck" >"$T/script"
chmod +x "$T/script"
"$B/tidemark" hunt -q --quick --no-color --valgrind --only '*/reads_behind_the_end' -- "$T/script" >"$T/out" 2>&1
grep -Eq '^reads_behind_the_end +clean +0 B +1 +0 B$' "$T/out" || fail "through a script: $(cat "$T/out")"

PATH=/nonexistent "$B/tidemark" hunt --valgrind -- "$PROGRAM" >"$T/out" 2>"$T/err"
[ $? = 2 ] || fail "without valgrind the exit status is not 2"
grep -q 'apt install valgrind' "$T/err" || fail "without valgrind: $(cat "$T/err")"
[ "$(wc -l <"$T/err")" -le 2 ] || fail "without valgrind, more than a line: $(cat "$T/err")"
exit $bad
