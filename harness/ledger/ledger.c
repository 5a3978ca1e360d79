/* ledger.c - see ledger.h: depth, birth, totals. Runs in the worker. */
#include "harness/ledger/ledger.h"
#include "harness/ledger/birth.h"

#include "harness/ledger/allocator.h"
#include "harness/ledger/children.h"
#include "harness/ledger/heap_error.h"
#include "harness/ledger/hooks.h"
#include "harness/ledger/object.h"
#include "harness/ledger/release.h"
#include "harness/ledger/resource.h"
#include "harness/ledger/thread.h"
#include "harness/ledger/trace.h"
#include "harness/meter/meter.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* The last birth within a test: its serial, and what was live when it began. */
static uint32_t birth_test = WIRE_NO_TEST, birth_serial;
static int64_t birth_blocks, birth_bytes;
static bool hooks_bypassed; /* the program brings its own malloc */

static void child_begin(void)
{
    thread_after_fork();
    children_child_begin();
    ledger_modules_after_fork();
    resource_after_fork();
    release_after_fork();
}

void ledger_init(struct wire *wire)
{
    int saved = errno;
    if (wire != NULL) {
        hooks_refused = &wire->crash.refused;
        heap_error_init(wire);
        children_init();
        object_init(wire);
    }
    allocator_prepare();
    thread_get();
    void *first = dlsym(RTLD_DEFAULT, "malloc");
    hooks_bypassed = first != NULL && first != (void *)(uintptr_t)hooks_malloc;
    trace_init();
    meter_settle = resource_settle;
    pthread_atfork(NULL, NULL, child_begin);
    errno = saved;
}

const char *ledger_allocator(void)
{
    return hooks_bypassed ? "program" : below.name;
}

void ledger_depth_set(enum wire_depth depth)
{
    int saved = errno;
    release_drop();
    heap_watch_end();
    trace_set(depth == WIRE_TRACE);
    if (depth == WIRE_COUNT) {
        resource_forget_sites();
    }
    errno = saved;
}

enum wire_depth ledger_depth(void)
{
    return trace_on ? WIRE_TRACE : WIRE_COUNT;
}

static void totals_add(void *context, struct thread *thread)
{
    struct ledger_totals *totals = context;
    totals->allocs += thread->allocs;
    totals->frees += thread->frees;
    totals->bytes += thread->bytes;
    totals->bytes_freed += thread->freed;
}

void ledger_totals_get(struct ledger_totals *totals)
{
    *totals = (struct ledger_totals){0};
    thread_each(totals_add, totals);
    totals->live_blocks = (int64_t)(totals->allocs - totals->frees);
    totals->live_bytes = (int64_t)(totals->bytes - totals->bytes_freed);
    totals->peak_live_bytes = thread_peak();
}

void ledger_peak_reset(void)
{
    int saved = errno;
    thread_peak_reset();
    errno = saved;
}

void ledger_birth_set(uint32_t test)
{
    thread_get()->busy = 0; /* a test may have left a signal handler by longjmp */
    uint32_t serial = birth_next(test);
    if (test != WIRE_NO_TEST) {
        struct ledger_totals totals;
        ledger_totals_get(&totals);
        birth_test = test;
        birth_serial = serial;
        birth_blocks = totals.live_blocks;
        birth_bytes = totals.live_bytes;
    }
}

struct retained {
    uint32_t serial;
    int64_t blocks, bytes;
};

static void retained_add(void *context, const struct trace_record *record)
{
    struct retained *retained = context;
    if (record->serial == retained->serial) {
        retained->blocks++;
        retained->bytes += (int64_t)record->size;
    }
}

void ledger_retained_get(uint32_t test, int64_t *blocks, int64_t *bytes)
{
    struct retained retained = {.serial = birth_serial};
    if (test == birth_test && trace_on) {
        trace_each(retained_add, &retained);
    } else if (test == birth_test) {
        struct ledger_totals totals;
        ledger_totals_get(&totals);
        retained.blocks = totals.live_blocks - birth_blocks;
        retained.bytes = totals.live_bytes - birth_bytes;
    }
    *blocks = retained.blocks;
    *bytes = retained.bytes;
}

uint64_t ledger_own_bytes(void)
{
    return meter_own_bytes();
}
