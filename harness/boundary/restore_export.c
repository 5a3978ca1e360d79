/*
 * restore_export.c - libc's functions that set signal handlers and resource limits, as
 * libtidemark.so exports them: they are told to restore.c and passed on. Runs in the worker, on any
 * thread, also in signal handlers.
 */
#include "harness/boundary/restore.h"
#include "harness/ledger/descriptor.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* programs still call them */

#define EXPORT __attribute__((visibility("default")))

EXPORT int sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    if (action != NULL) {
        restore_signals_touched();
    }
    return restore_sigaction(number, action, old);
}

#define SIGNAL(name)                                                                               \
    EXPORT __sighandler_t name(int number, __sighandler_t handler)                                 \
    {                                                                                              \
        restore_signals_touched();                                                                 \
        return NEXT_FUNCTION(name)(number, handler);                                               \
    }

/* Names that the headers declare only for some standards. */
__sighandler_t bsd_signal(int number, __sighandler_t handler);
__sighandler_t ssignal(int number, __sighandler_t handler);
__sighandler_t sigset(int number, __sighandler_t handler);

SIGNAL(signal)
SIGNAL(bsd_signal)
SIGNAL(sysv_signal)
SIGNAL(__sysv_signal)
SIGNAL(ssignal)
SIGNAL(sigset)

int sigignore(int number);

EXPORT int sigignore(int number)
{
    restore_signals_touched();
    return NEXT_FUNCTION(sigignore)(number);
}

EXPORT int siginterrupt(int number, int interrupt)
{
    restore_signals_touched();
    return NEXT_FUNCTION(siginterrupt)(number, interrupt);
}

EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit *limits)
{
    restore_limits_touched();
    return NEXT_FUNCTION(setrlimit)(resource, limits);
}

EXPORT int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limits)
{
    restore_limits_touched();
    return NEXT_FUNCTION(setrlimit64)(resource, limits);
}

EXPORT int prlimit(pid_t pid, enum __rlimit_resource resource, const struct rlimit *limits,
                   struct rlimit *old)
{
    restore_limits_touched();
    return NEXT_FUNCTION(prlimit)(pid, resource, limits, old);
}

EXPORT int prlimit64(pid_t pid, enum __rlimit_resource resource, const struct rlimit64 *limits,
                     struct rlimit64 *old)
{
    restore_limits_touched();
    return NEXT_FUNCTION(prlimit64)(pid, resource, limits, old);
}
