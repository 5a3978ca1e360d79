#!/bin/sh
# Runs test programs and test scripts, a few at a time, and closes with "N passed, N failed, N skipped".
# A program is a libcheck suite; a script prints TAP-less text, exits 0 (passed), 77 (skipped) or else.
# --valgrind runs the programs under memcheck. Output of what failed is printed whole.
set -u
valgrind=
if [ "${1-}" = --valgrind ]; then
    valgrind="valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=all --errors-for-leak-kinds=definite,indirect,possible --suppressions=ci/valgrind.supp"
    shift
fi
jobs=${JOBS:-$(nproc)}
out=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-check.XXXXXX")
trap 'rm -rf "$out"' EXIT INT TERM
export B="${B:-build}" valgrind out
one() {
    name=$(printf %s "$1" | tr / _)
    start=$(date +%s)
    case $1 in
    *.sh) timeout 900 sh "$1" >"$out/$name.log" 2>&1 ;;
    *) if [ -n "$valgrind" ]; then
           # shellcheck disable=SC2086
           CK_FORK=no CK_DEFAULT_TIMEOUT=600 timeout 1800 $valgrind "$1" >"$out/$name.log" 2>&1
       else
           timeout 900 "$1" >"$out/$name.log" 2>&1
       fi ;;
    esac
    status=$?
    seconds=$(($(date +%s) - start))
    case $status in
    0) echo "ok      $1 (${seconds}s) $(grep -E '^[0-9]+%: Checks' "$out/$name.log" | tail -1)" ;;
    77) echo "skipped $1: $(tail -1 "$out/$name.log")" ;;
    *) { echo "FAILED  $1 (status $status, repeat: $1)"; sed 's/^/    /' "$out/$name.log"; } ;;
    esac
    echo "$status" >"$out/$name.status"
}
if [ "${1-}" = --one ]; then
    out=$CHECK_OUT
    trap - EXIT INT TERM
    one "$2"
    exit 0
fi
printf '%s\n' "$@" | CHECK_OUT=$out xargs -P "$jobs" -I{} sh "$0" ${valgrind:+--valgrind} --one {}
passed=0 failed=0 skipped=0
for f in "$out"/*.status; do
    [ -f "$f" ] || continue
    log=${f%.status}.log
    # shellcheck disable=SC2046
    set -- $(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' "$log" | tail -1)
    bad=$((${2:-0} + ${3:-0}))
    case $(cat "$f") in
    0) passed=$((passed + ${1:-1})) ;;
    77) skipped=$((skipped + 1)) ;;
    *) [ $bad -gt 0 ] || bad=1
       failed=$((failed + bad))
       [ "${1:-0}" -gt $bad ] && passed=$((passed + $1 - bad)) ;;
    esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $((passed + skipped)) -gt 0 ]
