/* children.c - see children.h. Supervisor only. */
#include "harness/campaign/children.h"

#include "harness/base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void children_fill(const struct session *session, struct result_test *test)
{
    const struct wire_children *seen = &session->link.worker.children;
    test->children = seen->forked > test->children ? seen->forked : test->children;
    if (seen->followed > test->children_followed) {
        test->children_followed = seen->followed;
    }
    if (seen->programs > test->programs) {
        test->programs = seen->programs;
        result_set(&test->program, seen->program);
    }
}

void children_killed(struct session *session, struct result_test *test)
{
    bool known;
    struct cap *cap = &session->link.worker.cap;
    uint64_t kills =
        test->status == RESULT_PASS && test->children == 0 ? 0 : cap_kills(cap, &known);
    if (kills <= cap->told) {
        return;
    }
    cap->told = kills;
    char *message =
        memory_format("a child of it was killed%s%s", test->message[0] ? ": " : "", test->message);
    test->status = RESULT_OOM;
    result_set(&test->message, message);
    free(message);
}

void children_judge(struct result_test *test)
{
    bool acquitted = test->verdict == VERDICT_CLEAN || test->verdict == VERDICT_SATURATING ||
                     test->verdict == VERDICT_INCONCLUSIVE;
    if (test->children == 0 || test->status != RESULT_PASS || !acquitted) {
        return;
    }
    bool one = test->children == 1;
    char *why = memory_format("%" PRId64 " child%s of it did work of the test: what %s is not seen",
                              test->children, one ? "" : "ren", one ? "it keeps" : "they keep");
    test->verdict = VERDICT_NONE;
    result_set(&test->horizon, why);
    free(why);
}

void children_judge_suite(const struct session *session, struct result_variant *variant)
{
    const struct result *result = session->result;
    size_t passed = 0, forkers = 0;
    for (size_t i = 0; i < result->test_count; i++) {
        const struct result_test *test = &result->tests[i];
        bool counts =
            test->status == RESULT_PASS && strcmp(test->variant, session->variant->name) == 0;
        passed += counts;
        forkers += counts && test->children > 0;
    }
    if (forkers == 0 || result_verdict_bad(variant->verdict)) {
        return;
    }
    char *text;
    if (forkers == passed) {
        variant->verdict = VERDICT_NONE;
        variant->metric[METRIC_GROWTH] = NAN;
        text = memory_format("children of %s did the work: what they keep is not seen",
                             passed == 1 ? "its test" : "all its tests");
    } else {
        text = memory_format("%s; children of %zu of %zu tests did work of theirs, and what they "
                             "keep is not seen",
                             variant->horizon, forkers, passed);
    }
    result_set(&variant->horizon, text);
    free(text);
}

void children_note(const struct session *session)
{
    const struct result *result = session->result;
    const struct result_test *forked = NULL, *started = NULL, *followed = NULL;
    size_t forkers = 0, starters = 0, followers = 0;
    for (size_t i = 0; i < result->test_count; i++) {
        const struct result_test *test = &result->tests[i];
        if (strcmp(test->variant, session->variant->name) != 0) {
            continue;
        }
        bool passed = test->status == RESULT_PASS;
        forkers += passed && test->children > 0;
        bool loses = test->children_followed > 0 && result_verdict_bad(test->verdict);
        starters += test->programs > 0;
        followers += loses;
        followed = !followed && loses ? test : followed;
        forked = !forked && passed && test->children > 0 ? test : forked;
        started = !started && test->programs > 0 ? test : started;
    }
    if (forked) {
        result_note_add(session->result,
                        "not judged: children that %zu test%s forked did the work, and what they "
                        "keep is not seen; the first is %s, with %" PRId64 " child%s",
                        forkers, forkers == 1 ? "" : "s", forked->id, forked->children,
                        forked->children == 1 ? "" : "ren");
    }
    if (followed) {
        result_note_add(session->result,
                        "children that %zu test%s forked were followed to their end: what they "
                        "lost is counted as the test's; the first is %s, with %" PRId64 " child%s",
                        followers, followers == 1 ? "" : "s", followed->id,
                        followed->children_followed, followed->children_followed == 1 ? "" : "ren");
    }
    if (started) {
        result_note_add(session->result,
                        "%zu test%s other programs, which are not watched; the first is %s, with "
                        "%s",
                        starters, starters == 1 ? " starts" : "s start", started->id,
                        started->program[0] ? started->program : "one");
    }
}
