/* result_index.h - finds an element by two strings (a test's id and variant): open addressing over
 * 64-bit hashes, numbers as values; the caller compares. 16 bytes a test. Supervisor only. */
#ifndef RESULT_RESULT_INDEX_H
#define RESULT_RESULT_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct result_index {
    struct result_index_slot {
        uint64_t hash;  /* 0: empty */
        uint64_t value; /* the caller's */
    } * slots;
    size_t count, room; /* room: a power of two */
};

/* Does element `value` have these strings? */
typedef bool result_index_same(const void *context, uint64_t value, const char *first,
                               const char *second);

void result_index_fini(struct result_index *index);
/* The value stored for (first, second); if there is none, `value` is stored. *fresh says which. */
uint64_t result_index_add(struct result_index *index, const char *first, const char *second,
                          uint64_t value, result_index_same *same, const void *context,
                          bool *fresh);
/* False: not there. */
bool result_index_find(const struct result_index *index, const char *first, const char *second,
                       result_index_same *same, const void *context, uint64_t *value);

uint64_t result_hash(const char *first, const char *second);

#endif
