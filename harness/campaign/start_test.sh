#!/bin/sh
# A worker that cannot start, for lack of limits or of memory: what happened, what was tried, and 99. Run from
# the repository's root with $B set.
set -u
B=${B:-build}
t=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-start.XXXXXX") || exit 99
trap 'rm -rf "$t"' EXIT
program="$B/fixtures/check_basic"
failed=0 named=0
fail() { echo "FAILED: $1"; cat "$t/out"; failed=1; }
# hunt PREFIX OPTIONS...: either it works, or it says why not. What it says is kept on one line.
hunt() {
    prefix=$1; shift
    got=0
    sh -c "$prefix exec '$B/tidemark' hunt -q --quick --no-color $* -- '$program'" >"$t/out" 2>&1 || got=$?
    tr -s '\n ' '  ' <"$t/out" >"$t/said"
    case $got in
    1) ;; # it has failing tests
    99) grep -q ' is out of memory\|tidemark: ' "$t/said" || {
            grep -q "check_basic: .*; tried: $program, with libtidemark.so preloaded" "$t/said" || fail "$prefix $*: not told"
            named=$((named + 1))
        } ;;
    127) ;; # the loader did not come as far as tidemark
    *) fail "$prefix $*: status $got" ;;
    esac
    grep -q 'levels off\|peaks at' "$t/said" && [ $got != 1 ] && fail "$prefix $*: a figure of nothing"
}
says() { grep -q "$1" "$t/said" || fail "not said: $1"; }

hunt "" --memory 64KiB
if grep -q 'check_basic: ' "$t/said" && ! grep -q 'rlimit' "$t/said"; then
    says 'ran out of memory at the cap of 64 KiB (65.5 KB) before its first test'
fi
hunt "ulimit -f 1;"
says 'could not be started: File too large; ulimit -f is 512 B'
case ${SAN:+san} in
san) ;; # a sanitizer's own memory and descriptors do not fit such limits
*)
    named=0
    for room in 12000 14000 16000 18000 20000 22000 24000; do hunt "ulimit -v $room;"; done
    [ $named -gt 0 ] || fail "no address space is too small to start"
    named=0
    for files in 4 5 6 7; do hunt "ulimit -n $files;"; done
    [ $named -gt 0 ] || fail "no number of files is too small to start" ;;
esac

# What is no program at all.
printf '\177ELFnothing' >"$t/broken"; chmod +x "$t/broken"
sh -c "'$B/tidemark' hunt -q --quick '$t/broken'" >"$t/out" 2>&1; got=$?
tr -s '\n ' '  ' <"$t/out" >"$t/said"
[ $got = 2 ] || fail "a broken program: status $got"
says "tidemark hunt: $t/broken: Exec format error *$"
[ "$(wc -l <"$t/out")" -le 1 ] || fail "a broken program: more than a line"
# Nor is a file that nobody may execute; a name without a folder is not looked for twice.
echo words >"$t/words"
(cd "$t" && "$OLDPWD/$B/tidemark" hunt -q --quick -- words) >"$t/out" 2>&1; got=$?
[ $got = 2 ] && [ "$(wc -l <"$t/out")" -eq 1 ] || fail "a file that is no program: status $got, $(cat "$t/out")"
# On a busy machine a program that starts waits for a processor: that is no hang, and to sleep as long is one.
MARK=$t/waited "$B/tidemark" hunt -q --quick --no-color --timeout 1s -- "$B/fixtures/check_starved" >"$t/out" 2>&1; got=$?
[ $got = 0 ] && [ -e "$t/waited" ] || fail "waiting for a processor is taken for a hang: status $got"
MARK=$t/slept SLEEP=1 "$B/tidemark" hunt -q --quick --no-color --timeout 1s -- "$B/fixtures/check_starved" >"$t/out" 2>&1; got=$?
tr -s '\n ' '  ' <"$t/out" >"$t/said"
[ $got = 1 ] || fail "a program that sleeps before its first test: status $got"
says 'starved/all/runs ran into the time limit in starve '
exit $failed
