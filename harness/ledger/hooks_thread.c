/*
 * hooks_thread.c - threads: gone when joined, or when detached and ended. pthread_create is in
 * boundary/, which needs it too, and calls resource_thread_made. Runs in the worker, on any thread.
 */
#include "harness/ledger/hooks_thread.h"

#include "harness/ledger/descriptor.h"
#include "harness/ledger/resource.h"
#include "harness/ledger/thread.h"
#include "harness/ledger/unwind.h"
#include "harness/meter/meter.h"

#include <dlfcn.h>
#include <threads.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default"))) UNWIND_HOOK_SECTION

void hooks_thread_made(pthread_t thread, const pthread_attr_t *attributes, const void *frame)
{
    int state = PTHREAD_CREATE_JOINABLE;
    thread_second();
    meter_thread_touched();
    resource_open(WIRE_SITE_THREAD, (uint64_t)thread, frame);
    if (attributes != NULL && pthread_attr_getdetachstate(attributes, &state) == 0 &&
        state == PTHREAD_CREATE_DETACHED) {
        resource_detach((uint64_t)thread, 0);
    }
}

static int joined(int answer, pthread_t thread)
{
    if (answer == 0) {
        resource_close(WIRE_SITE_THREAD, (uint64_t)thread);
    }
    return answer;
}

/* The clock of a thread's CPU time has the thread's id in its number (Linux's ABI). */
static int32_t thread_id(pthread_t thread)
{
    clockid_t clock;
    return pthread_getcpuclockid(thread, &clock) == 0 ? ~(clock >> 3) : 0;
}

EXPORT int pthread_join(pthread_t thread, void **result)
{
    return joined(NEXT_FUNCTION(pthread_join)(thread, result), thread);
}

EXPORT int pthread_tryjoin_np(pthread_t thread, void **result)
{
    return joined(NEXT_FUNCTION(pthread_tryjoin_np)(thread, result), thread);
}

EXPORT int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *until)
{
    return joined(NEXT_FUNCTION(pthread_timedjoin_np)(thread, result, until), thread);
}

EXPORT int pthread_clockjoin_np(pthread_t thread, void **result, clockid_t clock,
                                const struct timespec *until)
{
    return joined(NEXT_FUNCTION(pthread_clockjoin_np)(thread, result, clock, until), thread);
}

EXPORT int pthread_detach(pthread_t thread)
{
    int32_t tid = thread_id(thread); /* afterwards it may be gone */
    int answer = NEXT_FUNCTION(pthread_detach)(thread);
    if (answer == 0) {
        resource_detach((uint64_t)thread, tid);
    }
    return answer;
}

EXPORT int thrd_create(thrd_t *thread, thrd_start_t start, void *argument)
{
    int answer = NEXT_FUNCTION(thrd_create)(thread, start, argument);
    if (answer == thrd_success) {
        hooks_thread_made((pthread_t)*thread, NULL, __builtin_frame_address(0));
    }
    return answer;
}

EXPORT int thrd_join(thrd_t thread, int *result)
{
    int answer = NEXT_FUNCTION(thrd_join)(thread, result);
    joined(answer == thrd_success ? 0 : -1, (pthread_t)thread);
    return answer;
}

EXPORT int thrd_detach(thrd_t thread)
{
    int32_t tid = thread_id((pthread_t)thread);
    int answer = NEXT_FUNCTION(thrd_detach)(thread);
    if (answer == thrd_success) {
        resource_detach((uint64_t)thread, tid);
    }
    return answer;
}
