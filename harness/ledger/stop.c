/* stop.c - see stop.h. Runs in the worker; the handler on every other thread. */
#include "harness/ledger/stop.h"

#include "harness/ledger/thread.h"
#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

#define STOP_SIGNAL  33 /* SIGSETXID of glibc */
#define STOP_WAIT_NS 200000000u
#define SA_RESTORER_ 0x04000000
#define ROUNDS_MOST  10

enum stop_state { STOP_ASKED = 1, STOP_REACHED, STOP_ASLEEP, STOP_GONE };

struct kernel_action { /* as rt_sigaction wants it, which is not as libc's struct */
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};

static struct stop *stopping; /* while it is not NULL, the handler is ours */
static _Atomic uint32_t released;

#if defined(__x86_64__)
void stop_restorer(void) __attribute__((visibility("hidden")));
__asm__(".text\n"
        ".type stop_restorer, @function\n"
        "stop_restorer:\n"
        "    movq $15, %rax\n"
        "    syscall\n"
        ".size stop_restorer, . - stop_restorer\n");

static void registers_take(struct stopped *thread, const ucontext_t *context)
{
    const gregset_t *all = &context->uc_mcontext.gregs;
    thread->sp = (uint64_t)(*all)[REG_RSP] - 128; /* the red zone */
    for (int i = REG_R8; i <= REG_RCX; i++) {
        thread->registers[thread->register_count++] = (uint64_t)(*all)[i];
    }
}
#else
static void registers_take(struct stopped *thread, const ucontext_t *context)
{
    thread->sp = context->uc_mcontext.sp;
    for (int i = 8; i < 31; i++) {
        thread->registers[thread->register_count++] = context->uc_mcontext.regs[i];
    }
}
#endif

static void stop_here(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    struct stop *stop = stopping;
    int32_t tid = kernel_tid();
    for (uint32_t i = 0; stop != NULL && i < stop->count; i++) {
        struct stopped *thread = &stop->threads[i];
        if (thread->tid != tid || thread->state != STOP_ASKED) {
            continue;
        }
        registers_take(thread, context);
        thread->thread_pointer = (uint64_t)(uintptr_t)__builtin_thread_pointer();
        uint32_t before = atomic_load(&released);
        atomic_store(&thread->state, STOP_REACHED);
        while (atomic_load(&released) == before) {
            kernel_call(SYS_futex, (long)&released, FUTEX_WAIT_PRIVATE, (long)before, 0, 0, 0);
        }
        atomic_store(&thread->state, STOP_GONE);
        return;
    }
}

/* Calls that end with EINTR after any signal handler, whatever its flags. */
static bool call_is_fragile(long number)
{
    static const long fragile[] = {
#if defined(__x86_64__)
        SYS_poll,
        SYS_select,
        SYS_epoll_wait,
        SYS_pause,
#endif
        SYS_nanosleep,
        SYS_clock_nanosleep,
        SYS_ppoll,
        SYS_pselect6,
        SYS_epoll_pwait,
        SYS_epoll_pwait2,
        SYS_rt_sigtimedwait,
        SYS_rt_sigsuspend,
        SYS_io_getevents,
        SYS_semop,
        SYS_semtimedop,
        SYS_msgrcv,
        SYS_msgsnd,
        SYS_accept,
        SYS_recvfrom,
        SYS_recvmsg,
    };
    for (size_t i = 0; i < sizeof fragile / sizeof fragile[0]; i++) {
        if (fragile[i] == number) {
            return true;
        }
    }
    return false;
}

static size_t number_put(char *to, uint32_t number)
{
    char digits[10];
    size_t count = 0, length;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    length = count;
    while (count > 0) {
        *to++ = digits[--count];
    }
    return length;
}

static uint64_t hex_parse(const char *text)
{
    uint64_t value = 0;
    for (text += 2; *text != '\0' && *text != ' ' && *text != '\n'; text++) {
        value = value * 16 + (uint64_t)(*text <= '9' ? *text - '0' : (*text | 32) - 'a' + 10);
    }
    return value;
}

/* /proc/self/task/TID/syscall of a sleeper: number, six arguments, stack pointer, program counter.
 */
static bool thread_sleeps(struct stopped *thread)
{
    char path[64] = "/proc/self/task/", text[256];
    size_t at = strlen(path);
    at += number_put(path + at, (uint32_t)thread->tid);
    memcpy(path + at, "/syscall", sizeof "/syscall");
    size_t bytes = kernel_read_file(path, text, sizeof text - 1);
    text[bytes] = '\0';
    long number = 0;
    const char *word = text;
    if (*word < '0' || *word > '9') { /* "running" */
        return false;
    }
    for (; *word >= '0' && *word <= '9'; word++) {
        number = number * 10 + (*word - '0');
    }
    if (!call_is_fragile(number)) {
        return false;
    }
    for (int i = 0; i < 7 && word != NULL; i++) { /* six arguments, then the stack pointer */
        word = strchr(word, ' ');
        word = word == NULL ? NULL : word + 1;
    }
    if (word == NULL) {
        return false;
    }
    thread->sp = hex_parse(word);
    return thread->sp != 0;
}

static void task_seen(void *context, int32_t tid)
{
    struct stop *stop = context;
    if (tid == kernel_tid() || stop->count == stop->room) {
        return;
    }
    for (uint32_t i = 0; i < stop->count; i++) {
        if (stop->threads[i].tid == tid) {
            return;
        }
    }
    struct stopped *thread = &stop->threads[stop->count];
    *thread = (struct stopped){.tid = tid};
    if (thread_sleeps(thread)) {
        thread->state = STOP_ASLEEP;
        thread->thread_pointer = thread_pointer_of(tid);
        stop->count++;
        return;
    }
    thread->state = STOP_ASKED;
    stop->count++; /* before the signal: its handler looks here */
    if (kernel_call(SYS_tgkill, kernel_pid(), tid, STOP_SIGNAL, 0, 0, 0) != 0) {
        thread->state = STOP_GONE;
    }
}

static void threads_wait(const struct stop *stop)
{
    uint64_t limit = meter_now_ns() + STOP_WAIT_NS;
    for (uint32_t i = 0; i < stop->count; i++) {
        while (stop->threads[i].state == STOP_ASKED && meter_now_ns() < limit) {
            kernel_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
        }
    }
}

/* The handlers still look at the table until they return. */
static void threads_leave(const struct stop *stop)
{
    uint64_t limit = meter_now_ns() + STOP_WAIT_NS;
    for (uint32_t i = 0; i < stop->count; i++) {
        while (stop->threads[i].state == STOP_REACHED && meter_now_ns() < limit) {
            kernel_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
        }
    }
}

static void action_swap(const struct kernel_action *action, struct kernel_action *before)
{
    kernel_call(SYS_rt_sigaction, STOP_SIGNAL, (long)action, (long)before, sizeof(unsigned long), 0,
                0);
}

static struct kernel_action action_before;

bool stop_others(struct stop *stop)
{
    *stop = (struct stop){.room = meter_threads() + 64};
    stop->threads = meter_own_map(stop->room * sizeof *stop->threads);
    if (stop->threads == NULL) {
        return false;
    }
    struct kernel_action action = {.handler = stop_here, .flags = SA_SIGINFO | SA_RESTART};
#if defined(__x86_64__)
    action.flags |= SA_RESTORER_;
    action.restorer = stop_restorer;
#endif
    stopping = stop;
    action_swap(&action, &action_before);
    uint32_t before;
    int round = 0;
    do { /* until no thread is new: those that run may start others */
        before = stop->count;
        kernel_numbers_list("/proc/self/task", task_seen, stop);
        threads_wait(stop);
    } while (stop->count != before && ++round < ROUNDS_MOST);
    return true;
}

void stop_release(struct stop *stop)
{
    bool late = false;
    for (uint32_t i = 0; i < stop->count; i++) {
        uint32_t asked = STOP_ASKED;
        late |= atomic_compare_exchange_strong(&stop->threads[i].state, &asked, STOP_GONE);
    }
    atomic_fetch_add(&released, 1);
    kernel_call(SYS_futex, (long)&released, FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0, 0);
    stopping = NULL;
    if (!late) { /* else the signal may still arrive: it must find our handler, and the table */
        threads_leave(stop);
        action_swap(&action_before, NULL);
        meter_own_unmap(stop->threads, stop->room * sizeof *stop->threads);
    }
    *stop = (struct stop){0};
}
