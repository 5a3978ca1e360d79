/* batch.c - many keys in one call give what one call each gives. Runs in the test program. */
#include "module.h"
#include "session.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define MOST 4096u

static struct registry_text keys[MOST];
static registry_index found[MOST];

static const unsigned sizes[] = {1,  2,  3,  7,  8,  9,   15,  16,   17,
                                 31, 33, 63, 64, 65, 127, 129, 1000, MOST};

static unsigned subject_sizes(void)
{
    return sizeof sizes / sizeof sizes[0];
}

static void label_size(unsigned subject, char *text, size_t room)
{
    snprintf(text, room, "%u_keys", sizes[subject]);
}

static void batch_agrees(size_t count)
{
    registry_find_batch(keys, count, found);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_eq(found[i], registry_find(keys[i].data, keys[i].length));
    }
}

static void batch_agrees_for(unsigned subject)
{
    for (unsigned i = 0; i < sizes[subject]; i++) {
        keys[i] = registry_key(i * 6151u % registry_count());
    }
    batch_agrees(sizes[subject]);
}

/* Every third key absent. */
static void batch_with_misses_agrees_for(unsigned subject)
{
    for (unsigned i = 0; i < sizes[subject]; i++) {
        keys[i] = registry_key(i * 6151u % registry_count());
        keys[i].length -= i % 3 == 0;
    }
    batch_agrees(sizes[subject]);
}

static void batch_finds_all_of(unsigned provider)
{
    registry_index first;
    uint32_t count;
    registry_provider_models(provider, &first, &count);
    count = count < MOST ? count : MOST;
    for (uint32_t i = 0; i < count; i++) {
        keys[i] = registry_key(first + i);
    }
    registry_find_batch(keys, count, found);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_uint_eq(found[i], first + i);
    }
}

static void an_empty_batch_writes_nothing(void)
{
    found[0] = 4711;
    registry_find_batch(keys, 0, found);
    ck_assert_uint_eq(found[0], 4711);
}

static void the_same_key_many_times_is_found_each_time(void)
{
    for (unsigned i = 0; i < 64; i++) {
        keys[i] = registry_key(registry_count() - 1);
    }
    registry_find_batch(keys, 64, found);
    for (unsigned i = 0; i < 64; i++) {
        ck_assert_uint_eq(found[i], registry_count() - 1);
    }
}

static const struct suite_single singles[] = {
    SINGLE(an_empty_batch_writes_nothing),
    SINGLE(the_same_key_many_times_is_found_each_time),
};

static const struct suite_family families[] = {
    SINGLES(singles),
    FAMILY(batch_agrees_for, subject_sizes, label_size),
    FAMILY(batch_with_misses_agrees_for, subject_sizes, label_size),
    FAMILY(batch_finds_all_of, subject_providers, label_provider),
};

MODULE(module_batch, "batch", families);
