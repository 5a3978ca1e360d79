#!/bin/sh
# The goals of row 3.11 as a gate: the same bounds hold of the tiered cache, each of them, and none that
# a cache decides holds of the one that dies with each request. Run from the repository root.
set -eu
B=${B:-build}
[ "${CACHE:-all}" = all ] || { echo "needs the ttl strategy"; exit 77; }
command -v jq >/dev/null || { echo "jq is not installed"; exit 77; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-serverless-gate.XXXXXX")
trap 'rm -rf "$folder"' EXIT
goals() {
    sed -n '/^  tiered:/,$p' scenarios/serverless.yaml | grep -E '^    (hit_rate|lookup_p99|counter)'
}
[ "$(goals | wc -l)" -eq 7 ] || { echo "the goals were not found in scenarios/serverless.yaml" >&2; exit 1; }
{
    echo "scenario: gate"
    echo "suite: {program: serverless, lookups: 150, env: {CK_RUN_CASE: workload}}"
    echo "variants:"
    echo "  - red: {strategy: ttl, env: {SERVERLESS_CACHE: in_process}}"
    echo "  - green: {strategy: ttl, env: {SERVERLESS_CACHE: tiered}}"
    echo "expect:"
    echo "  green:"
    goals
    echo "  red:"
    goals
} >"$folder/gate.yaml"
status=0
"$B/tidemark" run -q --json "$folder/result.jsonl" "$folder/gate.yaml" >"$folder/out" 2>&1 || status=$?
[ $status -eq 1 ] || { echo "exit $status, expected 1" >&2; cat "$folder/out" >&2; exit 1; }
held() { jq -r "select(.type == \"expect\" and .variant == \"$1\" and .ok == $2) | .metric" "$folder/result.jsonl" | sort; }
[ "$(held green true | wc -l)" -eq 7 ] || { echo "green does not hold:" >&2; held green false >&2; exit 1; }
# In-process there is no store to grow, so that the bound on its size holds; it is broken below.
[ "$(held red true)" = counter.cache_bytes ] || { echo "red holds:" >&2; held red true >&2; exit 1; }
sed -e '/^  - red/d' -e '/^  red:/,$d' -e 's/< 10 MB/< 10 KB/' "$folder/gate.yaml" >"$folder/small.yaml"
status=0
"$B/tidemark" run -q --json "$folder/small.jsonl" "$folder/small.yaml" >"$folder/out" 2>&1 || status=$?
[ $status -eq 1 ] || { echo "exit $status with a bound of 10 KB, expected 1" >&2; exit 1; }
[ "$(jq -r 'select(.type == "expect" and .ok == false) | .metric' "$folder/small.jsonl")" = counter.cache_bytes ]
