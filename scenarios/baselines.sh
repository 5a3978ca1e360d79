#!/bin/sh
# baselines.sh - every shipped scenario: run, baseline save, check, update, check again, and checked with the
# result of a second machine: another run, of the same program in another folder, under another host name, with
# another home and locale, and on one processor. (Temporary folders have names of one length: suites keep such names.) What differs from run to run is told by a third one, as in
# docs/gates.md; what is red then is red. Minutes; `make baselines`. Run from the root with $B set.
#   scenarios/baselines.sh [SCENARIO...]
set -u
B=$(cd "${B:-build}" && pwd) || exit 99
T=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-baselines.XXXXXX") || exit 99
trap 'rm -rf "$T"' EXIT
passed=0 failed=0 skipped=0
[ $# -gt 0 ] || set -- scenarios/*.yaml
mkdir -p "$T/other/bin" "$T/other/home" "$T/one" "$T/two" "$T/other/fixtures"
cp -a "$B/tidemark" "$B"/libtidemark.so* "$B/suites" "$T/other/bin" && cp -a scenarios "$T/other" &&
    cp -a fixtures/tiers "$T/other/fixtures" || exit 99
one=$(taskset -cp $$ 2>/dev/null | sed 's/.*: *\([0-9]*\).*/\1/')

# other RESULT SCENARIO: as a second machine would run it.
other() {
    set -- env HOME="$T/other/home" TMPDIR="$T/two" LC_ALL=C.UTF-8 TZ=Asia/Tokyo "$T/other/bin/tidemark" run -q --json "$1" "$2"
    [ -z "$one" ] || set -- taskset -c "$one" "$@"
    if unshare -u true 2>/dev/null; then
        set -- unshare -u sh -c 'hostname another && exec "$@"' sh "$@"
    fi
    (cd "$T/other" && "$@") >"$T/out" 2>&1
}
step() { # WHAT STATUS ARGS...
    what=$1 want=$2
    shift 2
    "$B/tidemark" baseline "$@" >"$T/out" 2>&1
    got=$?
    [ $got -eq "$want" ] || { echo "$scenario: $what: status $got, not $want"; tail -8 "$T/out"; bad=1; }
}
for scenario; do
    bad=0 more=
    rm -f "$T"/*.jsonl "$T/b"
    TMPDIR="$T/one" "$B/tidemark" run -q --json "$T/r.jsonl" "$scenario" >"$T/out" 2>&1
    status=$?
    if [ $status -eq 77 ]; then
        echo "$scenario: skipped: $(tail -2 "$T/out" | head -1)"
        skipped=$((skipped + 1))
        continue
    fi
    [ $status -le 1 ] || { echo "$scenario: the run ended with $status"; tail -5 "$T/out"; bad=1; }
    step save 0 save -f "$T/b" "$T/r.jsonl"
    step check 0 check -f "$T/b" "$T/r.jsonl"
    step update 0 update -f "$T/b" "$T/r.jsonl"
    step "check after the update" 0 check -f "$T/b" "$T/r.jsonl"
    other "$T/second.jsonl" "$scenario"
    second=$?
    [ $second -eq $status ] || { echo "$scenario: the second machine's run ended with $second, not $status"; tail -5 "$T/out"; bad=1; }
    if ! "$B/tidemark" baseline check -f "$T/b" "$T/second.jsonl" >"$T/out" 2>&1; then
        other "$T/again.jsonl" "$scenario"
        more=", with a third run"
        step "check of a second machine" 0 check -f "$T/b" --again "$T/again.jsonl" "$T/second.jsonl"
    fi
    [ $bad -ne 0 ] || echo "$scenario: no difference on a second machine$more"
    [ $bad -eq 0 ] && passed=$((passed + 1)) || failed=$((failed + 1))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
