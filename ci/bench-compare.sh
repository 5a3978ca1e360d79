#!/bin/sh
# make bench-compare: how often does `tidemark compare` see a difference that is none, and how often one of 3 %
# that is planted? A program of some 10 ms against itself, and against itself with 3 % more to do.
# RUNS comparisons of each kind (100).
set -u
B=${B:-build} RUNS=${RUNS:-100}
T=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-compare.XXXXXX")
trap 'rm -rf "$T"' EXIT
trap 'exit 99' INT TERM
cat >"$T/work.c" <<'C'
#include <stdint.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
    static uint64_t table[1 << 15];
    uint64_t state = 1, rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    for (uint64_t i = 0; i < rounds; i++) { /* each step waits for the last: no room for luck */
        state = state * 6364136223846793005u + 1442695040888963407u;
        table[state >> 49] += state ^ table[state >> 30 & 0x7fff];
    }
    return table[state >> 49] == 1;
}
C
${CC:-cc} -O2 "$T/work.c" -o "$T/work" || exit 99
rounds=4000000
series() { # ABOUT ROUNDS
    i=0
    : >"$T/out"
    while [ $i -lt "$RUNS" ]; do
        "$B/tidemark" compare --no-counts -- "$T/work" $rounds --vs "$T/work" "$2" >>"$T/out"
        i=$((i + 1))
    done
    for row in "wall time" "CPU time" "peak RSS"; do
        awk -v row="$row" -v about="$1" -v runs="$RUNS" '
            index($0, row) == 1 { none += /no difference$/; unsure += /unsure/; more += /slower$|larger$/; less += /faster$|smaller$/ }
            END { printf "%-16s %-10s more in %3d, less in %3d, no difference in %3d, unsure in %3d of %d\n", about, row, more, less, none, unsure, runs }' "$T/out"
    done
}
echo "load $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors"
series "against itself" $rounds
series "3 % more to do" $((rounds * 103 / 100))
echo "load $(cut -d' ' -f1-3 /proc/loadavg)"
series "3 % less to do" $((rounds * 97 / 100))
