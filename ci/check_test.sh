#!/bin/sh
# check_test.sh - ci/check.sh counts what it runs: checks of programs, scripts, what failed, and what was skipped,
# be it a whole script or single checks of a program. Run from the root.
set -u
T=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-check-test.XXXXXX") || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
make() { # NAME STATUS LINES
    printf '#!/bin/sh\ncat <<END\n%s\nEND\nexit %s\n' "$3" "$2" >"$T/$1"
    chmod +x "$T/$1"
}
expect() { # LAST LINE, STATUS, NAMES...
    want=$1 status=$2
    shift 2
    # shellcheck disable=SC2046
    JOBS=1 sh ci/check.sh $(printf "$T/%s " "$@") >"$T/out" 2>&1
    got=$?
    [ "$(tail -1 "$T/out")" = "$want" ] && [ $got -eq "$status" ] || { echo "FAIL: $*: $got instead of $status, not '$want':"; cat "$T/out"; bad=1; }
}
make all 0 "100%: Checks: 3, Failures: 0, Errors: 0"
make some 0 "skipped: no server
skipped: needs root
100%: Checks: 5, Failures: 0, Errors: 0"
make twice 0 "skipped: no server
skipped: no server
100%: Checks: 1, Failures: 0, Errors: 0"
make failed 1 "66%: Checks: 3, Failures: 1, Errors: 0"
make script.sh 0 "fine"
make partly.sh 0 "not checked, promtool is not installed: OpenMetrics"
make none.sh 77 "no python3"
expect "3 passed, 0 failed, 0 skipped" 0 all
expect "3 passed, 0 failed, 2 skipped" 0 some
grep -q 'some: skipped: no server' "$T/out" || { echo "FAIL: the reason is not shown"; bad=1; }
expect "0 passed, 0 failed, 1 skipped" 0 twice
expect "2 passed, 1 failed, 0 skipped" 1 failed
expect "1 passed, 0 failed, 0 skipped" 0 script.sh
expect "1 passed, 0 failed, 1 skipped" 0 partly.sh
expect "0 passed, 0 failed, 1 skipped" 0 none.sh
expect "9 passed, 1 failed, 4 skipped" 1 all some failed none.sh partly.sh
exit $bad
