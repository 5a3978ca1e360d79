/*
 * copies.c - see copies.h. Runs in the test program. Nothing here is ever released: that is the
 * point.
 */
#include "copies.h"

#include "module.h"
#include "options.h"
#include "registry/cache/source_registry.h"
#include "workload.h"

#include <check.h>
#include <stdlib.h>

struct copy {
    struct copy *next;
    struct model_record model;
    char adapter[5000 - sizeof(struct model_record) -
                 sizeof(struct copy *)]; /* what the caller adds */
};

static struct copy *kept;

/* noinline: the report shall name this function, whatever the optimiser thinks of it. */
static __attribute__((noinline)) struct copy *to_model(registry_index index)
{
    struct copy *copy = malloc(sizeof *copy);
    if (copy) {
        model_record_fill(&copy->model, index);
    }
    return copy;
}

void copies_keep(unsigned test)
{
    for (unsigned i = 0; i < suite_options.copies; i++) {
        registry_index index = (registry_index)((uint64_t)(i + test) * 7 % registry_count());
        struct copy *copy = to_model(index);
        ck_assert_ptr_nonnull(copy);
        copy->next = kept;
        kept = copy;
    }
}
