/*
 * thread.h - what one thread has allocated and freed: counters that only that thread writes, in
 * memory of our own that outlives it. A sum over all of them is the process's. Runs in the worker.
 *
 * Peak live bytes. While one thread allocates, `high` is its greatest live so far, so the peak is
 * exact. With more threads each publishes what it changed whenever that exceeds
 * THREAD_PUBLISH_BYTES, so that the peak is known to within that many bytes a thread.
 */
#ifndef LEDGER_THREAD_H
#define LEDGER_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THREAD_PUBLISH_BYTES (64 << 10)

struct trace; /* trace.h */

struct thread {
    /* Hot: one cache line. Written by the owner with single instructions, so that a signal handler
     * which allocates in between loses nothing; read by anyone. */
    size_t small_end; /* requests from this size on take the slow way; 0: all of them */
    uint64_t allocs, frees;
    uint64_t bytes, freed; /* ever, by this thread; what it frees may be another's */
    int64_t high, low;     /* when live goes beyond these, thread_beyond() is called */
    uint32_t busy;         /* >0: inside our own code; a nested allocation is only counted */
    _Atomic int32_t tid;   /* 0: free slot */
    int32_t pid;           /* a slot taken before a fork is left alone after it */
    /* Cold. */
    struct trace *trace;
    uint64_t traced;  /* the trace_state that the trace is made for; 0: there is none */
    uint64_t pointer; /* libc's thread pointer */
    int64_t published;
    uint64_t damaged; /* freed blocks whose header was overwritten */
    uint64_t foreign; /* freed blocks that never passed through the hooks */
} __attribute__((aligned(64)));

/* Never NULL: before its first allocation a thread has a slot that sends everything the slow way,
 * busy for ever. Written by nobody. */
extern __thread struct thread *thread_self __attribute__((tls_model("initial-exec")));
extern struct thread thread_nobody;

struct thread *thread_begin(void);

static inline struct thread *thread_get(void)
{
    struct thread *self = thread_self;
    return __builtin_expect(self != &thread_nobody, 1) ? self : thread_begin();
}

/* For what is too seldom to be free of locks: spins, and marks the thread as busy. False when it is
 * within our own code already: then nothing is to be recorded. Free it in the child of a fork. */
bool thread_lock(_Atomic uint32_t *lock, struct thread **self);
void thread_unlock(_Atomic uint32_t *lock, struct thread *self);

static inline int64_t thread_live(const struct thread *thread)
{
    return (int64_t)(thread->bytes - thread->freed);
}

/* Sets every thread's small_end, now and for those to come. */
void thread_small_set(size_t end);

void thread_beyond(struct thread *self);

/* Calls `each` with every thread that ever allocated. */
typedef void thread_seen(void *context, struct thread *thread);
void thread_each(thread_seen *each, void *context);

/* The thread pointer of a thread, 0 when it never allocated. */
uint64_t thread_pointer_of(int32_t tid);

/* A second thread is about to begin; the peak is folded and published from now on. */
void thread_second(void);
void thread_after_fork(void); /* in the child */

int64_t thread_peak(void);
void thread_peak_reset(void); /* to what is live now */

#endif
