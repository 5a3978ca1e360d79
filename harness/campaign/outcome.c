/* outcome.c - results of tests from what the worker said of them, and what they add to the pass.
 * Supervisor only. */
#include "harness/base/memory.h"
#include "harness/campaign/children.h"
#include "harness/campaign/heap_finding.h"
#include "harness/campaign/session.h"
#include "harness/result/result_write.h"

#include <assert.h>
#include <string.h>

void session_test_write(struct session *session, struct result_test *test)
{
    children_judge(test);
    if (session->options->writer) {
        result_write_test(session->options->writer, test);
    }
}

/* A hunt that is killed before the test is judged has this of it. */
static void once_write(struct session *session, struct result_test *test)
{
    children_judge(test);
    if (session->options->writer) {
        result_write_once(session->options->writer, test);
    }
}

/* The pass of a scenario is over for this test, and behind its boundary the worker ended: the
 * result that it has was not all of it. Else NULL. */
static struct result_test *result_before_end(struct session *session, uint32_t number)
{
    const struct result *result = session->result;
    size_t ended = session->live_count;
    if (ended == 0 || session->live_tests[ended - 1] != number || result->test_count == 0 ||
        number >= session->seen.test_count) {
        return NULL;
    }
    struct result_test *last = &result->tests[result->test_count - 1];
    bool same = strcmp(last->id, session->seen.tests[number].id) == 0 &&
                strcmp(last->variant, session->variant->name) == 0;
    if (!same) {
        return NULL;
    }
    session->tests--;
    session->failed -= last->status != RESULT_PASS && last->status != RESULT_SKIP;
    return last;
}

struct result_test *session_test_add(struct session *session, uint32_t number)
{
    struct result_test *test =
        session->plan->hunt ? session_result(session, number) : result_before_end(session, number);
    if (test) {
        result_test_fini(test);
        result_test_start(test);
    } else {
        test = result_test_add(session->result);
    }
    bool known = number < session->seen.test_count;
    result_set(&test->id, known ? session->seen.tests[number].id : "(outside any test)");
    result_set(&test->variant, session->variant->name);
    result_set(&test->file, known ? session->seen.tests[number].file : "");
    test->line = known ? session->seen.tests[number].line : 0;
    session->tests++;
    return test;
}

struct result_test *session_result(const struct session *session, uint32_t number)
{
    const char *id = number < session->seen.test_count ? session->seen.tests[number].id : "";
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

void session_test_fill(struct session *session, struct result_test *test,
                       const struct wire_test *seen, int64_t live)
{
    static_assert((int)WIRE_PASS == RESULT_PASS && (int)WIRE_SKIP == RESULT_SKIP,
                  "statuses on the wire are those of the result");
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
    test->live_bytes = live;
    test->wall_ns = (int64_t)seen->wall_ns;
    result_set(&test->message, seen->message);
    if (seen->file[0]) {
        result_set(&test->file, seen->file);
        test->line = seen->line;
    }
    heap_finding_fill(session, test);
    children_fill(session, test);
    children_killed(session, test);
}

/* It failed where nothing is measured: what ran before it in its process may be why. */
void session_failure_add(struct session *session, uint32_t test, const char *message)
{
    if (heap_finding_fail(session, test, message)) {
        return; /* by itself, not by what ran before it */
    }
    memory_grow(&session->failures, &session->failure_room, session->failure_count + 1,
                sizeof session->failures[0]);
    session->failures[session->failure_count++] =
        (struct session_failure){.test = test,
                                 .from = session->worker_live,
                                 .to = session->live_count,
                                 .message = memory_copy(message)};
}

void session_test_take(struct session *session, const struct answer *answer)
{
    const struct wire_test *seen = &answer->test;
    int64_t live = answer->sample_count ? answer->samples[answer->sample_count - 1].live_bytes : 0;
    if (!session->live_known) {
        session->live_start = live - seen->retained_bytes;
        session->live_end = session->live_start;
        session->live_known = true;
    }
    if (session->kind == SESSION_MEASURED || session->reports) {
        struct result_test *test = session_test_add(session, seen->test);
        session_test_fill(session, test, seen, live);
        if (session->reports) {
            result_set(&test->horizon, "run once, and not judged yet");
            once_write(session, test);
        } else {
            session_test_write(session, test);
        }
        session->failed += seen->status != WIRE_PASS && seen->status != WIRE_SKIP;
    }
    if (session->kind != SESSION_MEASURED && seen->status != WIRE_PASS &&
        seen->status != WIRE_SKIP) {
        session_failure_add(session, seen->test, seen->message);
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
