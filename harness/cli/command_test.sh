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
"$B/tidemark" --help | awk 'length > 80 { print "longer than 80 columns: " $0; bad = 1 } END { exit bad }' || failed=1
exit $failed
