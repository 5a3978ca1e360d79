/* place_judge_test.c - suites come to their verdicts. */
#include "harness/campaign/place_fixture.h"

static void least_recent(struct world *world, uint32_t test)
{
    (void)test;
    allocate(world, 0, 64);
    if (world->sites[0].blocks > 5) {
        release(world, 0, 64);
    }
}

/* Every test is a key of its own: it fills in one pass, and a second adds nothing. */
static void distinct_keys(struct world *world, uint32_t test)
{
    if (!world->known[test]) {
        world->known[test] = 1;
        allocate(world, 0, 100);
    }
}

static void lazy(struct world *world, uint32_t test)
{
    (void)test;
    if (world->sites[0].blocks == 0) {
        allocate(world, 0, 4096);
    }
}

static void lazy_and_empty(struct world *world, uint32_t test)
{
    (void)test;
    if (world->sites[0].blocks == 0) {
        allocate(world, 0, 0);
    }
}

/* The first two tests initialise. */
static void two_tests(struct world *world, uint32_t test)
{
    if (test < 2) {
        allocate(world, 0, 4096);
    }
}

static void three_tests(struct world *world, uint32_t test)
{
    if (test % 15 == 2) {
        allocate(world, 0, 4096);
    }
}

/* Every eighth test cleans up what seven left. */
static void modules(struct world *world, uint32_t test)
{
    (void)test;
    allocate(world, 0, 64);
    if (world->runs % 8 == 7) {
        while (world->sites[0].blocks > 0) {
            release(world, 0, 64);
        }
    }
}

static void in_order_only(struct world *world, uint32_t test)
{
    (void)test;
    if (world->order < 2 || world->runs < 2) {
        allocate(world, 0, 64);
    }
}

static void in_three_of_five(struct world *world, uint32_t test)
{
    (void)test;
    if (world->order < 3 || world->runs < 2) {
        allocate(world, 0, 64);
    }
}

static void in_four_of_five(struct world *world, uint32_t test)
{
    (void)test;
    if (world->order < 4 || world->runs < 2) {
        allocate(world, 0, 64);
    }
}

static void in_one_of_five(struct world *world, uint32_t test)
{
    (void)test;
    if (world->order < 1 || world->runs < 2) {
        allocate(world, 0, 64);
    }
}

/* Two tests have an input each, all others share two. */
static void four_inputs(struct world *world, uint32_t test)
{
    uint32_t input = test < 2 ? test : 2 + test % 2;
    if (!world->known[input]) {
        world->known[input] = 1;
        allocate(world, 0, 64);
    }
}

static void nothing(struct world *world, uint32_t test)
{
    (void)world, (void)test;
}

START_TEST(suites_come_to_their_verdicts)
{
    static const struct {
        const char *name;
        struct made made;
        uint32_t excluded; /* tests of this remainder by four, less one; 0: none */
        enum result_verdict verdict;
        unsigned accusing;
        int64_t bytes; /* of the place at the end of the first pass */
    } rows[] = {
        {"nothing", {one_site, nothing, TESTS, PASSES, false, 0, {0}}, 0, VERDICT_CLEAN, 0, 0},
        {"a cache that nobody clears",
         {one_site, cache, TESTS, PASSES, false, 0, {0}},
         0,
         VERDICT_ACCUMULATES,
         5,
         20 * 64},
        {"in one pass",
         {one_site, cache, TESTS, 1, false, 0, {0}},
         0,
         VERDICT_ACCUMULATES,
         1,
         20 * 64},
        {"in no pass", {one_site, cache, TESTS, 0, false, 0, {0}}, 0, VERDICT_NONE, 0, 0},
        {"a cache that is suppressed",
         {one_site, cache, TESTS, PASSES, false, 1, {0}},
         0,
         VERDICT_CLEAN,
         0,
         0},
        {"another is suppressed",
         {one_site, cache, TESTS, PASSES, false, 2, {0}},
         0,
         VERDICT_ACCUMULATES,
         5,
         20 * 64},
        {"an LRU of five",
         {one_site, least_recent, TESTS, PASSES, false, 0, {0}},
         0,
         VERDICT_SATURATING,
         0,
         5 * 64},
        {"a table over a small domain",
         {one_site, small_domain, TESTS, PASSES, false, 0, {0}},
         0,
         VERDICT_SATURATING,
         1,
         6 * 64},
        {"a table that each test fills",
         {one_site, distinct_keys, TESTS, PASSES, true, 0, {0}},
         0,
         VERDICT_ACCUMULATES,
         5,
         4000},
        {"a table over four inputs, in two orders",
         {one_site, four_inputs, TESTS, 2, false, 0, {0}},
         0,
         VERDICT_INCONCLUSIVE,
         2,
         4 * 64},
        {"a cache that nobody clears, in two orders",
         {one_site, cache, TESTS, 2, false, 0, {0}},
         0,
         VERDICT_ACCUMULATES,
         2,
         20 * 64},
        {"a lazy table, by whichever test is first",
         {one_site, lazy, TESTS, PASSES, false, 0, {0}},
         0,
         VERDICT_SATURATING,
         0,
         4096},
        {"a lazy block without bytes",
         {one_site, lazy_and_empty, TESTS, PASSES, false, 0, {0}},
         0,
         VERDICT_SATURATING,
         0,
         0},
        {"two tests that initialise",
         {one_site, two_tests, TESTS, PASSES, false, 0, {0}},
         0,
         VERDICT_CLEAN,
         0,
         8192},
        {"three tests that keep something",
         {one_site, three_tests, TESTS, PASSES, false, 0, {0}},
         0,
         VERDICT_ACCUMULATES,
         5,
         12288},
        {"modules that clean up",
         {one_site, modules, TESTS, PASSES, false, 0, {0}},
         0,
         VERDICT_CLEAN,
         0,
         0},
        {"what each test gives back",
         {one_site, gives_back, TESTS, PASSES, false, 0, {0}},
         0,
         VERDICT_CLEAN,
         0,
         0},
        {"one vote of five",
         {one_site, in_one_of_five, TESTS, PASSES, false, 0, {0}},
         0,
         VERDICT_SATURATING,
         1,
         2560},
        {"two votes of five",
         {one_site, in_order_only, TESTS, PASSES, false, 0, {0}},
         0,
         VERDICT_INCONCLUSIVE,
         2,
         2560},
        {"three votes of five",
         {one_site, in_three_of_five, TESTS, PASSES, false, 0, {0}},
         0,
         VERDICT_INCONCLUSIVE,
         3,
         2560},
        {"four votes of five",
         {one_site, in_four_of_five, TESTS, PASSES, false, 0, {0}},
         0,
         VERDICT_ACCUMULATES,
         4,
         2560},
        {"all that fill it are excluded",
         {one_site, cache, TESTS, PASSES, false, 0, {0}},
         1,
         VERDICT_ACCUMULATES,
         5,
         10 * 64},
        {"others than those that fill it are excluded",
         {one_site, cache, TESTS, PASSES, false, 0, {0}},
         2,
         VERDICT_ACCUMULATES,
         5,
         20 * 64},
        {"eight passes",
         {one_site, cache, TESTS, PLACE_PASSES, false, 0, {0}},
         0,
         VERDICT_ACCUMULATES,
         8,
         20 * 64},
        {"a ninth is left out",
         {one_site, cache, TESTS, PLACE_PASSES + 1, false, 0, {0}},
         0,
         VERDICT_ACCUMULATES,
         8,
         20 * 64},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct places places;
        struct made made = rows[i].made;
        for (uint32_t test = 0; test < TESTS; test++) {
            if (rows[i].excluded > 0 && test % 4 == rows[i].excluded - 1) {
                accused_add(&left_out, test, ACCUSED_WHOLE);
            }
        }
        struct places_verdict verdict = made_judge(&places, &made);
        ck_assert_msg(verdict.verdict == rows[i].verdict && verdict.accusing == rows[i].accusing,
                      "%s: %s, %u accuse", rows[i].name, result_verdict_name(verdict.verdict),
                      verdict.accusing);
        int64_t bytes = places.count > 0 ? place_end(&places, &places.all[0]).bytes : 0;
        ck_assert_msg(bytes == rows[i].bytes, "%s: %lld B", rows[i].name, (long long)bytes);
        ck_assert_int_eq(places.count > 0 ? places.all[PLACE_LEVELS - 1].verdict : verdict.verdict,
                         rows[i].verdict);
        ck_assert_uint_eq(places.count > 0 ? places.all[PLACE_LEVELS - 1].shown : 0,
                          rows[i].verdict == VERDICT_ACCUMULATES);
        made_over(&places, &made);
    }
}
END_TEST

/* Tests of a fixture share an entry each, until the next fixture begins. */
static void cleared_by_fixtures(struct world *world, uint32_t test)
{
    if (test == 12 || test == 24) {
        world->sites[0].blocks = world->sites[0].bytes = 0;
    }
    allocate(world, 0, 64);
}

static void cleared_once(struct world *world, uint32_t test)
{
    if (test == 12) {
        world->sites[0].blocks = world->sites[0].bytes = 0;
    }
    allocate(world, 0, 64);
}

static void cleared_but_once(struct world *world, uint32_t test)
{
    if (test == 8 || test == 12) {
        world->sites[0].blocks = world->sites[0].bytes = 0;
    }
    allocate(world, 0, 64);
}

static void cleared_from_the_second(struct world *world, uint32_t test)
{
    if (test == 1 || test == 14) {
        world->sites[0].blocks = world->sites[0].bytes = 0;
    }
    allocate(world, 0, test == 0 ? 200 : 64);
}

/* The first fixture has nothing to give back, and what the others share is larger at their begin.
 */
static void cleared_but_first(struct world *world, uint32_t test)
{
    if (test == 12 || test == 24) {
        world->sites[0].blocks = world->sites[0].bytes = 0;
    }
    if (test >= 4) {
        allocate(world, 0, 64);
    }
}

START_TEST(what_the_last_fixture_will_give_back_is_not_held_against_it)
{
    static const struct {
        const char *name;
        struct made made;
        enum result_verdict verdict;
    } rows[] = {
        {"each fixture gives back",
         {one_site, cleared_by_fixtures, TESTS, 1, false, 0, {12, 24}},
         VERDICT_SATURATING},
        {"it was seen once",
         {one_site, cleared_once, TESTS, 1, false, 0, {12}},
         VERDICT_ACCUMULATES},
        {"one of three does not",
         {one_site, cleared_but_once, TESTS, 1, false, 0, {4, 8, 12}},
         VERDICT_ACCUMULATES},
        {"the first had nothing",
         {one_site, cleared_but_first, TESTS, 1, false, 0, {4, 12, 24}},
         VERDICT_SATURATING},
        {"the first fixture is one test",
         {one_site, cleared_from_the_second, TESTS, 1, false, 0, {1, 14}},
         VERDICT_SATURATING},
        {"no fixture at all",
         {one_site, cleared_by_fixtures, TESTS, 1, false, 0, {0}},
         VERDICT_ACCUMULATES},
        {"nothing is given back",
         {one_site, cache, TESTS, 1, false, 0, {12, 24}},
         VERDICT_ACCUMULATES},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct places places;
        struct made made = rows[i].made;
        enum result_verdict verdict = made_judge(&places, &made).verdict;
        ck_assert_msg(verdict == rows[i].verdict, "%s: %s", rows[i].name,
                      result_verdict_name(verdict));
        made_over(&places, &made);
    }
}
END_TEST

/* Two places of their own, each of which comes to the verdict that is asked for. */
static enum result_verdict asked[2];

static void two_places(struct world *world)
{
    world->site_count = 2;
    world->sites[0].frames[0] = 1;
    world->sites[1].frames[0] = 2;
}

static void as_asked(struct world *world, uint32_t test)
{
    (void)test;
    for (uint32_t site = 0; site < 2; site++) {
        bool keeps = asked[site] == VERDICT_ACCUMULATES ||
                     (asked[site] == VERDICT_INCONCLUSIVE && world->order < 2) ||
                     world->sites[site].blocks < 3;
        allocate(world, site, 64);
        if (!keeps || asked[site] == VERDICT_CLEAN) {
            release(world, site, 64);
        }
    }
}

START_TEST(a_suite_is_what_is_worst_of_its_places)
{
    static const enum result_verdict ranks[] = {VERDICT_CLEAN, VERDICT_SATURATING,
                                                VERDICT_INCONCLUSIVE, VERDICT_ACCUMULATES};
    for (int one = 0; one < 4; one++) {
        for (int two = 0; two < 4; two++) {
            struct places places;
            struct made made = {two_places, as_asked, TESTS, PASSES, false, 0, {0}};
            asked[0] = ranks[one];
            asked[1] = ranks[two];
            enum result_verdict verdict = made_judge(&places, &made).verdict;
            ck_assert_msg(verdict == ranks[one > two ? one : two], "%d and %d: %s", one, two,
                          result_verdict_name(verdict));
            made_over(&places, &made);
        }
    }
}
END_TEST

/* Blocks without bytes are held, too. */
static void empty_blocks(struct world *world, uint32_t test)
{
    (void)test;
    allocate(world, 0, 0);
}

START_TEST(blocks_without_bytes_are_held)
{
    struct places places;
    struct made made = {one_site, empty_blocks, TESTS, PASSES, false, 0, {0}};
    ck_assert_int_eq(made_judge(&places, &made).verdict, VERDICT_ACCUMULATES);
    places_show_all(&places);
    ck_assert(places.all[2].shown);
    made_over(&places, &made);
    made.test = small_domain; /* now of 64 B, and level */
    ck_assert_int_eq(made_judge(&places, &made).verdict, VERDICT_SATURATING);
    made_over(&places, &made);
}
END_TEST

SUITE("place_judge", &suites_come_to_their_verdicts,
      &what_the_last_fixture_will_give_back_is_not_held_against_it,
      &a_suite_is_what_is_worst_of_its_places, &blocks_without_bytes_are_held)
