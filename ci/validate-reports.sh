#!/bin/sh
# make validate-reports: SARIF against the schema of SARIF 2.1.0, which is fetched from the npm registry (so not
# part of `make check`), JUnit through a JUnit parser, TAP through prove, metrics through promtool.
# The page through axe-core, which is fetched too.
# SARIF_SCHEMA=FILE, AXE=FILE: these, nothing is fetched.
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
# Every status with every verdict, and every verdict of a suite: whatever is red, and what nothing was judged of.
"$python" - "$T" <<'P'
import json, sys
line = json.load(open("docs/result.schema.json"))["$defs"]["test"]["properties"]
statuses, verdicts = line["status"]["enum"], line["verdict"]["enum"]
orders = line["order"]["enum"]
memcheck = {"status": "pass", "errors": 1, "definite_bytes": 8, "definite_blocks": 1, "indirect_bytes": 0, "indirect_blocks": 0,
            "possible_bytes": 0, "possible_blocks": 0, "findings": [{"kind": "InvalidRead", "what": "Invalid read of size 4", "frames": [
                {"function": "f<int>", "file": "x.c", "line": 3, "module": "m", "offset": 1}]}]}
def write(name, lines):
    with open(f"{sys.argv[1]}/{name}.jsonl", "w") as out:
        for line in lines:
            print(json.dumps({"v": 1, **line}), file=out)
tests = [{"type": "test", "id": f"s/{status}/{verdict}", "variant": "", "status": status, "verdict": verdict, "message": "m",
          "file": "x.c", "line": 7, "horizon": "h"} for status in statuses for verdict in verdicts]
tests += [{"type": "test", "id": f"order/{order}/{verdict}", "variant": "", "status": "pass", "verdict": verdict, "order": order,
           "order_by": "s/pass/clean", "order_message": "m"} for order in orders for verdict in verdicts]
tests += [{"type": "test", "id": f"memcheck/{verdict}", "variant": "", "status": "pass", "verdict": verdict, "memcheck": memcheck}
          for verdict in verdicts]
tests += [{"type": "test", "id": f"counted/{what}", "variant": "", "status": "pass", "verdict": "leak", "growth_bytes_per_rep": 0, what: 1}
          for what in ("fds", "threads")]
tests += [{"type": "once", "id": "once/not/judged", "variant": "", "status": "pass", "verdict": "none", "horizon": "h"},
          {"type": "test", "id": "children/of/it", "variant": "", "status": "pass", "verdict": "none", "children": 2, "programs": 1, "program": "sh"}]
for words in ("leak,growth,accumulates,fd", "leak,growth,accumulates,fd,flaky,unjudged", "fd"):
    for suite in verdicts:
        write(f"{suite}-{words.count(',')}", [
            {"type": "run", "tool": "tidemark", "version": "0", "command": "hunt", "suite": "s", "fail_on": words}, *tests,
            {"type": "variant", "name": "", "verdict": suite, "horizon": "h"},
            {"type": "summary", "passed": 0, "failed": 0, "skipped": 0, "incomplete": 0}])
nothing = [t for t in tests if t["status"] == "skip"]
def variant(name, verdict, **more):
    return {"type": "variant", "name": name, "verdict": verdict, "horizon": "h", "tests": 1, **more}
# A scenario: each verdict of a variant, some of them expected, met, broken or warned of, one stopped.
write("scenario", [{"type": "run", "tool": "tidemark", "version": "0", "command": "run", "suite": "s", "scenario": "x"},
                   *({**tests[0], "variant": v} for v in verdicts), *(variant(v, v) for v in verdicts),
                   {**tests[0], "variant": "stopped", "status": "oom"},
                   variant("stopped", "accumulates", stopped_by="memory", culprit=tests[0]["id"], projection="9 GB at test 450"),
                   *({"type": "expect", "variant": v, "metric": m, "limit": limit, "actual": "1", "ok": ok, "file": "x.yaml", "line": 3}
                     for v in ("none", "leak") for m, limit, ok in (("verdict", "clean", False), ("allocs", "< 5", True), ("bytes", "warn < 5", False))),
                   {"type": "summary", "passed": 0, "failed": 0, "skipped": 0, "incomplete": 0}])
write("nothing", [{"type": "run", "tool": "tidemark", "version": "0", "command": "hunt", "suite": "s"}, *nothing,
                  {"type": "summary", "passed": 0, "failed": 0, "skipped": len(nothing), "incomplete": 0}])
write("cut", [{"type": "run", "tool": "tidemark", "version": "0", "command": "hunt", "suite": "s"}, *tests])
P
for result in fixtures/report/*.jsonl "$T"/*.jsonl; do
    "$B/tidemark" report -q "$result" --sarif "$T/o.sarif" --junit "$T/o.xml" --tap "$T/o.tap" \
        --openmetrics "$T/o.om" --codequality "$T/o.cq" >/dev/null 2>&1 || case $? in 1 | 77 | 99) ;; *) exit 1 ;; esac
    prove -e cat "$T/o.tap" 2>&1 | grep 'Parse errors' && { echo "$result: prove does not read the TAP"; exit 1; }
    if command -v promtool >/dev/null; then
        promtool check metrics <"$T/o.om" || { echo "$result: promtool does not read the metrics"; exit 1; }
    fi
    jq -e 'all(.[]; .fingerprint and .location.path and .location.lines.begin > 0)' "$T/o.cq" >/dev/null || { echo "$result: code quality"; exit 1; }
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
             if line["type"] in ("test", "once")})
same = junit.tests == len(cases) == len(set(cases)) and len(cases) >= tests
print(f"{sys.argv[4].rsplit('/', 1)[1]}: {len(sarif['runs'][0]['results'])} results, {len(wrong)} errors of the schema;",
      f"{len(cases)} JUnit cases of {tests} tests{'' if same else ': the counts differ'}")
sys.exit(bool(wrong) or not same)
P
done
axe=${AXE:-}
if [ -z "$axe" ]; then
    (cd "$T" && npm pack --silent axe-core >/dev/null && mkdir axe && tar xzf axe-core-*.tgz -C axe)
    axe=$T/axe/package/axe.min.js
fi
B=$B ci/page.py accessibility "$axe"
