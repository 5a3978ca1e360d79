/* accused.c - see accused.h. */
#include "harness/campaign/accused.h"

#include "harness/base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void accused_fini(struct accused *accused)
{
    free(accused->all);
    key_index_fini(&accused->index);
    *accused = (struct accused){0};
}

/* Keys of places are hashes of 64 bits, and so is that of a pair. */
static uint64_t pair_key(uint32_t test, uint64_t place)
{
    return key_index_mix(key_index_mix(place, 0), test);
}

void accused_add(struct accused *accused, uint32_t test, uint64_t place)
{
    uint32_t next = (uint32_t)accused->count + 1;
    if (key_index_add(&accused->index, pair_key(test, place), next) == next) {
        memory_grow(&accused->all, &accused->room, next, sizeof accused->all[0]);
        accused->all[accused->count++] = (struct accused_place){.test = test, .place = place};
    }
}

bool accused_has(const struct accused *accused, uint32_t test, uint64_t place)
{
    return key_index_get(&accused->index, pair_key(test, place)) > 0 ||
           key_index_get(&accused->index, pair_key(test, ACCUSED_WHOLE)) > 0;
}

bool accused_save(const struct accused *accused, size_t from, const char *path)
{
    FILE *file = fopen(path, "we");
    if (!file) {
        return false;
    }
    for (size_t i = from; i < accused->count; i++) {
        fprintf(file, "%" PRIu32 " %" PRIx64 "\n", accused->all[i].test, accused->all[i].place);
    }
    bool failed = ferror(file);
    return fclose(file) == 0 && !failed;
}

bool accused_load(struct accused *accused, const char *path)
{
    FILE *file = fopen(path, "re");
    uint32_t test;
    uint64_t place;
    if (!file) {
        return false;
    }
    while (fscanf(file, "%" SCNu32 " %" SCNx64, &test, &place) == 2) {
        accused_add(accused, test, place);
    }
    bool whole = feof(file);
    fclose(file);
    return whole;
}
