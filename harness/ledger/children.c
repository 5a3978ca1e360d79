/* children.c - see children.h. Runs in the worker and in its children. */
#include "harness/ledger/children.h"

#include "harness/ledger/ledger.h"
#include "harness/meter/kernel.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

static struct shared {
    _Atomic uint32_t forked, idle, programs;
    _Atomic uint32_t named;
    char program[CHILDREN_NAME_MAX];
} * shared; /* NULL: nobody asks */

static int32_t worker_pid;
static bool own, inside; /* inside: this is a child of fork whose work counts */
static bool told;        /* that it did none */
static uint64_t allocs_before;
static __thread bool own_next __attribute__((tls_model("initial-exec")));

void children_init(void)
{
    worker_pid = kernel_pid();
    shared = kernel_map_as(sizeof *shared, MAP_SHARED);
}

void children_own_fork(void)
{
    own_next = true;
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
    own = own_next; /* then all that it forks is a child's child, and the test's */
    own_next = false;
    inside = !own;
    told = false;
    allocs_before = allocs_now();
}

void children_child_end(void)
{
    if (inside && !told && allocs_now() == allocs_before) {
        told = true;
        atomic_fetch_add(&shared->idle, 1);
    }
}

bool children_child_becomes(const char *program)
{
    if (shared == NULL || kernel_pid() == worker_pid) {
        return false;
    }
    if (inside && !told) {
        told = true;
        atomic_fetch_add(&shared->idle, 1);
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

void children_take(struct children *children)
{
    children->forked = children->programs = 0;
    children->program[0] = '\0';
    if (shared == NULL || (atomic_load(&shared->forked) == 0 && atomic_load(&shared->idle) == 0 &&
                           atomic_load(&shared->programs) == 0)) {
        return;
    }
    uint32_t forked = atomic_exchange(&shared->forked, 0);
    uint32_t idle = atomic_exchange(&shared->idle, 0);
    children->forked = forked > idle ? forked - idle : 0;
    children->programs = atomic_exchange(&shared->programs, 0);
    if (children->programs > 0 && atomic_load(&shared->named) != 0) {
        memcpy(children->program, shared->program, sizeof children->program);
        children->program[sizeof children->program - 1] = '\0';
    }
    atomic_store(&shared->named, 0);
}
