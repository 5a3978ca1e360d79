/* shard.c - see shard.h. Supervisor only. */
#include "harness/plan/shard.h"

#include "harness/base/memory.h"

#include <stdlib.h>
#include <string.h>

struct place {
    uint64_t hash; /* of the id */
    unsigned shard;
};

struct shard_map {
    struct place *places; /* by hash */
    size_t count;
    unsigned shards;
    unsigned whole; /* the shard that has all of them; 0: they are parted */
    bool *any;      /* by shard, from 0 */
};

/* One piece: a test, or all tests of a group. */
struct piece {
    uint64_t key;
    size_t first, count; /* in the order by group */
    double time, memory; /* parts of the whole, 0..1 */
    double larger;
};

/* FNV-1a, then mixed: its low bits alone are poor, and a modulo looks at them. */
static uint64_t hash_bytes(const char *text, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    }
    hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdu;
    hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53u;
    return hash ^ (hash >> 33);
}

static uint64_t hash_text(const char *text)
{
    return hash_bytes(text, strlen(text));
}

static int compare_by_group(const void *a, const void *b)
{
    const struct shard_item *x = *(const struct shard_item *const *)a;
    const struct shard_item *y = *(const struct shard_item *const *)b;
    return x->group != y->group ? (x->group > y->group) - (x->group < y->group)
                                : strcmp(x->id, y->id);
}

/* Dearest first; of equals, any order that every machine comes to. */
static int compare_pieces(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    return x->larger != y->larger ? (x->larger < y->larger) - (x->larger > y->larger)
                                  : (x->key > y->key) - (x->key < y->key);
}

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

struct totals {
    double time, memory;           /* of all, the unknown ones as the mean */
    double mean_time, mean_memory; /* of those that are known */
};

static struct totals totals_of(const struct shard_item *items, size_t count)
{
    struct totals totals = {0};
    size_t times = 0, memories = 0;
    for (size_t i = 0; i < count; i++) {
        totals.time += items[i].time >= 0 ? items[i].time : 0;
        totals.memory += items[i].memory >= 0 ? items[i].memory : 0;
        times += items[i].time >= 0;
        memories += items[i].memory >= 0;
    }
    /* Where nothing is known all are equal. */
    totals.mean_time = times && totals.time > 0 ? totals.time / (double)times : 1;
    totals.mean_memory = memories && totals.memory > 0 ? totals.memory / (double)memories : 1;
    totals.time = totals.mean_time * (double)count;
    totals.memory = totals.mean_memory * (double)count;
    return totals;
}

/* A group's key is what its tests' ids have in front of their names (suite/tcase), so that a test
 * more or less does not move the others. */
static uint64_t key_of(const struct shard_item *const *members, size_t count)
{
    const char *slash = strrchr(members[0]->id, '/');
    return count > 1 && slash ? hash_bytes(members[0]->id, (size_t)(slash - members[0]->id))
                              : hash_text(members[0]->id);
}

static size_t pieces_make(const struct shard_item **items, size_t count,
                          const struct totals *totals, struct piece *pieces)
{
    size_t made = 0;
    for (size_t i = 0; i < count;) {
        struct piece *piece = &pieces[made++];
        *piece = (struct piece){.first = i};
        while (i < count && items[i]->group == items[piece->first]->group) {
            double time = items[i]->time >= 0 ? items[i]->time : totals->mean_time;
            double memory = items[i]->memory >= 0 ? items[i]->memory : totals->mean_memory;
            piece->time += time / totals->time;
            piece->memory += memory / totals->memory;
            piece->count++;
            i++;
        }
        piece->key = key_of(&items[piece->first], piece->count);
        piece->larger = piece->time > piece->memory ? piece->time : piece->memory;
    }
    return made;
}

struct load {
    double time, memory;
};

static double load_with(const struct load *load, const struct piece *piece)
{
    double time = load->time + piece->time, memory = load->memory + piece->memory;
    return time > memory ? time : memory;
}

static unsigned lightest(const struct load *loads, unsigned shards, const struct piece *piece)
{
    unsigned best = 0;
    for (unsigned s = 1; s < shards; s++) {
        double with = load_with(&loads[s], piece), least = load_with(&loads[best], piece);
        double sum = loads[s].time + loads[s].memory;
        double least_sum = loads[best].time + loads[best].memory;
        if (with < least || (with == least && sum < least_sum)) {
            best = s;
        }
    }
    return best;
}

struct shard_map *shard_map_new(const struct shard_item *items, size_t count, unsigned shards,
                                bool balanced)
{
    struct shard_map *map = memory_new(1, sizeof *map);
    const struct shard_item **by_group = memory_new(count + 1, sizeof(const struct shard_item *));
    struct piece *pieces = memory_new(count + 1, sizeof *pieces);
    struct load *loads = memory_new(shards, sizeof *loads);
    struct totals totals = totals_of(items, count);
    *map = (struct shard_map){.places = memory_new(count + 1, sizeof *map->places),
                              .shards = shards,
                              .any = memory_new(shards, sizeof *map->any)};
    for (size_t i = 0; i < count; i++) {
        by_group[i] = &items[i];
    }
    qsort(by_group, count, sizeof(const struct shard_item *), compare_by_group);
    size_t made = pieces_make(by_group, count, &totals, pieces);
    qsort(pieces, made, sizeof *pieces, compare_pieces);
    for (size_t p = 0; p < made; p++) {
        unsigned shard =
            balanced ? lightest(loads, shards, &pieces[p]) : (unsigned)(pieces[p].key % shards);
        loads[shard].time += pieces[p].time;
        loads[shard].memory += pieces[p].memory;
        map->any[shard] = true;
        for (size_t i = pieces[p].first; i < pieces[p].first + pieces[p].count; i++) {
            map->places[map->count++] =
                (struct place){.hash = hash_text(by_group[i]->id), .shard = shard + 1};
        }
    }
    qsort(map->places, map->count, sizeof *map->places, compare_places);
    free(by_group);
    free(pieces);
    free(loads);
    return map;
}

struct shard_map *shard_map_whole(const struct shard_item *items, size_t count, unsigned shards,
                                  unsigned shard)
{
    struct shard_map *map = shard_map_new(items, count, shards, false);
    map->whole = shard;
    for (size_t i = 0; i < count; i++) {
        map->places[i].shard = shard;
    }
    for (unsigned s = 0; s < shards; s++) {
        map->any[s] = s + 1 == shard;
    }
    return map;
}

void shard_map_free(struct shard_map **slot)
{
    struct shard_map *map = *slot;
    *slot = NULL;
    if (map) {
        free(map->places);
        free(map->any);
        free(map);
    }
}

unsigned shard_map_find(const struct shard_map *map, const char *id)
{
    struct place sought = {.hash = hash_text(id)};
    if (map->whole) {
        return map->whole;
    }
    const struct place *found =
        bsearch(&sought, map->places, map->count, sizeof *map->places, compare_places);
    return found ? found->shard : (unsigned)(sought.hash % map->shards) + 1;
}

bool shard_map_any(const struct shard_map *map, unsigned shard)
{
    return shard >= 1 && shard <= map->shards && map->any[shard - 1];
}

uint64_t shard_map_digest(const struct shard_map *map)
{
    uint64_t digest = map->shards + ((uint64_t)map->whole << 32);
    for (size_t i = 0; i < map->count; i++) {
        digest = (digest ^ map->places[i].hash) * 0x9e3779b97f4a7c15u;
        digest = (digest ^ (digest >> 29)) + map->places[i].shard;
    }
    return digest;
}

bool shard_parse(const char *text, unsigned *shard, unsigned *shards, const char **error)
{
    char *end = NULL;
    bool digits = text[0] >= '0' && text[0] <= '9';
    unsigned long index = strtoul(text, &end, 10), count = 0;
    if (!digits || *end != '/' || end[1] < '0' || end[1] > '9') {
        *error = "not of the form I/N, as in 2/5";
        return false;
    }
    count = strtoul(end + 1, &end, 10);
    *error = *end != '\0'                       ? "not of the form I/N, as in 2/5"
             : index == 0                       ? "shards count from 1"
             : count == 0 || count > SHARDS_MAX ? "from 1 to 100000 shards"
             : index > count                    ? "there are not so many shards"
                                                : NULL;
    *shard = (unsigned)index;
    *shards = (unsigned)count;
    return !*error;
}
