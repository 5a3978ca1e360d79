/*
 * variant.c - runs the tests of one variant, in as many workers as it takes. Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/plan/shard.h"
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

bool session_wants(const struct session *session, uint32_t test)
{
    const char *only = session->plan->only, *id = session->names[test].id;
    const struct shard_map *map = session->variant->shard;
    const struct session *earlier = session->earlier;
    for (size_t i = 0; earlier && i < earlier->death_count; i++) {
        if (earlier->deaths[i] == test) {
            return false;
        }
    }
    return (!only || !only[0] || fnmatch(only, id, 0) == 0) &&
           (!map || shard_map_find(map, id) == session->plan->shard);
}

void session_test_write(struct session *session, const struct result_test *test)
{
    if (session->options->writer) {
        result_write_test(session->options->writer, test);
    }
}

struct result_test *session_test_add(struct session *session, uint32_t number)
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

struct result_test *session_result(const struct session *session, uint32_t number)
{
    const char *id = number < session->name_count ? session->names[number].id : "";
    size_t count = session->result->test_count;
    for (size_t i = 0; i < count; i++) { /* usually they are in the order of their numbers */
        struct result_test *seen = &session->result->tests[(number + i) % count];
        if (strcmp(seen->id, id) == 0 && strcmp(seen->variant, session->variant->name) == 0) {
            return seen;
        }
    }
    return NULL;
}

void session_live_add(struct session *session, uint32_t test, int64_t live)
{
    memory_grow(&session->live, &session->live_room, session->live_count + 1,
                sizeof session->live[0]);
    memory_grow(&session->live_tests, &session->live_tests_room, session->live_count + 1,
                sizeof session->live_tests[0]);
    session->live_tests[session->live_count] = test;
    session->live[session->live_count++] = live;
}

void session_test_fill(const struct session *session, struct result_test *test)
{
    const struct wire_test *seen = &session->test;
    test->status = (enum result_status)seen->status;
    test->signal = seen->signal;
    test->repetitions = seen->repetitions;
    test->allocs = (int64_t)seen->allocs;
    test->frees = (int64_t)seen->frees;
    test->bytes = (int64_t)seen->bytes;
    test->retained_bytes = seen->retained_bytes;
    test->retained_blocks = seen->retained_blocks;
    test->peak_live_bytes = seen->peak_live_bytes;
    test->peak_rss_bytes = seen->peak_rss_bytes ? (int64_t)seen->peak_rss_bytes : RESULT_UNMEASURED;
    test->live_bytes = session->has_sample ? session->sample.live_bytes : 0;
    test->wall_ns = (int64_t)seen->wall_ns;
    result_set(&test->message, seen->message);
    if (seen->file[0]) {
        result_set(&test->file, seen->file);
        test->line = seen->line;
    }
}

/* It failed in a quiet session: what ran before it in its process may be why. */
static void failure_add(struct session *session, uint32_t test, const char *message)
{
    memory_grow(&session->failures, &session->failure_room, session->failure_count + 1,
                sizeof session->failures[0]);
    session->failures[session->failure_count++] =
        (struct session_failure){.test = test,
                                 .from = session->worker_live,
                                 .to = session->live_count,
                                 .message = memory_copy(message)};
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
        struct result_test *test = session_test_add(session, seen->test);
        session_test_fill(session, test);
        session_test_write(session, test);
        session->failed += seen->status != WIRE_PASS && seen->status != WIRE_SKIP;
    } else if (seen->status != WIRE_PASS && seen->status != WIRE_SKIP) {
        failure_add(session, seen->test, seen->message);
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
    session_live_add(session, seen->test, live - session->live_start);
}

static void frames_fill(struct session *session, struct result_test *test)
{
    const struct wire_crash *crash = &session->worker.wire->crash;
    size_t count = crash->frame_count < WIRE_CRASH_MAX ? crash->frame_count : WIRE_CRASH_MAX;
    for (size_t i = 0; i < count; i++) {
        bool top = i == 0 && atomic_load(&crash->signal) != 0; /* our own fault would be seen */
        if (top || !symbols_own(session->symbols, crash->frames[i] - 1)) {
            symbols_stack(session->symbols, crash->frames[i], top, &test->frames,
                          &test->frame_count);
        }
    }
}

#define REFUSED_MOST 16 /* times the cap: more would have been refused anyway */

enum result_status session_dying(const struct session *session, bool hung)
{
    const struct worker *worker = &session->worker;
    const struct wire_crash *crash = &worker->wire->crash;
    bool killed = WIFSIGNALED(worker->status) && WTERMSIG(worker->status) == SIGKILL;
    if (hung) {
        return RESULT_TIMEOUT;
    }
    /* A group that counts its kills is believed, and one that does not has killed whoever was
     * killed. A limit does not kill: it refuses, and few programs live with that. */
    bool counts, over = cap_killed(&worker->cap, &counts);
    uint64_t refused = atomic_load(&crash->refused);
    if (worker->cap.folder[0]) {
        over = over || (killed && !counts);
    } else {
        over = refused && refused / REFUSED_MOST < worker->cap.bytes;
    }
    if (over) {
        return RESULT_OOM;
    }
    if (atomic_load(&crash->exited) || WIFEXITED(worker->status)) {
        return RESULT_EXIT;
    }
    return RESULT_CRASH;
}

static char *death_message(const struct session *session, enum result_status status)
{
    char text[UNIT_TEXT_BYTES];
    const struct worker *worker = &session->worker;
    const struct wire_crash *crash = &worker->wire->crash;
    bool killed = WIFSIGNALED(worker->status) && WTERMSIG(worker->status) == SIGKILL;
    uint64_t refused = atomic_load(&crash->refused);
    switch (status) {
    case RESULT_OOM:
        return killed || !refused ? memory_copy("killed")
                                  : memory_format("refused an allocation of %s",
                                                  unit_bytes(text, (double)refused));
    case RESULT_TIMEOUT:
        return session->plan->timeout_ns
                   ? memory_format("killed after %s",
                                   unit_ns(text, (double)session->plan->timeout_ns))
                   : memory_copy("killed");
    case RESULT_EXIT:
        return memory_format(
            "exit status %d%s", WIFEXITED(worker->status) ? WEXITSTATUS(worker->status) : 0,
            atomic_load(&crash->exited) ? "" : ", by a system call or as another program");
    default:
        return memory_copy("");
    }
}

/* The worker is gone in the middle of a test. */
enum result_status session_death(struct session *session, uint32_t number, bool hung)
{
    enum result_status status = session_dying(session, hung);
    memory_grow(&session->deaths, &session->death_room, session->death_count + 1,
                sizeof session->deaths[0]);
    session->deaths[session->death_count++] = number;
    if (session->quiet) {
        failure_add(session, number, result_status_name(status));
        return status;
    }
    struct result_test *test = session_test_add(session, number);
    const struct worker *worker = &session->worker;
    test->status = status;
    test->repetitions = 1;
    uint32_t signal = atomic_load(&worker->wire->crash.signal);
    test->signal = hung                          ? 0
                   : signal                      ? (int)signal
                   : WIFSIGNALED(worker->status) ? WTERMSIG(worker->status)
                                                 : 0;
    char *message = death_message(session, status);
    result_set(&test->message, message);
    free(message);
    frames_fill(session, test);
    session_test_write(session, test);
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

/* A group would have killed here. A limit refuses, and a cache that lives with that looks as if it
 * had levelled off: the test ends as if it had been killed, and so does its worker. */
static bool limit_reached(const struct session *session)
{
    const struct cap *cap = &session->worker.cap;
    uint64_t refused = atomic_load(&session->worker.wire->crash.refused);
    return cap->bytes > 0 && !cap->folder[0] && refused > 0 &&
           refused / REFUSED_MOST < cap->bytes &&
           (double)session->live_end > ACCUMULATED * (double)cap->bytes;
}

static bool test_run(struct session *session, uint32_t number, enum worker_event *event)
{
    bool births = session->plan->births && !session->quiet;
    struct wire_command command = {
        .op = WIRE_OP_RUN,
        .test = number,
        .depth = (session->quiet && !session->light) || births ? WIRE_TRACE : WIRE_COUNT,
        .flags = WIRE_PEAK_RSS | (births ? WIRE_BIRTHS : 0) | (session->forked ? WIRE_FORKED : 0),
        .repetitions_min = 1,
        .repetitions_max = 1};
    if (session->options->progress && (!session->quiet || session->memcheck)) {
        session->options->progress(session->options->context, session->variant->name,
                                   session->names[number].id, number, session->name_count);
    }
    if (session_command(session, &command, event) && limit_reached(session)) {
        return false;
    }
    bool died = *event == WORKER_GONE || *event == WORKER_HUNG;
    if (session->has_test && !died) { /* a result that came with its death is the death's */
        test_take(session);
    }
    if (births && *event == WORKER_DONE) {
        session_births(session, number);
    }
    return *event == WORKER_DONE;
}

bool session_command(struct session *session, const struct wire_command *command,
                     enum worker_event *event)
{
    session->has_test = session->has_sample = false;
    session->vector_count = 0;
    worker_command(&session->worker, command);
    uint64_t limit = session->plan->timeout_ns;
    if (session->limit_ns && (limit == 0 || session->limit_ns < limit)) {
        limit = session->limit_ns;
    }
    *event = worker_wait(&session->worker, limit);
    return *event == WORKER_DONE;
}

static bool command_do(struct session *session, uint32_t op, uint32_t test)
{
    enum worker_event event;
    return session_command(
        session, &(struct wire_command){.op = op, .test = test, .depth = WIRE_COUNT}, &event);
}

/* What of the group's tests is alive, added to `kept`. */
static void survivors_ask(struct session *session, uint32_t first, uint32_t past,
                          struct session_survivors *kept)
{
    if (!session->asks_survivors) {
        return;
    }
    session->survivor_count = 0; /* it tells of all that is alive */
    session_sites(session);
    command_do(session, WIRE_OP_SURVIVORS, WIRE_NO_TEST);
    for (size_t i = 0; i < session->survivor_count; i++) {
        const struct wire_survivor *seen = &session->survivors[i];
        if (seen->birth >= first && seen->birth < past) {
            memory_grow(&kept->at, &kept->room, kept->count + 1, sizeof kept->at[0]);
            kept->at[kept->count++] = *seen;
        }
    }
}

/* The second pass, in the same order. False: the worker is gone. */
static bool group_again(struct session *session, uint32_t first, uint32_t past)
{
    uint32_t last, *order = session_order_new(session, first, past, &last);
    enum worker_event event = WORKER_DONE;
    struct wire_command command = {.op = WIRE_OP_RUN,
                                   .depth = session->light ? WIRE_COUNT : WIRE_TRACE,
                                   .repetitions_min = 1,
                                   .repetitions_max = 1};
    int64_t before = session->live_end, after = before;
    for (uint32_t at = first; at < last && event == WORKER_DONE; at++) {
        command.test = order[at - first];
        if (!session_wants(session, command.test) || !session_command(session, &command, &event)) {
            continue;
        }
        after = session->has_sample ? session->sample.live_bytes : after;
        if (session->test.status != WIRE_PASS && session->test.status != WIRE_SKIP) {
            failure_add(session, command.test, session->test.message);
        }
    }
    free(order);
    session->again_done = event == WORKER_DONE;
    if (session->again_done) {
        session->again_live += after - before;
        session->live_end = after;
        survivors_ask(session, first, past, &session->again);
    }
    return session->again_done;
}

static bool passive_begin(struct session *session)
{
    enum worker_event event;
    struct wire_command run = {.op = WIRE_OP_RUN,
                               .test = WIRE_NO_TEST,
                               .depth = session->quiet && !session->light ? WIRE_TRACE : WIRE_COUNT,
                               .repetitions_min = session->passes};
    return session_command(session, &run, &event) &&
           command_do(session, WIRE_OP_FINISH, WIRE_NO_TEST);
}

void session_passive_take(struct session *session)
{
    if (session->test.repetitions <= 1 || session->quiet) {
        test_take(session);
    }
}

/* One worker, from place `next` on: a test's number, unless they are in another order. Returns the
 * place to go on with, or WIRE_NO_TEST. */
uint32_t session_serve(struct session *session, uint32_t next, uint32_t end)
{
    enum worker_event event;
    for (;;) {
        event = worker_wait(&session->worker, session->plan->timeout_ns);
        if (event != WORKER_READY) {
            break;
        }
        if (session->worker.group.count == 0 && !session->passive) { /* it goes by itself */
            session->passive = true;
            if (!passive_begin(session)) {
                break;
            }
            continue;
        }
        uint32_t first = session->worker.group.first;
        uint32_t past = first + session->worker.group.count;
        uint32_t last, *order = session_order_new(session, first, past, &last);
        last = session->passive ? first : last; /* they have gone by */
        for (uint32_t at = next > first ? next : first; at < last && at < end; at++) {
            uint32_t test = order[at - first];
            if (!session_wants(session, test)) {
                continue;
            }
            if (!test_run(session, test, &event)) {
                bool goes_on = death_goes_on(session, test,
                                             session_death(session, test, event == WORKER_HUNG));
                session->live_known = false;
                free(order);
                return goes_on && !session->list ? at + 1 : WIRE_NO_TEST;
            }
            next = at + 1;
        }
        free(order);
        if (past >= end && session->quiet) {
            return WIRE_NO_TEST; /* the caller has questions */
        }
        survivors_ask(session, first, past, &session->once);
        if (session->passive && session->quiet && session->asks_survivors) {
            return WIRE_NO_TEST; /* the caller has questions, and ends the worker */
        }
        if (session->twice && !group_again(session, first, past)) {
            return WIRE_NO_TEST;
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
        session_death(session, test, event == WORKER_HUNG);
        return test + 1;
    }
    return WIRE_NO_TEST;
}

bool session_begin(struct session *session)
{
    struct worker_options options = {.preload = session->options->preload,
                                     .memory_cap = session->plan->memory_cap,
                                     .allocator = session->plan->allocator,
                                     .verbose = session->options->verbose,
                                     .forks = session->forks,
                                     .memcheck = session->memcheck};
    session->passive = false;
    symbols_free(&session->symbols);
    session->symbols = symbols_new();
    session->site_count = session->once.count = session->again.count = 0; /* numbers of its own */
    session->worker_live = session->live_count;
    return worker_start(&session->worker, session->variant, &options);
}

void session_over(struct session *session)
{
    worker_fini(&session->worker);
    double peak = (double)session->worker.usage.ru_maxrss * 1024;
    if (!session->quiet) {
        session->peak_rss = peak > session->peak_rss ? peak : session->peak_rss;
    }
    session->strays += session->worker.strays;
}

void session_strays_note(const struct session *session)
{
    if (session->strays > 0) {
        result_note_add(session->result, "%zu process%s of %s outlived the tests, and %s killed",
                        session->strays, session->strays == 1 ? "" : "es",
                        session->variant->program, session->strays == 1 ? "was" : "were");
    }
}

bool session_run(struct session *session)
{
    for (uint32_t next = 0; next != WIRE_NO_TEST;) {
        uint32_t from = next;
        if (!session_begin(session)) {
            return false;
        }
        next = session_serve(session, next, WIRE_NO_TEST);
        session_over(session);
        if (next != WIRE_NO_TEST && (next >= session->name_count || next <= from)) {
            break;
        }
    }
    return session->name_count > 0;
}
