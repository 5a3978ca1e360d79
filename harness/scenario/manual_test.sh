#!/bin/sh
# docs/scenario.md names every parameter and metric that the reader knows. Run from the repository root.
set -u
failed=0
keys=$(sed -n 's/^PARAMETER([A-Z]*, \([a-z0-9_]*\),.*/\1/p' harness/scenario/parameter.def)
metrics=$(sed -n 's/^METRIC([A-Z0-9_]*, \([a-z0-9_]*\),.*/\1/p' harness/result/metric.def)
[ -n "$keys" ] && [ -n "$metrics" ] || { echo "the tables were not understood" >&2; exit 1; }
for word in $keys $metrics; do
    grep -q "^| \`$word\`" docs/scenario.md || { echo "docs/scenario.md has no row of $word" >&2; failed=1; }
done
exit $failed
