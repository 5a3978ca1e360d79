/* record_test.c - records of live blocks: sizes, lists, batches that wander between threads. */
#include "harness/ledger/record.h"

#include "harness/base/suite.h"

static const void *block_of(uint64_t number)
{
    return (const void *)(uintptr_t)(number << 4); /* never looked at */
}

static uint32_t born(struct record_list *list, uint64_t number, size_t size)
{
    uint32_t index = record_take(list);
    if (index == 0) { /* an assertion each time would take most of the time */
        ck_abort_msg("no record for block %lu", (unsigned long)number);
    }
    record_fill(index, block_of(number), size, 7, 9);
    return index;
}

static void died(struct record_list *list, uint32_t index)
{
    if (record_list_full(list)) {
        record_batch_give(list);
    }
    record_put(list, record_at(index), index);
}

START_TEST(sizes_of_any_length_are_kept)
{
    static const size_t sizes[] = {0, 1, 4079, 65534, 65535, 65536, 1u << 31, (size_t)1 << 40};
    struct record_list list = {0};
    uint32_t indexes[8];
    for (uint32_t i = 0; i < 8; i++) {
        indexes[i] = born(&list, i + 1, sizes[i]);
    }
    for (uint32_t i = 0; i < 8; i++) {
        const struct record *record = record_at(indexes[i]);
        ck_assert_uint_eq(record_size(indexes[i], record), sizes[i]);
        ck_assert_uint_eq(record->word & RECORD_ADDRESS, (uint64_t)(uintptr_t)block_of(i + 1));
        ck_assert_uint_eq(record->site, 7);
        ck_assert_uint_eq(record->serial, 9);
    }
    record_forget();
}
END_TEST

START_TEST(the_latest_to_die_is_taken_first)
{
    struct record_list list = {0};
    uint32_t first = born(&list, 1, 10), second = born(&list, 2, 10);
    died(&list, first);
    died(&list, second);
    ck_assert_uint_eq(record_at(second)->word, 0);
    ck_assert_uint_eq(record_take(&list), second);
    ck_assert_uint_eq(record_take(&list), first);
    record_forget();
}
END_TEST

#define BLOCKS (5 * RECORD_BATCH + 3)

START_TEST(what_one_thread_frees_another_takes)
{
    struct record_list maker = {0}, taker = {0};
    uint32_t indexes[BLOCKS];
    uint32_t limit = 0;
    for (int round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < BLOCKS; i++) {
            indexes[i] = born(&maker, i + 1, 32);
        }
        for (uint32_t i = 0; i < BLOCKS; i++) {
            died(&taker, indexes[i]);
        }
        /* The taker keeps a batch and what is less than one; all else comes round again. */
        if (round == 1) {
            limit = record_limit();
        }
    }
    ck_assert_uint_eq(record_limit(), limit);
    record_forget();
}
END_TEST

START_TEST(no_record_is_given_twice)
{
    struct record_list lists[2] = {{0}, {0}};
    static uint32_t live[4096];
    static bool taken[1 << 20];
    uint32_t count = 0, random = 1;
    for (int step = 0; step < 200000; step++) {
        random = random * 1103515245u + 12345u;
        struct record_list *list = &lists[random >> 16 & 1];
        /* Long stretches of births and of deaths, so that batches are made. */
        bool birth = (step >> 11 & 1) == 0 ? (random >> 20) % 8 != 0 : (random >> 20) % 8 == 0;
        if (birth && count < 4096) {
            uint32_t index = born(list, count + 1, 16);
            if (index >= sizeof taken || taken[index]) {
                ck_abort_msg("step %d: record %u is given twice, or far off", step, index);
            }
            taken[index] = true;
            live[count++] = index;
        } else if (!birth && count > 0) {
            uint32_t at = (random >> 8) % count;
            died(list, live[at]);
            taken[live[at]] = false;
            live[at] = live[--count];
        }
    }
    record_forget();
}
END_TEST

START_TEST(a_block_is_found_by_its_address)
{
    struct record_list list = {0};
    uint32_t indexes[1000];
    for (uint32_t i = 0; i < 1000; i++) {
        indexes[i] = born(&list, i + 1, i * 100);
    }
    ck_assert_uint_eq(record_search(block_of(1)), indexes[0]);
    ck_assert_uint_eq(record_search(block_of(777)), indexes[776]);
    died(&list, indexes[776]);
    ck_assert_uint_eq(record_search(block_of(777)), 0);
    ck_assert_uint_eq(record_search(block_of(1001)), 0);
    record_forget();
}
END_TEST

SUITE("record", &sizes_of_any_length_are_kept, &the_latest_to_die_is_taken_first,
      &what_one_thread_frees_another_takes, &no_record_is_given_twice,
      &a_block_is_found_by_its_address)
