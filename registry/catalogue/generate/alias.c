/* alias.c - see alias.h. Build time only. */
#include "registry/catalogue/generate/alias.h"

#include "harness/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Who answers to a bare id when several providers have it: makers of models, then clouds, then
 * brokers, then everybody else in byte order. */
static const char *const ranking[] = {
    "openai",     "anthropic",      "google",        "xai",   "mistral",    "deepseek", "cohere",
    "meta",       "llama",          "moonshotai",    "zai",   "minimax",    "alibaba",  "nvidia",
    "perplexity", "amazon-bedrock", "google-vertex", "azure", "openrouter",
};
#define RANKED (sizeof ranking / sizeof ranking[0])

/* A name that may become an alias; of several candidates with one name the first in order wins. */
struct candidate {
    char *name;
    const char *released; /* later wins; NULL: counts as never */
    unsigned rank;        /* lower wins */
    uint32_t index;       /* lower wins */
};

static unsigned provider_rank(const struct entry *entry, const struct schema *schema)
{
    unsigned rank = RANKED;
    for (unsigned i = 0; i < RANKED; i++) {
        if (strlen(ranking[i]) == entry->provider_length &&
            memcmp(ranking[i], entry->key, entry->provider_length) == 0) {
            rank = i;
        }
    }
    /* What is no longer offered, or was made up, yields to everything that is offered. */
    const char *set = entry_text(entry, schema, "set");
    return rank + (set && strcmp(set, "current") != 0 ? 1000 : 0);
}

static int candidate_compare(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    if (order == 0) {
        order = strcmp(b->released ? b->released : "", a->released ? a->released : "");
    }
    if (order == 0) {
        order = (a->rank > b->rank) - (a->rank < b->rank);
    }
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static void list_append(struct alias_list *list, const char *name, uint32_t index)
{
    memory_grow(&list->items, &list->room, list->count + 1, sizeof *list->items);
    list->items[list->count++] = (struct alias){memory_copy(name), index};
}

static int alias_compare(const void *left, const void *right)
{
    const struct alias *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

/* Keeps the best candidate of each name; the names of the others are freed. */
static void list_take_best(struct alias_list *list, const struct catalogue *catalogue,
                           struct candidate *candidates, size_t count, bool family)
{
    qsort(candidates, count, sizeof *candidates, candidate_compare);
    for (size_t i = 0; i < count; i++) {
        struct candidate *c = &candidates[i];
        bool repeated = i > 0 && strcmp(c->name, candidates[i - 1].name) == 0;
        const struct entry *entry = &catalogue->entries[c->index];
        if (!repeated && !(family && catalogue_find(catalogue, c->name, entry->provider_length))) {
            list_append(list, c->name, c->index);
        }
    }
    for (size_t i = 0; i < count; i++) {
        free(candidates[i].name);
    }
}

void alias_list_init(struct alias_list *list, const struct catalogue *catalogue)
{
    *list = (struct alias_list){.count = 0};
    const struct schema *schema = catalogue->schema;
    if (schema->key_count < 2) {
        return;
    }
    struct candidate *candidates = memory_new(catalogue->count, sizeof *candidates);
    size_t families = 0;
    for (size_t i = 0; i < catalogue->count; i++) {
        const struct entry *entry = &catalogue->entries[i];
        candidates[i] = (struct candidate){
            .name = memory_copy(entry->key + entry->provider_length + 1),
            .rank = provider_rank(entry, schema),
            .index = (uint32_t)i,
        };
    }
    list_take_best(list, catalogue, candidates, catalogue->count, false);
    for (size_t i = 0; i < catalogue->count; i++) {
        const struct entry *entry = &catalogue->entries[i];
        const char *status = entry_text(entry, schema, "status");
        const char *family = entry_text(entry, schema, "family");
        const char *released = entry_text(entry, schema, "released");
        if (family && released && !(status && strcmp(status, "deprecated") == 0)) {
            candidates[families++] = (struct candidate){
                .name = memory_format("%.*s:%s-latest", (int)entry->provider_length, entry->key,
                                      family),
                .released = released,
                .index = (uint32_t)i,
            };
        }
    }
    list_take_best(list, catalogue, candidates, families, true);
    free(candidates);
    qsort(list->items, list->count, sizeof *list->items, alias_compare);
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (kept > 0 && strcmp(list->items[kept - 1].name, list->items[i].name) == 0) {
            free(list->items[i].name);
        } else {
            list->items[kept++] = list->items[i];
        }
    }
    list->count = kept;
}

void alias_list_fini(struct alias_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
    }
    free(list->items);
    *list = (struct alias_list){.count = 0};
}
