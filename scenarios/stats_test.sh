#!/bin/sh
# Rows 2.8 and 2.14 by other people's programs: the statistics document of a cache against its schema, its
# counters against Prometheus' own checker and a parser of OpenMetrics. What is not installed is said.
set -eu
B=${B:-build}
folder=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-stats.XXXXXX")
trap 'rm -rf "$folder"' EXIT
STATS_FOLDER=$folder CK_RUN_CASE=invalidation TIDEMARK_STRATEGY=ttl "$B/suites/stats-ttl" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
for file in stats.json stats-empty.json stats.om stats.prom; do
    [ -s "$folder/$file" ] || { echo "no $file was written"; exit 1; }
done
done=
if command -v promtool >/dev/null; then
    promtool check metrics <"$folder/stats.prom"
    done="$done promtool"
fi
for python in python3 /usr/bin/python3; do
    case $done in *schema*) ;; *)
    if $python -c 'import jsonschema' 2>/dev/null; then
        $python - "$folder" <<'EOF'
import json, sys
import jsonschema
schema = json.load(open("docs/statistics.schema.json"))
kind = jsonschema.validators.validator_for(schema)
kind.check_schema(schema)
check = kind(schema)
for name in ("stats.json", "stats-empty.json"):
    check.validate(json.load(open(f"{sys.argv[1]}/{name}")))
good = json.load(open(f"{sys.argv[1]}/stats.json"))
for wrong in ({"hit_rate": 101}, {"hits": -1}, {"size": 1.5}, {"more": 1}, {"entries": [{"key": "a", "age": 1}]}):
    assert list(check.iter_errors({**good, **wrong})), f"the schema takes {wrong}"
EOF
        done="$done schema"
    fi ;;
    esac
    case $done in *openmetrics*) ;; *)
    if $python -c 'import prometheus_client.openmetrics.parser' 2>/dev/null; then
        $python - "$folder/stats.om" <<'EOF'
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = {family.name: family for family in text_string_to_metric_families(open(sys.argv[1]).read())}
assert families["ttl_cache_hits"].type == "counter" and families["ttl_cache_hits"].samples[0].value == 1, families
assert families["ttl_cache_age_most_seconds"].samples[0].value == 2, families
EOF
        done="$done openmetrics"
    fi ;;
    esac
done
[ -n "$done" ] || { echo "none of promtool, python3-jsonschema, python3-prometheus-client is installed"; exit 77; }
echo "checked by:$done"
