#!/bin/sh
# passive_test.sh - programs whose tests cannot be chosen one by one get verdicts, too: stripped ones, and those that
# say by tidemark.h where their tests are. From the root with $B set.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "passive_test: $*"; bad=1; }

hunt() { # name program: the result in $T/name.jsonl, a line of text in $T/name.txt
    "$B/tidemark" hunt -q --json "$T/$1.jsonl" -- "$2" >"$T/$1.out" 2>&1
    status=$?
    tr -s '\n ' '  ' <"$T/$1.out" >"$T/$1.txt"
}
verdicts() { # name verdict: of how many tests; the last line of each counts
    sed -n 's/.*"type":"test","id":"\([^"]*\)".*"verdict":"\([a-z]*\)".*/\1 \2/p' "$T/$1.jsonl" |
        awk -v want="$2" '{last[$1] = $2} END {for (id in last) n += last[id] == want; print n + 0}'
}

hunt header "$B/fixtures/header_user"
[ $status -eq 1 ] || fail "header: exit $status"
[ "$(verdicts header growth)" = 1 ] && [ "$(verdicts header clean)" = 1 ] || fail "header: $(cat "$T/header.txt")"
grep -q "allocated by __strdup.*passes of the whole program" "$T/header.txt" || fail "header: no site, or no horizon"

# What never moves is run a thousand times, where that is cheap; one long block grows as many short ones do, by its
# own rate; what comes in every 20th pass is seen.
hunt quiet "$B/fixtures/header_seldom"
[ $status -eq 0 ] && [ "$(verdicts quiet clean)" = 2 ] || fail "quiet: $(cat "$T/quiet.txt")"
grep -q "kept the same through 1,024 passes" "$T/quiet.jsonl" || fail "quiet: $(cat "$T/quiet.jsonl")"
LOG=1 hunt log "$B/fixtures/header_seldom"
[ "$(verdicts log growth)" = 1 ] && [ "$(verdicts log clean)" = 1 ] || fail "log: $(cat "$T/log.txt")"
grep -q "grows 100 B a repetition.*allocated by append" "$T/log.txt" || fail "log: $(cat "$T/log.txt")"
EVERY=20 hunt seldom "$B/fixtures/header_seldom"
[ "$(verdicts seldom leak)" = 1 ] && grep -q "allocated by lose" "$T/seldom.txt" || fail "seldom: $(cat "$T/seldom.txt")"
EVERY=20 LOG=1 hunt both "$B/fixtures/header_seldom"
grep -q "allocated by append" "$T/both.txt" || fail "both: $(cat "$T/both.txt")"

# What is suppressed is not called level: the rule is named.
printf '# known\nleak:strdup\n' >"$T/rules"
hunt_suppressed() {
    "$B/tidemark" hunt -q --suppressions "$T/rules" -- "$1" >"$T/$2.out" 2>&1
    tr -s '\n ' '  ' <"$T/$2.out" >"$T/$2.txt"
}
hunt_suppressed "$B/fixtures/header_user" suppressed
grep -q "mine/all/keeps is not judged: it grows, .* suppressed by leak:strdup ([^ ]*rules:2)" "$T/suppressed.txt" ||
    fail "suppressed: $(cat "$T/suppressed.txt")"
printf 'leak:main\n' >"$T/rules"
hunt_suppressed "$B/fixtures/plain_main" plain
grep -q "program/main/plain_main is not judged: it grows, .* suppressed by leak:main ([^ ]*rules:1)" "$T/plain.txt" ||
    fail "suppressed: $(cat "$T/plain.txt")"
grep -q "levels off\|none grows" "$T/plain.txt" && fail "what is suppressed is called level"
"$B/tidemark" hunt -q --quick -- "$B/fixtures/check_hundreds" | tr -s '\n ' '  ' | grep -q "quick: .* little evidence" ||
    fail "--quick does not say so"

# A program that closes its standard output at exit, as those of coreutils do, is repeated like any other.
for program in /bin/echo "$B/fixtures/plain_streams"; do
    [ -x "$program" ] || continue
    hunt streams "$program"
    [ $status -eq 0 ] && [ "$(verdicts streams clean)" = 1 ] || fail "$program: $status, $(cat "$T/streams.txt")"
done

# What grows is confirmed by thousands of passes, unless the program cannot be run so often.
hunt cache "$B/fixtures/header_cache"
[ "$(verdicts cache growth)" = 1 ] && [ "$(verdicts cache saturating)" = 1 ] || fail "cache: $(cat "$T/cache.txt")"
grep -q "grew through 2,053 passes" "$T/cache.txt" || fail "not confirmed: $(cat "$T/cache.txt")"
LIMIT=600 hunt limited "$B/fixtures/header_cache"
[ "$(verdicts limited inconclusive)" = 2 ] || fail "limited: $(cat "$T/limited.txt")"
grep -q "grew in the 521 passes of the whole program that could be made" "$T/limited.txt" &&
    grep -q "allocated by main" "$T/limited.txt" || fail "limited: no passes, or no site: $(cat "$T/limited.txt")"

strip -o "$T/hundreds" "$B/fixtures/check_hundreds" || exit 77
hunt clean "$T/hundreds"
[ $status -eq 0 ] || fail "stripped and clean: exit $status"
[ "$(verdicts clean clean)" = 450 ] || fail "stripped and clean: $(verdicts clean clean) clean tests"

strip -o "$T/leaks" "$B/specimens/guilty_leak" || exit 77
hunt leaks "$T/leaks"
[ "$(verdicts leaks leak)" -ge 30 ] || fail "stripped and leaking: only $(verdicts leaks leak) leaks"
[ "$(verdicts leaks clean)" = 0 ] || fail "stripped and leaking: $(verdicts leaks clean) clean"

strip -o "$T/others" "$B/specimens/guilty_other" || exit 77
hunt others "$T/others"
grep -q "leaves_an_open_file leaks 1 file descriptor a repetition" "$T/others.txt" || fail "stripped: a descriptor is not one"

# A test that kills the program is run in a child of libcheck's own making: figures of it are not to be had.
hunt dies "$B/fixtures/check_basic-stripped"
grep -q "libcheck, through libc, forked" "$T/dies.txt" || fail "the header does not say forked"
tail -n 1 "$T/dies.out" | grep -q "^0 passed, 3 failed, 9 skipped" || fail "dies: $(tail -n 1 "$T/dies.out")"
exit $bad
