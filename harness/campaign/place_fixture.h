/*
 * place_fixture.h - made-up suites over several passes: a function says what a test does to the
 * sites of its process, tests run in order and shuffled, and every boundary goes through pass_log.c
 * as a worker's would. Stacks are functions of this file, so that places have lines. For tests
 * only.
 */
#ifndef CAMPAIGN_PLACE_FIXTURE_H
#define CAMPAIGN_PLACE_FIXTURE_H

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
    __attribute__((noinline)) static int place_test_##number(int value)                            \
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

static inline void allocate(struct world *world, uint32_t site, int64_t bytes)
{
    world->sites[site].blocks++;
    world->sites[site].bytes += bytes;
    world->sites[site].born++;
}

static inline void release(struct world *world, uint32_t site, int64_t bytes)
{
    world->sites[site].blocks--;
    world->sites[site].bytes -= bytes;
}

static inline void sites_sent(const struct world *world, struct observed *seen)
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

static inline int module_find(struct dl_phdr_info *info, size_t size, void *base)
{
    (void)size;
    *(uint64_t *)base = info->dlpi_addr;
    return 1; /* the first is the program */
}

static inline void module_send(struct observed *seen)
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
static inline uint32_t test_at(uint32_t position, uint32_t count, uint32_t order)
{
    static const uint32_t factors[] = {1, 17, 27, 11, 33, 13, 23, 7, 29};
    return order == 0 ? position : (position * factors[order] + 7 * order) % count;
}

static inline uint32_t fixture_of(const struct made *made, uint32_t test)
{
    uint32_t fixture = 0;
    while (fixture < 4 && made->fixtures[fixture] > 0 && test >= made->fixtures[fixture]) {
        fixture++;
    }
    return made->fixtures[0] > 0 ? fixture : test;
}

static inline void names_send(const struct made *made, struct observed *seen)
{
    for (uint32_t test = 0; test < made->tests; test++) {
        struct wire_test_name name;
        WIRE_INIT(&name, WIRE_TEST_NAME);
        name.test = test;
        name.group = fixture_of(made, test);
        ck_assert(observed_take(seen, &name.head));
    }
}

static inline void course_make(struct course *course, const struct made *made, uint32_t order)
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

static inline bool is_suppressed(void *context, uint32_t site)
{
    return site == ((const struct made *)context)->suppress;
}

static struct accused left_out;
static struct course courses[PLACE_PASSES + 1];

/* All passes of a suite, of which the last is kept for looking up. */
static inline struct places_verdict made_judge(struct places *places, struct made *made)
{
    places_init(places, made->tests, &left_out);
    for (uint32_t i = 0; i < made->passes; i++) {
        course_make(&courses[i], made, i);
        places_add(places, &courses[i].log, &courses[i].seen, made->suppress ? is_suppressed : NULL,
                   made);
    }
    return places_judge(places);
}

static inline void made_over(struct places *places, const struct made *made)
{
    for (uint32_t i = 0; i < made->passes; i++) {
        pass_log_fini(&courses[i].log);
        observed_fini(&courses[i].seen);
    }
    places_fini(places);
    accused_fini(&left_out);
}

static inline void one_site(struct world *world)
{
    world->site_count = 1;
    world->sites[0].frames[0] = 1;
    world->sites[0].frames[1] = 2;
    world->sites[0].frames[2] = 3;
}

static inline void cache(struct world *world, uint32_t test)
{
    if (test % 2 == 0) {
        allocate(world, 0, 64);
    }
}

static inline void small_domain(struct world *world, uint32_t test)
{
    if (!world->known[test % 6]) {
        world->known[test % 6] = 1;
        allocate(world, 0, 64);
    }
}

static inline void gives_back(struct world *world, uint32_t test)
{
    (void)test;
    allocate(world, 0, 64);
    release(world, 0, 64);
}

/* Stacks of the levels: an allocator of the program's own, called by a cache and by a scratch
 * buffer; the cache is called by two kinds of tests. */
static inline void with_wrapper(struct world *world)
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

/* Each of the first two kinds comes to two tests only, together they are four. */
static inline void few_of_each(struct world *world, uint32_t test)
{
    if (test % 10 == 0) {
        allocate(world, test / 10 % 2, 64);
    }
}

/* Several things at once, all by one wrapper of malloc: a log, a cache, an LRU. */
static inline void three_things(struct world *world)
{
    static const int stacks[][4] = {{1, 2, 5, 0}, {1, 3, 5, 0}, {1, 4, 5, 0}};
    world->site_count = 3;
    for (int i = 0; i < 3; i++) {
        memcpy(world->sites[i].frames, stacks[i], sizeof stacks[i]);
    }
}

/* Each by two tests only: only their wrapper is touched by more. */
static inline void two_of_each(struct world *world, uint32_t test)
{
    if (test % 10 == 0) {
        allocate(world, test / 10 % 2, 64);
    }
}

/* Every test appends to the log; half of them have an entry of their own in the cache. */
static inline void log_beside_cache(struct world *world, uint32_t test)
{
    allocate(world, 0, 1000);
    if (test % 2 == 0 && !world->known[test]) {
        world->known[test] = 1;
        allocate(world, 1, 64);
    }
}

#endif
