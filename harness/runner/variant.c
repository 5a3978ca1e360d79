/*
 * variant.c - runs the tests of one variant, in as many workers as it takes. Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/result/result_write.h"
#include "harness/runner/session.h"

#include <fnmatch.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* Killed for memory with more than this part of the cap held since earlier tests: the variant has
 * accumulated, and would again. */
#define ACCUMULATED 0.25

static bool wanted(const struct session *session, uint32_t test)
{
    const char *only = session->plan->only;
    return !only || !only[0] || fnmatch(only, session->names[test].id, 0) == 0;
}

static void test_write(struct session *session, const struct result_test *test)
{
    if (session->options->writer) {
        result_write_test(session->options->writer, test);
    }
}

static struct result_test *test_add(struct session *session, uint32_t number)
{
    struct result_test *test = result_test_add(session->result);
    bool known = number < session->name_count;
    result_set(&test->id, known ? session->names[number].id : "(outside any test)");
    result_set(&test->variant, session->variant->name);
    result_set(&test->file, known ? session->names[number].file : "");
    test->line = known ? session->names[number].line : 0;
    session->tests++;
    return test;
}

static void live_add(struct session *session, int64_t live)
{
    memory_grow(&session->live, &session->live_room, session->live_count + 1,
                sizeof session->live[0]);
    session->live[session->live_count++] = live;
}

/* A test came to its boundary. */
static void test_take(struct session *session)
{
    const struct wire_test *seen = &session->test;
    int64_t live = session->has_sample ? session->sample.live_bytes : 0;
    if (!session->live_known) {
        session->live_start = live - seen->retained_bytes;
        session->live_end = session->live_start;
        session->live_known = true;
    }
    if (!session->quiet) {
        struct result_test *test = test_add(session, seen->test);
        test->status = (enum result_status)seen->status;
        test->signal = seen->signal;
        test->repetitions = seen->repetitions;
        test->allocs = (int64_t)seen->allocs;
        test->frees = (int64_t)seen->frees;
        test->bytes = (int64_t)seen->bytes;
        test->retained_bytes = seen->retained_bytes;
        test->retained_blocks = seen->retained_blocks;
        test->peak_live_bytes = seen->peak_live_bytes;
        test->peak_rss_bytes =
            seen->peak_rss_bytes ? (int64_t)seen->peak_rss_bytes : RESULT_UNMEASURED;
        test->live_bytes = live;
        test->wall_ns = (int64_t)seen->wall_ns;
        result_set(&test->message, seen->message);
        if (seen->file[0]) {
            result_set(&test->file, seen->file);
            test->line = seen->line;
        }
        test_write(session, test);
        session->failed += seen->status != WIRE_PASS && seen->status != WIRE_SKIP;
    }
    int64_t above = seen->peak_live_bytes - session->live_end;
    session->allocs += (double)seen->allocs;
    session->frees += (double)seen->frees;
    session->bytes += (double)seen->bytes;
    session->wall += (double)seen->wall_ns;
    session->test_peak = above > session->test_peak ? above : session->test_peak;
    session->live_peak =
        seen->peak_live_bytes > session->live_peak ? seen->peak_live_bytes : session->live_peak;
    session->retained_max =
        seen->retained_bytes > session->retained_max ? seen->retained_bytes : session->retained_max;
    session->live_end = live;
    live_add(session, live - session->live_start);
}

static void frames_fill(struct session *session, struct result_test *test)
{
    const struct wire_crash *crash = &session->worker.wire->crash;
    size_t count = crash->frame_count < WIRE_CRASH_MAX ? crash->frame_count : WIRE_CRASH_MAX;
    test->frames = memory_new(count + 1, sizeof test->frames[0]);
    for (size_t i = 0; i < count; i++) {
        symbols_frame(session->symbols, crash->frames[i], i == 0, &test->frames[i]);
    }
    test->frame_count = count;
}

static enum result_status death_of(const struct session *session, bool hung)
{
    const struct worker *worker = &session->worker;
    const struct wire_crash *crash = &worker->wire->crash;
    bool killed = WIFSIGNALED(worker->status) && WTERMSIG(worker->status) == SIGKILL;
    if (hung) {
        return RESULT_TIMEOUT;
    }
    if (cap_killed(&worker->cap) || (killed && worker->cap.bytes) ||
        (worker->cap.bytes && atomic_load(&crash->refused))) {
        return RESULT_OOM;
    }
    if (atomic_load(&crash->exited) || WIFEXITED(worker->status)) {
        return RESULT_EXIT;
    }
    return RESULT_CRASH;
}

/* The worker is gone in the middle of a test. */
static enum result_status death_take(struct session *session, uint32_t number, bool hung)
{
    enum result_status status = death_of(session, hung);
    if (session->quiet) {
        return status;
    }
    struct result_test *test = test_add(session, number);
    const struct worker *worker = &session->worker;
    test->status = status;
    test->repetitions = 1;
    uint32_t signal = atomic_load(&worker->wire->crash.signal);
    test->signal = hung                          ? 0
                   : signal                      ? (int)signal
                   : WIFSIGNALED(worker->status) ? WTERMSIG(worker->status)
                                                 : 0;
    char *message = status == RESULT_OOM       ? memory_copy("killed at the memory cap")
                    : status == RESULT_TIMEOUT ? memory_copy("over its time limit, and killed")
                    : status == RESULT_EXIT
                        ? memory_format("the test ended the program: exit %d",
                                        WIFEXITED(worker->status) ? WEXITSTATUS(worker->status) : 0)
                        : memory_format("died of signal %d", test->signal);
    result_set(&test->message, message);
    free(message);
    frames_fill(session, test);
    test_write(session, test);
    session->failed++;
    return status;
}

static void stop(struct session *session, const char *by, uint32_t number)
{
    result_set(&session->stopped_by, by);
    result_set(&session->culprit, number < session->name_count ? session->names[number].id : "");
}

/* What a death means for the variant: true if it goes on behind the test. */
static bool death_goes_on(struct session *session, uint32_t number, enum result_status status)
{
    int64_t held = session->live_end;
    if (status == RESULT_OOM && (double)held > ACCUMULATED * (double)session->worker.cap.bytes) {
        stop(session, "memory", number);
        return false;
    }
    return true;
}

static bool test_run(struct session *session, uint32_t number, enum worker_event *event)
{
    struct wire_command command = {.op = WIRE_OP_RUN,
                                   .test = number,
                                   .depth = session->quiet ? WIRE_TRACE : WIRE_COUNT,
                                   .flags = WIRE_PEAK_RSS,
                                   .repetitions_min = 1,
                                   .repetitions_max = 1};
    session->has_test = session->has_sample = false;
    if (session->options->progress && !session->quiet) {
        session->options->progress(session->options->context, session->variant->name,
                                   session->names[number].id, number, session->name_count);
    }
    worker_command(&session->worker, &command);
    *event = worker_wait(&session->worker, session->plan->timeout_ns);
    if (session->has_test) {
        test_take(session);
    }
    return *event == WORKER_DONE;
}

static bool command_do(struct session *session, uint32_t op, uint32_t test)
{
    struct wire_command command = {.op = op, .test = test, .depth = WIRE_COUNT};
    worker_command(&session->worker, &command);
    return worker_wait(&session->worker, session->plan->timeout_ns) == WORKER_DONE;
}

static void peak_take(struct session *session)
{
    double peak = (double)session->worker.usage.ru_maxrss * 1024;
    session->peak_rss = peak > session->peak_rss && !session->quiet ? peak : session->peak_rss;
}

/* One worker, from test `next` on. Returns the test to go on with, or WIRE_NO_TEST. */
static uint32_t worker_serve(struct session *session, uint32_t next, uint32_t end)
{
    enum worker_event event;
    for (;;) {
        event = worker_wait(&session->worker, session->plan->timeout_ns);
        if (event != WORKER_READY) {
            break;
        }
        if (session->worker.group.count == 0) { /* passive: it goes by itself */
            if (!command_do(session, WIRE_OP_RUN, WIRE_NO_TEST) ||
                !command_do(session, WIRE_OP_FINISH, WIRE_NO_TEST)) {
                break;
            }
            continue;
        }
        uint32_t first = session->worker.group.first;
        uint32_t past = first + session->worker.group.count;
        for (uint32_t test = next > first ? next : first; test < past && test < end; test++) {
            if (!wanted(session, test)) {
                continue;
            }
            if (!test_run(session, test, &event)) {
                session->live_known = false;
                return death_goes_on(session, test, death_take(session, test, event == WORKER_HUNG))
                           ? test + 1
                           : WIRE_NO_TEST;
            }
            next = test + 1;
        }
        if (past >= end && session->quiet) {
            return WIRE_NO_TEST; /* the caller has questions */
        }
        if (!command_do(session, WIRE_OP_FINISH, WIRE_NO_TEST)) {
            break;
        }
    }
    uint32_t test = atomic_load(&session->worker.wire->progress.test);
    if (!session->worker.bye && !session->worker.ended) {
        return WIRE_NO_TEST;
    }
    if (!session->worker.bye && test != WIRE_NO_TEST) {
        death_take(session, test, event == WORKER_HUNG);
        return test + 1;
    }
    return WIRE_NO_TEST;
}

static bool worker_begin(struct session *session)
{
    struct worker_options options = {.preload = session->options->preload,
                                     .memory_cap = session->plan->memory_cap,
                                     .allocator = session->plan->allocator,
                                     .verbose = session->options->verbose};
    symbols_free(&session->symbols);
    session->symbols = symbols_new();
    return worker_start(&session->worker, session->variant, &options);
}

bool session_run(struct session *session)
{
    for (uint32_t next = 0; next != WIRE_NO_TEST;) {
        uint32_t from = next;
        if (!worker_begin(session)) {
            return false;
        }
        next = worker_serve(session, next, WIRE_NO_TEST);
        worker_fini(&session->worker);
        peak_take(session);
        if (next != WIRE_NO_TEST && (next >= session->name_count || next <= from)) {
            break;
        }
    }
    return session->name_count > 0;
}

/* Sites of what the first tests keep: few enough to stay below the cap. */
#define TRACE_TESTS 6
#define TRACE_SITES 5

static int compare_sites(const void *a, const void *b)
{
    const struct session_site *x = a, *y = b;
    return x->bytes < y->bytes ? 1 : x->bytes > y->bytes ? -1 : 0;
}

static void chain_fill(struct session *session, const struct wire_held *held,
                       struct result_site *site)
{
    site->reach = held->root == WIRE_ROOT_NONE ? REACH_UNREACHABLE : REACH_HELD;
    if (held->root == WIRE_ROOT_NONE) {
        return;
    }
    site->held_by = memory_new(held->chain_count + 1u, sizeof site->held_by[0]);
    struct result_link *root = &site->held_by[site->held_by_count++];
    *root = (struct result_link){
        .symbol = memory_copy(""), .field = memory_copy(""), .module = memory_copy("")};
    if (held->root == WIRE_ROOT_GLOBAL) {
        symbols_variable(session->symbols, held->root_address, root);
    } else {
        char *where =
            memory_format("%s of thread %d", held->root == WIRE_ROOT_TLS ? "thread-local" : "stack",
                          held->thread);
        result_set(&root->symbol, where);
        free(where);
    }
    for (uint32_t i = 0; i < held->chain_count; i++) {
        struct result_link *link = &site->held_by[site->held_by_count++];
        struct result_frame frame = {0};
        *link = (struct result_link){.field = memory_copy(""),
                                     .module = memory_copy(""),
                                     .offset = held->chain[i].offset,
                                     .bytes = held->chain[i].bytes};
        for (size_t s = 0; s < session->site_count && !frame.function; s++) {
            if (session->sites[s].number == held->chain[i].site && session->sites[s].frame_count) {
                symbols_frame(session->symbols, session->sites[s].frames[0], false, &frame);
            }
        }
        link->symbol = frame.line ? memory_format("%s:%u", frame.function, frame.line)
                                  : memory_copy(frame.function ? frame.function : "");
        free(frame.function);
        free(frame.file);
        free(frame.module);
    }
}

static void site_fill(struct session *session, const struct session_site *seen, unsigned rank,
                      double whole)
{
    static const char *const kinds[] = {"heap", "mmap", "fd", "thread", "file"};
    struct result_site *site = result_site_add(session->result);
    result_set(&site->variant, session->variant->name);
    result_set(&site->kind, kinds[seen->kind]);
    site->rank = rank;
    site->bytes = seen->bytes;
    site->blocks = seen->blocks;
    site->share = whole > 0 ? (double)seen->bytes / whole : 0;
    site->verdict = VERDICT_ACCUMULATES;
    site->frames = memory_new(seen->frame_count + 1u, sizeof site->frames[0]);
    for (uint32_t i = 0; i < seen->frame_count; i++) {
        symbols_frame(session->symbols, seen->frames[i], false, &site->frames[site->frame_count++]);
    }
    const struct wire_held *best = NULL;
    for (size_t i = 0; i < session->held_count; i++) {
        const struct wire_held *held = &session->held[i];
        if (held->site == seen->number && (!best || held->bytes > best->bytes)) {
            best = held;
        }
    }
    if (best) {
        chain_fill(session, best, site);
    }
    if (session->options->writer) {
        result_write_site(session->options->writer, site);
    }
}

void session_trace(struct session *session)
{
    struct session traced;
    uint32_t tests = (uint32_t)session->live_count;
    session_init(&traced, session->plan, session->variant, session->options, session->result);
    traced.quiet = true;
    if (!worker_begin(&traced)) {
        session_fini(&traced);
        return;
    }
    worker_serve(&traced, 0, tests < TRACE_TESTS ? tests : TRACE_TESTS);
    if (!traced.worker.ended && command_do(&traced, WIRE_OP_SITES, WIRE_NO_TEST)) {
        struct wire_command scan = {.op = WIRE_OP_SCAN, .depth = WIRE_TRACE};
        double whole = 0;
        qsort(traced.sites, traced.site_count, sizeof traced.sites[0], compare_sites);
        for (size_t i = 0; i < traced.site_count; i++) {
            whole += traced.sites[i].kind == WIRE_SITE_HEAP ? (double)traced.sites[i].bytes : 0;
            if (i < TRACE_SITES) {
                scan.sites[scan.site_count++] = traced.sites[i].number;
            }
        }
        worker_command(&traced.worker, &scan);
        worker_wait(&traced.worker, 0);
        for (uint32_t i = 0; i < scan.site_count && traced.sites[i].bytes > 0; i++) {
            site_fill(&traced, &traced.sites[i], i + 1, whole);
        }
    }
    worker_fini(&traced.worker);
    session_fini(&traced);
}
