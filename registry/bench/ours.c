/*
 * ours.c - the registry's look-up in the benchmark. Compiled twice: as it is, and with
 * REGISTRY_PORTABLE for the form without SIMD.
 */
#include "registry/bench/contender.h"
#include "registry/registry_inline.h"

static void *image_build(const struct lookup_keys *keys)
{
    return (void *)keys->image;
}

static void image_release(void *table)
{
    (void)table;
}

#define FIND_INLINE(table, data, length) registry_image_find_inline(table, data, length)
LOOKUP_LOOPS(inline, FIND_INLINE)

#ifdef REGISTRY_PORTABLE
const struct contender contender_portable = {
    "registry, portable", true, image_build, inline_all, inline_chain, image_release,
};
#else
const struct contender contender_inline = {
    "registry, inline", true, image_build, inline_all, inline_chain, image_release,
};

#define FIND_CALL(table, data, length) registry_image_find(table, data, length)
LOOKUP_LOOPS(call, FIND_CALL)
const struct contender contender_call = {
    "registry, call", true, image_build, call_all, call_chain, image_release,
};

static uint64_t batch_all(const void *table, const struct registry_text *query, size_t count)
{
    registry_index out[64];
    uint64_t sum = 0;
    for (size_t at = 0; at < count; at += 64) {
        size_t some = count - at < 64 ? count - at : 64;
        registry_image_find_batch(table, query + at, some, out);
        for (size_t i = 0; i < some; i++) {
            sum += (uint32_t)(out[i] + 1);
        }
    }
    return sum;
}

const struct contender contender_batch = {
    "registry, batch of 64", true, image_build, batch_all, NULL, image_release,
};
#endif
