#!/bin/sh
# Row 2.15, and the file cache of row 1.3, in real processes: some of them live in time namespaces in which the
# clocks since boot stand an hour before or after, as if the wall clock had been set against them. Run from
# the root with $B.
set -u
: "${B:=build}"
T=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-clock.XXXXXX")
trap 'rm -rf "$T"' EXIT INT TERM
service=$B/fixtures/cache_service
unshare -Tf true 2>/dev/null || { echo "time namespaces need root and Linux 5.6"; exit 77; }
up=$(cut -d. -f1 /proc/uptime)
back=3600
[ "$up" -gt 3660 ] || back=$((up / 2))
failed=0
fail() { echo "FAILED: $1"; failed=1; }
# at SECONDS COMMAND...: where the clocks since boot stand so many seconds from ours
at() {
    offset=$1
    shift
    unshare -Tf --monotonic="$offset" --boottime="$offset" "$@"
}
now=$(cut -d. -f1 /proc/uptime)
there=$(at 3600 cut -d. -f1 /proc/uptime)
[ $((there - now)) -ge 3599 ] || fail "the namespace's clock does not stand elsewhere: $now, $there"

# A file that one process wrote is neither old nor fresh for ever to one whose clock stands elsewhere.
for offset in 3600 -$back; do
    "$service" 3600 "file=$T/list" >"$T/first"
    for times in 1 2 3; do
        at $offset "$service" 3600 "file=$T/list" >"$T/there"
        grep -q '^hit' "$T/there" || fail "mass expiry: the clock at $offset s fetches a file of just now"
        "$service" 3600 "file=$T/list" >"$T/here"
        grep -q '^hit' "$T/here" || fail "mass expiry: back here"
    done
    rm -f "$T"/list*
    at $offset "$service" 3600 "file=$T/list" >"$T/first"
    "$service" 3600 "file=$T/list" >"$T/here"
    grep -q '^hit' "$T/here" || fail "a file from a clock at $offset s is fetched again"
    sleep 1.1
    "$service" 1 "file=$T/list" >"$T/here"
    grep -q '^miss' "$T/here" || fail "immortal: a file from a clock at $offset s, 1.1 s old, with a TTL of 1 s"
    at $offset "$service" 1 "file=$T/list" >"$T/there"
    grep -q '^hit' "$T/there" || fail "a file of just now, seen from a clock at $offset s"
    sleep 1.1
    at $offset "$service" 1 "file=$T/list" >"$T/there"
    grep -q '^miss' "$T/there" || fail "immortal: 1.1 s old, seen from a clock at $offset s"
    rm -f "$T"/list*
done

# The cache of one process expires by its own time, wherever its clock stands.
for offset in 0 3600 -$back; do
    at $offset "$B/fixtures/ttl_steps" 300 >"$T/steps" || fail "ttl_steps at $offset"
    [ "$(cat "$T/steps")" = "hit miss hit" ] || fail "a TTL of 300 ms in a process whose clock stands at $offset s: $(cat "$T/steps")"
done
# And where its clock is set while it lives, which only a namespace does: what was held goes, nothing stays for ever.
for step in 3600 -$back; do
    "$B/fixtures/ttl_steps" 300 $step >"$T/steps"
    status=$?
    [ $status -eq 77 ] && { echo "not checked, the process cannot enter a time namespace"; break; }
    [ "$(cat "$T/steps")" = "hit miss hit miss hit" ] || fail "a clock that is set by $step s under a process: $(cat "$T/steps")"
done
exit $failed
