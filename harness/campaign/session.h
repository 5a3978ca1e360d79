/*
 * session.h - one variant being run: what its workers have said so far. Shared by the files of this
 * folder. Supervisor only.
 */
#ifndef CAMPAIGN_SESSION_H
#define CAMPAIGN_SESSION_H

#include "harness/base/histogram.h"
#include "harness/campaign/runner.h"
#include "harness/campaign/suppress.h"
#include "harness/judge/judge.h"
#include "harness/symbol/symbol.h"
#include "harness/worker/worker.h"

#define SESSION_WARMUPS     3 /* repetitions of a test before those that count */
#define SESSION_LEAST       8 /* and those that count */
#define SESSION_EPOCHS_NS   20000000000u
#define SESSION_SITES_SHOWN 5

struct session_site { /* by its number; frame_count 0: no such site was told of */
    uint32_t number, kind;
    int64_t blocks, bytes;
    int64_t floor_blocks, floor_bytes;    /* of the last run; 0 when not told of since */
    int64_t born_blocks, born_bytes;      /* of the last run, where it was asked for */
    uint32_t told;                        /* in which round of SITES */
    bool looked_up;                       /* whether it is suppressed */
    const struct suppression *suppressed; /* by which; NULL: by none */
    uint32_t frame_count;
    uint64_t frames[WIRE_FRAMES_MAX];
};

struct session_name {
    char *id;
    char *file;
    unsigned line;
    bool forked;    /* always in a child: a signal or an exit is expected of it */
    uint32_t group; /* the same number: must share a process */
};

struct session_failure { /* a test that failed or died, behind those of `live` from, to */
    uint32_t test;
    size_t from, to;
    char *message;
};

struct session {
    const struct plan *plan;
    const struct plan_variant *variant;
    const struct runner_options *options;
    struct result *result;
    struct worker worker;
    struct symbols *symbols; /* of the worker that runs now */
    struct wire_hello hello;

    struct session_name *names; /* by index */
    size_t name_count, name_room;
    struct wire_sample sample; /* the last */
    struct wire_test test;
    bool has_test, has_sample;
    bool quiet;                  /* a second run for the sites: nothing of it is a result */
    bool light;                  /* of a quiet one: counters only */
    bool forked;                 /* each test in a child */
    const char *memcheck;        /* folder for memcheck's files: it runs under valgrind; or NULL */
    bool hangs;                  /* tests of it hang unless they are in a child */
    size_t forked_count;         /* tests that were run in a child because they failed without */
    uint64_t limit_ns;           /* of a repetition; 0: the plan's */
    bool passive;                /* its tests go by, and cannot be chosen */
    bool forks;                  /* of a passive one: each test in a child of the program's own */
    uint32_t passes;             /* of a passive one: how often main is run; 0 as 1 */
    struct wire_sample *gone_by; /* of a passive one: all its samples */
    size_t gone_by_count, gone_by_room;
    uint64_t shuffle;     /* seed of the order within each group; 0: as they are */
    const uint32_t *list; /* only these, in this order; NULL: all */
    size_t list_count;
    struct judge_vector *vectors; /* the samples of the last run */
    size_t vector_count, vector_room;
    int64_t *rss; /* beside each: peak RSS of the repetition, 0 when not asked for */
    size_t rss_room;

    /* Over the pass. */
    int64_t *live;        /* above the start of its worker, after each test that ended */
    uint32_t *live_tests; /* which test each of them is of */
    size_t live_count, live_room, live_tests_room;
    int64_t live_start, live_end, live_peak, test_peak, retained_max;
    bool live_known;
    double allocs, frees, bytes, wall, peak_rss;
    size_t tests, failed;
    size_t strays;  /* processes that outlived their tests */
    size_t objects; /* that they left in the system: shared memory, semaphores, queues */
    char object[WIRE_OBJECT_NAME]; /* the first of them */
    uint32_t *deaths;              /* tests in which a worker ended */
    size_t death_count, death_room;
    const struct session *earlier;    /* tests in which its workers ended are not run again */
    struct session_failure *failures; /* of a quiet one */
    size_t failure_count, failure_room, worker_live; /* worker_live: live_count as it began */
    struct {
        char name[32];
        double value;
    } counters[64];
    size_t counter_count;
    uint64_t lookup_ns[HISTOGRAM_BUCKETS];
    char *stopped_by, *culprit;
    enum result_verdict suite_verdict; /* of axis B; NONE: judge `live` */
    char *suite_horizon;               /* or NULL */
    char *unstarted;                   /* why no worker came to its first test, or NULL */
    uint32_t counted;                  /* tests by index that result->expected has */

    struct session_site *sites;
    size_t site_count, site_room;
    uint32_t site_round;
    bool asks_survivors; /* before each group of tests ends */
    bool twice;          /* then all tests of the group once more, in the same process */
    bool again_done;     /* and that went through */
    int64_t again_live;  /* live bytes that the second passes added */
    struct wire_survivor *survivors;
    size_t survivor_count, survivor_room;
    struct session_survivors {
        struct wire_survivor *at;
        size_t count, room;
    } once, again; /* of tests of their own group, after its first and its second pass */
    struct wire_held *held;
    size_t held_count, held_room;
    struct wire_release *releases; /* of the last session_releases */
    size_t release_count, release_room;
    struct wire_given *givens; /* and what was passed to whom */
    size_t given_count, given_room;
};

void session_init(struct session *session, const struct plan *plan,
                  const struct plan_variant *variant, const struct runner_options *options,
                  struct result *result);
void session_fini(struct session *session);
/* The callback of its workers. */
void session_record(void *session, const struct wire_record *record);
struct judge_vector session_vector(const struct wire_sample *sample);

/* A program with a malloc of its own: nothing can be said for its heap. */
bool session_heap_unseen(const struct session *session);
void session_strays_note(const struct session *session);

/* Runs all tests. False: the program could not be started at all. */
bool session_run(struct session *session);

/* Learns the names of all tests, running none. *passive: they cannot be chosen one by one. False:
 * it could not be started, or has no tests. */
bool session_list(struct session *session, bool *passive);

/* The metrics of a pass, NAN where not measured. */
void session_metrics(const struct session *session, double metric[METRIC_COUNT]);
/* Fills the variant of the result from the metrics of its passes and from the last session. */
void session_conclude(struct session *session, double (*passes)[METRIC_COUNT], size_t count,
                      struct result_variant *variant);

/* For the files of this folder: a worker begun, a command answered, a test that the plan wants, a
 * result for it, what a death comes to. */
bool session_begin(struct session *session);
/* Why its worker never came to a first test, for a person; `error`: errno when it could not even be
 * started, else 0. The caller frees. */
char *session_unstarted(const struct session *session, int error);
/* A horizon's text with its "%u" written as "4,400"; NULL when it has none. The caller frees. */
char *session_horizon(const char *text, unsigned count);
/* How many tests are to be run goes into the result file, as far as it is known: a run that is
 * killed can say how many are missing. */
void session_expect(struct session *session);
void session_over(struct session *session); /* ends its worker, keeps what it came to */
uint32_t session_serve(struct session *session, uint32_t next, uint32_t end);
bool session_command(struct session *session, const struct wire_command *command,
                     enum worker_event *event);
bool session_wants(const struct session *session, uint32_t test);
/* Tests [first, past) as they are to be run: the caller frees. *last is where their places end.
 * Tests that share a fixture stay together when they are shuffled. */
uint32_t *session_order_new(const struct session *session, uint32_t first, uint32_t past,
                            uint32_t *last);
struct result_test *session_test_add(struct session *session, uint32_t test);
/* The result of this test, by its number here; NULL: none yet. */
struct result_test *session_result(const struct session *session, uint32_t test);
void session_test_fill(struct session *session, struct result_test *test);
enum result_status session_dying(const struct session *session, bool hung);
enum result_status session_death(struct session *session, uint32_t test, bool hung);
/* What such a death means for the variant: true if it goes on behind the test. */
bool session_death_goes_on(struct session *session, uint32_t test, enum result_status status);
bool session_limit_reached(const struct session *session);
/* A test came to its boundary. */
void session_test_take(struct session *session);
/* It failed in a quiet session. */
void session_failure_add(struct session *session, uint32_t test, const char *message);
void session_test_write(struct session *session, struct result_test *test);
/* SITES, then SCAN of the `count` named ones. */
bool session_sites(struct session *session);
bool session_scan(struct session *session, const uint32_t *sites, uint32_t count);
/* This test once more, or a few times until something of these sites stays, for where things are
 * released. The worker may be gone afterwards: worker.ended. Then what was learnt of a site, into
 * its result. */
void session_releases(struct session *session, uint32_t test, const uint32_t *sites,
                      uint32_t count);
void session_releases_tell(struct session *session, const struct session_site *seen,
                           struct result_site *site);
/* Is most of it unreachable, by the last scan? */
bool session_site_lost(const struct session *session, const struct session_site *site);
/* Has a person decided to live with it? */
bool session_site_suppressed(struct session *session, struct session_site *seen);
/* Where the last run of this test, which had WIRE_BIRTHS, allocated: into result->births. False:
 * the worker is gone. */
bool session_births(struct session *session, uint32_t test);
/* A site of the result from what was told of it; `test` "" for the whole suite. */
struct result_site *session_site_add(struct session *session, const char *test,
                                     const struct session_site *seen, unsigned rank, double whole);

void session_live_add(struct session *session, uint32_t test, int64_t live);

/* The hunt: each test repeated until its memory is understood (axis A). False: the program could
 * not be started. */
bool session_hunt(struct session *session);
/* For a test whose boundaries differ: repeats it until they are understood, and fills verdict,
 * growth and sites. False: the worker is gone. */
bool session_epochs(struct session *session, uint32_t number, struct result_test *test,
                    enum worker_event *event);
/* The boundaries of the last command, to the curves of the test. */
void session_curve_add(struct session *session, struct result_test *test);
/* The same where tests cannot be chosen: the program's main is run again and again. */
bool session_hunt_passive(struct session *session);
/* Of a passive session: a test has come to its boundary. */
void session_passive_take(struct session *session);
/* Then all of them in order, once, in a process that has not run any of them (axis B). */
void session_hunt_suite(struct session *session);

/* Then each test once more, once, under valgrind's memcheck: into the tests of the result. False:
 * it could not be done, and a note says why. */
bool session_memcheck(struct session *session);

/* Tests that passed and fail in `course`, though not in `straight` (unless they are the same): into
 * their results, with who pollutes them or whom they need, as far as that is found. */
void session_victims(struct session *session, const struct session *straight,
                     const struct session *course);

/* The same for a variant of `tidemark run` that keeps something from test to test. */
void session_run_suite(struct session *session);
/* The wall time after which nothing more is asked of a suite, ns. */
#define SUITE_NS 30000000000.0

/* Runs the first tests again with every block traced, and adds the sites of what stays. */
void session_trace(struct session *session);

#endif
