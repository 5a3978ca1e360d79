/* interrupt.c - see interrupt.h. */
#include "harness/base/interrupt.h"
#include "harness/base/memory.h"

#include <assert.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
#define SIGNALS (sizeof signals / sizeof signals[0])

static volatile sig_atomic_t pending;
static struct sigaction before[SIGNALS];
static unsigned depth;
static const char *folder;
static void (*reporter)(void *context);
static void *reporter_context;

static void remember(int signal)
{
    pending = signal;
}

void interrupt_begin(void)
{
    if (depth++ > 0) {
        return;
    }
    for (size_t i = 0; i < SIGNALS; i++) {
        /* Not restarted: who waits for a child is to wake up. */
        struct sigaction action = {.sa_handler = remember, .sa_flags = (int)SA_RESETHAND};
        sigemptyset(&action.sa_mask);
        if (sigaction(signals[i], NULL, &before[i]) == 0 && before[i].sa_handler != SIG_IGN) {
            sigaction(signals[i], &action, NULL);
        }
    }
}

void interrupt_end(void)
{
    assert(depth > 0);
    if (--depth > 0) {
        return;
    }
    if (pending) {
        interrupt_die();
    }
    for (size_t i = 0; i < SIGNALS; i++) {
        sigaction(signals[i], &before[i], NULL);
    }
}

int interrupt_pending(void)
{
    return pending;
}

bool interrupt_wait(pid_t pid, int *status, struct rusage *usage)
{
    bool told = false;
    pid_t got;
    /* Looked at again and again: a signal that comes just before a wait would not end it. */
    while ((got = wait4(pid, status, WNOHANG, usage)) == 0 || (got < 0 && errno == EINTR)) {
        if (pending && !told) {
            told = kill(pid, pending) == 0;
        }
        usleep(1000);
    }
    return got == pid;
}

void interrupt_folder(const char *path)
{
    folder = path;
}

void interrupt_report(void (*report)(void *context), void *context)
{
    reporter = report;
    reporter_context = context;
}

static int entry_remove(const char *path, const struct stat *stat, int type, struct FTW *at)
{
    (void)stat;
    (void)type;
    (void)at;
    return remove(path) != 0;
}

bool interrupt_folder_new(const char *what, char **path)
{
    const char *under = getenv("TMPDIR");
    *path = memory_format("%s/tidemark-%s-XXXXXX", under && under[0] ? under : "/tmp", what);
    interrupt_folder(*path);
    if (mkdtemp(*path)) {
        return true;
    }
    interrupt_folder(NULL);
    return false;
}

void interrupt_folder_remove(const char *path)
{
    nftw(path, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}

void interrupt_die(void)
{
    int signal_number = pending;
    sigset_t mask;
    assert(signal_number != 0);
    if (reporter) {
        void (*report)(void *context) = reporter;
        reporter = NULL;
        report(reporter_context);
    }
    if (folder) {
        interrupt_folder_remove(folder);
    }
    fprintf(stderr, "%stidemark: ended by %s; what it has is incomplete, and says so\n",
            isatty(STDERR_FILENO) ? "\n" : "", strsignal(signal_number));
    signal(signal_number, SIG_DFL);
    sigemptyset(&mask);
    sigaddset(&mask, signal_number);
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
    raise(signal_number);
    _exit(128 + signal_number);
}
