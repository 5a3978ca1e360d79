#!/bin/sh
# tidemark wrap: the program's streams and status stay its own; inside prove and ctest, where they are installed.
set -u
B=$(cd "${B:-build}" && pwd)
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
failed=0
fail() { echo "FAIL: $*"; failed=1; }
cd "$T" || exit 99
wrap="$B/tidemark wrap"

# stdin, stdout and status, with and without a verdict.
[ "$(echo words | $wrap --quick -- cat 2>err)" = words ] || fail "stdin or stdout is not the program's"
grep -q '^tidemark: cat: The test levels off; the suite peaks at .*\. 2 passed, 0 failed, 0 skipped (.*/tidemark-results/cat-[0-9a-f]*.txt)$' err || fail "$(cat err)"
$wrap -- sh -c 'exit 77' 2>err
[ $? = 77 ] || fail "77 is not 77"
grep -q 'not hunted, its status is 77 by itself' err || fail "$(cat err)"
$wrap -- sh -c 'kill -TERM $$' 2>err
[ $? = 143 ] || fail "the signal is not passed on"
$wrap -- /nonexistent 2>err
[ $? = 127 ] || fail "a missing program is not 127"
$wrap --json x -- true 2>err
[ $? = 2 ] || fail "--json is taken"

# A program that passes and grows: green by itself, red with --gate.
cat >grows.c <<'EOF'
#include <stdlib.h>
void *kept[100000];
int count;
int main(void)
{
    kept[count++] = malloc(100);
    return 0;
}
EOF
gcc -O0 grows.c -o grows || exit 99
$wrap --quick --out out -- ./grows 2>err || fail "not its own status without --gate"
$wrap --quick --gate --out out --log-file log -- ./grows 2>err
[ $? = 1 ] || fail "not 1 with --gate"
grep -q 'GROWTH\|ACCUMULATES' log || fail "no verdict in --log-file: $(cat log)"
[ "$(find out -name 'grows-*.jsonl' | wc -l)" = 1 ] || fail "the same program has two names"

# docs/ci.md has these.
cat >tap <<'EOF'
#!/bin/sh
echo 1..1
echo ok 1 - works
EOF
chmod +x tap
if command -v prove >/dev/null; then
    prove -e "$wrap --quick --" ./tap >out.prove 2>&1 || fail "prove: $(cat out.prove)"
    grep -q 'Result: PASS' out.prove || fail "prove: $(cat out.prove)"
fi
if command -v ctest >/dev/null && command -v ninja >/dev/null; then
    cat >CMakeLists.txt <<'EOF'
cmake_minimum_required(VERSION 3.10)
project(sample C)
include(CTest)
add_executable(grows grows.c)
add_test(NAME grows COMMAND grows)
EOF
    cat >checker <<EOF
#!/bin/sh
exec "$B/tidemark" wrap --quick "\$@"
EOF
    chmod +x checker
    built() {
        cmake -G Ninja -S . -B "$@" >out.cmake 2>&1 || fail "cmake: $(cat out.cmake)"
        cmake --build "$1" >out.cmake 2>&1 || fail "cmake: $(cat out.cmake)"
    }
    built build -DCMAKE_CROSSCOMPILING_EMULATOR="$B/tidemark;wrap;--quick;--gate;--"
    built checked -DMEMORYCHECK_COMMAND="$T/checker" -DMEMORYCHECK_TYPE=Valgrind -DMEMORYCHECK_COMMAND_OPTIONS=--
    ctest --test-dir build -V >out.ctest 2>&1 && fail "ctest does not see the gate: $(cat out.ctest)"
    grep -q '1 passed, 1 failed' out.ctest || fail "ctest: $(cat out.ctest)"
    ctest --test-dir checked -T memcheck >out.ctest 2>&1
    grep -q 'GROWTH\|ACCUMULATES' checked/Testing/Temporary/MemoryChecker.1.log || fail "ctest -T memcheck: $(cat out.ctest)"
fi
exit $failed
