/* crash.c - see crash.h. */
#include "harness/boundary/crash.h"

#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/restore.h"
#include "harness/ledger/ledger.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
enum { CRASH_SIGNALS = sizeof crash_signals / sizeof crash_signals[0] };

static bool crash_yielded[CRASH_SIGNALS]; /* the program's own handler was there before the tests */
static atomic_flag crash_taken = ATOMIC_FLAG_INIT;
void (*crash_in_child)(void);

/* The signal is stored last: the supervisor reads the rest when it sees it. */
static void crash_record(int signal, const siginfo_t *info, void *context)
{
    struct wire_crash *crash = &boundary_wire->crash;
    crash->address = info == NULL ? 0 : (uint64_t)(uintptr_t)info->si_addr;
    crash->thread = (int32_t)syscall(SYS_gettid);
    crash->frame_count = ledger_unwind(crash->frames, WIRE_CRASH_MAX, context);
    atomic_store(&crash->signal, (uint32_t)signal);
    wire_flush(boundary_wire);
}

static void crash_default(int signal)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    restore_sigaction(signal, &action, NULL);
    /* Blocked while this handler runs: delivered, and fatal, when it returns. */
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);
}

static void crash_handle(int signal, siginfo_t *info, void *context)
{
    if (boundary_is_worker()) {
        if (!atomic_flag_test_and_set(&crash_taken)) {
            crash_record(signal, info, context);
        }
    } else if (crash_in_child != NULL) {
        crash_in_child();
    }
    crash_default(signal);
}

static void crash_stack_wanted(int signal, siginfo_t *info, void *context)
{
    int saved = errno;
    (void)info;
    if (boundary_is_worker()) {
        crash_record(signal, NULL, context);
    }
    errno = saved;
}

static void crash_install(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | flags;
    sigemptyset(&action.sa_mask);
    restore_sigaction(signal, &action, NULL);
}

/* The main thread; others get theirs in thread_export.c. */
static void crash_stack_init(void)
{
    stack_t stack = {.ss_size = CRASH_STACK};
    stack_t old;
    if (sigaltstack(NULL, &old) == 0 && (old.ss_flags & SS_DISABLE)) {
        static void *memory;
        memory = memory == NULL ? arena_get(CRASH_STACK) : memory;
        stack.ss_sp = memory;
        sigaltstack(&stack, NULL);
    }
}

void crash_init(void)
{
    crash_stack_init();
    for (int i = 0; i < CRASH_SIGNALS; i++) {
        crash_install(crash_signals[i], crash_handle, 0);
    }
    crash_install(WIRE_STACK_SIGNAL, crash_stack_wanted, SA_RESTART);
}

static bool crash_is_ours(int signal)
{
    struct sigaction now;
    return restore_sigaction(signal, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) != 0 &&
           now.sa_sigaction == crash_handle;
}

void crash_settle(void)
{
    for (int i = 0; i < CRASH_SIGNALS; i++) {
        crash_yielded[i] = !crash_is_ours(crash_signals[i]);
    }
}

void crash_arm(void)
{
    crash_stack_init(); /* a test may have taken the stack away */
    if (!restore_signals_may_differ()) {
        return;
    }
    for (int i = 0; i < CRASH_SIGNALS; i++) {
        if (!crash_yielded[i] && !crash_is_ours(crash_signals[i])) {
            crash_install(crash_signals[i], crash_handle, 0);
        }
    }
    crash_install(WIRE_STACK_SIGNAL, crash_stack_wanted, SA_RESTART);
}

void crash_exit_note(void)
{
    struct wire_crash *crash = &boundary_wire->crash;
    uint32_t test = atomic_load(&boundary_wire->progress.test);
    if (test == WIRE_NO_TEST || atomic_load(&crash->signal) != 0 ||
        atomic_load(&crash->exited) != 0) {
        return;
    }
    crash->thread = (int32_t)syscall(SYS_gettid);
    crash->frame_count = ledger_unwind(crash->frames, WIRE_CRASH_MAX, NULL);
    atomic_store(&crash->exited, 1);
    wire_flush(boundary_wire);
}
