/*
 * accused.h - what tests are accused of by themselves: places, by test. The suite is judged without
 * what these tests left at these places, and with all else that they left, so that a cache is seen
 * beside a log that every test leaks into. Supervisor only.
 */
#ifndef CAMPAIGN_ACCUSED_H
#define CAMPAIGN_ACCUSED_H

#include "harness/base/key_index.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACCUSED_WHOLE 0 /* instead of a place: all that the test left is left out */

struct accused {
    struct accused_place {
        uint32_t test;
        uint64_t place; /* place_key, or ACCUSED_WHOLE */
    } * all;
    size_t count, room;
    struct key_index index; /* of the pairs */
};

/* The caller owns the storage, zeroed, and calls accused_fini. */
void accused_fini(struct accused *accused);
/* Adding one twice adds it once. */
void accused_add(struct accused *accused, uint32_t test, uint64_t place);
/* Is what this test left at this place left out? */
bool accused_has(const struct accused *accused, uint32_t test, uint64_t place);

/* All from `from` on, by number of addition, into a file that accused_load adds to another set.
 * Return false when it cannot be written or read. */
bool accused_save(const struct accused *accused, size_t from, const char *path);
bool accused_load(struct accused *accused, const char *path);

#endif
