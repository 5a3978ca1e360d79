#!/bin/sh
# The tidemark command itself: help, version, unknown words. Run from the repository root with $B.
set -u
B=${B:-build}
failed=0
expect() { # STATUS TEXT COMMAND...
    want=$1 text=$2
    shift 2
    got=$("$@" 2>&1)
    status=$?
    case $status:$got in
    "$want":*"$text"*) ;;
    *) echo "FAIL: $* gave $status: $got" >&2; failed=1 ;;
    esac
}
expect 0 "tidemark 0." "$B/tidemark" --version
expect 0 "Usage: tidemark COMMAND" "$B/tidemark" --help
expect 2 "Usage: tidemark COMMAND" "$B/tidemark"
expect 2 "unknown option '--hlep'; did you mean '--help'?" "$B/tidemark" --hlep
expect 2 "unknown command 'hepl'; did you mean 'help'?" "$B/tidemark" hepl
expect 2 "unknown command 'zzzzzz'; 'tidemark --help' lists the commands" "$B/tidemark" zzzzzz
expect 2 "/etc: Is a directory" "$B/tidemark" hunt -- /etc
# A word that is none of a command's: the nearest, or all there are.
expect 2 "unknown incident 'foo'; one of registry-60gb, stats-ttl, collector-plugin, provider-file, serverless" "$B/tidemark" demo foo
expect 2 "unknown incident 'serverles'; did you mean 'serverless'?" "$B/tidemark" demo serverles
expect 2 "unknown verb 'chek'; did you mean 'check'?" "$B/tidemark" baseline chek r.jsonl
expect 2 "unknown verb 'chek'; did you mean 'check'?" "$B/tidemark" baseline chek
expect 2 "unknown verb 'foo'; one of save, check, update" "$B/tidemark" baseline foo r.jsonl
expect 2 "unknown strategy 'directt'; did you mean 'direct'?" "$B/tidemark" bench --strategy directt
expect 2 "unknown strategy 'foo'; one of direct" "$B/tidemark" bench --strategy foo
for command in run report whatif 'compare x' models 'demo' 'hunt --' 'baseline save'; do
    # shellcheck disable=SC2086
    expect 2 " is empty: " "$B/tidemark" $command ""
done

# Standard streams that are closed, a disk that is full, a limit on files: an error is told, nothing dies of it.
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
small="$B/fixtures/check_hundreds"
expect 0 "451 passed" sh -c "TESTS=450 '$B/tidemark' hunt --quick -q -- '$small' <&-"
expect 99 "standard output" sh -c "'$B/tidemark' models list openai >&-"
expect 99 "0 passed, 0 failed" sh -c "ulimit -f 4; '$B/tidemark' hunt --quick -q --json '$T/r.jsonl' -- '$small'"
expect 99 "No space left on device" "$B/tidemark" hunt --quick -q --json /dev/full -- "$small"
# An option that would do nothing is a mistake.
expect 2 "of one, --json FILE keeps the result" "$B/tidemark" hunt --quick -q --out "$T/folder" -- "$small"
# Of tests that are asked for there must be one; an id with its number is one, although it is a glob too.
expect 2 "repeat: tidemark hunt --quick -q --only 'no*' -- $small 'a b'" env TESTS=450 "$B/tidemark" hunt --quick -q --only 'no*' -- "$small" 'a b'
expect 2 "none of its 450 tests is like 'no*'; the first is" env TESTS=450 "$B/tidemark" hunt --quick -q --only 'no*' -- "$small"
env TESTS=450 "$B/tidemark" hunt --only 'no*' -- "$small" 2>&1 | grep "takes at most" && { echo "a plan for no test"; failed=1; }
expect 0 "2 passed, 0 failed" env TESTS=450 "$B/tidemark" hunt --quick -q --only 'hundreds/all/one_of_many[3]' -- "$small"
# What tidemark ignores, the program does not: a test dies of SIGPIPE as it does without.
expect 1 "SIGPIPE" env DEATH=pipe "$B/tidemark" hunt --quick -q --no-color -- "$small"
"$B/tidemark" --help | awk 'length > 80 { print "longer than 80 columns: " $0; bad = 1 } END { exit bad }' || failed=1
exit $failed
