/*
 * variant.c - runs the tests of one variant, in as many workers as it takes. Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/campaign/children.h"
#include "harness/campaign/phase.h"
#include "harness/campaign/session.h"
#include "harness/plan/shard.h"
#include "harness/result/result_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool session_wants(const struct session *session, uint32_t test)
{
    const char *id = session->seen.tests[test].id;
    const struct shard_map *map = session->variant->shard;
    if (session->earlier && session_death_in(session->earlier, test)) {
        return false;
    }
    return plan_takes(session->plan, id) &&
           (!map || shard_map_find(map, id) == session->plan->shard);
}

#define SETTLE_TEST_NS 100000000.0 /* most that is waited for the threads of a test ... */
#define SETTLE_PASS_NS 600000000.0 /* ... and for those of all tests of a pass */

/* With a log, what threads give back late is not held against a test. */
static uint64_t settle_ns(const struct session *session)
{
    double left = SETTLE_PASS_NS - session->settled_ns;
    return !session->log || left <= 0 ? 0
                                      : (uint64_t)(left < SETTLE_TEST_NS ? left : SETTLE_TEST_NS);
}

/* One call of a test, with what is asked of it: `answer` is what it came to. Returns false when the
 * worker is gone, or has come to its limit of memory. */
static bool test_run(struct session *session, uint32_t number, struct answer *answer)
{
    bool births = session->plan->births && session->kind == SESSION_MEASURED;
    bool traced = session->kind == SESSION_TRACED;
    bool shown = session->kind == SESSION_MEASURED || session->reports || session->memcheck;
    struct wire_command command = {
        .op = WIRE_OP_RUN,
        .test = number,
        .depth = traced || births ? WIRE_TRACE : WIRE_COUNT,
        .flags = (shown ? WIRE_PEAK_RSS : 0) | (births ? WIRE_BIRTHS : 0) |
                 (session->forked ? WIRE_FORKED : 0) | (session->log ? WIRE_WATCH : 0) |
                 (session->shuffle ? WIRE_NO_QUEUED | WIRE_NO_KERNEL | WIRE_NO_RETAINED : 0),
        .settle_ns = settle_ns(session),
        .repetitions = 1};
    phase_test(session, number, session->served++);
    *answer = session_ask(session, &command);
    if (answer->event == WORKER_DONE && session_limit_reached(session)) {
        return false;
    }
    bool died = answer->event == WORKER_GONE || answer->event == WORKER_HUNG;
    if (answer->ran && !died) { /* a result that came with its death is the death's */
        session_test_take(session, answer);
    }
    if (session->log && answer->ran && !died) {
        pass_log_boundary(session->log, number, &session->seen);
        double call_ns = answer_cost_ns(answer);
        pass_log_call(session->log, call_ns, answer->test.retained_blocks > 0);
        session->cost_ns += call_ns;
        session->settled_ns += (double)answer->test.settled_ns;
    }
    if (births && answer->event == WORKER_DONE) {
        session_births(session, number);
    }
    return answer->event == WORKER_DONE;
}

struct answer session_ask(struct session *session, const struct wire_command *command)
{
    uint64_t limit = session->plan->timeout_ns;
    if (session->limit_ns && (limit == 0 || session->limit_ns < limit)) {
        limit = session->limit_ns;
    }
    session->seen.round++;
    session->scanned.site_count = command->op == WIRE_OP_SCAN ? command->site_count : 0;
    session->link.worker.tick = phase_tick;
    session->link.worker.tick_context = session;
    return link_ask(&session->link, command, limit);
}

bool session_tell(struct session *session, uint32_t op)
{
    const struct wire_command command = {.op = op, .test = WIRE_NO_TEST, .depth = WIRE_COUNT};
    return session_ask(session, &command).event == WORKER_DONE;
}

/* The second pass, in the same order. Returns false when the worker is gone. */
static bool group_again(struct session *session, uint32_t first, uint32_t past)
{
    uint32_t last, *order = session_order_new(session, first, past, &last);
    struct answer answer = {.event = WORKER_DONE};
    struct wire_command command = {.op = WIRE_OP_RUN,
                                   .depth =
                                       session->kind == SESSION_TRACED ? WIRE_TRACE : WIRE_COUNT,
                                   .flags = WIRE_NO_RETAINED | (session->log ? WIRE_WATCH : 0),
                                   .repetitions = 1};
    int64_t before = session->live_end, after = before;
    session->served = 0;
    phase_begin(session, "second pass in the same process");
    for (uint32_t at = first; at < last && answer.event == WORKER_DONE; at++) {
        command.test = order[at - first];
        command.settle_ns = settle_ns(session);
        if (!session_wants(session, command.test)) {
            continue;
        }
        phase_test(session, command.test, session->served++);
        answer = session_ask(session, &command);
        if (answer.event != WORKER_DONE || !answer.ran) {
            break;
        }
        after = answer.sample_count ? answer.samples[answer.sample_count - 1].live_bytes : after;
        if (session->log) {
            pass_log_boundary(session->log, command.test, &session->seen);
            pass_log_call(session->log, answer_cost_ns(&answer), false);
            session->settled_ns += (double)answer.test.settled_ns;
        }
        if (answer.test.status != WIRE_PASS && answer.test.status != WIRE_SKIP) {
            session_failure_add(session, command.test, answer.test.message);
        }
    }
    free(order);
    session->again_done = answer.event == WORKER_DONE;
    if (session->again_done) {
        session->again_live += after - before;
        session->live_end = after;
    }
    return session->again_done;
}

static bool passive_begin(struct session *session)
{
    struct wire_command run = {.op = WIRE_OP_RUN,
                               .test = WIRE_NO_TEST,
                               .depth = session->kind == SESSION_TRACED ? WIRE_TRACE : WIRE_COUNT,
                               .repetitions = session->passes};
    return session_ask(session, &run).event == WORKER_DONE && session_tell(session, WIRE_OP_FINISH);
}

void session_passive_take(struct session *session)
{
    const struct link *link = &session->link;
    if (link->answer.test.repetitions <= 1 || session->kind != SESSION_MEASURED) {
        struct answer answer = link->answer;
        answer.samples = link->samples;
        answer.sample_count = link->sample_count;
        session_test_take(session, &answer);
    }
}

/* The tests of a group from place *next on, which comes to be the place to go on with. Returns
 * false when that is in another worker, because this one is gone. */
static bool group_run(struct session *session, uint32_t first, uint32_t past, uint32_t end,
                      uint32_t *next)
{
    uint32_t last, *order = session_order_new(session, first, past, &last);
    last = session->passive ? first : last; /* they have gone by */
    bool here = true;
    for (uint32_t at = *next > first ? *next : first; here && at < last && at < end; at++) {
        struct answer answer;
        uint32_t test = order[at - first];
        if (!session_wants(session, test)) {
            continue;
        }
        *next = at + 1;
        here = test_run(session, test, &answer);
        if (!here) {
            bool hung = answer.event == WORKER_HUNG;
            enum result_status status = session->died ? session->died(session, test, hung)
                                                      : session_death(session, test, hung);
            bool goes_on = session_death_goes_on(session, test, status);
            session->live_known = false;
            *next = goes_on && !session->list ? at + 1 : WIRE_NO_TEST;
        }
    }
    free(order);
    return here;
}

/* What is to be asked after a group, and its second pass. Returns false when this worker has done
 * its part. */
static bool group_finish(struct session *session, uint32_t first, uint32_t past, uint32_t end)
{
    if (past >= end && session->kind != SESSION_MEASURED) {
        return false; /* the caller has questions */
    }
    if (session->asks_survivors) {
        session->seen.survivor_count = 0; /* it tells of all that is alive */
        session_sites(session);
        session_tell(session, WIRE_OP_SURVIVORS);
        if (session->passive) {
            return false; /* the caller has questions, and ends the worker */
        }
    }
    if (session->log && session->log->first_pass == 0) {
        session->log->first_pass = session->log->count;
    }
    if (session->twice && session->cost_ns > session->twice_most_ns) {
        session->twice = session->again_done = false; /* it costs too much */
    }
    return !session->twice || group_again(session, first, past);
}

void session_expect(struct session *session)
{
    struct result *result = session->result;
    const struct plan *plan = session->plan;
    struct result_writer *writer = session->options->writer;
    bool reports = session->kind == SESSION_MEASURED || session->reports;
    if (!reports || !writer || plan->shards || session->counted >= session->seen.test_count) {
        return; /* of a shard it is known from the start */
    }
    size_t known = 0;
    for (; session->counted < session->seen.test_count; session->counted++) {
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
    while ((event = link_wait(&session->link, session->plan->timeout_ns)) == WORKER_READY) {
        uint32_t first = session->link.worker.group.first;
        uint32_t past = first + session->link.worker.group.count;
        if (first == past && !session->passive) { /* it goes by itself */
            session->passive = true;
            if (session->reports) { /* another campaign */
                return WIRE_NO_TEST;
            }
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
        if (!session_tell(session, WIRE_OP_FINISH)) {
            break;
        }
    }
    const struct worker *worker = &session->link.worker;
    uint32_t test = worker_test(worker);
    if (!worker->bye && worker->ended && test != WIRE_NO_TEST) {
        session_death(session, test, event == WORKER_HUNG);
        return test + 1;
    }
    return WIRE_NO_TEST;
}

bool session_begin(struct session *session)
{
    struct worker_options options = {.preload = session->options->preload,
                                     .memory_cap = session->plan->memory_cap,
                                     .memory_guard = session->plan->memory_guard,
                                     .allocator = session->plan->allocator,
                                     .verbose = session->options->verbose,
                                     .forks = session->forks,
                                     .memcheck = session->memcheck};
    session->passive = false;
    observed_worker_begins(&session->seen);
    session->worker_live = session->live_count;
    bool begun = link_start(&session->link, session->variant, &options);
    if (!begun && !session->unstarted) {
        session->unstarted = session_unstarted(session, errno);
    }
    return begun;
}

/* It ended where no test ran: in the program's own code, before, between or after its tests. */
static void between_note(const struct session *session)
{
    char text[UNIT_TEXT_BYTES];
    const struct worker *worker = &session->link.worker;
    const struct wire_dialogue *dialogue = &worker->dialogue;
    bool between = dialogue->command.op == WIRE_OP_NONE && dialogue->begun == 0;
    if (!between || session->kind != SESSION_MEASURED || session->seen.test_count == 0) {
        return;
    }
    if (worker->damage) {
        result_note_add(session->result,
                        "%s wrote over the memory that tidemark shares with it, outside any test: "
                        "%s; its worker was ended",
                        session->variant->program, worker->damage);
    } else if (worker->guard.found) {
        result_note_add(session->result,
                        "%s had %s of memory outside any test, more than three quarters of what "
                        "was free, and was ended; --memory sets another limit",
                        session->variant->program, unit_bytes(text, (double)worker->guard.found));
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
    if (session->seen.test_count == 0 && session->link.worker.ended && !session->unstarted) {
        session->unstarted = session_unstarted(session, 0);
    }
    between_note(session);
    worker_fini(&session->link.worker);
    double peak = (double)session->link.worker.usage.ru_maxrss * 1024;
    if (session->kind == SESSION_MEASURED || session->reports) {
        session->peak_rss = peak > session->peak_rss ? peak : session->peak_rss;
    }
    session->strays += session->link.worker.strays;
    objects_add(session, session->link.worker.objects, session->link.worker.object);
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
        if (next != WIRE_NO_TEST && (next >= session->seen.test_count || next <= from)) {
            break;
        }
    }
    return session->seen.test_count > 0;
}
