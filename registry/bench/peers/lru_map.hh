// lru_map.hh - an LRU from a hash map of somebody's (MAP: std::string_view to entry *) and an
// intrusive list, one allocation an entry. Included once, behind `struct entry;` and MAP.
#include "registry/bench/peers/lru_peer.h"

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace
{
struct entry {
    entry *prev, *next;
    size_t length, bytes;
    char room[1]; // value, then key
};

struct lru {
    MAP map;
    entry ends{};
    size_t capacity;
    explicit lru(size_t most) : capacity(most)
    {
        map.reserve(most + 1);
        ends.prev = ends.next = &ends;
    }
};

void unlink(entry *e)
{
    e->prev->next = e->next;
    e->next->prev = e->prev;
}

void push(lru *l, entry *e)
{
    e->prev = &l->ends;
    e->next = l->ends.next;
    e->next->prev = e;
    l->ends.next = e;
}

void *map_init(size_t capacity)
{
    return new lru(capacity);
}

const void *map_get(void *state, const char *key, size_t length, size_t *bytes)
{
    lru *l = static_cast<lru *>(state);
    auto found = l->map.find(std::string_view(key, length));
    if (found == l->map.end()) {
        return nullptr;
    }
    entry *e = found->second;
    unlink(e);
    push(l, e);
    *bytes = e->bytes;
    return e->room;
}

void map_put(void *state, const char *key, size_t length, const void *value, size_t bytes)
{
    lru *l = static_cast<lru *>(state);
    if (l->map.size() == l->capacity) {
        entry *victim = l->ends.prev;
        unlink(victim);
        l->map.erase(std::string_view(victim->room + victim->bytes, victim->length));
        std::free(victim);
    }
    entry *e = static_cast<entry *>(std::malloc(sizeof(entry) + bytes + length));
    e->length = length;
    e->bytes = bytes;
    std::memcpy(e->room, value, bytes);
    std::memcpy(e->room + bytes, key, length);
    l->map.emplace(std::string_view(e->room + bytes, length), e);
    push(l, e);
}

void map_fini(void *state)
{
    lru *l = static_cast<lru *>(state);
    for (entry *e = l->ends.next; e != &l->ends;) {
        entry *next = e->next;
        std::free(e);
        e = next;
    }
    delete l;
}
} // namespace

