/*
 * main.c - the serverless cache that never hit (incident serverless) as a libcheck program:
 * rows 3.1 to 3.16. SERVERLESS_CACHE says which cache serves the day of the workload (service.h;
 * tiered when absent); the tests of the rows run with the tiered one only. With --instance it is an
 * instance of the service.
 */
#include "rows.h"

const struct service_kind *variant = &service_tiered;

int main(int argc, char **argv)
{
    if (argc == 8 && strcmp(argv[1], "--instance") == 0) {
        return instance_main(argv + 2);
    }
    const char *name = getenv("SERVERLESS_CACHE");
    if (name && *name && !(variant = service_find(name))) {
        fprintf(stderr,
                "serverless suite: SERVERLESS_CACHE=%s: expected direct, in_process, database, "
                "hybrid, tiered, resident\n",
                name);
        return 2;
    }
    Suite *suite = suite_create("serverless");
    TCase *cases[] = {rows_workload(), rows_cold(),  rows_tiers(),     rows_load(),
                      rows_figures(),  rows_fault(), rows_production()};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tcase_set_timeout(cases[i], 240);
        tcase_add_checked_fixture(cases[i], world_make, world_end);
        if (i == 0 || variant == &service_tiered) {
            suite_add_tcase(suite, cases[i]);
        }
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
