/* repetition.c - see repetition.h. Between repetitions nothing here allocates, so the ledger sees
 * the tests only. */
#include "harness/boundary/repetition.h"

#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/child.h"
#include "harness/boundary/children_outcome.h"
#include "harness/boundary/crash.h"
#include "harness/boundary/heap_outcome.h"
#include "harness/boundary/memcheck.h"
#include "harness/boundary/restore.h"
#include "harness/boundary/symtab.h"
#include "harness/ledger/child_loss.h"
#include "harness/ledger/given.h"
#include "harness/ledger/heap_error.h"
#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct wire_children run_children;
#define SETTLE_STEP_NS  1000000u  /* between two looks at threads that free late */
#define SETTLE_STILL_NS 20000000u /* nothing was freed for so long: nothing more will be */
#define SETTLE_DEAD_NS                                                                             \
    150000000 /* threads that gave nothing back for so long keep what they have */

static struct wire_test last_test; /* too large for a test's small stack */
static uint32_t threads_first;     /* when the first test of the process began */

void repetition_text(char *to, size_t room, const char *from)
{
    size_t bytes = strnlen(from, room - 1);
    memcpy(to, from, bytes);
    to[bytes] = '\0';
}

static void progress_set(uint32_t test, uint32_t repetition, uint64_t started)
{
    struct wire_progress *progress = &boundary_wire->progress;
    atomic_store_explicit(&progress->repetition, repetition, memory_order_release);
    atomic_store_explicit(&progress->test, test, memory_order_release);
    atomic_store_explicit(&progress->started_ns, started, memory_order_release);
}

static void outcome_reset(struct outcome *outcome)
{
    *outcome = (struct outcome){.status = WIRE_PASS, .file = "", .message = ""};
}

/* What a RUN keeps from its repetitions. */
struct run {
    const struct test_group *group;
    const struct wire_command *command;
    struct outcome outcome;
    struct ledger_totals begun;         /* of the run, after the fixtures that tests share */
    struct ledger_totals before, after; /* of the last repetition */
    uint32_t threads;                   /* when the run began */
    bool floors, moved;
    struct wire_sample last;  /* of the RUN before, if it was of this test */
    struct wire_sample alike; /* the boundaries that are not on the wire yet; none: 0 of them */
    uint64_t settled_ns;
    uint64_t wall_ns, started_ns;
    uint64_t cpu_spent_ns; /* by the process, in the repetitions */
    uint64_t queued_ns;    /* this thread waited for a processor meanwhile */
    bool ended;            /* by serve_test_ends: the rest of the repetition is the framework's */
    int64_t retained_bytes, retained_blocks;
    uint64_t ended_ns; /* of the last repetition: the time from there to the next is ours */
    uint32_t warmups, repetitions;
};

/* Keeps the worst outcome; its strings are copied, because the next repetition reuses them. */
static void run_keep_worst(const struct outcome *outcome)
{
    if (outcome->status == WIRE_PASS && last_test.status == WIRE_PASS) {
        last_test.passed_before++;
    }
    if (outcome->status != WIRE_PASS && last_test.status == WIRE_PASS) {
        last_test.status = outcome->status;
        last_test.signal = outcome->signal;
        last_test.line = outcome->line;
        repetition_text(last_test.message, sizeof last_test.message, outcome->message);
        repetition_text(last_test.file, sizeof last_test.file, outcome->file);
    }
}

static struct run *running;
static struct wire_sample last_sample;

static void run_begin(struct run *run)
{
    run->ended = false;
    ledger_birth_set(run->command->test);
    if (run->command->flags & WIRE_BIRTHS) {
        ledger_births_set(true);
    }
    if (run->command->flags & WIRE_RELEASES) {
        ledger_releases_set(true);
    }
    ledger_totals_get(&run->before);
    run->started_ns = meter_now_ns();
}

static void run_end(struct run *run)
{
    run->ended_ns = meter_now_ns();
    run->wall_ns = run->ended_ns - run->started_ns;
    child_loss_book();
    ledger_totals_get(&run->after);
    if (run->command->flags & WIRE_BIRTHS) {
        ledger_births_set(false);
    }
    if (run->command->flags & WIRE_RELEASES) {
        ledger_releases_set(false);
    }
}

static void run_retained_get(struct run *run)
{
    if ((run->command->flags & WIRE_NO_RETAINED) == 0) {
        ledger_retained_get(run->command->test, &run->retained_blocks, &run->retained_bytes);
    }
}

void serve_test_begins(void)
{
    if (running != NULL) {
        run_begin(running);
    }
}

void serve_test_ends(void)
{
    if (running != NULL) {
        run_end(running);
        run_retained_get(running);
        ledger_birth_set(WIRE_NO_TEST);
        running->ended = true;
    }
}

void serve_test_goes_on(void)
{
    if (running != NULL && running->ended) {
        ledger_birth_set(running->command->test);
    }
}

/* In the child of this repetition: which functions were given what stays. */
static void given_ask(const struct wire_command *command)
{
    given_want(command->sites, command->site_count);
    symtab_functions(given_function);
}

static void run_repetition(struct run *run, uint32_t repetition)
{
    const struct wire_command *command = run->command;
    struct wire_progress *progress = &boundary_wire->progress;
    bool asks = (command->flags & WIRE_GIVEN) != 0 && (command->flags & WIRE_FORKED) != 0;
    outcome_reset(&run->outcome);
    if (asks) {
        given_ask(command);
    }
    run_begin(run);
    if (run->ended_ns != 0) { /* nobody else writes it */
        uint64_t spent = atomic_load_explicit(&progress->overhead_ns, memory_order_relaxed);
        atomic_store_explicit(&progress->overhead_ns, spent + run->started_ns - run->ended_ns,
                              memory_order_relaxed);
    }
    progress_set(command->test, repetition, run->started_ns);
    running = run;
    child_limit(command->child_ns);
    run->group->run(run->group->self, command->test - run->group->first,
                    (command->flags & WIRE_FORKED) != 0, &run->outcome);
    running = NULL;
    if (asks && !boundary_forked) {
        given_unwant();
    }
    if (boundary_forked && !child_inside()) {
        exit(run->outcome.status == WIRE_PASS ? 0 : 1); /* forked by the test, and fell out of it */
    }
    if (!run->ended) {
        run_end(run);
    }
    atomic_store_explicit(&progress->started_ns, 0, memory_order_release);
    children_outcome_take(&run_children);
    bool damaged = heap_outcome_take(command->test, &run->outcome);
    restore_after_repetition();
    run_keep_worst(&run->outcome);
    last_test.passed_before = damaged ? 0 : last_test.passed_before; /* not by repetition */
    atomic_store_explicit(&progress->live_bytes, run->after.live_bytes, memory_order_relaxed);
}

void serve_sample_start(struct wire_sample *sample, const struct ledger_totals *totals,
                        bool trusting)
{
    struct meter_sample meter;
    if (trusting) {
        meter_sample_trusting(&meter);
    } else {
        meter_sample_get(&meter);
    }
    WIRE_INIT(sample, WIRE_SAMPLE);
    sample->boundaries = 1;
    sample->live_blocks = totals->live_blocks;
    sample->live_bytes = totals->live_bytes;
    sample->fds = meter.fds;
    sample->threads = meter.threads;
    sample->mappings = meter.mappings;
    sample->mapped_bytes = meter.mapped_bytes;
    sample->files = meter.files;
    sample->children = meter.children;
}

/* Is anything held that was not at the end of the last RUN of this test, or the other way round? */
static bool sample_moved(const struct wire_sample *last, const struct wire_sample *now)
{
    return last->live_blocks != now->live_blocks || last->live_bytes != now->live_bytes ||
           last->mappings != now->mappings || last->mapped_bytes != now->mapped_bytes ||
           last->fds != now->fds || last->threads != now->threads || last->files != now->files ||
           last->children != now->children;
}

#define LONG_NS 10000000u /* repetitions of which each boundary is told at once */

static void alike_put(struct run *run)
{
    if (run->alike.boundaries > 0) {
        wire_put(boundary_wire, &run->alike);
        run->alike.boundaries = 0;
    }
}

/* Boundaries that are alike are one record: of most tests nearly all are. */
static bool alike_add(struct wire_sample *alike, const struct wire_sample *sample)
{
    if (alike->boundaries == 0 || alike->status != sample->status || alike->peak_rss_bytes != 0 ||
        alike->wall_ns > LONG_NS || sample_moved(alike, sample)) {
        return false;
    }
    alike->boundaries++;
    alike->repetition = sample->repetition;
    alike->wall_ns += sample->wall_ns;
    return true;
}

static void run_sample(struct run *run, uint32_t repetition, bool trusting)
{
    struct wire_sample sample;
    serve_sample_start(&sample, &run->after, trusting);
    sample.test = run->command->test;
    sample.repetition = repetition;
    sample.status = run->outcome.status;
    sample.wall_ns = run->wall_ns;
    sample.peak_rss_bytes = run->command->flags & WIRE_PEAK_RSS_EACH ? meter_rss_peak() : 0;
    if (alike_add(&run->alike, &sample)) {
        return;
    }
    alike_put(run);
    run->alike = sample;
    run->moved =
        run->moved || (run->last.head.type == WIRE_SAMPLE && sample_moved(&run->last, &sample));
    last_sample = sample;
    /* The supervisor sleeps; it is woken early only for long tests, so that its progress line
     * moves. */
    if (run->wall_ns > LONG_NS) {
        alike_put(run);
        wire_flush(boundary_wire);
    }
}

static bool run_is_watched(const struct wire_command *command)
{
    return command->depth == WIRE_TRACE && (command->flags & WIRE_WATCH) != 0;
}

static void run_report(struct run *run)
{
    struct wire_test *test = &last_test;
    alike_put(run);
    test->passed_before = test->status == WIRE_PASS ? 0 : test->passed_before;
    const struct outcome *last = &run->outcome;
    bool forked = last->forked;
    test->repetitions = run->repetitions;
    test->warmups = run->warmups;
    test->allocs = forked ? last->allocs : run->after.allocs - run->before.allocs;
    test->frees = forked ? last->frees : run->after.frees - run->before.frees;
    test->bytes = forked ? last->bytes : run->after.bytes - run->before.bytes;
    if (!run->ended) {
        run_retained_get(run);
    }
    test->retained_blocks = run->retained_blocks;
    test->retained_bytes = run->retained_bytes;
    if (run->settled_ns > 0) { /* at count depth what older repetitions left counts against it */
        test->retained_blocks = test->retained_blocks < 0 ? 0 : test->retained_blocks;
        test->retained_bytes = test->retained_bytes < 0 ? 0 : test->retained_bytes;
    }
    struct ledger_totals now;
    ledger_totals_get(&now);
    test->peak_live_bytes = now.peak_live_bytes;
    if (run->command->flags & WIRE_PEAK_RSS) {
        test->peak_rss_bytes = meter_rss_peak();
    }
    test->wall_ns = run->wall_ns;
    test->cpu_ns = run->cpu_spent_ns;
    test->queued_ns = run->queued_ns;
    test->settled_ns = run->settled_ns;
    if (run_is_watched(run->command)) {
        bool asked = (run->command->flags & WIRE_NO_KERNEL) == 0;
        test->rss_bytes = asked ? meter_rss() : 0;
        test->own_bytes = ledger_own_bytes() + arena_bytes();
        ledger_watch_put(boundary_wire);
    }
    children_outcome_put(&run_children);
    wire_put(boundary_wire, test);
}

/* Of the process; by a system call, so as not to come by the program's clock_gettime. */
static uint64_t cpu_now_ns(void)
{
    struct timespec now = {0};
    syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* How long the thread could have run and had no processor, since queue_begin. */
struct queue {
    bool asked; /* of the kernel's file, which takes three system calls */
    uint64_t queued_ns, wall_ns;
    long sleeps;
};

static uint32_t sleeper = WIRE_NO_TEST; /* the test that was last seen to give its processor away */

static long sleeps_now(void)
{
    struct rusage usage = {0};
    kernel_call(SYS_getrusage, RUSAGE_THREAD, (long)&usage, 0, 0, 0, 0);
    return usage.ru_nvcsw;
}

static void queue_begin(struct queue *queue, const struct wire_command *command)
{
    queue->asked = (command->flags & WIRE_NO_QUEUED) == 0 || sleeper == command->test;
    queue->queued_ns = queue->asked ? meter_queued_ns() : 0;
    queue->sleeps = sleeps_now();
    queue->wall_ns = meter_now_ns();
}

/* A thread that never gave its processor away ran, or waited for one. */
static uint64_t queue_end(const struct queue *queue, uint32_t test, uint64_t cpu_ns)
{
    uint64_t wall_ns = meter_now_ns() - queue->wall_ns;
    if (sleeps_now() != queue->sleeps) {
        sleeper = test;
    } else if (!queue->asked) {
        return wall_ns > cpu_ns ? wall_ns - cpu_ns : 0;
    }
    return queue->asked ? meter_queued_ns() - queue->queued_ns : 0;
}

static bool run_goes_on(const struct run *run)
{
    const struct wire_command *command = run->command;
    if (last_test.status != WIRE_PASS && (command->flags & WIRE_STOP_ON_FAIL)) {
        return run->repetitions == 0; /* a test that failed in its warm-up gets its figures, too */
    }
    bool moved = run->moved && (command->flags & WIRE_STOP_ON_MOVE) != 0;
    return (run->repetitions < command->repetitions && !moved) || run->repetitions == 0;
}

static void run_boundary(struct run *run, uint32_t repetition, bool trusting)
{
    run_sample(run, repetition, trusting);
    if (run->floors) {
        ledger_floor_update();
    }
}

/* More blocks or bytes than when the run began, which a thread may still free. */
static bool settle_is_wanted(const struct run *run, const struct ledger_totals *now)
{
    return now->live_blocks > run->begun.live_blocks || now->live_bytes > run->begun.live_bytes;
}

/* Waits for threads that free late, so that what they are about to free is not taken for kept. */
static void settle_wait(const struct run *run, struct ledger_totals *now)
{
    uint64_t begun = meter_now_ns(), moved = begun, time = begun;
    while (time - begun < run->command->settle_ns) {
        struct timespec step = {.tv_nsec = SETTLE_STEP_NS};
        struct ledger_totals before = *now;
        kernel_call(SYS_nanosleep, (long)&step, 0, 0, 0, 0, 0);
        time = meter_now_ns();
        ledger_totals_get(now);
        uint32_t threads = meter_threads();
        if (now->live_blocks != before.live_blocks || now->live_bytes != before.live_bytes) {
            moved = time;
        }
        bool whole = (run->command->flags & WIRE_SETTLE_WHOLE) != 0;
        if ((!whole && threads <= run->threads && !settle_is_wanted(run, now)) ||
            (threads <= threads_first && time - moved >= SETTLE_STILL_NS) ||
            (whole && time - moved >= SETTLE_DEAD_NS)) {
            return;
        }
    }
}

static void run_settle(struct run *run)
{
    struct ledger_totals now;
    ledger_totals_get(&now);
    bool wanted = (run->command->flags & WIRE_SETTLE_WHOLE) != 0 || settle_is_wanted(run, &now);
    if (run->command->settle_ns == 0 || run->repetitions == 0 || !wanted || meter_alone() ||
        meter_threads() <= 1) {
        return;
    }
    uint64_t begun = meter_now_ns();
    settle_wait(run, &now);
    run->settled_ns = meter_now_ns() - begun;
    if (run->ended && run->command->depth == WIRE_TRACE) {
        run_retained_get(run);
    }
    struct run settled = *run;
    settled.after = now;
    settled.wall_ns = 0;
    alike_put(run); /* what was held before and after the wait is compared */
    settled.alike.boundaries = 0;
    run_boundary(&settled, run->repetitions, false);
    alike_put(&settled);
    atomic_store_explicit(&boundary_wire->progress.live_bytes, now.live_bytes,
                          memory_order_relaxed);
}

static void run_repetitions(struct run *run)
{
    const struct wire_command *command = run->command;
    while (run->warmups < command->warmups &&
           (last_test.status == WIRE_PASS || !(command->flags & WIRE_STOP_ON_FAIL))) {
        run_repetition(run, run->warmups++);
    }
    if (run->warmups > 0) {
        ledger_peak_reset(); /* what is set up once is whichever test's that comes first */
    }
    run->floors = command->depth == WIRE_TRACE &&
                  ((command->flags & WIRE_NO_FLOORS) == 0 || run_is_watched(command));
    if (run->floors) {
        ledger_floor_reset();
    }
    const bool believes = (command->flags & WIRE_NO_KERNEL) != 0;
    const bool goes_on = run->last.head.type == WIRE_SAMPLE; /* the kernel was asked just before */
    struct queue queue;
    uint64_t process_cpu_ns = cpu_now_ns();
    queue_begin(&queue, command);
    bool more = run_goes_on(run);
    while (more) {
        bool first = run->repetitions == 0;
        if (command->flags & WIRE_PEAK_RSS_EACH) {
            meter_rss_reset();
        }
        run_repetition(run, run->repetitions++);
        more = run_goes_on(run);
        run_boundary(run, run->repetitions - 1, believes || ((!first || goes_on) && more));
        more = more && run_goes_on(run);
    }
    run->cpu_spent_ns = cpu_now_ns() - process_cpu_ns;
    run->queued_ns = queue_end(&queue, command->test, run->cpu_spent_ns);
    if (command->depth == WIRE_TRACE) {
        heap_error_look();
        if (heap_outcome_take(command->test, &run->outcome)) {
            run_keep_worst(&run->outcome);
            last_test.passed_before = 0;
        }
    }
    run_settle(run);
}

bool repetition_run(const struct test_group *group, const struct wire_command *command)
{
    struct run run = {.group = group, .command = command};
    if (last_sample.test == command->test) {
        run.last = last_sample;
    }
    uint32_t index = command->test - group->first;
    WIRE_INIT(&last_test, WIRE_TEST);
    children_outcome_begin(&run_children, command->test);
    last_test.test = command->test;
    outcome_reset(&run.outcome);
    crash_arm();
    atomic_store(&boundary_wire->crash.refused, 0);
    ledger_depth_set(command->depth == WIRE_TRACE ? WIRE_TRACE : WIRE_COUNT);
    ledger_watch_set(run_is_watched(command));
    threads_first = threads_first == 0 ? meter_threads() : threads_first;
    memcheck_test_begins(command->test);
    progress_set(command->test, 0, meter_now_ns()); /* a shared fixture may hang or crash, too */
    bool ready = group->prepare(group->self, index, &run.outcome);
    ledger_totals_get(&run.before);
    run.begun = run.after = run.before;
    run.threads = meter_alone() ? 1 : meter_threads();
    ledger_peak_reset();
    if (command->flags & WIRE_PEAK_RSS) {
        meter_rss_reset();
    }
    if (ready) {
        run_repetitions(&run);
    } else {
        run_keep_worst(&run.outcome);
    }
    progress_set(WIRE_NO_TEST, 0, 0);
    restore_after_run();
    memcheck_test_ends(command->test);
    run_report(&run);
    ledger_birth_set(WIRE_NO_TEST);
    atomic_store(&boundary_wire->progress.own_bytes, ledger_own_bytes() + arena_bytes());
    return last_test.status != WIRE_PASS && last_test.status != WIRE_SKIP;
}
