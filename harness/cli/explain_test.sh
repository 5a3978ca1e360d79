#!/bin/sh
# explain_test.sh - tidemark explain: the first finding, a named test, the suite; what is misspelt is one line and 2; the
# commands that it ends with work. Run from the root with $B set.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "explain_test: $*"; bad=1; }
P=$B/fixtures/check_left_thread
"$B/tidemark" hunt -q --json "$T/r.jsonl" -- "$P" >/dev/null 2>&1
explain() { COLUMNS=80 "$B/tidemark" explain "$T/r.jsonl" "$@" >"$T/out" 2>"$T/err"; status=$?; }
has() { grep -Eq -- "$1" "$T/out" || fail "$what: no line is like '$1'"; }

what="a named test"
explain keeps_next
[ $status = 0 ] || fail "$what: status $status, $(cat "$T/err")"
has '^left/thread/keeps_next$'
has '^    Grows 100 B a repetition\.$'
has '^ +3 +repetitions +4,09[67]$'
has '^    allocated by  keep \(fixtures/programs/check_left_thread\.c:[0-9]*\)$'
has '^    > +[0-9]+ \|     left_held\[which\]\[left_count\[which\]\+\+'
has '^    held by       left_held\[1\]\[896\]'
has '^When it would be wrong$'
[ "$(awk '{ if (length > 80 && !/tidemark hunt/) print }' "$T/out" | wc -l)" = 0 ] || fail "$what: wider than 80 columns"

# What it says to type next is typed.
sed -n 's/^    \(tidemark hunt .*--suppress-out .*\)/\1/p' "$T/out" >"$T/next"
[ "$(wc -l <"$T/next")" = 1 ] || fail "$what: no command to silence it"
(tidemark() { "$B/tidemark" "$@"; } && eval "$(sed "s|known.supp|$T/known.supp|" "$T/next")") >"$T/again" 2>&1
[ "$(grep -c '^GROWTH' "$T/again")" = 1 ] && grep -q '^GROWTH  left/thread/keeps_next' "$T/again" ||
    fail "$what: typed, it hunts something else: $(head -3 "$T/again")"
[ -s "$T/known.supp" ] || fail "$what: typed, it wrote no rule"

what="no name"
explain
has '^left/thread/keeps_(first|next)$'
has '^Other findings$'

what="one that is clean"
explain 'leaves*'
has '^left/thread/leaves_a_thread$'
has '^    Always '
grep -q -- '--suppress-out' "$T/out" && fail "$what: there is nothing to silence"

what="the suite"
explain suite
has '^The whole suite$'

what="misspelt"
explain keeps_nxt
[ $status = 2 ] && [ "$(wc -l <"$T/err")" = 1 ] && grep -q "did you mean 'keeps_next'?" "$T/err" || fail "$what: $status, $(cat "$T/err")"
explain 'keeps*'
[ $status = 2 ] && grep -q "is the name of 2 tests: left/thread/keeps_first, left/thread/keeps_next" "$T/err" ||
    fail "$what: several: $status, $(cat "$T/err")"
COLUMNS=80 "$B/tidemark" explain "$T/none.jsonl" >/dev/null 2>"$T/err"
[ $? = 2 ] && [ "$(wc -l <"$T/err")" = 1 ] || fail "no file: $(cat "$T/err")"

# A source that is gone or is no file: the rest is told.
what="no source"
sed 's|fixtures/programs/check_left_thread.c|/dev/zero|g' "$T/r.jsonl" >"$T/moved.jsonl"
COLUMNS=80 timeout 10 "$B/tidemark" explain "$T/moved.jsonl" keeps_next >"$T/out" 2>&1 || fail "$what: status $?"
has '^What to do$'
exit $bad
