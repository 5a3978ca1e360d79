#!/bin/sh
# peak_test.sh - the peak that a run and a hunt report is the one that /usr/bin/time -v sees of the same process,
# within 1 %. From the root with $B set.
set -u
B=${B:-build}
[ -x /usr/bin/time ] || { echo "time is not installed"; exit 77; }
[ "${CACHE:-all}" = all ] || { echo "needs the unbounded strategy"; exit 77; }
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
cat >"$T/timed" <<EOF
#!/bin/sh
export TIDEMARK_SUITE_TESTS=12 TIDEMARK_SUITE_LOOKUPS=4000 TIDEMARK_STRATEGY=unbounded
exec /usr/bin/time -a -o "$T/times" -f %M "$PWD/$B/suites/registry" "\$@"
EOF
chmod +x "$T/timed"
cat >"$T/peak.yaml" <<EOF
scenario: peak
suite: {program: "$T/timed"}
teardown: never
EOF
compare() { # name: the result's peak beside the largest that time saw
    peak=$(grep '"type":"variant"' "$T/$1.jsonl" | grep -o '"peak_rss_bytes":[0-9]*' | cut -d: -f2)
    seen=$(head -n 1 "$T/times") # of the pass that is measured; others are traced
    awk -v peak="${peak:-0}" -v seen="${seen:-0}" 'BEGIN {
        seen *= 1024
        exit !(seen > 0 && peak > 0.99 * seen && peak < 1.01 * seen)
    }' || { echo "peak_test: $1 says ${peak:-nothing}, time ${seen:-nothing} KiB"; bad=1; }
}
"$B/tidemark" run -q --json "$T/run.jsonl" "$T/peak.yaml" >"$T/out" 2>&1 || { cat "$T/out"; bad=1; }
compare run
exit $bad
