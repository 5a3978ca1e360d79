#!/bin/sh
# make validate-reports: SARIF against the schema of SARIF 2.1.0, which is fetched from the npm registry (so not
# part of `make check`), and JUnit through a JUnit parser. SARIF_SCHEMA=FILE: this schema, nothing is fetched.
set -eu
B=${B:-build}
T=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-validate.XXXXXX")
trap 'rm -rf "$T"' EXIT INT TERM
python=
for p in python3 /usr/bin/python3; do
    [ -z "$python" ] && "$p" -c 'import jsonschema, junitparser' 2>/dev/null && python=$p
done
[ -n "$python" ] || { echo "needs python3-jsonschema and python3-junitparser"; exit 77; }
schema=${SARIF_SCHEMA:-}
if [ -z "$schema" ]; then
    (cd "$T" && npm pack --silent @microsoft/jest-sarif@1.0.0-beta.0 >/dev/null && tar xzf microsoft-jest-sarif-*.tgz)
    schema=$(find "$T/package" -name 'sarif-2.1.0*.json' | head -1)
fi
for result in fixtures/report/*.jsonl; do
    "$B/tidemark" report -q "$result" --sarif "$T/o.sarif" --junit "$T/o.xml" >/dev/null 2>&1 || [ $? -eq 1 ]
    "$python" - "$schema" "$T/o.sarif" "$T/o.xml" "$result" <<'P'
import json, sys
import jsonschema, junitparser
schema, sarif = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
wrong = list(jsonschema.validators.validator_for(schema)(schema).iter_errors(sarif))
for error in wrong[:10]:
    print("SARIF:", list(error.absolute_path), error.message[:200])
junit = junitparser.JUnitXml.fromfile(sys.argv[3])
cases = [(case.classname, case.name) for suite in junit for case in suite]
tests = len({json.dumps([line["id"], line["variant"]]) for line in map(json.loads, open(sys.argv[4]))
             if line["type"] == "test"})
same = junit.tests == len(cases) == len(set(cases)) and len(cases) >= tests
print(f"{sys.argv[4]}: {len(sarif['runs'][0]['results'])} results, {len(wrong)} errors of the schema;",
      f"{len(cases)} JUnit cases of {tests} tests{'' if same else ': the counts differ'}")
sys.exit(bool(wrong) or not same)
P
done
