/*
 * perfect.h - finds the pilots of the perfect hash of registry_hash.h. Build time only.
 *
 * Buckets are placed from the largest to the smallest. Where none of a bucket's pilots leads to
 * free slots, it takes those that hurt least and the buckets it drove out are placed again
 * (PtrHash's way), so that one byte a bucket is enough at 98 % fill and four keys a bucket.
 */
#ifndef GENERATE_PERFECT_H
#define GENERATE_PERFECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct perfect {
    uint32_t shift; /* registry_hash.h */
    uint32_t buckets, slots;
    uint8_t *pilots; /* one a bucket */
    uint64_t moves;  /* buckets placed, the repeated ones too */
};

/* False when two hashes are equal (*twin_a, *twin_b then say which, else both are equal numbers) or
 * no solution was found: try another seed; it is soon seen that one is of no use. `slack` 0, 1, ...
 * takes more slots, for what is not solved otherwise. */
bool perfect_init(struct perfect *perfect, const uint64_t *hashes, uint32_t count, unsigned slack,
                  uint32_t *twin_a, uint32_t *twin_b);
void perfect_fini(struct perfect *perfect);

#endif
