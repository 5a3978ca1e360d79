#!/bin/sh
# hostile_test.sh - tests that crash, hang, leave, flood, limit or cheat the process that they share: each costs
# itself and no other its result. Run from the root with $B set. fixtures/programs/check_hostile.c is the program.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "hostile_test: $*"; bad=1; }
hunt() { # name, then options and program: its screen, its result and its status are kept
    name=$1
    shift
    "$B/tidemark" hunt -q --no-color --json "$T/$name.jsonl" "$@" >"$T/$name.txt" 2>"$T/$name.err"
    status=$?
}
says() { # name text
    tr -s '\n ' '  ' <"$T/$1.txt" | grep -qF "$2" || fail "$1 does not say: $2; it says: $(grep -A3 -F "$(echo "$2" | cut -d' ' -f2)" "$T/$1.txt" | head -n 4)"
}
exits() { # its status, and if it is another one what it says of that
    [ "$status" -eq "$1" ] || fail "$name: exit $status, not $1: $(head -n 3 "$T/$name.err" && grep -A3 INCOMPLETE "$T/$name.txt")"
}

# status, verdict, and a part of the line on the screen (- for tests that are no finding)
cat >"$T/rows" <<'ROWS'
all/spins_with_every_signal_blocked timeout none ran into the time limit: killed after 2 s
all/stops_itself timeout none ran into the time limit: killed after 2 s
all/kills_itself crash none died of SIGKILL
all/kills_its_process_group crash none died of SIGKILL
all/becomes_another_program exit none ended the program: exit status 0, by a system call or as another program
all/ends_its_thread pass none -
all/leaves_from_another_thread pass none -
all/leaves_by_a_raw_system_call exit none ended the program: exit status 0, by a system call
all/turns_into_a_daemon exit none ended the program: exit status 0, by a system call
all/leaves_a_daemon_behind pass none -
all/forks_until_there_are_many timeout none ran into the time limit in forks_until_there_are_many_fn
all/takes_all_memory oom none ran out of memory at the cap of 64 MiB (67.1 MB)
all/survives_being_refused_memory pass clean -
all/asks_for_the_impossible pass clean -
all/has_no_room_for_a_descriptor pass clean -
all/may_write_no_file pass clean -
all/closes_all_descriptors pass clean -
all/points_all_descriptors_elsewhere pass clean -
all/moves_into_a_directory_that_goes_away pass clean -
all/is_where_it_was pass clean -
all/catches_its_own_fault pass clean -
all/faults_after_that crash none died of SIGSEGV in write_nowhere
all/takes_the_signal_stack_away_and_overflows crash none died of SIGSEGV
all/ignores_what_kills_it crash none died of SIGABRT
all/forgets_its_environment pass clean -
all/forbids_itself_system_calls crash none died of SIGKILL
all/writes_more_than_anybody_reads pass clean -
all/waits_for_input pass clean -
all/minds_its_own_business pass clean -
setup/minds_its_own_business crash none died of SIGSEGV in write_nowhere
teardown/minds_its_own_business crash none died of SIGSEGV in write_nowhere
shared/minds_its_own_business crash none died of SIGSEGV in write_nowhere
last/minds_its_own_business pass clean -
ROWS
hunt all --only 'hostile/[!c]*' --timeout 2s --memory 64MiB -- "$B/fixtures/check_hostile"
exits 1
while read -r id wanted verdict line; do
    grep -q "\"id\":\"hostile/$id\".*\"status\":\"$wanted\".*\"verdict\":\"$verdict\"" "$T/all.jsonl" ||
        fail "hostile/$id is not $wanted, $verdict"
    [ "$line" = - ] || says all "$(echo "$wanted" | tr a-z A-Z) hostile/$id $line"
done <"$T/rows"
rows=$(grep -c . "$T/rows")
[ "$(grep -c '"type":"test"' "$T/all.jsonl")" = "$rows" ] || fail "not one result for each of $rows tests"
died=$(grep -vc ' pass ' "$T/rows")
[ "$(tail -n 1 "$T/all.txt")" = "$((rows - died - 2)) passed, $died failed, 3 skipped" ] || fail "$(tail -n 1 "$T/all.txt")"
says all "leaves_from_another_thread ends its process with status 0, which libcheck takes for a pass"
says all "outlived the tests, and were killed"
# shellcheck disable=SC2012
ls -l /proc/[0-9]*/exe 2>/dev/null | grep " -> $(readlink -f "$B/fixtures/check_hostile")\$" && fail "left alive"

# A limit on CPU time is its own, and nobody's after it.
hunt cpu --only 'hostile/[cl]*' -- "$B/fixtures/check_hostile"
exits 1
says cpu "CRASH hostile/cpu/runs_out_of_its_cpu_time died of SIGXCPU"
says cpu "2 passed, 1 failed, 0 skipped"

# What is merely odd costs nothing.
hunt odd --only '*/moves_into_*' -- "$B/fixtures/check_hostile"
exits 0

# A malloc of its own: what cannot be seen is not judged, and said so; the rest is.
hunt malloc -- "$B/fixtures/check_own_malloc"
exits 1
says malloc "LEAK own/malloc/keeps_a_descriptor leaks 1 file descriptor a repetition"
says malloc "the program defines malloc itself: its blocks cannot be seen"
[ "$(grep -c '"verdict":"none"' "$T/malloc.jsonl")" -ge 2 ] || fail "an unseen heap is judged"
grep -q '"verdict":"clean"' "$T/malloc.jsonl" && fail "an unseen heap is called clean"

# An operator new of its own, over malloc: seen like any other caller of malloc.
hunt new -- "$B/fixtures/check_own_new"
exits 1
says new "GROWTH own/new/keeps_each_object grows 32 B a repetition"
says new "held by g_nodes"
says new "LEAK own/new/loses_each_object leaks 32 B a repetition"
says new "2 passed, 2 failed, 0 skipped"
exit $bad
