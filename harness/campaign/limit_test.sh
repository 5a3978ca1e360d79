#!/bin/sh
# Without a memory group of one's own (a container, no root) the cap is a limit, which refuses memory instead of
# killing. A cache that lives with that must not look as if it had levelled off. Run from the root with $B set.
set -u
B=${B:-build}
case ${CACHE:-all} in all) ;; *) echo "without all caches the scenario cannot run"; exit 77 ;; esac
as=
if [ "$(id -u)" = 0 ]; then
    command -v setpriv >/dev/null || { echo "no setpriv"; exit 77; }
    as="setpriv --reuid=65534 --regid=65534 --clear-groups"
fi
t=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-limit.XXXXXX") || exit 99
trap 'rm -rf "$t"' EXIT
chmod 755 "$t"
cat >"$t/limit.yaml" <<'END'
scenario: limit
suite: {program: registry, tests: 30, lookups: 4000, keys: all}
teardown: never
variants: [lru: {entries: 256}, unbounded]
limits: {memory: 96 MiB, timeout: 60 s}
expect:
  lru: {verdict: saturating, stopped_by: none, tests: 30}
  unbounded: {verdict: accumulates, stopped_by: memory}
END
# shellcheck disable=SC2086
$as "$B/tidemark" --version >/dev/null 2>&1 || { echo "another user cannot run what was built here"; exit 77; }
# shellcheck disable=SC2086
$as env HOME="$t" "$B/tidemark" run -q --no-color "$t/limit.yaml" >"$t/out" 2>&1
status=$?
grep -q 'cap 96 MiB (101 MB) by rlimit' "$t/out" || { grep -q 'cgroup' "$t/out" && { echo "this user has a group of its own"; exit 77; }; }
[ $status = 0 ] || { cat "$t/out"; exit 1; }
tr '\n' ' ' <"$t/out" | grep -q 'stopped at the cap of 96 MiB (101 MB) in test' || { echo "the test that was stopped is not told"; cat "$t/out"; exit 1; }
