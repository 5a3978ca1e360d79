/*
 * worker.h - one worker process: started under the library and its cap, told what to do over the
 * wire, watched, and what is left to say of it when it is gone. Supervisor only.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "harness/base/wire.h"
#include "harness/plan/plan.h"
#include "harness/worker/cap.h"

#include <sys/resource.h>

enum worker_event {
    WORKER_DONE,  /* the command is answered */
    WORKER_READY, /* a group of tests is offered: worker.group */
    WORKER_BYE,   /* the program ended as it should */
    WORKER_GONE,  /* it died */
    WORKER_HUNG,  /* over its time; it was killed */
};

struct worker {
    struct wire *wire;
    struct cap cap;
    pid_t pid;
    bool ended, broken;
    int status;          /* of waitpid */
    struct rusage usage; /* once it has ended */
    struct wire_ready group;
    bool done, ready, bye;
    uint64_t started_ns;
    size_t strays; /* once it is over: processes of its own that outlived it, and were killed */
    /* Every record but DONE, READY and BYE, in order. */
    void (*record)(void *context, const struct wire_record *record);
    void *context;
};

struct worker_options {
    const char *preload;
    uint64_t memory_cap;
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
/* Kills it and what its tests left behind, and gives everything but the figures back. */
void worker_fini(struct worker *worker);

#endif
