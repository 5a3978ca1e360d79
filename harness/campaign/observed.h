/*
 * observed.h - what the workers of a session said of their program: its tests, and of the present
 * worker its allocation sites, retention paths, releases and survivors, each in a store by its
 * number. Supervisor only.
 */
#ifndef CAMPAIGN_OBSERVED_H
#define CAMPAIGN_OBSERVED_H

#include "harness/base/wire.h"
#include "harness/campaign/suppress.h"
#include "harness/symbol/symbol.h"

struct observed_test {
    char *id;
    char *file;
    unsigned line;
    bool forked;    /* always in a child: a signal or an exit is expected of it */
    uint32_t group; /* the same number: must share a process */
};

struct observed_site { /* frame_count 0: its stack was not sent */
    uint32_t number, kind;
    uint32_t family;                   /* sites between which realloc moved blocks share it */
    int64_t blocks, bytes;             /* alive when it was sent */
    int64_t begin_blocks, begin_bytes; /* alive at observed_test_begins */
    int64_t born_blocks, born_bytes;   /* of the last RUN, where it was asked for */
    uint32_t round;                    /* of observed.round, in which it was sent last */
    struct {
        uint32_t round;
        bool joined; /* it has more than one site */
        /* Blocks and bytes in one number, and blocks alone: alive; the least in the last RUN; alive
         * before that RUN. */
        int64_t held, floor, before;
        int64_t held_blocks, floor_blocks, before_blocks;
    } whole;                              /* of all the family, at its number */
    bool left;                            /* it became part of another family: whole is of before,
                                             until whoever keeps a table has joined them there */
    uint32_t place;                       /* for whoever keeps a table beside: 1 + its index */
    bool looked_up;                       /* whether it is suppressed */
    const struct suppression *suppressed; /* by which; NULL: by none */
    uint32_t frame_count;
    uint64_t frames[WIRE_FRAMES_MAX];
};

struct observed {
    const char *program; /* borrowed; before the id of each test, with a slash; "" or NULL: not */
    struct wire_hello hello;
    struct observed_test *tests; /* by index, of all workers: each offers the same */
    size_t test_count, test_room;

    struct symbols *symbols; /* these and all below: of the worker that runs now */
    struct observed_site *sites;
    size_t site_count, site_room;
    uint32_t round; /* increased before each question to which sites are the answer */
    struct wire_survivor *survivors;
    size_t survivor_count, survivor_room;
    struct wire_held *held;
    size_t held_count, held_room;
    struct wire_release *releases;
    size_t release_count, release_room;
    struct wire_given *givens; /* what was passed to whom */
    size_t given_count, given_room;
};

void observed_init(struct observed *observed);
void observed_fini(struct observed *observed);
/* A new worker begins: what was said of the one before is void. */
void observed_worker_begins(struct observed *observed);
/* Another test begins: what is alive now is of others. */
void observed_test_begins(struct observed *observed);
/* The names of all tests, and what the worker said of itself, from another session with the same
 * program. */
void observed_tests_copy(struct observed *observed, const struct observed *other);
/* Takes HELLO, MODULE, TEST_NAME, SITE, FAMILY, SURVIVOR, HELD, RELEASE and GIVEN_TO; returns false
 * for all other records. */
bool observed_take(struct observed *observed, const struct wire_record *record);

/* What a site holds as one number, so that either tells: things without bytes count as blocks. */
static inline int64_t observed_worth(int64_t blocks, int64_t bytes)
{
    return blocks + bytes;
}

/* Of a family, the site that holds most now. */
uint32_t observed_largest(const struct observed *observed, uint32_t family);

/* The site of this number, or NULL when its stack was not sent. */
struct observed_site *observed_site(const struct observed *observed, uint32_t number);

#endif
