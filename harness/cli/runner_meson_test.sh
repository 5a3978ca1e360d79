#!/bin/sh
# A project of Meson: hunted by one command, and each test inside its runner, as docs/ci.md says.
set -u
for tool in meson ninja; do
    command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
B=$(cd "${B:-build}" && pwd)
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
failed=0
fail() { echo "FAIL: $*"; tail -40 "$T/said"; failed=1; }
cp -R fixtures/projects "$T/p" && cd "$T/p/meson" || exit 99
meson setup "$T/b" >"$T/said" 2>&1 && ninja -C "$T/b" >"$T/said" 2>&1 || { fail 'it is not built'; exit 1; }
ids='check_grows/sample/works/grows pass growth,check_grows/sample/works/works pass clean,check_works/sample/works/works pass clean,skips skip none,'

for how in 'meson test' 'ninja test'; do
    # shellcheck disable=SC2086
    (cd "$T/b" && "$B/tidemark" hunt --quick --json all.jsonl -- $how) >"$T/said" 2>&1
    status=$?
    [ $status = 1 ] || fail "$how: status $status and not 1"
    [ "$(jq -r 'select(.type=="test")|"\(.id) \(.status) \(.verdict)"' "$T/b/all.jsonl" | sort | tr '\n' ',')" = "$ids" ] ||
        fail "$how: other tests: $(jq -r 'select(.type=="test")|"\(.id) \(.status) \(.verdict)"' "$T/b/all.jsonl")"
done

# docs/ci.md: --wrapper.
meson test -C "$T/b" --wrapper "$B/tidemark wrap --quick --out $T/results --" >"$T/said" 2>&1 || fail "--wrapper: status $?"
grep -q 'Ok: *2' "$T/said" && grep -q 'Skipped: *1' "$T/said" || fail '--wrapper: other counts'
meson test -C "$T/b" --wrapper "$B/tidemark wrap --quick --gate --out $T/results --" >"$T/said" 2>&1 && fail '--wrapper: the gate is not seen'
grep -q 'Fail: *1' "$T/said" || fail '--wrapper: other counts with --gate'
"$B/tidemark" report "$T/results" >"$T/said" 2>&1
status=$?
[ $status = 1 ] && grep -q '4 passed, 1 failed, 0 skipped' "$T/said" || fail "report of the folder: status $status"
exit $failed
