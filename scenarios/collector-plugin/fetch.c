/* fetch.c - rows 0.3, 0.4, 0.9 and 0.10: on demand, 71 requests, memory, failure half-way. */
#include "rows.h"

#include "collector.h"
#include "global.h"
#include "memory.h"
#include "tidemark.h"

#include <stdlib.h>

/* One call of the function: fetch, answer, free. */
static bool call(struct virtual_upstream *upstream, unsigned width)
{
    struct snapshot *snapshot = snapshot_fetch(&upstream->transport, width);
    char *text = snapshot ? snapshot_print(snapshot) : NULL;
    bool ok = text != NULL;
    memory_give(text);
    snapshot_release(&snapshot);
    return ok;
}

#define CALLS 500

static int shorter(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* How long the calls took, by the upstream's virtual clock. */
static void count_latencies(const char *p50, const char *p99, const char *most,
                            uint64_t took_ns[CALLS])
{
    qsort(took_ns, CALLS, sizeof took_ns[0], shorter);
    tidemark_count(p50, took_ns[CALLS / 2 - 1] / 1000000);
    tidemark_count(p99, took_ns[CALLS * 99 / 100 - 1] / 1000000);
    tidemark_count(most, took_ns[CALLS - 1] / 1000000);
}

START_TEST(five_hundred_calls_free_all_that_they_allocate)
{
    struct virtual_upstream upstream;
    uint64_t took_ns[CALLS];
    virtual_upstream_init(&upstream);
    memory_reset();
    int64_t before = memory_now().live;
    for (int i = 0; i < CALLS; i++) {
        struct memory_count count = memory_now();
        uint64_t begun = upstream.now_ns;
        ck_assert(call(&upstream, 1));
        took_ns[i] = upstream.now_ns - begun;
        struct memory_count after = memory_now();
        ck_assert_uint_eq(after.allocs - count.allocs, after.frees - count.frees);
        ck_assert_int_eq(after.live, before);
    }
    ck_assert_int_gt(memory_now().peak, before); /* spikes only during calls */
    tidemark_count("on_demand_peak_bytes", (uint64_t)(memory_now().peak - before));
    tidemark_count("on_demand_steady_bytes", (uint64_t)(memory_now().live - before));
    count_latencies("on_demand_p50_ms", "on_demand_p99_ms", "on_demand_most_ms", took_ns);
}
END_TEST

START_TEST(seventy_models_are_seventy_one_requests_and_fifteen_seconds)
{
    struct virtual_upstream upstream;
    virtual_upstream_init(&upstream);
    ck_assert(call(&upstream, 1));
    ck_assert_uint_eq(upstream.transport.requests, 71);
    ck_assert_uint_ge(upstream.now_ns, 14900000000u);
    ck_assert_uint_le(upstream.now_ns, 15100000000u);
    tidemark_count("requests_of_a_call", upstream.transport.requests);
    tidemark_count("call_ms_one_by_one", upstream.now_ns / 1000000);
}
END_TEST

START_TEST(eight_at_a_time_take_two_seconds_and_still_seventy_one)
{
    struct virtual_upstream upstream;
    virtual_upstream_init(&upstream);
    ck_assert(call(&upstream, 8));
    ck_assert_uint_eq(upstream.transport.requests, 71);
    ck_assert_uint_ge(upstream.now_ns, 2000000000u);
    ck_assert_uint_le(upstream.now_ns, 2200000000u);
    tidemark_count("call_ms_eight_at_a_time", upstream.now_ns / 1000000);
}
END_TEST

/* The same load with a snapshot that is kept: what it costs, and when. */
START_TEST(a_kept_snapshot_costs_steady_bytes_and_one_fetch)
{
    struct virtual_upstream upstream;
    uint64_t took_ns[CALLS];
    int64_t steady = 0;
    virtual_upstream_init(&upstream);
    memory_reset();
    int64_t before = memory_now().live;
    struct shared *shared = shared_new();
    for (int i = 0; i < CALLS; i++) {
        uint64_t begun = upstream.now_ns;
        struct snapshot *snapshot = shared_take(shared);
        if (!snapshot) { /* the first caller waits for the fetch */
            shared_put(shared, snapshot_fetch(&upstream.transport, 1));
            snapshot = shared_take(shared);
            steady = memory_now().live - before;
        }
        char *text = snapshot_print(snapshot);
        ck_assert_ptr_nonnull(text);
        memory_give(text);
        snapshot_release(&snapshot);
        took_ns[i] = upstream.now_ns - begun;
        ck_assert_int_eq(memory_now().live - before, steady);
    }
    count_latencies("kept_p50_ms", "kept_p99_ms", "kept_most_ms", took_ns);
    ck_assert_uint_eq(upstream.transport.requests, 71);
    tidemark_count("kept_steady_bytes", (uint64_t)steady);
    tidemark_count("kept_peak_bytes", (uint64_t)(memory_now().peak - before));
    shared_free(&shared);
    ck_assert_int_eq(memory_now().live, before);
}
END_TEST

START_TEST(a_request_that_fails_half_way_leaves_nothing)
{
    int64_t before = memory_now().live;
    for (uint64_t nth = 1; nth <= 71; nth++) {
        struct virtual_upstream upstream;
        virtual_upstream_init(&upstream);
        upstream.fail_at = nth;
        ck_assert(!call(&upstream, 1 + nth % 8));
        ck_assert_int_eq(memory_now().live, before);
        ck_assert(call(&upstream, 1)); /* the next call works */
        ck_assert_int_eq(memory_now().live, before);
    }
}
END_TEST

START_TEST(each_allocation_that_fails_in_turn_leaves_nothing)
{
    struct virtual_upstream upstream;
    int64_t before = memory_now().live;
    virtual_upstream_init(&upstream);
    memory_reset();
    ck_assert(call(&upstream, 1));
    uint64_t allocations = memory_now().allocs;
    for (uint64_t nth = 1; nth <= allocations; nth++) {
        memory_fail_at(nth);
        ck_assert_msg(!call(&upstream, 1), "allocation %llu", (unsigned long long)nth);
        ck_assert_int_eq(memory_now().live, before);
    }
    memory_fail_at(0);
    ck_assert(call(&upstream, 1));
    tidemark_count("allocations_failed_in_turn", allocations);
}
END_TEST

/* A call over a snapshot that is kept: published, replaced, read. What cannot be published is not
 * there, and what was there before is. */
static bool kept_call(struct virtual_upstream *upstream)
{
    struct shared *shared = shared_new();
    char *text = NULL;
    for (int i = 0; shared && i < 2; i++) {
        struct snapshot *fetched = snapshot_fetch(&upstream->transport, 8);
        if (fetched) {
            shared_put(shared, fetched);
        }
        struct snapshot *snapshot = shared_take(shared);
        memory_give(text);
        text = snapshot ? snapshot_print(snapshot) : NULL;
        snapshot_release(&snapshot);
    }
    bool ok = text != NULL;
    memory_give(text);
    shared_free(&shared);
    return ok;
}

START_TEST(each_allocation_that_fails_in_turn_leaves_a_kept_snapshot_whole)
{
    struct virtual_upstream upstream;
    int64_t before = memory_now().live;
    virtual_upstream_init(&upstream);
    memory_reset();
    ck_assert(kept_call(&upstream));
    uint64_t allocations = memory_now().allocs, served = 0;
    tidemark_count("kept_allocations_failed_in_turn", allocations);
    for (uint64_t nth = 1; nth <= allocations; nth++) {
        memory_fail_at(nth);
        served += kept_call(&upstream);
        ck_assert_int_eq(memory_now().live, before);
    }
    memory_fail_at(0);
    ck_assert_uint_gt(served, allocations / 2 - 10); /* the second fetch failed, the first is kept,
                                                      * or the first failed and the second serves */
    ck_assert_uint_lt(served, allocations);
}
END_TEST

START_TEST(a_request_that_hangs_ends_the_call_at_its_deadline)
{
    struct virtual_upstream upstream;
    int64_t before = memory_now().live;
    virtual_upstream_init(&upstream);
    upstream.transport.deadline_ns = 30000000000u;
    upstream.hang_at = 37;
    ck_assert(!call(&upstream, 1));
    ck_assert_uint_eq(upstream.now_ns, 211000000 + 30000000000u);
    ck_assert_int_eq(memory_now().live, before);
    ck_assert(call(&upstream, 1));
}
END_TEST

TCase *rows_fetch(void)
{
    TCase *tcase = tcase_create("fetch");
    tcase_add_test(tcase, five_hundred_calls_free_all_that_they_allocate);
    tcase_add_test(tcase, seventy_models_are_seventy_one_requests_and_fifteen_seconds);
    tcase_add_test(tcase, eight_at_a_time_take_two_seconds_and_still_seventy_one);
    tcase_add_test(tcase, a_kept_snapshot_costs_steady_bytes_and_one_fetch);
    tcase_add_test(tcase, a_request_that_fails_half_way_leaves_nothing);
    tcase_add_test(tcase, each_allocation_that_fails_in_turn_leaves_nothing);
    tcase_add_test(tcase, each_allocation_that_fails_in_turn_leaves_a_kept_snapshot_whole);
    tcase_add_test(tcase, a_request_that_hangs_ends_the_call_at_its_deadline);
    return tcase;
}
