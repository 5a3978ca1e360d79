#!/bin/sh
# What grows, in the strategies of the incidents: each test of theirs is repeated by `tidemark hunt` until it
# is known to level off, and each allocation of a life fails in turn. Hours of virtual time are among these
# tests. Called by `make growth`, from the root with $B set; takes some minutes.
set -u
B=${B:-build}
folder=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-growth.XXXXXX") || exit 99
trap 'rm -rf "$folder"' EXIT
passed=0 failed=0
verdict() { # STATUS WHAT FIGURES
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1)) mark=ok
    else
        failed=$((failed + 1)) mark=NOT
    fi
    printf '%-4s %-36s %s\n' $mark "$2" "$3"
}

echo "Hunted for leaks and growth: verdicts of all tests"
for program in test/registry/cache/strategy_test test/registry/cache/strategy_registry_test test/registry/file/file_cache_test \
    test/registry/file/file_store_test test/registry/tiered/tiered_cache_test suites/collector-plugin \
    suites/stats-ttl suites/provider-file suites/serverless; do
    "$B/tidemark" hunt -q --no-color -- "$B/$program" >"$folder/out" 2>&1
    status=$?
    [ $status -eq 0 ] || cat "$folder/out"
    verdict $status "$program" "$(grep -E '^[0-9]+ clean' "$folder/out" | head -1)"
done

echo "Every allocation failing in turn: no block left, no wrong answer"
for program in test/registry/cache/strategy_memory_test test/registry/ttl/cache_memory_test \
    test/registry/tiered/tiered_memory_test; do
    TIDEMARK_TORTURE=1 "$B/$program" >"$folder/out" 2>"$folder/log"
    status=$?
    [ $status -eq 0 ] || cat "$folder/out" "$folder/log"
    verdict $status "$program" "$(grep -ho '[0-9]* allocations' "$folder/log" | sort -un | tr '\n' ' ' | sed 's/ $//; s/ allocations / and /')"
done
CK_RUN_CASE=fetch CK_VERBOSITY=verbose "$B/suites/collector-plugin" >"$folder/out" 2>&1
status=$?
[ $status -eq 0 ] || cat "$folder/out"
verdict $status suites/collector-plugin "$(grep -c ':P:.*each_allocation' "$folder/out") tests"
echo "$passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
