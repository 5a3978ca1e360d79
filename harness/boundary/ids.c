/* ids.c - unique test ids; see serve_id_set in serve.h. A grow-only set of hashes of ids in the
 * arena. */
#include "harness/boundary/arena.h"
#include "harness/boundary/serve.h"

#include <stdio.h>
#include <string.h>

static uint64_t *ids_slots; /* 0: empty */
static uint32_t ids_room, ids_count;

static uint64_t id_hash(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    }
    return hash == 0 ? 1 : hash;
}

static bool slot_insert(uint64_t *slots, uint32_t room, uint64_t hash)
{
    for (uint32_t at = (uint32_t)hash & (room - 1);; at = (at + 1) & (room - 1)) {
        if (slots[at] == hash) {
            return false;
        }
        if (slots[at] == 0) {
            slots[at] = hash;
            return true;
        }
    }
}

/* True when the id is new. */
static bool ids_insert(const char *id)
{
    if (ids_count * 2 >= ids_room) {
        uint32_t room = ids_room == 0 ? 1024 : ids_room * 2;
        uint64_t *slots = arena_get(room * sizeof *slots);
        for (uint32_t i = 0; i < ids_room; i++) {
            if (ids_slots[i] != 0) {
                slot_insert(slots, room, ids_slots[i]);
            }
        }
        ids_slots = slots;
        ids_room = room;
    }
    bool inserted = slot_insert(ids_slots, ids_room, id_hash(id));
    ids_count += inserted;
    return inserted;
}

void serve_id_set(struct wire_test_name *name, const char *id)
{
    enum { SUFFIX = 24 };
    static char text[WIRE_ID_MAX];
    size_t bytes = strlen(id);
    if (bytes + SUFFIX < sizeof text) {
        snprintf(text, sizeof text, "%s", id);
    } else {
        bytes = (size_t)snprintf(text, sizeof text, "%.*s~%016llx", WIRE_ID_MAX - 2 * SUFFIX, id,
                                 (unsigned long long)id_hash(id));
    }
    snprintf(name->id, sizeof name->id, "%s", text);
    for (unsigned n = 2; !ids_insert(name->id); n++) {
        snprintf(name->id + bytes, SUFFIX, "#%u", n);
    }
}
