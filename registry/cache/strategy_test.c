/*
 * strategy_test.c - the contract that every strategy of strategy.def is held to, with a made-up
 * source. strategy_memory_test.c counts allocations, strategy_registry_test.c uses the real
 * registry.
 */
#include "registry/strategy.h"

#include "harness/base/suite.h"
#include "registry/cache/strategy_fake.h"

#include <pthread.h>

#define EACH(strategy)                                                                             \
    (const struct strategy *const *at_ = strategies, *strategy; (strategy = *at_) != NULL; at_++)

static bool has(const struct strategy *strategy, unsigned trait)
{
    return (strategy->traits & trait) != 0;
}

START_TEST(every_strategy_returns_what_the_source_has)
{
    for
        EACH(strategy)
        {
            for (uint32_t entries = 1; entries <= 4096; entries *= 8) {
                struct fake fake = {.keys = 3000};
                struct strategy_source source = fake_source(&fake);
                struct made made;
                ck_assert(made_init(&made, strategy, &source,
                                    &(struct strategy_options){.entries = entries, .shards = 1}));
                for (int pass = 0; pass < 2; pass++) {
                    for (uint32_t i = 0; i < fake.keys + 1000; i++) {
                        ck_assert_msg(made_get(&made, i) == (i < fake.keys),
                                      "%s, %u entries, key %u", strategy->name, entries, i);
                    }
                }
                made_fini(&made);
            }
        }
}
END_TEST

/* Plain references: arrays searched from end to end. Index 0 is the newest. */
enum reference_kind {
    REFERENCE_NONE,
    REFERENCE_LRU,
    REFERENCE_SIEVE,
    REFERENCE_FIFO,
    REFERENCE_CLOCK,
    REFERENCE_ALL,
};

#define REFERENCE_MAX 4096

struct reference {
    enum reference_kind kind;
    size_t count, room;
    struct {
        uint32_t key;
        bool visited;
    } entries[REFERENCE_MAX];
    uint32_t hand; /* a key; UINT32_MAX: none */
};

static size_t reference_at(const struct reference *reference, uint32_t key)
{
    size_t i = 0;
    while (i < reference->count && reference->entries[i].key != key) {
        i++;
    }
    return i;
}

static void reference_remove(struct reference *reference, size_t at)
{
    if (reference->hand == reference->entries[at].key) { /* moves on to the next newer one */
        reference->hand = at > 0 ? reference->entries[at - 1].key : UINT32_MAX;
    }
    reference->count--;
    memmove(&reference->entries[at], &reference->entries[at + 1],
            (reference->count - at) * sizeof reference->entries[0]);
}

static void reference_push(struct reference *reference, uint32_t key)
{
    memmove(&reference->entries[1], &reference->entries[0],
            reference->count * sizeof reference->entries[0]);
    reference->entries[0].key = key;
    reference->entries[0].visited = false;
    reference->count++;
}

static void reference_evict(struct reference *reference)
{
    size_t at = reference->count - 1;
    if (reference->kind == REFERENCE_SIEVE) {
        if (reference->hand != UINT32_MAX) {
            at = reference_at(reference, reference->hand);
        }
        while (reference->entries[at].visited) {
            reference->entries[at].visited = false;
            at = at > 0 ? at - 1 : reference->count - 1;
        }
        reference->hand = reference->entries[at].key;
    } else if (reference->kind == REFERENCE_CLOCK) {
        while (reference->entries[at].visited) { /* once more round */
            uint32_t key = reference->entries[at].key;
            reference_remove(reference, at);
            reference_push(reference, key);
        }
    }
    reference_remove(reference, at);
}

static bool reference_get(struct reference *reference, uint32_t key)
{
    if (reference->kind == REFERENCE_NONE) {
        return false;
    }
    size_t at = reference_at(reference, key);
    if (at < reference->count) {
        reference->entries[at].visited = true;
        if (reference->kind == REFERENCE_LRU) {
            reference_remove(reference, at);
            reference_push(reference, key);
        }
        return true;
    }
    if (reference->count == reference->room && reference->kind != REFERENCE_ALL) {
        reference_evict(reference);
    }
    reference_push(reference, key);
    return false;
}

static bool reference_drop(struct reference *reference, uint32_t key)
{
    size_t at = reference_at(reference, key);
    if (at == reference->count) {
        return false;
    }
    reference_remove(reference, at);
    return true;
}

static void check_against_reference(const struct strategy *strategy, enum reference_kind kind,
                                    uint64_t seed)
{
    static struct reference reference;
    uint64_t random = seed;
    reference.kind = kind;
    reference.count = 0;
    reference.hand = UINT32_MAX;
    reference.room = 1 + fake_random(&random) % 60;
    struct fake fake = {.keys = 20 + (uint32_t)(fake_random(&random) % 200)};
    struct strategy_source source = fake_source(&fake);
    struct made made;
    ck_assert(made_init(&made, strategy, &source,
                        &(struct strategy_options){.entries = reference.room, .shards = 1}));
    for (int step = 0; step < 3000; step++) {
        uint64_t dice = fake_random(&random);
        uint32_t key = (uint32_t)((dice >> 32) % (fake.keys + 5));
        key = (dice & 1) ? key : key / 4; /* some keys more often than others */
        if ((dice >> 8) % 1000 == 0) {
            strategy->reset(made.state);
            reference.count = 0;
            reference.hand = UINT32_MAX;
        } else if ((dice >> 8) % 20 == 0) {
            ck_assert_msg(made_drop(&made, key) == reference_drop(&reference, key),
                          "%s: drop, seed %lu, step %d", strategy->name, (unsigned long)seed, step);
        } else if (key >= fake.keys) {
            ck_assert_int_eq(made_get(&made, key), 0);
        } else {
            uint64_t before = made_statistics(&made).hits;
            ck_assert_int_eq(made_get(&made, key), 1);
            ck_assert_msg((made_statistics(&made).hits > before) == reference_get(&reference, key),
                          "%s: hit or miss, seed %lu, step %d", strategy->name, (unsigned long)seed,
                          step);
        }
        ck_assert_uint_eq(made_statistics(&made).entries, reference.count);
    }
    made_fini(&made);
}

START_TEST(hits_and_misses_are_those_of_a_plain_reference)
{
    static const struct {
        const char *name;
        enum reference_kind kind;
    } rows[] = {
        {"direct", REFERENCE_NONE}, {"lru", REFERENCE_LRU},       {"sharded-lru", REFERENCE_LRU},
        {"sieve", REFERENCE_SIEVE}, {"unbounded", REFERENCE_ALL}, {"per-thread", REFERENCE_ALL},
        {"fifo", REFERENCE_FIFO},   {"clock", REFERENCE_CLOCK},
    };
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        const struct strategy *strategy = strategy_find(rows[row].name);
        for (uint64_t seed = 1; strategy && seed <= 24; seed++) {
            check_against_reference(strategy, rows[row].kind, seed);
        }
    }
}
END_TEST

START_TEST(values_are_right_under_random_operations)
{
    for
        EACH(strategy)
        {
            for (uint64_t seed = 1; seed <= 8; seed++) {
                uint64_t random = seed;
                struct fake fake = {.keys = 500};
                struct strategy_source source = fake_source(&fake);
                struct made made;
                uint32_t entries = 1 + (uint32_t)(fake_random(&random) % 300);
                ck_assert(made_init(&made, strategy, &source,
                                    &(struct strategy_options){.entries = entries, .shards = 1}));
                for (int step = 0; step < 5000; step++) {
                    uint64_t dice = fake_random(&random);
                    uint32_t key = (uint32_t)(dice >> 32) % 520 / (1 + (dice & 3));
                    if ((dice >> 8) % 1500 == 0) {
                        strategy->reset(made.state);
                        ck_assert_uint_eq(made_statistics(&made).entries, 0);
                    } else if ((dice >> 8) % 15 == 0) {
                        made_drop(&made, key);
                        ck_assert(!made_drop(&made, key));
                    } else {
                        ck_assert_int_eq(made_get(&made, key), key < fake.keys);
                    }
                }
                made_fini(&made);
            }
        }
}
END_TEST

START_TEST(bounds_in_entries_and_bytes_are_never_exceeded)
{
    static const struct strategy_options rows[] = {
        {.entries = 1, .shards = 1},       {.entries = 7},   {.entries = 100},
        {.bytes = 2048, .shards = 1},      {.bytes = 65536}, {.entries = 50, .bytes = 1 << 20},
        {.entries = 5000, .bytes = 40000},
    };
    for
        EACH(strategy)
        {
            for (size_t row = 0;
                 has(strategy, STRATEGY_BOUNDED) && row < sizeof rows / sizeof rows[0]; row++) {
                struct fake fake = {.keys = 2000};
                struct strategy_source source = fake_source(&fake);
                struct made made;
                uint64_t random = row;
                ck_assert(made_init(&made, strategy, &source, &rows[row]));
                for (int step = 0; step < 20000; step++) {
                    made_get(&made, (uint32_t)(fake_random(&random) % 2000));
                    struct strategy_statistics now = made_statistics(&made);
                    ck_assert(rows[row].entries == 0 || now.entries <= rows[row].entries);
                    ck_assert(rows[row].bytes == 0 || now.bytes <= rows[row].bytes);
                }
                if (has(strategy, STRATEGY_CACHES)) { /* and the room is used */
                    struct strategy_statistics end = made_statistics(&made);
                    ck_assert(end.entries > 0 && end.bytes > 0);
                    ck_assert_msg(rows[row].bytes || end.entries * 2 > rows[row].entries,
                                  "%s holds %lu", strategy->name, (unsigned long)end.entries);
                }
                made_fini(&made);
            }
        }
}
END_TEST

START_TEST(bounds_too_small_for_one_entry_are_refused)
{
    for
        EACH(strategy)
        {
            struct fake fake = {.keys = 10};
            struct strategy_source source = fake_source(&fake);
            struct made made;
            if (has(strategy, STRATEGY_BOUNDED) && has(strategy, STRATEGY_CACHES)) {
                ck_assert(
                    !made_init(&made, strategy, &source, &(struct strategy_options){.bytes = 100}));
                ck_assert(!made_init(&made, strategy, &source,
                                     &(struct strategy_options){.entries = UINT64_MAX / 2}));
            }
        }
}
END_TEST

START_TEST(counters_reconcile)
{
    for
        EACH(strategy)
        {
            struct fake fake = {.keys = 400};
            struct strategy_source source = fake_source(&fake);
            struct made made;
            ck_assert(
                made_init(&made, strategy, &source, &(struct strategy_options){.entries = 64}));
            uint64_t random = 7, found = 0;
            for (int step = 0; step < 20000; step++) {
                found += made_get(&made, (uint32_t)(fake_random(&random) % 450)) == 1;
            }
            struct strategy_statistics s = made_statistics(&made);
            ck_assert_uint_eq(s.lookups, 20000);
            ck_assert_uint_eq(s.hits + s.misses, s.lookups);
            ck_assert_uint_eq(s.loads, fake.loads);
            ck_assert_uint_eq(s.hits + s.loads, found);
            ck_assert(s.evicted_unused <= s.evictions);
            if (has(strategy, STRATEGY_CACHES)) { /* what was loaded is held or was evicted */
                ck_assert_uint_eq(s.loads, s.evictions + s.entries);
            }
            strategy->reset(made.state);
            ck_assert_uint_eq(made_statistics(&made).entries, 0);
            ck_assert_uint_eq(made_statistics(&made).bytes, 0);
            ck_assert_uint_eq(made_statistics(&made).lookups, 20000); /* the counters go on */
            made_fini(&made);
        }
}
END_TEST

struct listener {
    bool held[600];
    uint64_t told;
};

static void listener_evicted(void *context, const char *key, size_t length,
                             const struct strategy_value *value)
{
    struct listener *listener = context;
    uint32_t i;
    char expected[FAKE_KEY_BYTES_MAX];
    memcpy(&i, value->data, 4);
    ck_assert_uint_eq(fake_key(i, expected), length);
    ck_assert_mem_eq(expected, key, length);
    ck_assert(listener->held[i]);
    listener->held[i] = false;
    listener->told++;
}

START_TEST(the_listener_is_told_of_each_eviction)
{
    for
        EACH(strategy)
        {
            struct listener listener = {.told = 0};
            struct fake fake = {.keys = 600};
            struct strategy_source source = fake_source(&fake);
            struct made made;
            ck_assert(made_init(&made, strategy, &source,
                                &(struct strategy_options){.entries = 96,
                                                           .evicted = listener_evicted,
                                                           .listener = &listener}));
            uint64_t random = 11;
            for (int step = 0; step < 10000; step++) {
                uint32_t i = (uint32_t)(fake_random(&random) % 600);
                uint64_t loads = fake.loads;
                if (fake_random(&random) % 30 == 0) {
                    ck_assert(made_drop(&made, i) == listener.held[i]);
                    listener.held[i] = false;
                    continue;
                }
                ck_assert_int_eq(made_get(&made, i), 1);
                if (has(strategy, STRATEGY_CACHES)) {
                    ck_assert((fake.loads == loads) == listener.held[i]);
                    listener.held[i] = true;
                }
            }
            ck_assert_uint_eq(listener.told, made_statistics(&made).evictions);
            made_fini(&made);
        }
}
END_TEST

/* Values that stay where they are, of very different sizes, bounded by their sum. */
static bool weighed_load(void *context, const char *key, size_t length,
                         struct strategy_value *value)
{
    uint64_t hash = 1469598103934665603u;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)key[i]) * 1099511628211u;
    }
    value->data = context; /* no such many bytes are there, so nobody may read them */
    value->bytes = 1 + (hash >> 20) % (hash & 7 ? 1000 : 70000);
    return true;
}

/* The same keys, their sizes other ones each time they are loaded. */
static bool changing_load(void *context, const char *key, size_t length,
                          struct strategy_value *value)
{
    static uint64_t random = 5;
    (void)key;
    (void)length;
    value->data = context;
    value->bytes = 1 + fake_random(&random) % 3000;
    return true;
}

START_TEST(a_key_may_come_back_with_another_weight)
{
    char somewhere;
    struct strategy_source source = {
        .name = "changing", .load = changing_load, .context = &somewhere, .key_bytes_max = 48};
    for
        EACH(strategy)
        {
            struct made made;
            struct strategy_options options = {.weights = 1, .bytes = 60000, .entries = 200};
            if (!has(strategy, STRATEGY_BOUNDED) || !has(strategy, STRATEGY_CACHES) ||
                has(strategy, STRATEGY_THREADS)) {
                continue;
            }
            ck_assert(made_init(&made, strategy, &source, &options));
            uint64_t random = 3;
            for (int step = 0; step < 8000; step++) {
                char key[FAKE_KEY_BYTES_MAX];
                size_t length = fake_key((uint32_t)(fake_random(&random) % 300), key);
                struct strategy_value value;
                ck_assert(strategy->get(made.state, key, length, &value));
                ck_assert_uint_le(made_statistics(&made).bytes, options.bytes);
            }
            ck_assert_uint_gt(made_statistics(&made).evictions, 0);
            made_fini(&made);
        }
}
END_TEST

START_TEST(weights_bound_the_values_own_sizes)
{
    char somewhere;
    struct strategy_source source = {
        .name = "weighed", .load = weighed_load, .context = &somewhere, .key_bytes_max = 48};
    for
        EACH(strategy)
        {
            struct made made;
            struct strategy_options options = {.weights = 1, .bytes = 60000, .entries = 200};
            if (!has(strategy, STRATEGY_BOUNDED) || !has(strategy, STRATEGY_CACHES) ||
                has(strategy, STRATEGY_THREADS)) {
                continue;
            }
            ck_assert(
                !made_init(&made, strategy, &source, &(struct strategy_options){.weights = 1}));
            ck_assert(made_init(&made, strategy, &source, &options));
            uint64_t random = 3;
            for (int step = 0; step < 30000; step++) {
                char key[FAKE_KEY_BYTES_MAX];
                size_t length = fake_key((uint32_t)(fake_random(&random) % 900), key);
                struct strategy_value value, right;
                ck_assert(strategy->get(made.state, key, length, &value));
                weighed_load(&somewhere, key, length, &right);
                ck_assert(value.data == right.data && value.bytes == right.bytes);
                struct strategy_statistics now = made_statistics(&made);
                ck_assert(now.bytes <= options.bytes && now.entries <= options.entries);
            }
            ck_assert_uint_gt(made_statistics(&made).hits, 0);
            made_fini(&made);
        }
}
END_TEST

struct reader {
    pthread_t thread;
    struct made *made;
    uint64_t seed;
    int wrong;
};

static void *reader_run(void *context)
{
    struct reader *reader = context;
    uint64_t random = reader->seed;
    for (int step = 0; step < 30000; step++) {
        uint64_t dice = fake_random(&random);
        uint32_t key = (uint32_t)(dice >> 32) % 700 / (1 + (dice & 3));
        if ((dice >> 8) % 100 == 0) {
            made_drop(reader->made, key);
        } else {
            reader->wrong += made_get(reader->made, key) != (key < 650);
        }
    }
    return NULL;
}

START_TEST(threads_see_right_values_and_no_count_is_lost)
{
    for
        EACH(strategy)
        {
            for (uint32_t entries = 16; has(strategy, STRATEGY_THREADS) && entries <= 1024;
                 entries *= 8) {
                struct fake fake = {.keys = 650};
                struct strategy_source source = fake_source(&fake);
                struct made made;
                struct reader readers[4];
                ck_assert(made_init(&made, strategy, &source,
                                    &(struct strategy_options){.entries = entries, .shards = 4}));
                for (int i = 0; i < 4; i++) {
                    readers[i] = (struct reader){.made = &made, .seed = 100 + (uint64_t)i};
                    ck_assert(pthread_create(&readers[i].thread, NULL, reader_run, &readers[i]) ==
                              0);
                }
                uint64_t gets = 0;
                for (int i = 0; i < 4; i++) {
                    pthread_join(readers[i].thread, NULL);
                    ck_assert_int_eq(readers[i].wrong, 0);
                    uint64_t random = readers[i].seed;
                    for (int step = 0; step < 30000; step++) {
                        gets += (fake_random(&random) >> 8) % 100 != 0;
                    }
                }
                struct strategy_statistics s = made_statistics(&made);
                ck_assert_uint_eq(s.lookups, gets);
                ck_assert_uint_eq(s.hits + s.misses, s.lookups);
                ck_assert_uint_eq(s.loads, fake.loads);
                ck_assert(!has(strategy, STRATEGY_BOUNDED) || s.entries <= entries);
                made_fini(&made);
            }
        }
}
END_TEST

static void *one_look(void *context)
{
    struct made *made = context;
    for (uint32_t i = 0; i < 100; i++) {
        ck_assert_int_eq(made_get(made, i), 1);
    }
    return NULL;
}

START_TEST(a_private_cache_goes_with_its_thread)
{
    const struct strategy *strategy = strategy_find("per-thread");
    struct fake fake = {.keys = 100};
    struct strategy_source source = fake_source(&fake);
    struct made made;
    if (!strategy) {
        return;
    }
    ck_assert(made_init(&made, strategy, &source, &(struct strategy_options){.entries = 0}));
    one_look(&made);
    for (int i = 1; i <= 3; i++) {
        pthread_t thread;
        ck_assert(pthread_create(&thread, NULL, one_look, &made) == 0);
        pthread_join(thread, NULL);
        ck_assert_uint_eq(made_statistics(&made).entries, 100); /* only this thread's own */
        ck_assert_uint_eq(made_statistics(&made).loads, 100 * ((uint64_t)i + 1));
    }
    strategy->reset(made.state);
    ck_assert_uint_eq(made_statistics(&made).bytes, 0);
    made_fini(&made);
}
END_TEST

START_TEST(keys_and_values_beyond_the_cells_pass_through)
{
    for
        EACH(strategy)
        {
            struct fake fake = {.keys = 300};
            struct strategy_source source = fake_source(&fake);
            struct made made;
            source.key_bytes_max =
                19; /* "provider10:model-10" fits, "provider10:model-121" does not */
            source.value_bytes_max = 40;
            ck_assert(made_init(&made, strategy, &source,
                                &(struct strategy_options){.entries = 300, .shards = 1}));
            for (uint32_t i = 0; i < 600; i++) {
                ck_assert_int_eq(made_get(&made, i % 300), 1);
            }
            struct strategy_statistics s = made_statistics(&made);
            ck_assert(!has(strategy, STRATEGY_BOUNDED) || s.hits < 300);
            ck_assert_uint_eq(s.lookups, 600);
            made_fini(&made);
        }
}
END_TEST

START_TEST(names_are_found_and_differ)
{
    for
        EACH(strategy)
        {
            ck_assert_ptr_eq(strategy_find(strategy->name), strategy);
            ck_assert(strategy->about[0] && strategy->state_bytes > 0);
        }
    ck_assert_ptr_nonnull(strategy_find("direct"));
    ck_assert_ptr_null(strategy_find("no such"));
}
END_TEST

SUITE("strategy", &every_strategy_returns_what_the_source_has,
      &hits_and_misses_are_those_of_a_plain_reference, &values_are_right_under_random_operations,
      &bounds_in_entries_and_bytes_are_never_exceeded, &bounds_too_small_for_one_entry_are_refused,
      &counters_reconcile, &the_listener_is_told_of_each_eviction,
      &weights_bound_the_values_own_sizes, &a_key_may_come_back_with_another_weight,
      &threads_see_right_values_and_no_count_is_lost, &a_private_cache_goes_with_its_thread,
      &keys_and_values_beyond_the_cells_pass_through, &names_are_found_and_differ)
