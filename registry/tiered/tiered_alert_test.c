/* tiered_alert_test.c - alerts on scripted counters and a scripted clock. */
#include "harness/base/suite.h"
#include "registry/tiered/tiered_alert.h"

#include <string.h>

#define SECOND 1000000000ull

static const struct tiered_alert_rule rule = {"hit_rate", 0.8, 300 * SECOND, 20};

struct look {
    unsigned at_s, lookups, hits; /* more than at the look before */
    enum tiered_alert_state state;
};

static void script(const struct look *looks, size_t count)
{
    struct tiered_statistics s = {.lookups = 1000, .hits = 10}; /* of before the first look */
    struct tiered_alert alert = tiered_alert_begin(&rule, &s, 0);
    for (size_t i = 0; i < count; i++) {
        s.lookups += looks[i].lookups;
        s.hits += looks[i].hits;
        tiered_alert_look(&alert, &s, looks[i].at_s * SECOND);
        ck_assert_msg(alert.state == looks[i].state, "look %zu: state %d", i, (int)alert.state);
    }
}
#define SCRIPT(...)                                                                                \
    script((const struct look[]){__VA_ARGS__},                                                     \
           sizeof(const struct look[]){__VA_ARGS__} / sizeof(struct look))

START_TEST(it_fires_after_the_duration_and_not_before)
{
    SCRIPT({60, 100, 79, ALERT_PENDING}, {120, 100, 79, ALERT_PENDING},
           {299, 100, 0, ALERT_PENDING}, {300, 100, 79, ALERT_FIRING}, {360, 100, 79, ALERT_FIRING},
           {420, 100, 80, ALERT_QUIET});
}
END_TEST

START_TEST(a_good_minute_begins_the_time_anew)
{
    SCRIPT({60, 100, 10, ALERT_PENDING}, {280, 100, 90, ALERT_QUIET}, {340, 100, 10, ALERT_PENDING},
           {579, 100, 10, ALERT_PENDING}, {580, 100, 10, ALERT_FIRING});
}
END_TEST

START_TEST(too_few_lookups_decide_nothing_and_are_not_lost)
{
    SCRIPT({60, 19, 0, ALERT_UNKNOWN}, {400, 1, 0, ALERT_FIRING}, {3600, 5, 5, ALERT_FIRING},
           {7200, 15, 15, ALERT_QUIET});
}
END_TEST

START_TEST(counters_that_begin_anew_and_a_clock_that_is_set_back_decide_nothing)
{
    struct tiered_statistics s = {.lookups = 100, .hits = 100};
    struct tiered_alert alert = tiered_alert_begin(&rule, &s, 1000 * SECOND);
    s = (struct tiered_statistics){.lookups = 50, .hits = 0};
    tiered_alert_look(&alert, &s, 1300 * SECOND);
    ck_assert_int_eq(alert.state, ALERT_UNKNOWN);
    s.lookups += 100;
    tiered_alert_look(&alert, &s, 100 * SECOND);
    ck_assert_int_eq(alert.state, ALERT_UNKNOWN);
    s.lookups += 100;
    s.hits += 100;
    tiered_alert_look(&alert, &s, 160 * SECOND);
    ck_assert_int_eq(alert.state, ALERT_QUIET);
}
END_TEST

START_TEST(a_check_has_its_exit_status_and_openmetrics_its_states)
{
    struct tiered_statistics s = {0};
    struct tiered_alert alerts[2] = {tiered_alert_begin(&rule, &s, 0),
                                     tiered_alert_begin(&rule, &s, 0)};
    char *text = NULL;
    size_t length;
    alerts[1].rule.name = "nightly";
    ck_assert_int_eq(tiered_alert_status(alerts, 2, 0, NULL), 3);
    s = (struct tiered_statistics){.lookups = 100, .hits = 90};
    tiered_alert_look(&alerts[0], &s, 300 * SECOND);
    ck_assert_int_eq(tiered_alert_status(alerts, 2, 0, NULL), 3);
    ck_assert_int_eq(tiered_alert_status(alerts, 1, 0, NULL), 0);
    s.hits = 50;
    tiered_alert_look(&alerts[1], &s, 300 * SECOND);
    FILE *out = open_memstream(&text, &length);
    ck_assert_int_eq(tiered_alert_status(alerts, 2, 310 * SECOND, out), 1);
    tiered_alert_openmetrics(alerts, 2, out);
    fclose(out);
    ck_assert_str_eq(text,
                     "hit_rate: quiet, hit rate 90.0 % (bound 80.0 %)\n"
                     "nightly: firing, hit rate 50.0 % (bound 80.0 %), too low for 310 s\n"
                     "# TYPE tidemark_cache_alert stateset\n"
                     "# HELP tidemark_cache_alert whether a hit rate is too low for too long\n"
                     "tidemark_cache_alert{rule=\"hit_rate\",tidemark_cache_alert=\"unknown\"} 0\n"
                     "tidemark_cache_alert{rule=\"hit_rate\",tidemark_cache_alert=\"quiet\"} 1\n"
                     "tidemark_cache_alert{rule=\"hit_rate\",tidemark_cache_alert=\"pending\"} 0\n"
                     "tidemark_cache_alert{rule=\"hit_rate\",tidemark_cache_alert=\"firing\"} 0\n"
                     "tidemark_cache_alert{rule=\"nightly\",tidemark_cache_alert=\"unknown\"} 0\n"
                     "tidemark_cache_alert{rule=\"nightly\",tidemark_cache_alert=\"quiet\"} 0\n"
                     "tidemark_cache_alert{rule=\"nightly\",tidemark_cache_alert=\"pending\"} 0\n"
                     "tidemark_cache_alert{rule=\"nightly\",tidemark_cache_alert=\"firing\"} 1\n");
    free(text);
}
END_TEST

SUITE("tiered_alert", &it_fires_after_the_duration_and_not_before,
      &a_good_minute_begins_the_time_anew, &too_few_lookups_decide_nothing_and_are_not_lost,
      &counters_that_begin_anew_and_a_clock_that_is_set_back_decide_nothing,
      &a_check_has_its_exit_status_and_openmetrics_its_states)
