#!/bin/sh
# forged_test.sh - tests that write into the memory which their worker shares with the supervisor: each costs itself
# its result, with one line that says why, and no other; nobody else's process is signalled; no time limit is lost.
# Run from the root with $B set. fixtures/programs/check_forges.c is the program.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
sleep 900 &
victim=$!
trap 'kill $victim 2>/dev/null; rm -rf "$T"' EXIT
bad=0
fail() { echo "forged_test: $*"; bad=1; }
cat >"$T/rows" <<'ROWS'
a_site_of_a_million_frames crash a number out of its range
a_chain_without_an_end crash a number out of its range
a_status_that_is_none crash a number out of its range
a_result_of_another_test crash a test that was never announced
a_name_without_an_end crash a text without an end
a_module_without_an_end crash a text without an end
a_build_id_too_long crash a number out of its range
a_survivor_of_no_site crash a number out of its range
a_sample_beyond_memory crash a number out of its range
a_release_of_no_relation crash a number out of its range
a_counter_without_an_end crash a text without an end
an_offer_of_every_test crash a number out of its range
a_note_without_an_end crash a text without an end
an_answer_too_early crash answers a question that was not asked
a_record_of_no_type crash no known type
a_record_of_no_size crash the wrong size
a_farewell_too_early crash came when nobody asked for it
notes_for_ever crash too many of its type
head_is_elsewhere crash no size that records can have
tail_is_elsewhere crash the positions of its ring were overwritten
all_of_it_is_overwritten crash its head was overwritten
all_of_it_is_zero crash its head was overwritten
the_start_is_in_the_future_and_it_hangs timeout killed after 500 ms
the_start_is_ever_now_and_it_hangs crash its progress was overwritten
nothing_runs_and_it_hangs timeout killed after 500 ms
the_worker_is_somebody_else_and_it_hangs crash its head was overwritten
a_crash_of_no_signal exit exit status 3
a_mapping_is_overrun pass
innocent pass
ROWS
FORGED_PID=$victim "$B/tidemark" hunt -q --no-color --timeout 500ms --json "$T/all.jsonl" -- "$B/fixtures/check_forges" \
    >"$T/all.txt" 2>"$T/all.err"
[ $? -eq 1 ] || fail "not 1: $(head -n 3 "$T/all.err")"
while read -r test wanted why; do
    grep "\"id\":\"forges/all/$test\".*\"status\":\"$wanted\"" "$T/all.jsonl" | grep -qF "$why" ||
        fail "$test is not $wanted: $why; $(grep -o "\"id\":\"forges/all/$test\".*" "$T/all.jsonl" | cut -c 1-300)"
done <"$T/rows"
grep -q '"id":"forges/last/innocent".*"status":"pass"' "$T/all.jsonl" || fail "the last test did not run"
[ "$(grep -c '"type":"test"' "$T/all.jsonl")" = "$(($(grep -c . "$T/rows") + 1))" ] || fail "not one result for each"
kill -0 $victim 2>/dev/null || fail "somebody else's process was signalled"
exit $bad
