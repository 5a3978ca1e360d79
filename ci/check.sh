#!/bin/sh
# Runs test programs and test scripts, a few at a time, and closes with "N passed, N failed, N skipped".
# A program is a libcheck suite, each of its checks counts; a script exits 0 (passed), 77 (skipped: its
# last line says why) or anything else. A check that cannot be made here (no server, no root, no reader of a
# format) says so in a line "skipped: WHY" or "not checked, WHY": it counts as skipped, and the lines are shown.
# The output of what failed is printed whole.
#   ci/check.sh [--valgrind] PROGRAM|SCRIPT...        --valgrind: programs under memcheck, full leak check
set -u
if [ "${1-}" = --one ]; then
    name=$(printf %s "$2" | tr / _)
    log=$CHECK_OUT/$name.log
    start=$(date +%s)
    # memcheck follows one process; tests of what a process is (its malloc, its counts) keep a fork each,
    # and the ledger's own malloc stays the program's malloc.
    memcheck=${CHECK_VALGRIND-} fork=no
    case ${memcheck:+$2} in
    */ledger_test | */release_test | */watch_test) fork=yes memcheck="$memcheck --leak-check=no --soname-synonyms=somalloc=nouserintercepts" ;;
    */meter_test) fork=yes ;;
    esac
    case ${memcheck:+$2} in
    */scan_test)
        echo "skipped $2: a conservative scan reads words that were never written, and valgrind's own stacks"
        : >"$log"; echo 77 >"$CHECK_OUT/$name.status"
        exit 0 ;;
    esac
    case ${memcheck:+$2} in
    */given_test)
        echo "skipped $2: breakpoints in code that valgrind has translated already"
        : >"$log"; echo 77 >"$CHECK_OUT/$name.status"
        exit 0 ;;
    esac
    case $2 in
    *.sh) timeout 900 sh "$2" >"$log" 2>&1 ;;
    # shellcheck disable=SC2086
    *) timeout 1800 env ${memcheck:+CK_FORK=$fork CK_DEFAULT_TIMEOUT=900 CK_TIMEOUT_MULTIPLIER=10} $memcheck "$2" >"$log" 2>&1 </dev/null ;;
    esac
    status=$?
    seconds=$(($(date +%s) - start))
    case $status in
    0) echo "ok      $2 (${seconds} s)"; grep -h -e '^skipped: ' -e '^not checked, ' "$log" | sort -u | sed "s|^|        $2: |" ;;
    77) echo "skipped $2: $(tail -1 "$log")" ;;
    *) { echo "FAILED  $2 (status $status, ${seconds} s)"; sed 's/^/    /' "$log"; } ;;
    esac
    echo "$status" >"$CHECK_OUT/$name.status"
    exit 0
fi
B=${B:-build}
CHECK_VALGRIND=
if [ "${1-}" = --valgrind ]; then
    CHECK_VALGRIND="valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect,possible --suppressions=ci/valgrind.supp"
    shift
fi
CHECK_OUT=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-check.XXXXXX")
trap 'rm -rf "$CHECK_OUT"' EXIT
trap 'exit 130' INT TERM
export B CHECK_OUT CHECK_VALGRIND
printf '%s\n' "$@" | xargs -P "${JOBS:-$(nproc)}" -I{} sh "$0" --one {}
passed=0 failed=0 skipped=0
for f in "$CHECK_OUT"/*.status; do
    [ -f "$f" ] || continue
    # shellcheck disable=SC2046
    set -- $(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' "${f%.status}.log" | tail -1)
    case $(cat "$f") in
    0) left=$(grep -c -e '^skipped: ' -e '^not checked, ' "${f%.status}.log")
       # A script is one test, whatever it leaves out.
       [ "$left" -le "${1:-$left}" ] || left=$1 # one check may say it twice
       if [ $# -gt 0 ]; then passed=$((passed + $1 - left)); else passed=$((passed + 1)); fi
       skipped=$((skipped + left)) ;;
    77) skipped=$((skipped + 1)) ;;
    *) bad=$((${2:-0} + ${3:-0}))
       [ $bad -gt 0 ] || bad=1
       failed=$((failed + bad))
       [ "${1:-0}" -gt $bad ] && passed=$((passed + $1 - bad)) ;;
    esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $((passed + skipped)) -gt 0 ]
