/*
 * boundary.c - the library's constructor and destructor: takes the wire, chooses the way in, arms
 * the crash handlers, says good-bye. Runs in the worker, before main and after exit handlers.
 */
#include "harness/boundary/boundary.h"

#include "harness/boundary/adapter.h"
#include "harness/boundary/crash.h"
#include "harness/boundary/memcheck.h"
#include "harness/boundary/passive.h"
#include "harness/boundary/program.h"
#include "harness/boundary/serve.h"
#include "harness/boundary/way.h"
#include "harness/ledger/children.h"
#include "harness/ledger/ledger.h"
#include "harness/meter/meter.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

struct wire *boundary_wire;
enum wire_way boundary_way;
pid_t boundary_pid;
bool boundary_forked;

bool boundary_is_worker(void)
{
    return boundary_pid != 0 && getpid() == boundary_pid;
}

static void forked(void)
{
    boundary_forked = true;
    uint32_t test = atomic_load(&boundary_wire->progress.test);
    memcheck_child_begins(test != WIRE_NO_TEST ? test : passive_test());
}

/* The best way that this program allows, or NONE: it is only on the way to the test program.
 * *copy is the framework that it has a static copy of, where that is the way and not libcheck. */
static enum wire_way way_choose(const struct wire *wire, const struct adapter **copy)
{
    enum wire_way wish = way_wished();
    uint32_t left;
    if ((wish == WIRE_WAY_NONE || wish == WIRE_WAY_SYMTAB) && way_symtab_take(&left)) {
        return WIRE_WAY_SYMTAB;
    }
    if ((wish == WIRE_WAY_NONE || wish == WIRE_WAY_DYNAMIC) && adapter_find() != NULL) {
        return WIRE_WAY_DYNAMIC;
    }
    if ((wish == WIRE_WAY_NONE || wish == WIRE_WAY_SYMTAB) &&
        (*copy = adapter_static_find()) != NULL) {
        return WIRE_WAY_SYMTAB;
    }
    if (wish == WIRE_WAY_HEADER || (wish == WIRE_WAY_NONE && imports_have("tidemark_test_begin"))) {
        return WIRE_WAY_HEADER;
    }
    if (wish == WIRE_WAY_LIBC || (wish == WIRE_WAY_NONE && libc_wanted())) {
        libc_prepare();
        return WIRE_WAY_LIBC;
    }
    if (wish == WIRE_WAY_PROGRAM) {
        return WIRE_WAY_PROGRAM;
    }
    /* Whatever a script calls on its way (sed, ls ...) is nobody's test program. */
    return getppid() != wire->supervisor || way_is_launcher() ? WIRE_WAY_NONE : WIRE_WAY_PROGRAM;
}

/* Lets the framework's adapter have the program; the way that it then is. */
static enum wire_way way_take(enum wire_way way, const struct adapter *copy)
{
    if (way == WIRE_WAY_DYNAMIC) {
        adapter_find()->take();
    } else if (copy != NULL) {
        program_serve_later(copy);
        way = copy->take_static() ? WIRE_WAY_SYMTAB : WIRE_WAY_PROGRAM;
    }
    return way;
}

static __attribute__((constructor)) void boundary_init(void)
{
    int saved = errno;
    const struct adapter *copy = NULL;
    struct wire *wire = wire_attach();
    enum wire_way way = wire == NULL ? WIRE_WAY_NONE : way_choose(wire, &copy);
    bool ours = way != WIRE_WAY_NONE && wire_claim(&wire);
    way_dynamic_set(false);
    if (ours) {
        way = way_take(way, copy);
        boundary_pid = getpid();
        boundary_way = way;
        ledger_init(wire);
        meter_init(wire);
        boundary_wire = wire;
        memcheck_init();
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        crash_init();
        pthread_atfork(NULL, NULL, forked);
    }
    errno = saved;
}

static __attribute__((destructor)) void boundary_fini(void)
{
    if (boundary_wire != NULL && boundary_is_worker()) {
        crash_exit_note();
        memcheck_process_ends();
        if (!serve_has_greeted()) {
            serve_hello("none", boundary_way);
            serve_note("the program ended without running a test in a way that tidemark knows");
        }
        if (atomic_load(&boundary_wire->crash.exited) == 0) {
            serve_bye();
        }
    } else if (boundary_wire != NULL) {
        children_child_end((uint64_t)(uintptr_t)__builtin_frame_address(0));
    }
}
