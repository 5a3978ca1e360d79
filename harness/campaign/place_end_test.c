/* place_end_test.c - what places hold after a pass and after a second one, and what each test left.
 */
#include "harness/campaign/place_fixture.h"

static void again(struct world *world, uint32_t test)
{
    allocate(world, 0, 100);
    if (world->runs >= TESTS && test % 2 == 0) {
        release(world, 0, 100);
    }
}

START_TEST(a_second_pass_is_beside_the_first)
{
    struct places places;
    struct made made = {one_site, again, TESTS, PASSES, true, 0, {0}};
    ck_assert_int_eq(made_judge(&places, &made).verdict, VERDICT_ACCUMULATES);
    struct place_event first = place_end(&places, &places.all[2]);
    struct place_event second = place_end_again(&places, &places.all[2]);
    ck_assert_int_eq(first.bytes, TESTS * 100);
    ck_assert_int_eq(first.blocks, TESTS);
    ck_assert_uint_eq(first.position, TESTS - 1);
    ck_assert_int_eq(second.bytes, TESTS * 150);
    ck_assert_int_eq(second.blocks, TESTS * 3 / 2);
    ck_assert_uint_eq(second.position, 2 * TESTS - 1);
    made_over(&places, &made);
}
END_TEST

/* Test 0 keeps 500 B, test 1 gives 200 of them back, test 2 nothing, all others keep 10 B. */
static void left(struct world *world, uint32_t test)
{
    if (test == 1) {
        allocate(world, 0, 1);
        world->sites[0].bytes -= 201;
        world->sites[0].blocks--;
    } else if (test != 2) {
        allocate(world, 0, test == 0 ? 500 : 10);
    }
}

START_TEST(what_each_test_left_is_told_without_the_excluded)
{
    struct places places;
    struct made made = {one_site, left, TESTS, PASSES, false, 0, {0}};
    int64_t bytes[TESTS + 1] = {0};
    accused_add(&left_out, 5, ACCUSED_WHOLE);
    bytes[3] = 1000; /* of another place */
    made_judge(&places, &made);
    place_left(&places, &places.all[2], bytes);
    for (uint32_t test = 0; test < TESTS; test++) {
        int64_t want = test == 0   ? 500
                       : test == 1 ? -200
                       : test == 2 ? 0
                       : test == 3 ? 1010
                       : test == 5 ? 0
                                   : 10;
        ck_assert_msg(bytes[test] == want, "test %u left %lld", test, (long long)bytes[test]);
    }
    ck_assert_int_eq(place_end(&places, &places.all[2]).bytes, 300 + 36 * 10);
    made_over(&places, &made);
}
END_TEST

/* What stands behind the last event and behind the last test of the first pass is not looked at. */
START_TEST(a_pass_ends_with_its_last_event)
{
    static struct place_event events[] = {{.position = 0, .blocks = 1, .bytes = 10},
                                          {.position = 1, .blocks = 2, .bytes = 30},
                                          {.position = 2, .blocks = 3, .bytes = 60}};
    static uint32_t tests[] = {2, 0, 1, 1};
    for (size_t count = 1; count <= 3; count++) {
        for (size_t first = 1; first <= 3; first++) {
            struct place place = {.passes = {{.events = events, .count = count}}};
            struct places places = {.test_count = 2,
                                    .pass_count = 2,
                                    .passes = {{.tests = tests, .count = 4, .first_pass = first},
                                               {.tests = tests, .count = 4, .first_pass = 4}}};
            size_t last = count < first ? count : first;
            int64_t left[3] = {0};
            ck_assert_int_eq(place_end(&places, &place).bytes, events[last - 1].bytes);
            ck_assert_int_eq(place_end_again(&places, &place).bytes, events[count - 1].bytes);
            place_left(&places, &place, left);
            ck_assert_int_eq(left[2], 0); /* no test has that number */
            ck_assert_int_eq(left[0], last >= 2 ? 20 : 0);
            ck_assert_int_eq(left[1], last >= 3 ? 30 : 0);
        }
    }
}
END_TEST

/* The log is longer by a third in the second pass. */
static void log_grows_less(struct world *world, uint32_t test)
{
    if (world->runs < TESTS || test % 3 == 0) {
        allocate(world, 0, 1000);
    }
}

static void log_grows_less_beside_cache(struct world *world, uint32_t test)
{
    log_grows_less(world, test);
    if (!world->known[test]) {
        world->known[test] = 1;
        allocate(world, 1, 64);
    }
}

START_TEST(each_place_has_its_own_second_pass)
{
    static const struct {
        const char *name;
        void (*test)(struct world *world, uint32_t test);
        enum result_verdict worst, sites[2];
        int64_t added;
    } rows[] = {
        {"a log beside a cache",
         log_beside_cache,
         VERDICT_GROWTH,
         {VERDICT_GROWTH, VERDICT_ACCUMULATES},
         40000},
        {"a log that may end",
         log_grows_less,
         VERDICT_INCONCLUSIVE,
         {VERDICT_INCONCLUSIVE, VERDICT_NONE},
         14000},
        {"such a log beside a cache",
         log_grows_less_beside_cache,
         VERDICT_ACCUMULATES,
         {VERDICT_INCONCLUSIVE, VERDICT_ACCUMULATES},
         14000},
        {"a wrapper of which each caller is too seldom",
         two_of_each,
         VERDICT_GROWTH,
         {VERDICT_GROWTH, VERDICT_GROWTH},
         256},
        {"nothing is shown", gives_back, VERDICT_INCONCLUSIVE, {VERDICT_NONE, VERDICT_NONE}, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct places places;
        struct made made = {three_things, rows[i].test, TESTS, PASSES, true, 0, {0}};
        int64_t added = 0;
        made_judge(&places, &made);
        for (size_t k = 0; k < places.count; k++) {
            added += places.all[k].shown ? place_again_get(&places, &places.all[k]) : 0;
        }
        enum result_verdict worst = places_judge_again(&places);
        ck_assert_msg(worst == rows[i].worst, "%s: %s", rows[i].name, result_verdict_name(worst));
        ck_assert_msg(added == rows[i].added, "%s: %lld", rows[i].name, (long long)added);
        for (uint32_t site = 0; site < 2; site++) {
            const struct place *place =
                places_find_shown(&places, &courses[PASSES - 1].seen, site + 1);
            enum result_verdict verdict = place ? place->verdict : VERDICT_NONE;
            ck_assert_msg(verdict == rows[i].sites[site], "%s: %u is %s", rows[i].name, site,
                          result_verdict_name(verdict));
        }
        made_over(&places, &made);
    }
}
END_TEST

/* One block without bytes. */
static void holds_least(struct world *world, uint32_t test)
{
    if (test == 7) {
        allocate(world, 0, 0);
    }
}

START_TEST(all_places_that_hold_something_can_be_shown)
{
    static const struct made suites[] = {{with_wrapper, few_of_each, TESTS, 1, false, 0, {0}},
                                         {three_things, two_of_each, TESTS, 1, false, 0, {0}},
                                         {one_site, holds_least, TESTS, 1, false, 0, {0}}};
    struct places places;
    struct made made;
    for (size_t suite = 0; suite < sizeof suites / sizeof suites[0]; suite++) {
        made = suites[suite];
        made_judge(&places, &made);
        places_show_all(&places);
        for (size_t i = 0; i < places.count; i++) {
            bool finest = places.all[i].level == PLACE_LEVELS;
            ck_assert_int_eq(places.all[i].shown, finest);
            ck_assert(!finest || places.all[i].verdict == VERDICT_ACCUMULATES);
        }
        made_over(&places, &made);
    }
    made.test = gives_back;
    made_judge(&places, &made);
    places_show_all(&places);
    for (size_t i = 0; i < places.count; i++) {
        ck_assert(!places.all[i].shown);
    }
    made_over(&places, &made);
}
END_TEST

SUITE("place_end", &a_second_pass_is_beside_the_first,
      &what_each_test_left_is_told_without_the_excluded, &a_pass_ends_with_its_last_event,
      &each_place_has_its_own_second_pass, &all_places_that_hold_something_can_be_shown)
