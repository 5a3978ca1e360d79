#!/bin/sh
# `tidemark models` as a command: what it finds, what it says when it does not, exit status. Holds
# for every catalogue that has openai:gpt-4o.
set -u
B=${B:-build}
export NO_COLOR=1 COLUMNS=80
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
expect() { # STATUS TEXT ARGUMENT...
    want=$1 text=$2
    shift 2
    got=$("$B/tidemark" models "$@" 2>&1)
    status=$?
    case $status:$got in
    "$want":*"$text"*) ;;
    *) echo "FAIL: models $* gave $status: $got" >&2; failed=1 ;;
    esac
}
expect 0 "openai:gpt-4o" find openai:gpt-4o
expect 0 "openai:gpt-4o" find gpt-4o
expect 1 "no model 'openai:gpt-4oo'; nearest:
  openai:gpt-4o" find openai:gpt-4oo
expect 1 "no model '~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~'" find '~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~'
expect 2 "'find' needs a key, such as openai:gpt-4o" find
expect 2 "unknown verb 'fnid'; did you mean 'find'?" fnid
expect 2 "unknown verb 'zzzz'; one of find, list, filter" zzzz
expect 0 " providers, " list
expect 0 "openai:gpt-4o " list openai
expect 1 "no provider 'opennai'; did you mean 'openai'?" list opennai
expect 2 "'list' takes one provider" list openai anthropic
expect 0 "openai:" filter --cap reasoning --provider openai
expect 2 "unknown capability 'reasonning'; did you mean 'reasoning'?" filter --cap reasonning
expect 2 "'12x' is not a number of tokens" filter --context-min 12x
expect 2 "is not a number of dollars" filter --price-max 1.0000001
expect 2 "is not a number of dollars" filter --price-max -1
expect 1 "no model matches" filter --context-min 1000000000M
expect 2 "--cap belongs to 'filter', not to 'list'" list --cap tools
expect 2 "'filter' takes options, not 'openai'" filter openai
# Every line of what a filter shows meets it, and the JSON says the same models.
"$B/tidemark" models filter --cap reasoning --context-min 200k --price-max 0.5 --json "$dir/out" >"$dir/table" || failed=1
jq -e -s 'length > 0 and all(.[]; (.caps | index("reasoning")) and .context >= 200000 and .price.input <= 500000)' "$dir/out" >/dev/null ||
    { echo "FAIL: the filter let others through" >&2; failed=1; }
[ "$(tail -1 "$dir/table")" = "$(wc -l <"$dir/out" | sed 's/ //g') models" ] || { echo "FAIL: table and JSON differ" >&2; failed=1; }
# A model that does not match is left out: the rest of the catalogue fails one of the conditions.
"$B/tidemark" models filter --json - >"$dir/all" || failed=1
jq -e -s --slurpfile some "$dir/out" '[.[] | select((.caps // [] | index("reasoning")) and (.context // 0) >= 200000 and .price.input != null and .price.input <= 500000)] | length == ($some | length)' "$dir/all" >/dev/null ||
    { echo "FAIL: the filter left some out" >&2; failed=1; }
"$B/tidemark" models find openai:gpt-4o --json - | jq -e '.v == 1 and .type == "model" and .provider == "openai" and .id == "gpt-4o"' >/dev/null ||
    { echo "FAIL: find --json" >&2; failed=1; }
"$B/tidemark" models find openai:gpt-4o --json /nowhere/x 2>"$dir/err"
[ $? = 99 ] || { echo "FAIL: unwritable JSON file" >&2; failed=1; }
exit $failed
