#!/bin/sh
# tidemark bench as a command: its tables, files and mistakes. No figure is judged here.
# Run from the repository root with $B.
set -u
B=${B:-build}
[ "${SAN-}" != thread ] || { echo "minutes a run under ThreadSanitizer; strategy_test has the threads"; exit 77; }
out=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-bench.XXXXXX")
trap 'rm -rf "$out"' EXIT
failed=0
fail() { echo "FAIL: $*" >&2; failed=1; }
caches=$("$B/tidemark" bench -s nonesuch 2>&1)
case $caches in *"unknown strategy 'nonesuch'"*) ;; *) fail "an unknown strategy: $caches" ;; esac

# The A/A control may find a busy machine (status 1): that is its job, and not what is tested.
few=
[ "${CACHE:-all}" != all ] || few='-s lru -s sieve'
# shellcheck disable=SC2086
COLUMNS=80 "$B/tidemark" bench --rounds 6 --time 100ms $few -w zipf -w misses --svg "$out/x.svg" \
    --json "$out/x.jsonl" >"$out/text" 2>"$out/err"
status=$?
[ $status -le 1 ] || fail "status $status: $(cat "$out/err")"
grep -q '^direct, again ' "$out/text" || fail "no A/A control in the table"
head -n 1 "$out/text" | grep -q '^In the compiled-in registry a look-up costs ' || fail "the first line is no answer: $(head -n 1 "$out/text")"
tail -1 "$out/text" | grep -q '^[0-9]* passed, [0-9]* failed, [0-9]* skipped$' || fail "the last line: $(tail -1 "$out/text")"
awk 'length > 80 { print "longer than 80 columns: " $0; bad = 1 } END { exit bad }' "$out/text" || failed=1
if command -v jq >/dev/null; then
    [ "$(jq -r 'select(.type == "bench" and .workload == "zipf" and .variant == "direct") | .ratio' "$out/x.jsonl")" = 1 ] ||
        fail "the reference's ratio is not 1"
    [ "$(jq -r 'select(.type == "bench") | .workload' "$out/x.jsonl" | sort -u | tr '\n' ' ')" = "misses zipf " ] ||
        fail "other workloads than asked for"
    jq -e -s 'all(.v == 1) and (last | .type == "summary")' "$out/x.jsonl" >/dev/null || fail "the result file"
fi
# Counted instructions are the same on every run, to the last one; and it is said when there are none.
count() { # JSON ARGUMENTS...
    json=$1; shift
    # shellcheck disable=SC2086
    "$B/tidemark" bench --rounds 6 --time 1ms -w zipf --no-break-even -q $few --json "$json" "$@" >"$json.text" 2>"$out/err"
    [ $? -le 1 ] || fail "counting: $(cat "$out/err")"
}
if command -v jq >/dev/null && command -v valgrind >/dev/null && [ -z "${SAN-}" ] && ! grep -q 'not counted' "$out/text"; then
    counted='select(.type == "bench") | [.variant, .instructions_counted, .allocs_per_lookup]'
    count "$out/1.jsonl"
    count "$out/2.jsonl"
    [ "$(jq -c "$counted" "$out/1.jsonl")" = "$(jq -c "$counted" "$out/2.jsonl")" ] ||
        fail "counted twice: $(jq -c "$counted" "$out/1.jsonl" "$out/2.jsonl")"
    if [ "${CACHE:-all}" = all ]; then # nothing allocates behind init, but what keeps all
        jq -e -s 'map(select(.type == "bench")) | map({(.variant): .allocs_per_lookup}) | add | .direct == 0 and .lru == 0 and .sieve == 0' \
            "$out/1.jsonl" >/dev/null || fail "allocations: $(jq -c "$counted" "$out/1.jsonl")"
    fi
    jq -e -s 'map(select(.type == "bench") | .instructions_counted) | all(. > 20) and .[0] == .[1]' "$out/1.jsonl" >/dev/null ||
        fail "the reference twice: $(jq -c "$counted" "$out/1.jsonl")"
fi
count "$out/3.jsonl" --no-count
grep -q 'not counted by callgrind: --no-count' "$out/3.jsonl.text" || fail "nothing said of --no-count"
grep -q instructions_counted "$out/3.jsonl" && fail "a figure in spite of --no-count"
# Every figure of one look-up is there; only those of the processor's own counters may be missing.
if command -v jq >/dev/null; then
    for figure in lookup_ns fresh_ns dependent_ns cold_ns batch_ns lookup_ns_p50 lookup_ns_p99 lookup_ns_p999 million_per_s_1 million_per_s_all peak_rss_bytes; do
        jq -e -s "map(select(.type == \"bench\" and .variant == \"direct\"))[0].$figure > 0" "$out/3.jsonl" >/dev/null || fail "no $figure of direct"
    done
    jq -e -s 'map(select(.variant == "direct"))[0] | .cold_ns > .dependent_ns' "$out/3.jsonl" >/dev/null || fail "cold look-ups are not slower: $(head -2 "$out/3.jsonl")"
fi
# The peak of a process of its own: an unbounded cache of whole records takes 4.9 KB a key more; and it allocates.
if [ "${CACHE:-all}" = all ] && [ -z "${SAN-}" ] && command -v jq >/dev/null; then
    "$B/tidemark" bench --rounds 6 --time 1ms -w zipf --keys 8000 --materialised --no-break-even -q -s unbounded --json "$out/m.jsonl" >"$out/m.text" 2>&1
    jq -e -s 'map(select(.type == "bench") | {(.variant): .peak_rss_bytes}) | add | .unbounded - .direct | . > 30e6 and . < 50e6' "$out/m.jsonl" >/dev/null ||
        fail "peaks: $(jq -c 'select(.type == "bench") | [.variant, .peak_rss_bytes]' "$out/m.jsonl")"
    grep -q 'not counted by callgrind' "$out/m.text" ||
        jq -e -s 'map(select(.variant == "unbounded"))[0].allocs_per_lookup | . > 0.001 and . < 1' "$out/m.jsonl" >/dev/null ||
        fail "allocations of the unbounded cache: $(jq -c 'select(.type == "bench") | [.variant, .allocs_per_lookup]' "$out/m.jsonl")"
fi
mkdir "$out/empty"
# shellcheck disable=SC2086
PATH=$out/empty "$B/tidemark" bench --rounds 6 --time 1ms -w zipf --no-break-even -q $few >"$out/4.text" 2>&1
grep -q -e 'not counted by callgrind: valgrind is not installed' -e 'without valgrind' "$out/4.text" || fail "without valgrind: $(cat "$out/4.text")"
if command -v xmllint >/dev/null; then
    xmllint --noout "$out/x.svg" || fail "the plot is not XML"
fi
if [ "${CACHE:-all}" = all ]; then
    grep -q '^lru ' "$out/text" || fail "no row of lru"
    grep -q 'a look-up costs' "$out/text" || fail "no sentence"
    "$B/tidemark" bench --rounds 6 --no-break-even -w zipf --no-count -q scenarios/registry-60gb-strategies.yaml \
        >"$out/scenario" 2>"$out/err"
    [ $? -le 1 ] || fail "a scenario: $(cat "$out/err")"
    grep -q 'again' "$out/scenario" || fail "no control behind the first variant"
fi
# The requests of a trace: a loop of three keys in a cache of two. LRU never hits, whatever comes after.
i=0
while [ $i -lt 2000 ]; do echo "a"; echo "b"; echo "c"; i=$((i + 1)); done >"$out/loop.txt"
# shellcheck disable=SC2086
"$B/tidemark" bench $few --rounds 6 --time 1ms --no-count --no-break-even -q --entries 2 --trace "$out/loop.txt" --json "$out/t.jsonl" >"$out/text" 2>"$out/err"
[ $? -le 1 ] || fail "a trace: $(cat "$out/err")"
grep -q 'loop.txt, 6,000 requests' "$out/text" || fail "the heading of a trace: $(cat "$out/text")"
if [ -n "$few" ]; then
    grep '"variant":"lru"' "$out/t.jsonl" | grep -q '"workload":"trace".*"hit_rate":0,' || fail "LRU in a loop: $(cat "$out/t.jsonl")"
fi
: >"$out/none.txt"
expect() { # TEXT ARGUMENTS...
    text=$1; shift
    got=$("$B/tidemark" bench "$@" 2>&1)
    status=$?
    case $status:$got in 2:*"$text"*) ;; *) fail "bench $* gave $status: $got" ;; esac
}
expect "--keys 0: the registry has 1 to" --keys 0
expect "--rounds 3: 6 to 10,000; fewer give no interval" --rounds 3
expect "--threads 0: 1 to 256" --threads 0
expect "did you mean 'zipf'?" -w zip
expect "No such file or directory" "$out/none.yaml"
expect "No such file or directory" --trace "$out/none.lis"
expect "--workload trace: which? --trace FILE" -w trace
expect "none.txt: holds no request" --trace "$out/none.txt"
expect "bench measures strategies; './check_mine' is a program of yours" fixtures/good/user-program.yaml
# shellcheck disable=SC2086
"$B/tidemark" bench --rounds 6 $few -w zipf --no-break-even --no-count -q --json /dev/full >/dev/null 2>"$out/err"
[ $? -eq 99 ] || fail "a full disk is not 99"
exit $failed
