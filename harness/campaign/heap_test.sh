#!/bin/sh
# heap_test.sh - tests that damage the heap fail by it, whatever they say themselves: what was done, to which block,
# who allocated it, who freed it before, who did it. What is only odd is no finding. Run from the root with $B set.
# fixtures/programs/check_heap.c is the program.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "heap_test: $*"; bad=1; }
# allocators on which it holds, the test, its status, and a part of its message
cat >"$T/rows" <<'ROWS'
both innocent pass
both writes_one_byte_beyond fail wrote beyond the end of a block of 24 B, allocated by make (fixtures/programs/check_heap.c:
jemalloc writes_far_beyond fail wrote beyond the end of a block of 24 B, allocated by make (fixtures/programs/check_heap.c:
system writes_far_beyond fail wrote
both writes_beyond_a_large_one fail wrote beyond the end of a block of 100000 B, allocated by make
both writes_beyond_what_it_keeps fail wrote beyond the end of a block of 40 B, allocated by make
both writes_before_its_beginning fail wrote over the bytes before a block
both writes_far_before_its_beginning fail wrote over the bytes before a block
both writes_before_and_reallocates fail wrote over the bytes before a block
both frees_twice fail freed a block of 24 B a second time, allocated by make (fixtures/programs/check_heap.c:
both frees_twice fail , freed before by drop (fixtures/programs/check_heap.c:
jemalloc frees_what_realloc_moved fail freed a block of 24 B a second time
jemalloc frees_what_realloc_moved fail , freed before by frees_what_realloc_moved_fn
both frees_the_middle fail freed a pointer 16 B into a block of 100 B, allocated by make
both frees_the_stack fail freed a pointer that no allocation returned, to the stack
both frees_a_global fail freed a pointer that no allocation returned, to data of the program
both frees_nowhere fail freed a pointer that no allocation returned
jemalloc reallocates_what_was_freed fail reallocated a block of 24 B that was freed before
both reallocates_what_was_freed fail , freed before by drop (fixtures/programs/check_heap.c:
both deletes_with_another_size fail deleted a block of 24 B as one of 32 B, allocated by make
both deletes_with_its_size pass
both frees_twice_in_a_thread fail freed a block of 24 B a second time
jemalloc frees_twice_in_a_child fail freed a block of 24 B a second time
system frees_twice_in_a_child fail freed
both frees_a_block_of_libcs pass
jemalloc frees_twice_and_dies crash freed a block of 24 B a second time
system frees_twice_and_dies crash freed it a second time
ROWS
for allocator in jemalloc system; do
    "$B/tidemark" hunt -q --no-color --allocator $allocator --json "$T/all.jsonl" -- "$B/fixtures/check_heap" >"$T/all.txt" 2>&1
    [ $? -eq 1 ] || fail "$allocator: not 1: $(head -n 3 "$T/all.txt")"
    while read -r on test wanted message; do
        [ "$on" = both ] || [ "$on" = $allocator ] || continue
        line=$(grep "\"id\":\"heap/all/$test\"" "$T/all.jsonl" | grep '"type":"test"' | tail -n 1)
        echo "$line" | grep -q "\"status\":\"$wanted\"" && echo "$line" | grep -qF "$message" ||
            fail "$allocator: $test is not $wanted, $message: $(echo "$line" | cut -c 1-400)"
        [ "$wanted" = fail ] && echo "$line" | grep -q '"verdict":"[a-mo-z]' && fail "$allocator: $test has a verdict"
    done <"$T/rows"
    grep -q '"id":"heap/last/innocent".*"status":"pass".*"verdict":"clean"' "$T/all.jsonl" || fail "$allocator: the last is not clean"
    tail -n 1 "$T/all.txt" | grep -qx '5 passed, 18 failed, 0 skipped' || fail "$allocator: $(tail -n 1 "$T/all.txt")"
done
tr -s '\n ' '  ' <"$T/all.txt" | grep -q 'FAIL heap/all/frees_twice failed in drop (fixtures/programs/check_heap.c:[0-9]*): freed a block' ||
    fail "the screen does not say who freed"
exit $bad
