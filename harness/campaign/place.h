/*
 * place.h - the places of a suite over several passes: where tests allocate, the same place in
 * every process, what it held after each test, and which tests touch it. place_judge.h judges
 * them. Supervisor only.
 *
 * A place is the innermost line of the program's own that allocates (level 1), with its caller
 * (level 2), and with the caller of that (level 3). Level 1 alone would see one place where a
 * program has a wrapper of malloc, level 3 alone as many places as there are tests that call a
 * cache. A suite is judged by all three; what is shown is the finest that is accused.
 */
#ifndef CAMPAIGN_PLACE_H
#define CAMPAIGN_PLACE_H

#include "harness/base/key_index.h"
#include "harness/campaign/accused.h"
#include "harness/campaign/pass_log.h"
#include "harness/result/result.h"

#define PLACE_LEVELS 3
#define PLACE_PASSES 8

struct place_event { /* what a place held after the test at this position, from then on */
    uint32_t position;
    int64_t blocks, bytes;
};

struct place {
    uint64_t key;
    uint32_t level, kind;
    uint32_t parent;        /* index of the place one level up; at level 1 none: 0 */
    unsigned char *touched; /* a bit a test: it allocated there in one of the passes */
    struct place_history {
        struct place_event *events;
        size_t count, room;
        size_t touched;      /* tests that allocated there in this pass ... */
        uint32_t touched_by; /* ... and 1 + the position of the last of them */
    } passes[PLACE_PASSES];
    enum result_verdict verdict;
    unsigned accusing;
    bool shown;           /* the finest that is accused */
    int64_t first, added; /* blocks and bytes kept by the first pass, and added by a second */
};

struct places {
    struct place *all;
    size_t count, room;
    struct key_index index; /* 1 + index by key */
    size_t test_count;
    struct {
        uint32_t *tests, *groups; /* by position; tests of one group share a fixture */
        size_t count, first_pass;
    } passes[PLACE_PASSES];
    size_t pass_count;
    const struct accused *left_out; /* what tests left at places for which they are accused */
};

/* `left_out` is borrowed. */
void places_init(struct places *places, size_t test_count, const struct accused *left_out);
void places_fini(struct places *places);

/* Adds a pass. `seen` is what its worker said, with the symbols of its addresses; `skip` says of a
 * site that it is suppressed. */
void places_add(struct places *places, const struct pass_log *log, struct observed *seen,
                bool (*skip)(void *context, uint32_t site), void *context);

/* The key of the finest place of a site; the same in every process. */
uint64_t place_key(const struct observed *seen, uint32_t site);

/* The place of a site that is shown, or NULL. Its symbols are those of `seen`. */
struct place *places_find_shown(const struct places *places, const struct observed *seen,
                                uint32_t site);

#endif
