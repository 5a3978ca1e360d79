/*
 * strategy_memory_test.c - strategies under a malloc that counts and that fails on demand. The
 * program replaces malloc and its relatives by its own, which pass on to glibc's; sanitizers bring
 * a malloc of their own, so there the suite has nothing to say and passes with a note.
 */
#include "registry/strategy.h"

#include "harness/base/suite.h"
#include "registry/strategy_fake.h"

#include <errno.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OWN_MALLOC 0
#endif
#endif
#ifndef OWN_MALLOC
#define OWN_MALLOC 1
#endif

static uint64_t allocations, live;
static uint64_t fail_at; /* the allocation of this number fails, and all later ones; 0: none */

#if OWN_MALLOC
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *block);

static bool allocation_fails(void)
{
    allocations++;
    if (fail_at && allocations >= fail_at) {
        errno = ENOMEM;
        return true;
    }
    return false;
}

void *malloc(size_t bytes)
{
    void *block = allocation_fails() ? NULL : __libc_malloc(bytes);
    live += block != NULL;
    return block;
}

void *calloc(size_t count, size_t bytes)
{
    void *block = allocation_fails() ? NULL : __libc_calloc(count, bytes);
    live += block != NULL;
    return block;
}

void *realloc(void *old, size_t bytes)
{
    void *block = allocation_fails() ? NULL : __libc_realloc(old, bytes);
    live += block != NULL && old == NULL;
    return block;
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    void *block = allocation_fails() ? NULL : __libc_memalign(alignment, bytes);
    live += block != NULL;
    return block;
}

void free(void *block)
{
    live -= block != NULL;
    __libc_free(block);
}
#endif

static const struct strategy_options bounds = {.entries = 64};

START_TEST(bounded_strategies_allocate_nothing_after_init)
{
    for (const struct strategy *const *at = strategies; OWN_MALLOC && *at; at++) {
        if (!((*at)->traits & STRATEGY_BOUNDED)) {
            continue;
        }
        struct fake fake = {.keys = 400};
        struct strategy_source source = fake_source(&fake);
        struct made made;
        uint64_t random = 5;
        ck_assert(made_init(&made, *at, &source, &bounds));
        uint64_t before = allocations;
        for (int step = 0; step < 20000; step++) {
            uint32_t key = (uint32_t)(fake_random(&random) % 450);
            int got = made_get(&made, key);
            if (step % 1000 == 999) {
                (*at)->reset(made.state);
            } else if (step % 10 == 9) {
                made_drop(&made, key);
            }
            if (allocations != before || got != (key < 400)) {
                ck_abort_msg("%s allocated at step %d", (*at)->name, step);
            }
        }
        made_fini(&made);
    }
}
END_TEST

START_TEST(nothing_is_left_after_fini)
{
    for (const struct strategy *const *at = strategies; OWN_MALLOC && *at; at++) {
        struct fake fake = {.keys = 400};
        struct strategy_source source = fake_source(&fake);
        struct made made;
        uint64_t before = live;
        ck_assert(made_init(&made, *at, &source, &bounds));
        for (uint32_t i = 0; i < 1000; i++) {
            made_get(&made, i % 420);
        }
        made_fini(&made);
        ck_assert_uint_eq(live, before);
    }
}
END_TEST

START_TEST(a_failing_allocation_in_init_is_reported_and_leaks_nothing)
{
    for (const struct strategy *const *at = strategies; OWN_MALLOC && *at; at++) {
        struct fake fake = {.keys = 400};
        struct strategy_source source = fake_source(&fake);
        struct made made = {.state = aligned_alloc(64, ((*at)->state_bytes + 63) / 64 * 64)};
        bool made_it = false;
        for (uint64_t nth = 1; !made_it; nth++) {
            uint64_t before = live;
            ck_assert_uint_lt(nth, 200);
            fail_at = allocations + nth;
            made_it = (*at)->init(made.state, &source, &bounds);
            fail_at = 0;
            if (!made_it) {
                ck_assert_uint_eq(live, before);
            }
        }
        (*at)->fini(made.state);
        free(made.state);
    }
}
END_TEST

START_TEST(a_failing_allocation_in_get_still_answers_right)
{
    for (const struct strategy *const *at = strategies; OWN_MALLOC && *at; at++) {
        for (uint64_t nth = 1; nth <= 40; nth++) {
            struct fake fake = {.keys = 400};
            struct strategy_source source = fake_source(&fake);
            struct made made;
            uint64_t before = live;
            int wrong = 0;
            ck_assert(made_init(&made, *at, &source, &bounds));
            fail_at = allocations + nth;
            for (uint32_t i = 0; i < 1000; i++) {
                wrong += made_get(&made, i % 420) != (i % 420 < 400);
            }
            fail_at = 0;
            for (uint32_t i = 0; i < 1000; i++) { /* and it recovers */
                wrong += made_get(&made, i % 420) != (i % 420 < 400);
            }
            struct strategy_statistics s = made_statistics(&made);
            ck_assert_int_eq(wrong, 0);
            ck_assert_uint_eq(s.hits + s.misses, 2000);
            ck_assert(s.entries <= 400);
            made_fini(&made);
            ck_assert_uint_eq(live, before);
        }
    }
}
END_TEST

SUITE("strategy memory", &bounded_strategies_allocate_nothing_after_init,
      &nothing_is_left_after_fini, &a_failing_allocation_in_init_is_reported_and_leaks_nothing,
      &a_failing_allocation_in_get_still_answers_right)
