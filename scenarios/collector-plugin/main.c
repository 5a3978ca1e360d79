/*
 * main.c - the collector plugin (incident collector-plugin) as a libcheck program: rows 0.1 to
 * 0.12. TIDEMARK_STRATEGY=unbounded is the plugin as it was, and two of its tests die of signal 11;
 * anything else is the plugin that holds. With --upstream or --plugin it is one of its own helper
 * processes.
 */
#include "rows.h"

#include "plugin.h"
#include "scenarios/upstream/upstream.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

bool as_it_was;

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--upstream") == 0) {
        upstream_main(atoi(argv[2]), collector_answer);
    }
    if (argc == 5 && strcmp(argv[1], "--plugin") == 0) {
        plugin_main(atoi(argv[2]), argv[3], (unsigned)atoi(argv[4]));
    }
    const char *strategy = getenv("TIDEMARK_STRATEGY");
    as_it_was = strategy && strcmp(strategy, "unbounded") == 0;
    curl_global_init(CURL_GLOBAL_DEFAULT); /* before any test: what it keeps is no test's */
    TCase *cases[] = {rows_crash(), rows_fetch(), rows_host(), rows_http()};
    Suite *suite = suite_create("collector-plugin");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tcase_set_timeout(cases[i], 120);
        suite_add_tcase(suite, cases[i]);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    curl_global_cleanup();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
