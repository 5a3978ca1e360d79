/* place_test.c - sites become places of three levels; what tests are accused of is left out. */
#include "harness/campaign/place_fixture.h"

#include <malloc.h>

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

static void in_the_library(struct world *world, uint32_t test)
{
    (void)test;
    allocate(world, 3, 4096);
}

START_TEST(the_finest_place_that_is_accused_is_shown)
{
    static const struct {
        const char *name;
        void (*start)(struct world *world);
        void (*test)(struct world *world, uint32_t test);
        uint32_t levels[4]; /* of the place that is found for each site; 0: none */
        bool same;          /* the first two sites have one place */
    } rows[] = {
        {"both kinds", with_wrapper, both_kinds_fill, {3, 3, 0, 0}, false},
        {"one kind", with_wrapper, one_kind_fills, {3, 0, 0, 0}, false},
        {"neither by itself, but both together", with_wrapper, few_of_each, {2, 2, 0, 0}, true},
        {"by their wrapper only", three_things, two_of_each, {1, 1, 0, 0}, true},
        {"in a library", with_wrapper, in_the_library, {0, 0, 0, 3}, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct places places;
        struct made made = {rows[i].start, rows[i].test, TESTS, PASSES, false, 0, {0}};
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

static void kinds_and_library(struct world *world, uint32_t test)
{
    both_kinds_fill(world, test);
    in_the_library(world, test);
}

/* A parent is the coarser place of its children: what it holds is their sum. */
START_TEST(a_coarser_place_holds_the_sum_of_the_finer)
{
    struct places places;
    struct made made = {with_wrapper, kinds_and_library, TESTS, PASSES, false, 0, {0}};
    made_judge(&places, &made);
    int64_t below[3] = {0}, of_children[16] = {0};
    ck_assert_uint_eq(places.count, 9); /* two of level 1, three of level 2, four of level 3 */
    for (size_t i = 0; i < places.count; i++) {
        const struct place *place = &places.all[i], *parent = &places.all[place->parent];
        int64_t bytes = place_end(&places, place).bytes;
        below[place->level - 1] += bytes;
        of_children[place->parent] += place->level > 1 ? bytes : 0;
        ck_assert(place->level == 1 ? place->parent == 0 : parent->level == place->level - 1);
    }
    for (int level = 0; level < 3; level++) {
        ck_assert_int_eq(below[level], TESTS * (64 + 4096));
    }
    for (size_t i = 0; i < places.count; i++) {
        int64_t bytes = place_end(&places, &places.all[i]).bytes;
        ck_assert_int_eq(of_children[i], places.all[i].level < 3 ? bytes : 0);
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

/* Test 5 adds a block without bytes; test 7 makes a block of a byte that was there, and so adds
 * nothing. */
static void excluded_adds_least(struct world *world, uint32_t test)
{
    if (test == 3) {
        allocate(world, 0, 100);
    } else if (test == 5) {
        allocate(world, 0, 0);
    } else if (test == 7) {
        allocate(world, 0, -1);
    }
}

START_TEST(what_an_excluded_test_added_is_left_out_however_little)
{
    struct places places;
    struct made made = {one_site, excluded_adds_least, TESTS, 1, false, 0, {0}};
    accused_add(&left_out, 5, ACCUSED_WHOLE);
    accused_add(&left_out, 7, ACCUSED_WHOLE);
    made_judge(&places, &made);
    ck_assert_int_eq(place_end(&places, &places.all[0]).blocks, 2);
    ck_assert_int_eq(place_end(&places, &places.all[0]).bytes, 99);
    made_over(&places, &made);
}
END_TEST

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

/* Return addresses of the program's functions are 1 to 7 here, those of no module 16 and more. */
struct stack {
    uint32_t kind, count;
    uint64_t frames[5];
};

static uint64_t key_of(struct observed *seen, const struct stack *stack)
{
    struct wire_site site;
    WIRE_INIT(&site, WIRE_SITE);
    site.site = site.family = (uint32_t)seen->site_count + 1;
    site.kind = stack->kind;
    site.frame_count = stack->count;
    for (uint32_t i = 0; i < stack->count; i++) {
        bool own = stack->frames[i] < 16;
        site.frames[i] =
            own ? (uint64_t)(uintptr_t)functions[stack->frames[i] - 1] + 1 : stack->frames[i];
    }
    ck_assert(observed_take(seen, &site.head));
    struct observed_site *made = &seen->sites[site.site];
    made->frames[stack->count] = (uint64_t)(uintptr_t)place_test_17 + 1; /* not one of them */
    return place_key(seen, site.site);
}

START_TEST(a_place_is_the_three_innermost_frames_of_the_programs_own)
{
    static const struct {
        const char *name;
        struct stack one, two;
        bool same;
    } rows[] = {
        {"the same", {0, 3, {1, 2, 3}}, {0, 3, {1, 2, 3}}, true},
        {"of another kind", {0, 3, {1, 2, 3}}, {1, 3, {1, 2, 3}}, false},
        {"another innermost", {0, 3, {1, 2, 3}}, {0, 3, {4, 2, 3}}, false},
        {"another caller", {0, 3, {1, 2, 3}}, {0, 3, {1, 4, 3}}, false},
        {"another caller of that", {0, 3, {1, 2, 3}}, {0, 3, {1, 2, 4}}, false},
        {"another caller of that one", {0, 4, {1, 2, 3, 4}}, {0, 4, {1, 2, 3, 5}}, true},
        {"in another order", {0, 3, {1, 2, 3}}, {0, 3, {2, 1, 3}}, false},
        {"the system's libraries in between", {0, 3, {1, 2, 3}}, {0, 5, {16, 1, 2, 32, 3}}, true},
        {"a shorter one", {0, 3, {1, 2, 3}}, {0, 2, {1, 2}}, false},
        {"short ones alike", {0, 2, {1, 2}}, {0, 3, {1, 2, 16}}, true},
        {"only the system's libraries", {0, 2, {16, 32}}, {0, 2, {16, 48}}, true},
        {"others of them", {0, 2, {16, 32}}, {0, 2, {32, 16}}, false},
        {"one of them", {0, 1, {16}}, {0, 1, {32}}, false},
        {"one of them and none", {0, 1, {16}}, {0, 0, {0}}, false},
        {"no stack", {0, 0, {0}}, {0, 0, {0}}, true},
        {"no stack of another kind", {0, 0, {0}}, {1, 0, {0}}, false},
    };
    struct observed seen;
    observed_init(&seen);
    observed_worker_begins(&seen);
    module_send(&seen);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool same = key_of(&seen, &rows[i].one) == key_of(&seen, &rows[i].two);
        ck_assert_msg(same == rows[i].same, "%s", rows[i].name);
    }
    observed_fini(&seen);
}
END_TEST

/* 1,090 tests need 137 bytes, of blocks that are 16 longer each. */
START_TEST(there_is_a_bit_for_each_test)
{
    struct places places;
    struct made made = {one_site, cache, 2, 1, false, 0, {0}};
    course_make(&courses[0], &made, 0);
    places_init(&places, 1090, &left_out);
    places_add(&places, &courses[0].log, &courses[0].seen, NULL, NULL);
    ck_assert_uint_eq(places.count, PLACE_LEVELS);
    for (size_t i = 0; i < places.count; i++) {
        ck_assert_uint_ge(malloc_usable_size(places.all[i].touched), 137);
    }
    made_over(&places, &made);
}
END_TEST

/* The last boundary is of a test that has no number. */
START_TEST(each_pass_keeps_its_order_and_who_touches)
{
    struct places places;
    struct made made = {one_site, cache, TESTS, 2, false, 0, {10, 30}};
    places_init(&places, TESTS, &left_out);
    for (uint32_t pass = 0; pass < 2; pass++) {
        struct course *course = &courses[pass];
        struct wire_site site;
        course_make(course, &made, pass);
        WIRE_INIT(&site, WIRE_SITE);
        site.site = site.family = 1;
        site.live_blocks = 100;
        site.born_blocks = 80;
        course->seen.round++;
        ck_assert(observed_take(&course->seen, &site.head));
        pass_log_boundary(&course->log, TESTS, &course->seen);
        places_add(&places, &course->log, &course->seen, NULL, NULL);
        ck_assert_uint_eq(places.passes[pass].count, TESTS + 1);
        for (uint32_t i = 0; i < TESTS; i++) {
            uint32_t test = test_at(i, TESTS, pass);
            ck_assert_uint_eq(places.passes[pass].tests[i], test);
            ck_assert_uint_eq(places.passes[pass].groups[i], (test >= 10) + (test >= 30));
        }
        ck_assert_uint_eq(places.passes[pass].tests[TESTS], TESTS);
        ck_assert_uint_eq(places.passes[pass].groups[TESTS], TESTS);
    }
    for (uint32_t test = 0; test <= TESTS; test++) {
        bool touched = (places.all[0].touched[test / 8] >> test % 8 & 1) != 0;
        ck_assert_msg(touched == (test < TESTS && test % 2 == 0), "test %u", test);
    }
    made_over(&places, &made);
}
END_TEST

SUITE("place", &the_finest_place_that_is_accused_is_shown,
      &a_coarser_place_holds_the_sum_of_the_finer, &no_place_is_found_where_there_is_none,
      &an_excluded_test_may_clear_what_others_left,
      &what_an_excluded_test_added_is_left_out_however_little,
      &an_accused_place_is_left_out_and_no_other_of_the_same_test,
      &thousands_of_places_are_kept_apart,
      &a_place_is_the_three_innermost_frames_of_the_programs_own, &there_is_a_bit_for_each_test,
      &each_pass_keeps_its_order_and_who_touches)
