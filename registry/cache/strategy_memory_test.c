/*
 * strategy_memory_test.c - strategies under a malloc that counts and that fails on demand
 * (failing_malloc.h), once and for good.
 */
#include "registry/strategy.h"

#include "harness/base/suite.h"
#include "registry/cache/strategy_fake.h"

#include "registry/cache/failing_malloc.h"

static const struct strategy_options bounds = {.entries = 64};

START_TEST(bounded_strategies_allocate_nothing_after_init)
{
    for (const struct strategy *const *at = strategies; *at; at++) {
        if (!((*at)->traits & STRATEGY_BOUNDED)) {
            continue;
        }
        struct fake fake = {.keys = 400};
        struct strategy_source source = fake_source(&fake);
        struct made made;
        uint64_t random = 5;
        ck_assert(made_init(&made, *at, &source, &bounds));
        uint64_t before = malloc_calls;
        for (int step = 0; step < 20000; step++) {
            uint32_t key = (uint32_t)(fake_random(&random) % 450);
            int got = made_get(&made, key);
            if (step % 1000 == 999) {
                (*at)->reset(made.state);
            } else if (step % 10 == 9) {
                made_drop(&made, key);
            }
            if (malloc_calls != before || got != (key < 400)) {
                ck_abort_msg("%s allocated at step %d", (*at)->name, step);
            }
        }
        made_fini(&made);
    }
}
END_TEST

START_TEST(nothing_is_left_after_fini)
{
    for (const struct strategy *const *at = strategies; *at; at++) {
        struct fake fake = {.keys = 400};
        struct strategy_source source = fake_source(&fake);
        struct made made;
        int64_t before = malloc_live;
        ck_assert(made_init(&made, *at, &source, &bounds));
        for (uint32_t i = 0; i < 1000; i++) {
            made_get(&made, i % 420);
        }
        made_fini(&made);
        ck_assert_int_eq(malloc_live, before);
    }
}
END_TEST

static void init_without_each(const struct strategy *strategy)
{
    struct fake fake = {.keys = 400};
    struct strategy_source source = fake_source(&fake);
    struct made made = {.state = aligned_alloc(64, (strategy->state_bytes + 63) / 64 * 64)};
    bool made_it = false;
    for (uint64_t nth = 1; !made_it; nth++) {
        int64_t before = malloc_live;
        ck_assert_uint_lt(nth, 200);
        malloc_fired = false;
        malloc_fail_in = nth;
        made_it = strategy->init(made.state, &source, &bounds);
        malloc_fail_in = 0;
        ck_assert_msg(made_it != malloc_fired, "%s, allocation %llu", strategy->name,
                      (unsigned long long)nth);
        ck_assert(made_it || malloc_live == before);
    }
    strategy->fini(made.state);
    free(made.state);
}

START_TEST(each_allocation_that_fails_in_init_is_reported_and_leaks_nothing)
{
    for (int for_good = 0; for_good < 2; for_good++) {
        malloc_fail_for_good = for_good;
        for (const struct strategy *const *at = strategies; *at; at++) {
            init_without_each(*at);
        }
    }
}
END_TEST

/* How a life of 1,000 look-ups, and as many after memory has come back, ends with the nth failing.
 */
static void live_without_the(uint64_t nth, const struct strategy *strategy)
{
    struct fake fake = {.keys = 400};
    struct strategy_source source = fake_source(&fake);
    struct made made;
    int64_t before = malloc_live;
    int wrong = 0;
    ck_assert(made_init(&made, strategy, &source, &bounds));
    malloc_fired = false;
    malloc_fail_in = nth;
    for (uint32_t i = 0; i < 1000; i++) {
        wrong += made_get(&made, i % 420) != (i % 420 < 400);
    }
    malloc_fail_in = 0;
    for (uint32_t i = 0; i < 1000; i++) { /* and it recovers */
        wrong += made_get(&made, i % 420) != (i % 420 < 400);
    }
    struct strategy_statistics s = made_statistics(&made);
    ck_assert_int_eq(wrong, 0);
    ck_assert_uint_eq(s.hits + s.misses, 2000);
    ck_assert(s.entries <= 400);
    made_fini(&made);
    ck_assert_int_eq(malloc_live, before);
}

START_TEST(each_allocation_that_fails_in_a_look_up_is_a_right_answer_all_the_same)
{
    uint64_t most = 0;
    for (int for_good = 0; for_good < 2; for_good++) {
        malloc_fail_for_good = for_good;
        for (const struct strategy *const *at = strategies; *at; at++) {
            uint64_t nth = 0;
            do {
                live_without_the(++nth, *at);
            } while (malloc_fired);
            most = nth > most ? nth : most;
        }
    }
    fprintf(stderr, "a life of up to %llu allocations\n", (unsigned long long)most - 1);
}
END_TEST

SUITE("strategy memory", &bounded_strategies_allocate_nothing_after_init,
      &nothing_is_left_after_fini,
      &each_allocation_that_fails_in_init_is_reported_and_leaks_nothing,
      &each_allocation_that_fails_in_a_look_up_is_a_right_answer_all_the_same)
