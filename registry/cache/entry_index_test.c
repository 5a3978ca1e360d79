/* entry_index_test.c - the index of a cache against a plain list of what is in it. */
#include "registry/cache/entry_index.h"
#include "registry/cache/strategy_fake.h"

#include "harness/base/suite.h"

#include <stdlib.h>

#define ENTRIES 600u

struct row {
    const char *about;
    uint64_t end;          /* of the numbers: chooses the form */
    uint32_t homes;        /* of so many groups; 0: all */
    unsigned places, tags; /* so many different ones */
};

static const struct row rows[] = {
    {"numbers of 15 bits", INDEX_NARROW, 0, 1u << 31, 255},
    {"numbers of 32 bits", INDEX_NARROW + 1, 0, 1u << 31, 255},
    {"two tags only", INDEX_NARROW, 0, 1u << 31, 2},
    {"all at home in one group, which counts to its most", INDEX_NARROW, 1, 1u << 31, 255},
    {"the same, numbers of 32 bits", INDEX_NARROW + 1, 1, 1u << 31, 255},
    {"at home in the last three groups, so that they go round the end", INDEX_NARROW, 3, 1u << 31,
     255},
    {"three places and three tags, so that many entries look alike", INDEX_NARROW, 0, 3, 3},
};

struct entry {
    uint32_t place;
    uint8_t tag;
    bool held, at_home;
};

struct world {
    const struct row *row;
    struct entry_index index;
    void *memory;
    struct entry entries[ENTRIES];
    uint32_t first, held; /* the number of entry 0 */
    uint64_t random;
};

static void world_init(struct world *world, const struct row *row)
{
    *world = (struct world){.row = row, .random = 9};
    world->first = (uint32_t)row->end - ENTRIES;
    size_t bytes = index_measure(&world->index, ENTRIES, row->end);
    world->memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    index_init(&world->index, world->memory);
    index_reset(&world->index);
}

static void world_add(struct world *world, uint32_t i)
{
    struct entry *entry = &world->entries[i];
    uint32_t place = (uint32_t)(fake_random(&world->random) % world->row->places);
    if (world->row->homes) { /* as high as the last few groups take */
        place = UINT32_MAX - place % (UINT32_MAX / world->index.count * world->row->homes);
    }
    entry->place = place;
    entry->tag = (uint8_t)(1 + fake_random(&world->random) % world->row->tags);
    entry->at_home = index_add(&world->index, entry->place, entry->tag, world->first + i);
    entry->held = true;
    world->held++;
}

static void world_remove(struct world *world, uint32_t i)
{
    struct entry *entry = &world->entries[i];
    if (entry->at_home) {
        index_remove_at(&world->index, world->first + i);
    } else {
        index_remove(&world->index, entry->place, entry->tag, world->first + i);
    }
    entry->held = false;
    world->held--;
}

/* How often the walk of an entry's place and tag meets it. Tag 0, that of entries that never came,
 * is no tag to ask for. */
static unsigned world_meets(const struct world *world, uint32_t i)
{
    const struct entry *entry = &world->entries[i];
    if (!entry->tag) {
        return 0;
    }
    struct index_walk walk = index_walk_begin(&world->index, entry->place, entry->tag);
    unsigned met = 0, steps = 0;
    for (uint32_t n; index_walk_on(&walk, &n);) {
        met += n == world->first + i;
        if (++steps > ENTRIES) { /* an assertion a step would take most of the time */
            ck_abort_msg("%s: no end", world->row->about);
        }
    }
    return met;
}

START_TEST(what_is_in_is_met_once_and_what_left_never)
{
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        struct world world;
        world_init(&world, &rows[r]);
        for (unsigned step = 0; step < 6000; step++) {
            /* Full at first, then it comes and goes. */
            uint32_t i = step < ENTRIES ? step : (uint32_t)(fake_random(&world.random) % ENTRIES);
            if (!world.entries[i].held) {
                world_add(&world, i);
            } else {
                world_remove(&world, i);
                if (world_meets(&world, i) != 0) {
                    ck_abort_msg("%s: step %u, still there", rows[r].about, step);
                }
            }
            i = (uint32_t)(fake_random(&world.random) % ENTRIES);
            unsigned met = world_meets(&world, i);
            if (met != world.entries[i].held) {
                ck_abort_msg("%s: step %u, met %u times", rows[r].about, step, met);
            }
        }
        free(world.memory);
    }
}
END_TEST

START_TEST(an_index_that_emptied_is_as_new)
{
    struct world world;
    world_init(&world, &rows[0]);
    for (unsigned round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < ENTRIES; i++) {
            world_add(&world, i);
        }
        for (uint32_t i = 0; i < ENTRIES; i++) {
            world_remove(&world, i);
        }
    }
    for (uint32_t g = 0; g < world.index.count; g++) {
        ck_assert_uint_eq(world.index.groups[g].passed, 0);
        ck_assert_uint_eq(index_tagged(&world.index, g, 0), (1u << INDEX_SLOTS) - 1);
    }
    free(world.memory);
}
END_TEST

START_TEST(the_portable_comparison_finds_the_same_slots)
{
    _Alignas(16) struct index_group group;
    struct entry_index index = {.groups = &group, .count = 1};
    uint64_t random = 4;
    for (unsigned round = 0; round < 4000; round++) {
        uint8_t wanted = (uint8_t)fake_random(&random);
        uint32_t right = 0;
        for (unsigned i = 0; i < INDEX_SLOTS; i++) { /* equal, off by a bit, or anything */
            uint64_t dice = fake_random(&random);
            group.tag[i] = (uint8_t)(dice & 1   ? wanted
                                     : dice & 2 ? wanted ^ 1u << (dice >> 8 & 7)
                                                : dice >> 16);
            right |= (uint32_t)(group.tag[i] == wanted) << i;
        }
        group.passed = round & 1 ? wanted : (uint8_t)~wanted;
        uint32_t all = right | (uint32_t)(group.passed == wanted) << INDEX_SLOTS;
        if (index_tagged_portable(&group, wanted) != all ||
            index_group_tagged(&group, wanted) != all || index_tagged(&index, 0, wanted) != right) {
            ck_abort_msg("round %u", round);
        }
    }
}
END_TEST

START_TEST(it_takes_eight_bytes_an_entry)
{
    static const uint64_t entries[] = {800, 8000, 30000, 100000, 10000000};
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        struct entry_index index;
        uint64_t bytes = index_measure(&index, entries[i], entries[i] + 6);
        ck_assert_uint_le(bytes, 8 * entries[i] + 100);
    }
}
END_TEST

SUITE("entry index", &what_is_in_is_met_once_and_what_left_never, &an_index_that_emptied_is_as_new,
      &the_portable_comparison_finds_the_same_slots, &it_takes_eight_bytes_an_entry)
