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

# Standard streams that are closed, a disk that is full, a limit on files: an error is told, nothing dies of it.
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
small="$B/fixtures/check_hundreds"
expect 0 "450 passed" sh -c "TESTS=450 '$B/tidemark' hunt --quick -q -- '$small' <&-"
expect 99 "standard output" sh -c "'$B/tidemark' models list openai >&-"
expect 99 "0 passed, 0 failed" sh -c "ulimit -f 4; '$B/tidemark' hunt --quick -q --json '$T/r.jsonl' -- '$small'"
expect 99 "No space left on device" "$B/tidemark" hunt --quick -q --json /dev/full -- "$small"
# What tidemark ignores, the program does not: a test dies of SIGPIPE as it does without.
expect 1 "SIGPIPE" env DEATH=pipe "$B/tidemark" hunt --quick -q --no-color -- "$small"
"$B/tidemark" --help | awk 'length > 80 { print "longer than 80 columns: " $0; bad = 1 } END { exit bad }' || failed=1
exit $failed
