/* repeat_family_test.c - sites that become one family, by realloc, while a test is repeated. */
#include "harness/campaign/repeat_fixture.h"

/* One block that two functions let grow in turn: neither has a floor that rises. */
static void in_turn(struct world *world, unsigned call)
{
    world->sites[2].family = 1;
    for (uint32_t site = 1; site <= 2; site++) {
        bool here = call % 2 == site - 1;
        world->sites[site].blocks = here;
        world->sites[site].bytes = here ? 1000 * (int64_t)call : 0;
    }
}

/* The same, known for one only from call 100 on; until then it grew at two places. */
static void joins_later(struct world *world, unsigned call)
{
    world->sites[4].family = call > 100 ? 3 : 0;
    heap_add(world, 3 + call % 2, 1, 100);
}

/* The root moves later than the other, so its place is made after the other's. */
static void root_comes_later(struct world *world, unsigned call)
{
    world->sites[4].family = call > 200 ? 3 : 0;
    heap_add(world, call > 100 ? 3 : 4, 1, 100);
}

static void keeps_at_two_sites(struct world *world, unsigned call)
{
    heap_add(world, 3, call == 1, call == 1 ? 70 : 0);
    heap_add(world, 4, call == 1 ? 10 : 0, call == 1 ? 100000 : 0);
}

/* What a family held before it was joined is no growth, whether or not its sites moved. */
static void joins_what_was_there(struct world *world, unsigned call)
{
    if (call == 900) {
        world->sites[4].family = 3;
    }
    heap_add(world, 3, call % 2 ? 1 : -1, call % 2 ? 8 : -8);
}

static void joins_to_what_was_there(struct world *world, unsigned call)
{
    if (call == 900) {
        world->sites[4].family = 3;
    }
    heap_add(world, 4, call % 2 ? 1 : -1, call % 2 ? 8 : -8);
}

static void joins_and_grows(struct world *world, unsigned call)
{
    world->sites[5].family = call > 300 ? 4 : 0;
    world->sites[4].family = call > 500 ? 3 : 0;
    heap_add(world, 5 - call % 2, 1, 100);
}

static const struct row rows[] = {
    {.name = "one block that two sites let grow in turn",
     .call = in_turn,
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .growers = 1,
     .site = 1,
     .per_call = 1000},
    {.name = "two sites that become one family",
     .call = joins_later,
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .growers = 1,
     .site = 3,
     .per_call = 100},
    {.name = "a family whose first site moves last",
     .call = root_comes_later,
     .earlier = keeps_at_two_sites,
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .growers = 1,
     .site = 3,
     .per_call = 100},
    {.name = "a family that joins what did not move",
     .call = joins_what_was_there,
     .earlier = keeps_at_two_sites,
     .verdict = CALLS_LEVEL,
     .calls = 1024,
     .site = 4},
    {.name = "a family that joins to what did not move",
     .call = joins_to_what_was_there,
     .earlier = keeps_at_two_sites,
     .verdict = CALLS_LEVEL,
     .calls = 1024,
     .site = 4},
    {.name = "a family that is joined twice",
     .call = joins_and_grows,
     .earlier = keeps_at_two_sites,
     .verdict = CALLS_GROWS,
     .calls = 4096,
     .growers = 1,
     .site = 4,
     .per_call = 100},
};

START_TEST(families_come_to_their_verdicts)
{
    rows_check(rows, sizeof rows / sizeof rows[0]);
}
END_TEST

START_TEST(a_family_holds_the_sum_of_its_sites_from_the_first_call_on)
{
    static struct scripted worker;
    static const struct row row = {.call = joins_later, .limits = {.most = 256}};
    struct repeat repeat;
    scripted_begin(&worker);
    scripted_run(&worker, &repeat, &row);
    ck_assert_uint_eq(repeat.place_count, 1);
    ck_assert_uint_eq(repeat.places[0].series.count, repeat.live_count);
    for (size_t i = 0; i < 6; i++) { /* three calls, then one by one */
        ck_assert_int_eq(repeat.places[0].series.spans[i].floor, 101 * (int64_t)(3 + i));
        ck_assert_int_eq(repeat.places[0].blocks.spans[i].floor, (int64_t)(3 + i));
    }
    repeat_fini(&repeat);
    observed_fini(&worker.seen);
}
END_TEST

SUITE("repeat_family", &families_come_to_their_verdicts,
      &a_family_holds_the_sum_of_its_sites_from_the_first_call_on)
