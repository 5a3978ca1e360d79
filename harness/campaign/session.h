/*
 * session.h - one variant being run: what its workers have said so far. Shared by the files of this
 * folder. Supervisor only.
 */
#ifndef CAMPAIGN_SESSION_H
#define CAMPAIGN_SESSION_H

#include "harness/base/histogram.h"
#include "harness/campaign/accused.h"
#include "harness/campaign/observed.h"
#include "harness/campaign/pass_log.h"
#include "harness/campaign/runner.h"
#include "harness/campaign/spending.h"
#include "harness/judge/calls.h"
#include "harness/worker/link.h"

#define SESSION_WARMUPS     3 /* passes of a whole program before those that count */
#define SESSION_LEAST       8 /* and those that count */
#define SESSION_EPOCHS_NS   20000000000u
#define SESSION_SITES_SHOWN 5

struct session_failure { /* a test that failed or died, after those of `live` from, to */
    uint32_t test;
    size_t from, to;
    char *message;
};

#define SESSION_COUNTERS_MAX 4096 /* a name made up for each look-up is no counter */

struct session_counter { /* tidemark_count */
    char name[32];
    double value;
};

/* What a session is for. */
enum session_kind {
    SESSION_MEASURED, /* its tests are results, watched by counters */
    SESSION_COUNTED,  /* nothing of it is a result; counters only */
    SESSION_TRACED,   /* nothing of it is a result; every block is traced */
};

struct session {
    const struct plan *plan;
    const struct plan_variant *variant;
    const struct runner_options *options;
    struct result *result;
    enum session_kind kind;
    bool reports; /* its tests are results, though they are traced: what they came to at first */
    /* A worker ended in this test: what it came to; NULL: session_death. */
    enum result_status (*died)(struct session *session, uint32_t test, bool hung);
    struct link link;
    struct observed seen;

    bool forked;                 /* each test in a child */
    const char *memcheck;        /* folder for memcheck's files: it runs under valgrind; or NULL */
    bool hangs;                  /* tests of it hang unless they are in a child */
    size_t forked_count;         /* tests that were run in a child because they failed without */
    uint64_t limit_ns;           /* of a repetition; 0: the plan's */
    struct wire_command scanned; /* the last SCAN, if nothing else was asked since; else no sites */
    bool passive;                /* its tests go by, and cannot be chosen */
    bool forks;                  /* of a passive one: each test in a child of the program's own */
    uint32_t passes;             /* of a passive one: how often main is run; 0 as 1 */
    struct wire_sample *gone_by; /* of a passive one: all its samples */
    size_t gone_by_count, gone_by_room;
    uint64_t shuffle;     /* seed of the order within each group; 0: as they are */
    const uint32_t *list; /* only these, in this order; NULL: all */
    size_t list_count;
    struct pass_log *log; /* of a traced one: what each test left at each place; or NULL */
    size_t served;        /* tests that were asked for, for whoever waits */
    double settled_ns;    /* with a log: waited for threads that give back late */
    double cost_ns;       /* with a log: of all calls, without what they waited for a processor */

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
    uint32_t *once;                /* tests that pass only once in a process */
    size_t once_count, once_room;
    size_t death_count, death_room;
    const struct session *earlier;    /* tests in which its workers ended are not run again */
    struct session_failure *failures; /* where it is not measured */
    size_t failure_count, failure_room, worker_live; /* worker_live: live_count as it began */
    struct session_counter *counters; /* of the suite, as many as it counts, up to a limit */
    size_t counter_count, counter_room;
    bool counters_full; /* more were counted, and are not in the result */
    uint64_t lookup_ns[HISTOGRAM_BUCKETS];
    char *stopped_by, *culprit;
    struct accused accused;            /* what its tests are accused of by themselves */
    enum result_verdict suite_verdict; /* of axis B; NONE: not judged */
    char *suite_horizon;               /* or NULL */
    double suite_growth;               /* bytes a test, of what accumulates; NAN: not measured */
    double suite_kept;  /* bytes that stay after the pass that suite_growth is of ... */
    size_t suite_tests; /* ... and its tests, up to where it was stopped; 0: nothing is accused */
    char *unstarted;    /* why no worker came to its first test, or NULL */
    uint32_t counted;   /* tests by index that result->expected has */
    struct jobs_part *part; /* in a job: which tests are its own (jobs.h); or NULL */
    bool asks_survivors;    /* of a passive one: asked before the program ends */
    bool twice;             /* all tests of a group once more, in the same process ... */
    double twice_most_ns;   /* ... if they took no more than this together */
    bool again_done;        /* and that went through */
    int64_t again_live;     /* live bytes that the second passes added */
};

void session_init(struct session *session, const struct plan *plan,
                  const struct plan_variant *variant, const struct runner_options *options,
                  struct result *result);
void session_fini(struct session *session);
/* A program with a malloc of its own: nothing can be said for its heap. */
bool session_heap_unseen(const struct session *session);
void session_strays_note(const struct session *session);

/* Adds to the counter of this name. */
void session_counter_add(struct session *session, const struct wire_counter *counter);

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
/* How many tests are to be run goes into the result file, as far as it is known: a run that is
 * killed can say how many are missing. */
void session_expect(struct session *session);
void session_over(struct session *session); /* ends its worker, keeps what it came to */
uint32_t session_serve(struct session *session, uint32_t next, uint32_t end);
struct answer session_ask(struct session *session, const struct wire_command *command);
/* A question without an answer of its own. Returns false when the worker is gone. */
bool session_tell(struct session *session, uint32_t op);
bool session_wants(const struct session *session, uint32_t test);
/* Tests [first, past) as they are to be run: the caller frees. *last is where their places end.
 * Tests that share a fixture stay together when they are shuffled. */
uint32_t *session_order_new(const struct session *session, uint32_t first, uint32_t past,
                            uint32_t *last);
/* A result for the test; in a hunt the one that it has already, emptied. */
struct result_test *session_test_add(struct session *session, uint32_t test);
/* The result of this test, by its number here; NULL: none yet. */
struct result_test *session_result(const struct session *session, uint32_t test);
void session_test_fill(struct session *session, struct result_test *test,
                       const struct wire_test *seen, int64_t live);
enum result_status session_dying(const struct session *session, bool hung);
enum result_status session_death(struct session *session, uint32_t test, bool hung);
/* Do earlier tests hold so much of the cap that whoever runs out of memory does it for all of them?
 */
bool session_accumulated(const struct session *session);
/* It ended a worker, whatever its result: other passes leave it out. */
void session_death_add(struct session *session, uint32_t test);
bool session_death_in(const struct session *session, uint32_t test);
/* What such a death means for the variant: true if it goes on behind the test. */
bool session_death_goes_on(struct session *session, uint32_t test, enum result_status status);
bool session_limit_reached(const struct session *session);
/* A test came to its boundary. */
void session_test_take(struct session *session, const struct answer *answer);
/* It failed where it is not measured. */
void session_failure_add(struct session *session, uint32_t test, const char *message);
void session_test_write(struct session *session, struct result_test *test);
/* SITES, and SCAN of the `count` named ones, unless they were scanned and nothing was asked since.
 */
bool session_sites(struct session *session);
bool session_scan(struct session *session, const uint32_t *sites, uint32_t count);
/* This test once more, or a few times until something of these sites stays, for where things are
 * released; `most_ns`: after that no further time is begun. The worker may be gone afterwards:
 * worker.ended. Then what was learnt of a site, into its result. */
void session_releases(struct session *session, uint32_t test, const uint32_t *sites, uint32_t count,
                      double most_ns);
void session_releases_tell(struct session *session, const struct observed_site *seen,
                           struct result_site *site);
/* Is most of it unreachable, by the last scan? */
bool session_site_lost(const struct session *session, const struct observed_site *site);
/* Has a person decided to live with it? */
bool session_site_suppressed(struct session *session, struct observed_site *seen);
/* Where the last run of this test, which had WIRE_BIRTHS, allocated: into result->births. False:
 * the worker is gone. */
bool session_births(struct session *session, uint32_t test);
/* A site of the result from what was told of it; `test` "" for the whole suite. */
struct result_site *session_site_add(struct session *session, const char *test,
                                     const struct observed_site *seen, unsigned rank, double whole);

void session_live_add(struct session *session, uint32_t test, int64_t live);

/* The hunt of a program: all of its tests in order, each repeated until its memory is understood
 * (axis A), and all of them in other orders (axis B). False: the program could not be started. */
bool session_hunt(struct session *session);
/* The tests repeated, one by one; `course` is the pass in order that was made before. */
void session_repeat(struct session *session, struct spending *spending,
                    const struct session *course);
/* Tests that were not repeated, in one sentence. */
void session_left_note(struct session *session, const struct spending *spending);
/* For `died` of the pass in order: in a process of its own the test may pass. */
enum result_status session_died(struct session *session, uint32_t test, bool hung);
/* Axis A where tests cannot be chosen: the program's main is run again and again. */
bool session_hunt_passive(struct session *session);
/* Of a passive session: a test has come to its boundary. */
void session_passive_take(struct session *session);

/* Then each test once more, once, under valgrind's memcheck: into the tests of the result. False:
 * it could not be done, and a note says why. */
bool session_memcheck(struct session *session);

/* Tests that passed and fail in `course`, though not in `straight` (unless they are the same): into
 * their results, with who pollutes them or whom they need, as far as that is found. */
void session_victims(struct session *session, const struct session *straight,
                     const struct session *course);

/* One pass over the suite, with what it left at each place. */
struct course {
    struct session session;
    struct pass_log log;
    double elapsed; /* ns of the first pass, without what was waited for a processor */
};
/* `shuffle`: 0 in order, else a seed. Tests in which a worker of `session` ended are left out. */
void course_init(struct course *course, const struct session *session, uint64_t shuffle);
void course_fini(struct course *course);
/* `twice_most_ns`: then all tests once more in the same process, if they took no more than this (0:
 * they are not). Returns false when the program could not
 * be started, or a worker ended on the way: then the log is of no use. */
bool course_run(struct course *course, double twice_most_ns);

/* Does the suite grow with every further test? `course` is the pass in order; the others are made
 * here, as many as the budget has. Fills the session's curve, verdict and evidence, and adds the
 * sites of what accumulates to the result. */
void session_suite(struct session *session, struct course *course, const struct spending *spending);
/* The same for a program that runs its tests by itself: by what is alive when it ends. */
void session_suite_passive(struct session *session);
/* The same for a variant of `tidemark run` that keeps something from test to test. */
void session_run_suite(struct session *session);
/* The seed of shuffled order `number`, never 0. */
uint64_t session_shuffle(const struct session *session, uint64_t number);

#endif
