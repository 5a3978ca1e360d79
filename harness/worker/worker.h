/*
 * worker.h - one worker process: started under the library and its cap, told what to do over the
 * wire, watched, and what is left to say of it when it is gone. Supervisor only.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "harness/base/wire_check.h"
#include "harness/plan/plan.h"
#include "harness/worker/cap.h"
#include "harness/worker/guard.h"

#include <sys/resource.h>
#include <time.h>

enum worker_event {
    WORKER_DONE,  /* the command is answered */
    WORKER_READY, /* a group of tests is offered: worker.group */
    WORKER_BYE,   /* the program ended as it should */
    WORKER_GONE,  /* it died, or was killed because what it wrote cannot be believed: worker.damage
                   */
    WORKER_HUNG,  /* over its time; it was killed */
};

struct worker {
    struct wire *wire;
    struct cap cap;
    pid_t pid;
    bool ended;
    bool slow;          /* it runs under valgrind */
    uint64_t late_ns;   /* of one that hung: the limit that it ran into */
    const char *damage; /* what it wrote that it must not, for a person; NULL: nothing */
    struct wire_dialogue dialogue;
    struct worker_watch { /* by the supervisor's clock; what the worker says is only compared */
        uint32_t test, repetition;
        uint64_t started_ns, since_ns;
        uint64_t changes;
    } watch;
    struct guard guard;
    int status;          /* of waitpid */
    struct rusage usage; /* once it has ended */
    struct wire_ready group;
    bool done, ready, bye;
    uint64_t took_ns, cpu_ns; /* of the last command that was answered: see struct wire_done */
    uint64_t started_ns;
    time_t started;
    size_t objects;                /* likewise: left in the system, and removed */
    char object[WIRE_OBJECT_NAME]; /* the first of them */
    size_t strays; /* once it is over: processes of its own that outlived it, and were killed */
    /* Every record but DONE, READY, BYE, HEAP_ERROR and CHILDREN, in order. */
    void (*record)(void *context, const struct wire_record *record);
    void *context;
    /* While it is waited for, every 20 ms or more often: the repetition that it says to be in, as
     * far as it can be believed; or NULL. */
    void (*tick)(void *context, uint32_t repetition);
    void *tick_context;
    /* What the last command did to the heap that it must not. */
    struct wire_heap_error heap[WIRE_HEAP_MOST];
    size_t heap_count;
    struct wire_children children; /* of the last RUN; of tests that go by, of the last */
};

struct worker_options {
    const char *preload;
    uint64_t memory_cap;
    uint64_t memory_guard; /* see guard.h; 0: none */
    enum plan_allocator allocator;
    bool verbose;         /* let its output through */
    bool forks;           /* libcheck's own fork mode, for tests that end the program */
    const char *memcheck; /* under valgrind, which writes PID.xml into this folder; or NULL */
};

/* False: it could not be started; errno. */
bool worker_start(struct worker *worker, const struct plan_variant *variant,
                  const struct worker_options *options);
void worker_command(struct worker *worker, const struct wire_command *command);
/* Waits. `timeout_ns`: most time of one repetition (0: none). */
enum worker_event worker_wait(struct worker *worker, uint64_t timeout_ns);
/* How many run now. */
size_t worker_count(void);
/* The test that it is in, or was in when it ended; WIRE_NO_TEST: in none. For tests that nobody
 * chose. */
uint32_t worker_test(const struct worker *worker);
/* Kills it and what its tests left behind, and gives everything but the figures back. */
void worker_fini(struct worker *worker);

#endif
