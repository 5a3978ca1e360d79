/* runner.c - see runner.h: passes over variants, interleaved A B B A. */
#include "harness/campaign/runner.h"
#include "harness/campaign/phase.h"

#include "harness/base/executable.h"
#include "harness/base/memory.h"
#include "harness/campaign/session.h"
#include "harness/plan/shard.h"
#include "harness/result/result_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct variant_passes {
    double (*metric)[METRIC_COUNT];
    size_t count;
    struct session last;
    bool ran, skipped;
};

static void head_fill(const struct plan *plan, struct result *result)
{
    char text[64];
    time_t now = time(NULL);
    struct tm utc;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    result_set(&result->started, text);
    if (gethostname(text, sizeof text) == 0) {
        text[sizeof text - 1] = 0;
        result_set(&result->host, text);
    }
    struct cap cap; /* made once to know what kind it is going to be */
    cap_init(&cap, plan->memory_cap);
    result_set(&result->cap_kind, cap.kind);
    cap_fini(&cap);
    result->cap = (int64_t)plan->memory_cap;
    result->guard = (int64_t)plan->memory_guard;
    result->seed = plan->seed;
    result_set(&result->allocator, plan->allocator == PLAN_SYSTEM ? "system" : "jemalloc");
}

/* Can it be run at all? Says why not. */
static bool variant_possible(const struct plan_variant *variant, struct result *result)
{
    char reason[512];
    if (variant->skip && variant->skip[0]) {
        result_note_add(result, "variant %s skipped: %s", variant->name, variant->skip);
        return false;
    }
    if (!executable_preloadable(variant->program, reason, sizeof reason)) {
        result_note_add(result, "%s cannot be watched: %s", variant->program, reason);
        return false;
    }
    return true;
}

static void pass_run(const struct plan *plan, const struct plan_variant *variant,
                     const struct runner_options *options, struct variant_passes *passes,
                     struct result *result)
{
    if (passes->ran) {
        session_fini(&passes->last);
    }
    /* Only the first pass writes tests down; the others only measure. */
    struct runner_options mine = *options;
    session_init(&passes->last, plan, variant, &mine, result);
    phase_begin(&passes->last, "%s", "");
    size_t tests = result->test_count;
    if (passes->ran) {
        mine.writer = NULL;
    }
    if (!(plan->hunt ? session_hunt(&passes->last) : session_run(&passes->last))) {
        const char *why = passes->last.unstarted;
        result_note_add(result, "%s: %s", variant->program, why ? why : "no tests were found");
    }
    bool none = passes->last.seen.test_count > 0 && passes->last.tests == 0 && !plan->shards;
    for (size_t i = 0; none && i < passes->last.seen.test_count; i++) {
        none = !session_wants(&passes->last, (uint32_t)i);
    }
    if (none && plan_filter_given(&plan->filter)) {
        char *like = plan_filter_text(&plan->filter);
        result_note_add(result, "none of its %zu tests is like %s; the first is %s",
                        passes->last.seen.test_count, like, passes->last.seen.tests[0].id);
        free(like);
    }
    if (plan->valgrind && passes->last.seen.test_count > 0 && !session_memcheck(&passes->last)) {
        result->incomplete += passes->last.seen.test_count;
    }
    if (plan->quick && passes->last.tests > 0) {
        result_note_add(result, "quick: 4 repetitions of what settles, no confirmation of what "
                                "grows, all tests in one order and once: little evidence");
    }
    if (!passes->ran) {
        session_strays_note(&passes->last);
    }
    for (size_t i = tests; passes->ran && i < result->test_count; i++) {
        result_test_fini(&result->tests[i]);
    }
    result->test_count = passes->ran ? tests : result->test_count;
    passes->last.options = options;
    session_metrics(&passes->last, passes->metric[passes->count++]);
    passes->ran = true;
}

/* ", 3 of 34 tests forked" */
static char *forked_text(const struct session *session)
{
    size_t count = session->forked_count;
    for (size_t i = 0; i < session->seen.test_count; i++) {
        count += session->seen.tests[i].forked;
    }
    return session->forks ? memory_copy(", forked")
           : count > 0 ? memory_format(", %zu of %zu tests forked", count, session->seen.test_count)
                       : memory_copy("");
}

static void variant_conclude(bool hunt, const struct plan_variant *variant,
                             const struct runner_options *options, struct variant_passes *passes,
                             struct result *result)
{
    struct result_variant *concluded = result_variant_add(result);
    result_set(&concluded->name, variant->name);
    if (!hunt) {
        session_run_suite(&passes->last);
    }
    session_conclude(&passes->last, passes->metric, passes->count, concluded);
    if (result->way_in[0] == 0 && passes->last.seen.hello.framework[0]) {
        static const char *const ways[] = {"",          "static",       "shared",
                                           "by header", "through libc", "the whole program"};
        char *forked = forked_text(&passes->last);
        char *way = memory_format("%s, %s%s", passes->last.seen.hello.framework,
                                  ways[passes->last.seen.hello.way % 6], forked);
        free(forked);
        result_set(&result->way_in, way);
        free(way);
    }
    if (passes->last.seen.hello.allocator[0]) {
        result_set(&result->allocator, passes->last.seen.hello.allocator);
    }
    if (options->writer) {
        result_write_variant(options->writer, concluded);
    }
}

static size_t tests_of(const struct result *result, const char *variant)
{
    size_t count = 0;
    for (size_t i = 0; i < result->test_count; i++) {
        count += strcmp(result->tests[i].variant, variant) == 0;
    }
    return count;
}

/* A variant of a scenario of which nothing was measured, beside others that came through: its tests
 * are missing, as many as another one had. */
static void variant_missing(const struct plan *plan, const struct variant_passes *passes,
                            const struct plan_variant *variant, struct result *result)
{
    size_t most = 0;
    for (size_t i = 0; i < plan->variant_count; i++) {
        size_t count = tests_of(result, plan->variants[i].name);
        most = count > most ? count : most;
    }
    if (plan->hunt || most == 0 || tests_of(result, variant->name) > 0) {
        return;
    }
    const char *why = passes->last.unstarted;
    char *reason =
        memory_format("variant %s: %s", variant->name, why ? why : "no tests were found");
    result->incomplete += most;
    result_set(&result->reason, reason);
    free(reason);
}

/* What the file begins with; of a shard also where the other tests are. */
static void head_write(struct result_writer *writer, const struct result *result)
{
    if (!writer) {
        return;
    }
    result_write_run(writer, result);
    if (result->shard[0]) {
        result_write_expected(writer, result->expected);
    }
    for (size_t i = 0; i < result->elsewhere_count; i++) {
        result_write_elsewhere(writer, &result->elsewhere[i]);
    }
}

bool runner_run(const struct plan *plan, const struct runner_options *options,
                struct result *result)
{
    struct variant_passes *passes = memory_new(plan->variant_count, sizeof *passes);
    size_t here = 0; /* variants with tests of this shard */
    bool any = false;
    head_fill(plan, result);
    head_write(options->writer, result);
    for (size_t v = 0; v < plan->variant_count; v++) {
        const struct plan_variant *variant = &plan->variants[v];
        passes[v].metric = memory_new(plan->passes, sizeof *passes[v].metric);
        passes[v].skipped = !variant_possible(variant, result);
        bool elsewhere = variant->shard && !shard_map_any(variant->shard, plan->shard);
        passes[v].skipped = passes[v].skipped || elsewhere;
        any = any || elsewhere;
        here += !elsewhere;
    }
    if (here == 0) {
        result_note_add(result, "none of the tests belongs to shard %u/%u", plan->shard,
                        plan->shards);
    }
    for (unsigned pass = 0; pass < plan->passes; pass++) {
        for (size_t i = 0; i < plan->variant_count; i++) {
            size_t v = pass % 2 ? plan->variant_count - 1 - i : i;
            if (!passes[v].skipped) {
                pass_run(plan, &plan->variants[v], options, &passes[v], result);
            }
        }
    }
    for (size_t v = 0; v < plan->variant_count; v++) {
        if (passes[v].ran) {
            any = any || passes[v].last.tests > 0;
            variant_conclude(plan->hunt, &plan->variants[v], options, &passes[v], result);
            variant_missing(plan, &passes[v], &plan->variants[v], result);
            session_fini(&passes[v].last);
        }
        free(passes[v].metric);
    }
    free(passes);
    return any;
}
