#!/bin/sh
# interrupt_test.sh - tidemark ended by a signal, in the middle of a test: it dies of that signal, says so, and
# leaves a readable result that calls itself incomplete; no worker, no child of a test, no control group and no
# folder stays behind. After SIGKILL the next run removes the group. Run from the root with $B set.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "interrupt_test: $*"; bad=1; }
until_true() { # command...: within ten seconds
    for _ in $(seq 500); do
        "$@" && return 0
        sleep 0.02
    done
    return 1
}
mkdir "$T/tmp"
cp "$B/fixtures/check_hundreds" "$T/hangs"
workers() { pgrep -f "^$T/hangs" >/dev/null; }
no_workers() { ! workers; }
groups_of() { find /sys/fs/cgroup -maxdepth 6 -type d -name "tidemark-$1-*" 2>/dev/null; }
lines() { [ -e "$T/r.jsonl" ] && [ "$(grep -c '"type":"test"' "$T/r.jsonl")" -ge "$1" ]; }
child_of_worker() { # a test's own child: one whose parent is such a process too
    for parent in $(pgrep -f "^$T/hangs"); do
        pgrep -P "$parent" >/dev/null && return 0
    done
    return 1
}
begin() { # death results: starts a run in the background and waits until so many results are there
    rm -f "$T/r.jsonl"
    rm -f "$T/marker"
    DEATH=$1 HANG_MARKER=$T/marker TMPDIR=$T/tmp python3 -c '
import os, signal, sys
for s in (signal.SIGINT, signal.SIGTERM): signal.signal(s, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_IGN if sys.argv[1] == "nohup" else signal.SIG_DFL)
os.execv(sys.argv[2], sys.argv[2:])' "${nohup:-}" "$B/tidemark" hunt --quick -q --memory 256MiB --timeout 100s \
        --json "$T/r.jsonl" -- "$T/hangs" >"$T/out" 2>"$T/err" &
    pid=$!
    until_true lines "$2" || fail "$1: no results: $(cat "$T/err")"
}
left() { # what
    until_true no_workers || fail "$1: a process of a test is still there: $(pgrep -af "^$T/hangs")"
    [ -z "$(ls "$T/tmp")" ] || fail "$1: $(ls "$T/tmp") left in the temporary folder"
    tail -n 1 "$T/r.jsonl" | grep -q '"type":"summary".*"incomplete":[1-9]' ||
        fail "$1: the file does not end in an incomplete summary: $(tail -n 1 "$T/r.jsonl")"
    "$B/tidemark" report "$T/r.jsonl" >"$T/report" 2>&1
    [ $? -eq 99 ] || fail "$1: the report of it does not exit 99"
    grep -q '^INCOMPLETE' "$T/report" || fail "$1: the report does not say that it is incomplete"
}

for row in "INT 130 hang-again" "TERM 143 hang-forked" "HUP 129 hang-again"; do
    # shellcheck disable=SC2086
    set -- $row
    begin "$3" 225
    [ "$3" = hang-again ] || until_true child_of_worker || fail "$*: no child hangs"
    kill -"$1" $pid
    wait $pid 2>/dev/null
    status=$?
    [ $status -eq "$2" ] || fail "$*: exit $status, not by the signal"
    head -n 1 "$T/out" | grep -q '^Incomplete: ' || fail "$*: what was found until then is not shown: $(head -n 3 "$T/out")"
    tr -s '\n ' '  ' <"$T/out" | grep -q "to go on .*tidemark hunt --failed $T/r.jsonl" || fail "$*: it does not say how to go on"
    grep -q "tidemark: ended by " "$T/err" || fail "$*: it does not say why it ends: $(cat "$T/err")"
    [ -z "$(groups_of $pid)" ] || fail "$*: $(groups_of $pid) is left"
    left "$*"
done

# Nobody can be asked to clear up after SIGKILL; processes die with it, and groups go at the next run.
begin hang-forked 450
until_true child_of_worker || fail "KILL: no child hangs"
kill -KILL $pid
wait $pid 2>/dev/null
killed=$pid
left KILL
DEATH='' "$B/tidemark" hunt --quick -q --memory 256MiB --only '*\[1\]' -- "$T/hangs" >/dev/null 2>&1 || fail "KILL: the next run exits $?"
[ -z "$(groups_of $killed)" ] || fail "KILL: the next run leaves $(groups_of $killed)"

# nohup: a signal that is ignored stays ignored.
nohup='nohup'
begin hang-again 225
kill -HUP $pid
kill -0 $pid || fail "nohup: it ended"
kill -TERM $pid
wait $pid 2>/dev/null
[ $? -eq 143 ] || fail "nohup: exit $?"

# The demo hands it on to the run that it waits for, and takes its folder away.
TMPDIR=$T/tmp "$B/tidemark" demo provider-file >"$T/out" 2>"$T/err" &
pid=$!
running() { ls "$T"/tmp/tidemark-demo-*/result.jsonl >/dev/null 2>&1; }
until_true running || fail "demo: it does not begin"
kill -TERM $pid
wait $pid 2>/dev/null
status=$?
[ $status -eq 143 ] || fail "demo: exit $status, not by the signal"
[ -z "$(ls "$T/tmp")" ] || fail "demo: $(ls "$T/tmp") left in the temporary folder"
exit $bad
