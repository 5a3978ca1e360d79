/*
 * store_memory.c - the level in this process's own memory: a table of chains, the least recently
 * used goes when a bound is reached. Dies with the process, which is the whole point of incident
 * serverless.
 *
 *   node:  | struct node | key | data |     one block
 */
#include "registry/cache/key_hash.h"
#include "registry/tiered/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS     1024u
#define ENTRIES_MAX 100000u

struct node {
    struct node *chain, *newer, *older;
    uint64_t hash;
    struct store_entry entry;
    size_t key_bytes;
    char key[];
};

struct memory {
    struct store_limits limits;
    struct store_state state;
    uint64_t entries, bytes;
    struct node *newest, *oldest;
    struct node *buckets[BUCKETS];
};

static uint64_t node_bytes(size_t key_bytes, size_t bytes)
{
    return sizeof(struct node) + key_bytes + bytes;
}

static struct node **find(struct memory *memory, struct store_key key)
{
    uint64_t hash = key_hash(key.text, key.length);
    struct node **at = &memory->buckets[hash % BUCKETS];
    while (*at && !((*at)->hash == hash && (*at)->key_bytes == key.length &&
                    memcmp((*at)->key, key.text, key.length) == 0)) {
        at = &(*at)->chain;
    }
    return at;
}

static void list_remove(struct memory *memory, struct node *node)
{
    *(node->newer ? &node->newer->older : &memory->newest) = node->older;
    *(node->older ? &node->older->newer : &memory->oldest) = node->newer;
}

static void list_push(struct memory *memory, struct node *node)
{
    node->newer = NULL;
    node->older = memory->newest;
    *(memory->newest ? &memory->newest->newer : &memory->oldest) = node;
    memory->newest = node;
}

static void node_free(struct memory *memory, struct node **at)
{
    struct node *node = *at;
    assert(node);
    *at = node->chain;
    list_remove(memory, node);
    memory->entries--;
    memory->bytes -= node_bytes(node->key_bytes, node->entry.bytes);
    free(node);
}

static void *memory_open(const char *address, const struct store_limits *limits)
{
    struct memory *memory = calloc(1, sizeof *memory);
    (void)address;
    if (memory) {
        memory->limits = *limits;
        if (!memory->limits.entries) {
            memory->limits.entries = ENTRIES_MAX;
        }
    }
    return memory;
}

static void memory_clear(struct memory *memory)
{
    while (memory->oldest) {
        struct store_key key = {memory->oldest->key, memory->oldest->key_bytes};
        node_free(memory, find(memory, key));
    }
}

static void memory_close(void *store)
{
    memory_clear(store);
    free(store);
}

static enum store_answer memory_get(void *store, struct store_key key, struct store_entry *entry,
                                    struct store_state *state)
{
    struct memory *memory = store;
    struct node *node = *find(memory, key);
    *state = memory->state;
    if (!node) {
        return STORE_NO;
    }
    list_remove(memory, node);
    list_push(memory, node);
    *entry = node->entry;
    return STORE_YES;
}

static void make_room(struct memory *memory, uint64_t bytes)
{
    while (memory->oldest &&
           (memory->entries >= memory->limits.entries ||
            (memory->limits.bytes && memory->bytes + bytes > memory->limits.bytes))) {
        struct store_key key = {memory->oldest->key, memory->oldest->key_bytes};
        node_free(memory, find(memory, key));
    }
}

static enum store_answer memory_put(void *store, struct store_key key,
                                    const struct store_entry *entry, uint64_t now_ns)
{
    struct memory *memory = store;
    uint64_t bytes = node_bytes(key.length, entry->bytes);
    (void)now_ns;
    if (!memory->state.known || entry->as_of < memory->state.applied ||
        (memory->limits.bytes && bytes > memory->limits.bytes)) {
        return STORE_NO;
    }
    struct node *node = malloc(bytes);
    if (!node) {
        return STORE_NO;
    }
    struct node **at = find(memory, key);
    if (*at) {
        node_free(memory, at);
    }
    make_room(memory, bytes);
    *node = (struct node){
        .hash = key_hash(key.text, key.length), .entry = *entry, .key_bytes = key.length};
    memcpy(node->key, key.text, key.length);
    memcpy(node->key + key.length, entry->data, entry->bytes);
    node->entry.data = node->key + key.length;
    node->chain = memory->buckets[node->hash % BUCKETS];
    memory->buckets[node->hash % BUCKETS] = node;
    list_push(memory, node);
    memory->entries++;
    memory->bytes += bytes;
    return STORE_YES;
}

static enum store_answer memory_drop(void *store, struct store_key key)
{
    struct node **at = find(store, key);
    if (!*at) {
        return STORE_NO;
    }
    node_free(store, at);
    return STORE_YES;
}

static enum store_answer memory_sweep(void *store, uint64_t now_ns, uint64_t keep_ns,
                                      uint64_t *removed)
{
    struct memory *memory = store;
    (void)keep_ns;
    *removed = 0;
    for (unsigned b = 0; b < BUCKETS; b++) {
        for (struct node **at = &memory->buckets[b]; *at;) {
            if ((*at)->entry.until_ns <= now_ns) {
                node_free(memory, at);
                ++*removed;
            } else {
                at = &(*at)->chain;
            }
        }
    }
    return STORE_YES;
}

static enum store_answer memory_usage(void *store, uint64_t *entries, uint64_t *bytes)
{
    const struct memory *memory = store;
    *entries = memory->entries;
    *bytes = memory->bytes;
    return STORE_YES;
}

static enum store_answer memory_commit(void *store, const struct store_state *state)
{
    struct memory *memory = store;
    if (state->floor > memory->state.floor || !memory->state.known) {
        memory_clear(memory);
    }
    memory->state = *state;
    return STORE_YES;
}

static enum store_answer memory_list(void *store,
                                     void (*each)(void *context, const struct store_listed *entry),
                                     void *context)
{
    const struct memory *memory = store;
    for (const struct node *node = memory->newest; node; node = node->older) {
        each(context, &(struct store_listed){.name = {node->key, node->key_bytes},
                                             .bytes = node->entry.bytes,
                                             .loaded_ns = node->entry.loaded_ns,
                                             .expires_ns = node->entry.until_ns});
    }
    return STORE_YES;
}

static enum store_answer memory_remove(void *store, uint64_t *removed)
{
    struct memory *memory = store;
    *removed = memory->entries;
    memory_clear(memory);
    return STORE_YES;
}

const struct store_kind store_memory = {
    .name = "memory",
    .open = memory_open,
    .close = memory_close,
    .trouble = store_no_trouble,
    .get = memory_get,
    .put = memory_put,
    .drop = memory_drop,
    .sweep = memory_sweep,
    .usage = memory_usage,
    .commit = memory_commit,
    .list = memory_list,
    .clear = memory_remove,
    .verify = store_no_verify,
    .generation = store_no_generation,
    .events = store_no_events,
    .publish = store_no_publish,
    .claim = store_no_claim,
    .release = store_no_release,
    .totals = store_no_totals,
};
