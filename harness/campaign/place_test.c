/* place_test.c - places of made-up suites over several passes: a function says what a test does to
 * the sites of its process, tests run in order and shuffled, and every boundary goes through
 * pass_log.c as a worker's would. Stacks are functions of this file, so that places have lines. */
#include "harness/campaign/place_judge.h"

#include "harness/base/suite.h"
#include "harness/judge/threshold.h"

#include <link.h>
#include <string.h>
#include <unistd.h>

#define SITES  700
#define TESTS  40
#define PASSES 5

/* Each on a line of its own. */
#define FUNCTION(number)                                                                           \
    __attribute__((noinline)) int place_test_##number(int value);                                  \
    int place_test_##number(int value)                                                             \
    {                                                                                              \
        return value * number + number;                                                            \
    }
FUNCTION(11)
FUNCTION(12)
FUNCTION(13)
FUNCTION(14)
FUNCTION(15)
FUNCTION(16)
FUNCTION(17)

typedef int function(int value);
static function *const functions[] = {place_test_11, place_test_12, place_test_13, place_test_14,
                                      place_test_15, place_test_16, place_test_17};

struct world { /* a process */
    struct {
        int64_t blocks, bytes, born;
        int frames[4]; /* 1 + index of `functions`, innermost first; -1: of no module */
        uint32_t kind;
    } sites[SITES];
    uint32_t site_count;
    unsigned char known[64]; /* for the scripts */
    uint32_t order;          /* which pass it is */
    uint32_t runs;           /* tests before this one in the process */
};

static void allocate(struct world *world, uint32_t site, int64_t bytes)
{
    world->sites[site].blocks++;
    world->sites[site].bytes += bytes;
    world->sites[site].born++;
}

static void release(struct world *world, uint32_t site, int64_t bytes)
{
    world->sites[site].blocks--;
    world->sites[site].bytes -= bytes;
}

static void sites_sent(const struct world *world, struct observed *seen)
{
    for (uint32_t i = 0; i < world->site_count; i++) {
        struct wire_site site;
        WIRE_INIT(&site, WIRE_SITE);
        site.site = site.family = i + 1;
        site.kind = world->sites[i].kind;
        site.live_blocks = world->sites[i].blocks;
        site.live_bytes = world->sites[i].bytes;
        site.born_blocks = world->sites[i].born;
        for (int k = 0; k < 4 && world->sites[i].frames[k] != 0; k++) {
            int frame = world->sites[i].frames[k];
            site.frames[site.frame_count++] =
                frame < 0 ? 16u : (uint64_t)(uintptr_t)functions[frame - 1] + 1;
        }
        const struct observed_site *was = observed_site(seen, i + 1);
        if (site.born_blocks > 0 ||
            (was && (was->blocks != site.live_blocks || was->bytes != site.live_bytes))) {
            ck_assert(observed_take(seen, &site.head));
        }
    }
}

static int module_find(struct dl_phdr_info *info, size_t size, void *base)
{
    (void)size;
    *(uint64_t *)base = info->dlpi_addr;
    return 1; /* the first is the program */
}

static void module_send(struct observed *seen)
{
    struct wire_module module;
    WIRE_INIT(&module, WIRE_MODULE);
    dl_iterate_phdr(module_find, &module.base);
    ck_assert(readlink("/proc/self/exe", module.path, sizeof module.path - 1) > 0);
    ck_assert(observed_take(seen, &module.head));
}

struct made { /* a suite */
    void (*start)(struct world *world);
    void (*test)(struct world *world, uint32_t test);
    uint32_t tests, passes;
    bool again;           /* the first pass is followed by a second in its process */
    uint32_t suppress;    /* this site; 0: none */
    uint32_t fixtures[4]; /* first tests of a fixture; 0: no further ones. Without: each its own */
};

struct course {
    struct observed seen;
    struct pass_log log;
};

/* In order, or shuffled by the number of the pass. */
static uint32_t test_at(uint32_t position, uint32_t count, uint32_t order)
{
    static const uint32_t factors[] = {1, 17, 27, 11, 33, 13, 23, 7, 29};
    return order == 0 ? position : (position * factors[order] + 7 * order) % count;
}

static uint32_t fixture_of(const struct made *made, uint32_t test)
{
    uint32_t fixture = 0;
    while (fixture < 4 && made->fixtures[fixture] > 0 && test >= made->fixtures[fixture]) {
        fixture++;
    }
    return made->fixtures[0] > 0 ? fixture : test;
}

static void names_send(const struct made *made, struct observed *seen)
{
    for (uint32_t test = 0; test < made->tests; test++) {
        struct wire_test_name name;
        WIRE_INIT(&name, WIRE_TEST_NAME);
        name.test = test;
        name.group = fixture_of(made, test);
        ck_assert(observed_take(seen, &name.head));
    }
}

static void course_make(struct course *course, const struct made *made, uint32_t order)
{
    static struct world world;
    world = (struct world){.order = order};
    course->log = (struct pass_log){0};
    observed_init(&course->seen);
    observed_worker_begins(&course->seen);
    module_send(&course->seen);
    names_send(made, &course->seen);
    made->start(&world);
    for (uint32_t pass = 0; pass < (made->again && order == 0 ? 2 : 1); pass++) {
        for (uint32_t i = 0; i < made->tests; i++) {
            uint32_t test = test_at(i, made->tests, order);
            for (uint32_t site = 0; site < world.site_count; site++) {
                world.sites[site].born = 0;
            }
            made->test(&world, test);
            world.runs++;
            course->seen.round++;
            sites_sent(&world, &course->seen);
            pass_log_boundary(&course->log, test, &course->seen);
        }
        course->log.first_pass = pass == 0 ? course->log.count : course->log.first_pass;
    }
}

static bool is_suppressed(void *context, uint32_t site)
{
    return site == ((const struct made *)context)->suppress;
}

static struct accused left_out;
static struct course courses[PLACE_PASSES + 1];

/* All passes of a suite, of which the last is kept for looking up. */
static struct places_verdict made_judge(struct places *places, struct made *made)
{
    places_init(places, made->tests, &left_out);
    for (uint32_t i = 0; i < made->passes; i++) {
        course_make(&courses[i], made, i);
        places_add(places, &courses[i].log, &courses[i].seen, made->suppress ? is_suppressed : NULL,
                   made);
    }
    return places_judge(places);
}

static void made_over(struct places *places, const struct made *made)
{
    for (uint32_t i = 0; i < made->passes; i++) {
        pass_log_fini(&courses[i].log);
        observed_fini(&courses[i].seen);
    }
    places_fini(places);
    accused_fini(&left_out);
}

/* Suites. -------------------------------------------------------------------------------------- */

static void one_site(struct world *world)
{
    world->site_count = 1;
    world->sites[0].frames[0] = 1;
    world->sites[0].frames[1] = 2;
    world->sites[0].frames[2] = 3;
}

static void cache(struct world *world, uint32_t test)
{
    if (test % 2 == 0) {
        allocate(world, 0, 64);
    }
}

static void least_recent(struct world *world, uint32_t test)
{
    (void)test;
    allocate(world, 0, 64);
    if (world->sites[0].blocks > 5) {
        release(world, 0, 64);
    }
}

static void small_domain(struct world *world, uint32_t test)
{
    if (!world->known[test % 6]) {
        world->known[test % 6] = 1;
        allocate(world, 0, 64);
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

static void gives_back(struct world *world, uint32_t test)
{
    (void)test;
    allocate(world, 0, 64);
    release(world, 0, 64);
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
        {"a lazy table, by whichever test is first",
         {one_site, lazy, TESTS, PASSES, false, 0, {0}},
         0,
         VERDICT_SATURATING,
         0,
         4096},
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
        ck_assert_uint_eq(places.count > 0 ? places.all[PLACE_LEVELS - 1].shown : 0,
                          rows[i].verdict == VERDICT_ACCUMULATES);
        made_over(&places, &made);
    }
}
END_TEST

/* Stacks of the levels: an allocator of the program's own, called by a cache and by a scratch
 * buffer; the cache is called by two kinds of tests. */
static void with_wrapper(struct world *world)
{
    static const int stacks[][4] = {
        {-1, 1, 2, 4}, /* a library's malloc, wrapper, cache, first kind */
        {-1, 1, 2, 5}, /* second kind */
        {1, 3, 4, 6},  /* scratch */
        {-1, -1, 0, 0} /* nothing of the program */
    };
    world->site_count = 4;
    for (int i = 0; i < 4; i++) {
        memcpy(world->sites[i].frames, stacks[i], sizeof stacks[i]);
    }
    world->sites[3].kind = WIRE_SITE_MMAP;
}

static void both_kinds_fill(struct world *world, uint32_t test)
{
    allocate(world, test % 2, 64);
    allocate(world, 2, 100);
    release(world, 2, 100);
}

static void one_kind_fills(struct world *world, uint32_t test)
{
    allocate(world, test % 2, 64);
    if (test % 2 == 1 && world->sites[1].blocks > 3) {
        release(world, 1, 64);
    }
    allocate(world, 2, 100);
    release(world, 2, 100);
}

/* Each of the first two kinds comes to two tests only, together they are four. */
static void few_of_each(struct world *world, uint32_t test)
{
    if (test % 10 == 0) {
        allocate(world, test / 10 % 2, 64);
    }
}

static void in_the_library(struct world *world, uint32_t test)
{
    (void)test;
    allocate(world, 3, 4096);
}

START_TEST(the_finest_place_that_is_accused_is_shown)
{
    static const struct {
        const char *name;
        void (*test)(struct world *world, uint32_t test);
        uint32_t levels[4]; /* of the place that is found for each site; 0: none */
        bool same;          /* the first two sites have one place */
    } rows[] = {
        {"both kinds", both_kinds_fill, {3, 3, 0, 0}, false},
        {"one kind", one_kind_fills, {3, 0, 0, 0}, false},
        {"neither by itself, but both together", few_of_each, {2, 2, 0, 0}, true},
        {"in a library", in_the_library, {0, 0, 0, 3}, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct places places;
        struct made made = {with_wrapper, rows[i].test, TESTS, PASSES, false, 0, {0}};
        ck_assert_int_eq(made_judge(&places, &made).verdict, VERDICT_ACCUMULATES);
        struct place *found[4];
        for (uint32_t site = 0; site < 4; site++) {
            found[site] = places_find_shown(&places, &courses[PASSES - 1].seen, site + 1);
            uint32_t level = found[site] ? found[site]->level : 0;
            ck_assert_msg(level == rows[i].levels[site], "%s: site %u at level %u", rows[i].name,
                          site, level);
        }
        ck_assert_msg((found[0] == found[1]) == rows[i].same, "%s", rows[i].name);
        if (found[3]) {
            ck_assert_uint_eq(found[3]->kind, WIRE_SITE_MMAP);
        }
        ck_assert_ptr_null(places_find_shown(&places, &courses[0].seen, 99));
        made_over(&places, &made);
    }
}
END_TEST

/* A parent is the coarser place of its children: what it holds is their sum. */
START_TEST(a_coarser_place_holds_the_sum_of_the_finer)
{
    struct places places;
    struct made made = {with_wrapper, both_kinds_fill, TESTS, PASSES, false, 0, {0}};
    made_judge(&places, &made);
    int64_t below[3] = {0};
    for (size_t i = 0; i < places.count; i++) {
        const struct place *place = &places.all[i], *parent = &places.all[place->parent];
        below[place->level - 1] += place_end(&places, place).bytes;
        ck_assert(place->level == 1 ? parent == place : parent->level == place->level - 1);
    }
    for (int level = 0; level < 3; level++) {
        ck_assert_int_eq(below[level], TESTS * 64);
    }
    made_over(&places, &made);
}
END_TEST

START_TEST(no_place_is_found_where_there_is_none)
{
    struct places places;
    struct made made = {one_site, cache, TESTS, 1, false, 0, {0}};
    made_judge(&places, &made);
    struct places empty;
    places_init(&empty, TESTS, &left_out);
    ck_assert_ptr_null(places_find_shown(&empty, &courses[0].seen, 1));
    ck_assert_int_eq(places_judge(&empty).verdict, VERDICT_NONE);
    places_fini(&empty);
    ck_assert_ptr_null(places_find_shown(&places, &courses[0].seen, 0));
    ck_assert_ptr_nonnull(places_find_shown(&places, &courses[0].seen, 1));
    made_over(&places, &made);
}
END_TEST

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

/* What an excluded test took away is gone, all the same. */
static void excluded_clears(struct world *world, uint32_t test)
{
    if (test == 20) {
        world->sites[0].blocks = world->sites[0].bytes = 0;
    } else {
        allocate(world, 0, 64);
    }
}

START_TEST(an_excluded_test_may_clear_what_others_left)
{
    struct places places;
    struct made made = {one_site, excluded_clears, TESTS, 1, false, 0, {0}};
    accused_add(&left_out, 20, ACCUSED_WHOLE);
    made_judge(&places, &made);
    ck_assert_int_eq(place_end(&places, &places.all[0]).bytes, 19 * 64);
    made_over(&places, &made);
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

/* Several things at once, all by one wrapper of malloc: a log, a cache, an LRU. */
static void three_things(struct world *world)
{
    static const int stacks[][4] = {{1, 2, 5, 0}, {1, 3, 5, 0}, {1, 4, 5, 0}};
    world->site_count = 3;
    for (int i = 0; i < 3; i++) {
        memcpy(world->sites[i].frames, stacks[i], sizeof stacks[i]);
    }
}

/* Every test appends to the log; half of them have an entry of their own in the cache. */
static void log_beside_cache(struct world *world, uint32_t test)
{
    allocate(world, 0, 1000);
    if (test % 2 == 0 && !world->known[test]) {
        world->known[test] = 1;
        allocate(world, 1, 64);
    }
}

static void log_beside_bounds(struct world *world, uint32_t test)
{
    (void)test;
    allocate(world, 0, 1000);
    allocate(world, 2, 64);
    if (world->sites[2].blocks > 5) {
        release(world, 2, 64);
    }
}

static void all_three(struct world *world, uint32_t test)
{
    log_beside_cache(world, test);
    allocate(world, 2, 64);
    if (world->sites[2].blocks > 5) {
        release(world, 2, 64);
    }
}

/* Test 30 throws the log away, of which nothing was to be counted. */
static void log_is_cleared(struct world *world, uint32_t test)
{
    if (test == 30) {
        world->sites[0].blocks = world->sites[0].bytes = 0;
    } else {
        log_beside_cache(world, test);
    }
}

/* Only three tests come to the cache, and one of them is accused there. */
static void three_entries(struct world *world, uint32_t test)
{
    allocate(world, 0, 1000);
    if (test % 16 == 0) {
        allocate(world, 1, 64);
    }
}

/* The key of a site's finest place. */
static uint64_t key_find(const struct made *made, uint32_t site)
{
    static struct course course;
    course_make(&course, made, 0);
    uint64_t key = place_key(&course.seen, site);
    pass_log_fini(&course.log);
    observed_fini(&course.seen);
    return key;
}

START_TEST(an_accused_place_is_left_out_and_no_other_of_the_same_test)
{
    static const struct {
        const char *name;
        void (*test)(struct world *world, uint32_t test);
        uint32_t accused[2]; /* sites of which all tests are accused, of which test 0 alone */
        enum result_verdict verdict;
        bool shown[3];
        int64_t bytes[4]; /* at the end: of each site's place, and of the wrapper */
    } rows[] = {
        {"nobody is accused",
         log_beside_cache,
         {0, 0},
         VERDICT_ACCUMULATES,
         {true, true, false},
         {40000, 1280, 0, 41280}},
        {"a cache beside a log that every test leaks into",
         log_beside_cache,
         {1, 0},
         VERDICT_ACCUMULATES,
         {false, true, false},
         {0, 1280, 0, 1280}},
        {"an LRU beside such a log",
         log_beside_bounds,
         {1, 0},
         VERDICT_SATURATING,
         {false, false, false},
         {0, 0, 320, 320}},
        {"both beside such a log",
         all_three,
         {1, 0},
         VERDICT_ACCUMULATES,
         {false, true, false},
         {0, 1280, 320, 1600}},
        {"the cache is accused",
         log_beside_cache,
         {2, 0},
         VERDICT_ACCUMULATES,
         {true, false, false},
         {40000, 0, 0, 40000}},
        {"one test is accused of the cache, too",
         log_beside_cache,
         {1, 2},
         VERDICT_ACCUMULATES,
         {false, true, false},
         {0, 1216, 0, 1216}},
        {"what was left out is thrown away",
         log_is_cleared,
         {1, 0},
         VERDICT_ACCUMULATES,
         {false, true, false},
         {0, 1216, 0, 1216}},
        {"three tests fill the cache",
         three_entries,
         {1, 0},
         VERDICT_ACCUMULATES,
         {false, true, false},
         {0, 192, 0, 192}},
        {"two, and one that is accused of it",
         three_entries,
         {1, 2},
         VERDICT_CLEAN,
         {false, false, false},
         {0, 128, 0, 128}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct places places;
        struct made made = {three_things, rows[i].test, TESTS, PASSES, false, 0, {0}};
        for (uint32_t test = 0; test < TESTS && rows[i].accused[0] > 0; test++) {
            accused_add(&left_out, test, key_find(&made, rows[i].accused[0]));
        }
        if (rows[i].accused[1] > 0) {
            accused_add(&left_out, 0, key_find(&made, rows[i].accused[1]));
        }
        enum result_verdict verdict = made_judge(&places, &made).verdict;
        ck_assert_msg(verdict == rows[i].verdict, "%s: %s", rows[i].name,
                      result_verdict_name(verdict));
        int64_t bytes[4] = {0};
        bool shown[3] = {false};
        for (size_t k = 0; k < places.count; k++) {
            int64_t held = place_end(&places, &places.all[k]).bytes;
            bytes[3] += places.all[k].level == 1 ? held : 0;
            for (uint32_t site = 0; site < 3; site++) {
                if (site + 1 < courses[0].seen.site_count &&
                    places.all[k].key == place_key(&courses[0].seen, site + 1)) {
                    bytes[site] = held;
                    shown[site] = places.all[k].shown;
                }
            }
        }
        for (int site = 0; site < 4; site++) {
            ck_assert_msg(bytes[site] == rows[i].bytes[site], "%s: %lld B of %d", rows[i].name,
                          (long long)bytes[site], site);
            ck_assert_msg(site == 3 || shown[site] == rows[i].shown[site], "%s: %d", rows[i].name,
                          site);
        }
        made_over(&places, &made);
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

START_TEST(all_places_that_hold_something_can_be_shown)
{
    struct places places;
    struct made made = {with_wrapper, few_of_each, TESTS, 1, false, 0, {0}};
    made_judge(&places, &made);
    places_show_all(&places);
    for (size_t i = 0; i < places.count; i++) {
        ck_assert_int_eq(places.all[i].shown, places.all[i].level == PLACE_LEVELS);
    }
    made_over(&places, &made);
    made.test = gives_back;
    made_judge(&places, &made);
    places_show_all(&places);
    for (size_t i = 0; i < places.count; i++) {
        ck_assert(!places.all[i].shown);
    }
    made_over(&places, &made);
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

/* Each site is a place of its own: seven functions in three places of the stack, and kinds. */
static void many_sites(struct world *world)
{
    world->site_count = 686;
    for (uint32_t i = 0; i < world->site_count; i++) {
        world->sites[i].frames[0] = 1 + (int)(i / 49 % 7);
        world->sites[i].frames[1] = 1 + (int)(i / 7 % 7);
        world->sites[i].frames[2] = 1 + (int)(i % 7);
        world->sites[i].kind = i / 343 ? WIRE_SITE_MMAP : WIRE_SITE_HEAP;
    }
}

static void at_all_sites(struct world *world, uint32_t test)
{
    for (uint32_t i = 0; i < world->site_count; i++) {
        allocate(world, i, 1 + i + test);
    }
}

START_TEST(thousands_of_places_are_kept_apart)
{
    struct places places;
    struct made made = {many_sites, at_all_sites, 10, 2, false, 0, {0}};
    ck_assert_int_eq(made_judge(&places, &made).verdict, VERDICT_ACCUMULATES);
    ck_assert_uint_eq(places.count, 2 * (7 + 49 + 343));
    for (uint32_t site = 0; site < 686; site++) {
        const struct place *place = places_find_shown(&places, &courses[0].seen, site + 1);
        ck_assert_ptr_nonnull(place);
        ck_assert_uint_eq(place->level, 3);
        ck_assert_int_eq(place_end(&places, place).bytes, 10 * (1 + site) + 45);
        ck_assert_int_eq(place_end(&places, place).blocks, 10);
    }
    made_over(&places, &made);
}
END_TEST

SUITE("place", &suites_come_to_their_verdicts, &the_finest_place_that_is_accused_is_shown,
      &a_coarser_place_holds_the_sum_of_the_finer, &no_place_is_found_where_there_is_none,
      &a_second_pass_is_beside_the_first, &what_each_test_left_is_told_without_the_excluded,
      &an_excluded_test_may_clear_what_others_left,
      &what_the_last_fixture_will_give_back_is_not_held_against_it,
      &each_place_has_its_own_second_pass, &a_suite_is_what_is_worst_of_its_places,
      &an_accused_place_is_left_out_and_no_other_of_the_same_test,
      &all_places_that_hold_something_can_be_shown, &blocks_without_bytes_are_held,
      &thousands_of_places_are_kept_apart)
