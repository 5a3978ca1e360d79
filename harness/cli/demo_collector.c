/*
 * demo_collector.c - the incident collector-plugin: a cache that crashed on the call, and its rows
 * 0.1 to 0.12. Supervisor only.
 */
#include "harness/base/unit.h"
#include "harness/cli/demo.h"

static const char happened[] =
    "A monitoring plugin cached 70 models and their deployments in a global list. The function was "
    "registered before the list was filled, the refresher freed it under its readers, and the "
    "plugin "
    "died of signal 11 on the call. The host does not start such a plugin again.";
static const char mended[] = "The cache was removed: each call fetches, answers and frees. 71 "
                             "requests, about 15 seconds; the "
                             "host caches the answer for 120 seconds.";
static const char wrong[] = "15 seconds are 71 requests one after the other; eight at a time take "
                            "two. Five callers at once make "
                            "355 requests unless they share one fetch.";

#define WAS  "as-it-was"
#define HOLD "on-demand"

static bool holds(const struct demo_run *run, const char *test)
{
    return demo_passed(run, HOLD, test);
}

static void rows_crash(struct demo *demo, const struct demo_run *run)
{
    double before = demo_counter(run, HOLD, "died_publish_before_init");
    double under = demo_counter(run, HOLD, "died_replace_while_reading");
    double tests = demo_metric(run, WAS, METRIC_TESTS),
           failed = demo_metric(run, WAS, METRIC_FAILED);
    const struct result_test *first = demo_test(run, WAS, 0);
    int signal = first ? first->signal : 0;
    demo_row(
        demo, "0.1", "signal 11 on the call",
        before == 20 && under == 20 && failed == 2 && tests > 20 && signal == 11,
        "dies 20 of 20 times, both ways; in the suite: 2 tests of %.0f crash (signal %d), %.0f "
        "others still run",
        tests, signal, tests - failed);
    demo_row(demo, "0.2", "uninitialised and dangling data",
             holds(run, "two_hundred_refreshes_under_a_reader_and_nothing_left_behind"),
             "snapshots with references: 200 refreshes under a reader, 0 crashes, 0 bytes left");
}

static void rows_fetch(struct demo *demo, const struct demo_run *run)
{
    char a[UNIT_TEXT_BYTES], b[UNIT_TEXT_BYTES], c[UNIT_TEXT_BYTES], d[UNIT_TEXT_BYTES];
    double spike = demo_counter(run, HOLD, "on_demand_peak_bytes");
    demo_row(demo, "0.3", "fetched on demand, freed after the answer",
             holds(run, "five_hundred_calls_free_all_that_they_allocate"),
             "500 calls: allocations equal frees in each, 0 B between, %s during",
             unit_bytes(a, spike));
    double alone = demo_counter(run, HOLD, "call_ms_one_by_one");
    double eight = demo_counter(run, HOLD, "call_ms_eight_at_a_time");
    demo_row(demo, "0.4", "70 models: 71 requests, about 15 s",
             demo_counter(run, HOLD, "requests_of_a_call") == 71 &&
                 holds(run, "the_upstream_counts_seventy_one_requests"),
             "the upstream counts 71, virtually and over HTTP; %.2f s, eight at a time %.2f s",
             alone / 1000, eight / 1000);
    demo_row(demo, "0.9", "memory: permanent against spikes",
             holds(run, "a_kept_snapshot_costs_steady_bytes_and_one_fetch"),
             "500 calls: kept %s steady, %s peak, 71 requests, p50 and p99 %.0f ms; on demand 0 B "
             "steady, %s peak, %s requests, p50 %.1f s, p99 %.1f s",
             unit_bytes(b, demo_counter(run, HOLD, "kept_steady_bytes")),
             unit_bytes(c, demo_counter(run, HOLD, "kept_peak_bytes")),
             demo_counter(run, HOLD, "kept_p99_ms"), unit_bytes(a, spike),
             unit_count(d, 71 * 500.0), demo_counter(run, HOLD, "on_demand_p50_ms") / 1000,
             demo_counter(run, HOLD, "on_demand_p99_ms") / 1000);
    demo_row(demo, "0.10", "errors in the middle",
             holds(run, "a_request_that_fails_half_way_leaves_nothing") &&
                 holds(run, "each_allocation_that_fails_in_turn_leaves_nothing") &&
                 holds(run, "each_allocation_that_fails_in_turn_leaves_a_kept_snapshot_whole"),
             "each of 71 requests and each of %.0f allocations failed in turn: nothing left behind",
             demo_counter(run, HOLD, "allocations_failed_in_turn"));
}

static void rows_host(struct demo *demo, const struct demo_run *run)
{
    demo_row(demo, "0.5", "within 120 s instant, then 71 requests",
             holds(run, "clicks_within_two_minutes_cost_nothing"),
             "clicks at 0, 60, 119, 121 s: 71, 0, 0, 71 requests");
    demo_row(
        demo, "0.6", "no 15 s start; the host kills for silence",
        holds(run, "only_work_apart_from_the_heartbeat_survives_the_host") &&
            demo_counter(run, HOLD, "registered_after_ms") < 50,
        "silent for %.1f s fetching first, %.1f s refreshing in the loop: killed at 10; on demand "
        "%.1f s. Real process: registered after %.0f ms",
        demo_counter(run, HOLD, "silence_ms_fetch_first") / 1000,
        demo_counter(run, HOLD, "silence_ms_refresh_in_loop") / 1000,
        demo_counter(run, HOLD, "silence_ms_on_demand") / 1000,
        demo_counter(run, HOLD, "registered_after_ms"));
    demo_row(
        demo, "0.7", "timeout of 30 s",
        holds(run, "a_request_that_hangs_ends_the_call_at_its_deadline") &&
            holds(run, "an_endpoint_that_hangs_ends_the_call_at_its_deadline_and_the_next_works") &&
            holds(run, "a_cancelled_call_ends_at_once_and_the_others_go_on") &&
            holds(run, "a_host_that_asks_how_far_it_is_gives_the_call_more_time"),
        "a hanging endpoint ends the call at its deadline, 0 B left, the next call works; a host "
        "that cancels it is answered 499, one that asks how far it is gives it 10 s more");
    double apart = demo_counter(run, HOLD, "requests_five_apart");
    double joined = demo_counter(run, HOLD, "requests_five_joined");
    demo_row(demo, "0.8", "rate limits (5 callers at once)", apart == 355 && joined == 71,
             "%.0f requests, with single flight %.0f", apart, joined);
    demo_row(demo, "0.12", "update_every is how long the host caches",
             holds(run, "update_every_is_how_long_the_host_caches_and_nothing_else"),
             "30, 60, 120, 300 s change which clicks are free, never how a call fetches");
    double hour = demo_counter(run, HOLD, "requests_of_an_hour");
    demo_row(
        demo, "", "(an hour of load)",
        hour == 2130 && holds(run, "an_hour_of_clicks_leaves_the_ledger_flat") &&
            demo_metric(run, HOLD, METRIC_LIVE_END) <= 4096,
        "a click every 10 s for a virtual hour: %.0f requests, 30 x 71, as much held after the "
        "last minute as after the first",
        hour);
}

static void collector_show(struct demo *demo)
{
    struct demo_run run;
    demo_paragraph(demo, "What happened.", happened);
    demo_paragraph(demo, "The fix.", mended);
    demo_paragraph(demo, "What was still wrong.", wrong);
    demo_run(demo,
             "scenario: demo/collector-plugin\n"
             "suite: collector-plugin\n"
             "variants:\n"
             "  - as-it-was: {strategy: unbounded}\n"
             "  - on-demand: {strategy: direct}\n"
             "limits: {memory: 512 MiB, timeout: 60 s}\n",
             &run);
    demo_head(demo);
    rows_crash(demo, &run);
    rows_fetch(demo, &run);
    rows_host(demo, &run);
    demo_run_fini(&run);
}

const struct demo_incident demo_collector = {
    .name = "collector-plugin",
    .about = "a plugin that crashed on the call",
    .show = collector_show,
    .needs = {"unbounded"},
};
