/* restore.c - see restore.h. */
#include "harness/boundary/restore.h"

#include "harness/boundary/crash.h"
#include "harness/boundary/streams.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum { SIGNALS = 65, RUNS_EACH = 64 /* runs after which all is looked at, whoever was called */ };

static struct {
    bool saved;
    char directory[PATH_MAX];
    mode_t mask;
    sigset_t signals;
    struct rlimit limits[RLIM_NLIMITS];
    struct sigaction actions[SIGNALS];
} restore;

static atomic_bool restore_directory, touched_signals = true, touched_limits = true;
static unsigned runs;
static int (*libc_sigaction)(int, const struct sigaction *, struct sigaction *);

void restore_directory_changed(void)
{
    atomic_store_explicit(&restore_directory, true, memory_order_relaxed);
}

void restore_signals_touched(void)
{
    atomic_store_explicit(&touched_signals, true, memory_order_relaxed);
}

void restore_limits_touched(void)
{
    atomic_store_explicit(&touched_limits, true, memory_order_relaxed);
}

bool restore_signals_may_differ(void)
{
    return atomic_load_explicit(&touched_signals, memory_order_relaxed);
}

void restore_init(void)
{
    *(void **)&libc_sigaction = dlsym(RTLD_NEXT, "sigaction");
}

int restore_sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
    if (libc_sigaction == NULL) {
        restore_init();
    }
    return libc_sigaction(signal, action, old);
}

/* 32 and 33 are glibc's own. */
static bool signal_is_ours_to_keep(int signal)
{
    return signal != SIGKILL && signal != SIGSTOP && signal != 32 && signal != 33;
}

void restore_save(void)
{
    int saved = errno;
    crash_settle();
    if (syscall(SYS_getcwd, restore.directory, sizeof restore.directory) <= 0) {
        restore.directory[0] = '\0';
    }
    restore.mask = umask(0);
    umask(restore.mask);
    sigprocmask(SIG_BLOCK, NULL, &restore.signals);
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        getrlimit((__rlimit_resource_t)i, &restore.limits[i]);
    }
    for (int i = 1; i < SIGNALS; i++) {
        if (signal_is_ours_to_keep(i)) {
            restore_sigaction(i, NULL, &restore.actions[i]);
        }
    }
    streams_keep();
    restore.saved = true;
    errno = saved;
}

void restore_after_repetition(void)
{
    streams_put_back_touched();
    if (atomic_load_explicit(&restore_directory, memory_order_relaxed) &&
        restore.directory[0] == '/') {
        int saved = errno;
        atomic_store(&restore_directory, false);
        syscall(SYS_chdir, restore.directory);
        errno = saved;
    }
}

static void restore_limits(void)
{
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit now;
        if (getrlimit((__rlimit_resource_t)i, &now) == 0 &&
            memcmp(&now, &restore.limits[i], sizeof now) != 0) {
            /* A lowered hard limit cannot be raised again without privilege. */
            struct rlimit back = restore.limits[i];
            if (setrlimit((__rlimit_resource_t)i, &back) != 0) {
                back.rlim_max = now.rlim_max;
                back.rlim_cur = back.rlim_cur < now.rlim_max ? back.rlim_cur : now.rlim_max;
                setrlimit((__rlimit_resource_t)i, &back);
            }
        }
    }
}

static void restore_actions(void)
{
    for (int i = 1; i < SIGNALS; i++) {
        struct sigaction now;
        if (signal_is_ours_to_keep(i) && restore_sigaction(i, NULL, &now) == 0 &&
            (now.sa_sigaction != restore.actions[i].sa_sigaction ||
             now.sa_flags != restore.actions[i].sa_flags)) {
            restore_sigaction(i, &restore.actions[i], NULL);
        }
    }
}

void restore_after_run(void)
{
    if (!restore.saved) {
        return;
    }
    int saved = errno;
    bool all = runs++ % RUNS_EACH == 0;
    static const struct itimerval never;
    setitimer(ITIMER_REAL, &never, NULL);
    if (atomic_exchange(&touched_signals, false) || all) {
        restore_actions();
    }
    sigprocmask(SIG_SETMASK, &restore.signals, NULL);
    umask(restore.mask);
    if (atomic_exchange(&touched_limits, false) || all) {
        restore_limits();
    }
    if (all) {
        streams_put_back();
    }
    restore_after_repetition();
    errno = saved;
}
