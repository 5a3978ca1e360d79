/* serve.c - see serve.h. Between repetitions nothing here allocates, so the ledger sees the tests
 * only. */
#include "harness/boundary/serve.h"

#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/child.h"
#include "harness/boundary/crash.h"
#include "harness/boundary/memcheck.h"
#include "harness/boundary/restore.h"
#include "harness/boundary/symtab.h"
#include "harness/ledger/given.h"
#include "harness/meter/meter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BUSY 20 /* how much longer than its budget a run may take on a machine that is busy */

static uint32_t serve_next;     /* index of the next group's first test */
static uint32_t serve_sequence; /* of the last command read */
static bool serve_greeted;
static bool *serve_failed;          /* of the group's tests */
static struct wire_test serve_last; /* too large for a test's small stack */

static void copy_text(char *to, size_t room, const char *from)
{
    size_t bytes = strnlen(from, room - 1);
    memcpy(to, from, bytes);
    to[bytes] = '\0';
}

/* What a way in cannot do, for the person. */
static const char *const way_notes[] = {
    [WIRE_WAY_HEADER] =
        "the program says where its tests begin and end (tidemark.h): they run in its "
        "own order, none can be repeated by itself",
    [WIRE_WAY_LIBC] =
        "the program is stripped: its libcheck tests are seen through libc, in their own order and "
        "unforked, none can be repeated by itself, and libcheck's short-lived allocations are "
        "counted "
        "with them; with its symbol table (not stripped) each test could be run alone",
    [WIRE_WAY_PROGRAM] = "no test framework was found in the program: all of main is one test",
};

void serve_hello(const char *framework, enum wire_way way)
{
    if (boundary_wire == NULL || serve_greeted) {
        return;
    }
    serve_greeted = true;
    struct wire_hello hello;
    WIRE_INIT(&hello, WIRE_HELLO);
    hello.pid = (int32_t)boundary_pid;
    hello.way = way;
    copy_text(hello.framework, sizeof hello.framework, framework);
    copy_text(hello.allocator, sizeof hello.allocator, ledger_allocator());
    wire_put(boundary_wire, &hello);
    ledger_modules_put(boundary_wire);
    bool has_copy = way == WIRE_WAY_PROGRAM && strcmp(framework, "none") != 0;
    if (way < sizeof way_notes / sizeof way_notes[0] && way_notes[way] != NULL && !has_copy) {
        serve_note(way_notes[way]); /* else program.c says which framework was found */
    }
    if (strcmp(hello.allocator, "program") == 0) {
        serve_note(
            "the program defines malloc itself: its blocks cannot be seen, and only descriptors, "
            "threads, files and mappings are judged; build it without its allocator, or with a "
            "shared one");
    }
    wire_flush(boundary_wire);
}

bool serve_has_greeted(void)
{
    return serve_greeted;
}

void serve_note(const char *text)
{
    static struct wire_note note;
    if (boundary_wire != NULL && boundary_is_worker()) {
        WIRE_INIT(&note, WIRE_NOTE);
        copy_text(note.text, sizeof note.text, text);
        wire_put(boundary_wire, &note);
        wire_flush(boundary_wire);
    }
}

void serve_bye(void)
{
    struct wire_record bye;
    if (boundary_wire != NULL && serve_greeted && boundary_is_worker()) {
        meter_counters_put(boundary_wire);
        bye = (struct wire_record){.type = WIRE_BYE, .bytes = sizeof bye};
        wire_put(boundary_wire, &bye);
        wire_flush(boundary_wire);
    }
}

static void progress_set(uint32_t test, uint32_t repetition, uint64_t started)
{
    struct wire_progress *progress = &boundary_wire->progress;
    atomic_store(&progress->repetition, repetition);
    atomic_store(&progress->test, test);
    atomic_store(&progress->started_ns, started);
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
    struct ledger_totals before, after;
    uint64_t wall_ns, started_ns;
    uint64_t cpu_ns; /* of this thread, when the repetitions began */
    bool ended;      /* by serve_test_ends: the rest of the repetition is the framework's */
    int64_t retained_bytes, retained_blocks;
    uint64_t ended_ns; /* of the last repetition: the time from there to the next is ours */
    uint32_t warmups, repetitions;
};

/* Keeps the worst outcome; its strings are copied, because the next repetition reuses them. */
static void run_keep_worst(const struct outcome *outcome)
{
    if (outcome->status == WIRE_PASS && serve_last.status == WIRE_PASS) {
        serve_last.passed_before++;
    }
    if (outcome->status != WIRE_PASS && serve_last.status == WIRE_PASS) {
        serve_last.status = outcome->status;
        serve_last.signal = outcome->signal;
        serve_last.line = outcome->line;
        copy_text(serve_last.message, sizeof serve_last.message, outcome->message);
        copy_text(serve_last.file, sizeof serve_last.file, outcome->file);
    }
}

static struct run *running;

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
    ledger_totals_get(&run->after);
    if (run->command->flags & WIRE_BIRTHS) {
        ledger_births_set(false);
    }
    if (run->command->flags & WIRE_RELEASES) {
        ledger_releases_set(false);
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
        ledger_retained_get(running->command->test, &running->retained_blocks,
                            &running->retained_bytes);
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
    if (run->ended_ns != 0) {
        atomic_fetch_add_explicit(&progress->overhead_ns, run->started_ns - run->ended_ns,
                                  memory_order_relaxed);
    }
    progress_set(command->test, repetition, run->started_ns);
    running = run;
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
    atomic_store(&progress->started_ns, 0);
    restore_after_repetition();
    run_keep_worst(&run->outcome);
    atomic_store_explicit(&progress->live_bytes, run->after.live_bytes, memory_order_relaxed);
}

void serve_sample_start(struct wire_sample *sample, const struct ledger_totals *totals)
{
    struct meter_sample meter;
    meter_sample_get(&meter);
    WIRE_INIT(sample, WIRE_SAMPLE);
    sample->live_blocks = totals->live_blocks;
    sample->live_bytes = totals->live_bytes;
    sample->fds = meter.fds;
    sample->threads = meter.threads;
    sample->mappings = meter.mappings;
    sample->mapped_bytes = meter.mapped_bytes;
    sample->files = meter.files;
}

static void run_sample(const struct run *run, uint32_t repetition)
{
    struct wire_sample sample;
    serve_sample_start(&sample, &run->after);
    sample.test = run->command->test;
    sample.repetition = repetition;
    sample.status = run->outcome.status;
    sample.wall_ns = run->wall_ns;
    sample.peak_rss_bytes = run->command->flags & WIRE_PEAK_RSS_EACH ? meter_rss_peak() : 0;
    wire_put(boundary_wire, &sample);
    /* The supervisor sleeps; it is woken early only for long tests, so that its progress line
     * moves. */
    if (run->wall_ns > 10000000) {
        wire_flush(boundary_wire);
    }
}

static void run_report(struct run *run)
{
    struct wire_test *test = &serve_last;
    test->passed_before = test->status == WIRE_PASS ? 0 : test->passed_before;
    const struct outcome *last = &run->outcome;
    bool forked = last->forked;
    test->repetitions = run->repetitions;
    test->warmups = run->warmups;
    test->allocs = forked ? last->allocs : run->after.allocs - run->before.allocs;
    test->frees = forked ? last->frees : run->after.frees - run->before.frees;
    test->bytes = forked ? last->bytes : run->after.bytes - run->before.bytes;
    if (run->ended) {
        test->retained_blocks = run->retained_blocks;
        test->retained_bytes = run->retained_bytes;
    } else {
        ledger_retained_get(run->command->test, &test->retained_blocks, &test->retained_bytes);
    }
    struct ledger_totals now;
    ledger_totals_get(&now);
    test->peak_live_bytes = now.peak_live_bytes;
    if (run->command->flags & WIRE_PEAK_RSS) {
        test->peak_rss_bytes = meter_rss_peak();
    }
    test->wall_ns = run->wall_ns;
    wire_put(boundary_wire, test);
    uint32_t index = run->command->test - run->group->first;
    serve_failed[index] |= test->status != WIRE_PASS && test->status != WIRE_SKIP &&
                           (run->command->flags & WIRE_GIVEN) == 0;
}

/* Of this thread; by a system call, so as not to come by the program's clock_gettime. */
static uint64_t cpu_now_ns(void)
{
    struct timespec now = {0};
    syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool run_goes_on(const struct run *run, uint64_t begun)
{
    const struct wire_command *command = run->command;
    if (serve_last.status != WIRE_PASS && (command->flags & WIRE_STOP_ON_FAIL)) {
        return run->repetitions == 0; /* a test that failed in its warm-up gets its figures, too */
    }
    if (run->repetitions < command->repetitions_min || run->repetitions == 0) {
        return true;
    }
    /* A busy machine does not make a cheap test dear: else verdicts would hang on the load. */
    uint64_t wall = meter_now_ns() - begun;
    return run->repetitions < command->repetitions_max &&
           (wall < command->budget_ns ||
            (wall < command->budget_ns * BUSY && cpu_now_ns() - run->cpu_ns < command->budget_ns));
}

static void run_repetitions(struct run *run)
{
    const struct wire_command *command = run->command;
    while (run->warmups < command->warmups &&
           (serve_last.status == WIRE_PASS || !(command->flags & WIRE_STOP_ON_FAIL))) {
        run_repetition(run, run->warmups++);
    }
    if (run->warmups > 0) {
        ledger_peak_reset(); /* what is set up once is whichever test's that comes first */
    }
    bool floors = command->depth == WIRE_TRACE && (command->flags & WIRE_NO_FLOORS) == 0;
    if (floors) {
        ledger_floor_reset();
    }
    uint64_t begun = meter_now_ns();
    run->cpu_ns = cpu_now_ns();
    while (run_goes_on(run, begun)) {
        if (command->flags & WIRE_PEAK_RSS_EACH) {
            meter_rss_reset();
        }
        run_repetition(run, run->repetitions);
        run_sample(run, run->repetitions);
        if (floors) {
            ledger_floor_update();
        }
        run->repetitions++;
    }
}

static void serve_run(const struct test_group *group, const struct wire_command *command)
{
    struct run run = {.group = group, .command = command};
    uint32_t index = command->test - group->first;
    WIRE_INIT(&serve_last, WIRE_TEST);
    serve_last.test = command->test;
    outcome_reset(&run.outcome);
    crash_arm();
    atomic_store(&boundary_wire->crash.refused, 0);
    ledger_depth_set(command->depth == WIRE_TRACE ? WIRE_TRACE : WIRE_COUNT);
    memcheck_test_begins(command->test);
    progress_set(command->test, 0, meter_now_ns()); /* a shared fixture may hang or crash, too */
    bool ready = group->prepare(group->self, index, &run.outcome);
    ledger_totals_get(&run.before);
    run.after = run.before;
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
}

static void serve_done(const struct wire_command *command)
{
    struct wire_done done;
    WIRE_INIT(&done, WIRE_DONE);
    done.sequence = serve_sequence;
    done.op = command->op;
    wire_put(boundary_wire, &done);
    wire_flush(boundary_wire);
}

/* The questions about named sites. */
static void serve_named(const struct wire_command *command)
{
    uint32_t count = command->site_count < WIRE_SITES_MAX ? command->site_count : WIRE_SITES_MAX;
    if (command->op == WIRE_OP_SCAN) {
        ledger_scan_put(boundary_wire, command->sites, count);
    } else {
        ledger_modules_put(boundary_wire);
        ledger_releases_put(boundary_wire, command->sites, count);
    }
}

/* Serves commands until FINISH. `group` may be NULL: then nothing can be run. */
static void serve_commands(struct test_group *group, struct wire_command *last_run)
{
    static struct wire_command command;
    do {
        wire_command_wait(boundary_wire, &serve_sequence, &command);
        switch (command.op) {
        case WIRE_OP_RUN:
            if (group != NULL && command.test - group->first < group->count) {
                ledger_modules_put(boundary_wire);
                serve_run(group, &command);
            } else {
                ledger_depth_set(command.depth == WIRE_TRACE ? WIRE_TRACE : WIRE_COUNT);
            }
            if (last_run != NULL) {
                *last_run = command;
            }
            break;
        case WIRE_OP_SITES:
            ledger_modules_put(boundary_wire);
            ledger_sites_put(boundary_wire);
            break;
        case WIRE_OP_SURVIVORS:
            ledger_survivors_put(boundary_wire);
            break;
        case WIRE_OP_SCAN:
        case WIRE_OP_RELEASES:
            serve_named(&command);
            break;
        case WIRE_OP_FINISH:
            if (group != NULL) {
                group->finish(group->self);
            }
            meter_counters_put(boundary_wire);
            break;
        default:
            break;
        }
        serve_done(&command);
    } while (command.op != WIRE_OP_FINISH);
}

static void serve_ready(uint32_t first, uint32_t count)
{
    struct wire_ready ready;
    WIRE_INIT(&ready, WIRE_READY);
    ready.first = first;
    ready.count = count;
    wire_put(boundary_wire, &ready);
    wire_flush(boundary_wire);
}

uint32_t serve_group(struct test_group *group)
{
    static struct wire_test_name name;
    uint32_t failed = 0;
    serve_hello(group->framework, group->way);
    group->first = serve_next;
    serve_next += group->count;
    serve_failed = arena_get(group->count + 1);
    restore_save();
    for (uint32_t i = 0; i < group->count; i++) {
        WIRE_INIT(&name, WIRE_TEST_NAME);
        name.test = group->first + i;
        group->describe(group->self, i, &name);
        wire_put(boundary_wire, &name);
    }
    serve_ready(group->first, group->count);
    serve_commands(group, NULL);
    for (uint32_t i = 0; i < group->count; i++) {
        failed += serve_failed[i];
    }
    return failed;
}

void serve_passive_ready(uint32_t first, uint32_t count, struct wire_command *run)
{
    serve_ready(first, count);
    serve_commands(NULL, run);
}
