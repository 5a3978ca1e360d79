/*
 * shard.h - which tests belong to which part of a run that is spread over machines.
 *
 * Without earlier figures a test's id decides (a hash of it modulo the number of shards), so that
 * adding a test moves no other one. With figures the tests are dealt out, the dearest first, to the
 * shard that has least: of time and of the sum of peak memory, whichever is the larger part of
 * the whole. Either way every shard comes to the same partition by itself, from the same list.
 * Tests that must share a process are one piece. Supervisor only; no input or output.
 */
#ifndef PLAN_SHARD_H
#define PLAN_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHARDS_MAX 100000u

struct shard_item {
    const char *id; /* borrowed while the map is made */
    uint32_t group; /* the same number: must share a process */
    double time;    /* ns; below 0: unknown */
    double memory;  /* bytes; below 0: unknown */
};

struct shard_map;

/* `balanced`: by time and memory, unknown ones taken for the mean of the known. */
struct shard_map *shard_map_new(const struct shard_item *items, size_t count, unsigned shards,
                                bool balanced);
/* Tests that cannot be parted, all in one shard (1-based); the list may be empty. */
struct shard_map *shard_map_whole(const struct shard_item *items, size_t count, unsigned shards,
                                  unsigned shard);
void shard_map_free(struct shard_map **map);

/* 1-based. A test that was not in the list goes where its id says. */
unsigned shard_map_find(const struct shard_map *map, const char *id);
/* Is there anything for this shard to run? */
bool shard_map_any(const struct shard_map *map, unsigned shard);
/* The same for the same tests in the same shards, whatever order they were listed in. */
uint64_t shard_map_digest(const struct shard_map *map);

/* "2/5", from 1 to 5. False: why in *error, a constant. */
bool shard_parse(const char *text, unsigned *shard, unsigned *shards, const char **error);

#endif
