/*
 * repetition_bench.c - what a repetition costs beside the test: an empty test repeated many times,
 * at each depth, nanoseconds of processor time a repetition. Not a test: prints figures.
 *
 * repetition_bench [REPETITIONS]
 */
#include "harness/boundary/session.h"

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double cost_ns(struct session *session, uint32_t test, uint32_t depth, uint32_t flags,
                      uint32_t count)
{
    double costs[9];
    for (int i = 0; i < 9; i++) {
        struct wire_command command = {
            .op = WIRE_OP_RUN, .test = test, .depth = depth, .flags = flags, .repetitions = count};
        session->result_count = 0;
        if (!session_command(session, &command) || session->result_count != 1) {
            fprintf(stderr, "repetition_bench: the worker does not answer\n");
            exit(99);
        }
        costs[i] = (double)session->results[0].cpu_ns / count;
    }
    qsort(costs, 9, sizeof costs[0], compare);
    return costs[4];
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        uint32_t depth, flags;
    } ways[] = {
        {"count", WIRE_COUNT, 0},
        {"trace, no floors", WIRE_TRACE, WIRE_NO_FLOORS},
        {"trace, floors by a walk", WIRE_TRACE, 0},
        {"trace, watched", WIRE_TRACE, WIRE_WATCH},
    };
    uint32_t repetitions = count > 1 ? (uint32_t)strtoul(arguments[1], NULL, 10) : 10000;
    struct session *session = session_start("check_empty");
    if (!session_ready(session) || repetitions == 0) {
        fprintf(stderr, "repetition_bench: check_empty does not start, or no repetitions\n");
        return 99;
    }
    static const char *const tests[] = {"/is_empty", "/allocates", "/opens"};
    for (size_t t = 0; t < sizeof tests / sizeof tests[0]; t++) {
        for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
            printf("%-12s %-26s %8.0f ns a repetition\n", tests[t] + 1, ways[i].name,
                   cost_ns(session, session_test(session, tests[t]), ways[i].depth, ways[i].flags,
                           repetitions));
        }
    }
    session_end(&session);
    return 0;
}
