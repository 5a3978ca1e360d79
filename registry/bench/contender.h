/*
 * contender.h - one hash table in the look-up benchmark, ours or a peer. C and C++.
 *
 * Every contender gets the same keys and the same queries, inlines what its library lets it inline
 * into loops of its own (LOOKUP_LOOPS), and verifies a hit by comparing the whole key.
 */
#ifndef BENCH_CONTENDER_H
#define BENCH_CONTENDER_H

#include "registry/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lookup_keys {
    const struct registry_text *key; /* by record index; NUL behind each; the bytes stay */
    uint32_t count;
    const void *image; /* struct registry_image, for ours */
};

struct contender {
    const char *name;
    bool ours;
    /* The table, or NULL where it cannot be built; it borrows the keys' bytes. */
    void *(*build)(const struct lookup_keys *keys);
    /* Looks all up; the sum of what was found (+1 each; 0 for an absent key), so that nothing is
     * optimised away and results can be checked. */
    uint64_t (*all)(const void *table, const struct registry_text *query, size_t count);
    /* The same, but where the next query lies depends on the last result. */
    uint64_t (*chain)(const void *table, const struct registry_text *query, size_t count);
    void (*release)(void *table);
};

/* FIND(table, data, length) gives the index or REGISTRY_NONE. */
#define LOOKUP_LOOPS(prefix, FIND)                                                                 \
    static uint64_t prefix##_all(const void *table, const struct registry_text *query,             \
                                 size_t count)                                                     \
    {                                                                                              \
        uint64_t sum = 0;                                                                          \
        for (size_t i = 0; i < count; i++) {                                                       \
            sum += (uint32_t)(FIND(table, query[i].data, query[i].length) + 1);                    \
        }                                                                                          \
        return sum;                                                                                \
    }                                                                                              \
    static uint64_t prefix##_chain(const void *table, const struct registry_text *query,           \
                                   size_t count)                                                   \
    {                                                                                              \
        uint64_t sum = 0;                                                                          \
        for (size_t i = 0; i < count;) {                                                           \
            uint32_t found = FIND(table, query[i].data, query[i].length);                          \
            sum += (uint32_t)(found + 1);                                                          \
            __asm__ volatile("" : "+r"(found)); /* or it would learn that this adds nothing */     \
            i += 1 + (found >> 31);                                                                \
        }                                                                                          \
        return sum;                                                                                \
    }

extern const struct contender contender_inline, contender_call, contender_batch;
extern const struct contender contender_portable;
extern const struct contender contender_bsearch, contender_glib, contender_uthash, contender_khash;
extern const struct contender contender_std, contender_absl, contender_absl_fold,
    contender_boost_fold, contender_verstable;

/* The catalogue in the shared object that tables.c was made into; there is one of it an object. */
struct registry_image;
const struct registry_image *bench_tables(void);

#ifdef __cplusplus
}
#endif

#endif
