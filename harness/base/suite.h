/*
 * suite.h - the main function of a libcheck test program, from a table. For tests only.
 *
 *     START_TEST(evicts_the_oldest_when_full) { ... } END_TEST
 *     SUITE("lru", &evicts_the_oldest_when_full, &...)
 *
 * A test that is missing from the table is an unused variable, which does not compile.
 */
#ifndef BASE_SUITE_H
#define BASE_SUITE_H

#include <check.h>
#include <stdlib.h>

#define SUITE(name, ...)                                                                           \
    int main(void)                                                                                 \
    {                                                                                              \
        static const TTest *const *const suite_tests[] = {__VA_ARGS__};                            \
        Suite *suite = suite_create(name);                                                         \
        TCase *tcase = tcase_create(name);                                                         \
        tcase_set_timeout(tcase, 120);                                                             \
        for (size_t i = 0; i < sizeof suite_tests / sizeof suite_tests[0]; i++) {                  \
            tcase_add_test(tcase, *suite_tests[i]);                                                \
        }                                                                                          \
        suite_add_tcase(suite, tcase);                                                             \
        SRunner *runner = srunner_create(suite);                                                   \
        srunner_run_all(runner, CK_ENV);                                                           \
        int failed = srunner_ntests_failed(runner);                                                \
        srunner_free(runner);                                                                      \
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;                                          \
    }

#endif
