/* evidence.c - see evidence.h. */
#include "harness/judge/evidence.h"

#include "harness/base/memory.h"
#include "harness/base/unit.h"

#include <stdlib.h>
#include <string.h>

/* `text` with its "%u" written as "4,400"; NULL for NULL. */
static char *counted_text(const char *text, unsigned count)
{
    char number[UNIT_TEXT_BYTES];
    const char *place = text ? strstr(text, "%u") : NULL;
    return place ? memory_format("%.*s%s%s", (int)(place - text), text, unit_count(number, count),
                                 place + 2)
                 : NULL;
}

char *evidence_test(const struct evidence_calls *test)
{
    static const char *const texts[VERDICT_COUNT] = {
        [VERDICT_CLEAN] = "equal at each of %u boundaries",
        [VERDICT_LEAK] = "grew through %u repetitions, and nothing points at what is left",
        [VERDICT_GROWTH] =
            "grew through %u repetitions; a cache with more free slots than that looks the same",
        [VERDICT_SATURATING] = "stopped growing within %u repetitions",
        [VERDICT_INCONCLUSIVE] =
            "neither levelled off nor grew steadily in %u repetitions; --budget TIME allows more",
    };
    if (test->verdict == VERDICT_LEAK && test->counted) { /* no pointer leads to them, and none is
                                                             missing */
        return counted_text("grew through %u repetitions", test->calls);
    }
    if (test->verdict == VERDICT_GROWTH && test->nowhere) {
        return counted_text("grew through %u repetitions, and no allocation site holds what grew",
                            test->calls);
    }
    if (test->verdict == VERDICT_INCONCLUSIVE && test->resident > 0) {
        char rate[UNIT_TEXT_BYTES], calls[UNIT_TEXT_BYTES];
        return memory_format("its resident memory rose by %s a call in %s repetitions, and neither "
                             "heap nor mappings explain it: they came to rest",
                             unit_bytes(rate, test->resident), unit_count(calls, test->calls));
    }
    if (test->verdict == VERDICT_INCONCLUSIVE && test->growing) {
        return counted_text("grew in the %u repetitions that the budget allowed, as a cache with "
                            "more free slots than that would; --budget TIME allows more",
                            test->calls);
    }
    return counted_text(texts[test->verdict], test->calls);
}

char *evidence_program(enum result_verdict verdict, unsigned passes, bool growing)
{
    static const char *const texts[VERDICT_COUNT] = {
        [VERDICT_CLEAN] = "kept the same through %u passes of the whole program",
        [VERDICT_LEAK] =
            "grew through %u passes of the whole program, and nothing points at what is left",
        [VERDICT_GROWTH] = "grew through %u passes of the whole program; so would a larger cache",
        [VERDICT_SATURATING] = "stopped growing within %u passes of the whole program",
        [VERDICT_INCONCLUSIVE] =
            "neither levelled off nor grew steadily in %u passes of the whole program",
    };
    if (verdict == VERDICT_INCONCLUSIVE && growing) {
        return counted_text("grew in the %u passes of the whole program that could be made; so "
                            "would a cache with more free slots",
                            passes);
    }
    return counted_text(texts[verdict], passes);
}

static char *orders_text(const struct evidence_suite *suite)
{
    bool accused = suite->verdict == VERDICT_ACCUMULATES || suite->verdict == VERDICT_GROWTH ||
                   suite->verdict == VERDICT_INCONCLUSIVE;
    char *votes =
        accused ? memory_format(", %zu of %zu passes accuse", suite->accusing, suite->shuffled + 1)
                : memory_copy("");
    char *text =
        suite->shuffled > 0
            ? memory_format(" and in %zu shuffled order%s (seed %llu)%s", suite->shuffled,
                            suite->shuffled == 1 ? "" : "s", (unsigned long long)suite->seed, votes)
            : memory_copy("");
    free(votes);
    return text;
}

static char *again_text(const struct evidence_suite *suite)
{
    char size[UNIT_TEXT_BYTES];
    if (!suite->again) {
        return memory_copy(", one pass");
    }
    return suite->again_bytes <= 0
               ? memory_copy("; a second pass in the same process added nothing")
               : memory_format("; a second pass in the same process added %s",
                               unit_bytes(size, (double)suite->again_bytes));
}

static char *depositors_text(const struct evidence_suite *suite)
{
    if (suite->depositors == 0 || !suite->first) {
        return memory_copy("");
    }
    bool one = !suite->largest || strcmp(suite->first, suite->largest) == 0;
    char *who = suite->traced
                    ? memory_format("of the first %zu, which the sites are of, %zu left something",
                                    suite->traced, suite->depositors)
                    : memory_format("left by %zu test%s", suite->depositors,
                                    suite->depositors == 1 ? "" : "s");
    char *text = memory_format("; %s, first %s%s%s", who, suite->first, one ? "" : ", most by ",
                               one ? "" : suite->largest);
    free(who);
    return text;
}

char *evidence_suite(const struct evidence_suite *suite)
{
    char *orders = orders_text(suite), *again = again_text(suite);
    char *depositors = depositors_text(suite);
    const char *few = suite->few_orders
                          ? "; in so few orders a table over few inputs looks like what accumulates"
                          : "";
    bool bounded = suite->again && suite->verdict == VERDICT_ACCUMULATES;
    char *text =
        memory_format("judged over %zu tests in order%s%s%s%s%s", suite->tests, orders, again, few,
                      bounded ? ", as with a cache that keeps each input once" : "", depositors);
    free(orders);
    free(again);
    free(depositors);
    return text;
}

char *evidence_suite_ended(const char *test)
{
    return test ? memory_format("its program ended in %s, or behind it, in the pass that was to "
                                "judge the whole",
                                test)
                : memory_copy("its program did not run once more, to judge the whole");
}
