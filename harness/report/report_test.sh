#!/bin/sh
# Every format of `tidemark report`, held to the tools that read it; merging, shards, damaged files; the
# page in headless Chromium. Validators that are not installed are named, the rest still runs.
set -eu
B=${B:-build}
t=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-report.XXXXXX")
trap 'rm -rf "$t"' EXIT
fail() { echo "FAILED: $*"; exit 1; }
status() { want=$1; shift; got=0; "$@" >"$t/out" 2>"$t/err" || got=$?; [ "$got" = "$want" ] || { cat "$t/out" "$t/err"; fail "status $got instead of $want: $*"; }; }
report() { "$B/tidemark" report "$@"; }
has() { command -v "$1" >/dev/null || { echo "not checked, $1 is not installed: $2"; return 1; }; }

# make_result FILE SHARD FIRST LAST: a hunt with all kinds of tests, names that need escaping among them.
make_result() {
    awk -v shard="$2" -v first="$3" -v last="$4" 'BEGIN {
        print "{\"v\":1,\"type\":\"run\",\"tool\":\"tidemark\",\"version\":\"0.1.0\",\"command\":\"hunt\",\"argv\":\"tidemark hunt -- ./check_x\",\"host\":\"h\",\"allocator\":\"jemalloc\",\"cap\":0,\"cap_kind\":\"\",\"seed\":1,\"started\":\"2026-01-02T03:04:05Z\",\"suite\":\"x\",\"shard\":\"" shard "\"}"
        split("clean leak growth inconclusive clean saturating", verdict, " ")
        for (i = first; i <= last; i++) {
            id = "x/<core> & \\\"more\\\"/case #" i; v = verdict[i % 6 + 1]; status = "pass"; more = ""
            if (i % 10 == 7) { status = "crash"; v = "none"; more = ",\"signal\":11,\"message\":\"bad \\u0001 ]]> </script> \\u00e9\",\"file\":\"x.c\",\"line\":" i ",\"frames\":[{\"function\":\"f<int>\",\"file\":\"x.c\",\"line\":3,\"module\":\"m\",\"offset\":1}]" }
            if (i % 10 == 8) { status = "skip"; v = "none" }
            if (v == "growth" || v == "leak") { more = ",\"growth_bytes_per_rep\":64,\"live_by_rep\":[1000"; for (k = 1; k < 496; k++) more = more "," 1000 + 64 * k; more = more "]" }
            print "{\"v\":1,\"type\":\"test\",\"id\":\"" id "\",\"variant\":\"\",\"status\":\"" status "\",\"verdict\":\"" v "\",\"repetitions\":11,\"allocs\":" i ",\"frees\":" i ",\"bytes\":99,\"retained_bytes\":0,\"retained_blocks\":0,\"wall_ns\":1500,\"live_bytes\":" 1000 * i ",\"peak_rss_bytes\":4096000" more "}"
            if (v == "growth") print "{\"v\":1,\"type\":\"site\",\"test\":\"" id "\",\"variant\":\"\",\"rank\":1,\"bytes\":31744,\"blocks\":496,\"bytes_per_rep\":64,\"reachability\":\"held\",\"kind\":\"heap\",\"frames\":[{\"function\":\"keep\",\"file\":\"src/keep.c\",\"line\":12,\"module\":\"m\",\"offset\":1},{\"function\":\"main\",\"file\":\"x.c\",\"line\":1,\"module\":\"m\",\"offset\":1}],\"held_by\":[{\"symbol\":\"g_cache\",\"field\":\"\",\"module\":\"m\",\"offset\":24,\"bytes\":0}]}"
        }
        print "{\"v\":1,\"type\":\"variant\",\"name\":\"\",\"verdict\":\"accumulates\",\"growth_bytes_per_test\":1048576,\"kept_bytes\":" 1048576 * (last - first + 1) ",\"kept_tests\":" last - first + 1 ",\"projection\":\"\",\"horizon\":\"judged over 60 tests in order\"}"
        if (first == 0) print "{\"v\":1,\"type\":\"site\",\"test\":\"\",\"variant\":\"\",\"rank\":1,\"bytes\":6290000,\"blocks\":24,\"share\":0.1,\"reachability\":\"held\",\"kind\":\"heap\",\"frames\":[{\"function\":\"record_load\",\"file\":\"docs/example/check_catalogue.c\",\"line\":17,\"module\":\"m\",\"offset\":1}],\"held_by\":[{\"symbol\":\"g_cache\",\"field\":\"\",\"module\":\"m\",\"offset\":24,\"bytes\":0}]}"
        print "{\"v\":1,\"type\":\"summary\",\"passed\":1,\"failed\":1,\"skipped\":0,\"incomplete\":0}"
    }' >"$1"
}
make_result "$t/one.jsonl" "" 0 59

status 1 report "$t/one.jsonl" --html "$t/o.html" --junit "$t/o.xml" --tap "$t/o.tap" --markdown "$t/o.md" \
    --github "$t/o.github" --codequality "$t/o.cq" --openmetrics "$t/o.prom" --sarif "$t/o.sarif"
tail -1 "$t/out" | grep -qx '24 passed, 23 failed, 14 skipped' || { tail -1 "$t/out"; fail "last line"; }
awk 'length($0) > 100 && !/^::/ { print; bad = 1 } END { exit bad }' "$t/out" || fail "a line is longer than 100 columns"
grep -c '^::error file=x.c,line=3,' "$t/out" | grep -qx 6 || fail "annotations of crashes"
[ "$(grep -c '^::error ' "$t/out")" = 10 ] || fail "more or fewer annotations than GitHub shows"
grep -q '^::notice .*more findings' "$t/out" || fail "no notice of what is not annotated"
grep -q '^::error file=docs/example/check_catalogue.c,line=17,title=tidemark%3A the whole suite accumulates::' "$t/out" ||
    fail "no annotation of the suite's verdict"
grep -q 'the whole suite: accumulates.*62.9 MB in 60 tests.*g.*cache' "$t/o.md" || fail "no verdict of the suite in Markdown"
grep -q '^not ok 61 - the whole suite$' "$t/o.tap" || fail "no verdict of the suite in TAP"
grep -q '>accumulates</span> The whole suite' "$t/o.html" || fail "no verdict of the suite on the page"
grep -q '^tidemark_suite_verdict{variant="",verdict="accumulates"} 1$' "$t/o.prom" || fail "no verdict of the suite among the metrics"
grep -q '^tidemark_exit_status 1$' "$t/o.prom" || fail "no status among the metrics"
grep -q 'src/keep.c:12' "$t/o.md" || fail "no line in Markdown"

if has xmllint "JUnit"; then
    xmllint --noout "$t/o.xml" || fail "JUnit is not well-formed"
    [ "$(xmllint --xpath 'count(//testcase)' "$t/o.xml")" = 61 ] || fail "JUnit has not 61 cases"
    [ "$(xmllint --xpath 'count(//failure)' "$t/o.xml")" = 23 ] || fail "JUnit has not 23 failures"
    [ "$(xmllint --xpath 'string(/testsuites/@failures)' "$t/o.xml")" = 23 ] || fail "JUnit's own count"
    [ "$(xmllint --xpath 'string(//testcase[@name="the whole suite"]/@file)' "$t/o.xml")" = docs/example/check_catalogue.c ] || fail "JUnit: where the suite grows"
fi
parser=
for p in python3 /usr/bin/python3; do
    [ -z "$parser" ] && "$p" -c 'import junitparser' 2>/dev/null && parser=$p
done
if [ -n "$parser" ]; then
    counted=$("$parser" -c '
import sys, junitparser
junit = junitparser.JUnitXml.fromfile(sys.argv[1])
cases = [case for suite in junit for case in suite]
bad = [case for case in cases if any(isinstance(r, (junitparser.Failure, junitparser.Error)) for r in case.result)]
skipped = [case for case in cases if any(isinstance(r, junitparser.Skipped) for r in case.result)]
print(junit.tests, len(cases), len({(case.classname, case.name) for case in cases}), len(bad), len(skipped))
' "$t/o.xml")
    [ "$counted" = "61 61 61 23 14" ] || fail "junitparser reads $counted"
else
    echo "not checked, python3-junitparser is not installed: JUnit by a parser"
fi
[ "$(grep -o 'classname="[^"]*" name="[^"]*"' "$t/o.xml" | sort | uniq -d | wc -l)" = 0 ] || fail "names in JUnit are not unique"
if has prove "TAP"; then
    prove --exec cat "$t/o.tap" >"$t/prove" 2>&1 && fail "prove passes a failed run"
    grep -q 'Tests: 61 Failed: 23' "$t/prove" || { cat "$t/prove"; fail "prove counts differently"; }
fi
if has promtool "OpenMetrics"; then
    promtool check metrics <"$t/o.prom" || fail "promtool refuses the metrics"
fi
if has jq "JSON"; then
    [ "$(jq '.runs[0].results | length' "$t/o.sarif")" = 31 ] || fail "SARIF has not 31 results"
    jq -e '[.runs[0].results[].ruleId] - [.runs[0].tool.driver.rules[].id] == []' "$t/o.sarif" >/dev/null || fail "SARIF: a rule that is not declared"
    jq -e 'length == 31 and all(.[]; .description and .check_name and .fingerprint and .severity and .location.path and .location.lines.begin >= 1)' "$t/o.cq" >/dev/null || fail "code quality"
    [ "$(jq -r '.[].fingerprint' "$t/o.cq" | sort -u | wc -l)" = 31 ] || fail "fingerprints are not unique"
fi

# Every status with every verdict, of tests and of suites, in a hunt and in a run: the readers agree with the last line.
words() { sed -n "s/.*\"$1\": {\"enum\": \[\(.*\)\]}.*/\1/p" docs/result.schema.json | head -1 | tr -d '",'; }
statuses=$(words status) verdicts=$(words verdict)
[ "$(echo "$statuses" "$verdicts" | wc -w)" -ge 15 ] || fail "the schema has not all statuses and verdicts: $statuses, $verdicts"
tests=$(($(echo "$statuses" | wc -w) * $(echo "$verdicts" | wc -w)))
for command in hunt run; do
    for suite in $verdicts; do
        awk -v command=$command -v suite=$suite -v statuses="$statuses" -v verdicts="$verdicts" 'BEGIN {
            print "{\"v\":1,\"type\":\"run\",\"tool\":\"tidemark\",\"version\":\"0.1.0\",\"command\":\"" command "\",\"suite\":\"x\"}"
            n = split(statuses, status, " "); m = split(verdicts, verdict, " ")
            for (i = 1; i <= n; i++) for (k = 1; k <= m; k++)
                print "{\"v\":1,\"type\":\"test\",\"id\":\"x/" status[i] "/" verdict[k] "\",\"variant\":\"\",\"status\":\"" status[i] "\",\"verdict\":\"" verdict[k] "\",\"growth_bytes_per_rep\":8}"
            print "{\"v\":1,\"type\":\"variant\",\"name\":\"\",\"verdict\":\"" suite "\"}"
            print "{\"v\":1,\"type\":\"summary\",\"passed\":0,\"failed\":0,\"skipped\":0,\"incomplete\":0}"
        }' >"$t/every.jsonl"
        status 1 report -q "$t/every.jsonl" --junit "$t/e.xml" --tap "$t/e.tap" --sarif "$t/e.sarif" --codequality "$t/e.cq" --openmetrics "$t/e.prom" --markdown "$t/e.md" --html "$t/e.html"
        # shellcheck disable=SC2046
        set -- $(tail -1 "$t/out" | tr -dc '0-9 ')
        all=$(($1 + $2 + $3))
        case $command,$suite in run,none | run,inconclusive | hunt,*) wanted=$((tests + 1)) ;; *) wanted=$tests ;; esac # with the suite's
        [ $all = $wanted ] || fail "$all cases of a $command, suite $suite, not $wanted"
        if command -v xmllint >/dev/null; then
            [ "$(xmllint --xpath 'concat(count(//testcase), " ", count(//failure), " ", count(//skipped))' "$t/e.xml")" = "$all $2 $3" ] || fail "JUnit of a $command, suite $suite: not $all $2 $3"
        fi
        if command -v prove >/dev/null; then
            prove --exec cat "$t/e.tap" >"$t/prove" 2>&1 && fail "prove passes a failed run"
            grep -q "Tests: $all Failed: $2)" "$t/prove" || { cat "$t/prove"; fail "prove counts differently, suite $suite"; }
        fi
        if command -v jq >/dev/null; then
            jq -e '[.runs[0].results[].ruleId] - [.runs[0].tool.driver.rules[].id] == []' "$t/e.sarif" >/dev/null || fail "SARIF: a rule that is not declared, suite $suite"
            [ "$(jq '[.runs[0].results[] | select(.level == "error")] | length' "$t/e.sarif")" = "$2" ] || fail "SARIF: not $2 errors of a $command, suite $suite"
            [ "$(jq -r '.[].fingerprint' "$t/e.cq" | sort | uniq -d | wc -l)" = 0 ] || fail "fingerprints are not unique"
        fi
        ! command -v promtool >/dev/null || promtool check metrics <"$t/e.prom" || fail "promtool refuses the metrics, suite $suite"
    done
done

# What fails only because it was asked for is a finding in every format.
status 0 report -q fixtures/report/order.jsonl --fail-on fd --tap "$t/e.tap"
status 1 report -q fixtures/report/order.jsonl --fail-on flaky --tap "$t/e.tap" --junit "$t/e.xml" --github /dev/null
grep -q '^::error .* flaky::passes in one order of the tests and fails in another: after ' "$t/out" || { cat "$t/out"; fail "no annotation of a flaky test"; }
grep -q 'type="flaky"' "$t/e.xml" || fail "no flaky test in JUnit"

# GitHub drops a summary of more than 1 MiB, and a comment holds 65,536 characters.
awk 'BEGIN {
    print "{\"v\":1,\"type\":\"run\",\"tool\":\"tidemark\",\"version\":\"0.1.0\",\"command\":\"hunt\",\"suite\":\"x\"}"
    long = "\303\251"; while (length(long) < 70000) long = long long
    for (i = 0; i < 4000; i++) print "{\"v\":1,\"type\":\"test\",\"id\":\"x/y/case_" i "\",\"variant\":\"\",\"status\":\"fail\",\"verdict\":\"none\",\"message\":\"" (i < 30 ? long : "short") "\"}"
    print "{\"v\":1,\"type\":\"summary\",\"passed\":0,\"failed\":4000,\"skipped\":0,\"incomplete\":0}"
}' >"$t/long.jsonl"
status 1 report "$t/long.jsonl" --markdown "$t/long.md" --github "$t/long.summary"
for file in "$t/long.md" "$t/long.summary"; do
    iconv -f UTF-8 -t UTF-8 "$file" >/dev/null || fail "a character was cut in half"
    grep -q 'case_29\*\*\|case\\_29' "$file" || fail "long messages push the others out of $file"
    grep -q 'and [0-9]* more findings' "$file" || [ "$file" = "$t/long.summary" ] || fail "what is left out is not counted"
done
[ "$(wc -c <"$t/long.md")" -lt 60000 ] || fail "Markdown of $(wc -c <"$t/long.md") bytes"
for i in 1 2 3 4 5 6 7 8 9; do
    status 1 report "$t/long.jsonl" --github "$t/long.summary"
done
[ "$(wc -c <"$t/long.summary")" -le 1000000 ] || fail "a summary of $(wc -c <"$t/long.summary") bytes"
grep -q '^::notice .*the step summary is full' "$t/out" || fail "a full summary is not told"

# Shards: all of them are the whole, one missing is named, the same twice is refused.
make_result "$t/s1.jsonl" 1/3 0 19; make_result "$t/s2.jsonl" 2/3 20 39; make_result "$t/s3.jsonl" 3/3 40 59
status 1 report "$t/s1.jsonl" "$t/s2.jsonl" "$t/s3.jsonl" --junit "$t/merged.xml" --json "$t/merged.jsonl"
sed 's/timestamp="[^"]*"//' "$t/o.xml" >"$t/a"; sed 's/timestamp="[^"]*"//' "$t/merged.xml" >"$t/b"
grep -q '^shard 1/3: judged over' "$t/b" || fail "a merged report does not say whose evidence it has"
sed -i 's|^shard 1/3: ||' "$t/b"
cmp "$t/a" "$t/b" || fail "the merged report differs from the unsharded one"
status 1 report "$t/merged.jsonl" --junit "$t/again.xml"
cmp "$t/merged.xml" "$t/again.xml" || fail "the merged result file reads differently"
status 99 report "$t/s1.jsonl" "$t/s3.jsonl" --junit "$t/o.xml"
grep -q 'missing shard of 3: 2' "$t/err" || { cat "$t/err"; fail "the missing shard is not named"; }
grep -q 'type="incomplete"' "$t/o.xml" || fail "JUnit hides a missing shard"
status 99 report "$t/s1.jsonl" "$t/s1.jsonl" "$t/s2.jsonl" "$t/s3.jsonl"
grep -q "s1.jsonl:2:.*in another of the files too" "$t/err" || { cat "$t/err"; fail "the duplicate is not named"; }
sed 's/"suite":"x"/"suite":"y"/' "$t/s2.jsonl" >"$t/other.jsonl"
status 99 report "$t/s1.jsonl" "$t/other.jsonl"
grep -q "another suite ('y')" "$t/err" || fail "different suites are merged"

# A run that was killed, and files that are none.
head -20 "$t/one.jsonl" >"$t/cut.jsonl"; head -c -100 "$t/cut.jsonl" >"$t/torn.jsonl"
status 99 report "$t/cut.jsonl"
grep -q INCOMPLETE "$t/out" || fail "the terminal hides that the result is incomplete"
status 99 report "$t/torn.jsonl" --tap "$t/o.tap"
grep -q '^Bail out!' "$t/o.tap" || fail "TAP hides that the result is incomplete"
echo nonsense >"$t/bad.jsonl"
status 2 report "$t/bad.jsonl"
grep -q 'bad.jsonl:1:1: ' "$t/err" || fail "no place in the diagnostic"
status 2 report "$t/none.jsonl"
status 99 report "$t/one.jsonl" --html /dev/full
grep -q 'cannot be written: No space left on device' "$t/err" || fail "a full disk is not named: $(cat "$t/err")"
status 99 report "$t/one.jsonl" --html "$t/no/folder.html"
# What is no memory is counted and not weighed, in every format.
status 1 report -q fixtures/report/hunt.jsonl --html "$t/things.html" --junit "$t/things.xml" --markdown "$t/things.md"
for file in things.html things.xml; do
    grep -q '496 file descriptors, made by' "$t/$file" || fail "$file: descriptors are allocated"
done
grep -q 'leaves.*descriptor.*made by open' "$t/things.md" || fail "Markdown: descriptors are allocated"
grep -q '>0 B, 0.0 %' "$t/things.html" && fail "the tree has branches without a byte"

# A full disk, which a limit on file lengths is as well: one line, and the old files stay, or none.
formats="html junit tap markdown github codequality openmetrics sarif"
mkdir "$t/full"; echo old >"$t/full/o.github"; echo old >"$t/full/o.junit"
for format in $formats; do
    (ulimit -f 4; status 99 report -q "$t/one.jsonl" "--$format" "$t/full/o.$format") || exit 1
    [ "$(grep -c "^tidemark report: $t/full/o.$format: cannot be written: " "$t/err")" = 1 ] && { [ $format = github ] || [ "$(wc -l <"$t/err")" = 1 ]; } ||
        { cat "$t/err"; fail "--$format: a full disk is not told in one line"; }
done
[ "$(cd "$t/full" && cat -- *)" = "old
old" ] || { ls -l "$t/full"; fail "half a file was left behind on a full disk"; }
status 99 sh -c "'$B/tidemark' report '$t/one.jsonl' --tap - >/dev/full"
[ ! -e "$t"/no ] && ! ls "$t"/*.part >/dev/null 2>&1 || fail "half a file was left behind"

# A curve stands where its repetitions are: what grows evenly is a straight line, though the points are not even.
if has python3 "curves"; then
    awk 'BEGIN {
        print "{\"v\":1,\"type\":\"run\",\"tool\":\"tidemark\",\"version\":\"0.1.0\",\"command\":\"hunt\",\"argv\":\"\",\"host\":\"h\",\"allocator\":\"\",\"cap\":0,\"cap_kind\":\"\",\"seed\":1,\"started\":\"2026-01-02T03:04:05Z\",\"suite\":\"x\",\"shard\":\"\"}"
        for (n = 1; n <= 4096; n *= 2) { at = at "," n; live = live "," 1000 + 64 * n }
        print "{\"v\":1,\"type\":\"test\",\"id\":\"x/even\",\"variant\":\"\",\"status\":\"pass\",\"verdict\":\"growth\",\"repetitions\":4096,\"growth_bytes_per_rep\":64,\"live_at_rep\":[" substr(at, 2) "],\"live_by_rep\":[" substr(live, 2) "]}"
        print "{\"v\":1,\"type\":\"summary\",\"passed\":0,\"failed\":1,\"skipped\":0,\"incomplete\":0}"
    }' >"$t/even.jsonl"
    status 1 report -q "$t/even.jsonl" --html "$t/even.html"
    python3 - "$t/even.html" <<'PY' || fail "a curve that is none"
import json, re, sys
page = open(sys.argv[1], encoding="utf-8").read()
growth = page[page.index('id="h-growth"'):]
drawn = re.search(r'<path class="l l0" d="([^"]*)"', growth).group(1)
points = [tuple(map(float, point.split())) for point in re.split("[ML]", drawn)[1:]]
curve = next(iter(json.loads(re.search(r'id="data">(.*?)</script>', page, re.S).group(1))["details"].values()))["live"]
for name, line in ("drawn", points), ("for the script", list(zip(curve["at"], curve["values"]))):
    (x0, y0), (x1, y1) = line[0], line[-1]
    for x, y in line:
        want = y0 + (y1 - y0) * (x - x0) / (x1 - x0)
        if abs(y - want) > 0.2:
            sys.exit(f"{name}: {y} at {x}, not {want}")
if "4,096 repetitions" not in growth:
    sys.exit("the axis does not end at 4,096 repetitions")
PY
fi

# The flame graph and the map of holders: what is twice as much is twice as large, and nothing leaves its box.
if has python3 "flame graph and map"; then
    awk 'BEGIN {
        print "{\"v\":1,\"type\":\"run\",\"tool\":\"tidemark\",\"version\":\"0.1.0\",\"command\":\"hunt\",\"argv\":\"\",\"host\":\"h\",\"allocator\":\"\",\"cap\":0,\"cap_kind\":\"\",\"seed\":1,\"started\":\"2026-01-02T03:04:05Z\",\"suite\":\"x\",\"shard\":\"\"}"
        print "{\"v\":1,\"type\":\"test\",\"id\":\"x/t\",\"variant\":\"\",\"status\":\"pass\",\"verdict\":\"growth\",\"repetitions\":4096}"
        n = split("600 250 100 40 10", kb, " ")
        for (i = 1; i <= n; i++) {
            outer = i == 1 ? "" : ",{\"function\":\"shared\",\"file\":\"x.c\",\"line\":9,\"module\":\"m\",\"offset\":1}"
            print "{\"v\":1,\"type\":\"site\",\"test\":\"x/t\",\"variant\":\"\",\"rank\":" i ",\"bytes\":" kb[i] * 1000 ",\"blocks\":1,\"reachability\":\"held\",\"kind\":\"heap\",\"frames\":[{\"function\":\"make" i "\",\"file\":\"x.c\",\"line\":" i ",\"module\":\"m\",\"offset\":1}" outer "],\"held_by\":[{\"symbol\":\"g_" i "\",\"field\":\"\",\"module\":\"m\",\"offset\":0,\"bytes\":0}]}"
        }
        print "{\"v\":1,\"type\":\"summary\",\"passed\":0,\"failed\":1,\"skipped\":0,\"incomplete\":0}"
    }' >"$t/boxes.jsonl"
    status 1 report -q "$t/boxes.jsonl" --html "$t/boxes.html"
    python3 - "$t/boxes.html" <<'PY' || fail "a box is not where it belongs"
import re, sys
page = open(sys.argv[1], encoding="utf-8").read()
flame, holders = re.findall(r'<svg class="wide" viewBox="0 0 ([0-9 ]*)".*?>(.*?)</svg>', page, re.S)
def boxes(svg):
    found = {}
    for name, x, y, width, height in re.findall(r'<title>([^:]*):.*?<rect class="f f[0-2]" x="([^"]*)" y="([^"]*)" width="([^"]*)" height="([^"]*)"', svg[1]):
        found.setdefault(name.split(" ")[0], []).append(tuple(map(float, (x, y, width, height))))
    return {name: rows[0] for name, rows in found.items()}
def near(name, seen, wanted, part):
    if abs(seen - wanted) > part * wanted + 2:
        sys.exit(f"{name} is {seen:.0f}, not {wanted:.0f}")
def within(inner, outer, what):
    if not (inner[0] >= outer[0] - 0.2 and inner[1] >= outer[1] - 0.2 and inner[0] + inner[2] <= outer[0] + outer[2] + 0.2
            and inner[1] + inner[3] <= outer[1] + outer[3] + 0.2):
        sys.exit(f"{what}: {inner} is not within {outer}")
size = {1: 600, 2: 250, 3: 100, 4: 40, 5: 10}
calls = boxes(flame)
for i, kb in size.items():
    near(f"make{i}", calls[f"make{i}"][2], 1200 * kb / 1000, 0)
    if i > 1 and not calls["shared"][0] - 0.1 <= calls[f"make{i}"][0] <= calls["shared"][0] + calls["shared"][2]:
        sys.exit(f"make{i} is not below its caller")
near("shared", calls["shared"][2], 1200 * 0.4, 0)
if calls["shared"][1] >= calls["make2"][1]:
    sys.exit("a caller stands below what it calls")
held = boxes(holders)
for i, kb in size.items():
    box = held[f"g_{i}"]
    near(f"g_{i}", (box[2] + 1) * (box[3] + 1), 1200 * 320 * kb / 1000, 0.01)
    within(box, (0, 0, 1200, 320), f"g_{i}")
    if f"make{i}" in held:
        within(held[f"make{i}"], box, f"make{i}")
    for j in range(1, i):
        a, b = box, held[f"g_{j}"]
        if a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]:
            sys.exit(f"g_{i} covers g_{j}")
worst = max(max(b[2] / b[3], b[3] / b[2]) for name, b in held.items() if name.startswith("g_"))
if worst > 4:
    sys.exit(f"a box is {worst:.1f} times as long as wide")
PY
fi

# Links into the repository: by option, by what a CI system says of itself, and for nothing that it does not have.
linked() { grep -o '<a href="http[^"]*"' "$t/linked.html" | sort -u | tr '\n' ' '; }
unlinked="env -u GITHUB_SERVER_URL -u GITHUB_REPOSITORY -u GITHUB_SHA -u CI_PROJECT_URL -u CI_COMMIT_SHA"
status 1 $unlinked "$B/tidemark" report -q "$t/one.jsonl" --html "$t/linked.html" --source-url https://code.example/o/r/blob/1a2b/
[ "$(linked)" = '<a href="https://code.example/o/r/blob/1a2b/docs/example/check_catalogue.c#L17" ' ] || { linked; fail "links by option"; }
mkdir -p "$t/tree/a b"; echo 'int x;' >"$t/tree/a b/c#.c"
sed 's|docs/example/check_catalogue.c|a b/c#.c|g' "$t/one.jsonl" >"$t/spaces.jsonl"
status 1 $unlinked "$B/tidemark" report -q "$t/spaces.jsonl" --html "$t/linked.html" --source-url https://code.example/r --source-root "$t/tree"
[ "$(linked)" = '<a href="https://code.example/r/a%20b/c%23.c#L17" ' ] || { linked; fail "a path with blanks is no address"; }
status 1 $unlinked GITHUB_SERVER_URL=https://github.example GITHUB_REPOSITORY=o/r GITHUB_SHA=1a "$B/tidemark" report -q "$t/one.jsonl" --html "$t/linked.html"
[ "$(linked)" = '<a href="https://github.example/o/r/blob/1a/docs/example/check_catalogue.c#L17" ' ] || { linked; fail "links on GitHub"; }
status 1 $unlinked CI_PROJECT_URL=https://gitlab.example/o/r CI_COMMIT_SHA=1a "$B/tidemark" report -q "$t/one.jsonl" --html "$t/linked.html"
[ "$(linked)" = '<a href="https://gitlab.example/o/r/-/blob/1a/docs/example/check_catalogue.c#L17" ' ] || { linked; fail "links on GitLab"; }
status 1 $unlinked "$B/tidemark" report -q "$t/one.jsonl" --html "$t/linked.html"
[ -z "$(linked)" ] || { linked; fail "links that nobody asked for"; }
status 2 report -q "$t/one.jsonl" --html "$t/never.html" --source-url 'javascript:alert(1)'
[ "$(cat "$t/err")" = "tidemark report: --source-url 'javascript:alert(1)' begins with neither https:// nor http://" ] || { cat "$t/err"; fail "a script for an address"; }

# The page: no script element closes early, nothing is fetched.
grep -q '<!doctype html>' "$t/o.html" || fail "no page"
cp "$t/linked.html" "$t/o.html"
grep -o '\(src\|href\)="[^#"][^"]*"' "$t/o.html" && fail "the page fetches something"
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$chromium" ]; then
    echo "the page was not opened: no chromium"; exit 77
fi
browse() {
    timeout 90 "$chromium" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync \
        --user-data-dir="$t/profile" --virtual-time-budget=4000 --dump-dom "file://$1" 2>/dev/null
}
# Clicks through the page, and writes what it sees into the title.
sed 's|</body>|<script>\
(function () {\
  const rows = () => Array.from(document.getElementById("tests").tBodies[0].rows);\
  const seen = [], head = document.getElementById("tests").tHead.rows[0].cells;\
  seen.push("rows=" + rows().length);\
  const find = document.getElementById("find"); find.value = "case #1"; find.dispatchEvent(new Event("input"));\
  seen.push("found=" + rows().length); find.value = ""; find.dispatchEvent(new Event("input"));\
  const only = document.getElementById("only"); only.value = "growth"; only.dispatchEvent(new Event("change"));\
  seen.push("growth=" + rows().length);\
  rows()[0].querySelector("button").click();\
  seen.push("detail=" + (rows()[1].textContent.includes("g_cache") \&\& !!rows()[1].querySelector("svg path.l")));\
  only.value = ""; only.dispatchEvent(new Event("change"));\
  head[5].querySelector("button").click();\
  seen.push("sort=" + head[5].getAttribute("aria-sort") + ":" + rows()[0].cells[5].textContent);\
  head[5].querySelector("button").click();\
  seen.push("again=" + head[5].getAttribute("aria-sort") + ":" + rows()[0].cells[5].textContent);\
  document.getElementById("theme").click(); seen.push("theme=" + (document.documentElement.dataset.theme \|\| "none"));\
  seen.push("wide=" + (document.documentElement.scrollWidth > innerWidth));\
  const ids = Array.from(document.querySelectorAll("[id]")).map((e) => e.id);\
  seen.push("ids=" + (new Set(ids).size === ids.length));\
  seen.push("named=" + Array.from(document.querySelectorAll("button,input,select,svg")).every((e) => e.textContent.trim() \|\| e.labels \&\& e.labels.length \|\| e.getAttribute("aria-label") \|\| e.getAttribute("aria-hidden")));\
  document.title = seen.join(" ");\
})();</script></body>|; s|<meta http-equiv="Content-Security-Policy"[^>]*>||' "$t/o.html" >"$t/click.html"
browse "$t/click.html" >"$t/dom" || fail "the browser failed"
got=$(sed -n 's|.*<title>\(.*\)</title>.*|\1|p' "$t/dom" | head -1)
want='rows=60 found=11 growth=8 detail=true sort=descending:59 again=ascending:0 theme=dark wide=false ids=true named=true'
[ "$got" = "$want" ] || fail "in the browser: $got"
