/*
 * repeat.h - one test repeated until its memory is understood: calls are asked for in spans, what
 * is held at their boundaries becomes series, and harness/judge says when enough were made. Knows
 * no process: whoever is asked may be a worker or a script of numbers. Supervisor only.
 */
#ifndef CAMPAIGN_REPEAT_H
#define CAMPAIGN_REPEAT_H

#include "harness/campaign/observed.h"
#include "harness/judge/calls.h"
#include "harness/worker/link.h"

#define REPEAT_SETTLE_NS 100000000.0

struct repeat_ask {
    void *self;
    struct answer (*ask)(void *self, const struct wire_command *command);
    /* Is most of what this site holds unreachable? It takes a scan, so it is asked seldom. Returns
     * false when the worker is gone, too. */
    bool (*lost)(void *self, uint32_t site);
    bool (*suppressed)(void *self, uint32_t site);
    struct observed *seen; /* where the records of the answers are found */
};

struct repeat_limits {
    unsigned least;            /* calls that are made whatever they take */
    unsigned most;             /* and no more than these */
    double still_ns, moved_ns; /* of all calls: as long as nothing moves, and once something has */
    int64_t bytes;             /* that may be kept before it is judged by what there is */
    uint32_t units;            /* descriptors, threads, files or children, likewise */
    unsigned enough;           /* so many calls are enough to accuse; 0: as harness/judge says */
    double settle_ns; /* that late threads are waited for, in all calls; 0: REPEAT_SETTLE_NS */
    uint32_t flags;   /* of every command, besides its own */
};

struct repeat_place { /* a family of sites */
    uint32_t family, kind;
    uint32_t site;                /* of the family, the one that holds most now; where it rose */
    struct series series, blocks; /* blocks and bytes in one number; blocks alone */
    struct series_answer answer;
    double bytes_per_call; /* of the growth per call, without the blocks: of heap and mappings */
    bool suppressed;
    /* Its kind grows as a whole, at no single place: what is here now has not always been. Rates
     * are then those of all calls. */
    bool carries;
    int64_t carried; /* so much of it, blocks and bytes in one number */
};

/* What all of the process holds, by kind (enum wire_site_kind). */
enum repeat_sum {
    REPEAT_HEAP,
    REPEAT_MAPPED,
    REPEAT_FDS,
    REPEAT_THREADS,
    REPEAT_FILES,
    REPEAT_CHILDREN,
    REPEAT_SUMS
};

struct repeat {
    enum calls_verdict verdict; /* GO_ON when a call failed or the worker is gone */
    struct answer last;         /* the last answer: its event and test say why it ended early */
    struct wire_test figures;   /* of the first call after the warm-up */
    int64_t figures_live;       /* live bytes at its boundary */
    unsigned calls;
    double call_ns, spent_ns;
    double settle_ns, settled_ns; /* to be waited for threads that give back late, and waited */
    bool gave_back;               /* they did, while they were waited for */
    double whole_ns;              /* the last of it, before the test was accused */
    struct boundary first, now;
    unsigned still;   /* calls at the end of the answer in which it first moved; 0: it has not */
    bool moved, lost; /* lost: a site of which 5 calls in a row left unreachable blocks */
    struct series sums[REPEAT_SUMS];
    struct series_answer sum_answers[REPEAT_SUMS];
    /* What is resident at the ends of the spans, without heap, mappings and our own: only its rises
     * mean something. */
    struct series resident;
    struct repeat_place *places; /* those that changed; by worth once it has ended */
    size_t place_count, place_room;
    int64_t *live; /* live bytes at the end of each span, and after which call that was */
    unsigned *live_calls;
    size_t live_count, live_room, live_calls_room;
};

/* Runs the test. The caller owns the storage and calls repeat_fini. */
void repeat_run(struct repeat *repeat, const struct repeat_ask *ask, uint32_t test,
                const struct repeat_limits *limits);
void repeat_fini(struct repeat *repeat);

/* How many places at the front of `places` are what the test is accused of, or would be: those that
 * grow, and those that carry growth which no place explains; if there are none, those that rose in
 * the last factor of four. */
size_t repeat_growers(const struct repeat *repeat);

#endif
