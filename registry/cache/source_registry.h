/*
 * source_registry.h - the compiled-in registry as a source for strategies, in two forms.
 *
 *   packed        the value is the record's number (registry_index): four bytes, no copy of
 * anything materialised  the value is a struct model_record: the model expanded into one
 * self-contained record with all texts in it, as an application keeps it that wants no pointers
 * into the library. 4,856 bytes; with the key and the links of an unbounded cache the 4,938 bytes
 * an entry of the 60 GB incident (27,000 of them are 133 MB).
 *
 * Both are thread-safe, allocate nothing, and lend the value until the thread's next load.
 */
#ifndef CACHE_SOURCE_REGISTRY_H
#define CACHE_SOURCE_REGISTRY_H

#include "registry/registry.h"
#include "registry/strategy.h"

extern const struct strategy_source source_registry_packed;
extern const struct strategy_source source_registry_materialised;

#define MODEL_RECORD_CAPABILITIES 32 /* as many as the registry's bit sets hold */

struct model_capability {
    char name[32];
    uint32_t state; /* enum registry_tri */
};

/* All texts NUL-terminated, cut where they are longer than their field. No pointers. */
struct model_record {
    uint32_t bytes; /* sizeof this */
    registry_index index;
    enum registry_mode mode;
    uint32_t inputs, outputs, capability_count;
    uint64_t context, max_output;
    uint64_t price_input, price_output, price_cache_read, price_cache_write;
    uint64_t price_dynamic;
    char key[128], provider[64], id[128], name[128], family[64];
    char knowledge[16], released[16], updated[16], retires[16], status[32], set[32];
    struct model_capability capabilities[MODEL_RECORD_CAPABILITIES];
    char document[2976]; /* the record as a line of JSON, as it would be sent on */
};

void model_record_fill(struct model_record *record, registry_index index);

#endif
