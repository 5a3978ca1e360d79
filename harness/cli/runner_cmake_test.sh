#!/bin/sh
# A project of CMake whose runner starts a program once for each of its tests (gtest_discover_tests,
# catch_discover_tests): one hunt of each program, and inside the runner as docs/ci.md says.
set -u
for tool in cmake ctest ninja; do
    command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
[ -f /usr/include/gtest/gtest.h ] || { echo 'skipped: GoogleTest is not installed'; exit 77; }
B=$(cd "${B:-build}" && pwd)
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
failed=0
fail() { echo "FAIL: $*"; tail -40 "$T/said"; failed=1; }
cp -R fixtures/projects "$T/p" && cd "$T" || exit 99
# The same objects each time: compiling GoogleTest and Catch2 takes longer than all the rest.
built() { # OPTIONS...
    rm -f b/gtest_sample b/catch_sample b/*_tests.cmake
    cmake -G Ninja -S p/cmake -B b "$@" >"$T/said" 2>&1 && cmake --build b >"$T/said" 2>&1 || { fail 'it is not built'; exit 1; }
}
tests() { jq -r 'select(.type=="test")|"\(.id) \(.status) \(.verdict)"' "$1" | sort | tr '\n' ','; }
built
ids='gtest_sample/GoogleTest/Sample/Grows pass growth,gtest_sample/GoogleTest/Sample/Works pass clean,gtest_sample/GoogleTest/Some/Sizes/Work/0 pass clean,gtest_sample/GoogleTest/Some/Sizes/Work/1 pass clean,gtest_sample/GoogleTest/Some/Sizes/Work/2 pass clean,'
programs=1
if [ -x b/catch_sample ]; then
    ids="catch_sample/Catch2/catch_sample/a list grows pass growth,catch_sample/Catch2/catch_sample/it works pass clean,$ids"
    programs=2
fi
"$B/tidemark" hunt --quick --json all.jsonl -- ctest --test-dir b >"$T/said" 2>&1
status=$?
[ $status = 1 ] || fail "status $status and not 1"
grep -q "hunt of $programs test program" "$T/said" || fail "not one hunt a program"
[ "$(tests all.jsonl)" = "$ids" ] || fail "other tests: $(tests all.jsonl)"
# One test of those is selected by the command: only that one is hunted.
"$B/tidemark" hunt --quick --json one.jsonl -- ctest --test-dir b -R 'Sample.Works' >"$T/said" 2>&1
status=$?
[ $status = 0 ] && [ "$(tests one.jsonl)" = 'gtest_sample/GoogleTest/Sample/Works pass clean,' ] || fail "-R: status $status, $(tests one.jsonl)"

# docs/ci.md: CROSSCOMPILING_EMULATOR; each test is a run of its own there, and they are one result all the same.
built -DCMAKE_CROSSCOMPILING_EMULATOR="$B/tidemark;wrap;--quick;--gate;--out;$T/results;--"
ctest --test-dir b >"$T/said" 2>&1 && fail 'CROSSCOMPILING_EMULATOR: the gate is not seen'
grep -q 'Sample.Grows.*Failed' "$T/said" && grep -q 'Sample.Works.*Passed' "$T/said" || fail 'CROSSCOMPILING_EMULATOR: other tests fail'
"$B/tidemark" report results --json results.jsonl >"$T/said" 2>&1
status=$?
[ $status = 1 ] && [ "$(tests results.jsonl)" = "$ids" ] || fail "report of the folder: status $status, $(tests results.jsonl)"

# The property TEST_LAUNCHER, which CMake has from 3.29 on, is the same list of words.
if cmake --help-property TEST_LAUNCHER >/dev/null 2>&1; then
    built -DCMAKE_TEST_LAUNCHER="$B/tidemark;wrap;--quick;--gate;--"
    ctest --test-dir b >"$T/said" 2>&1 && fail 'TEST_LAUNCHER: the gate is not seen'
fi

# docs/ci.md: ctest -T memcheck.
printf '#!/bin/sh\nexec "%s" wrap --quick "$@"\n' "$B/tidemark" >checker && chmod +x checker
sed -i 's/^enable_testing()/include(CTest)/' p/cmake/CMakeLists.txt
built -DMEMORYCHECK_COMMAND="$T/checker" -DMEMORYCHECK_TYPE=Valgrind -DMEMORYCHECK_COMMAND_OPTIONS=-- -UCMAKE_CROSSCOMPILING_EMULATOR
ctest --test-dir b -T memcheck >"$T/said" 2>&1
grep -l 'GROWTH' b/Testing/Temporary/MemoryChecker.*.log >"$T/said" 2>&1 || fail 'ctest -T memcheck: no log has the verdict'
exit $failed
