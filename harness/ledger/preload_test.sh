#!/bin/sh
# The ledger preloaded into whole programs: totals as valgrind counts them, C++, programs with a malloc
# of their own, both allocators, both depths. Needs $B/bench/libledger.so and libverify.so (make tests).
set -u
B=${B:-build}
ledger=$(cd "$B/bench" && pwd)/libledger.so
jemalloc=libjemalloc.so.2
work=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-preload.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
failed=0
fail() {
    echo "FAILED: $*"
    failed=1
}

# report PRELOAD DEPTH PROGRAM...: the ledger's line in $work/report, the program's output in $work/out
report() {
    preload=$1 depth=$2
    shift 2
    rm -f "$work/report"
    TIDEMARK_BENCH_REPORT=$work/report TIDEMARK_BENCH_DEPTH=$depth LD_PRELOAD=$preload \
        "$@" >"$work/out" 2>"$work/err" || fail "$* ($depth, $preload): status $?"
}

# valgrind's totals of the same program: "ALLOCS FREES BYTES". libc allocates something for each thread
# and each object with thread-local storage, of which the ledger is one: here another takes its place.
printf '__thread int one; int *get(void); int *get(void) { return &one; }\n' >"$work/tls.c"
${CC:-cc} -shared -fPIC -o "$work/tls.so" "$work/tls.c" || exit 1
totals_valgrind() {
    LD_PRELOAD=$work/tls.so valgrind --run-libc-freeres=no --run-cxx-freeres=no --trace-children=no "$@" 2>&1 >/dev/null |
        sed -n 's/.*total heap usage: \([0-9,]*\) allocs, \([0-9,]*\) frees, \([0-9,]*\) bytes.*/\1 \2 \3/p' |
        tail -1 | tr -d ,
}

totals_ledger() {
    sed -n 's/^ledger: \([0-9]*\) allocs, \([0-9]*\) frees, \([0-9]*\) bytes.*/\1 \2 \3/p' "$work/report" | tail -1
}

# 1. To the block and to the byte what valgrind counts.
if command -v valgrind >/dev/null; then
    expected=$(totals_valgrind "$B/fixtures/heap_tour")
    [ -n "$expected" ] || fail "valgrind said nothing"
    for depth in count trace; do
        report "$ledger" $depth "$B/fixtures/heap_tour"
        seen=$(totals_ledger)
        [ "$seen" = "$expected" ] || fail "heap_tour, $depth: ledger '$seen', valgrind '$expected'"
    done
else
    echo "valgrind is not installed: totals not compared"
fi

# 2. The same totals on every run, over either allocator (jemalloc's library itself adds what libstdc++
#    sets aside at its start, one block, the same each time).
for preload in "$ledger" "$ledger $jemalloc"; do
    report "$preload" count "$B/fixtures/heap_tour"
    first=$(totals_ledger)
    for depth in count trace trace; do
        report "$preload" $depth "$B/fixtures/heap_tour"
        [ "$(totals_ledger)" = "$first" ] || fail "heap_tour, $depth: '$(totals_ledger)' after '$first'"
    done
done

# 3. A program with its own malloc runs, and is recognised.
report "$ledger $jemalloc" trace "$B/fixtures/own_malloc"
grep -q '^fine$' "$work/out" || fail "own_malloc does not run"
grep -q 'allocator program' "$work/report" || fail "own_malloc: $(cat "$work/report")"
report "$ledger $jemalloc" count "$B/fixtures/heap_tour"
grep -q 'allocator jemalloc' "$work/report" || fail "jemalloc: $(cat "$work/report")"
report "$ledger" count "$B/fixtures/heap_tour"
grep -q 'allocator glibc' "$work/report" || fail "glibc: $(cat "$work/report")"

# 4. C++: new and delete in all forms, exceptions through our frames, bad_alloc.
if command -v g++ >/dev/null; then
    cat >"$work/forms.cc" <<'END'
#include <cstdio>
#include <cstdint>
#include <map>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>
struct alignas(64) wide { char room[64]; };
static int handled;
static void handler() { if (++handled == 3) std::set_new_handler(nullptr); }
int main(int argc, char **argv)
{
    std::map<std::string, std::vector<int>> all;
    for (int i = 0; i < 1000; i++) all["key " + std::to_string(i)].assign(i % 50, i);
    wide *aligned = new wide, *many = new wide[3];
    bool right = reinterpret_cast<uintptr_t>(aligned) % 64 == 0;
    delete aligned;
    delete[] many;
    int *plain = new (std::nothrow) int[10];
    delete[] plain;
    try { throw std::runtime_error("thrown"); } catch (const std::exception &) { right &= true; }
    volatile size_t huge = SIZE_MAX / 2;
    right &= new (std::nothrow) char[huge] == nullptr;
    bool caught = false;
    try { delete[] new char[huge]; } catch (const std::bad_alloc &) { caught = true; }
    std::set_new_handler(handler);
    bool again = false;
    try { delete[] new char[huge]; } catch (const std::bad_alloc &) { again = handled == 3; }
    std::printf("%s\n", right && caught && again ? "fine" : "broken");
    (void)argc; (void)argv;
}
END
    g++ -std=c++17 -O1 -g -w -o "$work/forms" "$work/forms.cc" || fail "g++"
    for preload in "$ledger" "$ledger $jemalloc"; do
        for depth in count trace; do
            report "$preload" $depth "$work/forms"
            grep -q '^fine$' "$work/out" || fail "C++ ($depth, $preload): $(cat "$work/out" "$work/err")"
        done
    done
    report "$ledger $jemalloc" count "$work/forms"
    grep -q ' in [12] blocks' "$work/report" || fail "C++: all but libstdc++'s own is freed: $(cat "$work/report")"
else
    echo "g++ is not installed: C++ not tried"
fi

# 5. Real programs answer the same, watched or not.
for command in "jq -c .[7] $work/numbers.json" "sqlite3 :memory: select+1" "perl -e print(2**10)" \
    "xmllint --version" "git --version" "python3 -c print(sum(range(1000)))"; do
    echo '[1,2,3,4,5,6,7,[8]]' >"$work/numbers.json"
    # shellcheck disable=SC2086
    set -- $command
    command -v "$1" >/dev/null || continue
    plain=$("$@" 2>/dev/null)
    for preload in "$ledger" "$ledger $jemalloc"; do
        watched=$(TIDEMARK_BENCH_DEPTH=trace LD_PRELOAD=$preload "$@" 2>/dev/null)
        [ "$plain" = "$watched" ] || fail "$command: '$watched' instead of '$plain'"
    done
done

# 6. The AArch64 path compiles.
if command -v aarch64-linux-gnu-gcc >/dev/null; then
    for source in harness/meter/*.c harness/ledger/*.c; do
        case $source in *_test.c | *_bench.c) continue ;; esac
        aarch64-linux-gnu-gcc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -I. -Iinclude -fPIC \
            -fvisibility=hidden -ftls-model=initial-exec -fno-builtin-malloc -c "$source" \
            -o "$work/object.o" || fail "AArch64: $source"
    done
else
    echo "aarch64-linux-gnu-gcc is not installed: that path not compiled"
fi

# 7. Every stack, walked or recalled, is the one that glibc's backtrace() finds.
stacks=$(ci/bench-stacks.sh) || fail "stacks: $stacks"
[ $failed -eq 0 ] && echo "all fine"
exit $failed
