#!/bin/sh
# A project of automake: hunted by one command, and each test inside its runner, as docs/ci.md says.
set -u
for tool in autoreconf automake; do
    command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
B=$(cd "${B:-build}" && pwd)
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
failed=0
fail() { echo "FAIL: $*"; tail -40 "$T/said"; failed=1; }
cp -R fixtures/projects "$T/p" && mkdir "$T/b" && cd "$T/p/automake" || exit 99
autoreconf -i >"$T/said" 2>&1 || { fail 'autoreconf'; exit 1; }
cd "$T/b" && ../p/automake/configure -q >"$T/said" 2>&1 && make check TESTS= >"$T/said" 2>&1 || { fail 'it is not built'; exit 1; }

"$B/tidemark" hunt --quick --json all.jsonl -- make check >"$T/said" 2>&1
status=$?
[ $status = 1 ] || fail "status $status and not 1"
grep -q '# SKIP:  1' "$T/said" || fail 'make check is not as without'
[ "$(jq -r 'select(.type=="test")|"\(.id) \(.status) \(.verdict)"' all.jsonl | sort | tr '\n' ',')" = \
'tests/check_grows/sample/works/grows pass growth,tests/check_grows/sample/works/works pass clean,tests/check_works/sample/works/works pass clean,tests/skips skip none,' ] ||
    fail "other tests: $(jq -r 'select(.type=="test")|"\(.id) \(.status) \(.verdict)"' all.jsonl)"

# docs/ci.md: LOG_COMPILER. 77 stays 77; the verdicts are in the logs, the results in one folder.
make check LOG_COMPILER="$B/tidemark wrap --quick --out $T/b/results --" >"$T/said" 2>&1
status=$?
[ $status = 0 ] || fail "LOG_COMPILER: status $status"
grep -q '# PASS:  2' "$T/said" && grep -q '# SKIP:  1' "$T/said" || fail 'LOG_COMPILER: other counts'
grep -q 'tests/check_grows/sample/works/grows grows 48 B a repetition' tests/check_grows.log || fail "LOG_COMPILER: $(cat tests/check_grows.log)"
make check LOG_COMPILER="$B/tidemark wrap --quick --gate --out $T/b/results --" >"$T/said" 2>&1 && fail 'LOG_COMPILER: the gate is not seen'
grep -q '# PASS:  1' "$T/said" && grep -q '# FAIL:  1' "$T/said" || fail 'LOG_COMPILER: other counts with --gate'
"$B/tidemark" report results >"$T/said" 2>&1
status=$?
[ $status = 1 ] && grep -q '4 passed, 1 failed, 0 skipped' "$T/said" || fail "report of the folder: status $status"
exit $failed
