/*
 * world.h - what the processes of the suite share: the clock, which the tests move, the source and
 * the count of its calls. One page, made by the test and mapped by each instance.
 *
 * A call of the source takes 3 s of virtual time and a query of the database 50 ms, as the report
 * has it (a response of 100 to 200 ms, of which the query is a part); memory takes none, Redis 2
 * ms.
 */
#ifndef SERVERLESS_WORLD_H
#define SERVERLESS_WORLD_H

#include "registry/tiered/redis_fixture.h"
#include "registry/tiered/store.h"

#include <stdatomic.h>

#define SECOND      1000000000ull
#define MS          1000000ull
#define SOURCE_NS   (3 * SECOND)
#define DATABASE_NS (50 * MS)
#define REDIS_NS    (2 * MS)

struct page {
    _Atomic uint64_t now_ns;
    _Atomic uint64_t calls; /* of the source */
    _Atomic uint32_t state; /* of the truth; a value says which it is of */
    _Atomic uint32_t failing;
    _Atomic uint32_t begun, gate_begun;   /* the source answers when so many requests have begun */
    _Atomic uint32_t inside, gate_inside; /* ... or so many are in it; 0: at once */
    uint32_t padding;
    uint32_t value_bytes; /* 0: as long as it must be */
};

struct world {
    struct page *page;
    int fd;
    char folder[64], file[100];
    struct redis_fixture redis; /* pid 0: none */
};
extern struct world world;

void world_make(void); /* a folder, a page, the clock at a round time; for fixtures */
void world_end(void);
/* An instance's: maps the page. False: it cannot. */
bool world_join(int fd, const char *file, const char *redis);
/* Starts Redis where there is one; else says why not and returns false. */
bool world_redis(void);
void world_other_file(void); /* from now on another table, empty */
void world_advance(uint64_t ns);
uint64_t world_now(void *unused);
void world_wait(void *unused, uint64_t ns); /* moves the clock, and gives way for real */

/* The source. The key "broken" always fails. */
bool world_load(void *unused, struct store_key key, const void **data, size_t *bytes);
/* The state that a value is of. */
uint32_t world_state_of(const void *data, size_t bytes);

/* Seeded: (0, 1), and the gap to the next of Poisson arrivals. */
double random_unit(uint64_t *seed);
uint64_t random_gap(uint64_t *seed, uint64_t mean_ns);

#endif
