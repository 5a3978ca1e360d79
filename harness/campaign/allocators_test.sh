#!/bin/sh
# allocators_test.sh - a program that asks libc's allocator about itself passes as it does alone, whatever allocator is
# below, and what is allocated past malloc is said. Run from the root with $B set.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "allocators_test: $*"; cat "$T/out"; bad=1; }
for allocator in jemalloc system; do
    "$B/tidemark" hunt -q --quick --no-color --allocator $allocator -- "$B/fixtures/check_allocators" >"$T/out" 2>&1
    [ $? -eq 0 ] && tail -n 1 "$T/out" | grep -qx '5 passed, 0 failed, 0 skipped' || fail "$allocator: not as alone"
    tr -s '\n ' '  ' <"$T/out" | grep -q 'the program calls __libc_malloc of libc: what it allocates so is not seen' || fail "$allocator: no note"
done
exit $bad
