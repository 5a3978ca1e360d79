#!/bin/sh
# Files that are no results, or damaged ones, to every command that reads results: one clear line with the file's
# name, the right status, and nothing written. Run from the root with $B set.
set -u
B=${B:-build}
t=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-bad.XXXXXX") || exit 99
trap 'rm -rf "$t"' EXIT
bad=0
good=$t/good.jsonl
"$B/tidemark" report -q fixtures/report/clean.jsonl --json "$good" >/dev/null 2>&1 # with a summary that counts
lines=$(wc -l <"$good")
"$B/tidemark" report -q "$good" >/dev/null || { echo "the good one is not good"; exit 1; }
"$B/tidemark" baseline save -q -f "$t/base.jsonl" "$good" >/dev/null 2>&1 || { echo "no baseline of the good one"; exit 1; }

head -n $((lines / 2)) "$good" >"$t/half.jsonl"
head -c "$(($(wc -c <"$good") / 2))" "$good" >"$t/torn.jsonl"
sed '3d' "$good" >"$t/lost.jsonl"
sed 's/"type": *"test"/"type": "toast"/' "$good" >"$t/later.jsonl"
head -n 1 "$good" >"$t/begun.jsonl"
: >"$t/empty.jsonl"
mkdir "$t/folder.jsonl"
sed 's/"v": *1/"v": 2/' "$good" >"$t/version.jsonl"
tail -n +2 "$good" >"$t/headless.jsonl"
gzip -c "$good" >"$t/packed.jsonl"
head -c 5000 /dev/zero >"$t/zeros.jsonl"
printf '\033[31m\007\n' >"$t/escapes.jsonl"
echo '<testsuite/>' >"$t/xml.jsonl"
echo '[]' >"$t/array.jsonl"
cat "$good" "$good" >"$t/twice.jsonl"
head -n 2 "$good" | cat - "$good" >"$t/again.jsonl"
mark=$(printf '\357\273\277')
{ printf %s "$mark"; cat "$good"; } >"$t/mark.jsonl"
sed 's/$/\r/' "$good" >"$t/crlf.jsonl"

# file, status of report and of baseline, status of compare
while read -r name report compare; do
    for command in "report -q @" "baseline check -q -f $t/base.jsonl @" "baseline save -q -f $t/new.jsonl @" "compare -q $good @"; do
        rm -f "$t/new.jsonl"
        want=$report
        case $command in compare*) want=$compare ;; esac
        # shellcheck disable=SC2046
        timeout 30 "$B/tidemark" $(echo "$command" | sed "s|@|$t/$name.jsonl|") >"$t/out" 2>"$t/err"
        got=$?
        [ $got = "$want" ] || { echo "$name: ${command%% -*}: status $got instead of $want: $(head -3 "$t/err")"; bad=1; }
        [ "$want" = 0 ] && continue
        [ -e "$t/new.jsonl" ] && { echo "$name: a baseline was written"; bad=1; }
        case $name in twice) ;; *) # names each test
            [ "$(wc -l <"$t/err")" = 1 ] || { echo "$name: ${command%% -*}: not one line: $(cat "$t/err")"; bad=1; }
        esac
        grep -q "$name.jsonl\|incomplete: " "$t/err" || { echo "$name: ${command%% -*}: not named: $(cat "$t/err")"; bad=1; }
        LC_ALL=C grep -q '[[:cntrl:]]' "$t/err" && { echo "$name: control characters on the terminal"; bad=1; }
    done
done <<'END'
half 99 99
torn 99 99
lost 99 99
later 99 99
begun 99 99
empty 2 2
folder 2 2
version 2 2
headless 2 2
packed 2 2
zeros 2 2
escapes 2 2
xml 2 2
array 2 2
absent 2 2
twice 99 99
again 99 99
mark 0 0
crlf 0 0
END

# Two scenarios in one file: each keeps its own summary, and they are not merged into one. (Where no cache is
# compiled in, their variants cannot be run.)
for name in one two; do
    cat >"$t/$name.yaml" <<END
scenario: $name
suite: {program: registry, tests: 3, lookups: 30, keys: all}
teardown: per-test
variants: [direct]
expect: {direct: {verdict: clean}}
END
done
if ! "$B/tidemark" run -q --json "$t/both.jsonl" "$t/one.yaml" "$t/two.yaml" >"$t/out" 2>&1; then
    echo "two scenarios: $(tail -3 "$t/out")"; bad=1
fi
[ "$(grep -c '"type":"summary","passed":4,"failed":0,"skipped":0,"incomplete":0' "$t/both.jsonl")" = 2 ] || {
    echo "two scenarios in one file: $(grep summary "$t/both.jsonl")"; bad=1; }
"$B/tidemark" report -q "$t/both.jsonl" >"$t/out" 2>"$t/err"
[ $? = 99 ] && grep -q "both.jsonl:[0-9]*:1: another scenario ('two') than .*both.jsonl ('one'); not merged; --scenario" "$t/err" ||
    { echo "two scenarios in one file are merged: $(cat "$t/err")"; bad=1; }
for name in one two; do
    "$B/tidemark" report --scenario $name "$t/both.jsonl" >"$t/out" 2>"$t/err" && grep -q "^4 passed, 0 failed" "$t/out" &&
        grep -q "^expectations of .*/$name.yaml" "$t/out" || { echo "--scenario $name: $(cat "$t/out" "$t/err")"; bad=1; }
done
"$B/tidemark" report --scenario three "$t/both.jsonl" >"$t/out" 2>"$t/err"
[ $? = 2 ] && grep -q "both.jsonl:1:1: no run of scenario 'three'" "$t/err" || { echo "a scenario that is not there: $(cat "$t/err")"; bad=1; }
# Names in files that do not fit each other: of suites, of scenarios, of shards, of tests that are missing.
nasty='\u001b[31m\n::error::x\r\u009b1m'
part() { # FILE KEYS: a shard's file with these in its first line
    {
        printf '{"v":1,"type":"run","tool":"tidemark","command":"hunt","partition":"p",%s}\n' "$2"
        printf '{"v":1,"type":"elsewhere","variant":"%s","shard":2,"shards":2,"tests":["%s"]}\n' "$nasty" "$nasty"
        echo '{"v":1,"type":"summary","passed":0,"failed":0,"skipped":0,"incomplete":0}'
    } >"$t/$1"
}
part one.jsonl "\"suite\":\"s\",\"shard\":\"1/2\""
part suite.jsonl "\"suite\":\"$nasty\",\"shard\":\"1/2\""
part scenario.jsonl "\"suite\":\"s\",\"scenario\":\"$nasty\""
part shard.jsonl "\"suite\":\"s\",\"shard\":\"1/$nasty\""
part version.jsonl "\"suite\":\"s\",\"version\":\"99 $nasty\""
sed -i '2s/"v":1/"v":2/' "$t/version.jsonl"
for files in one.jsonl "one.jsonl suite.jsonl" "one.jsonl scenario.jsonl" "one.jsonl shard.jsonl" version.jsonl; do
    # shellcheck disable=SC2046
    "$B/tidemark" report -q $(printf "$t/%s " $files) >"$t/out" 2>"$t/err"
    grep -q 'x1b\[31m' "$t/err" || { echo "$files: the name is not said: $(cat "$t/err")"; bad=1; }
    grep -q '^ *::' "$t/err" && { echo "$files: a name commands a CI system: $(cat "$t/err")"; bad=1; }
    LC_ALL=C grep -q '[[:cntrl:]]' "$t/err" && { echo "$files: control characters on the terminal"; bad=1; }
done
exit $bad
