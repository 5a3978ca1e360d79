/* child.c - see child.h. */
#include "harness/boundary/child.h"

#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/crash.h"
#include "harness/ledger/children.h"
#include "harness/ledger/given.h"
#include "harness/ledger/ledger.h"
#include "harness/meter/meter.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct child_slot { /* shared with the child */
    struct ledger_totals before, after;
};

static struct child_slot *child_slot;
static pid_t child_pid; /* in the child: itself */
static uint64_t child_most_ns;

bool child_inside(void)
{
    return child_pid != 0 && child_pid == getpid();
}

void child_note(void)
{
    if (child_inside()) {
        ledger_totals_get(&child_slot->after);
        given_put(boundary_wire);
    }
}

static void child_begin(void)
{
    child_pid = getpid();
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a hanging test is not to outlive the worker */
    crash_in_child = child_note;
    ledger_totals_get(&child_slot->before);
    child_slot->after = child_slot->before;
}

/* Waits with the kernel's own timeout where it can (Linux 5.3), else looks every millisecond. The
 * child is not reaped yet: until then nobody else gets its number. */
static bool child_wait(pid_t pid, uint64_t timeout_ns)
{
    uint64_t begun = meter_now_ns();
    int fd = timeout_ns == 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
    bool ended = false;
    for (;;) {
        siginfo_t info = {.si_pid = 0};
        int got =
            waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | (timeout_ns == 0 ? 0 : WNOHANG));
        if ((got == 0 && info.si_pid == pid) || (got == -1 && errno != EINTR)) {
            ended = true;
            break;
        }
        uint64_t spent = meter_now_ns() - begun;
        if (timeout_ns != 0 && spent >= timeout_ns) {
            break;
        }
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        uint64_t left = fd < 0 ? 1000000 : timeout_ns - spent;
        struct timespec timeout = {.tv_sec = (time_t)(left / 1000000000),
                                   .tv_nsec = (long)(left % 1000000000)};
        if (timeout_ns != 0) {
            ppoll(&poll_fd, fd < 0 ? 0 : 1, &timeout, NULL);
        }
    }
    if (fd >= 0) {
        syscall(SYS_close, fd);
    }
    return ended;
}

void child_limit(uint64_t most_ns)
{
    child_most_ns = most_ns;
}

static uint64_t child_time(uint64_t timeout_ns)
{
    bool sooner = child_most_ns != 0 && (timeout_ns == 0 || child_most_ns < timeout_ns);
    return sooner ? child_most_ns : timeout_ns;
}

void child_run(void (*body)(void *), void *data, uint64_t timeout_ns, struct child_end *end)
{
    *end = (struct child_end){.failed = true};
    if (child_slot == NULL) {
        child_slot = arena_shared_get(sizeof *child_slot);
    }
    fflush(stdout); /* or the child would print it again */
    children_own_fork();
    pid_t pid = fork();
    if (pid == -1) {
        return;
    }
    if (pid == 0) {
        child_begin();
        given_begin();
        body(data);
        child_note();
        exit(EXIT_SUCCESS);
    }
    setpgid(pid, pid);
    end->failed = false;
    if (!child_wait(pid, child_time(timeout_ns))) {
        end->timed_out = true;
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
        child_wait(pid, 0);
    }
    kill(-pid, SIGKILL); /* whatever the test started and left behind */
    while (waitpid(pid, &end->status, 0) == -1 && errno == EINTR) {
    }
    end->allocs = child_slot->after.allocs - child_slot->before.allocs;
    end->frees = child_slot->after.frees - child_slot->before.frees;
    end->bytes = child_slot->after.bytes - child_slot->before.bytes;
}
