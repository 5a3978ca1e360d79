/* accused.c - see accused.h. */
#include "harness/campaign/accused.h"

#include "harness/base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOTS_LEAST 64

void accused_fini(struct accused *accused)
{
    free(accused->all);
    free(accused->slots);
    *accused = (struct accused){0};
}

/* Where the pair is, or the free slot where it would be. */
static uint32_t *slot_of(const struct accused *accused, uint32_t test, uint64_t place)
{
    uint64_t mixed = (place ^ test) * 0x9e3779b97f4a7c15u;
    for (size_t at = (size_t)(mixed >> 32);; at++) {
        uint32_t *slot = &accused->slots[at & (accused->slot_count - 1)];
        const struct accused_place *there = *slot > 0 ? &accused->all[*slot - 1] : NULL;
        if (!there || (there->test == test && there->place == place)) {
            return slot;
        }
    }
}

static void slots_grow(struct accused *accused)
{
    if (accused->count * 2 < accused->slot_count) {
        return;
    }
    free(accused->slots);
    accused->slot_count = accused->slot_count > 0 ? accused->slot_count * 2 : SLOTS_LEAST;
    accused->slots = memory_new(accused->slot_count, sizeof accused->slots[0]);
    for (size_t i = 0; i < accused->count; i++) {
        *slot_of(accused, accused->all[i].test, accused->all[i].place) = (uint32_t)i + 1;
    }
}

void accused_add(struct accused *accused, uint32_t test, uint64_t place)
{
    slots_grow(accused);
    uint32_t *slot = slot_of(accused, test, place);
    if (*slot == 0) {
        memory_grow(&accused->all, &accused->room, accused->count + 1, sizeof accused->all[0]);
        accused->all[accused->count] = (struct accused_place){.test = test, .place = place};
        *slot = (uint32_t)++accused->count;
    }
}

bool accused_has(const struct accused *accused, uint32_t test, uint64_t place)
{
    return accused->slot_count > 0 &&
           (*slot_of(accused, test, place) > 0 || *slot_of(accused, test, ACCUSED_WHOLE) > 0);
}

bool accused_save(const struct accused *accused, size_t from, const char *path)
{
    FILE *file = fopen(path, "we");
    bool whole = file != NULL;
    for (size_t i = from; whole && i < accused->count; i++) {
        whole = fprintf(file, "%" PRIu32 " %" PRIx64 "\n", accused->all[i].test,
                        accused->all[i].place) > 0;
    }
    return file && fclose(file) == 0 && whole;
}

bool accused_load(struct accused *accused, const char *path)
{
    FILE *file = fopen(path, "re");
    uint32_t test;
    uint64_t place;
    while (file && fscanf(file, "%" SCNu32 " %" SCNx64, &test, &place) == 2) {
        accused_add(accused, test, place);
    }
    bool whole = file && feof(file);
    return file && fclose(file) == 0 && whole;
}
