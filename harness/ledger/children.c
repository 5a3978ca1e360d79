/* children.c - see children.h. Runs in the worker and in its children. */
#include "harness/ledger/children.h"

#include "harness/ledger/child_loss.h"
#include "harness/ledger/ledger.h"
#include "harness/meter/kernel.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

static struct shared {
    _Atomic uint32_t forked, idle, followed, programs;
    _Atomic uint32_t run; /* who is asked about now: a child of an earlier one counts no more */
    _Atomic uint32_t named;
    char program[CHILDREN_NAME_MAX];
} * shared; /* NULL: nobody asks */

static int32_t worker_pid;
static bool own, inside; /* inside: this is a child of fork whose work counts */
static bool told;        /* that it did none, or was followed to its end */
static bool followed;
static uint32_t born_run;
static uint64_t exit_sp; /* where the child called exit */
static uint64_t allocs_before;
static __thread bool own_next __attribute__((tls_model("initial-exec")));

void children_init(void)
{
    worker_pid = kernel_pid();
    shared = kernel_map_as(sizeof *shared, MAP_SHARED);
    child_loss_init();
}

void children_own_fork(void)
{
    own_next = true;
}

bool children_fork_is_own(void)
{
    return own_next;
}

void children_forked(void)
{
    if (shared != NULL && !own_next) {
        atomic_fetch_add(&shared->forked, 1);
    }
    own_next = false;
}

static void name_keep(const char *program)
{
    if (program != NULL && atomic_exchange(&shared->named, 1) == 0) {
        size_t bytes = strnlen(program, sizeof shared->program - 1);
        memcpy(shared->program, program, bytes);
        shared->program[bytes] = '\0';
    }
}

void children_program(const char *program)
{
    if (shared != NULL) {
        atomic_fetch_add(&shared->programs, 1);
        name_keep(program);
    }
}

static uint64_t allocs_now(void)
{
    struct ledger_totals totals;
    ledger_totals_get(&totals);
    return totals.allocs;
}

void children_child_begin(void)
{
    if (shared == NULL) {
        return;
    }
    exit_sp = 0;
    born_run = atomic_load(&shared->run);
    own = own_next; /* then all that it forks is a child's child, and the test's */
    own_next = false;
    inside = !own;
    told = false;
    allocs_before = allocs_now();
    followed = inside && child_loss_begin();
}

static void done_add(_Atomic uint32_t *count)
{
    if (atomic_load(&shared->run) == born_run) {
        atomic_fetch_add(count, 1);
    }
}

void children_child_exits(uint64_t sp)
{
    exit_sp = sp;
}

void children_child_end(uint64_t sp)
{
    sp = exit_sp != 0 ? exit_sp : sp;
    if (!inside || told) {
        return;
    }
    if (allocs_now() == allocs_before) {
        told = true;
        done_add(&shared->idle);
    } else if (followed && child_loss_end(sp) != CHILD_KEEPS) {
        told = true;
        done_add(&shared->followed);
    }
    inside = false; /* it ends once, whatever its exit handlers do */
}

bool children_child_becomes(const char *program)
{
    if (shared == NULL || kernel_pid() == worker_pid) {
        return false;
    }
    if (inside && !told) {
        told = true;
        done_add(&shared->idle);
        children_program(program);
    } else if (!inside) {
        name_keep(program); /* of vfork and posix_spawn the parent has counted it */
    }
    return true;
}

void children_child_stays(void)
{
    if (inside && told) {
        told = false;
        atomic_fetch_sub(&shared->idle, 1);
        atomic_fetch_sub(&shared->programs, 1);
    }
}

void children_begin(void)
{
    if (shared != NULL) {
        atomic_fetch_add(&shared->run, 1);
    }
}

void children_take(struct children *children)
{
    children->forked = children->followed = children->done = children->programs = 0;
    children->program[0] = '\0';
    if (shared == NULL ||
        (atomic_load(&shared->forked) == 0 && atomic_load(&shared->idle) == 0 &&
         atomic_load(&shared->followed) == 0 && atomic_load(&shared->programs) == 0)) {
        return; /* after nearly every repetition */
    }
    children->forked = atomic_exchange(&shared->forked, 0);
    children->followed = atomic_exchange(&shared->followed, 0);
    children->done = children->followed + atomic_exchange(&shared->idle, 0);
    children->programs = atomic_exchange(&shared->programs, 0);
    if (children->programs > 0 && atomic_load(&shared->named) != 0) {
        memcpy(children->program, shared->program, sizeof children->program);
        children->program[sizeof children->program - 1] = '\0';
    }
    atomic_store(&shared->named, 0);
}
