#!/bin/sh
# make template: the plain shell template in a fresh clone of a public project with libcheck suites, as a user
# would: green as it is, red with a growth planted in its source, with the annotation on that line, green again.
# Needs git, cmake, and the clone: PROJECT is a URL or a folder. Run from the root with $B set.
set -u
B=$(cd "${B:-build}" && pwd)
here=$PWD
project=${PROJECT:-https://github.com/dcreager/libcork}
T=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-template.XXXXXX") || exit 99
trap 'rm -rf "$T"' EXIT
fail() { echo "FAIL: $*"; exit 1; }
command -v cmake >/dev/null || { echo "no cmake"; exit 77; }
git clone -q "$project" "$T/libcork" || { echo "no clone of $project"; exit 77; }
cd "$T/libcork" || exit 99
echo "libcork at $(git log -1 --format=%h)"
programs="array bitset buffer core dllist gc hash-table managed-buffer mempool ring-buffer slice"
mkdir -p build ci
cp "$here/ci/templates/tidemark.sh" ci/
export PATH="$B:$PATH" NO_COLOR=1
# The suites are of a libcheck whose fail() took other words; newer compilers and CMakes need to be told.
(cd build && cmake .. -DCMAKE_POLICY_VERSION_MINIMUM=3.5 -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_FLAGS=-Wno-format) \
    >"$T/out" 2>&1 || fail "cmake: $(grep -m 3 -e "error" "$T/out")"

gate() { # expected status
    # shellcheck disable=SC2046
    make -C build -j2 $(printf 'test-%s ' $programs) >"$T/out" 2>&1 || fail "make: $(grep -m 3 -e "error" "$T/out")"
    # shellcheck disable=SC2046
    sh ci/tidemark.sh $(printf 'build/tests/test-%s ' $programs) >"$T/out" 2>"$T/err"
    status=$?
    grep -h -e ' passed, ' "$T/out" | awk '{p += $1; f += $3; s += $5}
        END {printf "  %d passed, %d failed, %d skipped in %d programs", p, f, s, NR}'
    echo "; exit $status"
    [ $status -eq "$1" ] || fail "exit $status instead of $1: $(cat "$T/out" "$T/err")"
}

echo "as it is:"
gate 0
echo "a list that grows, planted in cork_buffer_done:"
sed -i -e '1,/^#include/ s/^#include/#include <stdlib.h>\nvoid *cork_trail[1 << 22];\nunsigned cork_trail_count;\n&/' \
    -e '/^cork_buffer_done/,/^{/ s/^{/{\n    cork_trail[cork_trail_count++] = malloc(24);/' src/libcork/ds/buffer.c
line=$(grep -n 'cork_trail\[cork_trail_count++\]' src/libcork/ds/buffer.c | cut -d: -f1)
gate 1
grep -e ': error: ' "$T/out" | sed 's/^/  /' | head -n 3
echo "  and $(($(grep -c -e ': error: ' "$T/out") - 3)) more"
strays=$(grep -e ': error: ' "$T/out" | grep -v -c "^src/libcork/ds/buffer.c:$line: ")
[ "$strays" = 0 ] || fail "$strays annotations are on other lines: $(grep -e ': error: ' "$T/out")"
grep -q "^src/libcork/ds/buffer.c:$line: error: " "$T/out" || fail "no annotation on line $line"
git checkout -q src
echo "after the fix:"
gate 0
