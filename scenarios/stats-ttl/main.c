/*
 * main.c - the statistics cache of the orchestrator (incident stats-ttl) as a libcheck program:
 * every row 2.1 to 2.15 on the cache as it was (TIDEMARK_STRATEGY=unbounded), on the one of this
 * project (ttl), and without one (direct). The tests expect of each what is true of it, so that the
 * incident's faults are asserted too. The clock is the tests' own. Figures go out as counters, when
 * tidemark listens.
 */
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct panel_kind *panel = &panel_ttl;

bool endpoint_load(void *context, const char *key, size_t length, struct strategy_value *value)
{
    static _Thread_local uint32_t answer[8];
    struct endpoint *endpoint = context;
    (void)key;
    (void)length;
    endpoint->calls++;
    answer[0] = endpoint->state;
    *value = (struct strategy_value){.data = answer, .bytes = sizeof answer};
    return true;
}

uint32_t ask(void *cache, const char *key, uint64_t ttl_ns, struct endpoint *endpoint)
{
    struct strategy_value value;
    uint32_t state;
    ck_assert(panel->get(cache, key, ttl_ns, endpoint_load, endpoint, &value));
    ck_assert_uint_ge(value.bytes, sizeof state);
    memcpy(&state, value.data, sizeof state);
    return state;
}

struct panel_statistics statistics_of(void *cache)
{
    struct panel_statistics statistics;
    panel->statistics(cache, &statistics);
    return statistics;
}

bool is_as_it_was(void)
{
    return panel == &panel_as_it_was;
}

bool is_ttl(void)
{
    return panel == &panel_ttl;
}

int main(void)
{
    const char *name = getenv("TIDEMARK_STRATEGY");
    if (name && strcmp(name, "unbounded") == 0) {
        panel = &panel_as_it_was;
    } else if (name && strcmp(name, "direct") == 0) {
        panel = &panel_direct;
    } else if (name && *name && strcmp(name, "ttl") != 0) {
        fprintf(stderr, "stats-ttl suite: TIDEMARK_STRATEGY=%s: expected ttl, unbounded, direct\n",
                name);
        return 2;
    }
    TCase *cases[] = {rows_expiry(), rows_memory(), rows_threads(), rows_invalidation(),
                      rows_future()};
    Suite *suite = suite_create("stats-ttl");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tcase_set_timeout(cases[i], 120);
        tcase_add_checked_fixture(cases[i], clock_reset, NULL);
        suite_add_tcase(suite, cases[i]);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
