#!/bin/sh
# The fault runs of the incidents, by name: processes killed, the upstream gone, Redis killed in mid-run, a
# disk that is full, a clock that is set, files that are damaged. Each line is a test that passes only when
# nothing was lost, no wrong value was served, and all went well again afterwards. Called by `make faults`,
# from the root with $B set; TORTURE is the herd at the end (processes, seconds).
set -u
B=${B:-build}
folder=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-faults.XXXXXX") || exit 99
trap 'rm -rf "$folder"' EXIT

for program in suites/collector-plugin suites/provider-file suites/stats-ttl suites/serverless \
    test/registry/tiered/tiered_cache_test test/registry/file/file_store_test test/registry/file/file_cache_test; do
    CK_VERBOSITY=verbose "$B/$program" >"$folder/$(basename $program)" 2>"$folder/log" ||
        { cat "$folder/log"; grep -v ':P:' "$folder/$(basename $program)"; }
    grep -h -E 'skipped|without Redis|no small disk' "$folder/log" | sed "s|^|not tried ($program): |" >>"$folder/not-tried"
done

passed=0 failed=0 skipped=0
# missing TEST: what this test needs is not here, and the program said so. It passes then, and has shown nothing.
missing() {
    case $1 in
    redis_*) grep -q -i 'redis' "$folder/not-tried" ;;
    a_file_of_another_user_*) grep -q 'need root' "$folder/not-tried" ;;
    on_a_full_disk_*) grep -q 'no small disk' "$folder/not-tried" ;;
    *) false ;;
    esac
}
# fault PROGRAM TEST...: of a loop all turns have to pass
fault() {
    program=$1
    shift
    for test in "$@"; do
        lines=$(grep -E ":[PFE]:[^:]*:$test(_fn)?:" "$folder/$program")
        turns=$(printf '%s\n' "$lines" | grep -c ':P:')
        if missing "$test"; then
            skipped=$((skipped + 1)) verdict=-
        elif [ "$turns" -gt 0 ] && ! printf '%s\n' "$lines" | grep -q ':[FE]:'; then
            passed=$((passed + 1)) verdict=ok
        else
            failed=$((failed + 1)) verdict=NOT
        fi
        [ "$turns" -gt 1 ] && test="$test, $turns turns"
        printf '%s\n' "$test" | tr _ ' ' | fold -s -w 70 | sed "1s/^/  $(printf '%-3s' $verdict) /; 2,\$s/^/      /"
    done
}

echo "Processes killed"
fault provider-file killed_anywhere_in_a_refresh_it_leaves_a_whole_file_and_no_lock \
    a_writer_killed_at_any_of_64_pieces_leaves_a_whole_file a_holder_that_was_killed_stops_nobody \
    a_holder_that_is_stopped_delays_nobody_for_longer_than_the_wait
fault serverless an_instance_killed_while_it_loads_is_replaced_when_its_claim_ends \
    instances_killed_at_random_leave_a_table_that_serves
fault tiered_cache_test a_loader_that_died_is_waited_for_until_its_claim_ends
fault file_store_test a_lock_excludes_and_goes_with_its_holder temporaries_of_the_dead_are_swept_and_others_left
echo "The upstream gone, hanging, failing"
fault provider-file an_upstream_that_goes_is_asked_once_and_when_it_is_back_all_is_well \
    hangs_errors_and_bodies_that_drip_end_at_the_deadline_with_the_old_list
fault collector-plugin an_error_of_the_upstream_ends_the_call_and_the_next_works \
    an_endpoint_that_hangs_ends_the_call_at_its_deadline_and_the_next_works
fault stats-ttl within_its_grace_a_value_outlives_a_source_that_fails
echo "Redis killed in mid-run, stopped, gone together with the table"
fault serverless redis_killed_in_mid_run_costs_no_answer_and_is_used_again_when_it_is_back \
    without_both_levels_the_source_serves_and_the_outage_is_counted
fault tiered_cache_test redis_killed_in_mid_run_is_left_out_and_taken_up_again \
    redis_that_slept_through_an_event_does_not_serve_what_it_remembers
echo "The disk full"
fault provider-file on_a_full_disk_answers_are_right_the_old_file_stays_and_space_mends_it
fault serverless on_a_full_disk_every_answer_is_right_and_space_mends_it
fault file_store_test a_publication_that_fails_anywhere_leaves_one_whole_file_and_no_temporary
echo "The clock set"
fault stats-ttl a_clock_set_forward_expires_nothing a_clock_set_back_leaves_nothing_immortal
fault file_cache_test steps_of_the_wall_clock_change_nothing_and_the_future_is_old
fault file_store_test age_is_by_boot_time_and_by_the_wall_only_across_boots
fault serverless a_wall_clock_that_is_set_makes_nothing_immortal_and_nothing_wrong
echo "Files damaged, vanished, another's"
fault provider-file of_fourteen_that_find_it_damaged_one_fetches_and_none_crashes \
    a_file_of_another_user_is_not_believed_and_stops_nobody
fault tiered_cache_test a_damaged_or_vanished_file_is_begun_anew_and_memory_forgets
fault file_store_test every_bit_that_flips_and_every_byte_that_is_missing_is_seen
sort -u "$folder/not-tried"
echo
# shellcheck disable=SC2086
if "$B/suites/provider-file" --torture ${TORTURE:-16 10}; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
