/*
 * demo_stats.c - the incident stats-ttl: a cache of seconds in front of statistics that panels
 * poll, and its rows 2.1 to 2.15. Supervisor only.
 */
#include "harness/base/unit.h"
#include "harness/cli/demo.h"

#include <math.h>

static const char happened[] = "An orchestrator's panels poll every 5 seconds, and each poll asks "
                               "Docker and the VPN. A cache with "
                               "TTLs of 2 and 3 seconds was put in front, swept every 60 seconds.";
static const char mended[] =
    "No bug was reported: the document promises 60 to 70 % less load and draws a timeline.";
static const char wrong[] = "With one panel the cache never hits, and no TTL of the report gives "
                            "its timeline. It holds 21 times "
                            "what the TTL asks for, eight that miss at once all load, an event can "
                            "be undone by a load that was "
                            "under way, and a clock that is set back makes entries immortal.";

#define WAS "as-it-was"
#define NOW "ttl"

static void row_tests(struct demo *demo, const struct demo_run *run, const char *row,
                      const char *report, const char *test, const char *seen)
{
    bool ok = demo_passed(run, WAS, test) && demo_passed(run, NOW, test);
    demo_row(demo, row, report, ok, "%s", seen);
}

static void rows_expiry(struct demo *demo, const struct demo_run *run)
{
    row_tests(demo, run, "2.1", "TTLs 3, 2, 3 s",
              "each_key_expires_at_its_own_time_to_the_nanosecond",
              "each key hits 1 ns before its own TTL and misses at it");
    double one = demo_counter(run, NOW, "poll_1_ttl_3_permille") / 10;
    double three = demo_counter(run, NOW, "poll_3_ttl_3_permille") / 10;
    double four = demo_counter(run, NOW, "poll_4_ttl_3_permille") / 10;
    demo_row(demo, "2.2", "load reduced by 60-70 % (only from 3 panels on; by 0 % with one)",
             one == 0 && fabs(three - 65.5) < 3 && fabs(four - 72.8) < 3,
             "hit rate at TTL 3 s: 1 panel %.1f %%, 3 panels %.1f %%, 4 panels %.1f %%", one, three,
             four);
    row_tests(demo, run, "2.3", "miss at 0, hits at 5 and 10, miss at 15 s",
              "only_ttls_above_10_s_and_up_to_15_give_the_reports_timeline",
              "of TTLs from 0.5 to 20 s only those above 10 and up to 15 s do that");
    row_tests(demo, run, "2.4", "125 hits, 15 misses: 89.29",
              "a_hundred_and_twenty_five_hits_of_a_hundred_and_forty_are_89_29_percent",
              "89.29; null before the first look-up");
}

static void rows_memory(struct demo *demo, const struct demo_run *run)
{
    char a[UNIT_TEXT_BYTES], b[UNIT_TEXT_BYTES];
    double was = demo_counter(run, WAS, "held_at_50_per_second");
    double now = demo_counter(run, NOW, "held_at_50_per_second");
    demo_row(demo, "2.5", "swept every 60 s (holds rate x 63 s, not x 3: 21 times)",
             was / now > 18 && was / now < 24 && now <= 165,
             "50 new keys/s: held %s as it was, %s now: %.0f times", unit_count(a, was),
             unit_count(b, now), was / now);
    was = demo_counter(run, WAS, "held_at_1000_per_second");
    now = demo_counter(run, NOW, "held_at_1000_per_second");
    demo_row(demo, "2.6", "high memory usage: clear it, reduce TTLs", now <= 2000 && was > 59000,
             "1,000 new keys/s for an hour: %s held as it was, %s now, its bound",
             unit_count(a, was), unit_count(b, now));
}

static void rows_threads(struct demo *demo, const struct demo_run *run)
{
    double was = demo_counter(run, WAS, "loads_of_eight_at_once");
    double now = demo_counter(run, NOW, "loads_of_eight_at_once");
    const char *hammer = "two_threads_and_two_million_operations_give_no_wrong_value";
    demo_row(
        demo, "2.7", "thread-safe", was == 8 && now == 1 && demo_passed(run, NOW, hammer),
        "8 misses at once: %.0f loads as it was, %.0f now; 2 threads x 10^6 operations: no wrong "
        "value",
        was, now);
    row_tests(demo, run, "2.8", "/cache/stats document",
              "the_statistics_are_the_document_of_the_report",
              "the same document, byte for byte at a fixed clock");
    row_tests(demo, run, "2.9", "pattern invalidation",
              "a_pattern_hits_exactly_the_keys_that_it_means",
              "stats:* drops 2 of 5 keys; as it was also old-stats:x");
    row_tests(demo, run, "2.10", "invalidated on provision and deletion",
              "a_load_under_way_at_an_event_does_not_put_old_data_in",
              "a load under way puts old data back as it was, not now");
    row_tests(demo, run, "2.11", "keys with a hash of the arguments",
              "arguments_of_equal_hash_do_not_share_a_value",
              "two arguments of equal 32-bit hash share a value as it was, not now");
}

static void rows_rest(struct demo *demo, const struct demo_run *run)
{
    row_tests(demo, run, "2.12", "if the cache fails, direct execution",
              "a_cache_that_cannot_hold_it_asks_the_source_and_says_so",
              "3 look-ups that cannot be held: 3 right values, 3 fallbacks counted");
    row_tests(demo, run, "2.13", "debug log HIT, MISS, SET, DELETE",
              "the_trace_of_events_adds_up_to_the_counters",
              "20,000 look-ups: the four events add up to the counters");
    bool warm = demo_passed(run, NOW, "after_warming_the_first_client_hits") &&
                demo_passed(run, NOW, "the_ttl_of_an_endpoint_comes_from_the_environment") &&
                demo_passed(run, NOW, "the_counters_go_out_to_prometheus_and_as_openmetrics");
    double saved = demo_counter(run, NOW, "adaptive_saves_percent");
    demo_row(demo, "2.14", "future: TTL from outside, warming, Prometheus, adaptive TTL",
             warm && saved > 50,
             "TTL from the environment; after warming the first client hits; counters for "
             "Prometheus and as OpenMetrics; a TTL that adapts within 2-12 s saves %.0f %% of the "
             "loads",
             saved);
    bool forward = demo_passed(run, NOW, "a_clock_set_forward_expires_nothing") &&
                   demo_passed(run, WAS, "a_clock_set_forward_expires_nothing");
    row_tests(demo, run, "2.15", "(wall clock)", "a_clock_set_back_leaves_nothing_immortal",
              forward ? "clock +1 h: all expires as it was, nothing now; -1 h: immortal as it was, "
                        "not now"
                      : "the clock set forward expires what it should not");
}

static void stats_show(struct demo *demo)
{
    struct demo_run run;
    demo_paragraph(demo, "What happened.", happened);
    demo_paragraph(demo, "The fix.", mended);
    demo_paragraph(demo, "What is wrong with it.", wrong);
    demo_run(demo,
             "scenario: demo/stats-ttl\n"
             "suite: stats-ttl\n"
             "variants:\n"
             "  - as-it-was: {strategy: unbounded}\n"
             "  - ttl\n"
             "limits: {memory: 512 MiB, timeout: 120 s}\n",
             &run);
    demo_head(demo);
    rows_expiry(demo, &run);
    rows_memory(demo, &run);
    rows_threads(demo, &run);
    rows_rest(demo, &run);
    demo_run_fini(&run);
}

const struct demo_incident demo_stats = {
    .name = "stats-ttl",
    .about = "a cache of 3 seconds, polled every 5",
    .show = stats_show,
    .needs = {"ttl", "unbounded"},
};
