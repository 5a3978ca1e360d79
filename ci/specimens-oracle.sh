#!/bin/sh
# Runs every specimen 4,096 times without tidemark and holds glibc's own figures against the labels.
set -u
bad=0 guilty=0 innocent=0
for program in "$@"; do
    case $program in */accumulates) continue ;; esac # axis B: growth by distinct tests, not by repetition
    "$program" --oracle >"$program.oracle" || bad=1
    awk -F'\t' -v program="$program" '
        NF < 5 { print program ": " $0; wrong++; next }
        ($2 == "innocent") != ($4 == "-") { print program ": " $1 " is labelled " $2 " but the oracle saw growth of: " $4; wrong++ }
        END { exit wrong > 0 }' "$program.oracle" || bad=1
    guilty=$((guilty + $(awk -F'\t' '$2 != "innocent"' "$program.oracle" | wc -l)))
    innocent=$((innocent + $(awk -F'\t' '$2 == "innocent"' "$program.oracle" | wc -l)))
done
echo "oracle: $guilty guilty, $innocent innocent, labels $([ $bad = 0 ] && echo confirmed || echo WRONG)"
exit $bad
