/* thread_lane_test.c - who counts where: lanes of threads one after another, and of many at once.
 */
#include "registry/cache/thread_lane.h"

#include "harness/base/suite.h"

#include <pthread.h>

#define SHARED  (THREAD_LANES - 1)
#define THREADS (THREAD_LANES + 16)
#define COUNTS  1000u

static struct {
    _Alignas(64) _Atomic uint64_t count;
} lanes[THREAD_LANES];

struct counting {
    pthread_t thread;
    pthread_barrier_t *all_have_one; /* NULL: nobody is waited for */
    unsigned lane;
};

static void *count_run(void *of)
{
    struct counting *counting = of;
    counting->lane = thread_lane();
    if (counting->all_have_one) {
        pthread_barrier_wait(counting->all_have_one);
    }
    for (unsigned i = 0; i < COUNTS; i++) {
        thread_lane_count(&lanes[thread_lane()].count, thread_lane());
    }
    return NULL;
}

static void counting_begin(struct counting *counting, pthread_barrier_t *all_have_one)
{
    *counting = (struct counting){.all_have_one = all_have_one};
    ck_assert_int_eq(pthread_create(&counting->thread, NULL, count_run, counting), 0);
}

static uint64_t counted(void)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < THREAD_LANES; i++) {
        sum += atomic_exchange(&lanes[i].count, 0);
    }
    return sum;
}

START_TEST(threads_one_after_another_never_share_a_lane)
{
    struct counting counting;
    for (unsigned i = 0; i < 3 * THREAD_LANES; i++) {
        counting_begin(&counting, NULL);
        pthread_join(counting.thread, NULL);
        ck_assert_uint_lt(counting.lane, SHARED);
    }
    ck_assert_uint_eq(counted(), UINT64_C(3) * THREAD_LANES * COUNTS);
}
END_TEST

START_TEST(threads_beyond_the_lanes_share_the_last_and_lose_no_count)
{
    static struct counting countings[THREADS];
    unsigned owners[THREAD_LANES] = {0};
    pthread_barrier_t all_have_one;
    pthread_barrier_init(&all_have_one, NULL, THREADS);
    for (unsigned i = 0; i < THREADS; i++) {
        counting_begin(&countings[i], &all_have_one);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(countings[i].thread, NULL);
        owners[countings[i].lane]++;
    }
    pthread_barrier_destroy(&all_have_one);
    for (unsigned i = 0; i < SHARED; i++) {
        ck_assert_uint_le(owners[i], 1);
    }
    ck_assert_uint_ge(owners[SHARED], THREADS - SHARED);
    ck_assert_uint_eq(counted(), UINT64_C(1) * THREADS * COUNTS);

    counting_begin(&countings[0], NULL); /* they came back */
    pthread_join(countings[0].thread, NULL);
    ck_assert_uint_lt(countings[0].lane, SHARED);
    ck_assert_uint_eq(counted(), COUNTS);
}
END_TEST

SUITE("thread lane", &threads_one_after_another_never_share_a_lane,
      &threads_beyond_the_lanes_share_the_last_and_lose_no_count)
