#!/bin/sh
# Are the stacks that the ledger takes, walked or recalled, those of glibc's backtrace()? Each traced birth of some
# programs is compared (harness/ledger/verify_bench.c). Each further argument is a command to be compared as well.
# `make bench-stacks [PROGRAMS="PROGRAM..."]`; status 1 when a stack differed.
set -u
B=${B:-build}
verify=$(cd "$B/bench" && pwd)/libverify.so
tour=$(cd "$B/fixtures" && pwd)/heap_tour
work=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-stacks.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
cd "$work" || exit 99
status=0

# compare NAME COMMAND...
compare() {
    name=$1
    shift
    if ! command -v "$1" >/dev/null; then
        printf '%-24s not installed\n' "$name"
        return
    fi
    rm -f "$work/report"
    LOOPS=4 CK_FORK=no TIDEMARK_BENCH_DEPTH=trace TIDEMARK_BENCH_VERIFY=$work/report LD_PRELOAD="$verify libjemalloc.so.2" \
        "$@" >"$work/out" 2>"$work/err" </dev/null
    said=$(tail -1 "$work/report" 2>/dev/null)
    printf '%-24s %s\n' "$name" "${said:-did not end by itself}"
    case $said in
    *" 0 different") ;;
    *)
        grep -E '^(site|backtrace):' "$work/err" | head -4
        status=1
        ;;
    esac
}

awk 'BEGIN { print "["; for (i = 0; i < 2000; i++) printf "%s{\"name\": \"entry %d\", \"list\": [%d, %d.5, null, true]}", i ? "," : "", i, i, i; print "]" }' >json
awk 'BEGIN { print "<list>"; for (i = 0; i < 3000; i++) printf "<entry name=\"e%d\"><text>word %d</text></entry>", i, i; print "</list>" }' >xml
awk 'BEGIN { print "create table t(a integer primary key, b text);begin;"; for (i = 0; i < 3000; i++) printf "insert into t(b) values (\"row %d\");", i; print "commit;select count(*), max(b) from t;" }' >sql
printf '#include <stdio.h>\n#include <stdlib.h>\nint main(void) { for (int i = 0; i < 9; i++) printf("%%d", rand() %% (i + 1)); return 0; }\n' >one.c

compare heap_tour "$tour"
compare jq jq 'map(.list | length) | add' json
compare sqlite3 sqlite3 :memory: '.read sql'
compare xmllint xmllint --noout xml
compare python3 python3 -c 'import json; print(len(json.dumps(json.load(open("json")))))'
for level in 0 2; do
    compare "clang -O$level" clang -O$level -c one.c
done
for program in "$@"; do
    cd "$(dirname "$program")" || exit 99
    compare "$(basename "$program")" "$program"
    cd "$work" || exit 99
done
exit $status
