/* libcheck_suite.c - suites, test cases, tests and fixtures; see libcheck.h. */
#include "harness/boundary/arena.h"
#include "harness/boundary/libcheck_engine.h"

#include <link.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TIMEOUT 4.0 /* seconds; libcheck's */

static int libcheck_minor = -1; /* -1: unknown */

void libcheck_minor_set(int minor)
{
    libcheck_minor = minor;
}

void libcheck_list_add(struct libcheck_list *list, void *item)
{
    struct libcheck_link *link = arena_get(sizeof *link);
    link->item = item;
    if (list->last == NULL) {
        list->first = link;
    } else {
        list->last->next = link;
    }
    list->last = link;
    list->count++;
}

void libcheck_list_add_front(struct libcheck_list *list, void *item)
{
    struct libcheck_link *link = arena_get(sizeof *link);
    link->item = item;
    link->next = list->first;
    list->first = link;
    if (list->last == NULL) {
        list->last = link;
    }
    list->count++;
}

static bool list_has(const struct libcheck_list *list, const void *item)
{
    LIBCHECK_EACH(link, list)
    {
        if (link->item == item) {
            return true;
        }
    }
    return false;
}

Suite *engine_suite_create(const char *name)
{
    Suite *suite = arena_get(sizeof *suite);
    suite->name = name == NULL ? "" : name;
    return suite;
}

int engine_suite_tcase(Suite *suite, const char *name)
{
    if (suite != NULL) {
        LIBCHECK_EACH(link, &suite->tcases)
        {
            if (strcmp(((TCase *)link->item)->name, name) == 0) {
                return 1;
            }
        }
    }
    return 0;
}

void engine_suite_add_tcase(Suite *suite, TCase *tcase)
{
    if (suite != NULL && tcase != NULL && !list_has(&suite->tcases, tcase)) {
        libcheck_list_add(&suite->tcases, tcase);
    }
}

/* A number of seconds or a factor from the environment; `otherwise` when absent or not a number. */
static double environment_number(const char *name, double otherwise)
{
    const char *text = getenv(name);
    char *end = NULL;
    double number = text == NULL ? -1 : strtod(text, &end);
    return text != NULL && end != text && *end == '\0' && number >= 0 ? number : otherwise;
}

static void timeout_set(TCase *tcase, double seconds)
{
    double ns = seconds * environment_number("CK_TIMEOUT_MULTIPLIER", 1) * 1e9;
    tcase->timeout_ns = ns < 1e18 ? (uint64_t)ns : (uint64_t)1e18;
}

TCase *engine_tcase_create(const char *name)
{
    TCase *tcase = arena_get(sizeof *tcase);
    tcase->name = name == NULL ? "" : name;
    timeout_set(tcase, environment_number("CK_DEFAULT_TIMEOUT", DEFAULT_TIMEOUT));
    return tcase;
}

void engine_tcase_set_timeout(TCase *tcase, double timeout)
{
    if (timeout >= 0) {
        timeout_set(tcase, timeout);
    }
}

void engine_tcase_set_tags(TCase *tcase, const char *tags)
{
    tcase->tags = tags == NULL ? NULL : arena_dup(tags);
}

static int address_is_code(struct dl_phdr_info *info, size_t size, void *data)
{
    uintptr_t address = *(const uintptr_t *)data;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && address - start < segment->p_memsz) {
            return (segment->p_flags & PF_X) != 0 ? 1 : 2;
        }
    }
    return 0;
}

/* Without a version, a pointer into code is the function itself. */
static bool is_old_call(const void *test)
{
    uintptr_t address = (uintptr_t)test;
    return libcheck_minor >= 0 ? libcheck_minor < 13
                               : dl_iterate_phdr(address_is_code, &address) == 1;
}

void engine__tcase_add_test(TCase *tcase, const void *test, intptr_t a, intptr_t b, intptr_t c,
                            intptr_t d, intptr_t e)
{
    if (tcase == NULL || test == NULL) {
        return;
    }
    TF *tf = arena_get(sizeof *tf);
    if (is_old_call(test)) {
        tf->function = (TFun)(uintptr_t)test;
        tf->name = (const char *)a;
        tf->announces = true;
        tf->signal = (int)b;
        tf->exit_value = (signed char)c;
        tf->start = (int)d;
        tf->end = (int)e;
    } else {
        const TTest *ttest = test;
        tf->function = ttest->fn;
        tf->name = ttest->name;
        tf->file = ttest->file;
        tf->line = ttest->line;
        tf->signal = (int)a;
        tf->exit_value = (signed char)b;
        tf->start = (int)c;
        tf->end = (int)d;
    }
    libcheck_list_add(&tcase->tests, tf);
}

/* Function pointers travel as void pointers: POSIX allows it. Teardowns run in reverse order. */
static void fixture_add(struct libcheck_list *setups, struct libcheck_list *teardowns, SFun setup,
                        SFun teardown)
{
    if (setup != NULL) {
        libcheck_list_add(setups, (void *)(uintptr_t)setup);
    }
    if (teardown != NULL) {
        libcheck_list_add_front(teardowns, (void *)(uintptr_t)teardown);
    }
}

void engine_tcase_add_unchecked_fixture(TCase *tcase, SFun setup, SFun teardown)
{
    fixture_add(&tcase->unchecked_setups, &tcase->unchecked_teardowns, setup, teardown);
}

void engine_tcase_add_checked_fixture(TCase *tcase, SFun setup, SFun teardown)
{
    fixture_add(&tcase->checked_setups, &tcase->checked_teardowns, setup, teardown);
}

/* True when the two space-separated lists share a word. */
static bool tags_meet(const char *tags, const char *wanted)
{
    if (tags == NULL || wanted == NULL) {
        return false;
    }
    for (const char *tag = tags; *tag != '\0';) {
        size_t bytes = strcspn(tag, " ");
        for (const char *want = wanted; bytes != 0 && *want != '\0';) {
            size_t want_bytes = strcspn(want, " ");
            if (want_bytes == bytes && memcmp(tag, want, bytes) == 0) {
                return true;
            }
            want += want_bytes + strspn(want + want_bytes, " ");
        }
        tag += bytes + strspn(tag + bytes, " ");
    }
    return false;
}

static bool tcase_selected(const TCase *tcase, const char *name, const char *include,
                           const char *exclude)
{
    return (name == NULL || strcmp(name, tcase->name) == 0) &&
           (include == NULL || tags_meet(tcase->tags, include)) &&
           (exclude == NULL || !tags_meet(tcase->tags, exclude));
}

/* Counts the tests of one case; stores them when `tests` is not NULL. */
static uint32_t tcase_expand(struct libcheck_test *tests, Suite *suite, uint32_t suite_number,
                             TCase *tcase)
{
    uint32_t count = 0;
    LIBCHECK_EACH(link, &tcase->tests)
    {
        TF *tf = link->item;
        for (int i = tf->start; i < tf->end; i++, count++) {
            if (tests != NULL) {
                tests[count] = (struct libcheck_test){.suite = suite,
                                                      .tcase = tcase,
                                                      .tf = tf,
                                                      .iteration = i,
                                                      .suite_number = suite_number};
            }
        }
    }
    return count;
}

void libcheck_select(struct libcheck_run *run, const char *suite_name, const char *tcase_name,
                     const char *include_tags, const char *exclude_tags)
{
    for (int pass = 0; pass < 2; pass++) {
        uint32_t at = 0, suite_number = 0;
        LIBCHECK_EACH(suite_link, &run->runner->suites)
        {
            Suite *suite = suite_link->item;
            if ((suite_name != NULL && strcmp(suite_name, suite->name) != 0) ||
                (tcase_name != NULL && !engine_suite_tcase(suite, tcase_name))) {
                continue;
            }
            if (pass == 1) {
                libcheck_list_add(&run->suites, suite);
            }
            LIBCHECK_EACH(tcase_link, &suite->tcases)
            {
                if (tcase_selected(tcase_link->item, tcase_name, include_tags, exclude_tags)) {
                    at += tcase_expand(pass == 0 ? NULL : run->tests + at, suite, suite_number,
                                       tcase_link->item);
                }
            }
            suite_number++;
        }
        if (pass == 0) {
            run->count = at;
            run->tests = arena_get((size_t)at * sizeof *run->tests + 1);
        }
    }
}
