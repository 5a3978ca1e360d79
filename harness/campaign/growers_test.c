/* growers_test.c - what a repeated test is accused of, in which order. */
#include "harness/campaign/repeat_fixture.h"

static void four_growers(struct world *world, unsigned call)
{
    heap_add(world, 1, 1, 10);
    heap_add(world, 2, 1, 500);
    heap_add(world, 3, 1, 100);
    heap_add(world, 4, 1, 100);
    heap_add(world, 5, 1, 9000);
    heap_add(world, 6, call == 30, call == 30 ? 1000000 : 0); /* a step is no growth */
    heap_add(world, 7, call == 2000, call == 2000 ? 2000000 : 0);
}

START_TEST(places_stand_by_what_they_grow_and_suppressed_ones_after_them)
{
    static struct scripted worker;
    static const struct row row = {.call = four_growers, .suppressed = 1 << 5};
    static const uint32_t order[] = {2, 3, 4, 1, 7, 5, 6};
    struct repeat repeat;
    scripted_begin(&worker);
    scripted_run(&worker, &repeat, &row);
    ck_assert_int_eq(repeat.verdict, CALLS_GROWS);
    ck_assert_uint_eq(repeat.place_count, 7);
    for (size_t i = 0; i < 7; i++) {
        ck_assert_msg(repeat.places[i].family == order[i], "place %zu is of %u", i,
                      repeat.places[i].family);
        ck_assert_int_eq(repeat.places[i].suppressed, order[i] == 5);
        ck_assert_uint_eq(repeat.places[i].series.count, repeat.live_count);
        ck_assert_uint_eq(repeat.places[i].blocks.count, repeat.live_count);
    }
    ck_assert_uint_eq(repeat_growers(&repeat), 4);
    ck_assert_double_eq(repeat.places[0].bytes_per_call, 500);
    ck_assert_double_eq(repeat.places[0].answer.per_call, 501);
    repeat_fini(&repeat);
    observed_fini(&worker.seen);
}
END_TEST

START_TEST(growers_are_those_that_grow_or_else_those_that_rose)
{
    static const struct {
        struct series_answer answers[4];
        size_t count, growers;
    } sets[] = {
        {{{.shape = SERIES_GROWS, .per_call = 5},
          {.shape = SERIES_GROWS, .per_call = 4},
          {.shape = SERIES_OPEN, .per_call = 3}},
         3,
         2},
        {{{.shape = SERIES_OPEN, .per_call = 5}, {.shape = SERIES_LEVEL, .per_call = 1}, {0}},
         3,
         2},
        {{{.shape = SERIES_OPEN, .per_call = 5}, {.shape = SERIES_OPEN}}, 2, 1},
        {{{.shape = SERIES_LEVEL}}, 1, 0},
        {{{.shape = SERIES_GROWS, .per_call = 5}}, 1, 1},
        {{{.shape = SERIES_GROWS, .per_call = 5}, {.shape = SERIES_OPEN, .per_call = 4}}, 2, 1},
        {{{0}}, 0, 0},
    };
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct repeat_place places[4];
        for (size_t k = 0; k < 4; k++) {
            places[k] = (struct repeat_place){.answer = sets[i].answers[k]};
        }
        struct repeat repeat = {.places = places, .place_count = sets[i].count};
        ck_assert_msg(repeat_growers(&repeat) == sets[i].growers, "set %zu: %zu", i,
                      repeat_growers(&repeat));
    }
}
END_TEST

/* One text of 50 B more a call, copied into a block of another of three sites each time. Site 4
 * has a larger cache, which is full after 60 calls, and site 5 swings above what it always has. */
static void handed_on(struct world *world, unsigned call)
{
    for (uint32_t site = 1; site <= 3; site++) {
        bool holds = call % 3 + 1 == site;
        world->sites[site].blocks = holds;
        world->sites[site].bytes = holds ? 50 * call : 0;
    }
    heap_add(world, 4, call <= 60, call <= 60 ? 100000 : 0);
    world->sites[5].blocks = 5 + call % 5;
    world->sites[5].bytes = 1000 * (5 + call % 5);
}

static void descriptors_handed_on(struct world *world, unsigned call)
{
    for (uint32_t site = 1; site <= 3; site++) {
        world->sites[site].kind = WIRE_SITE_FD;
        world->sites[site].blocks = call % 3 + 1 == site ? call : 0;
    }
    world->at.fds = 3 + call;
}

static void mappings_handed_on(struct world *world, unsigned call)
{
    for (uint32_t site = 1; site <= 3; site++) {
        bool holds = call % 3 + 1 == site;
        world->sites[site].kind = WIRE_SITE_MMAP;
        world->sites[site].blocks = holds;
        world->sites[site].bytes = holds ? 4096 * call : 0;
    }
    world->at.mappings = 1;
    world->at.mapped_bytes = 4096 * call;
}

/* Slowly, and the suppressed site 1 faster. */
static void two_rise_slowly(struct world *world, unsigned call)
{
    world->sites[1].blocks = call / 3;
    world->sites[2].blocks = call / 5;
}

/* Only the sum moves: there is no site of it. */
static void nowhere(struct world *world, unsigned call)
{
    (void)call;
    world->at.live_bytes += 64;
}

START_TEST(what_no_place_explains_is_carried_by_those_that_hold_it_now)
{
    static const struct {
        const char *name;
        struct row row; /* its verdict, calls and growers; the site and rates of the first */
        int64_t carried;
        double bytes;
    } sets[] = {
        {"a text beside a cache",
         {.call = handed_on,
          .verdict = CALLS_GROWS,
          .calls = 4096,
          .growers = 1,
          .site = 2,
          .per_call = 204801. / 4093},
         204801,
         204800. / 4093},
        {"it is suppressed",
         {.call = handed_on,
          .suppressed = 1 << 2,
          .verdict = CALLS_GROWS,
          .calls = 4096,
          .growers = 1,
          .site = 2,
          .per_call = 204801. / 4093},
         204801,
         204800. / 4093},
        {"others are suppressed",
         {.call = handed_on,
          .suppressed = 1 << 4 | 1 << 5,
          .verdict = CALLS_GROWS,
          .calls = 4096,
          .growers = 1,
          .site = 2,
          .per_call = 204801. / 4093},
         204801,
         204800. / 4093},
        {"in few calls the cache still rises",
         {.call = handed_on,
          .limits = {.most = 100},
          .verdict = CALLS_UNSURE,
          .calls = 96,
          .growers = 1,
          .site = 4,
          .per_call = 100001},
         0,
         100000},
        {"descriptors",
         {.call = descriptors_handed_on,
          .verdict = CALLS_GROWS,
          .calls = 320,
          .growers = 1,
          .site = 3,
          .per_call = 320. / 317},
         320,
         0},
        {"mappings",
         {.call = mappings_handed_on,
          .limits = {.most = 1024},
          .verdict = CALLS_GROWS,
          .calls = 1024,
          .growers = 1,
          .site = 2,
          .per_call = (4096. * 1024 + 1) / 1021},
         4096 * 1024 + 1,
         4096. * 1024 / 1021},
        {"no place at all", {.call = nowhere, .verdict = CALLS_GROWS, .calls = 4096}, 0, 0},
    };
    static struct scripted worker;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        const struct row *row = &sets[i].row;
        struct repeat repeat;
        scripted_begin(&worker);
        scripted_run(&worker, &repeat, row);
        ck_assert_msg(repeat.verdict == row->verdict && repeat.calls == row->calls,
                      "%s: verdict %d after %u calls", sets[i].name, repeat.verdict, repeat.calls);
        ck_assert_msg(repeat_growers(&repeat) == row->growers, "%s: %zu", sets[i].name,
                      repeat_growers(&repeat));
        for (size_t k = 0; k < row->growers; k++) {
            const struct repeat_place *first = &repeat.places[k];
            ck_assert_msg(first->site == row->site, "%s: site %u", sets[i].name, first->site);
            ck_assert_msg(first->carried == sets[i].carried, "%s: %lld", sets[i].name,
                          (long long)first->carried);
            ck_assert_int_eq(first->carries, sets[i].carried > 0);
            ck_assert_int_eq(first->suppressed, row->suppressed >> row->site & 1);
            ck_assert_double_eq_tol(first->answer.per_call, row->per_call, 1e-9);
            ck_assert_double_eq_tol(first->bytes_per_call, sets[i].bytes, 1e-9);
        }
        repeat_fini(&repeat);
        observed_fini(&worker.seen);
    }
    struct repeat repeat;
    static const struct row slow = {
        .call = two_rise_slowly, .suppressed = 1 << 1, .limits = {.most = 30}};
    scripted_begin(&worker);
    scripted_run(&worker, &repeat, &slow);
    ck_assert_int_eq(repeat.verdict, CALLS_UNSURE);
    ck_assert_uint_eq(repeat.places[0].site, 2);
    ck_assert_uint_eq(repeat.places[1].site, 1);
    repeat_fini(&repeat);
    observed_fini(&worker.seen);
}
END_TEST

/* One thing at each of two places is what a kind grew by. */
START_TEST(a_single_thing_is_carried)
{
    static struct scripted worker;
    static const struct row row = {.name = "by hand"};
    struct repeat_place places[2] = {{.family = 1, .kind = WIRE_SITE_FD},
                                     {.family = 2, .kind = WIRE_SITE_FD}};
    struct repeat repeat = {.calls = 64, .places = places, .place_count = 2};
    struct repeat_ask ask = {
        .self = &worker, .suppressed = scripted_suppressed, .seen = &worker.seen};
    scripted_begin(&worker);
    worker.row = &row;
    for (uint32_t i = 0; i < 2; i++) {
        struct wire_site site;
        WIRE_INIT(&site, WIRE_SITE);
        site.site = site.family = i + 1;
        site.kind = WIRE_SITE_FD;
        site.live_blocks = i == 0;
        ck_assert(observed_take(&worker.seen, &site.head));
        series_add(&places[i].series, 3, 0);
        series_add(&places[i].blocks, 3, 0);
    }
    repeat.sum_answers[REPEAT_FDS].shape = SERIES_GROWS;
    growers_conclude(&repeat, &ask);
    ck_assert_uint_eq(repeat_growers(&repeat), 1);
    ck_assert_uint_eq(places[0].family, 1);
    ck_assert_int_eq(places[0].carried, 1);
    ck_assert(!places[1].carries);
    observed_fini(&worker.seen);
}
END_TEST

SUITE("growers", &places_stand_by_what_they_grow_and_suppressed_ones_after_them,
      &growers_are_those_that_grow_or_else_those_that_rose,
      &what_no_place_explains_is_carried_by_those_that_hold_it_now, &a_single_thing_is_carried)
