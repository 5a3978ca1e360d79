/*
 * variant.c - runs the tests of one variant, in as many workers as it takes. Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/campaign/children.h"
#include "harness/campaign/session.h"
#include "harness/plan/shard.h"
#include "harness/result/result_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool session_wants(const struct session *session, uint32_t test)
{
    const char *id = session->names[test].id;
    const struct shard_map *map = session->variant->shard;
    const struct session *earlier = session->earlier;
    for (size_t i = 0; earlier && i < earlier->death_count; i++) {
        if (earlier->deaths[i] == test) {
            return false;
        }
    }
    return plan_takes(session->plan, id) &&
           (!map || shard_map_find(map, id) == session->plan->shard);
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
    if (session_command(session, &command, event) && session_limit_reached(session)) {
        return false;
    }
    bool died = *event == WORKER_GONE || *event == WORKER_HUNG;
    if (session->has_test && !died) { /* a result that came with its death is the death's */
        session_test_take(session);
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
            session_failure_add(session, command.test, session->test.message);
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
        session_test_take(session);
    }
}

/* The tests of a group from place *next on, which comes to be the place to go on with. False: that
 * is in another worker, this one is gone. */
static bool group_run(struct session *session, uint32_t first, uint32_t past, uint32_t end,
                      uint32_t *next)
{
    enum worker_event event;
    uint32_t last, *order = session_order_new(session, first, past, &last);
    last = session->passive ? first : last; /* they have gone by */
    bool here = true;
    for (uint32_t at = *next > first ? *next : first; here && at < last && at < end; at++) {
        uint32_t test = order[at - first];
        if (!session_wants(session, test)) {
            continue;
        }
        *next = at + 1;
        here = test_run(session, test, &event);
        if (!here) {
            enum result_status status = session_death(session, test, event == WORKER_HUNG);
            bool goes_on = session_death_goes_on(session, test, status);
            session->live_known = false;
            *next = goes_on && !session->list ? at + 1 : WIRE_NO_TEST;
        }
    }
    free(order);
    return here;
}

/* What is to be asked behind a group, and its second pass. False: this worker has done its part. */
static bool group_finish(struct session *session, uint32_t first, uint32_t past, uint32_t end)
{
    if (past >= end && session->quiet) {
        return false; /* the caller has questions */
    }
    survivors_ask(session, first, past, &session->once);
    if (session->passive && session->quiet && session->asks_survivors) {
        return false; /* the caller has questions, and ends the worker */
    }
    return !session->twice || group_again(session, first, past);
}

void session_expect(struct session *session)
{
    struct result *result = session->result;
    const struct plan *plan = session->plan;
    struct result_writer *writer = session->options->writer;
    if (session->quiet || !writer || plan->shards || session->counted == session->name_count) {
        return; /* of a shard it is known from the start */
    }
    size_t known = 0;
    for (; session->counted < session->name_count; session->counted++) {
        result->expected += session_wants(session, session->counted);
    }
    /* Variants to come have as many where they are the same program. */
    for (const struct plan_variant *next = session->variant + 1;
         next < plan->variants + plan->variant_count; next++) {
        bool skipped = next->skip && next->skip[0];
        bool same = !skipped && strcmp(next->program, session->variant->program) == 0;
        for (uint32_t i = 0; same && i < session->counted; i++) {
            known += session_wants(session, i);
        }
    }
    result_write_expected(writer, result->expected + known);
}

/* One worker, from place `next` on: a test's number, unless they are in another order. Returns the
 * place to go on with, or WIRE_NO_TEST. */
uint32_t session_serve(struct session *session, uint32_t next, uint32_t end)
{
    enum worker_event event;
    while ((event = worker_wait(&session->worker, session->plan->timeout_ns)) == WORKER_READY) {
        uint32_t first = session->worker.group.first;
        uint32_t past = first + session->worker.group.count;
        if (first == past && !session->passive) { /* it goes by itself */
            session->passive = true;
            if (!passive_begin(session)) {
                break;
            }
            continue;
        }
        session_expect(session);
        if (!group_run(session, first, past, end, &next)) {
            return next;
        }
        if (!group_finish(session, first, past, end)) {
            return WIRE_NO_TEST;
        }
        if (!command_do(session, WIRE_OP_FINISH, WIRE_NO_TEST)) {
            break;
        }
    }
    uint32_t test = worker_test(&session->worker);
    if (!session->worker.bye && session->worker.ended && test != WIRE_NO_TEST) {
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
    bool begun = worker_start(&session->worker, session->variant, &options);
    if (!begun && !session->unstarted) {
        session->unstarted = session_unstarted(session, errno);
    }
    return begun;
}

/* It ended where no test ran: in the program's own code, before, between or after its tests. */
static void between_note(const struct session *session)
{
    char text[UNIT_TEXT_BYTES];
    const struct worker *worker = &session->worker;
    const struct wire_dialogue *dialogue = &worker->dialogue;
    bool between = dialogue->command.op == WIRE_OP_NONE && dialogue->begun == 0;
    if (!between || session->quiet || session->name_count == 0) {
        return;
    }
    if (worker->damage) {
        result_note_add(session->result,
                        "%s wrote over the memory that tidemark shares with it, outside any test: "
                        "%s; its worker was ended",
                        session->variant->program, worker->damage);
    } else if (worker->late_ns) {
        result_note_add(session->result, "%s hung outside any test and was killed after %s",
                        session->variant->program, unit_ns(text, (double)worker->late_ns));
    }
}

static void objects_add(struct session *session, size_t count, const char *first)
{
    if (session->objects == 0) {
        snprintf(session->object, sizeof session->object, "%s", first);
    }
    session->objects += count;
}

void session_over(struct session *session)
{
    if (session->name_count == 0 && session->worker.ended && !session->unstarted) {
        session->unstarted = session_unstarted(session, 0);
    }
    between_note(session);
    worker_fini(&session->worker);
    double peak = (double)session->worker.usage.ru_maxrss * 1024;
    if (!session->quiet) {
        session->peak_rss = peak > session->peak_rss ? peak : session->peak_rss;
    }
    session->strays += session->worker.strays;
    objects_add(session, session->worker.objects, session->worker.object);
}

void session_strays_note(const struct session *session)
{
    children_note(session);
    if (session->objects > 0) {
        result_note_add(session->result,
                        "%zu object%s of the system that the repetitions of %s left %s removed; "
                        "the first was %s",
                        session->objects, session->objects == 1 ? "" : "s",
                        session->variant->program, session->objects == 1 ? "was" : "were",
                        session->object);
    }
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
