#!/bin/sh
# Says which frameworks frameworks_test had no program for: their headers are not installed. The verdicts of one
# program of C++ and one of C, by a hunt.
set -u
B=${B:-build}
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT

# program, what the report has to say
hunted() {
    [ -x "$B/frameworks/$1" ] || return 0
    "$B/tidemark" hunt --no-color --json "$out/$1.jsonl" -- "$B/frameworks/$1" >"$out/$1.txt" 2>&1
    status=$?
    [ $status = 1 ] || { echo "$1: status $status"; cat "$out/$1.txt"; exit 1; }
    shift
    for words; do
        grep -qF -- "$words" "$out"/*.txt || { echo "no '$words' in:"; cat "$out"/*.txt; exit 1; }
    done
    rm "$out"/*.txt
}

hunted gtest 'LEAK  GoogleTest/Session/Leaks' 'GROWTH  GoogleTest/Session/Grows' 'LEAK  GoogleTest/Session/Opens' \
    'FAIL  GoogleTest/Session/Fails' 'body_leaks (fixtures/frameworks/body.h' 'held by       sessions::first'
hunted greatest 'LEAK  greatest/greatest/leaks' 'GROWTH  greatest/greatest/grows' 'LEAK  greatest/greatest/opens' \
    'FAIL  greatest/greatest/fails' 'body_leaks (fixtures/frameworks/body.h' 'held by       first'

absent=
for program in gtest catch2 doctest boost boost-shared cpputest criterion unity munit acutest utest greatest tap; do
    [ -x "$B/frameworks/$program" ] || absent="$absent $program"
done
[ -z "$absent" ] || { echo "skipped: not installed:$absent"; exit 77; }
