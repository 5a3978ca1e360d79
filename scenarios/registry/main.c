/*
 * main.c - the registry suite: an ordinary libcheck program of hundreds of tests over the
 * compiled-in model registry, each of which first opens a session through the strategy under test
 * (session.h).
 *
 * It knows nothing of tidemark beyond the optional counters of include/tidemark.h, and prints
 * libcheck's summary when it runs by itself. Exit: 0 all passed, 1 a test failed, 2 a parameter
 * makes no sense.
 */
#include "module.h"
#include "options.h"
#include "session.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODULE_OF(name) extern const struct suite_module module_##name;
#include "module.def"
MODULE_OF(tier)
#undef MODULE_OF

#define MODULE_OF(name) &module_##name,
static const struct suite_module *const modules_registry[] = {
#include "module.def"
    NULL};
#undef MODULE_OF
static const struct suite_module *const modules_tier[] = {&module_tier, NULL};

#define FAMILIES_MAX 64

struct suite_case {
    const struct suite_family *family;
    unsigned subject;
    TTest test;
    char name[SUITE_NAME_MAX];
};

static struct suite_case cases[SUITE_CASES_MAX];
static unsigned case_count;

/* libcheck hands a test nothing but its loop number, and a loop number would show in every test's
 * id. So each test has a function of its own: case_000 ... case_3ff. */
static void case_run(unsigned number)
{
    const struct suite_case *c = &cases[number];
    session_number(number);
    session_open();
    if (c->family->singles) {
        c->family->singles[c->subject].run();
    } else {
        c->family->run(c->subject);
    }
}

#define CASE(n)                                                                                    \
    static void case_##n(int i)                                                                    \
    {                                                                                              \
        (void)i;                                                                                   \
        case_run(0x##n);                                                                           \
    }
/* clang-format off */
#define NAME(n)        case_##n,
#define SIXTEEN(IT, n) IT(n##0) IT(n##1) IT(n##2) IT(n##3) IT(n##4) IT(n##5) IT(n##6) IT(n##7) \
                       IT(n##8) IT(n##9) IT(n##a) IT(n##b) IT(n##c) IT(n##d) IT(n##e) IT(n##f)
#define DOZENS(IT, n)                                                                 \
    SIXTEEN(IT, n##0) SIXTEEN(IT, n##1) SIXTEEN(IT, n##2) SIXTEEN(IT, n##3)           \
    SIXTEEN(IT, n##4) SIXTEEN(IT, n##5) SIXTEEN(IT, n##6) SIXTEEN(IT, n##7)           \
    SIXTEEN(IT, n##8) SIXTEEN(IT, n##9) SIXTEEN(IT, n##a) SIXTEEN(IT, n##b)           \
    SIXTEEN(IT, n##c) SIXTEEN(IT, n##d) SIXTEEN(IT, n##e) SIXTEEN(IT, n##f)
#define ALL(IT) DOZENS(IT, 0) DOZENS(IT, 1) DOZENS(IT, 2) DOZENS(IT, 3)
/* clang-format on */
ALL(CASE)
static void (*const case_functions[SUITE_CASES_MAX])(int) = {ALL(NAME)};

static unsigned family_size(const struct suite_family *family)
{
    return family->singles ? (unsigned)family->single_count : family->count();
}

/* One subject more for each family in turn, until the tests are shared out. */
static void quotas_fill(const struct suite_module *const *modules, unsigned *quota, unsigned tests)
{
    for (bool any = true; any && tests > 0;) {
        any = false;
        unsigned f = 0;
        for (size_t m = 0; modules[m]; m++) {
            for (size_t i = 0; i < modules[m]->family_count; i++, f++) {
                if (tests > 0 && quota[f] < family_size(&modules[m]->families[i])) {
                    quota[f]++;
                    tests--;
                    any = true;
                }
            }
        }
    }
}

static void case_add(const struct suite_module *module, const struct suite_family *family,
                     unsigned subject)
{
    struct suite_case *c = &cases[case_count];
    c->family = family;
    c->subject = subject;
    if (family->singles) {
        snprintf(c->name, sizeof c->name, "%s", family->singles[subject].name);
    } else {
        int length = snprintf(c->name, sizeof c->name, "%s_", family->name);
        family->label(subject, c->name + length, sizeof c->name - (size_t)length);
    }
    c->test = (TTest){.name = c->name,
                      .fn = case_functions[case_count],
                      .file = module->file,
                      .line = family->singles ? family->singles[subject].line : family->line};
    case_count++;
}

/* A fixed shuffle, so that a run can be repeated. */
static void order_fill(unsigned *order, unsigned count)
{
    uint64_t state = 41;
    for (unsigned i = 0; i < count; i++) {
        order[i] = suite_options.order == ORDER_REVERSE ? count - 1 - i : i;
    }
    for (unsigned i = count; suite_options.order == ORDER_SHUFFLE && i > 1; i--) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        unsigned other = (unsigned)((state >> 33) % i), kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
}

static TCase *module_case(const struct suite_module *module, unsigned first)
{
    static unsigned order[SUITE_CASES_MAX];
    unsigned count = case_count - first;
    TCase *tcase = tcase_create(module->name);
    tcase_set_timeout(tcase, 120);
    tcase_add_unchecked_fixture(tcase, NULL, session_module_close);
    tcase_add_checked_fixture(tcase, NULL, session_close);
    order_fill(order, count);
    for (unsigned i = 0; i < count; i++) {
        tcase_add_test(tcase, &cases[first + order[i]].test);
    }
    return tcase;
}

static Suite *suite_make(const struct suite_module *const *modules, unsigned tests)
{
    static unsigned quota[FAMILIES_MAX];
    Suite *suite = suite_create("registry");
    TCase *tcases[32];
    unsigned made = 0, f = 0;
    quotas_fill(modules, quota, tests);
    for (size_t m = 0; modules[m]; m++) {
        unsigned first = case_count;
        for (size_t i = 0; i < modules[m]->family_count; i++, f++) {
            unsigned size = family_size(&modules[m]->families[i]);
            for (unsigned j = 0; j < quota[f]; j++) {
                case_add(modules[m], &modules[m]->families[i],
                         (unsigned)((uint64_t)j * size / quota[f]));
            }
        }
        if (case_count > first) {
            tcases[made++] = module_case(modules[m], first);
        }
    }
    for (unsigned i = 0; i < made; i++) {
        suite_add_tcase(suite, tcases[suite_options.order == ORDER_REVERSE ? made - 1 - i : i]);
    }
    return suite;
}

int main(int argc, char **argv)
{
    (void)argc;
    if (!suite_options_read(argv) || !session_prepare()) {
        return 2;
    }
    bool tier = suite_options.tier[0] != 0;
    unsigned tests = suite_options.tests < SUITE_CASES_MAX ? suite_options.tests : SUITE_CASES_MAX;
    SRunner *runner = srunner_create(suite_make(tier ? modules_tier : modules_registry, tests));
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    session_suite_close();
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
