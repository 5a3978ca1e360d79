/* passive.c - see passive.h. */
#include "harness/boundary/passive.h"

#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/children_outcome.h"
#include "harness/boundary/crash.h"
#include "harness/boundary/heap_outcome.h"
#include "harness/boundary/memcheck.h"
#include "harness/boundary/restore.h"
#include "harness/ledger/child_loss.h"
#include "harness/meter/meter.h"

#include <stdio.h>
#include <string.h>

struct passive_test {
    const char *id; /* as the program says it, before it was made unique */
    uint32_t repetitions;
};

enum { TESTS_PER_CHUNK = 1024, CHUNKS = 1024 };

static struct passive_test *chunks[CHUNKS];
static uint32_t test_count;
static uint32_t position; /* in this pass: tests usually come in the same order again */
static uint32_t running = WIRE_NO_TEST;
static uint32_t expected = WIRE_NO_TEST; /* as running, from a little before it begins */
static uint32_t passes = 1;

static struct passive_test *test_at(uint32_t index)
{
    struct passive_test **chunk = &chunks[index / TESTS_PER_CHUNK % CHUNKS];
    if (*chunk == NULL) {
        *chunk = arena_get(TESTS_PER_CHUNK * sizeof **chunk);
    }
    return &(*chunk)[index % TESTS_PER_CHUNK];
}

void passive_greet(const char *framework)
{
    static struct wire_command command;
    serve_hello(framework, boundary_way);
    restore_save();
    serve_passive_ready(0, 0, &command);
    passes = command.repetitions > 1 ? command.repetitions : 1;
}

uint32_t passive_passes(void)
{
    return passes;
}

void passive_pass_begin(void)
{
    position = 0;
}

static void name_put(uint32_t index, const char *id)
{
    static struct wire_test_name name;
    WIRE_INIT(&name, WIRE_TEST_NAME);
    name.test = index;
    name.group = 0; /* all in one process, as they come */
    name.flags = WIRE_TEST_PASSIVE;
    serve_id_set(&name, id);
    wire_put(boundary_wire, &name);
    wire_flush(boundary_wire);
}

/* The index of `id` as the next test: where it stood in the last pass, else anywhere after, else
 * new. The same id twice in one pass is two tests. */
static uint32_t index_of(const char *id)
{
    for (uint32_t i = position; i < test_count; i++) {
        if (test_at(i)->id != NULL && strcmp(test_at(i)->id, id) == 0) {
            return i;
        }
    }
    return test_count;
}

static void test_named(uint32_t index, const char *id)
{
    struct passive_test *test = test_at(index);
    if (test->id == NULL) {
        test->id = arena_dup(id);
        name_put(index, id);
    }
    test_count = index >= test_count ? index + 1 : test_count;
}

void passive_expect(void)
{
    expected = position;
    ledger_peak_reset();
    ledger_birth_set(position);
}

void passive_cancel(void)
{
    running = expected = WIRE_NO_TEST;
    ledger_birth_set(WIRE_NO_TEST);
    atomic_store(&boundary_wire->progress.test, WIRE_NO_TEST);
    atomic_store(&boundary_wire->progress.started_ns, 0);
}

uint32_t passive_test(void)
{
    return running != WIRE_NO_TEST ? running : expected;
}

void passive_begin(const char *id)
{
    uint32_t index = id != NULL ? index_of(id) : position;
    if (id != NULL) {
        test_named(index, id);
        ledger_peak_reset();
        ledger_birth_set(index);
    }
    running = index;
    memcheck_test_begins(index);
    crash_arm();
    atomic_store(&boundary_wire->crash.refused, 0);
    atomic_store(&boundary_wire->progress.repetition, test_at(index)->repetitions);
    atomic_store(&boundary_wire->progress.test, index);
    atomic_store(&boundary_wire->progress.started_ns, meter_now_ns());
}

void passive_mark_now(struct passive_mark *mark)
{
    child_loss_book();
    ledger_totals_get(&mark->totals);
    mark->ns = meter_now_ns();
}

static void sample_put(uint32_t index, const struct passive_mark *begin,
                       const struct passive_mark *end, const struct outcome *outcome)
{
    struct wire_sample sample;
    serve_sample_start(&sample, &end->totals, false);
    sample.test = index;
    sample.repetition = test_at(index)->repetitions;
    sample.status = outcome->status;
    sample.wall_ns = end->ns - begin->ns;
    wire_put(boundary_wire, &sample);
}

static void result_put(uint32_t index, const struct passive_mark *begin,
                       const struct passive_mark *end, const struct outcome *outcome)
{
    static struct wire_test result;
    WIRE_INIT(&result, WIRE_TEST);
    result.test = index;
    result.status = outcome->status;
    result.repetitions = test_at(index)->repetitions;
    result.allocs = end->totals.allocs - begin->totals.allocs;
    result.frees = end->totals.frees - begin->totals.frees;
    result.bytes = end->totals.bytes - begin->totals.bytes;
    result.retained_blocks = end->totals.live_blocks - begin->totals.live_blocks;
    result.retained_bytes = end->totals.live_bytes - begin->totals.live_bytes;
    result.peak_live_bytes = end->totals.peak_live_bytes;
    result.wall_ns = end->ns - begin->ns;
    result.line = outcome->line;
    snprintf(result.message, sizeof result.message, "%s", outcome->message);
    snprintf(result.file, sizeof result.file, "%s", outcome->file);
    wire_put(boundary_wire, &result);
    wire_flush(boundary_wire);
}

void passive_end(const char *id, const struct passive_mark *begin, const struct passive_mark *end,
                 const struct outcome *outcome)
{
    static struct wire_children children;
    uint32_t index = id == NULL ? running : index_of(id);
    struct wire_progress *progress = &boundary_wire->progress;
    if (index == WIRE_NO_TEST) {
        return;
    }
    if (id != NULL) {
        test_named(index, id);
    }
    children_outcome_reset(&children, index);
    memcheck_test_ends(index);
    struct outcome seen = *outcome;
    children_outcome_take(&children);
    children_outcome_put(&children);
    heap_outcome_take(index, &seen);
    sample_put(index, begin, end, &seen);
    test_at(index)->repetitions++;
    result_put(index, begin, end, &seen);
    position = index + 1;
    running = WIRE_NO_TEST;
    if (ledger_depth() == WIRE_TRACE) {
        ledger_floor_update();
    }
    passive_cancel();
    atomic_store(&progress->live_bytes, end->totals.live_bytes);
    atomic_store(&progress->own_bytes, ledger_own_bytes() + arena_bytes());
    atomic_fetch_add(&progress->overhead_ns, meter_now_ns() - end->ns);
}

void passive_close(void)
{
    serve_passive_ready(0, test_count, NULL);
}
