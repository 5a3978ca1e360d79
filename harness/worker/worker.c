/* worker.c - see worker.h. */
#include "harness/worker/worker.h"
#include "harness/worker/pace.h"

#include "harness/base/interrupt.h"
#include "harness/base/memory.h"
#include "harness/base/monotonic.h"
#include "harness/base/process.h"
#include "harness/worker/leftover.h"
#include "harness/worker/stray.h"
#include "harness/worker/valgrind.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BUSY       8 /* times as long as a limit, at most, for a program that waits for a processor */
#define STARTUP_NS 30000000000ull /* to the first READY, without a limit of the user's */
#define BETWEEN_NS 2000000000ull  /* more than a test's limit, where none runs */

/* Those that run now: never strays of each other, and all of them end with tidemark. */
#define RUNNING_MAX 8
static struct worker *running[RUNNING_MAX];

static void running_change(struct worker *from, struct worker *to)
{
    size_t i = 0;
    while (i < RUNNING_MAX && running[i] != from) {
        i++;
    }
    assert(i < RUNNING_MAX);
    running[i] = to;
}

size_t worker_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < RUNNING_MAX; i++) {
        count += running[i] != NULL && !running[i]->ended;
    }
    return count;
}

/* Of all that run but this one (NULL: of all); 0 in empty places. */
static void worker_pids(const struct worker *but, pid_t pids[RUNNING_MAX])
{
    for (size_t i = 0; i < RUNNING_MAX; i++) {
        pids[i] = running[i] && running[i] != but ? running[i]->pid : 0;
    }
}

static size_t strays_end(void)
{
    pid_t spared[RUNNING_MAX];
    worker_pids(NULL, spared);
    return stray_kill(spared, RUNNING_MAX);
}

/* The allocator below the ledger, unless the program's own is asked for. "": none is installed. */
static const char *jemalloc_path(enum plan_allocator allocator)
{
    static const char *const paths[] = {"/usr/lib/x86_64-linux-gnu/libjemalloc.so.2",
                                        "/usr/lib/aarch64-linux-gnu/libjemalloc.so.2",
                                        "/usr/lib64/libjemalloc.so.2", "/usr/lib/libjemalloc.so.2",
                                        "/usr/local/lib/libjemalloc.so.2"};
    for (size_t i = 0; allocator == PLAN_JEMALLOC && i < sizeof paths / sizeof paths[0]; i++) {
        if (access(paths[i], R_OK) == 0) {
            return paths[i];
        }
    }
    return "";
}

/* In the child. libtidemark.so comes first, whatever else the user preloads. */
static void worker_become(const struct plan_variant *variant, const struct worker_options *options,
                          const struct worker *worker, int fd, pid_t supervisor)
{
    char number[16], bytes[24];
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor) {
        _exit(127); /* it was gone before it could take this process with it */
    }
    snprintf(number, sizeof number, "%d", fd);
    const char *jemalloc = jemalloc_path(options->allocator);
    char *own = memory_format("%s%s%s", options->preload, jemalloc[0] ? ":" : "", jemalloc);
    for (char **pair = variant->env; pair && *pair; pair++) {
        putenv(*pair);
    }
    unsetenv("CK_FORK");
    if (options->forks) {
        setenv("CK_FORK", "yes", 1);
    }
    unsetenv("CK_VERBOSITY");
    setenv(WIRE_ENV, number, 1);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0 && !options->verbose) {
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
    }
    cap_enter(&worker->cap);
    process_restore();
    const char *given = getenv("LD_PRELOAD"); /* of any length; the variant's, if it has one */
    char *preload = memory_format("%s%s%s", own, given && given[0] ? ":" : "", given ? given : "");
    snprintf(bytes, sizeof bytes, "%zu", strlen(own));
    setenv(WIRE_PRELOAD_ENV, bytes, 1);
    setenv("LD_PRELOAD", preload, 1);
    if (options->memcheck) {
        valgrind_become(variant->program, variant->argv, options->memcheck);
    }
    execv(variant->program, variant->argv);
    atomic_store(&worker->wire->exec_error, errno);
    _exit(127);
}

bool worker_start(struct worker *worker, const struct plan_variant *variant,
                  const struct worker_options *options)
{
    void (*record)(void *, const struct wire_record *) = worker->record;
    void *context = worker->context;
    int fd = -1;
    *worker = (struct worker){
        .pid = -1, .slow = options->memcheck != NULL, .record = record, .context = context};
    worker->wire = wire_new(&fd);
    if (!worker->wire) {
        return false;
    }
    interrupt_begin();
    cap_init(&worker->cap, options->memory_cap);
    worker->guard = (struct guard){.bytes = options->memory_guard};
    worker->started_ns = monotonic_ns();
    worker->started = time(NULL) - 1; /* the kernel stamps with a coarser clock */
    fflush(NULL);
    stray_adopt();
    pid_t supervisor = getpid();
    worker->pid = fork();
    if (worker->pid == 0) {
        worker_become(variant, options, worker, fd, supervisor);
    }
    int kept = errno;
    close(fd);
    errno = kept;
    if (worker->pid < 0) {
        cap_fini(&worker->cap);
        wire_free(&worker->wire);
        interrupt_end();
        errno = kept;
        return false;
    }
    running_change(NULL, worker);
    return true;
}

void worker_command(struct worker *worker, const struct wire_command *command)
{
    worker->done = false;
    worker->heap_count = 0;
    if (command->op == WIRE_OP_RUN) {
        worker->children = (struct wire_children){0};
    }
    uint32_t sequence = wire_command_send(worker->wire, command);
    wire_dialogue_ask(&worker->dialogue, command, sequence);
}

static void record_take(struct worker *worker, const unsigned char *buffer)
{
    const struct wire_record *record = (const struct wire_record *)buffer;
    switch (record->type) {
    case WIRE_DONE:
        worker->took_ns = ((const struct wire_done *)record)->took_ns;
        worker->cpu_ns = ((const struct wire_done *)record)->cpu_ns;
        worker->done = true;
        break;
    case WIRE_READY:
        memcpy(&worker->group, buffer, sizeof worker->group);
        worker->ready = true;
        break;
    case WIRE_BYE:
        worker->bye = true;
        break;
    case WIRE_HEAP_ERROR:
        if (worker->heap_count < WIRE_HEAP_MOST) {
            memcpy(&worker->heap[worker->heap_count++], buffer, sizeof worker->heap[0]);
        }
        break;
    case WIRE_CHILDREN:
        memcpy(&worker->children, buffer, sizeof worker->children);
        break;
    case WIRE_TEST:
        worker->record(worker->context, record);
        if (worker->dialogue.passive) {
            worker->children = (struct wire_children){0};
            worker->heap_count = 0;
        }
        break;
    default:
        worker->record(worker->context, record);
    }
}

static void worker_drain(struct worker *worker)
{
    static _Alignas(8) unsigned char buffer[WIRE_RECORD_MAX];
    bool broken = false;
    while (!worker->damage && wire_get(worker->wire, buffer, &broken)) {
        worker->damage = wire_dialogue_check(&worker->dialogue, (const struct wire_record *)buffer);
        if (!worker->damage) {
            record_take(worker, buffer);
        }
    }
    if (broken) {
        worker->damage = wire_damage(worker->wire);
    }
}

/* With its group. By its own number too: it may not have come to make a group of itself. Once it
 * was waited for, its number may be anybody's: then whoever is left of its group is found as an
 * orphan (stray.h). */
static void worker_kill(const struct worker *worker)
{
    if (!worker->ended) {
        kill(-worker->pid, SIGKILL);
        kill(worker->pid, SIGKILL);
    }
}

/* It died before it could send them. */
static void heap_take_left(struct worker *worker)
{
    struct wire_heap_error left[WIRE_HEAP_MOST];
    size_t count = worker->damage ? 0 : wire_heap_left(worker->wire, left);
    for (size_t i = 0; i < count && worker->heap_count < WIRE_HEAP_MOST; i++) {
        worker->heap[worker->heap_count++] = left[i];
    }
}

/* The process that was started; a wrapper's child that is the worker dies with it or before it. */
static bool worker_reap(struct worker *worker, bool wait)
{
    if (!worker->ended) {
        pid_t pid;
        do {
            pid = wait4(worker->pid, &worker->status, wait ? 0 : WNOHANG, &worker->usage);
        } while (pid < 0 && errno == EINTR);
        worker->ended = pid == worker->pid || pid < 0;
        if (worker->ended) {
            worker_drain(worker);
            heap_take_left(worker);
        }
    }
    return worker->ended;
}

/* Over its time: asks for a stack, waits for it a second, kills. Who claimed to be the worker is
 * asked only if it descends from the process that was started. */
static void worker_kill_hung(struct worker *worker)
{
    struct wire_end end = {0};
    pid_t others[RUNNING_MAX];
    worker_pids(worker, others);
    if (stray_signal(wire_claimed(worker->wire), worker->pid, others, RUNNING_MAX,
                     WIRE_STACK_SIGNAL)) {
        for (int i = 0; i < 1000 && end.signal == 0; i++) {
            usleep(1000);
            wire_end_get(worker->wire, &end);
        }
    }
    worker_kill(worker);
    worker_reap(worker, true);
}

/* Looks how far it says to be. Whenever that changes, its time begins anew, by our own clock. */
static void watch_look(struct worker *worker, uint64_t timeout_ns)
{
    const struct wire_progress *progress = &worker->wire->progress;
    struct worker_watch *watch = &worker->watch;
    uint32_t test = atomic_load(&progress->test);
    uint32_t repetition = atomic_load(&progress->repetition);
    uint64_t started = atomic_load(&progress->started_ns);
    if (test != watch->test || repetition != watch->repetition || started != watch->started_ns) {
        watch->test = test;
        watch->repetition = repetition;
        watch->started_ns = started;
        watch->since_ns = monotonic_ns();
        watch->changes++;
    } else if (test != WIRE_NO_TEST && timeout_ns == 0) {
        watch->since_ns = monotonic_ns(); /* it is at work, and may take its time */
    }
}

#define CHANGES_EACH 4 /* most changes of the progress that a repetition makes */

static bool command_chose(const struct wire_command *command)
{
    return command->op == WIRE_OP_RUN && command->test != WIRE_NO_TEST;
}

/* More progress than there is to be made: the worker's figures are no longer the ledger's. */
static bool watch_overrun(const struct worker *worker)
{
    const struct wire_command *asked = &worker->dialogue.command;
    return command_chose(asked) &&
           worker->watch.changes >
               ((uint64_t)asked->warmups + asked->repetitions + 2) * CHANGES_EACH;
}

/* How long it may stay as it is, ns; 0: for ever. */
static uint64_t watch_limit(const struct worker *worker, uint64_t timeout_ns)
{
    const struct wire_command *asked = &worker->dialogue.command;
    if (worker->watch.started_ns) {
        return timeout_ns;
    }
    /* The program's own code, or the little that is counted between repetitions. What is traced
     * takes its time, and so does everything under valgrind. */
    bool brief = asked->op == WIRE_OP_NONE || (command_chose(asked) && asked->depth == WIRE_COUNT);
    uint64_t limit = timeout_ns && brief && !worker->slow ? timeout_ns + BETWEEN_NS : STARTUP_NS;
    return (limit < STARTUP_NS ? limit : STARTUP_NS) + asked->settle_ns;
}

/* On a busy machine a program that starts waits for a processor most of the time: that is no hang.
 */
static uint64_t watch_waited(const struct worker *worker, uint64_t limit)
{
    uint64_t most = limit * (BUSY - 1);
    uint64_t waited = worker->watch.started_ns ? 0 : pace_waited_ns(worker->pid);
    return waited < most ? waited : most;
}

static bool worker_late(struct worker *worker, uint64_t timeout_ns)
{
    uint64_t limit = watch_limit(worker, timeout_ns);
    uint64_t took = monotonic_ns() - worker->watch.since_ns;
    bool late = limit && took > limit && took > limit + watch_waited(worker, limit);
    if (timeout_ns && watch_overrun(worker)) {
        worker->damage = "its progress was overwritten";
        late = true;
    }
    worker->late_ns = late ? limit : 0;
    return late;
}

/* tidemark was asked to end. */
_Noreturn static void workers_end(void)
{
    for (size_t i = 0; i < RUNNING_MAX; i++) {
        struct worker *worker = running[i];
        if (worker) {
            worker_kill(worker);
            worker_reap(worker, true);
            running[i] = NULL;
            strays_end();
            cap_fini(&worker->cap);
        }
    }
    interrupt_die();
}

/* A record that is damaged, a head that was written over, or more memory than it may have: it ends
 * here, whatever it goes on to do. */
static enum worker_event worker_refuse(struct worker *worker)
{
    worker_kill(worker);
    worker_reap(worker, true);
    return WORKER_GONE;
}

enum worker_event worker_wait(struct worker *worker, uint64_t timeout_ns)
{
    worker->watch = (struct worker_watch){.test = WIRE_NO_TEST, .since_ns = monotonic_ns()};
    for (;;) {
        if (interrupt_pending()) {
            workers_end();
        }
        uint32_t seen = atomic_load(&worker->wire->record_sequence);
        watch_look(worker, timeout_ns);
        if (worker->tick) {
            worker->tick(worker->tick_context, worker->watch.repetition);
        }
        worker_drain(worker);
        guard_look(&worker->guard, worker->pid, monotonic_ns());
        if (worker->damage || worker->guard.found) {
            return worker_refuse(worker);
        }
        if (worker->done) {
            worker->done = false;
            return WORKER_DONE;
        }
        if (worker->ready) { /* it may have come with the answer that was waited for before */
            worker->ready = false;
            return WORKER_READY;
        }
        if (worker_reap(worker, false) && !worker->done && !worker->ready) {
            return worker->bye && !worker->damage ? WORKER_BYE : WORKER_GONE;
        }
        if (worker_late(worker, timeout_ns)) {
            worker_kill_hung(worker);
            return WORKER_HUNG;
        }
        wire_record_wait(worker->wire, seen, 20);
    }
}

uint32_t worker_test(const struct worker *worker)
{
    uint32_t test = atomic_load(&worker->wire->progress.test);
    /* Some ways in learn a test's name when it ends. */
    if (worker->damage || wire_damage(worker->wire) || test > worker->dialogue.names) {
        test = worker->dialogue.begun ? worker->dialogue.begun - 1 : WIRE_NO_TEST;
    }
    return test;
}

void worker_fini(struct worker *worker)
{
    if (worker->pid > 0) {
        worker_kill(worker);
        worker_reap(worker, true);
        running_change(worker, NULL);
        worker->strays = strays_end();
        worker->objects = leftover_remove(worker->wire, worker->started, worker->object);
        cap_fini(&worker->cap);
        wire_free(&worker->wire);
        worker->pid = -1;
        interrupt_end();
    }
}
