/* key_index.c - see key_index.h. */
#include "harness/base/key_index.h"

#include "harness/base/memory.h"

#include <stdlib.h>

#define ROOM_LEAST 64

void key_index_fini(struct key_index *index)
{
    free(index->slots);
    *index = (struct key_index){0};
}

uint64_t key_index_mix(uint64_t key, uint64_t with)
{
    key = (key ^ with) * 0x9e3779b97f4a7c15u;
    return key ^ key >> 29;
}

/* Where the key is, or the free slot where it would be. */
static struct key_index_slot *slot_of(const struct key_index *index, uint64_t key)
{
    uint64_t hash =
        key_index_mix(key_index_mix(key, 0), 0); /* once leaves keys of high bits alike */
    for (size_t at = (size_t)hash;; at++) {
        struct key_index_slot *slot = &index->slots[at & (index->room - 1)];
        if (slot->number == 0 || slot->key == key) {
            return slot;
        }
    }
}

/* At most half of the slots are taken. */
static void room_make(struct key_index *index)
{
    if (index->count * 2 < index->room) {
        return;
    }
    struct key_index old = *index;
    index->room = old.room > 0 ? old.room * 2 : ROOM_LEAST;
    index->slots = memory_new(index->room, sizeof index->slots[0]);
    for (size_t i = 0; i < old.room; i++) {
        if (old.slots[i].number > 0) {
            *slot_of(index, old.slots[i].key) = old.slots[i];
        }
    }
    free(old.slots);
}

uint32_t key_index_get(const struct key_index *index, uint64_t key)
{
    return index->count > 0 ? slot_of(index, key)->number : 0;
}

uint32_t key_index_add(struct key_index *index, uint64_t key, uint32_t number)
{
    room_make(index);
    struct key_index_slot *slot = slot_of(index, key);
    if (slot->number == 0) {
        *slot = (struct key_index_slot){.key = key, .number = number};
        index->count++;
    }
    return slot->number;
}
