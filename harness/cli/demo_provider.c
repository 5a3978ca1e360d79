/*
 * demo_provider.c - the incident provider-file: fourteen processes and one file, and its rows 1.1
 * to 1.12. Supervisor only.
 */
#include "harness/base/unit.h"
#include "harness/cli/demo.h"

static const char happened[] =
    "Fourteen processes of a command-line tool started together, and each fetched the same list of "
    "providers and wrote it to the same file. A sync.Once guards one process only; and even a "
    "fresh file was fetched and written again by each start.";
static const char mended[] = "A TTL of an hour by the file's mtime, a lock file made with O_EXCL "
                             "and waited for ten times 100 ms, a temporary file and a rename.";
static const char wrong[] =
    "Without a second look under the lock all fourteen fetch one after the other. With it, "
    "a source slower than a second fails the other thirteen, and a holder that is killed leaves a "
    "lock that nobody removes. One temporary name for all gives an empty file the name. A file "
    "from the future is fresh for ever.";

#define HOLD "file-cache"

static bool holds(const struct demo_run *run, const char *test)
{
    return demo_passed(run, HOLD, test);
}

static double seen(const struct demo_run *run, const char *counter)
{
    return demo_counter(run, HOLD, counter);
}

/* A loop's tests are "name[i]". */
static bool loop_holds(const struct demo_run *run, const char *test, unsigned count)
{
    char name[128];
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s[%u]", test, i);
        if (!holds(run, name)) {
            return false;
        }
    }
    return true;
}

static double loads(const struct demo_run *herd, const char *variant)
{
    return demo_metric(herd, variant, METRIC_LOADS);
}

static void rows_herd(struct demo *demo, const struct demo_run *herd)
{
    double was = loads(herd, "as-it-was"), now = loads(herd, "shipped");
    demo_row(demo, "1.1", "14 fetches become 1; 90 % and more",
             was == 14 && loads(herd, "ttl-only") == 14 && loads(herd, "excl") == 14 &&
                 loads(herd, "excl-recheck") == 1 && loads(herd, "flock") == 14 && now == 1,
             "fetches of 14: as it was %.0f, TTL only %.0f, O_EXCL %.0f (with a second look %.0f), "
             "flock %.0f, shipped %.0f: 13/14 = %.1f %% saved",
             was, loads(herd, "ttl-only"), loads(herd, "excl"), loads(herd, "excl-recheck"),
             loads(herd, "flock"), now, (was - now) / was * 100);
}

static void rows_age(struct demo *demo, const struct demo_run *run)
{
    double hits = seen(run, "twenty_starts_hits");
    demo_row(demo, "1.2", "hit rate about 95 %", hits == 19,
             "hits / look-ups: %.0f of 20 starts in an hour = %.1f %%; of 14 at once 13 = 92.9 %%",
             hits, hits / 20 * 100);
    demo_row(demo, "1.3", "fresh for an hour, by mtime",
             holds(run, "by_mtime_a_file_from_the_future_is_fresh_for_ever") &&
                 holds(run, "the_file_cache_goes_by_its_own_clock_whatever_mtime_says"),
             "hit at 3,599 s, fetch at 3,601 s; a future mtime is fresh for ever as it was, not "
             "now: age is by the clock since boot");
}

static void rows_death(struct demo *demo, const struct demo_run *run, const struct demo_run *herd)
{
    double kills = seen(run, "killed_in_refresh"), points = seen(run, "points_of_refresh");
    double torn = demo_counter(herd, "as-it-was", "torn_files");
    double of = demo_counter(herd, "as-it-was", "writers_killed");
    demo_row(demo, "1.4", "temporary file, atomic rename",
             loop_holds(run, "killed_anywhere_in_a_refresh_it_leaves_a_whole_file_and_no_lock",
                        (unsigned)points) &&
                 points > 10 && torn == of && torn > 0 &&
                 demo_counter(herd, "shipped", "torn_files") == 0 &&
                 seen(run, "empty_files_seen") == 1,
             "SIGKILL at %.0f points, %.0f times: 0 torn files. In place %.0f of %.0f torn; one "
             "temporary name for two writers: an empty file seen",
             points, kills, torn, of);
    double stuck = demo_counter(herd, "excl-recheck", "stuck_errors");
    demo_row(demo, "1.5", "no dangling locks",
             stuck == 14 && demo_counter(herd, "shipped", "stuck_errors") == 0 &&
                 demo_counter(herd, "shipped", "stuck_fetches") == 1,
             "holder killed: O_EXCL lock stays, %.0f of 14 fail for ever; shipped: 1 fetch, 13 "
             "hits. Holder stopped: others are served what there is",
             stuck);
    double slow = demo_counter(herd, "excl-recheck", "slow_errors");
    demo_row(demo, "1.6", "time-out of 1 s, graceful failure",
             slow == 13 && demo_counter(herd, "shipped", "slow_errors") == 0 &&
                 demo_counter(herd, "shipped", "slow_fetches") == 1,
             "slower source: %.0f of 14 fail with O_EXCL and second look; shipped: 1 fetch, 13 "
             "served the compiled-in list, 0 errors",
             slow);
}

static void rows_use(struct demo *demo, const struct demo_run *run)
{
    static const char damaged[] = "of_fourteen_that_find_it_damaged_one_fetches_and_none_crashes";
    double many = seen(run, "http_requests_of_64");
    demo_row(demo, "1.7", "corrupted cache: fetched again",
             loop_holds(run, damaged, 6) && seen(run, "fetches_after_damage") == 6,
             "a bit flipped, cut, emptied, replaced, another user's, a FIFO: 14 processes, 1 fetch "
             "each time");
    double updates = seen(run, "fetches_of_three_updates");
    demo_row(demo, "1.8", "update-providers bypasses the TTL", updates == 1,
             "a fresh file: 1 fetch by hand; three at once: %.0f", updates);
    demo_row(demo, "1.9", "3 at once; 10 and more; 14 and more",
             loop_holds(run, "herds_of_any_size_make_one_request_over_http", 5) && many == 1,
             "3, 10, 14, 32, 64 processes: the upstream counts %.0f, %.0f, %.0f, %.0f, %.0f "
             "requests over HTTP",
             seen(run, "http_requests_of_3"), seen(run, "http_requests_of_10"),
             seen(run, "http_requests_of_14"), seen(run, "http_requests_of_32"), many);
}

static void rows_future(struct demo *demo, const struct demo_run *run)
{
    char quiet[UNIT_TEXT_BYTES], refreshing[UNIT_TEXT_BYTES];
    bool all = holds(run, "the_ttl_comes_from_the_environment") &&
               holds(run, "the_counters_of_fourteen_processes_add_up") &&
               holds(run, "clear_removes_all_but_the_lock_and_the_totals") &&
               holds(run, "after_a_bad_publication_the_last_good_list_is_served_and_can_be_put_"
                          "back");
    demo_row(demo, "1.10", "later: TTL, checksum, metrics, clear, versions", all,
             "TTL from the environment; CRC-64; counters of 14 processes add up; clear; version "
             "N-1 served and put back");
    double hits = seen(run, "memory_hits_without_descriptors");
    demo_row(demo, "", "later: memory layer, background refresh",
             hits == 1000 &&
                 holds(run, "while_one_refreshes_a_thousand_readers_are_not_kept_waiting"),
             "%.0f of 1,000 look-ups answered while no file can be opened; nobody waits for a "
             "refresh: p99 of readers %s, during one %s",
             hits, unit_ns(quiet, seen(run, "reader_p99_quiet_ns")),
             unit_ns(refreshing, seen(run, "reader_p99_refreshing_ns")));
    bool users = holds(run, "two_users_share_one_file_when_they_say_so") &&
                 holds(run, "a_file_of_another_user_is_not_believed_and_stops_nobody") &&
                 holds(run, "in_a_folder_that_cannot_be_written_everybody_has_an_answer");
    if (seen(run, "two_users") == 1) {
        demo_row(demo, "1.11", "multi-user safety, CI", users,
                 "two users share a file or do not believe each other's; a read-only folder fails "
                 "nobody");
    } else {
        demo_row_part(demo, "1.11", "multi-user safety, CI", users,
                      "a read-only folder fails nobody; two users need root and were not tried");
    }
    demo_row(demo, "1.12", "(an empty answer)",
             holds(run, "an_empty_answer_keeps_the_last_good_list"), "the last good list stays");
    bool faults =
        holds(run, "on_a_full_disk_answers_are_right_the_old_file_stays_and_space_mends_it") &&
        holds(run, "an_upstream_that_goes_is_asked_once_and_when_it_is_back_all_is_well");
    demo_row(demo, "", "(faults)", faults,
             "disk full%s: answers right, old file whole, mended by space; upstream gone: asked "
             "%.0f time by 14",
             seen(run, "full_tmpfs") == 1 ? " (a tmpfs of 64 KiB)" : " (by a limit on files)",
             seen(run, "asked_while_gone"));
}

static const char herd_scenario[] =
    "scenario: demo/herd-14\n"
    "suite: {program: provider-file, env: {CK_RUN_CASE: herd}}\n"
    "variants:\n"
    "  - as-it-was: {strategy: direct, env: {PROVIDER_FILE: as-it-was}}\n"
    "  - ttl-only: {strategy: direct, env: {PROVIDER_FILE: ttl-only}}\n"
    "  - excl: {strategy: direct, env: {PROVIDER_FILE: excl}}\n"
    "  - excl-recheck: {strategy: direct, env: {PROVIDER_FILE: excl-recheck}}\n"
    "  - flock: {strategy: direct, env: {PROVIDER_FILE: flock}}\n"
    "  - shipped: {strategy: direct, env: {PROVIDER_FILE: shipped}}\n"
    "limits: {memory: 512 MiB, timeout: 120 s}\n";

static void provider_show(struct demo *demo)
{
    struct demo_run herd, run;
    demo_paragraph(demo, "What happened.", happened);
    demo_paragraph(demo, "The fix.", mended);
    demo_paragraph(demo, "What is wrong with it.", wrong);
    demo_run(demo, herd_scenario, &herd);
    demo_run(demo,
             "scenario: demo/provider-file\n"
             "suite: provider-file\n"
             "variants:\n"
             "  - file-cache: {strategy: direct}\n"
             "limits: {memory: 512 MiB, timeout: 120 s}\n",
             &run);
    demo_head(demo);
    rows_herd(demo, &herd);
    rows_age(demo, &run);
    rows_death(demo, &run, &herd);
    rows_use(demo, &run);
    rows_future(demo, &run);
    demo_run_fini(&herd);
    demo_run_fini(&run);
}

const struct demo_incident demo_provider = {
    .name = "provider-file",
    .about = "fourteen processes and one file",
    .show = provider_show,
};
