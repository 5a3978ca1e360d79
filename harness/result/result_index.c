/* result_index.c - see result_index.h. Supervisor only. */
#include "harness/result/result_index.h"
#include "harness/base/memory.h"

#include <stdlib.h>

/* FNV-1a over both strings with a byte between them that occurs in neither, then a finaliser: FNV's
 * low bits alone are weak for ids that end in [i]. */
uint64_t result_hash(const char *first, const char *second)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *at = first; *at; at++) {
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
    }
    hash = (hash ^ 0xff) * 0x100000001b3u;
    for (const char *at = second; *at; at++) {
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
    }
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93u;
    hash ^= hash >> 32;
    return hash ? hash : 1;
}

void result_index_fini(struct result_index *index)
{
    free(index->slots);
    *index = (struct result_index){0};
}

static struct result_index_slot *slot_free(struct result_index_slot *slots, size_t room,
                                           uint64_t hash)
{
    size_t at = hash & (room - 1);
    while (slots[at].hash != 0) {
        at = (at + 1) & (room - 1);
    }
    return &slots[at];
}

static void index_grow(struct result_index *index)
{
    size_t room = index->room ? index->room * 2 : 64;
    struct result_index_slot *slots = memory_new(room, sizeof *slots);
    for (size_t i = 0; i < index->room; i++) {
        if (index->slots[i].hash != 0) {
            *slot_free(slots, room, index->slots[i].hash) = index->slots[i];
        }
    }
    free(index->slots);
    index->slots = slots;
    index->room = room;
}

bool result_index_find(const struct result_index *index, const char *first, const char *second,
                       result_index_same *same, const void *context, uint64_t *value)
{
    if (index->room == 0) {
        return false;
    }
    uint64_t hash = result_hash(first, second);
    for (size_t at = hash & (index->room - 1); index->slots[at].hash != 0;
         at = (at + 1) & (index->room - 1)) {
        if (index->slots[at].hash == hash && same(context, index->slots[at].value, first, second)) {
            *value = index->slots[at].value;
            return true;
        }
    }
    return false;
}

uint64_t result_index_add(struct result_index *index, const char *first, const char *second,
                          uint64_t value, result_index_same *same, const void *context, bool *fresh)
{
    uint64_t found;
    if (result_index_find(index, first, second, same, context, &found)) {
        *fresh = false;
        return found;
    }
    if ((index->count + 1) * 4 > index->room * 3) {
        index_grow(index);
    }
    uint64_t hash = result_hash(first, second);
    *slot_free(index->slots, index->room, hash) =
        (struct result_index_slot){.hash = hash, .value = value};
    index->count++;
    *fresh = true;
    return value;
}
