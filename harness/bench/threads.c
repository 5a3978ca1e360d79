/* threads.c - throughput of several threads on one state, see measure.h. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/base/monotonic.h"
#include "harness/bench/measure.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Requests of a thread: enough windows that filling them is no part of the run, and that the branch
 * predictor does not know them by heart. */
#define WINDOWS 32

struct team {
    struct contender *contender;
    _Atomic unsigned ready;
    _Atomic bool go, stop;
};

struct member {
    pthread_t thread;
    struct team *team;
    struct window *windows[WINDOWS];
    uint64_t lookups;
};

static void *member_run(void *argument)
{
    struct member *member = argument;
    struct team *team = member->team;
    atomic_fetch_add(&team->ready, 1);
    while (!atomic_load(&team->go)) {
    }
    for (size_t i = 0; !atomic_load_explicit(&team->stop, memory_order_relaxed);
         i = (i + 1) % WINDOWS) {
        contender_ask(team->contender, member->windows[i]);
        member->lookups += WINDOW_REQUESTS;
    }
    return NULL;
}

static void sleep_ns(uint64_t ns)
{
    struct timespec time = {.tv_sec = (time_t)(ns / 1000000000),
                            .tv_nsec = (long)(ns % 1000000000)};
    nanosleep(&time, NULL);
}

double measure_threads(struct contender *contender, const struct workload *workload,
                       unsigned threads, uint64_t time_ns)
{
    if ((threads > 1 && !(contender->strategy->traits & STRATEGY_THREADS)) ||
        !contender_begin(contender)) {
        return (double)NAN;
    }
    struct team team = {.contender = contender};
    struct member *members = memory_new(threads, sizeof *members);
    unsigned started = 0;
    size_t from = workload->count / 4;
    for (unsigned n = 0; n < threads; n++) {
        members[n].team = &team;
        for (size_t i = 0; i < WINDOWS; i++, from += WINDOW_REQUESTS) {
            members[n].windows[i] = window_new(workload);
            window_fill(members[n].windows[i], from, WINDOW_REQUESTS);
        }
    }
    struct window *warm = window_new(workload);
    contender_run(contender, warm, 0, workload->count / 4);
    window_free(&warm);
    while (started < threads &&
           pthread_create(&members[started].thread, NULL, member_run, &members[started]) == 0) {
        started++;
    }
    while (atomic_load(&team.ready) < started) {
    }
    uint64_t begin = monotonic_ns();
    atomic_store(&team.go, true);
    sleep_ns(time_ns);
    atomic_store(&team.stop, true);
    uint64_t lookups = 0;
    for (unsigned i = 0; i < started; i++) {
        pthread_join(members[i].thread, NULL);
        lookups += members[i].lookups;
    }
    double elapsed = (double)(monotonic_ns() - begin);
    for (unsigned n = 0; n < threads; n++) {
        for (size_t i = 0; i < WINDOWS; i++) {
            window_free(&members[n].windows[i]);
        }
    }
    free(members);
    contender_end(contender);
    return started == threads ? (double)lookups * 1e3 / elapsed : (double)NAN;
}
